// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nmibt, the offline tool: what every CPU was doing when the kernel in a vmcore
 * died, without crash and without a vmlinux. A thin front end of libnmibt.
 *
 * This process opens files and prints. A child of it, which can do neither, reads the dump.
 */
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <nmibt/debuginfo.h>
#include <nmibt/json.h>

#include "batch.h"
#include "debugfiles.h"
#include "extract.h"
#include "names.h"
#include "newfile.h"
#include "sandbox.h"
#include "standard-input.h"

#define USAGE                                                                                      \
	"usage: nmibt [OPTION]... VMCORE [PART]...\n"                                              \
	"       nmibt --extract [--redact] OUT VMCORE [PART]...\n"                                 \
	"       nmibt --extract --list [--redact] VMCORE [PART]...\n"                              \
	"       nmibt --json --batch[=FORM] [OPTION]... <NAMES\n"

static const char help[] = USAGE
	"Says what every CPU was doing when the kernel in VMCORE died. A kernel with nmibt's\n"
	"patches captured NMI backtraces, which are shown beside the registers saved at the\n"
	"stop. For other kernels nmibt shows what the log, the NMI buffers and the registers "
	"tell.\n"
	"VMCORE may also be a text that has the kernel's log, as a console, dmesg, syslog or a "
	"mail\n"
	"has it, also compressed by gzip, xz or zstd; - is standard input.\n"
	"\n"
	"  -c, --cpu=LIST       only these CPUs: 3, 1,8-14, or a for all\n"
	"  -s, --summary        the summary only\n"
	"  -l, --lines          with file and line of each frame, by the vmlinux of the dump's\n"
	"                       build-id: beside the dump, or in /usr/lib/debug\n"
	"  -r, --raw            the text as raw bytes, escaped, level headers included\n"
	"  -t, --header         also the header fields of the slots, and all registers\n"
	"  -o, --older          also older backtraces of each CPU\n"
	"  -v, --verbose        also what is merely absent, and all of the timeline\n"
	"  -j, --json           one JSON document instead of text; see docs/json.md\n"
	"      --batch[=FORM]   names of many dumps come on standard input, one a line, and for "
	"each "
	"a\n"
	"                       line of JSON is written; FORM is lines, null or lists, see "
	"nmibt(1)\n"
	"  -g, --group          each stack once, with the CPUs that have it\n"
	"  -f, --folded         a line for each stack, for flame graphs\n"
	"  -i, --signature      the crash signature, and how it was made; see docs/signature.md\n"
	"  -S, --source=SOURCE  this source only: vmcoreinfo or scan for the capture;\n"
	"                       nmi-buffers, log, registers or vcpu of other kernels\n"
	"      --crash=N        of several logs in the files, the one of this number; by default "
	"the\n"
	"                       last of a kernel that crashed\n"
	"      --extract        write what a report of VMCORE is made of, and nothing else, to the "
	"new\n"
	"                       file OUT, of which nmibt makes the same report; with --list say "
	"what\n"
	"                       that is, with -v each piece\n"
	"      --redact         with --extract: replace names of tasks and of the host, unknown "
	"lines\n"
	"                       of the log, and registers of user mode; nmibt(1) has its limits\n"
	"      --list           name the logs in the files, and no report\n"
	"      --describe       write a description that testdumps/mkdump makes a dump from; it\n"
	"                       leaves out names of tasks, messages, and what else identifies\n"
	"                       the machine\n"
	"      --vmlinux=FILE   as -l, by this vmlinux\n"
	"      --file=NAME      print an old file of pstore that is in a record, and no report\n"
	"      --force          use the vmlinux that --vmlinux names even if it is of another "
	"build\n"
	"      --debug-path=DIR[:DIR...]\n"
	"                       as -l, and look in these folders, not in /usr/lib/debug\n"
	"      --debuginfod     as -l, and fetch the vmlinux from $DEBUGINFOD_URLS if need be\n"
	"      --no-sandbox     do not lock down the process that reads the dump, for valgrind\n"
	"      --help           this text\n"
	"      --version        the version\n"
	"\n"
	"With several files, they are the parts of one split dump.\n"
	"Exit status: 0 printed, 1 nothing found, 2 wrong usage, 3 damaged but printed in\n"
	"part, 4 the dump can't be used.\n";

