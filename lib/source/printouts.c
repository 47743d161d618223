// SPDX-License-Identifier: GPL-2.0-or-later
/* What a line of the log means for the printouts and traces that its caller has begun. */
#include <ctype.h>
#include <search.h>

#include "source/printouts.h"

/* Lines that NMI handlers print about themselves may stand in a report by an interrupt
 * (arch/x86/kernel/nmi.c: nmi_check_duration(), 6.12). */
#define MAX_TAIL_STRANGERS 8

/* Has a printout several traces? kernel/rcu/tree_stall.h, kernel/hung_task.c,
 * kernel/workqueue.c; 6.12 */
static bool has_traces(enum nmibt_print kind)
{
	return kind == NMIBT_PRINT_STALL || kind == NMIBT_PRINT_SELF_STALL ||
	       kind == NMIBT_PRINT_HUNG_TASK || kind == NMIBT_PRINT_STALLED_WORKERS;
}

/* --------------------------------------------------------- whose line is it? */

/* True: the line belongs to the printout, whose caller is not printing a trace now. */
static bool is_of_printout(const struct taken *t, const struct level *l)
{
	if (l->is_doubtful && !nmibt_settles_doubt(t, l) && !nmibt_begins_shortened(t, l))
		return false;
	switch (t->p.kind) {
	case NMIBT_PRINT_CPU:
		return l->has_trace ? has_traces(l->kind) : nmibt_is_reporter(t, l);
	case NMIBT_PRINT_TASK:
		/* panic_print makes a panic list tasks (kernel/panic.c: panic_print_sys_info(),
		 * 6.12) */
		return has_traces(l->kind) || l->kind == NMIBT_PRINT_PANIC;
	case NMIBT_PRINT_STALLED_CPU:
	case NMIBT_PRINT_STALLED_TASKS:
	case NMIBT_PRINT_STALL_FOUND:
		return l->kind == NMIBT_PRINT_STALL || l->kind == NMIBT_PRINT_SELF_STALL;
	case NMIBT_PRINT_OWNER:
		return l->kind == NMIBT_PRINT_HUNG_TASK;
	case NMIBT_PRINT_WORKER_POOL:
		return l->kind == NMIBT_PRINT_STALLED_WORKERS;
	case NMIBT_PRINT_END_TRACE:
		return l->kind == NMIBT_PRINT_WARNING || l->kind == NMIBT_PRINT_OOPS;
	case NMIBT_PRINT_OTHER:
	case NMIBT_PRINT_HARDWARE:
	case NMIBT_PRINT_REGISTER:
		return l->phase == PHASE_LEAD && l->kind != NMIBT_PRINT_STALLED_WORKERS &&
		       l->strangers < MAX_STRANGERS;
	case NMIBT_PRINT_PC:
	case NMIBT_PRINT_TRACE:
		return nmibt_begins_shortened(t, l);
	default:
		return false;
	}
}

static bool is_of_level(const struct taken *t, const struct level *l)
{
	return l->trace ? nmibt_is_of_trace(t, l) : l->printout && is_of_printout(t, l);
}

/* ------------------------------------------------------------ lines of printouts */

void nmibt_learn_reporter(struct taken *t, uint64_t number, uint32_t cpu)
{
	struct nmibt_printout *printout = nmibt_log_printout(t->log, number);

	if (!printout || cpu == NMIBT_NO_CPU)
		return;
	printout->reporter = cpu;
	if (printout->kind == NMIBT_PRINT_SELF_STALL && !nmibt_cpus_add(&printout->cpus, cpu))
		t->b->failed = true;
}

void nmibt_copy_task(struct nmibt_task *task, const struct nmibt_printed *p)
{
	size_t len = p->comm.len < sizeof(task->comm) ? p->comm.len : sizeof(task->comm);

	if (!p->has_task)
		return;
	*task = (struct nmibt_task){.known = true, .pid = p->pid};
	if (len)
		memcpy(task->comm, p->comm.s, len);
}

/* Each rcu_node may name eight tasks (kernel/rcu/tree_stall.h: rcu_print_task_stall(), 6.12), and
 * there may be hundreds of nodes, so a task is looked up in a tree. */
struct stalled_task {
	uint64_t printout; /* number */
	int32_t pid;
	size_t place; /* index in the printout's tasks */
};

