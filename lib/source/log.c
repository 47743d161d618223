// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Backtraces out of the kernel's log. CPUs print at the same time, so that the records
 * of several stand between each other; who printed a record is in its caller_id, since
 * 5.10 whatever the configuration (kernel/printk/printk.c: printk_caller_id()). What one
 * caller printed is read as a stream: a title or a line of dump_stack_print_info()
 * begins a block, and what can't be of a backtrace ends it.
 *
 * Where CPUs filled buffers of their own, up to 5.14, one caller has the blocks of
 * several CPUs one behind the other: that of whoever flushed the buffers.
 */
#include "source/source.h"

/* enum printk_info_flags, kernel/printk/printk_ringbuffer.h and internal.h, 5.10 to 6.12 */
#define LOG_NEWLINE 2
#define LOG_CONT 8

/* A pause that is not within one backtrace. */
#define PAUSE_NS UINT64_C(2000000000)
/* Before the line that names the CPU there may be some that say why. */
#define MAX_LEAD_LINES 32

struct text {
	char *raw;
	bool *known;
	size_t len, room;
	bool is_open; /* no newline ended what stands last */
};

/* What a caller is in the middle of. */
struct stream {
	struct stream *next; /* in its bucket */
	uint32_t caller_id;
	size_t block; /* index + 1; 0: a lead, and no block yet */
	bool in_trace; /* behind "Call Trace:" */
	bool is_user; /* its registers are those of user mode */
	bool is_ending; /* that was its last line, up to its newline */
	enum nmibt_block_kind kind; /* that the lead gives it */
	bool is_panic;
	unsigned int lead_lines;
	uint64_t first_seq, begun_ns, last_ns;
	struct text text;
};

#define NR_BUCKETS 1024

/* A log of noughts and titles must not take hours or all memory. */
#define MAX_REQUESTS 1024
#define MAX_IN_BUCKET 64

struct nmibt_streams {
	struct stream *buckets[NR_BUCKETS]; /* by caller, the newest first */
	size_t room; /* for blocks */
	uint64_t first_ns; /* of the oldest record */
	bool seen[NMIBT_MAX_CPUS]; /* a record of its interrupts or NMIs */
	size_t oops; /* index + 1 of the newest block of an oops, and who printed it */
	uint32_t oops_caller;
};

/* --------------------------------------------------------------------- lines */

static bool starts(const struct nmibt_log_record *record, const char *with)
{
	size_t len = strlen(with);

	return record->len >= len && !memcmp(record->text, with, len);
}

static bool holds(const struct nmibt_log_record *record, const char *what)
{
	return memmem(record->text, record->len, what, strlen(what));
}

/* A number in decimal at *at, which moves behind it. */
static bool parse_cpu(const char **at, const char *end, unsigned int *ret)
{
	const char *s = *at;
	unsigned int cpu = 0;

	for (; s < end && *s >= '0' && *s <= '9' && cpu < NMIBT_MAX_CPUS; s++)
		cpu = 10 * cpu + (*s - '0');
	if (s == *at || cpu >= NMIBT_MAX_CPUS)
		return false;
	*at = s;
	*ret = cpu;
	return true;
}

static bool parse_cpu_behind(const struct nmibt_log_record *record, const char *with,
			     unsigned int *ret)
{
	const char *at = record->text + strlen(with);

	return starts(record, with) && parse_cpu(&at, record->text + record->len, ret);
}

#define TITLE "NMI backtrace for cpu "
#define SKIPPED " skipped: idling at "
#define SENDING "Sending NMI from CPU "

/* lib/dump_stack.c: dump_stack_print_info(), 3.10 to 6.12 */
static bool is_cpu_line(const struct nmibt_log_record *record, unsigned int *ret)
{
	return parse_cpu_behind(record, "CPU: ", ret) && holds(record, " PID: ") &&
	       holds(record, " Comm: ");
}

