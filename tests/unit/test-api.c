// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The public API as a program uses it: an image that the program reads itself, options of other
 * sizes than the library's, a writer that fails, and indexes that are out of range.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <nmibt/json.h>

#include "fake-image.h"
#include "json/json.h"

#define NR_CPUS 4

static bool api_next_range(void *ctx, uint64_t from, uint64_t *ret_start, uint64_t *ret_size)
{
	struct nmibt_range range;

	if (!fake_next_range(ctx, from, &range))
		return false;
	*ret_start = range.start;
	*ret_size = range.size;
	return true;
}

static const struct nmibt_input_ops api_ops = {
	.size = sizeof(api_ops),
	.read_phys = fake_read_phys,
	.vmcoreinfo = fake_vmcoreinfo,
	.symbol_addr = fake_symbol_addr,
	.virt_to_phys = fake_virt_to_phys,
	.symbolize = fake_symbolize,
	.find_places = fake_find_places,
	.next_range = api_next_range,
	.interrupted = fake_interrupted,
};

static struct nmibt_input *new_input(struct fake *f, const struct nmibt_input_ops *ops)
{
	struct nmibt_input_options options = {
		.size = sizeof(options),
		.arch = f->image.arch,
		.page_size = f->image.page_size,
	};
	struct nmibt_input *input;

	assert_null(nmibt_input_new(ops, f, &options, &input));
	return input;
}

static void assert_code(struct nmibt_error *err, enum nmibt_code code)
{
	assert_non_null(err);
	assert_int_equal(nmibt_error_code(err), code);
	assert_true(strlen(nmibt_error_message(err)));
	nmibt_error_destroy(err);
}

struct output {
	char *text;
	size_t len, limit; /* bytes after which it takes no more */
};

static bool take(void *ctx, const char *data, size_t len)
{
	struct output *output = ctx;

	if (output->len + len > output->limit)
		return false;
	output->text = realloc(output->text, output->len + len + 1);
	assert_non_null(output->text);
	memcpy(output->text + output->len, data, len);
	output->len += len;
	output->text[output->len] = '\0';
	return true;
}

/* ---------------------------------------------------------------------- an image */

typedef struct nmibt_error *(*render_api_fn)(const struct nmibt_report *report,
					     const struct nmibt_render_options *options,
					     nmibt_write_fn write, void *ctx, int *ret);

/* Rendering through the API must write the same text as without an input. */
static void check_render(struct fake *f, const struct nmibt_report *report, render_api_fn render,
			 render_file_fn by_file)
{
	struct nmibt_render_options options = {.size = sizeof(options), .lines = true};
	struct output output = {.limit = SIZE_MAX};
	struct nmibt_report *other;
	char *text = NULL;
	size_t len = 0;
	int code = -1, other_code = -1;

	assert_null(render(report, &options, take, &output, &code));
	assert_null(nmibt_report_make(&f->image, NMIBT_SOURCE_AUTO, &other));
	FILE *out = open_memstream(&text, &len);
	assert_null(by_file(other, &options, out, &other_code));
	fclose(out);
	assert_true(len > 1000);
	assert_string_equal(output.text, text);
	assert_int_equal(code, other_code);
	nmibt_report_close(other);
	free(text);
	free(output.text);
}

static void own_image(void **state)
{
	struct fake *f = fake_new(NMIBT_ARCH_ARM64, NR_CPUS);
	struct nmibt_input *input = new_input(f, &api_ops);
	struct nmibt_report *report, *second;
	const char *why;

	(void)state;
	assert_int_equal(nmibt_version_number(), NMIBT_VERSION_NUMBER);
	assert_int_equal(nmibt_input_nr_crashes(input), 1);
	assert_null(nmibt_input_remark(input));
	assert_null(nmibt_report_open(input, 0, NULL, &report));
	assert_null(nmibt_report_open(input, 0, NULL, &second));
	assert_int_equal(nmibt_report_arch(report), NMIBT_ARCH_ARM64);
	assert_int_equal(nmibt_report_nr_cpus(report), NR_CPUS);
	assert_true(nmibt_report_has_cpu(report, NR_CPUS - 1));
	assert_false(nmibt_report_has_cpu(report, NR_CPUS));
	assert_int_equal(nmibt_report_source(report, NMIBT_SOURCE_VMCOREINFO, &why), NMIBT_FOUND);
	assert_int_equal(nmibt_report_source(report, NMIBT_NR_SOURCES, &why), NMIBT_FOUND_UNTRIED);
	check_render(f, report, nmibt_render, nmibt_render_file);
	nmibt_report_close(report);
	check_render(f, second, nmibt_render_json, nmibt_json_file);
	nmibt_report_close(second);
	nmibt_input_close(input);
	fake_free(f);
}

