// SPDX-License-Identifier: GPL-2.0-or-later
/* The plain ELF back end: what a file has, what it left out, and what is damaged. */
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake-image.h"
#include "render/render.h"

#define PADDR UINT64_C(0x100000)

struct opened {
	struct nmibt_elf *elf;
	struct nmibt_image image;
	int fd;
};

/* Opens a file that must be accepted. */
static struct opened open_bytes(const void *data, size_t size)
{
	struct opened o;
	const char *path = fake_file(data, size, &o.fd);

	assert_null(nmibt_elf_open(path, &o.elf));
	nmibt_elf_image(o.elf, &o.image);
	return o;
}

static void close_bytes(struct opened *o)
{
	nmibt_elf_close(o->elf);
	close(o->fd);
}

static struct opened open_segments(const struct fake_segment *segments, unsigned int nr)
{
	struct fake_elf elf = fake_elf_new(EM_X86_64, segments, nr);
	struct opened o = open_bytes(elf.data, elf.size);

	free(elf.data);
	return o;
}

/* The file must be refused, with a message that names the file and the reason. */
static void check_refused(const void *data, size_t size, const char *why)
{
	struct nmibt_elf *untouched = (void *)&untouched, *elf = untouched;
	int fd;
	const char *path = fake_file(data, size, &fd);
	struct nmibt_error *err = nmibt_elf_open(path, &elf);

	assert_non_null(err);
	assert_int_equal(err->code, NMIBT_ERR_UNUSABLE);
	assert_non_null(strstr(err->message, path));
	if (!strstr(err->message, why))
		fail_msg("'%s' lacks '%s'", err->message, why);
	assert_ptr_equal(elf, untouched);
	nmibt_error_destroy(err);
	close(fd);
}

static enum nmibt_read read_byte(struct opened *o, uint64_t paddr, unsigned char *ret)
{
	return o->image.ops->read_phys(o->image.ctx, paddr, ret, 1);
}

static void check_byte(struct opened *o, uint64_t paddr, unsigned char want)
{
	unsigned char byte;

	assert_int_equal(read_byte(o, paddr, &byte), NMIBT_READ_OK);
	assert_int_equal(byte, want);
}

static void check_no_byte(struct opened *o, uint64_t paddr, enum nmibt_read want)
{
	unsigned char byte;

	assert_int_equal(read_byte(o, paddr, &byte), want);
}

/* ---------------------------------------------------------------------- memory */

static void memory_by_physical_address(void **state)
{
	static const char low[] = "lowmem", high[] = "highmem";
	const struct fake_segment segments[] = {
		{PT_LOAD, UINT64_C(0x880000000000), sizeof(high), high, sizeof(high)},
		{PT_LOAD, 0, sizeof(low), low, sizeof(low)},
	};
	struct opened o = open_segments(segments, 2);
	char buf[8];

	(void)state;
	assert_int_equal(o.image.arch, NMIBT_ARCH_X86_64);
	assert_int_equal(o.image.page_size, 4096);
	assert_int_equal(o.image.ops->read_phys(o.image.ctx, 0, buf, 7), NMIBT_READ_OK);
	assert_string_equal(buf, "lowmem");
	assert_int_equal(o.image.ops->read_phys(o.image.ctx, 0x880000000004, buf, 4),
			 NMIBT_READ_OK);
	assert_string_equal(buf, "mem");
	/* These reads end one byte beyond a segment, or are in no segment. */
	assert_int_equal(o.image.ops->read_phys(o.image.ctx, 0x880000000004, buf, 5),
			 NMIBT_READ_ERROR);
	check_no_byte(&o, 0x1000, NMIBT_READ_ERROR);
	check_no_byte(&o, UINT64_MAX, NMIBT_READ_ERROR);
	close_bytes(&o);
}

