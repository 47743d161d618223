// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The code that writes and flushes these buffers is in
 *   arch/x86/kernel/apic/hw_nmi.c of 3.19, lib/nmi_backtrace.c of 4.4: the CPU that wants a
 *     backtrace of all CPUs empties their buffers, makes them write, and copies the text to the
 *     log; the text stays published until the next request;
 *   kernel/printk/nmi.c of 4.7: vprintk_nmi(), __printk_nmi_flush();
 *   kernel/printk/printk_safe.c of 5.10: printk_safe_log_store(), __printk_safe_flush().
 * All of them format a message behind the published ones, put a NUL behind it, and only then add
 * its length. So the byte behind the published text is a NUL, unless a message is being formatted
 * there.
 */
#include <inttypes.h>

#include "kernel/kernel.h"

/* CONFIG_NMI_LOG_BUF_SHIFT and CONFIG_PRINTK_SAFE_LOG_BUF_SHIFT are at most 21 (init/Kconfig, 4.7
 * and 5.10). The other members and the padding have less than 64 bytes. */
#define MAX_TYPE ((1u << 21) + 64)
#define MIN_TEXT 64
/* KERN_SOH, include/linux/kern_levels.h, 5.10. */
#define SOH '\001'
/* Bytes of padding behind the last member of a structure. */
#define MAX_PADDING 7

enum layout {
	SEQ_BUF, /* struct nmi_seq_buf { buffer[], struct seq_buf seq }: 3.19 to 4.6 */
	NO_CLAMP, /* struct nmi_seq_buf { len, work, buffer[] }: 4.7 to 4.10 */
	SAFE, /* struct printk_safe_seq_buf { len, message_lost, work, buffer[] } */
};

struct nmibt_nmi_buffers {
	bool has[NMIBT_NR_BUFFERS];
	uint64_t symbol[NMIBT_NR_BUFFERS];
	enum layout layout;
	const char *type;
	size_t type_size;
	size_t text, text_size; /* offset, bytes; text_size may include up to MAX_PADDING bytes */
	size_t len; /* offset of the length */
	size_t size; /* SEQ_BUF: offset of the size; otherwise 0 */
	size_t lost; /* SAFE: offset of the count of lost messages; otherwise 0 */
	bool has_all_lost;
	uint32_t all_lost;
};

const char *nmibt_nmi_buffer_name(enum nmibt_nmi_buffer buffer)
{
	return buffer == NMIBT_BUFFER_NMI ? "nmi_print_seq" : "safe_print_seq";
}

bool nmibt_nmi_buffers_have(const struct nmibt_nmi_buffers *buffers, enum nmibt_nmi_buffer buffer)
{
	return buffers->has[buffer];
}

const char *nmibt_nmi_buffers_type(const struct nmibt_nmi_buffers *buffers)
{
	return buffers->type;
}

bool nmibt_nmi_buffers_all_lost(const struct nmibt_nmi_buffers *buffers, uint32_t *ret)
{
	if (buffers->has_all_lost)
		*ret = buffers->all_lost;
	return buffers->has_all_lost;
}

/* -------------------------------------------------------------------- layout */

/* In SEQ_BUF the text ends where seq begins; in the other layouts, where the structure ends. */
static bool find_seq_buf(struct nmibt_nmi_buffers *b, struct nmibt_kernel *kernel)
{
	size_t seq, len, size;

	if (!nmibt_member_offset(kernel, b->type, "seq", &seq) ||
	    !nmibt_member_offset(kernel, "seq_buf", "len", &len) ||
	    !nmibt_member_offset(kernel, "seq_buf", "size", &size))
		return false;
	b->layout = SEQ_BUF;
	b->text_size = seq - b->text;
	b->len = seq + len;
	b->size = seq + size;
	return true;
}

static bool find_text(struct nmibt_nmi_buffers *b, struct nmibt_kernel *kernel, const char *type)
{
	b->type = type;
	if (!nmibt_member_offset(kernel, type, "buffer", &b->text) ||
	    !nmibt_type_size(kernel, type, &b->type_size))
		return false;
	b->text_size = b->type_size - b->text;
	return true;
}

/* The order avoids questions for types that the kernel does not have: a whole vmlinux is read
 * before it is clear that it has no such type. */
static bool find_layout(struct nmibt_nmi_buffers *b, struct nmibt_kernel *kernel)
{
	if (b->has[NMIBT_BUFFER_SAFE] && find_text(b, kernel, "printk_safe_seq_buf")) {
		b->layout = SAFE;
		return nmibt_member_offset(kernel, b->type, "len", &b->len) &&
		       nmibt_member_offset(kernel, b->type, "message_lost", &b->lost);
	}
	if (!find_text(b, kernel, "nmi_seq_buf"))
		return false;
	b->layout = NO_CLAMP;
	return nmibt_member_offset(kernel, b->type, "len", &b->len) || find_seq_buf(b, kernel);
}

static bool is_inside(const struct nmibt_nmi_buffers *b, size_t offset, size_t size)
{
	return offset <= b->type_size && size <= b->type_size - offset;
}

