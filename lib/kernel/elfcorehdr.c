// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finds out whether the kernel of an image is a capture kernel, and finds the kernel that died. A
 * hypervisor can dump a guest while the guest runs its capture kernel, perhaps because that one
 * failed. All memory of the first kernel is still there, and the ELF header that it prepared for
 * the capture kernel leads to its notes (kernel/crash_core.c: crash_prepare_elf64_headers(),
 * 6.12).
 */
#include <ctype.h>
#include <inttypes.h>

#include "image/image.h"
#include "kernel/kernel.h"

/* Values of elfcorehdr_addr: it was not set; or it must not be used any more, because
 * fs/proc/vmcore.c has read the header (include/linux/crash_dump.h, 6.12). */
#define ELFCORE_ADDR_MAX UINT64_MAX
#define ELFCORE_ADDR_ERR (UINT64_MAX - 1)

/* COMMAND_LINE_SIZE is at most 2048 on both architectures. */
#define MAX_COMMAND_LINE 4096
/* The back ends read no more bytes of notes than this, either. */
#define MAX_NOTE_BYTES (64 << 20)

static bool read_u64(struct nmibt_kernel *kernel, const char *symbol, uint64_t *ret)
{
	uint64_t vaddr;

	return nmibt_symbol_addr(kernel, symbol, &vaddr) &&
	       nmibt_kernel_read(kernel, vaddr, ret, sizeof(*ret)) == NMIBT_READ_OK;
}

/* ---------------------------------------------------------------- the command line */

/* As lib/cmdline.c: memparse(), 6.12, with the suffixes that people use. */
static const char *parse_size(const char *text, uint64_t *ret)
{
	static const char suffixes[] = "KMG";
	char *end;

	*ret = strtoull(text, &end, 0);
	const char *suffix = *end ? strchr(suffixes, toupper((unsigned char)*end)) : NULL;
	if (!suffix)
		return end;
	*ret <<= 10 * (suffix - suffixes + 1);
	return end + 1;
}

/* "elfcorehdr=[size[KMG]@]offset[KMG]": kernel/elfcorehdr.c, 6.12 */
bool nmibt_parse_elfcorehdr(const char *command_line, uint64_t *ret)
{
	static const char key[] = "elfcorehdr=";

	for (const char *at = command_line; (at = strstr(at, key)); at++) {
		if (at > command_line && at[-1] != ' ' && at[-1] != '"')
			continue;
		const char *value = at + strlen(key);
		if (!isdigit((unsigned char)*value))
			continue;
		const char *end = parse_size(value, ret);
		if (*end == '@')
			parse_size(end + 1, ret);
		return true;
	}
	return false;
}

static bool find_in_command_line(struct nmibt_kernel *kernel, uint64_t *ret)
{
	char line[MAX_COMMAND_LINE + 1] = "";
	uint64_t vaddr;

	if (!read_u64(kernel, "saved_command_line", &vaddr))
		return false;
	nmibt_kernel_read_pages(kernel, vaddr, line, MAX_COMMAND_LINE, NULL);
	return nmibt_parse_elfcorehdr(line, ret);
}

/* A kernel prints its command line among its first records: init/main.c: start_kernel(),
 * arch/x86/kernel/setup.c: setup_arch(), 6.12. */
#define MAX_RECORDS 1000

static bool is_command_line(const struct nmibt_log_record *record, char line[MAX_COMMAND_LINE + 1])
{
	static const char *const starts[] = {"Command line: ", "Kernel command line: "};

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		size_t len = strlen(starts[i]);

		if (nmibt_log_is_of_user(record) || record->len < len ||
		    memcmp(record->text, starts[i], len))
			continue;
		size_t rest = record->len - len;
		if (rest > MAX_COMMAND_LINE)
			rest = MAX_COMMAND_LINE;
		memcpy(line, record->text + len, rest);
		line[rest] = '\0';
		return true;
	}
	return false;
}

/* For kernels whose symbols nobody knows: the log has the command line, too. */
static bool find_in_log(struct nmibt_kernel *kernel, uint64_t *ret)
{
	char line[MAX_COMMAND_LINE + 1];
	struct nmibt_log_record record;
	struct nmibt_log *log;
	bool found = false;

	struct nmibt_error *err = nmibt_log_open(kernel, &log);
	if (err) {
		nmibt_error_destroy(err);
		return false;
	}
	for (unsigned int i = 0; i < MAX_RECORDS && nmibt_log_next(log, &record); i++) {
		if (record.is_end || !is_command_line(&record, line))
			continue;
		found = nmibt_parse_elfcorehdr(line, ret);
		break;
	}
	nmibt_log_close(log);
	return found;
}

