// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Printouts, requests and traces from the records of a log: any records, gaps between them, and
 * kernel texts in any order. The results must satisfy the comments of the tables.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "source/printouts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NEWLINE 2
#define CONT 8

/* % stands for a CPU number. */
static const char *const lines[] = {
	"NMI backtrace for cpu %",
	"NMI backtrace for cpu % skipped: idling at pv_native_safe_halt+0xf/0x20",
	"Sending NMI from CPU % to CPUs 0,2-7:",
	"Sending NMI from CPU 1 to CPUs %",
	"CPU: % UID: 0 PID: 118 Comm: spin Not tainted 6.12.117",
	"CPU: % PID: 0 Comm: swapper/% Kdump: loaded Tainted: G           O      5.10.0",
	"Hardware name: linux,dummy-virt (DT)",
	"Tainted: [O]=OOT_MODULE",
	"RIP: 0010:delay_tsc+0x2e/0x50",
	" <IRQ>",
	" </IRQ>",
	" el0t_64_sync+0x160/0x164",
	" ret_from_fork+0x10/0x20",
	"sysrq: Show backtrace of all active CPUs",
	"sysrq: CPU%:",
	"CPU%: backtrace skipped as idling",
	"CPU%: stopping",
	"sending NMI to all CPUs:",
	"task:spin state:D stack:0 pid:118 tgid:118 ppid:2 flags:0x0",
	"INFO: task dd:201 blocked for more than 122 seconds.",
	"rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
	"rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { %-...D } 21 jiffies",
	"rcu: \t%-....: (1 GPs behind) idle=5d2c/1/0x40 softirq=1/2 fqs=3",
	"smp: csd: Detected non-responsive CSD lock (#1) on CPU#2, waiting 5 ns for CPU#% f",
	"SMP: failed to stop secondary CPUs 0-1,%",
	"** % printk messages dropped **",
	"Linux version 6.12",
	"PM: suspend entry (deep)",
	"RIP: 0033:0x53a206",
	"Code: 24 10 41 <ff> c6",
	"RSP: 0018:ffffc900001a7ee0 EFLAGS: 00000046",
	"FS:  00000000370b7400 GS:  0000000000000000",
	"pstate: 810000c5 (Nzcv daIF)",
	"pstate: 60000000 (nZCv daif)",
	"pc : __delay+0x2c/0xa0",
	"sp : ffff0000013dbe00",
	"x2 : 0000000000000003 x1 : ffff0000013dbe00",
	" x0 : 00000000085f63b9",
	"Call Trace:",
	"Call trace:",
	" <TASK>",
	" spin_fn+0x55/0x70 [spin]",
	" ? kthread+0xd8/0x110",
	" </TASK>",
	"Modules linked in: spin(OE)",
	"---[ end trace 0000000000000000 ]---",
	"------------[ cut here ]------------",
	"WARNING: CPU: % PID: 1 at kernel/sched/core.c:1 sched_fn+0x1a/0x30",
	"BUG: kernel NULL pointer dereference, address: 0000000000000018",
	"Oops: Oops: 0000 [#1] PREEMPT SMP PTI",
	"Kernel panic - not syncing: Fatal exception",
	"---[ end Kernel panic - not syncing: Fatal exception ]---",
	"sysrq: Trigger a crash",
	"watchdog: BUG: soft lockup - CPU#% stuck for 22s! [spin:118]",
	"watchdog: Watchdog detected hard LOCKUP on cpu %",
	"rcu: INFO: rcu_preempt self-detected stall on CPU",
	"INFO: NMI handler (nmi_cpu_backtrace_handler) took too long to run: 28.515 msecs",
	"",
};

static const char *const cpus[] = {"0", "1", "2",    "3",    "4",      "7",	  "63", "512",
				   "-", "x", "8191", "8192", "0-8191", "3,1-2,9", "0-", "5-4"};

struct input {
	const uint8_t *data;
	size_t size;
	enum nmibt_arch arch;
	uint64_t seq, ts_ns; /* of the next record */
	size_t nr_bytes; /* of all texts, each with a newline */
	bool has_gap;
	struct nmibt_log_source *log;
};

