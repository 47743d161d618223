// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libdwfl unwinds the threads of a process that it is attached to. Here the process is the memory
 * of a dump. It has one thread, which is the CPU whose stack is unwound, and one module, the
 * vmlinux. The module is reported at the address at which the kernel ran, so that neither pcs nor
 * addresses on the stacks have to be relocated, some of which point into the kernel's image.
 *
 * Without call frame information libdwfl falls back on its own guesses: on x86_64 it takes any rbp
 * for a frame pointer, which kernels do not have; on arm64 it takes lr for a return address, which
 * libdwfl has overwritten with pc by then (backends/x86_64_unwind.c, aarch64_unwind.c, 0.188). So
 * we first check that each pc has call frame information.
 */
#include <elfutils/libdwfl.h>
#include <inttypes.h>

#include "debuginfo/cfi.h"

#define THREAD 1

/* The index in pr_reg of each of DWARF's register numbers: System V ABI of x86_64, figure 3.36;
 * DWARF for the Arm 64-bit Architecture, 4.1. */
static const struct machine {
	unsigned int sp, fp; /* DWARF's register numbers */
	unsigned int nr;
	unsigned char pr_reg[33];
} x86_64 = {7, 6, 17, {10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0, 16}},
  arm64 = {31, 29, 32, {0,  1,	2,  3,	4,  5,	6,  7,	8,  9,	10, 11, 12, 13, 14, 15,
			16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31}};

struct nmibt_cfi {
	Dwfl *dwfl;
	const struct nmibt_debugfile *file;
	Elf *elf;
	const char *path;
	/* The stack that is being unwound: */
	const struct machine *machine;
	struct nmibt_walk *walk;
	const struct nmibt_regs *regs;
	uint64_t pc; /* where unwinding begins */
	unsigned int nr_frames; /* number of valid frames from there on */
	uint64_t last_pc, sp, fp; /* of the last frame; 0: unknown */
	bool ended; /* the walk takes no more frames */
};

/* ------------------------------------------------------------------- callbacks */

static pid_t next_thread(Dwfl *dwfl, void *arg, void **thread)
{
	(void)dwfl;
	if (*thread)
		return 0;
	*thread = arg;
	return THREAD;
}

static bool get_thread(Dwfl *dwfl, pid_t tid, void *arg, void **thread)
{
	(void)dwfl;
	*thread = arg;
	return tid == THREAD;
}

/* Any word may be a return address with pointer authentication, so that is removed from every word.
 * It changes other words, but of those libdwfl only uses addresses. */
static bool memory_read(Dwfl *dwfl, Dwarf_Addr addr, Dwarf_Word *ret, void *arg)
{
	struct nmibt_cfi *cfi = arg;
	uint64_t word;

	(void)dwfl;
	if (!nmibt_walk_need(cfi->walk, addr, &word, sizeof(word)))
		return false;
	*ret = nmibt_walk_strip(cfi->walk, word);
	return true;
}

static bool set_initial_registers(Dwfl_Thread *thread, void *arg)
{
	const struct nmibt_cfi *cfi = arg;
	const struct machine *machine = cfi->machine;
	Dwarf_Word words[ARRAY_SIZE(machine->pr_reg)];

	for (unsigned int i = 0; i < machine->nr; i++)
		words[i] = cfi->regs->value[machine->pr_reg[i]];
	if (machine == &arm64)
		words[ARM64_LR] = nmibt_walk_strip(cfi->walk, words[ARM64_LR]);
	else
		words[machine->sp] = cfi->sp;
	if (!dwfl_thread_state_registers(thread, 0, machine->nr, words))
		return false;
	dwfl_thread_state_register_pc(thread, cfi->pc);
	return true;
}

static const Dwfl_Thread_Callbacks thread_callbacks = {
	.next_thread = next_thread,
	.get_thread = get_thread,
	.memory_read = memory_read,
	.set_initial_registers = set_initial_registers,
};

