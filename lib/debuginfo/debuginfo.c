// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The right vmlinux is recognised by its build-id. The build-id of a loaded module is only known
 * with the layout of struct module, so a module's file is checked by its vermagic and by the
 * sizes of its functions. A function that does not fit gets no file and line.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <search.h>
#include <stdio.h>

#include <nmibt/debuginfo.h>

#include "debuginfo/cfi.h"
#include "debuginfo/debugfile.h"
#include "debuginfo/find-debuginfo.h"
#include "image/image.h"
#include "unwind/unwind.h"

/* No trace has frames in more modules. Each module costs a walk through a tree of thousands of
 * files. */
#define MAX_MODULES 64

/* file NULL: no file was found for the module. */
struct module {
	char *name;
	struct nmibt_debugfile *file;
};

/* The places of a location. They are kept, because most CPUs of a big machine are in the same
 * functions. */
struct answer {
	char *key; /* must be first: tsearch() compares it */
	unsigned int nr;
	struct {
		char *function;
		char *where;
	} * places;
};

struct nmibt_debuginfo {
	enum nmibt_arch arch; /* of the dump */
	uint64_t kernel_offset; /* bytes by which KASLR moved the image */
	struct nmibt_debuginfo_options options;
	char *dump; /* path of the dump */
	struct nmibt_search search;
	char *release, *build_id; /* of the dump; NULL: unknown */
	bool is_unverified; /* build_id is only VMCOREINFO's, which may be garbage */
	bool searched; /* vmlinux was searched for */
	struct nmibt_debugfile *vmlinux;
	struct nmibt_cfi *cfi; /* NULL: not needed yet, or it can't be opened */
	bool tried_cfi;
	struct nmibt_kernel *kernel; /* the kernel of the next two; NULL: not needed yet */
	struct nmibt_unwinder *unwinder; /* NULL: no_unwinder says why */
	struct nmibt_error *no_unwinder;
	struct module modules[MAX_MODULES];
	unsigned int nr_modules;
	bool too_many_modules;
	void *answers;
	char *complaints[MAX_MODULES + 4]; /* three about the vmlinux, one: too many modules */
	unsigned int nr_complaints;
};

/* ---------------------------------------------------------------- the files */

static void complain(struct nmibt_debuginfo *info, struct nmibt_error *err)
{
	char *text = strdup(err->message);

	if (text)
		info->complaints[info->nr_complaints++] = text;
	nmibt_error_destroy(err);
}

struct candidate {
	struct nmibt_debuginfo *info;
	bool (*is_of_dump)(const struct nmibt_debuginfo *info, const struct nmibt_debugfile *file);
	struct nmibt_debugfile **ret;
};

static bool take(void *arg, int fd, const char *path)
{
	const struct candidate *candidate = arg;
	struct nmibt_debugfile *file;

	struct nmibt_error *err = nmibt_debugfile_open(fd, path, &candidate->info->search, &file);
	if (err) {
		nmibt_error_destroy(err);
		return false;
	}
	if (!candidate->is_of_dump(candidate->info, file) || !nmibt_debugfile_has_lines(file)) {
		nmibt_debugfile_close(file);
		return false;
	}
	*candidate->ret = file;
	return true;
}

static bool is_its_vmlinux(const struct nmibt_debuginfo *info, const struct nmibt_debugfile *file)
{
	const char *id = nmibt_debugfile_build_id(file);

	return id && !strcmp(id, info->build_id);
}

/* A file with split-off debugging information, made by eu-strip, has no .modinfo. */
static bool is_its_module(const struct nmibt_debuginfo *info, const struct nmibt_debugfile *file)
{
	_cleanup_free_ char *release = nmibt_debugfile_release(file);

	return nmibt_debugfile_arch(file) == info->arch &&
	       (!release || !info->release || !strcmp(release, info->release));
}

