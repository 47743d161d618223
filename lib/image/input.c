// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An input's image. Its callbacks call the dump's reader, the caller's callbacks, or those that
 * are attached. A callback that nobody implements is NULL.
 */
#include "image/cache.h"
#include "image/image.h"
#include "image/old-files.h"

const char *nmibt_location_function(const struct nmibt_location *code)
{
	return code->function;
}

const char *nmibt_location_module(const struct nmibt_location *code)
{
	return code->module;
}

uint64_t nmibt_location_offset(const struct nmibt_location *code)
{
	return code->offset;
}

uint64_t nmibt_location_size(const struct nmibt_location *code)
{
	return code->size;
}

/* ------------------------------------------------------- what the caller supplies */

static bool fetch_page(void *ctx, uint64_t pfn, void *buf)
{
	struct nmibt_input *input = ctx;
	size_t size = input->image.page_size;

	return input->caller.read_phys(input->caller_ctx, pfn * size, buf, size) == NMIBT_READ_OK;
}

/* The status is that of the bytes, so that where the page can't be read they are read alone. */
static enum nmibt_read caller_read_phys(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	struct nmibt_input *input = ctx;
	size_t size = input->image.page_size, in = paddr % size;
	const char *page = len > size - in
				   ? NULL
				   : nmibt_cache_get(input->pages, paddr / size, fetch_page, input);

	if (!page)
		return input->caller.read_phys(input->caller_ctx, paddr, buf, len);
	memcpy(buf, page + in, len);
	return NMIBT_READ_OK;
}

static enum nmibt_read caller_read_virt(void *ctx, uint64_t vaddr, void *buf, size_t len)
{
	struct nmibt_input *input = ctx;

	return input->caller.read_virt(input->caller_ctx, vaddr, buf, len);
}

static char *caller_vmcoreinfo_text(void *ctx)
{
	struct nmibt_input *input = ctx;

	return input->caller.vmcoreinfo_text(input->caller_ctx);
}

static char *caller_vmcoreinfo(void *ctx, const char *key)
{
	struct nmibt_input *input = ctx;

	return input->caller.vmcoreinfo(input->caller_ctx, key);
}

static bool caller_virt_to_phys(void *ctx, uint64_t vaddr, uint64_t *ret)
{
	struct nmibt_input *input = ctx;

	return input->caller.virt_to_phys(input->caller_ctx, vaddr, ret);
}

static bool caller_symbol_addr(void *ctx, const char *name, uint64_t *ret)
{
	struct nmibt_input *input = ctx;

	return input->caller.symbol_addr(input->caller_ctx, name, ret);
}

static bool caller_member_offset(void *ctx, const char *type, const char *member, size_t *ret)
{
	struct nmibt_input *input = ctx;

	return input->caller.member_offset(input->caller_ctx, type, member, ret);
}

static bool caller_type_size(void *ctx, const char *type, size_t *ret)
{
	struct nmibt_input *input = ctx;

	return input->caller.type_size(input->caller_ctx, type, ret);
}

static bool caller_symbolize(void *ctx, uint64_t addr, char *buf, size_t len)
{
	struct nmibt_input *input = ctx;

	return input->caller.symbolize(input->caller_ctx, addr, buf, len);
}

static bool caller_find_places(void *ctx, const struct nmibt_location *code, nmibt_place_fn visit,
			       void *arg)
{
	struct nmibt_input *input = ctx;

	return input->caller.find_places(input->caller_ctx, code, visit, arg);
}

static bool caller_next_range(void *ctx, uint64_t from, struct nmibt_range *ret)
{
	struct nmibt_input *input = ctx;

	return input->caller.next_range(input->caller_ctx, from, &ret->start, &ret->size);
}

static bool caller_interrupted(void *ctx)
{
	struct nmibt_input *input = ctx;

	return input->caller.interrupted(input->caller_ctx);
}

static char *caller_notes(void *ctx, size_t *ret_len)
{
	struct nmibt_input *input = ctx;

	return input->caller.notes(input->caller_ctx, ret_len);
}

/* Callbacks that the caller does not have are NULL. */
static struct nmibt_image_ops ops_of_caller(const struct nmibt_input_ops *caller)
{
	return (struct nmibt_image_ops){
		.read_phys = caller->read_phys ? caller_read_phys : NULL,
		.read_virt = caller->read_virt ? caller_read_virt : NULL,
		.vmcoreinfo_text = caller->vmcoreinfo_text ? caller_vmcoreinfo_text : NULL,
		.vmcoreinfo = caller->vmcoreinfo ? caller_vmcoreinfo : NULL,
		.virt_to_phys = caller->virt_to_phys ? caller_virt_to_phys : NULL,
		.symbol_addr = caller->symbol_addr ? caller_symbol_addr : NULL,
		.member_offset = caller->member_offset ? caller_member_offset : NULL,
		.type_size = caller->type_size ? caller_type_size : NULL,
		.symbolize = caller->symbolize ? caller_symbolize : NULL,
		.find_places = caller->find_places ? caller_find_places : NULL,
		.next_range = caller->next_range ? caller_next_range : NULL,
		.interrupted = caller->interrupted ? caller_interrupted : NULL,
		.notes = caller->notes ? caller_notes : NULL,
	};
}

