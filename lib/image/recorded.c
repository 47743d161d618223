// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Back end for the records of vmcore-nmibt. A record may be in several files, it may be cut, and
 * other things may be before and behind it. If there are several records, the last one counts.
 */
#include <inttypes.h>

#include "image/old-files.h"
#include "image/reader.h"
#include "record/record.h"

/* A zone of pstore has some MiB at most, and so has a record of everything. */
#define MAX_FILES_BYTES (256u << 20)
/* Other files are not searched for a record. */
#define SEARCHED (1u << 20)
#define NR_NUMBERS (UINT16_MAX + 1)
#define LOST_LEN 512

/* An item of the record; which members are set depends on its kind. */
struct answer {
	uint64_t key, second;
	struct nmibt_str data;
};

/* Sorted by key and second once all are there. */
struct answers {
	struct answer *v;
	size_t nr;
};

struct recorded {
	char *file; /* all files, one after the other */
	size_t size;
	uint32_t id; /* of the record that counts */
	uint32_t last_id; /* of the last sound chunk */
	size_t behind; /* the last sound chunk of the record, or of another one that may count */
	bool has_others; /* there are other records */
	bool may_hold_others; /* and they may be old ones, in what is damaged of this one */
	bool *numbers; /* NR_NUMBERS: the chunks that were read */
	unsigned int nr_chunks, end; /* end: the highest number + 1 */
	bool has_first, has_last;
	char **blocks; /* the items of each chunk */
	size_t nr_blocks;
	uint32_t nr_items;
	bool has_more_items; /* than a record has: these are not read */
	struct answers memory, names, symbols, layouts, stacks, unreadable;
	struct nmibt_old_files files;
	struct nmibt_bytes vmcoreinfo, summary, dropped, notes;
	enum nmibt_arch arch;
	size_t page_size;
	struct nmibt_number phys_base;
	/* Reports of it are those of the dump: what it lacks the dump lacks. */
	bool stands_for_dump;
	bool is_redacted;
	bool has_notes; /* its dump had */
	struct nmibt_image_ops ops;
	bool is_whole; /* what is not in it was left out, and not lost */
	char source_lost[NMIBT_WHY_LEN]; /* what the dump lacked that the record was made of */
	char lost[LOST_LEN];
};

/* ----------------------------------------------------------------- which record */

/* A record holds old files of pstore, and one of these may be the record of an earlier crash, byte for
 * byte: zlib stores what it can't make smaller. Where the chunk around it is damaged, its chunks are
 * found. */
static bool may_be_held(const struct recorded *r, const struct nmibt_chunk *chunk)
{
	return r->nr_chunks && chunk->id != r->id && !r->has_last && chunk->at != r->behind;
}

/* The last record of the files: the one whose first chunk comes last. Without a first chunk, it is
 * the one of the last chunk. */
static struct nmibt_error *choose_record(void *ctx, const struct nmibt_chunk *chunk)
{
	struct recorded *r = ctx;

	if (may_be_held(r, chunk)) {
		r->may_hold_others = true;
		return NULL;
	}
	if (r->nr_chunks && chunk->id != r->id)
		r->has_others = true;
	if (!r->has_first || !chunk->number) {
		r->has_last &= chunk->id == r->id;
		r->id = chunk->id;
	}
	r->has_first |= !chunk->number;
	r->has_last |= chunk->id == r->id && chunk->is_last;
	r->last_id = chunk->id;
	r->behind = chunk->at + chunk->size;
	r->nr_chunks++;
	return NULL;
}

/* ------------------------------------------------------------------------ items */

static struct nmibt_error *add_answer(struct answers *to, const struct nmibt_item *item)
{
	struct answer *v = nmibt_make_room(to->v, to->nr, sizeof(*v));

	if (!v)
		return nmibt_error_nomem();
	to->v = v;
	to->v[to->nr++] = (struct answer){item->key, item->second, item->data};
	return NULL;
}

static struct nmibt_error *add_text(struct nmibt_bytes *to, struct nmibt_str text)
{
	struct nmibt_error *err = nmibt_bytes_add(to, text.s, text.len);

