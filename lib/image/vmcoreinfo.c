// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VMCOREINFO: lines KEY=VALUE, for readers of dumps. kdump hands them on as a note of
 * the dump; where QEMU dumped a machine without its vmcoreinfo device there is none,
 * but the kernel's memory has it: vmcoreinfo_note is in pages of its own
 * (kernel/vmcore_info.c: crash_save_vmcoreinfo_init(), 6.12; kernel/crash_core.c
 * before), filled when the kernel boots.
 */
#include <ctype.h>
#include <elf.h>
#include <inttypes.h>

#include "image/image.h"

#define NOTE_NAME "VMCOREINFO"
#define FIRST_LINE "OSRELEASE="
/* The header, and the name padded to 4 bytes. */
#define TEXT_AT (sizeof(Elf64_Nhdr) + ((sizeof(NOTE_NAME) + 3) & ~3ul))

char *nmibt_vmcoreinfo_line(const char *text, const char *key)
{
	size_t key_len = strlen(key);

	for (const char *line = text; line && *line;) {
		size_t len = strcspn(line, "\n");
		if (len > key_len && !memcmp(line, key, key_len) && line[key_len] == '=')
			return strndup(line + key_len + 1, len - key_len - 1);
		line += len + (line[len] == '\n');
	}
	return NULL;
}

static bool is_text(const char *s, size_t len)
{
	if (len < strlen(FIRST_LINE) || memcmp(s, FIRST_LINE, strlen(FIRST_LINE)))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!isprint((unsigned char)s[i]) && s[i] != '\n')
			return false;
	}
	return true;
}

/* The text of the note that begins at paddr, which the caller frees; NULL: none. */
static char *read_note(const struct nmibt_image *image, uint64_t paddr)
{
	char head[TEXT_AT];
	Elf64_Nhdr note;

	if (nmibt_read_phys(image, paddr, head, sizeof(head)) != NMIBT_READ_OK)
		return NULL;
	memcpy(&note, head, sizeof(note));
	if (note.n_namesz != sizeof(NOTE_NAME) || note.n_type ||
	    memcmp(head + sizeof(note), NOTE_NAME, sizeof(NOTE_NAME)) ||
	    note.n_descsz > image->page_size)
		return NULL;

	char *text = calloc(1, note.n_descsz + 1ul);
	if (text && nmibt_read_phys(image, paddr + TEXT_AT, text, note.n_descsz) == NMIBT_READ_OK &&
	    is_text(text, strnlen(text, note.n_descsz)))
		return text;
	free(text);
	return NULL;
}

/* Shorter by the CRASHTIME that only a kernel that went to kdump adds, one note may be
 * the beginning of another. */
static bool is_same(const char *a, const char *b)
{
	size_t len = strlen(a) < strlen(b) ? strlen(a) : strlen(b);

	return !memcmp(a, b, len);
}

struct nmibt_error *nmibt_vmcoreinfo_find(const struct nmibt_image *image, char **ret)
{
	_cleanup_free_ char *found = NULL;
	struct nmibt_range range;

	if (!image->ops->next_range || !image->page_size)
		return nmibt_error_create(NMIBT_ERR_NOTHING, "memory can't be scanned here");
	for (uint64_t from = 0; image->ops->next_range(image->ctx, from, &range);) {
		uint64_t end = range.start + range.size, mask = image->page_size - 1;

		for (uint64_t at = (range.start + mask) & ~mask; at >= range.start && at < end;
		     at += image->page_size) {
			if (nmibt_interrupted(image))
				return nmibt_error_create(NMIBT_ERR_INTERRUPTED, "interrupted");
			char *text = read_note(image, at);
			if (found && text && !is_same(found, text)) {
				free(text);
				return nmibt_error_create(
					NMIBT_ERR_DAMAGED,
					"memory has VMCOREINFO of more than one kernel");
			}
			if (found) {
				free(text);
				continue;
			}
			found = text;
		}
		if (end <= range.start)
			break;
		from = end;
	}
	if (!found)
		return nmibt_error_create(NMIBT_ERR_NOTHING, "no VMCOREINFO in memory");
	*ret = found;
	found = NULL;
	return NULL;
}
