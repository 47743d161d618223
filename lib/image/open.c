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
#include "image/reader.h"
#include "image/sadump.h"
#include "image/stream.h"

#define X86_64_PRSTATUS 0x150
#define ARM64_PRSTATUS 0x188
/* What a record lost, and what else is said of it. */
#define REMARKS_LEN 1024

struct nmibt_dump {
	struct nmibt_over over; /* the reader's image */
	struct nmibt_dumpfile **files;
	unsigned int nr_files;
	const struct nmibt_reader *reader; /* NULL: nothing is open */
	void *opened; /* by the reader */
	char *found; /* VMCOREINFO that was found in memory; NULL: the dump has a note or none */
	struct nmibt_vmcoreinfo vmcoreinfo; /* from the dump's note, or from its memory */
	bool has_read_vmcoreinfo;
	const char *remark;
	char remarks[REMARKS_LEN]; /* what is said of it, together */
	const char *lost; /* for nmibt_image.lost */
	bool is_cut; /* the file is truncated: what is missing may have been in the lost part */
};

/* --------------------------------------------------------------------- open */

/* In the order in which they are asked: a core of Xen is an ELF file, too. */
static const struct nmibt_reader *const readers[] = {
	&nmibt_libkdumpfile_reader, &nmibt_elf_reader,	    &nmibt_kdump_reader,
	&nmibt_sadump_reader,	    &nmibt_recorded_reader, &nmibt_printed_reader,
	&nmibt_text_reader};

/* NULL: no reader knows the format. */
static const struct nmibt_reader *find_reader(const struct nmibt_file *file)
{
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
		if (readers[i]->knows(file))
			return readers[i];
	}
	return NULL;
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

/* The error for a file that is no part of a split dump. */
static struct nmibt_error *refuse_part(const struct nmibt_file *file)
{
	bool is_sadump = nmibt_is_sadump(file);
	struct nmibt_error *err =
		is_sadump ? nmibt_sadump_refuse_disk(file) : nmibt_elf_refuse_executable(file);

	return err ? err
		   : nmibt_error_create(NMIBT_ERR_UNUSABLE,
					"%s: %s dump is no part of a split dump; name it alone",
					file->path, is_sadump ? "a sadump" : "an ELF");
}

static enum nmibt_read dump_read_phys(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	struct nmibt_dump *dump = ctx;
	enum nmibt_read status =
		dump->over.base.ops->read_phys(dump->over.base.ctx, paddr, buf, len);

	return status == NMIBT_READ_EXCLUDED && dump->is_cut ? NMIBT_READ_ERROR : status;
}

static char *dump_vmcoreinfo_text(void *ctx)
{
	struct nmibt_dump *dump = ctx;

	if (dump->found)
		return strdup(dump->found);
	return dump->over.base.ops->vmcoreinfo_text
		       ? dump->over.base.ops->vmcoreinfo_text(dump->over.base.ctx)
		       : NULL;
}

static const struct nmibt_image_ops own_ops = {
	.read_phys = dump_read_phys,
	.vmcoreinfo_text = dump_vmcoreinfo_text,
};

/* All files of pstore may be named at once. Then a record counts, which has more than the kernel's
 * log. Other files have one format. */
static struct nmibt_error *choose(struct nmibt_dump *dump, const struct nmibt_file *file,
				  const struct nmibt_reader *other,
				  const struct nmibt_reader **reader)
{
	if (*reader && other != *reader) {
		bool has_record =
			other == &nmibt_recorded_reader || *reader == &nmibt_recorded_reader;
		bool has_log = other == &nmibt_printed_reader || *reader == &nmibt_printed_reader;

		if (!has_record || !has_log)
			return nmibt_error_create(NMIBT_ERR_UNUSABLE,
						  "%s: of another kind than the files before it",
						  file->path);
		dump->remark = "beside the record there are logs: name them alone to see them";
		other = &nmibt_recorded_reader;
	}
	*reader = other;
	return NULL;
}

