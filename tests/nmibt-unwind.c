// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Test driver: prints the stacks of CPUs in a vmcore. Each line of the input is a CPU number and
 * the CPU's registers, in hex, in the order of pr_reg. -u uses the dump's vmlinux, which is found
 * as by the tool, or named by -v. -c uses that vmlinux's call frame information even where the tool
 * has something better. -q prints nothing, for timing.
 *
 * A frame is printed as its pc, "=" if that is the next instruction, "?" if the frame is not
 * reliable, and its name.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include <nmibt/debuginfo.h>

#include "debuginfo/cfi.h"
#include "debuginfo/debugfile.h"
#include "image/image.h"
#include "unwind/unwind.h"

struct driver {
	struct nmibt_input *input;
	const struct nmibt_image *image;
	struct nmibt_kernel *kernel;
	/* Both NULL: the stacks are followed as by the tool, with the vmlinux. */
	struct nmibt_unwinder *unwinder;
	struct nmibt_cfi *cfi;
	struct nmibt_debugfile *vmlinux;
	struct nmibt_debuginfo *debuginfo; /* NULL: none is attached */
	bool quiet;
};

static int fail(struct nmibt_error *err)
{
	int code = err->code;

	fprintf(stderr, "nmibt-unwind: %s\n", err->message);
	nmibt_error_destroy(err);
	return code;
}

static void print_frame(const struct nmibt_frame *f)
{
	printf(" %#" PRIx64 "%s%s ", f->addr, f->is_pc || f->is_interrupted ? "=" : "",
	       f->reliable ? "" : "?");
	/* The offset is that of the call, the address is the return address. */
	if (f->function.len)
		printf("%.*s+0x%" PRIx64, (int)f->function.len, f->function.s,
		       f->offset - !(f->is_pc || f->is_interrupted));
	if (f->module.len)
		printf(" [%.*s]", (int)f->module.len, f->module.s);
	putchar('\n');
}

static struct nmibt_error *unwind(struct driver *driver, const struct nmibt_regs *regs,
				  struct nmibt_stack *ret)
{
	if (driver->unwinder)
		return nmibt_unwind(driver->unwinder, regs, ret);
	if (driver->cfi)
		return nmibt_cfi_unwind(driver->cfi, driver->kernel, regs, ret);
	return driver->image->ops->unwind(driver->image->ctx, driver->kernel, regs, ret);
}

static void print_cpu(struct driver *driver, char *line)
{
	struct nmibt_regs regs = {.present = true};
	struct nmibt_stack stack = {0};
	char *word = strtok(line, " \n");

	printf("CPU %s\n", word);
	while ((word = strtok(NULL, " \n")) && regs.nr < ARRAY_SIZE(regs.value))
		regs.value[regs.nr++] = strtoull(word, NULL, 16);
	struct nmibt_error *err = unwind(driver, &regs, &stack);
	if (err)
		printf(" %s\n", err->message);
	nmibt_error_destroy(err);
	for (size_t i = 0; i < stack.nr && !driver->quiet; i++)
		print_frame(&stack.frames[i]);
	nmibt_stack_destroy(&stack);
}

static void print_cpus(struct driver *driver)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0)
		print_cpu(driver, line);
	free(line);
	const char *complaint;
	for (unsigned int i = 0;
	     driver->debuginfo && (complaint = nmibt_debuginfo_complaint(driver->debuginfo, i));
	     i++)
		fprintf(stderr, "nmibt-unwind: %s\n", complaint);
}

static void close_driver(struct driver *driver)
{
	nmibt_cfi_close(driver->cfi);
	nmibt_debugfile_close(driver->vmlinux);
	nmibt_unwinder_close(driver->unwinder);
	nmibt_input_close(driver->input);
	nmibt_kernel_close(driver->kernel);
}

static struct nmibt_error *use_cfi(struct driver *driver, const char *vmlinux)
{
	uint64_t offset = driver->kernel->vmcoreinfo.kerneloffset.value;
	struct nmibt_error *err = nmibt_debugfile_open(open(vmlinux, O_RDONLY), vmlinux, NULL, &driver->vmlinux);

	return err ?: nmibt_debugfile_cfi(driver->vmlinux, offset, &driver->cfi);
}

static struct nmibt_error *open_driver(struct driver *driver,
				       const struct nmibt_debuginfo_options *debuginfo,
				       bool use_vmlinux, bool only_cfi)
{
	struct nmibt_error *err = NULL;

	if (use_vmlinux)
		err = nmibt_debuginfo_attach(driver->input, debuginfo, &driver->debuginfo);
	if (err)
		return err;
	err = nmibt_input_image(driver->input, &driver->image);
	if (!err)
		err = nmibt_kernel_open(driver->image, &driver->kernel);
	if (err)
		return err;
	if (only_cfi)
		return use_cfi(driver, debuginfo->vmlinux);
	return use_vmlinux ? NULL : nmibt_unwinder_open(driver->kernel, &driver->unwinder);
}

int main(int argc, char **argv)
{
	struct nmibt_debuginfo_options debuginfo = {.size = sizeof(debuginfo)};
	bool use_vmlinux = false, only_cfi = false;
	struct driver driver = {0};
	int opt;

	while ((opt = getopt(argc, argv, "cuv:q")) != -1) {
		if (opt == '?')
			return 2;
		driver.quiet |= opt == 'q';
		only_cfi |= opt == 'c';
		use_vmlinux |= opt == 'u' || opt == 'v';
		if (opt == 'v')
			debuginfo.vmlinux = optarg;
	}
	if (optind == argc || (only_cfi && !debuginfo.vmlinux)) {
		fputs("usage: nmibt-unwind [-q] [-u | [-c] -v VMLINUX] VMCORE [PART]...\n", stderr);
		return 2;
	}

	struct nmibt_error *err = nmibt_input_open((const char *const *)argv + optind,
						   argc - optind, NULL, &driver.input);
	if (!err)
		err = open_driver(&driver, &debuginfo, use_vmlinux, only_cfi);
	if (!err)
		print_cpus(&driver);
	close_driver(&driver);
	return err ? fail(err) : 0;
}
