// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The report: opens the sources, finds the death, and then goes over all CPUs once. That pass keeps
 * only a brief of each CPU, so that memory does not grow with the size of their texts.
 */
#include <inttypes.h>

#include "report/report.h"

static const char *const outcome_names[NMIBT_NR_OUTCOMES] = {
	[NMIBT_OUTCOME_NMI] = "nmi",
	[NMIBT_OUTCOME_IRQ] = "irq",
	[NMIBT_OUTCOME_SELF] = "self",
	[NMIBT_OUTCOME_STOP] = "stop",
	[NMIBT_OUTCOME_PARTIAL] = "partial",
	[NMIBT_OUTCOME_SILENT] = "silent",
	[NMIBT_OUTCOME_OFFLINE] = "offline",
	[NMIBT_OUTCOME_EXCLUDED] = "excluded",
	[NMIBT_OUTCOME_DAMAGED] = "damaged",
	[NMIBT_OUTCOME_ANSWERED] = "answered",
	[NMIBT_OUTCOME_SKIPPED] = "skipped",
	[NMIBT_OUTCOME_REPORTED] = "reported",
	[NMIBT_OUTCOME_REGISTERS] = "registers",
	[NMIBT_OUTCOME_NONE] = "none",
};

const char *nmibt_outcome_name(enum nmibt_outcome outcome)
{
	return outcome < NMIBT_NR_OUTCOMES ? outcome_names[outcome] : "unknown";
}

/* ------------------------------------------------------------------------- one CPU */

void nmibt_cpu_destroy(struct nmibt_cpu *cpu)
{
	nmibt_evidence_destroy(&cpu->standing);
	nmibt_evidence_destroy(&cpu->stop);
}

const struct nmibt_evidence *nmibt_shown(const struct nmibt_cpu *cpu)
{
	return cpu->step == NMIBT_STEP_REGISTERS || cpu->is_partial_filled ? &cpu->stop
									   : &cpu->standing;
}

/* True: the evidence counts for the outcome, for "idle", for groups and for the signature. Older
 * text does not. */
static bool stands(const struct nmibt_cpu *cpu)
{
	return !cpu->is_stale && cpu->step <= NMIBT_STEP_REGISTERS;
}

/* The task that the newest report of a condition is about, by its first line or by the trace that
 * the CPU printed for it. */
static struct nmibt_error *task_of(const struct nmibt_report *report,
				   const struct nmibt_condition *c, unsigned int cpu,
				   struct nmibt_task *ret)
{
	const struct nmibt_log_source *log = report->sources->log;
	struct nmibt_evidence evidence;

	*ret = log->printouts[c->last - 1].task;
	if (ret->known || cpu >= NMIBT_MAX_CPUS)
		return NULL;
	for (size_t i = log->newest[cpu]; i; i = log->traces[i - 1].older) {
		if (log->traces[i - 1].last_seq < log->printouts[c->last - 1].first_seq)
			return NULL;
		if (log->traces[i - 1].printout != c->last)
			continue;
		struct nmibt_error *err = nmibt_log_evidence(log, report->kernel, i - 1, &evidence);
		if (err)
			return err;
		*ret = evidence.task;
		nmibt_evidence_destroy(&evidence);
		return NULL;
	}
	return NULL;
}

/* True: the evidence shows that the CPU has left the condition: it is idle, or has another task;
 * and for a lockup in the kernel, also if it is in user mode. */
static bool shows_elsewhere(const struct nmibt_condition *c, const struct nmibt_task *task,
			    const struct nmibt_evidence *evidence)
{
	bool is_lockup = c->kind == NMIBT_PRINT_SOFT_LOCKUP || c->kind == NMIBT_PRINT_HARD_LOCKUP;

	return evidence->is_idle_said || nmibt_is_idle_stack(&evidence->stack) ||
	       (is_lockup && evidence->is_user) ||
	       (task->known && evidence->task.known && evidence->task.pid != task->pid);
}

