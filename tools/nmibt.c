// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nmibt, the offline tool: what every CPU was doing when the kernel in a vmcore
 * died, without crash and without a vmlinux. A thin front end of libnmibt.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <nmibt/debuginfo.h>
#include <nmibt/json.h>

#define USAGE "usage: nmibt [OPTION]... VMCORE [PART]...\n"

static const char help[] = USAGE
	"Says what every CPU was doing when the kernel in VMCORE died. A kernel with nmibt's\n"
	"patches captured NMI backtraces, which are shown beside the registers saved at the\n"
	"stop. For other kernels nmibt shows what the log, the NMI buffers and the registers "
	"tell.\n"
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
	"  -g, --group          each stack once, with the CPUs that have it\n"
	"  -f, --folded         a line for each stack, for flame graphs\n"
	"  -i, --signature      the crash signature, and how it was made; see docs/signature.md\n"
	"  -S, --source=SOURCE  this source only: vmcoreinfo or scan for the capture;\n"
	"                       nmi-buffers, log, registers or vcpu of other kernels\n"
	"      --describe       write a description that testdumps/mkdump makes a dump from; it\n"
	"                       leaves out names of tasks, messages, and what else identifies\n"
	"                       the machine\n"
	"      --vmlinux=FILE   as -l, by this vmlinux\n"
	"      --force          use the vmlinux that --vmlinux names even if it is of another "
	"build\n"
	"      --debug-path=DIR[:DIR...]\n"
	"                       as -l, and look in these folders, not in /usr/lib/debug\n"
	"      --debuginfod     as -l, and fetch the vmlinux from $DEBUGINFOD_URLS if need be\n"
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
	struct nmibt_debuginfo_options debuginfo;
};

static int fail(struct nmibt_error *err)
{
	/* Exit code 3 is for damaged dumps of which something was printed, so all else is 4. */
	int code = nmibt_error_code(err);

	if (code >= NMIBT_ERR_DAMAGED)
		code = 4;
	fprintf(stderr, "nmibt: %s\n", nmibt_error_message(err));
	nmibt_error_destroy(err);
	return code;
}

static int usage(void)
{
	fputs(USAGE "Try nmibt --help.\n", stderr);
	return 2;
}

enum { HELP = 256, VERSION, DESCRIBE, VMLINUX, FORCE, DEBUG_PATH, DEBUGINFOD };
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
	{"describe", no_argument, NULL, DESCRIBE},
	{"vmlinux", required_argument, NULL, VMLINUX},
	{"force", no_argument, NULL, FORCE},
	{"debug-path", required_argument, NULL, DEBUG_PATH},
	{"debuginfod", no_argument, NULL, DEBUGINFOD},
	{"help", no_argument, NULL, HELP},
	{"version", no_argument, NULL, VERSION},
	{0},
};

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

/* Returns the exit code, or -1: go on. */
static int parse(int argc, char **argv, struct arguments *args)
{
	int c, code;

	while ((c = getopt_long(argc, argv, "c:S:" NMIBT_RENDER_LETTERS, options, NULL)) != -1) {
		code = take_option(c, args);
		if (code >= 0)
			return code;
	}
	return optind < argc ? -1 : usage();
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

/* *ret_info: NULL if no vmlinux is needed. */
static struct nmibt_error *open_report(struct nmibt_input *input, const struct arguments *args,
				       struct nmibt_debuginfo **ret_info, struct nmibt_report **ret)
{
	*ret_info = NULL;
	/* Dumps of kernels before 6.0 don't say where the kernel's variables are. */
	struct nmibt_error *err =
		args->render.lines || nmibt_debuginfo_is_needed(input)
			? nmibt_debuginfo_attach(input, &args->debuginfo, ret_info)
			: NULL;

	return err ?: nmibt_report_open(input, 0, &args->report, ret);
}

static int print_input(struct nmibt_input *input, struct arguments *args)
{
	struct nmibt_debuginfo *info;
	struct nmibt_report *report;
	int code;

	struct nmibt_error *err = open_report(input, args, &info, &report);
	/* Only now is it known whether pages could be decompressed. */
	const char *remark = nmibt_input_remark(input);
	if (remark)
		fprintf(stderr, "nmibt: %s\n", remark);
	if (err)
		return fail(err);
	err = print_report(report, args, &code);
	nmibt_report_close(report);
	if (!ferror(stdout) && err)
		return fail(err);
	nmibt_error_destroy(err);
	const char *complaint;
	for (unsigned int i = 0;
	     args->render.lines && (complaint = nmibt_debuginfo_complaint(info, i)); i++)
		fprintf(stderr, "nmibt: -l: %s\n", complaint);
	if (fflush(stdout) || ferror(stdout)) {
		perror("nmibt: writing the output");
		return 4;
	}
	return code;
}

int main(int argc, char **argv)
{
	struct arguments args = {
		.render.size = sizeof(args.render),
		.report.size = sizeof(args.report),
		.debuginfo.size = sizeof(args.debuginfo),
	};
	int code = parse(argc, argv, &args);

	if (code >= 0)
		return code;
	fit_to_terminal(&args.render);

	struct nmibt_input *input;
	struct nmibt_error *err =
		nmibt_input_open((const char *const *)argv + optind, argc - optind, NULL, &input);
	if (err)
		return fail(err);
	code = print_input(input, &args);
	nmibt_input_close(input);
	return code;
}
