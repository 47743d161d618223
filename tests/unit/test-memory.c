// SPDX-License-Identifier: GPL-2.0-or-later
/* Kernel virtual addresses: page tables of either architecture, intact and damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake-kernel.h"
#include "report/report.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define HIGH_52 UINT64_C(0xf000000000000)
#define SME_MASK (UINT64_C(1) << 47)

/* For each kind of page table a kernel address, and the sizes that an entry can map. */
static const struct kind {
	const char *name;
	struct fk_paging paging;
	uint64_t vaddr; /* aligned to all of sizes */
	unsigned int shifts[3]; /* 0: no more */
} kinds[] = {
	{"x86_64, 4 levels",
	 {NMIBT_ARCH_X86_64, 12, 4, 9, FK_X86_LINES "NUMBER(pgtable_l5_enabled)=0\n", 0, 0, false},
	 0xffff888140000000,
	 {12, 21, 30}},
	{"x86_64, 5 levels",
	 {NMIBT_ARCH_X86_64, 12, 5, 9, FK_X86_LINES "NUMBER(pgtable_l5_enabled)=1\n", 0, 0, false},
	 0xff11000140000000,
	 {12, 21, 30}},
	{"x86_64, memory encryption",
	 {NMIBT_ARCH_X86_64, 12, 4, 9,
	  FK_X86_LINES "NUMBER(pgtable_l5_enabled)=0\nNUMBER(sme_mask)=140737488355328\n", 0,
	  SME_MASK, false},
	 0xffff888140000000,
	 {12, 21, 30}},
	{"arm64, 4 KiB, 48 bits",
	 {NMIBT_ARCH_ARM64, 12, 4, 9,
	  "PAGESIZE=4096\nNUMBER(VA_BITS)=48\nNUMBER(TCR_EL1_T1SZ)=0x10\n", 0, 0, false},
	 0xffff000040000000,
	 {12, 21, 30}},
	{"arm64, 4 KiB, 39 bits",
	 {NMIBT_ARCH_ARM64, 12, 3, 9, "PAGESIZE=4096\nNUMBER(VA_BITS)=39\n", 0, 0, false},
	 0xffffff8040000000,
	 {12, 21, 30}},
	{"arm64, 4 KiB, 52 bits",
	 {NMIBT_ARCH_ARM64, 12, 5, 4,
	  "PAGESIZE=4096\nNUMBER(VA_BITS)=52\nNUMBER(TCR_EL1_T1SZ)=0xc\n", HIGH_52, 0, true},
	 0xfff5000040000000,
	 {12, 21, 30}},
	{"arm64, 4 KiB, built for 52 bits on a CPU with 48",
	 {NMIBT_ARCH_ARM64, 12, 4, 9,
	  "PAGESIZE=4096\nNUMBER(VA_BITS)=52\nNUMBER(TCR_EL1_T1SZ)=0x10\n", 0, 0, false},
	 0xffff800040000000,
	 {12, 21, 30}},
	{"arm64, 16 KiB, 36 bits",
	 {NMIBT_ARCH_ARM64, 14, 2, 11,
	  "PAGESIZE=16384\nNUMBER(VA_BITS)=36\nNUMBER(TCR_EL1_T1SZ)=0x1c\n", 0, 0, false},
	 0xfffffff240000000,
	 {14, 25, 0}},
	{"arm64, 16 KiB, 47 bits",
	 {NMIBT_ARCH_ARM64, 14, 3, 11,
	  "PAGESIZE=16384\nNUMBER(VA_BITS)=47\nNUMBER(TCR_EL1_T1SZ)=0x11\n", 0, 0, false},
	 0xffff900040000000,
	 {14, 25, 0}},
	{"arm64, 16 KiB, 48 bits",
	 {NMIBT_ARCH_ARM64, 14, 4, 1,
	  "PAGESIZE=16384\nNUMBER(VA_BITS)=48\nNUMBER(TCR_EL1_T1SZ)=0x10\n", 0, 0, false},
	 0xffff100040000000,
	 {14, 25, 0}},
	{"arm64, 16 KiB, 52 bits",
	 {NMIBT_ARCH_ARM64, 14, 4, 5,
	  "PAGESIZE=16384\nNUMBER(VA_BITS)=52\nNUMBER(TCR_EL1_T1SZ)=0xc\n", HIGH_52, 0, true},
	 0xfff1000040000000,
	 {14, 25, 0}},
	{"arm64, 64 KiB, 42 bits",
	 {NMIBT_ARCH_ARM64, 16, 2, 13,
	  "PAGESIZE=65536\nNUMBER(VA_BITS)=42\nNUMBER(TCR_EL1_T1SZ)=0x16\n", 0, 0, false},
	 0xfffffd2040000000,
	 {16, 29, 0}},
	{"arm64, 64 KiB, 52 bits",
	 {NMIBT_ARCH_ARM64, 16, 3, 10,
	  "PAGESIZE=65536\nNUMBER(VA_BITS)=52\nNUMBER(TCR_EL1_T1SZ)=0xc\n", HIGH_52, 0, false},
	 0xfff5000040000000,
	 {16, 29, 0}},
	{"arm64, 64 KiB, built for 52 bits on a CPU with 48",
	 {NMIBT_ARCH_ARM64, 16, 3, 10,
	  "PAGESIZE=65536\nNUMBER(VA_BITS)=52\nNUMBER(TCR_EL1_T1SZ)=0x10\n", 0, 0, false},
	 0xffff800040000000,
	 {16, 29, 0}},
};

