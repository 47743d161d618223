// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The syntax of JSON (RFC 8259).
 */
#include "json/json.h"

static FILE *begin_value(struct json *j)
{
	FILE *out = j->renderer.out;

	if (j->needs_comma)
		putc_unlocked(',', out);
	j->needs_comma = true;
	return out;
}

void json_open(struct json *j, char bracket)
{
	putc_unlocked(bracket, begin_value(j));
	j->needs_comma = false;
}

void json_close(struct json *j, char bracket)
{
	putc_unlocked(bracket, j->renderer.out);
	j->needs_comma = true;
}

void json_key(struct json *j, const char *key)
{
	FILE *out = begin_value(j);

	putc_unlocked('"', out);
	fputs_unlocked(key, out);
	fputs_unlocked("\":", out);
	j->needs_comma = false;
}

void json_break(struct json *j)
{
	if (j->needs_comma)
		putc_unlocked(',', j->renderer.out);
	putc_unlocked('\n', j->renderer.out);
	j->needs_comma = false;
}

void json_null(struct json *j)
{
	fputs_unlocked("null", begin_value(j));
}

void json_bool(struct json *j, bool value)
{
	fputs_unlocked(value ? "true" : "false", begin_value(j));
}

/* printf() would take most of the time. */
static void put_digits(FILE *out, uint64_t value, unsigned int base)
{
	char digits[24], *at = digits + sizeof(digits);

	do {
		*--at = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	fwrite_unlocked(at, 1, digits + sizeof(digits) - at, out);
}

void json_int(struct json *j, int64_t value)
{
	FILE *out = begin_value(j);

	if (value < 0)
		putc_unlocked('-', out);
	put_digits(out, value < 0 ? -(uint64_t)value : (uint64_t)value, 10);
}

void json_hex(struct json *j, uint64_t value)
{
	FILE *out = begin_value(j);

	fputs_unlocked("\"0x", out);
	put_digits(out, value, 16);
	putc_unlocked('"', out);
}

void json_number(struct json *j, uint64_t value)
{
	if (value <= INT64_MAX)
		json_int(j, (int64_t)value);
	else
		json_hex(j, value);
}

void json_time(struct json *j, uint64_t ns)
{
	if (ns)
		json_number(j, ns);
	else
		json_null(j);
}

void json_seconds(struct json *j, int64_t ns)
{
	uint64_t magnitude = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;

	fprintf(begin_value(j), "%s%" PRIu64 ".%09" PRIu64, ns < 0 ? "-" : "",
		magnitude / 1000000000, magnitude % 1000000000);
}

/* ------------------------------------------------------------------------ strings */

void json_word(struct json *j, const char *word)
{
	FILE *out = begin_value(j);

	if (word)
		fprintf(out, "\"%s\"", word);
	else
		fputs_unlocked("null", out);
}

static bool is_plain(unsigned char c)
{
	return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

/* Writes what nmibt_escape() makes of bytes that are no printable ASCII. JSON needs its backslashes
 * to be escaped once more. */
static void put_other(struct json *j, const char *s, size_t len)
{
	struct renderer *r = &j->renderer;

	rewind(r->scratch->stream);
	nmibt_escape(r->scratch->stream, s, len, false);
	if (fflush(r->scratch->stream))
		return;
	for (size_t i = 0; i < r->scratch->len; i++) {
		if (r->scratch->text[i] == '\\')
			putc_unlocked('\\', r->out);
		putc_unlocked(r->scratch->text[i], r->out);
	}
}

void json_string(struct json *j, const char *s, size_t len)
{
	FILE *out = begin_value(j);

	putc_unlocked('"', out);
	for (size_t i = 0, first; i < len;) {
		for (first = i; i < len && is_plain(s[i]);)
			i++;
		fwrite_unlocked(s + first, 1, i - first, out);
		if (i == len)
			break;
		if (s[i] == '"')
			fputs_unlocked("\\\"", out);
		else if (s[i] == '\t')
			fputs_unlocked("\\t", out);
		else if (s[i] == '\\')
			fputs_unlocked("\\\\\\\\", out);
		if (s[i] == '"' || s[i] == '\t' || s[i] == '\\') {
			i++;
			continue;
		}
		for (first = i; i < len && s[i] != '\t' &&
				((unsigned char)s[i] < ' ' || (unsigned char)s[i] > '~');)
			i++;
		put_other(j, s + first, i - first);
	}
	putc_unlocked('"', out);
}

void json_text(struct json *j, const char *s)
{
	if (s)
		json_string(j, s, strlen(s));
	else
		json_null(j);
}

/* RFC 4648. */
void json_base64(struct json *j, const char *raw, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	FILE *out = begin_value(j);

	putc_unlocked('"', out);
	for (size_t i = 0; i < len; i += 3) {
		uint32_t bits = (unsigned char)raw[i] << 16;

		if (i + 1 < len)
			bits |= (unsigned char)raw[i + 1] << 8;
		if (i + 2 < len)
			bits |= (unsigned char)raw[i + 2];
		putc_unlocked(digits[bits >> 18], out);
		putc_unlocked(digits[bits >> 12 & 63], out);
		putc_unlocked(i + 1 < len ? digits[bits >> 6 & 63] : '=', out);
		putc_unlocked(i + 2 < len ? digits[bits & 63] : '=', out);
	}
	putc_unlocked('"', out);
}