/* Complains where it is not found. */
static void search_for(struct nmibt_debuginfo *info, const char *module,
		       const struct candidate *candidate)
{
	const struct nmibt_debuginfo_wanted wanted = {
		.size = sizeof(wanted),
		.build_id = info->build_id,
		.release = info->release,
		.module = module,
	};
	struct nmibt_error *err =
		info->search.search(info->search.ctx, &wanted, take, (void *)candidate);

	if (err)
		complain(info, err);
}

static struct nmibt_debugfile *vmlinux_of(struct nmibt_debuginfo *info)
{
	if (info->searched || info->vmlinux)
		return info->vmlinux;
	info->searched = true;
	const struct candidate candidate = {info, is_its_vmlinux, &info->vmlinux};
	search_for(info, NULL, &candidate);
	return info->vmlinux;
}

static struct nmibt_debugfile *module_of(struct nmibt_debuginfo *info, const char *name)
{
	for (unsigned int i = 0; i < info->nr_modules; i++) {
		if (!strcmp(info->modules[i].name, name))
			return info->modules[i].file;
	}
	if (info->nr_modules == MAX_MODULES) {
		if (!info->too_many_modules)
			complain(info, nmibt_error_create(NMIBT_ERR_NOTHING,
							  "more than %d modules: those beyond are "
							  "not looked for",
							  MAX_MODULES));
		info->too_many_modules = true;
		return NULL;
	}
	struct module *module = &info->modules[info->nr_modules];
	module->name = strdup(name);
	if (!module->name)
		return NULL;
	info->nr_modules++;
	const struct candidate candidate = {info, is_its_module, &module->file};
	search_for(info, name, &candidate);
	return module->file;
}

/* ------------------------------------------------------------------- answers */

static int compare_answers(const void *a, const void *b)
{
	return strcmp(((const struct answer *)a)->key, ((const struct answer *)b)->key);
}

static void free_answer(void *arg)
{
	struct answer *answer = arg;

	for (unsigned int i = 0; i < answer->nr; i++) {
		free(answer->places[i].function);
		free(answer->places[i].where);
	}
	free(answer->places);
	free(answer->key);
	free(answer);
}

static void keep_place(void *arg, const char *function, const char *where)
{
	struct answer *answer = arg;
	void *places = realloc(answer->places, (answer->nr + 1) * sizeof(*answer->places));

	if (!places)
		return;
	answer->places = places;
	answer->places[answer->nr].function = function ? strdup(function) : NULL;
	answer->places[answer->nr].where = strdup(where);
	answer->nr++;
}

static const struct answer *answer_to(struct nmibt_debuginfo *info, const struct nmibt_location *at)
{
	struct answer *answer = calloc(1, sizeof(*answer));

	if (!answer || asprintf(&answer->key, "%s %s %" PRIx64 " %" PRIx64, at->module ?: "",
				at->function, at->offset, at->size) < 0) {
		free(answer);
		return NULL;
	}
	struct answer **known = tsearch(answer, &info->answers, compare_answers);
	if (!known || *known != answer) {
		free_answer(answer);
		return known ? *known : NULL;
	}
	struct nmibt_debugfile *file = at->module ? module_of(info, at->module) : vmlinux_of(info);
	if (file)
		nmibt_debugfile_find_places(file, at, keep_place, answer);
	return answer;
}

static bool find_places(void *ctx, const struct nmibt_location *at, nmibt_place_fn visit, void *arg)
{
	struct nmibt_debuginfo *info = ctx;
	const struct answer *answer = answer_to(info, at);

	for (unsigned int i = 0; answer && i < answer->nr; i++)
		visit(arg, answer->places[i].function, answer->places[i].where ?: "?");
	return answer && answer->nr;
}

static bool symbolize(void *ctx, uint64_t addr, char *buf, size_t len)
{
	struct nmibt_debuginfo *info = ctx;
	return vmlinux_of(info) &&
	       nmibt_debugfile_symbolize(info->vmlinux, addr - info->kernel_offset, buf, len);
}

