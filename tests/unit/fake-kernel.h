/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fake of a kernel's memory for tests: page tables as the CPU reads them, a printk ring buffer as
 * the kernel writes it, and the VMCOREINFO that describes both.
 *
 * It follows the architectures' manuals and the kernel's headers, not the library's code. The test
 * says how many levels its page tables have.
 */
#ifndef FAKE_KERNEL_H
#define FAKE_KERNEL_H

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "image/image.h"

#define FK_BASE UINT64_C(0x40000000)
#define FK_PAGE 4096
#define FK_PAGES 1024
#define FK_SIZE (FK_PAGES * FK_PAGE)

struct fk_paging {
	enum nmibt_arch arch;
	unsigned int page_shift;
	unsigned int levels;
	unsigned int root_shift_bits; /* bits of the root's index */
	const char *vmcoreinfo; /* lines that say so */
	uint64_t high; /* ORed into the physical address of all memory */
	uint64_t mark; /* ORed into each page table entry of x86: sme_mask */
	bool lpa2;
};

#define FK_X86_LINES "PAGESIZE=4096\nNUMBER(KERNEL_IMAGE_SIZE)=1073741824\n"
static const struct fk_paging fk_x86 = {.arch = NMIBT_ARCH_X86_64,
					.page_shift = 12,
					.levels = 4,
					.root_shift_bits = 9,
					.vmcoreinfo = FK_X86_LINES
					"NUMBER(pgtable_l5_enabled)=0\nNUMBER(sme_mask)=0\n"};
static const struct fk_paging fk_arm64 = {
	.arch = NMIBT_ARCH_ARM64,
	.page_shift = 12,
	.levels = 4,
	.root_shift_bits = 9,
	.vmcoreinfo = "PAGESIZE=4096\nNUMBER(VA_BITS)=48\nNUMBER(TCR_EL1_T1SZ)=0x10\n"};

struct fake_kernel {
	struct nmibt_image image;
	struct nmibt_image_ops ops;
	struct fk_paging paging;
	uint8_t *mem; /* FK_SIZE bytes from FK_BASE on */
	enum nmibt_read page[FK_PAGES];
	uint64_t next; /* free from here */
	uint64_t root;
	char vmcoreinfo[8192];
	unsigned int reads;
	int asked_left; /* after so many calls interrupted() returns true; negative: never */
};

/* A copy for a fuzzer, which changes it: making a new kernel would take most of the time. */
static inline struct fake_kernel *fk_copy(const struct fake_kernel *whole)
{
	static struct fake_kernel kernel;
	static uint8_t mem[FK_SIZE];

	kernel = *whole;
	memcpy(mem, whole->mem, whole->next - FK_BASE);
	kernel.mem = mem;
	kernel.image.ops = &kernel.ops;
	kernel.image.ctx = &kernel;
	return &kernel;
}

/* The memory at paddr, with or without high. */
static inline void *fk_at(struct fake_kernel *k, uint64_t paddr)
{
	paddr &= ~k->paging.high;
	assert(paddr >= FK_BASE && paddr < FK_BASE + FK_SIZE);
	return k->mem + (paddr - FK_BASE);
}

static inline uint64_t fk_alloc(struct fake_kernel *k, uint64_t size, uint64_t align)
{
	uint64_t paddr = (k->next + align - 1) / align * align;

	k->next = paddr + size;
	assert(k->next <= FK_BASE + FK_SIZE);
	return paddr | k->paging.high;
}

static inline void fk_set_page(struct fake_kernel *k, uint64_t paddr, enum nmibt_read status)
{
	k->page[((paddr & ~k->paging.high) - FK_BASE) / FK_PAGE] = status;
}

/* --------------------------------------------------------------- callbacks */