/* True: what stands is later than the newest report of the condition. */
static bool is_later(const struct nmibt_report *report, const struct nmibt_condition *c,
		     const struct nmibt_evidence *standing)
{
	const struct nmibt_printout *last = &report->sources->log->printouts[c->last - 1];
	const struct nmibt_death *death = &report->death;
	/* Between a capture and a death that came shortly behind it there may be reports. */
	bool is_behind_request =
		death->has_request_ns && last->begun_ns > death->request_ns + NMIBT_CLOCK_SKEW_NS;

	return (standing->clock == NMIBT_CLOCK_CAPTURE && !is_behind_request) ||
	       (standing->clock == NMIBT_CLOCK_LOG && standing->printout != c->last &&
		standing->first_seq > last->first_seq);
}

/* Looks at evidence that is later than the newest report: the registers of the stop, and later
 * text. */
static struct nmibt_error *is_elsewhere(const struct nmibt_report *report,
					const struct nmibt_condition *c,
					const struct nmibt_cpu *cpu, bool *ret)
{
	struct nmibt_task task;

	struct nmibt_error *err = task_of(report, c, cpu->cpu, &task);
	if (err)
		return err;
	*ret = (cpu->stop.regs.present && shows_elsewhere(c, &task, &cpu->stop)) ||
	       (is_later(report, c, &cpu->standing) && shows_elsewhere(c, &task, &cpu->standing));
	return NULL;
}

/* Finds the open conditions that the CPU is still in, and keeps the one that is known to last the
 * longest. Such a CPU is stuck. held: a flag for each condition, that some CPU is in it; may be
 * NULL. */
static struct nmibt_error *find_condition(const struct nmibt_report *report, struct nmibt_cpu *cpu,
					  bool *held)
{
	uint64_t since = UINT64_MAX;

	for (size_t i = report->nr_conditions; i > 0; i--) {
		const struct nmibt_condition *c = &report->conditions[i - 1];
		bool elsewhere;

		if (!c->is_open || !nmibt_condition_is_about(c, cpu->cpu))
			continue;
		struct nmibt_error *err = is_elsewhere(report, c, cpu, &elsewhere);
		if (err)
			return err;
		if (elsewhere)
			continue;
		if (held)
			held[i - 1] = true;
		uint64_t own = c->is_uneven ? c->last_ns : c->since_ns;
		if (own < since) {
			cpu->condition = i;
			since = own;
		}
	}
	return NULL;
}

static struct nmibt_error *describe(const struct nmibt_report *report, struct nmibt_cpu *cpu,
				    bool *held)
{
	const struct nmibt_evidence *shown = nmibt_shown(cpu);
	struct nmibt_error *err = NULL;

	/* A text is compared with an unwound stack, registers with registers. */
	if (cpu->step == NMIBT_STEP_BELONGS && cpu->standing.task.pid == cpu->stop.task.pid)
		err = nmibt_unwind_stop(report, cpu);
	if (err)
		return err;
	/* The CPU that panicked printed its text on the way to the stop, so they are not
	 * compared. If its panic was moved, it waits in panic() for the stop. */
	if (cpu->cpu == report->death.reporter && report->death.moved_to != NMIBT_NO_CPU)
		cpu->moved = NMIBT_MOVED_SYNTHETIC;
	else if (cpu->step <= NMIBT_STEP_CONFIRMED &&
		 (cpu->standing.has_slot || cpu->outcome != NMIBT_OUTCOME_SELF))
		cpu->moved = nmibt_compare(report->kernel, &cpu->standing, &cpu->stop);
	cpu->age = nmibt_age_of(report, cpu->standing.clock, cpu->standing.begun_ns,
				cpu->standing.first_seq);
	if (stands(cpu)) {
		cpu->is_idle = shown->is_idle_said || nmibt_is_idle_stack(&shown->stack);
		cpu->is_user = shown->is_user;
		cpu->is_offline = nmibt_is_offline_stack(&shown->stack);
		cpu->irqs_off = shown->has_irqs_off && shown->irqs_off;
		cpu->stack_hash = nmibt_stack_hash(shown->stack.frames, shown->stack.nr);
	}
	return find_condition(report, cpu, held);
}

static struct nmibt_error *check_cpu(const struct nmibt_report *report, unsigned int nr)
{
	if (nr >= report->nr_cpus)
		return nmibt_error_create(NMIBT_ERR_USAGE, "no CPU %u: there are %u", nr,
					  report->nr_cpus);
	if (nmibt_interrupted(report->kernel->image))
		return nmibt_error_create(NMIBT_ERR_INTERRUPTED, "interrupted at CPU %u", nr);
	return NULL;
}