static void what_makedumpfile_left_out(void **state)
{
	char page[4096];
	const struct fake_segment segments[] = {
		{PT_LOAD, PADDR, 3 * 4096, page, 4096},
		{PT_LOAD, PADDR + 0x10000, 2 * 4096, NULL, 0},
	};

	(void)state;
	memset(page, 'p', sizeof(page));
	struct opened o = open_segments(segments, 2);
	check_byte(&o, PADDR + 4095, 'p');
	check_no_byte(&o, PADDR + 4096, NMIBT_READ_EXCLUDED);
	check_no_byte(&o, PADDR + 3 * 4096 - 1, NMIBT_READ_EXCLUDED);
	check_no_byte(&o, PADDR + 3 * 4096, NMIBT_READ_ERROR);
	/* Only half of the bytes are there. */
	assert_int_equal(o.image.ops->read_phys(o.image.ctx, PADDR + 4092, page, 8),
			 NMIBT_READ_EXCLUDED);
	check_no_byte(&o, PADDR + 0x10000, NMIBT_READ_EXCLUDED);
	check_no_byte(&o, PADDR - 1, NMIBT_READ_ERROR);
	close_bytes(&o);
}

static void overlapping_segments(void **state)
{
	static const char a[] = "aaaaaaaa", b[] = "bbbbbbbb";
	const struct fake_segment segments[] = {
		{PT_LOAD, PADDR, 16, a, 4}, /* 12 excluded */
		{PT_LOAD, PADDR + 2, 8, b, 8},
		{PT_LOAD, PADDR + 12, 4, b, 4},
	};
	struct opened o = open_segments(segments, 3);
	struct nmibt_range range;

	(void)state;
	check_byte(&o, PADDR, 'a');
	check_byte(&o, PADDR + 3, 'a'); /* the first segment that has it */
	check_byte(&o, PADDR + 4, 'b'); /* data wins over exclusion */
	check_byte(&o, PADDR + 9, 'b');
	check_no_byte(&o, PADDR + 10, NMIBT_READ_EXCLUDED);
	check_byte(&o, PADDR + 12, 'b');

	/* The ranges cover all bytes, each once. */
	uint64_t from = 0, bytes = 0;
	while (o.image.ops->next_range(o.image.ctx, from, &range)) {
		assert_true(range.start >= from && range.size);
		from = range.start + range.size;
		bytes += range.size;
	}
	assert_int_equal(bytes, 4 + 6 + 4);
	close_bytes(&o);
}

static void ranges_are_what_the_file_has(void **state)
{
	static const char data[] = "0123456789";
	const struct fake_segment segments[] = {
		{PT_LOAD, PADDR, 100, data, 10},
		{PT_LOAD, 0x5000, 10, data, 10},
	};
	struct opened o = open_segments(segments, 2);
	struct nmibt_range range;

	(void)state;
	assert_true(o.image.ops->next_range(o.image.ctx, 0, &range));
	assert_int_equal(range.start, 0x5000);
	assert_int_equal(range.size, 10);
	assert_true(o.image.ops->next_range(o.image.ctx, 0x5003, &range));
	assert_int_equal(range.start, 0x5003);
	assert_int_equal(range.size, 7);
	assert_true(o.image.ops->next_range(o.image.ctx, 0x500a, &range));
	assert_int_equal(range.start, PADDR);
	assert_int_equal(range.size, 10);
	assert_false(o.image.ops->next_range(o.image.ctx, PADDR + 10, &range));
	assert_false(o.image.ops->next_range(o.image.ctx, UINT64_MAX, &range));
	close_bytes(&o);
}

/* A search would take as long as the segments are many. */
static void segments_that_share_their_bytes(void **state)
{
	static const char data[] = "0123456789";
	const struct fake_segment segments[] = {
		{PT_LOAD, PADDR, 10, data, 10},
		{PT_LOAD, PADDR + 0x1000, 10, data, 10},
	};
	struct fake_elf elf = fake_elf_new(EM_X86_64, segments, 2);
	Elf64_Phdr *phdr = (Elf64_Phdr *)(elf.data + 64);
	struct nmibt_range range;

	(void)state;
	phdr[1].p_offset = phdr[0].p_offset;
	struct opened o = open_bytes(elf.data, elf.size);
	check_byte(&o, PADDR + 0x1009, '9');
	assert_true(o.image.ops->next_range(o.image.ctx, 0, &range));
	assert_int_equal(range.start, PADDR);
	assert_false(o.image.ops->next_range(o.image.ctx, PADDR + 10, &range));
	assert_non_null(strstr(o.image.lost, "share"));
	close_bytes(&o);
	free(elf.data);
}

