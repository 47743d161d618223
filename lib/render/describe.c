// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * --describe: writes a report as a description, from which testdumps/mkdump makes a dump. So people
 * whose dumps can't be shared can share the case.
 */
#include "render/describe.h"

/* ----------------------------------------------------------------------- kernel */

/* The kernels that mkdump can make (testdumps/describe/arches.py), the oldest first. */
static const struct {
	enum nmibt_arch arch;
	unsigned int major, minor;
	bool has_ring_buffer; /* of printk, so that nmibt can read its log */
} kernels[] = {
	{NMIBT_ARCH_X86_64, 4, 4, false},  {NMIBT_ARCH_X86_64, 4, 9, false},
	{NMIBT_ARCH_X86_64, 4, 19, false}, {NMIBT_ARCH_X86_64, 5, 10, true},
	{NMIBT_ARCH_X86_64, 6, 1, true},   {NMIBT_ARCH_X86_64, 6, 12, true},
	{NMIBT_ARCH_X86_64, 7, 2, true},   {NMIBT_ARCH_ARM64, 5, 10, true},
	{NMIBT_ARCH_ARM64, 6, 1, true},	   {NMIBT_ARCH_ARM64, 6, 12, true},
};

/* The index of mkdump's newest kernel that is not newer than the report's; or of its oldest one.
 * The version only chooses a name; how an image is read never depends on it. */
static size_t find_nearest(const struct nmibt_report *report)
{
	const char *release = report->case_info.release;
	struct nmibt_str s = nmibt_str_of(release ? release : "");
	uint64_t major = UINT32_MAX, minor = 0;
	size_t nearest = ARRAY_SIZE(kernels);

	if (nmibt_take_decimal(&s, UINT32_MAX, &major) && nmibt_skip(&s, "."))
		nmibt_take_decimal(&s, UINT32_MAX, &minor);
	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		bool is_newer = kernels[i].major > major ||
				(kernels[i].major == major && kernels[i].minor > minor);

		if (kernels[i].arch == report->kernel->image->arch &&
		    (!is_newer || nearest == ARRAY_SIZE(kernels)))
			nearest = i;
	}
	return nearest;
}

/* True: a vmlinux is known. The sizes of these types are not known without one. */
static bool has_vmlinux(struct nmibt_kernel *kernel)
{
	static const char *const types[] = {"module", "printk_safe_seq_buf", "nmi_seq_buf"};
	size_t size;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (nmibt_type_size(kernel, types[i], &size))
			return true;
	}
	return false;
}

static void put_kernel(struct renderer *r, size_t nearest)
{
	const struct nmibt_report *report = r->report;

	fprintf(r->out, "arch %s\nkernel %u.%u\n", nmibt_arch_name(kernels[nearest].arch),
		kernels[nearest].major, kernels[nearest].minor);
	if (has_vmlinux(report->kernel))
		fputs("vmlinux\n", r->out);
	if (report->case_info.has_time)
		fprintf(r->out, "kdump %" PRIu64 "\n", report->case_info.time);
	/* ELFCORE_ADDR_ERR, include/linux/crash_dump.h (6.12): the first kernel can't be found. */
	if (report->is_capture_kernel)
		fputs("variable elfcorehdr_addr:8 = 0xfffffffffffffffe\n", r->out);
	if (!report->sources->log && kernels[nearest].has_ring_buffer)
		fputs("vmcoreinfo drop SYMBOL(prb)\n", r->out);
}

/* ------------------------------------------------------------------------- CPUs */

static void put_possible(struct renderer *r)
{
	const struct nmibt_report *report = r->report;
	const char *separator = "";

	if (report->nr_possible == report->nr_cpus || !report->nr_possible)
		return;
	fputs("possible ", r->out);
	for (unsigned int i = 0; i < report->nr_cpus; i++) {
		unsigned int first = i;

		if (!report->possible[i])
			continue;
		while (i + 1 < report->nr_cpus && report->possible[i + 1])
			i++;
		fprintf(r->out, first == i ? "%s%u" : "%s%u-%u", separator, first, i);
		separator = ",";
	}
	putc('\n', r->out);
}