struct arguments {
	struct nmibt_render_options render;
	struct nmibt_report_options report;
	const char *cpus;
	enum batch_form batch;
	const char *file; /* of pstore; NULL: the report is wanted */
	unsigned int crash; /* 0: the default one */
	bool list; /* what --crash can choose is wanted, and no report */
	bool is_extract; /* an extract is wanted, and no report */
	struct extract_options extract;
	struct newfile extract_file;
	struct nmibt_debuginfo_options debuginfo;
	bool use_debuginfo;
	bool unlocked;
	bool is_temporary; /* there is no report for a reason that is not in the dump */
	bool may_crash; /* the process that reads the dump */
	const char *const *paths; /* of the dump */
	char **names; /* of the same files, as messages have them */
	int *fds; /* of the dump, and of the vmlinux that an option names */
	unsigned int nr_paths, nr_fds;
};

/* The child's exit code where debugging information is needed that it was not started for. */
#define NEEDS_DEBUGINFO 5

static int fail(const struct arguments *args, struct nmibt_error *err)
{
	/* Exit code 3 is for damaged dumps of which something was printed, so all else is 4. */
	int code = nmibt_error_code(err);

	if (code == NMIBT_ERR_NOMEM)
		fprintf(stderr, "nmibt: %s: out of memory\n", args->names[0]);
	else
		fprintf(stderr, "nmibt: %s\n", nmibt_error_message(err));
	code = code == NMIBT_ERR_NOMEM ? SANDBOX_NO_MEMORY : code >= NMIBT_ERR_DAMAGED ? 4 : code;
	nmibt_error_destroy(err);
	return code;
}

static int usage(void)
{
	fputs(USAGE "Try nmibt --help.\n", stderr);
	return 2;
}

enum {
	HELP = 256,
	VERSION,
	BATCH,
	DESCRIBE,
	CRASH,
	EXTRACT,
	REDACT,
	LIST,
	OLD_FILE,
	VMLINUX,
	FORCE,
	DEBUG_PATH,
	DEBUGINFOD,
	NO_SANDBOX
};
static const struct option options[] = {
	{"cpu", required_argument, NULL, 'c'},
	{"summary", no_argument, NULL, 's'},
	{"lines", no_argument, NULL, 'l'},
	{"raw", no_argument, NULL, 'r'},
	{"header", no_argument, NULL, 't'},
	{"older", no_argument, NULL, 'o'},
	{"verbose", no_argument, NULL, 'v'},
	{"json", no_argument, NULL, 'j'},
	{"group", no_argument, NULL, 'g'},
	{"folded", no_argument, NULL, 'f'},
	{"signature", no_argument, NULL, 'i'},
	{"source", required_argument, NULL, 'S'},
	{"batch", optional_argument, NULL, BATCH},
	{"crash", required_argument, NULL, CRASH},
	{"extract", no_argument, NULL, EXTRACT},
	{"redact", no_argument, NULL, REDACT},
	{"list", no_argument, NULL, LIST},
	{"file", required_argument, NULL, OLD_FILE},
	{"describe", no_argument, NULL, DESCRIBE},
	{"vmlinux", required_argument, NULL, VMLINUX},
	{"force", no_argument, NULL, FORCE},
	{"debug-path", required_argument, NULL, DEBUG_PATH},
	{"debuginfod", no_argument, NULL, DEBUGINFOD},
	{"no-sandbox", no_argument, NULL, NO_SANDBOX},
	{"help", no_argument, NULL, HELP},
	{"version", no_argument, NULL, VERSION},
	{0},
};

