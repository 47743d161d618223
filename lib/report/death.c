// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The death of the kernel: what shows it, which CPU reported it, which CPUs and tasks it is about,
 * and which printed reports belong to it.
 */
#include "report/report.h"

/*
 * The words in the message of a panic that came from a report of each kind. kernel/watchdog.c,
 * kernel/rcu/tree_stall.h, kernel/hung_task.c, kernel/exit.c, kernel/panic.c:
 * check_panic_on_warn(), arch/x86/kernel/dumpstack.c, arch/arm64/kernel/traps.c; 6.1, 6.12.
 */
static const struct {
	enum nmibt_print kind;
	const char *words;
} panics[] = {
	{NMIBT_PRINT_SOFT_LOCKUP, "softlockup: hung tasks"},
	{NMIBT_PRINT_HARD_LOCKUP, "Hard LOCKUP"},
	{NMIBT_PRINT_STALL, "RCU Stall"},
	{NMIBT_PRINT_SELF_STALL, "RCU Stall"},
	{NMIBT_PRINT_HUNG_TASK, "hung_task: "},
	{NMIBT_PRINT_CSD_LOCKUP, "csd_lock: CSD lock on CPU#"},
	{NMIBT_PRINT_OOPS, "Fatal exception"},
	{NMIBT_PRINT_OOPS, "Attempted to kill "}, /* init, or the idle task */
	{NMIBT_PRINT_OOPS, "Aiee, killing interrupt handler!"},
	{NMIBT_PRINT_OOPS, "Oops"}, /* "Oopsed too often", too */
	{NMIBT_PRINT_WARNING, "panic_on_warn set"},
	{NMIBT_PRINT_WARNING, "system warned too often"},
};

static bool fits(const struct nmibt_printout *report, const char *message)
{
	for (size_t i = 0; i < ARRAY_SIZE(panics); i++) {
		if (panics[i].kind == report->kind && strstr(message, panics[i].words))
			return true;
	}
	return false;
}

/* Where nobody knows callers: so shortly before the panic another CPU's report may be its cause, as well. */
#define RIVALS_NS UINT64_C(1000000000)

static uint32_t cpu_of(const struct nmibt_printout *p)
{
	return p->reporter == NMIBT_NO_CPU && p->cpus.nr ? p->cpus.ranges->first : p->reporter;
}

/* True: the CPU that panicked is not known, and before the cause, a lockup or a stall, another CPU printed the same. Oopses come one
 * after the other, under a lock, and end right before the panic (arch/x86/kernel/dumpstack.c: oops_begin(), oops_end(), 6.12). */
static bool has_rival(const struct nmibt_report *report, size_t cause)
{
	const struct nmibt_printout *all = report->sources->log->printouts;
	uint64_t panic_ns = all[report->death.printout - 1].begun_ns;
	enum nmibt_print kind = all[cause - 1].kind;
	uint32_t cpu = cpu_of(&all[cause - 1]);

	if (report->death.reporter != NMIBT_NO_CPU || !nmibt_is_condition(kind))
		return false;
	for (size_t i = cause - 1; i > 0 && all[i - 1].ended_ns + RIVALS_NS >= panic_ns; i--) {
		uint32_t other = cpu_of(&all[i - 1]);

		if (all[i - 1].kind == kind && other != NMIBT_NO_CPU && other != cpu)
			return true;
	}
	return false;
}

/* Finds the report that the panic in the log came from: it has the same caller, or, where nobody knows callers, the
 * same CPU, and a fitting kind, and that caller printed no other report in between, however long printing
 * took. Index + 1; 0: none. */
static size_t find_cause(const struct nmibt_report *report)
{
	const struct nmibt_log_source *log = report->sources->log;
	size_t panic = report->death.printout;
	const struct nmibt_printout *p = &log->printouts[panic - 1];
	bool is_nobody = p->caller_id == NMIBT_NO_CALLER;

	for (size_t i = panic - 1; i > 0; i--) {
		const struct nmibt_printout *before = &log->printouts[i - 1];

		if (before->caller_id != p->caller_id ||
		    (is_nobody && p->reporter != NMIBT_NO_CPU && before->reporter != NMIBT_NO_CPU &&
		     before->reporter != p->reporter))
			continue;
		return fits(before, report->death.message) &&
				       !nmibt_was_suspended(report, before->first_seq,
							    p->first_seq) &&
				       !(is_nobody && has_rival(report, i))
			       ? i
			       : 0;
	}
	return 0;
}

