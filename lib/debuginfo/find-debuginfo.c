// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * These are the folders of Debian's -dbg packages, of Fedora's and SUSE's debuginfo packages, and
 * of a kernel that was built on this machine.
 */
#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <libgen.h>
#include <stdarg.h>
#include <unistd.h>

#include "debuginfo/find-debuginfo.h"

#define DEBUG_PATH "/usr/lib/debug"

struct search {
	char *folder; /* of the dump */
	const char *debug_path; /* folders like /usr/lib/debug, with colons between them */
	/* Those that are plain names. */
	const char *build_id, *module_build_id, *release, *module, *link;
	nmibt_debuginfo_file_fn visit;
	void *arg;
};

bool nmibt_is_plain_name(const char *s)
{
	if (!isalnum((unsigned char)*s))
		return false;
	for (; *s; s++) {
		if (!isalnum((unsigned char)*s) && !strchr("._+~-", *s))
			return false;
	}
	return true;
}

/* A hostile dump could name any path. */
static const char *plain(const char *name)
{
	return name && nmibt_is_plain_name(name) ? name : NULL;
}

static bool try_file(const struct search *search, const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	return fd >= 0 && search->visit(search->arg, fd, path);
}

__attribute__((format(printf, 2, 3))) static bool try(const struct search *search,
						      const char *format, ...)
{
	_cleanup_free_ char *path = NULL;
	va_list args;

	va_start(args, format);
	int len = vasprintf(&path, format, args);
	va_end(args);
	return len >= 0 && try_file(search, path);
}

/* Returns the first folder in path, a list with colons, and its length. NULL: there are no more. */
static const char *first_folder(const char *path, int *len)
{
	path += strspn(path, ":");
	*len = strcspn(path, ":");
	return *len ? path : NULL;
}

/* As try(), in each folder of the debug path. */
__attribute__((format(printf, 2, 3))) static bool try_debug_path(const struct search *search,
								 const char *format, ...)
{
	_cleanup_free_ char *name = NULL;
	const char *folder;
	va_list args;

	va_start(args, format);
	int len = vasprintf(&name, format, args);
	va_end(args);
	if (len < 0)
		return false;
	for (const char *path = search->debug_path; (folder = first_folder(path, &len));
	     path = folder + len) {
		if (try(search, "%.*s/%s", len, folder, name))
			return true;
	}
	return false;
}

/* ------------------------------------------------------------------ vmlinux */

static bool try_build_id(const struct search *search, const char *id)
{
	return id && strlen(id) > 2 &&
	       try_debug_path(search, ".build-id/%.2s/%s.debug", id, id + 2);
}

static bool try_release(const struct search *search)
{
	const char *release = search->release;

	return try(search, "%s/vmlinux-%s", search->folder, release) ||
	       try_debug_path(search, "boot/vmlinux-%s", release) ||
	       try_debug_path(search, "boot/vmlinux-%s.debug", release) ||
	       try_debug_path(search, "lib/modules/%s/vmlinux", release) ||
	       try_debug_path(search, "usr/lib/modules/%s/vmlinux", release) ||
	       try_debug_path(search, "usr/lib/modules/%s/vmlinux.debug", release) ||
	       try(search, "/lib/modules/%s/build/vmlinux", release);
}

static bool find_vmlinux(const struct search *search)
{
	return try(search, "%s/vmlinux", search->folder) ||
	       try(search, "%s/vmlinux.debug", search->folder) ||
	       try_build_id(search, search->build_id) || (search->release && try_release(search));
}

/* -------------------------------------------------------------- split-off files */

static bool try_link(const struct search *search, const char *folder)
{
	return try(search, "%s/%s", folder, search->link) ||
	       try(search, "%s/.debug/%s", folder, search->link);
}

/* The file that it was split off is beside the dump, or the user named it, or it is in a folder
 * that has the other one by its build-id. */
static bool find_split_off(const struct search *search, const char *vmlinux)
{
	_cleanup_free_ char *path = vmlinux ? strdup(vmlinux) : NULL;

	if (try_build_id(search, search->build_id))
		return true;
	return search->link &&
	       (try_link(search, search->folder) || (path && try_link(search, dirname(path))));
}

/* ------------------------------------------------------------------ modules */

/* Module names have '_' where file names may have '-'. */
static bool is_module_file(const char *file, const char *name)
{
	for (; *name; name++, file++) {
		if (*file != *name && !(*file == '-' && *name == '_'))
			return false;
	}
	return !strcmp(file, ".ko") || !strcmp(file, ".ko.debug") || !strcmp(file, ".ko.xz") ||
	       !strcmp(file, ".ko.gz") || !strcmp(file, ".ko.zst");
}

static bool walk(const struct search *search, const char *folder, int depth)
{
	char *folders[] = {(char *)folder, NULL};
	FTS *fts = fts_open(folders, FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT, NULL);
	bool found = false;

	for (FTSENT *entry; fts && !found && (entry = fts_read(fts));) {
		if (entry->fts_info == FTS_D && entry->fts_level >= depth)
			fts_set(fts, entry, FTS_SKIP);
		if (entry->fts_info != FTS_D && is_module_file(entry->fts_name, search->module))
			found = try_file(search, entry->fts_path);
	}
	if (fts)
		fts_close(fts);
	return found;
}

static bool walk_release(const struct search *search, const char *prefix, int len)
{
	_cleanup_free_ char *folder = NULL;

	return asprintf(&folder, "%.*s/lib/modules/%s", len, prefix, search->release) >= 0 &&
	       walk(search, folder, 16);
}