/* Opens a kernel, which must succeed. */
static struct nmibt_kernel *open_kernel(const struct fake_kernel *k)
{
	struct nmibt_kernel *v;
	struct nmibt_error *err = nmibt_kernel_open(&k->image, &v);

	assert_null(err);
	err = nmibt_kernel_need(v, NMIBT_PART_MEMORY);
	if (err)
		fail_msg("%s", err->message);
	return v;
}

/* Checks vaddr, and the last byte of its mapping. */
static void check_mapped(struct nmibt_kernel *v, const char *name, uint64_t vaddr, uint64_t paddr,
			 uint64_t size)
{
	uint64_t got = 0;

	if (!nmibt_kernel_to_phys(v, vaddr, &got) || got != paddr)
		fail_msg("%s: %#" PRIx64 " is at %#" PRIx64 ", not at %#" PRIx64, name, vaddr, got,
			 paddr);
	if (!nmibt_kernel_to_phys(v, vaddr + size - 1, &got) || got != paddr + size - 1)
		fail_msg("%s: end of %#" PRIx64 " is at %#" PRIx64, name, vaddr, got);
}

static void test_sizes(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct kind *kind = &kinds[i];
		struct fake_kernel *k = fk_new(&kind->paging);
		uint64_t paddr = UINT64_C(0x1240000000) | kind->paging.high, untouched = 42;

		for (unsigned int s = 0; s < 3 && kind->shifts[s]; s++)
			fk_map(k, kind->vaddr + ((uint64_t)s << 32), paddr + ((uint64_t)s << 30),
			       kind->shifts[s]);
		struct nmibt_kernel *v = open_kernel(k);
		for (unsigned int s = 0; s < 3 && kind->shifts[s]; s++) {
			uint64_t size = UINT64_C(1) << kind->shifts[s];
			uint64_t vaddr = kind->vaddr + ((uint64_t)s << 32);

			check_mapped(v, kind->name, vaddr, paddr + ((uint64_t)s << 30), size);
			/* Nothing is mapped before and after it, and no user address is. */
			assert_false(nmibt_kernel_to_phys(v, vaddr - 1, &untouched));
			assert_false(nmibt_kernel_to_phys(v, vaddr + size, &untouched));
			assert_false(nmibt_kernel_to_phys(v, vaddr & 0x7fffffffffff, &untouched));
		}
		assert_int_equal(untouched, 42);
		nmibt_kernel_close(v);
		fk_free(k);
	}
}

/* Reads from one page into the next, which is elsewhere in physical memory. */
static void test_read(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct kind *kind = &kinds[i];
		struct fake_kernel *k = fk_new(&kind->paging);
		uint64_t size = UINT64_C(1) << kind->paging.page_shift;
		uint64_t second = fk_alloc(k, size, size), first = fk_alloc(k, size, size);
		char buf[16] = "";

		memcpy(fk_at(k, first + size - 8), "one page", 8);
		memcpy(fk_at(k, second), " another", 8);
		fk_map(k, kind->vaddr, first, kind->paging.page_shift);
		fk_map(k, kind->vaddr + size, second, kind->paging.page_shift);
		struct nmibt_kernel *v = open_kernel(k);
		assert_int_equal(nmibt_kernel_read(v, kind->vaddr + size - 8, buf, 16),
				 NMIBT_READ_OK);
		assert_memory_equal(buf, "one page another", 16);
		assert_int_equal(nmibt_kernel_read(v, kind->vaddr + 2 * size - 8, buf, 16),
				 NMIBT_READ_ERROR);
		fk_set_page(k, second, NMIBT_READ_EXCLUDED);
		assert_int_equal(nmibt_kernel_read(v, kind->vaddr + size - 8, buf, 16),
				 NMIBT_READ_EXCLUDED);
		assert_int_equal(nmibt_kernel_read(v, kind->vaddr + size - 8, buf, 8),
				 NMIBT_READ_OK);
		nmibt_kernel_close(v);
		fk_free(k);
	}
}