static inline enum nmibt_read fk_read_phys(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	struct fake_kernel *k = ctx;
	uint64_t low = paddr - k->paging.high;

	assert(len && paddr / FK_PAGE == (paddr + len - 1) / FK_PAGE);
	k->reads++;
	memset(buf, 0xee, len);
	if (low < FK_BASE || low >= FK_BASE + FK_SIZE)
		return NMIBT_READ_ERROR;
	enum nmibt_read status = k->page[(low - FK_BASE) / FK_PAGE];
	if (status == NMIBT_READ_OK)
		memcpy(buf, k->mem + (low - FK_BASE), len);
	return status;
}

static inline char *fk_vmcoreinfo(void *ctx, const char *key)
{
	struct fake_kernel *k = ctx;
	size_t len = strlen(key);

	for (const char *line = k->vmcoreinfo; *line; line += strcspn(line, "\n") + 1) {
		if (!strncmp(line, key, len) && line[len] == '=')
			return strndup(line + len + 1, strcspn(line + len + 1, "\n"));
	}
	return NULL;
}

static inline bool fk_interrupted(void *ctx)
{
	struct fake_kernel *k = ctx;

	if (k->asked_left > 0)
		k->asked_left--;
	else
		return !k->asked_left;
	return false;
}

/* ---------------------------------------------------------------- VMCOREINFO */

__attribute__((format(printf, 2, 3))) static inline void fk_say(struct fake_kernel *k,
								const char *format, ...)
{
	size_t len = strlen(k->vmcoreinfo);
	va_list args;

	va_start(args, format);
	vsnprintf(k->vmcoreinfo + len, sizeof(k->vmcoreinfo) - len, format, args);
	va_end(args);
}

/* Removes a line, which must exist. */
static inline void fk_unsay(struct fake_kernel *k, const char *key)
{
	char *line = strstr(k->vmcoreinfo, key);

	assert(line);
	size_t len = strcspn(line, "\n") + 1;
	memmove(line, line + len, strlen(line + len) + 1);
}

/* --------------------------------------------------------------- page tables */

/* x86_64: Intel SDM 3A, 4.5. Software bits and NX are set, because readers must ignore them. arm64:
 * Arm ARM, D8.3; shareability is 3 where its bits do not belong to the address. */
static inline uint64_t fk_entry(const struct fake_kernel *k, uint64_t paddr, bool table, bool last)
{
	const struct fk_paging *p = &k->paging;

	if (p->arch == NMIBT_ARCH_X86_64)
		return paddr | p->mark |
		       (table  ? 0x67
			: last ? 0x163
			       : 0x11e3) |
		       UINT64_C(0x87f0000000000e00);
	uint64_t attributes = table  ? 0x3
			      : last ? UINT64_C(0x0078000000000407)
				     : UINT64_C(0x0078000000000405);
	if (p->page_shift == 16)
		return (paddr & ~(UINT64_C(0xf) << 48)) | (paddr >> 48) << 12 | attributes |
		       (table ? 0 : 0x300);
	if (p->lpa2)
		return (paddr & ~(UINT64_C(3) << 50)) | (paddr >> 50) << 8 | (attributes & ~0x300);
	return paddr | attributes | 0x300;
}

static inline uint64_t *fk_entry_at(struct fake_kernel *k, uint64_t table, uint64_t vaddr,
				    unsigned int shift, unsigned int bits)
{
	return (uint64_t *)fk_at(k, table) + (vaddr >> shift & ((UINT64_C(1) << bits) - 1));
}

/* The tables that fk_map() went through, by level from the last (0) on. */
struct fk_path {
	uint64_t *entry[5];
	uint64_t table[5];
};

