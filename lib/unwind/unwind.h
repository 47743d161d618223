/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Follows a stack in the image's memory, from the registers with which a CPU was stopped. It uses
 * only data that the kernel itself has in memory: no vmlinux is needed.
 */
#ifndef NMIBT_UNWIND_H
#define NMIBT_UNWIND_H

#include "text/text.h"

/*
 * On arm64 it uses frame pointers, which all kernels are built with. On x86_64 it uses the kernel's
 * ORC tables, which kernels have since 4.14, unless they were built for another unwinder. The ORC
 * tables of modules are used only if the layout of struct module is known.
 *
 * kernel is borrowed for the life of *ret. Fails with NOTHING where the stacks of this kernel can't
 * be followed, DAMAGED where the tables make no sense.
 */
struct nmibt_unwinder;
struct nmibt_error *nmibt_unwinder_open(struct nmibt_kernel *kernel, struct nmibt_unwinder **ret);
void nmibt_unwinder_close(struct nmibt_unwinder *unwinder); /* NULL is allowed */

/*
 * Follows the stack that regs point to. *ret has at most NMIBT_MAX_FRAMES frames, and says why it
 * ends; the caller destroys it. Registers of user mode point to no stack of the kernel: *ret then
 * has no frame and ends with NMIBT_END_USER. Fails with NOTHING where there are no registers.
 */
struct nmibt_error *nmibt_unwind(struct nmibt_unwinder *unwinder, const struct nmibt_regs *regs,
				 struct nmibt_stack *ret);

/* A stack as the few bytes of a record. The caller destroys what unpacking returns. */
struct nmibt_bytes;
struct nmibt_error *nmibt_stack_pack(const struct nmibt_stack *stack, struct nmibt_bytes *ret);
/* DAMAGED where they make no sense. */
struct nmibt_error *nmibt_stack_unpack(struct nmibt_str packed, struct nmibt_stack *ret);

/*
 * *ret: the caller of the function at start, which regs are in, where only a register has the
 * return address, and the call before that address shows that this is the caller. Kernels before
 * 6.14 do not print it (arch/arm64/kernel/stacktrace.c: kunwind_next_regs_lr(), 6.14). False: there
 * is no such caller, or it is not sure.
 */
bool nmibt_find_leaf_caller(struct nmibt_kernel *kernel, const struct nmibt_regs *regs,
			    uint64_t start, struct nmibt_symbol *ret);

/*
 * A walk: the shared state of the unwinders. They add frames to a walk, and the walk makes sure
 * that it ends, whatever is in memory.
 */

/* Indexes in pr_reg. On x86_64 its words up to ss are those of struct pt_regs. */
enum { ARM64_FP = 29, ARM64_LR = 30, ARM64_SP = 31, ARM64_PC = 32, ARM64_NR_REGS = 34 };
enum { X86_BP = 4, X86_IP = 16, X86_CS = 17, X86_FLAGS = 18, X86_SP = 19, X86_NR_PT_REGS = 21 };

struct nmibt_walk;
struct nmibt_unwind_arch;

/*
 * Another method to find the caller of a function: replaces its registers by those of its caller.
 * Before and after the call only pc, sp and frame pointer are sure to be right. is_return: pc is a
 * return address. False: the caller is not known, and regs are unchanged.
 */
typedef bool (*nmibt_caller_fn)(void *arg, struct nmibt_walk *walk, struct nmibt_regs *regs,
				bool is_return);

/* Sets the method for functions that the ORC tables of x86_64 do not describe. arg is borrowed. */
void nmibt_unwinder_use(struct nmibt_unwinder *unwinder, nmibt_caller_fn caller, void *arg);

#define NMIBT_MAX_FRAMES 128
#define NMIBT_MAX_STACKS 4

struct nmibt_walk {
	struct nmibt_kernel *kernel;
	const struct nmibt_unwind_arch *arch; /* NULL: not known */
	uint64_t pac_mask; /* the bits of an address that pointer authentication may use */
	bool is_guess; /* true: frames that are added from now on are not reliable */
	nmibt_caller_fn caller; /* NULL: none */
	void *caller_arg;
	struct nmibt_walk_frame {
		uint64_t addr;
		bool is_return; /* a return address; false: of the instruction to run next */
		bool reliable;
	} frames[NMIBT_MAX_FRAMES];
	unsigned int nr_frames;
	/* The range of each stack that the walk used, [low, high); the current stack is last. */
	struct nmibt_walk_stack {
		uint64_t low, high;
		unsigned int first; /* index of the first frame on it */
		bool by_regs; /* the walk came here by registers that an exception saved */
	} stacks[NMIBT_MAX_STACKS];
	unsigned int nr_stacks;
	unsigned int taken; /* number of frames whose memory was taken */
	enum nmibt_stack_end end;
	uint64_t end_addr;
};