static struct nmibt_error *read_cpu(const struct nmibt_report *report, unsigned int nr, bool *held,
				    struct nmibt_cpu *ret)
{
	struct nmibt_cpu cpu = {.cpu = nr};

	struct nmibt_error *err = check_cpu(report, nr);
	if (err)
		return err;
	err = nmibt_select(report, &cpu);
	if (!err)
		err = describe(report, &cpu, held);
	if (err) {
		nmibt_cpu_destroy(&cpu);
		return err;
	}
	*ret = cpu;
	return NULL;
}

struct nmibt_error *nmibt_report_read_cpu(const struct nmibt_report *report, unsigned int nr,
					  struct nmibt_cpu *ret)
{
	return read_cpu(report, nr, NULL, ret);
}

/* ------------------------------------------------------------------ what is older */

struct nmibt_error *nmibt_older_begin(const struct nmibt_report *report, unsigned int cpu,
				      struct nmibt_older *ret)
{
	struct nmibt_cpu standing;

	struct nmibt_error *err = nmibt_report_read_cpu(report, cpu, &standing);
	if (err)
		return err;
	*ret = (struct nmibt_older){
		.report = report,
		.cpu = cpu,
		.slot = standing.has_stale_slot,
		.standing = standing.trace,
		.next = report->sources->has_capture ? 0 : nmibt_newest_trace(report, cpu),
	};
	nmibt_cpu_destroy(&standing);
	return NULL;
}

static struct nmibt_error *next_trace(struct nmibt_older *older, struct nmibt_cpu *cpu,
				      bool *ret_found)
{
	const struct nmibt_log_source *log = older->report->sources->log;
	size_t i = older->next;

	while (i && (i == older->standing || log->traces[i - 1].kind == NMIBT_EVIDENCE_TASK))
		i = log->traces[i - 1].older;
	*ret_found = i;
	older->next = i ? log->traces[i - 1].older : 0;
	return i ? nmibt_log_evidence(log, older->report->kernel, i - 1, &cpu->standing) : NULL;
}

static struct nmibt_error *stale_slot(struct nmibt_older *older, struct nmibt_cpu *cpu)
{
	const struct nmibt_report *report = older->report;
	bool is_stale;

	older->slot = false;
	struct nmibt_error *err = nmibt_slot_evidence(report->kernel, &report->sources->capture,
						      older->cpu, &cpu->standing, &is_stale);
	if (err)
		return err;
	cpu->has_slot = cpu->standing.has_slot;
	cpu->slot = cpu->standing.slot;
	cpu->slot_paddr = cpu->standing.slot_paddr;
	memcpy(cpu->why, cpu->standing.why, sizeof(cpu->why));
	cpu->outcome = nmibt_outcome_of_slot(&cpu->standing);
	return NULL;
}

struct nmibt_error *nmibt_older_next(struct nmibt_older *older, struct nmibt_cpu *ret,
				     bool *ret_found)
{
	const struct nmibt_report *report = older->report;
	struct nmibt_cpu cpu = {
		.cpu = older->cpu,
		.step = NMIBT_STEP_LAST_SEEN,
		.is_stale = true,
		.asked_by = NMIBT_NO_CPU,
	};
	struct nmibt_error *err;

	if (older->slot) {
		err = stale_slot(older, &cpu);
		*ret_found = !err;
		if (!err)
			*ret = cpu;
		return err;
	}
	err = next_trace(older, &cpu, ret_found);
	if (!err && !*ret_found && nmibt_may_use_buffers(report))
		err = nmibt_buffer_residue(report->kernel, older->cpu, older->nth++, &cpu.standing,
					   ret_found);
	if (err || !*ret_found)
		return err;
	cpu.outcome = nmibt_outcome_of_kind(cpu.standing.kind);
	cpu.age = nmibt_age_of(report, cpu.standing.clock, cpu.standing.begun_ns,
			       cpu.standing.first_seq);
	*ret = cpu;
	return NULL;
}

