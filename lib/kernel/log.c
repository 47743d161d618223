// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's log, read from its printk ring buffer by the rules of the kernel's own reader
 * (kernel/printk/printk_ringbuffer.c: prb_read(), get_data(); 6.1, 6.12). There are a ring of
 * descriptors, a printk_info for each of them, and a ring of text. The ID of a record leads to all
 * three. VMCOREINFO has their addresses and the offsets of their members (kernel/printk/printk.c:
 * log_buf_vmcoreinfo_setup()). Tested with 5.10 to 7.2.
 */
#include <inttypes.h>

#include "kernel/kernel.h"

/* log_buf_len= is at most 2 GiB, and the kernel allocates a descriptor for every 32 bytes of it
 * (kernel/printk/printk.c: LOG_BUF_LEN_MAX, PRB_AVGBITS; 6.12). */
#define MAX_SIZE_BITS 31
#define MAX_COUNT_BITS 26
/* printk_info.text_len has 16 bits. */
#define MAX_TEXT 65535

/* state_var has the state in its upper two bits: kernel/printk/printk_ringbuffer.h. */
#define ID_MASK (UINT64_MAX >> 2)
enum state { STATE_RESERVED, STATE_COMMITTED, STATE_FINALIZED, STATE_REUSABLE };

/* Values of a record's positions, if it has no block in the ring of text. */
#define DATALESS 0x1 /* this bit */
#define EMPTY_LINE 0x3

/* A block is the ID of its record, then the text, then padding up to the size of an ID. */
#define BLOCK_ID_SIZE 8

/* In bytes. The offset of a nested member counts from the beginning of the outer structure. */
struct layout {
	uint64_t desc_size, info_size;
	uint64_t count_bits, descs, infos, head_id, tail_id, size_bits, data; /* of the ring */
	uint64_t state_var, begin, next; /* of a descriptor */
	uint64_t seq, ts_nsec, text_len, caller_id; /* of a printk_info */
};

/* The page of a ring that was read last, so that the next records need not read it again. */
struct window {
	char *bytes;
	uint64_t vaddr;
	bool filled; /* true: vaddr and status describe a page */
	enum nmibt_read status;
};

struct nmibt_log {
	struct nmibt_kernel *kernel;
	struct layout layout;
	uint64_t descs, infos, data; /* virtual addresses */
	uint64_t count; /* of descriptors, a power of two */
	unsigned int size_bits; /* of the ring of text */
	uint64_t text_left; /* bytes of the ring of text that no record has claimed yet */
	uint64_t id; /* of the next record */
	uint64_t left; /* number of records from that one on */
	bool interrupted;
	struct window desc_window, info_window, text_window;
	struct nmibt_log_missing missing; /* all records that were skipped so far */
	struct nmibt_log_missing before; /* those that were skipped after the last record */
	bool began; /* a record was read */
	char text[MAX_TEXT];
};

/* ------------------------------------------------------------------- reading */

static enum nmibt_read fill(struct nmibt_log *log, struct window *window, uint64_t page)
{
	if (!window->filled || window->vaddr != page) {
		window->vaddr = page;
		window->filled = true;
		window->status = nmibt_kernel_read(log->kernel, page, window->bytes,
						   log->kernel->image->page_size);
	}
	return window->status;
}

/* Reads len bytes through a window, up to the first page that can't be read. *ret_len: how many
 * bytes were read. */
static enum nmibt_read read_some(struct nmibt_log *log, struct window *window, uint64_t vaddr,
				 void *buf, size_t len, size_t *ret_len)
{
	size_t page_size = log->kernel->image->page_size;

	for (*ret_len = 0; *ret_len < len;) {
		size_t in = (vaddr + *ret_len) & (page_size - 1);
		size_t chunk = page_size - in;
		if (chunk > len - *ret_len)
			chunk = len - *ret_len;

		enum nmibt_read status = fill(log, window, vaddr + *ret_len - in);
		if (status != NMIBT_READ_OK)
			return status;
		memcpy((char *)buf + *ret_len, window->bytes + in, chunk);
		*ret_len += chunk;
	}
	return NMIBT_READ_OK;
}