/* What stands in a backtrace behind "Call Trace:": frames and marks of stacks, which
 * begin with a space; the registers of user space or of an exception; what die() adds.
 * arch/x86/kernel/process_64.c: __show_regs(), dumpstack.c; arch/arm64/kernel/process.c:
 * __show_regs(), traps.c; 5.10 to 6.12. */
static bool is_of_trace(const struct nmibt_log_record *record)
{
	static const char *const lines[] = {" ",
					    "RIP: ",
					    "Code: ",
					    "RSP: ",
					    "RAX: ",
					    "RDX: ",
					    "RBP: ",
					    "R10: ",
					    "R13: ",
					    "FS: ",
					    "CS: ",
					    "CR2: ",
					    "DR0: ",
					    "DR3: ",
					    "PKRU: ",
					    "pstate: ",
					    "pc : ",
					    "lr : ",
					    "sp : ",
					    "pmr_save: ",
					    "Modules linked in:",
					    "---[ end trace ",
					    "Call Trace:",
					    "Call trace:"};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		if (starts(record, lines[i]))
			return true;
	}
	return record->len > 3 && record->text[0] == 'x' && record->text[1] >= '0' &&
	       record->text[1] <= '9';
}

/* The last line of a backtrace, where one can tell. */
static bool is_last(const struct stream *s, const struct nmibt_log_record *record)
{
	if (starts(record, "---[ end trace "))
		return true;
	/* An oops goes on behind the trace. */
	if (starts(record, " </TASK>"))
		return s->kind == NMIBT_BLOCK_NMI;
	/* Of user mode there is no trace: x86 ends with FS, arm64 with x0. */
	return s->is_user && !s->in_trace && (starts(record, "FS: ") || holds(record, " x0 : "));
}

static bool is_user_mode(const struct nmibt_log_record *record)
{
	/* CS of user space, of 64 and 32 bits; EL0t */
	return starts(record, "RIP: 0033:") || starts(record, "RIP: 0023:") ||
	       (starts(record, "pstate: ") && record->len > 15 && record->text[15] == '0');
}

/* Lines that a CPU prints before a backtrace of itself; *ret is only set if so. */
static bool is_lead(const struct nmibt_log_record *record, struct stream *ret)
{
	enum nmibt_log_kind kind = nmibt_log_kind(record);

	if (kind != NMIBT_LOG_OTHER) {
		ret->kind = NMIBT_BLOCK_DIED;
		ret->is_panic = kind == NMIBT_LOG_PANIC;
		return true;
	}
	/* kernel/watchdog.c, kernel/rcu/tree_stall.h, 5.10 to 6.12 */
	if (holds(record, "BUG: soft lockup - CPU#") ||
	    holds(record, "Watchdog detected hard LOCKUP on cpu ") ||
	    holds(record, " self-detected stall on CPU")) {
		ret->kind = NMIBT_BLOCK_LOCKUP;
		ret->is_panic = false;
		return true;
	}
	return false;
}

/* ---------------------------------------------------------------------- text */

static bool put(struct text *text, const char *bytes, size_t len, bool known)
{
	if (text->len + len > text->room) {
		size_t room = 2 * (text->len + len);
		char *raw = realloc(text->raw, room);
		if (raw)
			text->raw = raw;
		bool *all_known = realloc(text->known, room * sizeof(*all_known));
		if (all_known)
			text->known = all_known;
		if (!raw || !all_known)
			return false;
		text->room = room;
	}
	if (bytes)
		memcpy(text->raw + text->len, bytes, len);
	else
		memset(text->raw + text->len, 0, len);
	memset(text->known + text->len, known, len * sizeof(*text->known));
	text->len += len;
	return true;
}

/* A record goes on with the line before if it says so, and that one has no end. */
static bool put_record(struct text *text, const struct nmibt_log_record *record)
{
	bool goes_on = record->flags & LOG_CONT && text->is_open;

	if (text->is_open && !goes_on && !put(text, "\n", 1, true))
		return false;
	if (!put(text, record->text, record->len, true) || !put(text, NULL, record->missing, false))
		return false;
	text->is_open = !(record->flags & LOG_NEWLINE);
	return text->is_open || put(text, "\n", 1, true);
}

