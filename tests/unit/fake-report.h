/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A report from fake sources, for tests of the rule: the tables of a log, entry by entry, and crash
 * notes. The pc of a note names the chain of functions that the unwinder finds.
 */
#ifndef FAKE_REPORT_H
#define FAKE_REPORT_H

#include "fake-evidence.h"
#include "report/report.h"

#define FR_CPUS 6
#define FR_IRQ(cpu) (UINT32_C(0x80000000) + (cpu)) /* caller_id of an NMI or interrupt on cpu */
#define FR_SECOND UINT64_C(1000000000)

#define FR_PC UINT64_C(0xffffffff81000000) /* CPU 0's; that of each next CPU is 0x100 higher */
#define FR_USER_PC UINT64_C(0x400000)
#define FR_NOTES UINT64_C(0xffff888000001000)
#define FR_STRIDE 0x1000

struct fake_report {
	struct nmibt_image image;
	struct nmibt_image_ops ops;
	char note[FR_CPUS][512];
	enum nmibt_read note_status[FR_CPUS];
	const char *chain[FR_CPUS];
	enum nmibt_stack_end end[FR_CPUS]; /* of the unwound stack */
	uint64_t now; /* ns: time of the log's next entry */
	uint64_t seq; /* number of the log's next record */
	struct nmibt_log_source *log; /* the report's; NULL: none */
	struct nmibt_report *report;
};

/* --------------------------------------------------------------- callbacks */

static inline enum nmibt_read fr_read_virt(void *ctx, uint64_t vaddr, void *buf, size_t len)
{
	struct fake_report *f = ctx;
	uint64_t cpu = (vaddr - FR_NOTES) / FR_STRIDE, at = (vaddr - FR_NOTES) % FR_STRIDE;

	if (vaddr < FR_NOTES || cpu >= FR_CPUS || at + len > sizeof(f->note[cpu]))
		return NMIBT_READ_ERROR;
	memcpy(buf, f->note[cpu] + at, len);
	return f->note_status[cpu];
}

static inline struct nmibt_error *fr_unwind(void *ctx, struct nmibt_kernel *kernel,
					    const struct nmibt_regs *regs, struct nmibt_stack *ret)
{
	struct fake_report *f = ctx;
	uint64_t cpu = (regs->value[nmibt_reg_names(f->image.arch)->pc] - FR_PC) / 0x100;

	(void)kernel;
	if (cpu >= FR_CPUS)
		return nmibt_error_create(NMIBT_ERR_NOTHING, "no way to unwind");
	*ret = fe_stack(f->chain[cpu], f->end[cpu]);
	return NULL;
}

/* ------------------------------------------------------------------- the kernel */

/* There are CPUs 0 to 5, no panic, and an empty log. */
static inline struct fake_report *fr_new(void)
{
	struct fake_report *f = calloc(1, sizeof(*f));
	assert(f);
	f->ops = (struct nmibt_image_ops){.read_virt = fr_read_virt, .unwind = fr_unwind};
	f->image = (struct nmibt_image){
		.ops = &f->ops, .ctx = f, .arch = NMIBT_ARCH_X86_64, .page_size = 4096};
	f->now = 100 * FR_SECOND;
	f->report = calloc(1, sizeof(*f->report));
	assert(f->report);
	f->report->complete = true;
	f->report->sources = calloc(1, sizeof(*f->report->sources));
	assert(f->report->sources);
	struct nmibt_error *err = nmibt_kernel_open(&f->image, &f->report->kernel);
	assert(!err);
	f->report->sources->follower.kernel = f->report->kernel;

	struct nmibt_percpu *p = calloc(1, sizeof(*p));
	assert(p);
	*p = (struct nmibt_percpu){.nr = FR_CPUS,
				   .possible = calloc(FR_CPUS, sizeof(bool)),
				   .offsets = calloc(FR_CPUS, sizeof(uint64_t)),
				   .known = calloc(FR_CPUS, sizeof(bool)),
				   .panic_cpu = -1,
				   .redirected_from = -1,
				   .crash_notes = FR_NOTES};
	for (unsigned int cpu = 0; cpu < FR_CPUS; cpu++) {
		p->possible[cpu] = p->known[cpu] = true;
		p->offsets[cpu] = cpu * FR_STRIDE;
		f->end[cpu] = NMIBT_END_COMPLETE;
	}
	f->report->kernel->percpu = p;
	f->report->kernel->tried[NMIBT_PART_PERCPU] = true;
	f->report->sources->percpu = p;
	f->log = calloc(1, sizeof(*f->log));
	assert(f->log);
	f->report->sources->log = f->log;
	return f;
}

