// SPDX-License-Identifier: GPL-2.0-or-later
/* What the log tells of the machine as a whole: boots, suspends, CPUs that come and go,
 * hardware, taint. */
#include "source/printouts.h"

#define MAX_MESSAGE 1024

char *nmibt_copy_line(struct taken *t)
{
	size_t len = t->line->len < MAX_MESSAGE ? t->line->len : MAX_MESSAGE;
	char *copy;

	if (asprintf(&copy, "%.*s%s", (int)len, t->line->text ? t->line->text : "",
		     t->is_cut ? "..." : "") >= 0)
		return copy;
	t->b->failed = true;
	return NULL;
}

bool nmibt_is_event(enum nmibt_print kind)
{
	switch (kind) {
	case NMIBT_PRINT_NOT_RESPONDING:
	case NMIBT_PRINT_NOT_STOPPED:
	case NMIBT_PRINT_BANNER:
	case NMIBT_PRINT_COMMAND_LINE:
	case NMIBT_PRINT_SUSPEND:
	case NMIBT_PRINT_RESUME:
	case NMIBT_PRINT_SLEPT:
	case NMIBT_PRINT_NO_SLEEP:
	case NMIBT_PRINT_KDUMP:
	case NMIBT_PRINT_CSD_RELEASED:
	case NMIBT_PRINT_CPU_ONLINE:
	case NMIBT_PRINT_CPU_OFFLINE:
	case NMIBT_PRINT_END_PANIC:
	case NMIBT_PRINT_HUNG_SUPPRESSED:
		return true;
	default:
		return false;
	}
}

void nmibt_take_event(struct taken *t)
{
	const struct nmibt_log_line *line = t->line;
	struct nmibt_log_event event = {
		.kind = t->p.kind,
		.seq = line->seq,
		.ts_ns = line->ts_ns,
		.is_capture_kernel = t->p.is_capture_kernel,
		.message = nmibt_copy_line(t),
	};

	if (t->p.kind == NMIBT_PRINT_NOT_RESPONDING || t->p.kind == NMIBT_PRINT_NOT_STOPPED ||
	    t->p.kind == NMIBT_PRINT_CSD_RELEASED)
		nmibt_add_said_cpus(t, &event.cpus);
	if (t->p.kind == NMIBT_PRINT_BANNER)
		t->log->boot_seq = line->seq;
	nmibt_log_add_event(t->log, &event);
}

void nmibt_take_hotplug(struct taken *t)
{
	t->log->hotplug[t->p.cpu] = (struct nmibt_hotplug){
		.is_known = true,
		.is_offline = t->p.kind == NMIBT_PRINT_CPU_OFFLINE,
		.seq = t->line->seq,
		.ts_ns = t->line->ts_ns,
	};
}

/* Keeps the newest. */
static void keep(struct taken *t, char **at, struct nmibt_str text)
{
	if (text.len > MAX_MESSAGE)
		text.len = MAX_MESSAGE;
	if (!text.len || (*at && nmibt_str_is(text, *at)))
		return;
	free(*at);
	*at = strndup(text.s, text.len);
	if (!*at)
		t->b->failed = true;
}

void nmibt_take_machine(struct taken *t)
{
	keep(t, &t->log->taint, t->p.taint);
	keep(t, &t->log->release, t->p.release);
	if (t->p.kind == NMIBT_PRINT_HARDWARE && !t->is_cut)
		keep(t, &t->log->hardware, t->p.message);
}

void nmibt_take_dropped(struct taken *t)
{
	struct nmibt_log_gap gap = {
		.after_seq = t->line->seq,
		.before_seq = t->line->seq + 1,
		.nr = t->p.nr_dropped,
	};

	t->b->nr_gaps++;
	t->b->nr_lost += t->p.nr_dropped;
	nmibt_log_add_gap(t->log, &gap);
}