/* ------------------------------------------------------------------- streams */

static struct stream **bucket_of(struct nmibt_streams *all, uint32_t caller_id)
{
	return &all->buckets[caller_id % NR_BUCKETS];
}

static struct stream *find_stream(struct nmibt_streams *all, uint32_t caller_id)
{
	struct stream *s = *bucket_of(all, caller_id);

	while (s && s->caller_id != caller_id)
		s = s->next;
	return s;
}

/* Its text goes to its block. */
static void end_stream(struct nmibt_blocks *blocks, struct stream *s)
{
	struct stream **at = bucket_of(blocks->streams, s->caller_id);

	if (s->block) {
		struct nmibt_block *block = &blocks->blocks[s->block - 1];

		block->raw = s->text.raw;
		block->known = s->text.known;
		block->len = s->text.len;
	} else {
		free(s->text.raw);
		free(s->text.known);
	}
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	free(s);
}

static struct stream *add_stream(struct nmibt_blocks *blocks, const struct nmibt_log_record *record)
{
	struct stream **bucket = bucket_of(blocks->streams, record->caller_id), *oldest = *bucket;
	struct stream *s = malloc(sizeof(*s));
	unsigned int nr = 1;

	if (!s) {
		blocks->failed = true;
		return NULL;
	}
	for (; oldest && oldest->next; oldest = oldest->next)
		nr++;
	if (nr >= MAX_IN_BUCKET)
		end_stream(blocks, oldest);
	*s = (struct stream){
		.next = *bucket,
		.caller_id = record->caller_id,
		.first_seq = record->seq,
		.begun_ns = record->ts_ns,
	};
	*bucket = s;
	return s;
}

static void end_all_streams(struct nmibt_blocks *blocks)
{
	for (size_t i = 0; i < NR_BUCKETS; i++) {
		while (blocks->streams->buckets[i])
			end_stream(blocks, blocks->streams->buckets[i]);
	}
}

static void begin_block(struct nmibt_blocks *blocks, struct stream *s, unsigned int cpu,
			bool headless)
{
	struct nmibt_streams *all = blocks->streams;

	if (blocks->nr == all->room) {
		size_t room = 2 * all->room + 16;
		struct nmibt_block *grown = realloc(blocks->blocks, room * sizeof(*grown));

		if (!grown) {
			blocks->failed = true;
			return;
		}
		blocks->blocks = grown;
		all->room = room;
	}
	blocks->blocks[blocks->nr++] = (struct nmibt_block){
		.cpu = cpu,
		.caller_id = s->caller_id,
		.older = blocks->newest[cpu],
		.kind = s->kind,
		.first_seq = s->first_seq,
		.begun_ns = s->begun_ns,
		.is_headless = headless,
	};
	s->block = blocks->nr;
	blocks->newest[cpu] = s->block;
	if (s->kind != NMIBT_BLOCK_DIED)
		return;
	if (s->is_panic)
		blocks->died = s->block;
	all->oops = s->block;
	all->oops_caller = s->caller_id;
}

static void add_line(struct nmibt_blocks *blocks, struct stream *s,
		     const struct nmibt_log_record *record)
{
	blocks->failed |= !put_record(&s->text, record);
	s->last_ns = record->ts_ns;
	s->in_trace |= starts(record, "Call Trace:") || starts(record, "Call trace:");
	s->is_user |= is_user_mode(record);
	if (!s->block) {
		s->lead_lines++;
		return;
	}
	struct nmibt_block *block = &blocks->blocks[s->block - 1];
	block->last_seq = record->seq;
	block->ended_ns = record->ts_ns;
}

