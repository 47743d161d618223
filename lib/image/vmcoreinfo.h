/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VMCOREINFO: lines KEY=VALUE that a kernel writes for readers of its dumps, parsed once.
 */
#ifndef NMIBT_VMCOREINFO_H
#define NMIBT_VMCOREINFO_H

#include "image/image.h"

/* A value of VMCOREINFO, or that of a typed member below. */
struct nmibt_number {
	bool known;
	uint64_t value;
};

/* All of them are there, or the kernel has no such log. Bytes; offsets of members from the
 * structure that is named. */
struct nmibt_printk_layout {
	struct nmibt_number prb; /* virtual address of the pointer to the ring buffer */
	struct nmibt_number atomic_long_size, atomic_long_counter;
	struct nmibt_number ring_descs, ring_text; /* printk_ringbuffer */
	struct nmibt_number desc_ring_count_bits, desc_ring_descs, desc_ring_infos;
	struct nmibt_number desc_ring_head_id, desc_ring_tail_id;
	struct nmibt_number data_ring_size_bits, data_ring_data;
	struct nmibt_number desc_size, desc_state_var, desc_position;
	struct nmibt_number position_begin, position_next;
	struct nmibt_number info_size, info_seq, info_ts_nsec, info_text_len, info_caller_id;
};

/* Virtual addresses. */
struct nmibt_kallsyms_layout {
	struct nmibt_number num_syms, names, token_table, token_index;
	struct nmibt_number offsets, relative_base;
};

/* What anybody uses of it. Strings are untrusted; NULL: there is no such line. */
struct nmibt_vmcoreinfo {
	bool present; /* false: there is none, and nothing below is known */
	const char *osrelease;
	const char *build_id; /* see nmibt_kernel_build_id(): some kernels write garbage */
	struct nmibt_number page_size; /* bytes */
	struct nmibt_number crashtime; /* s since 1970: the kernel went to kdump */
	struct nmibt_number kerneloffset; /* by which KASLR moved the image */
	struct nmibt_number swapper_pg_dir, stext, init_uts_ns; /* virtual addresses */
	/* x86_64: */
	struct nmibt_number phys_base, kernel_image_size, l5_enabled, sme_mask;
	/* arm64: */
	struct nmibt_number kimage_voffset, va_bits, t1sz, pac_mask;
	struct nmibt_kallsyms_layout kallsyms;
	struct nmibt_printk_layout printk;
	const char *capture; /* of the descriptor, as printed; cut where that is the last line */
	struct nmibt_number capture_paddr, capture_size; /* not known: makes no sense */
	/* What is wrong with it, a line of text; empty: nothing. */
	char why[NMIBT_WHY_LEN];

	char *text; /* from here on the parser's: what strings point into */
	const char *cut; /* the last line, without its end; empty: it is whole */
	struct nmibt_vmcoreinfo_line *lines; /* in order of their keys */
	size_t nr_lines;
};

/*
 * Takes text over, which is malloc'ed; NULL: there is no VMCOREINFO. A last line without a
 * newline is dropped, because the kernel cuts what does not fit
 * (kernel/vmcore_info.c: vmcoreinfo_append_str(), 6.12). Fails with NOMEM alone: what is
 * wrong with the text is said in ret->why.
 */
struct nmibt_error *nmibt_vmcoreinfo_parse(char *text, struct nmibt_vmcoreinfo *ret);
/* As nmibt_vmcoreinfo_parse(), of what the image has. */
struct nmibt_error *nmibt_vmcoreinfo_read(const struct nmibt_image *image,
					  struct nmibt_vmcoreinfo *ret);
/* The text of the note that begins at a physical address, which the caller frees; NULL:
 * there is none. */
char *nmibt_vmcoreinfo_at(const struct nmibt_image *image, uint64_t paddr);
void nmibt_vmcoreinfo_destroy(struct nmibt_vmcoreinfo *info);

#endif /* NMIBT_VMCOREINFO_H */