/* KASLR moves only the image, which is in the upper half of addresses. Per-CPU variables of x86_64
 * are linked at 0 up to 6.14 (arch/x86/kernel/vmlinux.lds.S) and do not move. */
static bool symbol_addr(void *ctx, const char *name, uint64_t *ret)
{
	struct nmibt_debuginfo *info = ctx;
	uint64_t value;

	if (!vmlinux_of(info) || !nmibt_debugfile_symbol_addr(info->vmlinux, name, &value))
		return false;
	*ret = value >> 63 ? value + info->kernel_offset : value;
	return true;
}

static bool type_size(void *ctx, const char *type, size_t *ret)
{
	struct nmibt_debuginfo *info = ctx;
	return vmlinux_of(info) && nmibt_debugfile_type_size(info->vmlinux, type, ret);
}

static bool member_offset(void *ctx, const char *type, const char *member, size_t *ret)
{
	struct nmibt_debuginfo *info = ctx;
	return vmlinux_of(info) && nmibt_debugfile_member_offset(info->vmlinux, type, member, ret);
}

/* -------------------------------------------------------------------- stacks */

static struct nmibt_cfi *cfi_of(struct nmibt_debuginfo *info)
{
	if (info->tried_cfi || !vmlinux_of(info))
		return info->cfi;
	info->tried_cfi = true;
	struct nmibt_error *err =
		nmibt_debugfile_cfi(info->vmlinux, info->kernel_offset, &info->cfi);
	if (err)
		complain(info, err);
	return info->cfi;
}

static void close_unwinder(struct nmibt_debuginfo *info)
{
	nmibt_unwinder_close(info->unwinder);
	nmibt_error_destroy(info->no_unwinder);
	info->unwinder = NULL;
	info->no_unwinder = NULL;
	info->kernel = NULL;
}

static struct nmibt_unwinder *unwinder_of(struct nmibt_debuginfo *info, struct nmibt_kernel *kernel)
{
	if (info->kernel == kernel)
		return info->unwinder;
	close_unwinder(info);
	info->no_unwinder = nmibt_unwinder_open(kernel, &info->unwinder);
	info->kernel = kernel;
	return info->unwinder;
}

/* The unwinder must not outlive its kernel: another kernel may get the same address. */
static void forget_kernel(void *ctx, const struct nmibt_kernel *kernel)
{
	struct nmibt_debuginfo *info = ctx;

	if (info->kernel == kernel)
		close_unwinder(info);
}

/* On x86_64 the kernel's own ORC tables come first: they cover assembler, interrupts and changes of
 * stacks. Call frame information is used for functions that they lack. On arm64 call frame
 * information comes first: only it knows the caller of a function that saves no frame record. */
static struct nmibt_error *unwind(void *ctx, struct nmibt_kernel *kernel,
				  const struct nmibt_regs *regs, struct nmibt_stack *ret)
{
	struct nmibt_debuginfo *info = ctx;
	struct nmibt_unwinder *unwinder = unwinder_of(info, kernel);
	struct nmibt_cfi *cfi = cfi_of(info);
	bool has_tables = unwinder && info->arch == NMIBT_ARCH_X86_64;

	if (has_tables && cfi)
		nmibt_unwinder_use(unwinder, nmibt_cfi_caller, cfi);
	if (!has_tables && cfi)
		return nmibt_cfi_unwind(cfi, kernel, regs, ret);
	if (unwinder)
		return nmibt_unwind(unwinder, regs, ret);
	return nmibt_error_create(info->no_unwinder->code, "%s", info->no_unwinder->message);
}

/* --------------------------------------------------------------------- open */

/* linux_banner has the release, who compiled the kernel and where, and the number and the time of
 * the build: init/version-timestamp.c, 6.12. */
#define MAX_BANNER 512
#define MIN_BANNER 20

