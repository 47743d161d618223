// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A CPU's slot of the capture: it is checked and decoded, and says what became of the CPU.
 */
#include <inttypes.h>
#include <stddef.h>

#include "source/source.h"

/* Checks an area of the slot, and cuts it to the part within the slot. */
static void check_area(struct nmibt_evidence *cpu, const char *what, uint32_t slot_size,
		       uint32_t off, uint32_t *size, uint32_t *len)
{
	if (off < sizeof(cpu->slot) || off > slot_size) {
		nmibt_add_reason(cpu->why, "its %s is at %u of a slot of %u bytes", what, off,
				 slot_size);
		*size = *len = 0;
		return;
	}
	if (*size > slot_size - off) {
		nmibt_add_reason(cpu->why, "its %s has %u bytes at %u of a slot of %u", what, *size,
				 off, slot_size);
		*size = slot_size - off;
	}
	if (*len > *size) {
		nmibt_add_reason(cpu->why, "%u bytes of %s in %u", *len, what, *size);
		*len = *size;
	}
}

uint32_t nmibt_slot_generation(const struct nmi_capture_slot *slot)
{
	return slot->state < NMI_CAPTURE_SLOT_BEGUN ? slot->asked_generation : slot->generation;
}

bool nmibt_has_registers_only(const struct nmibt_evidence *evidence)
{
	return evidence->has_slot && evidence->slot.state == NMI_CAPTURE_SLOT_DONE &&
	       evidence->regs.present && !evidence->text.raw_len && !evidence->nested.raw_len &&
	       !evidence->slot.lost_msgs && !evidence->slot.lost_bytes;
}

/* By how many requests the slot is older than the last one. A slot of no request is not older. */
static int64_t generations_behind(const struct nmibt_capture *capture, uint32_t generation)
{
	return generation ? (int64_t)capture->desc.generation - generation : 0;
}

/* All flags of this version. Other bits are ignored: in a later version they may mean anything. */
#define SLOT_FLAGS ((NMI_CAPTURE_SLOT_F_NO_REGS_SELF << 1) - 1)
#define ASKED_FLAGS NMI_CAPTURE_ASKED_F_OFFLINE

static void check_time(struct nmibt_evidence *cpu, const char *what, uint64_t *ns)
{
	if (*ns <= INT64_MAX)
		return;
	nmibt_add_reason(cpu->why, "the time when it %s is %#" PRIx64, what, *ns);
	*ns = 0;
}

/* A time that can't be is made unknown. Where the times contradict each other, all are unknown. */
static void check_times(const struct nmibt_capture *capture, struct nmibt_evidence *cpu)
{
	struct nmi_capture_slot *slot = &cpu->slot;

	check_time(cpu, "was asked", &slot->asked_ns);
	check_time(cpu, "began", &slot->begun_ns);
	check_time(cpu, "was done", &slot->done_ns);
	if (capture->are_times_disputed)
		slot->asked_ns = slot->begun_ns = slot->done_ns = 0;
}

/* A CPU that forbids backtraces writes no text, unless a fault is reported there. */
static void check_registers_only(struct nmibt_evidence *cpu)
{
	const struct nmi_capture_slot *slot = &cpu->slot;

	if (slot->state >= NMI_CAPTURE_SLOT_BEGUN && slot->text_len &&
	    slot->flags & NMI_CAPTURE_SLOT_F_REGS_ONLY &&
	    !(slot->flags & NMI_CAPTURE_SLOT_F_FAULTED))
		nmibt_add_reason(cpu->why, "it has %u bytes of text, and registers only were taken",
				 slot->text_len);
}

/* What the requester wrote. */
static void check_asked(const struct nmibt_capture *capture, struct nmibt_evidence *cpu)
{
	const struct nmi_capture_slot *slot = &cpu->slot;

	if (capture->desc.version == NMI_CAPTURE_VERSION && slot->asked_flags & ~ASKED_FLAGS)
		nmibt_add_reason(cpu->why, "its asked_flags are %#x", slot->asked_flags);
	if (generations_behind(capture, slot->asked_generation) < 0)
		nmibt_add_reason(cpu->why, "it was asked by request %u, the last one was %u",
				 slot->asked_generation, capture->desc.generation);
	if (slot->asked_flags & NMI_CAPTURE_ASKED_F_OFFLINE &&
	    slot->state == NMI_CAPTURE_SLOT_ASKED)
		nmibt_add_reason(cpu->why, "it was asked, although it was not online");
	if (capture->desc.flags & NMI_CAPTURE_F_REGS_ONLY &&
	    slot->state == NMI_CAPTURE_SLOT_ASKED &&
	    generations_behind(capture, slot->asked_generation) <= 0)
		nmibt_add_reason(cpu->why, "it was asked by a request that takes registers only");
}