static char *api_notes(void *ctx, size_t *ret_len)
{
	(void)ctx;
	*ret_len = strlen("notes");
	return strdup("notes");
}

static void own_notes(void **state)
{
	struct fake *f = fake_new(NMIBT_ARCH_X86_64, NR_CPUS);
	struct nmibt_input_ops ops = api_ops;
	struct nmibt_input *input = new_input(f, &ops);
	size_t len = 0;

	(void)state;
	assert_null(nmibt_input_notes(input, &len));
	nmibt_input_close(input);
	ops.notes = api_notes;
	input = new_input(f, &ops);
	char *notes = nmibt_input_notes(input, &len);
	assert_int_equal(len, strlen("notes"));
	assert_string_equal(notes, "notes");
	free(notes);
	nmibt_input_close(input);
	fake_free(f);
}

static void own_memory(void **state)
{
	struct fake *f = fake_new(NMIBT_ARCH_X86_64, NR_CPUS);
	struct nmibt_input *input = new_input(f, &api_ops);
	char buf[2 * FAKE_PAGE];

	(void)state;
	assert_int_equal(nmibt_input_read(input, FAKE_BASE + 40, buf, FAKE_PAGE), NMIBT_READ_OK);
	assert_memory_equal(buf, fake_at(f, FAKE_BASE + 40), FAKE_PAGE);
	nmibt_input_close(input);
	fake_set_pages(f, FAKE_BASE + FAKE_PAGE, 1, NMIBT_READ_EXCLUDED);
	input = new_input(f, &api_ops);
	assert_int_equal(nmibt_input_read(input, FAKE_BASE + 40, buf, FAKE_PAGE),
			 NMIBT_READ_EXCLUDED);
	assert_int_equal(nmibt_input_read(input, 0, buf, 1), NMIBT_READ_ERROR);
	nmibt_input_close(input);
	fake_free(f);
}

static unsigned int nr_reads;

static enum nmibt_read count_reads(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	nr_reads++;
	return fake_read_phys(ctx, paddr, buf, len);
}

/* A file may end within a page. */
static enum nmibt_read read_half(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	return paddr % FAKE_PAGE + len > FAKE_PAGE / 2 ? NMIBT_READ_ERROR
						       : fake_read_phys(ctx, paddr, buf, len);
}

static void pages_once(void **state)
{
	struct fake *f = fake_new(NMIBT_ARCH_X86_64, NR_CPUS);
	struct nmibt_input_ops ops = api_ops;
	char buf[FAKE_PAGE];

	(void)state;
	ops.read_phys = count_reads;
	struct nmibt_input *input = new_input(f, &ops);
	nr_reads = 0;
	for (size_t at = 0; at < FAKE_PAGE; at += 8)
		assert_int_equal(nmibt_input_read(input, FAKE_BASE + at, buf + at, 8),
				 NMIBT_READ_OK);
	assert_memory_equal(buf, fake_at(f, FAKE_BASE), FAKE_PAGE);
	assert_int_equal(nr_reads, 1);
	nmibt_input_close(input);

	ops.read_phys = read_half;
	input = new_input(f, &ops);
	assert_int_equal(nmibt_input_read(input, FAKE_BASE + 8, buf, 16), NMIBT_READ_OK);
	assert_memory_equal(buf, fake_at(f, FAKE_BASE + 8), 16);
	assert_int_equal(nmibt_input_read(input, FAKE_BASE + FAKE_PAGE / 2, buf, 16),
			 NMIBT_READ_ERROR);
	nmibt_input_close(input);
	fake_free(f);
}