/* If records behind its newest report are lost, a watchdog panicked for that report only if it
 * had ended so shortly before: there may be a newer one. */
#define PANIC_DELAY_NS UINT64_C(10000000000)

/* True: this report was there when the capture was asked, as far as the clock tells. */
static bool is_before_request(const struct nmibt_death *death, const struct nmibt_printout *p)
{
	return !death->has_request_ns || p->begun_ns <= death->request_ns + NMIBT_CLOCK_SKEW_NS;
}

/* Finds the same where the log does not have the panic, but the capture has its message: the
 * newest report of the reporter. Index + 1; 0: none. */
static size_t find_cause_of_captured(const struct nmibt_report *report)
{
	const struct nmibt_log_source *log = report->sources->log;
	const struct nmibt_death *death = &report->death;

	for (size_t i = log->nr_printouts; i > 0; i--) {
		const struct nmibt_printout *p = &log->printouts[i - 1];
		bool is_recent =
			death->has_request_ns && p->ended_ns + PANIC_DELAY_NS >= death->request_ns;

		if (!nmibt_is_of_boot(report, p->first_seq) ||
		    (p->reporter != NMIBT_NO_CPU && death->reporter != NMIBT_NO_CPU &&
		     p->reporter != death->reporter))
			continue;
		return fits(p, death->message) && is_before_request(death, p) &&
				       !nmibt_was_suspended(report, p->first_seq, UINT64_MAX) &&
				       (is_recent || !nmibt_has_gap_behind(log, p->last_seq))
			       ? i
			       : 0;
	}
	return 0;
}

/* --------------------------------------------------------------- what shows the death */

/* Finds the boot that died, as record numbers [*ret_from, *ret_to). The log may also have records
 * of an earlier kernel or of the capture kernel. */
static void find_boot(const struct nmibt_log_source *log, uint64_t *ret_from, uint64_t *ret_to)
{
	uint64_t before = 0, banner = 0;

	for (size_t i = 0; i < log->nr_events; i++) {
		const struct nmibt_log_event *event = &log->events[i];

		if (event->kind == NMIBT_PRINT_BANNER) {
			before = banner;
			banner = event->seq;
		}
		if (event->kind != NMIBT_PRINT_COMMAND_LINE || !event->is_capture_kernel || !banner)
			continue;
		/* The boot that died is the last one before the capture kernel's. */
		*ret_from = before;
		*ret_to = banner;
		return;
	}
	*ret_from = banner;
	*ret_to = UINT64_MAX;
}

bool nmibt_is_of_boot(const struct nmibt_report *report, uint64_t seq)
{
	return seq >= report->boot_from && seq < report->boot_to;
}

static struct nmibt_error *copy(const char *text, char **ret)
{
	*ret = strdup(text);
	return *ret ? NULL : nmibt_error_nomem();
}

/* Finds the first panic of that boot. Later ones are part of the same death. */
static struct nmibt_error *find_panic(const struct nmibt_report *report, struct nmibt_death *death)
{
	const struct nmibt_log_source *log = report->sources->log;

	for (size_t i = 0; i < log->nr_printouts; i++) {
		const struct nmibt_printout *p = &log->printouts[i];

		if (p->kind != NMIBT_PRINT_PANIC || p->first_seq < report->boot_from)
			continue;
		if (p->first_seq >= report->boot_to)
			return copy(p->message, &death->dump_failed);
		if (!death->printout)
			death->printout = i + 1;
	}
	return NULL;
}

static struct nmibt_error *find_own_failure(const struct nmibt_log_source *log,
					    struct nmibt_death *death)
{
	for (size_t i = 0; i < log->nr_printouts; i++) {
		if (log->printouts[i].kind == NMIBT_PRINT_PANIC)
			return copy(log->printouts[i].message, &death->dump_failed);
	}
	return NULL;
}

