/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Adds to fake-kernel.h's memory: variables with symbols, CPUs with per-CPU areas whose pages are
 * not contiguous in physical memory, the layouts of types, and the buffers of 3.19 to 5.14 with the
 * functions that write and flush them.
 *
 * It follows the kernel's sources, whose versions the functions below name, and not the library's
 * code.
 */
#ifndef FAKE_PERCPU_H
#define FAKE_PERCPU_H

#include "fake-kernel.h"
#include "text/text.h"

#define FP_CPUS 5 /* the 4th one is not possible */
#define FP_NO_CPU 3
#define FP_AREA UINT64_C(0xffffc90000000000) /* CPU 0's area; the next ones every FP_STRIDE */
#define FP_STRIDE UINT64_C(0x100000)
#define FP_AREA_SIZE (10 * FK_PAGE)
/* The variables' initial values in the image, unless the variables are linked at 0. */
#define FP_TEMPLATE UINT64_C(0xffffffff82c00000)

/* Offsets of per-CPU variables in an area. Each buffer lies in three pages; the note crosses the
 * end of a page. */
#define FP_NMI 0x280
#define FP_SAFE 0x2300
#define FP_NOTES (6 * FK_PAGE - 100)

struct fake_percpu {
	struct fake_kernel *k;
	struct fake_log pages; /* fl_map() and fl_put() want one */
	struct nmibt_image image;
	struct nmibt_image_ops ops;
	struct nmibt_kernel *kernel; /* of the image */
	uint64_t variables; /* address of the next variable */
	bool linked_at_0;
	unsigned int nr_symbols;
	struct fp_symbol {
		const char *name;
		uint64_t value;
	} symbol[32];
	unsigned int nr_layouts;
	struct fp_layout {
		const char *type;
		const char *member; /* NULL: value is the size of the type */
		size_t value;
	} layout[32];
	unsigned int asked; /* how often a type was asked for that does not exist */
	uint8_t notes[8192]; /* of the dump */
	size_t notes_len; /* 0: none */
};

/* ------------------------------------------------------------------ callbacks */

static inline enum nmibt_read fp_read_phys(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	return fk_read_phys(((struct fake_percpu *)ctx)->k, paddr, buf, len);
}

static inline char *fp_vmcoreinfo(void *ctx, const char *key)
{
	return fk_vmcoreinfo(((struct fake_percpu *)ctx)->k, key);
}

static inline char *fp_notes(void *ctx, size_t *ret_len)
{
	struct fake_percpu *p = ctx;
	char *copy = p->notes_len ? malloc(p->notes_len) : NULL;

	if (copy)
		memcpy(copy, p->notes, p->notes_len);
	*ret_len = p->notes_len;
	return copy;
}

static inline struct fp_symbol *fp_symbol(struct fake_percpu *p, const char *name)
{
	for (unsigned int i = 0; i < p->nr_symbols; i++) {
		if (!strcmp(p->symbol[i].name, name))
			return &p->symbol[i];
	}
	return NULL;
}

static inline bool fp_symbol_addr(void *ctx, const char *name, uint64_t *ret)
{
	const struct fp_symbol *symbol = fp_symbol(ctx, name);

	if (symbol)
		*ret = symbol->value;
	return symbol;
}

static inline struct fp_layout *fp_layout(struct fake_percpu *p, const char *type,
					  const char *member)
{
	for (unsigned int i = 0; i < p->nr_layouts; i++) {
		struct fp_layout *l = &p->layout[i];

		if (!strcmp(l->type, type) &&
		    (member ? l->member && !strcmp(l->member, member) : !l->member))
			return l;
	}
	return NULL;
}

static inline bool fp_member_offset(void *ctx, const char *type, const char *member, size_t *ret)
{
	struct fake_percpu *p = ctx;
	const struct fp_layout *l = fp_layout(p, type, member);

	p->asked += !fp_layout(p, type, NULL);
	if (l)
		*ret = l->value;
	return l;
}

static inline bool fp_type_size(void *ctx, const char *type, size_t *ret)
{
	const struct fp_layout *l = fp_layout(ctx, type, NULL);

	if (l)
		*ret = l->value;
	return l;
}

/* ------------------------------------------------------------------ variables */

static inline void fp_add_symbol(struct fake_percpu *p, const char *name, uint64_t value)
{
	assert(p->nr_symbols < 32);
	p->symbol[p->nr_symbols++] = (struct fp_symbol){name, value};
}

static inline void fp_drop_symbol(struct fake_percpu *p, const char *name)
{
	struct fp_symbol *symbol = fp_symbol(p, name);

	assert(symbol);
	*symbol = p->symbol[--p->nr_symbols];
}

static inline void fp_add_layout(struct fake_percpu *p, const char *type, const char *member,
				 size_t value)
{
	assert(p->nr_layouts < 32);
	p->layout[p->nr_layouts++] = (struct fp_layout){type, member, value};
}

