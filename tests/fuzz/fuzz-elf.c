// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as a vmcore: it is opened, reported and rendered, for either architecture. The output
 * must be safe for a terminal.
 *
 * The mutator starts from a small vmcore with a capture in it. It overwrites bytes more often than
 * it inserts or removes any.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/fake-image.h"
#include "../unit/safe-text.h"
#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

#define NR_CPUS 2
/* Bytes of a slot that the vmcore has; the rest is excluded. */
#define SLOT_BYTES 900

static void render(const struct nmibt_report *report, const struct nmibt_render_options *options)
{
	char *text;
	size_t len;
	int code;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		abort();
	struct nmibt_error *err = (options->format == NMIBT_FORMAT_JSON
					   ? nmibt_json_file
					   : nmibt_render_file)(report, options, out, &code);
	fclose(out);
	if (err || unsafe_text(text, len) || (code != 0 && code != 1 && code != 3))
		abort();
	free(text);
}

static void check_error(struct nmibt_error *err)
{
	if (!err)
		return;
	if (!*err->message || unsafe_text(err->message, strlen(err->message)) ||
	    strchr(err->message, '\n'))
		abort();
	nmibt_error_destroy(err);
}

static void check_image(const struct nmibt_image *image, enum nmibt_source only)
{
	static const struct nmibt_render_options options[] = {
		{.older = true, .header = true, .lines = true, .width = 40},
		{.older = true, .raw = true, .width = 200},
		{.format = NMIBT_FORMAT_JSON, .older = true, .raw = true},
		{.format = NMIBT_FORMAT_GROUPS, .older = true, .lines = true},
		{.format = NMIBT_FORMAT_FOLDED, .older = true},
		{.format = NMIBT_FORMAT_SIGNATURE},
	};
	struct nmibt_report *report;
	struct nmibt_error *err = nmibt_report_make(image, only, &report);

	check_error(err);
	if (err)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		render(report, &options[i]);
	nmibt_report_close(report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nmibt_elf *elf;
	int fd;
	struct nmibt_error *err = nmibt_elf_open(fake_file(data, size, &fd), &elf);

	check_error(err);
	if (!err) {
		struct nmibt_image image;
		nmibt_elf_image(elf, &image);
		image.arch = NMIBT_ARCH_ARM64;
		check_image(&image, NMIBT_SOURCE_AUTO);
		image.arch = NMIBT_ARCH_X86_64;
		check_image(&image, NMIBT_SOURCE_SCAN);
		nmibt_elf_close(elf);
	}
	close(fd);
	return 0;
}

/* A vmcore that has only the capture, so that it fits into libFuzzer's 4096 bytes. */
static struct fake_elf small_vmcore(enum nmibt_arch arch)
{
	struct fake *f = fake_new(arch, NR_CPUS);
	uint8_t notes[256];
	size_t len = fake_elf_note(notes, "VMCOREINFO", f->vmcoreinfo, strlen(f->vmcoreinfo));
	struct fake_segment segments[3 + 2 * NR_CPUS] = {
		{PT_NOTE, 0, len, notes, len},
		{PT_LOAD, f->desc_paddr, 376, f->desc, 376},
		{PT_LOAD, f->desc->table_paddr, 64, f->table, 64},
	};

	fake_tail(f, 1, "half a li");
	fake_nested(f, 1, "\0014nested\n");
	for (unsigned int i = 0; i < NR_CPUS; i++) {
		segments[3 + 2 * i] = (struct fake_segment){PT_LOAD, f->slot_paddr[i],
							    FAKE_SLOT_SIZE, f->slot[i], SLOT_BYTES};
		segments[4 + 2 * i] =
			(struct fake_segment){PT_LOAD, f->note_paddr[i], FAKE_NOTE_SIZE,
					      fake_at(f, f->note_paddr[i]), 420};
	}
	struct fake_elf elf = fake_elf_new(EM_AARCH64, segments, ARRAY_SIZE(segments));
	fake_free(f);
	return elf;
}

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

static void change_in_place(uint8_t *data, size_t size, uint32_t *random)
{
	static const uint64_t values[] = {0,	      1,	  0xff,	      0xffff,
					  0x7fffffff, 0xffffffff, UINT64_MAX, 0x1000,
					  FAKE_BASE,  0x80000000, 1ull << 63, 0x5c1b010a};
	size_t at = next_random(random) % size;
	size_t len = 1u << next_random(random) % 4;
	uint64_t value = values[next_random(random) % ARRAY_SIZE(values)];

	if (next_random(random) % 2)
		at &= ~(size_t)7; /* fields are aligned */
	if (next_random(random) % 2)
		value = next_random(random);
	if (len > size - at)
		len = size - at;
	memcpy(data + at, &value, len);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	uint32_t random = seed;

	if (size < 64 || next_random(&random) % 32 == 0) {
		struct fake_elf elf = small_vmcore(next_random(&random) % 2 ? NMIBT_ARCH_ARM64
									    : NMIBT_ARCH_X86_64);
		if (elf.size > max_size)
			abort();
		memcpy(data, elf.data, elf.size);
		size = elf.size;
		free(elf.data);
	}
	if (next_random(&random) % 4 == 0)
		return LLVMFuzzerMutate(data, size, max_size);
	for (unsigned int n = next_random(&random) % 3 + 1; n; n--)
		change_in_place(data, size, &random);
	return size;
}