/* The capture kernel was running when the image was made: its log says whether it panicked, too. */
static struct nmibt_error *find_failure(struct nmibt_kernel *capture, struct nmibt_death *death)
{
	struct nmibt_log_source *log;

	struct nmibt_error *err = nmibt_log_source_open(capture, &log);
	if (err) {
		if (err->code == NMIBT_ERR_NOMEM || err->code == NMIBT_ERR_INTERRUPTED)
			return err;
		nmibt_error_destroy(err);
		return NULL;
	}
	err = find_own_failure(log, death);
	nmibt_log_source_close(log);
	return err;
}

/* die() may go to kdump without calling panic() (kernel/kexec_core.c: crash_kexec() by
 * arch/x86/kernel/dumpstack.c: oops_end(), 6.12). Finds the oops of the CPU that did so. Index + 1;
 * 0: none. */
static size_t find_fatal_oops(const struct nmibt_report *report, uint32_t reporter)
{
	const struct nmibt_log_source *log = report->sources->log;

	for (size_t i = log->nr_printouts; i > 0; i--) {
		const struct nmibt_printout *p = &log->printouts[i - 1];

		/* The machine survived an oops that ended. */
		if (p->kind == NMIBT_PRINT_OOPS && !p->has_ended &&
		    nmibt_is_of_boot(report, p->first_seq))
			return reporter == NMIBT_NO_CPU || p->reporter == NMIBT_NO_CPU ||
					       p->reporter == reporter
				       ? i
				       : 0;
	}
	return 0;
}

/* The last words of arm64, loongarch and riscv on the way to the crash kernel: machine_kexec() in each one's
 * kernel/machine_kexec.c, 6.12. */
static bool says_kdump(const struct nmibt_report *report)
{
	const struct nmibt_log_source *log = report->sources->log;

	for (size_t i = log ? log->nr_events : 0; i > 0; i--) {
		const struct nmibt_log_event *event = &log->events[i - 1];

		if (event->kind == NMIBT_PRINT_KDUMP && event->message &&
		    !strncmp(event->message, "Starting crashdump kernel", 25))
			return nmibt_is_of_boot(report, event->seq);
	}
	return false;
}

static void date(const struct nmibt_log_source *log, struct nmibt_death *death)
{
	size_t first = death->printout ? death->printout : death->cause;

	/* Where only the capture has the panic, its first record is not in the log. */
	if (!first || (death->is_message_captured && !death->printout))
		return;
	death->has_seq = true;
	death->seq = log->printouts[first - 1].first_seq;
	death->ns = log->printouts[first - 1].begun_ns;
	if (!death->message)
		death->message = log->printouts[first - 1].message;
}

/* ------------------------------------------------------------- reporter, subjects */

static void add_subject(struct nmibt_report *report, uint32_t cpu)
{
	struct nmibt_death *death = &report->death;

	if (cpu >= report->nr_cpus || death->subjects[cpu])
		return;
	death->subjects[cpu] = true;
	death->nr_subjects++;
}

static struct nmibt_error *add_task(struct nmibt_death *death, const struct nmibt_task *task)
{
	struct nmibt_task *tasks = nmibt_make_room(death->tasks, death->nr_tasks, sizeof(*tasks));

	if (!tasks)
		return nmibt_error_nomem();
	death->tasks = tasks;
	tasks[death->nr_tasks++] = *task;
	return NULL;
}

/* Between two passes over all tasks khungtaskd sleeps for a second or more. */
#define PASS_GAP_NS UINT64_C(1000000000)

/* The index of the first report of khungtaskd's pass that has report last as its last one. */
static size_t find_pass(const struct nmibt_log_source *log, size_t last)
{
	const struct nmibt_printout *next = &log->printouts[last];
	size_t first = last;

	for (size_t i = last; i > 0; i--) {
		const struct nmibt_printout *p = &log->printouts[i - 1];

		if (p->caller_id != next->caller_id)
			continue;
		if (p->kind != NMIBT_PRINT_HUNG_TASK || next->begun_ns >= p->ended_ns + PASS_GAP_NS)
			break;
		first = i - 1;
		next = p;
	}
	return first;
}

