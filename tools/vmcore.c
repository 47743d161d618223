// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is put on top of the back end for the dump's format is what a vmlinux has.
 */
#include <elf.h>

#include "image/dumpfile.h"
#include "image/foreign.h"
#include "image/kdump.h"
#include "report/report.h"
#include "vmcore.h"

struct nmibt_vmcore {
	struct nmibt_dumpfile **files;
	unsigned int nr_files;
	struct nmibt_elf *elf; /* this one or the next */
	struct nmibt_kdump *kdump;
	struct nmibt_image base; /* of the one that is open */
	char *found; /* VMCOREINFO in memory; NULL: the dump has a note, or there is none */
	struct nmibt_vmcoreinfo vmcoreinfo; /* of the dump's note, or of its memory */
	struct nmibt_debuginfo *debuginfo; /* NULL: none is wanted */
	const char *remark;
	bool is_cut; /* what is not in it may have been, in the rest */
};

/* --------------------------------------------------------------------- open */

static bool is_elf(const struct nmibt_file *file)
{
	char magic[SELFMAG];

	return nmibt_file_read(file, 0, magic, sizeof(magic)) && !memcmp(magic, ELFMAG, SELFMAG);
}

static struct nmibt_error *open_files(struct nmibt_vmcore *vmcore, unsigned int nr,
				      char *const *paths)
{
	vmcore->files = calloc(nr, sizeof(*vmcore->files));
	if (!vmcore->files)
		return nmibt_error_nomem();

	for (unsigned int i = 0; i < nr; i++) {
		struct nmibt_error *err = nmibt_dumpfile_open(paths[i], &vmcore->files[i]);
		if (err)
			return err;
		vmcore->nr_files++;
		if (vmcore->files[i]->flat && !nmibt_flattened_complete(vmcore->files[i]->flat)) {
			vmcore->remark = "the file ends before the end of the flattened dump";
			vmcore->is_cut = true;
		}
	}
	return NULL;
}

static struct nmibt_error *open_image(struct nmibt_vmcore *vmcore, unsigned int nr,
				      char *const *paths)
{
	struct nmibt_error *err = open_files(vmcore, nr, paths);
	if (err)
		return err;
	if (nr == 1 && is_elf(&vmcore->files[0]->file))
		return nmibt_elf_open_file(&vmcore->files[0]->file, &vmcore->elf);

	_cleanup_free_ const struct nmibt_file **files = calloc(nr, sizeof(*files));
	if (!files)
		return nmibt_error_nomem();
	for (unsigned int i = 0; i < nr; i++) {
		files[i] = &vmcore->files[i]->file;
		if (!nmibt_is_kdump(files[i]))
			return nmibt_refuse_foreign(files[i]);
	}
	return nmibt_kdump_open(nr, files, &vmcore->kdump);
}

static enum nmibt_read vmcore_read_phys(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	struct nmibt_vmcore *vmcore = ctx;
	enum nmibt_read status = vmcore->base.ops->read_phys(vmcore->base.ctx, paddr, buf, len);

	return status == NMIBT_READ_EXCLUDED && vmcore->is_cut ? NMIBT_READ_ERROR : status;
}

static char *vmcore_vmcoreinfo_text(void *ctx)
{
	struct nmibt_vmcore *vmcore = ctx;

	if (vmcore->found)
		return strdup(vmcore->found);
	return vmcore->base.ops->vmcoreinfo_text(vmcore->base.ctx);
}

/* Where the dump's header does not name the machine. VMCOREINFO has lines that only one
 * architecture writes. */
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
		nmibt_kdump_image(vmcore->kdump, &vmcore->base);
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

static char *vmcore_notes(void *ctx, size_t *ret_len)
{
	struct nmibt_vmcore *vmcore = ctx;

	return vmcore->base.ops->notes(vmcore->base.ctx, ret_len);
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
		.notes = vmcore_notes,
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
	const char *remark = vmcore->kdump ? nmibt_kdump_remark(vmcore->kdump) : NULL;

	return remark ? remark : vmcore->remark;
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
	nmibt_kdump_close(vmcore->kdump);
	for (unsigned int i = 0; i < vmcore->nr_files; i++)
		nmibt_dumpfile_close(vmcore->files[i]);
	free(vmcore->files);
	free(vmcore);
}
