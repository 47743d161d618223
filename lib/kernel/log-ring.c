// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The log of 5.10 and later, out of its printk ring buffer and by the rules of the kernel's own
 * reader (kernel/printk/printk_ringbuffer.c: prb_read(), get_data(); 6.1, 6.12): a ring
 * of descriptors, a printk_info for each, and a ring of text. The ID of a record leads
 * to all three. VMCOREINFO says where it is and where its members are
 * (kernel/printk/printk.c: log_buf_vmcoreinfo_setup()); tried with 5.10 to 7.2.
 */
#include <inttypes.h>
#include <stddef.h>

#include "kernel/log.h"

/* Of Linux, that have this format. */
#define RELEASES "5.10 and later"

/* There is a descriptor for every 32 bytes of text (kernel/printk/printk.c: PRB_AVGBITS;
 * 6.12). */
#define MAX_COUNT_BITS (NMIBT_LOG_MAX_SIZE_BITS - 5)
/* state_var has the state in its upper two bits: kernel/printk/printk_ringbuffer.h. */
#define ID_MASK (UINT64_MAX >> 2)
enum state { STATE_RESERVED, STATE_COMMITTED, STATE_FINALIZED, STATE_REUSABLE };

/* Positions of records that have no block in the ring of text. */
#define DATALESS 0x1 /* this bit */
#define EMPTY_LINE 0x3

/* A block is the ID of its record and the text, and fills up to the next ID. */
#define BLOCK_ID_SIZE 8

/* In bytes; of members that are in a member, from the outer structure's beginning. */
struct layout {
	uint64_t atomic_size, counter, desc_ring, data_ring, block; /* of what holds the others */
	uint64_t desc_size, info_size;
	uint64_t count_bits, descs, infos, head_id, tail_id, size_bits, data; /* of the ring */
	uint64_t state_var, begin, next; /* of a descriptor */
	uint64_t seq, ts_nsec, text_len, caller_id; /* of a printk_info */
	uint64_t desc_used, info_used; /* up to the end of the last of these */
};

/* Of a descriptor, or a printk_info: 24 bytes of each up to 7.2, or more in a vendor's kernel. */
#define MAX_USED 256

/* Of struct nmibt_log. */
enum window { DESCS, INFOS, TEXT };

struct ring {
	struct nmibt_log base; /* the first member */
	struct layout layout;
	uint64_t descs, infos, data; /* virtual addresses */
	uint64_t count; /* of descriptors, a power of two */
	unsigned int size_bits; /* of the ring of text */
};

/* ------------------------------------------------------------------- records */

struct block {
	uint64_t at; /* in the ring of text */
	uint64_t size;
};

/* False: these positions are not those of a block. */
static bool find_block(const struct ring *log, uint64_t begin, uint64_t next, struct block *ret)
{
	uint64_t size = UINT64_C(1) << log->size_bits, last = next - 1;

	if (begin % BLOCK_ID_SIZE || next % BLOCK_ID_SIZE)
		return false;
	if (begin >> log->size_bits == last >> log->size_bits && begin <= last) {
		*ret = (struct block){.at = begin & (size - 1), .size = next - begin};
		return true;
	}
	/* What does not fit before the ring's end is at its beginning as a whole. (What
	 * just fits is, too, up to 6.12; is_blk_wrapped() of later ones lets it stay.) */
	if ((begin + size) >> log->size_bits != last >> log->size_bits)
		return false;
	*ret = (struct block){.at = 0, .size = (last & (size - 1)) + 1};
	return true;
}

/* From here on a reason is the counter of the records that are passed over for it, and
 * NULL is none. */