/* Adds what is wrong to cpu->why, and makes the slot's fields safe to use. generation may be one
 * ahead, because a CPU may capture itself just before the request is counted. */
static bool check_slot(const struct nmibt_image *image, const struct nmibt_capture *capture,
		       struct nmibt_evidence *cpu)
{
	const struct nmibt_reg_names *names = nmibt_reg_names(image->arch);
	struct nmi_capture_slot *slot = &cpu->slot;
	uint32_t size = capture->desc.slot_size;

	if (memcmp(slot->magic, NMI_CAPTURE_SLOT_MAGIC, NMI_CAPTURE_MAGIC_LEN)) {
		nmibt_add_reason(cpu->why, "no slot at %#" PRIx64 ": its magic is missing",
				 cpu->slot_paddr);
		return false;
	}
	if (slot->cpu != cpu->cpu)
		nmibt_add_reason(cpu->why, "its slot says CPU %u", slot->cpu);
	if (slot->state > NMI_CAPTURE_SLOT_DONE)
		nmibt_add_reason(cpu->why, "its state is %u", slot->state);
	if (capture->desc.version == NMI_CAPTURE_VERSION && slot->flags & ~SLOT_FLAGS)
		nmibt_add_reason(cpu->why, "its flags are %#x", slot->flags);
	/* how is written after the state, so a slot that is BEGUN may lack it. */
	if (slot->how > NMI_CAPTURE_BY_STOP ||
	    (slot->state >= NMI_CAPTURE_SLOT_DONE && slot->how == NMI_CAPTURE_BY_NONE))
		nmibt_add_reason(cpu->why, "how it was captured is %u, which is unknown",
				 slot->how);
	if (slot->flags & NMI_CAPTURE_SLOT_F_REGS && names && slot->nr_regs != names->nr) {
		nmibt_add_reason(cpu->why, "%u registers, %u expected", slot->nr_regs, names->nr);
		slot->nr_regs = 0;
	}
	if (slot->nr_regs > NMI_CAPTURE_MAX_REGS)
		slot->nr_regs = 0;
	if (generations_behind(capture, slot->generation) < -1)
		nmibt_add_reason(cpu->why, "it answers request %u, the last one was %u",
				 slot->generation, capture->desc.generation);
	check_asked(capture, cpu);
	check_area(cpu, "text", size, slot->text_off, &slot->text_size, &slot->text_len);
	check_area(cpu, "nested text", size, slot->nested_off, &slot->nested_size,
		   &slot->nested_len);
	if (slot->text_off < slot->nested_off
		    ? slot->nested_off - slot->text_off < slot->text_size
		    : slot->text_off - slot->nested_off < slot->nested_size)
		nmibt_add_reason(cpu->why, "its text and nested text overlap");
	check_times(capture, cpu);
	check_registers_only(cpu);
	return true;
}

/* The bytes behind the published ones are read in pieces of so many: a record has what was read. */
#define TAIL_PIECE 64

/* Reads the bytes behind the published ones, up to their first NUL; pieces after it are not read.
 * Returns the offset at which they end. */
static size_t read_tail(const struct nmibt_image *image, uint64_t paddr, size_t len, size_t size,
			char *raw, bool *known)
{
	size_t end = len;

	while (end < size) {
		size_t chunk = TAIL_PIECE - ((paddr + end) & (TAIL_PIECE - 1));
		if (chunk > size - end)
			chunk = size - end;
		nmibt_read_phys_pages(image, paddr + end, raw + end, chunk, known + end);

		size_t stop = end + chunk;
		while (end < stop && known[end] && raw[end])
			end++;
		if (end < stop)
			break;
	}
	return end;
}

/* Reads an area: the published bytes, and the bytes behind them. */
static struct nmibt_error *read_text(const struct nmibt_image *image,
				     const struct nmibt_evidence *cpu, uint32_t off, uint32_t size,
				     uint32_t len, struct nmibt_text *ret)
{
	_cleanup_free_ char *raw = malloc((size_t)size + 1);
	_cleanup_free_ bool *known = malloc(((size_t)size + 1) * sizeof(*known));
	uint64_t paddr;

	if (!raw || !known)
		return nmibt_error_nomem();
	if (__builtin_add_overflow(cpu->slot_paddr, off, &paddr))
		paddr = size = len = 0;
	struct nmibt_run run = nmibt_read_phys_pages(image, paddr, raw, len, known);
	size_t end = read_tail(image, paddr, len, size, raw, known);
	/* The slot has one flag for both areas: it belongs to the one that is full except for its
	 * NUL. */
	bool overflow = cpu->slot.flags & NMI_CAPTURE_SLOT_F_OVERFLOW && len + 1 >= size;
	struct nmibt_error *err = nmibt_decode(raw, end, len, known, overflow, ret);
	if (!err)
		ret->excluded = run.excluded;
	return err;
}