/* -------------------------------------------------------------- what is attached */

static bool attached_symbol_addr(void *ctx, const char *name, uint64_t *ret)
{
	const struct nmibt_attachment *a = &((struct nmibt_input *)ctx)->attachment;

	return a->ops->symbol_addr(a->ctx, name, ret);
}

static bool attached_member_offset(void *ctx, const char *type, const char *member, size_t *ret)
{
	const struct nmibt_attachment *a = &((struct nmibt_input *)ctx)->attachment;

	return a->ops->member_offset(a->ctx, type, member, ret);
}

static bool attached_type_size(void *ctx, const char *type, size_t *ret)
{
	const struct nmibt_attachment *a = &((struct nmibt_input *)ctx)->attachment;

	return a->ops->type_size(a->ctx, type, ret);
}

static bool attached_symbolize(void *ctx, uint64_t addr, char *buf, size_t len)
{
	const struct nmibt_attachment *a = &((struct nmibt_input *)ctx)->attachment;

	return a->ops->symbolize(a->ctx, addr, buf, len);
}

static bool attached_find_places(void *ctx, const struct nmibt_location *code, nmibt_place_fn visit,
				 void *arg)
{
	const struct nmibt_attachment *a = &((struct nmibt_input *)ctx)->attachment;

	return a->ops->find_places(a->ctx, code, visit, arg);
}

static struct nmibt_error *attached_unwind(void *ctx, struct nmibt_kernel *kernel,
					   const struct nmibt_regs *regs, struct nmibt_stack *ret)
{
	const struct nmibt_attachment *a = &((struct nmibt_input *)ctx)->attachment;

	return a->ops->unwind(a->ctx, kernel, regs, ret);
}

struct nmibt_error *nmibt_input_attach(struct nmibt_input *input,
				       const struct nmibt_attachment *attachment)
{
	const struct nmibt_image_ops *has = attachment->ops;
	struct nmibt_image_ops *ops = &input->over.ops;

	if (input->attachment.ops)
		return nmibt_error_create(NMIBT_ERR_USAGE,
					  "the input has debugging information already");
	input->attachment = *attachment;
	if (!ops->symbol_addr && has->symbol_addr)
		ops->symbol_addr = attached_symbol_addr;
	if (!ops->member_offset && has->member_offset)
		ops->member_offset = attached_member_offset;
	if (!ops->type_size && has->type_size)
		ops->type_size = attached_type_size;
	if (!ops->symbolize && has->symbolize)
		ops->symbolize = attached_symbolize;
	if (!ops->find_places && has->find_places)
		ops->find_places = attached_find_places;
	if (has->unwind)
		ops->unwind = attached_unwind;
	return NULL;
}

void nmibt_input_forget_kernel(struct nmibt_input *input, const struct nmibt_kernel *kernel)
{
	if (input->attachment.ops)
		input->attachment.forget_kernel(input->attachment.ctx, kernel);
}

/* --------------------------------------------------------------- open and close */

static struct nmibt_error *read_options(const struct nmibt_input_options *from,
					struct nmibt_input_options *ret)
{
	if (!from)
		return NULL;
	struct nmibt_error *err =
		nmibt_copy_options("nmibt_input_options", ret, sizeof(*ret), from, from->size);
	if (!err && ret->page_size & (ret->page_size - 1))
		err = nmibt_error_create(NMIBT_ERR_USAGE, "no pages have %zu bytes",
					 ret->page_size);
	return err;
}

static void set_image(struct nmibt_input *input, const struct nmibt_input_options *options)
{
	input->image = (struct nmibt_image){
		.ops = &input->over.ops,
		.ctx = input,
		.arch = input->over.base.arch ?: options->arch,
		.page_size = input->over.base.page_size ?: options->page_size,
		.phys_base = input->over.base.phys_base,
		.lost = input->over.base.lost,
		.is_sparse = input->over.base.is_sparse,
		.stands_for_dump = input->over.base.stands_for_dump,
		.is_redacted = input->over.base.is_redacted,
		.nr_crashes = input->over.base.nr_crashes,
		.default_crash = input->over.base.default_crash,
	};
}

static struct nmibt_error *open_dump(struct nmibt_input *input, const char *const *paths,
				     unsigned int nr, const struct nmibt_input_options *options)
{
	if (!nr)
		return nmibt_error_create(NMIBT_ERR_USAGE, "no file is named");
	input->path = strdup(paths[0]);
	if (!input->path)
		return nmibt_error_nomem();
	return nmibt_dump_open(paths, nr, options->fds, options->may_crash, &input->dump);
}

