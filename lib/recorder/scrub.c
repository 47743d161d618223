// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Redacts what is in an extract. Where registers and names of tasks are, the sources know; everything
 * else that may be secret is text, wherever it stands.
 */
#include <stddef.h>

#include "recorder/extract.h"
#include "unwind/unwind.h"

/* Shorter runs of characters in memory may be numbers. */
#define MIN_RUN 4

/* struct elf_prstatus: see lib/kernel/registers.c. */
#define NOTE_HEAD NMIBT_NOTE_HEAD("CORE")
#define PRSTATUS_REG 112

/* ---------------------------------------------------------------------- registers */

/* Kernel addresses have their upper bits set on all architectures, 8 of them with 5 levels of page
 * tables, as small negative numbers do. */
static bool points_to_kernel(uint64_t value)
{
	return value >> 56 == 0xff;
}

/* The registers that say in which mode the CPU was; *ret_mask: what of their bits the CPU has. */
static bool tells_mode(const char *name, uint64_t *ret_mask)
{
	static const struct {
		const char *name;
		uint64_t mask;
	} kept[] = {{"cs", 0xffff}, {"ss", 0xffff}, {"eflags", 0xffffffff}, {"pstate", 0xffffffff}};

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		if (strcmp(name, kept[i].name))
			continue;
		*ret_mask = kept[i].mask;
		return true;
	}
	return false;
}

static void scrub_regs(const struct nmibt_reg_names *names, enum nmibt_arch arch,
		       struct nmibt_regs *regs)
{
	bool is_user = nmibt_is_user_mode(arch, regs);
	uint64_t mask;

	for (unsigned int i = 0; i < regs->nr && i < names->nr; i++) {
		if (tells_mode(names->name[i], &mask))
			regs->value[i] &= mask;
		else if (is_user || !points_to_kernel(regs->value[i]))
			regs->value[i] = 0;
	}
}

/* The bytes of a register, which need not be in one page with the others. */
typedef char *(*place_fn)(void *ctx, unsigned int i);

static void scrub_regs_at(enum nmibt_arch arch, place_fn place, void *ctx)
{
	const struct nmibt_reg_names *names = nmibt_reg_names(arch);
	struct nmibt_regs regs = {.present = true, .nr = names ? names->nr : 0};

	for (unsigned int i = 0; i < regs.nr; i++) {
		const char *at = place(ctx, i);

		if (at)
			memcpy(&regs.value[i], at, sizeof(regs.value[i]));
	}
	if (names)
		scrub_regs(names, arch, &regs);
	for (unsigned int i = 0; i < regs.nr; i++) {
		char *at = place(ctx, i);

		if (at)
			memcpy(at, &regs.value[i], sizeof(regs.value[i]));
	}
}

struct cpu_place {
	const struct nmibt_extract *extract;
	unsigned int cpu;
	uint64_t slot_paddr;
	enum note_place note;
};

static char *place_in_slot(void *ctx, unsigned int i)
{
	const struct cpu_place *p = ctx;

	return nmibt_extract_at(p->extract,
				p->slot_paddr + offsetof(struct nmi_capture_slot, regs) + i * 8, 8);
}

static char *place_in_note(void *ctx, unsigned int i)
{
	const struct cpu_place *p = ctx;
	uint64_t paddr;

	return nmibt_extract_note(p->extract, p->note, p->cpu, NOTE_HEAD + PRSTATUS_REG + i * 8,
				  &paddr)
		       ? nmibt_extract_at(p->extract, paddr, 8)
		       : NULL;
}

static char *place_in_desc(void *ctx, unsigned int i)
{
	return (char *)ctx + PRSTATUS_REG + i * 8;
}

/* What can't be read as a note may be registers all the same. */
static void scrub_vcpus(struct nmibt_extract *extract, enum nmibt_arch arch)
{
	const struct nmibt_reg_names *names = nmibt_reg_names(arch);
	size_t need = PRSTATUS_REG + (names ? names->nr : 0) * 8, at = 0;
	struct nmibt_elf_note note;

	for (; extract->notes && nmibt_next_note(extract->notes, extract->notes_len, at, &note);
	     at = note.next) {
		size_t left = extract->notes_len - note.at;

		if (note.type != NT_PRSTATUS || !nmibt_note_is(&note, "CORE"))
			continue;
		if (note.size >= need && left >= need)
			scrub_regs_at(arch, place_in_desc, extract->notes + note.at);
		else
			memset(extract->notes + note.at, 0, note.size < left ? note.size : left);
	}
	if (extract->notes && at < extract->notes_len)
		memset(extract->notes + at, 0, extract->notes_len - at);
}

