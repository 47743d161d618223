// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmcore-nmibt: runs in the capture kernel, before the dump is written, and leaves what every CPU was
 * doing where the next boot finds it. It is a thin front end of libnmibt, and needs libc and zlib.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <nmibt/recorder.h>

#include "efivars.h"
#include "outfile.h"
#include "pstore.h"

#define USAGE "usage: vmcore-nmibt [OPTION]... VMCORE\n"

static const char help[] = USAGE
	"Says what every CPU was doing when the kernel in VMCORE died. Writes text to standard\n"
	"output, or, if an option names another place, a summary to standard error.\n"
	"\n"
	"  -o, --output=FILE    write the text to FILE, whole or not at all\n"
	"  -r, --record=FILE    write a record to FILE, which nmibt reads as a dump\n"
	"  -p, --pstore[=DEV]   write a record to DEV, /dev/pmsg0, as large as pstore keeps it\n"
	"      --efivars[=DIR]  write a small record to an EFI variable, if it fits\n"
	"  -s, --size=BYTES     the most bytes of a record\n"
	"  -c, --console[=DEV]  write the summary to DEV, /dev/console, instead\n"
	"  -k, --kmsg           write it to /dev/kmsg, too\n"
	"      --keep-old=DIR   copy pstore's old console and messages to DIR\n"
	"      --help           this text\n"
	"      --version        the version\n"
	"\n"
	"Exit status: 0 written, 1 nothing found, 2 wrong usage, 3 written, and something could\n"
	"not be read, 4 the dump is unusable, or a file was not written.\n";

#define SYS "/sys"
#define OLD_PSTORE "/sys/fs/pstore"
#define SUMMARY_LINES 40
/* ramoops' own default (MIN_MEM_SIZE, fs/pstore/ram.c, 6.12), without the header of a zone. */
#define DEFAULT_ROOM (4096 - 12)
#define MAX_OLD (1u << 20)
/* Firmware may refuse larger variables. */
#define EFIVARS_ROOM 4096
#define MIN_RECORD 512

struct arguments {
	const char *vmcore, *output, *record, *pmsg, *efivars, *console, *keep_old;
	size_t size; /* 0: as large as it gets */
	bool kmsg;
};

/* ---------------------------------------------------------------------- arguments */

enum { KEEP_OLD = 256, EFIVARS, HELP, VERSION };
static const struct option options[] = {
	{"output", required_argument, NULL, 'o'},
	{"record", required_argument, NULL, 'r'},
	{"pstore", optional_argument, NULL, 'p'},
	{"size", required_argument, NULL, 's'},
	{"console", optional_argument, NULL, 'c'},
	{"kmsg", no_argument, NULL, 'k'},
	{"keep-old", required_argument, NULL, KEEP_OLD},
	{"efivars", optional_argument, NULL, EFIVARS},
	{"help", no_argument, NULL, HELP},
	{"version", no_argument, NULL, VERSION},
	{0},
};

static int usage(void)
{
	fprintf(stderr, "%.*sTry vmcore-nmibt --help.\n", (int)sizeof(USAGE) - 1, help);
	return 2;
}

static bool parse_size(const char *text, size_t *ret)
{
	char *end;

	errno = 0;
	unsigned long long size = strtoull(text, &end, 0);
	if (errno || *end || *text < '0' || *text > '9' || size < MIN_RECORD || size > SIZE_MAX)
		return false;
	*ret = size;
	return true;
}

/* Returns the exit code, or -1: go on. */
static int take_option(int c, struct arguments *args)
{
	switch (c) {
	case 'o':
		args->output = optarg;
		return -1;
	case 'r':
		args->record = optarg;
		return -1;
	case 'p':
		args->pmsg = optarg ? optarg : "/dev/pmsg0";
		return -1;
	case 's':
		if (parse_size(optarg, &args->size))
			return -1;
		fprintf(stderr, "vmcore-nmibt: \"%s\" is no number of bytes from %d on\n", optarg,
			MIN_RECORD);
		return 2;
	case 'c':
		args->console = optarg ? optarg : "/dev/console";
		return -1;
	case 'k':
		args->kmsg = true;
		return -1;
	case EFIVARS:
		args->efivars = optarg ? optarg : "/sys/firmware/efi/efivars";
		return -1;
	case KEEP_OLD:
		args->keep_old = optarg;
		return -1;
	case HELP:
		fputs(help, stdout);
		return 0;
	case VERSION:
		puts("vmcore-nmibt " NMIBT_VERSION);
		return 0;
	}
	return usage();
}