/* p_filesz may claim an exabyte, which nobody may have to search. */
static void a_segment_larger_than_the_file(void **state)
{
	static const char data[] = "0123456789";
	const struct fake_segment segment = {PT_LOAD, PADDR, 10, data, 10};
	struct fake_elf elf = fake_elf_new(EM_AARCH64, &segment, 1);
	Elf64_Phdr *phdr = (Elf64_Phdr *)(elf.data + 64);
	struct nmibt_range range;

	(void)state;
	phdr->p_filesz = phdr->p_memsz = UINT64_C(1) << 60;
	struct opened o = open_bytes(elf.data, elf.size);
	assert_int_equal(o.image.arch, NMIBT_ARCH_ARM64);
	check_byte(&o, PADDR + 9, '9');
	check_no_byte(&o, PADDR + 10, NMIBT_READ_ERROR);
	assert_true(o.image.ops->next_range(o.image.ctx, 0, &range));
	assert_int_equal(range.size, 10);
	assert_false(o.image.ops->next_range(o.image.ctx, PADDR + 10, &range));
	assert_string_equal(o.image.lost, NMIBT_FILE_TRUNCATED);
	close_bytes(&o);

	/* The segment begins beyond the end of the file, or its end overflows. */
	static const uint64_t offsets[] = {10000, UINT64_MAX - 5, UINT64_C(1) << 63};
	for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
		phdr->p_offset = offsets[i];
		o = open_bytes(elf.data, elf.size);
		check_no_byte(&o, PADDR, NMIBT_READ_ERROR);
		check_no_byte(&o, PADDR + 9, NMIBT_READ_ERROR);
		assert_false(o.image.ops->next_range(o.image.ctx, 0, &range));
		close_bytes(&o);
	}

	/* The addresses overflow. */
	phdr->p_offset = 120;
	phdr->p_paddr = UINT64_MAX - 100;
	check_refused(elf.data, elf.size, "no PT_LOAD");
	free(elf.data);
}

static void memory_up_to_the_last_address(void **state)
{
	char page[4096];
	const struct fake_segment segments[] = {
		{PT_LOAD, 0, 4096, page, 4096},
		{PT_LOAD, UINT64_MAX - 4095, 4096, page, 4096},
	};
	bool known[8192];
	char buf[8192];

	(void)state;
	memset(page, 'p', sizeof(page));
	memset(buf, 'x', sizeof(buf));
	struct opened o = open_segments(segments, 2);
	check_byte(&o, UINT64_MAX, 'p');
	/* After the last address there is nothing; least of all the first page. */
	struct nmibt_run run =
		nmibt_read_phys_pages(&o.image, UINT64_MAX - 4095, buf, sizeof(buf), known);
	assert_int_equal(run.failed, 4096);
	assert_int_equal(run.excluded, 0);
	assert_true(known[4095]);
	assert_false(known[4096]);
	/* Bytes that could not be read must be 0, not their old values. */
	assert_int_equal(buf[4096], 0);
	assert_int_equal(buf[8191], 0);
	close_bytes(&o);
}

/* ------------------------------------------------------------------ VMCOREINFO */

static void check_text(struct opened *o, const char *want)
{
	char *text = o->image.ops->vmcoreinfo_text(o->image.ctx);

	if (want)
		assert_string_equal(text, want);
	else
		assert_null(text);
	free(text);
}

