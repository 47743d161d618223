// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Test driver: the report of a plain ELF vmcore, without crash.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <nmibt/nmibt.h>

static int fail(struct nmibt_error *err)
{
	/* Damage is 3 only where something could still be printed. */
	int code = err->code < NMIBT_ERR_DAMAGED ? (int)err->code : 4;

	fprintf(stderr, "nmibt-elf: %s\n", err->message);
	nmibt_error_destroy(err);
	return code;
}

static int print_report(const struct nmibt_image *image, enum nmibt_source wish,
			struct nmibt_render_options *options, const char *cpus)
{
	struct nmibt_report *report;
	struct nmibt_error *err = nmibt_report_open(image, wish, &report);
	if (err)
		return fail(err);

	bool *mask = calloc(report->capture.desc.nr_slots, sizeof(*mask));
	int code;
	options->cpus = cpus ? mask : NULL;
	err = cpus && mask ? nmibt_parse_cpus(cpus, mask, report->capture.desc.nr_slots) : NULL;
	if (!err)
		err = nmibt_render_text(report, options, stdout, &code);
	if (err)
		code = fail(err);
	free(mask);
	nmibt_report_close(report);
	return code;
}

int main(int argc, char **argv)
{
	struct nmibt_render_options options = {.width = 100};
	enum nmibt_source wish = NMIBT_SOURCE_AUTO;
	const char *cpus = NULL;
	bool usage = false;
	int opt;

	while ((opt = getopt(argc, argv, "c:slrtoS:")) != -1) {
		switch (opt) {
		case 'c':
			cpus = optarg;
			break;
		case 'S':
			usage |= !nmibt_source_parse(optarg, &wish);
			break;
		default:
			usage |= !nmibt_render_option(&options, opt);
		}
	}
	if (usage || optind + 1 != argc) {
		fputs("usage: nmibt-elf [-slrto] [-c CPUS] [-S SOURCE] VMCORE\n", stderr);
		return 2;
	}

	struct nmibt_elf *elf;
	struct nmibt_error *err = nmibt_elf_open(argv[optind], &elf);
	if (err)
		return fail(err);
	struct nmibt_image image;
	nmibt_elf_image(elf, &image);
	int code = print_report(&image, wish, &options, cpus);
	nmibt_elf_close(elf);
	return code;
}
