// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The registers of virtual CPUs, if a hypervisor dumped its guest. QEMU writes a note NT_PRSTATUS
 * for each virtual CPU, in order, and pr_pid is the index of the CPU + 1 (dump/dump.c:
 * write_elf64_notes(), cpu_index(), QEMU 10.0). virsh dump --memory-only makes QEMU write it.
 * kdump's notes are those of tasks: pr_pid is the task's PID, and the notes have no order that one
 * can rely on.
 *
 * Linux numbers its CPUs as the firmware lists them, which is the order of the virtual CPUs. If
 * the numbers in the notes have gaps, a CPU was unplugged from the machine: then nothing tells
 * which note belongs to which CPU.
 */
#include "image/image.h"
#include "kernel/kernel.h"

static bool is_prstatus(const struct nmibt_elf_note *note)
{
	return note->type == NT_PRSTATUS && nmibt_note_is(note, "CORE");
}

static size_t count_notes(const char *notes, size_t len)
{
	struct nmibt_elf_note note;
	size_t nr = 0;

	for (size_t at = 0; nmibt_next_note(notes, len, at, &note); at = note.next)
		nr += is_prstatus(&note);
	return nr;
}

/* struct QEMUCPUState, target/i386/arch_dump.c, QEMU 10.0: 18 registers behind two words of 32
 * bits, 10 segments of 24 bytes, cr[5], kernel_gs_base. */
#define QEMU_CR0 392
#define CR0_PE 1

/* Protected mode is off: the CPU never ran the kernel, or a firmware has it. Its CS is no selector,
 * so that it has no bits that would tell user mode. */
static void find_real_modes(const char *notes, size_t len, struct nmibt_vcpus *vcpus)
{
	struct nmibt_elf_note note;
	unsigned int nr = 0;
	uint64_t cr0;

	for (size_t at = 0; nmibt_next_note(notes, len, at, &note) && nr < vcpus->nr;
	     at = note.next) {
		if (note.type || !nmibt_note_is(&note, "QEMU"))
			continue;
		if (note.size >= QEMU_CR0 + sizeof(cr0) &&
		    note.at + QEMU_CR0 + sizeof(cr0) <= len) {
			memcpy(&cr0, notes + note.at + QEMU_CR0, sizeof(cr0));
			/* Some bits of it are always set: 0 is none that a CPU had. */
			vcpus->is_real_mode[nr] = cr0 && !(cr0 & CR0_PE);
		}
		nr++;
	}
}

/* Reads the registers in note. False: the note is not that of virtual CPU nr, or it is cut. */
static bool read_regs(enum nmibt_arch arch, const char *notes, size_t len,
		      const struct nmibt_elf_note *note, unsigned int nr, struct nmibt_regs *ret)
{
	size_t left = note->at < len ? len - note->at : 0;
	int pid;

	return nmibt_read_prstatus(arch, notes + note->at, note->size < left ? note->size : left,
				   ret, &pid) &&
	       pid > 0 && (unsigned int)pid == nr + 1;
}

static struct nmibt_error *read_vcpus(enum nmibt_arch arch, const char *notes, size_t len,
				      struct nmibt_vcpus *vcpus)
{
	size_t nr = count_notes(notes, len);
	struct nmibt_elf_note note;

	if (!nr)
		return nmibt_error_create(NMIBT_ERR_NOTHING, "the dump has no registers of "
							     "virtual CPUs");
	if (nr > NMIBT_MAX_CPUS)
		return nmibt_error_create(NMIBT_ERR_DAMAGED,
					  "the dump has registers of %zu virtual CPUs, more "
					  "than %u",
					  nr, NMIBT_MAX_CPUS);
	vcpus->regs = calloc(nr, sizeof(*vcpus->regs));
	vcpus->is_real_mode = calloc(nr, sizeof(*vcpus->is_real_mode));
	if (!vcpus->regs || !vcpus->is_real_mode)
		return nmibt_error_nomem();
	for (size_t at = 0; nmibt_next_note(notes, len, at, &note); at = note.next) {
		if (!is_prstatus(&note))
			continue;
		if (!read_regs(arch, notes, len, &note, vcpus->nr, &vcpus->regs[vcpus->nr]))
			return nmibt_error_create(NMIBT_ERR_DAMAGED,
						  "registers of %zu virtual CPU%s are in the dump, "
						  "but not those of 0 to %zu in order: nothing "
						  "tells which belong to which CPU",
						  nr, nmibt_plural(nr), nr - 1);
		vcpus->nr++;
	}
	if (arch == NMIBT_ARCH_X86_64)
		find_real_modes(notes, len, vcpus);
	return NULL;
}

