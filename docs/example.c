// SPDX-License-Identifier: GPL-2.0-or-later
/* Where each CPU was: its outcome, and the function that it was in. */
#include <stdio.h>
#include <nmibt/nmibt.h>

static void print_and_close(struct nmibt_cpu *cpu)
{
	const struct nmibt_frame *place = nmibt_stack_place(nmibt_cpu_stack(cpu));
	size_t len = 0;
	const char *function = place ? nmibt_frame_function(place, &len) : "";

	printf("CPU %u  %s  %.*s%s%s\n", nmibt_cpu_number(cpu),
	       nmibt_outcome_name(nmibt_cpu_outcome(cpu)), (int)len, function,
	       nmibt_cpu_is_user(cpu) ? "user mode" : "",
	       nmibt_cpu_step(cpu) == NMIBT_STEP_LAST_SEEN ? " (last seen)" : "");
	nmibt_cpu_close(cpu);
}

int main(int argc, char **argv)
{
	struct nmibt_input *input = NULL;
	struct nmibt_report *report = NULL;
	struct nmibt_cpu *cpu;
	struct nmibt_error *err = nmibt_input_open((const char **)argv + 1, argc - 1, NULL, &input);

	if (!err)
		err = nmibt_report_open(input, 0, NULL, &report);
	for (unsigned int i = 0; !err && i < nmibt_report_nr_cpus(report); i++) {
		err = nmibt_report_cpu(report, i, &cpu);
		if (!err)
			print_and_close(cpu);
	}
	bool failed = err;
	if (failed)
		fprintf(stderr, "example: %s\n", nmibt_error_message(err));
	nmibt_error_destroy(err);
	nmibt_report_close(report);
	nmibt_input_close(input);
	return failed;
}