static bool is_same(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

/* Returns the exit code, or -1: go on. */
static int parse(int argc, char **argv, struct arguments *args)
{
	int c, code;

	while ((c = getopt_long(argc, argv, "o:r:p::s:c::k", options, NULL)) != -1) {
		code = take_option(c, args);
		if (code >= 0)
			return code;
	}
	args->vmcore = argv[optind];
	/* A file that is written takes the place of what is there: the dump would be lost. */
	if (optind + 1 != argc || is_same(args->output, args->record) ||
	    is_same(args->output, args->vmcore) || is_same(args->record, args->vmcore))
		return usage();
	return -1;
}

/* ------------------------------------------------------------------------- writing */

/* Exit code 3 is for dumps of which something was written, so that all else is 4. */
static int fail(struct nmibt_error *err)
{
	int code = nmibt_error_code(err) == NMIBT_ERR_NOTHING ? 1
		   : nmibt_error_code(err) == NMIBT_ERR_USAGE ? 2
							      : 4;

	fprintf(stderr, "vmcore-nmibt: %s\n", nmibt_error_message(err));
	nmibt_error_destroy(err);
	return code;
}

/* Of the exit codes the higher one is the worse one. */
static int worse(int a, int b)
{
	return a > b ? a : b;
}

static int complain(const char *path)
{
	fprintf(stderr, "vmcore-nmibt: %s: %m\n", path);
	return 4;
}

static bool write_fd(void *ctx, const char *data, size_t len)
{
	return write_all(*(int *)ctx, data, len);
}

static bool write_outfile(void *ctx, const char *data, size_t len)
{
	return outfile_write(ctx, data, len);
}

/* What goes to one place: text or a record. */
typedef struct nmibt_error *(*produce_fn)(struct nmibt_recorder *rec, const struct arguments *args,
					  nmibt_write_fn write, void *ctx);

static struct nmibt_error *produce_text(struct nmibt_recorder *rec, const struct arguments *args,
					nmibt_write_fn write, void *ctx)
{
	(void)args;
	return nmibt_recorder_text(rec, write, ctx);
}

static struct nmibt_error *produce_record(struct nmibt_recorder *rec, const struct arguments *args,
					  nmibt_write_fn write, void *ctx)
{
	bool is_whole;

	return nmibt_recorder_write(rec, args->size, NULL, 0, write, ctx, &is_whole);
}

static int write_file(struct nmibt_recorder *rec, const struct arguments *args, const char *path,
		      produce_fn produce)
{
	struct outfile out;

	if (!outfile_open(&out, path))
		return complain(path);
	struct nmibt_error *err = produce(rec, args, write_outfile, &out);
	int code = err ? fail(err) : outfile_commit(&out) ? 0 : complain(path);
	outfile_close(&out);
	return code;
}

/* -------------------------------------------------------------------------- pstore */

/* Bytes that are written at once: each write to /dev/pmsg0 takes a lock of the kernel's, and a
 * record is there as a whole or not at all. */
struct zone {
	char *data;
	size_t len, room;
};

static bool write_zone(void *ctx, const char *data, size_t len)
{
	struct zone *zone = ctx;

	if (len > zone->room - zone->len)
		return false;
	memcpy(zone->data + zone->len, data, len);
	zone->len += len;
	return true;
}

/* The caller frees zone->data, also when the call fails. */
static struct nmibt_error *fill_zone(struct nmibt_recorder *rec, const struct old_file *old,
				     unsigned int nr, struct zone *zone, bool *ret_is_whole)
{
	struct nmibt_recorder_file *files = calloc(nr + 1, sizeof(*files));

	zone->data = malloc(zone->room);
	if (!files || !zone->data) {
		free(files);
		return nmibt_error_create(NMIBT_ERR_NOMEM, "out of memory");
	}
	for (unsigned int i = 0; i < nr; i++)
		files[i] = (struct nmibt_recorder_file){old[i].name, old[i].data, old[i].len,
							old[i].size - old[i].len};
	struct nmibt_error *err =
		nmibt_recorder_write(rec, zone->room, files, nr, write_zone, zone, ret_is_whole);
	free(files);
	return err;
}

#define RECORD_IN "vmcore-nmibt: record of %zu bytes in %s%s\n"

static int write_pmsg(const char *path, const struct zone *zone, bool is_whole)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || !write_all(fd, zone->data, zone->len)) {
		int code = complain(path);

		if (fd >= 0)
			close(fd);
		return code;
	}
	close(fd);
	fprintf(stderr, RECORD_IN, zone->len, path,
		is_whole ? "" : ", which has no room for the rest");
	return 0;
}