/* A table that can't be read says why; one outside of memory is an error. */
static void check_unread(struct nmibt_kernel *v, uint64_t vaddr, enum nmibt_read status)
{
	char c;

	assert_int_equal(nmibt_kernel_read(v, vaddr, &c, 1), status);
	assert_int_equal(nmibt_kernel_read_tables(v, vaddr), status);
}

static void test_tables_missing(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct kind *kind = &kinds[i];
		struct fake_kernel *k = fk_new(&kind->paging);
		struct fk_path path = fk_map(k, kind->vaddr, FK_BASE | kind->paging.high,
					     kind->paging.page_shift);
		char c;

		for (unsigned int level = 0; level < kind->paging.levels; level++) {
			uint64_t entry = path.table[level] + ((char *)path.entry[level] -
							      (char *)fk_at(k, path.table[level]));
			struct nmibt_kernel *v = open_kernel(k);

			fk_set_page(k, entry, NMIBT_READ_EXCLUDED);
			check_unread(v, kind->vaddr, NMIBT_READ_EXCLUDED);
			fk_set_page(k, entry, NMIBT_READ_ERROR);
			check_unread(v, kind->vaddr, NMIBT_READ_ERROR);
			fk_set_page(k, entry, NMIBT_READ_OK);
			if (level) {
				uint64_t was = *path.entry[level];

				*path.entry[level] = fk_entry(k, 0x7000000000, true, false);
				assert_int_equal(nmibt_kernel_read(v, kind->vaddr, &c, 1),
						 NMIBT_READ_ERROR);
				*path.entry[level] = was;
			}
			assert_int_equal(nmibt_kernel_read(v, kind->vaddr, &c, 1), NMIBT_READ_OK);
			assert_int_equal(nmibt_kernel_read_tables(v, kind->vaddr), NMIBT_READ_OK);
			/* Nothing is mapped there, and the tables say so. */
			assert_int_equal(nmibt_kernel_read_tables(v, kind->vaddr - 1),
					 NMIBT_READ_OK);
			nmibt_kernel_close(v);
		}
		fk_free(k);
	}
}

/* Entries map memory on levels on which the architecture does not allow it. */
static void test_impossible_entries(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct kind *kind = &kinds[i];
		struct fake_kernel *k = fk_new(&kind->paging);
		struct fk_path path = fk_map(k, kind->vaddr, FK_BASE | kind->paging.high,
					     kind->paging.page_shift);
		unsigned int bits = kind->paging.page_shift - 3;
		struct nmibt_kernel *v = open_kernel(k);
		uint64_t paddr;

		for (unsigned int level = 0; level < kind->paging.levels; level++) {
			unsigned int shift = kind->paging.page_shift + bits * level;
			bool large = shift == kind->shifts[1] || shift == kind->shifts[2];
			uint64_t was = *path.entry[level];

			if (kind->paging.arch == NMIBT_ARCH_X86_64 && !level)
				continue; /* bit 7 is PAT there */
			/* A block entry, which is invalid on the last level. */
			*path.entry[level] = fk_entry(k, 0, false, false);
			assert_int_equal(nmibt_kernel_to_phys(v, kind->vaddr, &paddr), large);
			*path.entry[level] = 0;
			nmibt_kernel_close(v);
			v = open_kernel(k);
			assert_false(nmibt_kernel_to_phys(v, kind->vaddr, &paddr));
			*path.entry[level] = was;
		}
		nmibt_kernel_close(v);
		fk_free(k);
	}
}

/* Tables lead back to themselves: the walk must end with the last level. */
static void test_loop(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct kind *kind = &kinds[i];
		struct fake_kernel *k = fk_new(&kind->paging);
		uint64_t *root = fk_at(k, k->root);
		struct nmibt_kernel *v = open_kernel(k);
		char buf[64];

		for (size_t e = 0; e < 65536 / 8; e++)
			root[e] = fk_entry(k, k->root, true, false);
		nmibt_kernel_read(v, kind->vaddr, buf, sizeof(buf));
		assert_in_range(k->reads, 1, kind->paging.levels + 1);
		nmibt_kernel_close(v);
		fk_free(k);
	}
}

