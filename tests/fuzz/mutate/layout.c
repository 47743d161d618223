// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where the structures of a sound dump are.
 */
#include <elf.h>
#include <endian.h>
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include <nmibt/nmibt.h>

#include "base.h"
#include "image/image.h"

#define FLATTENED_HEADER 4096
#define DESC_SIZE 24
#define SADUMP_BLOCK 4096

static void *allocate(size_t nr, size_t size)
{
	void *p = calloc(nr + 1, size);

	if (!p)
		err(2, "calloc");
	return p;
}

/* Adds a span of the dump, which may be several spans of the file. */
static void add(struct base *base, enum kind kind, unsigned int part, uint64_t at, uint64_t len)
{
	struct span span;

	for (uint64_t done = 0; base_find(base, part, at + done, len - done, &span);
	     done += span.len)
		spans_add(&base->spans[kind], span);
}

static uint64_t get(const struct part *part, uint64_t at, void *buf, uint64_t len)
{
	uint64_t n, done;

	memset(buf, 0, len);
	for (done = 0; done < len; done += n) {
		uint64_t file_at = part_find(part, at + done, &n);

		if (!n)
			break;
		if (n > len - done)
			n = len - done;
		memcpy((char *)buf + done, part->sound + file_at, n);
	}
	return done;
}

/* ---------------------------------------------------------------- flattened */

static void find_records(struct base *base, unsigned int i)
{
	struct part *part = &base->parts[i];
	uint64_t head[2];

	part->is_flattened =
		part->sound_size > FLATTENED_HEADER && !memcmp(part->sound, "makedumpfile", 12);
	part->dump_end = part->sound_size;
	if (!part->is_flattened)
		return;
	part->records = allocate(part->sound_size / sizeof(head), sizeof(*part->records));
	part->dump_end = 0;
	spans_add(&base->spans[KIND_HEADER], (struct span){i, 0, 64});
	for (uint64_t at = FLATTENED_HEADER; at + sizeof(head) <= part->sound_size;) {
		memcpy(head, part->sound + at, sizeof(head));
		spans_add(&base->spans[KIND_RECORD_HEAD], (struct span){i, at, sizeof(head)});
		at += sizeof(head);
		uint64_t offset = be64toh(head[0]), size = be64toh(head[1]);
		if (offset == UINT64_MAX)
			break;
		part->records[part->nr_records++] = (struct record){offset, size, at};
		if (offset + size > part->dump_end)
			part->dump_end = offset + size;
		at += size;
	}
}

/* ---------------------------------------------------------------------- ELF */

static void find_elf(struct base *base)
{
	const struct part *part = &base->parts[0];
	Elf64_Ehdr ehdr;

	get(part, 0, &ehdr, sizeof(ehdr));
	add(base, KIND_HEADER, 0, 0, sizeof(ehdr));
	add(base, KIND_HEADER, 0, ehdr.e_phoff, ehdr.e_phnum * sizeof(Elf64_Phdr));
	base->segments = allocate(ehdr.e_phnum, sizeof(*base->segments));
	for (unsigned int i = 0; i < ehdr.e_phnum; i++) {
		Elf64_Phdr p;

		get(part, ehdr.e_phoff + i * sizeof(p), &p, sizeof(p));
		if (p.p_type == PT_NOTE)
			add(base, KIND_NOTES, 0, p.p_offset, p.p_filesz);
		else if (p.p_type == PT_LOAD && p.p_filesz)
			base->segments[base->nr_segments++] =
				(struct segment){p.p_paddr, p.p_filesz, p.p_offset};
	}
}

/* ------------------------------------------------------------------- sadump */

/* Adds a page, which is at a place of the file. */
static void add_page(struct base *base, uint64_t paddr, uint64_t at)
{
	struct segment *last = base->nr_segments ? &base->segments[base->nr_segments - 1] : NULL;

	if (last && last->paddr + last->len == paddr)
		last->len += SADUMP_BLOCK;
	else
		base->segments[base->nr_segments++] = (struct segment){paddr, SADUMP_BLOCK, at};
}

/* A partition: lib/image/sadump.c has the offsets. */
static void find_sadump(struct base *base)
{
	const struct part *part = &base->parts[0];
	uint32_t blocks[3]; /* of the CPUs, and of the two bitmaps */
	uint64_t max_pfn;

	get(part, SADUMP_BLOCK + 48, blocks, sizeof(blocks));
	get(part, SADUMP_BLOCK + 88, &max_pfn, sizeof(max_pfn));
	uint64_t memory_at = (2ull + blocks[0]) * SADUMP_BLOCK;
	uint64_t held_at = memory_at + (uint64_t)blocks[1] * SADUMP_BLOCK;
	uint64_t at = held_at + (uint64_t)blocks[2] * SADUMP_BLOCK;
	uint8_t *held = allocate(max_pfn / 8 + 1, 1);

	add(base, KIND_HEADER, 0, 0, 168);
	add(base, KIND_HEADER, 0, SADUMP_BLOCK, 120);
	add(base, KIND_HEADER, 0, 2 * SADUMP_BLOCK, 64);
	add(base, KIND_BITMAP, 0, memory_at, max_pfn / 8 + 1);
	add(base, KIND_BITMAP, 0, held_at, max_pfn / 8 + 1);
	get(part, held_at, held, max_pfn / 8 + 1);
	base->segments = allocate(max_pfn, sizeof(*base->segments));
	for (uint64_t pfn = 0; pfn < max_pfn; pfn++) {
		if (held[pfn / 8] & 0x80 >> pfn % 8) {
			add_page(base, pfn * SADUMP_BLOCK, at);
			at += SADUMP_BLOCK;
		}
	}
	free(held);
}

