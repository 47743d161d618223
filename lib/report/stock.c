// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The sources of kernels that nobody patched, put together CPU by CPU: the text that
 * stands in a buffer of the CPU's own and never reached the log, else what the log has of
 * it, else its registers.
 */
#include <inttypes.h>

#include "report/report.h"

/* ---------------------------------------------------------------------- open */

static void say(struct nmibt_source_state *state, enum nmibt_found found, const char *why)
{
	state->found = found;
	*state->why = '\0';
	nmibt_because(state->why, "%s", why);
}

/* NOTHING is an absence, all else that it can't be read. */
static void say_error(struct nmibt_source_state *state, struct nmibt_error *err)
{
	say(state, err->code == NMIBT_ERR_NOTHING ? NMIBT_FOUND_ABSENT : NMIBT_FOUND_UNREADABLE,
	    err->message);
	nmibt_error_destroy(err);
}

static void visit_record(void *ctx, const struct nmibt_log_record *record)
{
	struct nmibt_stock *stock = ctx;

	nmibt_complaints_visit(stock->complaints, record);
	nmibt_blocks_visit(stock->blocks, record);
}

static void describe_missing(const struct nmibt_log_missing *m, struct nmibt_source_state *state)
{
	uint64_t unreadable = m->unreadable + m->damaged + m->unfinished + m->lost;

	if (m->excluded)
		nmibt_because(state->why, "%" PRIu64 " record%s not in the dump", m->excluded,
			      nmibt_plural(m->excluded));
	if (unreadable)
		nmibt_because(state->why, "%" PRIu64 " record%s can't be read", unreadable,
			      nmibt_plural(unreadable));
}

static void describe_log(const struct nmibt_stock *stock, struct nmibt_source_state *state)
{
	const struct nmibt_blocks *b = stock->blocks;
	char text[NMIBT_WHY_LEN];

	snprintf(text, sizeof(text), "%zu backtrace%s in %" PRIu64 " record%s", b->nr,
		 nmibt_plural(b->nr), b->nr_records, nmibt_plural(b->nr_records));
	say(state, b->nr ? NMIBT_FOUND : NMIBT_FOUND_EMPTY, text);
	for (size_t i = b->nr_requests > 2 ? b->nr_requests - 2 : 0; i < b->nr_requests; i++) {
		const struct nmibt_request *r = &b->requests[i];

		nmibt_because(state->why, "CPU %u asked %u at %" PRIu64 ".%06u s", r->by_cpu,
			      r->nr_asked, r->ts_ns / 1000000000,
			      (unsigned int)(r->ts_ns % 1000000000 / 1000));
	}
	if (b->is_wrapped)
		nmibt_because(state->why, stock->missing.excluded + stock->missing.unreadable
						  ? "older records are gone"
						  : "older records were overwritten");
	describe_missing(&stock->missing, state);
	/* Not one of them. */
	if (!b->nr_records && stock->missing.excluded + stock->missing.unreadable)
		state->found = NMIBT_FOUND_UNREADABLE;
}

static struct nmibt_error *read_log(struct nmibt_stock *stock, unsigned int nr_cpus,
				    struct nmibt_source_state *state)
{
	struct nmibt_error *err = nmibt_complaints_new(nr_cpus, &stock->complaints);

	if (!err)
		err = nmibt_blocks_new(&stock->blocks);
	if (err)
		return err;
	err = nmibt_log_survey(stock->image, visit_record, stock, &stock->missing,
			       &stock->panic_message);
	if (err && (err->code == NMIBT_ERR_NOMEM || err->code == NMIBT_ERR_INTERRUPTED))
		return err;
	if (err) {
		say_error(state, err);
		return NULL;
	}
	err = nmibt_blocks_finish(stock->blocks);
	if (!err)
		describe_log(stock, state);
	return err;
}

