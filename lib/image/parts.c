// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Parts of the kernel's log in pstore: where they begin, and which belong to each other.
 */
#include "image/parts.h"
#include "image/prefix.h"

#define MAX_PARTS 4096
/* Lines of a file that does not begin with a part in which one is looked for. */
#define SEARCHED_LINES 64
/* An EFI variable may take a second to be written. */
#define LONGEST_RECORD_S 120
/* Times of neighbours in the log may be those of two CPUs. */
#define MAX_STEP_BACK_NS UINT64_C(1000000000)

static bool take_line(struct nmibt_str *text, struct nmibt_str *ret)
{
	if (!text->len)
		return false;
	if (!nmibt_take_until(text, "\n", ret)) {
		*ret = *text;
		text->s += text->len;
		text->len = 0;
	}
	return true;
}

/* ------------------------------------------------------------------- recognising */

/* "Panic#2 Part1"; kmsg_dump_reason_str() has the reasons, which differ between kernels. */
static bool read_first_line(struct nmibt_str line, struct nmibt_part *ret)
{
	struct nmibt_str reason;
	uint64_t count, number;

	if (!nmibt_take_until(&line, "#", &reason) || !reason.len || reason.len > 16 ||
	    !nmibt_take_decimal(&line, INT32_MAX, &count) || !nmibt_skip(&line, " Part") ||
	    !nmibt_take_decimal(&line, UINT32_MAX, &number) || line.len || !number)
		return false;
	for (size_t i = 0; i < reason.len; i++) {
		if ((reason.s[i] | 0x20) < 'a' || (reason.s[i] | 0x20) > 'z')
			return false;
	}
	ret->reason = reason;
	ret->count = count;
	ret->number = number;
	return true;
}

bool nmibt_is_part(struct nmibt_str text)
{
	struct nmibt_part part;
	struct nmibt_str line;

	return take_line(&text, &line) && read_first_line(line, &part);
}

bool nmibt_has_part(struct nmibt_str text)
{
	struct nmibt_part part;
	struct nmibt_str line;

	for (int i = 0; i < SEARCHED_LINES && take_line(&text, &line); i++) {
		if (read_first_line(line, &part))
			return true;
	}
	return false;
}

/* fs/pstore/inode.c: pstore_mkfile(), 6.12 */
bool nmibt_is_compressed_part(const char *path)
{
	static const char end[] = ".enc.z";
	size_t len = strlen(path);

	return len > strlen(end) && !strcmp(path + len - strlen(end), end);
}

/* ------------------------------------------------------------------------ names */

/*
 * When a part was written, by its name, "dmesg-efi_pstore-172000000101001": the seconds, two digits
 * for the part, and three for the count (drivers/firmware/efi/efi-pstore.c: generic_id(), 6.12).
 * ERST's numbers count from the second of the first record of a boot in the upper 32 bits
 * (drivers/firmware/efi/cper.c: cper_next_record_id(), until 2106). ramoops has the number of a zone.
 */
static uint64_t when_by_name(struct nmibt_str name)
{
	uint64_t id;

	if (nmibt_skip(&name, "dmesg-efi-") || nmibt_skip(&name, "dmesg-efi_pstore-"))
		return nmibt_take_decimal(&name, UINT64_MAX, &id) ? id / 100000 : 0;
	if (nmibt_skip(&name, "dmesg-erst-"))
		return nmibt_take_decimal(&name, UINT64_MAX, &id) ? id >> 32 : 0;
	return 0;
}

static struct nmibt_str file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return nmibt_str_of(slash ? slash + 1 : path);
}

/* Older systemd-pstore put the file's name before each part in dmesg.txt. */
static bool read_name_line(struct nmibt_str line, uint64_t *ret_when)
{
	if (!nmibt_str_starts(line, "dmesg-") || line.s[line.len - 1] != ':')
		return false;
	*ret_when = when_by_name(line);
	return true;
}

/* ------------------------------------------------------------------------ adding */

/* ramoops puts a line about errors behind what it read (fs/pstore/ram_core.c:
 * persistent_ram_ecc_string(), 6.12). */
static void strip_notice(struct nmibt_part *part)
{
	struct nmibt_str rest = part->text, text, before;
	uint64_t corrected, lost;

	if (!nmibt_take_until_last(&rest, "\nECC: ", &text) || !rest.len ||
	    memchr(rest.s, '\n', rest.len - 1))
		return;
	if (nmibt_take_decimal(&rest, UINT64_MAX, &corrected) &&
	    nmibt_take_until(&rest, ", ", &before) && nmibt_take_decimal(&rest, UINT64_MAX, &lost))
		part->is_damaged = lost;
	part->text = text;
}

static struct nmibt_error *add_part(struct nmibt_parts *parts, struct nmibt_part part)
{
	if (parts->nr == MAX_PARTS)
		return nmibt_error_create(NMIBT_ERR_UNUSABLE, "more than %d parts of logs",
					  MAX_PARTS);
	struct nmibt_part *v = nmibt_make_room(parts->v, parts->nr, sizeof(*v));
	if (!v)
		return nmibt_error_nomem();
	parts->v = v;
	strip_notice(&part);
	part.is_cut = part.text.len && part.text.s[part.text.len - 1] != '\n';
	part.order = parts->nr;
	parts->v[parts->nr++] = part;
	return NULL;
}

