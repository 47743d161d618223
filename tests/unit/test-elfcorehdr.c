// SPDX-License-Identifier: GPL-2.0-or-later
/* Finds the kernel that died in an image that a hypervisor made while the capture kernel ran. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>

#include "fake-percpu.h"

#define NOTE_HEAD 24 /* 12, and "VMCOREINFO" with its NUL, padded to 4 */
#define FIRST "OSRELEASE=6.12.1-first\nPAGESIZE=4096\nCRASHTIME=1767225601\n"

struct machine {
	struct fake_percpu *p;
	uint64_t header, note; /* physical */
};

static uint64_t put_note(struct fake_kernel *k, const char *text)
{
	uint64_t paddr = fk_alloc(k, 4096, 4096);
	Elf64_Nhdr head = {.n_namesz = 11, .n_descsz = strlen(text)};
	uint8_t *to = fk_at(k, paddr);

	memcpy(to, &head, sizeof(head));
	memcpy(to + sizeof(head), "VMCOREINFO", 11);
	memcpy(to + NOTE_HEAD, text, strlen(text));
	return paddr;
}

/* Writes the header of crash_prepare_elf64_headers(): notes for two CPUs, then VMCOREINFO. */
static uint64_t put_header(struct fake_kernel *k, uint64_t note)
{
	uint64_t paddr = fk_alloc(k, 4096, 4096);
	uint64_t empty = fk_alloc(k, 4096, 4096);
	Elf64_Ehdr ehdr = {
		.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_phoff = 64,
		.e_phentsize = 56,
		.e_phnum = 4,
	};
	Elf64_Phdr phdr[4] = {
		{.p_type = PT_NOTE, .p_offset = empty, .p_paddr = empty, .p_memsz = 400},
		{.p_type = PT_NOTE, .p_offset = empty + 512, .p_memsz = 400},
		{.p_type = PT_NOTE, .p_offset = note, .p_paddr = note, .p_memsz = 4096},
		{.p_type = PT_LOAD, .p_memsz = 0x1000000},
	};

	memcpy(fk_at(k, paddr), &ehdr, sizeof(ehdr));
	memcpy((uint8_t *)fk_at(k, paddr) + 64, phdr, sizeof(phdr));
	return paddr;
}

static int setup(void **state)
{
	struct machine *m = calloc(1, sizeof(*m));

	assert(m);
	m->p = fp_new(false);
	fk_say(m->p->k, "OSRELEASE=6.12.1-capture\n");
	m->note = put_note(m->p->k, FIRST);
	m->header = put_header(m->p->k, m->note);
	*state = m;
	return 0;
}

static int teardown(void **state)
{
	struct machine *m = *state;

	fp_free(m->p);
	free(m);
	return 0;
}

static void set_address(struct machine *m, uint64_t addr)
{
	fp_add(m->p, "elfcorehdr_addr", &addr, sizeof(addr), 8);
}

static void set_command_line(struct machine *m, const char *line)
{
	uint64_t vaddr = UINT64_C(0xffff888010000000);

	fl_map(&m->p->pages, vaddr, 2 * FK_PAGE);
	fl_put(&m->p->pages, vaddr, line, strlen(line) + 1);
	fp_add(m->p, "saved_command_line", &vaddr, sizeof(vaddr), 8);
}

static void check_found(struct machine *m)
{
	fp_reopen(m->p);
	struct nmibt_kernel *kernel = m->p->kernel;

	assert_false(kernel->is_capture);
	assert_string_equal(kernel->vmcoreinfo.osrelease, "6.12.1-first");
	assert_true(kernel->vmcoreinfo.crashtime.known);
	assert_non_null(kernel->capture);
	assert_string_equal(kernel->capture->vmcoreinfo.osrelease, "6.12.1-capture");
	/* The front end knows the symbols of the other kernel. */
	uint64_t addr;
	assert_false(nmibt_symbol_addr(kernel, "panic_cpu", &addr));
	assert_true(nmibt_symbol_addr(kernel->capture, "panic_cpu", &addr));
	assert_null(nmibt_kernel_vcpus(kernel));
}

static void check_not_found(struct machine *m, const char *why)
{
	fp_reopen(m->p);
	struct nmibt_kernel *kernel = m->p->kernel;

	assert_true(kernel->is_capture);
	assert_null(kernel->capture);
	assert_string_equal(kernel->vmcoreinfo.osrelease, "6.12.1-capture");
	assert_non_null(strstr(kernel->why_capture, why));
}

static void check_no_capture_kernel(struct machine *m)
{
	fp_reopen(m->p);
	assert_false(m->p->kernel->is_capture);
	assert_null(m->p->kernel->capture);
	assert_string_equal(m->p->kernel->vmcoreinfo.osrelease, "6.12.1-capture");
}

static void by_address(void **state)
{
	struct machine *m = *state;

	set_address(m, m->header);
	check_found(m);
}

