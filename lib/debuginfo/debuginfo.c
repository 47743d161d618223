// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The right vmlinux is recognised by its build-id. The build-id of a loaded module is only known
 * with the layout of struct module, so a module's file is checked by its vermagic and by the
 * sizes of its functions. A function that does not fit gets no file and line.
 *
 * A text has no memory, and where the kernel was in it does not matter: functions are found by their
 * names. What it tells of the build is in printed-build.h.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <search.h>
#include <stdio.h>

#include <nmibt/debuginfo.h>

#include "debuginfo/cfi.h"
#include "debuginfo/debugfile.h"
#include "debuginfo/find-debuginfo.h"
#include "debuginfo/printed-build.h"
#include "image/image.h"
#include "unwind/unwind.h"

/* No trace has frames in more modules. Each module costs a walk through a tree of thousands of
 * files. */
#define MAX_MODULES 64
/* Functions of which it is said why they have no line. */
#define MAX_REFUSED 8

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
	struct nmibt_printed_build *printed; /* of a text; NULL: it is a dump */
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
	unsigned int nr_refused;
	/* Four about the vmlinux, one: too many modules; one: too many functions. */
	char *complaints[MAX_MODULES + MAX_REFUSED + 6];
	unsigned int nr_complaints;
};

/* ---------------------------------------------------------------- the files */

/* NULL: there is no memory. */
static char *escaped(const char *text)
{
	char *ret = NULL;
	size_t len;
	FILE *out = open_memstream(&ret, &len);

	if (!out)
		return NULL;
	nmibt_escape(out, text, strlen(text), false);
	fclose(out);
	return ret;
}

static void complain(struct nmibt_debuginfo *info, struct nmibt_error *err)
{
	char *text = strdup(err->message);

	if (text)
		info->complaints[info->nr_complaints++] = text;
	nmibt_error_destroy(err);
}

struct candidate {
	struct nmibt_debuginfo *info;
	bool (*is_of_dump)(const struct candidate *candidate, struct nmibt_debugfile *file);
	struct nmibt_debugfile **ret;
	const char *build_id; /* of a module; NULL: not known */
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
	if (!candidate->is_of_dump(candidate, file) || !nmibt_debugfile_has_lines(file)) {
		nmibt_debugfile_close(file);
		return false;
	}
	*candidate->ret = file;
	return true;
}

static bool is_its_vmlinux(const struct candidate *candidate, struct nmibt_debugfile *file)
{
	const struct nmibt_debuginfo *info = candidate->info;
	const char *id = nmibt_debugfile_build_id(file), *why;

	if (info->printed)
		return nmibt_match_build(info->printed, file, &why) == NMIBT_BUILD_SAME;
	return id && info->build_id && !strcmp(id, info->build_id);
}

/* A file with split-off debugging information, made by eu-strip, has no .modinfo. */
static bool is_its_module(const struct candidate *candidate, struct nmibt_debugfile *file)
{
	const struct nmibt_debuginfo *info = candidate->info;
	const char *id = nmibt_debugfile_build_id(file);
	_cleanup_free_ char *release = nmibt_debugfile_release(file);

	if (info->arch && nmibt_debugfile_arch(file) != info->arch)
		return false;
	if (candidate->build_id)
		return id && !strcmp(id, candidate->build_id);
	return !release || !info->release || !strcmp(release, info->release);
}