/* Maps 1 << shift bytes; the caller aligns the addresses. */
static inline struct fk_path fk_map(struct fake_kernel *k, uint64_t vaddr, uint64_t paddr,
				    unsigned int shift)
{
	unsigned int bits = k->paging.page_shift - 3;
	uint64_t size = UINT64_C(1) << k->paging.page_shift, table = k->root;
	struct fk_path path = {0};

	for (unsigned int level = k->paging.levels - 1;; level--) {
		unsigned int at = k->paging.page_shift + bits * level;
		bool root = level == k->paging.levels - 1;
		uint64_t *entry =
			fk_entry_at(k, table, vaddr, at, root ? k->paging.root_shift_bits : bits);

		path.entry[level] = entry;
		path.table[level] = table;
		if (at == shift) {
			*entry = fk_entry(k, paddr, false, !level);
			return path;
		}
		assert(level);
		if (!*entry) {
			table = fk_alloc(k, size, size);
			*entry = fk_entry(k, table, true, false);
			continue;
		}
		assert(k->paging.arch != NMIBT_ARCH_X86_64 || !(*entry & 0x80));
		if (k->paging.arch == NMIBT_ARCH_X86_64)
			table = *entry & UINT64_C(0xffffffffff000) & ~k->paging.mark;
		else
			table = (*entry & UINT64_C(0xffffffff) & -size) | k->paging.high;
	}
}

/* With these phys_base and kimage_voffset, the image is at FK_IMAGE + its offset. */
#define FK_X86_PHYS_BASE (FK_BASE - UINT64_C(0x1000000))
static inline uint64_t fk_image_vaddr(const struct fake_kernel *k, uint64_t paddr)
{
	if (k->paging.arch == NMIBT_ARCH_X86_64)
		return UINT64_C(0xffffffff80000000) + (paddr - k->paging.high - FK_X86_PHYS_BASE);
	return UINT64_C(0xffffffc008000000) + (paddr - k->paging.high - FK_BASE);
}

static inline struct fake_kernel *fk_new(const struct fk_paging *paging)
{
	struct fake_kernel *k = calloc(1, sizeof(*k));

	assert(k);
	k->mem = calloc(FK_PAGES, FK_PAGE);
	assert(k->mem);
	k->paging = *paging;
	k->asked_left = -1;
	k->ops = (struct nmibt_image_ops){.read_phys = fk_read_phys,
					  .vmcoreinfo = fk_vmcoreinfo,
					  .interrupted = fk_interrupted};
	k->image = (struct nmibt_image){
		.ops = &k->ops, .ctx = k, .arch = paging->arch, .page_size = FK_PAGE};
	k->next = FK_BASE;
	k->root = fk_alloc(k, 65536, 65536);
	fk_say(k, "%s", paging->vmcoreinfo);
	fk_say(k, "SYMBOL(swapper_pg_dir)=%" PRIx64 "\n", fk_image_vaddr(k, k->root));
	if (paging->arch == NMIBT_ARCH_X86_64)
		fk_say(k, "NUMBER(phys_base)=%" PRId64 "\n",
		       (int64_t)(FK_X86_PHYS_BASE + paging->high));
	else
		fk_say(k, "NUMBER(kimage_voffset)=0x%" PRIx64 "\n",
		       fk_image_vaddr(k, k->root) - k->root);
	return k;
}

static inline void fk_free(struct fake_kernel *k)
{
	free(k->mem);
	free(k);
}

/* ------------------------------------------------------------------- the log */

#define FL_ID_MASK (UINT64_MAX >> 2)
enum { FL_RESERVED, FL_COMMITTED, FL_FINALIZED, FL_REUSABLE };
/* x86_64: in the direct map with 4 levels; arm64: above the first address with VA_BITS 48. */
#define FL_DESCS UINT64_C(0xffff888000000000)
#define FL_INFOS UINT64_C(0xffff888010000000)
#define FL_DATA UINT64_C(0xffff888100000000)

struct fake_log {
	struct fake_kernel *k;
	unsigned int pad; /* bytes before the members of each structure */
	unsigned int count_bits, size_bits;
	uint64_t ring; /* physical address of the struct printk_ringbuffer */
	uint64_t tail_id, head_id, head_lpos;
	uint64_t ts;
};

/* Maps memory page by page, in descending order of physical pages: only the page tables make it
 * contiguous. */
