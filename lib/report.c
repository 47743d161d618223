// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What became of each CPU: its slot, checked, decoded and given an outcome.
 * A first pass leaves a brief of each CPU, so that memory does not grow with
 * their text.
 */
#include <inttypes.h>
#include <stdarg.h>

#include "internal.h"

static const char *const outcome_names[NMIBT_NR_OUTCOMES] = {
	[NMIBT_OUTCOME_NMI] = "nmi",	     [NMIBT_OUTCOME_IRQ] = "irq",
	[NMIBT_OUTCOME_SELF] = "self",	     [NMIBT_OUTCOME_STOP] = "stop",
	[NMIBT_OUTCOME_PARTIAL] = "partial", [NMIBT_OUTCOME_SILENT] = "silent",
	[NMIBT_OUTCOME_OFFLINE] = "offline", [NMIBT_OUTCOME_EXCLUDED] = "excluded",
	[NMIBT_OUTCOME_DAMAGED] = "damaged", [NMIBT_OUTCOME_NONE] = "none",
};

const char *nmibt_outcome_name(enum nmibt_outcome outcome)
{
	return outcome < NMIBT_NR_OUTCOMES ? outcome_names[outcome] : "unknown";
}

/* Adds a reason; the first ones are kept where they don't all fit. */
static __attribute__((format(printf, 2, 3))) void because(struct nmibt_cpu *cpu, const char *format,
							  ...)
{
	size_t len = strlen(cpu->why);
	va_list args;

	if (len && len + 2 < sizeof(cpu->why)) {
		strcpy(cpu->why + len, "; ");
		len += 2;
	}
	va_start(args, format);
	vsnprintf(cpu->why + len, sizeof(cpu->why) - len, format, args);
	va_end(args);
}

/* An area of the slot: cut to what lies within it. */
static void check_area(struct nmibt_cpu *cpu, const char *what, uint32_t slot_size, uint32_t off,
		       uint32_t *size, uint32_t *len)
{
	if (off < sizeof(cpu->slot) || off > slot_size) {
		because(cpu, "its %s is at %u of a slot of %u bytes", what, off, slot_size);
		*size = *len = 0;
		return;
	}
	if (*size > slot_size - off) {
		because(cpu, "its %s has %u bytes at %u of a slot of %u", what, *size, off,
			slot_size);
		*size = slot_size - off;
	}
	if (*len > *size) {
		because(cpu, "%u bytes of %s in %u", *len, what, *size);
		*len = *size;
	}
}

/* What is wrong is said in cpu->why; what is left is safe to use. */
static bool check_slot(const struct nmibt_capture *capture, struct nmibt_cpu *cpu)
{
	struct nmi_capture_slot *slot = &cpu->slot;
	uint32_t size = capture->desc.slot_size;

	if (memcmp(slot->magic, NMI_CAPTURE_SLOT_MAGIC, NMI_CAPTURE_MAGIC_LEN)) {
		because(cpu, "no slot at %#" PRIx64 ": its magic is missing", cpu->slot_paddr);
		return false;
	}
	if (slot->cpu != cpu->cpu)
		because(cpu, "its slot says CPU %u", slot->cpu);
	if (slot->state > NMI_CAPTURE_SLOT_DONE)
		because(cpu, "its state is %u", slot->state);
	if (slot->how > NMI_CAPTURE_BY_STOP ||
	    (slot->state >= NMI_CAPTURE_SLOT_BEGUN && slot->how == NMI_CAPTURE_BY_NONE))
		because(cpu, "it was captured in way %u", slot->how);
	if (slot->nr_regs > NMI_CAPTURE_MAX_REGS) {
		because(cpu, "%u registers", slot->nr_regs);
		slot->nr_regs = 0;
	}
	check_area(cpu, "text", size, slot->text_off, &slot->text_size, &slot->text_len);
	check_area(cpu, "nested text", size, slot->nested_off, &slot->nested_size,
		   &slot->nested_len);
	if (slot->text_off < slot->nested_off
		    ? slot->nested_off - slot->text_off < slot->text_size
		    : slot->text_off - slot->nested_off < slot->nested_size)
		because(cpu, "its text and nested text overlap");
	if (slot->state >= NMI_CAPTURE_SLOT_BEGUN && capture->desc.asked_ns && slot->done_ns &&
	    slot->done_ns < slot->begun_ns)
		because(cpu, "it was done before it began");
	return true;
}

/* A CPU may capture itself just before the request is counted. */
static bool is_stale(const struct nmibt_capture *capture, const struct nmi_capture_slot *slot)
{
	return slot->generation - capture->desc.generation > 1;
}