	/* Later parts begin in front of the NUL. */
	if (!err)
		err = nmibt_bytes_add(to, "", 1);
	to->len -= !err;
	return err;
}

static enum nmibt_arch arch_by_name(struct nmibt_str name)
{
	const char *known;

	for (int arch = NMIBT_ARCH_UNKNOWN + 1; (known = nmibt_arch_name(arch)); arch++) {
		if (nmibt_str_is(name, known))
			return arch;
	}
	return NMIBT_ARCH_UNKNOWN;
}

/* A line "key value" about the machine. */
static void take_line(struct recorded *r, struct nmibt_str line)
{
	uint64_t number;

	if (nmibt_skip(&line, "machine ")) {
		r->arch = arch_by_name(line);
	} else if (nmibt_skip(&line, "lost ")) {
		snprintf(r->source_lost, sizeof(r->source_lost), "%.*s", (int)line.len, line.s);
	} else if (nmibt_skip(&line, "extract ")) {
		r->stands_for_dump = nmibt_str_is(line, "dump");
	} else if (nmibt_str_is(line, "redacted")) {
		r->is_redacted = true;
	} else if (nmibt_str_is(line, "notes")) {
		r->has_notes = true;
	} else if (nmibt_skip(&line, "page_size ") && nmibt_take_decimal(&line, 1 << 20, &number) &&
		   number >= 4096 && !(number & (number - 1))) {
		r->page_size = number;
	} else if (nmibt_skip(&line, "phys_base ") && nmibt_take_0x(&line, &number)) {
		r->phys_base = (struct nmibt_number){true, number};
	}
}

static struct nmibt_error *add_dropped(struct nmibt_bytes *to, const struct nmibt_item *item)
{
	char bytes[48] = "", text[128];

	if (item->key)
		snprintf(bytes, sizeof(bytes), "%" PRIu64 " bytes of ", item->key);
	snprintf(text, sizeof(text), "%s%s%.*s%s", to->len ? ", " : "", bytes,
		 item->data.len < 32 ? (int)item->data.len : 32, item->data.s,
		 item->key ? "" : " (not counted)");
	return add_text(to, nmibt_str_of(text));
}

static struct nmibt_error *take_item(struct recorded *r, const struct nmibt_item *item)
{
	switch (item->kind) {
	case NMIBT_ITEM_TEXT:
		take_line(r, item->data);
		return NULL;
	case NMIBT_ITEM_VMCOREINFO:
		return add_text(&r->vmcoreinfo, item->data);
	case NMIBT_ITEM_MEMORY:
		return add_answer(&r->memory, item);
	case NMIBT_ITEM_NAME:
		return add_answer(&r->names, item);
	case NMIBT_ITEM_SYMBOL:
		return add_answer(&r->symbols, item);
	case NMIBT_ITEM_LAYOUT:
		return add_answer(&r->layouts, item);
	case NMIBT_ITEM_STACK:
		return add_answer(&r->stacks, item);
	case NMIBT_ITEM_SUMMARY:
		return add_text(&r->summary, item->data);
	case NMIBT_ITEM_DROPPED:
		return add_dropped(&r->dropped, item);
	case NMIBT_ITEM_UNREADABLE:
		return add_answer(&r->unreadable, item);
	case NMIBT_ITEM_NOTES:
		return item->key == r->notes.len ? add_text(&r->notes, item->data) : NULL;
	case NMIBT_ITEM_FILE:
		return nmibt_old_files_add(&r->files, &(struct nmibt_old_piece){.name = item->name,
										.data = item->data,
										.at = item->key});
	case NMIBT_ITEM_END:
		break;
	}
	return NULL;
}

/* The items' strings point to a copy that stays. */
static struct nmibt_error *keep_items(struct recorded *r, const struct nmibt_bytes *items,
				      struct nmibt_str *ret)
{
	char **blocks = nmibt_make_room(r->blocks, r->nr_blocks, sizeof(*blocks));
	char *block = malloc(items->len + 1);

	if (blocks)
		r->blocks = blocks;
	if (!blocks || !block) {
		free(block);
		return nmibt_error_nomem();
	}
	memcpy(block, items->s, items->len);
	r->blocks[r->nr_blocks++] = block;
	*ret = (struct nmibt_str){block, items->len};
	return NULL;
}