static void vmcoreinfo_among_other_notes(void **state)
{
	static const char info[] = "OSRELEASE=6.12\nA=1\nno equals\nLAST=end";
	uint8_t notes[1024] = {0};
	size_t len = fake_elf_note(notes, "CORE", "0123456", 7);
	const struct fake_segment more = {PT_LOAD, PADDR, 4, "data", 4};

	(void)state;
	len += fake_elf_note(notes + len, "VMCOREINFO_XEN", "A=xen\n", 6);
	len += fake_elf_note(notes + len, "QEMU", "", 0);
	len += fake_elf_note(notes + len, "VMCOREINFO", info, sizeof(info) - 1);
	len += fake_elf_note(notes + len, "VMCOREINFO", "A=second\n", 9);
	const struct fake_segment segments[] = {{PT_NOTE, 0, len, notes, len}, more};
	struct opened o = open_segments(segments, 2);

	check_text(&o, info);
	close_bytes(&o);
}

static void no_vmcoreinfo(void **state)
{
	uint8_t notes[64] = {0};
	size_t len = fake_elf_note(notes, "CORE", "0123456", 7);
	const struct fake_segment segments[] = {
		{PT_LOAD, PADDR, 4, "data", 4},
		{PT_NOTE, 0, len, notes, len},
	};
	struct opened o = open_segments(segments, 2);

	(void)state;
	check_text(&o, NULL);
	close_bytes(&o);
	o = open_segments(segments, 1);
	check_text(&o, NULL);
	close_bytes(&o);
}

/* The file ends within VMCOREINFO: the part that is there counts. */
static void vmcoreinfo_cut_off(void **state)
{
	static const char info[] =
		"OSRELEASE=6.12\nNUMBER(nmi_backtrace_capture)=2147487736\nLAST=12\n";
	uint8_t notes[128] = {0};
	size_t len = fake_elf_note(notes, "VMCOREINFO", info, sizeof(info) - 1);
	const struct fake_segment segments[] = {
		{PT_LOAD, PADDR, 4, "data", 4},
		{PT_NOTE, 0, len, notes, len},
	};
	struct fake_elf elf = fake_elf_new(EM_X86_64, segments, 2);
	/* The file ends before the newline in front of "LAST". */
	struct opened o = open_bytes(elf.data, elf.size - 9);

	(void)state;
	check_text(&o, "OSRELEASE=6.12\nNUMBER(nmi_backtrace_capture)=2147487736");
	close_bytes(&o);
	/* The file ends within the note's name or header. */
	for (size_t left = 0; left < 24; left++) {
		o = open_bytes(elf.data, elf.size - len + left);
		check_text(&o, NULL);
		check_byte(&o, PADDR, 'd');
		close_bytes(&o);
	}
	free(elf.data);
}

static void notes_with_absurd_sizes(void **state)
{
	static const uint32_t sizes[] = {0, 1, 3, 200, 0x7fffffff, 0xfffffffc, 0xffffffff};
	uint8_t notes[256];

	(void)state;
	for (unsigned int word = 0; word < 2; word++) {
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			memset(notes, 0, sizeof(notes));
			size_t len = fake_elf_note(notes, "VMCOREINFO", "A=1\nB=2\n", 8);
			memcpy(notes + 4 * word, &sizes[i], 4);
			const struct fake_segment segments[] = {
				{PT_LOAD, PADDR, 4, "data", 4},
				{PT_NOTE, 0, len, notes, len},
			};
			struct opened o = open_segments(segments, 2);
			/* If the description is cut, its beginning counts. */
			char *text = o.image.ops->vmcoreinfo_text(o.image.ctx);
			assert_int_equal(text && strlen(text) >= 3, word == 1 && sizes[i] >= 3);
			free(text);
			check_byte(&o, PADDR, 'd');
			close_bytes(&o);
		}
	}
}

/* --------------------------------------------------------------------- headers */