/* The last translation is cached. */
static void test_remembers(void **unused)
{
	(void)unused;
	struct fake_kernel *k = fk_new(&fk_x86);
	struct nmibt_kernel *v = open_kernel(k);
	uint64_t paddr;

	fk_map(k, FL_DATA, 0, 21);
	for (unsigned int i = 0; i < 512; i++)
		assert_true(nmibt_kernel_to_phys(v, FL_DATA + i * 4096, &paddr));
	assert_int_equal(k->reads, 3);
	nmibt_kernel_close(v);
	fk_free(k);
}

static void check_refused(const struct fake_kernel *k, enum nmibt_code code, const char *why)
{
	struct nmibt_kernel *v;

	assert_null(nmibt_kernel_open(&k->image, &v));
	const struct nmibt_error *err = nmibt_kernel_failure(v, NMIBT_PART_MEMORY);
	assert_non_null(err);
	assert_int_equal(err->code, code);
	if (!strstr(err->message, why))
		fail_msg("\"%s\" has no \"%s\"", err->message, why);
	/* The failure is kept. */
	assert_ptr_equal(nmibt_kernel_failure(v, NMIBT_PART_MEMORY), err);
	char c;
	assert_int_equal(nmibt_kernel_read(v, UINT64_C(0xffffffff81000000), &c, 1),
			 NMIBT_READ_ERROR);
	nmibt_kernel_close(v);
}

static void test_vmcoreinfo(void **unused)
{
	(void)unused;
	static const struct {
		const struct fk_paging *paging;
		const char *key;
	} needed[] = {
		{&fk_x86, "SYMBOL(swapper_pg_dir)"},
		{&fk_x86, "NUMBER(phys_base)"},
		{&fk_arm64, "SYMBOL(swapper_pg_dir)"},
		{&fk_arm64, "NUMBER(kimage_voffset)"},
		{&fk_arm64, "PAGESIZE"},
		{&fk_arm64, "NUMBER(VA_BITS)"},
	};
	static const char *const nonsense[] = {
		"PAGESIZE=4095\nNUMBER(VA_BITS)=48\n",
		"PAGESIZE=0\nNUMBER(VA_BITS)=48\n",
		"PAGESIZE=4096\nNUMBER(VA_BITS)=64\n",
		"PAGESIZE=4096\nNUMBER(VA_BITS)=-1\n",
		"PAGESIZE=65536\nNUMBER(VA_BITS)=12\nNUMBER(TCR_EL1_T1SZ)=0x10\n",
		"PAGESIZE=65536\nNUMBER(VA_BITS)=53\nNUMBER(TCR_EL1_T1SZ)=0x10\n",
		"PAGESIZE=4096\nNUMBER(VA_BITS)=48\nNUMBER(TCR_EL1_T1SZ)=0x3f\n",
		"PAGESIZE=4096\nNUMBER(VA_BITS)=48\nNUMBER(TCR_EL1_T1SZ)=0x0\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		struct fake_kernel *k = fk_new(needed[i].paging);

		fk_unsay(k, needed[i].key);
		check_refused(k, NMIBT_ERR_NOTHING, needed[i].key);
		fk_free(k);
	}
	for (size_t i = 0; i < ARRAY_LEN(nonsense); i++) {
		struct fk_paging paging = fk_arm64;

		paging.vmcoreinfo = nonsense[i];
		struct fake_kernel *k = fk_new(&paging);
		check_refused(k, NMIBT_ERR_DAMAGED, "make no sense");
		fk_free(k);
	}
	struct fake_kernel *k = fk_new(&fk_x86);
	k->image.arch = NMIBT_ARCH_UNKNOWN;
	check_refused(k, NMIBT_ERR_NOTHING, "architecture");
	k->image.arch = NMIBT_ARCH_X86_64;
	k->ops.vmcoreinfo = NULL;
	check_refused(k, NMIBT_ERR_NOTHING, "SYMBOL(swapper_pg_dir)");
	fk_free(k);
}