/* khungtaskd reports all tasks that it finds blocked in one pass, and panics after that:
 * kernel/hung_task.c: check_hung_uninterruptible_tasks(), 6.12. */
static struct nmibt_error *add_hung_tasks(struct nmibt_report *report)
{
	const struct nmibt_log_source *log = report->sources->log;
	size_t last = report->death.cause - 1;
	struct nmibt_error *err = NULL;

	for (size_t i = find_pass(log, last); i <= last && !err; i++) {
		const struct nmibt_printout *p = &log->printouts[i];

		if (p->kind == NMIBT_PRINT_HUNG_TASK && p->task.known &&
		    p->caller_id == log->printouts[last].caller_id)
			err = add_task(&report->death, &p->task);
	}
	return err;
}

/* kernel/rcu/tree_stall.h: print_other_cpu_stall(), 6.12, has the tasks beside the CPUs. */
static struct nmibt_error *add_stalled_tasks(struct nmibt_death *death,
					     const struct nmibt_printout *stall)
{
	struct nmibt_error *err = NULL;

	for (size_t i = 0; i < stall->nr_tasks && !err; i++)
		err = add_task(death, &stall->tasks[i]);
	return err;
}

static void add_subjects(struct nmibt_report *report, const struct nmibt_cpus *cpus)
{
	for (size_t i = 0; i < cpus->nr; i++) {
		for (unsigned int cpu = cpus->ranges[i].first; cpu <= cpus->ranges[i].last; cpu++)
			add_subject(report, cpu);
	}
}

/* What came from outside may end an oops of its CPU, as a slow console makes that last. It prints
 * as another caller, so that the log alone does not put the two together. */
static const struct nmibt_printout *find_interrupted_oops(struct nmibt_report *report)
{
	struct nmibt_death *death = &report->death;
	size_t oops = report->sources->log ? find_fatal_oops(report, death->reporter) : 0;
	const struct nmibt_printout *p = oops ? &report->sources->log->printouts[oops - 1] : NULL;

	if (!p || p->reporter == NMIBT_NO_CPU || p->reporter != death->reporter)
		return NULL;
	death->cause = oops;
	return p;
}

/* A watchdog's panic is about the CPUs and tasks that it names. An oops, a BUG, sysrq-c and other
 * calls of panic() are about the CPU that reports them. */
struct nmibt_error *nmibt_find_subjects(struct nmibt_report *report)
{
	struct nmibt_death *death = &report->death;
	const struct nmibt_printout *cause =
		death->cause ? &report->sources->log->printouts[death->cause - 1] : NULL;

	death->subjects = calloc(report->nr_cpus + 1, sizeof(*death->subjects));
	if (!death->subjects)
		return nmibt_error_nomem();
	if (!death->is_known)
		return NULL;
	const char *from_outside =
		cause ? NULL : nmibt_from_outside(nmibt_panic_words(death->message));
	if (from_outside) {
		cause = find_interrupted_oops(report);
		death->from_outside = cause ? NULL : from_outside;
	}
	if (death->from_outside)
		return NULL;
	if (!cause || !nmibt_is_condition(cause->kind)) {
		death->is_reporter_subject = true;
		add_subject(report, cause && cause->reporter != NMIBT_NO_CPU ? cause->reporter
									     : death->reporter);
		return NULL;
	}
	add_subjects(report, &cause->cpus);
	death->is_reporter_subject =
		death->reporter < report->nr_cpus && death->subjects[death->reporter];
	return cause->kind == NMIBT_PRINT_HUNG_TASK ? add_hung_tasks(report)
						    : add_stalled_tasks(death, cause);
}

/* Finds the CPU that is in panic() by its registers, where no other evidence names the reporter. */
static struct nmibt_error *find_panicking(struct nmibt_report *report)
{
	struct nmibt_death *death = &report->death;
	const struct nmibt_percpu *percpu = report->sources->percpu;
	struct nmibt_error *err = NULL;