static uint64_t *read_text(struct ring *log, uint64_t id, const uint64_t position[2],
			   size_t text_len, struct nmibt_log_record *ret)
{
	struct block block;
	uint64_t block_id;

	ret->text = log->base.text;
	ret->len = 0;
	ret->missing = 0;
	if (position[0] & position[1] & DATALESS)
		return position[0] == EMPTY_LINE && position[1] == EMPTY_LINE
			       ? NULL
			       : &log->base.before.lost;
	if (!find_block(log, position[0], position[1], &block))
		return &log->base.before.damaged;

	uint64_t vaddr = log->data + block.at;
	enum nmibt_read status = nmibt_log_read(&log->base, &log->base.windows[TEXT], vaddr,
						&block_id, sizeof(block_id));
	if (status != NMIBT_READ_OK)
		return nmibt_log_unread(&log->base, status);
	/* Blocks do not overlap, so that all of them together fit into the ring. */
	if (block_id != id || block.size > log->base.place.text_left)
		return &log->base.before.damaged;
	log->base.place.text_left -= block.size;

	size_t len = block.size - BLOCK_ID_SIZE;
	if (len > text_len)
		len = text_len;
	status = nmibt_log_read_some(&log->base, &log->base.windows[TEXT], vaddr + BLOCK_ID_SIZE,
				     log->base.text, len, &ret->len);
	/* A length that is damaged must not make each record cost 64 KiB. */
	ret->missing = text_len - ret->len < block.size ? text_len - ret->len : block.size;
	return len && !ret->len ? nmibt_log_unread(&log->base, status) : NULL;
}

static uint64_t *read_info(struct ring *log, uint64_t vaddr, struct nmibt_log_record *ret,
			   size_t *ret_text_len)
{
	const struct layout *l = &log->layout;
	/* VMCOREINFO has no line for the two bytes behind text_len. The kernel's bit
	 * fields are u8 flags:5, level:3 (kernel/printk/printk_ringbuffer.h; 5.10, 6.1,
	 * 6.12), the first in the lowest bits. */
	struct {
		uint16_t text_len;
		uint8_t facility;
		uint8_t flags_level;
	} packed;
	char bytes[MAX_USED];
	enum nmibt_read status =
		nmibt_log_read(&log->base, &log->base.windows[INFOS], vaddr, bytes, l->info_used);

	if (status != NMIBT_READ_OK)
		return nmibt_log_unread(&log->base, status);
	memcpy(&ret->seq, bytes + l->seq, sizeof(ret->seq));
	memcpy(&ret->ts_ns, bytes + l->ts_nsec, sizeof(ret->ts_ns));
	memcpy(&packed, bytes + l->text_len, sizeof(packed));
	memcpy(&ret->caller_id, bytes + l->caller_id, sizeof(ret->caller_id));
	ret->facility = packed.facility;
	ret->flags = packed.flags_level & 0x1f;
	ret->level = packed.flags_level >> 5;
	*ret_text_len = packed.text_len;
	return NULL;
}

static uint64_t desc_vaddr(const struct ring *log, uint64_t id)
{
	return log->descs + (id & (log->count - 1)) * log->layout.desc_size;
}

static enum nmibt_read read_state(struct ring *log, uint64_t id, uint64_t *ret)
{
	return nmibt_log_read(&log->base, &log->base.windows[DESCS],
			      desc_vaddr(log, id) + log->layout.state_var, ret, sizeof(*ret));
}

static uint64_t *read_desc(struct ring *log, uint64_t id, uint64_t ret_position[2],
			   bool *ret_reusable)
{
	const struct layout *l = &log->layout;
	char bytes[MAX_USED];
	uint64_t state_var;
	enum nmibt_read status = nmibt_log_read(&log->base, &log->base.windows[DESCS],
						desc_vaddr(log, id), bytes, l->desc_used);

	if (status != NMIBT_READ_OK)
		return nmibt_log_unread(&log->base, status);
	memcpy(&state_var, bytes + l->state_var, sizeof(state_var));
	memcpy(&ret_position[0], bytes + l->begin, sizeof(ret_position[0]));
	memcpy(&ret_position[1], bytes + l->next, sizeof(ret_position[1]));
	/* The head moves before the descriptor gets its ID, see desc_reserve(): until
	 * then it has that of a round before, or none. */
	if ((state_var & ID_MASK) != id)
		return !state_var || (state_var & ID_MASK) == ((id - log->count) & ID_MASK)
			       ? &log->base.before.unfinished
			       : &log->base.before.damaged;
	*ret_reusable = state_var >> 62 == STATE_REUSABLE;
	return state_var >> 62 == STATE_RESERVED ? &log->base.before.unfinished : NULL;
}