static enum nmibt_read read_all(struct nmibt_log *log, struct window *window, uint64_t vaddr,
				void *buf, size_t len)
{
	size_t got;

	return read_some(log, window, vaddr, buf, len, &got);
}

/* ------------------------------------------------------------------- records */

struct block {
	uint64_t at; /* in the ring of text */
	uint64_t size;
};

/* False: these are not the positions of a block. */
static bool find_block(const struct nmibt_log *log, uint64_t begin, uint64_t next,
		       struct block *ret)
{
	uint64_t size = UINT64_C(1) << log->size_bits, last = next - 1;

	if (begin % BLOCK_ID_SIZE || next % BLOCK_ID_SIZE)
		return false;
	if (begin >> log->size_bits == last >> log->size_bits && begin <= last) {
		*ret = (struct block){.at = begin & (size - 1), .size = next - begin};
		return true;
	}
	/* A block that does not fit before the ring's end is moved to its beginning as a whole.
	 * (Up to 6.12 a block that just fits is moved, too; is_blk_wrapped() of later kernels
	 * lets it stay.) */
	if ((begin + size) >> log->size_bits != last >> log->size_bits)
		return false;
	*ret = (struct block){.at = 0, .size = (last & (size - 1)) + 1};
	return true;
}

/* The functions from here on return a reason: a pointer to the counter of records that are skipped
 * for this reason. NULL: the record is not skipped. */
static uint64_t *unread_reason(struct nmibt_log *log, enum nmibt_read status)
{
	return status == NMIBT_READ_EXCLUDED ? &log->before.excluded : &log->before.unreadable;
}

static uint64_t *read_text(struct nmibt_log *log, uint64_t id, const uint64_t position[2],
			   size_t text_len, struct nmibt_log_record *ret)
{
	struct block block;
	uint64_t block_id;

	ret->text = log->text;
	ret->len = 0;
	ret->missing = 0;
	if (position[0] & position[1] & DATALESS)
		return position[0] == EMPTY_LINE && position[1] == EMPTY_LINE ? NULL
									      : &log->before.lost;
	if (!find_block(log, position[0], position[1], &block))
		return &log->before.damaged;

	uint64_t vaddr = log->data + block.at;
	enum nmibt_read status =
		read_all(log, &log->text_window, vaddr, &block_id, sizeof(block_id));
	if (status != NMIBT_READ_OK)
		return unread_reason(log, status);
	/* Blocks do not overlap, so all blocks together are not larger than the ring. */
	if (block_id != id || block.size > log->text_left)
		return &log->before.damaged;
	log->text_left -= block.size;

	size_t len = block.size - BLOCK_ID_SIZE;
	if (len > text_len)
		len = text_len;
	status =
		read_some(log, &log->text_window, vaddr + BLOCK_ID_SIZE, log->text, len, &ret->len);
	/* A damaged length must not make each record cost 64 KiB. */
	ret->missing = text_len - ret->len < block.size ? text_len - ret->len : block.size;
	return len && !ret->len ? unread_reason(log, status) : NULL;
}

static uint64_t *read_info(struct nmibt_log *log, uint64_t vaddr, struct nmibt_log_record *ret,
			   size_t *ret_text_len)
{
	const struct layout *l = &log->layout;
	struct window *window = &log->info_window;
	/* VMCOREINFO has no lines for the two bytes behind text_len. In the kernel they are u8
	 * facility, and u8 flags:5, level:3 with flags in the low bits
	 * (kernel/printk/printk_ringbuffer.h; 5.10, 6.1, 6.12). */
	struct {
		uint16_t text_len;
		uint8_t facility;
		uint8_t flags_level;
	} packed;
	enum nmibt_read status;

	status = read_all(log, window, vaddr + l->seq, &ret->seq, sizeof(ret->seq));
	if (status == NMIBT_READ_OK)
		status = read_all(log, window, vaddr + l->ts_nsec, &ret->ts_ns, sizeof(ret->ts_ns));
	if (status == NMIBT_READ_OK)
		status = read_all(log, window, vaddr + l->text_len, &packed, sizeof(packed));
	if (status == NMIBT_READ_OK)
		status = read_all(log, window, vaddr + l->caller_id, &ret->caller_id,
				  sizeof(ret->caller_id));
	if (status != NMIBT_READ_OK)
		return unread_reason(log, status);
	ret->facility = packed.facility;
	ret->flags = packed.flags_level & 0x1f;
	ret->level = packed.flags_level >> 5;
	*ret_text_len = packed.text_len;
	return NULL;
}