/* ---------------------------------------------------------------------- frames */

static bool is_described(Dwarf_CFI *cfi, Dwarf_Addr pc)
{
	Dwarf_Frame *frame;

	if (!cfi || dwarf_cfi_addrframe(cfi, pc, &frame))
		return false;
	free(frame);
	return true;
}

/* True: the vmlinux has call frame information for pc. pc is the address of an instruction; a
 * return address may already be behind the function's end. */
static bool has_cfi(struct nmibt_cfi *cfi, uint64_t pc)
{
	Dwfl_Module *module = dwfl_addrmodule(cfi->dwfl, pc);
	Dwarf_Addr bias = 0;
	Dwarf_CFI *table;

	if (!module)
		return false;
	table = dwfl_module_eh_cfi(module, &bias);
	if (is_described(table, pc - bias))
		return true;
	table = dwfl_module_dwarf_cfi(module, &bias);
	return is_described(table, pc - bias);
}

static uint64_t register_of(Dwfl_Frame *frame, unsigned int number)
{
	Dwarf_Word word;

	return dwfl_frame_reg(frame, number, &word) ? 0 : word;
}

/* True: sp is above that of the frame before. Only the first frame may use no stack: a function on
 * arm64 that has not called or pushed anything yet. */
static bool goes_up(struct nmibt_cfi *cfi, uint64_t sp)
{
	if (cfi->nr_frames == 1 && sp == cfi->sp)
		return cfi->machine == &arm64;
	return nmibt_walk_take(cfi->walk, sp - 8, 8);
}

static int visit_frame(Dwfl_Frame *frame, void *arg)
{
	struct nmibt_cfi *cfi = arg;
	bool is_first = !cfi->nr_frames;
	uint64_t sp = register_of(frame, cfi->machine->sp);
	Dwarf_Addr pc;

	if (!dwfl_frame_pc(frame, &pc, NULL))
		return DWARF_CB_ABORT;
	pc = nmibt_walk_strip(cfi->walk, pc);
	if (!is_first && !nmibt_walk_is_return(cfi->walk, pc)) {
		nmibt_walk_end(cfi->walk, NMIBT_END_NONSENSE, sp - 8);
		return DWARF_CB_ABORT;
	}
	if (!is_first && !goes_up(cfi, sp))
		return DWARF_CB_ABORT;
	cfi->nr_frames++;
	cfi->last_pc = pc;
	cfi->sp = sp;
	cfi->fp = register_of(frame, cfi->machine->fp);
	/* The caller of unwind_cfi() has added the first frame already. */
	cfi->ended = !is_first && !nmibt_walk_add(cfi->walk, pc, true, true);
	if (cfi->ended)
		return DWARF_CB_ABORT;
	if (has_cfi(cfi, is_first ? pc : pc - 1))
		return DWARF_CB_OK;
	nmibt_walk_end(cfi->walk, NMIBT_END_NO_UNWIND_DATA, pc);
	return DWARF_CB_ABORT;
}

/* Adds the callers of pc as far as call frame information leads. False: the walk takes no more
 * frames. */
static bool unwind_cfi(struct nmibt_cfi *cfi, const struct nmibt_regs *regs, uint64_t pc,
		       uint64_t sp)
{
	cfi->regs = regs;
	cfi->nr_frames = 0;
	cfi->pc = pc;
	cfi->sp = sp;
	cfi->ended = false;
	cfi->last_pc = pc;
	/* dwfl_getthread_frames() returns 0 where call frame information marks the outermost
	 * function. */
	if (has_cfi(cfi, pc) && !dwfl_getthread_frames(cfi->dwfl, THREAD, visit_frame, cfi))
		nmibt_walk_end(cfi->walk, NMIBT_END_COMPLETE, 0);
	nmibt_walk_end(cfi->walk, NMIBT_END_NO_UNWIND_DATA, cfi->last_pc);
	return !cfi->ended;
}