/* How many CPUs have each kind of note. */
static void count_notes(const struct nmibt_percpu *percpu, unsigned int counts[NMIBT_NR_NOTES])
{
	for (unsigned int cpu = 0; cpu < percpu->nr; cpu++) {
		struct nmibt_regs regs;
		int pid;

		if (percpu->possible[cpu])
			counts[nmibt_percpu_read_note(percpu, cpu, &regs, &pid)]++;
	}
}

static void describe_registers(const struct nmibt_stock *stock, struct nmibt_source_state *state)
{
	unsigned int counts[NMIBT_NR_NOTES] = {0};

	count_notes(stock->percpu, counts);
	unsigned int present = counts[NMIBT_NOTE_PRESENT], empty = counts[NMIBT_NOTE_NONE];
	unsigned int excluded = counts[NMIBT_NOTE_EXCLUDED], damaged = counts[NMIBT_NOTE_DAMAGED];
	*state->why = '\0';
	state->found = present		     ? NMIBT_FOUND
		       : excluded || damaged ? NMIBT_FOUND_UNREADABLE
		       : empty		     ? NMIBT_FOUND_EMPTY
					     : NMIBT_FOUND_ABSENT;
	if (present)
		nmibt_because(state->why, "crash notes of %u CPU%s", present,
			      nmibt_plural(present));
	if (empty)
		nmibt_because(state->why, "%u empty crash note%s%s", empty, nmibt_plural(empty),
			      stock->has_kdumped ? "" : ": there was no kdump");
	if (excluded)
		nmibt_because(state->why, "%u crash note%s not in the dump", excluded,
			      nmibt_plural(excluded));
	if (damaged)
		nmibt_because(state->why, "%u crash note%s that can't be read", damaged,
			      nmibt_plural(damaged));
	if (state->found == NMIBT_FOUND_ABSENT)
		nmibt_because(state->why, "where the crash notes are is not known");
}

static unsigned int count_texts(const struct nmibt_stock *stock, unsigned int *ret_unread)
{
	unsigned int count = 0;

	*ret_unread = 0;
	for (unsigned int cpu = 0; cpu < stock->percpu->nr; cpu++) {
		struct nmibt_legacy_area area;
		struct nmibt_error *err =
			nmibt_legacy_read(stock->legacy, cpu, NMIBT_LEGACY_NMI, &area);

		if (err) {
			nmibt_error_destroy(err);
			continue;
		}
		count += area.text > 0;
		*ret_unread += area.status != NMIBT_READ_OK;
		nmibt_legacy_area_destroy(&area);
	}
	return count;
}

static void describe_legacy(const struct nmibt_stock *stock, struct nmibt_source_state *state)
{
	unsigned int unread, count = count_texts(stock, &unread);

	*state->why = '\0';
	state->found = count ? NMIBT_FOUND : unread ? NMIBT_FOUND_UNREADABLE : NMIBT_FOUND_EMPTY;
	if (count)
		nmibt_because(state->why, "text of %u CPU%s in %s (%s)", count, nmibt_plural(count),
			      nmibt_legacy_name(NMIBT_LEGACY_NMI),
			      nmibt_legacy_type(stock->legacy));
	else
		nmibt_because(state->why, "%s is flushed, -o shows what is left in it",
			      nmibt_legacy_name(NMIBT_LEGACY_NMI));
	if (unread)
		nmibt_because(state->why, "of %u CPU%s it can't be read", unread,
			      nmibt_plural(unread));
}

