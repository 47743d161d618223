// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The log of kernels before 5.10, by the rules of their own readers (kernel/printk.c until
 * 3.10, kernel/printk/printk.c after: log_store(), log_next(), msg_print_text()): records
 * one behind the other from log_first_idx to log_next_idx, each a header, text, dictionary
 * and padding. A header without a length says that the next record is at the beginning of
 * the buffer. Only the length of a record leads to the next one, so that what can't be read
 * takes with it all that follows, up to that beginning.
 */
#include <inttypes.h>

#include "kernel/log.h"

/* Of Linux, that have this format. */
#define RELEASES "3.6 to 5.9"

/* Of struct printk_log, which has what every kernel has: ts_nsec, three lengths, facility,
 * flags and level. Larger ones are of PRINTK_CALLER, or a vendor's. */
#define MIN_HEADER 16
#define MAX_HEADER 256
/* LOG_ALIGN: records begin at multiples of 4 or of 8, as the configuration has it. */
#define MIN_ALIGN 4
#define MAX_ALIGN 8

/* enum log_flags, kernel/printk/printk.c, 4.4 and 4.19 */
#define LOG_NEWLINE 2
#define LOG_PREFIX 4
#define LOG_CONT 8

struct classic {
	struct nmibt_log base; /* the first member */
	const struct nmibt_classic_record *layout;
	uint64_t buf; /* virtual address */
	uint32_t size, next; /* of buf in bytes; where its newest record ends */
	bool joins; /* readers put the pieces of a line together, see join() */
};

/* ------------------------------------------------------------------- records */

struct header {
	uint64_t ts_ns;
	uint32_t caller_id;
	uint16_t len, text_len, dict_len;
	uint8_t facility, flags_level;
};

static enum nmibt_read read_header(struct classic *log, struct header *ret)
{
	const struct nmibt_classic_record *l = log->layout;
	char bytes[MAX_HEADER];
	enum nmibt_read status =
		nmibt_log_read(&log->base, &log->base.windows[0], log->buf + log->base.place.next,
			       bytes, l->size.value);

	if (status != NMIBT_READ_OK)
		return status;
	memcpy(&ret->ts_ns, bytes + l->ts_nsec.value, sizeof(ret->ts_ns));
	memcpy(&ret->len, bytes + l->len.value, sizeof(ret->len));
	memcpy(&ret->text_len, bytes + l->text_len.value, sizeof(ret->text_len));
	memcpy(&ret->dict_len, bytes + l->dict_len.value, sizeof(ret->dict_len));
	/* VMCOREINFO has no line for the two bytes behind dict_len: u8 facility, then u8
	 * flags:5, level:3, the first in the lowest bits. */
	ret->facility = bytes[l->dict_len.value + 2];
	ret->flags_level = bytes[l->dict_len.value + 3];
	ret->caller_id = NMIBT_NO_CALLER;
	if (l->caller_id.known)
		memcpy(&ret->caller_id, bytes + l->caller_id.value, sizeof(ret->caller_id));
	return NMIBT_READ_OK;
}

/* room: up to where the record may go. */
static bool is_header(const struct classic *log, const struct header *header, uint32_t room)
{
	size_t used = log->layout->size.value + header->text_len + header->dict_len;

	return header->len % MIN_ALIGN == 0 && header->len <= room && used <= header->len &&
	       header->len - used < MAX_ALIGN;
}

/* The way to the next record is lost for this reason. If the log goes on at the beginning of
 * the buffer, it can be found again there. */
static bool lose(struct classic *log, uint64_t *reason)
{
	struct nmibt_log_place *place = &log->base.place;

	(*reason)++;
	log->base.before.may_be_more = true;
	place->at_end = !place->has_to_wrap;
	place->has_to_wrap = false;
	place->next = 0;
	place->seq++;
	return false;
}

/* Until 4.8 readers join what is flagged as a piece with the next record that has no prefix
 * of its own. Since 4.9 each record is a line, or it has the flag of a line that goes on,
 * and then only who printed it tells which. What comes of it is flagged as in 5.10. */