static enum nmibt_outcome outcome_of(const struct nmi_capture_slot *slot)
{
	switch (slot->state) {
	case NMI_CAPTURE_SLOT_EMPTY:
		return slot->flags & NMI_CAPTURE_SLOT_F_OFFLINE ? NMIBT_OUTCOME_OFFLINE
								: NMIBT_OUTCOME_NONE;
	case NMI_CAPTURE_SLOT_ASKED:
		return NMIBT_OUTCOME_SILENT;
	case NMI_CAPTURE_SLOT_BEGUN:
		return NMIBT_OUTCOME_PARTIAL;
	}
	switch (slot->how) {
	case NMI_CAPTURE_BY_NMI:
		return NMIBT_OUTCOME_NMI;
	case NMI_CAPTURE_BY_IRQ:
		return NMIBT_OUTCOME_IRQ;
	case NMI_CAPTURE_BY_STOP:
		return NMIBT_OUTCOME_STOP;
	}
	return NMIBT_OUTCOME_SELF;
}

/* Reads an area: the published bytes, and in the text what stands behind. */
static struct nmibt_error *read_text(const struct nmibt_image *image, const struct nmibt_cpu *cpu,
				     uint32_t off, uint32_t size, uint32_t len, bool with_tail,
				     bool overflow, struct nmibt_text *ret)
{
	size_t want = with_tail ? size : len;
	_cleanup_free_ char *raw = malloc(want + 1);
	_cleanup_free_ bool *known = malloc((want + 1) * sizeof(*known));
	uint64_t paddr;

	if (!raw || !known)
		return nmibt_error_nomem();
	if (__builtin_add_overflow(cpu->slot_paddr, off, &paddr))
		paddr = want = len = 0;
	struct nmibt_run run = nmibt_read_pages(image, paddr, raw, len, known);
	nmibt_read_pages(image, paddr + len, raw + len, want - len, known + len);

	size_t end = len;
	while (end < want && known[end] && raw[end])
		end++;
	struct nmibt_error *err = nmibt_decode(raw, end, len, known, overflow, ret);
	if (!err)
		ret->excluded = run.excluded;
	return err;
}

static struct nmibt_error *read_slot_text(const struct nmibt_image *image, struct nmibt_cpu *cpu)
{
	const struct nmi_capture_slot *slot = &cpu->slot;
	bool overflow = slot->flags & NMI_CAPTURE_SLOT_F_OVERFLOW;

	struct nmibt_error *err = read_text(image, cpu, slot->text_off, slot->text_size,
					    slot->text_len, true, overflow, &cpu->text);
	if (!err)
		err = read_text(image, cpu, slot->nested_off, slot->nested_size, slot->nested_len,
				false, overflow, &cpu->nested);
	if (!err)
		err = nmibt_trace(image->arch, &cpu->text, &cpu->frames, &cpu->nr_frames);
	for (size_t i = 0; i < cpu->nested.nr_lines; i++)
		cpu->nested.lines[i].flags |= NMIBT_LINE_NESTED;
	return err;
}

static bool has_text(const struct nmibt_cpu *cpu)
{
	return cpu->slot.state >= NMI_CAPTURE_SLOT_BEGUN;
}

static void fill_registers(const struct nmibt_image *image, struct nmibt_cpu *cpu)
{
	const struct nmi_capture_slot *slot = &cpu->slot;

	if (slot->flags & NMI_CAPTURE_SLOT_F_REGS && has_text(cpu)) {
		cpu->nmi_regs.present = slot->nr_regs > 0;
		cpu->nmi_regs.nr = slot->nr_regs;
		memcpy(cpu->nmi_regs.value, slot->regs, slot->nr_regs * sizeof(slot->regs[0]));
	}
	cpu->note = nmibt_read_note(image, slot->note_paddr, slot->note_size, &cpu->stop_regs,
				    &cpu->note_pid);
	cpu->moved = nmibt_compare_regs(image, cpu);
}

static bool find_slot(const struct nmibt_image *image, const struct nmibt_capture *capture,
		      struct nmibt_cpu *cpu)
{
	if (!capture->slot_known[cpu->cpu]) {
		cpu->outcome = NMIBT_OUTCOME_DAMAGED;
		because(cpu, "its entry in the table of slots at %#" PRIx64 " can't be read",
			capture->desc.table_paddr + cpu->cpu * (uint64_t)8);
		return false;
	}
	cpu->slot_paddr = capture->slots[cpu->cpu];
	if (!cpu->slot_paddr)
		return false;