/* If callbacks are missing, the report says what is not known; the call does not fail. */
static void few_callbacks(void **state)
{
	const struct nmibt_input_ops few = {
		.size = sizeof(few),
		.read_phys = fake_read_phys,
		.vmcoreinfo = fake_vmcoreinfo,
	};
	const struct nmibt_input_ops none = {.size = sizeof(none)};
	struct fake *f = fake_new(NMIBT_ARCH_X86_64, NR_CPUS);
	struct nmibt_input *input = new_input(f, &few);
	struct nmibt_report *report;

	(void)state;
	assert_null(nmibt_report_open(input, 0, NULL, &report));
	assert_int_equal(nmibt_report_nr_cpus(report), NR_CPUS);
	nmibt_report_close(report);
	nmibt_input_close(input);
	input = new_input(f, &none);
	assert_code(nmibt_report_open(input, 0, NULL, &report), NMIBT_ERR_NOTHING);
	nmibt_input_close(input);
	fake_free(f);
}

/* ----------------------------------------------------------------------- getters */

static void check_cpu(const struct nmibt_report *report, unsigned int nr)
{
	struct nmibt_cpu *cpu;
	char name[NMIBT_TASK_NAME_LEN], wanted[NMIBT_TASK_NAME_LEN];
	int32_t pid;
	size_t len;

	assert_null(nmibt_report_cpu(report, nr, &cpu));
	assert_int_equal(nmibt_cpu_number(cpu), nr);
	assert_int_equal(nmibt_cpu_outcome(cpu), nr ? NMIBT_OUTCOME_NMI : NMIBT_OUTCOME_SELF);
	assert_int_equal(nmibt_cpu_step(cpu), NMIBT_STEP_SLOT);
	assert_int_equal(nmibt_cpu_source(cpu), NMIBT_SOURCE_VMCOREINFO);
	assert_true(nmibt_cpu_task(cpu, &pid, name));
	assert_int_equal(pid, 100 + nr);
	snprintf(wanted, sizeof(wanted), "task-%u", nr);
	assert_string_equal(name, wanted);

	const struct nmibt_evidence *evidence = nmibt_cpu_evidence(cpu);
	size_t nr_lines = nmibt_evidence_nr_lines(evidence);
	assert_int_equal(nmibt_evidence_kind(evidence), NMIBT_EVIDENCE_SLOT);
	assert_true(nr_lines);
	assert_non_null(nmibt_line_text(nmibt_evidence_line(evidence, 0), &len));
	assert_true(len);
	assert_null(nmibt_evidence_line(evidence, nr_lines));

	const struct nmibt_stack *stack = nmibt_cpu_stack(cpu);
	size_t nr_frames = nmibt_stack_nr_frames(stack);
	assert_true(nr_frames);
	assert_non_null(nmibt_frame_function(nmibt_stack_frame(stack, nr_frames - 1), &len));
	assert_true(len);
	assert_null(nmibt_stack_frame(stack, nr_frames));

	const struct nmibt_regs *regs = nmibt_cpu_registers(cpu);
	assert_non_null(regs);
	assert_string_equal(nmibt_reg_name(NMIBT_ARCH_ARM64, nmibt_regs_nr(regs) - 2), "pc");
	assert_null(nmibt_reg_name(NMIBT_ARCH_ARM64, nmibt_regs_nr(regs)));
	nmibt_cpu_close(cpu);
}

static void getters(void **state)
{
	struct fake *f = fake_new(NMIBT_ARCH_ARM64, NR_CPUS);
	struct nmibt_input *input = new_input(f, &api_ops);
	struct nmibt_report *report;
	struct nmibt_findings *findings;
	struct nmibt_signature *signature;
	struct nmibt_cpu *cpu = NULL;
	unsigned int reporter;

	(void)state;
	assert_null(nmibt_report_open(input, 0, NULL, &report));
	for (unsigned int i = 0; i < NR_CPUS; i++)
		check_cpu(report, i);
	assert_code(nmibt_report_cpu(report, NR_CPUS, &cpu), NMIBT_ERR_USAGE);
	assert_null(cpu);

	assert_string_equal(nmibt_case_release(nmibt_report_case(report)), "6.12.0");
	assert_null(nmibt_case_hardware(nmibt_report_case(report)));
	const struct nmibt_death *death = nmibt_report_death(report);
	assert_non_null(death);
	assert_true(nmibt_death_reporter(death, &reporter));
	assert_int_equal(reporter, 0);
	assert_null(nmibt_report_moment(report, nmibt_report_nr_moments(report)));
	assert_null(nmibt_report_condition(report, nmibt_report_nr_conditions(report)));

	assert_null(nmibt_report_findings(report, &findings));
	assert_null(nmibt_findings_at(findings, nmibt_findings_nr(findings)));
	nmibt_findings_close(findings);
	assert_null(nmibt_report_signature(report, &signature));
	assert_int_equal(strlen(nmibt_signature_value(signature)), 40);
	nmibt_signature_close(signature);
	nmibt_report_close(report);
	nmibt_input_close(input);
	fake_free(f);
}