static void find_percpu(struct nmibt_stock *stock, struct nmibt_source_state *sources)
{
	struct nmibt_source_state *legacy = &sources[NMIBT_SOURCE_LEGACY];
	struct nmibt_source_state *registers = &sources[NMIBT_SOURCE_REGISTERS];
	struct nmibt_error *err = nmibt_virtual_open(stock->image, &stock->memory);

	if (!err)
		err = nmibt_percpu_open(stock->image, stock->memory, stock->symbols,
					&stock->percpu);
	if (err) {
		say(legacy,
		    err->code == NMIBT_ERR_NOTHING ? NMIBT_FOUND_ABSENT : NMIBT_FOUND_UNREADABLE,
		    err->message);
		say_error(registers, err);
		return;
	}
	describe_registers(stock, registers);
	err = nmibt_legacy_open(stock->image, stock->memory, stock->symbols, stock->percpu,
				&stock->legacy);
	if (err)
		say_error(legacy, err);
	else
		describe_legacy(stock, legacy);
}

struct nmibt_error *nmibt_stock_open(const struct nmibt_image *image, struct nmibt_symbols *symbols,
				     bool per_cpu, unsigned int nr_cpus,
				     struct nmibt_source_state *sources, struct nmibt_stock **ret)
{
	struct nmibt_stock *stock = calloc(1, sizeof(*stock));
	if (!stock)
		return nmibt_error_nomem();

	stock->image = image;
	stock->symbols = symbols;
	if (image->ops->vmcoreinfo) {
		_cleanup_free_ char *time = image->ops->vmcoreinfo(image->ctx, "CRASHTIME");

		stock->has_kdumped = time;
	}
	if (per_cpu)
		find_percpu(stock, sources);
	if (stock->percpu)
		nr_cpus = stock->percpu->nr;
	struct nmibt_error *err = read_log(stock, nr_cpus, &sources[NMIBT_SOURCE_LOG]);
	if (err) {
		nmibt_stock_close(stock);
		return err;
	}
	*ret = stock;
	return NULL;
}

void nmibt_stock_close(struct nmibt_stock *stock)
{
	if (!stock)
		return;
	nmibt_blocks_destroy(stock->blocks);
	nmibt_complaints_destroy(stock->complaints);
	nmibt_legacy_close(stock->legacy);
	nmibt_framewalk_close(stock->framewalk);
	nmibt_percpu_close(stock->percpu);
	nmibt_virtual_close(stock->memory);
	free(stock->panic_message);
	free(stock);
}

/* ---------------------------------------------------------------------- CPUs */

static bool is_mentioned(const struct nmibt_blocks *blocks, unsigned int cpu)
{
	if (blocks->newest[cpu])
		return true;
	for (size_t i = 0; i < blocks->nr_requests; i++) {
		if (blocks->requests[i].by_cpu == cpu ||
		    nmibt_request_asked(&blocks->requests[i], cpu))
			return true;
	}
	return false;
}

unsigned int nmibt_stock_nr_cpus(const struct nmibt_stock *stock)
{
	unsigned int nr = stock->percpu ? stock->percpu->nr : NMIBT_MAX_CPUS;

	while (!stock->percpu && nr && !is_mentioned(stock->blocks, nr - 1))
		nr--;
	return nr;
}

bool nmibt_stock_is_possible(const struct nmibt_stock *stock, unsigned int cpu)
{
	return stock->percpu ? stock->percpu->possible[cpu] : is_mentioned(stock->blocks, cpu);
}

/* An oops that the machine survived is no panic. */
static const struct nmibt_block *block_of_death(const struct nmibt_stock *stock)
{
	const struct nmibt_blocks *b = stock->blocks;
	const struct nmibt_block *block = b->died ? &b->blocks[b->died - 1] : NULL;
	const struct nmibt_percpu *p = stock->percpu;

	if (!block || (!b->has_panicked && !stock->has_kdumped))
		return NULL;
	/* The kernel's own variables know better. */
	if (p && p->panic_cpu >= 0 && p->panic_cpu != (int)block->cpu &&
	    p->redirected_from != (int)block->cpu)
		return NULL;
	return block;
}

uint32_t nmibt_stock_panic_cpu(const struct nmibt_stock *stock)
{
	const struct nmibt_block *block = block_of_death(stock);

	if (stock->percpu && stock->percpu->panic_cpu >= 0)
		return stock->percpu->panic_cpu;
	return block ? block->cpu : NMI_CAPTURE_NO_CPU;
}