	enum nmibt_read status =
		nmibt_read_phys(image, cpu->slot_paddr, &cpu->slot, sizeof(cpu->slot));
	if (status != NMIBT_READ_OK) {
		cpu->outcome = status == NMIBT_READ_EXCLUDED ? NMIBT_OUTCOME_EXCLUDED
							     : NMIBT_OUTCOME_DAMAGED;
		because(cpu, "its slot at %#" PRIx64 " is %s", cpu->slot_paddr,
			nmibt_read_name(status));
		return false;
	}
	cpu->outcome = NMIBT_OUTCOME_DAMAGED;
	return check_slot(capture, cpu);
}

struct nmibt_error *nmibt_report_cpu(const struct nmibt_report *report, unsigned int nr,
				     struct nmibt_cpu *ret)
{
	struct nmibt_cpu cpu = {.cpu = nr, .outcome = NMIBT_OUTCOME_NONE};

	if (nr >= report->capture.desc.nr_slots)
		return nmibt_error_create(NMIBT_ERR_USAGE, "no CPU %u: the capture has %u", nr,
					  report->capture.desc.nr_slots);
	if (nmibt_interrupted(report->image))
		return nmibt_error_create(NMIBT_ERR_INTERRUPTED, "interrupted at CPU %u", nr);
	if (find_slot(report->image, &report->capture, &cpu)) {
		cpu.slot_present = true;
		cpu.stale = is_stale(&report->capture, &cpu.slot);
		if (!*cpu.why)
			cpu.outcome = outcome_of(&cpu.slot);
		struct nmibt_error *err =
			has_text(&cpu) ? read_slot_text(report->image, &cpu) : NULL;
		if (err) {
			nmibt_cpu_destroy(&cpu);
			return err;
		}
		fill_registers(report->image, &cpu);
		cpu.stack_hash = nmibt_stack_hash(cpu.frames, cpu.nr_frames);
	}
	*ret = cpu;
	return NULL;
}

void nmibt_cpu_destroy(struct nmibt_cpu *cpu)
{
	nmibt_text_destroy(&cpu->text);
	nmibt_text_destroy(&cpu->nested);
	free(cpu->frames);
	cpu->frames = NULL;
	cpu->nr_frames = 0;
}

static bool lost_something(const struct nmibt_cpu *cpu)
{
	return *cpu->why || cpu->slot.lost_bytes || cpu->slot.lost_msgs || cpu->text.unread ||
	       cpu->nested.unread || cpu->outcome == NMIBT_OUTCOME_EXCLUDED;
}

static struct nmibt_error *first_pass(struct nmibt_report *report)
{
	for (unsigned int i = 0; i < report->capture.desc.nr_slots; i++) {
		struct nmibt_cpu cpu;
		struct nmibt_error *err = nmibt_report_cpu(report, i, &cpu);
		if (err)
			return err;

		struct nmibt_cpu_brief *brief = &report->cpus[i];
		*brief = (struct nmibt_cpu_brief){
			.outcome = cpu.outcome,
			.moved = cpu.moved,
			.note = cpu.note,
			.stack_hash = cpu.stack_hash,
			.slot_flags = cpu.slot.flags,
			.stale = cpu.stale,
			.lost = lost_something(&cpu),
			.lost_bytes = cpu.slot.lost_bytes,
			.unread = cpu.text.unread + cpu.nested.unread,
		};
		report->possible[i] = cpu.slot_paddr || cpu.outcome != NMIBT_OUTCOME_NONE;
		if (report->possible[i]) {
			report->nr_possible++;
			if (cpu.stale)
				report->nr_stale++;
			else
				report->by_outcome[cpu.outcome]++;
		}
		if (brief->lost)
			report->complete = false;
		nmibt_cpu_destroy(&cpu);
	}
	return NULL;
}

struct nmibt_error *nmibt_report_open(const struct nmibt_image *image, enum nmibt_source wish,
				      struct nmibt_report **ret)
{
	struct nmibt_report *report = calloc(1, sizeof(*report));
	if (!report)
		return nmibt_error_nomem();

	report->image = image;
	report->complete = true;
	struct nmibt_error *err = nmibt_locate(image, wish, &report->capture);
	if (!err) {
		report->cpus = calloc(report->capture.desc.nr_slots, sizeof(*report->cpus));
		report->possible = calloc(report->capture.desc.nr_slots, sizeof(*report->possible));
		err = report->cpus && report->possible ? first_pass(report) : nmibt_error_nomem();
	}
	if (err) {
		nmibt_report_close(report);
		return err;
	}
	if (*report->capture.damage)
		report->complete = false;
	*ret = report;
	return NULL;
}

void nmibt_report_close(struct nmibt_report *report)
{
	if (!report)
		return;
	nmibt_capture_destroy(&report->capture);
	free(report->cpus);
	free(report->possible);
	free(report);
}
