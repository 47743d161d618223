// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Per-CPU data, crash notes and the buffers of 3.19 to 5.14 in any memory: variables, page tables
 * and buffers may all be hostile, and so may a vmlinux that describes them.
 *
 * The input is a list of changes to a kernel's memory with all of these in it: where, what and how
 * many bytes. So each of them hits data that is read.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/fake-percpu.h"
#include "../unit/safe-text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct change {
	uint8_t where; /* part of the memory; see apply() */
	uint8_t len; /* of value */
	uint16_t offset;
	uint64_t value;
};

/* Makes texts of three lengths, of which one is torn, and a full buffer. */
static struct fake_percpu *make(enum fp_kind kind, bool linked_at_0)
{
	struct fake_percpu *p = fp_new(linked_at_0);
	uint32_t note[] = {5, 336, 1, 0x45524f43, 0};

	fp_add_nmi_buffers(p, kind);
	fp_add_layout(p, "cpumask", NULL, 8);
	fp_add_int(p, "panic_redirect_cpu", 1);
	for (unsigned int cpu = 0; cpu < FP_CPUS; cpu++) {
		if (cpu == FP_NO_CPU)
			continue;
		fp_put(p, cpu, FP_NOTES, note, sizeof(note));
		fp_flush(p, kind, cpu, FP_NMI);
		for (unsigned int n = 0; n < (cpu == 4 ? 200 : 5); n++)
			fp_print(p, kind, cpu, FP_NMI, "\0014a line of some length, and text\n");
		if (cpu < 2)
			fp_flush(p, kind, cpu, FP_NMI);
		fp_print(p, kind, cpu, FP_NMI, "\001cshort\n");
		fp_put(p, 2, FP_NMI + fp_buffers[kind].text + fp_len(p, kind, 2, FP_NMI), "to", 2);
	}
	return p;
}

static void change_bytes(void *part, size_t size, const struct change *change)
{
	size_t len = change->len % 8 + 1, at = change->offset % size;

	if (change->len & 0x10)
		at &= ~(size_t)3; /* members are aligned */
	if (len > size - at)
		len = size - at;
	memcpy((char *)part + at, &change->value, len);
}

/* Changes the text of a CPU's buffers, or the bytes around it. */
static void change_buffer(struct fake_percpu *p, const struct fake_percpu *whole,
			  const struct change *change)
{
	static const uint16_t ends[] = {0, 32, 4096, 8160};
	unsigned int cpu = change->offset % FP_CPUS;
	uint64_t at = FP_NMI + ends[change->len >> 6] + (change->offset >> 3) % 64;
	struct fake_log pages = whole->pages;

	*(uint32_t *)fk_at(p->k, fl_paddr(&pages, fp_addr(cpu, at & ~UINT64_C(3)))) = change->value;
}

static void apply(struct fake_percpu *p, const struct fake_percpu *whole,
		  const struct change *change)
{
	struct fake_kernel *k = p->k;
	uint64_t used = k->next - FK_BASE;

	switch (change->where % 8) {
	case 0:
	case 1:
		change_buffer(p, whole, change);
		break;
	case 2:
		change_bytes(&p->symbol[change->len % p->nr_symbols].value, 8, change);
		break;
	case 3:
		change_bytes(&p->layout[change->len % p->nr_layouts].value, sizeof(size_t), change);
		break;
	case 4:
		p->symbol[change->len % p->nr_symbols].name = "";
		break;
	case 5:
		k->page[change->offset % (used / FK_PAGE)] = change->len % 3;
		break;
	case 6: { /* variables, in the first of their pages */
		struct fake_log pages = whole->pages;

		change_bytes(fk_at(k, fl_paddr(&pages, FP_VARIABLES)), FK_PAGE, change);
		break;
	}
	default: /* any page in use, mostly page tables */
		change_bytes(k->mem + change->where / 8 * FK_PAGE % used, FK_PAGE, change);
		break;
	}
}

static void check_error(struct nmibt_error *err)
{
	if (!*err->message || unsafe_text(err->message, strlen(err->message)))
		abort();
	nmibt_error_destroy(err);
}

static void check_area(const struct nmibt_nmi_buffer_area *area)
{
	struct nmibt_text text;
	size_t at = area->text, len = 0;

	if (area->published > area->text || area->text > area->raw_len)
		abort();
	struct nmibt_error *err = nmibt_decode(area->raw, area->text, area->published, area->known,
					       area->overflow, &text);
	if (err)
		abort();
	nmibt_text_destroy(&text);
	for (size_t from = area->text; nmibt_nmi_buffer_residue(area, from, &at, &len);
	     from = at + len) {
		if (!len || at < from || len > area->raw_len - at ||
		    memchr(area->raw + at, '\0', len))
			abort();
	}
}

static void read_cpu(struct nmibt_kernel *kernel, unsigned int cpu)
{
	struct nmibt_nmi_buffer_area area;
	struct nmibt_regs regs;
	int pid;

	nmibt_percpu_read_note(kernel, cpu, &regs, &pid);
	for (unsigned int b = 0; b < NMIBT_NR_BUFFERS; b++) {
		struct nmibt_error *err = nmibt_nmi_buffer_read(kernel, cpu, b, &area);

		if (err) {
			check_error(err);
			continue;
		}
		check_area(&area);
		nmibt_nmi_buffer_area_destroy(&area);
	}
}

static void read_all(struct nmibt_kernel *kernel)
{
	const struct nmibt_percpu *percpu = nmibt_kernel_percpu(kernel);

	for (unsigned int part = 0; part < NMIBT_NR_PARTS; part++) {
		struct nmibt_error *err = nmibt_kernel_need(kernel, part);

		if (err)
			check_error(err);
	}
	if (!percpu)
		return;
	if (!percpu->nr || percpu->nr > NMIBT_MAX_CPUS || percpu->panic_cpu >= (int)percpu->nr ||
	    unsafe_text(percpu->why, strlen(percpu->why)))
		abort();
	/* The number of CPUs may be hostile, so only a few are read. */
	for (unsigned int cpu = 0; cpu < FP_CPUS + 1; cpu++)
		read_cpu(kernel, cpu);
	read_cpu(kernel, percpu->nr - 1);
}

static struct fake_percpu *copy_of(const struct fake_percpu *whole)
{
	static struct fake_percpu copy;

	copy = *whole;
	copy.k = fk_copy(whole->k);
	copy.pages.k = copy.k;
	copy.image.ops = &copy.ops;
	copy.image.ctx = &copy;
	copy.kernel = NULL;
	return &copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fake_percpu *kernels[2 * FP_NR_KINDS];
	unsigned int kind = size % ARRAY_SIZE(kernels);
	struct change change;

	if (!kernels[kind])
		kernels[kind] = make(kind / 2, kind % 2);
	struct fake_percpu *p = copy_of(kernels[kind]);
	for (; size >= sizeof(change); data += sizeof(change), size -= sizeof(change)) {
		memcpy(&change, data, sizeof(change));
		apply(p, kernels[kind], &change);
	}
	fp_reopen(p);
	read_all(p->kernel);
	nmibt_kernel_close(p->kernel);
	return 0;
}
