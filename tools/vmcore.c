// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ELF is read by the library's own reader: it takes cut files, which libkdumpfile
 * refuses, and tells a page that was left out from one that is not there.
 * libkdumpfile reads all else. What is put on top of either is what a vmlinux has.
 */
#include <elf.h>
#include <unistd.h>

#include "image/dumpfile.h"
#include "image/flattened.h"
#include "report/report.h"
#include "image/kdumpfile.h"
#include "image/kdumpheader.h"
#include "vmcore.h"

struct nmibt_vmcore {
	struct nmibt_dumpfile **files;
	unsigned int nr_files;
	struct nmibt_elf *elf; /* this one or the next */
	struct nmibt_kdumpfile *kdumpfile;
	struct nmibt_image base; /* of the one that is open */
	char *found; /* VMCOREINFO in memory; NULL: the dump has a note, or there is none */
	struct nmibt_vmcoreinfo vmcoreinfo; /* of the dump's note, or of its memory */
	struct nmibt_debuginfo *debuginfo; /* NULL: none is wanted */
	const char *remark;
	bool is_partial; /* what is not in it may have been, in the part that is missing */
};

static const char *remark_on(const struct nmibt_dumpfile *file)
{
	struct nmibt_kdumpheader header;

	if (file->flat && !nmibt_flattened_complete(file->flat))
		return "the file ends before the end of the flattened dump";
	if (nmibt_kdumpheader_read(file->fd, &header) && header.incomplete)
		return "makedumpfile left this dump incomplete: it had no room for the rest";
	return NULL;
}

/* -------------------------------------------------------------------- parts */

struct part {
	struct nmibt_dumpfile *file;
	struct nmibt_kdumpheader header;
};

static int compare_parts(const void *a, const void *b)
{
	uint64_t x = ((const struct part *)a)->header.start_pfn;
	uint64_t y = ((const struct part *)b)->header.start_pfn;

	return (x > y) - (x < y);
}

static bool are_all_there(const struct part *parts, unsigned int nr)
{
	for (unsigned int i = 0; i + 1 < nr; i++) {
		if (parts[i].header.end_pfn != parts[i + 1].header.start_pfn)
			return false;
	}
	return !parts[0].header.start_pfn &&
	       parts[nr - 1].header.end_pfn >= parts[nr - 1].header.max_pfn;
}

/* libkdumpfile 0.5.1 wants the parts of a split dump in their order, and misses none. */
static struct nmibt_error *sort_parts(struct nmibt_vmcore *vmcore)
{
	unsigned int nr = vmcore->nr_files;
	_cleanup_free_ struct part *parts = calloc(nr, sizeof(*parts));

	if (!parts)
		return nmibt_error_nomem();
	for (unsigned int i = 0; i < nr; i++) {
		parts[i].file = vmcore->files[i];
		if (!nmibt_kdumpheader_read(parts[i].file->fd, &parts[i].header) ||
		    !parts[i].header.split)
			return NULL;
	}
	qsort(parts, nr, sizeof(*parts), compare_parts);
	for (unsigned int i = 0; i < nr; i++)
		vmcore->files[i] = parts[i].file;
	if (!are_all_there(parts, nr) && !vmcore->remark)
		vmcore->remark =
			"this is a part of a split dump, and others are missing: name them all";
	return NULL;
}

/* --------------------------------------------------------------------- open */

static bool is_elf(const struct nmibt_dumpfile *file)
{
	char magic[SELFMAG];

	return pread(file->fd, magic, sizeof(magic), 0) == sizeof(magic) &&
	       !memcmp(magic, ELFMAG, SELFMAG);
}

static struct nmibt_error *open_files(struct nmibt_vmcore *vmcore, unsigned int nr,
				      char *const *paths)
{
	vmcore->files = calloc(nr, sizeof(*vmcore->files));
	if (!vmcore->files)
		return nmibt_error_nomem();

	struct nmibt_error *err;
	for (unsigned int i = 0; i < nr; i++) {
		err = nmibt_dumpfile_open(paths[i], &vmcore->files[i]);
		if (err)
			return err;
		vmcore->nr_files++;
		if (!vmcore->remark)
			vmcore->remark = remark_on(vmcore->files[i]);
	}
	err = sort_parts(vmcore);
	vmcore->is_partial = vmcore->remark;
	return err;
}