/* ----------------------------------------------------------------------- options */

static void sizes(void **state)
{
	struct fake *f = fake_new(NMIBT_ARCH_ARM64, NR_CPUS);
	struct nmibt_input *input = new_input(f, &api_ops);
	struct newer {
		struct nmibt_report_options options;
		uint64_t more;
	} newer = {.options.size = sizeof(newer)};
	struct nmibt_report_options unset = {.source = NMIBT_SOURCE_AUTO};
	/* Members beyond the size that this caller sets must not be read. */
	struct nmibt_report_options older = {.size = sizeof(size_t), .source = NMIBT_NR_SOURCES};
	struct nmibt_report *report;

	(void)state;
	assert_code(nmibt_report_open(input, 0, &unset, &report), NMIBT_ERR_USAGE);
	assert_null(nmibt_report_open(input, 0, &older, &report));
	nmibt_report_close(report);
	assert_null(nmibt_report_open(input, 0, &newer.options, &report));
	nmibt_report_close(report);
	newer.more = 1;
	assert_code(nmibt_report_open(input, 0, &newer.options, &report), NMIBT_ERR_USAGE);
	older.size = sizeof(older);
	assert_code(nmibt_report_open(input, 0, &older, &report), NMIBT_ERR_USAGE);
	assert_code(nmibt_report_open(input, 1, NULL, &report), NMIBT_ERR_USAGE);
	nmibt_input_close(input);
	fake_free(f);
}

/* A new kind needs a name, and a new source must be in NMIBT_SOURCE_NAMES. */
static void names(void **state)
{
	(void)state;
	for (enum nmibt_source i = 0; i < NMIBT_NR_SOURCES; i++) {
		enum nmibt_source source = NMIBT_NR_SOURCES;

		assert_non_null(nmibt_source_name(i));
		assert_true(nmibt_source_parse(nmibt_source_name(i), &source));
		assert_int_equal(source, i);
		assert_non_null(strstr(NMIBT_SOURCE_NAMES, nmibt_source_name(i)));
	}
	for (enum nmibt_outcome i = 0; i < NMIBT_NR_OUTCOMES; i++)
		assert_non_null(nmibt_outcome_name(i));
	for (enum nmibt_stack_end i = 0; i < NMIBT_NR_ENDS; i++)
		assert_non_null(nmibt_end_name(i));
	for (enum nmibt_note i = 0; i < NMIBT_NR_NOTES; i++)
		assert_non_null(nmibt_note_name(i));
	for (enum nmibt_finding_kind i = 0; i < NMIBT_NR_FINDINGS; i++)
		assert_non_null(nmibt_finding_name(i));
	for (int c = 0; c < 256; c++) {
		struct nmibt_render_options options = {.size = sizeof(options)};
		const char letter[] = {c, '\0'};

		assert_int_equal(nmibt_render_option(&options, c),
				 c && strstr(NMIBT_RENDER_LETTERS, letter));
	}
	assert_null(nmibt_arch_name(NMIBT_ARCH_UNKNOWN));
	assert_null(nmibt_arch_name(99));
}