static struct nmibt_error *take_chunk(void *ctx, const struct nmibt_chunk *chunk)
{
	struct recorded *r = ctx;
	struct nmibt_str items;
	struct nmibt_item item;
	uint64_t last = 0;

	if (chunk->id != r->id || r->numbers[chunk->number] || r->has_more_items)
		return NULL;
	r->numbers[chunk->number] = true;
	r->nr_chunks++;
	if (chunk->number >= r->end)
		r->end = chunk->number + 1;
	r->has_last |= chunk->is_last;
	struct nmibt_error *err = keep_items(r, &chunk->items, &items);
	while (!err && !r->has_more_items && nmibt_item_next(&items, &last, &item)) {
		r->has_more_items = r->nr_items++ == NMIBT_ITEMS_MAX;
		err = r->has_more_items ? NULL : take_item(r, &item);
	}
	return err;
}

static int compare_answers(const void *a, const void *b)
{
	const struct answer *x = a, *y = b;

	if (x->key != y->key)
		return (x->key > y->key) - (x->key < y->key);
	return (x->second > y->second) - (x->second < y->second);
}

static void sort_answers(struct answers *answers)
{
	if (answers->nr)
		qsort(answers->v, answers->nr, sizeof(*answers->v), compare_answers);
}

/* Of sorted ranges that lie in each other, each gets the end of the one that ends last, so that the
 * nearest one below an address tells whether any has it. */
static void stretch_ranges(struct answers *ranges)
{
	uint64_t end = 0, own;

	for (size_t i = 0; i < ranges->nr; i++) {
		struct answer *range = &ranges->v[i];

		if (__builtin_add_overflow(range->key, range->second, &own))
			own = UINT64_MAX;
		end = own > end ? own : end;
		range->second = end - range->key;
	}
}

/* ------------------------------------------------------------------- what is lost */

/* It is shown as it is. */
static void make_printable(char *text)
{
	for (char *c = text; *c; c++) {
		if ((*c < ' ' || *c > '~') && *c != '\n')
			*c = '?';
	}
}

static void describe_loss(struct recorded *r)
{
	unsigned int missing = r->end - r->nr_chunks;
	char *to = r->lost;
	size_t room = sizeof(r->lost);
	int len = 0;

	r->is_whole = r->has_last && !missing && !r->has_more_items;
	if (r->has_more_items)
		len = snprintf(to, room,
			       "the record is damaged: it has more than %u items, and those behind "
			       "them were not read",
			       NMIBT_ITEMS_MAX);
	else if (missing)
		len = snprintf(to, room, "%u chunk%s of the record %s damaged or missing", missing,
			       nmibt_plural(missing), missing == 1 ? "is" : "are");
	else if (!r->has_last)
		len = snprintf(to, room, "the end of the record is damaged or missing");
	else if (*r->source_lost)
		len = snprintf(to, room, "%s%s",
			       r->stands_for_dump ? "" : "of the dump: ", r->source_lost);
	if (r->dropped.len)
		snprintf(to + len, room - len, "%sthe record had no room for %s", len ? "; " : "",
			 r->dropped.s);
	make_printable(r->lost);
}

/* ---------------------------------------------------------------------- the image */

/* The last answer with this key or a lower one. */
static const struct answer *find_below(const struct answers *answers, uint64_t key)
{
	size_t low = 0, high = answers->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (answers->v[middle].key <= key)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &answers->v[low - 1] : NULL;
}

/* Memory that is not in the record was left out, unless something tells otherwise. */
static enum nmibt_read missing(const struct recorded *r, uint64_t paddr)
{
	const struct answer *unreadable = find_below(&r->unreadable, paddr);

	if (unreadable && paddr - unreadable->key < unreadable->second)
		return NMIBT_READ_ERROR;
	return r->is_whole ? NMIBT_READ_EXCLUDED : NMIBT_READ_ERROR;
}

