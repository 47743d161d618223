// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The CPUs of a kernel without a capture: which CPUs there are (kernel/cpu.c), where their per-CPU
 * data is (__per_cpu_offset: mm/percpu.c, arch/x86/kernel/setup_percpu.c), which one panicked
 * (kernel/panic.c), and where each saved its registers (crash_notes: kernel/crash_core.c). This is
 * for 6.12 and 7.2; where 4.4 differs, a comment says so.
 */
#include <inttypes.h>
#include <limits.h>

#include "kernel/kernel.h"

/* The value of a per-CPU symbol plus a CPU's __per_cpu_offset is an address. That holds whether the
 * symbols are linked at 0, as on x86_64 up to 6.14, or at the variables' initial values in the
 * image. */

#define WORD_BITS 64

static struct nmibt_error *cant_read(const char *name, uint64_t vaddr, enum nmibt_read status)
{
	return nmibt_error_create(NMIBT_ERR_DAMAGED, "%s at %#" PRIx64 " is %s", name, vaddr,
				  nmibt_read_name(status));
}

static void add_unread(struct nmibt_percpu *p, const char *name, uint64_t vaddr,
		       enum nmibt_read status)
{
	nmibt_add_reason(p->why, "%s at %#" PRIx64 " is %s", name, vaddr, nmibt_read_name(status));
}

/* ------------------------------------------------------------------ the CPUs */

/* With CONFIG_FORCE_NR_CPUS nr_cpu_ids is a constant (include/linux/cpumask.h, 6.12) and there is
 * no variable. Then the number of bits in a mask, which is rounded up to whole words, is used. */
static struct nmibt_error *read_nr(struct nmibt_percpu *p, struct nmibt_kernel *kernel)
{
	uint64_t vaddr;
	uint32_t nr;
	size_t size;

	if (nmibt_symbol_addr(kernel, "nr_cpu_ids", &vaddr)) {
		enum nmibt_read status = nmibt_kernel_read(kernel, vaddr, &nr, sizeof(nr));
		if (status != NMIBT_READ_OK)
			return cant_read("nr_cpu_ids", vaddr, status);
	} else if (nmibt_type_size(kernel, "cpumask", &size)) {
		nr = size > NMIBT_MAX_CPUS / 8 ? UINT32_MAX : size * 8;
	} else {
		return nmibt_no_symbol(kernel, "nr_cpu_ids");
	}
	if (!nr || nr > NMIBT_MAX_CPUS)
		return nmibt_error_create(NMIBT_ERR_DAMAGED,
					  "nr_cpu_ids is %" PRIu32 ", not 1 to %u", nr,
					  NMIBT_MAX_CPUS);
	p->nr = nr;
	return NULL;
}

static struct nmibt_error *make_room(struct nmibt_percpu *p)
{
	p->possible = calloc(p->nr, sizeof(*p->possible));
	p->offsets = calloc(p->nr, sizeof(*p->offsets));
	p->known = calloc(p->nr, sizeof(*p->known));
	p->online = calloc(p->nr, sizeof(*p->online));
	return p->possible && p->offsets && p->known && p->online ? NULL : nmibt_error_nomem();
}

/* The mask is called cpu_possible_bits up to 4.4. */
static bool possible_mask(struct nmibt_kernel *kernel, uint64_t *ret)
{
	return nmibt_symbol_addr(kernel, "__cpu_possible_mask", ret) ||
	       nmibt_symbol_addr(kernel, "cpu_possible_bits", ret);
}

/* CPU numbers may have gaps, but mostly they don't. */
static struct nmibt_error *read_possible(struct nmibt_percpu *p, struct nmibt_kernel *kernel)
{
	uint64_t mask[NMIBT_MAX_CPUS / WORD_BITS], vaddr;
	size_t len = (p->nr + WORD_BITS - 1) / WORD_BITS * sizeof(*mask);
	unsigned int nr_possible = 0;

