// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Opens every source once, and records what each has.
 */
#include <inttypes.h>
#include <stddef.h>

#include "report/report.h"

const char *nmibt_found_name(enum nmibt_found found)
{
	static const char *const names[] = {
		[NMIBT_FOUND_UNTRIED] = "not tried",
		[NMIBT_FOUND_ABSENT] = "absent",
		[NMIBT_FOUND_EMPTY] = "empty",
		[NMIBT_FOUND_UNREADABLE] = "unreadable",
		[NMIBT_FOUND] = "found",
	};
	return names[found];
}

static void set_state(struct nmibt_source_state *state, enum nmibt_found found, const char *why)
{
	state->found = found;
	*state->why = '\0';
	nmibt_add_reason(state->why, "%s", why);
}

/* NOTHING means that the source is absent, any other error that it is there and can't be read, so
 * that something is lost. */
static void set_failure(struct nmibt_report *report, enum nmibt_source source,
			const struct nmibt_error *err)
{
	bool is_absent = err->code == NMIBT_ERR_NOTHING;

	set_state(&report->sources->states[source],
		  is_absent ? NMIBT_FOUND_ABSENT : NMIBT_FOUND_UNREADABLE, err->message);
	report->complete &= is_absent;
}

/* The source is there, but what it has can't be used. */
static void lose(struct nmibt_report *report, struct nmibt_source_state *state)
{
	state->found = NMIBT_FOUND_UNREADABLE;
	report->complete = false;
}

/* --------------------------------------------------------------------- the capture */

/* It is an error only if no other source may be used. */
static struct nmibt_error *find_capture(struct nmibt_report *report)
{
	struct nmibt_sources *sources = report->sources;
	struct nmibt_capture *c = &sources->capture;

	if (report->only > NMIBT_SOURCE_SCAN)
		return NULL;
	struct nmibt_error *err = nmibt_locate(report->kernel, report->only, c);
	sources->has_capture = !err;
	for (enum nmibt_source s = NMIBT_SOURCE_VMCOREINFO; s <= NMIBT_SOURCE_SCAN; s++) {
		memcpy(sources->states[s].why, c->why[s], sizeof(c->why[s]));
		sources->states[s].found = !err && c->source == s ? NMIBT_FOUND
					   : c->unusable[s]	  ? NMIBT_FOUND_UNREADABLE
					   : *c->why[s]		  ? NMIBT_FOUND_ABSENT
								  : NMIBT_FOUND_UNTRIED;
	}
	if (!err) {
		nmibt_mend_capture(report->kernel->image, c);
		nmibt_check_times(report->kernel->image, c);
		if (*c->damage || c->slots_unread)
			report->complete = false;
		return NULL;
	}
	if (report->only != NMIBT_SOURCE_AUTO ||
	    (err->code != NMIBT_ERR_NOTHING && err->code != NMIBT_ERR_DAMAGED))
		return err;
	report->complete &= err->code == NMIBT_ERR_NOTHING;
	nmibt_error_destroy(err);
	return NULL;
}

/* ------------------------------------------------------------------------- the log */

static void describe_missing(const struct nmibt_report *report, const struct nmibt_log_missing *m,
			     struct nmibt_source_state *state)
{
	const char *least = m->may_be_more ? "at least " : "";
	uint64_t unreadable = m->unreadable + m->damaged + m->lost;

	if (m->excluded)
		nmibt_add_reason(state->why, "%s%" PRIu64 " record%s not in the %s", least,
				 m->excluded, nmibt_plural(m->excluded),
				 nmibt_image_name(report->kernel->image));
	if (unreadable)
		nmibt_add_reason(state->why, "%s%" PRIu64 " record%s can't be read", least,
				 unreadable, nmibt_plural(unreadable));
	if (m->unfinished)
		nmibt_add_reason(state->why, "%" PRIu64 " record%s not finished", m->unfinished,
				 m->unfinished == 1 ? " was" : "s were");
}