/* Returns the exit code, or -1: go on. */
static int take_crash(struct arguments *args)
{
	char *end;
	unsigned long crash = strtoul(optarg, &end, 10);

	if (!crash || crash > UINT_MAX || *end || *optarg == '-') {
		fprintf(stderr, "nmibt: no crash \"%s\": they are numbered from 1\n", optarg);
		return 2;
	}
	args->crash = crash;
	args->debuginfo.crash = crash;
	return -1;
}

/* Returns the exit code, or -1: go on. */
static int take_option(int c, struct arguments *args)
{
	switch (c) {
	case 'c':
		args->cpus = optarg;
		break;
	case 'S':
		if (nmibt_source_parse(optarg, &args->report.source))
			break;
		fprintf(stderr, "nmibt: no source \"%s\": %s\n", optarg, NMIBT_SOURCE_NAMES);
		return 2;
	case BATCH:
		if (batch_parse_form(optarg, &args->batch))
			break;
		fprintf(stderr, "nmibt: no form of names \"%s\": lines, null or lists\n", optarg);
		return 2;
	case CRASH:
		return take_crash(args);
	case EXTRACT:
		args->is_extract = true;
		break;
	case REDACT:
		args->extract.redact = true;
		break;
	case LIST:
		args->list = true;
		break;
	case OLD_FILE:
		args->file = optarg;
		break;
	case DESCRIBE:
		args->render.format = NMIBT_FORMAT_DESCRIPTION;
		break;
	case VMLINUX:
		args->debuginfo.vmlinux = optarg;
		args->render.lines = true;
		break;
	case FORCE:
		args->debuginfo.force = true;
		break;
	case DEBUG_PATH:
		args->debuginfo.debug_path = optarg;
		args->render.lines = true;
		break;
	case DEBUGINFOD:
		args->debuginfo.debuginfod = true;
		args->render.lines = true;
		break;
	case NO_SANDBOX:
		args->unlocked = true;
		break;
	case HELP:
		fputs(help, stdout);
		return 0;
	case VERSION:
		puts("nmibt " NMIBT_VERSION);
		return 0;
	default:
		if (!nmibt_render_option(&args->render, c))
			return usage();
	}
	return -1;
}

/* An extract is for every source and CPU: who asks for some of them would think that others don't go
 * out. */
static bool chooses_of_report(const struct arguments *args)
{
	return args->file || args->cpus || args->report.source != NMIBT_SOURCE_AUTO;
}

/* Many dumps come out as JSON alone, and their names on standard input alone. */
static bool is_usable(const struct arguments *args)
{
	if (args->extract.redact && !args->is_extract)
		return false;
	if (!args->batch)
		return args->nr_paths && !(args->is_extract && chooses_of_report(args));
	return !args->nr_paths && !args->is_extract && !args->file &&
	       args->render.format == NMIBT_FORMAT_JSON;
}

/* Returns the exit code, or -1: go on. */
static int parse(int argc, char **argv, struct arguments *args)
{
	int c, code;

	while ((c = getopt_long(argc, argv, "c:S:" NMIBT_RENDER_LETTERS, options, NULL)) != -1) {
		code = take_option(c, args);
		if (code >= 0)
			return code;
	}
	args->use_debuginfo = args->render.lines;
	args->paths = (const char *const *)argv + optind;
	args->nr_paths = argc - optind;
	args->extract.is_list = args->list;
	args->extract.each = args->render.verbose;
	if (args->is_extract && !args->list && args->nr_paths) {
		args->extract.path = *args->paths++;
		args->nr_paths--;
	}
	if (args->extract.path && !strcmp(args->extract.path, "-")) {
		fputs("nmibt: an extract is not written to standard output: name a file; ./- is "
		      "one of the name -\n",
		      stderr);
		return 2;
	}
	return is_usable(args) ? -1 : usage();
}

static void fit_to_terminal(struct nmibt_render_options *options)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	struct winsize size;

	if (!isatty(STDOUT_FILENO))
		return;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		options->width = size.ws_col;
	options->colour = !(no_color && *no_color) && term && strcmp(term, "dumb");
}

static void die_of_memory(void)
{
	fputs("nmibt: out of memory\n", stderr);
	exit(4);
}

