// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What became of each CPU: its slot, checked, decoded and given an outcome.
 * A first pass leaves a brief of each CPU, so that memory does not grow with
 * their text.
 */
#include <inttypes.h>

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

/* An area of the slot: cut to what lies within it. */
static void check_area(struct nmibt_cpu *cpu, const char *what, uint32_t slot_size, uint32_t off,
		       uint32_t *size, uint32_t *len)
{
	if (off < sizeof(cpu->slot) || off > slot_size) {
		nmibt_because(cpu->why, "its %s is at %u of a slot of %u bytes", what, off,
			      slot_size);
		*size = *len = 0;
		return;
	}
	if (*size > slot_size - off) {
		nmibt_because(cpu->why, "its %s has %u bytes at %u of a slot of %u", what, *size,
			      off, slot_size);
		*size = slot_size - off;
	}
	if (*len > *size) {
		nmibt_because(cpu->why, "%u bytes of %s in %u", *len, what, *size);
		*len = *size;
	}
}

/* A slot that was never written answers no request, not an older one. */
static int64_t generations_behind(const struct nmibt_capture *capture,
				  const struct nmi_capture_slot *slot)
{
	return slot->generation ? (int64_t)capture->desc.generation - slot->generation : 0;
}

/* Flags of a later version may mean anything; of this one there are no more. */
#define SLOT_FLAGS ((NMI_CAPTURE_SLOT_F_NO_REGS_SELF << 1) - 1)

/* What is wrong is said in cpu->why; what is left is safe to use. A CPU may
 * capture itself just before the request is counted. */
static bool check_slot(const struct nmibt_image *image, const struct nmibt_capture *capture,
		       struct nmibt_cpu *cpu)
{
	const struct nmibt_reg_names *names = nmibt_reg_names(image->arch);
	struct nmi_capture_slot *slot = &cpu->slot;
	uint32_t size = capture->desc.slot_size;

	if (memcmp(slot->magic, NMI_CAPTURE_SLOT_MAGIC, NMI_CAPTURE_MAGIC_LEN)) {
		nmibt_because(cpu->why, "no slot at %#" PRIx64 ": its magic is missing",
			      cpu->slot_paddr);
		return false;
	}
	if (slot->cpu != cpu->cpu)
		nmibt_because(cpu->why, "its slot says CPU %u", slot->cpu);
	if (slot->state > NMI_CAPTURE_SLOT_DONE)
		nmibt_because(cpu->why, "its state is %u", slot->state);
	if (capture->desc.version == NMI_CAPTURE_VERSION && slot->flags & ~SLOT_FLAGS)
		nmibt_because(cpu->why, "its flags are %#x", slot->flags);
	/* The way is written behind the claim: one that has begun may lack it. */
	if (slot->how > NMI_CAPTURE_BY_STOP ||
	    (slot->state >= NMI_CAPTURE_SLOT_DONE && slot->how == NMI_CAPTURE_BY_NONE))
		nmibt_because(cpu->why, "it was captured in way %u", slot->how);
	if (slot->flags & NMI_CAPTURE_SLOT_F_REGS && names && slot->nr_regs != names->nr) {
		nmibt_because(cpu->why, "%u registers, %u expected", slot->nr_regs, names->nr);
		slot->nr_regs = 0;
	}
	if (slot->nr_regs > NMI_CAPTURE_MAX_REGS)
		slot->nr_regs = 0;
	if (generations_behind(capture, slot) < -1)
		nmibt_because(cpu->why, "it answers request %u, the last one was %u",
			      slot->generation, capture->desc.generation);
	check_area(cpu, "text", size, slot->text_off, &slot->text_size, &slot->text_len);
	check_area(cpu, "nested text", size, slot->nested_off, &slot->nested_size,
		   &slot->nested_len);
	if (slot->text_off < slot->nested_off
		    ? slot->nested_off - slot->text_off < slot->text_size
		    : slot->text_off - slot->nested_off < slot->nested_size)
		nmibt_because(cpu->why, "its text and nested text overlap");
	if (slot->state >= NMI_CAPTURE_SLOT_BEGUN && capture->desc.asked_ns && slot->done_ns &&
	    slot->done_ns < slot->begun_ns)
		nmibt_because(cpu->why, "it was done before it began");
	return true;
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

/* What stands behind the published bytes ends at its first NUL: the pages
 * behind that need not be read. Returns where it ends. */
static size_t read_tail(const struct nmibt_image *image, uint64_t paddr, size_t len, size_t size,
			char *raw, bool *known)
{
	size_t end = len;

	while (end < size) {
		size_t chunk = image->page_size - ((paddr + end) & (image->page_size - 1));
		if (chunk > size - end)
			chunk = size - end;
		nmibt_read_pages(image, paddr + end, raw + end, chunk, known + end);

		size_t stop = end + chunk;
		while (end < stop && known[end] && raw[end])
			end++;
		if (end < stop)
			break;
	}
	return end;
}

/* Reads an area: the published bytes, and what stands behind them. */
static struct nmibt_error *read_text(const struct nmibt_image *image, const struct nmibt_cpu *cpu,
				     uint32_t off, uint32_t size, uint32_t len,
				     struct nmibt_text *ret)
{
	_cleanup_free_ char *raw = malloc((size_t)size + 1);
	_cleanup_free_ bool *known = malloc(((size_t)size + 1) * sizeof(*known));
	uint64_t paddr;