static inline void fl_map(struct fake_log *l, uint64_t vaddr, uint64_t size)
{
	uint64_t pages = (size + FK_PAGE - 1) / FK_PAGE;
	uint64_t paddr = fk_alloc(l->k, pages * FK_PAGE, FK_PAGE);

	for (uint64_t i = 0; i < pages; i++)
		fk_map(l->k, vaddr + i * FK_PAGE, paddr + (pages - 1 - i) * FK_PAGE, 12);
}

/* The physical address of fl_map()'s memory at vaddr, by a page walk of the test's own. */
static inline uint64_t fl_paddr(struct fake_log *l, uint64_t vaddr)
{
	uint64_t table = l->k->root, entry = 0;

	for (int shift = 39; shift >= 12; shift -= 9) {
		entry = *fk_entry_at(l->k, table, vaddr, shift, 9);
		assert(entry & 1);
		table = entry & UINT64_C(0xfffffff000);
	}
	return table + vaddr % FK_PAGE;
}

static inline void fl_put(struct fake_log *l, uint64_t vaddr, const void *from, size_t len)
{
	const char *s = from;

	for (size_t i = 0; i < len; i++)
		*(char *)fk_at(l->k, fl_paddr(l, vaddr + i)) = s[i];
}

static inline void fl_put64(struct fake_log *l, uint64_t vaddr, uint64_t value)
{
	fl_put(l, vaddr, &value, 8);
}

static inline uint64_t fl_get64(struct fake_log *l, uint64_t vaddr)
{
	uint64_t value = 0;

	for (int i = 7; i >= 0; i--)
		value = value << 8 | *(uint8_t *)fk_at(l->k, fl_paddr(l, vaddr + i));
	return value;
}

static inline uint64_t fl_count(const struct fake_log *l)
{
	return UINT64_C(1) << l->count_bits;
}

static inline uint64_t fl_size(const struct fake_log *l)
{
	return UINT64_C(1) << l->size_bits;
}

static inline uint64_t fl_index(const struct fake_log *l, uint64_t id)
{
	return id % fl_count(l);
}

/* struct prb_desc: state_var, text_blk_lpos { begin, next }. */
static inline uint64_t fl_desc(const struct fake_log *l, uint64_t id)
{
	return FL_DESCS + fl_index(l, id) * (24 + 2 * l->pad) + l->pad;
}

static inline uint64_t fl_lpos(const struct fake_log *l, uint64_t id)
{
	return fl_desc(l, id) + 8 + l->pad;
}

/* struct printk_info: seq, ts_nsec, text_len at 16, facility, flags, caller_id at 20. */
static inline uint64_t fl_info(const struct fake_log *l, uint64_t id)
{
	return FL_INFOS + fl_index(l, id) * (88 + l->pad) + l->pad;
}

static inline void fl_set_state(struct fake_log *l, uint64_t id, uint64_t state)
{
	fl_put64(l, fl_desc(l, id), (id & FL_ID_MASK) | state << 62);
}

/* A member of struct printk_ringbuffer, or of the structures inside it. */
static inline void *fl_member(struct fake_log *l, unsigned int offset)
{
	return (char *)fk_at(l->k, l->ring) + 2 * l->pad + offset;
}

static inline void *fl_data_member(struct fake_log *l, unsigned int offset)
{
	return (char *)fl_member(l, 48 + l->pad) + offset;
}

static inline void fl_publish(struct fake_log *l)
{
	memcpy(fl_member(l, 24), &l->head_id, 8);
	memcpy(fl_member(l, 32), &l->tail_id, 8);
	memcpy(fl_data_member(l, 16), &l->head_lpos, 8);
}

