// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Notes which memory the library reads, and puts it into a record. The names of code addresses, and
 * stacks, are put in as answers: the tables that they come from have many more bytes.
 */
#include <search.h>

#include "recorder/recorder.h"

/* ----------------------------------------------------------------------- spans */

/* Memory between two spans that are so near costs less than another item. */
#define NEAR 32

static bool make_room(struct spans *spans, size_t nr)
{
	if (nr <= spans->room - spans->nr)
		return true;
	size_t room = 2 * spans->room + nr + 64;
	struct span *v = reallocarray(spans->v, room, sizeof(*v));
	if (!v)
		return false;
	spans->v = v;
	spans->room = room;
	return true;
}

/* The index of the first one that ends at addr or behind it. */
static size_t find_span(const struct spans *spans, uint64_t addr)
{
	size_t low = 0, high = spans->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (spans->v[middle].end < addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool add_span(struct spans *spans, struct span span)
{
	size_t i = find_span(spans, span.start), next = i;

	if (i < spans->nr && spans->v[i].start <= span.start && span.end <= spans->v[i].end)
		return true;
	/* Those that it touches become a part of it. */
	for (; next < spans->nr && spans->v[next].start <= span.end; next++) {
		if (spans->v[next].start < span.start)
			span.start = spans->v[next].start;
		if (spans->v[next].end > span.end)
			span.end = spans->v[next].end;
	}
	if (!make_room(spans, 1))
		return false;
	memmove(&spans->v[i + 1], &spans->v[next], (spans->nr - next) * sizeof(*spans->v));
	spans->nr += i + 1 - next;
	spans->v[i] = span;
	return true;
}

/* Makes one of those that are near each other. */
static void join_near(struct spans *spans, uint64_t near)
{
	size_t nr = 0;

	for (size_t i = 1; i < spans->nr; i++) {
		struct span *last = &spans->v[nr], *next = &spans->v[i];

		if (next->start > last->end && next->start - last->end > near)
			spans->v[++nr] = *next;
		else if (next->end > last->end)
			last->end = next->end;
	}
	spans->nr = spans->nr ? nr + 1 : 0;
}

/* Takes all spans of from. There may be many, so that each is moved once. */
static bool take_spans(struct spans *spans, struct spans *from)
{
	size_t i = spans->nr, j = from->nr;

	if (!make_room(spans, j))
		return false;
	spans->nr += j;
	for (size_t to = spans->nr; j; to--) {
		bool is_old = i && spans->v[i - 1].start > from->v[j - 1].start;

		spans->v[to - 1] = is_old ? spans->v[--i] : from->v[--j];
	}
	from->nr = 0;
	join_near(spans, 0);
	return true;
}

/* ------------------------------------------------------------------------- putting */

/* The most bytes of memory in one item, and of items before a chunk is put. A chunk is small
 * enough that little is lost with it. */
#define MAX_ITEM 4096
#define MAX_CHUNK (16 << 10)

struct putting {
	struct memory_note *note;
	struct nmibt_record_writer *writer;
	const char *what;
	struct nmibt_bytes items;
	uint64_t last;
};

static struct nmibt_error *put_chunk(struct putting *p)
{
	struct nmibt_error *err = nmibt_record_put(p->writer, p->what, &p->items);

	p->items.len = 0;
	p->last = 0;
	return err;
}

/* Of a span whose bytes can't be read as a whole, each 8 bytes are tried. */
static struct nmibt_error *put_memory(struct putting *p, uint64_t start, size_t len)
{
	const struct nmibt_image *image = p->note->from;
	char bytes[MAX_ITEM];
	struct nmibt_error *err = NULL;

	if (nmibt_read_phys(image, start, bytes, len) == NMIBT_READ_OK) {
		const struct nmibt_item item = {
			.kind = NMIBT_ITEM_MEMORY, .key = start, .data = {bytes, len}};

		err = nmibt_item_add(&p->items, &item, &p->last);
		if (!err && p->items.len >= MAX_CHUNK)
			err = put_chunk(p);
		return err;
	}
	for (size_t at = 0, n; len > 8 && at < len && !err; at += n) {
		n = len - at < 8 ? len - at : 8;
		err = put_memory(p, start + at, n);
	}
	return err;
}

static struct nmibt_error *put_span(struct putting *p, uint64_t start, uint64_t end)
{
	struct nmibt_error *err = NULL;

	while (start < end && !err) {
		size_t len = end - start < MAX_ITEM ? end - start : MAX_ITEM;

		err = put_memory(p, start, len);
		start += len;
	}
	return err;
}

/* Puts what is in span and not in the spans that are done. */
static struct nmibt_error *put_rest(struct putting *p, struct span span)
{
	const struct spans *done = p->note->done;
	struct nmibt_error *err = NULL;
	size_t i = find_span(done, span.start + 1);

	for (; i < done->nr && done->v[i].start < span.end && !err; i++) {
		err = put_span(p, span.start, done->v[i].start);
		span.start = done->v[i].end;
	}
	return err ? err : put_span(p, span.start, span.end);
}

struct nmibt_error *nmibt_memory_note_put(struct memory_note *note,
					  struct nmibt_record_writer *writer, const char *what)
{
	struct putting p = {.note = note, .writer = writer, .what = what};
	struct nmibt_error *err = note->failure;

	note->failure = NULL;
	join_near(note->now, note->is_exact ? 0 : NEAR);
	for (size_t i = 0; i < note->now->nr && !err; i++)
		err = put_rest(&p, note->now->v[i]);
	if (!err && p.items.len + note->answers.len > NMIBT_CHUNK_MAX)
		err = put_chunk(&p);
	if (!err)
		err = nmibt_bytes_add(&p.items, note->answers.s, note->answers.len);
	note->answers.len = 0;
	if (!err)
		err = put_chunk(&p);
	free(p.items.s);
	if (err)
		return err;
	return take_spans(note->done, note->now) ? NULL : nmibt_error_nomem();
}

/* ------------------------------------------------------------------------ noting */

/* An answer that was put into the record. */
struct known {
	enum nmibt_item_kind kind;
	uint64_t key, second;
};

static int compare_known(const void *a, const void *b)
{
	const struct known *x = a, *y = b;

	if (x->kind != y->kind)
		return (x->kind > y->kind) - (x->kind < y->kind);
	if (x->key != y->key)
		return (x->key > y->key) - (x->key < y->key);
	return (x->second > y->second) - (x->second < y->second);
}

/* True: the answer was not noted before, and is now known. */
static bool is_new(struct memory_note *note, const struct nmibt_item *item)
{
	struct known key = {item->kind, item->key, item->second};

	if (tfind(&key, &note->known, compare_known))
		return false;
	struct known *known = malloc(sizeof(*known));
	if (known) {
		*known = key;
		if (tsearch(known, &note->known, compare_known))
			return true;
	}
	free(known);
	note->failure = nmibt_error_nomem();
	return false;
}

static void note_answer(struct memory_note *note, const struct nmibt_item *item)
{
	uint64_t last = 0;

	if (!note->failure && is_new(note, item))
		note->failure = nmibt_item_add(&note->answers, item, &last);
}

static enum nmibt_read note_read_phys(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	struct memory_note *note = ctx;
	const struct nmibt_image *image = note->from;
	uint64_t round = note->is_exact ? 0 : 7;
	enum nmibt_read status = image->ops->read_phys(image->ctx, paddr, buf, len);

	if (status == NMIBT_READ_EXCLUDED || note->failure || note->is_peeking)
		return status;
	if (status == NMIBT_READ_ERROR)
		note_answer(note, &(struct nmibt_item){.kind = NMIBT_ITEM_UNREADABLE,
						       .key = paddr,
						       .second = len});
	else if (!add_span(note->now,
			   (struct span){paddr & ~round, (paddr + len + round) & ~round}))
		note->failure = nmibt_error_nomem();
	return status;
}

static void note_peek(void *ctx, bool is_on)
{
	((struct memory_note *)ctx)->is_peeking = is_on;
}

/* The notes are a part of their own of the record. */
static char *note_notes(void *ctx, size_t *ret_len)
{
	struct memory_note *note = ctx;
	const struct nmibt_image *image = note->from;

	note->has_read_notes = true;
	return image->ops->notes(image->ctx, ret_len);
}

static char *note_vmcoreinfo_text(void *ctx)
{
	struct memory_note *note = ctx;

	return note->vmcoreinfo ? strdup(note->vmcoreinfo) : NULL;
}

/* Several symbols may have one value. */
static uint64_t hash_of(const char *name)
{
	uint64_t hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (unsigned char)*name;
	return hash;
}

static bool note_symbol_addr(void *ctx, const char *name, uint64_t *ret)
{
	struct memory_note *note = ctx;

	if (!nmibt_symbol_addr(note->kernel, name, ret))
		return false;
	note_answer(note, &(struct nmibt_item){.kind = NMIBT_ITEM_SYMBOL,
					       .key = *ret,
					       .second = hash_of(name),
					       .data = nmibt_str_of(name)});
	return true;
}

static bool note_symbolize(void *ctx, uint64_t addr, char *buf, size_t len)
{
	struct memory_note *note = ctx;

	if (!nmibt_symbolize(note->kernel, addr, buf, len))
		return false;
	note_answer(note, &(struct nmibt_item){
				  .kind = NMIBT_ITEM_NAME, .key = addr, .data = nmibt_str_of(buf)});
	return true;
}

static void note_layout(struct memory_note *note, const char *type, const char *member,
			size_t value)
{
	char name[NMIBT_LAYOUT_NAME];

	nmibt_layout_name(type, member, name);
	note_answer(note, &(struct nmibt_item){.kind = NMIBT_ITEM_LAYOUT,
					       .key = value,
					       .second = hash_of(name),
					       .data = nmibt_str_of(name)});
}

/* Names of the modules' code are in the record: who could read the modules would look for their
 * tables. */
static bool note_member_offset(void *ctx, const char *type, const char *member, size_t *ret)
{
	struct memory_note *note = ctx;

	if (!strcmp(type, "module") || !nmibt_member_offset(note->kernel, type, member, ret))
		return false;
	note_layout(note, type, member, *ret);
	return true;
}

static bool note_type_size(void *ctx, const char *type, size_t *ret)
{
	struct memory_note *note = ctx;

	if (!nmibt_type_size(note->kernel, type, ret))
		return false;
	note_layout(note, type, "", *ret);
	return true;
}

static void note_stack(struct memory_note *note, const struct nmibt_evidence *evidence)
{
	const struct nmibt_reg_names *names = nmibt_reg_names(note->image.arch);
	struct nmibt_bytes packed = {0};

	note->failure = note->failure ?: nmibt_stack_pack(&evidence->stack, &packed);
	note_answer(note, &(struct nmibt_item){.kind = NMIBT_ITEM_STACK,
					       .key = evidence->regs.value[names->pc],
					       .second = evidence->regs.value[names->sp],
					       .data = {packed.s, packed.len}});
	free(packed.s);
}

/* The stack is unwound in the dump, where all memory is. */
static struct nmibt_error *note_unwind(void *ctx, struct nmibt_kernel *kernel,
				       const struct nmibt_regs *regs, struct nmibt_stack *ret)
{
	struct memory_note *note = ctx;
	struct nmibt_evidence evidence = {.regs = *regs};
	struct nmibt_error *err = nmibt_unwind_evidence(note->follower, note->kernel, &evidence);

	(void)kernel;
	if (err)
		return err;
	note_stack(note, &evidence);
	*ret = evidence.stack;
	return NULL;
}

/* ----------------------------------------------------------------------- opening */

/* True: the line leads to tables whose answers are in the record. A reader that found it would look
 * for them in vain, and say that they are lost, which is only true where they are. */
static bool is_of_no_use(struct nmibt_kernel *kernel, const char *line)
{
	uint64_t lost;

	static const char start[] = "SYMBOL(kallsyms_";

	return !strncmp(line, start, strlen(start)) && !nmibt_symbols_are_lost(kernel, &lost);
}

/* The lines that the library reads. Other ones would take room. */
static char *useful_lines(struct nmibt_kernel *kernel, const char *text)
{
	char *ret = malloc(strlen(text) + 1), *to = ret;

	for (const char *line = text, *end; ret && *line; line = end) {
		const char *newline = strchr(line, '\n');

		end = newline ? newline + 1 : line + strlen(line);
		if (!newline || is_of_no_use(kernel, line) || !nmibt_vmcoreinfo_uses(line))
			continue;
		memcpy(to, line, end - line);
		to += end - line;
	}
	if (ret)
		*to = '\0';
	return ret;
}

struct nmibt_error *nmibt_memory_note_open(const struct nmibt_image *image,
					   struct nmibt_kernel *kernel,
					   struct nmibt_follower *follower, struct memory_note *ret)
{
	static const struct nmibt_image_ops ops = {
		.read_phys = note_read_phys,
		.peek = note_peek,
		.vmcoreinfo_text = note_vmcoreinfo_text,
		.symbol_addr = note_symbol_addr,
		.member_offset = note_member_offset,
		.type_size = note_type_size,
		.symbolize = note_symbolize,
		.unwind = note_unwind,
		.notes = note_notes,
	};
	_cleanup_free_ char *text = image->ops->vmcoreinfo_text(image->ctx);

	*ret = (struct memory_note){
		.kernel = kernel, .follower = follower, .from = image, .image = *image};
	ret->image.ops = &ops;
	ret->image.ctx = ret;
	ret->image.is_sparse = true;
	ret->vmcoreinfo = text ? useful_lines(kernel, text) : NULL;
	ret->now = calloc(1, sizeof(*ret->now));
	ret->done = calloc(1, sizeof(*ret->done));
	if (ret->now && ret->done && (ret->vmcoreinfo || !text))
		return NULL;
	nmibt_memory_note_close(ret);
	return nmibt_error_nomem();
}

void nmibt_memory_note_close(struct memory_note *note)
{
	if (note->now)
		free(note->now->v);
	if (note->done)
		free(note->done->v);
	free(note->now);
	free(note->done);
	free(note->vmcoreinfo);
	free(note->answers.s);
	tdestroy(note->known, free);
	nmibt_error_destroy(note->failure);
}