	if (!raw || !known)
		return nmibt_error_nomem();
	if (__builtin_add_overflow(cpu->slot_paddr, off, &paddr))
		paddr = size = len = 0;
	struct nmibt_run run = nmibt_read_pages(image, paddr, raw, len, known);
	size_t end = read_tail(image, paddr, len, size, raw, known);
	/* One flag for both areas: it is of one that is full but for its NUL. */
	bool overflow = cpu->slot.flags & NMI_CAPTURE_SLOT_F_OVERFLOW && len + 1 >= size;
	struct nmibt_error *err = nmibt_decode(raw, end, len, known, overflow, ret);
	if (!err)
		ret->excluded = run.excluded;
	return err;
}

static struct nmibt_error *read_slot_text(const struct nmibt_image *image, struct nmibt_cpu *cpu)
{
	const struct nmi_capture_slot *slot = &cpu->slot;

	struct nmibt_error *err =
		read_text(image, cpu, slot->text_off, slot->text_size, slot->text_len, &cpu->text);
	if (!err)
		err = read_text(image, cpu, slot->nested_off, slot->nested_size, slot->nested_len,
				&cpu->nested);
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

static void fill_registers(const struct nmibt_report *report, struct nmibt_cpu *cpu)
{
	const struct nmi_capture_slot *slot = &cpu->slot;

	if (slot->flags & NMI_CAPTURE_SLOT_F_REGS && has_text(cpu)) {
		cpu->nmi_regs.present = slot->nr_regs > 0;
		cpu->nmi_regs.nr = slot->nr_regs;
		memcpy(cpu->nmi_regs.value, slot->regs, slot->nr_regs * sizeof(slot->regs[0]));
	}
	cpu->note = nmibt_read_note(report->image, slot->note_paddr, slot->note_size,
				    &cpu->stop_regs, &cpu->note_pid);
	cpu->moved = nmibt_compare_regs(report->symbols, cpu);
}

static bool find_slot(const struct nmibt_image *image, const struct nmibt_capture *capture,
		      struct nmibt_cpu *cpu)
{
	if (!capture->slot_known[cpu->cpu]) {
		cpu->outcome = NMIBT_OUTCOME_DAMAGED;
		nmibt_because(cpu->why,
			      "its entry in the table of slots at %#" PRIx64 " can't be read",
			      capture->desc.table_paddr + cpu->cpu * (uint64_t)8);
		return false;
	}
	cpu->slot_paddr = capture->slots[cpu->cpu];
	if (!cpu->slot_paddr || cpu->slot_paddr == NMI_CAPTURE_NO_MEMORY)
		return false;

	enum nmibt_read status =
		nmibt_read_phys(image, cpu->slot_paddr, &cpu->slot, sizeof(cpu->slot));
	if (status != NMIBT_READ_OK) {
		cpu->outcome = status == NMIBT_READ_EXCLUDED ? NMIBT_OUTCOME_EXCLUDED
							     : NMIBT_OUTCOME_DAMAGED;
		nmibt_because(cpu->why, "its slot at %#" PRIx64 " is %s", cpu->slot_paddr,
			      nmibt_read_name(status));
		return false;
	}
	cpu->outcome = NMIBT_OUTCOME_DAMAGED;
	return check_slot(image, capture, cpu);
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
		cpu.stale = generations_behind(&report->capture, &cpu.slot) > 0;
		if (!*cpu.why)
			cpu.outcome = outcome_of(&cpu.slot);
		struct nmibt_error *err =
			has_text(&cpu) ? read_slot_text(report->image, &cpu) : NULL;
		if (err) {
			nmibt_cpu_destroy(&cpu);
			return err;
		}
		fill_registers(report, &cpu);
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

