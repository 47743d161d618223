// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/journal.h"

/* The longest value of a field that is looked at, beside the message's. */
#define MAX_VALUE 64

/* ---------------------------------------------------------------------------- fields */

static bool read_number(struct nmibt_str s, uint64_t *ret)
{
	return nmibt_take_decimal(&s, UINT64_MAX / 1000, ret) && !s.len;
}

static uint64_t hash_of(struct nmibt_str s)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < s.len; i++)
		hash = (hash ^ (unsigned char)s.s[i]) * 0x100000001b3;
	return hash ?: 1;
}

static void take_message(struct nmibt_journal_entry *entry, struct nmibt_str value, char *buf,
			 size_t room)
{
	entry->has_message = true;
	entry->len = value.len < room ? value.len : room;
	if (entry->len && value.s != buf)
		memmove(buf, value.s, entry->len);
}

void nmibt_journal_take(struct nmibt_journal_entry *entry, struct nmibt_str name,
			struct nmibt_str value, char *buf, size_t room)
{
	uint64_t number;

	if (nmibt_str_is(name, "MESSAGE")) {
		take_message(entry, value, buf, room);
	} else if (nmibt_str_is(name, "_TRANSPORT")) {
		entry->has_transport = true;
		entry->is_of_kernel = nmibt_str_is(value, "kernel");
	} else if (nmibt_str_is(name, "SYSLOG_IDENTIFIER") && !entry->has_transport) {
		entry->has_transport = true;
		entry->is_of_kernel = nmibt_str_is(value, "kernel");
	} else if (nmibt_str_is(name, "_BOOT_ID")) {
		entry->boot = hash_of(value);
	} else if (!read_number(value, &number)) {
		return;
	} else if (nmibt_str_is(name, "PRIORITY")) {
		entry->has_level = true;
		entry->level = number & 7;
	} else if (nmibt_str_is(name, "SYSLOG_FACILITY")) {
		entry->has_facility = true;
		entry->facility = number < 128 ? number : 127;
	} else if (nmibt_str_is(name, "_SOURCE_MONOTONIC_TIMESTAMP")) {
		entry->has_time = true;
		entry->us = number;
	} else if (nmibt_str_is(name, "__MONOTONIC_TIMESTAMP")) {
		entry->has_received = true;
		entry->received_us = number;
	}
}

void nmibt_journal_prefix(const struct nmibt_journal_entry *entry, struct nmibt_log_prefix *ret)
{
	*ret = (struct nmibt_log_prefix){
		.has_level = entry->has_level,
		.level = entry->level,
		.facility = entry->has_facility ? entry->facility : 0,
		.has_time = entry->has_time || entry->has_received,
		.ns = (entry->has_time ? entry->us : entry->received_us) * 1000,
		.is_stamped = true,
		.is_of_program = entry->has_transport && !entry->is_of_kernel,
	};
}

/* ------------------------------------------------------------------------------ JSON */

static size_t put_utf8(uint64_t c, char *to)
{
	if (c < 0x80) {
		to[0] = c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = 0xc0 | c >> 6;
		to[1] = 0x80 | (c & 0x3f);
		return 2;
	}
	to[0] = 0xe0 | c >> 12;
	to[1] = 0x80 | (c >> 6 & 0x3f);
	to[2] = 0x80 | (c & 0x3f);
	return 3;
}

/* Behind a backslash; at most three bytes. False: it is no JSON. */
static bool take_escape(struct nmibt_str *s, char *to, size_t *ret_len)
{
	static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
	uint64_t c;

	if (!s->len)
		return false;
	const char *found = *s->s ? strchr(from, *s->s) : NULL;
	bool is_number = *s->s == 'u';
	*s = (struct nmibt_str){s->s + 1, s->len - 1};
	if (found) {
		*to = into[found - from];
		*ret_len = 1;
		return true;
	}
	struct nmibt_str before = *s;
	if (!is_number || !nmibt_take_hex(s, 4, &c) || s->s - before.s != 4)
		return false;
	*ret_len = put_utf8(c, to);
	return true;
}

/* Reads a string behind its first quote to buf, cut to room bytes. */
static bool take_string(struct nmibt_str *s, char *buf, size_t room, struct nmibt_str *ret)
{
	size_t len = 0;

	while (s->len && *s->s != '"') {
		char bytes[3] = {*s->s};
		size_t nr = 1;
		bool is_escape = *s->s == '\\';

		*s = (struct nmibt_str){s->s + 1, s->len - 1};
		if (is_escape && !take_escape(s, bytes, &nr))
			return false;
		if (nr <= room - len) {
			memcpy(buf + len, bytes, nr);
			len += nr;
		}
	}
	*ret = (struct nmibt_str){buf, len};
	return nmibt_skip(s, "\"");
}

/* "[67,80,85]": bytes, where the message is no text. The first of several messages of a field is
 * a string or an array itself, and is not read. */
static bool take_bytes(struct nmibt_str *s, char *buf, size_t room, struct nmibt_str *ret)
{
	size_t len = 0;
	uint64_t byte;

	for (nmibt_skip_blanks(s); !nmibt_skip(s, "]"); nmibt_skip_blanks(s)) {
		if (!nmibt_take_decimal(s, UINT8_MAX, &byte))
			return false;
		if (len < room)
			buf[len++] = (char)byte;
		nmibt_skip_blanks(s);
		nmibt_skip(s, ",");
	}
	*ret = (struct nmibt_str){buf, len};
	return true;
}

/* Reads a value to buf. Numbers and words are their own text. */
static bool take_value(struct nmibt_str *s, char *buf, size_t room, struct nmibt_str *ret)
{
	size_t len = 0;

	if (nmibt_skip(s, "\""))
		return take_string(s, buf, room, ret);
	if (nmibt_skip(s, "["))
		return take_bytes(s, buf, room, ret);
	while (len < s->len && s->s[len] != ',' && s->s[len] != '}' && s->s[len] != ' ')
		len++;
	*ret = (struct nmibt_str){s->s, len};
	*s = (struct nmibt_str){s->s + len, s->len - len};
	return len;
}

bool nmibt_journal_read_json(struct nmibt_str line, struct nmibt_journal_entry *ret, char *buf,
			     size_t room)
{
	struct nmibt_journal_entry entry = {0};
	char key[MAX_VALUE], other[MAX_VALUE];
	struct nmibt_str name, value;

	nmibt_skip(&line, "\x1e");
	if (!nmibt_skip(&line, "{"))
		return false;
	for (nmibt_skip_blanks(&line); nmibt_skip(&line, "\""); nmibt_skip_blanks(&line)) {
		if (!take_string(&line, key, sizeof(key), &name))
			return false;
		nmibt_skip_blanks(&line);
		if (!nmibt_skip(&line, ":"))
			return false;
		nmibt_skip_blanks(&line);
		bool is_message = nmibt_str_is(name, "MESSAGE");
		if (!take_value(&line, is_message ? buf : other, is_message ? room : sizeof(other),
				&value))
			return false;
		nmibt_journal_take(&entry, name, value, buf, room);
		nmibt_skip_blanks(&line);
		nmibt_skip(&line, ",");
	}
	if (!nmibt_skip(&line, "}") || !entry.has_message)
		return false;
	*ret = entry;
	return true;
}