struct nmibt_error *nmibt_input_open(const char *const *paths, unsigned int nr,
				     const struct nmibt_input_options *options,
				     struct nmibt_input **ret)
{
	static const struct nmibt_image_ops none;
	struct nmibt_input_options own = {0};
	struct nmibt_image base;
	struct nmibt_error *err = read_options(options, &own);
	if (err)
		return err;
	struct nmibt_input *input = calloc(1, sizeof(*input));
	if (!input)
		return nmibt_error_nomem();

	err = open_dump(input, paths, nr, &own);
	if (err) {
		nmibt_input_close(input);
		return err;
	}
	nmibt_dump_image(input->dump, &base);
	nmibt_over_open(&base, &none, &input->over);
	set_image(input, &own);
	*ret = input;
	return NULL;
}

struct nmibt_error *nmibt_input_new(const struct nmibt_input_ops *ops, void *ctx,
				    const struct nmibt_input_options *options,
				    struct nmibt_input **ret)
{
	struct nmibt_input_options own = {0};
	struct nmibt_input_ops caller = {0};
	struct nmibt_error *err = read_options(options, &own);

	if (!err)
		err = nmibt_copy_options("nmibt_input_ops", &caller, sizeof(caller), ops,
					 ops->size);
	if (!err && (!own.arch || !own.page_size))
		err = nmibt_error_create(NMIBT_ERR_USAGE,
					 "the architecture or the size of a page is not given");
	if (err)
		return err;
	struct nmibt_input *input = calloc(1, sizeof(*input));
	if (!input)
		return nmibt_error_nomem();
	input->caller = caller;
	input->caller_ctx = ctx;
	input->over.ops = ops_of_caller(&caller);
	set_image(input, &own);
	err = nmibt_cache_of_pages(own.page_size, &input->pages);
	if (err) {
		nmibt_input_close(input);
		return err;
	}
	*ret = input;
	return NULL;
}

void nmibt_input_close(struct nmibt_input *input)
{
	if (!input)
		return;
	if (input->attachment.ops)
		input->attachment.close(input->attachment.ctx);
	nmibt_dump_close(input->dump);
	nmibt_cache_free(input->pages);
	free(input->path);
	free(input);
}

/* --------------------------------------------------------------- what it is asked */

struct nmibt_error *nmibt_input_image(struct nmibt_input *input, const struct nmibt_image **ret)
{
	const struct nmibt_vmcoreinfo *vmcoreinfo;
	struct nmibt_error *err =
		input->dump ? nmibt_dump_read_vmcoreinfo(input->dump, &vmcoreinfo) : NULL;

	if (err)
		return err;
	if (input->dump)
		nmibt_dump_image(input->dump, &input->over.base);
	if (input->over.base.arch)
		input->image.arch = input->over.base.arch;
	*ret = &input->image;
	return NULL;
}

unsigned int nmibt_input_nr_crashes(const struct nmibt_input *input)
{
	return input->image.nr_crashes ?: 1;
}

unsigned int nmibt_input_default_crash(const struct nmibt_input *input)
{
	return input->image.default_crash;
}

const char *nmibt_input_crash_name(struct nmibt_input *input, unsigned int crash)
{
	if (!input->dump || crash >= nmibt_input_nr_crashes(input))
		return NULL;
	return nmibt_dump_crash_name(input->dump, crash);
}

enum nmibt_read nmibt_input_read(struct nmibt_input *input, uint64_t paddr, void *buf, size_t len)
{
	return nmibt_read_phys(&input->image, paddr, buf, len);
}

char *nmibt_input_notes(struct nmibt_input *input, size_t *ret_len)
{
	return input->over.ops.notes ? input->over.ops.notes(input, ret_len) : NULL;
}

const char *nmibt_input_summary(const struct nmibt_input *input)
{
	return input->dump ? nmibt_dump_summary(input->dump) : NULL;
}

static const struct nmibt_old_files *files_of(const struct nmibt_input *input)
{
	return input->dump ? nmibt_dump_files(input->dump) : NULL;
}

const char *nmibt_input_file(const struct nmibt_input *input, unsigned int i)
{
	const struct nmibt_old_files *files = files_of(input);

	return files && i < files->nr ? files->files[i].name : NULL;
}

struct nmibt_error *nmibt_input_write_file(const struct nmibt_input *input, unsigned int i,
					   nmibt_write_fn write, void *ctx)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	if (!nmibt_input_file(input, i))
		return nmibt_error_create(NMIBT_ERR_USAGE, "no file %u", i);
	FILE *out = open_memstream(&text, &len);
	if (!out)
		return nmibt_error_nomem();
	nmibt_old_file_print(files_of(input), i, out);
	if (fclose(out))
		return nmibt_error_nomem();
	return write(ctx, text, len)
		       ? NULL
		       : nmibt_error_create(NMIBT_ERR_UNUSABLE, "the output can't be written");
}

const char *nmibt_input_remark(const struct nmibt_input *input)
{
	return input->dump ? nmibt_dump_remark(input->dump) : NULL;
}