static uint64_t desc_vaddr(const struct nmibt_log *log, uint64_t id)
{
	return log->descs + (id & (log->count - 1)) * log->layout.desc_size;
}

static enum nmibt_read read_state(struct nmibt_log *log, uint64_t id, uint64_t *ret)
{
	return read_all(log, &log->desc_window, desc_vaddr(log, id) + log->layout.state_var, ret,
			sizeof(*ret));
}

static uint64_t *read_desc(struct nmibt_log *log, uint64_t id, uint64_t ret_position[2],
			   bool *ret_reusable)
{
	struct window *window = &log->desc_window;
	uint64_t vaddr = desc_vaddr(log, id), state_var;
	enum nmibt_read status = read_state(log, id, &state_var);

	if (status == NMIBT_READ_OK)
		status = read_all(log, window, vaddr + log->layout.begin, &ret_position[0], 8);
	if (status == NMIBT_READ_OK)
		status = read_all(log, window, vaddr + log->layout.next, &ret_position[1], 8);
	if (status != NMIBT_READ_OK)
		return unread_reason(log, status);
	/* The kernel moves the head before it writes the new ID to the descriptor, see
	 * desc_reserve(). Until then the descriptor has the ID of the round before, or none. */
	if ((state_var & ID_MASK) != id)
		return !state_var || (state_var & ID_MASK) == ((id - log->count) & ID_MASK)
			       ? &log->before.unfinished
			       : &log->before.damaged;
	*ret_reusable = state_var >> 62 == STATE_REUSABLE;
	return state_var >> 62 == STATE_RESERVED ? &log->before.unfinished : NULL;
}

/* False: the record was skipped. */
static bool read_record(struct nmibt_log *log, uint64_t id, struct nmibt_log_record *ret)
{
	uint64_t index = id & (log->count - 1), position[2];
	size_t text_len;
	bool reusable = false;

	uint64_t *reason = read_desc(log, id, position, &reusable);
	/* Newer text has overwritten the record's text. Before the first record that is read, the
	 * sequence number of that one tells how many were overwritten, so they are not counted
	 * here. */
	if (!reason && reusable) {
		if (log->began)
			log->before.overwritten++;
		return false;
	}
	if (!reason)
		reason = read_info(log, log->infos + index * log->layout.info_size, ret, &text_len);
	if (!reason)
		reason = read_text(log, id, position, text_len, ret);
	if (reason)
		(*reason)++;
	return !reason;
}

uint64_t nmibt_log_nr_missing(const struct nmibt_log_missing *missing)
{
	return missing->excluded + missing->unreadable + missing->unfinished + missing->lost +
	       missing->damaged + missing->overwritten;
}

static void add_missing(struct nmibt_log_missing *to, const struct nmibt_log_missing *from)
{
	to->excluded += from->excluded;
	to->unreadable += from->unreadable;
	to->unfinished += from->unfinished;
	to->lost += from->lost;
	to->damaged += from->damaged;
	to->overwritten += from->overwritten;
}

/* Sets ret->missing_before to the records that were skipped before ret, and counts them in
 * log->missing. */
static void take_missing(struct nmibt_log *log, struct nmibt_log_record *ret)
{
	uint64_t nr = nmibt_log_nr_missing(&log->before);

	if (!log->began && !ret->is_end && ret->seq > nr)
		log->before.overwritten += ret->seq - nr;
	log->began = true;
	ret->missing_before = log->before;
	add_missing(&log->missing, &log->before);
	log->before = (struct nmibt_log_missing){0};
}