static struct nmibt_error *read_slot_text(struct nmibt_kernel *kernel, struct nmibt_evidence *cpu)
{
	const struct nmibt_image *image = kernel->image;
	const struct nmi_capture_slot *slot = &cpu->slot;
	struct nmibt_backtrace backtrace;

	struct nmibt_error *err =
		read_text(image, cpu, slot->text_off, slot->text_size, slot->text_len, &cpu->text);
	if (!err)
		err = read_text(image, cpu, slot->nested_off, slot->nested_size, slot->nested_len,
				&cpu->nested);
	if (!err)
		err = nmibt_read_backtrace(image->arch, &cpu->text, &backtrace);
	if (err)
		return err;
	nmibt_evidence_take_backtrace(cpu, &backtrace);
	for (size_t i = 0; i < cpu->nested.nr_lines; i++)
		cpu->nested.lines[i].flags |= NMIBT_LINE_NESTED;
	return NULL;
}

/* Sets what is wrong with the text, and how much of it is lost. */
static void count_loss(struct nmibt_evidence *cpu)
{
	const struct nmi_capture_slot *slot = &cpu->slot;

	cpu->lost_bytes = slot->lost_bytes;
	cpu->lost_msgs = slot->lost_msgs;
	if (slot->lost_bytes || slot->lost_msgs)
		cpu->wrong |= NMIBT_WRONG_CUT;
	if (slot->state == NMI_CAPTURE_SLOT_BEGUN || cpu->text.raw_len > cpu->text.published)
		cpu->wrong |= NMIBT_WRONG_TORN;
	if (cpu->text.excluded || cpu->nested.excluded)
		cpu->wrong |= NMIBT_WRONG_EXCLUDED;
	if (cpu->text.unread > cpu->text.excluded)
		cpu->wrong |= NMIBT_WRONG_GAP;
	if (*cpu->why)
		cpu->wrong |= NMIBT_WRONG_DAMAGED;
}

/* The slot's header is more precise than the text, so it overrides what the text says. */
static void fill_header(struct nmibt_evidence *cpu)
{
	const struct nmi_capture_slot *slot = &cpu->slot;

	cpu->clock = NMIBT_CLOCK_CAPTURE;
	cpu->asked_ns = slot->asked_ns;
	if (slot->state < NMI_CAPTURE_SLOT_BEGUN)
		return;
	cpu->begun_ns = slot->begun_ns;
	cpu->ended_ns = slot->done_ns;
	cpu->task.known = true;
	cpu->task.pid = slot->pid;
	memcpy(cpu->task.comm, slot->comm, sizeof(cpu->task.comm));
	cpu->is_idle_said = slot->flags & NMI_CAPTURE_SLOT_F_IDLE;
	cpu->is_user = slot->flags & NMI_CAPTURE_SLOT_F_USER;
	cpu->has_irqs_off = true;
	cpu->irqs_off = slot->flags & NMI_CAPTURE_SLOT_F_IRQS_OFF;
	if (slot->flags & NMI_CAPTURE_SLOT_F_REGS) {
		cpu->regs.present = slot->nr_regs > 0;
		cpu->regs.nr = slot->nr_regs;
		memcpy(cpu->regs.value, slot->regs, slot->nr_regs * sizeof(slot->regs[0]));
	}
}

/* Reads a slot's header but for its registers. */
static enum nmibt_read read_head(const struct nmibt_image *image, uint64_t paddr,
				 struct nmi_capture_slot *ret)
{
	*ret = (struct nmi_capture_slot){0};
	return nmibt_read_phys(image, paddr, ret, offsetof(struct nmi_capture_slot, regs));
}

/* A record may have the header of a slot without its registers. */
static void read_registers(const struct nmibt_image *image, struct nmibt_evidence *cpu)
{
	struct nmi_capture_slot *slot = &cpu->slot;
	enum nmibt_read status =
		nmibt_read_phys(image, cpu->slot_paddr + offsetof(struct nmi_capture_slot, regs),
				slot->regs, slot->nr_regs * sizeof(*slot->regs));

	if (status == NMIBT_READ_OK)
		return;
	slot->nr_regs = 0;
	cpu->wrong |= status == NMIBT_READ_EXCLUDED ? NMIBT_WRONG_EXCLUDED : NMIBT_WRONG_GAP;
	if (!nmibt_image_is_record(image))
		nmibt_add_reason(cpu->why, "the registers in its slot are %s",
				 nmibt_read_name(status));
}