static void describe_log(const struct nmibt_report *report, struct nmibt_source_state *state)
{
	const struct nmibt_log_source *log = report->sources->log;
	const struct nmibt_log_missing *m = &log->missing;
	char text[NMIBT_WHY_LEN];

	snprintf(text, sizeof(text), "%zu backtrace%s in %" PRIu64 " record%s", log->nr_traces,
		 nmibt_plural(log->nr_traces), log->nr_records, nmibt_plural(log->nr_records));
	set_state(state, log->nr_traces || log->nr_printouts ? NMIBT_FOUND : NMIBT_FOUND_EMPTY,
		  text);
	if (log->is_wrapped)
		nmibt_add_reason(state->why, "%s",
				 report->kernel->image->ops->visit_log
					 ? "older ones are not in the text"
					 : "older records were overwritten");
	describe_missing(report, m, state);
	if (log->nr_cut)
		nmibt_add_reason(state->why, "%" PRIu64 " record%s can't be read to the end",
				 log->nr_cut, nmibt_plural(log->nr_cut));
	if (log->nr_dropped)
		nmibt_add_reason(state->why,
				 "%" PRIu64 " older messages of the kernel are more than is kept",
				 log->nr_dropped);
	nmibt_describe_mended(log, state->why);
	/* No record at all could be read. */
	if (!log->nr_records && m->excluded + m->unreadable)
		state->found = NMIBT_FOUND_UNREADABLE;
}

static struct nmibt_error *read_log(struct nmibt_report *report)
{
	struct nmibt_sources *sources = report->sources;
	struct nmibt_source_state *state = &sources->states[NMIBT_SOURCE_LOG];
	struct nmibt_error *err = nmibt_log_source_open(report->kernel, &sources->log);

	if (err && (err->code == NMIBT_ERR_NOMEM || err->code == NMIBT_ERR_INTERRUPTED))
		return err;
	if (err) {
		set_failure(report, NMIBT_SOURCE_LOG, err);
		nmibt_error_destroy(err);
		return NULL;
	}
	describe_log(report, state);
	const struct nmibt_log_missing *m = &sources->log->missing;
	if (m->excluded || m->unreadable || m->damaged || m->lost || sources->log->nr_cut ||
	    sources->log->nr_dropped) {
		state->is_lossy = true;
		report->complete = false;
	}
	return NULL;
}

/* -------------------------------------------------------------------- crash notes */

/* Counts the CPUs with each state of the crash note. */
static void count_notes(struct nmibt_report *report, unsigned int counts[NMIBT_NR_NOTES])
{
	const struct nmibt_percpu *percpu = report->sources->percpu;

	for (unsigned int cpu = 0; cpu < percpu->nr; cpu++) {
		struct nmibt_regs regs;
		int pid;

		if (percpu->possible[cpu])
			counts[nmibt_percpu_read_note(report->kernel, cpu, &regs, &pid)]++;
	}
}

static void describe_notes(struct nmibt_report *report, struct nmibt_source_state *state)
{
	unsigned int counts[NMIBT_NR_NOTES] = {0};

	count_notes(report, counts);
	unsigned int present = counts[NMIBT_NOTE_PRESENT], empty = counts[NMIBT_NOTE_NONE];
	unsigned int excluded = counts[NMIBT_NOTE_EXCLUDED], damaged = counts[NMIBT_NOTE_DAMAGED];

	report->was_stopped |= present > 0;
	*state->why = '\0';
	state->found = present		     ? NMIBT_FOUND
		       : excluded || damaged ? NMIBT_FOUND_UNREADABLE
		       : empty		     ? NMIBT_FOUND_EMPTY
					     : NMIBT_FOUND_ABSENT;
	if (present)
		nmibt_add_reason(state->why, "crash notes of %u CPU%s", present,
				 nmibt_plural(present));
	if (empty)
		nmibt_add_reason(state->why, "%u empty crash note%s%s", empty, nmibt_plural(empty),
				 report->was_stopped ? "" : ": there was no kdump");
	if (excluded)
		nmibt_add_reason(state->why, "%u crash note%s not in the %s", excluded,
				 nmibt_plural(excluded), nmibt_image_name(report->kernel->image));
	if (damaged)
		nmibt_add_reason(state->why, "%u crash note%s that can't be read", damaged,
				 nmibt_plural(damaged));
	if (state->found != NMIBT_FOUND_ABSENT)
		return;
	nmibt_add_reason(state->why, "where the crash notes are is not known");
	if (report->was_stopped)
		lose(report, state);
}

