/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Backtraces of CPUs out of the kernel's log: the records of each put back together.
 */
#ifndef NMIBT_SOURCE_H
#define NMIBT_SOURCE_H

#include "unwind/unwind.h"

/* The kernel's own limit is 1 MiB; a later one may be more generous, but a damaged
 * size must not make each CPU cost a second. */
#define MAX_SLOT_SIZE (4 << 20)

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

/* Fills in cpu from its slot of the capture; what is damaged is said there. */
struct nmibt_error *nmibt_read_slot(const struct nmibt_report *report, struct nmibt_cpu *cpu);
/* Where all slots agree that the descriptor is wrong; it is said in capture->damage. */
void nmibt_mend_capture(const struct nmibt_image *image, struct nmibt_capture *capture);

#endif /* NMIBT_SOURCE_H */
