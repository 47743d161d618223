// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The signature: a name for a crash that is the same on every machine that dies in the same way. It
 * is made from names of functions only, one of each CPU that distinguishes one crash from another: the
 * CPU that panicked, and CPUs that were stuck. docs/signature.md has the rules; a change to them,
 * or to the lists that they name, needs a new NMIBT_SIGNATURE_VERSION.
 */
#include "report/report.h"
#include "base/base.h"

/* -------------------------------------------------------------------- frames */

/* "function" or "function [module]", which the caller frees; NULL: out of memory. */
static char *frame_name(const struct nmibt_frame *f)
{
	char *name, addr[NMIBT_ADDR_LEN];
	struct nmibt_str function = nmibt_frame_name(f, addr);
	int len = (int)nmibt_function_len(function), module_len = (int)f->module.len;

	if (asprintf(&name, module_len ? "%.*s [%.*s]" : "%.*s", len, function.s, module_len,
		     f->module.s) < 0)
		return NULL;
	return name;
}

/* -------------------------------------------------------------------- stacks */

static struct nmibt_error *make_stack(unsigned int cpu, const struct nmibt_stack *of,
				      struct nmibt_signature_stack *stack)
{
	size_t finding = nmibt_count_finding(of), blamed = nmibt_find_blamed(of, finding);
	size_t caller = nmibt_is_lost_call(of) ? nmibt_find_blamed(of, blamed + 1) : of->nr;
	bool innermost = true;

	stack->frames = calloc(of->nr + 1, sizeof(*stack->frames));
	stack->cpus = malloc(sizeof(*stack->cpus));
	if (!stack->frames || !stack->cpus)
		return nmibt_error_nomem();
	stack->cpus[0] = cpu;
	stack->nr_cpus = 1;
	for (size_t i = 0; i < of->nr; i++) {
		const struct nmibt_frame *f = &of->frames[i];

		/* An address is not the same on the next machine. */
		bool counts = i == blamed || i == caller;
		if (!f->function.len || !(counts || nmibt_is_in_chain(of->frames, i)))
			continue;
		struct nmibt_signature_frame *frame = &stack->frames[stack->nr_frames++];
		frame->left_out = i < finding || nmibt_tells_nothing(f) ||
				  (innermost && nmibt_is_delay_frame(f));
		innermost = innermost && frame->left_out;
		frame->name = frame_name(f);
		if (!frame->name)
			return nmibt_error_nomem();
		frame->counts = counts;
		stack->is_blamed |= frame->counts;
		stack->is_messenger |= i == blamed && nmibt_is_messenger(f);
	}
	return NULL;
}

static const struct nmibt_signature_frame *next_kept(const struct nmibt_signature_stack *stack,
						     size_t *i)
{
	while (*i < stack->nr_frames && stack->frames[*i].left_out)
		(*i)++;
	return *i < stack->nr_frames ? &stack->frames[(*i)++] : NULL;
}

static int compare_kept(const struct nmibt_signature_stack *a,
			const struct nmibt_signature_stack *b)
{
	for (size_t i = 0, j = 0;;) {
		const struct nmibt_signature_frame *f = next_kept(a, &i), *g = next_kept(b, &j);

		if (!f || !g)
			return !!f - !!g;
		int order = strcmp(f->name, g->name);
		if (order)
			return order;
	}
}

/* Sorts the panicking CPU's stack first, then by names, then by CPU. */
static int compare_stacks(const void *pa, const void *pb)
{
	const struct nmibt_signature_stack *a = pa, *b = pb;

	if (a->panicking != b->panicking)
		return a->panicking ? -1 : 1;
	int order = compare_kept(a, b);
	return order ? order : (a->cpus[0] > b->cpus[0]) - (a->cpus[0] < b->cpus[0]);
}

static void destroy_stack(struct nmibt_signature_stack *stack)
{
	for (size_t i = 0; i < stack->nr_frames; i++)
		free(stack->frames[i].name);
	free(stack->frames);
	free(stack->cpus);
}

/* Merges equal stacks, because the signature must not depend on how many CPUs have one. */
static struct nmibt_error *merge_equal(struct nmibt_signature *signature)
{
	size_t nr = 0;

	for (size_t i = 0; i < signature->nr_stacks; i++) {
		struct nmibt_signature_stack *stack = &signature->stacks[i];
		struct nmibt_signature_stack *last = nr ? &signature->stacks[nr - 1] : NULL;

		if (!last || last->panicking != stack->panicking || compare_kept(last, stack)) {
			struct nmibt_signature_stack moved = *stack;
			*stack = (struct nmibt_signature_stack){0};
			signature->stacks[nr++] = moved;
			continue;
		}
		unsigned int *cpus =
			nmibt_make_room(last->cpus, last->nr_cpus, sizeof(*last->cpus));
		if (!cpus)
			return nmibt_error_nomem();
		last->cpus = cpus;
		cpus[last->nr_cpus++] = stack->cpus[0];
		destroy_stack(stack);
		*stack = (struct nmibt_signature_stack){0};
	}
	signature->nr_stacks = nr;
	return NULL;
}