/* True: some CPU has a crash note. The slots of a capture have the addresses of the notes. */
static bool has_stopped_cpu(struct nmibt_report *report)
{
	const struct nmibt_capture *c = &report->sources->capture;
	const struct nmibt_image *image = report->kernel->image;

	for (unsigned int cpu = 0; cpu < c->desc.nr_slots; cpu++) {
		struct nmi_capture_slot slot;
		struct nmibt_regs regs;
		int pid;

		if (c->slots[cpu] && c->slots[cpu] != NMI_CAPTURE_NO_MEMORY &&
		    nmibt_read_phys(image, c->slots[cpu], &slot,
				    offsetof(struct nmi_capture_slot, regs)) == NMIBT_READ_OK &&
		    nmibt_read_note(image, slot.note_paddr, slot.note_size, &regs, &pid) ==
			    NMIBT_NOTE_PRESENT)
			return true;
	}
	return false;
}

/* ------------------------------------------------------------------- virtual CPUs */

/* The dump's notes are those of virtual CPUs only if the kernel did not go to kdump. */
static void find_vcpus(struct nmibt_report *report)
{
	struct nmibt_source_state *state = &report->sources->states[NMIBT_SOURCE_VCPU];

	if (report->was_stopped || report->kernel->capture) {
		set_state(state, NMIBT_FOUND_ABSENT, "there was a kdump");
		return;
	}
	report->sources->vcpus = nmibt_kernel_vcpus(report->kernel);
	if (!report->sources->vcpus) {
		set_failure(report, NMIBT_SOURCE_VCPU,
			    nmibt_kernel_failure(report->kernel, NMIBT_PART_VCPUS));
		return;
	}
	unsigned int nr = report->sources->vcpus->nr;
	set_state(state, NMIBT_FOUND, "");
	nmibt_add_reason(state->why, "registers of %u virtual CPU%s", nr, nmibt_plural(nr));
}

/* -------------------------------------------------------------------- NMI buffers */

static unsigned int count_texts(struct nmibt_report *report, unsigned int *ret_unread)
{
	unsigned int count = 0;

	*ret_unread = 0;
	for (unsigned int cpu = 0; cpu < report->sources->percpu->nr; cpu++) {
		struct nmibt_nmi_buffer_area area;
		struct nmibt_error *err =
			nmibt_nmi_buffer_read(report->kernel, cpu, NMIBT_BUFFER_NMI, &area);

		if (err) {
			nmibt_error_destroy(err);
			continue;
		}
		count += area.text > 0;
		*ret_unread += area.status != NMIBT_READ_OK;
		nmibt_nmi_buffer_area_destroy(&area);
	}
	return count;
}

static void describe_buffers(struct nmibt_report *report, struct nmibt_source_state *state)
{
	const struct nmibt_nmi_buffers *buffers = nmibt_kernel_nmi_buffers(report->kernel);
	const char *name = nmibt_nmi_buffer_name(NMIBT_BUFFER_NMI);
	unsigned int unread, count = count_texts(report, &unread);
	uint32_t lost;

	*state->why = '\0';
	state->found = count ? NMIBT_FOUND : unread ? NMIBT_FOUND_UNREADABLE : NMIBT_FOUND_EMPTY;
	if (count)
		nmibt_add_reason(state->why, "text of %u CPU%s in %s (%s)", count,
				 nmibt_plural(count), name, nmibt_nmi_buffers_type(buffers));
	else
		nmibt_add_reason(state->why, "%s is flushed, -o shows what is left in it", name);
	if (unread)
		nmibt_add_reason(state->why, "it can't be read for %u CPU%s", unread,
				 nmibt_plural(unread));
	if (nmibt_nmi_buffers_all_lost(buffers, &lost) && lost)
		nmibt_add_reason(state->why, "%" PRIu32 " message%s lost", lost,
				 nmibt_plural(lost));
}

/* ------------------------------------------------------------------------ together */

static void find_percpu(struct nmibt_report *report)
{
	struct nmibt_sources *sources = report->sources;
	struct nmibt_source_state *buffers = &sources->states[NMIBT_SOURCE_NMI_BUFFERS];
	struct nmibt_source_state *registers = &sources->states[NMIBT_SOURCE_REGISTERS];

	sources->percpu = nmibt_kernel_percpu(report->kernel);
	if (!sources->percpu) {
		const struct nmibt_error *err =
			nmibt_kernel_failure(report->kernel, NMIBT_PART_PERCPU);

		set_failure(report, NMIBT_SOURCE_NMI_BUFFERS, err);
		set_failure(report, NMIBT_SOURCE_REGISTERS, err);
		/* The CPUs that were stopped did save their registers. */
		if (report->was_stopped)
			lose(report, registers);
		return;
	}
	describe_notes(report, registers);
	sources->has_buffers = nmibt_kernel_nmi_buffers(report->kernel);
	if (sources->has_buffers)
		describe_buffers(report, buffers);
	else
		set_failure(report, NMIBT_SOURCE_NMI_BUFFERS,
			    nmibt_kernel_failure(report->kernel, NMIBT_PART_NMI_BUFFERS));
}

