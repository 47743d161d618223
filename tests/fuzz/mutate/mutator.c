// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From a seed to changes. Each change has a target, which is a span of a file or of memory that a
 * report reads, and an edit: bits, values at a boundary, values from elsewhere, text, a range that
 * is there twice. A few dumps are cut or have their parts in another order.
 */
#include <string.h>

#include "mutator.h"

#define MAX_EDITS 12
#define FIRST_BYTES (256u << 10)
#define MAX_LEN 65536

struct state {
	struct base *base;
	uint64_t random;
	FILE *log;
};

/* splitmix64, which is in the public domain. */
static uint64_t next(struct state *s)
{
	uint64_t z = s->random += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static uint64_t below(struct state *s, uint64_t n)
{
	return n ? next(s) % n : 0;
}

/* ------------------------------------------------------------------ targets */

static bool any_of_kind(struct state *s, enum kind kind, struct span *ret)
{
	const struct spans *spans = &s->base->spans[kind];

	if (!spans->nr)
		return false;
	*ret = spans->v[below(s, spans->nr)];
	return ret->len;
}

/* Any read, or any of one page: many reads of one table must not hide the others. */
static bool any_memory(struct state *s, struct span *ret)
{
	const struct base *base = s->base;
	size_t first = 0, end = base->nr_reads;

	if (!below(s, 4)) {
		size_t page = below(s, base->nr_read_pages);

		first = base->first_reads[page];
		if (page + 1 < base->nr_read_pages)
			end = base->first_reads[page + 1];
	}
	const struct read *read = &base->reads[first + below(s, end - first)];
	return base_find_memory(s->base, read->paddr, read->len, ret);
}

static bool anywhere(struct state *s, struct span *ret)
{
	unsigned int part = below(s, s->base->nr_parts);
	uint64_t size = s->base->parts[part].size;

	*ret = (struct span){part, 0, size < FIRST_BYTES ? size : FIRST_BYTES};
	if (!below(s, 8))
		*ret = (struct span){part, below(s, size), 4096};
	return ret->len;
}

static bool any_target(struct state *s, struct span *ret)
{
	uint64_t n = below(s, 100);

	if (n < 58)
		return any_memory(s, ret);
	if (n < 66)
		return any_of_kind(s, KIND_HEADER, ret);
	if (n < 69)
		return any_of_kind(s, KIND_RECORD_HEAD, ret);
	if (n < 76)
		return any_of_kind(s, KIND_NOTES, ret);
	if (n < 84)
		return any_of_kind(s, KIND_VMCOREINFO, ret);
	if (n < 86)
		return any_of_kind(s, KIND_BITMAP, ret);
	if (n < 91)
		return any_of_kind(s, KIND_DESC, ret);
	if (n < 95)
		return any_of_kind(s, KIND_STORED, ret);
	return anywhere(s, ret);
}

/* A part of len bytes of the span, aligned more often than not. */
static struct span piece(struct state *s, struct span of, uint64_t len)
{
	uint64_t at = below(s, of.len);

	/* Structures begin with what matters. */
	if (of.len > 64 && !below(s, 3))
		at = below(s, 64);
	if (below(s, 4))
		at -= at % len;
	if (at + len > of.len)
		len = of.len - at;
	return (struct span){of.part, of.at + at, len};
}

/* -------------------------------------------------------------------- edits */

static const uint64_t boundaries[] = {
	0,	    1,		 2,
	7,	    8,		 0x7f,
	0x80,	    0xff,	 0xfff,
	0x1000,	    0x1001,	 0x7fff,
	0x8000,	    0xffff,	 0x10000,
	0x100000,   0x7fffffff,	 0x80000000,
	0xffffffff, 0x100000000, 0xfffffffffffff000,
	1ull << 47, 1ull << 52,	 INT64_MAX,
	1ull << 63, UINT64_MAX,	 UINT64_MAX - 7,
};

static void flip_bits(struct state *s, struct span at)
{
	uint8_t byte;

	for (uint64_t n = 1 + below(s, 3); n; n--) {
		struct span one = piece(s, at, 1);

		if (!base_get(s->base, one, &byte))
			return;
		byte ^= 1 << below(s, 8);
		base_put(s->base, one, &byte);
	}
}

/* A value as a hostile dump would have it: at a boundary, a little more or less, a multiple. */
static uint64_t other_value(struct state *s, uint64_t old)
{
	switch (below(s, 7)) {
	case 0:
		return old + (1ull << below(s, 16));
	case 1:
		return old - (1ull << below(s, 16));
	case 2:
		return old << (1 + below(s, 32));
	case 3:
		return next(s) >> below(s, 64);
	case 4: /* about a page */
		return s->base->page_size - 16 + below(s, s->base->page_size);
	default:
		return boundaries[below(s, sizeof(boundaries) / sizeof(*boundaries))];
	}
}

static void change_value(struct state *s, struct span in)
{
	struct span at = piece(s, in, 1u << below(s, 4));
	uint64_t value = 0;

	base_get(s->base, at, &value);
	value = other_value(s, value);
	/* A length or an offset of a flattened file. */
	if (!below(s, 8))
		value = __builtin_bswap64(value);
	base_put(s->base, at, &value);
}

/* The same value in many places: a table whose entries are all alike. */
static void fill(struct state *s, struct span in)
{
	static uint8_t bytes[MAX_LEN];
	struct span at = piece(s, in, 8);
	uint64_t value = 0, len = 16u << below(s, 9);

	base_get(s->base, at, &value);
	if (below(s, 2))
		value = other_value(s, value);
	at.len = in.at + in.len - at.at;
	if (at.len > len)
		at.len = len;
	for (uint64_t i = 0; i < at.len; i++)
		bytes[i] = value >> i % 8 * 8;
	base_put(s->base, at, bytes);
}

/* What is at another place, which has the same kind of contents or any other. */
static void copy_from_elsewhere(struct state *s, struct span in, bool swap)
{
	static uint8_t here[MAX_LEN], there[MAX_LEN];
	struct span from = in, at = piece(s, in, 8), source;
	uint64_t len = below(s, 2) ? 8 : 1u << below(s, 13);

	if (!below(s, 3) && !any_target(s, &from))
		return;
	source = piece(s, from, 8);
	source.len = at.len = len;
	at.len = base_get(s->base, at, here);
	source.len = base_get(s->base, source, there);
	if (at.len > source.len)
		at.len = source.len;
	source.len = at.len;
	base_put(s->base, at, there);
	if (swap)
		base_put(s->base, source, here);
}

static bool is_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* Another number in the place of the next one, as long as that one. */
static void change_number(struct state *s, char *text, size_t len)
{
	static const char *const numbers[] = {"ffffffffffffffff",     "0000000000000000",
					      "18446744073709551615", "9223372036854775808",
					      "4294967295",	      "2147483648"};
	size_t at = below(s, len), end;

	while (at < len && !is_digit(text[at]))
		at++;
	for (end = at; end < len && is_digit(text[end]);)
		end++;
	if (end - at > 2 && below(s, 2)) {
		const char *number = numbers[below(s, sizeof(numbers) / sizeof(*numbers))];
		size_t n = strlen(number);

		memcpy(text + at, number, n < end - at ? n : end - at);
	} else if (end > at) {
		text[at + below(s, end - at)] = "0123456789abcdef-"[below(s, 17)];
	}
}

static const char *const words[] = {
	"Call Trace:\n",
	" <TASK>\n",
	"\n",
	"Kernel panic - not syncing: ",
	"NMI backtrace for cpu ",
	"CPU: ",
	"PID: ",
	"watchdog: BUG: soft lockup - CPU#",
	"rcu: INFO: rcu_sched self-detected stall on CPU\n",
	"INFO: task ",
	"[   ",
	"? ",
	"+0x",
	"/0x",
	"\xff",
	"\033[31m",
	"\001",
	"pc : ",
	"RIP: 0010:",
	"Oops: ",
	"---[ end trace 0000000000000000 ]---\n",
	"Comm: ",
	"SYMBOL(",
	"OFFSET(",
	"=",
	"-",
	",",
	" </IRQ>\n",
	" <NMI>\n",
	"sysrq: Show backtrace of all active CPUs\n",
	"PM: suspend exit\n",
};

/* Lines that are there twice, that are swapped, that begin or end elsewhere; other numbers. */
static void edit_text(struct state *s, struct span in)
{
	static char text[MAX_LEN], old[MAX_LEN];

	if (in.len > MAX_LEN) {
		in.at += below(s, in.len - MAX_LEN);
		in.len = MAX_LEN;
	}
	size_t len = base_get(s->base, in, text);
	if (!len)
		return;
	for (uint64_t n = 1 + below(s, 3); n; n--) {
		size_t a = below(s, len), b = below(s, len), rest = len - (a > b ? a : b), size;
		const char *word = words[below(s, sizeof(words) / sizeof(*words))];

		switch (below(s, 5)) {
		case 0:
			size = below(s, rest < 200 ? rest : 200);
			memmove(text + a, text + b, size);
			break;
		case 1:
			size = strlen(word) < len - a ? strlen(word) : len - a;
			memcpy(text + a, word, size);
			break;
		case 2: /* taken out; what follows moves up */
			size = below(s, rest < 100 ? rest : 100);
			memcpy(old, text, len);
			memcpy(text + a, old + a + size, len - a - size);
			break;
		default:
			change_number(s, text, len);
		}
	}
	base_put(s->base, in, text);
}

static void edit(struct state *s)
{
	struct span at;

	if (!any_target(s, &at))
		return;
	uint64_t how = below(s, 20);
	if (s->log)
		fprintf(s->log, "edit %u in part %u at %#llx, %llu bytes\n", (unsigned int)how,
			at.part, (unsigned long long)at.at, (unsigned long long)at.len);
	if (how < 3)
		flip_bits(s, at);
	else if (how < 10)
		change_value(s, at);
	else if (how < 12)
		fill(s, at);
	else if (how < 15)
		copy_from_elsewhere(s, at, how == 14);
	else
		edit_text(s, at);
}

/* ---------------------------------------------------------- the whole file */

static void cut(struct state *s)
{
	unsigned int part = below(s, s->base->nr_parts);
	uint64_t size = s->base->parts[part].size;
	struct span at;

	/* At the start, at the end, in a structure, anywhere. */
	switch (below(s, 4)) {
	case 0:
		size = below(s, size < 8192 ? size : 8192);
		break;
	case 1:
		size -= below(s, size < 8192 ? size : 8192);
		break;
	case 2:
		if (any_target(s, &at) && at.part == part) {
			size = at.at + below(s, at.len + 1);
			break;
		}
		/* fall through */
	default:
		size = below(s, size);
	}
	base_cut(s->base, part, size);
	if (s->log)
		fprintf(s->log, "part %u cut at %llu\n", part, (unsigned long long)size);
}

/* Another order, a part twice, one too few. */
static void change_parts(struct state *s)
{
	struct base *base = s->base;

	if (base->nr_parts == 1)
		return;
	for (unsigned int i = 0; i < base->nr_paths; i++) {
		unsigned int from = below(s, base->nr_parts);

		base->paths[i] = base->parts[from].path;
		if (s->log)
			fprintf(s->log, "path %u is part %u\n", i, from);
	}
	base->nr_paths -= !below(s, 3);
}

void mutate(struct base *base, uint64_t seed, FILE *log)
{
	struct state s = {base, seed, log};
	uint64_t nr = 1;

	while (nr < MAX_EDITS && below(&s, 2))
		nr++;
	while (nr--)
		edit(&s);
	if (!below(&s, 24))
		cut(&s);
	if (!below(&s, 8))
		change_parts(&s);
}