/* --------------------------------------------------------------- the two hashes */

/* Closes a memory stream and hashes the bytes that were written to it. */
static struct nmibt_error *hash_stream(FILE *out, char **text, size_t *len,
				       char ret[NMIBT_SIGNATURE_LEN])
{
	bool failed = fclose(out);

	if (!failed)
		nmibt_sha1(*text, *len, ret);
	free(*text);
	return failed ? nmibt_error_nomem() : NULL;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Who asked for a crash from outside counts only where nothing else does. */
static void forget_messengers(struct nmibt_signature *signature)
{
	bool has_cause = false;

	for (size_t i = 0; i < signature->nr_stacks; i++)
		has_cause |= signature->stacks[i].is_blamed && !signature->stacks[i].is_messenger;
	for (size_t i = 0; has_cause && i < signature->nr_stacks; i++) {
		struct nmibt_signature_stack *stack = &signature->stacks[i];

		for (size_t j = 0; stack->is_messenger && j < stack->nr_frames; j++)
			stack->frames[j].counts = false;
		stack->is_blamed &= !stack->is_messenger;
	}
}

/* Whether a watchdog found the CPU, so that it panicked, or the capture, so that it was stuck, is
 * not in the name. */
static struct nmibt_error *collect_functions(struct nmibt_signature *signature)
{
	const char **names = calloc(2 * signature->nr_stacks + 1, sizeof(*names));
	size_t nr = 0, nr_unique = 0;

	if (!names)
		return nmibt_error_nomem();
	for (size_t i = 0; i < signature->nr_stacks; i++) {
		const struct nmibt_signature_stack *stack = &signature->stacks[i];

		for (size_t j = 0; j < stack->nr_frames; j++) {
			if (stack->frames[j].counts)
				names[nr++] = stack->frames[j].name;
		}
	}
	qsort(names, nr, sizeof(*names), compare_names);
	for (size_t i = 0; i < nr; i++) {
		if (!nr_unique || strcmp(names[nr_unique - 1], names[i]))
			names[nr_unique++] = names[i];
	}
	signature->functions = names;
	signature->nr_functions = nr_unique;
	return NULL;
}

static struct nmibt_error *hash_functions(struct nmibt_signature *signature)
{
	char hash[NMIBT_SIGNATURE_LEN], *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return nmibt_error_nomem();
	for (size_t i = 0; i < signature->nr_functions; i++)
		fprintf(out, "%s\n", signature->functions[i]);
	struct nmibt_error *err = hash_stream(out, &text, &len, hash);
	if (!err && signature->nr_functions)
		memcpy(signature->value, hash, sizeof(hash));
	return err;
}

/* lib/koops_stacktrace.c: sr_normalize_koops_stacktrace(), satyr 0.43. */
static bool is_dropped_by_satyr(struct nmibt_str s)
{
	static const char *const names[] = {"do_softirq",
					    "do_vfs_ioctl",
					    "dump_stack",
					    "flush_kthread_worker",
					    "gs_change",
					    "irq_exit",
					    "kernel_thread_helper",
					    "kthread",
					    "process_one_work",
					    "system_call_fastpath",
					    "warn_slowpath_common",
					    "warn_slowpath_fmt",
					    "warn_slowpath_fmt_taint",
					    "warn_slowpath_null",
					    "worker_thread"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (nmibt_str_is(s, names[i]))
			return true;
	}
	return false;
}

/* True: satyr counts it as a frame. satyr looks only at the frames' lines of the trace; where the
 * trace has registers between them, a function that an interrupt hit has no such line. */
static bool is_frame_of_satyr(const struct nmibt_frame *f, enum nmibt_arch arch)
{
	return f->function.len && !f->is_pc && (!f->is_interrupted || nmibt_has_plain_traces(arch));
}

/* As lib/generic_thread.c: sr_thread_get_duphash(), with neither flags nor a limit. satyr counts
 * frames marked by '?', too. */
static struct nmibt_error *hash_as_satyr(const struct nmibt_stack *stack, enum nmibt_arch arch,
					 char ret[NMIBT_SIGNATURE_LEN])
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return nmibt_error_nomem();
	fputs("Thread\n", out);
	for (size_t i = 0; i < stack->nr; i++) {
		const struct nmibt_frame *f = &stack->frames[i];
		if (!is_frame_of_satyr(f, arch))
			continue;
		const char *dot = memchr(f->function.s, '.', f->function.len);
		struct nmibt_str name = {f->function.s,
					 dot ? (size_t)(dot - f->function.s) : f->function.len};

		if (f->module.len || !is_dropped_by_satyr(name))
			fprintf(out, "%.*s\n", (int)name.len, name.s);
	}
	return hash_stream(out, &text, &len, ret);
}

/* ------------------------------------------------------------------------ all */

/* True: the CPU is stuck, and does not wait for another CPU. */
static bool is_culprit(const struct nmibt_cpu_brief *brief)
{
	return nmibt_is_stuck(brief) && brief->wait == NMIBT_WAIT_NONE;
}