/* Opens one dump, which may have several files. */
static struct nmibt_error *open_dump(struct nmibt_dump *dump, unsigned int nr,
				     const struct nmibt_file *const *files, bool may_crash)
{
	const struct nmibt_reader *reader = NULL;
	struct nmibt_image base;

	for (unsigned int i = 0; i < nr; i++) {
		const struct nmibt_reader *other = find_reader(files[i]);

		if (!other)
			return nmibt_refuse_foreign(files[i]);
		/* Beside the kernel's records in pstore there may be the console's. */
		if (nr > 1 && other == &nmibt_text_reader)
			other = &nmibt_printed_reader;
		if (nr > 1 && !other->may_be_split)
			return refuse_part(files[i]);
		struct nmibt_error *err = choose(dump, files[i], other, &reader);
		if (err)
			return err;
	}
	struct nmibt_error *err = reader->open(nr, files, may_crash, &dump->opened);
	if (err)
		return err;
	dump->reader = reader;
	reader->image(dump->opened, &base);
	nmibt_over_open(&base, &own_ops, &dump->over);
	dump->lost = dump->lost ?: base.lost;
	return NULL;
}

static struct nmibt_error *open_image(struct nmibt_dump *dump, unsigned int nr,
				      const char *const *paths, const int *fds, bool may_crash)
{
	_cleanup_free_ const struct nmibt_file **files = calloc(nr, sizeof(*files));
	struct nmibt_error *err = files ? open_files(dump, nr, paths, fds) : nmibt_error_nomem();

	if (err)
		return err;
	for (unsigned int i = 0; i < nr; i++) {
		if (is_empty(dump->files[i]))
			return nmibt_error_create(NMIBT_ERR_UNUSABLE,
						  "%s: a flattened dump, cut behind its header",
						  paths[i]);
		files[i] = &dump->files[i]->file;
	}
	return open_dump(dump, nr, files, may_crash);
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
	_cleanup_free_ char *notes = image->ops->notes ? image->ops->notes(image->ctx, &len) : NULL;
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
	struct nmibt_error *err = nmibt_vmcoreinfo_read(&dump->over.base, v);

	if (!err && !v->osrelease) {
		nmibt_vmcoreinfo_destroy(v);
		err = nmibt_vmcoreinfo_find(&dump->over.base, &dump->found);
		if (err && err->code == NMIBT_ERR_DAMAGED)
			dump->remark =
				"memory has VMCOREINFO of more than one kernel: none is used";
		else if (!err)
			dump->remark = "the dump has no VMCOREINFO note, what memory has is used";
		nmibt_error_destroy(err);
		err = nmibt_vmcoreinfo_parse(dump->found ? strdup(dump->found) : NULL, v);
	}
	if (!err && dump->over.base.arch == NMIBT_ARCH_UNKNOWN)
		dump->over.base.arch = arch_by_vmcoreinfo(v) ?: arch_by_notes(&dump->over.base);
	return err;
}

void nmibt_load_libraries(int fd)
{
	nmibt_kdump_preload(fd);
	nmibt_libkdumpfile_preload(fd);
	nmibt_stream_preload(fd);
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

void nmibt_dump_image(struct nmibt_dump *dump, struct nmibt_image *ret)
{
	*ret = dump->over.base;
	ret->ops = &dump->over.ops;
	ret->ctx = dump;
	ret->lost = dump->lost;
}

static void add_remark(struct nmibt_dump *dump, const char *remark)
{
	size_t len = strlen(dump->remarks);

	if (remark)
		snprintf(dump->remarks + len, sizeof(dump->remarks) - len, "%s%s", len ? "; " : "",
			 remark);
}

const char *nmibt_dump_remark(struct nmibt_dump *dump)
{
	*dump->remarks = '\0';
	add_remark(dump, dump->lost);
	add_remark(dump, dump->reader->remark ? dump->reader->remark(dump->opened) : NULL);
	add_remark(dump, dump->remark);
	return *dump->remarks ? dump->remarks : NULL;
}

const char *nmibt_dump_crash_name(struct nmibt_dump *dump, unsigned int crash)
{
	return dump->reader->crash_name ? dump->reader->crash_name(dump->opened, crash) : NULL;
}

const struct nmibt_old_files *nmibt_dump_files(const struct nmibt_dump *dump)
{
	return dump->reader->files ? dump->reader->files(dump->opened) : NULL;
}

const char *nmibt_dump_summary(const struct nmibt_dump *dump)
{
	return dump->reader->summary ? dump->reader->summary(dump->opened) : NULL;
}

void nmibt_dump_close(struct nmibt_dump *dump)
{
	if (!dump)
		return;
	nmibt_vmcoreinfo_destroy(&dump->vmcoreinfo);
	free(dump->found);
	if (dump->reader)
		dump->reader->close(dump->opened);
	for (unsigned int i = 0; i < dump->nr_files; i++)
		nmibt_dumpfile_close(dump->files[i]);
	free(dump->files);
	free(dump);
}
