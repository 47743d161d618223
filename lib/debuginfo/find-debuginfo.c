// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * These are the folders of Debian's -dbg packages, of Fedora's and SUSE's debuginfo packages, and
 * of a kernel that was built on this machine.
 */
#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <fts.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "debuginfo/find-debuginfo.h"
#include "unwind/unwind.h"

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

/* ------------------------------------------------------------------ vmlinux */

struct search {
	nmibt_candidate_fn visit;
	void *arg;
};

__attribute__((format(printf, 2, 3))) static bool try(const struct search *search,
						      const char *format, ...)
{
	_cleanup_free_ char *path = NULL;
	va_list args;

	va_start(args, format);
	int len = vasprintf(&path, format, args);
	va_end(args);
	return len >= 0 && !access(path, R_OK) && search->visit(search->arg, path);
}

/* Returns the first folder in path, a list with colons, and its length. NULL: there are no more. */
static const char *first_folder(const char *path, int *len)
{
	path += strspn(path, ":");
	*len = strcspn(path, ":");
	return *len ? path : NULL;
}

/* As try(), in each folder of the debug path. */
__attribute__((format(printf, 3, 4))) static bool try_debug_path(const struct search *search,
								 const struct nmibt_wanted *wanted,
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
	for (const char *path = wanted->debug_path; (folder = first_folder(path, &len));
	     path = folder + len) {
		if (try(search, "%.*s/%s", len, folder, name))
			return true;
	}
	return false;
}

static bool try_release(const struct search *search, const struct nmibt_wanted *wanted)
{
	const char *release = wanted->release;

	return try(search, "%s/vmlinux-%s", wanted->folder, release) ||
	       try_debug_path(search, wanted, "boot/vmlinux-%s", release) ||
	       try_debug_path(search, wanted, "boot/vmlinux-%s.debug", release) ||
	       try_debug_path(search, wanted, "lib/modules/%s/vmlinux", release) ||
	       try_debug_path(search, wanted, "usr/lib/modules/%s/vmlinux", release) ||
	       try_debug_path(search, wanted, "usr/lib/modules/%s/vmlinux.debug", release) ||
	       try(search, "/lib/modules/%s/build/vmlinux", release);
}

bool nmibt_find_vmlinux(const struct nmibt_wanted *wanted, nmibt_candidate_fn visit, void *arg)
{
	const struct search search = {visit, arg};

	if (try(&search, "%s/vmlinux", wanted->folder) ||
	    try(&search, "%s/vmlinux.debug", wanted->folder))
		return true;
	if (wanted->build_id && strlen(wanted->build_id) > 2 &&
	    try_debug_path(&search, wanted, ".build-id/%.2s/%s.debug", wanted->build_id,
			   wanted->build_id + 2))
		return true;
	return wanted->release && try_release(&search, wanted);
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

static bool walk(const struct search *search, const char *folder, const char *name, int depth)
{
	char *folders[] = {(char *)folder, NULL};
	FTS *fts = fts_open(folders, FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT, NULL);
	bool found = false;

	for (FTSENT *entry; fts && !found && (entry = fts_read(fts));) {
		if (entry->fts_info == FTS_D && entry->fts_level >= depth)
			fts_set(fts, entry, FTS_SKIP);
		if (entry->fts_info != FTS_D && is_module_file(entry->fts_name, name))
			found = search->visit(search->arg, entry->fts_path);
	}
	if (fts)
		fts_close(fts);
	return found;
}

static bool walk_release(const struct search *search, const char *prefix, int len,
			 const char *release, const char *name)
{
	_cleanup_free_ char *folder = NULL;

	return asprintf(&folder, "%.*s/lib/modules/%s", len, prefix, release) >= 0 &&
	       walk(search, folder, name, 16);
}

static bool walk_debug_path(const struct search *search, const struct nmibt_wanted *wanted,
			    const char *name)
{
	const char *folder;
	int len;

	for (const char *path = wanted->debug_path; (folder = first_folder(path, &len));
	     path = folder + len) {
		_cleanup_free_ char *usr = NULL;

		if (walk_release(search, folder, len, wanted->release, name))
			return true;
		int usr_len = asprintf(&usr, "%.*s/usr", len, folder);
		if (usr_len > 0 && walk_release(search, usr, usr_len, wanted->release, name))
			return true;
	}
	return false;
}

bool nmibt_find_module(const struct nmibt_wanted *wanted, const char *name,
		       nmibt_candidate_fn visit, void *arg)
{
	const struct search search = {visit, arg};

	if (!nmibt_is_plain_name(name))
		return false;
	if (walk(&search, wanted->folder, name, 1))
		return true;
	return wanted->release && (walk_debug_path(&search, wanted, name) ||
				   walk_release(&search, "", 0, wanted->release, name));
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

struct nmibt_error *nmibt_debuginfod_find(const char *build_id, char **ret)
{
	const char *servers = getenv("DEBUGINFOD_URLS");
	struct debuginfod d = {0};

	if (!servers || !*servers)
		return nmibt_error_create(NMIBT_ERR_NOTHING,
					  "--debuginfod: $DEBUGINFOD_URLS names no server");
	if (!load(&d))
		return nmibt_error_create(NMIBT_ERR_NOTHING,
					  "--debuginfod: libdebuginfod.so.1 can't be loaded");
	void *client = d.begin();
	/* Length 0 means that build_id is text in hex. The result is negative: -errno. */
	int fd = client ? d.find_debuginfo(client, (const unsigned char *)build_id, 0, ret)
			: -ENOMEM;
	if (client)
		d.end(client);
	if (fd < 0)
		return nmibt_error_create(NMIBT_ERR_NOTHING,
					  "--debuginfod: no vmlinux of build-id %s from %s: %s",
					  build_id, servers, strerror(-fd));
	close(fd);
	return NULL;
}