static bool find_slot(const struct nmibt_image *image, const struct nmibt_capture *capture,
		      struct nmibt_evidence *cpu)
{
	if (!capture->slot_known[cpu->cpu]) {
		cpu->wrong |= NMIBT_WRONG_DAMAGED;
		nmibt_add_reason(cpu->why,
				 "its entry in the table of slots at %#" PRIx64 " can't be read",
				 capture->desc.table_paddr + cpu->cpu * (uint64_t)8);
		return false;
	}
	cpu->slot_paddr = capture->slots[cpu->cpu];
	if (!cpu->slot_paddr || cpu->slot_paddr == NMI_CAPTURE_NO_MEMORY)
		return false;

	enum nmibt_read status = read_head(image, cpu->slot_paddr, &cpu->slot);
	if (status != NMIBT_READ_OK) {
		cpu->wrong |=
			status == NMIBT_READ_EXCLUDED ? NMIBT_WRONG_EXCLUDED : NMIBT_WRONG_DAMAGED;
		nmibt_add_reason(cpu->why, "its slot at %#" PRIx64 " is %s", cpu->slot_paddr,
				 nmibt_read_name(status));
		return false;
	}
	if (!check_slot(image, capture, cpu)) {
		cpu->wrong |= NMIBT_WRONG_DAMAGED;
		return false;
	}
	read_registers(image, cpu);
	return true;
}

struct nmibt_error *nmibt_slot_evidence(struct nmibt_kernel *kernel,
					const struct nmibt_capture *capture, unsigned int cpu,
					struct nmibt_evidence *ret, bool *ret_stale)
{
	*ret = (struct nmibt_evidence){
		.cpu = cpu,
		.source = capture->source,
		.kind = NMIBT_EVIDENCE_SLOT,
		.asked_by = capture->desc.panic_cpu,
	};
	*ret_stale = false;
	if (!find_slot(kernel->image, capture, ret))
		return NULL;
	ret->has_slot = true;
	*ret_stale = generations_behind(capture, nmibt_slot_generation(&ret->slot)) > 0;
	struct nmibt_error *err = NULL;
	if (ret->slot.state >= NMI_CAPTURE_SLOT_BEGUN)
		err = read_slot_text(kernel, ret);
	if (err) {
		nmibt_evidence_destroy(ret);
		return err;
	}
	fill_header(ret);
	count_loss(ret);
	return NULL;
}

/* ------------------------------------------------------------ a damaged descriptor */

/* False: the CPU has no readable slot. */
static bool read_slot(const struct nmibt_image *image, const struct nmibt_capture *capture,
		      uint32_t cpu, struct nmi_capture_slot *ret)
{
	return capture->slots[cpu] && read_head(image, capture->slots[cpu], ret) == NMIBT_READ_OK &&
	       !memcmp(ret->magic, NMI_CAPTURE_SLOT_MAGIC, NMI_CAPTURE_MAGIC_LEN);
}

/*
 * All slots have the same layout. If several of them agree on an end that is beyond the
 * descriptor's slot_size, slot_size is wrong.
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
	nmibt_add_reason(capture->damage, "the descriptor has slots of %u bytes, all slots have %u",
			 desc->slot_size, (uint32_t)seen);
	desc->slot_size = seen;
}

/*
 * The requester answers its own request, so if the request has ended, there is at least one slot
 * with its generation. If there is none, and all slots have the same other generation, the
 * descriptor's is wrong.
 */
static void mend_generation(const struct nmibt_image *image, struct nmibt_capture *capture)
{
	struct nmi_capture_desc *desc = &capture->desc;
	uint32_t seen = 0;

	if (desc->state != NMI_CAPTURE_COMPLETE && desc->state != NMI_CAPTURE_TIMEOUT)
		return;
	for (uint32_t i = 0; i < desc->nr_slots; i++) {
		struct nmi_capture_slot slot;

		if (!read_slot(image, capture, i, &slot) || !nmibt_slot_generation(&slot))
			continue;
		if (nmibt_slot_generation(&slot) == desc->generation ||
		    (seen && nmibt_slot_generation(&slot) != seen))
			return;
		seen = nmibt_slot_generation(&slot);
	}
	if (!seen)
		return;
	nmibt_add_reason(capture->damage, "no slot is of request %u, all are of %u",
			 desc->generation, seen);
	desc->generation = seen;
}

