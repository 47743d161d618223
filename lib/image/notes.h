/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ELF notes: a header, a name and a description, each padded to 4 bytes. Dumps have them in
 * PT_NOTE segments, kernels in .notes, crash_notes and vmcoreinfo_note.
 */
#ifndef NMIBT_NOTES_H
#define NMIBT_NOTES_H

#include <elf.h>

#include "base/base.h"

/* Bytes before the description of a note of this name, a string literal. */
#define NMIBT_NOTE_HEAD(name) (sizeof(Elf64_Nhdr) + ((sizeof(name) + 3) & ~3ul))

struct nmibt_elf_note {
	uint32_t type;
	const char *name; /* borrowed, untrusted; name_size bytes, of which one should be a NUL */
	uint32_t name_size;
	size_t at; /* of the description, from the beginning of the notes */
	uint32_t size; /* of it, as the header says: it may end behind the notes */
	size_t next; /* where the next note begins, or len: there is none */
};

/* The note that begins at notes[at]. False: there is no whole header and name. */
bool nmibt_next_note(const char *notes, size_t len, size_t at, struct nmibt_elf_note *ret);
bool nmibt_note_is(const struct nmibt_elf_note *note, const char *name);

#endif /* NMIBT_NOTES_H */
