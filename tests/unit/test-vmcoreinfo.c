// SPDX-License-Identifier: GPL-2.0-or-later
/* VMCOREINFO: how it is parsed, how it is found in memory if a dump has no note of it, and its
 * BUILD-ID. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake-image.h"
#include "fake-kernel.h"
#include "kernel/kernel.h"

#define TEXT "OSRELEASE=6.12.0\nPAGESIZE=4096\nSYMBOL(x)=ffff\n"

/* Writes the note into a page of its own, as the kernel does; returns its address. */
static uint64_t put_note(struct fake *f, const char *name, const char *text)
{
	uint64_t paddr = fake_alloc(f, 2 * FAKE_PAGE, FAKE_PAGE);

	fake_elf_note(fake_at(f, paddr), name, text, (uint32_t)strlen(text));
	return paddr;
}

static void is_found(void **state)
{
	struct fake *f = *state;
	char *text;

	put_note(f, "VMCOREINFO", TEXT);
	assert_null(nmibt_vmcoreinfo_find(&f->image, &text));
	assert_string_equal(text, TEXT);
	free(text);
	/* The same text again, with the line that kdump appends. */
	put_note(f, "VMCOREINFO", TEXT "CRASHTIME=1\n");
	assert_null(nmibt_vmcoreinfo_find(&f->image, &text));
	free(text);
}

static void assert_error(struct fake *f, enum nmibt_code code)
{
	char *text;
	struct nmibt_error *err = nmibt_vmcoreinfo_find(&f->image, &text);

	assert_non_null(err);
	assert_int_equal(err->code, code);
	nmibt_error_destroy(err);
}

/* Blocks of the dump may be larger than pages of the kernel. */
static void is_in_a_large_block(void **state)
{
	struct fake *f = *state;
	char *text;

	fake_alloc(f, FAKE_PAGE, 16 * FAKE_PAGE);
	put_note(f, "VMCOREINFO", TEXT);
	f->image.page_size = 16 * FAKE_PAGE;
	assert_null(nmibt_vmcoreinfo_find(&f->image, &text));
	assert_string_equal(text, TEXT);
	free(text);
}

/* The other text is from the kernel before, whose memory was not cleared. */
static void of_two_kernels(void **state)
{
	struct fake *f = *state;

	put_note(f, "VMCOREINFO", TEXT);
	put_note(f, "VMCOREINFO", "OSRELEASE=6.1.0\nPAGESIZE=4096\n");
	assert_error(f, NMIBT_ERR_DAMAGED);
}

static void is_none(void **state)
{
	struct fake *f = *state;

	assert_error(f, NMIBT_ERR_NOTHING);
	put_note(f, "VMCOREINFX", TEXT);
	put_note(f, "VMCOREINFO", "RELEASE=6.12.0\n");
	put_note(f, "VMCOREINFO", "OSRELEASE=6.12.0\033[31m\n");
	assert_error(f, NMIBT_ERR_NOTHING);
	/* No note has this size. */
	uint64_t paddr = put_note(f, "VMCOREINFO", TEXT);
	uint32_t size = UINT32_MAX;
	memcpy((char *)fake_at(f, paddr) + 4, &size, sizeof(size));
	assert_error(f, NMIBT_ERR_NOTHING);
}

static void is_not_readable(void **state)
{
	struct fake *f = *state;

	fake_set_pages(f, put_note(f, "VMCOREINFO", TEXT), FAKE_PAGE, NMIBT_READ_EXCLUDED);
	assert_error(f, NMIBT_ERR_NOTHING);
	f->ops.next_range = NULL;
	assert_error(f, NMIBT_ERR_NOTHING);
}

/* -------------------------------------------------------------------- parsing */

static struct nmibt_vmcoreinfo parse(const char *text)
{
	struct nmibt_vmcoreinfo info;