/* x86_64: addresses behind the image belong to modules, which do not have the image's offset. */
static void test_kimage(void **unused)
{
	(void)unused;
	struct fake_kernel *k = fk_new(&fk_x86);
	uint64_t paddr = 42;

	struct nmibt_kernel *v = open_kernel(k);
	assert_true(nmibt_kimage_to_phys(v, 0xffffffff81000000, &paddr));
	assert_int_equal(paddr, FK_BASE);
	assert_false(nmibt_kimage_to_phys(v, 0xffffffff7fffffff, &paddr));
	assert_false(nmibt_kimage_to_phys(v, 0xffffffffc0000000, &paddr));
	assert_true(nmibt_kimage_to_phys(v, 0xffffffffbfffffff, &paddr));
	nmibt_kernel_close(v);
	fk_free(k);
	k = fk_new(&fk_arm64);
	v = open_kernel(k);
	assert_true(nmibt_kimage_to_phys(v, 0xffffffc008000010, &paddr));
	assert_int_equal(paddr, FK_BASE + 0x10);
	nmibt_kernel_close(v);
	fk_free(k);
}

/* Before 4.10 VMCOREINFO lacks phys_base, and before 3.17 the size of the image. */
static void test_phys_base(void **unused)
{
	(void)unused;
	struct fake_kernel *k = fk_new(&fk_x86);
	uint64_t paddr;

	fk_unsay(k, "NUMBER(phys_base)");
	fk_unsay(k, "NUMBER(KERNEL_IMAGE_SIZE)");
	fk_map(k, fk_image_vaddr(k, k->root), k->root, 12);
	check_refused(k, NMIBT_ERR_NOTHING, "NUMBER(phys_base)");
	k->image.phys_base = (struct nmibt_number){true, FK_X86_PHYS_BASE};
	struct nmibt_kernel *v = open_kernel(k);
	assert_true(nmibt_kimage_to_phys(v, 0xffffffff9fffffff, &paddr));
	assert_int_equal(paddr, 0x1fffffff + FK_X86_PHYS_BASE);
	assert_false(nmibt_kimage_to_phys(v, 0xffffffffa0000000, &paddr));
	nmibt_kernel_close(v);
	/* Tables at another address than the one that they map. */
	fk_map(k, fk_image_vaddr(k, k->root), k->root + FK_PAGE, 12);
	check_refused(k, NMIBT_ERR_NOTHING, "NUMBER(phys_base)");
	k->image.phys_base.value += FK_PAGE;
	check_refused(k, NMIBT_ERR_NOTHING, "NUMBER(phys_base)");
	fk_free(k);
}

static enum nmibt_read own_read_virt(void *ctx, uint64_t vaddr, void *buf, size_t len)
{
	(void)ctx;
	assert_int_equal(vaddr / FK_PAGE, (vaddr + len - 1) / FK_PAGE);
	memset(buf, vaddr >> 12 & 0xff, len);
	return NMIBT_READ_OK;
}

static bool own_virt_to_phys(void *ctx, uint64_t vaddr, uint64_t *ret)
{
	(void)ctx;
	*ret = FK_BASE + vaddr % FK_SIZE;
	return vaddr >> 63;
}

/* If VMCOREINFO does not describe the tables, the image's own callbacks are used. */
static void test_own_callbacks(void **unused)
{
	(void)unused;
	struct fake_kernel *k = fk_new(&fk_x86);
	char buf[4];

	k->ops.vmcoreinfo = NULL;
	k->ops.virt_to_phys = own_virt_to_phys;
	strcpy(fk_at(k, FK_BASE + 0x12ffd), "abc");
	struct nmibt_kernel *v = open_kernel(k);
	assert_int_equal(nmibt_kernel_read(v, UINT64_C(0xffff800000012ffd), buf, 4), NMIBT_READ_OK);
	assert_string_equal(buf, "abc");
	assert_int_equal(nmibt_kernel_read(v, 0x1000, buf, 4), NMIBT_READ_ERROR);
	k->ops.read_virt = own_read_virt;
	assert_int_equal(nmibt_kernel_read(v, 0x12ffd, buf, 4), NMIBT_READ_OK);
	assert_memory_equal(buf, "\x12\x12\x12\x13", 4);
	nmibt_kernel_close(v);
	fk_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),	       cmocka_unit_test(test_read),
		cmocka_unit_test(test_tables_missing), cmocka_unit_test(test_impossible_entries),
		cmocka_unit_test(test_loop),	       cmocka_unit_test(test_remembers),
		cmocka_unit_test(test_vmcoreinfo),     cmocka_unit_test(test_kimage),
		cmocka_unit_test(test_phys_base),      cmocka_unit_test(test_own_callbacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
