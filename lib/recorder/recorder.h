/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of a recorder. It reads the sources of the library, and makes no report: a report is
 * made later, of the record. It looks at all CPUs once to learn in which order they matter.
 */
#ifndef NMIBT_RECORDER_PRIVATE_H
#define NMIBT_RECORDER_PRIVATE_H

#include <nmibt/recorder.h>

#include "record/record.h"
#include "render/render.h"

/* In which order CPUs matter. It is no verdict, and nobody is shown it. */
enum rank {
	RANK_PANICKING,
	RANK_STUCK, /* not idle: a watchdog named it, or it had interrupts off, or did not move */
	RANK_SPINNING, /* it waits for a lock or for other CPUs */
	RANK_SILENT, /* it was asked and did not answer, or not to the end */
	RANK_OTHER,
	RANK_IDLE,
	RANK_NOTHING, /* offline, or nothing is known of it */
};

#define PLACE_LEN 96

struct cpu_brief {
	bool is_possible;
	enum rank rank;
	const char *outcome; /* static */
	bool has_panicked;
	bool is_idle, is_user, irqs_off, is_named; /* is_named: by a watchdog */
	bool is_same_place; /* at its backtrace and at the stop */
	struct nmibt_task task;
	char place[PLACE_LEN]; /* where it was; printable; empty: not known */
	uint64_t stack_hash; /* 0: no frames */
	bool is_first; /* no CPU before it in the order has the same stack and rank */
};

/* Everything about one CPU. */
struct cpu_evidence {
	struct nmibt_evidence slot; /* has_slot is false without a capture */
	struct nmibt_evidence trace; /* the newest in the log; only without a capture */
	struct nmibt_evidence stop; /* the registers at the stop, unwound */
	bool is_stale; /* the slot answers an older request */
	bool has_trace;
	bool is_of_panic; /* the trace is of the panic's own printout */
};

struct nmibt_recorder {
	struct nmibt_elf *elf;
	struct nmibt_cached *cached;
	struct nmibt_image image; /* the ELF file's, through a cache */
	struct nmibt_kernel *kernel;
	struct nmibt_capture capture;
	bool has_slots, has_capture; /* has_capture: somebody asked for it */
	/* An oops on its way to kdump asked for the capture, and the kernel may have survived it. */
	bool is_of_oops;
	struct nmibt_log_source *log; /* only without a capture; NULL: none */
	size_t panic; /* of the log's printouts the number of the panic, or of the oops; 0: none */
	const struct nmibt_percpu *percpu; /* only without a capture; NULL: not known */
	bool was_stopped; /* there was a kdump: the dump's notes are not of virtual CPUs */
	const struct nmibt_vcpus *vcpus; /* NULL: not known, or there was a kdump */
	struct nmibt_follower follower; /* of kernel */
	bool is_incomplete;
	char why[NMIBT_WHY_LEN]; /* why there is no capture; printable */
	unsigned int nr_cpus; /* elements of cpus and order */
	struct cpu_brief *cpus;
	unsigned int *order; /* the possible CPUs, what matters most first */
	unsigned int nr_ordered;
	char host[66]; /* empty: not known */
	char message[NMI_CAPTURE_MESSAGE_LEN]; /* of the panic; empty: not known */
	uint64_t time, uptime_ns; /* s since 1970; 0: not known */
};

/* ------------------------------------------------------------------------ CPUs */

/* Reads what the sources of kernel have about a CPU. The caller destroys *ret. */
struct nmibt_error *nmibt_recorder_read_cpu(struct nmibt_recorder *rec, struct nmibt_kernel *kernel,
					    unsigned int cpu, struct cpu_evidence *ret);
/* The registers that it saved at the stop, or those of its virtual CPU, and no more. The stack of
 * *ret is empty. True: it left a crash note. */
bool nmibt_recorder_read_stop(struct nmibt_recorder *rec, struct nmibt_kernel *kernel,
			      unsigned int cpu, struct nmibt_evidence *ret);
void nmibt_cpu_evidence_destroy(struct cpu_evidence *evidence);
/* Fills in cpus and order. */
struct nmibt_error *nmibt_recorder_look_at_cpus(struct nmibt_recorder *rec);

/* ------------------------------------------------------------- memory of a record */

/* Physical memory, [start, end). */
struct span {
	uint64_t start, end;
};

/* Sorted, and apart from each other. */
struct spans {
	struct span *v;
	size_t nr, room;
};

/*
 * An image that notes what is read of it. What was noted becomes items of a record; what is in the
 * record already is not noted again.
 */
struct memory_note {
	struct nmibt_kernel *kernel; /* which answers questions about symbols */
	struct nmibt_follower *follower; /* and about stacks */
	const struct nmibt_image *from; /* has the bytes: the image that the kernel was opened on */
	struct nmibt_image image;
	/* Only the bytes that were read, and none between them: they cost more items. */
	bool is_exact;
	bool has_read_notes; /* of the dump */
	bool is_peeking; /* what is read is not noted */
	char *vmcoreinfo; /* the lines that a reader needs */
	struct spans *now, *done;
	struct nmibt_bytes answers; /* items: names, symbols, stacks */
	void *known; /* the answers that were noted before: a tree of tsearch() */
	struct nmibt_error *failure; /* of noting; the first one */
};
/* All are borrowed; kernel was opened on image. */
struct nmibt_error *nmibt_memory_note_open(const struct nmibt_image *image,
					   struct nmibt_kernel *kernel,
					   struct nmibt_follower *follower,
					   struct memory_note *ret);
void nmibt_memory_note_close(struct memory_note *note);
/* Puts what was noted since the last call into the record, in as many chunks as it needs. */
struct nmibt_error *nmibt_memory_note_put(struct memory_note *note,
					  struct nmibt_record_writer *writer, const char *what);

#endif /* NMIBT_RECORDER_PRIVATE_H */