/* ----------------------------------------------------------------------- log */

static enum nmibt_outcome outcome_of(const struct nmibt_block *block)
{
	switch (block->kind) {
	case NMIBT_BLOCK_NMI:
		return NMIBT_OUTCOME_ANSWERED;
	case NMIBT_BLOCK_SKIPPED:
		return NMIBT_OUTCOME_SKIPPED;
	case NMIBT_BLOCK_DIED:
		return NMIBT_OUTCOME_SELF;
	case NMIBT_BLOCK_LOCKUP:
	case NMIBT_BLOCK_OTHER:
		break;
	}
	return NMIBT_OUTCOME_REPORTED;
}

/* A warning, or an oops that was survived, says nothing of how the CPU ended. */
static bool may_stand(const struct nmibt_block *block)
{
	return block->kind != NMIBT_BLOCK_OTHER && block->kind != NMIBT_BLOCK_DIED;
}

/* A request that asked this CPU, and that nothing in the log answers; NULL: none. */
static const struct nmibt_request *unanswered(const struct nmibt_blocks *blocks, unsigned int cpu)
{
	for (size_t i = blocks->nr_requests; i-- > 0;) {
		const struct nmibt_request *request = &blocks->requests[i];

		if (blocks->answered[cpu] > blocks->requests_dropped + i)
			return NULL;
		if (nmibt_request_asked(request, cpu))
			return request;
	}
	return NULL;
}

static const struct nmibt_block *standing_block(const struct nmibt_stock *stock, unsigned int cpu)
{
	const struct nmibt_blocks *b = stock->blocks;
	const struct nmibt_request *silent = unanswered(b, cpu);
	const struct nmibt_block *death = block_of_death(stock);

	/* What it printed later, asked by itself, tells less. */
	if (death && death->cpu == cpu)
		return death;
	for (size_t i = b->newest[cpu]; i; i = b->blocks[i - 1].older) {
		const struct nmibt_block *block = &b->blocks[i - 1];

		if (!may_stand(block))
			continue;
		return silent && block->ended_ns < silent->ts_ns ? NULL : block;
	}
	return NULL;
}

/* Those that do not stand, the newest first. */
static const struct nmibt_block *older_block(const struct nmibt_stock *stock, unsigned int cpu,
					     unsigned int nth)
{
	const struct nmibt_blocks *b = stock->blocks;
	const struct nmibt_block *standing = standing_block(stock, cpu);

	for (size_t i = b->newest[cpu]; i; i = b->blocks[i - 1].older) {
		if (&b->blocks[i - 1] != standing && !nth--)
			return &b->blocks[i - 1];
	}
	return NULL;
}

/* What the text says, where nothing better is known. */
static void fill_facts(struct nmibt_cpu *cpu, const struct nmibt_backtrace *backtrace)
{
	cpu->has_task = backtrace->has_task;
	cpu->pid = backtrace->pid;
	memcpy(cpu->comm, backtrace->comm, sizeof(cpu->comm));
	if (backtrace->is_skipped || nmibt_is_idle_stack(&backtrace->stack))
		cpu->flags |= NMI_CAPTURE_SLOT_F_IDLE;
	if (backtrace->is_user)
		cpu->flags |= NMI_CAPTURE_SLOT_F_USER;
	if (backtrace->irqs_off)
		cpu->flags |= NMI_CAPTURE_SLOT_F_IRQS_OFF;
}

/* The frames of *ret are cpu's. */
static struct nmibt_error *fill_text(const struct nmibt_stock *stock, struct nmibt_cpu *cpu,
				     struct nmibt_backtrace *ret)
{
	struct nmibt_error *err = nmibt_read_backtrace(stock->image->arch, &cpu->text, ret);