static void numbers_beyond_the_header(void **state)
{
	static const char data[] = "0123456789";
	const struct fake_segment segments[] = {
		{PT_LOAD, PADDR, 5, data, 5},
		{PT_LOAD, PADDR + 5, 5, data + 5, 5},
	};
	struct fake_elf elf = fake_elf_new(EM_X86_64, segments, 2);
	Elf64_Ehdr *ehdr = (Elf64_Ehdr *)elf.data;
	struct opened o;

	(void)state;
	/* QEMU's dump-guest-memory and makedumpfile do this for many segments: PN_XNUM, and the
	 * number in sh_info of section header 0. */
	elf.data = realloc(elf.data, elf.size + 64);
	ehdr = (Elf64_Ehdr *)elf.data;
	memset(elf.data + elf.size, 0, 64);
	uint32_t nr = 2;
	memcpy(elf.data + elf.size + 44, &nr, 4);
	ehdr->e_phnum = 0xffff;
	ehdr->e_shoff = elf.size;
	ehdr->e_shnum = 1;
	ehdr->e_shentsize = 64;
	o = open_bytes(elf.data, elf.size + 64);
	check_byte(&o, PADDR + 9, '9');
	check_no_byte(&o, PADDR + 10, NMIBT_READ_ERROR);
	close_bytes(&o);

	/* That number counts, */
	nr = 1;
	memcpy(elf.data + elf.size + 44, &nr, 4);
	o = open_bytes(elf.data, elf.size + 64);
	check_byte(&o, PADDR + 4, '4');
	check_no_byte(&o, PADDR + 5, NMIBT_READ_ERROR);
	close_bytes(&o);

	/* unless it is absurd or beyond the file: then the headers in the file count. */
	nr = 0xffffffff;
	memcpy(elf.data + elf.size + 44, &nr, 4);
	o = open_bytes(elf.data, elf.size + 64);
	check_byte(&o, PADDR + 9, '9');
	close_bytes(&o);
	ehdr->e_shoff = UINT64_MAX - 3;
	o = open_bytes(elf.data, elf.size + 64);
	check_byte(&o, PADDR + 9, '9');
	close_bytes(&o);
	free(elf.data);
}

/* As many segments as e_phnum can't count, the last one first. */
static void very_many_segments(void **state)
{
	enum { NR = 70000 };
	size_t size = 64 + NR * 56 + 64 + NR;
	struct fake_elf elf = fake_elf_new(EM_X86_64, NULL, 0);
	uint32_t nr = NR;

	(void)state;
	elf.data = realloc(elf.data, size);
	memset(elf.data + 64, 0, size - 64);
	for (uint32_t i = 0; i < NR; i++) {
		Elf64_Phdr *phdr = (Elf64_Phdr *)(elf.data + 64 + 56 * i);

		*phdr = (Elf64_Phdr){.p_type = PT_LOAD,
				     .p_offset = size - NR + i,
				     .p_paddr = PADDR + 8 * (NR - 1 - i),
				     .p_filesz = 1,
				     .p_memsz = 4};
		elf.data[size - NR + i] = i % 251;
	}
	Elf64_Ehdr *ehdr = (Elf64_Ehdr *)elf.data;
	ehdr->e_phnum = PN_XNUM;
	ehdr->e_shoff = 64 + NR * 56;
	memcpy(elf.data + ehdr->e_shoff + offsetof(Elf64_Shdr, sh_info), &nr, sizeof(nr));
	struct opened o = open_bytes(elf.data, size);
	for (uint32_t i = 0; i < NR; i += i < NR - 100 ? 97 : 1) {
		uint64_t paddr = PADDR + 8 * (NR - 1 - i);

		check_byte(&o, paddr, i % 251);
		check_no_byte(&o, paddr + 1, NMIBT_READ_EXCLUDED);
		check_no_byte(&o, paddr + 4, NMIBT_READ_ERROR);
	}
	assert_null(o.image.lost);
	close_bytes(&o);
	free(elf.data);
}