static bool walk_debug_path(const struct search *search)
{
	const char *folder;
	int len;

	for (const char *path = search->debug_path; (folder = first_folder(path, &len));
	     path = folder + len) {
		_cleanup_free_ char *usr = NULL;

		if (walk_release(search, folder, len))
			return true;
		int usr_len = asprintf(&usr, "%.*s/usr", len, folder);
		if (usr_len > 0 && walk_release(search, usr, usr_len))
			return true;
	}
	return false;
}

static bool find_module(const struct search *search)
{
	return walk(search, search->folder, 1) || try_build_id(search, search->module_build_id) ||
	       (search->release && (walk_debug_path(search) || walk_release(search, "", 0)));
}

/* --------------------------------------------------------------- debuginfod */

/* elfutils/debuginfod.h, 0.188. The library is loaded only with --debuginfod: if the tool were
 * linked with it, each start would load libcurl and its crypto libraries. */
struct debuginfod {
	void *library;
	void *(*begin)(void);
	int (*find_debuginfo)(void *client, const unsigned char *build_id, int len, char **path);
	void (*end)(void *client);
};

static bool load(struct debuginfod *d)
{
	d->library = dlopen("libdebuginfod.so.1", RTLD_LAZY);
	if (!d->library)
		return false;
	d->begin = (void *(*)(void))dlsym(d->library, "debuginfod_begin");
	d->find_debuginfo = (int (*)(void *, const unsigned char *, int, char **))dlsym(
		d->library, "debuginfod_find_debuginfo");
	d->end = (void (*)(void *))dlsym(d->library, "debuginfod_end");
	return d->begin && d->find_debuginfo && d->end;
}

/* Asks the servers in $DEBUGINFOD_URLS. NULL: visit took the file. */
static struct nmibt_error *ask_servers(const struct search *search)
{
	const char *servers = getenv("DEBUGINFOD_URLS");
	_cleanup_free_ char *path = NULL;
	struct debuginfod d = {0};

	if (!servers || !*servers)
		return nmibt_error_create(NMIBT_ERR_NOTHING,
					  "--debuginfod: $DEBUGINFOD_URLS names no server");
	if (!load(&d))
		return nmibt_error_create(NMIBT_ERR_NOTHING,
					  "--debuginfod: libdebuginfod.so.1 can't be loaded");
	void *client = d.begin();
	/* Length 0 means that the build-id is text in hex. The result is negative: -errno. */
	int fd =
		client ? d.find_debuginfo(client, (const unsigned char *)search->build_id, 0, &path)
		       : -ENOMEM;
	if (client)
		d.end(client);
	if (fd < 0)
		return nmibt_error_create(NMIBT_ERR_NOTHING,
					  "--debuginfod: no vmlinux of build-id %s from %s: %s",
					  search->build_id, servers, strerror(-fd));
	if (search->visit(search->arg, fd, path))
		return NULL;
	return nmibt_error_create(NMIBT_ERR_NOTHING,
				  "--debuginfod: %s is no vmlinux of build-id %s with lines", path,
				  search->build_id);
}

/* ------------------------------------------------------------------- search */

/* A text may have the banner of its kernel, and no build-id; who visits the files compares it. */
static struct nmibt_error *search_vmlinux(const struct search *search, bool debuginfod)
{
	if (!search->build_id && !search->release)
		return nmibt_error_create(NMIBT_ERR_NOTHING,
					  "the dump does not say which build its kernel is: name "
					  "its vmlinux by --vmlinux");
	if (find_vmlinux(search))
		return NULL;
	if (debuginfod && search->build_id)
		return ask_servers(search);
	return nmibt_error_create(NMIBT_ERR_NOTHING,
				  "no vmlinux of %s %s, neither beside the dump nor in %s: "
				  "name it by --vmlinux%s",
				  search->build_id ? "build-id" : "this build of release",
				  search->build_id ?: search->release, search->debug_path,
				  search->build_id ? ", or have it fetched by --debuginfod" : "");
}

static struct nmibt_error *search_module(const struct search *search, const char *name)
{
	if (search->module && find_module(search))
		return NULL;
	return nmibt_error_create(NMIBT_ERR_NOTHING,
				  "no debugging information of module %s, neither "
				  "beside the dump nor in %s",
				  name, search->debug_path);
}

struct nmibt_error *nmibt_debuginfo_search(const struct nmibt_debuginfo_options *options,
					   const char *dump,
					   const struct nmibt_debuginfo_wanted *wanted,
					   nmibt_debuginfo_file_fn visit, void *arg)
{
	_cleanup_free_ char *path = strdup(dump);
	const struct search search = {
		.folder = path ? dirname(path) : NULL,
		.debug_path = options->debug_path ?: DEBUG_PATH,
		.build_id = plain(wanted->build_id),
		.module_build_id =
			wanted->size >= sizeof(*wanted) ? plain(wanted->module_build_id) : NULL,
		.release = plain(wanted->release),
		.module = plain(wanted->module),
		.link = plain(wanted->link),
		.visit = visit,
		.arg = arg,
	};

	if (!search.folder)
		return nmibt_error_nomem();
	if (wanted->split_off)
		return find_split_off(&search, options->vmlinux)
			       ? NULL
			       : nmibt_error_create(NMIBT_ERR_NOTHING,
						    "no split-off debugging information");
	if (wanted->module)
		return search_module(&search, wanted->module);
	return search_vmlinux(&search, options->debuginfod);
}
