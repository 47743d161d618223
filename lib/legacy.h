/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The per-CPU buffers in which kernels of 3.19 to 5.14 kept what was printed in an NMI
 * until it could go to the log: nmi_print_seq, and since 4.11 safe_print_seq, of what
 * was printed by printk() itself. Their layout is what the image's member_offset and
 * type_size say, no version does.
 */
#ifndef NMIBT_LEGACY_H
#define NMIBT_LEGACY_H

#include "percpu.h"

enum nmibt_legacy_buffer {
	NMIBT_LEGACY_NMI, /* nmi_print_seq */
	NMIBT_LEGACY_SAFE, /* safe_print_seq */
	NMIBT_NR_LEGACY,
};
/* "nmi_print_seq": the symbol. */
const char *nmibt_legacy_name(enum nmibt_legacy_buffer buffer);

struct nmibt_legacy;

/*
 * image, memory and percpu are borrowed for the life of *ret, symbols for the call.
 * NOTHING where the kernel has no such buffer, and where it has one and nobody knows its
 * layout; DAMAGED where the layout makes no sense. The message says which.
 */
struct nmibt_error *nmibt_legacy_open(const struct nmibt_image *image, struct nmibt_virtual *memory,
				      struct nmibt_symbols *symbols,
				      const struct nmibt_percpu *percpu, struct nmibt_legacy **ret);
void nmibt_legacy_close(struct nmibt_legacy *legacy); /* NULL is allowed */

bool nmibt_legacy_has(const struct nmibt_legacy *legacy, enum nmibt_legacy_buffer buffer);
/* Of one buffer: "printk_safe_seq_buf", a structure. */
const char *nmibt_legacy_type(const struct nmibt_legacy *legacy);
/* Messages that found a buffer full, of all CPUs together, where the kernel does not
 * count them for each (4.7 to 4.10). False: it does, or the count can't be read. */
bool nmibt_legacy_all_lost(const struct nmibt_legacy *legacy, uint32_t *ret);

/*
 * One CPU's buffer. In raw stand, one behind the other:
 *   [0, published)      what was printed and is not yet in the log,
 *   [published, text)   a torn tail: a message that was being formatted, or a beginning
 *                       of it; what a longer, older text left may follow on its line,
 *   [text, raw_len)     residue: what was left of older texts, which are in the log.
 * A flush sets the length to 0 and leaves the text where it was, so that with nothing
 * published all of it is residue, though it may begin with a message that was being
 * formatted: nothing tells.
 */
struct nmibt_legacy_area {
	const char *name; /* nmibt_legacy_name() */
	uint64_t vaddr; /* of raw in the image */
	char *raw; /* raw_len bytes, all the room for text, 0 where unknown */
	bool *known; /* raw_len: false where raw can't be read */
	size_t raw_len;
	size_t published; /* <= text */
	size_t text; /* <= raw_len: hand [0, text) to nmibt_decode() */
	uint32_t lost_msgs; /* that found the buffer full */
	bool overflow; /* it is full: the last line is cut where no newline ends it */
	/* It says of itself what the kernel does not write, a longer length than there is
	 * room for: what is published is what there is room for. */
	bool damaged;
	/* Not OK: the length can't be read, so that all is taken for residue, or a part of
	 * raw can't; EXCLUDED where nothing worse happened. */
	enum nmibt_read status;
};

/* USAGE where there is no such buffer, NOTHING where percpu does not know the CPU. What
 * can't be read is said in ret, which the caller destroys. */
struct nmibt_error *nmibt_legacy_read(const struct nmibt_legacy *legacy, unsigned int cpu,
				      enum nmibt_legacy_buffer buffer,
				      struct nmibt_legacy_area *ret);
void nmibt_legacy_area_destroy(struct nmibt_legacy_area *area);

/*
 * The next piece of residue that begins at from or later, [*ret, *ret + *ret_len) of raw;
 * the first search begins at area->text. Each flush and what was printed after it leave
 * one: a piece is older than those before it, and all but one at 0 begin in the middle
 * of their text. Bytes that can't be read belong to no piece. False: there are no more.
 */
bool nmibt_legacy_residue(const struct nmibt_legacy_area *area, size_t from, size_t *ret,
			  size_t *ret_len);

#endif /* NMIBT_LEGACY_H */