/* How many records a boot may have before its banner: arm64 prints the CPU's ID first
 * (arch/arm64/kernel/setup.c: smp_setup_processor_id(), 6.12). */
#define MAX_BEFORE_BANNER 4

/* True: the log is that of a capture kernel from its first record on. If another boot comes before
 * the capture kernel's, the log is about that one. */
static bool is_of_capture_kernel(const struct nmibt_log_source *log)
{
	for (size_t i = 0; i < log->nr_events; i++) {
		const struct nmibt_log_event *event = &log->events[i];

		if (event->kind == NMIBT_PRINT_BANNER &&
		    event->seq - log->first_seq >= MAX_BEFORE_BANNER)
			return false;
		if (event->kind == NMIBT_PRINT_COMMAND_LINE)
			return event->is_capture_kernel;
	}
	return false;
}

/* A printed log is all that there is. */
static void lack_memory(struct nmibt_report *report)
{
	for (enum nmibt_source s = NMIBT_SOURCE_VMCOREINFO; s < NMIBT_NR_SOURCES; s++) {
		if (s != NMIBT_SOURCE_LOG)
			set_state(&report->sources->states[s], NMIBT_FOUND_ABSENT,
				  "a text has no memory");
	}
}

struct nmibt_error *nmibt_open_sources(struct nmibt_report *report)
{
	struct nmibt_sources *sources = report->sources;

	struct nmibt_error *err = read_log(report);
	if (err)
		return err;
	report->is_capture_kernel =
		report->kernel->is_capture || (sources->log && is_of_capture_kernel(sources->log));
	if (report->is_capture_kernel) {
		report->complete = false;
		return NULL;
	}
	if (report->kernel->image->ops->visit_log) {
		lack_memory(report);
		return NULL;
	}
	/* CRASHTIME is written only on the way to kdump (kernel/crash_core.c: __crash_kexec(),
	 * 6.12). */
	report->was_stopped = report->kernel->vmcoreinfo.crashtime.known;
	err = find_capture(report);
	if (err)
		return err;
	if (!sources->has_capture)
		find_percpu(report);
	else if (!report->was_stopped)
		report->was_stopped = has_stopped_cpu(report);
	find_vcpus(report);
	return NULL;
}

void nmibt_close_sources(struct nmibt_report *report)
{
	struct nmibt_sources *sources = report->sources;

	if (!sources)
		return;
	nmibt_capture_destroy(&sources->capture);
	nmibt_log_source_close(sources->log);
	nmibt_unwinder_close(sources->follower.unwinder);
	free(sources);
}

struct nmibt_error *nmibt_follow_registers(const struct nmibt_report *report,
					   struct nmibt_evidence *evidence)
{
	return nmibt_unwind_evidence(&report->sources->follower, report->kernel, evidence);
}

struct nmibt_error *nmibt_unwind_stop(const struct nmibt_report *report, struct nmibt_cpu *cpu)
{
	return nmibt_unwind_registers_of_stop(&report->sources->follower, report->kernel,
					      &cpu->stop);
}

/* ---------------------------------------------------------- what may be used of them */

bool nmibt_may_use(const struct nmibt_report *report, enum nmibt_source source)
{
	return report->only == NMIBT_SOURCE_AUTO || report->only == source;
}

bool nmibt_may_use_buffers(const struct nmibt_report *report)
{
	return report->sources->has_buffers && nmibt_may_use(report, NMIBT_SOURCE_NMI_BUFFERS);
}

size_t nmibt_newest_trace(const struct nmibt_report *report, unsigned int cpu)
{
	const struct nmibt_log_source *log = report->sources->log;

	return log && nmibt_may_use(report, NMIBT_SOURCE_LOG) && cpu < NMIBT_MAX_CPUS
		       ? log->newest[cpu]
		       : 0;
}

/* ------------------------------------------------------------- the CPUs they know of */