/* -------------------------------------------------------------------- kdump */

static bool part_read(const struct nmibt_file *file, uint64_t offset, void *buf, size_t len)
{
	return get(file->ctx, offset, buf, len) > 0;
}

/* A flag for each page: a report reads it. */
static bool *find_read_pages(const struct base *base, uint64_t max_pfn)
{
	bool *is_read = allocate(max_pfn, sizeof(*is_read));

	for (size_t i = 0; i < base->nr_reads; i++) {
		const struct read *r = &base->reads[i];
		uint64_t last = (r->paddr + r->len - 1) / base->page_size;

		for (uint64_t pfn = r->paddr / base->page_size; pfn <= last && pfn < max_pfn; pfn++)
			is_read[pfn] = true;
	}
	return is_read;
}

static void add_desc(struct base *base, unsigned int i, uint64_t desc_at)
{
	struct {
		uint64_t offset;
		uint32_t size, flags;
	} desc;

	add(base, KIND_DESC, i, desc_at, DESC_SIZE);
	get(&base->parts[i], desc_at, &desc, sizeof(desc));
	add(base, KIND_STORED, i, desc.offset, desc.size);
}

static void find_pages(struct base *base, unsigned int i, const struct nmibt_kdump_header *header)
{
	const struct part *part = &base->parts[i];
	uint64_t end = header->split ? header->end_pfn : header->max_pfn;
	uint64_t nr = 0, bytes = header->max_pfn / 8 + 1;
	uint8_t *held = allocate(bytes, 1);
	bool *is_read = find_read_pages(base, header->max_pfn);

	get(part, header->held_at, held, bytes);
	if (!base->pages)
		base->pages = allocate(header->max_pfn, sizeof(*base->pages));
	for (uint64_t pfn = header->split ? header->start_pfn : 0; pfn < end; pfn++) {
		uint64_t desc_at = header->descs_at + nr * DESC_SIZE;

		if (!(held[pfn / 8] >> pfn % 8 & 1))
			continue;
		base->pages[base->nr_pages++] =
			(struct page){.pfn = pfn, .desc_at = desc_at, .part = i};
		if (is_read[pfn])
			add_desc(base, i, desc_at);
		nr++;
	}
	free(is_read);
	free(held);
}

static void find_kdump(struct base *base, unsigned int i)
{
	struct part *part = &base->parts[i];
	const struct nmibt_file file = {
		.path = base->name, .size = part->dump_end, .read = part_read, .ctx = part};
	struct nmibt_kdump_header header;
	struct nmibt_error *error = nmibt_kdump_header_read(&file, &header);

	if (error)
		errx(2, "%s", nmibt_error_message(error));
	base->page_size = header.block_size;
	/* The fields, and little of the names of the machine. */
	add(base, KIND_HEADER, i, 0, 16);
	add(base, KIND_HEADER, i, 272, 8);
	add(base, KIND_HEADER, i, 408, 60);
	add(base, KIND_HEADER, i, header.block_size, 104);
	add(base, KIND_HEADER, i, header.block_size, 104);
	add(base, KIND_BITMAP, i, header.memory_at, header.max_pfn / 8 + 1);
	add(base, KIND_BITMAP, i, header.held_at, header.max_pfn / 8 + 1);
	add(base, KIND_NOTES, i, header.notes.offset, header.notes.size);
	add(base, KIND_VMCOREINFO, i, header.vmcoreinfo.offset, header.vmcoreinfo.size);
	find_pages(base, i, &header);
}

/* The text of VMCOREINFO in an ELF file's notes. */
static void find_vmcoreinfo(struct base *base)
{
	struct spans *notes = &base->spans[KIND_NOTES];
	const struct part *part = &base->parts[0];

	for (size_t i = 0; i < notes->nr; i++) {
		const uint8_t *from = part->sound + notes->v[i].at;
		const uint8_t *text = memmem(from, notes->v[i].len, "OSRELEASE=", 10);

		if (text)
			spans_add(&base->spans[KIND_VMCOREINFO],
				  (struct span){0, text - part->sound,
						notes->v[i].len - (text - from)});
	}
}

static int compare_pages(const void *a, const void *b)
{
	const struct page *x = a, *y = b;

	return x->pfn < y->pfn ? -1 : x->pfn > y->pfn;
}

void base_find_structures(struct base *base)
{
	char magic[8];

	for (unsigned int i = 0; i < base->nr_parts; i++) {
		find_records(base, i);
		base->parts[i].sound_dump_end = base->parts[i].dump_end;
	}
	get(&base->parts[0], 0, magic, sizeof(magic));
	if (!memcmp(magic, ELFMAG, SELFMAG)) {
		find_elf(base);
		find_vmcoreinfo(base);
		return;
	}
	if (!memcmp(magic, "sadump\0", sizeof(magic))) {
		find_sadump(base);
		return;
	}
	for (unsigned int i = 0; i < base->nr_parts; i++)
		find_kdump(base, i);
	qsort(base->pages, base->nr_pages, sizeof(*base->pages), compare_pages);
}