/* Adds a variable to the image, aligned to align bytes. */
static inline void fp_add(struct fake_percpu *p, const char *name, const void *value, size_t len,
			  size_t align)
{
	p->variables = (p->variables + align - 1) / align * align;
	fp_add_symbol(p, name, p->variables);
	fl_put(&p->pages, p->variables, value, len);
	p->variables += len;
}

static inline void fp_add_int(struct fake_percpu *p, const char *name, int32_t value)
{
	fp_add(p, name, &value, sizeof(value), sizeof(value));
}

static inline void fp_set(struct fake_percpu *p, const char *name, const void *value, size_t len)
{
	fl_put(&p->pages, fp_symbol(p, name)->value, value, len);
}

static inline void fp_set_int(struct fake_percpu *p, const char *name, int32_t value)
{
	fp_set(p, name, &value, sizeof(value));
}

/* Address of a per-CPU variable, by its offset in an area. */
static inline uint64_t fp_addr(unsigned int cpu, uint64_t offset)
{
	return FP_AREA + cpu * FP_STRIDE + offset;
}

static inline uint64_t fp_value(const struct fake_percpu *p, uint64_t offset)
{
	return p->linked_at_0 ? offset : FP_TEMPLATE + offset;
}

static inline void fp_put(struct fake_percpu *p, unsigned int cpu, uint64_t offset,
			  const void *from, size_t len)
{
	fl_put(&p->pages, fp_addr(cpu, offset), from, len);
}

static inline void fp_get(struct fake_percpu *p, unsigned int cpu, uint64_t offset, void *to,
			  size_t len)
{
	uint64_t vaddr = fp_addr(cpu, offset);

	for (size_t i = 0; i < len; i++)
		((char *)to)[i] = *(char *)fk_at(p->k, fl_paddr(&p->pages, vaddr + i));
}

/* Sets the status of the page that has this byte of a CPU's area. */
static inline void fp_set_page(struct fake_percpu *p, unsigned int cpu, uint64_t offset,
			       enum nmibt_read status)
{
	fk_set_page(p->k, fl_paddr(&p->pages, fp_addr(cpu, offset)), status);
}

/* ----------------------------------------------------------------------- CPUs */

#define FP_VARIABLES UINT64_C(0xffffffff82000000)

static inline void fp_add_cpus(struct fake_percpu *p)
{
	uint64_t mask[2] = {((1 << FP_CPUS) - 1) & ~(1 << FP_NO_CPU)}, offsets[FP_CPUS];
	uint64_t notes = fp_value(p, FP_NOTES);

	for (unsigned int cpu = 0; cpu < FP_CPUS; cpu++) {
		offsets[cpu] = fp_addr(cpu, 0) - fp_value(p, 0);
		fl_map(&p->pages, fp_addr(cpu, 0), FP_AREA_SIZE);
	}
	fp_add_int(p, "nr_cpu_ids", FP_CPUS);
	fp_add(p, "__cpu_possible_mask", mask, sizeof(mask), 8);
	/* The last offsets are in another page. */
	p->variables = FP_VARIABLES + FK_PAGE - 24;
	fp_add(p, "__per_cpu_offset", offsets, sizeof(offsets), 8);
	p->variables += FK_PAGE;
	fp_add_int(p, "panic_cpu", 2);
	fp_add(p, "crash_notes", &notes, sizeof(notes), 8);
}

/* Opens the kernel anew, because it keeps what it has found. */
static inline void fp_reopen(struct fake_percpu *p)
{
	nmibt_kernel_close(p->kernel);
	struct nmibt_error *err = nmibt_kernel_open(&p->image, &p->kernel);
	assert(!err);
	(void)err;
}

static inline struct fake_percpu *fp_new_of(const struct fk_paging *paging, bool linked_at_0)
{
	struct fake_percpu *p = calloc(1, sizeof(*p));

	assert(p);
	p->k = fk_new(paging);
	p->pages.k = p->k;
	p->linked_at_0 = linked_at_0;
	p->ops = (struct nmibt_image_ops){
		.read_phys = fp_read_phys,
		.vmcoreinfo = fp_vmcoreinfo,
		.symbol_addr = fp_symbol_addr,
		.member_offset = fp_member_offset,
		.type_size = fp_type_size,
		.notes = fp_notes,
	};
	p->image = p->k->image;
	p->image.ops = &p->ops;
	p->image.ctx = p;
	p->variables = FP_VARIABLES;
	fl_map(&p->pages, p->variables, 4 * FK_PAGE);
	fp_add_cpus(p);
	fp_reopen(p);
	return p;
}

static inline struct fake_percpu *fp_new(bool linked_at_0)
{
	return fp_new_of(&fk_x86, linked_at_0);
}

static inline void fp_free(struct fake_percpu *p)
{
	nmibt_kernel_close(p->kernel);
	fk_free(p->k);
	free(p);
}

/* ------------------------------------------------------- buffers of 3.19 to 5.14 */

