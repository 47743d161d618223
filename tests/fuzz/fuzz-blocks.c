// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Backtraces out of any log, and what the report makes of them.
 *
 * The input is a list of records, each of four bytes and of what text they want: a line
 * that kernels print, with any CPU in it, and bytes of the input behind it. What comes
 * out is compared with the records that it says it is made of.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "report/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NEWLINE 2
#define CONT 8

/* % is a CPU. */
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

struct record {
	uint32_t caller_id;
	unsigned int flags;
	uint64_t ts_ns;
	char *text;
	size_t len, missing;
	size_t next; /* of the same caller; 0: none */
	bool used;
};

struct input {
	const uint8_t *data;
	size_t size;
	struct record *records;
	size_t nr;
	uint64_t first_seq;
	struct nmibt_blocks *blocks;
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

/* In memory of its own, so that reads beyond it are seen. */
static void make_text(struct input *in, const char *line, const char *cpu, size_t behind,
		      struct record *ret)
{
	char buf[256];
	size_t len = 0;

	for (; *line; line++) {
		size_t part = *line == '%' ? strlen(cpu) : 1;

		memcpy(buf + len, *line == '%' ? cpu : line, part);
		len += part;
	}
	for (; behind && in->size; behind--)
		buf[len++] = take_byte(in);
	ret->len = len;
	ret->text = malloc(len ? len : 1);
	check(ret->text);
	memcpy(ret->text, buf, len);
}

/* Interrupts of CPUs, tasks, and tasks whose numbers have the same lower bits. */
static uint32_t caller_of(uint8_t byte)
{
	return byte & 0x80 ? 0x80000000 + byte % 16 : byte & 0x40 ? byte << 16 : byte % 16;
}

static uint64_t time_step(uint8_t byte)
{
	if (byte == 0xff)
		return UINT64_C(3000000000);
	/* A clock that is behind. */
	if (byte == 0xfe)
		return -UINT64_C(1000000);
	return byte * UINT64_C(1000000);
}

static void make_record(struct input *in, uint64_t *ts_ns, struct record *ret)
{
	uint8_t what = take_byte(in), caller = take_byte(in), time = take_byte(in);
	uint8_t more = take_byte(in);
	size_t line = what % 64;

	*ts_ns += time_step(time);
	*ret = (struct record){
		.caller_id = caller_of(caller),
		.flags = (what & 0x40 ? CONT : 0) | (what & 0x80 ? 0 : NEWLINE),
		.ts_ns = *ts_ns,
		.missing = caller & 0x20 ? more % 8 : 0,
	};
	make_text(in, line < ARRAY_SIZE(lines) ? lines[line] : "", cpus[more % 16],
		  caller & 0x10 || line >= ARRAY_SIZE(lines) ? more / 4 : 0, ret);
}

static void make_records(struct input *in)
{
	uint64_t ts_ns = 1000000000;

	in->first_seq = take_byte(in) % 2 * 1000;
	in->records = calloc(in->size / 4 + 1, sizeof(*in->records));
	check(in->records);
	while (in->size >= 4)
		make_record(in, &ts_ns, &in->records[in->nr++]);
	/* By caller: 16 of interrupts, 16 of tasks, 64 of others. */
	size_t of_caller[96] = {0};
	for (size_t i = in->nr; i-- > 0;) {
		uint32_t id = in->records[i].caller_id;
		size_t *next = &of_caller[id >> 31   ? id % 16
					  : id >> 16 ? 32 + (id >> 16) % 64
						     : 16 + id];

		in->records[i].next = *next;
		*next = i;
	}
}

static void visit_all(struct input *in)
{
	check(!nmibt_blocks_new(&in->blocks));
	for (size_t i = 0; i < in->nr; i++) {
		const struct record *from = &in->records[i];
		struct nmibt_log_record record = {
			.seq = in->first_seq + i,
			.ts_ns = from->ts_ns,
			.caller_id = from->caller_id,
			.flags = from->flags,
			.text = from->text,
			.len = from->len,
			.missing = from->missing,
		};

		nmibt_blocks_visit(in->blocks, &record);
	}
	check(!nmibt_blocks_finish(in->blocks));
	check(in->blocks->nr_records == in->nr);
}

/* ------------------------------------------------------------------- the blocks */

/* Bytes of the block, compared one after the other. */
struct cursor {
	const struct nmibt_block *block;
	size_t at;
	bool is_open;
};

static void expect(struct cursor *c, const char *bytes, size_t len, bool known)
{
	check(len <= c->block->len - c->at);
	for (size_t i = 0; i < len; i++, c->at++)
		check(c->block->known[c->at] == known &&
		      (!known || c->block->raw[c->at] == bytes[i]));
}

static void expect_record(struct cursor *c, const struct record *record)
{
	if (c->is_open && !(record->flags & CONT))
		expect(c, "\n", 1, true);
	expect(c, record->text, record->len, true);
	expect(c, NULL, record->missing, false);
	c->is_open = !(record->flags & NEWLINE);
	if (!c->is_open)
		expect(c, "\n", 1, true);
}

/* All records of its caller from the first to the last, each of no other block. */
static void check_block(struct input *in, const struct nmibt_block *block)
{
	size_t first = block->first_seq - in->first_seq, last = block->last_seq - in->first_seq;
	struct cursor c = {.block = block};

	check(first <= last && last < in->nr);
	check(block->caller_id == in->records[first].caller_id);
	check(block->begun_ns == in->records[first].ts_ns);
	check(block->ended_ns == in->records[last].ts_ns);
	check(!block->is_headless || in->first_seq);
	for (size_t i = first;; i = in->records[i].next) {
		check(!in->records[i].used);
		in->records[i].used = true;
		expect_record(&c, &in->records[i]);
		if (i == last)
			break;
		check(in->records[i].next && in->records[i].next <= last);
	}
	check(c.at == block->len);
}

/* Each is once in the chain of its CPU, the newest first. */
static void check_chains(const struct nmibt_blocks *b)
{
	size_t count = 0;

	for (unsigned int cpu = 0; cpu < NMIBT_MAX_CPUS; cpu++) {
		size_t newer = b->nr + 1;

		for (size_t i = b->newest[cpu]; i; i = b->blocks[i - 1].older) {
			check(i < newer && b->blocks[i - 1].cpu == cpu);
			newer = i;
			count++;
		}
	}
	check(count == b->nr);
}

static void check_requests(const struct nmibt_blocks *b)
{
	uint64_t newest = b->requests_dropped + b->nr_requests;

	for (size_t i = 0; i < b->nr_requests; i++) {
		const struct nmibt_request *request = &b->requests[i];
		unsigned int count = 0;

		for (size_t byte = 0; byte < sizeof(request->asked); byte++)
			count += __builtin_popcount(request->asked[byte]);
		check(count == request->nr_asked && request->by_cpu < NMIBT_MAX_CPUS);
		check(nmibt_block_request(b, b->requests_dropped + i + 1) == request);
	}
	check(!nmibt_block_request(b, 0) && !nmibt_block_request(b, newest + 1));
	for (size_t i = 0; i < b->nr; i++)
		check(b->blocks[i].request <= newest);
	check(b->died <= b->nr);
	check(!b->died || b->blocks[b->died - 1].kind == NMIBT_BLOCK_DIED);
}

/* ------------------------------------------------------------------- the report */

/* What stands for a CPU and what is older are all of its blocks, each once. */
static void check_cpu(struct nmibt_stock *stock, unsigned int nr)
{
	size_t blocks = 0, texts = 0;
	bool found = true;

	for (size_t i = stock->blocks->newest[nr]; i; i = stock->blocks->blocks[i - 1].older)
		blocks++;
	for (unsigned int nth = 0; found; nth++) {
		struct nmibt_cpu cpu = {.cpu = nr, .outcome = NMIBT_OUTCOME_NONE};

		check(!nmibt_stock_read(stock, NMIBT_SOURCE_AUTO, nth, &cpu, &found));
		check(found || !cpu.text.raw);
		check(cpu.stale == (nth > 0));
		check(found && nth ? cpu.text.raw != NULL : true);
		check(cpu.outcome != NMIBT_OUTCOME_SILENT || !cpu.text.raw);
		texts += cpu.text.raw != NULL;
		nmibt_cpu_destroy(&cpu);
	}
	check(texts == blocks);
}

/* Of as many as a few seconds are enough for. */
#define MAX_BLOCKS 500

static void check_report(struct input *in, bool arm64, bool has_kdumped)
{
	static const struct nmibt_image_ops ops;
	struct nmibt_image image = {.ops = &ops,
				    .arch = arm64 ? NMIBT_ARCH_ARM64 : NMIBT_ARCH_X86_64,
				    .page_size = 4096};
	struct nmibt_kernel *kernel;
	if (nmibt_kernel_open(&image, &kernel))
		abort();
	struct nmibt_stock stock = {
		.kernel = kernel, .blocks = in->blocks, .has_kdumped = has_kdumped};
	unsigned int nr = nmibt_stock_nr_cpus(&stock);
	uint32_t panic_cpu = nmibt_stock_panic_cpu(&stock);

	check(nr <= NMIBT_MAX_CPUS && (panic_cpu < nr || panic_cpu == NMI_CAPTURE_NO_CPU));
	for (unsigned int cpu = 0; cpu < nr && in->blocks->nr < MAX_BLOCKS; cpu++) {
		if (nmibt_stock_is_possible(&stock, cpu))
			check_cpu(&stock, cpu);
		else
			check(!in->blocks->newest[cpu]);
	}
	nmibt_kernel_close(kernel);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {.data = data, .size = size};
	uint8_t options = take_byte(&in);

	make_records(&in);
	visit_all(&in);
	for (size_t i = 0; i < in.blocks->nr; i++)
		check_block(&in, &in.blocks->blocks[i]);
	check_chains(in.blocks);
	check_requests(in.blocks);
	check_report(&in, options & 1, options & 2);
	nmibt_blocks_destroy(in.blocks);
	for (size_t i = 0; i < in.nr; i++)
		free(in.records[i].text);
	free(in.records);
	return 0;
}