static inline void fl_say(struct fake_log *l, uint64_t prb)
{
	unsigned int p = l->pad;

	fk_say(l->k, "SYMBOL(prb)=%" PRIx64 "\n", fk_image_vaddr(l->k, prb));
	fk_say(l->k,
	       "SIZE(printk_ringbuffer)=%u\nOFFSET(printk_ringbuffer.desc_ring)=%u\n"
	       "OFFSET(printk_ringbuffer.text_data_ring)=%u\nSIZE(prb_desc_ring)=%u\n"
	       "OFFSET(prb_desc_ring.count_bits)=%u\nOFFSET(prb_desc_ring.descs)=%u\n"
	       "OFFSET(prb_desc_ring.infos)=%u\nOFFSET(prb_desc_ring.head_id)=%u\n"
	       "OFFSET(prb_desc_ring.tail_id)=%u\n",
	       88 + 3 * p, p, 2 * p + 48, 48 + p, p, p + 8, p + 16, p + 24, p + 32);
	fk_say(l->k,
	       "SIZE(prb_desc)=%u\nOFFSET(prb_desc.state_var)=%u\n"
	       "OFFSET(prb_desc.text_blk_lpos)=%u\nOFFSET(prb_data_blk_lpos.begin)=%u\n"
	       "OFFSET(prb_data_blk_lpos.next)=%u\n",
	       24 + 2 * p, p, p + 8, p, p + 8);
	fk_say(l->k,
	       "SIZE(printk_info)=%u\nOFFSET(printk_info.seq)=%u\nOFFSET(printk_info.ts_nsec)=%u\n"
	       "OFFSET(printk_info.text_len)=%u\nOFFSET(printk_info.caller_id)=%u\n",
	       88 + p, p, p + 8, p + 16, p + 20);
	fk_say(l->k,
	       "OFFSET(prb_data_ring.size_bits)=%u\nOFFSET(prb_data_ring.data)=%u\n"
	       "SIZE(atomic_long_t)=8\nOFFSET(atomic_long_t.counter)=0\n",
	       p, p + 8);
}

/* Makes an empty log, as _DEFINE_PRINTKRB() does; map: maps all of its rings. */
static inline void fl_init(struct fake_log *l, struct fake_kernel *k, unsigned int pad,
			   unsigned int count_bits, unsigned int size_bits, bool map)
{
	*l = (struct fake_log){
		.k = k, .pad = pad, .count_bits = count_bits, .size_bits = size_bits};
	l->head_id = l->tail_id = -(fl_count(l) + 1) & FL_ID_MASK;
	l->head_lpos = -fl_size(l);
	l->ts = 1000;

	uint64_t page = fk_alloc(k, FK_PAGE, FK_PAGE);
	uint64_t ring_vaddr = fk_image_vaddr(k, page + 64);
	fk_map(k, fk_image_vaddr(k, page), page, 12);
	memcpy(fk_at(k, page), &ring_vaddr, 8);
	l->ring = page + 64;
	fl_say(l, page);

	static const uint64_t rings[] = {FL_DESCS, FL_INFOS, FL_DATA};
	memcpy(fl_member(l, 0), &count_bits, 4);
	memcpy(fl_member(l, 8), &rings[0], 16);
	memcpy(fl_data_member(l, 0), &size_bits, 4);
	memcpy(fl_data_member(l, 8), &rings[2], 8);
	fl_publish(l);
	if (!map)
		return;
	fl_map(l, FL_DESCS, fl_count(l) * (24 + 2 * pad));
	fl_map(l, FL_INFOS, fl_count(l) * (88 + pad));
	fl_map(l, FL_DATA, fl_size(l));
	fl_set_state(l, l->head_id, FL_REUSABLE);
	fl_put64(l, fl_lpos(l, l->head_id), 1);
	fl_put64(l, fl_lpos(l, l->head_id) + 8, 1);
}

static inline void fl_new_id(struct fake_log *l)
{
	l->head_id = (l->head_id + 1) & FL_ID_MASK;
	if (((l->head_id - l->tail_id) & FL_ID_MASK) == fl_count(l))
		l->tail_id = (l->tail_id + 1) & FL_ID_MASK;
	fl_publish(l);
}