struct nmibt_error *nmibt_vcpus_open(struct nmibt_kernel *kernel, struct nmibt_vcpus **ret)
{
	const struct nmibt_image *image = kernel->image;
	size_t len;

	if (!image->ops->notes || !nmibt_reg_names(image->arch))
		return nmibt_error_create(NMIBT_ERR_NOTHING,
					  "registers of virtual CPUs can't be read here");
	_cleanup_free_ char *notes = image->ops->notes(image->ctx, &len);
	if (!notes)
		return nmibt_error_create(NMIBT_ERR_NOTHING, "the dump has no notes");

	struct nmibt_vcpus *vcpus = calloc(1, sizeof(*vcpus));
	if (!vcpus)
		return nmibt_error_nomem();
	struct nmibt_error *err = read_vcpus(image->arch, notes, len, vcpus);
	if (err) {
		nmibt_vcpus_close(vcpus);
		return err;
	}
	*ret = vcpus;
	return NULL;
}

void nmibt_vcpus_close(struct nmibt_vcpus *vcpus)
{
	if (!vcpus)
		return;
	free(vcpus->regs);
	free(vcpus->is_real_mode);
	free(vcpus);
}

const struct nmibt_vcpus *nmibt_kernel_vcpus(struct nmibt_kernel *kernel)
{
	return nmibt_kernel_failure(kernel, NMIBT_PART_VCPUS) ? NULL : kernel->vcpus;
}

/* ------------------------------------------------------------- the current task */

/*
 * *ret: the virtual address of the task that cpu runs. x86_64 has it in current_task; in 6.2 to
 * 6.14 in the first member of pcpu_hot, which has to be 64 bytes large
 * (arch/x86/include/asm/current.h, 6.1, 6.12, 6.15). arm64 has it in __entry_task, which becomes
 * sp_el0 at the next entry from user mode (arch/arm64/kernel/process.c: entry_task_switch(), 6.12).
 */
static bool find_current(struct nmibt_kernel *kernel, unsigned int cpu, uint64_t *ret)
{
	static const char *const names[] = {"current_task", "pcpu_hot", "__entry_task"};
	uint64_t variable, vaddr;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (nmibt_symbol_addr(kernel, names[i], &variable))
			return nmibt_percpu_addr(kernel, cpu, variable, &vaddr) &&
			       nmibt_kernel_read(kernel, vaddr, ret, sizeof(*ret)) == NMIBT_READ_OK;
	}
	return false;
}

bool nmibt_current_task(struct nmibt_kernel *kernel, unsigned int cpu, int32_t *ret_pid,
			char *ret_comm)
{
	size_t pid, comm;
	uint64_t task;

	if (!nmibt_member_offset(kernel, "task_struct", "pid", &pid) ||
	    !find_current(kernel, cpu, &task) ||
	    nmibt_kernel_read(kernel, task + pid, ret_pid, sizeof(*ret_pid)) != NMIBT_READ_OK)
		return false;
	if (!nmibt_member_offset(kernel, "task_struct", "comm", &comm) ||
	    nmibt_kernel_read(kernel, task + comm, ret_comm, NMI_CAPTURE_COMM_LEN) != NMIBT_READ_OK)
		memset(ret_comm, 0, NMI_CAPTURE_COMM_LEN);
	return true;
}
