// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The tables of what was found in a log. A log that consists of first lines only must not take all
 * memory, so only the newest printouts, requests and events are kept. While the log is read, they
 * have numbers that do not change when older ones are dropped; afterwards numbers become indexes.
 */
#include "source/printouts.h"

#define MAX_PRINTOUTS 16384
#define MAX_REQUESTS 8192
#define MAX_EVENTS 4096
#define MAX_GAPS 4096

/* Makes room for one more element in a table of at most max elements. False: out of memory. */
static bool grow(void **table, size_t nr, size_t *room, size_t max, size_t size)
{
	if (nr < *room)
		return true;
	size_t more = 2 * *room + 16;
	if (more > max)
		more = max;
	void *grown = reallocarray(*table, more, size);
	if (!grown)
		return false;
	*table = grown;
	*room = more;
	return true;
}

/* Drops the older half of a full table. */
static void drop_half(void *table, size_t *nr, size_t max, size_t size, uint64_t *dropped)
{
	size_t half = max / 2;

	memmove(table, (char *)table + half * size, (*nr - half) * size);
	*nr -= half;
	*dropped += half;
}

static void destroy_printout(struct nmibt_printout *printout)
{
	nmibt_cpus_destroy(&printout->cpus);
	free(printout->tasks);
	free(printout->message);
}

static void destroy_event(struct nmibt_log_event *event)
{
	nmibt_cpus_destroy(&event->cpus);
	free(event->message);
}

uint64_t nmibt_log_add_printout(struct nmibt_log_source *log, const struct nmibt_printout *from)
{
	struct nmibt_log_builder *b = log->builder;

	if (!grow((void **)&log->printouts, log->nr_printouts, &b->printouts_room, MAX_PRINTOUTS,
		  sizeof(*from))) {
		b->failed = true;
		return 0;
	}
	if (log->nr_printouts == MAX_PRINTOUTS) {
		for (size_t i = 0; i < MAX_PRINTOUTS / 2; i++)
			destroy_printout(&log->printouts[i]);
		drop_half(log->printouts, &log->nr_printouts, MAX_PRINTOUTS, sizeof(*from),
			  &b->printouts_dropped);
	}
	log->printouts[log->nr_printouts++] = *from;
	return b->printouts_dropped + log->nr_printouts;
}

uint64_t nmibt_log_add_request(struct nmibt_log_source *log, const struct nmibt_request *from)
{
	struct nmibt_log_builder *b = log->builder;

	if (!grow((void **)&log->requests, log->nr_requests, &b->requests_room, MAX_REQUESTS,
		  sizeof(*from))) {
		b->failed = true;
		return 0;
	}
	if (log->nr_requests == MAX_REQUESTS) {
		for (size_t i = 0; i < MAX_REQUESTS / 2; i++)
			nmibt_cpus_destroy(&log->requests[i].asked);
		drop_half(log->requests, &log->nr_requests, MAX_REQUESTS, sizeof(*from),
			  &b->requests_dropped);
	}
	log->requests[log->nr_requests++] = *from;
	return b->requests_dropped + log->nr_requests;
}

void nmibt_log_add_event(struct nmibt_log_source *log, const struct nmibt_log_event *from)
{
	struct nmibt_log_builder *b = log->builder;

	if (!grow((void **)&log->events, log->nr_events, &b->events_room, MAX_EVENTS,
		  sizeof(*from))) {
		b->failed = true;
		return;
	}
	if (log->nr_events == MAX_EVENTS) {
		for (size_t i = 0; i < MAX_EVENTS / 2; i++)
			destroy_event(&log->events[i]);
		drop_half(log->events, &log->nr_events, MAX_EVENTS, sizeof(*from),
			  &b->events_dropped);
	}
	log->events[log->nr_events++] = *from;
}

/* If the table is full, the last gap is extended: it then covers records that are not lost, but no
 * lost record is missing from it. */