/* Complains where it is not found. */
static void search_for(struct nmibt_debuginfo *info, const char *module,
		       const struct candidate *candidate)
{
	/* By the release alone nobody can tell whether a vmlinux is the one of a dump. */
	bool has_release = module || info->build_id || info->printed;
	const struct nmibt_debuginfo_wanted wanted = {
		.size = sizeof(wanted),
		.build_id = info->build_id,
		.release = has_release ? info->release : NULL,
		.module = module,
		.module_build_id = candidate->build_id,
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
	const struct candidate candidate = {info, is_its_vmlinux, &info->vmlinux, NULL};
	if (info->printed && !info->build_id && !*info->printed->banner)
		complain(info, nmibt_error_create(NMIBT_ERR_NOTHING,
						  "the text has neither the banner of its kernel "
						  "nor a build-id: name its vmlinux by --vmlinux"));
	else
		search_for(info, NULL, &candidate);
	return info->vmlinux;
}

/* Of a text: without a build-id or a release any build would do. */
static void search_module(struct nmibt_debuginfo *info, struct module *module)
{
	struct candidate candidate = {info, is_its_module, &module->file, NULL};
	bool is_known = false;

	if (info->printed)
		candidate.build_id = nmibt_printed_module(info->printed, module->name, &is_known);
	if (is_known && !candidate.build_id)
		complain(info, nmibt_error_create(NMIBT_ERR_NOTHING,
						  "the text names several builds of module %s, so "
						  "its file is not looked for",
						  module->name));
	else if (info->printed && !candidate.build_id && !info->release)
		complain(info, nmibt_error_create(NMIBT_ERR_NOTHING,
						  "the text does not say which build module %s is "
						  "of, so its file is not looked for",
						  module->name));
	else
		search_for(info, module->name, &candidate);
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
	search_module(info, module);
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

static void complain_of_function(struct nmibt_debuginfo *info, const struct nmibt_location *at,
				 enum nmibt_places found)
{
	if (info->nr_refused++ == MAX_REFUSED)
		complain(info, nmibt_error_create(NMIBT_ERR_NOTHING,
						  "more functions have no line for such reasons"));
	if (info->nr_refused > MAX_REFUSED)
		return;
	const char *why = found == NMIBT_PLACES_AMBIGUOUS
				  ? "is the name of several functions, and the size does not "
				    "decide: no line"
				  : "has another size in the file with its debugging information: "
				    "no line";
	_cleanup_free_ char *name = escaped(at->function);
	complain(info, nmibt_error_create(NMIBT_ERR_NOTHING, "%s+0x%" PRIx64 "/0x%" PRIx64 " %s",
					  name ?: "?", at->offset, at->size, why));
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
	/* A call that never returns may be the last of its function: then its return address is at the
	 * start of the next one, as arm64 prints it. A text does not tell whether 0 is that. */
	if (!file || (info->printed && !at->offset))
		return answer;
	enum nmibt_places found =
		nmibt_debugfile_find_places(file, at, info->printed, keep_place, answer);
	if (info->printed && (found == NMIBT_PLACES_AMBIGUOUS || found == NMIBT_PLACES_OTHER_SIZE))
		complain_of_function(info, at, found);
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

static bool has_same_banner(const struct nmibt_debuginfo *info, struct nmibt_kernel *kernel)
{
	char of_file[NMIBT_MAX_BANNER], of_dump[NMIBT_MAX_BANNER];
	uint64_t addr;

	if (!nmibt_debugfile_symbol_addr(info->vmlinux, "linux_banner", &addr) ||
	    !nmibt_debugfile_banner(info->vmlinux, of_file, sizeof(of_file)))
		return false;
	size_t len = strlen(of_file);
	return nmibt_kernel_read(kernel, addr + info->kernel_offset, of_dump, len + 1) ==
		       NMIBT_READ_OK &&
	       !memcmp(of_file, of_dump, len + 1);
}

static struct nmibt_error *complain_of_other_build(struct nmibt_debuginfo *info, const char *path)
{
	complain(info, nmibt_error_create(NMIBT_ERR_NOTHING,
					  "%s is of another build, and used all the same: "
					  "what it says may be wrong",
					  path));
	return NULL;
}

/* A text. */
static struct nmibt_error *check_by_print(struct nmibt_debuginfo *info,
					  const struct nmibt_debuginfo_options *options)
{
	const char *why, *path = options->vmlinux;
	enum nmibt_arch arch = nmibt_debugfile_arch(info->vmlinux);
	enum nmibt_build_match match = nmibt_match_build(info->printed, info->vmlinux, &why);

	if (match != NMIBT_BUILD_OTHER && info->arch && arch != info->arch) {
		match = NMIBT_BUILD_OTHER;
		why = "architecture";
	}
	if (match == NMIBT_BUILD_OTHER && options->force)
		return complain_of_other_build(info, path);
	if (match == NMIBT_BUILD_OTHER)
		return nmibt_error_create(NMIBT_ERR_UNUSABLE,
					  "%s is of another build: its %s is not that of the "
					  "kernel that printed the text; --force takes it all the "
					  "same",
					  path, why);
	if (match == NMIBT_BUILD_UNPROVED)
		complain(info, nmibt_error_create(NMIBT_ERR_NOTHING,
						  "whether %s is of the kernel that printed the "
						  "text can't be checked: the text has neither a "
						  "whole banner nor a build-id that the file "
						  "has, too; functions of another size get no "
						  "line",
						  path));
	if (info->printed->is_of_several)
		complain(info, nmibt_error_create(NMIBT_ERR_NOTHING,
						  "the text has reports of several builds: lines "
						  "of others than that of %s may be wrong",
						  path));
	return NULL;
}

/* VMCOREINFO of some kernels has garbage for a build-id, so the banner is compared, too. */
static struct nmibt_error *check_vmlinux(struct nmibt_debuginfo *info, struct nmibt_kernel *kernel,
					 const struct nmibt_debuginfo_options *options)
{
	const char *path = options->vmlinux, *id = nmibt_debugfile_build_id(info->vmlinux);

	if (info->printed)
		return check_by_print(info, options);
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
		return complain_of_other_build(info, path);
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
	free(info->printed);
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

static struct nmibt_error *read_build_of_dump(struct nmibt_debuginfo *info,
					      struct nmibt_kernel *kernel)
{
	struct nmibt_build_id build_id;

	nmibt_kernel_build_id(kernel, &build_id);
	info->kernel_offset = kernel->vmcoreinfo.kerneloffset.value;
	info->release = plain(kernel->vmcoreinfo.osrelease);
	info->build_id = plain(build_id.text);
	info->is_unverified = build_id.state == NMIBT_BUILD_ID_UNVERIFIED;
	return NULL;
}

static struct nmibt_error *read_build_of_text(struct nmibt_debuginfo *info,
					      const struct nmibt_image *image)
{
	unsigned int crash = info->options.crash ? info->options.crash - 1 : image->default_crash;

	info->printed = malloc(sizeof(*info->printed));
	if (!info->printed)
		return nmibt_error_nomem();
	struct nmibt_error *err = nmibt_read_printed_build(image, crash, info->printed);
	if (err)
		return err;
	info->release = plain(info->printed->release);
	info->build_id = plain(info->printed->build_id);
	return NULL;
}

static struct nmibt_error *open_debuginfo(struct nmibt_kernel *kernel, const char *dump,
					  const struct nmibt_debuginfo_options *options,
					  struct nmibt_debuginfo **ret)
{
	struct nmibt_debuginfo *info = calloc(1, sizeof(*info));

	if (!info || !(info->dump = strdup(dump))) {
		free(info);
		return nmibt_error_nomem();
	}
	/* libdwfl would ask the servers by itself. */
	if (!options->debuginfod)
		unsetenv("DEBUGINFOD_URLS");
	info->arch = kernel->image->arch;
	info->options = *options;
	info->search = options->search ? (struct nmibt_search){options->search, options->ctx}
				       : (struct nmibt_search){search_here, info};
	struct nmibt_error *err = kernel->image->ops->visit_log
					  ? read_build_of_text(info, kernel->image)
					  : read_build_of_dump(info, kernel);
	if (!err && options->vmlinux)
		err = open_vmlinux(info, kernel, options);
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
	/* Where the kernel was in memory a text does not tell, so that addresses can't be named. */
	static const struct nmibt_image_ops ops_of_text = {.find_places = find_places};
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
	if (info->printed)
		attachment.ops = &ops_of_text;
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