/* ------------------------------------------------------------------- names of tasks */

/* The name in a slot's header. */
static char *comm_in_slot(const struct nmibt_extract *extract, uint64_t slot_paddr)
{
	return nmibt_extract_at(extract, slot_paddr + offsetof(struct nmi_capture_slot, comm),
				NMI_CAPTURE_COMM_LEN);
}

static int32_t pid_in_slot(const struct nmibt_extract *extract, uint64_t slot_paddr)
{
	const char *at = nmibt_extract_at(
		extract, slot_paddr + offsetof(struct nmi_capture_slot, pid), sizeof(int32_t));
	int32_t pid = -1;

	if (at)
		memcpy(&pid, at, sizeof(pid));
	return pid;
}

/* Only threads of the kernel begin in kthread() (kernel/kthread.c, 6.12), and nobody else can change their
 * names. */
static bool is_of_thread(const struct nmibt_stack *stack)
{
	for (size_t i = 0; i < stack->nr; i++) {
		const struct nmibt_frame *frame = &stack->frames[i];

		if (frame->reliable && !frame->module.len &&
		    nmibt_str_is(frame->function, "kthread"))
			return true;
	}
	return false;
}

static struct nmibt_error *add_thread(struct secrets *secrets, const struct nmibt_evidence *e)
{
	const struct nmibt_str comm = {e->task.comm, strnlen(e->task.comm, sizeof(e->task.comm))};

	/* Drivers have names of their own for theirs, which may tell what the machine has. */
	if (!e->task.known || !nmibt_is_kernel_thread(comm) || !is_of_thread(&e->stack))
		return NULL;
	return nmibt_secrets_add_thread(secrets, e->task.pid, comm);
}

static struct nmibt_error *collect_threads(const struct nmibt_report *report,
					   struct secrets *secrets)
{
	struct nmibt_error *err = NULL;

	for (unsigned int i = 0; i < report->nr_cpus && !err; i++) {
		struct nmibt_cpu *cpu;

		err = nmibt_report_cpu(report, i, &cpu);
		if (err)
			return err;
		err = add_thread(secrets, &cpu->standing);
		if (!err)
			err = add_thread(secrets, &cpu->stop);
		nmibt_cpu_close(cpu);
	}
	return err;
}

static struct nmibt_error *collect_of_cpu(struct nmibt_extract *extract, unsigned int cpu,
					  struct secrets *secrets)
{
	uint64_t slot = nmibt_extract_slot(extract, cpu);
	const char *comm = comm_in_slot(extract, slot);
	char current[NMI_CAPTURE_COMM_LEN] = "";
	struct nmibt_error *err = NULL;
	int32_t pid;

	if (comm)
		err = nmibt_secrets_add_comm(secrets, pid_in_slot(extract, slot),
					     (struct nmibt_str){comm, NMI_CAPTURE_COMM_LEN});
	if (!err && nmibt_current_task(extract->report->kernel, cpu, &pid, current))
		err = nmibt_secrets_add_comm(secrets, pid,
					     (struct nmibt_str){current, sizeof(current)});
	return err;
}

/* --------------------------------------------------------------------------- texts */

static bool is_text(char c)
{
	unsigned char byte = c;

	return byte == '\t' || (byte >= ' ' && byte != 0x7f && byte < 0xf5);
}

static bool ends_line(char c)
{
	return !c || c == '\n';
}

/* The next run of text in s, from *at on, without bytes that are done; is_done may be NULL. A level's
 * header, which is an SOH and a character, is none (include/linux/kern_levels.h, 6.12). Names of tasks may
 * have any bytes but NUL, so that a run ends where a line ends. */
static bool next_run(const char *s, const bool *is_done, size_t len, size_t *at,
		     struct nmibt_str *ret)
{
	size_t i = *at, end;

	for (; i < len; i = end + 1) {
		while (i < len && (!is_text(s[i]) || (is_done && is_done[i])))
			i += s[i] == '\001' ? 2 : 1;
		for (end = i; end < len && !ends_line(s[end]) && !(is_done && is_done[end]);)
			end++;
		if (i >= len)
			return false;
		if (end - i < MIN_RUN)
			continue;
		*ret = (struct nmibt_str){s + i, end - i};
		*at = end;
		return true;
	}
	return false;
}

static struct nmibt_error *collect_of_texts(const struct nmibt_extract *extract,
					    enum nmibt_arch arch, struct secrets *secrets)
{
	struct nmibt_error *err = NULL;
	struct nmibt_str run;