void nmibt_log_add_gap(struct nmibt_log_source *log, const struct nmibt_log_gap *from)
{
	struct nmibt_log_builder *b = log->builder;

	if (log->nr_gaps == MAX_GAPS) {
		struct nmibt_log_gap *last = &log->gaps[MAX_GAPS - 1];

		last->before_seq = from->before_seq;
		last->nr += from->nr;
	} else if (grow((void **)&log->gaps, log->nr_gaps, &b->gaps_room, MAX_GAPS,
			sizeof(*from))) {
		log->gaps[log->nr_gaps++] = *from;
	} else {
		b->failed = true;
	}
}

size_t nmibt_log_add_trace(struct nmibt_log_source *log, const struct nmibt_log_trace *from)
{
	struct nmibt_log_builder *b = log->builder;

	if (!grow((void **)&log->traces, log->nr_traces, &b->traces_room, SIZE_MAX,
		  sizeof(*from))) {
		b->failed = true;
		return 0;
	}
	struct nmibt_log_trace *trace = &log->traces[log->nr_traces++];
	*trace = *from;
	if (trace->cpu < NMIBT_MAX_CPUS) {
		trace->older = log->newest[trace->cpu];
		log->newest[trace->cpu] = log->nr_traces;
	}
	return log->nr_traces;
}

struct nmibt_printout *nmibt_log_printout(struct nmibt_log_source *log, uint64_t number)
{
	uint64_t index = number - 1 - log->builder->printouts_dropped;

	return number && index < log->nr_printouts ? &log->printouts[index] : NULL;
}

struct nmibt_request *nmibt_log_request(struct nmibt_log_source *log, uint64_t number)
{
	uint64_t index = number - 1 - log->builder->requests_dropped;

	return number && index < log->nr_requests ? &log->requests[index] : NULL;
}

static void number(size_t *at, uint64_t dropped)
{
	*at = *at > dropped ? *at - dropped : 0;
}

void nmibt_log_number(struct nmibt_log_source *log)
{
	struct nmibt_log_builder *b = log->builder;

	for (size_t i = 0; i < log->nr_traces; i++) {
		number(&log->traces[i].printout, b->printouts_dropped);
		number(&log->traces[i].request, b->requests_dropped);
	}
	for (size_t i = 0; i < log->nr_requests; i++)
		number(&log->requests[i].printout, b->printouts_dropped);
	log->nr_dropped = b->printouts_dropped + b->requests_dropped + b->events_dropped;
}

struct nmibt_error *nmibt_log_source_new(enum nmibt_arch arch, struct nmibt_log_source **ret)
{
	struct nmibt_log_source *log = calloc(1, sizeof(*log));

	if (!log)
		return nmibt_error_nomem();
	log->builder = calloc(1, sizeof(*log->builder));
	if (!log->builder) {
		nmibt_log_source_close(log);
		return nmibt_error_nomem();
	}
	log->builder->arch = arch;
	*ret = log;
	return NULL;
}

void nmibt_log_source_close(struct nmibt_log_source *log)
{
	if (!log)
		return;
	nmibt_log_builder_close(log->builder);
	for (size_t i = 0; i < log->nr_traces; i++) {
		free(log->traces[i].raw);
		free(log->traces[i].known);
	}
	for (size_t i = 0; i < log->nr_printouts; i++)
		destroy_printout(&log->printouts[i]);
	for (size_t i = 0; i < log->nr_requests; i++)
		nmibt_cpus_destroy(&log->requests[i].asked);
	for (size_t i = 0; i < log->nr_events; i++)
		destroy_event(&log->events[i]);
	free(log->traces);
	free(log->printouts);
	free(log->requests);
	free(log->events);
	free(log->gaps);
	free(log->times);
	free(log->hardware);
	free(log->taint);
	free(log->release);
	free(log);
}

bool nmibt_log_has_run(const struct nmibt_log_source *log, const struct nmibt_task *task,
		       uint64_t seq)
{
	const struct nmibt_hung_task *hung = &log->hung_tasks[nmibt_hung_task_place(task->pid)];

	return task->known && hung->pid == task->pid && hung->seq > seq;
}