/* Makes the records reusable whose text the next record overwrites. */
static inline void fl_make_room(struct fake_log *l, uint64_t next)
{
	for (uint64_t id = l->tail_id; id != l->head_id; id = (id + 1) & FL_ID_MASK) {
		uint64_t begin = fl_get64(l, fl_lpos(l, id));

		if (!(begin & 1) && next - begin > fl_size(l))
			fl_set_state(l, id, FL_REUSABLE);
	}
}

static inline void fl_set_info(struct fake_log *l, uint64_t id, uint32_t caller_id, size_t len)
{
	uint64_t seq = (id + fl_count(l)) & FL_ID_MASK;
	uint16_t text_len = len;

	/* The first record has the ID of DESC0 + 1. */
	fl_put64(l, fl_info(l, id), seq);
	fl_put64(l, fl_info(l, id) + 8, l->ts);
	fl_put(l, fl_info(l, id) + 16, &text_len, 2);
	fl_put(l, fl_info(l, id) + 20, &caller_id, 4);
	l->ts += 1000000;
}

/* Adds a record as prb_reserve() and prb_final_commit() do; returns its ID. */
static inline uint64_t fl_add_bytes(struct fake_log *l, uint32_t caller_id, const char *text,
				    size_t len)
{
	uint64_t block = (8 + len + 7) / 8 * 8, begin = l->head_lpos, next = begin + block;

	fl_new_id(l);
	if ((next - 1) >> l->size_bits != begin >> l->size_bits)
		next = next / fl_size(l) * fl_size(l) + block;
	fl_make_room(l, next);
	l->head_lpos = next;
	fl_publish(l);
	fl_put64(l, FL_DATA + begin % fl_size(l), l->head_id);
	uint64_t at = (next - block) % fl_size(l);
	fl_put64(l, FL_DATA + at, l->head_id);
	fl_put(l, FL_DATA + at + 8, text, len);
	fl_put64(l, fl_lpos(l, l->head_id), begin);
	fl_put64(l, fl_lpos(l, l->head_id) + 8, next);
	fl_set_info(l, l->head_id, caller_id, len);
	fl_set_state(l, l->head_id, FL_FINALIZED);
	return l->head_id;
}

static inline uint64_t fl_add(struct fake_log *l, const char *text)
{
	return fl_add_bytes(l, 1, text, strlen(text));
}

/* Adds a record without a block; lpos says why it has none. */
static inline uint64_t fl_add_dataless(struct fake_log *l, uint64_t lpos)
{
	fl_new_id(l);
	fl_put64(l, fl_lpos(l, l->head_id), lpos);
	fl_put64(l, fl_lpos(l, l->head_id) + 8, lpos);
	fl_set_info(l, l->head_id, 1, 0);
	fl_set_state(l, l->head_id, FL_FINALIZED);
	return l->head_id;
}

/* -------------------------------------------------------- the log before 5.10 */

#define FC_BUF UINT64_C(0xffff888200000000)
enum { FC_NEWLINE = 2, FC_PREFIX = 4, FC_CONT = 8 };

/* struct printk_log, or struct log: a buffer of records, and the variables that say where. */
struct fake_classic {
	struct fake_log l; /* what fl_map() and fl_put() want */
	uint32_t size, first, next, count; /* count: of records */
	unsigned int header; /* 16, or 20 with a caller */
	uint64_t vars; /* physical address of log_buf, log_buf_len, log_first_idx, log_next_idx */
	uint64_t ts;
};

struct fake_record {
	const char *text, *dict; /* dict NULL: none */
	size_t len; /* 0: that of text */
	uint32_t caller_id;
	uint8_t level, facility, flags;
};

static inline void fc_publish(struct fake_classic *c)
{
	uint64_t buf = FC_BUF;
	uint32_t numbers[] = {c->size, c->first, c->next};

	memcpy(fk_at(c->l.k, c->vars), &buf, 8);
	memcpy(fk_at(c->l.k, c->vars + 8), numbers, sizeof(numbers));
}