static void odd_headers_of_others(void **state)
{
	const struct fake_segment segment = {PT_LOAD, PADDR, 4, "data", 4};
	struct fake_elf elf = fake_elf_new(EM_X86_64, &segment, 1);
	Elf64_Ehdr *ehdr = (Elf64_Ehdr *)elf.data;
	Elf64_Phdr *phdr = (Elf64_Phdr *)(elf.data + 64);

	(void)state;
	/* QEMU's dump-guest-memory fills e_ehsize with the size of e_ident's type. */
	ehdr->e_ehsize = 8;
	struct opened o = open_bytes(elf.data, elf.size);
	check_byte(&o, PADDR + 3, 'a');
	close_bytes(&o);

	/* p_memsz 0 where the file has bytes */
	phdr->p_memsz = 0;
	o = open_bytes(elf.data, elf.size);
	check_byte(&o, PADDR + 3, 'a');
	close_bytes(&o);

	ehdr->e_machine = EM_S390;
	o = open_bytes(elf.data, elf.size);
	assert_int_equal(o.image.arch, NMIBT_ARCH_UNKNOWN);
	assert_null(o.image.lost);
	close_bytes(&o);

	/* makedumpfile had no room for the rest. */
	ehdr->e_flags = 1;
	o = open_bytes(elf.data, elf.size);
	assert_string_equal(o.image.lost, NMIBT_DUMP_INCOMPLETE);
	close_bytes(&o);
	free(elf.data);
}

static void not_a_vmcore(void **state)
{
	const struct fake_segment segment = {PT_LOAD, PADDR, 4, "data", 4};
	struct fake_elf elf = fake_elf_new(EM_X86_64, &segment, 1);
	Elf64_Ehdr *ehdr = (Elf64_Ehdr *)elf.data, whole = *ehdr;

	(void)state;
	check_refused("", 0, "the file is empty");
	check_refused("KDUMP   ", 8, "not an ELF file");
	ehdr->e_ident[0] = 'x';
	check_refused(elf.data, elf.size, "not an ELF file");
	*ehdr = whole;
	ehdr->e_ident[EI_CLASS] = ELFCLASS32;
	ehdr->e_machine = EM_ARM;
	check_refused(elf.data, elf.size, "an ELF dump of a 32-bit machine (ARM)");
	*ehdr = whole;
	ehdr->e_ident[EI_DATA] = ELFDATA2MSB;
	ehdr->e_machine = htobe16(EM_S390);
	check_refused(elf.data, elf.size, "an ELF dump of a big-endian machine (s390)");
	*ehdr = whole;
	ehdr->e_phentsize = 32;
	check_refused(elf.data, elf.size, "program headers of 32 bytes, 56 expected");
	*ehdr = whole;
	ehdr->e_phnum = 0;
	check_refused(elf.data, elf.size, "no PT_LOAD");
	*ehdr = whole;
	ehdr->e_phoff = UINT64_MAX - 10;
	check_refused(elf.data, elf.size, "no PT_LOAD");
	free(elf.data);

	struct nmibt_elf *none;
	struct nmibt_error *err = nmibt_elf_open("/nonexistent/vmcore", &none);
	assert_int_equal(err->code, NMIBT_ERR_UNUSABLE);
	assert_string_equal(err->message,
			    "/nonexistent/vmcore: can't be opened: No such file or directory");
	nmibt_error_destroy(err);
	err = nmibt_elf_open("/", &none);
	assert_int_equal(err->code, NMIBT_ERR_UNUSABLE);
	nmibt_error_destroy(err);
	nmibt_elf_close(NULL);
}

/* ------------------------------------------------------------------- whole files */

/* Opens, reports and renders; returns whether there was a report. */
static bool render(const void *data, size_t size, char **text)
{
	struct nmibt_elf *elf;
	int fd;
	struct nmibt_error *err = nmibt_elf_open(fake_file(data, size, &fd), &elf);
	bool rendered = false;

	*text = NULL;
	if (!err) {
		struct nmibt_image image;
		struct nmibt_report *report;
		nmibt_elf_image(elf, &image);
		err = nmibt_report_make(&image, NMIBT_SOURCE_AUTO, &report);
		if (!err) {
			size_t len;
			int code;
			FILE *out = open_memstream(text, &len);
			const struct nmibt_render_options options = {.header = true};
			err = nmibt_render_file(report, &options, out, &code);
			rendered = !err;
			fclose(out);
			nmibt_report_close(report);
		}
		nmibt_elf_close(elf);
	}
	if (err) {
		assert_in_range(err->code, NMIBT_ERR_NOTHING, NMIBT_ERR_UNUSABLE);
		assert_true(strlen(err->message) > 10);
		nmibt_error_destroy(err);
	}
	close(fd);
	return rendered;
}