	for (size_t i = 0; i < extract->nr_pieces; i++) {
		const struct extract_piece *piece = &extract->pieces[i];

		for (size_t at = 0;
		     !err && next_run(piece->bytes, piece->is_done, piece->len, &at, &run);)
			err = nmibt_secrets_add_of_line(secrets, arch, run);
	}
	return err;
}

struct texts {
	struct secrets *secrets;
	enum nmibt_arch arch;
};

static struct nmibt_error *collect_of_line(void *ctx, struct joined_line *line)
{
	const struct texts *texts = ctx;
	struct nmibt_error *err = NULL;
	struct nmibt_str run;

	for (size_t at = 0; !err && next_run(line->text, NULL, line->len, &at, &run);)
		err = nmibt_secrets_add_of_line(texts->secrets, texts->arch, run);
	return err;
}

static struct nmibt_error *end_joiner(struct joiner *joiner, struct nmibt_error *err)
{
	struct nmibt_error *of_end = nmibt_joiner_end(joiner);

	if (!err)
		return of_end;
	nmibt_error_destroy(of_end);
	return err;
}

static struct nmibt_error *collect_of_log(const struct nmibt_extract *extract,
					  struct secrets *secrets)
{
	struct nmibt_kernel *kernel = extract->report->kernel;
	struct texts texts = {secrets, kernel->image->arch};
	struct joiner joiner = {.take = collect_of_line, .ctx = &texts};
	struct nmibt_log_record record;
	struct nmibt_log *log;
	struct nmibt_error *err = nmibt_log_open(kernel, &log);

	if (err && err->code == NMIBT_ERR_NOMEM)
		return err;
	if (err) {
		nmibt_error_destroy(err);
		return NULL;
	}
	while (!err && nmibt_log_next(log, &record)) {
		if (!record.is_end)
			err = nmibt_joiner_put(&joiner, &record, NULL);
	}
	nmibt_log_close(log);
	return end_joiner(&joiner, err);
}

static struct nmibt_error *collect(struct nmibt_extract *extract, struct secrets *secrets)
{
	struct nmibt_kernel *kernel = extract->report->kernel;
	_cleanup_free_ char *host = nmibt_read_host(kernel);
	struct nmibt_error *err = collect_threads(extract->report, secrets);

	if (!err)
		err = collect_of_texts(extract, kernel->image->arch, secrets);
	if (!err)
		err = collect_of_log(extract, secrets);
	if (!err && host)
		err = nmibt_secrets_add_host(secrets, nmibt_str_of(host));
	if (!err && kernel->vmcoreinfo.osrelease)
		err = nmibt_secrets_add_release(secrets, kernel->vmcoreinfo.osrelease);
	for (unsigned int i = 0; i < extract->report->nr_cpus && !err; i++)
		err = collect_of_cpu(extract, i, secrets);
	nmibt_secrets_sort(secrets);
	return err;
}

/* What the log's reader reads for a record, up to the end of its text, is numbers beside that. Their bytes may look like
 * text, a time in ns as an address of mail. */
static void keep_numbers(const struct nmibt_extract *extract, const struct spans *read,
			 size_t with_text, uint64_t text_end)
{
	for (size_t i = 0; i < read->nr; i++) {
		uint64_t start = read->v[i].start;

		nmibt_extract_mark_done(extract, start,
					(i == with_text ? text_end : read->v[i].end) - start);
	}
}

/*
 * A text of the log has a number before it, whose last byte may be a character: an ID in the ring, the
 * level before 5.10. So where the text begins is learned from the log's reader: of what it reads for a
 * record, what is equal to the text is the text. It ends what is read; a short one may be equal to a part of
 * the numbers, too. NULL: it is not in the extract, or in parts.
 */
static char *find_text(const struct nmibt_extract *extract, const struct spans *read,
		       struct nmibt_str text, bool at_end)
{
	for (size_t i = 0; i < read->nr && text.len; i++) {
		size_t len = read->v[i].end - read->v[i].start;
		size_t from = at_end && len > text.len ? len - text.len : 0;
		char *bytes = nmibt_extract_at(extract, read->v[i].start, len);
		char *place = bytes ? memmem(bytes + from, len - from, text.s, text.len) : NULL;

		if (!place)
			continue;
		keep_numbers(extract, read, i, read->v[i].start + (place - bytes) + text.len);
		return place;
	}
	if (!text.len)
		keep_numbers(extract, read, read->nr, 0);
	return at_end ? find_text(extract, read, text, false) : NULL;
}

/* A program may write what looks like a line of the kernel's; nmibt takes nothing of it for one. */
static struct nmibt_error *scrub_whole_line(void *ctx, struct joined_line *line)
{
	const struct texts *texts = ctx;
	struct nmibt_str run;