/* *ret: there is older evidence about the CPU than what stands. */
static struct nmibt_error *look_for_older(const struct nmibt_report *report,
					  const struct nmibt_cpu *cpu, bool *ret)
{
	struct nmibt_older older = {.report = report, .cpu = cpu->cpu, .standing = cpu->trace};
	const struct nmibt_log_source *log = report->sources->log;
	struct nmibt_cpu first;

	*ret = cpu->has_stale_slot;
	if (*ret || report->sources->has_capture)
		return NULL;
	for (size_t i = nmibt_newest_trace(report, cpu->cpu); i && !*ret;
	     i = log->traces[i - 1].older)
		*ret = i != cpu->trace && log->traces[i - 1].kind != NMIBT_EVIDENCE_TASK;
	if (*ret || !report->sources->has_buffers)
		return NULL;
	struct nmibt_error *err = nmibt_older_next(&older, &first, ret);
	if (!err && *ret)
		nmibt_cpu_destroy(&first);
	return err;
}

/* ------------------------------------------------------------------- the first pass */

static bool lost_something(const struct nmibt_cpu *cpu)
{
	const struct nmibt_evidence *e = &cpu->standing;
	const struct nmibt_stack *stack = &nmibt_shown(cpu)->stack;

	if (stack->end == NMIBT_END_UNREADABLE || stack->end == NMIBT_END_EXCLUDED)
		return true;
	return cpu->outcome == NMIBT_OUTCOME_EXCLUDED || cpu->outcome == NMIBT_OUTCOME_DAMAGED ||
	       (*cpu->why && cpu->step != NMIBT_STEP_NOTHING) || e->lost_bytes || e->lost_msgs ||
	       e->text.unread || e->nested.unread ||
	       e->wrong & (NMIBT_WRONG_HEADLESS | NMIBT_WRONG_GAP | NMIBT_WRONG_EXCLUDED |
			   NMIBT_WRONG_DAMAGED);
}

static void make_brief(struct nmibt_kernel *kernel, const struct nmibt_cpu *cpu,
		       struct nmibt_cpu_brief *brief)
{
	const struct nmibt_evidence *shown = nmibt_shown(cpu);
	struct nmibt_wait wait = {.kind = NMIBT_WAIT_NONE};

	if (stands(cpu))
		nmibt_is_waiting(kernel, shown, &wait);
	*brief = (struct nmibt_cpu_brief){
		.outcome = cpu->outcome,
		.step = cpu->step,
		.source = shown->source,
		.moved = cpu->moved,
		.note = cpu->stop.note,
		.wait = wait.kind,
		.stack_hash = cpu->stack_hash,
		/* The frames of the stop alone tell nothing of where the CPU was. */
		.is_whole = nmibt_is_whole(&shown->stack) &&
			    nmibt_count_dying(&shown->stack) < shown->stack.nr,
		.tells_idle = nmibt_tells_idle(&shown->stack),
		.condition = cpu->condition,
		.has_stale_slot = cpu->has_stale_slot,
		.is_idle = cpu->is_idle,
		.is_user = cpu->is_user,
		.is_offline = cpu->is_offline,
		.irqs_off = cpu->irqs_off,
		.is_late = cpu->has_slot && cpu->slot.flags & NMI_CAPTURE_SLOT_F_LATE,
		.faulted = cpu->has_slot && cpu->slot.flags & NMI_CAPTURE_SLOT_F_FAULTED,
		.lost = lost_something(cpu),
		.lost_bytes = cpu->standing.lost_bytes,
		.unread = cpu->standing.text.unread + cpu->standing.nested.unread,
		.lost_records =
			cpu->standing.source == NMIBT_SOURCE_LOG ? cpu->standing.lost_msgs : 0,
		.task = cpu->step == NMIBT_STEP_REGISTERS ? cpu->stop.task : cpu->standing.task,
	};
	/* A slot tells the task even if it has too little to stand as evidence. */
	if (!stands(cpu) && !cpu->standing.has_slot)
		brief->task = (struct nmibt_task){0};
}

static bool is_possible(const struct nmibt_report *report, const struct nmibt_cpu *cpu)
{
	if (report->sources->has_capture)
		return cpu->slot_paddr || cpu->outcome != NMIBT_OUTCOME_NONE;
	return nmibt_sources_know_cpu(report->sources, cpu->cpu);
}