static unsigned int join(struct classic *log, unsigned int flags, bool has_caller)
{
	unsigned int before = log->base.place.flags_before;
	bool is_open = before & LOG_CONT && !(before & LOG_NEWLINE);
	unsigned int joined = LOG_NEWLINE;

	log->base.place.flags_before = flags;
	if (has_caller)
		return flags;
	if (!log->joins)
		return flags | LOG_NEWLINE;
	if (flags & LOG_CONT && !(flags & LOG_NEWLINE))
		joined = 0;
	if (is_open && !(flags & LOG_PREFIX))
		joined |= LOG_CONT;
	return (flags & ~(LOG_NEWLINE | LOG_CONT)) | joined;
}

/* False: it was passed over. */
static bool take_record(struct classic *log, const struct header *header,
			struct nmibt_log_record *ret)
{
	uint64_t text = log->buf + log->base.place.next + log->layout->size.value;

	*ret = (struct nmibt_log_record){
		.seq = log->base.place.seq++,
		.ts_ns = header->ts_ns,
		.caller_id = header->caller_id,
		.level = header->flags_level >> 5,
		.facility = header->facility,
		.flags = join(log, header->flags_level & 0x1f, log->layout->caller_id.known),
		.text = log->base.text,
	};
	log->base.place.next += header->len;
	enum nmibt_read status = nmibt_log_read_some(&log->base, &log->base.windows[0], text,
						     log->base.text, header->text_len, &ret->len);
	ret->missing = header->text_len - ret->len;
	if (!header->text_len || ret->len)
		return true;
	(*nmibt_log_unread(&log->base, status))++;
	log->base.place.flags_before = LOG_NEWLINE;
	return false;
}

static bool step(struct nmibt_log *base, struct nmibt_log_record *ret)
{
	struct classic *log = (struct classic *)base;
	struct nmibt_log_place *place = &base->place;
	uint32_t room = (place->has_to_wrap ? log->size : log->next) - place->next;
	struct header header;

	if (!place->has_to_wrap && !room) {
		place->at_end = true;
		return false;
	}
	/* Behind each record there is room for one more header, see log_store(). */
	if (room < log->layout->size.value)
		return lose(log, &base->before.damaged);
	enum nmibt_read status = read_header(log, &header);
	if (status != NMIBT_READ_OK)
		return lose(log, nmibt_log_unread(base, status));
	if (!header.len && place->has_to_wrap) {
		place->has_to_wrap = false;
		place->next = 0;
		return false;
	}
	if (!is_header(log, &header, room))
		return lose(log, &base->before.damaged);
	return take_record(log, &header, ret);
}

/* ------------------------------------------------------------------- opening */

/* Where the members of a header are, which may be anything. */
static struct nmibt_error *check_layout(const struct nmibt_classic_record *l)
{
	const struct {
		const char *key;
		const struct nmibt_number *line;
		size_t size; /* of the member, and what is read behind it */
	} members[] = {
		{"ts_nsec", &l->ts_nsec, 8},	 {"len", &l->len, 2},
		{"text_len", &l->text_len, 2},	 {"dict_len", &l->dict_len, 4},
		{"caller_id", &l->caller_id, 4},
	};

	if (l->size.value < MIN_HEADER || l->size.value > MAX_HEADER)
		return nmibt_error_create(NMIBT_ERR_UNUSABLE,
					  "the records of the kernel's log have headers of %" PRIu64
					  " bytes",
					  l->size.value);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		if (!members[i].line->known && members[i].line != &l->caller_id)
			return nmibt_log_not_described(members[i].key, RELEASES);
		if (members[i].line->known &&
		    members[i].line->value > l->size.value - members[i].size)
			return nmibt_error_create(NMIBT_ERR_UNUSABLE,
						  "%s is not in the %" PRIu64 " bytes of a header "
						  "of the kernel's log",
						  members[i].key, l->size.value);
	}
	return NULL;
}