static bool is_subject(const struct nmibt_report *report, unsigned int cpu)
{
	return report->death.is_known && report->death.subjects[cpu];
}

/* The evidence that stands; for a CPU in an open condition also where it was last seen. */
static const struct nmibt_evidence *evidence_of(const struct nmibt_cpu *cpu)
{
	return cpu->step <= NMIBT_STEP_REGISTERS || cpu->condition ? nmibt_shown(cpu) : NULL;
}

/* Makes a copy of the stack, whose frames the caller frees, with the caller that is only in the link
 * register. */
static struct nmibt_error *complete_stack(const struct nmibt_evidence *evidence,
					  enum nmibt_arch arch, struct nmibt_stack *ret)
{
	const struct nmibt_stack *of = &evidence->stack;
	struct nmibt_frame link, *frames = calloc(of->nr + 1, sizeof(*frames));

	if (!frames)
		return nmibt_error_nomem();
	*ret = (struct nmibt_stack){.frames = frames, .end = of->end, .end_addr = of->end_addr};
	bool has_link = false;
	for (size_t i = 0; i < of->nr; i++) {
		/* The trace may repeat the pc. */
		if (has_link && nmibt_is_in_chain(of->frames, i)) {
			frames[ret->nr++] = link;
			has_link = false;
		}
		frames[ret->nr++] = of->frames[i];
		has_link |= ret->nr == i + 1 && arch == NMIBT_ARCH_ARM64 &&
			    nmibt_may_lack_caller(of, i) &&
			    nmibt_read_link_register(&evidence->text, &of->frames[i], &link);
	}
	return NULL;
}

static struct nmibt_error *add_cpu(const struct nmibt_report *report, unsigned int i,
				   struct nmibt_signature *signature)
{
	enum nmibt_arch arch = report->kernel->image->arch;
	static const struct nmibt_evidence none;
	_cleanup_free_ struct nmibt_frame *frames = NULL;
	struct nmibt_stack of = {0};
	struct nmibt_signature_stack *stack = &signature->stacks[signature->nr_stacks];
	struct nmibt_cpu cpu;
	struct nmibt_error *err = nmibt_report_read_cpu(report, i, &cpu);
	if (err)
		return err;

	const struct nmibt_evidence *evidence = evidence_of(&cpu);
	stack->panicking = is_subject(report, i);
	signature->nr_stacks++;
	err = complete_stack(evidence ?: &none, arch, &of);
	frames = of.frames;
	if (!err)
		err = make_stack(i, &of, stack);
	/* satyr reads only text that the kernel printed. */
	if (!err && i == report->death.reporter && cpu.standing.text.nr_lines &&
	    cpu.standing.stack.nr && cpu.step < NMIBT_STEP_REGISTERS)
		err = hash_as_satyr(&cpu.standing.stack, arch, signature->duphash);
	nmibt_cpu_destroy(&cpu);
	return err;
}

/* If a stuck CPU waits for no other, the CPUs that wait are its victims. How many these are, and
 * where they wait, is chance, so they are left out. */
static struct nmibt_error *add_cpus(const struct nmibt_report *report,
				    struct nmibt_signature *signature)
{
	unsigned int nr = report->nr_cpus;
	bool (*wanted)(const struct nmibt_cpu_brief *) = nmibt_is_stuck;

	for (unsigned int i = 0; i < nr && wanted == nmibt_is_stuck; i++) {
		if (report->possible[i] && is_culprit(&report->cpus[i]))
			wanted = is_culprit;
	}
	for (unsigned int i = 0; i < nr; i++) {
		const struct nmibt_cpu_brief *brief = &report->cpus[i];

		if (!report->possible[i] || (!is_subject(report, i) && !wanted(brief)))
			continue;
		struct nmibt_error *err = add_cpu(report, i, signature);
		if (err)
			return err;
	}
	return NULL;
}

struct nmibt_error *nmibt_signature(const struct nmibt_report *report, struct nmibt_signature *ret)
{
	struct nmibt_signature signature = {0};

	signature.stacks = calloc(report->nr_cpus + 1, sizeof(*signature.stacks));
	if (!signature.stacks)
		return nmibt_error_nomem();
	struct nmibt_error *err = add_cpus(report, &signature);
	if (!err) {
		qsort(signature.stacks, signature.nr_stacks, sizeof(*signature.stacks),
		      compare_stacks);
		err = merge_equal(&signature);
	}
	if (!err) {
		forget_messengers(&signature);
		err = collect_functions(&signature);
	}
	if (!err)
		err = hash_functions(&signature);
	if (err) {
		nmibt_signature_destroy(&signature);
		return err;
	}
	*ret = signature;
	return NULL;
}

void nmibt_signature_destroy(struct nmibt_signature *signature)
{
	for (size_t i = 0; i < signature->nr_stacks; i++)
		destroy_stack(&signature->stacks[i]);
	free(signature->stacks);
	free(signature->functions);
}