/* If a CPU has written text for a request that takes registers only, the descriptor is wrong. */
static void mend_registers_only(const struct nmibt_image *image, struct nmibt_capture *capture)
{
	struct nmi_capture_desc *desc = &capture->desc;
	const uint32_t no_text = NMI_CAPTURE_SLOT_F_REGS_ONLY | NMI_CAPTURE_SLOT_F_FAULTED;

	for (uint32_t i = 0; desc->flags & NMI_CAPTURE_F_REGS_ONLY && i < desc->nr_slots; i++) {
		struct nmi_capture_slot slot;

		if (!read_slot(image, capture, i, &slot) || slot.state < NMI_CAPTURE_SLOT_BEGUN ||
		    slot.generation != desc->generation || !slot.text_len || slot.flags & no_text)
			continue;
		nmibt_add_reason(capture->damage,
				 "by the descriptor only registers were taken, CPU %u has text", i);
		desc->flags &= ~NMI_CAPTURE_F_REGS_ONLY;
	}
}

void nmibt_mend_capture(const struct nmibt_image *image, struct nmibt_capture *capture)
{
	mend_slot_size(image, capture);
	mend_generation(image, capture);
	mend_registers_only(image, capture);
}

/* ------------------------------------------------------- a clock that contradicts itself */

/*
 * All times of a request are of one clock (kernel/time/timekeeping.c: ktime_get_mono_fast_ns(),
 * 6.12), which many CPUs read. On a sound machine it may jump back: where the CPU that updates it is
 * locked up, to the last update, as soon as a counter has gone on for longer than it can tell
 * (kernel/time/timekeeping_internal.h: clocksource_delta()), after 2.3 s with the 24 bits of the ACPI
 * PM timer; or from CPU to CPU, where their counters were not set to the same time.
 */

/* Two CPUs read the clock without a lock, so that one may see a little less than the other did
 * before (kernel/time/timekeeping.c: __ktime_get_fast_ns(), 6.12). */
#define CLOCK_SLACK_NS 10000000

/* False also where a time is not known. */
static bool is_before(uint64_t a, uint64_t b)
{
	return a && a <= INT64_MAX && b <= INT64_MAX && a + CLOCK_SLACK_NS < b;
}

/* Whoever gives up waits for as long as the limit says, unless the clock stands still. */
static bool is_wait_disputed(const struct nmi_capture_desc *desc)
{
	uint64_t waited = desc->finished_ns - desc->asked_ns;

	if (!desc->finished_ns)
		return false;
	if (desc->finished_ns < desc->asked_ns)
		return true;
	if (desc->state == NMI_CAPTURE_TIMEOUT && !(desc->flags & NMI_CAPTURE_F_NOT_WAITED))
		return waited < desc->timeout_ms * UINT64_C(1000000);
	return desc->nr_asked && !waited;
}

static bool is_slot_disputed(const struct nmi_capture_desc *desc,
			     const struct nmi_capture_slot *slot)
{
	const uint32_t flags = slot->flags & (NMI_CAPTURE_SLOT_F_REGS | NMI_CAPTURE_SLOT_F_LATE);
	bool has_answered = slot->how == NMI_CAPTURE_BY_NMI || slot->how == NMI_CAPTURE_BY_IRQ;

	if (slot->asked_generation == desc->generation &&
	    (is_before(slot->asked_ns, desc->asked_ns) ||
	     is_before(desc->finished_ns, slot->asked_ns)))
		return true;
	if (slot->state < NMI_CAPTURE_SLOT_BEGUN)
		return false;
	/* What was asked and begins behind the wait is marked as late. */
	return (slot->done_ns && slot->done_ns < slot->begun_ns && slot->begun_ns <= INT64_MAX) ||
	       (has_answered && is_before(slot->begun_ns, slot->asked_ns)) ||
	       (slot->generation == desc->generation && slot->asked_ns &&
		flags == NMI_CAPTURE_SLOT_F_REGS && is_before(desc->finished_ns, slot->begun_ns));
}

void nmibt_check_times(const struct nmibt_image *image, struct nmibt_capture *capture)
{
	struct nmi_capture_desc *desc = &capture->desc;
	bool is_disputed = is_wait_disputed(desc);

	for (uint32_t i = 0; i < desc->nr_slots && !is_disputed; i++) {
		struct nmi_capture_slot slot;

		is_disputed = read_slot(image, capture, i, &slot) && is_slot_disputed(desc, &slot);
	}
	if (!is_disputed)
		return;
	capture->are_times_disputed = true;
	desc->asked_ns = desc->finished_ns = 0;
}