	if (report->sources->has_capture || (percpu && percpu->has_not_panicked))
		return NULL;
	for (unsigned int i = 0; i < report->nr_cpus && death->reporter == NMIBT_NO_CPU; i++) {
		struct nmibt_cpu cpu = {.cpu = i};

		err = nmibt_read_stop(report, &cpu);
		if (!err)
			err = nmibt_unwind_stop(report, &cpu);
		if (!err && nmibt_is_in_panic(&cpu.stop.stack)) {
			death->by_registers = true;
			death->reporter = i;
		}
		nmibt_cpu_destroy(&cpu);
		if (err)
			return err;
	}
	return NULL;
}

static const struct nmibt_printout *printed_panic(const struct nmibt_report *report)
{
	size_t panic = report->death.printout;

	return panic ? &report->sources->log->printouts[panic - 1] : NULL;
}

/* The CPU that printed the panic; NMIBT_NO_CPU: not known. */
static uint32_t printed_by(const struct nmibt_report *report)
{
	const struct nmibt_printout *panic = printed_panic(report);

	return panic ? panic->reporter : NMIBT_NO_CPU;
}

/* True: another CPU than *ret_cpu, which died, asked for the capture. It did so for an oops whose dump
 * was not taken (kernel/nmi_backtrace_capture.c of the series: nmi_capture_returned()), as one CPU at
 * a time can panic: the one that panics prints that, or the kernel's panic_cpu has it. */
static bool is_of_another_cpu(const struct nmibt_report *report, uint32_t *ret_cpu)
{
	const struct nmi_capture_desc *desc = &report->sources->capture.desc;
	const struct nmibt_percpu *percpu = report->sources->percpu;
	const struct nmibt_death *death = &report->death;
	bool is_same_message = death->captured && !death->is_message_disputed;

	*ret_cpu = printed_by(report);
	/* A CPU that oopses prints no panic on its way to kdump. */
	if (*ret_cpu == NMIBT_NO_CPU && percpu && percpu->panic_cpu >= 0)
		*ret_cpu = percpu->panic_cpu;
	return death->by_capture && *ret_cpu != NMIBT_NO_CPU &&
	       desc->panic_cpu != NMI_CAPTURE_NO_CPU && *ret_cpu != desc->panic_cpu &&
	       *ret_cpu != desc->from_cpu && !is_same_message;
}

/* The CPU that called panic() may not be the one that goes on with it: kernel/panic.c:
 * panic_try_force_cpu(), 7.2. */
static void find_reporter(struct nmibt_report *report)
{
	const struct nmibt_sources *sources = report->sources;
	struct nmibt_death *death = &report->death;
	const struct nmibt_percpu *percpu = report->sources->percpu;
	uint32_t from = NMIBT_NO_CPU, on = NMIBT_NO_CPU;

	death->is_capture_anothers = is_of_another_cpu(report, &on);
	if (death->is_capture_anothers) {
		death->moved_to = NMIBT_NO_CPU;
		death->reporter = on;
		return;
	}
	on = NMIBT_NO_CPU;
	if (percpu && percpu->panic_cpu >= 0)
		on = percpu->panic_cpu;
	else if (death->by_capture)
		on = sources->capture.desc.panic_cpu;
	else
		on = printed_by(report);
	/* The descriptor and the kernel may speak of two panics. */
	if (percpu && percpu->redirected_from >= 0)
		from = percpu->redirected_from;
	else if (death->by_capture && on == sources->capture.desc.panic_cpu)
		from = sources->capture.desc.from_cpu;
	else if (printed_panic(report) && printed_panic(report)->is_moved)
		from = printed_panic(report)->moved_from;
	death->moved_to = from != NMIBT_NO_CPU && from != on ? on : NMIBT_NO_CPU;
	death->reporter = from != NMIBT_NO_CPU ? from : on;
}

/* Behind a request on the way to kdump the kernel only waits for answers, and stops the CPUs. */
#define KDUMP_DELAY_NS UINT64_C(10000000000)

/* For how much longer the log, which lacks the panic, goes on than the kernel lives behind such a
 * request; 0: it does not. It may be a CPU that was not stopped which prints; or the CPU's clock is
 * behind that of others; or the dump was not taken. */