static int copy_old(const struct arguments *args, const struct old_file *old, unsigned int nr)
{
	int code = 0;

	for (unsigned int i = 0; i < nr; i++) {
		char *path;
		struct outfile out;

		if (asprintf(&path, "%s/%s", args->keep_old, old[i].name) < 0)
			return complain(args->keep_old);
		if (!outfile_open(&out, path)) {
			code = complain(path);
		} else {
			if (!outfile_write(&out, old[i].data, old[i].len) || !outfile_commit(&out))
				code = complain(path);
			outfile_close(&out);
		}
		free(path);
	}
	return code;
}

/* old: what is not kept elsewhere. */
static int write_record(struct nmibt_recorder *rec, const struct arguments *args,
			const struct old_file *old, unsigned int nr)
{
	size_t room = args->size ? args->size : pstore_pmsg_room(SYS);
	struct zone zone = {.room = room ? room : DEFAULT_ROOM};
	bool is_whole;

	struct nmibt_error *err = fill_zone(rec, old, nr, &zone, &is_whole);
	int code = err ? fail(err) : write_pmsg(args->pmsg, &zone, is_whole);
	free(zone.data);
	return code;
}

static int put_variable(const char *dir, const struct zone *zone)
{
	char *path;
	int code = 0;

	if (efivars_write(dir, zone->data, zone->len, &path))
		fprintf(stderr, RECORD_IN, zone->len, path, "");
	else
		code = complain(path ? path : dir);
	free(path);
	return code;
}

/* Where there is no room, nothing is written: that is said, and is no failure. */
static int write_efivars(struct nmibt_recorder *rec, const struct arguments *args)
{
	size_t max = args->size ? args->size : EFIVARS_ROOM;
	struct zone zone = {.room = efivars_room(args->efivars, max)};
	bool is_whole;

	if (zone.room < MIN_RECORD) {
		fprintf(stderr, "vmcore-nmibt: no record in EFI variables: %s has no room\n",
			args->efivars);
		return 0;
	}
	struct nmibt_error *err = fill_zone(rec, NULL, 0, &zone, &is_whole);
	int code = err ? fail(err) : put_variable(args->efivars, &zone);
	free(zone.data);
	return code;
}

/* Many kernels have no pmsg: that is said, and is no failure. */
static int write_pstore(struct nmibt_recorder *rec, const struct arguments *args)
{
	struct old_file *old;
	unsigned int nr;

	bool has_memory =
		pstore_read_old(OLD_PSTORE, args->keep_old ? SIZE_MAX : MAX_OLD, &old, &nr);
	int code = !has_memory	    ? complain(OLD_PSTORE)
		   : args->keep_old ? copy_old(args, old, nr)
				    : 0;
	if (!args->pmsg)
		;
	else if (access(args->pmsg, F_OK) && errno == ENOENT)
		fprintf(stderr, "vmcore-nmibt: no record in pstore: this kernel has no %s\n",
			args->pmsg);
	else
		code = worse(code, write_record(rec, args, old, args->keep_old && !code ? 0 : nr));
	pstore_free_old(old, nr);
	return code;
}