static bool write_out(void *unused, const char *data, size_t len)
{
	(void)unused;
	return fwrite(data, 1, len, stdout) == len;
}

static struct nmibt_error *print_report(const struct nmibt_report *report, struct arguments *args,
					int *ret)
{
	unsigned int nr = nmibt_report_nr_cpus(report);
	bool *cpus = NULL;
	struct nmibt_error *err = NULL;

	if (args->cpus) {
		cpus = calloc(nr, sizeof(*cpus));
		if (!cpus)
			die_of_memory();
		err = nmibt_parse_cpus(args->cpus, cpus, nr);
		args->render.cpus = cpus;
	}
	if (!err)
		err = (args->render.format == NMIBT_FORMAT_JSON ? nmibt_render_json : nmibt_render)(
			report, &args->render, write_out, NULL, ret);
	free(cpus);
	return err;
}

/* ---------------------------------------------------------------------- the child */

/* *ret_info: NULL if no vmlinux is needed. */
static struct nmibt_error *open_report(struct nmibt_input *input, const struct arguments *args,
				       struct nmibt_debuginfo **ret_info, struct nmibt_report **ret)
{
	*ret_info = NULL;
	struct nmibt_error *err =
		args->use_debuginfo ? nmibt_debuginfo_attach(input, &args->debuginfo, ret_info)
				    : NULL;

	unsigned int crash = args->crash ? args->crash - 1 : nmibt_input_default_crash(input);

	return err ?: nmibt_report_open(input, crash, &args->report, ret);
}

/* A record that lacks something has a summary of everything. */
static void print_summary(struct nmibt_input *input, const struct arguments *args)
{
	const char *summary = nmibt_input_summary(input);

	if (summary && args->render.format == NMIBT_FORMAT_TEXT)
		printf("\n[what vmcore-nmibt wrote of all CPUs before the dump was taken:]\n%s",
		       summary);
}

/* A record may have the ends of files that the capture kernel has overwritten. */
static void name_files(struct nmibt_input *input, const struct arguments *args)
{
	if (args->render.format != NMIBT_FORMAT_TEXT || !nmibt_input_file(input, 0))
		return;
	fputs("\n[old files of pstore that are in the record:", stdout);
	for (unsigned int i = 0; nmibt_input_file(input, i); i++)
		printf("%s %s", i ? "," : "", nmibt_input_file(input, i));
	puts("; --file prints them]");
}

static int print_file(struct nmibt_input *input, const struct arguments *args)
{
	const char *name;

	for (unsigned int i = 0; (name = nmibt_input_file(input, i)); i++) {
		if (strcmp(name, args->file))
			continue;
		struct nmibt_error *err = nmibt_input_write_file(input, i, write_out, NULL);
		return err ? fail(args, err) : 0;
	}
	fprintf(stderr, "nmibt: %s: no file of pstore of this name is in it\n", args->names[0]);
	return 1;
}

static int print_list(struct nmibt_input *input, const struct arguments *args)
{
	unsigned int nr = nmibt_input_nr_crashes(input), shown = nmibt_input_default_crash(input);

	for (unsigned int i = 0; i < nr; i++)
		printf("%c%4u  %s\n", i == shown ? '*' : ' ', i + 1,
		       nmibt_input_crash_name(input, i) ?: args->names[0]);
	return 0;
}

static struct nmibt_error *open_and_remark(struct nmibt_input *input, struct arguments *args,
					   struct nmibt_debuginfo **ret_info,
					   struct nmibt_report **ret)
{
	struct nmibt_error *err = open_report(input, args, ret_info, ret);
	/* Only now is it known whether pages could be decompressed. */
	const char *remark = nmibt_input_remark(input);

	if (remark)
		fprintf(stderr, "nmibt: %s\n", remark);
	return err;
}

