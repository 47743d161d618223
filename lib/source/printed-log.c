// SPDX-License-Identifier: GPL-2.0-or-later
/* Makes records of a log that was printed: each line is one, without level, time and caller. */
#include "source/printouts.h"

/* include/linux/printk.h: MESSAGE_LOGLEVEL_DEFAULT is 4 by default, 6.12 */
#define DEFAULT_LEVEL 4
/* As the kernel's own records. Longer lines are cut. */
#define MAX_LINE 65535
/* enum printk_info_flags, kernel/printk/printk_ringbuffer.h, 6.12 */
#define LOG_NEWLINE 2

struct printed_log {
	struct nmibt_log_source *log;
	uint64_t seq, ns;
	bool has_times;
	bool was_cut; /* lines before the next one are missing */
};

/* How many lines are missing is not known. */
static void lose(struct printed_log *p)
{
	nmibt_log_source_lose(p->log, 1);
	p->log->missing.unreadable++;
	p->log->missing.may_be_more = true;
	p->was_cut = false;
	p->seq++;
}

static struct nmibt_log_record make_record(struct printed_log *p, struct nmibt_str line,
					   const struct nmibt_log_prefix *prefix)
{
	size_t len = line.len < MAX_LINE ? line.len : MAX_LINE;

	return (struct nmibt_log_record){
		.seq = p->seq++,
		.ts_ns = p->ns,
		.caller_id = prefix->has_caller ? prefix->caller_id : NMIBT_NO_CALLER,
		.level = prefix->has_level ? prefix->level : DEFAULT_LEVEL,
		.facility = prefix->has_level ? prefix->facility : 0,
		.flags = LOG_NEWLINE,
		.text = line.s,
		.len = len,
		.missing = line.len - len,
	};
}

/* is_first: of a text, which may begin within a line, as a ring does. */
static void take_line(struct printed_log *p, struct nmibt_str line, bool is_first)
{
	struct nmibt_log_prefix prefix = {0};
	bool has_prefix = nmibt_take_log_prefix(&line, &prefix);

	/* The log of a whole boot begins with time 0. */
	if (!p->log->nr_records && !p->seq && (!prefix.has_time || prefix.ns))
		p->seq = 1;
	if (is_first && !has_prefix) {
		p->was_cut |= p->log->nr_records > 0;
		return;
	}
	if (p->was_cut)
		lose(p);
	if (prefix.has_time)
		p->ns = prefix.ns;
	p->has_times |= prefix.has_time;
	struct nmibt_log_record record = make_record(p, line, &prefix);
	nmibt_log_source_visit(p->log, &record);
}

static void take_text(struct printed_log *p, const struct nmibt_log_text *piece)
{
	struct nmibt_str rest = piece->text, line;
	bool is_first = true;

	for (; nmibt_take_until(&rest, "\n", &line); is_first = false)
		take_line(p, line, is_first);
	/* Without a newline the last line may be the beginning of one: "f+0x10/0x2" is another frame
	 * than "f+0x10/0x20". */
	p->was_cut |= rest.len || piece->lacks_end;
	p->log->is_of_panic |= piece->is_of_panic;
}

struct nmibt_error *nmibt_read_printed_log(struct nmibt_kernel *kernel,
					   struct nmibt_log_source *log)
{
	const struct nmibt_image *image = kernel->image;
	struct printed_log p = {.log = log};
	struct nmibt_log_text piece;

	for (size_t i = 0; image->ops->log_text(image->ctx, kernel->crash, i, &piece); i++) {
		if (nmibt_interrupted(image))
			return nmibt_error_create(NMIBT_ERR_INTERRUPTED,
						  "interrupted while the log was read");
		take_text(&p, &piece);
	}
	if (p.was_cut)
		lose(&p);
	log->has_no_times = !p.has_times;
	return nmibt_log_source_finish(log);
}