/* ------------------------------------------------------------------------- summary */

static int write_summary(struct nmibt_recorder *rec, const char *path, int fd)
{
	struct nmibt_error *err =
		fd < 0 ? NULL : nmibt_recorder_summary(rec, SUMMARY_LINES, write_fd, &fd);

	if (fd < 0)
		return complain(path);
	return err ? fail(err) : 0;
}

static int write_device(struct nmibt_recorder *rec, const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	int code = write_summary(rec, path, fd);

	if (fd >= 0)
		close(fd);
	return code;
}

/* /dev/kmsg makes a record of the log of each write, and refuses one of about 1000 bytes: that is a
 * line, or a part of a long list of CPUs. */
struct kmsg {
	int fd;
	size_t len;
	char line[512];
};

/* A part ends behind a comma, so that no number is in two. */
static bool write_part(struct kmsg *kmsg)
{
	size_t len = kmsg->len;

	while (len && kmsg->line[len - 1] != ',' && kmsg->line[len - 1] != '\n')
		len--;
	len = len ?: kmsg->len;
	bool done = write_all(kmsg->fd, kmsg->line, len);
	kmsg->len -= len;
	memmove(kmsg->line, kmsg->line + len, kmsg->len);
	return done;
}

static bool write_kmsg(void *ctx, const char *data, size_t len)
{
	struct kmsg *kmsg = ctx;
	bool done = true;

	for (size_t i = 0; i < len && done; i++) {
		kmsg->line[kmsg->len++] = data[i];
		if (data[i] == '\n' || kmsg->len == sizeof(kmsg->line))
			done = write_part(kmsg);
	}
	return done;
}

static int write_log(struct nmibt_recorder *rec)
{
	struct kmsg kmsg = {.fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC)};

	if (kmsg.fd < 0)
		return complain("/dev/kmsg");
	struct nmibt_error *err = nmibt_recorder_summary(rec, SUMMARY_LINES, write_kmsg, &kmsg);
	close(kmsg.fd);
	return err ? fail(err) : 0;
}

/* ------------------------------------------------------------------------ together */

/* Everything is tried, whatever fails before it. pstore comes first: it is what is left when
 * nothing else can be written. */
static int write_everything(struct nmibt_recorder *rec, const struct arguments *args)
{
	bool has_place = args->output || args->record || args->pmsg || args->efivars;
	int code = 0, fd = STDERR_FILENO;

	if (args->pmsg || args->keep_old)
		code = worse(code, write_pstore(rec, args));
	if (args->efivars)
		code = worse(code, write_efivars(rec, args));
	if (args->console)
		code = worse(code, write_device(rec, args->console));
	else if (has_place)
		code = worse(code, write_summary(rec, "standard error", fd));
	if (args->kmsg)
		code = worse(code, write_log(rec));
	if (args->output)
		code = worse(code, write_file(rec, args, args->output, produce_text));
	if (args->record)
		code = worse(code, write_file(rec, args, args->record, produce_record));
	fd = STDOUT_FILENO;
	if (!has_place) {
		struct nmibt_error *err = nmibt_recorder_text(rec, write_fd, &fd);

		if (err)
			code = worse(code, fail(err));
	}
	return code || nmibt_recorder_is_complete(rec) ? code : 3;
}

int main(int argc, char **argv)
{
	struct arguments args = {0};
	struct nmibt_recorder *rec;
	int code = parse(argc, argv, &args);

	if (code >= 0)
		return code;
	/* Whoever reads standard error may have gone; the files are still to be written. */
	signal(SIGPIPE, SIG_IGN);
	struct nmibt_error *err = nmibt_recorder_open(args.vmcore, &rec);
	if (err)
		return fail(err);
	code = write_everything(rec, &args);
	nmibt_recorder_close(rec);
	return code;
}