static inline void fr_free(struct fake_report *f)
{
	nmibt_report_close(f->report);
	free(f);
}

static inline void fr_panic_cpu(struct fake_report *f, int cpu)
{
	f->report->kernel->percpu->panic_cpu = cpu;
}

/* ------------------------------------------------------------------- the stop */

/* The CPU saved its registers while it ran this task in this chain; chain NULL: in user mode. */
static inline void fr_stop(struct fake_report *f, unsigned int cpu, int32_t pid, const char *chain)
{
	const struct nmibt_reg_names *names = nmibt_reg_names(f->image.arch);
	uint32_t header[3] = {5, 112 + names->nr * 8 + 8, 1};
	uint64_t regs[NMI_CAPTURE_MAX_REGS] = {0};

	f->chain[cpu] = chain;
	regs[names->pc] = chain ? FR_PC + cpu * 0x100 : FR_USER_PC;
	regs[names->sp] = FE_SP;
	regs[17] = chain ? 0x10 : 0x33; /* cs */
	memset(f->note[cpu], 0, sizeof(f->note[cpu]));
	memcpy(f->note[cpu], header, sizeof(header));
	memcpy(f->note[cpu] + 12, "CORE", 5);
	memcpy(f->note[cpu] + 20 + 32, &pid, sizeof(pid));
	memcpy(f->note[cpu] + 20 + 112, regs, names->nr * 8);
	f->report->was_stopped = true;
}

/* -------------------------------------------------------------------- the log */

/* Adds an entry, filled with 0, to a table of the log. */
#define FR_ADD(f, table, nr)                                                                       \
	(f->log->table = reallocarray(f->log->table, f->log->nr + 1, sizeof(*f->log->table)),      \
	 assert(f->log->table), memset(&f->log->table[f->log->nr], 0, sizeof(*f->log->table)),     \
	 &f->log->table[f->log->nr++])

static inline void fr_pass(struct fake_report *f, double seconds)
{
	f->now += (uint64_t)(int64_t)(seconds * 1e9);
}

/* Adds a record; returns its number. */
static inline uint64_t fr_record(struct fake_report *f)
{
	f->log->last_seq = f->seq;
	f->log->last_ns = f->now;
	f->log->nr_records++;
	return f->seq++;
}

static inline void fr_add_cpu(struct nmibt_cpus *cpus, unsigned int cpu)
{
	cpus->ranges = reallocarray(cpus->ranges, cpus->nr + 1, sizeof(*cpus->ranges));
	assert(cpus->ranges);
	cpus->ranges[cpus->nr++] = (struct nmibt_cpu_range){cpu, cpu};
}

/* A set of CPUs first to last, as one range. */
static inline struct nmibt_cpus fr_cpus(unsigned int first, unsigned int last)
{
	struct nmibt_cpus cpus = {0};

	fr_add_cpu(&cpus, first);
	cpus.ranges[0].last = last;
	return cpus;
}

/* Adds a printout; returns its index + 1. */
static inline size_t fr_printout(struct fake_report *f, enum nmibt_print kind, uint32_t caller,
				 unsigned int reporter, const char *message)
{
	struct nmibt_printout *p = FR_ADD(f, printouts, nr_printouts);

	*p = (struct nmibt_printout){
		.kind = kind,
		.caller_id = caller,
		.reporter = reporter,
		.begun_ns = f->now,
		.ended_ns = f->now,
		.has_ended = true,
		.message = strdup(message),
	};
	assert(p->message);
	p->first_seq = p->last_seq = fr_record(f);
	return f->log->nr_printouts;
}