/* Where an exception interrupted the kernel, unwinding begins anew at the saved registers. */
static void unwind_arm64(struct nmibt_cfi *cfi, struct nmibt_regs *regs)
{
	struct nmibt_walk *walk = cfi->walk;
	uint64_t fp;

	do {
		uint64_t pc = regs->value[ARM64_PC], sp = regs->value[ARM64_SP];

		if (!nmibt_walk_add(walk, pc, false, true) || !unwind_cfi(cfi, regs, pc, sp))
			return;
		nmibt_walk_retry(walk);
		fp = cfi->fp;
		if (cfi->nr_frames < 2) { /* call frame information found no caller */
			fp = regs->value[ARM64_FP];
			if (!nmibt_walk_lr(walk, regs))
				return;
		}
	} while (nmibt_walk_records(walk, fp, regs));
}

/* If pc is no code, a bad call went there, which has only pushed its return address. */
static void unwind_x86_64(struct nmibt_cfi *cfi, const struct nmibt_regs *regs)
{
	struct nmibt_walk *walk = cfi->walk;
	uint64_t pc = regs->value[X86_IP], sp = regs->value[X86_SP], caller;

	if (!nmibt_walk_add(walk, pc, false, true))
		return;
	if (nmibt_walk_is_code(walk, pc)) {
		unwind_cfi(cfi, regs, pc, sp);
		return;
	}
	if (!nmibt_walk_need(walk, sp, &caller, sizeof(caller)))
		return;
	if (!nmibt_walk_is_return(walk, caller))
		nmibt_walk_end(walk, NMIBT_END_NONSENSE, sp);
	else if (nmibt_walk_add(walk, caller, true, true))
		unwind_cfi(cfi, regs, caller - 1, sp + 8);
}

/* ---------------------------------------------------------------------- a step */

struct step {
	const struct machine *machine;
	unsigned int nr_frames;
	uint64_t pc, sp, fp; /* 0: unknown */
};

static int visit_caller(Dwfl_Frame *frame, void *arg)
{
	struct step *step = arg;
	Dwarf_Addr pc;

	if (!step->nr_frames++)
		return DWARF_CB_OK;
	if (dwfl_frame_pc(frame, &pc, NULL))
		step->pc = pc;
	step->sp = register_of(frame, step->machine->sp);
	step->fp = register_of(frame, step->machine->fp);
	return DWARF_CB_ABORT;
}

bool nmibt_cfi_caller(void *arg, struct nmibt_walk *walk, struct nmibt_regs *regs, bool is_return)
{
	struct nmibt_cfi *cfi = arg;
	struct step step = {.machine = cfi->machine};

	cfi->walk = walk;
	cfi->regs = regs;
	cfi->pc = regs->value[X86_IP] - is_return;
	cfi->sp = regs->value[X86_SP];
	if (cfi->machine != &x86_64 || !has_cfi(cfi, cfi->pc))
		return false;
	dwfl_getthread_frames(cfi->dwfl, THREAD, visit_caller, &step);
	cfi->walk = NULL;
	if (!step.pc || !step.sp)
		return false;
	nmibt_walk_retry(walk);
	regs->value[X86_IP] = step.pc;
	regs->value[X86_SP] = step.sp;
	regs->value[X86_BP] = step.fp;
	return true;
}

struct nmibt_error *nmibt_cfi_unwind(struct nmibt_cfi *cfi, struct nmibt_kernel *kernel,
				     const struct nmibt_regs *regs, struct nmibt_stack *ret)
{
	struct nmibt_walk walk;
	struct nmibt_regs at = *regs;
	struct nmibt_error *err = nmibt_check_regs(kernel->image->arch, regs);

	if (err)
		return err;
	if (kernel->image->arch != NMIBT_ARCH_ARM64 && kernel->image->arch != NMIBT_ARCH_X86_64)
		return nmibt_error_create(NMIBT_ERR_NOTHING,
					  "call frame information of this architecture is not "
					  "known");
	if (nmibt_walk_init(&walk, kernel, regs)) {
		cfi->walk = &walk;
		if (kernel->image->arch == NMIBT_ARCH_ARM64)
			unwind_arm64(cfi, &at);
		else
			unwind_x86_64(cfi, &at);
		cfi->walk = NULL;
	}
	return nmibt_walk_finish(&walk, ret);
}

