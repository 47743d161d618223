// SPDX-License-Identifier: GPL-2.0-or-later
/* ELF notes, one after the other. */
#include "image/image.h"

static uint64_t padded(uint32_t size)
{
	return ((uint64_t)size + 3) & ~UINT64_C(3);
}

bool nmibt_next_note(const char *notes, size_t len, size_t at, struct nmibt_elf_note *ret)
{
	Elf64_Nhdr header;

	if (at > len || len - at < sizeof(header))
		return false;
	memcpy(&header, notes + at, sizeof(header));
	size_t name = at + sizeof(header);
	if (padded(header.n_namesz) > len - name)
		return false;
	size_t desc = name + padded(header.n_namesz);
	*ret = (struct nmibt_elf_note){
		.type = header.n_type,
		.name = notes + name,
		.name_size = header.n_namesz,
		.at = desc,
		.size = header.n_descsz,
		.next = padded(header.n_descsz) < len - desc ? desc + padded(header.n_descsz) : len,
	};
	return true;
}

bool nmibt_note_is(const struct nmibt_elf_note *note, const char *name)
{
	size_t size = strlen(name) + 1;

	return note->name_size == size && !memcmp(note->name, name, size);
}