	if (!possible_mask(kernel, &vaddr))
		return nmibt_no_symbol(kernel, "__cpu_possible_mask");
	enum nmibt_read status = nmibt_kernel_read(kernel, vaddr, mask, len);
	if (status != NMIBT_READ_OK) {
		nmibt_add_reason(p->why,
				 "__cpu_possible_mask at %#" PRIx64 " is %s: all CPUs are "
				 "taken to be possible",
				 vaddr, nmibt_read_name(status));
		memset(mask, 0xff, len);
	}
	for (unsigned int cpu = 0; cpu < p->nr; cpu++) {
		p->possible[cpu] = mask[cpu / WORD_BITS] >> cpu % WORD_BITS & 1;
		nr_possible += p->possible[cpu];
	}
	if (!nr_possible)
		return nmibt_error_create(NMIBT_ERR_DAMAGED,
					  "__cpu_possible_mask at %#" PRIx64 " has no CPU", vaddr);
	return NULL;
}

/* Reads which CPUs were online. A kernel may take CPUs offline when it stops them
 * (arch/arm64/kernel/smp.c: ipi_cpu_crash_stop(), 6.12). If the mask is not known, no CPU counts as
 * online. */
static void read_online(struct nmibt_percpu *p, struct nmibt_kernel *kernel)
{
	uint64_t mask[NMIBT_MAX_CPUS / WORD_BITS], vaddr;
	size_t len = (p->nr + WORD_BITS - 1) / WORD_BITS * sizeof(*mask);

	if (!nmibt_symbol_addr(kernel, "__cpu_online_mask", &vaddr))
		return;
	enum nmibt_read status = nmibt_kernel_read(kernel, vaddr, mask, len);
	if (status != NMIBT_READ_OK) {
		add_unread(p, "__cpu_online_mask", vaddr, status);
		return;
	}
	for (unsigned int cpu = 0; cpu < p->nr; cpu++)
		p->online[cpu] = mask[cpu / WORD_BITS] >> cpu % WORD_BITS & 1;
}

static struct nmibt_error *read_offsets(struct nmibt_percpu *p, struct nmibt_kernel *kernel)
{
	size_t len = p->nr * sizeof(*p->offsets);
	_cleanup_free_ bool *known = calloc(len, sizeof(*known));
	unsigned int unknown = 0;
	uint64_t vaddr;

	if (!known)
		return nmibt_error_nomem();
	if (!nmibt_symbol_addr(kernel, "__per_cpu_offset", &vaddr))
		return nmibt_no_symbol(kernel, "__per_cpu_offset");
	nmibt_kernel_read_pages(kernel, vaddr, p->offsets, len, known);
	for (unsigned int cpu = 0; cpu < p->nr; cpu++) {
		const bool *bytes = known + cpu * sizeof(*p->offsets);

		/* An offset may lie in two pages, so its first and last byte are checked. */
		p->known[cpu] = bytes[0] && bytes[sizeof(*p->offsets) - 1];
		unknown += p->possible[cpu] && !p->known[cpu];
	}
	if (unknown)
		nmibt_add_reason(p->why,
				 "__per_cpu_offset at %#" PRIx64 " can't be read for %u CPU%s",
				 vaddr, unknown, nmibt_plural(unknown));
	return NULL;
}

/* -------------------------------------------------------------- the panic, notes */

/* Reads an int or atomic_t that holds a CPU number or -1. False: there is no such symbol. */
static bool read_cpu(struct nmibt_percpu *p, struct nmibt_kernel *kernel, const char *name,
		     int *ret)
{
	uint64_t vaddr;
	int32_t cpu;

	if (!nmibt_symbol_addr(kernel, name, &vaddr))
		return false;
	enum nmibt_read status = nmibt_kernel_read(kernel, vaddr, &cpu, sizeof(cpu));
	if (status != NMIBT_READ_OK)
		add_unread(p, name, vaddr, status);
	else if (cpu < -1 || (cpu >= 0 && ((unsigned int)cpu >= p->nr || !p->possible[cpu])))
		nmibt_add_reason(p->why, "%s is %" PRId32 ", which is no CPU", name, cpu);
	else
		*ret = cpu;
	return true;
}

/*
 * panic_cpu exists since 4.5. Before that, and on x86 only, nmi_shootdown_cpus() sets crashing_cpu
 * on the way to kdump (arch/x86/kernel/reboot.c, 4.4). Until then crashing_cpu is 0, so it is used
 * only if CRASHTIME shows that the kernel went to kdump.
 */
