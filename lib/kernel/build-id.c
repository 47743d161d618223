// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's build-id. VMCOREINFO has it since 5.9, but some stable kernels write garbage
 * there (kernel/vmcore_info.c: add_build_id_vmcoreinfo()). The kernel's own note in .notes
 * (include/asm-generic/vmlinux.lds.h) has the right one.
 */
#include "image/image.h"
#include "kernel/kernel.h"

#define MAX_NOTES 65536
#define MAX_BYTES ((NMIBT_BUILD_ID_LEN - 1) / 2)

static void print_hex(const char *bytes, size_t len, char text[NMIBT_BUILD_ID_LEN])
{
	for (size_t i = 0; i < len; i++)
		snprintf(text + 2 * i, 3, "%02x", (unsigned char)bytes[i]);
}

/* Tries every 4 bytes, because there may be padding between the notes of sections that are aligned
 * to 8 bytes. */
static bool find_note(const char *notes, size_t len, char text[NMIBT_BUILD_ID_LEN])
{
	struct nmibt_elf_note note;

	for (size_t at = 0; at < len; at += 4) {
		if (!nmibt_next_note(notes, len, at, &note) || note.type != NT_GNU_BUILD_ID ||
		    !nmibt_note_is(&note, "GNU") || !note.size || note.size > MAX_BYTES ||
		    note.size > len - note.at)
			continue;
		print_hex(notes + note.at, note.size, text);
		return true;
	}
	return false;
}

static bool read_note(struct nmibt_kernel *kernel, char text[NMIBT_BUILD_ID_LEN])
{
	uint64_t start, stop;

	if (!nmibt_symbol_addr(kernel, "__start_notes", &start) ||
	    !nmibt_symbol_addr(kernel, "__stop_notes", &stop) || stop - start - 1 >= MAX_NOTES)
		return false;
	_cleanup_free_ char *notes = malloc(stop - start);
	return notes && nmibt_kernel_read(kernel, start, notes, stop - start) == NMIBT_READ_OK &&
	       find_note(notes, stop - start, text);
}

static bool is_hex(const char *text)
{
	size_t len = strspn(text, "0123456789abcdef");

	return len && !text[len] && !(len % 2) && len < NMIBT_BUILD_ID_LEN;
}

void nmibt_kernel_build_id(struct nmibt_kernel *kernel, struct nmibt_build_id *ret)
{
	const char *said = kernel->vmcoreinfo.build_id;

	*ret = (struct nmibt_build_id){.state = NMIBT_BUILD_ID_NONE};
	if (read_note(kernel, ret->text))
		ret->state = said && strcmp(said, ret->text) ? NMIBT_BUILD_ID_BROKEN
							     : NMIBT_BUILD_ID_VERIFIED;
	else if (said && is_hex(said))
		ret->state = NMIBT_BUILD_ID_UNVERIFIED;
	if (ret->state == NMIBT_BUILD_ID_UNVERIFIED)
		memcpy(ret->text, said, strlen(said) + 1);
}
