/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reports of a fuzzed image are safe for a terminal, as text and as JSON. */
#ifndef NMIBT_FUZZ_CHECK_REPORT_H
#define NMIBT_FUZZ_CHECK_REPORT_H

#include "../unit/safe-text.h"
#include "check.h"
#include "json/json.h"
#include "render/render.h"
#include "report/report.h"

static inline void check_format(const struct nmibt_report *report,
				const struct nmibt_render_options *options)
{
	char *text;
	size_t len;
	int code;
	FILE *out = open_memstream(&text, &len);

	CHECK(out);
	CHECK(!(options->format == NMIBT_FORMAT_JSON ? nmibt_json_file : nmibt_render_file)(
		report, options, out, &code));
	fclose(out);
	CHECK(!unsafe_text(text, len));
	CHECK(code == 0 || code == 1 || code == 3);
	free(text);
}

/* Of a report that can't be opened nothing is checked. options: of the text. */
static inline void check_report(struct nmibt_input *input, unsigned int crash,
				struct nmibt_render_options options)
{
	struct nmibt_report *report;
	struct nmibt_error *err = nmibt_report_open(input, crash, NULL, &report);

	if (err) {
		nmibt_error_destroy(err);
		return;
	}
	options.format = NMIBT_FORMAT_TEXT;
	check_format(report, &options);
	options.format = NMIBT_FORMAT_JSON;
	check_format(report, &options);
	nmibt_report_close(report);
}

#endif
