// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Opens a dump: finds the reader of its format, combines the parts of a split dump, and looks for
 * VMCOREINFO and the architecture where the dump's headers lack them.
 */
#include <elf.h>

#include "image/dumpfile.h"
#include "image/foreign.h"
#include "image/image.h"
#include "image/kdump.h"
#include "image/libkdumpfile.h"
#include "image/sadump.h"

#define X86_64_PRSTATUS 0x150
#define ARM64_PRSTATUS 0x188

struct nmibt_dump {
	struct nmibt_dumpfile **files;
	unsigned int nr_files;
	struct nmibt_elf *elf; /* one of these four is open */
	struct nmibt_kdump *kdump;
	struct nmibt_sadump *sadump;
	struct nmibt_libkdumpfile *lkf;
	struct nmibt_image base; /* its image */
	char *found; /* VMCOREINFO that was found in memory; NULL: the dump has a note or none */
	struct nmibt_vmcoreinfo vmcoreinfo; /* from the dump's note, or from its memory */
	bool has_read_vmcoreinfo;
	const char *remark;
	const char *lost; /* for nmibt_image.lost */
	bool is_cut; /* the file is truncated: what is missing may have been in the lost part */
};

/* --------------------------------------------------------------------- open */

static bool is_elf(const struct nmibt_file *file)
{
	char magic[SELFMAG];

	return nmibt_file_read(file, 0, magic, sizeof(magic)) && !memcmp(magic, ELFMAG, SELFMAG);
}

static struct nmibt_error *open_files(struct nmibt_dump *dump, unsigned int nr,
				      const char *const *paths, const int *fds)
{
	dump->files = calloc(nr, sizeof(*dump->files));
	if (!dump->files)
		return nmibt_error_nomem();

	for (unsigned int i = 0; i < nr; i++) {
		struct nmibt_error *err =
			nmibt_dumpfile_open(paths[i], fds ? &fds[i] : NULL, &dump->files[i]);
		if (err)
			return err;
		dump->nr_files++;
		if (dump->files[i]->flat && !nmibt_flattened_complete(dump->files[i]->flat)) {
			dump->lost = "the file ends before the end of the flattened dump";
			dump->is_cut = true;
		}
	}
	return NULL;
}

/* A flattened dump of which nothing but the header is there. */
static bool is_empty(const struct nmibt_dumpfile *file)
{
	return file->flat && !nmibt_flattened_size(file->flat);
}

static struct nmibt_error *refuse(const struct nmibt_file *file)
{
	bool is_sadump = nmibt_is_sadump(file);

	if (!is_elf(file) && !is_sadump)
		return nmibt_refuse_foreign(file);
	struct nmibt_error *err =
		is_sadump ? nmibt_sadump_refuse_disk(file) : nmibt_elf_refuse_executable(file);
	return err ? err
		   : nmibt_error_create(NMIBT_ERR_UNUSABLE,
					"%s: %s dump is no part of a split dump; name it alone",
					file->path, is_sadump ? "a sadump" : "an ELF");
}

/* *ret_known false: a dump of one file has none of these formats. */
static struct nmibt_error *open_single(struct nmibt_dump *dump, bool may_crash, bool *ret_known)
{
	const struct nmibt_file *file = &dump->files[0]->file;

	*ret_known = true;
	if (nmibt_is_for_libkdumpfile(file))
		return nmibt_libkdumpfile_open(file, may_crash, &dump->lkf);
	if (is_elf(file))
		return nmibt_elf_open_file(file, &dump->elf);
	if (!nmibt_is_kdump(file) && nmibt_is_sadump(file))
		return nmibt_sadump_open(file, &dump->sadump);
	*ret_known = false;
	return NULL;
}