static bool has_same_banner(const struct nmibt_debuginfo *info, struct nmibt_kernel *kernel)
{
	char of_file[MAX_BANNER], of_dump[MAX_BANNER];
	uint64_t addr;
	size_t len = 0;

	if (!nmibt_debugfile_symbol_addr(info->vmlinux, "linux_banner", &addr))
		return false;
	while (len < MAX_BANNER &&
	       nmibt_debugfile_read(info->vmlinux, addr + len, of_file + len, 1) && of_file[len])
		len++;
	return len >= MIN_BANNER && len < MAX_BANNER &&
	       nmibt_kernel_read(kernel, addr + info->kernel_offset, of_dump, len + 1) ==
		       NMIBT_READ_OK &&
	       !memcmp(of_file, of_dump, len + 1);
}

/* VMCOREINFO of some kernels has garbage for a build-id, so the banner is compared, too. */
static struct nmibt_error *check_vmlinux(struct nmibt_debuginfo *info, struct nmibt_kernel *kernel,
					 const struct nmibt_debuginfo_options *options)
{
	const char *path = options->vmlinux, *id = nmibt_debugfile_build_id(info->vmlinux);

	if (info->build_id && id && !strcmp(id, info->build_id))
		return NULL;
	if (has_same_banner(info, kernel))
		return NULL;
	if (!info->build_id)
		complain(info, nmibt_error_create(NMIBT_ERR_NOTHING,
						  "whether %s is of the dump's kernel can't be "
						  "checked: the dump has no build-id",
						  path));
	else if (options->force)
		complain(info, nmibt_error_create(NMIBT_ERR_NOTHING,
						  "%s is of another build, and used all the same: "
						  "what it says may be wrong",
						  path));
	else
		return nmibt_error_create(
			NMIBT_ERR_UNUSABLE,
			"%s is of another build: its build-id is %s, that of the "
			"dump's kernel is %s%s, and their banners differ or can't "
			"be read; --force takes it all the same",
			path, id ?: "missing", info->build_id,
			info->is_unverified ? " (unverified)" : "");
	return NULL;
}

/* A copy of name. NULL: name has characters that no release or build-id has. */
static char *plain(const char *name)
{
	return name && nmibt_is_plain_name(name) ? strdup(name) : NULL;
}