	assert_null(nmibt_vmcoreinfo_parse(text ? strdup(text) : NULL, &info));
	assert_int_equal(info.present, text != NULL);
	return info;
}

static void check_why(const char *text, const char *why)
{
	struct nmibt_vmcoreinfo info = parse(text);

	if (!strstr(info.why, why))
		fail_msg("\"%s\" has no \"%s\"", info.why, why);
	nmibt_vmcoreinfo_destroy(&info);
}

#define WHOLE                                                                                      \
	"OSRELEASE=6.12.0\nBUILD-ID=0123ab\nPAGESIZE=4096\nSYMBOL(swapper_pg_dir)="                \
	"ffffffff82000000\n"                                                                       \
	"SYMBOL(_stext)=ffffffff81000000\nNUMBER(phys_base)=-4096\nKERNELOFFSET=1e000000\n"        \
	"CRASHTIME=1700000000\nNUMBER(nmi_backtrace_capture)=2147487736\n"

static void is_typed(void **state)
{
	struct nmibt_vmcoreinfo info = parse(WHOLE "\n");

	(void)state;
	assert_string_equal(info.why, "");
	assert_string_equal(info.osrelease, "6.12.0");
	assert_string_equal(info.build_id, "0123ab");
	assert_true(info.page_size.known && info.page_size.value == 4096);
	assert_true(info.swapper_pg_dir.value == 0xffffffff82000000);
	assert_true(info.phys_base.known && info.phys_base.value == -UINT64_C(4096));
	assert_true(info.kerneloffset.value == 0x1e000000);
	assert_true(info.crashtime.known);
	assert_true(info.capture_paddr.known && info.capture_paddr.value == 0x80000ff8);
	assert_false(info.kimage_voffset.known);
	assert_false(info.printk.prb.known);
	nmibt_vmcoreinfo_destroy(&info);
	info = parse(NULL);
	assert_null(info.osrelease);
	assert_string_equal(info.why, "");
	nmibt_vmcoreinfo_destroy(&info);
}

/* The kernel cuts text that does not fit into its buffer or into the page. */
static void is_cut(void **state)
{
	struct nmibt_vmcoreinfo info = parse(WHOLE "NUMBER(sme_mask)=1407");

	(void)state;
	assert_false(info.sme_mask.known);
	assert_non_null(strstr(info.why, "last line is cut: NUMBER(sme_mask)"));
	nmibt_vmcoreinfo_destroy(&info);
	info = parse("OSRELEASE=6.12.0\nNUMBER(nmi_backtrace_capture)=21474877");
	assert_string_equal(info.capture, "21474877");
	assert_false(info.capture_paddr.known);
	nmibt_vmcoreinfo_destroy(&info);
}

static void is_wrong(void **state)
{
	(void)state;
	check_why("OSRELEASE=6.12.0\n", "no PAGESIZE");
	check_why("PAGESIZE=4096\n", "no OSRELEASE");
	check_why(WHOLE "no equals\n=no key\n\033[2J=1\n", "3 lines of it make no sense");
	check_why(WHOLE "CRASHTIME=1700000001\n", "CRASHTIME with different values");
	check_why(WHOLE "NUMBER(sme_mask)=0xg\n", "NUMBER(sme_mask) is no number: 0xg");
	/* Two equal lines are no contradiction. If they differ, neither value is used. */
	struct nmibt_vmcoreinfo info = parse(WHOLE "CRASHTIME=1700000000\nKERNELOFFSET=0\n");
	assert_true(info.crashtime.known);
	assert_false(info.kerneloffset.known);
	nmibt_vmcoreinfo_destroy(&info);
}