/* False: it was passed over. */
static bool read_record(struct ring *log, uint64_t id, struct nmibt_log_record *ret)
{
	uint64_t index = id & (log->count - 1), position[2] = {0};
	size_t text_len = 0;
	bool reusable = false;

	uint64_t *reason = read_desc(log, id, position, &reusable);
	/* Newer text stands where its text was. The oldest records are counted by the number of
	 * the first that is read; among them there can be none. */
	if (!reason && reusable) {
		if (log->base.began)
			log->base.before.overwritten++;
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

static bool step(struct nmibt_log *base, struct nmibt_log_record *ret)
{
	struct ring *log = (struct ring *)base;
	uint64_t id = base->place.next;

	base->place.next = (id + 1) & ID_MASK;
	base->place.at_end = !--base->place.left;
	return read_record(log, id, ret);
}

/* ------------------------------------------------------------------- opening */

/* Of a structure of which so much is used already. */
static uint64_t use(uint64_t used, uint64_t member, unsigned int size)
{
	if (member > MAX_USED)
		return UINT64_MAX;
	return member + size > used ? member + size : used;
}

static struct nmibt_error *measure(struct layout *l)
{
	l->desc_used = use(use(use(0, l->state_var, 8), l->begin, 8), l->next, 8);
	l->info_used = use(use(0, l->seq, 8), l->ts_nsec, 8);
	l->info_used = use(use(l->info_used, l->text_len, 4), l->caller_id, 4);
	if (l->desc_used <= MAX_USED && l->info_used <= MAX_USED)
		return NULL;
	return nmibt_error_create(NMIBT_ERR_UNUSABLE,
				  "VMCOREINFO has members of the log's records that are more than "
				  "%d bytes behind their beginning",
				  MAX_USED);
}

/* Where a line of VMCOREINFO is, and where its number goes. */
#define LINE(key, line, value)                                                                     \
	{                                                                                          \
		key, offsetof(struct nmibt_printk_layout, line), offsetof(struct layout, value)    \
	}

static const struct {
	const char *key;
	uint16_t line, value;
} lines[] = {
	LINE("SIZE(prb_desc)", desc_size, desc_size),
	LINE("SIZE(printk_info)", info_size, info_size),
	LINE("SIZE(atomic_long_t)", atomic_long_size, atomic_size),
	LINE("OFFSET(atomic_long_t.counter)", atomic_long_counter, counter),
	LINE("OFFSET(printk_ringbuffer.desc_ring)", ring_descs, desc_ring),
	LINE("OFFSET(prb_desc_ring.count_bits)", desc_ring_count_bits, count_bits),
	LINE("OFFSET(prb_desc_ring.descs)", desc_ring_descs, descs),
	LINE("OFFSET(prb_desc_ring.infos)", desc_ring_infos, infos),
	LINE("OFFSET(prb_desc_ring.head_id)", desc_ring_head_id, head_id),
	LINE("OFFSET(prb_desc_ring.tail_id)", desc_ring_tail_id, tail_id),
	LINE("OFFSET(printk_ringbuffer.text_data_ring)", ring_text, data_ring),
	LINE("OFFSET(prb_data_ring.size_bits)", data_ring_size_bits, size_bits),
	LINE("OFFSET(prb_data_ring.data)", data_ring_data, data),
	LINE("OFFSET(prb_desc.state_var)", desc_state_var, state_var),
	LINE("OFFSET(prb_desc.text_blk_lpos)", desc_position, block),
	LINE("OFFSET(prb_data_blk_lpos.begin)", position_begin, begin),
	LINE("OFFSET(prb_data_blk_lpos.next)", position_next, next),
	LINE("OFFSET(printk_info.seq)", info_seq, seq),
	LINE("OFFSET(printk_info.ts_nsec)", info_ts_nsec, ts_nsec),
	LINE("OFFSET(printk_info.text_len)", info_text_len, text_len),
	LINE("OFFSET(printk_info.caller_id)", info_caller_id, caller_id),
};

static struct nmibt_error *read_layout(const struct nmibt_kernel *kernel, struct layout *l)
{
	const struct nmibt_printk_layout *p = &kernel->vmcoreinfo.printk;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		const struct nmibt_number *line = (const void *)((const char *)p + lines[i].line);

		if (!line->known)
			return nmibt_log_not_described(lines[i].key, RELEASES);
		memcpy((char *)l + lines[i].value, &line->value, sizeof(line->value));
	}
	if (l->atomic_size != sizeof(uint64_t))
		return nmibt_error_create(NMIBT_ERR_UNUSABLE,
					  "the kernel's log is not that of a 64-bit kernel: "
					  "SIZE(atomic_long_t) is %" PRIu64,
					  l->atomic_size);
	l->count_bits += l->desc_ring;
	l->descs += l->desc_ring;
	l->infos += l->desc_ring;
	l->head_id += l->desc_ring + l->counter;
	l->tail_id += l->desc_ring + l->counter;
	l->size_bits += l->data_ring;
	l->data += l->data_ring;
	l->state_var += l->counter;
	l->begin += l->block;
	l->next += l->block;
	return measure(l);
}

/* Where to begin, and how many there are. */
static void find_records(struct ring *log, uint64_t tail, uint64_t head)
{
	struct nmibt_log_place *place = &log->base.place;
	uint64_t state_var;

	place->next = tail & ID_MASK;
	place->left = ((head - tail) & ID_MASK) + 1;
	if (place->left <= log->count)
		return;
	/* One of them is damaged: the descriptor of the other has its ID. */
	place->left = log->count;
	if (read_state(log, head, &state_var) == NMIBT_READ_OK &&
	    (state_var & ID_MASK) == (head & ID_MASK))
		place->next = (head - log->count + 1) & ID_MASK;
}

/* The ring that prb points to: the static one, or that of log_buf_len=. */
static struct nmibt_error *read_ring(struct ring *log)
{
	const struct layout *l = &log->layout;
	const struct nmibt_number *symbol = &log->base.kernel->vmcoreinfo.printk.prb;
	uint64_t prb = symbol->value, ring, head, tail;
	uint32_t count_bits, size_bits;

	if (!symbol->known)
		return nmibt_log_not_described("SYMBOL(prb)", RELEASES);
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
		struct nmibt_error *err = nmibt_log_unreadable(
			vaddr, nmibt_kernel_read(log->base.kernel, vaddr, members[i].value,
						 members[i].size));

		if (err)
			return err;
	}
	if (!count_bits || count_bits > MAX_COUNT_BITS || !size_bits ||
	    size_bits > NMIBT_LOG_MAX_SIZE_BITS)
		return nmibt_error_create(NMIBT_ERR_DAMAGED,
					  "the kernel's log at %#" PRIx64
					  " has 2^%u records and 2^%u bytes",
					  ring, count_bits, size_bits);
	log->count = UINT64_C(1) << count_bits;
	log->size_bits = size_bits;
	log->base.place.text_left = UINT64_C(1) << size_bits;
	find_records(log, tail, head);
	return NULL;
}

static struct nmibt_error *open_ring(struct nmibt_log *base)
{
	struct ring *log = (struct ring *)base;
	struct nmibt_error *err = read_layout(base->kernel, &log->layout);

	if (!err)
		err = nmibt_kernel_need(base->kernel, NMIBT_PART_MEMORY);
	return err ? err : read_ring(log);
}

const struct nmibt_log_format nmibt_log_ring = {
	.size = sizeof(struct ring),
	.open = open_ring,
	.step = step,
};