	if (line->is_of_user) {
		nmibt_secrets_scrub_whole(line->text, line->len);
		return NULL;
	}
	for (size_t at = 0; next_run(line->text, NULL, line->len, &at, &run);)
		nmibt_secrets_scrub_line(texts->secrets, texts->arch, true,
					 line->text + (run.s - line->text), run.len);
	return NULL;
}

static struct nmibt_error *scrub_log(const struct nmibt_extract *extract, struct secrets *secrets)
{
	struct texts texts = {secrets, extract->report->kernel->image->arch};
	struct joiner joiner = {.take = scrub_whole_line, .ctx = &texts};
	struct nmibt_kernel *kernel;
	struct nmibt_log_record record;
	struct nmibt_log *log = NULL;
	struct memory_note note;
	struct nmibt_error *err = nmibt_extract_open_again(extract, &note, &kernel);

	if (err && err->code == NMIBT_ERR_NOMEM)
		return err;
	if (err) {
		nmibt_error_destroy(err);
		return NULL;
	}
	err = nmibt_log_open(kernel, &log);
	while (!err && (note.now->nr = 0, nmibt_log_next(log, &record))) {
		if (!record.is_end)
			err = nmibt_joiner_put(
				&joiner, &record,
				find_text(extract, note.now,
					  (struct nmibt_str){record.text, record.len}, true));
	}
	err = end_joiner(&joiner, err);
	nmibt_log_close(log);
	nmibt_kernel_close(kernel);
	nmibt_memory_note_close(&note);
	if (!err || err->code == NMIBT_ERR_NOMEM)
		return err;
	nmibt_error_destroy(err);
	return NULL;
}

/* The name in struct utsname is read with what is around it, and may be short. */
static void scrub_host(const struct nmibt_extract *extract)
{
	_cleanup_free_ char *host = nmibt_read_host(extract->report->kernel);
	size_t len = host && strcmp(host, "(none)") ? strlen(host) + 1 : 0;

	for (size_t i = 0; len > 1 && i < extract->nr_pieces; i++) {
		const struct extract_piece *piece = &extract->pieces[i];
		char *at = memmem(piece->bytes, piece->len, host, len);

		if (at && (at == piece->bytes || !at[-1]))
			memset(at, 'x', len - 1);
	}
}

/* Replaces what is secret in lines of the kernel at [paddr, paddr + len). */
static void scrub_lines(const struct nmibt_extract *extract, const struct secrets *secrets,
			uint64_t paddr, uint64_t len)
{
	enum nmibt_arch arch = extract->report->kernel->image->arch;
	uint64_t end = paddr + len;
	struct nmibt_str run;
	size_t part;
	char *bytes;

	for (; (bytes = nmibt_extract_next(extract, &paddr, end, &part)); paddr += part) {
		for (size_t at = 0; next_run(bytes, NULL, part, &at, &run);)
			nmibt_secrets_scrub_line(secrets, arch, true, bytes + (run.s - bytes),
						 run.len);
		nmibt_extract_mark_done(extract, paddr, part);
	}
}

/* The texts of a slot have lines of backtraces alone. Its header has numbers, and what scrub_cpu() replaces. */
static void scrub_slot_texts(const struct nmibt_extract *extract, const struct secrets *secrets,
			     uint64_t slot_paddr)
{
	struct nmi_capture_slot slot;

	if (!slot_paddr || nmibt_read_phys(extract->report->kernel->image, slot_paddr, &slot,
					   sizeof(slot)) != NMIBT_READ_OK)
		return;
	scrub_lines(extract, secrets, slot_paddr + slot.text_off, slot.text_size);
	scrub_lines(extract, secrets, slot_paddr + slot.nested_off, slot.nested_size);
	nmibt_extract_mark_done(extract, slot_paddr, sizeof(slot));
}

/* All else in the descriptor is numbers. */
static void scrub_message(const struct nmibt_extract *extract, const struct secrets *secrets)
{
	const struct nmibt_sources *sources = extract->report->sources;
	uint64_t desc = sources->capture.desc_paddr;
	uint64_t paddr = desc + offsetof(struct nmi_capture_desc, message);
	char *at = sources->has_capture ? nmibt_extract_at(extract, paddr, NMI_CAPTURE_MESSAGE_LEN)
					: NULL;

	if (!at)
		return;
	nmibt_secrets_scrub_message(secrets, at, strnlen(at, NMI_CAPTURE_MESSAGE_LEN));
	nmibt_extract_mark_done(extract, desc, sizeof(struct nmi_capture_desc));
}