static enum nmibt_read read_phys(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	const struct recorded *r = ctx;
	char *to = buf;

	while (len) {
		const struct answer *piece = find_below(&r->memory, paddr);
		uint64_t in = piece ? paddr - piece->key : 0;

		if (!piece || in >= piece->data.len)
			return missing(r, paddr);
		size_t n = piece->data.len - in < len ? piece->data.len - in : len;
		memcpy(to, piece->data.s + in, n);
		paddr += n;
		to += n;
		len -= n;
	}
	return NMIBT_READ_OK;
}

static char *vmcoreinfo_text(void *ctx)
{
	const struct recorded *r = ctx;

	return r->vmcoreinfo.len ? strdup(r->vmcoreinfo.s) : NULL;
}

static char *notes(void *ctx, size_t *ret_len)
{
	const struct recorded *r = ctx;
	char *copy = r->notes.len ? malloc(r->notes.len) : NULL;

	if (copy)
		memcpy(copy, r->notes.s, r->notes.len);
	*ret_len = r->notes.len;
	return copy;
}

static bool no_range(void *ctx, uint64_t from, struct nmibt_range *ret)
{
	(void)ctx, (void)from, (void)ret;
	return false;
}

static bool find_named(const struct answers *answers, const char *name, uint64_t *ret)
{
	for (size_t i = 0; i < answers->nr; i++) {
		if (!nmibt_str_is(answers->v[i].data, name))
			continue;
		*ret = answers->v[i].key;
		return true;
	}
	return false;
}

static bool symbol_addr(void *ctx, const char *name, uint64_t *ret)
{
	return find_named(&((const struct recorded *)ctx)->symbols, name, ret);
}

static bool member_offset(void *ctx, const char *type, const char *member, size_t *ret)
{
	char name[NMIBT_LAYOUT_NAME];
	uint64_t offset;

	nmibt_layout_name(type, member, name);
	if (!find_named(&((const struct recorded *)ctx)->layouts, name, &offset))
		return false;
	*ret = offset;
	return true;
}

static bool type_size(void *ctx, const char *type, size_t *ret)
{
	return member_offset(ctx, type, "", ret);
}

static bool symbolize(void *ctx, uint64_t addr, char *buf, size_t len)
{
	const struct recorded *r = ctx;
	const struct answer *name = find_below(&r->names, addr);

	if (!name || name->key != addr)
		return false;
	snprintf(buf, len, "%.*s", (int)name->data.len, name->data.s);
	return true;
}

static bool packed_stack(void *ctx, uint64_t pc, uint64_t sp, struct nmibt_str *ret)
{
	const struct recorded *r = ctx;
	const struct answer key = {.key = pc, .second = sp}, *stack = NULL;

	if (r->stacks.nr)
		stack = bsearch(&key, r->stacks.v, r->stacks.nr, sizeof(key), compare_answers);
	if (!stack)
		return false;
	*ret = stack->data;
	return true;
}

/* ---------------------------------------------------------------- as a reader */

static void reader_image(void *dump, struct nmibt_image *ret)
{
	static const struct nmibt_image_ops ops = {
		.read_phys = read_phys,
		.vmcoreinfo_text = vmcoreinfo_text,
		.next_range = no_range,
		.symbol_addr = symbol_addr,
		.symbolize = symbolize,
		.packed_stack = packed_stack,
		.notes = notes,
	};
	struct recorded *r = dump;

	r->ops = ops;
	/* Where it has none of these, a vmlinux may have them. */
	if (r->layouts.nr) {
		r->ops.member_offset = member_offset;
		r->ops.type_size = type_size;
	}
	if (r->stands_for_dump && !r->has_notes)
		r->ops.notes = NULL;
	*ret = (struct nmibt_image){
		.ops = &r->ops,
		.ctx = r,
		.arch = r->arch,
		.page_size = r->page_size,
		.phys_base = r->phys_base,
		.lost = *r->lost ? r->lost : NULL,
		.is_sparse = true,
		.stands_for_dump = r->stands_for_dump,
		.is_redacted = r->is_redacted,
	};
}