static void count_cpu(struct nmibt_report *report, const struct nmibt_cpu *cpu)
{
	const struct nmibt_cpu_brief *brief = &report->cpus[cpu->cpu];

	if (brief->lost || brief->note == NMIBT_NOTE_DAMAGED || brief->note == NMIBT_NOTE_EXCLUDED)
		report->complete = false;
	report->possible[cpu->cpu] = is_possible(report, cpu);
	report->has_note |= brief->note == NMIBT_NOTE_PRESENT;
	if (!report->possible[cpu->cpu])
		return;
	report->nr_possible++;
	report->nr_stale += cpu->has_stale_slot;
	report->by_outcome[cpu->outcome]++;
}

/* The CPU may run a task that was blocked. */
static void look_for_tasks(struct nmibt_report *report, const struct nmibt_cpu *cpu)
{
	for (size_t i = 0; i < report->nr_conditions; i++) {
		struct nmibt_condition *c = &report->conditions[i];

		if (!c->is_open)
			continue;
		if (cpu->stop.regs.present)
			nmibt_condition_look(c, &cpu->stop);
		if (is_later(report, c, &cpu->standing))
			nmibt_condition_look(c, &cpu->standing);
	}
}

static struct nmibt_error *first_pass(struct nmibt_report *report, bool *held)
{
	for (unsigned int i = 0; i < report->nr_cpus; i++) {
		struct nmibt_cpu cpu;
		struct nmibt_error *err = read_cpu(report, i, held, &cpu);
		if (err)
			return err;

		make_brief(report->kernel, &cpu, &report->cpus[i]);
		count_cpu(report, &cpu);
		look_for_tasks(report, &cpu);
		err = look_for_older(report, &cpu, &report->cpus[i].has_older);
		nmibt_cpu_destroy(&cpu);
		if (err)
			return err;
	}
	return NULL;
}

/* A condition is over of which newer evidence shows each CPU and each task elsewhere. */
static void close_conditions(struct nmibt_report *report, const bool *held)
{
	for (size_t i = 0; i < report->nr_conditions; i++) {
		struct nmibt_condition *c = &report->conditions[i];
		const struct nmibt_cpus *cpus = &c->cpus;
		bool has_cpu =
			cpus->nr && (held[i] || cpus->ranges[cpus->nr - 1].last >= report->nr_cpus);
		bool has_task = !c->have_tasks_left && (c->nr_tasks || !cpus->nr);

		if (!c->is_open || has_cpu || has_task)
			continue;
		c->is_over = true;
		c->is_open = false;
	}
}

/* Goes over all CPUs, and finds out which conditions are over. */
static struct nmibt_error *look_at_cpus(struct nmibt_report *report)
{
	_cleanup_free_ bool *held = calloc(report->nr_conditions + 1, sizeof(*held));

	if (!held)
		return nmibt_error_nomem();
	struct nmibt_error *err = first_pass(report, held);
	if (!err)
		close_conditions(report, held);
	return err;
}

/* ------------------------------------------------------------------------------ open */

bool nmibt_has_something(const struct nmibt_cpu_brief *brief, bool older)
{
	return brief->outcome != NMIBT_OUTCOME_NONE || brief->step != NMIBT_STEP_NOTHING ||
	       (older && brief->has_older);
}

/* True: the log tells of a panic or a lockup, even if it has no backtrace. */
bool nmibt_log_tells(const struct nmibt_report *report)
{
	return nmibt_may_use(report, NMIBT_SOURCE_LOG) &&
	       (report->nr_conditions || report->death.by_log);
}

/* True: the sources that may be used have any evidence, even if only older, or tell of the
 * death. */
static bool has_anything(const struct nmibt_report *report)
{
	if (report->sources->has_capture || report->is_capture_kernel || nmibt_log_tells(report))
		return true;
	for (unsigned int i = 0; i < report->nr_cpus; i++) {
		if (nmibt_has_something(&report->cpus[i], true))
			return true;
	}
	return false;
}

static void add_lost(struct nmibt_report *report, const char *what, uint64_t vaddr)
{
	nmibt_add_reason(report->lost[report->nr_lost++], "%s at 0x%" PRIx64, what, vaddr);
}