static void scrub_texts(const struct nmibt_extract *extract, const struct secrets *secrets)
{
	enum nmibt_arch arch = extract->report->kernel->image->arch;
	struct nmibt_str run;

	for (size_t i = 0; i < extract->nr_pieces; i++) {
		const struct extract_piece *piece = &extract->pieces[i];

		/* The name in a struct task_struct is read alone, and may be short. */
		if (piece->len == NMI_CAPTURE_COMM_LEN)
			nmibt_secrets_scrub_comm(secrets, piece->bytes, piece->len);
		for (size_t at = 0; next_run(piece->bytes, piece->is_done, piece->len, &at, &run);)
			nmibt_secrets_scrub_line(secrets, arch, false,
						 piece->bytes + (run.s - piece->bytes), run.len);
	}
}

/* -------------------------------------------------------------------------- stacks */

/* Addresses that are not in a function are words of the stack. */
static struct nmibt_error *scrub_stack(struct nmibt_item *item, struct nmibt_bytes *packed)
{
	struct nmibt_stack stack;
	struct nmibt_error *err = nmibt_stack_unpack(item->data, &stack);

	if (err)
		return err;
	for (size_t i = 0; i < stack.nr; i++) {
		if (!stack.frames[i].function.len || !points_to_kernel(stack.frames[i].addr))
			stack.frames[i].addr = 0;
	}
	if (!points_to_kernel(stack.end_addr))
		stack.end_addr = 0;
	item->key = points_to_kernel(item->key) ? item->key : 0;
	item->second = points_to_kernel(item->second) ? item->second : 0;
	packed->len = 0;
	err = nmibt_stack_pack(&stack, packed);
	item->data = (struct nmibt_str){packed->s, packed->len};
	nmibt_stack_destroy(&stack);
	return err;
}

static struct nmibt_error *scrub_answers(struct nmibt_bytes *answers)
{
	struct nmibt_str cursor = {answers->s, answers->len};
	struct nmibt_bytes scrubbed = {0}, packed = {0};
	struct nmibt_error *err = NULL;
	struct nmibt_item item;
	uint64_t last = 0;

	while (!err && nmibt_item_next(&cursor, &last, &item)) {
		if (item.kind == NMIBT_ITEM_STACK)
			err = scrub_stack(&item, &packed);
		if (!err)
			err = nmibt_item_add(&scrubbed, &item, &last);
	}
	free(packed.s);
	free(answers->s);
	*answers = scrubbed;
	return err;
}

/* ------------------------------------------------------------------------ together */

static void scrub_cpu(struct nmibt_extract *extract, const struct secrets *secrets,
		      unsigned int cpu)
{
	enum nmibt_arch arch = extract->report->kernel->image->arch;
	struct cpu_place place = {extract, cpu, nmibt_extract_slot(extract, cpu), NOTE_BY_SLOT};
	char *comm = comm_in_slot(extract, place.slot_paddr);

	if (comm)
		nmibt_secrets_scrub_slot(secrets, pid_in_slot(extract, place.slot_paddr), comm,
					 NMI_CAPTURE_COMM_LEN);
	scrub_regs_at(arch, place_in_slot, &place);
	for (; place.note < NR_NOTE_PLACES; place.note++)
		scrub_regs_at(arch, place_in_note, &place);
}

static struct nmibt_error *scrub_all(struct nmibt_extract *extract, struct secrets *secrets)
{
	char *vmcoreinfo = extract->note.vmcoreinfo;
	struct nmibt_error *err = scrub_log(extract, secrets);

	if (err)
		return err;
	scrub_host(extract);
	scrub_message(extract, secrets);
	for (unsigned int i = 0; i < extract->report->nr_cpus; i++)
		scrub_slot_texts(extract, secrets, nmibt_extract_slot(extract, i));
	scrub_texts(extract, secrets);
	for (unsigned int i = 0; i < extract->report->nr_cpus; i++)
		scrub_cpu(extract, secrets, i);
	scrub_vcpus(extract, extract->report->kernel->image->arch);
	if (vmcoreinfo)
		nmibt_secrets_scrub_release(secrets, vmcoreinfo, strlen(vmcoreinfo));
	return scrub_answers(&extract->note.answers);
}

struct nmibt_error *nmibt_extract_scrub(struct nmibt_extract *extract)
{
	struct secrets *secrets;
	struct nmibt_error *err = nmibt_secrets_new(&secrets);

	if (!err)
		err = collect(extract, secrets);
	if (!err)
		err = scrub_all(extract, secrets);
	nmibt_secrets_free(secrets);
	return err;
}