static struct nmibt_error *open_image(struct nmibt_dump *dump, unsigned int nr,
				      const char *const *paths, const int *fds, bool may_crash)
{
	struct nmibt_error *err = open_files(dump, nr, paths, fds);
	if (err)
		return err;
	for (unsigned int i = 0; i < nr; i++) {
		if (is_empty(dump->files[i]))
			return nmibt_error_create(NMIBT_ERR_UNUSABLE,
						  "%s: a flattened dump, cut behind its header",
						  paths[i]);
	}
	bool known = false;
	if (nr == 1)
		err = open_single(dump, may_crash, &known);
	if (known)
		return err;

	_cleanup_free_ const struct nmibt_file **files = calloc(nr, sizeof(*files));
	if (!files)
		return nmibt_error_nomem();
	for (unsigned int i = 0; i < nr; i++) {
		files[i] = &dump->files[i]->file;
		if (!nmibt_is_kdump(files[i]))
			return refuse(files[i]);
	}
	return nmibt_kdump_open(nr, files, &dump->kdump);
}

static enum nmibt_read dump_read_phys(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	struct nmibt_dump *dump = ctx;
	enum nmibt_read status = dump->base.ops->read_phys(dump->base.ctx, paddr, buf, len);

	return status == NMIBT_READ_EXCLUDED && dump->is_cut ? NMIBT_READ_ERROR : status;
}

static char *dump_vmcoreinfo_text(void *ctx)
{
	struct nmibt_dump *dump = ctx;

	if (dump->found)
		return strdup(dump->found);
	return dump->base.ops->vmcoreinfo_text(dump->base.ctx);
}

/*
 * The architecture by the size of the registers in the dump's notes, for a dump whose header does
 * not name the machine. The sizes are those of struct elf_prstatus, include/linux/elfcore.h and
 * arch/ARCH/include/asm/elf.h (6.12), of the 64-bit little-endian machines. Of these no other has
 * one of the two sizes.
 */
static enum nmibt_arch arch_by_notes(const struct nmibt_image *image)
{
	size_t len = 0;
	_cleanup_free_ char *notes = image->ops->notes(image->ctx, &len);
	struct nmibt_elf_note note;

	for (size_t at = 0; notes && nmibt_next_note(notes, len, at, &note); at = note.next) {
		if (note.type != NT_PRSTATUS || !nmibt_note_is(&note, "CORE"))
			continue;
		if (note.size == X86_64_PRSTATUS)
			return NMIBT_ARCH_X86_64;
		return note.size == ARM64_PRSTATUS ? NMIBT_ARCH_ARM64 : NMIBT_ARCH_UNKNOWN;
	}
	return NMIBT_ARCH_UNKNOWN;
}

/* The architecture, for dumps whose header does not name the machine: VMCOREINFO has lines that
 * only one architecture writes. */
static enum nmibt_arch arch_by_vmcoreinfo(const struct nmibt_vmcoreinfo *v)
{
	if (v->phys_base.known == v->kimage_voffset.known)
		return NMIBT_ARCH_UNKNOWN;
	return v->phys_base.known ? NMIBT_ARCH_X86_64 : NMIBT_ARCH_ARM64;
}

/* Without its vmcoreinfo device, QEMU writes no note: then the memory is searched. */
static struct nmibt_error *look_for_vmcoreinfo(struct nmibt_dump *dump)
{
	struct nmibt_vmcoreinfo *v = &dump->vmcoreinfo;
	struct nmibt_error *err = nmibt_vmcoreinfo_read(&dump->base, v);

	if (!err && !v->osrelease) {
		nmibt_vmcoreinfo_destroy(v);
		err = nmibt_vmcoreinfo_find(&dump->base, &dump->found);
		if (err && err->code == NMIBT_ERR_DAMAGED)
			dump->remark =
				"memory has VMCOREINFO of more than one kernel: none is used";
		else if (!err)
			dump->remark = "the dump has no VMCOREINFO note, what memory has is used";
		nmibt_error_destroy(err);
		err = nmibt_vmcoreinfo_parse(dump->found ? strdup(dump->found) : NULL, v);
	}
	if (!err && dump->base.arch == NMIBT_ARCH_UNKNOWN)
		dump->base.arch = arch_by_vmcoreinfo(v) ?: arch_by_notes(&dump->base);
	return err;
}