struct nmibt_error *nmibt_parts_add(struct nmibt_parts *parts, const char *path, uint64_t mtime,
				    struct nmibt_str text)
{
	struct nmibt_part part = {
		.mtime = mtime, .when = when_by_name(file_name(path)), .text = {text.s, 0}};
	struct nmibt_str line;
	uint64_t named = 0;

	while (take_line(&text, &line)) {
		struct nmibt_part next = {.mtime = mtime, .when = part.when};

		if (read_name_line(line, &named) && nmibt_is_part(text))
			continue;
		if (read_first_line(line, &next)) {
			struct nmibt_error *err = part.text.len ? add_part(parts, part) : NULL;
			if (err)
				return err;
			part = next;
			part.when = named ?: part.when;
			part.text.s = text.s;
		}
		if (line.s >= part.text.s)
			part.text.len = text.s - part.text.s;
	}
	return part.text.len || part.number ? add_part(parts, part) : NULL;
}

/* ------------------------------------------------------------------------ joining */

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

/* Parts of one record come together. */
static int by_record(const void *a, const void *b)
{
	const struct nmibt_part *x = a, *y = b;
	int order = nmibt_str_compare(x->reason, y->reason);

	order = order ?: COMPARE(x->count, y->count);
	order = order ?: COMPARE(x->when, y->when);
	return order ?: COMPARE(x->order, y->order);
}

static int by_number(const void *a, const void *b)
{
	const struct nmibt_part *x = a, *y = b;

	return COMPARE(y->number, x->number);
}

/* True: part has the same first line as the record's newest part, but for a number that no part of
 * the record has. */
static bool fits(const struct nmibt_part *record, size_t nr, const struct nmibt_part *part)
{
	const struct nmibt_part *last = &record[nr - 1];

	if (!part->reason.len || !last->reason.len ||
	    nmibt_str_compare(last->reason, part->reason) || last->count != part->count ||
	    part->when - last->when > LONGEST_RECORD_S)
		return false;
	for (size_t i = 0; i < nr; i++) {
		if (record[i].number == part->number)
			return false;
	}
	return true;
}

/* The times of a text's first and last line with a time. */
static bool read_times(struct nmibt_str text, uint64_t *ret_first, uint64_t *ret_last)
{
	struct nmibt_log_prefix prefix;
	struct nmibt_str line;
	bool found = false;

	while (take_line(&text, &line)) {
		if (!nmibt_take_log_prefix(&line, &prefix) || !prefix.has_time)
			continue;
		if (!found)
			*ret_first = prefix.ns;
		*ret_last = prefix.ns;
		found = true;
	}
	return found;
}

/* True: newer can't be of the same boot as older, as its time is before that. */
static bool is_of_another_boot(const struct nmibt_part *older, const struct nmibt_part *newer)
{
	uint64_t first, last, end, unused;

	return read_times(older->text, &unused, &end) && read_times(newer->text, &first, &last) &&
	       end > first && end - first > MAX_STEP_BACK_NS;
}

static struct nmibt_error *add_log(struct nmibt_parts *parts, size_t first, size_t nr)
{
	struct nmibt_part_log *logs = nmibt_make_room(parts->logs, parts->nr_logs, sizeof(*logs));

	if (!logs)
		return nmibt_error_nomem();
	parts->logs = logs;
	logs[parts->nr_logs++] = (struct nmibt_part_log){first, nr};
	return NULL;
}

/* The parts of a record become a log. If their times show that they are of several boots, they
 * become several. */
static struct nmibt_error *join_record(struct nmibt_parts *parts, size_t first, size_t nr)
{
	struct nmibt_part *record = parts->v + first;
	size_t begin = 0;

	qsort(record, nr, sizeof(*record), by_number);
	for (size_t i = 1; i < nr; i++) {
		if (!is_of_another_boot(&record[i - 1], &record[i]))
			continue;
		struct nmibt_error *err = add_log(parts, first + begin, i - begin);
		if (err)
			return err;
		begin = i;
	}
	return add_log(parts, first + begin, nr - begin);
}

static int by_age(const void *a, const void *b, void *ctx)
{
	const struct nmibt_parts *parts = ctx;
	const struct nmibt_part_log *x = a, *y = b;
	const struct nmibt_part *p = &parts->v[x->first], *q = &parts->v[y->first];
	uint64_t p_time = p->when ?: p->mtime, q_time = q->when ?: q->mtime;

	return COMPARE(p->number != 0, q->number != 0)
		       ?: COMPARE(p_time, q_time)
				  ?: COMPARE(p->count, q->count) ?: COMPARE(p->order, q->order);
}

struct nmibt_error *nmibt_parts_join(struct nmibt_parts *parts)
{
	struct nmibt_error *err = NULL;
	size_t first = 0;

	if (!parts->nr)
		return NULL;
	qsort(parts->v, parts->nr, sizeof(*parts->v), by_record);
	for (size_t i = 1; i <= parts->nr && !err; i++) {
		if (i < parts->nr && fits(parts->v + first, i - first, &parts->v[i]))
			continue;
		err = join_record(parts, first, i - first);
		first = i;
	}
	if (!err)
		qsort_r(parts->logs, parts->nr_logs, sizeof(*parts->logs), by_age, parts);
	return err;
}

void nmibt_parts_destroy(struct nmibt_parts *parts)
{
	free(parts->v);
	free(parts->logs);
}