/* ------------------------------------------------------------ the first VMCOREINFO */

static bool read_headers(const struct nmibt_image *image, uint64_t paddr, Elf64_Ehdr *ret)
{
	return nmibt_read_phys(image, paddr, ret, sizeof(*ret)) == NMIBT_READ_OK &&
	       !memcmp(ret->e_ident, ELFMAG, SELFMAG) && ret->e_ident[EI_CLASS] == ELFCLASS64 &&
	       ret->e_ident[EI_DATA] == ELFDATA2LSB && ret->e_phentsize == sizeof(Elf64_Phdr);
}

/* The header at paddr has a PT_NOTE for each CPU, and one for VMCOREINFO. p_offset is a physical
 * address. Returns the text of VMCOREINFO. */
static char *read_by_header(const struct nmibt_image *image, uint64_t paddr)
{
	Elf64_Ehdr ehdr;
	char *text = NULL;

	if (!read_headers(image, paddr, &ehdr))
		return NULL;
	for (unsigned int i = 0; i < ehdr.e_phnum && !text; i++) {
		Elf64_Phdr phdr;
		uint64_t at;

		if (__builtin_add_overflow(paddr, ehdr.e_phoff, &at) ||
		    __builtin_add_overflow(at, i * sizeof(phdr), &at) ||
		    nmibt_read_phys(image, at, &phdr, sizeof(phdr)) != NMIBT_READ_OK)
			return NULL;
		if (phdr.p_type == PT_NOTE)
			text = nmibt_vmcoreinfo_at(image, phdr.p_offset);
	}
	return text;
}

/* Returns VMCOREINFO from the capture kernel's copy of all notes: fs/proc/vmcore.c, elfnotes_buf,
 * since 3.11. */
static char *read_by_copy(struct nmibt_kernel *kernel)
{
	struct nmibt_elf_note note;
	uint64_t vaddr, size;

	if (!read_u64(kernel, "elfnotes_buf", &vaddr) || !read_u64(kernel, "elfnotes_sz", &size) ||
	    !vaddr || !size || size > MAX_NOTE_BYTES)
		return NULL;
	_cleanup_free_ char *notes = malloc(size);
	if (!notes)
		return NULL;
	nmibt_kernel_read_pages(kernel, vaddr, notes, size, NULL);
	for (size_t at = 0; nmibt_next_note(notes, size, at, &note); at = note.next) {
		if (nmibt_note_is(&note, "VMCOREINFO") && note.size <= size - note.at)
			return strndup(notes + note.at, note.size);
	}
	return NULL;
}

/* ------------------------------------------------------------------------ together */

/* *ret: the physical address of the first kernel's ELF header. Sets kernel->is_capture. False: this
 * is no capture kernel, or the address is not known. */
static bool find_elfcorehdr(struct nmibt_kernel *kernel, uint64_t *ret)
{
	bool has_symbol = read_u64(kernel, "elfcorehdr_addr", ret);

	if (has_symbol && *ret == ELFCORE_ADDR_MAX)
		return false;
	kernel->is_capture = has_symbol;
	if (has_symbol && *ret != ELFCORE_ADDR_ERR)
		return true;
	if (!find_in_command_line(kernel, ret) && !find_in_log(kernel, ret))
		return false;
	kernel->is_capture = true;
	return true;
}

char *nmibt_find_first_kernel(struct nmibt_kernel *kernel)
{
	uint64_t paddr;
	char *text = NULL;

	if (find_elfcorehdr(kernel, &paddr)) {
		text = read_by_header(kernel->image, paddr);
		if (!text)
			nmibt_add_reason(kernel->why_capture,
					 "the ELF header at %#" PRIx64
					 " does not lead to the first kernel's VMCOREINFO",
					 paddr);
	}
	if (!text && kernel->is_capture)
		text = read_by_copy(kernel);
	if (!text && kernel->is_capture && !*kernel->why_capture)
		nmibt_add_reason(kernel->why_capture,
				 "where the first kernel's notes are is not known");
	return text;
}