static void read_panic_cpu(struct nmibt_percpu *p, struct nmibt_kernel *kernel)
{
	p->panic_cpu = p->redirected_from = -1;
	int panic_cpu = INT_MIN;

	if (read_cpu(p, kernel, "panic_cpu", &panic_cpu)) {
		p->has_not_panicked = panic_cpu == -1;
		p->is_panic_cpu_lost = panic_cpu == INT_MIN;
		p->panic_cpu = panic_cpu < 0 ? -1 : panic_cpu;
	} else if (kernel->vmcoreinfo.crashtime.known) {
		read_cpu(p, kernel, "crashing_cpu", &p->panic_cpu);
	}
	read_cpu(p, kernel, "panic_redirect_cpu", &p->redirected_from);
}

/* crash_notes is a pointer to per-CPU data, note_buf_t __percpu *. */
static void read_crash_notes(struct nmibt_percpu *p, struct nmibt_kernel *kernel)
{
	uint64_t vaddr, notes;

	if (!nmibt_symbol_addr(kernel, "crash_notes", &vaddr))
		return;
	enum nmibt_read status = nmibt_kernel_read(kernel, vaddr, &notes, sizeof(notes));
	if (status == NMIBT_READ_OK)
		p->crash_notes = notes;
	else
		add_unread(p, "crash_notes", vaddr, status);
}

/* ------------------------------------------------------------------- opening */

static struct nmibt_error *read_cpus(struct nmibt_percpu *p, struct nmibt_kernel *kernel)
{
	struct nmibt_error *err = read_nr(p, kernel);

	if (!err)
		err = make_room(p);
	if (!err)
		err = read_possible(p, kernel);
	if (!err)
		err = read_offsets(p, kernel);
	return err;
}

struct nmibt_error *nmibt_percpu_open(struct nmibt_kernel *kernel, struct nmibt_percpu **ret)
{
	struct nmibt_percpu *p = calloc(1, sizeof(*p));
	if (!p)
		return nmibt_error_nomem();

	struct nmibt_error *err = read_cpus(p, kernel);
	if (err) {
		nmibt_percpu_close(p);
		return err;
	}
	read_online(p, kernel);
	read_panic_cpu(p, kernel);
	read_crash_notes(p, kernel);
	*ret = p;
	return NULL;
}

void nmibt_percpu_close(struct nmibt_percpu *percpu)
{
	if (!percpu)
		return;
	free(percpu->possible);
	free(percpu->offsets);
	free(percpu->known);
	free(percpu->online);
	free(percpu);
}

/* ----------------------------------------------------------------- addresses */

const struct nmibt_percpu *nmibt_kernel_percpu(struct nmibt_kernel *kernel)
{
	return nmibt_kernel_failure(kernel, NMIBT_PART_PERCPU) ? NULL : kernel->percpu;
}

bool nmibt_percpu_addr(struct nmibt_kernel *kernel, unsigned int cpu, uint64_t variable,
		       uint64_t *ret)
{
	const struct nmibt_percpu *p = nmibt_kernel_percpu(kernel);

	if (!p || cpu >= p->nr || !p->possible[cpu] || !p->known[cpu])
		return false;
	*ret = variable + p->offsets[cpu];
	return true;
}

bool nmibt_percpu_note(struct nmibt_kernel *kernel, unsigned int cpu, uint64_t *ret)
{
	const struct nmibt_percpu *p = nmibt_kernel_percpu(kernel);

	return p && p->crash_notes && nmibt_percpu_addr(kernel, cpu, p->crash_notes, ret);
}

enum nmibt_note nmibt_percpu_read_note(struct nmibt_kernel *kernel, unsigned int cpu,
				       struct nmibt_regs *ret, int *ret_pid)
{
	uint64_t vaddr;

	if (!nmibt_percpu_note(kernel, cpu, &vaddr))
		vaddr = 0;
	return nmibt_read_note_virtual(kernel, vaddr, nmibt_note_size(kernel->image->arch), ret,
				       ret_pid);
}
