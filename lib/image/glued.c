// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * "<TASK> [  150.414911]  f+0x1/0x2 [  150.414917]": what looks like the kernel's time is one if the time fits. Texts that
 * hold a time of something else, as logs of firmware do, are not split.
 */
#include "image/glued.h"
#include "image/prefix.h"

/* Messages that are in one line were printed one after the other. */
#define LONGEST_PAUSE_NS UINT64_C(1000000000)

/* True: s begins with a time that is not long after the newest one. */
static bool take_stamp(const struct nmibt_glued *g, struct nmibt_str *s,
		       struct nmibt_log_prefix *ret)
{
	struct nmibt_str rest = *s;

	if (!nmibt_take_log_prefix(&rest, ret) || !ret->has_time || ret->ns < g->ns ||
	    ret->ns - g->ns > LONGEST_PAUSE_NS || (rest.len && rest.s[-1] != ' '))
		return false;
	*s = rest;
	return true;
}

/* The place of the first time within the text, behind a space; NULL: there is none. */
static const char *find_stamp(const struct nmibt_glued *g, struct nmibt_str text,
			      struct nmibt_str *rest, struct nmibt_log_prefix *ret)
{
	const char *end = text.s + text.len, *at = text.s;

	while (at < end && (at = memchr(at, '[', end - at))) {
		*rest = (struct nmibt_str){at, end - at};
		if (at > text.s && at[-1] == ' ' && take_stamp(g, rest, ret))
			return at;
		at++;
	}
	return NULL;
}

static void trim_end(struct nmibt_str *s)
{
	while (s->len && s->s[s->len - 1] == ' ')
		s->len--;
}

/* What stands before the line stands before each of its messages. */
static void take_prefix(struct nmibt_log_text *line, const struct nmibt_log_prefix *own)
{
	line->prefix.has_time = true;
	line->prefix.ns = own->ns;
	line->prefix.has_caller = own->has_caller;
	line->prefix.caller_id = own->caller_id;
	line->prefix.is_stamped = true;
	line->prefix.is_bare = false;
	line->is_glued = true;
	line->is_behind_loss = line->may_begin_within = line->lacks_stamp = false;
}

bool nmibt_split_glued(struct nmibt_glued *g, struct nmibt_log_text *line,
		       struct nmibt_log_text *ret)
{
	struct nmibt_log_prefix own;
	struct nmibt_str rest;

	if (line->prefix.has_time) {
		g->has_time = true;
		g->ns = line->prefix.ns;
	}
	const char *stamp = g->has_time ? find_stamp(g, line->text, &rest, &own) : NULL;
	if (!stamp)
		return false;
	*ret = *line;
	ret->text.len = stamp - line->text.s;
	if (ret->columns > rest.len)
		ret->columns -= rest.len;
	trim_end(&ret->text);
	ret->is_cut = false;
	line->text = rest;
	take_prefix(line, &own);
	return true;
}
