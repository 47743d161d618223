// SPDX-License-Identifier: GPL-2.0-or-later
/* What the log tells of the machine as a whole: boots, suspends, hardware, taint. */
#include "source/printouts.h"

#define MAX_MESSAGE 1024

char *nmibt_copy_line(struct taken *t)
{
	size_t len = t->line->len < MAX_MESSAGE ? t->line->len : MAX_MESSAGE;
	char *copy = strndup(t->line->text ? t->line->text : "", len);

	if (!copy)
		t->b->failed = true;
	return copy;
}

void nmibt_take_event(struct taken *t)
{
	static const char elfcorehdr[] = "elfcorehdr=";
	const struct nmibt_log_line *line = t->line;
	struct nmibt_log_event event = {
		.kind = t->p.kind,
		.seq = line->seq,
		.ts_ns = line->ts_ns,
		.message = nmibt_copy_line(t),
	};

	if (t->p.kind == NMIBT_PRINT_NOT_RESPONDING || t->p.kind == NMIBT_PRINT_CSD_RELEASED)
		nmibt_add_said_cpus(t, &event.cpus);
	if (t->p.kind == NMIBT_PRINT_COMMAND_LINE && line->len)
		event.is_capture_kernel =
			memmem(line->text, line->len, elfcorehdr, strlen(elfcorehdr));
	nmibt_log_add_event(t->log, &event);
}

/* Keeps the newest. */
static void keep(struct taken *t, char **at, const char *text, size_t len)
{
	if (len > MAX_MESSAGE)
		len = MAX_MESSAGE;
	if (*at && strlen(*at) == len && !memcmp(*at, text, len))
		return;
	free(*at);
	*at = strndup(text, len);
	if (!*at)
		t->b->failed = true;
}

/* kernel/panic.c: print_tainted(): a character or a space for each flag, then the release
 * (6.1, 6.12). */
void nmibt_take_taint(struct taken *t)
{
	static const char none[] = "Not tainted", some[] = "Tainted: ";
	const char *text = t->line->text, *end = text + t->line->len;
	const char *at = memmem(text, t->line->len, none, strlen(none));

	if (at) {
		keep(t, &t->log->taint, at, strlen(none));
		return;
	}
	at = memmem(text, t->line->len, some, strlen(some));
	if (!at)
		return;
	const char *behind = at + strlen(some);
	while (behind < end && (*behind == ' ' || (*behind >= 'A' && *behind <= 'Z')))
		behind++;
	while (behind[-1] == ' ')
		behind--;
	keep(t, &t->log->taint, at, behind - at);
}

void nmibt_take_hardware(struct taken *t)
{
	static const char title[] = "Hardware name: ";
	const char *end = t->line->text + t->line->len;
	const char *at = memmem(t->line->text, t->line->len, title, strlen(title));

	if (at)
		keep(t, &t->log->hardware, at + strlen(title), end - at - strlen(title));
}

/* "** 12 printk messages dropped **": what a console was too slow for
 * (kernel/printk/printk.c: console_prepend_dropped(), 6.12). */
bool nmibt_take_dropped(struct taken *t)
{
	static const char begin[] = "** ", end[] = " printk messages dropped **";
	const char *s = t->line->text;
	size_t len = t->line->len, at = strlen(begin);
	uint64_t nr = 0;

	if (len < at + strlen(end) || memcmp(s, begin, at) ||
	    memcmp(s + len - strlen(end), end, strlen(end)))
		return false;
	for (; at < len && s[at] >= '0' && s[at] <= '9' && nr < UINT32_MAX; at++)
		nr = 10 * nr + (s[at] - '0');
	t->b->nr_gaps++;
	t->b->nr_lost += nr;
	struct nmibt_log_gap gap = {
		.after_seq = t->line->seq,
		.before_seq = t->line->seq + 1,
		.nr = nr,
	};
	nmibt_log_add_gap(t->log, &gap);
	return true;
}