static bool is_mentioned(const struct nmibt_log_source *log, unsigned int cpu)
{
	if (log->newest[cpu])
		return true;
	for (size_t i = 0; i < log->nr_requests; i++) {
		if (log->requests[i].by_cpu == cpu || nmibt_cpus_has(&log->requests[i].asked, cpu))
			return true;
	}
	for (size_t i = 0; i < log->nr_printouts; i++) {
		if (log->printouts[i].reporter == cpu ||
		    nmibt_cpus_has(&log->printouts[i].cpus, cpu))
			return true;
	}
	return false;
}

bool nmibt_sources_know_cpu(const struct nmibt_sources *sources, unsigned int cpu)
{
	if (sources->percpu)
		return cpu < sources->percpu->nr && sources->percpu->possible[cpu];
	if (sources->vcpus && cpu < sources->vcpus->nr)
		return true;
	return sources->log && cpu < NMIBT_MAX_CPUS && is_mentioned(sources->log, cpu);
}

static unsigned int max_cpu(unsigned int nr, uint32_t cpu)
{
	return cpu != NMIBT_NO_CPU && cpu < NMIBT_MAX_CPUS && cpu >= nr ? cpu + 1 : nr;
}

static unsigned int max_of(unsigned int nr, const struct nmibt_cpus *cpus)
{
	return cpus->nr ? max_cpu(nr, cpus->ranges[cpus->nr - 1].last) : nr;
}

unsigned int nmibt_sources_nr_cpus(const struct nmibt_sources *sources)
{
	const struct nmibt_log_source *log = sources->log;
	unsigned int nr = 0;

	if (sources->has_capture)
		return sources->capture.desc.nr_slots;
	if (sources->percpu)
		return sources->percpu->nr;
	if (sources->vcpus)
		nr = sources->vcpus->nr;
	if (!log)
		return nr;
	for (unsigned int cpu = NMIBT_MAX_CPUS; cpu > nr; cpu--) {
		if (log->newest[cpu - 1])
			nr = cpu;
	}
	for (size_t i = 0; i < log->nr_requests; i++)
		nr = max_of(max_cpu(nr, log->requests[i].by_cpu), &log->requests[i].asked);
	for (size_t i = 0; i < log->nr_printouts; i++)
		nr = max_of(max_cpu(nr, log->printouts[i].reporter), &log->printouts[i].cpus);
	return nr;
}

/* --------------------------------------------------------------------------- why not */

bool nmibt_is_source_tried(const struct nmibt_report *report, enum nmibt_source s)
{
	return report->sources->states[s].found != NMIBT_FOUND_UNTRIED && nmibt_may_use(report, s);
}

/* True: an earlier source has the same reason. Two sources need per-CPU data, for instance. */
static bool is_said(const struct nmibt_report *report, enum nmibt_source s)
{
	for (enum nmibt_source before = NMIBT_SOURCE_VMCOREINFO; before < s; before++) {
		if (nmibt_is_source_tried(report, before) &&
		    !strcmp(report->sources->states[before].why, report->sources->states[s].why))
			return true;
	}
	return false;
}

static void write_reasons(const struct nmibt_report *report, FILE *out)
{
	for (enum nmibt_source s = NMIBT_SOURCE_VMCOREINFO; s < NMIBT_NR_SOURCES; s++) {
		const char *why = report->sources->states[s].why;

		if (!nmibt_is_source_tried(report, s) || is_said(report, s))
			continue;
		fprintf(out, "%s%s", ftell(out) ? "; " : "", nmibt_source_name(s));
		for (enum nmibt_source same = s + 1; same < NMIBT_NR_SOURCES; same++) {
			if (nmibt_is_source_tried(report, same) &&
			    !strcmp(report->sources->states[same].why, why))
				fprintf(out, ", %s", nmibt_source_name(same));
		}
		fprintf(out, ": %s", why);
	}
}

struct nmibt_error *nmibt_nothing_error(const struct nmibt_report *report)
{
	bool damaged = !report->complete;
	_cleanup_free_ char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return nmibt_error_nomem();
	write_reasons(report, out);
	if (fclose(out))
		return nmibt_error_nomem();
	for (enum nmibt_source s = NMIBT_SOURCE_VMCOREINFO; s < NMIBT_NR_SOURCES; s++) {
		if (nmibt_is_source_tried(report, s))
			damaged |= report->sources->states[s].found == NMIBT_FOUND_UNREADABLE;
	}
	return nmibt_error_create(damaged ? NMIBT_ERR_DAMAGED : NMIBT_ERR_NOTHING,
				  "nothing %s in this %s: %s", damaged ? "usable" : "captured",
				  nmibt_image_name(report->kernel->image), text);
}
