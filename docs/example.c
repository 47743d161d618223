// SPDX-License-Identifier: GPL-2.0-or-later
/* Where each CPU was: its outcome, its task, and the function that it was in. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <nmibt/nmibt.h>

static int fail(struct nmibt_error *err)
{
	fprintf(stderr, "example: %s\n", nmibt_error_message(err));
	nmibt_error_destroy(err);
	return 1;
}

static void print_cpu(const struct nmibt_cpu *cpu)
{
	const struct nmibt_frame *frame = nmibt_stack_place(nmibt_cpu_stack(cpu));
	size_t len = 0;
	const char *function = frame ? nmibt_frame_function(frame, &len) : "";
	char name[NMIBT_TASK_NAME_LEN] = "";
	int32_t pid = -1;

	if (nmibt_cpu_is_user(cpu)) {
		function = "user mode";
		len = strlen(function);
	}
	nmibt_cpu_task(cpu, &pid, name);
	printf("CPU %u  %s  PID %" PRId32 " %s  in %.*s\n", nmibt_cpu_number(cpu),
	       nmibt_outcome_name(nmibt_cpu_outcome(cpu)), pid, name, (int)len, function);
}

int main(int argc, char **argv)
{
	struct nmibt_input *input = NULL;
	struct nmibt_report *report = NULL;
	struct nmibt_cpu *cpu;
	struct nmibt_error *err =
		nmibt_input_open((const char *const *)argv + 1, argc - 1, NULL, &input);

	if (!err)
		err = nmibt_report_open(input, 0, NULL, &report);
	for (unsigned int i = 0; !err && i < nmibt_report_nr_cpus(report); i++) {
		err = nmibt_report_cpu(report, i, &cpu);
		if (err)
			break;
		print_cpu(cpu);
		nmibt_cpu_close(cpu);
	}
	nmibt_report_close(report);
	nmibt_input_close(input);
	return err ? fail(err) : 0;
}
