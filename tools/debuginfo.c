// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A vmlinux is known by its build-id. A module's build-id is not to be had without
 * the layout of struct module: its vermagic and the sizes of its functions have to
 * do, and what does not fit gives no line.
 */
#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <search.h>
#include <stdio.h>

#include "debugfile.h"
#include "debuginfo.h"
#include "find-debuginfo.h"
#include "internal.h"
#include "unwind.h"

/* More than any trace has; each costs a walk through a tree of thousands of files. */
#define MAX_MODULES 64

/* NULL file: there is none. */
struct module {
	char *name;
	struct nmibt_debugfile *file;
};

/* What was found for a location: most CPUs of a big machine are in the same places. */
struct answer {
	char *key; /* first: what tsearch() compares */
	unsigned int nr;
	struct {
		char *function;
		char *where;
	} * places;
};

struct nmibt_debuginfo {
	const struct nmibt_image *base;
	bool debuginfod;
	char *folder;
	const char *debug_path;
	char *release, *build_id; /* of the dump; NULL: unknown */
	bool searched; /* for vmlinux */
	struct nmibt_debugfile *vmlinux;
	struct nmibt_unwinder *unwinder; /* NULL: not needed yet, or there can't be one */
	bool tried_unwinder;
	struct nmibt_virtual *memory; /* that stacks are in; NULL: not needed yet */
	struct nmibt_symbols symbols;
	struct nmibt_framewalk *framewalk; /* NULL: no_framewalk says why */
	struct nmibt_error *no_framewalk;
	struct module modules[MAX_MODULES];
	unsigned int nr_modules;
	bool too_many_modules;
	void *answers;
	char *complaints[MAX_MODULES + 4]; /* three of the vmlinux, one of too many modules */
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

static bool take(void *arg, const char *path)
{
	const struct candidate *candidate = arg;
	struct nmibt_debugfile *file;

	struct nmibt_error *err = nmibt_debugfile_open(path, &file);
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

/* A file split off by eu-strip has no .modinfo of its own. */
static bool is_its_module(const struct nmibt_debuginfo *info, const struct nmibt_debugfile *file)
{
	_cleanup_free_ char *release = nmibt_debugfile_release(file);

	return nmibt_debugfile_arch(file) == info->base->arch &&
	       (!release || !info->release || !strcmp(release, info->release));
}

static struct nmibt_error *search_vmlinux(struct nmibt_debuginfo *info)
{
	const struct nmibt_wanted wanted = {info->folder, info->debug_path, info->release,
					    info->build_id};
	struct candidate candidate = {info, is_its_vmlinux, &info->vmlinux};
	char *path = NULL;

	if (!info->build_id)
		return nmibt_error_create(NMIBT_ERR_NOTHING,
					  "the dump does not say which build its kernel is: name "
					  "its vmlinux by --vmlinux");
	if (nmibt_find_vmlinux(&wanted, take, &candidate))
		return NULL;
	if (!info->debuginfod)
		return nmibt_error_create(
			NMIBT_ERR_NOTHING,
			"no vmlinux of build-id %s, neither beside the dump nor in %s: "
			"name it by --vmlinux, or have it fetched by --debuginfod",
			info->build_id, info->debug_path);
	struct nmibt_error *err = nmibt_debuginfod_find(info->build_id, &path);
	if (!err && !take(&candidate, path))
		err = nmibt_error_create(NMIBT_ERR_NOTHING,
					 "--debuginfod: %s is no vmlinux of build-id %s with lines",
					 path, info->build_id);
	free(path);
	return err;
}

static struct nmibt_debugfile *vmlinux_of(struct nmibt_debuginfo *info)
{
	if (info->searched || info->vmlinux)
		return info->vmlinux;
	info->searched = true;
	struct nmibt_error *err = search_vmlinux(info);
	if (err)
		complain(info, err);
	return info->vmlinux;
}

static struct nmibt_debugfile *module_of(struct nmibt_debuginfo *info, const char *name)
{
	const struct nmibt_wanted wanted = {info->folder, info->debug_path, info->release,
					    info->build_id};

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
	struct candidate candidate = {info, is_its_module, &module->file};
	if (!nmibt_find_module(&wanted, name, take, &candidate))
		complain(info, nmibt_error_create(NMIBT_ERR_NOTHING,
						  "no debugging information of module %s, neither "
						  "beside the dump nor in %s",
						  name, info->debug_path));
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

static void keep_place(void *arg, const struct nmibt_place *place)
{
	struct answer *answer = arg;
	void *places = realloc(answer->places, (answer->nr + 1) * sizeof(*answer->places));

	if (!places)
		return;
	answer->places = places;
	answer->places[answer->nr].function = place->function ? strdup(place->function) : NULL;
	answer->places[answer->nr].where = strdup(place->where);
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

bool nmibt_debuginfo_find_places(struct nmibt_debuginfo *info, const struct nmibt_location *at,
				 nmibt_place_fn visit, void *arg)
{
	const struct answer *answer = answer_to(info, at);

	for (unsigned int i = 0; answer && i < answer->nr; i++)
		visit(arg, &(struct nmibt_place){answer->places[i].function,
						 answer->places[i].where ?: "?"});
	return answer && answer->nr;
}

/* How far KASLR moved the image: kernel/vmcore_info.c and arch/../vmcore_info.c, 6.12. */
static uint64_t kernel_offset(const struct nmibt_debuginfo *info)
{
	uint64_t offset = 0;

	nmibt_vmcoreinfo_number(info->base, "KERNELOFFSET", 16, &offset);
	return offset;
}

bool nmibt_debuginfo_symbolize(struct nmibt_debuginfo *info, uint64_t addr, char *buf, size_t len)
{
	return vmlinux_of(info) &&
	       nmibt_debugfile_symbolize(info->vmlinux, addr - kernel_offset(info), buf, len);
}

/* Per-CPU variables of x86_64 are linked at 0 up to 6.14 (arch/x86/kernel/vmlinux.lds.S),
 * and KASLR moves nothing but the image, in the upper half of addresses. */
bool nmibt_debuginfo_symbol_addr(struct nmibt_debuginfo *info, const char *name, uint64_t *ret)
{
	uint64_t value;

	if (!vmlinux_of(info) || !nmibt_debugfile_symbol_addr(info->vmlinux, name, &value))
		return false;
	*ret = value >> 63 ? value + kernel_offset(info) : value;
	return true;
}

bool nmibt_debuginfo_type_size(struct nmibt_debuginfo *info, const char *type, size_t *ret)
{
	return vmlinux_of(info) && nmibt_debugfile_type_size(info->vmlinux, type, ret);
}

bool nmibt_debuginfo_member_offset(struct nmibt_debuginfo *info, const char *type,
				   const char *member, size_t *ret)
{
	return vmlinux_of(info) && nmibt_debugfile_member_offset(info->vmlinux, type, member, ret);
}

/* -------------------------------------------------------------------- stacks */

static struct nmibt_unwinder *unwinder_of(struct nmibt_debuginfo *info)
{
	if (info->tried_unwinder || !vmlinux_of(info))
		return info->unwinder;
	info->tried_unwinder = true;
	struct nmibt_error *err =
		nmibt_debugfile_unwinder(info->vmlinux, kernel_offset(info), &info->unwinder);
	if (err)
		complain(info, err);
	return info->unwinder;
}

static struct nmibt_error *open_memory(struct nmibt_debuginfo *info)
{
	struct nmibt_error *err;

	if (info->memory)
		return NULL;
	err = nmibt_virtual_open(info->base, &info->memory);
	if (err)
		return err;
	info->symbols.image = info->base;
	info->no_framewalk =
		nmibt_framewalk_open(info->base, info->memory, &info->symbols, &info->framewalk);
	return NULL;
}

/* On x86_64 the kernel's own tables have what call frame information lacks, assembler,
 * interrupts, changes of stacks, but not all functions. On arm64 the latter knows best
 * who called a function that calls none. */
struct nmibt_error *nmibt_debuginfo_unwind(struct nmibt_debuginfo *info,
					   const struct nmibt_regs *regs, nmibt_walked_fn visit,
					   void *arg)
{
	struct nmibt_error *err = open_memory(info);

	if (err)
		return err;
	struct nmibt_unwinder *unwinder = unwinder_of(info);
	bool has_tables = info->framewalk && info->base->arch == NMIBT_ARCH_X86_64;
	if (has_tables && unwinder)
		nmibt_framewalk_use(info->framewalk, nmibt_unwind_caller, unwinder);
	if (!has_tables && unwinder)
		return nmibt_unwind(unwinder, info->base, info->memory, &info->symbols, regs, visit,
				    arg);
	if (info->framewalk)
		return nmibt_framewalk(info->framewalk, regs, visit, arg);
	return nmibt_error_create(info->no_framewalk->code, "%s", info->no_framewalk->message);
}

/* --------------------------------------------------------------------- open */

/* Of plain characters, or NULL. */
static char *plain_line(const struct nmibt_image *base, const char *key)
{
	char *value = base->ops->vmcoreinfo(base->ctx, key);

	if (value && nmibt_is_plain_name(value))
		return value;
	free(value);
	return NULL;
}

static struct nmibt_error *open_vmlinux(struct nmibt_debuginfo *info, const char *path)
{
	struct nmibt_error *err = nmibt_debugfile_open(path, &info->vmlinux);
	if (err) {
		err->code = NMIBT_ERR_UNUSABLE;
		return err;
	}
	const char *id = nmibt_debugfile_build_id(info->vmlinux);
	if (info->build_id && (!id || strcmp(id, info->build_id)))
		return nmibt_error_create(NMIBT_ERR_UNUSABLE,
					  "%s is of another build: its build-id is %s, that of the "
					  "dump's kernel is %s",
					  path, id ?: "missing", info->build_id);
	if (!info->build_id)
		complain(info, nmibt_error_create(NMIBT_ERR_NOTHING,
						  "whether %s is of the dump's kernel can't be "
						  "checked: the dump has no build-id",
						  path));
	if (!nmibt_debugfile_has_lines(info->vmlinux))
		complain(info, nmibt_error_create(NMIBT_ERR_NOTHING,
						  "%s has no debugging information", path));
	return NULL;
}

struct nmibt_error *nmibt_debuginfo_open(const struct nmibt_image *base,
					 const struct nmibt_debuginfo_options *options,
					 struct nmibt_debuginfo **ret)
{
	struct nmibt_debuginfo *info = calloc(1, sizeof(*info));
	_cleanup_free_ char *vmcore = strdup(options->vmcore);

	if (!info || !vmcore || !(info->folder = strdup(dirname(vmcore)))) {
		free(info);
		return nmibt_error_nomem();
	}
	/* libdwfl itself would ask them. */
	if (!options->debuginfod)
		unsetenv("DEBUGINFOD_URLS");
	info->base = base;
	info->debuginfod = options->debuginfod;
	info->debug_path = options->debug_path ?: NMIBT_DEBUG_PATH;
	info->release = plain_line(base, "OSRELEASE");
	info->build_id = plain_line(base, "BUILD-ID");
	struct nmibt_error *err = options->vmlinux ? open_vmlinux(info, options->vmlinux) : NULL;
	if (err) {
		nmibt_debuginfo_close(info);
		return err;
	}
	*ret = info;
	return NULL;
}

void nmibt_debuginfo_close(struct nmibt_debuginfo *info)
{
	if (!info)
		return;
	for (unsigned int i = 0; i < info->nr_modules; i++) {
		nmibt_debugfile_close(info->modules[i].file);
		free(info->modules[i].name);
	}
	nmibt_unwinder_close(info->unwinder);
	nmibt_debugfile_close(info->vmlinux);
	nmibt_framewalk_close(info->framewalk);
	nmibt_error_destroy(info->no_framewalk);
	nmibt_virtual_close(info->memory);
	nmibt_kallsyms_close(info->symbols.kallsyms);
	tdestroy(info->answers, free_answer);
	free(info->folder);
	free(info->release);
	free(info->build_id);
	for (unsigned int i = 0; i < info->nr_complaints; i++)
		free(info->complaints[i]);
	free(info);
}

const char *nmibt_debuginfo_complaint(const struct nmibt_debuginfo *info, unsigned int i)
{
	return i < info->nr_complaints ? info->complaints[i] : NULL;
}