/* Comes last: symbols and modules are read when somebody looks for them. */
static void find_lost(struct nmibt_report *report)
{
	const struct nmibt_sources *sources = report->sources;
	uint64_t vaddr;

	if (sources->percpu && *sources->percpu->why)
		nmibt_add_reason(report->lost[report->nr_lost++], "%s", sources->percpu->why);
	if (nmibt_symbols_are_lost(report->kernel, &vaddr)) {
		report->complete = false;
		/* Else the CPUs are not known, and a source has that reason. */
		if (sources->percpu || sources->has_capture)
			add_lost(report, "the kernel's symbols can't be read", vaddr);
	}
	if (nmibt_modules_are_lost(report->kernel, &vaddr))
		add_lost(report, "the modules' list or symbols can't be used", vaddr);
	if (report->nr_lost)
		report->complete = false;
}

struct nmibt_error *nmibt_report_conclude(struct nmibt_report *report)
{
	struct nmibt_error *err;

	report->nr_cpus = report->is_capture_kernel ? 0 : nmibt_sources_nr_cpus(report->sources);
	report->are_all_known = report->sources->has_capture || report->sources->percpu;
	report->cpus = calloc(report->nr_cpus + 1, sizeof(*report->cpus));
	report->possible = calloc(report->nr_cpus + 1, sizeof(*report->possible));
	if (!report->cpus || !report->possible)
		return nmibt_error_nomem();
	err = nmibt_find_suspends(report);
	if (!err)
		err = nmibt_find_death(report);
	if (!err && !report->is_capture_kernel)
		err = nmibt_find_conditions(report);
	if (!err)
		err = nmibt_find_subjects(report);
	if (!err)
		err = look_at_cpus(report);
	if (err)
		return err;
	find_lost(report);
	err = nmibt_make_timeline(report);
	if (err)
		return err;
	nmibt_fill_case(report, &report->case_info);
	return has_anything(report) ? NULL : nmibt_nothing_error(report);
}

static struct nmibt_error *make_report(const struct nmibt_image *image, struct nmibt_input *input,
				       unsigned int crash, enum nmibt_source only,
				       struct nmibt_report **ret)
{
	struct nmibt_report *report = calloc(1, sizeof(*report));
	if (!report)
		return nmibt_error_nomem();

	report->input = input;
	report->only = only;
	report->complete = !image->lost;
	report->sources = calloc(1, sizeof(*report->sources));
	struct nmibt_error *err =
		report->sources ? nmibt_kernel_open(image, &report->kernel) : nmibt_error_nomem();
	if (!err) {
		report->sources->follower.kernel = report->kernel;
		report->kernel->crash = crash;
		err = nmibt_open_sources(report);
	}
	if (!err)
		err = nmibt_report_conclude(report);
	if (err) {
		nmibt_report_close(report);
		return err;
	}
	*ret = report;
	return NULL;
}

struct nmibt_error *nmibt_report_make(const struct nmibt_image *image, enum nmibt_source only,
				      struct nmibt_report **ret)
{
	return make_report(image, NULL, 0, only, ret);
}

struct nmibt_error *nmibt_report_open(struct nmibt_input *input, unsigned int crash,
				      const struct nmibt_report_options *options,
				      struct nmibt_report **ret)
{
	struct nmibt_report_options own = {.source = NMIBT_SOURCE_AUTO};
	const struct nmibt_image *image;
	struct nmibt_error *err = options ? nmibt_copy_options("nmibt_report_options", &own,
							       sizeof(own), options, options->size)
					  : NULL;

	if (err)
		return err;
	if (crash >= nmibt_input_nr_crashes(input))
		return nmibt_error_create(NMIBT_ERR_USAGE, "no crash %u: there %s %u", crash + 1,
					  nmibt_input_nr_crashes(input) == 1 ? "is" : "are",
					  nmibt_input_nr_crashes(input));
	if (own.source >= NMIBT_NR_SOURCES)
		return nmibt_error_create(NMIBT_ERR_USAGE, "no source %d", own.source);
	err = nmibt_input_image(input, &image);
	if (!err)
		err = make_report(image, input, crash, own.source, ret);
	return err;
}

void nmibt_report_close(struct nmibt_report *report)
{
	if (!report)
		return;
	nmibt_close_sources(report);
	nmibt_death_destroy(&report->death);
	nmibt_conditions_destroy(report);
	nmibt_case_destroy(&report->case_info);
	if (report->input && report->kernel)
		nmibt_input_forget_kernel(report->input, report->kernel);
	nmibt_kernel_close(report->kernel);
	free(report->timeline);
	free(report->suspends);
	free(report->cpus);
	free(report->possible);
	free(report);
}