static struct nmibt_error *open_vmlinux(struct nmibt_debuginfo *info, struct nmibt_kernel *kernel,
					const struct nmibt_debuginfo_options *options)
{
	int fd = options->vmlinux_fd ? fcntl(*options->vmlinux_fd, F_DUPFD_CLOEXEC, 0)
				     : open(options->vmlinux, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return nmibt_error_create(NMIBT_ERR_UNUSABLE, "%s: %m", options->vmlinux);
	struct nmibt_error *err =
		nmibt_debugfile_open(fd, options->vmlinux, &info->search, &info->vmlinux);
	if (err)
		return err;
	err = check_vmlinux(info, kernel, options);
	if (!err && !nmibt_debugfile_has_lines(info->vmlinux))
		complain(info,
			 nmibt_error_create(NMIBT_ERR_NOTHING, "%s has no debugging information",
					    options->vmlinux));
	return err;
}

static void close_debuginfo(void *ctx)
{
	struct nmibt_debuginfo *info = ctx;

	for (unsigned int i = 0; i < info->nr_modules; i++) {
		nmibt_debugfile_close(info->modules[i].file);
		free(info->modules[i].name);
	}
	close_unwinder(info);
	nmibt_cfi_close(info->cfi);
	nmibt_debugfile_close(info->vmlinux);
	tdestroy(info->answers, free_answer);
	free(info->dump);
	free(info->release);
	free(info->build_id);
	for (unsigned int i = 0; i < info->nr_complaints; i++)
		free(info->complaints[i]);
	free(info);
}

static struct nmibt_error *search_here(void *ctx, const struct nmibt_debuginfo_wanted *wanted,
				       nmibt_debuginfo_file_fn visit, void *arg)
{
	const struct nmibt_debuginfo *info = ctx;

	return nmibt_debuginfo_search(&info->options, info->dump, wanted, visit, arg);
}

static struct nmibt_error *open_debuginfo(struct nmibt_kernel *kernel, const char *dump,
					  const struct nmibt_debuginfo_options *options,
					  struct nmibt_debuginfo **ret)
{
	struct nmibt_debuginfo *info = calloc(1, sizeof(*info));
	struct nmibt_build_id build_id;

	if (!info || !(info->dump = strdup(dump))) {
		free(info);
		return nmibt_error_nomem();
	}
	/* libdwfl would ask the servers by itself. */
	if (!options->debuginfod)
		unsetenv("DEBUGINFOD_URLS");
	nmibt_kernel_build_id(kernel, &build_id);
	info->arch = kernel->image->arch;
	info->kernel_offset = kernel->vmcoreinfo.kerneloffset.value;
	info->options = *options;
	info->search = options->search ? (struct nmibt_search){options->search, options->ctx}
				       : (struct nmibt_search){search_here, info};
	info->release = plain(kernel->vmcoreinfo.osrelease);
	info->build_id = plain(build_id.text);
	info->is_unverified = build_id.state == NMIBT_BUILD_ID_UNVERIFIED;
	struct nmibt_error *err = options->vmlinux ? open_vmlinux(info, kernel, options) : NULL;
	if (err) {
		close_debuginfo(info);
		return err;
	}
	*ret = info;
	return NULL;
}

/* The vmlinux is checked with the image's own data only. */
static struct nmibt_error *open_for_input(struct nmibt_input *input,
					  const struct nmibt_debuginfo_options *options,
					  struct nmibt_debuginfo **ret)
{
	const struct nmibt_image *image;
	struct nmibt_kernel *kernel;

	struct nmibt_error *err = nmibt_input_image(input, &image);
	if (!err)
		err = nmibt_kernel_open(image, &kernel);
	if (err)
		return err;
	/* An image that the caller reads has no folder. */
	err = open_debuginfo(kernel, input->path ?: "/nonexistent/dump", options, ret);
	nmibt_kernel_close(kernel);
	return err;
}

struct nmibt_error *nmibt_debuginfo_attach(struct nmibt_input *input,
					   const struct nmibt_debuginfo_options *options,
					   struct nmibt_debuginfo **ret)
{
	static const struct nmibt_image_ops ops = {
		.symbol_addr = symbol_addr,
		.member_offset = member_offset,
		.type_size = type_size,
		.symbolize = symbolize,
		.find_places = find_places,
		.unwind = unwind,
	};
	struct nmibt_attachment attachment = {
		.ops = &ops,
		.forget_kernel = forget_kernel,
		.close = close_debuginfo,
	};
	struct nmibt_debuginfo_options own = {0};
	struct nmibt_debuginfo *info;
	struct nmibt_error *err = options ? nmibt_copy_options("nmibt_debuginfo_options", &own,
							       sizeof(own), options, options->size)
					  : NULL;

	if (!err)
		err = open_for_input(input, &own, &info);
	if (err)
		return err;
	attachment.ctx = info;
	err = nmibt_input_attach(input, &attachment);
	if (err) {
		close_debuginfo(info);
		return err;
	}
	*ret = info;
	return NULL;
}

bool nmibt_debuginfo_is_needed(struct nmibt_input *input)
{
	const struct nmibt_vmcoreinfo *v;
	struct nmibt_error *err = input->dump ? nmibt_dump_read_vmcoreinfo(input->dump, &v) : NULL;
	/* A record has the names that it needs. */
	bool is_needed = !err && input->dump && v->osrelease && !v->kallsyms.names.known &&
			 !input->image.is_sparse;

	nmibt_error_destroy(err);
	return is_needed;
}

const char *nmibt_debuginfo_complaint(const struct nmibt_debuginfo *info, unsigned int i)
{
	return i < info->nr_complaints ? info->complaints[i] : NULL;
}