static const char *reader_remark(const void *dump)
{
	const struct recorded *r = dump;

	if (r->may_hold_others)
		return "there are other records in it, within or behind a part of this one that "
		       "can't be read: they may be of earlier crashes, and are not shown";
	if (!r->has_others)
		return r->is_redacted ? "it is redacted: names of tasks, the host's, addresses of "
					"mail and "
					"registers of user mode were replaced"
				      : NULL;
	return r->id == r->last_id
		       ? "there are other records in it: the last one is shown"
		       : "there are other records in it: the last one lacks its beginning, and an "
			 "earlier one is shown";
}

static const char *reader_summary(const void *dump)
{
	const struct recorded *r = dump;

	return r->summary.len && (!r->is_whole || r->dropped.len) ? r->summary.s : NULL;
}

static const struct nmibt_old_files *reader_files(const void *dump)
{
	const struct recorded *r = dump;

	return &r->files;
}

static void reader_close(void *dump)
{
	struct recorded *r = dump;

	if (!r)
		return;
	for (size_t i = 0; i < r->nr_blocks; i++)
		free(r->blocks[i]);
	free(r->blocks);
	nmibt_old_files_destroy(&r->files);
	free(r->memory.v);
	free(r->names.v);
	free(r->symbols.v);
	free(r->layouts.v);
	free(r->stacks.v);
	free(r->unreadable.v);
	free(r->notes.s);
	free(r->vmcoreinfo.s);
	free(r->summary.s);
	free(r->dropped.s);
	free(r->numbers);
	free(r->file);
	free(r);
}

static struct nmibt_error *join_files(struct recorded *r, unsigned int nr,
				      const struct nmibt_file *const *files)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (files[i]->size > MAX_FILES_BYTES - r->size)
			return nmibt_error_create(NMIBT_ERR_UNUSABLE, "%s: too large for a record",
						  files[i]->path);
		char *file = realloc(r->file, r->size + files[i]->size + 1);
		if (!file)
			return nmibt_error_nomem();
		r->file = file;
		if (!nmibt_file_read(files[i], 0, file + r->size, files[i]->size))
			return nmibt_error_create(NMIBT_ERR_UNUSABLE, "%s: it can't be read",
						  files[i]->path);
		r->size += files[i]->size;
	}
	return NULL;
}

static struct nmibt_error *read_record(struct recorded *r)
{
	unsigned int nr_damaged; /* what is missing says it */
	struct nmibt_error *err =
		nmibt_record_read(r->file, r->size, choose_record, r, &nr_damaged);

	if (err)
		return err;
	r->nr_chunks = 0;
	r->has_last = false;
	err = nmibt_record_read(r->file, r->size, take_chunk, r, &nr_damaged);
	if (err)
		return err;
	sort_answers(&r->memory);
	sort_answers(&r->names);
	sort_answers(&r->stacks);
	sort_answers(&r->unreadable);
	stretch_ranges(&r->unreadable);
	describe_loss(r);
	if (r->summary.len)
		make_printable(r->summary.s);
	return nmibt_old_files_sort(&r->files);
}

static struct nmibt_error *reader_open(unsigned int nr, const struct nmibt_file *const *files,
				       bool may_crash, void **ret)
{
	struct recorded *r = calloc(1, sizeof(*r));

	(void)may_crash;
	if (!r)
		return nmibt_error_nomem();
	r->page_size = 4096;
	r->numbers = calloc(NR_NUMBERS, sizeof(*r->numbers));
	struct nmibt_error *err = r->numbers ? join_files(r, nr, files) : nmibt_error_nomem();
	if (!err)
		err = read_record(r);
	if (err) {
		reader_close(r);
		return err;
	}
	*ret = r;
	return NULL;
}

static bool is_record(const struct nmibt_file *file)
{
	size_t len = file->size < SEARCHED ? file->size : SEARCHED;
	_cleanup_free_ char *data = malloc(len + 1);

	return data && nmibt_file_read(file, 0, data, len) && nmibt_record_is_in(data, len);
}

const struct nmibt_reader nmibt_recorded_reader = {
	.may_be_split = true,
	.knows = is_record,
	.open = reader_open,
	.image = reader_image,
	.remark = reader_remark,
	.summary = reader_summary,
	.files = reader_files,
	.close = reader_close,
};