/* A line of a backtrace, which may be the last one: then its newline may come later. */
static void take_line(struct nmibt_blocks *blocks, struct stream *s,
		      const struct nmibt_log_record *record)
{
	add_line(blocks, s, record);
	s->is_ending |= is_last(s, record);
	if (s->is_ending && !s->text.is_open)
		end_stream(blocks, s);
}

/* Clocks of CPUs differ a little, and a task may come from one to another. */
static bool is_apart(uint64_t a, uint64_t b)
{
	return (a > b ? a - b : b - a) > PAUSE_NS;
}

/* ------------------------------------------------------------------ requests */

/* Eight at a time, where it can be: there may be thousands, in each of many lists. */
static void ask_range(struct nmibt_request *request, unsigned int first, unsigned int last)
{
	for (unsigned int cpu = first; cpu <= last;) {
		if (cpu % 8 == 0 && last - cpu >= 7) {
			request->asked[cpu / 8] = 0xff;
			cpu += 8;
		} else {
			request->asked[cpu / 8] |= 1 << cpu % 8;
			cpu++;
		}
	}
}

/* "0,2-7" at s; CPUs that it does not make sense of are left out. */
static void parse_asked(struct nmibt_request *request, const char *s, const char *end)
{
	unsigned int first, last;

	while (parse_cpu(&s, end, &first)) {
		last = first;
		if (s < end && *s == '-') {
			s++;
			if (!parse_cpu(&s, end, &last))
				return;
		}
		ask_range(request, first, last);
		if (s >= end || *s != ',')
			return;
		s++;
	}
}

bool nmibt_request_asked(const struct nmibt_request *request, unsigned int cpu)
{
	return cpu < NMIBT_MAX_CPUS && request->asked[cpu / 8] & 1 << cpu % 8;
}

const struct nmibt_request *nmibt_block_request(const struct nmibt_blocks *blocks, uint64_t number)
{
	uint64_t index = number - 1 - blocks->requests_dropped;

	return index < blocks->nr_requests ? &blocks->requests[index] : NULL;
}

/* Room for one more; NULL: no memory. */
static struct nmibt_request *add_request(struct nmibt_blocks *blocks)
{
	size_t half = MAX_REQUESTS / 2;

	if (!blocks->requests)
		blocks->requests = malloc(MAX_REQUESTS * sizeof(*blocks->requests));
	if (!blocks->requests)
		return NULL;
	if (blocks->nr_requests == MAX_REQUESTS) {
		memmove(blocks->requests, blocks->requests + half,
			half * sizeof(*blocks->requests));
		blocks->nr_requests -= half;
		blocks->requests_dropped += half;
	}
	struct nmibt_request *request = &blocks->requests[blocks->nr_requests++];
	*request = (struct nmibt_request){0};
	return request;
}

/* lib/nmi_backtrace.c: nmi_trigger_cpumask_backtrace(), 4.4 to 6.12: who asks has
 * printed a backtrace of itself just before, if it wanted one. */
static void take_request(struct nmibt_blocks *blocks, const struct nmibt_log_record *record)
{
	static const char to[] = " to CPUs ";
	unsigned int by_cpu;
	const char *list = memmem(record->text, record->len, to, strlen(to));

	if (!parse_cpu_behind(record, SENDING, &by_cpu) || !list)
		return;
	struct nmibt_request *request = add_request(blocks);
	if (!request) {
		blocks->failed = true;
		return;
	}
	request->ts_ns = record->ts_ns;
	request->by_cpu = by_cpu;
	parse_asked(request, list + strlen(to), record->text + record->len);
	for (size_t i = 0; i < sizeof(request->asked); i++)
		request->nr_asked += __builtin_popcount(request->asked[i]);

	size_t newest = blocks->newest[by_cpu];
	struct nmibt_block *own = newest ? &blocks->blocks[newest - 1] : NULL;
	if (own && own->kind <= NMIBT_BLOCK_SKIPPED && own->caller_id == record->caller_id &&
	    !is_apart(record->ts_ns, own->ended_ns))
		own->request = blocks->answered[by_cpu] =
			blocks->requests_dropped + blocks->nr_requests;
}