static void put_cpus(struct renderer *r)
{
	const struct nmibt_sources *sources = r->report->sources;
	int panic_cpu = -1;

	if (sources->has_capture)
		panic_cpu = (int)sources->capture.desc.panic_cpu;
	else if (sources->percpu)
		panic_cpu = sources->percpu->panic_cpu;
	/* The report about a capture kernel has no CPUs. */
	fprintf(r->out, "cpus %u\n", r->report->nr_cpus ? r->report->nr_cpus : 1);
	put_possible(r);
	if (panic_cpu >= 0)
		fprintf(r->out, "panic cpu %d\n", panic_cpu);
	else
		fputs("panic cpu none\n", r->out);
}

/* ---------------------------------------------------------------------- capture */

static void put_flags(struct renderer *r, uint32_t flags)
{
	static const char *const names[] = {"drained", "reentered", "crash-kexec", "regs-only",
					    "not-waited"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (flags & 1U << i)
			fprintf(r->out, "%s %s", flags & ((1U << i) - 1) ? "" : "flags", names[i]);
	}
	if (flags & ((1U << ARRAY_SIZE(names)) - 1))
		putc('\n', r->out);
}

static void put_seconds(struct renderer *r, const char *word, uint64_t ns)
{
	fprintf(r->out, "%s %" PRIu64 ".%09" PRIu64 "\n", word, ns / 1000000000, ns % 1000000000);
}

/* What the requester says of the panic. */
static void put_panic(struct renderer *r, const struct nmi_capture_desc *desc)
{
	put_seconds(r, "local", desc->asked_local_ns);
	put_seconds(r, "real", desc->asked_real_ns);
	fprintf(r->out, "taint %#" PRIx64 "\n", desc->taint);
	if (desc->from_cpu == NMI_CAPTURE_NO_CPU)
		fputs("from cpu none\n", r->out);
	else
		fprintf(r->out, "from cpu %u\n", desc->from_cpu);
	if (!*desc->message)
		return;
	fputs("message ", r->out);
	nmibt_redact_panic(r->out, nmibt_str_of((const char *)desc->message));
	putc('\n', r->out);
}

static void put_capture(struct renderer *r)
{
	static const char *const states[] = {"idle", "running", "complete", "timeout"};
	const struct nmi_capture_desc *desc = &r->report->sources->capture.desc;

	if (!r->report->sources->has_capture)
		return;
	/* Redacted text may be longer than the original. */
	fprintf(r->out, "text %u\nnested %u\n", 2 * desc->slot_size, desc->slot_size);
	fprintf(r->out, "generation %u\ntimeout %u\nrefused %u\n", desc->generation,
		desc->timeout_ms, desc->refused);
	if (desc->state < ARRAY_SIZE(states))
		fprintf(r->out, "state %s\n", states[desc->state]);
	put_seconds(r, "asked at", desc->asked_ns);
	if (desc->finished_ns)
		fprintf(r->out, "waited %.6f\n",
			(double)(int64_t)(desc->finished_ns - desc->asked_ns) / 1e6);
	put_flags(r, desc->flags);
	if (desc->generation)
		put_panic(r, desc);
}

struct nmibt_error *nmibt_render_description(struct renderer *r)
{
	size_t nearest = find_nearest(r->report);

	if (nearest == ARRAY_SIZE(kernels))
		return nmibt_error_create(NMIBT_ERR_UNUSABLE,
					  "no description: mkdump has no kernel of this "
					  "architecture");
	fputs("# Written by nmibt --describe. Host, command lines, messages and names of tasks are "
	      "left out,\n# and registers but for pc, sp and flags.\n",
	      r->out);
	put_kernel(r, nearest);
	put_cpus(r);
	put_capture(r);
	struct nmibt_error *err = nmibt_describe_log(r);

	return err ? err : nmibt_describe_cpus(r);
}
