// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ELF is read by the library's own reader: it takes cut files, which libkdumpfile
 * refuses, and tells a page that was left out from one that is not there.
 * libkdumpfile reads all else. What is put on top of either are the symbols that
 * the dump itself has.
 */
#include <elf.h>
#include <unistd.h>

#include "dumpfile.h"
#include "flattened.h"
#include "internal.h"
#include "kdumpfile.h"
#include "vmcore.h"

struct nmibt_vmcore {
	struct nmibt_dumpfile **files;
	unsigned int nr_files;
	struct nmibt_elf *elf; /* this one or the next */
	struct nmibt_kdumpfile *kdumpfile;
	struct nmibt_image base; /* of the one that is open */
	struct nmibt_kallsyms *kallsyms;
	bool kallsyms_tried;
	struct nmibt_debuginfo *debuginfo; /* NULL: none is wanted */
	const char *remark;
};

/* makedumpfile's diskdump_mod.h, 1.7.2: disk_dump_header.status. */
#define KDUMP_SIGNATURE "KDUMP   "
#define KDUMP_STATUS_AT 424
#define DUMP_DH_COMPRESSED_INCOMPLETE 0x8

static const char *remark_on(const struct nmibt_dumpfile *file)
{
	char head[KDUMP_STATUS_AT + sizeof(uint32_t)];
	uint32_t status;

	if (file->flat && !nmibt_flattened_complete(file->flat))
		return "the file ends before the end of the flattened dump";
	if (pread(file->fd, head, sizeof(head), 0) != sizeof(head) ||
	    memcmp(head, KDUMP_SIGNATURE, strlen(KDUMP_SIGNATURE)))
		return NULL;
	memcpy(&status, head + KDUMP_STATUS_AT, sizeof(status));
	if (status & DUMP_DH_COMPRESSED_INCOMPLETE)
		return "makedumpfile left this dump incomplete: it had no room for the rest";
	return NULL;
}

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
	for (unsigned int i = 0; i < nr; i++) {
		struct nmibt_error *err = nmibt_dumpfile_open(paths[i], &vmcore->files[i]);

		if (err)
			return err;
		vmcore->nr_files++;
		if (!vmcore->remark)
			vmcore->remark = remark_on(vmcore->files[i]);
	}
	return NULL;
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
	*ret = vmcore;
	return NULL;
}

static enum nmibt_read vmcore_read_phys(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	struct nmibt_vmcore *vmcore = ctx;

	return vmcore->base.ops->read_phys(vmcore->base.ctx, paddr, buf, len);
}

static char *vmcore_vmcoreinfo(void *ctx, const char *key)
{
	struct nmibt_vmcore *vmcore = ctx;

	return vmcore->base.ops->vmcoreinfo(vmcore->base.ctx, key);
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

	if (!vmcore->kallsyms_tried)
		nmibt_error_destroy(nmibt_kallsyms_open(&vmcore->base, &vmcore->kallsyms));
	vmcore->kallsyms_tried = true;
	if (vmcore->kallsyms)
		return nmibt_kallsyms_symbolize(vmcore->kallsyms, addr, buf, len);
	return vmcore->debuginfo && nmibt_debuginfo_symbolize(vmcore->debuginfo, addr, buf, len);
}

static bool vmcore_find_places(void *ctx, const struct nmibt_location *at, nmibt_place_fn visit,
			       void *arg)
{
	struct nmibt_vmcore *vmcore = ctx;

	return vmcore->debuginfo && nmibt_debuginfo_find_places(vmcore->debuginfo, at, visit, arg);
}

void nmibt_vmcore_image(struct nmibt_vmcore *vmcore, struct nmibt_image *ret)
{
	static const struct nmibt_image_ops ops = {
		.read_phys = vmcore_read_phys,
		.vmcoreinfo = vmcore_vmcoreinfo,
		.next_range = vmcore_next_range,
		.symbolize = vmcore_symbolize,
		.find_places = vmcore_find_places,
	};

	*ret = vmcore->base;
	ret->ops = &ops;
	ret->ctx = vmcore;
}

const char *nmibt_vmcore_remark(const struct nmibt_vmcore *vmcore)
{
	return vmcore->remark;
}

struct nmibt_error *nmibt_vmcore_use_debuginfo(struct nmibt_vmcore *vmcore,
					       const struct nmibt_debuginfo_options *options)
{
	return nmibt_debuginfo_open(&vmcore->base, options, &vmcore->debuginfo);
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
	nmibt_kallsyms_close(vmcore->kallsyms);
	nmibt_elf_close(vmcore->elf);
	nmibt_kdumpfile_close(vmcore->kdumpfile);
	for (unsigned int i = 0; i < vmcore->nr_files; i++)
		nmibt_dumpfile_close(vmcore->files[i]);
	free(vmcore->files);
	free(vmcore);
}
