/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Backtraces of CPUs out of the kernel's log: the records of each put back together.
 */
#ifndef NMIBT_BLOCKS_H
#define NMIBT_BLOCKS_H

#include "percpu.h"

enum nmibt_block_kind {
	NMIBT_BLOCK_NMI, /* answered a request for its backtrace */
	NMIBT_BLOCK_SKIPPED, /* answered that it is idle */
	NMIBT_BLOCK_DIED, /* of itself, as it panicked or oopsed */
	NMIBT_BLOCK_LOCKUP, /* of itself, as a watchdog found it stuck */
	NMIBT_BLOCK_OTHER, /* of itself, for a warning and the like */
};

/* One backtrace of one CPU. */
struct nmibt_block {
	unsigned int cpu;
	uint32_t caller_id; /* who printed it */
	size_t older; /* index + 1 of the one before of this CPU; 0: none */
	enum nmibt_block_kind kind;
	uint64_t request; /* its number; 0: nobody's */
	uint64_t first_seq, last_seq; /* of the log's records */
	uint64_t begun_ns, ended_ns;
	bool is_headless; /* the log's records begin in the middle of it */
	char *raw; /* len bytes: lines, each with its newline */
	bool *known; /* len: false where raw could not be read */
	size_t len;
};

/* "Sending NMI from CPU 1 to CPUs 0,2-7:" */
struct nmibt_request {
	uint64_t ts_ns;
	unsigned int by_cpu;
	unsigned int nr_asked;
	unsigned char asked[NMIBT_MAX_CPUS / 8]; /* a bit for each CPU */
};

struct nmibt_blocks {
	struct nmibt_block *blocks; /* in the order of the lines that name their CPUs */
	size_t nr;
	size_t newest[NMIBT_MAX_CPUS]; /* index + 1 of a CPU's newest block; 0: none */
	uint64_t answered[NMIBT_MAX_CPUS]; /* number of the newest request that it answered */
	struct nmibt_request *requests; /* the newest, oldest of them first */
	size_t nr_requests;
	uint64_t requests_dropped; /* so the first that is left has this number + 1 */
	bool has_panicked; /* there is a record of a panic */
	size_t died; /* index + 1 in blocks of the CPU's that panicked; 0: none */
	uint64_t panic_ns; /* when the newest panic, or else oops, was logged; 0: none */
	uint64_t nr_records;
	bool is_wrapped; /* the oldest record is not the first since boot */
	bool failed; /* no memory */
	struct nmibt_streams *streams; /* the library's: callers that are in a block */
};

struct nmibt_error *nmibt_blocks_new(struct nmibt_blocks **ret);
/* ctx is a struct nmibt_blocks. */
void nmibt_blocks_visit(void *ctx, const struct nmibt_log_record *record);
/* After the last record. */
struct nmibt_error *nmibt_blocks_finish(struct nmibt_blocks *blocks);
/* NULL: there is none of this number any more. */
const struct nmibt_request *nmibt_block_request(const struct nmibt_blocks *blocks, uint64_t number);
bool nmibt_request_asked(const struct nmibt_request *request, unsigned int cpu);
void nmibt_blocks_destroy(struct nmibt_blocks *blocks); /* NULL is allowed */

/* What the text of a backtrace says of its CPU beside the frames. */
struct nmibt_facts {
	bool has_task;
	int32_t pid;
	char comm[NMI_CAPTURE_COMM_LEN]; /* may lack a NUL */
	uint32_t flags; /* NMI_CAPTURE_SLOT_F_IDLE, _USER, _IRQS_OFF */
	bool has_sp;
	uint64_t sp;
};
void nmibt_read_facts(enum nmibt_arch arch, const struct nmibt_text *text, struct nmibt_facts *ret);

#endif /* NMIBT_BLOCKS_H */