/* name: "log" or "printk_log" */
static inline void fc_init(struct fake_classic *c, struct fake_kernel *k, const char *name,
			   uint32_t size, bool has_caller, const char *release)
{
	static const char *const symbols[] = {"log_buf", "log_buf_len", "log_first_idx",
					      "log_next_idx"};
	static const unsigned int at[] = {0, 8, 12, 16};

	*c = (struct fake_classic){
		.l = {.k = k}, .size = size, .header = has_caller ? 20 : 16, .ts = 1000};
	c->vars = fk_alloc(k, FK_PAGE, FK_PAGE);
	fk_map(k, fk_image_vaddr(k, c->vars), c->vars, 12);
	for (unsigned int i = 0; i < 4; i++)
		fk_say(k, "SYMBOL(%s)=%" PRIx64 "\n", symbols[i],
		       fk_image_vaddr(k, c->vars + at[i]));
	fk_say(k, "OSRELEASE=%s\n", release);
	fk_say(k,
	       "SIZE(%s)=%u\nOFFSET(%s.ts_nsec)=0\nOFFSET(%s.len)=8\nOFFSET(%s.text_len)=10\n"
	       "OFFSET(%s.dict_len)=12\n",
	       name, c->header, name, name, name, name);
	if (has_caller)
		fk_say(k, "OFFSET(%s.caller_id)=16\n", name);
	fl_map(&c->l, FC_BUF, size);
	fc_publish(c);
}

static inline uint16_t fc_len(struct fake_classic *c, uint32_t at)
{
	return fl_get64(&c->l, FC_BUF + at + 8) & 0xffff;
}

static inline uint32_t fc_after(struct fake_classic *c, uint32_t at)
{
	uint16_t len = fc_len(c, at);

	return len ? at + len : fc_len(c, 0);
}

/* As log_store(), 4.19: makes room, wraps, writes. Returns the index of the record. */
static inline uint32_t fc_add_record(struct fake_classic *c, const struct fake_record *r)
{
	static const char zeros[32];
	uint16_t dict_len = r->dict ? strlen(r->dict) : 0;
	uint16_t text_len = r->len ? r->len : strlen(r->text);
	uint16_t len = (c->header + text_len + dict_len + 3) / 4 * 4;
	uint16_t lens[] = {len, text_len, dict_len};
	uint8_t packed[] = {r->facility, r->flags | r->level << 5};

	while (c->count) {
		uint32_t before = c->first, behind = c->size - c->next;
		uint32_t room =
			c->next > before ? (behind > before ? behind : before) : before - c->next;

		if (room >= len + c->header)
			break;
		c->first = fc_after(c, before);
		c->count--;
	}
	if (c->next + len + c->header > c->size) {
		fl_put(&c->l, FC_BUF + c->next, zeros, c->header);
		c->next = 0;
	}
	uint64_t at = FC_BUF + c->next;
	fl_put64(&c->l, at, c->ts);
	fl_put(&c->l, at + 8, lens, 6);
	fl_put(&c->l, at + 14, packed, 2);
	if (c->header == 20)
		fl_put(&c->l, at + 16, &r->caller_id, 4);
	fl_put(&c->l, at + c->header, r->text, text_len);
	fl_put(&c->l, at + c->header + text_len, r->dict ? r->dict : "", dict_len);
	fl_put(&c->l, at + c->header + text_len + dict_len, zeros,
	       len - c->header - text_len - dict_len);
	c->next += len;
	c->count++;
	c->ts += 1000000;
	fc_publish(c);
	return at - FC_BUF;
}

static inline uint32_t fc_add(struct fake_classic *c, const char *text)
{
	return fc_add_record(c, &(struct fake_record){
					.text = text, .level = 4, .flags = FC_NEWLINE | FC_PREFIX});
}

#endif /* FAKE_KERNEL_H */