/* Bytes of the member that has the length: a size_t, or an atomic_t. */
static size_t len_size(const struct nmibt_nmi_buffers *b)
{
	return b->layout == SEQ_BUF ? sizeof(uint64_t) : sizeof(uint32_t);
}

static struct nmibt_error *check_layout(const struct nmibt_nmi_buffers *b)
{
	if (b->type_size > MAX_TYPE || b->text_size < MIN_TEXT ||
	    !is_inside(b, b->text, b->text_size) || !is_inside(b, b->len, len_size(b)) ||
	    !is_inside(b, b->size, len_size(b)) || !is_inside(b, b->lost, sizeof(uint32_t)))
		return nmibt_error_create(NMIBT_ERR_DAMAGED,
					  "struct %s of %zu bytes, with text of %zu from %zu on, "
					  "makes no sense",
					  b->type, b->type_size, b->text_size, b->text);
	return NULL;
}

/* ------------------------------------------------------------------- opening */

static struct nmibt_error *find_buffers(struct nmibt_nmi_buffers *b, struct nmibt_kernel *kernel)
{
	uint64_t lost;
	bool any = false;

	for (unsigned int i = 0; i < NMIBT_NR_BUFFERS; i++) {
		b->has[i] = nmibt_symbol_addr(kernel, nmibt_nmi_buffer_name(i), &b->symbol[i]);
		any |= b->has[i];
	}
	if (!any && nmibt_symbols_are_lost(kernel, &lost))
		return nmibt_no_symbol(kernel, nmibt_nmi_buffer_name(NMIBT_BUFFER_NMI));
	return any ? NULL
		   : nmibt_error_create(NMIBT_ERR_NOTHING,
					"the kernel has no per-CPU buffers of what was printed in "
					"an NMI: no symbol nmi_print_seq or safe_print_seq");
}

static void read_all_lost(struct nmibt_nmi_buffers *b, struct nmibt_kernel *kernel)
{
	uint64_t vaddr;

	b->has_all_lost = nmibt_symbol_addr(kernel, "nmi_message_lost", &vaddr) &&
			  nmibt_kernel_read(kernel, vaddr, &b->all_lost, sizeof(b->all_lost)) ==
				  NMIBT_READ_OK &&
			  b->all_lost <= INT32_MAX;
}

static struct nmibt_error *find(struct nmibt_nmi_buffers *b, struct nmibt_kernel *kernel)
{
	struct nmibt_error *err = find_buffers(b, kernel);
	if (err)
		return err;
	if (!find_layout(b, kernel))
		return nmibt_error_create(
			NMIBT_ERR_NOTHING,
			"the kernel has %s, whose layout is not known: give the kernel's vmlinux, "
			"with debugging information",
			nmibt_nmi_buffer_name(b->has[NMIBT_BUFFER_NMI] ? NMIBT_BUFFER_NMI
								       : NMIBT_BUFFER_SAFE));
	err = check_layout(b);
	if (!err)
		read_all_lost(b, kernel);
	return err;
}

struct nmibt_error *nmibt_nmi_buffers_open(struct nmibt_kernel *kernel,
					   struct nmibt_nmi_buffers **ret)
{
	struct nmibt_nmi_buffers *b = calloc(1, sizeof(*b));
	if (!b)
		return nmibt_error_nomem();

	struct nmibt_error *err = find(b, kernel);
	if (err) {
		nmibt_nmi_buffers_close(b);
		return err;
	}
	*ret = b;
	return NULL;
}

void nmibt_nmi_buffers_close(struct nmibt_nmi_buffers *buffers)
{
	free(buffers);
}

const struct nmibt_nmi_buffers *nmibt_kernel_nmi_buffers(struct nmibt_kernel *kernel)
{
	return nmibt_kernel_failure(kernel, NMIBT_PART_NMI_BUFFERS) ? NULL : kernel->nmi_buffers;
}

/* ------------------------------------------------------------------- reading */

static bool is_nul(const struct nmibt_nmi_buffer_area *area, size_t i)
{
	return area->known[i] && !area->raw[i];
}

/*
 * Takes bytes that were not written out of the published text. vsnprintf() returns the length that
 * a message would have, writes as much as fits, and puts a NUL behind it, so that a length at or
 * beyond the end counts bytes that were never written. text_size may also include padding, which
 * is 0, too.
 */
static void leave_out_end(struct nmibt_nmi_buffer_area *area)
{
	size_t end = area->published, least = area->raw_len - MAX_PADDING - 1;

	while (area->published > least && is_nul(area, area->published - 1))
		area->published--;
	area->overflow = area->overflow || area->published < end;
}

/* seq_buf_set_overflow(), include/linux/seq_buf.h, 4.4, sets the length to the size + 1. A buffer
 * that was never used has size 0. */
static void take_seq_buf(struct nmibt_nmi_buffer_area *area, uint64_t len, uint64_t size)
{
	if (!size || size > area->raw_len) {
		area->damaged = size;
		size = area->raw_len;
	}
	area->damaged = area->damaged || len > size + 1;
	area->overflow = len > size;
	area->published = len < size ? len : size;
	leave_out_end(area);
}