	if (err)
		return err;
	fill_facts(cpu, ret);
	cpu->stack = ret->stack;
	return NULL;
}

static struct nmibt_error *fill_block(const struct nmibt_stock *stock,
				      const struct nmibt_block *block, struct nmibt_cpu *cpu,
				      struct nmibt_backtrace *backtrace)
{
	cpu->source = NMIBT_SOURCE_LOG;
	cpu->begun_ns = block->begun_ns;
	cpu->ended_ns = block->ended_ns;
	cpu->first_seq = block->first_seq;
	cpu->last_seq = block->last_seq;
	cpu->is_headless = block->is_headless;
	struct nmibt_error *err =
		nmibt_decode(block->raw, block->len, block->len, block->known, false, &cpu->text);
	return err ? err : fill_text(stock, cpu, backtrace);
}

struct nmibt_error *nmibt_stock_read_log(const struct nmibt_stock *stock, struct nmibt_cpu *cpu)
{
	const struct nmibt_block *block =
		cpu->cpu < NMIBT_MAX_CPUS ? standing_block(stock, cpu->cpu) : NULL;
	struct nmibt_backtrace backtrace;

	return block ? fill_block(stock, block, cpu, &backtrace) : NULL;
}

/* -------------------------------------------------------------------- legacy */

static struct nmibt_error *fill_area(const struct nmibt_stock *stock,
				     const struct nmibt_legacy_area *area, size_t start, size_t len,
				     size_t published, struct nmibt_cpu *cpu,
				     struct nmibt_backtrace *backtrace)
{
	cpu->source = NMIBT_SOURCE_LEGACY;
	cpu->buffer = area->name;
	cpu->lost_msgs = area->lost_msgs;
	if (area->damaged)
		nmibt_because(cpu->why, "%s says that more is in it than it has room for",
			      area->name);
	struct nmibt_error *err =
		nmibt_decode(area->raw + start, len, published, area->known + start,
			     area->overflow && !start, &cpu->text);
	return err ? err : fill_text(stock, cpu, backtrace);
}

/* What stands in a buffer was not always asked for. */
static enum nmibt_outcome outcome_of_text(const struct nmibt_text *text)
{
	static const char title[] = "NMI backtrace for cpu ";

	if (!memmem(text->raw, text->raw_len, title, strlen(title)))
		return NMIBT_OUTCOME_REPORTED;
	return memmem(text->raw, text->raw_len, " skipped: idling at ", 20)
		       ? NMIBT_OUTCOME_SKIPPED
		       : NMIBT_OUTCOME_ANSWERED;
}

/* Text that no flush has brought to the log. *ret_found: there is some. */
static struct nmibt_error *read_unflushed(const struct nmibt_stock *stock, struct nmibt_cpu *cpu,
					  struct nmibt_backtrace *backtrace, bool *ret_found)
{
	struct nmibt_legacy_area area;
	struct nmibt_error *err =
		nmibt_legacy_read(stock->legacy, cpu->cpu, NMIBT_LEGACY_NMI, &area);

	*ret_found = false;
	if (err) {
		nmibt_error_destroy(err);
		return NULL;
	}
	*ret_found = area.text > 0;
	if (*ret_found)
		err = fill_area(stock, &area, 0, area.text, area.published, cpu, backtrace);
	else if (area.status != NMIBT_READ_OK)
		nmibt_because(cpu->why, "its %s at %#" PRIx64 " is %s", area.name, area.vaddr,
			      nmibt_read_name(area.status));
	if (!err && *ret_found)
		cpu->outcome = outcome_of_text(&cpu->text);
	nmibt_legacy_area_destroy(&area);
	return err;
}

/* The nth piece of what flushes left, of both buffers. */
static struct nmibt_error *read_residue(const struct nmibt_stock *stock, unsigned int nth,
					struct nmibt_cpu *cpu, bool *ret_found)
{
	struct nmibt_error *err = NULL;
	struct nmibt_backtrace backtrace;