		struct nmibt_wait wait = {.kind = NMIBT_WAIT_NONE};
		nmibt_is_waiting(cpu.frames, cpu.nr_frames, &wait);
		struct nmibt_cpu_brief *brief = &report->cpus[i];
		*brief = (struct nmibt_cpu_brief){
			.outcome = cpu.outcome,
			.moved = cpu.moved,
			.note = cpu.note,
			.wait = wait.kind,
			.stack_hash = cpu.stack_hash,
			.slot_flags = cpu.slot.flags,
			.stale = cpu.stale,
			.lost = lost_something(&cpu),
			.lost_bytes = cpu.slot.lost_bytes,
			.unread = cpu.text.unread + cpu.nested.unread,
			.has_task = cpu.slot_present && cpu.slot.state >= NMI_CAPTURE_SLOT_BEGUN,
			.pid = cpu.slot.pid,
		};
		memcpy(brief->comm, cpu.slot.comm, sizeof(brief->comm));
		report->possible[i] = cpu.slot_paddr || cpu.outcome != NMIBT_OUTCOME_NONE;
		if (report->possible[i]) {
			report->nr_possible++;
			if (cpu.stale)
				report->nr_stale++;
			else
				report->by_outcome[cpu.outcome]++;
		}
		if (brief->lost || cpu.note == NMIBT_NOTE_DAMAGED ||
		    cpu.note == NMIBT_NOTE_EXCLUDED)
			report->complete = false;
		nmibt_cpu_destroy(&cpu);
	}
	return NULL;
}

/* False: there is none that tells anything. */
static bool read_slot(const struct nmibt_image *image, const struct nmibt_capture *capture,
		      uint32_t cpu, struct nmi_capture_slot *ret)
{
	return capture->slots[cpu] &&
	       nmibt_read_phys(image, capture->slots[cpu], ret, sizeof(*ret)) == NMIBT_READ_OK &&
	       !memcmp(ret->magic, NMI_CAPTURE_SLOT_MAGIC, NMI_CAPTURE_MAGIC_LEN);
}

/*
 * All slots are laid out alike. Where several are and agree on an end that the
 * descriptor cuts off, it is the descriptor that is wrong.
 */
static void mend_slot_size(const struct nmibt_image *image, struct nmibt_capture *capture)
{
	struct nmi_capture_desc *desc = &capture->desc;
	struct nmi_capture_slot slot;
	uint64_t seen = 0;
	unsigned int count = 0;

	for (uint32_t i = 0; i < desc->nr_slots; i++) {
		if (!read_slot(image, capture, i, &slot))
			continue;
		uint64_t end = (uint64_t)slot.text_off + slot.text_size;
		if (end < (uint64_t)slot.nested_off + slot.nested_size)
			end = (uint64_t)slot.nested_off + slot.nested_size;
		if (end <= desc->slot_size || (seen && end != seen))
			return;
		seen = end;
		count++;
	}
	if (count < 2 || seen > MAX_SLOT_SIZE)
		return;
	nmibt_because(capture->damage, "the descriptor has slots of %u bytes, all slots have %u",
		      desc->slot_size, (uint32_t)seen);
	desc->slot_size = seen;
}

/*
 * The requester answers its own request, so one that has ended has a slot at
 * least. Where it has none and all slots are of one other request, the
 * descriptor is wrong about its number.
 */
static void mend_generation(const struct nmibt_image *image, struct nmibt_capture *capture)
{
	struct nmi_capture_desc *desc = &capture->desc;
	uint32_t seen = 0;

	if (desc->state != NMI_CAPTURE_COMPLETE && desc->state != NMI_CAPTURE_TIMEOUT)
		return;
	for (uint32_t i = 0; i < desc->nr_slots; i++) {
		struct nmi_capture_slot slot;

		if (!read_slot(image, capture, i, &slot) || !slot.generation)
			continue;
		if (slot.generation == desc->generation || (seen && slot.generation != seen))
			return;
		seen = slot.generation;
	}
	if (!seen)
		return;
	nmibt_because(capture->damage, "no slot is of request %u, all are of %u", desc->generation,
		      seen);
	desc->generation = seen;
}

/* A log that can't be read or has no panic is no reason to fail. */
static struct nmibt_error *survey_log(struct nmibt_report *report)
{
	const char *known = report->image->panic_message;
	char *message = NULL;

	struct nmibt_error *err =
		nmibt_complaints_new(report->capture.desc.nr_slots, &report->complaints);
	if (err)
		return err;
	nmibt_error_destroy(nmibt_log_survey(report->image, nmibt_complaints_visit,
					     report->complaints, &message));
	if (known) {
		free(message);
		message = strdup(known);
	}
	report->panic_message = message;
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
	report->symbols = calloc(1, sizeof(*report->symbols));
	if (!report->symbols) {
		nmibt_report_close(report);
		return nmibt_error_nomem();
	}
	report->symbols->image = image;
	struct nmibt_error *err = nmibt_locate(image, wish, &report->capture);
	if (!err) {
		mend_slot_size(image, &report->capture);
		mend_generation(image, &report->capture);
		report->cpus = calloc(report->capture.desc.nr_slots, sizeof(*report->cpus));
		report->possible = calloc(report->capture.desc.nr_slots, sizeof(*report->possible));
		err = report->cpus && report->possible ? first_pass(report) : nmibt_error_nomem();
		err = err ? err : survey_log(report);
	}
	if (err) {
		nmibt_report_close(report);
		return err;
	}
	if (*report->capture.damage || report->capture.slots_unread)
		report->complete = false;
	*ret = report;
	return NULL;
}

void nmibt_report_close(struct nmibt_report *report)
{
	if (!report)
		return;
	nmibt_capture_destroy(&report->capture);
	free(report->panic_message);
	nmibt_complaints_destroy(report->complaints);
	if (report->symbols)
		nmibt_kallsyms_close(report->symbols->kallsyms);
	free(report->symbols);
	free(report->cpus);
	free(report->possible);
	free(report);
}