/* ---------------------------------------------------------------------- opening */

static int find_elf(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
		    char **file_name, Elf **ret)
{
	const struct nmibt_cfi *cfi = *userdata;

	(void)module, (void)name, (void)base;
	*file_name = strdup(cfi->path);
	*ret = elf_begin(-1, ELF_C_READ_MMAP, cfi->elf);
	return -1;
}

static int find_debuginfo(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
			  const char *file_name, const char *link, GElf_Word crc, char **ret_path)
{
	const struct nmibt_cfi *cfi = *userdata;

	(void)module, (void)name, (void)base, (void)file_name, (void)crc;
	return nmibt_debugfile_open_split_off(cfi->file, link, ret_path);
}

static const Dwfl_Callbacks callbacks = {
	.find_elf = find_elf,
	.find_debuginfo = find_debuginfo,
};

/* *low: the address of the first segment, which libdwfl needs; *high: the end of the highest
 * segment. The segment of x86_64's per-CPU variables is at 0. */
static bool find_bounds(Elf *elf, GElf_Addr *low, GElf_Addr *high)
{
	size_t nr;
	GElf_Phdr segment;
	bool found = false;

	*low = *high = 0;
	if (elf_getphdrnum(elf, &nr))
		return false;
	for (size_t i = 0; i < nr && gelf_getphdr(elf, i, &segment); i++) {
		if (segment.p_type != PT_LOAD)
			continue;
		if (!found)
			*low = segment.p_vaddr & -segment.p_align;
		found = true;
		if (segment.p_vaddr + segment.p_memsz > *high)
			*high = segment.p_vaddr + segment.p_memsz;
	}
	return found && *high > *low;
}

static bool report(struct nmibt_cfi *cfi, uint64_t offset)
{
	GElf_Addr low, high;
	void **userdata;

	cfi->dwfl = dwfl_begin(&callbacks);
	if (!cfi->dwfl || !find_bounds(cfi->elf, &low, &high))
		return false;
	dwfl_report_begin(cfi->dwfl);
	Dwfl_Module *module = dwfl_report_module(cfi->dwfl, "kernel", low + offset, high + offset);
	if (!module || dwfl_report_end(cfi->dwfl, NULL, NULL))
		return false;
	dwfl_module_info(module, &userdata, NULL, NULL, NULL, NULL, NULL, NULL);
	*userdata = cfi;
	return dwfl_attach_state(cfi->dwfl, NULL, THREAD, &thread_callbacks, cfi);
}

struct nmibt_error *nmibt_cfi_open(const struct nmibt_debugfile *file, Elf *elf, const char *path,
				   uint64_t offset, struct nmibt_cfi **ret)
{
	struct nmibt_cfi *cfi = calloc(1, sizeof(*cfi));
	GElf_Ehdr header;

	if (!cfi)
		return nmibt_error_nomem();
	cfi->file = file;
	cfi->elf = elf;
	cfi->path = path;
	if (gelf_getehdr(elf, &header))
		cfi->machine = header.e_machine == EM_X86_64	? &x86_64
			       : header.e_machine == EM_AARCH64 ? &arm64
								: NULL;
	if (!cfi->machine || !report(cfi, offset)) {
		nmibt_cfi_close(cfi);
		return nmibt_error_create(NMIBT_ERR_UNUSABLE, "%s: no stack can be unwound by it",
					  path);
	}
	*ret = cfi;
	return NULL;
}

void nmibt_cfi_close(struct nmibt_cfi *cfi)
{
	if (!cfi)
		return;
	dwfl_end(cfi->dwfl);
	free(cfi);
}