static uint64_t outlived_by(const struct nmibt_report *report)
{
	const struct nmibt_log_source *log = report->sources->log;
	const struct nmi_capture_desc *desc = &report->sources->capture.desc;
	uint64_t limit = desc->timeout_ms * UINT64_C(1000000) + KDUMP_DELAY_NS;

	if (!log || !log->nr_records || report->death.printout || !report->was_stopped ||
	    !(desc->flags & NMI_CAPTURE_F_CRASH_KEXEC) || log->last_ns <= desc->asked_local_ns)
		return 0;
	uint64_t ns = log->last_ns - desc->asked_local_ns;
	return ns > limit ? ns : 0;
}

static void find_request(struct nmibt_report *report)
{
	struct nmibt_death *death = &report->death;
	uint64_t ns = report->sources->capture.desc.asked_local_ns;

	if (!death->by_capture || !ns)
		return;
	death->request_ns = ns;
	death->outlived_ns = death->is_capture_anothers ? 0 : outlived_by(report);
	/* Then nothing tells whether the kernel died at this time. */
	death->has_request_ns = !death->outlived_ns;
}

/* die() that goes on to panic(), because there was no dump, does so sooner. The kernel takes a
 * capture for old behind that: kernel/nmi_backtrace_capture.c of the series, CAPTURE_OLD_NS. */
#define OLD_CAPTURE_NS UINT64_C(10000000000)

/* A capture of an oops whose dump was not taken is older than the death. A CPU may die milliseconds
 * later, while the one that asked is on its way to panic(), or hours later. */
static void find_age_of_capture(struct nmibt_report *report)
{
	const struct nmi_capture_desc *desc = &report->sources->capture.desc;
	struct nmibt_death *death = &report->death;
	bool is_same_message = death->captured && !death->is_message_disputed;
	bool is_dated = death->has_seq && desc->asked_local_ns;

	bool is_long_ago = death->ns > death->request_ns + OLD_CAPTURE_NS;

	if (!death->by_capture)
		return;
	if (death->is_capture_anothers) {
		/* Clocks that contradict the order tell nothing. */
		is_dated &= death->ns + NMIBT_CLOCK_SKEW_NS >= death->request_ns;
		death->has_request_ns &= is_dated;
		death->is_capture_older = !is_dated || is_long_ago;
	} else if (is_dated && is_long_ago && desc->flags & NMI_CAPTURE_F_CRASH_KEXEC &&
		   !is_same_message) {
		death->is_capture_older = death->has_request_ns = true;
		death->outlived_ns = 0;
	}
}

bool nmibt_format_lead(const struct nmibt_report *report, char *buf, size_t len)
{
	const struct nmibt_death *death = &report->death;
	const char *what = death->printout ? "panic" : "death";
	char duration[32];

	*buf = '\0';
	if (!death->is_capture_anothers && !death->is_capture_older)
		return false;
	if (!death->has_seq || !death->has_request_ns) {
		snprintf(buf, len, "some time before the %s", what);
		return true;
	}
	/* By the clocks of two CPUs less is no time. */
	if (death->ns < death->request_ns + NMIBT_CLOCK_SKEW_NS) {
		snprintf(buf, len, "shortly before the %s", what);
		return true;
	}
	nmibt_format_duration(death->ns - death->request_ns, duration, sizeof(duration));
	snprintf(buf, len, "%s before the %s", duration, what);
	return true;
}

void nmibt_format_stale(const struct nmibt_report *report, char *buf, size_t len)
{
	uint32_t asked_by = report->sources->capture.desc.panic_cpu;
	char lead[64];

	if (!nmibt_format_lead(report, lead, sizeof(lead)))
		snprintf(buf, len, "answers an earlier request than the last one");
	else if (asked_by == NMI_CAPTURE_NO_CPU)
		snprintf(buf, len, "was written %s", lead);
	else
		snprintf(buf, len, "was written %s, as CPU %u asked", lead, asked_by);
}