static struct nmibt_error *open_image(struct nmibt_vmcore *vmcore, unsigned int nr,
				      char *const *paths)
{
	struct nmibt_error *err = open_files(vmcore, nr, paths);
	if (err)
		return err;
	if (nr == 1 && is_elf(vmcore->files[0]))
		return nmibt_elf_open_fd(vmcore->files[0]->fd, paths[0], &vmcore->elf);

	_cleanup_free_ int *fds = calloc(nr, sizeof(*fds));
	if (!fds)
		return nmibt_error_nomem();
	for (unsigned int i = 0; i < nr; i++)
		fds[i] = vmcore->files[i]->fd;
	return nmibt_kdumpfile_open(paths[0], nr, fds, &vmcore->kdumpfile);
}

static enum nmibt_read vmcore_read_phys(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	struct nmibt_vmcore *vmcore = ctx;
	enum nmibt_read status = vmcore->base.ops->read_phys(vmcore->base.ctx, paddr, buf, len);

	return status == NMIBT_READ_EXCLUDED && vmcore->is_partial ? NMIBT_READ_ERROR : status;
}

static char *vmcore_vmcoreinfo_text(void *ctx)
{
	struct nmibt_vmcore *vmcore = ctx;

	if (vmcore->found)
		return strdup(vmcore->found);
	return vmcore->base.ops->vmcoreinfo_text(vmcore->base.ctx);
}

/* libkdumpfile does not believe the machine in a header without a system's name, as
 * QEMU writes it (dump/dump.c: create_header64(), 7.2). VMCOREINFO has lines that only
 * one architecture writes. */
static enum nmibt_arch arch_by_vmcoreinfo(const struct nmibt_vmcoreinfo *v)
{
	if (v->phys_base.known == v->kimage_voffset.known)
		return NMIBT_ARCH_UNKNOWN;
	return v->phys_base.known ? NMIBT_ARCH_X86_64 : NMIBT_ARCH_ARM64;
}

/* QEMU without its vmcoreinfo device writes no note. */
static struct nmibt_error *look_for_vmcoreinfo(struct nmibt_vmcore *vmcore)
{
	struct nmibt_vmcoreinfo *v = &vmcore->vmcoreinfo;
	struct nmibt_error *err = nmibt_vmcoreinfo_read(&vmcore->base, v);

	if (!err && !v->osrelease) {
		nmibt_vmcoreinfo_destroy(v);
		err = nmibt_vmcoreinfo_find(&vmcore->base, &vmcore->found);
		if (err && err->code == NMIBT_ERR_DAMAGED && !vmcore->remark)
			vmcore->remark =
				"memory has VMCOREINFO of more than one kernel: none is used";
		else if (!err && !vmcore->remark)
			vmcore->remark = "the dump has no VMCOREINFO note, what memory has is used";
		nmibt_error_destroy(err);
		err = nmibt_vmcoreinfo_parse(vmcore->found ? strdup(vmcore->found) : NULL, v);
	}
	if (!err && vmcore->base.arch == NMIBT_ARCH_UNKNOWN)
		vmcore->base.arch = arch_by_vmcoreinfo(v);
	return err;
}

struct nmibt_error *nmibt_vmcore_open(unsigned int nr, char *const *paths,
				      struct nmibt_vmcore **ret)
{
	struct nmibt_vmcore *vmcore = calloc(1, sizeof(*vmcore));
	if (!vmcore)
		return nmibt_error_nomem();

	struct nmibt_error *err = open_image(vmcore, nr, paths);
	if (err) {
		nmibt_vmcore_close(vmcore);
		return err;
	}
	if (vmcore->elf)
		nmibt_elf_image(vmcore->elf, &vmcore->base);
	else
		nmibt_kdumpfile_image(vmcore->kdumpfile, &vmcore->base);
	err = look_for_vmcoreinfo(vmcore);
	if (err) {
		nmibt_vmcore_close(vmcore);
		return err;
	}
	*ret = vmcore;
	return NULL;
}

static bool vmcore_next_range(void *ctx, uint64_t from, struct nmibt_range *ret)
{
	struct nmibt_vmcore *vmcore = ctx;

	return vmcore->base.ops->next_range(vmcore->base.ctx, from, ret);
}

