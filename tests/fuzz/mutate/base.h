/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A dump to mutate. Its files are copied to memory (memfd), where they are changed and restored.
 * The base knows where the structures of its format are, and which memory a report reads.
 */
#ifndef MUTATE_BASE_H
#define MUTATE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/kdump-header.h"

#define MAX_PARTS 8

/* Bytes of a file. */
struct span {
	unsigned int part;
	uint64_t at, len;
};

struct spans {
	struct span *v;
	size_t nr, room;
};

/* What a span of a file holds. */
enum kind {
	KIND_HEADER, /* all headers of the format, the program headers too */
	KIND_RECORD_HEAD, /* of a flattened file */
	KIND_NOTES,
	KIND_VMCOREINFO,
	KIND_BITMAP,
	KIND_DESC, /* the descriptors of the pages that a report reads */
	KIND_STORED, /* the pages that a report reads, as they are stored */
	NR_KINDS,
};

/* A page of a kdump-compressed dump. */
struct page {
	uint64_t pfn;
	uint64_t desc_at; /* in the dump, which is not the file if that is flattened */
	unsigned int part;
	bool is_unpacked; /* its descriptor leads to a copy at the end of the file */
	uint64_t copy_at; /* in the file */
};

/* Bytes of the dump that are contiguous in the file. */
struct record {
	uint64_t at; /* in the dump */
	uint64_t len;
	uint64_t file_at;
};

struct part {
	int fd; /* what is read and changed */
	uint8_t *sound; /* what the file was */
	uint64_t sound_size, size;
	bool is_flattened;
	struct record *records;
	size_t nr_records;
	uint64_t dump_end, sound_dump_end;
	char path[40];
};

/* A segment of an ELF file, or a run of pages of sadump. */
struct segment {
	uint64_t paddr, len, at;
};

/* Memory that a report reads. */
struct read {
	uint64_t paddr, len;
};

struct base {
	const char *name;
	struct part parts[MAX_PARTS];
	unsigned int nr_parts;
	const char *paths[MAX_PARTS]; /* of the parts, in the order in which they are opened */
	unsigned int nr_paths;
	char *vmlinux; /* NULL: none */
	struct spans spans[NR_KINDS];
	struct read *reads; /* each once, in the order of their addresses */
	size_t nr_reads;
	size_t *first_reads; /* of each page that has any: an index into reads */
	size_t nr_read_pages;
	struct segment *segments; /* of an ELF file or sadump */
	size_t nr_segments;
	struct page *pages; /* of a kdump-compressed one, in the order of their numbers */
	size_t nr_pages;
	uint32_t page_size;
	struct nmibt_input *input; /* the sound dump */
	struct spans changed;
};

/* Opens the dump whose files are named in name, separated by commas. Exits if that fails. */
struct base *base_open(const char *name);

/* Reads and changes the files as they are now; what lies beyond the end is left out. */
size_t base_get(const struct base *base, struct span span, void *buf);
void base_put(struct base *base, struct span span, const void *buf);
void base_cut(struct base *base, unsigned int part, uint64_t size);
/* *ret: where len bytes of memory are in the files; it may be shorter. Compressed pages are
 * unpacked. False: the dump does not have them. */
bool base_find_memory(struct base *base, uint64_t paddr, uint64_t len, struct span *ret);
/* Makes the files what they were. thorough: also what a process changed that died. */
void base_restore(struct base *base, bool thorough);

void spans_add(struct spans *spans, struct span span);

/* For base_open(): finds the structures, and the memory that a report reads. */
void base_find_structures(struct base *base);
void base_find_reads(struct base *base, const char *const *paths);
/* Where an offset of the dump is in the file, and how many bytes follow it there; 0: nowhere. */
uint64_t part_find(const struct part *part, uint64_t at, uint64_t *ret_len);
/* The first span of the file that has the dump's bytes from at on, of at most len bytes. False: len
 * is 0, or the file does not have the first of them. */
bool base_find(const struct base *base, unsigned int part, uint64_t at, uint64_t len,
	       struct span *ret);

#endif /* MUTATE_BASE_H */