	*ret_found = false;
	for (enum nmibt_legacy_buffer b = 0; b < NMIBT_NR_LEGACY && !err && !*ret_found; b++) {
		struct nmibt_legacy_area area;
		size_t at, len = 0;

		if (!nmibt_legacy_has(stock->legacy, b))
			continue;
		err = nmibt_legacy_read(stock->legacy, cpu->cpu, b, &area);
		if (err) {
			nmibt_error_destroy(err);
			return NULL;
		}
		for (size_t from = area.text; nmibt_legacy_residue(&area, from, &at, &len);
		     from = at + len) {
			if (nth--)
				continue;
			*ret_found = true;
			cpu->is_headless = at > 0;
			err = fill_area(stock, &area, at, len, len, cpu, &backtrace);
			if (!err)
				cpu->outcome = outcome_of_text(&cpu->text);
			break;
		}
		nmibt_legacy_area_destroy(&area);
	}
	return err;
}

/* ----------------------------------------------------------------- registers */

static void fill_registers(const struct nmibt_stock *stock, struct nmibt_cpu *cpu)
{
	if (stock->percpu)
		cpu->note = nmibt_percpu_read_note(stock->percpu, cpu->cpu, &cpu->stop_regs,
						   &cpu->note_pid);
}

/* What the registers and the note say of a CPU that nothing else tells of. */
static void fill_facts_of_registers(const struct nmibt_stock *stock, struct nmibt_cpu *cpu)
{
	const struct nmibt_reg_names *names = nmibt_reg_names(stock->image->arch);

	cpu->source = NMIBT_SOURCE_REGISTERS;
	if (!cpu->note_pid)
		cpu->flags |= NMI_CAPTURE_SLOT_F_IDLE;
	/* The lower half of addresses is user space on both architectures. */
	if (names && !(cpu->stop_regs.value[names->pc] >> 63))
		cpu->flags |= NMI_CAPTURE_SLOT_F_USER;
}

/* Lines as the kernel prints frames, for what nmibt itself has unwound. */
struct unwinding {
	struct nmibt_symbols *symbols;
	FILE *out;
	unsigned int nr;
};

/* "name+0xoffset [module]"; of a return address the function that called. */
static void name_frame(struct nmibt_symbols *symbols, const struct nmibt_walked *frame, char *buf,
		       size_t len)
{
	unsigned int back = frame->is_return;
	char symbol[256], *end;

	char *plus = nmibt_symbolize(symbols, frame->pc - back, symbol, sizeof(symbol))
			     ? strchr(symbol, '+')
			     : NULL;
	if (!plus) {
		snprintf(buf, len, "0x%016" PRIx64, frame->pc);
		return;
	}
	uint64_t offset = strtoull(plus + 1, &end, 16);
	snprintf(buf, len, "%.*s+0x%" PRIx64 "%s", (int)(plus - symbol), symbol, offset + back,
		 end);
}

static bool unwound_frame(void *arg, const struct nmibt_walked *frame)
{
	struct unwinding *u = arg;
	char name[300];

	name_frame(u->symbols, frame, name, sizeof(name));
	fprintf(u->out, " %s%s\n", frame->reliable ? "" : "? ", name);
	u->nr++;
	return true;
}

static void walk_frames(struct nmibt_stock *stock, const struct nmibt_regs *regs,
			struct unwinding *u)
{
	if (!stock->framewalk_tried)
		nmibt_error_destroy(nmibt_framewalk_open(stock->image, stock->memory,
							 stock->symbols, &stock->framewalk));
	stock->framewalk_tried = true;
	if (stock->framewalk)
		nmibt_error_destroy(nmibt_framewalk(stock->framewalk, regs, unwound_frame, u));
}

/* By the front end, if it has a vmlinux, else by what the kernel itself left in memory for
 * its own unwinder. */