static void numbers(void **state)
{
	static const struct {
		const char *line;
		bool valid;
		uint64_t value;
	} cases[] = {
		{"NUMBER(phys_base)=0", true, 0},
		{"NUMBER(phys_base)=42", true, 42},
		{"NUMBER(phys_base)=-4096", true, -UINT64_C(4096)},
		{"NUMBER(phys_base)=", false, 0},
		{"NUMBER(phys_base)=-", false, 0},
		{"NUMBER(phys_base)= 1", false, 0},
		{"NUMBER(phys_base)=+1", false, 0},
		{"NUMBER(phys_base)=12 ", false, 0},
		{"NUMBER(phys_base)=0x10", true, 16},
		{"NUMBER(phys_base)=-0x10", false, 0},
		{"NUMBER(phys_base)=0x", false, 0},
		{"NUMBER(phys_base)=10a", false, 0},
		{"NUMBER(phys_base)=\xff", false, 0}, /* a negative char */
		{"NUMBER(phys_base)=18446744073709551616", false, 0},
		{"NUMBER(phys_base)=-9223372036854775809", false, 0},
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(text, sizeof(text), "%s\n", cases[i].line);
		struct nmibt_vmcoreinfo info = parse(text);
		assert_int_equal(info.phys_base.known, cases[i].valid);
		if (cases[i].valid)
			assert_true(info.phys_base.value == cases[i].value);
		nmibt_vmcoreinfo_destroy(&info);
	}
}

/* ------------------------------------------------------------------- build-id */

#define NOTES UINT64_C(0xffffffff82200000)

static bool notes_addr(void *ctx, const char *name, uint64_t *ret)
{
	(void)ctx;
	if (strcmp(name, "__start_notes") && strcmp(name, "__stop_notes"))
		return false;
	*ret = name[4] == 'a' ? NOTES : NOTES + 64;
	return true;
}

static void check_build_id(struct fake_kernel *k, int state, const char *text)
{
	struct nmibt_kernel *kernel;
	struct nmibt_build_id id;

	assert_null(nmibt_kernel_open(&k->image, &kernel));
	nmibt_kernel_build_id(kernel, &id);
	assert_int_equal(id.state, state);
	assert_string_equal(id.text, text);
	nmibt_kernel_close(kernel);
}

/* The kernel's own note counts, wherever it is among others. */
static void build_id(void **state)
{
	struct fake_kernel *k = fk_new(&fk_x86);
	uint64_t paddr = fk_alloc(k, FK_PAGE, FK_PAGE);
	uint8_t *notes = fk_at(k, paddr);

	(void)state;
	check_build_id(k, NMIBT_BUILD_ID_NONE, "");
	fk_say(k, "BUILD-ID=ab01\n");
	check_build_id(k, NMIBT_BUILD_ID_UNVERIFIED, "ab01");
	fk_map(k, NOTES, paddr, 12);
	k->ops.symbol_addr = notes_addr;
	check_build_id(k, NMIBT_BUILD_ID_UNVERIFIED, "ab01");
	size_t at = fake_elf_note(notes, "Linux", "12", 2) + 4; /* and padding */
	fake_elf_note(notes + at, "GNU", "\xab\x01", 2);
	notes[at + 8] = 3; /* NT_GNU_BUILD_ID */
	check_build_id(k, NMIBT_BUILD_ID_VERIFIED, "ab01");
	notes[at + 16] = 0xcd;
	check_build_id(k, NMIBT_BUILD_ID_BROKEN, "cd01");
	fk_set_page(k, paddr, NMIBT_READ_EXCLUDED);
	check_build_id(k, NMIBT_BUILD_ID_UNVERIFIED, "ab01");
	fk_free(k);
}

static int setup(void **state)
{
	*state = fake_new(NMIBT_ARCH_X86_64, 1);
	return 0;
}

static int teardown(void **state)
{
	fake_free(*state);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(is_found),
		TEST(is_in_a_large_block),
		TEST(of_two_kernels),
		TEST(is_none),
		TEST(is_not_readable),
		cmocka_unit_test(is_typed),
		cmocka_unit_test(is_cut),
		cmocka_unit_test(is_wrong),
		cmocka_unit_test(numbers),
		cmocka_unit_test(build_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
