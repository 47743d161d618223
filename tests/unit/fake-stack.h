/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Code and stacks in a fake of a kernel's memory, for tests. Function n is at FS_TEXT + n *
 * FS_FUNCTION and is called "fN".
 */
#ifndef FAKE_STACK_H
#define FAKE_STACK_H

#include "fake-kernel.h"
#include "unwind/unwind.h"

#define FS_FUNCTION 0x100
#define FS_FUNCTIONS 32
#define FS_STACK 0x4000 /* bytes of each stack */

/* Addresses of the parts. Code of modules has no known names. */
struct fs_layout {
	uint64_t text, module, task, irq, other;
};
static const struct fs_layout fs_arm64 = {0xffff800080010000, 0xffff80007a000000,
					  0xffff800081000000, 0xffff800080800000,
					  0xffff000009000000};
static const struct fs_layout fs_x86 = {0xffffffff81000000, 0xffffffffc0200000, 0xffffc90000010000,
					0xffffc90000100000, 0xffff888009000000};

struct fake_stack {
	struct fake_kernel *k;
	struct fs_layout at;
	struct nmibt_kernel *kernel; /* NULL: not opened yet; so is unwinder then */
	struct nmibt_unwinder *unwinder;
	struct nmibt_regs regs;
	struct nmibt_stack stack; /* the stack that was unwound last */
};

/* The last-level page table entry of vaddr, which must have been mapped once. */
static inline uint64_t *fs_entry(struct fake_stack *s, uint64_t vaddr)
{
	uint64_t table = s->k->root;

	for (int shift = 39; shift > 12; shift -= 9) {
		uint64_t entry = *fk_entry_at(s->k, table, vaddr, shift, 9);

		assert(entry & 1);
		table = entry & UINT64_C(0xfffffff000);
	}
	return fk_entry_at(s->k, table, vaddr, 12, 9);
}

static inline void *fs_at(struct fake_stack *s, uint64_t vaddr)
{
	uint64_t entry = *fs_entry(s, vaddr);

	assert(entry & 1);
	return (char *)fk_at(s->k, entry & UINT64_C(0xfffffff000)) + vaddr % FK_PAGE;
}

static inline void fs_put(struct fake_stack *s, uint64_t vaddr, uint64_t value)
{
	memcpy(fs_at(s, vaddr), &value, sizeof(value));
}

static inline void fs_set_page_of(struct fake_stack *s, const void *at, enum nmibt_read status)
{
	s->k->page[((const uint8_t *)at - s->k->mem) / FK_PAGE] = status;
}

static inline void fs_set_page(struct fake_stack *s, uint64_t vaddr, enum nmibt_read status)
{
	fs_set_page_of(s, fs_at(s, vaddr), status);
}

/* The last table on the way to vaddr. */
static inline void fs_set_table(struct fake_stack *s, uint64_t vaddr, enum nmibt_read status)
{
	fs_set_page_of(s, fs_entry(s, vaddr), status);
}

static inline void fs_map(struct fake_stack *s, uint64_t vaddr, uint64_t size)
{
	uint64_t paddr = fk_alloc(s->k, size, FK_PAGE);

	for (uint64_t i = 0; i < size; i += FK_PAGE)
		fk_map(s->k, vaddr + i, paddr + i, 12);
}

static inline bool fs_symbolize(void *ctx, uint64_t addr, char *buf, size_t len)
{
	const struct fake_kernel *k = ctx;
	uint64_t text = k->paging.arch == NMIBT_ARCH_ARM64 ? fs_arm64.text : fs_x86.text;

	if (addr < text || addr >= text + FS_FUNCTIONS * FS_FUNCTION)
		return false;
	snprintf(buf, len, "f%u+0x%x", (unsigned int)((addr - text) / FS_FUNCTION),
		 (unsigned int)((addr - text) % FS_FUNCTION));
	return true;
}

static inline struct fake_stack *fs_new(const struct fk_paging *paging)
{
	struct fake_stack *s = calloc(1, sizeof(*s));

	assert(s);
	s->k = fk_new(paging);
	s->k->ops.symbolize = fs_symbolize;
	s->at = paging->arch == NMIBT_ARCH_ARM64 ? fs_arm64 : fs_x86;
	fs_map(s, s->at.text, FS_FUNCTIONS * FS_FUNCTION);
	fs_map(s, s->at.module, FK_PAGE);
	fs_map(s, s->at.task, FS_STACK);
	fs_map(s, s->at.irq, FS_STACK);
	fs_map(s, s->at.other, FS_STACK);
	s->regs.present = true;
	return s;
}

/* Closes the kernel, because it keeps what it has found. */
static inline void fs_close(struct fake_stack *s)
{
	nmibt_stack_destroy(&s->stack);
	nmibt_unwinder_close(s->unwinder);
	nmibt_kernel_close(s->kernel);
	s->unwinder = NULL;
	s->kernel = NULL;
}

/* Opens the kernel anew, and its unwinder. */
static inline struct nmibt_error *fs_open(struct fake_stack *s)
{
	fs_close(s);
	struct nmibt_error *err = nmibt_kernel_open(&s->k->image, &s->kernel);
	assert(!err);
	return nmibt_unwinder_open(s->kernel, &s->unwinder);
}

static inline struct nmibt_error *fs_unwind(struct fake_stack *s)
{
	nmibt_stack_destroy(&s->stack);
	return nmibt_unwind(s->unwinder, &s->regs, &s->stack);
}

/* Writes the stack as "0+4= 1+20? 2+34": functions and offsets; "=" marks the address of the next
 * instruction, "?" a frame that is not reliable. */
static inline const char *fs_frames(const struct fake_stack *s, char *buf, size_t size)
{
	size_t len = 0;

	*buf = '\0';
	for (size_t i = 0; i < s->stack.nr; i++) {
		const struct nmibt_frame *f = &s->stack.frames[i];
		uint64_t offset = f->addr - s->at.text;

		if (offset < FS_FUNCTIONS * FS_FUNCTION)
			len += snprintf(buf + len, size - len, "%s%u+%x", i ? " " : "",
					(unsigned int)(offset / FS_FUNCTION),
					(unsigned int)(offset % FS_FUNCTION));
		else
			len += snprintf(buf + len, size - len, "%s%#" PRIx64, i ? " " : "",
					f->addr);
		assert(len < size);
		len += snprintf(buf + len, size - len, "%s%s",
				f->is_pc || f->is_interrupted ? "=" : "", f->reliable ? "" : "?");
		assert(len < size);
	}
	return buf;
}

static inline void fs_free(struct fake_stack *s)
{
	fs_close(s);
	fk_free(s->k);
	free(s);
}

static inline uint64_t fs_function(const struct fake_stack *s, unsigned int n, uint64_t offset)
{
	return s->at.text + n * FS_FUNCTION + offset;
}

#endif /* FAKE_STACK_H */