static inline size_t fr_panic(struct fake_report *f, uint32_t caller, unsigned int reporter,
			      const char *words)
{
	char message[160];

	snprintf(message, sizeof(message), "Kernel panic - not syncing: %s", words);
	return fr_printout(f, NMIBT_PRINT_PANIC, caller, reporter, message);
}

/* Adds a lockup or a stall of one CPU. seconds: how long it was stuck; 0: not printed. */
static inline size_t fr_lockup(struct fake_report *f, enum nmibt_print kind, uint32_t caller,
			       unsigned int reporter, unsigned int cpu, uint64_t seconds)
{
	size_t i = fr_printout(f, kind, caller, reporter, "a lockup");
	struct nmibt_printout *p = &f->log->printouts[i - 1];

	p->cpus = fr_cpus(cpu, cpu);
	p->has_seconds = seconds;
	p->seconds = seconds;
	return i;
}

static inline size_t fr_hung_task(struct fake_report *f, uint32_t caller, int32_t pid,
				  uint64_t seconds)
{
	size_t i = fr_printout(f, NMIBT_PRINT_HUNG_TASK, caller, NMIBT_NO_CPU, "a hung task");
	struct nmibt_printout *p = &f->log->printouts[i - 1];

	p->task = (struct nmibt_task){.known = true, .pid = pid, .comm = "dd"};
	p->has_seconds = true;
	p->seconds = seconds;
	return i;
}

/* Adds a request to CPUs first to last; returns its index + 1. */
static inline size_t fr_request(struct fake_report *f, uint32_t caller, unsigned int by,
				unsigned int first, unsigned int last, size_t printout)
{
	struct nmibt_request *r = FR_ADD(f, requests, nr_requests);

	*r = (struct nmibt_request){
		.ts_ns = f->now,
		.caller_id = caller,
		.by_cpu = by,
		.asked = fr_cpus(first, last),
		.printout = printout,
	};
	r->seq = fr_record(f);
	return f->log->nr_requests;
}

static inline void fr_event(struct fake_report *f, enum nmibt_print kind)
{
	struct nmibt_log_event *e = FR_ADD(f, events, nr_events);

	*e = (struct nmibt_log_event){.kind = kind, .ts_ns = f->now, .message = strdup("an event")};
	assert(e->message);
	e->seq = fr_record(f);
}

/* nr records after the newest one are lost. */
static inline void fr_gap(struct fake_report *f, uint64_t nr)
{
	struct nmibt_log_gap *gap = FR_ADD(f, gaps, nr_gaps);

	*gap = (struct nmibt_log_gap){f->log->last_seq, f->seq + nr, nr};
	f->seq += nr;
}

/* Adds a backtrace of complete lines; returns its index + 1. */
static inline size_t fr_trace(struct fake_report *f, unsigned int cpu,
			      enum nmibt_evidence_kind kind, size_t printout, size_t request,
			      const char *raw)
{
	struct nmibt_log_trace *t = FR_ADD(f, traces, nr_traces);

	*t = (struct nmibt_log_trace){
		.cpu = kind == NMIBT_EVIDENCE_TASK ? NMIBT_NO_CPU : cpu,
		.kind = kind,
		.caller_id = FR_IRQ(cpu),
		.printout = printout,
		.request = request,
		.begun_ns = f->now,
		.ended_ns = f->now,
		.has_ended = true,
		.len = strlen(raw),
		.raw = strdup(raw),
		.known = malloc(strlen(raw) + 1),
	};
	assert(t->raw && t->known);
	memset(t->known, true, t->len);
	t->first_seq = t->last_seq = fr_record(f);
	if (t->cpu != NMIBT_NO_CPU) {
		t->older = f->log->newest[cpu];
		f->log->newest[cpu] = f->log->nr_traces;
	}
	return f->log->nr_traces;
}

/* ------------------------------------------------------------------ the report */

static inline struct nmibt_error *fr_try(struct fake_report *f)
{
	f->log->first_seq = 0;
	return nmibt_report_conclude(f->report);
}

static inline void fr_open(struct fake_report *f)
{
	struct nmibt_error *err = fr_try(f);

	if (err)
		fprintf(stderr, "no report: %s\n", err->message);
	assert(!err);
}

#endif /* FAKE_REPORT_H */