/* ELFCORE_ADDR_MAX means that the variable was not set; and crashkernel= is not elfcorehdr=. */
static void no_capture_kernel(void **state)
{
	struct machine *m = *state;

	check_no_capture_kernel(m);
	set_command_line(m, "root=/dev/vda1 crashkernel=512M noelfcorehdr=0x1000");
	check_no_capture_kernel(m);
	set_address(m, UINT64_MAX);
	check_no_capture_kernel(m);
}

/* A kernel that went to kdump is the first kernel, whatever its variables say. */
static void went_to_kdump(void **state)
{
	struct machine *m = *state;

	set_address(m, m->header);
	fk_say(m->p->k, "CRASHTIME=1767225601\n");
	check_no_capture_kernel(m);
}

/* ELFCORE_ADDR_ERR means that the notes have been read, or can't be. */
static void by_command_line(void **state)
{
	struct machine *m = *state;
	char line[128];

	set_address(m, UINT64_MAX - 1);
	check_not_found(m, "is not known");
	snprintf(line, sizeof(line), "quiet elfcorehdr=4K@%#" PRIx64 " ro", m->header);
	set_command_line(m, line);
	check_found(m);
}

static void by_copy(void **state)
{
	struct machine *m = *state;
	uint64_t vaddr = UINT64_C(0xffffc90010000000), size = NOTE_HEAD + strlen(FIRST);

	set_address(m, UINT64_MAX - 1);
	fl_map(&m->p->pages, vaddr, FK_PAGE);
	fl_put(&m->p->pages, vaddr, fk_at(m->p->k, m->note), size);
	fp_add(m->p, "elfnotes_buf", &vaddr, sizeof(vaddr), 8);
	fp_add(m->p, "elfnotes_sz", &size, sizeof(size), 8);
	check_found(m);
	size = UINT64_MAX;
	fp_set(m->p, "elfnotes_sz", &size, sizeof(size));
	check_not_found(m, "is not known");
}

/* If the kernel's symbols are not known, its log has the command line. */
static void by_log(void **state)
{
	struct machine *m = *state;
	struct fake_log log;
	char line[128];

	fl_init(&log, m->p->k, 0, 5, 12, true);
	fl_add(&log, "Linux version 6.12.1-capture (a@b) #1");
	fl_add(&log, "printk: elfcorehdr=0x1000");
	check_no_capture_kernel(m);
	snprintf(line, sizeof(line), "Command line: quiet elfcorehdr=%#" PRIx64, m->header);
	fl_add(&log, line);
	check_found(m);
	/* The variable counts more than the log. */
	set_address(m, UINT64_MAX);
	check_no_capture_kernel(m);
}

static void hostile_header(void **state)
{
	struct machine *m = *state;
	Elf64_Ehdr *ehdr = fk_at(m->p->k, m->header);
	Elf64_Ehdr sound = *ehdr;

	set_address(m, m->header);
	ehdr->e_phnum = 2;
	check_not_found(m, "does not lead");
	*ehdr = sound;
	ehdr->e_phoff = UINT64_MAX - 8;
	check_not_found(m, "does not lead");
	*ehdr = sound;
	ehdr->e_phentsize = 1;
	check_not_found(m, "does not lead");
	*ehdr = sound;
	ehdr->e_ident[0] = 0;
	check_not_found(m, "does not lead");
	*ehdr = sound;
	ehdr->e_phnum = UINT16_MAX;
	check_found(m);
	((Elf64_Nhdr *)fk_at(m->p->k, m->note))->n_descsz = UINT32_MAX;
	check_not_found(m, "does not lead");
	fk_set_page(m->p->k, m->header, NMIBT_READ_EXCLUDED);
	check_not_found(m, "does not lead");
}

static void command_lines(void **state)
{
	static const struct {
		const char *line;
		bool found;
		uint64_t addr;
	} lines[] = {
		{"elfcorehdr=0x2d000000", true, 0x2d000000},
		{"a b=c elfcorehdr=754974720 d", true, 754974720},
		{"elfcorehdr=720M", true, 720ull << 20},
		{"elfcorehdr=1k@0x1000", true, 0x1000},
		{"\"elfcorehdr=0x1000\"", true, 0x1000},
		{"elfcorehdr=", false, 0},
		{"elfcorehdr=-1", false, 0},
		{"xelfcorehdr=0x1000", false, 0},
		{"xelfcorehdr=0x1000 elfcorehdr=0x2000", true, 0x2000},
		{"", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		uint64_t addr = 0;

		assert_int_equal(nmibt_parse_elfcorehdr(lines[i].line, &addr), lines[i].found);
		if (lines[i].found)
			assert_true(addr == lines[i].addr);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(by_address, setup, teardown),
		cmocka_unit_test_setup_teardown(no_capture_kernel, setup, teardown),
		cmocka_unit_test_setup_teardown(went_to_kdump, setup, teardown),
		cmocka_unit_test_setup_teardown(by_command_line, setup, teardown),
		cmocka_unit_test_setup_teardown(by_copy, setup, teardown),
		cmocka_unit_test_setup_teardown(by_log, setup, teardown),
		cmocka_unit_test_setup_teardown(hostile_header, setup, teardown),
		cmocka_unit_test(command_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
