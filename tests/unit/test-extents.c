// SPDX-License-Identifier: GPL-2.0-or-later
/* Compares overlapping extents with a model, and measures the cost of very many of them. */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image/extents.h"
#include "image/file.h"
#include "image/image.h"

#define SPACE 64 /* addresses of the model */

static void add(struct nmibt_extents *extents, uint64_t start, uint64_t last, uint64_t at,
		uint64_t rank)
{
	assert_null(nmibt_extents_add(extents, (struct nmibt_extent){start, last, at, rank}));
}

/* The extent that counts at addr; NULL: there is none. */
static const struct nmibt_extent *held(const struct nmibt_extents *extents, uint64_t addr)
{
	size_t i = nmibt_extents_find(extents, addr);

	return i < extents->nr && extents->v[i].start <= addr ? &extents->v[i] : NULL;
}

static void check_disjoint(const struct nmibt_extents *extents)
{
	for (size_t i = 0; i < extents->nr; i++) {
		assert_true(extents->v[i].start <= extents->v[i].last);
		if (i)
			assert_true(extents->v[i].start > extents->v[i - 1].last);
	}
}

/* Adds up to 12 random extents, and looks up each address. */
static void check_random(uint64_t base)
{
	uint64_t rank[SPACE] = {0}, at[SPACE];
	struct nmibt_extents extents = {0};
	unsigned int nr = rand() % 12;

	for (unsigned int i = 1; i <= nr; i++) {
		unsigned int start = rand() % SPACE, last = start + rand() % (SPACE - start);
		uint64_t its_rank = (rand() % 8 + 1) * 16 + i;

		add(&extents, base + start, base + last, 1000 * i, its_rank);
		for (unsigned int a = start; a <= last; a++) {
			if (rank[a] < its_rank) {
				rank[a] = its_rank;
				at[a] = 1000 * i + (a - start);
			}
		}
	}
	assert_null(nmibt_extents_settle(&extents));
	check_disjoint(&extents);
	for (unsigned int a = 0; a < SPACE; a++) {
		const struct nmibt_extent *e = held(&extents, base + a);

		assert_int_equal(!!e, !!rank[a]);
		if (!e)
			continue;
		assert_int_equal(e->rank, rank[a]);
		assert_int_equal(e->at + (base + a - e->start), at[a]);
	}
	nmibt_extents_destroy(&extents);
}

static void any_overlaps(void **state)
{
	(void)state;
	srand(1);
	for (unsigned int i = 0; i < 20000; i++)
		check_random(i % 2 ? 0 : UINT64_MAX - (SPACE - 1));
}

static void none_and_one(void **state)
{
	struct nmibt_extents extents = {0};

	(void)state;
	assert_null(nmibt_extents_settle(&extents));
	assert_int_equal(nmibt_extents_find(&extents, 0), 0);
	add(&extents, 0, UINT64_MAX, 7, 1);
	assert_null(nmibt_extents_settle(&extents));
	assert_int_equal(held(&extents, UINT64_MAX)->at, 7);
	nmibt_extents_destroy(&extents);
}

/* Each extent lies within the one before it and has a higher rank: that makes the most pieces. */
static void nested(void **state)
{
	enum { NR = 300000 };
	struct nmibt_extents extents = {0};

	(void)state;
	for (uint64_t i = 0; i < NR; i++)
		add(&extents, i, 2 * NR - i, 0, i);
	assert_null(nmibt_extents_settle(&extents));
	check_disjoint(&extents);
	assert_int_equal(extents.nr, 2 * NR - 1);
	assert_int_equal(held(&extents, NR)->rank, NR - 1);
	assert_int_equal(held(&extents, 5)->rank, 5);
	assert_int_equal(held(&extents, 2 * NR - 5)->rank, 5);
	nmibt_extents_destroy(&extents);
}

/* ------------------------------------------------------------- very many segments */

struct bytes {
	const uint8_t *v;
	unsigned int nr_reads;
};

static bool read_bytes(const struct nmibt_file *file, uint64_t offset, void *buf, size_t len)
{
	struct bytes *bytes = (struct bytes *)file->ctx;

	bytes->nr_reads++;
	memcpy(buf, bytes->v + offset, len);
	return true;
}

/* Makes nr segments of one page with 8 bytes in the file, the highest first; with PN_XNUM if
 * needed. */
static uint8_t *many_segments(uint32_t nr, size_t *ret_size)
{
	size_t shoff = sizeof(Elf64_Ehdr) + nr * sizeof(Elf64_Phdr);
	Elf64_Shdr shdr = {.sh_info = nr};
	Elf64_Ehdr ehdr = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB},
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_phoff = sizeof(ehdr),
		.e_shoff = shoff,
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = nr < PN_XNUM ? nr : PN_XNUM,
	};

	*ret_size = shoff + sizeof(shdr);
	uint8_t *v = malloc(*ret_size);
	assert_non_null(v);
	memcpy(v, &ehdr, sizeof(ehdr));
	for (uint32_t i = 0; i < nr; i++) {
		Elf64_Phdr phdr = {
			.p_type = PT_LOAD,
			.p_offset = sizeof(ehdr) + i * sizeof(phdr) + offsetof(Elf64_Phdr, p_paddr),
			.p_paddr = (uint64_t)(nr - i) << 12,
			.p_filesz = sizeof(phdr.p_paddr),
			.p_memsz = 4096,
		};
		memcpy(v + sizeof(ehdr) + i * sizeof(phdr), &phdr, sizeof(phdr));
	}
	memcpy(v + shoff, &shdr, sizeof(shdr));
	return v;
}

/* Each segment contains its own address. */
static void check_many(uint32_t nr)
{
	struct nmibt_file file = {.path = "many", .read = read_bytes, .fd = -1};
	uint8_t *v = many_segments(nr, &file.size);
	struct bytes bytes = {v, 0};
	struct nmibt_image image;
	struct nmibt_range range;
	struct nmibt_elf *elf;
	uint64_t value, from = 0;
	uint32_t nr_ranges = 0;

	file.ctx = &bytes;
	assert_null(nmibt_elf_open_file(&file, &elf));
	/* Of the header twice. */
	assert_true(bytes.nr_reads <= 3 + nr / 1024 + 1);
	nmibt_elf_image(elf, &image);
	for (uint64_t i = 1; i <= nr; i++) {
		assert_int_equal(image.ops->read_phys(image.ctx, i << 12, &value, 8),
				 NMIBT_READ_OK);
		assert_int_equal(value, i << 12);
		assert_int_equal(image.ops->read_phys(image.ctx, (i << 12) + 8, &value, 8),
				 NMIBT_READ_EXCLUDED);
	}
	for (; image.ops->next_range(image.ctx, from, &range); from = range.start + range.size)
		nr_ranges++;
	assert_int_equal(nr_ranges, nr);
	nmibt_elf_close(elf);
	free(v);
}

static void as_many_segments_as_the_file_has(void **state)
{
	(void)state;
	check_many(PN_XNUM - 1);
	check_many(200000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_overlaps),
		cmocka_unit_test(none_and_one),
		cmocka_unit_test(nested),
		cmocka_unit_test(as_many_segments_as_the_file_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