static struct nmibt_error *unwind(struct nmibt_stock *stock, struct nmibt_cpu *cpu)
{
	const struct nmibt_image *image = stock->image;
	const struct nmibt_regs *regs = &cpu->stop_regs;
	char *text = NULL;
	size_t len;
	struct unwinding u = {stock->symbols, open_memstream(&text, &len), 0};

	if (!u.out)
		return nmibt_error_nomem();
	if (image->ops->unwind)
		image->ops->unwind(image->ctx, regs, unwound_frame, &u);
	if (!u.nr)
		walk_frames(stock, regs, &u);
	if (fclose(u.out)) {
		free(text);
		return nmibt_error_nomem();
	}
	struct nmibt_error *err = NULL;
	if (u.nr) {
		cpu->is_unwound = true;
		err = nmibt_decode(text, len, len, NULL, false, &cpu->text);
		if (!err)
			err = nmibt_trace_unwound(&cpu->text, &cpu->stack);
	}
	free(text);
	return err;
}

/* ------------------------------------------------------------------- together */

static bool wants(enum nmibt_source wish, enum nmibt_source source)
{
	return wish == NMIBT_SOURCE_AUTO || wish == source;
}

static struct nmibt_error *read_standing(struct nmibt_stock *stock, enum nmibt_source wish,
					 struct nmibt_cpu *cpu)
{
	struct nmibt_backtrace backtrace = {0};
	bool found = false;
	struct nmibt_error *err = NULL;

	fill_registers(stock, cpu);
	if (stock->legacy && wants(wish, NMIBT_SOURCE_LEGACY))
		err = read_unflushed(stock, cpu, &backtrace, &found);
	if (err)
		return err;
	const struct nmibt_block *block =
		!found && wants(wish, NMIBT_SOURCE_LOG) ? standing_block(stock, cpu->cpu) : NULL;
	const struct nmibt_request *silent = found || block || !wants(wish, NMIBT_SOURCE_LOG)
						     ? NULL
						     : unanswered(stock->blocks, cpu->cpu);
	if (block) {
		cpu->outcome = outcome_of(block);
		err = fill_block(stock, block, cpu, &backtrace);
	} else if (silent) {
		cpu->outcome = NMIBT_OUTCOME_SILENT;
		cpu->asked_ns = silent->ts_ns;
	}
	if (err)
		return err;
	if (found || block)
		cpu->moved = nmibt_compare_text(stock->symbols, cpu, &backtrace);
	else if (cpu->note == NMIBT_NOTE_PRESENT && wants(wish, NMIBT_SOURCE_REGISTERS)) {
		if (!silent)
			cpu->outcome = NMIBT_OUTCOME_REGISTERS;
		fill_facts_of_registers(stock, cpu);
		err = unwind(stock, cpu);
	}
	return err;
}

struct nmibt_error *nmibt_stock_read(struct nmibt_stock *stock, enum nmibt_source wish,
				     unsigned int nth, struct nmibt_cpu *cpu, bool *ret_found)
{
	struct nmibt_backtrace backtrace;

	*ret_found = true;
	if (!nth)
		return read_standing(stock, wish, cpu);
	cpu->stale = true;
	const struct nmibt_block *block =
		wants(wish, NMIBT_SOURCE_LOG) ? older_block(stock, cpu->cpu, nth - 1) : NULL;
	if (block) {
		cpu->outcome = outcome_of(block);
		return fill_block(stock, block, cpu, &backtrace);
	}
	unsigned int nr_blocks = 0;
	while (wants(wish, NMIBT_SOURCE_LOG) && older_block(stock, cpu->cpu, nr_blocks))
		nr_blocks++;
	*ret_found = false;
	if (!stock->legacy || !wants(wish, NMIBT_SOURCE_LEGACY))
		return NULL;
	return read_residue(stock, nth - 1 - nr_blocks, cpu, ret_found);
}