bool nmibt_log_next(struct nmibt_log *log, struct nmibt_log_record *ret)
{
	*ret = (struct nmibt_log_record){0};
	while (log->left && !log->interrupted) {
		uint64_t id = log->id;

		log->id = (id + 1) & ID_MASK;
		log->left--;
		log->interrupted = nmibt_interrupted(log->kernel->image);
		if (!log->interrupted && read_record(log, id, ret)) {
			take_missing(log, ret);
			return true;
		}
	}
	if (log->interrupted || !nmibt_log_nr_missing(&log->before))
		return false;
	*ret = (struct nmibt_log_record){.is_end = true};
	take_missing(log, ret);
	return true;
}

bool nmibt_log_is_interrupted(const struct nmibt_log *log)
{
	return log->interrupted;
}

const struct nmibt_log_missing *nmibt_log_missing(const struct nmibt_log *log)
{
	return &log->missing;
}

/* ------------------------------------------------------------------- opening */

static struct nmibt_error *read_layout(const struct nmibt_kernel *kernel, struct layout *l)
{
	const struct nmibt_printk_layout *p = &kernel->vmcoreinfo.printk;
	uint64_t desc_ring, data_ring, block, counter, atomic_size;
	const struct {
		const char *key;
		const struct nmibt_number *line;
		uint64_t *value;
	} lines[] = {
		{"SIZE(prb_desc)", &p->desc_size, &l->desc_size},
		{"SIZE(printk_info)", &p->info_size, &l->info_size},
		{"SIZE(atomic_long_t)", &p->atomic_long_size, &atomic_size},
		{"OFFSET(atomic_long_t.counter)", &p->atomic_long_counter, &counter},
		{"OFFSET(printk_ringbuffer.desc_ring)", &p->ring_descs, &desc_ring},
		{"OFFSET(prb_desc_ring.count_bits)", &p->desc_ring_count_bits, &l->count_bits},
		{"OFFSET(prb_desc_ring.descs)", &p->desc_ring_descs, &l->descs},
		{"OFFSET(prb_desc_ring.infos)", &p->desc_ring_infos, &l->infos},
		{"OFFSET(prb_desc_ring.head_id)", &p->desc_ring_head_id, &l->head_id},
		{"OFFSET(prb_desc_ring.tail_id)", &p->desc_ring_tail_id, &l->tail_id},
		{"OFFSET(printk_ringbuffer.text_data_ring)", &p->ring_text, &data_ring},
		{"OFFSET(prb_data_ring.size_bits)", &p->data_ring_size_bits, &l->size_bits},
		{"OFFSET(prb_data_ring.data)", &p->data_ring_data, &l->data},
		{"OFFSET(prb_desc.state_var)", &p->desc_state_var, &l->state_var},
		{"OFFSET(prb_desc.text_blk_lpos)", &p->desc_position, &block},
		{"OFFSET(prb_data_blk_lpos.begin)", &p->position_begin, &l->begin},
		{"OFFSET(prb_data_blk_lpos.next)", &p->position_next, &l->next},
		{"OFFSET(printk_info.seq)", &p->info_seq, &l->seq},
		{"OFFSET(printk_info.ts_nsec)", &p->info_ts_nsec, &l->ts_nsec},
		{"OFFSET(printk_info.text_len)", &p->info_text_len, &l->text_len},
		{"OFFSET(printk_info.caller_id)", &p->info_caller_id, &l->caller_id},
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		if (!lines[i].line->known)
			return nmibt_error_create(NMIBT_ERR_NOTHING,
						  "VMCOREINFO does not describe the kernel's "
						  "log: no %s in it (Linux 5.10 and later)",
						  lines[i].key);
		*lines[i].value = lines[i].line->value;
	}
	if (atomic_size != sizeof(uint64_t))
		return nmibt_error_create(NMIBT_ERR_UNUSABLE,
					  "the kernel's log is not that of a 64-bit kernel: "
					  "SIZE(atomic_long_t) is %" PRIu64,
					  atomic_size);
	l->count_bits += desc_ring;
	l->descs += desc_ring;
	l->infos += desc_ring;
	l->head_id += desc_ring + counter;
	l->tail_id += desc_ring + counter;
	l->size_bits += data_ring;
	l->data += data_ring;
	l->state_var += counter;
	l->begin += block;
	l->next += block;
	return NULL;
}

