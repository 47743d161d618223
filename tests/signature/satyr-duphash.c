// SPDX-License-Identifier: GPL-2.0-or-later
/* Prints the duphash that satyr's own library makes of each text on standard input; a text ends with
 * a null byte. The argument is the number of frames that count, 0: all. An empty line: satyr finds no
 * trace in the text. */
#include <stdio.h>
#include <stdlib.h>

#include "koops/stacktrace.h"
#include "location.h"
#include "thread.h"

static void print_duphash(const char *text, int nr_frames)
{
	struct sr_location location;

	sr_location_init(&location);
	struct sr_koops_stacktrace *trace = sr_koops_stacktrace_parse(&text, &location);
	if (!trace || !trace->frames) {
		puts("");
		return;
	}
	char *hash = sr_thread_get_duphash((struct sr_thread *)trace, nr_frames, NULL, 0);
	puts(hash ?: "");
	free(hash);
	sr_koops_stacktrace_free(trace);
}

int main(int argc, char **argv)
{
	char *text = NULL;
	size_t size = 0;

	while (getdelim(&text, &size, '\0', stdin) > 0)
		print_duphash(text, argc > 1 ? atoi(argv[1]) : 0);
	free(text);
	return 0;
}