static int print_input(struct nmibt_input *input, struct arguments *args)
{
	struct nmibt_debuginfo *info;
	struct nmibt_report *report;
	int code;

	struct nmibt_error *err = open_and_remark(input, args, &info, &report);
	if (err) {
		print_summary(input, args);
		return fail(args, err);
	}
	err = print_report(report, args, &code);
	bool is_complete = nmibt_report_is_complete(report);
	nmibt_report_close(report);
	if (err)
		return fail(args, err);
	if (!is_complete)
		print_summary(input, args);
	name_files(input, args);
	const char *complaint;
	for (unsigned int i = 0;
	     args->render.lines && (complaint = nmibt_debuginfo_complaint(info, i)); i++)
		fprintf(stderr, "nmibt: -l: %s\n", complaint);
	return code;
}

/* There is no child. */
static bool write_file(void *ctx, const char *data, size_t len)
{
	return newfile_write(ctx, data, len);
}

static int extract_input(struct nmibt_input *input, struct arguments *args, bool is_child)
{
	bool is_file = args->extract.path && !is_child;
	const struct extract_output output = {
		.write = is_file ? write_file : write_out,
		.ctx = &args->extract_file,
		.fd = is_file ? args->extract_file.fd : STDOUT_FILENO,
	};
	struct nmibt_debuginfo *info;
	struct nmibt_report *report;
	int code;

	struct nmibt_error *err = open_and_remark(input, args, &info, &report);
	if (err)
		return fail(args, err);
	err = extract_make(report, args->names[0], &args->extract, &output, &code);
	nmibt_report_close(report);
	return err ? fail(args, err) : code;
}

/* Libraries can't be loaded later. */
static void load_libraries(void *ctx)
{
	const struct arguments *args = ctx;

	for (unsigned int i = 0; i < args->nr_paths; i++)
		nmibt_load_libraries(args->fds[i]);
}

static void take_risks(void *ctx)
{
	struct arguments *args = ctx;

	args->may_crash = true;
}

static int read_dump(void *ctx, int channel)
{
	struct arguments *args = ctx;
	const struct nmibt_input_options options = {
		.size = sizeof(options),
		.fds = args->fds,
		.may_crash = args->may_crash,
	};
	struct nmibt_input *input;

	if (channel >= 0)
		args->debuginfo.search = debugfiles_ask;
	args->debuginfo.ctx = &channel;
	struct nmibt_error *err = nmibt_input_open((const char *const *)args->names, args->nr_paths,
						   &options, &input);
	if (err)
		return fail(args, err);
	/* Dumps of kernels before 6.0 don't say where the kernel's variables are. */
	int code = args->list && !args->is_extract ? print_list(input, args)
		   : args->file			   ? print_file(input, args)
		   : !args->use_debuginfo && nmibt_debuginfo_is_needed(input) ? NEEDS_DEBUGINFO
		   : args->is_extract ? extract_input(input, args, channel >= 0)
				      : print_input(input, args);
	nmibt_input_close(input);
	return code;
}

/* --------------------------------------------------------------------- the parent */

static void answer(void *ctx, int channel, const void *request, size_t len)
{
	const struct arguments *args = ctx;

	if (args->use_debuginfo)
		debugfiles_answer(&args->debuginfo, args->paths[0], channel, request, len);
}

static bool take_extract(void *ctx, int fd)
{
	return extract_copy(&((struct arguments *)ctx)->extract_file, fd);
}

/* Returns the exit code, or -1: go on. */
static int open_file(struct arguments *args, const char *path, const char *name, const char *what)
{
	/* In a batch standard input has the names, of which "-" is one as any other. */
	int fd = args->batch || strcmp(path, "-")
			 ? open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) /* a FIFO would block */
			 : open_standard_input();

	if (fd < 0) {
		fprintf(stderr, "nmibt: %s: %s%m\n", name, what);
		args->is_temporary = true;
		return 4;
	}
	args->fds[args->nr_fds++] = fd;
	return -1;
}