/* "4.19.304-1-amd64"; false: it is nothing of the kind. */
static bool read_release(const char *osrelease, uint64_t *ret_major, uint64_t *ret_minor)
{
	struct nmibt_str rest = nmibt_str_of(osrelease ? osrelease : "");

	return nmibt_take_decimal(&rest, UINT16_MAX, ret_major) && nmibt_skip(&rest, ".") &&
	       nmibt_take_decimal(&rest, UINT16_MAX, ret_minor);
}

static struct nmibt_error *find_layout(struct classic *log)
{
	const struct nmibt_vmcoreinfo *info = &log->base.kernel->vmcoreinfo;
	const struct nmibt_classic_log *lines = &info->classic_log;
	uint64_t major, minor;

	log->layout = lines->printk_log.size.known ? &lines->printk_log : &lines->log;
	if (!log->layout->size.known)
		return nmibt_log_not_described("SIZE(printk_log) or SIZE(log)", RELEASES);
	if (read_release(info->osrelease, &major, &minor)) {
		/* There was one u16 for facility and level in its first records, and no flags. */
		if (major == 3 && minor == 5)
			return nmibt_error_create(
				NMIBT_ERR_UNUSABLE,
				"what records of Linux 3.5 are like is not known");
		log->joins = major < 4 || (major == 4 && minor < 9);
	}
	return check_layout(log->layout);
}

static struct nmibt_error *read_variable(const struct nmibt_log *log,
					 const struct nmibt_number *symbol, const char *name,
					 void *ret, size_t size)
{
	if (!symbol->known)
		return nmibt_log_not_described(name, RELEASES);
	return nmibt_log_unreadable(symbol->value,
				    nmibt_kernel_read(log->kernel, symbol->value, ret, size));
}

static struct nmibt_error *read_variables(struct classic *log)
{
	const struct nmibt_classic_log *lines = &log->base.kernel->vmcoreinfo.classic_log;
	uint32_t first;
	struct nmibt_error *err = read_variable(&log->base, &lines->buf, "SYMBOL(log_buf)",
						&log->buf, sizeof(log->buf));

	if (!err)
		err = read_variable(&log->base, &lines->buf_len, "SYMBOL(log_buf_len)", &log->size,
				    sizeof(log->size));
	if (!err)
		err = read_variable(&log->base, &lines->first_idx, "SYMBOL(log_first_idx)", &first,
				    sizeof(first));
	if (!err)
		err = read_variable(&log->base, &lines->next_idx, "SYMBOL(log_next_idx)",
				    &log->next, sizeof(log->next));
	if (err)
		return err;
	if (log->size > UINT32_C(1) << NMIBT_LOG_MAX_SIZE_BITS || first >= log->size ||
	    log->next >= log->size || first % MIN_ALIGN || log->next % MIN_ALIGN)
		return nmibt_error_create(NMIBT_ERR_DAMAGED,
					  "the kernel's log at %#" PRIx64 " has %" PRIu32
					  " bytes, and records from %" PRIu32 " to %" PRIu32,
					  log->buf, log->size, first, log->next);
	log->base.place.next = first;
	return NULL;
}

static struct nmibt_error *open_classic(struct nmibt_log *base)
{
	struct classic *log = (struct classic *)base;
	struct nmibt_error *err = find_layout(log);

	if (!err)
		err = nmibt_kernel_need(base->kernel, NMIBT_PART_MEMORY);
	if (!err)
		err = read_variables(log);
	if (err)
		return err;
	log->base.place.has_to_wrap = log->base.place.next > log->next;
	log->base.place.flags_before = LOG_NEWLINE;
	/* Only what makes room for newer records moves the first one away from there. */
	base->before.overwritten = log->base.place.next > 0;
	return NULL;
}

const struct nmibt_log_format nmibt_log_classic = {
	.size = sizeof(struct classic),
	.open = open_classic,
	.step = step,
};