static void a_whole_vmcore(void **state)
{
	static const enum nmibt_arch archs[] = {NMIBT_ARCH_ARM64, NMIBT_ARCH_X86_64};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(archs); i++) {
		struct fake *f = fake_new(archs[i], 3);
		struct fake_elf elf = fake_elf_of(f);
		char *text;

		assert_true(render(elf.data, elf.size, &text));
		assert_non_null(strstr(text, "3 CPUs: 2 nmi, 1 self\n"));
		assert_non_null(strstr(text, "\n    marker-of-cpu-0\n"));
		assert_non_null(strstr(text, "\n    marker-of-cpu-2\n"));
		free(text);
		free(elf.data);
		fake_free(f);
	}
}

/* At each length there must be a report, or one line that says why not. CPUs whose slots were not
 * cut must be in the report. */
static void cut_at_any_byte(void **state)
{
	struct fake *f = fake_new(NMIBT_ARCH_ARM64, 2);
	struct fake_elf elf = fake_elf_of(f);
	uint64_t data = elf.size - (f->next - FAKE_BASE);
	uint64_t first_slot_end = data + (f->slot_paddr[0] - FAKE_BASE) + FAKE_SLOT_SIZE;
	/* Lengths within memory that is zero are skipped: nothing new happens there. */
	unsigned int reports = 0;

	(void)state;
	for (size_t size = 0; size < elf.size; size++) {
		char *text;
		bool rendered = render(elf.data, size, &text);

		reports += rendered;
		if (size >= first_slot_end) {
			assert_true(rendered);
			assert_non_null(strstr(text, "\n    marker-of-cpu-0\n"));
			assert_non_null(strstr(text, "\nCPU 1  "));
		}
		free(text);
	}
	assert_true(reports > 1000);
	free(elf.data);
	fake_free(f);
}

static void each_byte_of_the_headers_changed(void **state)
{
	struct fake *f = fake_new(NMIBT_ARCH_X86_64, 2);
	struct fake_elf elf = fake_elf_of(f);
	size_t headers = elf.size - (f->next - FAKE_BASE);

	(void)state;
	for (size_t at = 0; at < headers; at++) {
		uint8_t byte = elf.data[at];
		const uint8_t values[] = {0, 0xff, byte ^ 1, byte ^ 0x80};
		for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
			char *text;
			elf.data[at] = values[i];
			render(elf.data, elf.size, &text);
			free(text);
		}
		elf.data[at] = byte;
	}
	free(elf.data);
	fake_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_by_physical_address),
		cmocka_unit_test(what_makedumpfile_left_out),
		cmocka_unit_test(overlapping_segments),
		cmocka_unit_test(ranges_are_what_the_file_has),
		cmocka_unit_test(segments_that_share_their_bytes),
		cmocka_unit_test(a_segment_larger_than_the_file),
		cmocka_unit_test(memory_up_to_the_last_address),
		cmocka_unit_test(vmcoreinfo_among_other_notes),
		cmocka_unit_test(no_vmcoreinfo),
		cmocka_unit_test(vmcoreinfo_cut_off),
		cmocka_unit_test(notes_with_absurd_sizes),
		cmocka_unit_test(numbers_beyond_the_header),
		cmocka_unit_test(very_many_segments),
		cmocka_unit_test(odd_headers_of_others),
		cmocka_unit_test(not_a_vmcore),
		cmocka_unit_test(a_whole_vmcore),
		cmocka_unit_test(cut_at_any_byte),
		cmocka_unit_test(each_byte_of_the_headers_changed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
