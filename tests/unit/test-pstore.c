// SPDX-License-Identifier: GPL-2.0-or-later
/* How many bytes /dev/pmsg0 keeps, and the ends of old files: vmcore-nmibt's view of pstore. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../tools/vmcore/pstore.h"

static char folder[] = "/tmp/test-pstore.XXXXXX";

static void put(const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static size_t room(const char *size, const char *ecc)
{
	put("module/ramoops/parameters/pmsg_size", size);
	put("module/ramoops/parameters/ecc", ecc);
	return pstore_pmsg_room(folder);
}

/* What persistent_ram_init() and persistent_ram_init_ecc() of fs/pstore/ram_core.c leave, 6.12. */
static void room_of_a_zone(void **state)
{
	(void)state;
	assert_int_equal(room("65536\n", "0\n"), 65536 - 12);
	/* ramoops_probe() rounds down to a power of two. */
	assert_int_equal(room("100000\n", "0\n"), 65536 - 12);
	assert_int_equal(room("4096\n", "0\n"), 4084);
	/* 65524 - 16 bytes in blocks of 128 + 16: 455 of them, and one for the header. */
	assert_int_equal(room("65536\n", "1\n"), 65524 - 456 * 16);
	assert_int_equal(room("65536\n", "16\n"), 65524 - 456 * 16);
	/* 65524 - 32 in blocks of 160: 410. */
	assert_int_equal(room("65536\n", "32\n"), 65524 - 411 * 32);
	assert_int_equal(room("0\n", "0\n"), 0);
	assert_int_equal(room("8\n", "0\n"), 0);
	assert_int_equal(room("64\n", "200\n"), 0);
	assert_int_equal(room("none\n", "0\n"), 0);
	assert_int_equal(pstore_pmsg_room("/nonexistent"), 0);
}

static const struct old_file *find(const struct old_file *files, unsigned int nr, const char *name)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (!strcmp(files[i].name, name))
			return &files[i];
	}
	return NULL;
}

static void ends_of_old_files(void **state)
{
	struct old_file *files;
	unsigned int nr;
	char path[256];

	(void)state;
	snprintf(path, sizeof(path), "%s/old", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	put("old/console-ramoops-0", "0123456789");
	put("old/pmsg-ramoops-0", "abc");
	put("old/dmesg-ramoops-0", "Panic#1 Part1");
	put("old/pmsg-ramoops-1", "");
	assert_true(pstore_read_old(path, 4, &files, &nr));
	/* The kernel's own records are left alone, and so is an empty file. */
	assert_int_equal(nr, 2);
	const struct old_file *console = find(files, nr, "console-ramoops-0");
	assert_non_null(console);
	assert_int_equal(console->size, 10);
	assert_int_equal(console->len, 4);
	assert_memory_equal(console->data, "6789", 4);
	const struct old_file *pmsg = find(files, nr, "pmsg-ramoops-0");
	assert_non_null(pmsg);
	assert_int_equal(pmsg->len, 3);
	pstore_free_old(files, nr);
	assert_true(pstore_read_old("/nonexistent", 4, &files, &nr));
	assert_int_equal(nr, 0);
}

static int make_folder(void **state)
{
	char command[256];

	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(command, sizeof(command), "mkdir -p %s/module/ramoops/parameters", folder);
	return system(command);
}

static int remove_folder(void **state)
{
	char command[256];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(room_of_a_zone),
		cmocka_unit_test(ends_of_old_files),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