static void usage(void **state)
{
	struct nmibt_input_options options = {.size = sizeof(options), .page_size = 4096};
	const char *missing = "/nonexistent/vmcore";
	struct nmibt_input *input = NULL;

	(void)state;
	assert_code(nmibt_input_open(&missing, 0, NULL, &input), NMIBT_ERR_USAGE);
	assert_code(nmibt_input_open(&missing, 1, NULL, &input), NMIBT_ERR_UNUSABLE);
	assert_code(nmibt_input_new(&api_ops, NULL, NULL, &input), NMIBT_ERR_USAGE);
	assert_code(nmibt_input_new(&api_ops, NULL, &options, &input), NMIBT_ERR_USAGE);
	options.arch = NMIBT_ARCH_ARM64;
	options.page_size = 4095;
	assert_code(nmibt_input_new(&api_ops, NULL, &options, &input), NMIBT_ERR_USAGE);
	assert_null(input);
	nmibt_input_close(NULL);
	nmibt_report_close(NULL);
	nmibt_cpu_close(NULL);
	nmibt_findings_close(NULL);
	nmibt_signature_close(NULL);
	nmibt_error_destroy(NULL);
}

static void full_writer(void **state)
{
	struct fake *f = fake_new(NMIBT_ARCH_ARM64, NR_CPUS);
	struct nmibt_input *input = new_input(f, &api_ops);
	struct nmibt_report *report;
	struct output whole = {.limit = SIZE_MAX};
	int code = -1;

	(void)state;
	assert_null(nmibt_report_open(input, 0, NULL, &report));
	assert_null(nmibt_render(report, NULL, take, &whole, &code));
	code = -1;
	for (size_t limit = 0; limit < whole.len; limit += 100) {
		struct output output = {.limit = limit};

		assert_code(nmibt_render(report, NULL, take, &output, &code), NMIBT_ERR_UNUSABLE);
		assert_int_equal(code, -1);
		free(output.text);
	}
	free(whole.text);
	nmibt_report_close(report);
	nmibt_input_close(input);
	fake_free(f);
}

/* -------------------------------------------------------------- what is attached */

struct attached {
	unsigned int unwound, forgotten, closed;
	const struct nmibt_kernel *kernel; /* the kernel of the last call */
};

static struct nmibt_error *attached_unwind(void *ctx, struct nmibt_kernel *kernel,
					   const struct nmibt_regs *regs, struct nmibt_stack *ret)
{
	struct attached *a = ctx;

	(void)regs, (void)ret;
	a->unwound++;
	a->kernel = kernel;
	return nmibt_error_create(NMIBT_ERR_NOTHING, "a test follows no stack");
}

static void forget_kernel(void *ctx, const struct nmibt_kernel *kernel)
{
	struct attached *a = ctx;

	assert_true(!a->kernel || a->kernel == kernel);
	a->forgotten++;
}

static void close_attached(void *ctx)
{
	struct attached *a = ctx;

	a->closed++;
}

static void attachment(void **state)
{
	static const struct nmibt_image_ops ops = {.unwind = attached_unwind};
	struct attached a = {0};
	const struct nmibt_attachment attachment = {&ops, &a, forget_kernel, close_attached};
	struct fake *f = fake_new(NMIBT_ARCH_ARM64, NR_CPUS);
	struct nmibt_input *input = new_input(f, &api_ops);
	struct nmibt_report *report;

	(void)state;
	assert_null(nmibt_input_attach(input, &attachment));
	assert_code(nmibt_input_attach(input, &attachment), NMIBT_ERR_USAGE);
	/* This CPU has only its registers at the stop. */
	f->slot[1]->state = NMI_CAPTURE_SLOT_EMPTY;
	f->slot[1]->text_len = 0;
	assert_null(nmibt_report_open(input, 0, NULL, &report));
	nmibt_report_close(report);
	assert_true(a.unwound);
	assert_int_equal(a.forgotten, 1);
	assert_int_equal(a.closed, 0);
	nmibt_input_close(input);
	assert_int_equal(a.closed, 1);
	fake_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_image),   cmocka_unit_test(own_memory),
		cmocka_unit_test(pages_once),  cmocka_unit_test(few_callbacks),
		cmocka_unit_test(getters),     cmocka_unit_test(sizes),
		cmocka_unit_test(names),       cmocka_unit_test(usage),
		cmocka_unit_test(full_writer), cmocka_unit_test(attachment),
		cmocka_unit_test(own_notes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