static int compare_stalled_tasks(const void *a, const void *b)
{
	const struct stalled_task *x = a, *y = b;

	if (x->printout != y->printout)
		return x->printout < y->printout ? -1 : 1;
	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static struct nmibt_task *find_stalled_task(struct taken *t, uint64_t number, int32_t pid)
{
	struct nmibt_printout *printout = nmibt_log_printout(t->log, number);
	const struct stalled_task wanted = {.printout = number, .pid = pid};
	struct stalled_task **found = tfind(&wanted, &t->b->stalled_tasks, compare_stalled_tasks);

	return printout && found ? &printout->tasks[(*found)->place] : NULL;
}

static void add_stalled_task(struct taken *t, uint64_t number, int32_t pid)
{
	struct nmibt_printout *printout = nmibt_log_printout(t->log, number);

	if (!printout || find_stalled_task(t, number, pid))
		return;
	struct stalled_task *entry = malloc(sizeof(*entry));
	struct nmibt_task *tasks =
		nmibt_make_room(printout->tasks, printout->nr_tasks, sizeof(*tasks));
	if (tasks)
		printout->tasks = tasks;
	if (entry)
		*entry = (struct stalled_task){number, pid, printout->nr_tasks};
	if (!tasks || !entry || !tsearch(entry, &t->b->stalled_tasks, compare_stalled_tasks)) {
		free(entry);
		t->b->failed = true;
		return;
	}
	tasks[printout->nr_tasks++] = (struct nmibt_task){.known = true, .pid = pid};
}

/* A stall names its tasks by their PIDs alone. */
static void add_said_tasks(struct taken *t, uint64_t printout)
{
	struct nmibt_str list = t->p.cpus;
	int32_t pid;

	while (nmibt_next_task(&list, &pid))
		add_stalled_task(t, printout, pid);
}

/* kernel/rcu/tasks.h: check_holdout_task(), show_stalled_task_trace(), 6.12 */
bool nmibt_is_of_tasks(enum nmibt_flavour flavour)
{
	return flavour == NMIBT_FLAVOUR_TASKS || flavour == NMIBT_FLAVOUR_TASKS_TRACE;
}

/* Of a task that is shown: what it is called. Workers, and tasks of a flavour of tasks, are not
 * named otherwise. */
static void name_stalled_task(struct taken *t, const struct level *l)
{
	struct nmibt_printout *printout = nmibt_log_printout(t->log, l->printout);

	if (!printout || !t->p.has_task)
		return;
	if (l->kind == NMIBT_PRINT_STALLED_WORKERS || nmibt_is_of_tasks(printout->flavour))
		add_stalled_task(t, l->printout, t->p.pid);
	struct nmibt_task *task = find_stalled_task(t, l->printout, t->p.pid);
	if (task)
		nmibt_copy_task(task, &t->p);
}

/* Behind the stack of the hung task; that of the owner follows, unless it hangs, too. */
static void take_owner(struct taken *t, struct level *l)
{
	struct nmibt_printout *printout = nmibt_log_printout(t->log, l->printout);
	struct nmibt_printed owner = {
		.has_task = true, .pid = t->p.owner_pid, .comm = t->p.owner_comm};

	nmibt_touch_printout(t, l->printout);
	l->strangers = 0;
	if (!printout || !printout->task.known || printout->task.pid != t->p.pid)
		return;
	printout->owner.words = t->p.owned;
	nmibt_copy_task(&printout->owner.task, &owner);
}

static void learn_grace_period(const struct nmibt_printed *p, struct nmibt_printout *printout)
{
	if (!p->has_grace_period)
		return;
	printout->has_grace_period = true;
	printout->grace_period = p->grace_period;
}

static void take_stalled(struct taken *t, struct level *l)
{
	struct nmibt_printout *printout = nmibt_log_printout(t->log, l->printout);

	if (l->phase == PHASE_LEAD)
		nmibt_level_put(t, l);
	else
		nmibt_touch_printout(t, l->printout);
	l->strangers = 0;
	if (!printout)
		return;
	if (t->p.has_jiffies)
		printout->jiffies = t->p.jiffies;
	learn_grace_period(&t->p, printout);
	if (t->p.kind == NMIBT_PRINT_STALLED_TASKS)
		add_said_tasks(t, l->printout);
	if (t->p.kind == NMIBT_PRINT_STALL_FOUND && t->p.has_cpu)
		nmibt_learn_reporter(t, l->printout, t->p.cpu);
	else if (t->p.has_cpu && !nmibt_cpus_add(&printout->cpus, t->p.cpu))
		t->b->failed = true;
	if (!printout->task.known)
		nmibt_copy_task(&printout->task, &t->p);
}

static void take_printout_line(struct taken *t, struct level *l)
{
	switch (t->p.kind) {
	case NMIBT_PRINT_CPU:
		if (l->is_doubtful)
			t->s->doubt_left = 0;
		nmibt_learn_reporter(t, l->printout, t->p.cpu);
		nmibt_begin_trace(t, l, NMIBT_EVIDENCE_OWN, t->p.cpu);
		break;
	case NMIBT_PRINT_PC:
	case NMIBT_PRINT_TRACE:
	case NMIBT_PRINT_REGISTER:
		if (!nmibt_begins_shortened(t, l)) {
			nmibt_level_put(t, l);
			return;
		}
		nmibt_begin_shortened(t, l);
		break;
	case NMIBT_PRINT_TASK:
		/* The lines before are about the whole report, which may have many tasks. */
		nmibt_level_drop_text(l);
		name_stalled_task(t, l);
		nmibt_begin_trace(t, l, NMIBT_EVIDENCE_TASK, NMIBT_NO_CPU);
		break;
	case NMIBT_PRINT_STALLED_CPU:
	case NMIBT_PRINT_STALLED_TASKS:
	case NMIBT_PRINT_STALL_FOUND:
		take_stalled(t, l);
		return;
	case NMIBT_PRINT_OWNER:
		take_owner(t, l);
		return;
	case NMIBT_PRINT_WORKER_POOL:
		nmibt_touch_printout(t, l->printout);
		return;
	case NMIBT_PRINT_END_TRACE:
		nmibt_touch_printout(t, l->printout);
		nmibt_pop(t, END_TOLD);
		return;
	default:
		nmibt_level_put(t, l);
		l->strangers += t->p.kind == NMIBT_PRINT_OTHER;
		return;
	}
	if (l->trace)
		nmibt_take_trace_line(t, l);
}

static void take_level_line(struct taken *t, struct level *l)
{
	while (nmibt_top_level(t->s) != l)
		nmibt_pop(t, END_WENT_ON);
	if (nmibt_is_shown_in_doubt(t, l))
		nmibt_cut_unsure(t);
	if (l->trace)
		nmibt_take_trace_line(t, l);
	else
		take_printout_line(t, l);
}

/* ------------------------------------------------------------- lines of no level */

/* How many other lines may follow a trace before the printout that the trace belongs to counts as
 * ended. */
static unsigned int patience(const struct taken *t, const struct level *l)
{
	if (l->kind == NMIBT_PRINT_PANIC)
		return UINT32_MAX;
	/* Each of its lines has a form; tasks behind another line are of another report. */
	if (l->kind == NMIBT_PRINT_STALLED_WORKERS)
		return 0;
	if (has_traces(l->kind) || l->phase == PHASE_LEAD)
		return MAX_STRANGERS;
	return nmibt_cpu_of_caller(t->line->caller_id) == NMIBT_NO_CPU ? 0 : MAX_TAIL_STRANGERS;
}

/* Takes a line that belongs to no level. It may show that the innermost level has ended. */
static void take_stranger(struct taken *t)
{
	struct level *l = nmibt_top_level(t->s);

	if (!l)
		return;
	/* Open marks show that the trace is not complete, so an interrupt may have printed this
	 * line in the middle of it. */
	if (l->trace && l->open_marks && l->strangers < MAX_STRANGERS &&
	    nmibt_may_be_interrupted(t)) {
		l->strangers++;
		return;
	}
	if (l->trace)
		nmibt_end_top_trace(t, END_WENT_ON);
	if (nmibt_top_level(t->s) == l && l->strangers++ >= patience(t, l))
		nmibt_pop(t, END_WENT_ON);
}

static bool may_be_headless(enum nmibt_print kind)
{
	return kind == NMIBT_PRINT_CPU || kind == NMIBT_PRINT_HARDWARE ||
	       kind == NMIBT_PRINT_REGISTER || kind == NMIBT_PRINT_PC ||
	       kind == NMIBT_PRINT_TRACE || kind == NMIBT_PRINT_FRAME ||
	       kind == NMIBT_PRINT_STACK_MARK;
}

/* Begins a trace whose beginning is lost: this is the first line of its CPU since the oldest record
 * that is left, or since records were lost, and it is from the middle of a trace. */
static bool take_headless(struct taken *t)
{
	uint32_t cpu = nmibt_cpu_of_caller(t->line->caller_id);

	if (!t->is_first || cpu == NMIBT_NO_CPU || !may_be_headless(t->p.kind))
		return false;
	struct level *l = nmibt_push(t);
	if (!l)
		return true;
	nmibt_begin_trace(t, l, NMIBT_EVIDENCE_OWN, t->p.kind == NMIBT_PRINT_CPU ? t->p.cpu : cpu);
	if (!l->trace)
		return true;
	struct nmibt_log_trace *trace = nmibt_level_trace(t->log, l);
	trace->wrong |= NMIBT_WRONG_HEADLESS;
	trace->lost_records = t->b->nr_lost;
	nmibt_take_trace_line(t, l);
	return true;
}

/* Begins a trace of a CPU or a task that belongs to no printout. */
static void take_bare_trace(struct taken *t)
{
	struct level *l = nmibt_top_level(t->s);
	bool is_cpu = t->p.kind == NMIBT_PRINT_CPU;

	if (l && !l->trace && l->kind != NMIBT_PRINT_PANIC && l->phase == PHASE_TAIL)
		nmibt_pop(t, END_WENT_ON);
	if (t->s && is_cpu)
		nmibt_refuse_trace(t);
	l = nmibt_push(t);
	if (!l)
		return;
	nmibt_begin_trace(t, l, is_cpu ? NMIBT_EVIDENCE_OWN : NMIBT_EVIDENCE_TASK,
			  is_cpu ? t->p.cpu : NMIBT_NO_CPU);
	if (l->trace)
		nmibt_take_trace_line(t, l);
}

/* The oops ended, behind lines of others. */
static void end_last_oops(struct taken *t)
{
	for (size_t i = t->log->nr_printouts; i > 0; i--) {
		struct nmibt_printout *printout = &t->log->printouts[i - 1];

		if (printout->kind != NMIBT_PRINT_OOPS)
			continue;
		printout->has_ended |= printout->caller_id == t->line->caller_id;
		return;
	}
}

static void take_orphan(struct taken *t)
{
	nmibt_go_on_doubting(t);
	if (t->p.kind == NMIBT_PRINT_END_TRACE)
		end_last_oops(t);
	nmibt_cut_unsure(t);
}

/* The innermost level that the line can belong to; NULL: none. A line of no known kind is only
 * compared with the innermost level. */
static struct level *find_level(struct taken *t)
{
	for (unsigned int i = t->s ? t->s->nr_levels : 0; i > 0; i--) {
		struct level *l = &t->s->levels[i - 1];

		if (is_of_level(t, l))
			return l;
		if (t->p.kind == NMIBT_PRINT_OTHER)
			break;
	}
	return NULL;
}

static bool is_stranger(enum nmibt_print kind)
{
	return kind == NMIBT_PRINT_OTHER || kind == NMIBT_PRINT_HUNG_SUPPRESSED ||
	       kind == NMIBT_PRINT_STALLED_CPU || kind == NMIBT_PRINT_STALLED_TASKS ||
	       kind == NMIBT_PRINT_STALL_FOUND || kind == NMIBT_PRINT_OWNER ||
	       kind == NMIBT_PRINT_WORKER_POOL;
}

/* Takes a line that stands within reports. */
static void take_part(struct taken *t)
{
	nmibt_see_task(t);
	nmibt_see_pause(t);
	struct level *l = find_level(t);

	if (!l && is_stranger(t->p.kind)) {
		take_stranger(t);
		return;
	}
	if (!l && nmibt_top_level(t->s) && nmibt_top_level(t->s)->trace) {
		nmibt_end_top_trace(t, END_WENT_ON);
		l = find_level(t);
	}
	if (l)
		take_level_line(t, l);
	else if (take_headless(t))
		return;
	else if (t->p.kind == NMIBT_PRINT_CPU || t->p.kind == NMIBT_PRINT_TASK)
		take_bare_trace(t);
	else
		take_orphan(t);
}

/* ----------------------------------------------------------------- first lines */

void nmibt_add_said_cpus(struct taken *t, struct nmibt_cpus *cpus)
{
	if (t->p.has_cpu && !nmibt_cpus_add(cpus, t->p.cpu))
		t->b->failed = true;
	if (!nmibt_cpus_add_list(cpus, t->p.cpus))
		t->b->failed = true;
}

static struct nmibt_hung_task *hung_task(struct nmibt_log_source *log, int32_t pid)
{
	return &log->hung_tasks[nmibt_hung_task_place(pid)];
}

/* A task that prints is not blocked any more. Other callers have numbers that no PID has. */
static void see_caller(struct taken *t)
{
	struct nmibt_hung_task *hung = hung_task(t->log, (int32_t)t->line->caller_id);

	if (hung->pid && (uint32_t)hung->pid == t->line->caller_id)
		hung->seq = t->line->last_seq;
}

struct level *nmibt_begin_printout(struct taken *t, enum nmibt_print kind, enum phase phase)
{
	const struct nmibt_log_line *line = t->line;
	struct level *l = nmibt_push(t);

	if (!l)
		return NULL;
	struct nmibt_printout printout = {
		.kind = kind,
		.caller_id = line->caller_id,
		.reporter = nmibt_cpu_of_caller(line->caller_id),
		.first_seq = line->seq,
		.last_seq = line->seq,
		.begun_ns = line->ts_ns,
		.ended_ns = line->ts_ns,
		.has_seconds = t->p.has_seconds,
		.seconds = t->p.seconds,
		.flavour = t->p.flavour,
		.is_expedited = t->p.is_expedited,
		.message = nmibt_copy_line(t),
	};
	nmibt_copy_task(&printout.task, &t->p);
	learn_grace_period(&t->p, &printout);
	if (kind != NMIBT_PRINT_REQUEST && kind != NMIBT_PRINT_SYSRQ_REQUEST)
		nmibt_add_said_cpus(t, &printout.cpus);
	if (kind == NMIBT_PRINT_HUNG_TASK && printout.task.known)
		*hung_task(t->log, printout.task.pid) =
			(struct nmibt_hung_task){.pid = printout.task.pid};
	l->printout = nmibt_log_add_printout(t->log, &printout);
	if (kind == NMIBT_PRINT_STALL)
		add_said_tasks(t, l->printout);
	l->kind = kind;
	l->phase = phase;
	l->is_doubtful = nmibt_is_doubtful(t->s, false);
	return l;
}

void nmibt_end_printouts(struct taken *t)
{
	struct level *l;

	for (nmibt_leave_trace(t, true);
	     (l = nmibt_top_level(t->s)) && !l->trace && l->kind != NMIBT_PRINT_PANIC;) {
		if (l->phase == PHASE_LEAD && nmibt_may_be_interrupted(t))
			break;
		nmibt_pop(t, END_WENT_ON);
	}
}

/* True: the oops began with the same words, which nobody prints twice for one. */
static bool is_second_cause(struct taken *t, const struct level *l)
{
	const struct nmibt_printout *oops = nmibt_log_printout(t->log, l->printout);

	return t->p.kind == NMIBT_PRINT_OOPS_CAUSE && oops && oops->message && t->line->len >= 4 &&
	       !strncmp(oops->message, t->line->text, 4);
}

/* The oops whose cause the caller has just printed, and whose heading must follow; NULL: none. */
static struct level *find_oops(struct taken *t)
{
	for (unsigned int i = t->s ? t->s->nr_levels : 0; i > 0; i--) {
		struct level *l = &t->s->levels[i - 1];

		if (l->kind == NMIBT_PRINT_OOPS)
			return l->phase == PHASE_LEAD && !l->has_heading && !l->is_doubtful &&
					       !is_second_cause(t, l)
				       ? l
				       : NULL;
	}
	return NULL;
}

static void take_heading(struct taken *t, struct level *l)
{
	struct nmibt_printout *printout = nmibt_log_printout(t->log, l->printout);

	while (nmibt_top_level(t->s) != l)
		nmibt_pop(t, END_WENT_ON);
	nmibt_level_put(t, l);
	l->has_heading = t->p.kind == NMIBT_PRINT_OOPS;
	l->strangers = 0;
	if (printout && l->has_heading)
		printout->kind = NMIBT_PRINT_OOPS;
}

static void take_first_line(struct taken *t)
{
	bool is_oops = t->p.kind == NMIBT_PRINT_OOPS || t->p.kind == NMIBT_PRINT_OOPS_CAUSE;
	struct level *l = is_oops ? find_oops(t) : NULL;

	if (l) {
		take_heading(t, l);
		return;
	}
	nmibt_doubt_lead(t, t->p.kind);
	/* From a panic nobody comes back. */
	if (t->p.kind == NMIBT_PRINT_PANIC)
		nmibt_pop_all(t);
	nmibt_end_printouts(t);
	l = nmibt_begin_printout(t, t->p.kind, PHASE_LEAD);
	if (!l)
		return;
	if (is_oops)
		l->kind = NMIBT_PRINT_OOPS;
	l->has_heading = t->p.kind == NMIBT_PRINT_OOPS;
	if (t->p.kind == NMIBT_PRINT_PANIC)
		t->b->panic = l->printout;
	nmibt_learn_reporter(t, l->printout, nmibt_cpu_of_caller(t->line->caller_id));
	nmibt_level_put(t, l);
}

static void take_end_of_panic(struct taken *t)
{
	uint64_t number = nmibt_current_printout(t->s);
	struct nmibt_printout *printout = nmibt_log_printout(t->log, number);

	if (printout && printout->kind == NMIBT_PRINT_PANIC)
		nmibt_touch_printout(t, number);
	nmibt_pop_all(t);
	nmibt_take_event(t);
}

/* The panic has no trace: the CPU that it came from printed one before it. */
static void take_moved(struct taken *t)
{
	uint64_t number = nmibt_current_printout(t->s);
	struct nmibt_printout *printout = nmibt_log_printout(t->log, number);

	if (!printout || printout->kind != NMIBT_PRINT_PANIC)
		return;
	printout->is_moved = true;
	printout->moved_from = t->p.cpu;
	nmibt_touch_printout(t, number);
}

/* ---------------------------------------------------------------------- a line */

static void take_kind(struct taken *t)
{
	switch (t->p.kind) {
	case NMIBT_PRINT_REQUEST:
		nmibt_take_request(t);
		break;
	case NMIBT_PRINT_SYSRQ_REQUEST:
		nmibt_take_sysrq_request(t);
		break;
	case NMIBT_PRINT_TITLE:
	case NMIBT_PRINT_SKIPPED:
	case NMIBT_PRINT_SYSRQ_TITLE:
	case NMIBT_PRINT_SYSRQ_SKIPPED:
		nmibt_take_title(t);
		break;
	case NMIBT_PRINT_STOPPING:
		nmibt_take_stopping(t);
		break;
	case NMIBT_PRINT_TASK_DUMP:
		nmibt_leave_trace(t, false);
		break;
	case NMIBT_PRINT_CUT_HERE:
		nmibt_leave_trace(t, true);
		break;
	case NMIBT_PRINT_END_PANIC:
		take_end_of_panic(t);
		break;
	case NMIBT_PRINT_MOVED:
		take_moved(t);
		break;
	case NMIBT_PRINT_CPU_ONLINE:
	case NMIBT_PRINT_CPU_OFFLINE:
		nmibt_take_hotplug(t);
		break;
	case NMIBT_PRINT_HUNG_SUPPRESSED:
		nmibt_take_event(t);
		take_part(t);
		break;
	default:
		if (nmibt_is_event(t->p.kind))
			nmibt_take_event(t);
		else if (t->p.kind >= NMIBT_PRINT_PANIC && t->p.kind <= NMIBT_PRINT_WARNING)
			take_first_line(t);
		else
			take_part(t);
	}
}

/* True: it is the first line of the CPU since the log begins or since records were lost, and lines
 * before it may be missing. */
static bool is_first_since(struct taken *t)
{
	uint32_t cpu = nmibt_cpu_of_caller(t->line->caller_id);

	if (cpu == NMIBT_NO_CPU)
		return false;
	uint64_t seen = t->b->cpus[cpu].seen;
	t->b->cpus[cpu].seen = t->line->nr_gaps + 1;
	return seen ? seen <= t->line->nr_gaps : t->log->is_wrapped || t->line->nr_gaps;
}

/* Between its own title and the request the asking CPU prints nothing else. */
static void forget_own_title(struct taken *t)
{
	struct stream *s = t->s;

	if (s && s->own_title && t->log->traces[s->own_title - 1].last_seq < t->line->last_seq)
		s->own_title = 0;
}

/* Of these the kernel prints some in several lines at once: "Kernel panic - not syncing: HYP
 * panic:" and its registers (arch/arm64/kvm/handle_exit.c: nvhe_hyp_panic_handler(), 6.12), "BUG:
 * workqueue leaked atomic, ..." (kernel/workqueue.c: process_one_work(), 6.12). Others hold what
 * may have a newline in it: names, a command line. */
static bool may_have_more(enum nmibt_print kind)
{
	switch (kind) {
	case NMIBT_PRINT_OTHER:
	case NMIBT_PRINT_PANIC:
	case NMIBT_PRINT_END_PANIC:
	case NMIBT_PRINT_SOFT_LOCKUP:
	case NMIBT_PRINT_WARNING:
	case NMIBT_PRINT_CPU:
	case NMIBT_PRINT_HARDWARE:
	case NMIBT_PRINT_REGISTER:
	case NMIBT_PRINT_COMMAND_LINE:
		return true;
	default:
		return false;
	}
}

/*
 * A line as the kernel prints it, but only because a newline is where it is; that may be of a name:
 * a task's, a USB device's. Within a record no kernel begins a line with one of the forms of
 * lib/text that nmibt concludes anything from (6.1, 6.12).
 */
static bool is_made_up(const struct taken *t)
{
	if (t->line->is_inner)
		return t->p.kind != NMIBT_PRINT_OTHER;
	return t->line->has_more && !may_have_more(t->p.kind);
}

/* A line in the middle of a record belongs where the line before it was put. */
static void take_inner(struct taken *t)
{
	struct level *l = nmibt_top_level(t->s);

	if (l && l->text.len && l->last_seq == t->line->first_seq)
		nmibt_level_put(t, l);
}

/* True: the backtrace that the line is in is read again, and knows then where the line is cut. */
static bool may_be_cut(enum nmibt_print kind)
{
	return kind == NMIBT_PRINT_FRAME || kind == NMIBT_PRINT_STACK_MARK ||
	       kind == NMIBT_PRINT_REGISTER || kind == NMIBT_PRINT_PC;
}

static struct nmibt_str without_last_word(struct nmibt_str s)
{
	while (s.len && isalnum((unsigned char)s.s[s.len - 1]))
		s.len--;
	return s;
}

/* Recognises what is known of the line. Where it is cut its last word may go on: "cpu 1" may be of
 * "cpu 12". */
static void recognise_line(struct taken *t)
{
	const struct nmibt_log_line *line = t->line;
	const bool *unknown = line->known ? memchr(line->known, false, line->len) : NULL;
	struct nmibt_str text = {line->text, unknown ? (size_t)(unknown - line->known) : line->len};

	t->is_cut = unknown || line->missing;
	nmibt_recognise(t->b->arch, text, &t->p);
	if ((t->is_cut || line->is_torn) && !may_be_cut(t->p.kind))
		nmibt_recognise(t->b->arch, without_last_word(text), &t->p);
}

/* Nobody knows what a line was of which only the beginning is left: it is a gap. */
static void take_cut(struct taken *t)
{
	if (!t->is_cut || t->p.kind != NMIBT_PRINT_OTHER)
		return;
	t->b->nr_gaps++;
	nmibt_log_add_gap(t->log, &(struct nmibt_log_gap){.after_seq = t->line->seq,
							  .before_seq = t->line->seq + 1});
}

void nmibt_log_take_line(struct nmibt_log_source *log, const struct nmibt_log_line *line)
{
	struct taken t; /* without zeros: recognise_line() clears what is large in it */

	t.log = log;
	t.b = log->builder;
	t.line = line;
	t.s = nmibt_stream_find(t.b, line->caller_id);
	t.is_first = false;
	recognise_line(&t);
	if (t.is_cut)
		log->unread_seq = line->seq;
	if (line->is_inner || is_made_up(&t)) {
		if (t.s)
			t.s->last_seq = line->last_seq;
		if (!is_made_up(&t))
			take_inner(&t);
		return;
	}
	if (t.p.kind == NMIBT_PRINT_DROPPED) {
		nmibt_take_dropped(&t);
		return;
	}
	nmibt_take_machine(&t);
	see_caller(&t);
	t.is_first = is_first_since(&t);
	if (t.s && t.s->doubt_left)
		t.s->doubt_left--;
	take_kind(&t);
	nmibt_see_title(&t);
	if (t.s)
		t.s->last_seq = line->last_seq;
	forget_own_title(&t);
	take_cut(&t);
}
