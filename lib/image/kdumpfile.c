// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The image is read by machine-physical addresses, which are the physical ones
 * except under Xen: this alone needs no translation, so libkdumpfile does not set
 * up any and needs neither VMCOREINFO nor page tables.
 */
#include <libkdumpfile/kdumpfile.h>

#include "image/image.h"
#include "image/kdumpfile.h"

struct nmibt_kdumpfile {
	kdump_ctx_t *ctx;
	uint64_t page_size;
	uint64_t max_pfn;
	kdump_bmp_t *pages; /* those in the file, ctx holds it; NULL: unknown */
};

static enum nmibt_read kdumpfile_read_phys(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	struct nmibt_kdumpfile *file = ctx;
	size_t got = len;
	kdump_status status = kdump_read(file->ctx, KDUMP_MACHPHYSADDR, paddr, buf, &got);

	if (status == KDUMP_OK && got == len)
		return NMIBT_READ_OK;
	/* Where the machine has no memory nothing was left out. */
	if (status == KDUMP_ERR_NODATA && paddr / file->page_size < file->max_pfn)
		return NMIBT_READ_EXCLUDED;
	return NMIBT_READ_ERROR;
}

/* Not by kdump_vmcoreinfo_raw(), which wants to know the type of the operating
 * system, and with it sets up all translations. */
static char *kdumpfile_vmcoreinfo_text(void *ctx)
{
	struct nmibt_kdumpfile *file = ctx;
	kdump_attr_t raw = {.type = KDUMP_NIL};

	if (kdump_get_attr(file->ctx, "linux.vmcoreinfo.raw", &raw) != KDUMP_OK ||
	    raw.type != KDUMP_BLOB)
		return NULL;
	const char *bytes = kdump_blob_pin(raw.val.blob);
	char *text = strndup(bytes, kdump_blob_size(raw.val.blob));
	kdump_blob_unpin(raw.val.blob);
	return text;
}

static bool kdumpfile_next_range(void *ctx, uint64_t from, struct nmibt_range *ret)
{
	struct nmibt_kdumpfile *file = ctx;
	kdump_addr_t first = from / file->page_size;

	if (!file->pages || kdump_bmp_find_set(file->pages, &first) != KDUMP_OK ||
	    first >= file->max_pfn)
		return false;
	kdump_addr_t end = first;
	if (kdump_bmp_find_clear(file->pages, &end) != KDUMP_OK || end > file->max_pfn)
		end = file->max_pfn;
	uint64_t start = first * file->page_size;
	if (start < from)
		start = from;
	*ret = (struct nmibt_range){.start = start, .size = end * file->page_size - start};
	return true;
}

static bool number_attr(const struct nmibt_kdumpfile *file, const char *key, uint64_t *ret)
{
	kdump_num_t value;

	if (kdump_get_number_attr(file->ctx, key, &value) != KDUMP_OK)
		return false;
	*ret = value;
	return true;
}

/* kdump_free() of 0.5.1 uses memory that it has freed, and after a failed read of the
 * bitmaps follows a pointer that it never set. */
static kdump_ctx_t *volatile never_freed;

static struct nmibt_error *open_context(struct nmibt_kdumpfile *file, const char *path,
					unsigned int nr, const int *fds)
{
	/* A cut file that is mapped is a SIGBUS; and see dumpfile.c. */
	kdump_set_number_attr(file->ctx, KDUMP_ATTR_FILE_MMAP_POLICY, KDUMP_MMAP_NEVER);
	if (kdump_open_fdset(file->ctx, nr, fds) != KDUMP_OK)
		return nmibt_error_create(NMIBT_ERR_UNUSABLE, "%s: not a dump that can be read: %s",
					  path, kdump_get_err(file->ctx));
	if (!number_attr(file, KDUMP_ATTR_PAGE_SIZE, &file->page_size) || !file->page_size ||
	    file->page_size & (file->page_size - 1))
		return nmibt_error_create(NMIBT_ERR_UNUSABLE,
					  "%s: the size of its pages is unknown", path);
	if (!number_attr(file, "max_pfn", &file->max_pfn))
		file->max_pfn = UINT64_MAX / file->page_size;
	/* kdump_get_typed_attr() has other parameters from 0.5.6 on. */
	kdump_attr_t pages;
	if (kdump_get_attr(file->ctx, KDUMP_ATTR_FILE_PAGEMAP, &pages) == KDUMP_OK &&
	    pages.type == KDUMP_BITMAP)
		file->pages = pages.val.bitmap;
	return NULL;
}

struct nmibt_error *nmibt_kdumpfile_open(const char *path, unsigned int nr, const int *fds,
					 struct nmibt_kdumpfile **ret)
{
	struct nmibt_kdumpfile *file = calloc(1, sizeof(*file));
	if (!file)
		return nmibt_error_nomem();

	file->ctx = kdump_new();
	struct nmibt_error *err =
		file->ctx ? open_context(file, path, nr, fds) : nmibt_error_nomem();
	if (err) {
		nmibt_kdumpfile_close(file);
		return err;
	}
	*ret = file;
	return NULL;
}

static enum nmibt_arch arch_of(struct nmibt_kdumpfile *file)
{
	const char *name;

	if (kdump_get_string_attr(file->ctx, KDUMP_ATTR_ARCH_NAME, &name) != KDUMP_OK)
		return NMIBT_ARCH_UNKNOWN;
	if (!strcmp(name, "x86_64"))
		return NMIBT_ARCH_X86_64;
	if (!strcmp(name, "aarch64"))
		return NMIBT_ARCH_ARM64;
	return NMIBT_ARCH_UNKNOWN;
}

void nmibt_kdumpfile_image(struct nmibt_kdumpfile *file, struct nmibt_image *ret)
{
	static const struct nmibt_image_ops ops = {
		.read_phys = kdumpfile_read_phys,
		.vmcoreinfo_text = kdumpfile_vmcoreinfo_text,
		.next_range = kdumpfile_next_range,
	};

	*ret = (struct nmibt_image){
		.ops = &ops,
		.ctx = file,
		.arch = arch_of(file),
		.page_size = file->page_size,
	};
}

void nmibt_kdumpfile_close(struct nmibt_kdumpfile *file)
{
	if (!file)
		return;
	never_freed = file->ctx;
	free(file);
}