/* The newest request that this CPU has not answered yet; 0: none. */
static uint64_t find_request(const struct nmibt_blocks *blocks, unsigned int cpu)
{
	for (size_t i = blocks->nr_requests; i-- > 0;) {
		uint64_t number = blocks->requests_dropped + i + 1;

		if (blocks->answered[cpu] >= number)
			break;
		if (nmibt_request_asked(&blocks->requests[i], cpu))
			return number;
	}
	return 0;
}

/* ------------------------------------------------------------------- records */

static bool take_title(struct nmibt_blocks *blocks, struct stream *s,
		       const struct nmibt_log_record *record)
{
	bool skipped = holds(record, SKIPPED);
	unsigned int cpu;

	if (!parse_cpu_behind(record, TITLE, &cpu))
		return false;
	if (s)
		end_stream(blocks, s);
	s = add_stream(blocks, record);
	if (!s)
		return true;
	s->kind = skipped ? NMIBT_BLOCK_SKIPPED : NMIBT_BLOCK_NMI;
	begin_block(blocks, s, cpu, false);
	if (blocks->failed)
		return true;
	uint64_t request = find_request(blocks, cpu);
	blocks->blocks[s->block - 1].request = request;
	if (request)
		blocks->answered[cpu] = request;
	add_line(blocks, s, record);
	if (skipped)
		end_stream(blocks, s);
	return true;
}

/* Is it the first record of the CPU that it is of? Outside of tasks the caller is the CPU. */
static bool is_first(struct nmibt_streams *all, const struct nmibt_log_record *record)
{
	unsigned int cpu = record->caller_id & ~0x80000000;

	if (!(record->caller_id & 0x80000000) || cpu >= NMIBT_MAX_CPUS || all->seen[cpu])
		return false;
	all->seen[cpu] = true;
	return true;
}

/* Of a CPU that was in a backtrace when the oldest record was written that is left: the
 * first that it printed. Modules are not listed in one for an NMI. */
static bool take_headless(struct nmibt_blocks *blocks, const struct nmibt_log_record *record)
{
	unsigned int cpu = record->caller_id & ~0x80000000;

	if (!blocks->is_wrapped || is_apart(record->ts_ns, blocks->streams->first_ns) ||
	    starts(record, "Modules linked in:"))
		return false;
	if (!is_cpu_line(record, &cpu) && !starts(record, "Hardware name: ") &&
	    !starts(record, "Tainted: ") && !is_of_trace(record))
		return false;
	if (blocks->newest[cpu])
		return false;
	struct stream *s = add_stream(blocks, record);
	if (!s)
		return true;
	s->kind = NMIBT_BLOCK_NMI;
	/* Its title is gone, and "Call Trace:" may be. */
	s->in_trace = starts(record, " ");
	begin_block(blocks, s, cpu, true);
	if (!blocks->failed)
		take_line(blocks, s, record);
	return true;
}

static void take_lead(struct nmibt_blocks *blocks, struct stream *s,
		      const struct nmibt_log_record *record)
{
	struct nmibt_streams *all = blocks->streams;
	struct stream lead = {0};

	if (!is_lead(record, &lead))
		return;
	/* The cause of an oops comes before its heading. */
	if (s && (s->block || s->kind != lead.kind || s->is_panic != lead.is_panic)) {
		end_stream(blocks, s);
		s = NULL;
	}
	if (lead.kind == NMIBT_BLOCK_DIED && (lead.is_panic || !blocks->has_panicked))
		blocks->panic_ns = record->ts_ns;
	if (lead.is_panic) {
		blocks->has_panicked = true;
		/* "Fatal exception": the oops has just said it all. */
		blocks->died = all->oops_caller == record->caller_id ? all->oops : 0;
	}
	if (!s)
		s = add_stream(blocks, record);
	if (!s)
		return;
	s->kind = lead.kind;
	s->is_panic = lead.is_panic;
	add_line(blocks, s, record);
}