enum fp_kind {
	FP_SEQ_BUF, /* 4.4: lib/nmi_backtrace.c, include/linux/seq_buf.h */
	FP_NO_CLAMP, /* 4.7: kernel/printk/nmi.c */
	FP_PRINTK_SAFE, /* 5.10: kernel/printk/printk_safe.c */
	FP_NR_KINDS,
};

static const struct fp_buffer {
	size_t size; /* of the structure */
	size_t text, room;
	size_t len, len_size;
} fp_buffers[FP_NR_KINDS] = {
	{4096 + 32, 0, 4096, 4096 + 16, 8},
	{8200, 32, 8192 - 4 - 24, 0, 4}, /* 4 bytes behind the text are padding */
	{8192, 32, 8192 - 4 - 4 - 24, 0, 4},
};

static inline void fp_add_nmi_buffers(struct fake_percpu *p, enum fp_kind kind)
{
	const struct fp_buffer *b = &fp_buffers[kind];
	const char *type = kind == FP_PRINTK_SAFE ? "printk_safe_seq_buf" : "nmi_seq_buf";

	fp_add_symbol(p, "nmi_print_seq", fp_value(p, FP_NMI));
	fp_add_layout(p, type, NULL, b->size);
	fp_add_layout(p, type, "buffer", b->text);
	if (kind == FP_SEQ_BUF) {
		fp_add_layout(p, type, "seq", 4096);
		fp_add_layout(p, "seq_buf", NULL, 32);
		fp_add_layout(p, "seq_buf", "size", 8);
		fp_add_layout(p, "seq_buf", "len", 16);
	} else {
		fp_add_layout(p, type, "len", 0);
		fp_add_layout(p, type, "work", 8);
	}
	if (kind == FP_PRINTK_SAFE) {
		fp_add_layout(p, type, "message_lost", 4);
		fp_add_symbol(p, "safe_print_seq", fp_value(p, FP_SAFE));
	} else if (kind == FP_NO_CLAMP) {
		fp_add_int(p, "nmi_message_lost", 0);
	}
}

static inline uint64_t fp_len(struct fake_percpu *p, enum fp_kind kind, unsigned int cpu,
			      uint64_t at)
{
	uint64_t len = 0;

	fp_get(p, cpu, at + fp_buffers[kind].len, &len, fp_buffers[kind].len_size);
	return len;
}

static inline void fp_set_len(struct fake_percpu *p, enum fp_kind kind, unsigned int cpu,
			      uint64_t at, uint64_t len)
{
	fp_put(p, cpu, at + fp_buffers[kind].len, &len, fp_buffers[kind].len_size);
}

/* Flushes as seq_buf_init() does, or the other layouts' flush. The text stays. */
static inline void fp_flush(struct fake_percpu *p, enum fp_kind kind, unsigned int cpu, uint64_t at)
{
	uint64_t size = fp_buffers[kind].room;

	if (kind == FP_SEQ_BUF)
		fp_put(p, cpu, at + 4096 + 8, &size, 8);
	fp_set_len(p, kind, cpu, at, 0);
}

/* Formats text behind the published one, as vsnprintf() does, without adding its length. */
static inline void fp_format(struct fake_percpu *p, enum fp_kind kind, unsigned int cpu,
			     uint64_t at, const char *text)
{
	const struct fp_buffer *b = &fp_buffers[kind];
	uint64_t len = fp_len(p, kind, cpu, at);
	size_t part = strlen(text);

	if (part > b->room - len - 1)
		part = b->room - len - 1;
	fp_put(p, cpu, at + b->text + len, text, part);
	fp_put(p, cpu, at + b->text + len + part, "", 1);
}

static inline void fp_count_lost(struct fake_percpu *p, enum fp_kind kind, unsigned int cpu,
				 uint64_t at)
{
	uint64_t vaddr = kind == FP_NO_CLAMP ? fp_symbol(p, "nmi_message_lost")->value
					     : fp_addr(cpu, at + 4);
	uint32_t *lost = fk_at(p->k, fl_paddr(&p->pages, vaddr));

	++*lost;
}

/* Prints as seq_buf_vprintf(), vprintk_nmi(), printk_safe_log_store() do. */
static inline void fp_print(struct fake_percpu *p, enum fp_kind kind, unsigned int cpu, uint64_t at,
			    const char *text)
{
	uint64_t len = fp_len(p, kind, cpu, at), add = strlen(text);
	size_t room = fp_buffers[kind].room;

	if (kind == FP_PRINTK_SAFE ? len >= room - 1 : len >= room) {
		if (kind != FP_SEQ_BUF)
			fp_count_lost(p, kind, cpu, at);
		else
			fp_set_len(p, kind, cpu, at, room + 1);
		return;
	}
	fp_format(p, kind, cpu, at, text);
	if (kind == FP_PRINTK_SAFE && add > room - len - 1)
		add = room - len - 1;
	if (kind == FP_SEQ_BUF && len + add >= room)
		fp_set_len(p, kind, cpu, at, room + 1);
	else
		fp_set_len(p, kind, cpu, at, len + add);
}

#endif /* FAKE_PERCPU_H */