/* Sets log->id to the first record, and log->left to the number of records. */
static void find_records(struct nmibt_log *log, uint64_t tail, uint64_t head)
{
	uint64_t state_var;

	log->id = tail & ID_MASK;
	log->left = ((head - tail) & ID_MASK) + 1;
	if (log->left <= log->count)
		return;
	/* Head or tail is damaged. If the head's descriptor has the head's ID, the tail is the
	 * damaged one. */
	log->left = log->count;
	if (read_state(log, head, &state_var) == NMIBT_READ_OK &&
	    (state_var & ID_MASK) == (head & ID_MASK))
		log->id = (head - log->count + 1) & ID_MASK;
}

/* Reads the ring that prb points to: the static one, or the one that log_buf_len= allocated. */
static struct nmibt_error *read_ring(struct nmibt_log *log)
{
	const struct layout *l = &log->layout;
	const struct nmibt_number *symbol = &log->kernel->vmcoreinfo.printk.prb;
	uint64_t prb = symbol->value, ring, head, tail;
	uint32_t count_bits, size_bits;

	if (!symbol->known)
		return nmibt_error_create(NMIBT_ERR_NOTHING,
					  "VMCOREINFO does not say where the kernel's log is: no "
					  "SYMBOL(prb) in it (Linux 5.10 and later)");
	const struct {
		uint64_t *at; /* virtual address; ring is known when it is read */
		uint64_t offset;
		void *value;
		size_t size;
	} members[] = {
		{&prb, 0, &ring, sizeof(ring)},
		{&ring, l->count_bits, &count_bits, sizeof(count_bits)},
		{&ring, l->descs, &log->descs, sizeof(log->descs)},
		{&ring, l->infos, &log->infos, sizeof(log->infos)},
		{&ring, l->head_id, &head, sizeof(head)},
		{&ring, l->tail_id, &tail, sizeof(tail)},
		{&ring, l->size_bits, &size_bits, sizeof(size_bits)},
		{&ring, l->data, &log->data, sizeof(log->data)},
	};
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		uint64_t vaddr = *members[i].at + members[i].offset;
		enum nmibt_read status =
			nmibt_kernel_read(log->kernel, vaddr, members[i].value, members[i].size);

		if (status != NMIBT_READ_OK)
			return nmibt_error_create(NMIBT_ERR_DAMAGED,
						  "the kernel's log at %#" PRIx64 " is %s", vaddr,
						  nmibt_read_name(status));
	}
	if (!count_bits || count_bits > MAX_COUNT_BITS || !size_bits || size_bits > MAX_SIZE_BITS)
		return nmibt_error_create(NMIBT_ERR_DAMAGED,
					  "the kernel's log at %#" PRIx64
					  " has 2^%u records and 2^%u bytes",
					  ring, count_bits, size_bits);
	log->count = UINT64_C(1) << count_bits;
	log->size_bits = size_bits;
	log->text_left = UINT64_C(1) << size_bits;
	find_records(log, tail, head);
	return NULL;
}

static struct nmibt_error *open_log(struct nmibt_log *log)
{
	struct window *windows[] = {&log->desc_window, &log->info_window, &log->text_window};

	for (size_t i = 0; i < ARRAY_SIZE(windows); i++) {
		windows[i]->bytes = malloc(log->kernel->image->page_size);
		if (!windows[i]->bytes)
			return nmibt_error_nomem();
	}
	struct nmibt_error *err = read_layout(log->kernel, &log->layout);
	if (!err)
		err = nmibt_kernel_need(log->kernel, NMIBT_PART_MEMORY);
	return err ? err : read_ring(log);
}

struct nmibt_error *nmibt_log_open(struct nmibt_kernel *kernel, struct nmibt_log **ret)
{
	struct nmibt_log *log = calloc(1, sizeof(*log));
	if (!log)
		return nmibt_error_nomem();

	log->kernel = kernel;
	struct nmibt_error *err = open_log(log);
	if (err) {
		nmibt_log_close(log);
		return err;
	}
	*ret = log;
	return NULL;
}

void nmibt_log_close(struct nmibt_log *log)
{
	if (!log)
		return;
	free(log->desc_window.bytes);
	free(log->info_window.bytes);
	free(log->text_window.bytes);
	free(log);
}
