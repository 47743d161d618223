// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The folders are those of Debian's -dbg packages, of Fedora's and SUSE's debuginfo
 * packages, and of a kernel that somebody built on this machine.
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

static bool try_release(const struct search *search, const char *folder, const char *release)
{
	return try(search, "%s/vmlinux-%s", folder, release) ||
	       try(search, "/usr/lib/debug/boot/vmlinux-%s", release) ||
	       try(search, "/usr/lib/debug/boot/vmlinux-%s.debug", release) ||
	       try(search, "/usr/lib/debug/lib/modules/%s/vmlinux", release) ||
	       try(search, "/usr/lib/debug/usr/lib/modules/%s/vmlinux", release) ||
	       try(search, "/usr/lib/debug/usr/lib/modules/%s/vmlinux.debug", release) ||
	       try(search, "/lib/modules/%s/build/vmlinux", release);
}

bool nmibt_find_vmlinux(const struct nmibt_wanted *wanted, nmibt_candidate_fn visit, void *arg)
{
	const struct search search = {visit, arg};

	if (try(&search, "%s/vmlinux", wanted->folder) ||
	    try(&search, "%s/vmlinux.debug", wanted->folder))
		return true;
	if (wanted->build_id && strlen(wanted->build_id) > 2 &&
	    try(&search, "/usr/lib/debug/.build-id/%.2s/%s.debug", wanted->build_id,
		wanted->build_id + 2))
		return true;
	return wanted->release && try_release(&search, wanted->folder, wanted->release);
}

/* ------------------------------------------------------------------ modules */

/* The kernel's names have '_' where those of files may have '-'. */
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

bool nmibt_find_module(const struct nmibt_wanted *wanted, const char *name,
		       nmibt_candidate_fn visit, void *arg)
{
	static const char *const folders[] = {"/usr/lib/debug/lib/modules",
					      "/usr/lib/debug/usr/lib/modules", "/lib/modules"};
	const struct search search = {visit, arg};

	if (!nmibt_is_plain_name(name))
		return false;
	if (walk(&search, wanted->folder, name, 1))
		return true;
	for (size_t i = 0; wanted->release && i < ARRAY_SIZE(folders); i++) {
		_cleanup_free_ char *folder = NULL;

		if (asprintf(&folder, "%s/%s", folders[i], wanted->release) < 0)
			return false;
		if (walk(&search, folder, name, 16))
			return true;
	}
	return false;
}

/* --------------------------------------------------------------- debuginfod */

/* elfutils/debuginfod.h, 0.188. Loaded only when it is asked for: linked, it would
 * bring libcurl and all its crypto to each start of the tool. */
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
	/* A length of 0: it is text in hex. Negative: an errno. */
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