/* Returns the exit code, or -1: go on. */
static int open_files(struct arguments *args)
{
	int code = -1;

	args->names = names_for_messages(args->paths, args->nr_paths);
	args->fds = calloc(args->nr_paths + 1, sizeof(*args->fds));
	if (!args->names || !args->fds) {
		fputs("nmibt: out of memory\n", stderr);
		args->is_temporary = true;
		return 4;
	}
	for (unsigned int i = 0; i < args->nr_paths && code < 0; i++)
		code = open_file(args, args->paths[i], args->names[i], "can't be opened: ");
	if (code < 0 && args->debuginfo.vmlinux) {
		args->debuginfo.vmlinux_fd = &args->fds[args->nr_fds];
		code = open_file(args, args->debuginfo.vmlinux, args->debuginfo.vmlinux, "");
	}
	return code;
}

/* A search through the memory in a dump may read all of it, and a disk gives 16 MiB in a second. A text
 * that was compressed may be 30 times as large, and is read twice. Nothing of it lasts a day. */
static unsigned int seconds_for(const struct arguments *args)
{
	uint64_t seconds = 60;

	for (unsigned int i = 0; i < args->nr_fds && seconds < 86400; i++) {
		off_t size = lseek(args->fds[i], 0, SEEK_END);

		seconds += size > 0 ? size >> 21 : 0;
	}
	return seconds < 86400 ? seconds : 86400;
}

/* A vmlinux may have a gigabyte, and more when it is unpacked. */
static int run_child(struct arguments *args)
{
	unsigned int seconds = seconds_for(args) * (args->use_debuginfo ? 10 : 1);
	const struct sandbox box = {
		.name = args->names[0],
		.fds = args->fds,
		.nr_fds = args->nr_fds,
		.colour = args->render.colour,
		.unlocked = args->unlocked,
		.verbose = args->render.verbose,
		.seconds = seconds,
		.patience = 10 * seconds, /* a disk may be slow */
		.memory = (args->use_debuginfo ? 8ull : 1ull) << 30,
		.output = 1ull << 30,
		.max_requests = 1000,
		.prepare = args->unlocked ? NULL : load_libraries,
		.locked = take_risks,
		.work = read_dump,
		.answer = answer,
		.take = args->extract.path ? take_extract : NULL,
		.is_temporary = &args->is_temporary,
		.ctx = args,
		.discard = args->use_debuginfo ? 0 : NEEDS_DEBUGINFO,
	};

	return sandbox_run(&box);
}

/* A file that is opened would become one of the standard descriptors that the caller closed. Then
 * writing fails, as it should. */
static void open_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static void close_files(struct arguments *args)
{
	for (unsigned int i = 0; i < args->nr_fds; i++)
		close(args->fds[i]);
	free(args->fds);
	names_free(args->names);
}

static int print_dump(struct arguments *args)
{
	int code = open_files(args);

	if (code < 0)
		code = run_child(args);
	if (code == NEEDS_DEBUGINFO) {
		args->use_debuginfo = true;
		code = run_child(args);
	}
	close_files(args);
	return code;
}

static int write_extract(struct arguments *args)
{
	struct newfile *file = &args->extract_file;

	if (!extract_open_file(file, args->extract.path))
		return 4;
	int code = print_dump(args);
	if ((!code || code == 3) && !extract_commit_file(file))
		code = 4;
	newfile_close(file);
	return code;
}

/* Nothing that was found out about a dump is left for the next one. */
static int print_of_many(void *ctx, const char *const *paths, unsigned int nr,
			 bool *ret_is_temporary)
{
	struct arguments args = *(const struct arguments *)ctx;

	args.paths = paths;
	args.nr_paths = nr;
	int code = print_dump(&args);
	*ret_is_temporary = args.is_temporary;
	return code;
}

int main(int argc, char **argv)
{
	struct arguments args = {
		.render.size = sizeof(args.render),
		.report.size = sizeof(args.report),
		.debuginfo.size = sizeof(args.debuginfo),
	};
	const struct batch batch = {.print = print_of_many, .ctx = &args};

	open_standard_files();
	int code = parse(argc, argv, &args);
	if (code >= 0)
		return code;
	if (args.batch)
		return batch_run(&batch, args.batch);
	if (args.extract.path)
		return write_extract(&args);
	fit_to_terminal(&args.render);
	return print_dump(&args);
}