/* The line that names the CPU, in a block that has none yet or as the first of one. */
static bool take_cpu_line(struct nmibt_blocks *blocks, struct stream *s,
			  const struct nmibt_log_record *record)
{
	unsigned int cpu;

	if (!is_cpu_line(record, &cpu))
		return false;
	if (s && s->block && (s->in_trace || blocks->blocks[s->block - 1].cpu != cpu)) {
		end_stream(blocks, s);
		s = NULL;
	}
	if (!s) {
		s = add_stream(blocks, record);
		if (!s)
			return true;
		s->kind = NMIBT_BLOCK_OTHER;
	}
	if (!s->block)
		begin_block(blocks, s, cpu, false);
	if (!blocks->failed)
		add_line(blocks, s, record);
	return true;
}

/* Is the record one of what its caller is in the middle of? */
static bool belongs(const struct stream *s, const struct nmibt_log_record *record)
{
	if (is_apart(record->ts_ns, s->last_ns))
		return false;
	if (record->flags & LOG_CONT && s->text.is_open)
		return true;
	/* Who finds another CPU stuck asks it in the middle of what it says of it
	 * (kernel/watchdog.c: watchdog_hardlockup_check(), 6.12); and behind a panic may
	 * come more that goes wrong. */
	if (s->is_ending || starts(record, SENDING) || starts(record, "------------[ cut here ]") ||
	    starts(record, "---[ end Kernel panic"))
		return false;
	if (!s->block)
		return s->lead_lines < MAX_LEAD_LINES;
	return !s->in_trace || is_of_trace(record);
}

void nmibt_blocks_visit(void *ctx, const struct nmibt_log_record *record)
{
	struct nmibt_blocks *blocks = ctx;
	struct stream lead;

	if (!blocks->nr_records++) {
		blocks->is_wrapped = record->seq;
		blocks->streams->first_ns = record->ts_ns;
	}
	if (blocks->failed || nmibt_log_is_of_user(record))
		return;
	bool first = is_first(blocks->streams, record);
	struct stream *s = find_stream(blocks->streams, record->caller_id);
	if (s && !belongs(s, record)) {
		end_stream(blocks, s);
		s = NULL;
	}
	if (take_title(blocks, s, record) || (first && take_headless(blocks, record)) ||
	    take_cpu_line(blocks, s, record))
		return;
	if (is_lead(record, &lead)) {
		take_lead(blocks, s, record);
		return;
	}
	if (s)
		take_line(blocks, s, record);
	else
		take_request(blocks, record);
}

/* ----------------------------------------------------------------- beginning, end */

struct nmibt_error *nmibt_blocks_new(struct nmibt_blocks **ret)
{
	struct nmibt_blocks *blocks = calloc(1, sizeof(*blocks));

	if (!blocks)
		return nmibt_error_nomem();
	blocks->streams = calloc(1, sizeof(*blocks->streams));
	if (!blocks->streams) {
		nmibt_blocks_destroy(blocks);
		return nmibt_error_nomem();
	}
	*ret = blocks;
	return NULL;
}

struct nmibt_error *nmibt_blocks_finish(struct nmibt_blocks *blocks)
{
	struct nmibt_streams *all = blocks->streams;

	end_all_streams(blocks);
	if (!blocks->has_panicked)
		blocks->died = all->oops;
	return blocks->failed ? nmibt_error_nomem() : NULL;
}

void nmibt_blocks_destroy(struct nmibt_blocks *blocks)
{
	if (!blocks)
		return;
	if (blocks->streams)
		end_all_streams(blocks);
	for (size_t i = 0; i < blocks->nr; i++) {
		free(blocks->blocks[i].raw);
		free(blocks->blocks[i].known);
	}
	free(blocks->streams);
	free(blocks->blocks);
	free(blocks->requests);
	free(blocks);
}