static void check(bool is_so)
{
	if (!is_so)
		abort();
}

/* ----------------------------------------------------------------- the records */

static uint8_t take_byte(struct input *in)
{
	if (!in->size)
		return 0;
	in->size--;
	return *in->data++;
}

/* Returns the length. behind: number of random bytes behind the line. */
static size_t make_text(struct input *in, const char *line, const char *cpu, size_t behind,
			char buf[512])
{
	size_t len = 0;

	for (; *line; line++) {
		size_t part = *line == '%' ? strlen(cpu) : 1;

		memcpy(buf + len, *line == '%' ? cpu : line, part);
		len += part;
	}
	for (; behind && in->size; behind--)
		buf[len++] = take_byte(in);
	return len;
}

/* Interrupts of CPUs, tasks, and tasks whose numbers have the same lower bits; nobody knows. */
static uint32_t caller_of(uint8_t byte)
{
	if (byte >= 0xf0)
		return NMIBT_NO_CALLER;
	return byte & 0x80 ? 0x80000000 + byte % 16 : byte & 0x40 ? byte << 16 : byte % 16;
}

static uint64_t time_step(uint8_t byte)
{
	if (byte == 0xff)
		return UINT64_C(3000000000);
	/* This CPU's clock is behind. */
	if (byte == 0xfe)
		return -UINT64_C(1000000);
	return byte * UINT64_C(1000000);
}

static void lose(struct input *in, uint8_t byte)
{
	if (byte < 0xf0)
		return;
	in->has_gap = true;
	if (byte < 0xf8)
		in->seq += byte & 7;
	else
		nmibt_log_source_lose(in->log, byte & 7);
}

static void visit_record(struct input *in)
{
	uint8_t what = take_byte(in), caller = take_byte(in), time = take_byte(in);
	uint8_t more = take_byte(in);
	size_t line = what % 64;
	char buf[512];

	lose(in, time);
	in->ts_ns += time_step(time);
	size_t len = make_text(in, line < ARRAY_SIZE(lines) ? lines[line] : "", cpus[more % 16],
			       caller & 0x10 || line >= ARRAY_SIZE(lines) ? more / 4 : 0, buf);
	/* The text is allocated for itself, so that a sanitizer sees reads beyond it. */
	char *text = malloc(len ? len : 1);
	check(text);
	memcpy(text, buf, len);
	struct nmibt_log_record record = {
		.seq = in->seq++,
		.ts_ns = in->ts_ns,
		.caller_id = caller_of(caller),
		.flags = (what & 0x40 ? CONT : 0) | (what & 0x80 ? 0 : NEWLINE),
		.facility = more == 0xff,
		.text = text,
		.len = len,
		.missing = caller & 0x20 ? more % 8 : 0,
	};
	in->nr_bytes += len + record.missing + 2;
	nmibt_log_source_visit(in->log, &record);
	free(text);
}

/* -------------------------------------------------------------------- the tables */

static void check_cpus(const struct nmibt_cpus *set)
{
	unsigned int count = 0;

	for (size_t i = 0; i < set->nr; i++) {
		check(set->ranges[i].first <= set->ranges[i].last);
		check(set->ranges[i].last < NMIBT_MAX_CPUS);
		check(!i || set->ranges[i - 1].last + 1 < set->ranges[i].first);
		check(nmibt_cpus_has(set, set->ranges[i].first));
		check(!nmibt_cpus_has(set, set->ranges[i].last + 1));
		count += set->ranges[i].last - set->ranges[i].first + 1;
	}
	check(count == nmibt_cpus_count(set));
}