/* Finds the report that the panic came from. */
static size_t find_any_cause(const struct nmibt_report *report)
{
	const struct nmibt_death *death = &report->death;

	if (death->printout)
		return find_cause(report);
	if (!report->sources->log)
		return 0;
	if (death->is_message_captured)
		return find_cause_of_captured(report);
	return death->by_kdump || death->by_capture ? find_fatal_oops(report, death->reporter) : 0;
}

struct nmibt_error *nmibt_find_death(struct nmibt_report *report)
{
	const struct nmibt_sources *sources = report->sources;
	const struct nmibt_percpu *percpu = report->sources->percpu;
	struct nmibt_death *death = &report->death;

	if (report->is_capture_kernel) {
		death->reporter = NMIBT_NO_CPU;
		return sources->log ? find_own_failure(sources->log, death) : NULL;
	}
	death->by_capture = sources->has_capture && sources->capture.desc.generation;
	death->by_panic_cpu = percpu && percpu->panic_cpu >= 0;
	if (sources->log)
		find_boot(sources->log, &report->boot_from, &report->boot_to);
	death->by_kdump = report->was_stopped || says_kdump(report);
	struct nmibt_error *err = sources->log ? find_panic(report, death) : NULL;
	if (!err && report->kernel->capture)
		err = find_failure(report->kernel->capture, death);
	if (err)
		return err;
	death->by_log = death->printout;
	death->by_pstore = sources->log && sources->log->is_of_panic;
	err = nmibt_find_message(report, death);
	if (err)
		return err;
	find_reporter(report);
	if (death->reporter == NMIBT_NO_CPU)
		err = find_panicking(report);
	if (err)
		return err;
	death->is_known = death->by_capture || death->by_panic_cpu || death->by_kdump ||
			  death->by_log || death->by_registers || death->by_pstore;
	if (!death->is_known)
		return NULL;
	find_request(report);
	death->cause = find_any_cause(report);
	if (death->cause && death->reporter == NMIBT_NO_CPU)
		death->reporter = sources->log->printouts[death->cause - 1].reporter;
	if (sources->log)
		date(sources->log, death);
	find_age_of_capture(report);
	/* A front end may know the message when the log does not have it. */
	if (!death->message)
		death->message = report->kernel->image->panic_message;
	return NULL;
}

const char *nmibt_lost_witness(const struct nmibt_report *report)
{
	const struct nmibt_sources *sources = report->sources;

	/* A capture is asked first of all. */
	if (sources->has_capture || (sources->percpu && sources->percpu->has_not_panicked))
		return NULL;
	if (!sources->log)
		return sources->states[NMIBT_SOURCE_LOG].found == NMIBT_FOUND_UNREADABLE
			       ? "the log can't be read"
			       : "the log was not found";
	const struct nmibt_log_missing *m = &sources->log->missing;
	if (m->excluded || m->unreadable || m->damaged || m->lost)
		return "records of the log are missing";
	if (report->kernel->image->ops->visit_log && sources->log->is_wrapped)
		return "older lines are not in the text";
	/* A CPU sets panic_cpu before it prints the panic (kernel/panic.c: panic(), 6.12). */
	return sources->percpu && sources->percpu->is_panic_cpu_lost ? "panic_cpu can't be read"
								     : NULL;
}

void nmibt_death_destroy(struct nmibt_death *death)
{
	free(death->subjects);
	free(death->tasks);
	free(death->dump_failed);
	free(death->captured);
}

/* ------------------------------------------------------------------- what belongs */

/* Without kdump, panic() stops the other CPUs, too (kernel/panic.c: panic_other_cpus_shutdown(),
 * 6.12), and the registers of virtual CPUs show that. */
bool nmibt_is_stop_certain(const struct nmibt_report *report)
{
	return report->was_stopped || (report->death.is_known && report->sources->vcpus);
}

bool nmibt_belongs(const struct nmibt_report *report, size_t printout, uint64_t seq)
{
	const struct nmibt_death *death = &report->death;

	if (!death->is_known)
		return false;
	if (printout && (printout == death->printout || printout == death->cause))
		return true;
	return death->has_seq && seq >= death->seq;
}