void nmibt_load_libraries(int fd)
{
	nmibt_kdump_preload(fd);
	nmibt_libkdumpfile_preload(fd);
}

/* Returns what the reader knows to be lost. */
static const char *take_image(struct nmibt_dump *dump)
{
	if (dump->lkf) {
		nmibt_libkdumpfile_image(dump->lkf, &dump->base);
		return NULL;
	}
	if (dump->sadump) {
		nmibt_sadump_image(dump->sadump, &dump->base);
		return nmibt_sadump_lost(dump->sadump);
	}
	if (dump->elf) {
		nmibt_elf_image(dump->elf, &dump->base);
		return nmibt_elf_lost(dump->elf);
	}
	nmibt_kdump_image(dump->kdump, &dump->base);
	return nmibt_kdump_lost(dump->kdump);
}

struct nmibt_error *nmibt_dump_open(const char *const *paths, unsigned int nr, const int *fds,
				    bool may_crash, struct nmibt_dump **ret)
{
	struct nmibt_dump *dump = calloc(1, sizeof(*dump));
	if (!dump)
		return nmibt_error_nomem();

	struct nmibt_error *err = open_image(dump, nr, paths, fds, may_crash);
	if (err) {
		nmibt_dump_close(dump);
		return err;
	}
	const char *lost = take_image(dump);
	dump->lost = dump->lost ?: lost;
	*ret = dump;
	return NULL;
}

struct nmibt_error *nmibt_dump_read_vmcoreinfo(struct nmibt_dump *dump,
					       const struct nmibt_vmcoreinfo **ret)
{
	struct nmibt_error *err = dump->has_read_vmcoreinfo ? NULL : look_for_vmcoreinfo(dump);

	if (err)
		return err;
	dump->has_read_vmcoreinfo = true;
	*ret = &dump->vmcoreinfo;
	return NULL;
}

static bool dump_next_range(void *ctx, uint64_t from, struct nmibt_range *ret)
{
	struct nmibt_dump *dump = ctx;

	return dump->base.ops->next_range(dump->base.ctx, from, ret);
}

static char *dump_notes(void *ctx, size_t *ret_len)
{
	struct nmibt_dump *dump = ctx;

	return dump->base.ops->notes(dump->base.ctx, ret_len);
}

void nmibt_dump_image(struct nmibt_dump *dump, struct nmibt_image *ret)
{
	static const struct nmibt_image_ops ops = {
		.read_phys = dump_read_phys,
		.vmcoreinfo_text = dump_vmcoreinfo_text,
		.next_range = dump_next_range,
		.notes = dump_notes,
	};

	*ret = dump->base;
	ret->ops = &ops;
	ret->ctx = dump;
	ret->lost = dump->lost;
}

const char *nmibt_dump_remark(const struct nmibt_dump *dump)
{
	const char *remark = dump->kdump ? nmibt_kdump_remark(dump->kdump) : NULL;

	if (!remark)
		remark = dump->lost;
	return remark ? remark : dump->remark;
}

void nmibt_dump_close(struct nmibt_dump *dump)
{
	if (!dump)
		return;
	nmibt_vmcoreinfo_destroy(&dump->vmcoreinfo);
	free(dump->found);
	nmibt_elf_close(dump->elf);
	nmibt_kdump_close(dump->kdump);
	nmibt_sadump_close(dump->sadump);
	nmibt_libkdumpfile_close(dump->lkf);
	for (unsigned int i = 0; i < dump->nr_files; i++)
		nmibt_dumpfile_close(dump->files[i]);
	free(dump->files);
	free(dump);
}