/* Where neither the dump nor a vmlinux has symbols an address stays a number. */
static bool vmcore_symbolize(void *ctx, uint64_t addr, char *buf, size_t len)
{
	struct nmibt_vmcore *vmcore = ctx;

	return vmcore->debuginfo && nmibt_debuginfo_symbolize(vmcore->debuginfo, addr, buf, len);
}

static bool vmcore_find_places(void *ctx, const struct nmibt_location *at, nmibt_place_fn visit,
			       void *arg)
{
	struct nmibt_vmcore *vmcore = ctx;

	return vmcore->debuginfo && nmibt_debuginfo_find_places(vmcore->debuginfo, at, visit, arg);
}

static bool vmcore_symbol_addr(void *ctx, const char *name, uint64_t *ret)
{
	struct nmibt_vmcore *vmcore = ctx;

	return vmcore->debuginfo && nmibt_debuginfo_symbol_addr(vmcore->debuginfo, name, ret);
}

static bool vmcore_type_size(void *ctx, const char *type, size_t *ret)
{
	struct nmibt_vmcore *vmcore = ctx;

	return vmcore->debuginfo && nmibt_debuginfo_type_size(vmcore->debuginfo, type, ret);
}

static bool vmcore_member_offset(void *ctx, const char *type, const char *member, size_t *ret)
{
	struct nmibt_vmcore *vmcore = ctx;

	return vmcore->debuginfo &&
	       nmibt_debuginfo_member_offset(vmcore->debuginfo, type, member, ret);
}

static struct nmibt_error *vmcore_unwind(void *ctx, struct nmibt_kernel *kernel,
					 const struct nmibt_regs *regs, struct nmibt_stack *ret)
{
	struct nmibt_vmcore *vmcore = ctx;

	if (!vmcore->debuginfo)
		return nmibt_error_create(NMIBT_ERR_NOTHING, "no vmlinux is used");
	return nmibt_debuginfo_unwind(vmcore->debuginfo, kernel, regs, ret);
}

void nmibt_vmcore_image(struct nmibt_vmcore *vmcore, struct nmibt_image *ret)
{
	static const struct nmibt_image_ops ops = {
		.read_phys = vmcore_read_phys,
		.vmcoreinfo_text = vmcore_vmcoreinfo_text,
		.symbol_addr = vmcore_symbol_addr,
		.member_offset = vmcore_member_offset,
		.type_size = vmcore_type_size,
		.next_range = vmcore_next_range,
		.symbolize = vmcore_symbolize,
		.find_places = vmcore_find_places,
		.unwind = vmcore_unwind,
	};

	*ret = vmcore->base;
	ret->ops = &ops;
	ret->ctx = vmcore;
}

bool nmibt_vmcore_needs_vmlinux(const struct nmibt_vmcore *vmcore)
{
	return vmcore->vmcoreinfo.osrelease && !vmcore->vmcoreinfo.kallsyms.names.known;
}

const char *nmibt_vmcore_remark(const struct nmibt_vmcore *vmcore)
{
	return vmcore->remark;
}

/* The vmlinux is checked by what the dump alone has. */
struct nmibt_error *nmibt_vmcore_use_debuginfo(struct nmibt_vmcore *vmcore,
					       const struct nmibt_debuginfo_options *options)
{
	struct nmibt_image image;
	struct nmibt_kernel *kernel;

	nmibt_vmcore_image(vmcore, &image);
	struct nmibt_error *err = nmibt_kernel_open(&image, &kernel);
	if (err)
		return err;
	err = nmibt_debuginfo_open(kernel, options, &vmcore->debuginfo);
	nmibt_kernel_close(kernel);
	return err;
}

const char *nmibt_vmcore_complaint(const struct nmibt_vmcore *vmcore, unsigned int i)
{
	return vmcore->debuginfo ? nmibt_debuginfo_complaint(vmcore->debuginfo, i) : NULL;
}

void nmibt_vmcore_close(struct nmibt_vmcore *vmcore)
{
	if (!vmcore)
		return;
	nmibt_debuginfo_close(vmcore->debuginfo);
	nmibt_vmcoreinfo_destroy(&vmcore->vmcoreinfo);
	free(vmcore->found);
	nmibt_elf_close(vmcore->elf);
	nmibt_kdumpfile_close(vmcore->kdumpfile);
	for (unsigned int i = 0; i < vmcore->nr_files; i++)
		nmibt_dumpfile_close(vmcore->files[i]);
	free(vmcore->files);
	free(vmcore);
}