/* Begins a walk at regs, which are complete, and of kernel mode or user mode. False: there is no
 * frame to begin with, and walk->end says why. kernel is borrowed for the life of the walk. */
bool nmibt_walk_init(struct nmibt_walk *walk, struct nmibt_kernel *kernel,
		     const struct nmibt_regs *regs);
/* True: the registers, which must be present, were saved in user mode. */
bool nmibt_is_user_mode(enum nmibt_arch arch, const struct nmibt_regs *regs);
/* *ret: the registers, which must be present, were saved with interrupts masked. False: they don't
 * tell. */
bool nmibt_knows_irqs_off(enum nmibt_arch arch, const struct nmibt_regs *regs, bool *ret);
/* NOTHING where regs are missing, or are not those of the architecture. */
struct nmibt_error *nmibt_check_regs(enum nmibt_arch arch, const struct nmibt_regs *regs);
/* Makes a stack of the walk's frames, with their names; the caller destroys *ret. */
struct nmibt_error *nmibt_walk_finish(struct nmibt_walk *walk, struct nmibt_stack *ret);

/* Sets why and where the walk ends, unless that is set already; returns false. */
bool nmibt_walk_end(struct nmibt_walk *walk, enum nmibt_stack_end end, uint64_t addr);

/* Forgets why the walk ended, because another method is tried. */
void nmibt_walk_retry(struct nmibt_walk *walk);

/* Adds a frame. False: the walk must end: it has too many frames, or was interrupted. */
bool nmibt_walk_add(struct nmibt_walk *walk, uint64_t pc, bool is_return, bool reliable);

/* Takes [addr, addr + size) as memory of the next frame. False: the address is not above the frames
 * before it, so that the walk would go in circles; that ends the walk. */
bool nmibt_walk_take(struct nmibt_walk *walk, uint64_t addr, uint64_t size);

/* Reads len bytes of virtual memory. False: not all of them can be read. */
bool nmibt_walk_read(struct nmibt_walk *walk, uint64_t addr, void *buf, size_t len);
/* As nmibt_walk_read(), for instructions. False also where their memory may have been freed: what
 * stands there tells nothing, and only some front ends can read it. */
bool nmibt_walk_read_code(struct nmibt_walk *walk, uint64_t addr, void *buf, size_t len);
/* As nmibt_walk_read(), for memory that the walk depends on: a failure ends the walk. */
bool nmibt_walk_need(struct nmibt_walk *walk, uint64_t addr, void *buf, size_t len);
/* The same of the page tables that tell what is mapped at addr. */
bool nmibt_walk_need_tables(struct nmibt_walk *walk, uint64_t addr);

/* pc as a kernel address, without the bits of pointer authentication. */
uint64_t nmibt_walk_strip(const struct nmibt_walk *walk, uint64_t pc);

/* True: addr can be code; pc can be a return address. */
bool nmibt_walk_is_code(struct nmibt_walk *walk, uint64_t addr);
bool nmibt_walk_is_return(struct nmibt_walk *walk, uint64_t pc);

/* *ret: the address of the function that contains addr. False: not known. */
bool nmibt_walk_start(struct nmibt_walk *walk, uint64_t addr, uint64_t *ret);

/* -------------------------------------------------------------------- arm64 */

/* Adds the caller of the function that regs are in, if lr has it and no frame record does. False:
 * the walk must end. */
bool nmibt_walk_lr(struct nmibt_walk *walk, const struct nmibt_regs *regs);

/* Adds frames by the frame records from fp on. True: the records led to an exception that
 * interrupted the kernel; *ret has the interrupted registers, whose frame is not added yet. */
bool nmibt_walk_records(struct nmibt_walk *walk, uint64_t fp, struct nmibt_regs *ret);

#endif /* NMIBT_UNWIND_H */