static void take_no_clamp(struct nmibt_nmi_buffer_area *area, uint32_t len)
{
	area->overflow = len >= area->raw_len;
	area->published = area->overflow ? area->raw_len : len;
	leave_out_end(area);
}

/* vscnprintf() returns what it wrote, and keeps one byte for the NUL. If the length is beyond the
 * end of the buffer, __printk_safe_flush() prints nothing of it. */
static void take_safe(struct nmibt_nmi_buffer_area *area, uint32_t len, uint32_t lost)
{
	area->damaged = len >= area->raw_len || lost > INT32_MAX;
	area->published = len > area->raw_len ? 0 : len;
	area->overflow = area->published >= area->raw_len - 1;
	area->lost_msgs = lost > INT32_MAX ? 0 : lost;
}

/*
 * Only the message behind the published text can be unfinished. It begins with its level header,
 * and most messages have one newline, at their end. So what stands behind a newline, behind a NUL,
 * or from the next header on, is the rest of an older text.
 */
static size_t end_of_torn(const struct nmibt_nmi_buffer_area *area)
{
	size_t end = area->published;

	/* If nothing is published, the text at 0 may just as well be an older one. */
	if (!area->published)
		return end;
	while (end < area->raw_len && area->raw[end] &&
	       (area->raw[end] != SOH || end == area->published)) {
		if (area->raw[end++] == '\n')
			break;
	}
	return end;
}

static uint32_t number_at(const char *object, size_t offset)
{
	uint32_t number;

	memcpy(&number, object + offset, sizeof(number));
	return number;
}

static uint64_t wide_number_at(const char *object, size_t offset)
{
	uint64_t number;

	memcpy(&number, object + offset, sizeof(number));
	return number;
}

static void take_numbers(const struct nmibt_nmi_buffers *b, const char *object,
			 struct nmibt_nmi_buffer_area *area)
{
	switch (b->layout) {
	case SEQ_BUF:
		take_seq_buf(area, wide_number_at(object, b->len), wide_number_at(object, b->size));
		break;
	case NO_CLAMP:
		take_no_clamp(area, number_at(object, b->len));
		break;
	case SAFE:
		take_safe(area, number_at(object, b->len), number_at(object, b->lost));
		break;
	}
}

/* Reads the whole structure at once, because most of it is the text. Bytes that can't be read are
 * 0; if they are those of the length, nothing is published. */
static struct nmibt_error *read_object(struct nmibt_kernel *kernel, uint64_t vaddr,
				       struct nmibt_nmi_buffer_area *area)
{
	const struct nmibt_nmi_buffers *b = kernel->nmi_buffers;
	_cleanup_free_ char *object = malloc(b->type_size);
	_cleanup_free_ bool *known = malloc(b->type_size * sizeof(*known));

	area->raw = malloc(b->text_size);
	area->known = malloc(b->text_size * sizeof(*area->known));
	if (!object || !known || !area->raw || !area->known)
		return nmibt_error_nomem();
	struct nmibt_run run = nmibt_kernel_read_pages(kernel, vaddr, object, b->type_size, known);
	memcpy(area->raw, object + b->text, b->text_size);
	memcpy(area->known, known + b->text, b->text_size * sizeof(*known));
	area->raw_len = b->text_size;
	area->vaddr = vaddr + b->text;
	area->status = nmibt_run_status(&run);
	take_numbers(b, object, area);
	area->text = end_of_torn(area);
	return NULL;
}

struct nmibt_error *nmibt_nmi_buffer_read(struct nmibt_kernel *kernel, unsigned int cpu,
					  enum nmibt_nmi_buffer buffer,
					  struct nmibt_nmi_buffer_area *ret)
{
	const struct nmibt_nmi_buffers *buffers = nmibt_kernel_nmi_buffers(kernel);
	struct nmibt_nmi_buffer_area area = {.name = nmibt_nmi_buffer_name(buffer)};
	uint64_t vaddr;

	if (!buffers || !buffers->has[buffer])
		return nmibt_error_create(NMIBT_ERR_USAGE, "the kernel has no %s", area.name);
	if (!nmibt_percpu_addr(kernel, cpu, buffers->symbol[buffer], &vaddr))
		return nmibt_error_create(NMIBT_ERR_NOTHING, "where %s of CPU %u is can't be told",
					  area.name, cpu);
	struct nmibt_error *err = read_object(kernel, vaddr, &area);
	if (err) {
		nmibt_nmi_buffer_area_destroy(&area);
		return err;
	}
	*ret = area;
	return NULL;
}

void nmibt_nmi_buffer_area_destroy(struct nmibt_nmi_buffer_area *area)
{
	free(area->raw);
	free(area->known);
	*area = (struct nmibt_nmi_buffer_area){0};
}

bool nmibt_nmi_buffer_residue(const struct nmibt_nmi_buffer_area *area, size_t from, size_t *ret,
			      size_t *ret_len)
{
	size_t start = from, end;

	while (start < area->raw_len && !area->raw[start])
		start++;
	for (end = start; end < area->raw_len && area->raw[end]; end++)
		;
	if (start >= area->raw_len)
		return false;
	*ret = start;
	*ret_len = end - start;
	return true;
}
