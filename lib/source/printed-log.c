// SPDX-License-Identifier: GPL-2.0-or-later
/* Makes records of a log that was printed: each line is one, without what stands before it. */
#include "source/printouts.h"

/* include/linux/printk.h: MESSAGE_LOGLEVEL_DEFAULT is 4 by default, 6.12 */
#define DEFAULT_LEVEL 4
/* As the kernel's own records. Longer lines are cut. */
#define MAX_LINE 65535
/* enum printk_info_flags, kernel/printk/printk_ringbuffer.h, 6.12 */
#define LOG_NEWLINE 2

struct printed_log {
	struct nmibt_log_source *log;
	const struct nmibt_image *image;
	uint64_t seq, ns;
	bool has_times;
	bool was_cut; /* lines before the next one are missing */
	bool is_interrupted;
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

static struct nmibt_log_record make_record(struct printed_log *p, const struct nmibt_log_text *line)
{
	const struct nmibt_log_prefix *prefix = &line->prefix;
	size_t len = line->text.len < MAX_LINE ? line->text.len : MAX_LINE;

	return (struct nmibt_log_record){
		.seq = p->seq++,
		.ts_ns = p->ns,
		.caller_id = prefix->has_caller ? prefix->caller_id : NMIBT_NO_CALLER,
		.level = prefix->has_level ? prefix->level : DEFAULT_LEVEL,
		.facility = prefix->has_level ? prefix->facility : 0,
		.flags = LOG_NEWLINE,
		.text = line->text.s,
		.len = len,
		.missing = line->text.len - len + line->is_cut,
	};
}

/* False: the work is to be stopped. */
static bool take_line(void *arg, const struct nmibt_log_text *line)
{
	struct printed_log *p = arg;
	const struct nmibt_log_prefix *prefix = &line->prefix;

	if (nmibt_interrupted(p->image)) {
		p->is_interrupted = true;
		return false;
	}
	/* It is another program's, or what a mail has beside the log. */
	if (line->lacks_stamp || (!prefix->is_stamped && !line->text.len))
		return true;
	/* The log of a whole boot begins with time 0. */
	if (!p->log->nr_records && !p->seq && (!prefix->has_time || prefix->ns))
		p->seq = 1;
	p->was_cut |= line->is_behind_loss;
	/* A text may begin within a line, as a ring does. */
	if (line->may_begin_within && !prefix->is_stamped) {
		p->was_cut |= p->log->nr_records > 0;
		return true;
	}
	if (p->was_cut)
		lose(p);
	if (prefix->has_time)
		p->ns = prefix->ns;
	p->has_times |= prefix->has_time;
	struct nmibt_log_record record = make_record(p, line);
	nmibt_log_source_visit(p->log, &record);
	return true;
}

struct nmibt_error *nmibt_read_printed_log(struct nmibt_kernel *kernel,
					   struct nmibt_log_source *log)
{
	const struct nmibt_image *image = kernel->image;
	struct printed_log p = {.log = log, .image = image};
	struct nmibt_log_facts facts = {0};
	struct nmibt_error *err =
		image->ops->visit_log(image->ctx, kernel->crash, take_line, &p, &facts);

	if (!err && p.is_interrupted)
		err = nmibt_error_create(NMIBT_ERR_INTERRUPTED,
					 "interrupted while the log was read");
	if (err)
		return err;
	if (p.was_cut || facts.lacks_end)
		lose(&p);
	log->is_of_panic = facts.is_of_panic;
	log->has_no_times = !p.has_times;
	return nmibt_log_source_finish(log);
}
