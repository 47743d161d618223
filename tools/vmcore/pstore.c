// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pstore.h"

/* sizeof(struct persistent_ram_buffer), fs/pstore/ram_core.c, 6.12. */
#define ZONE_HEADER 12
/* As persistent_ram_init_ecc() has it, fs/pstore/ram_core.c, 6.12. */
#define ECC_BLOCK 128
#define DEFAULT_ECC 16

/* A parameter of the module ramoops; 0: there is none. */
static unsigned long read_parameter(const char *sys, const char *name)
{
	char path[PATH_MAX];
	unsigned long value = 0;

	snprintf(path, sizeof(path), "%s/module/ramoops/parameters/%s", sys, name);
	FILE *file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%lu", &value) != 1)
		value = 0;
	fclose(file);
	return value;
}

/* The kernel keeps the end of what is written, so more than there is room for would cost the
 * beginning. */
size_t pstore_pmsg_room(const char *sys)
{
	unsigned long size = read_parameter(sys, "pmsg_size"), ecc = read_parameter(sys, "ecc");

	/* fs/pstore/ram.c: ramoops_probe(), 6.12: a power of two, and 1 stands for 16. */
	while (size & (size - 1))
		size &= size - 1;
	if (size <= ZONE_HEADER)
		return 0;
	size -= ZONE_HEADER;
	if (!ecc)
		return size;
	if (ecc == 1)
		ecc = DEFAULT_ECC;
	if (ecc >= size)
		return 0;
	unsigned long blocks = (size - ecc + ECC_BLOCK + ecc - 1) / (ECC_BLOCK + ecc);
	unsigned long total = (blocks + 1) * ecc;
	return total < size ? size - total : 0;
}

/* ------------------------------------------------------------------------ old files */

/* Names as fs/pstore/inode.c gives them (pstore_mkfile(), 6.12). The kernel zaps these zones as it
 * boots, and has them in memory only; it keeps dmesg records. */
static bool is_wanted(const char *name)
{
	return !strncmp(name, "console-", 8) || !strncmp(name, "pmsg-", 5);
}

/* False: out of memory. What can't be read is left out. */
static bool read_end(int dir, const char *name, size_t max, struct old_file *ret)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	*ret = (struct old_file){0};
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size <= 0) {
		if (fd >= 0)
			close(fd);
		return true;
	}
	ret->size = st.st_size;
	ret->len = ret->size < max ? ret->size : max;
	ret->name = strdup(name);
	ret->data = malloc(ret->len);
	bool has_memory = ret->name && ret->data;
	ssize_t n = has_memory ? pread(fd, ret->data, ret->len, ret->size - ret->len) : 0;
	ret->len = n > 0 ? n : 0;
	close(fd);
	return has_memory;
}

static bool read_files(DIR *dir, size_t max, struct old_file **files, unsigned int *nr)
{
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (!is_wanted(entry->d_name))
			continue;
		struct old_file *more = reallocarray(*files, *nr + 1, sizeof(*more));
		if (!more)
			return false;
		*files = more;
		bool has_memory = read_end(dirfd(dir), entry->d_name, max, &more[*nr]);
		*nr += more[*nr].name && more[*nr].data ? 1 : 0;
		if (!has_memory)
			return false;
	}
	return true;
}

bool pstore_read_old(const char *path, size_t max, struct old_file **ret, unsigned int *ret_nr)
{
	DIR *dir = opendir(path);

	*ret = NULL;
	*ret_nr = 0;
	if (!dir)
		return true;
	bool done = read_files(dir, max, ret, ret_nr);
	closedir(dir);
	return done;
}

void pstore_free_old(struct old_file *files, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		free(files[i].name);
		free(files[i].data);
	}
	free(files);
}