static void check_trace(const struct nmibt_log_source *log, const struct nmibt_log_trace *trace)
{
	check(trace->cpu < NMIBT_MAX_CPUS || trace->cpu == NMIBT_NO_CPU);
	check((trace->cpu == NMIBT_NO_CPU) == (trace->kind == NMIBT_EVIDENCE_TASK));
	check(trace->first_seq <= trace->last_seq);
	check(trace->printout <= log->nr_printouts && trace->request <= log->nr_requests);
	/* Each line has its newline, and there is one. */
	check(trace->len && trace->raw[trace->len - 1] == '\n');
	if (trace->wrong & NMIBT_WRONG_HEADLESS)
		check(trace->kind == NMIBT_EVIDENCE_OWN && !trace->printout && !trace->request);
	if (trace->wrong & NMIBT_WRONG_CUT)
		check(!trace->has_ended);
	if (!trace->request)
		return;
	const struct nmibt_request *request = &log->requests[trace->request - 1];
	check(request->all || request->by_cpu == trace->cpu ||
	      nmibt_cpus_has(&request->asked, trace->cpu));
	check(request->printout == trace->printout);
}

static void check_traces(struct input *in)
{
	const struct nmibt_log_source *log = in->log;
	size_t nr_bytes = 0;

	for (size_t i = 0; i < log->nr_traces; i++) {
		const struct nmibt_log_trace *trace = &log->traces[i];
		struct nmibt_evidence evidence;

		check_trace(log, trace);
		for (size_t j = 0; j < trace->len; j++)
			nr_bytes += trace->known[j];
		check(in->has_gap || !trace->lost_records);
		check(!nmibt_read_log_trace(log, in->arch, i, &evidence));
		check(evidence.cpu == trace->cpu && evidence.kind == trace->kind);
		nmibt_evidence_destroy(&evidence);
	}
	/* No line belongs to two traces. */
	check(nr_bytes <= in->nr_bytes);
}

/* Each trace is in the chain of its CPU once, the newest first. */
static void check_chains(const struct nmibt_log_source *log)
{
	size_t count = 0, nr = 0;

	for (unsigned int cpu = 0; cpu < NMIBT_MAX_CPUS; cpu++) {
		size_t newer = log->nr_traces + 1;

		for (size_t i = log->newest[cpu]; i; i = log->traces[i - 1].older) {
			check(i < newer && log->traces[i - 1].cpu == cpu);
			newer = i;
			count++;
		}
	}
	for (size_t i = 0; i < log->nr_traces; i++)
		nr += log->traces[i].cpu != NMIBT_NO_CPU;
	check(count == nr);
}

static void check_tables(const struct nmibt_log_source *log)
{
	for (size_t i = 0; i < log->nr_printouts; i++) {
		const struct nmibt_printout *p = &log->printouts[i];

		check(p->first_seq <= p->last_seq && p->message);
		check(!i || log->printouts[i - 1].first_seq <= p->first_seq);
		check_cpus(&p->cpus);
	}
	for (size_t i = 0; i < log->nr_requests; i++) {
		const struct nmibt_request *r = &log->requests[i];

		check(!i || log->requests[i - 1].seq <= r->seq);
		check(r->printout <= log->nr_printouts);
		check_cpus(&r->asked);
	}
	for (size_t i = 0; i < log->nr_events; i++) {
		check(!i || log->events[i - 1].seq <= log->events[i].seq);
		check(log->events[i].message);
		check_cpus(&log->events[i].cpus);
	}
	for (size_t i = 1; i < log->nr_gaps; i++)
		check(log->gaps[i - 1].after_seq <= log->gaps[i].after_seq);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {.data = data, .size = size, .ts_ns = 1000000000};
	uint8_t options = take_byte(&in);

	in.arch = options & 1 ? NMIBT_ARCH_ARM64 : NMIBT_ARCH_X86_64;
	in.seq = options & 2 ? 1000 : 0;
	check(!nmibt_log_source_new(in.arch, &in.log));
	while (in.size >= 4)
		visit_record(&in);
	check(!nmibt_log_source_finish(in.log));
	in.has_gap |= in.log->nr_gaps > 0;
	check_traces(&in);
	check_chains(in.log);
	check_tables(in.log);
	nmibt_log_source_close(in.log);
	return 0;
}
