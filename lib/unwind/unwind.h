/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The frames of a stack in the image's memory, from the registers that a CPU was
 * stopped with, by what the kernel itself has there for that: no vmlinux is needed.
 */
#ifndef NMIBT_UNWIND_H
#define NMIBT_UNWIND_H

#include "text/text.h"

/*
 * arm64: by frame pointers, which kernels are always built with. x86_64: by the kernel's
 * ORC tables, which it has since 4.14, unless it was built for another unwinder; those
 * of modules only where the layout of struct module is known.
 *
 * kernel is borrowed for the life of *ret. Fails with NOTHING where there is no way,
 * DAMAGED where the tables make no sense.
 */
struct nmibt_unwinder;
struct nmibt_error *nmibt_unwinder_open(struct nmibt_kernel *kernel, struct nmibt_unwinder **ret);
void nmibt_unwinder_close(struct nmibt_unwinder *unwinder); /* NULL is allowed */

/*
 * At most 128 frames; the stack says why it ends where it does. Registers of user mode
 * stand on no stack of the kernel's: *ret has no frame then and ends with NMIBT_END_USER.
 * Fails with NOTHING where there are no registers. The caller destroys *ret.
 */
struct nmibt_error *nmibt_unwind(struct nmibt_unwinder *unwinder, const struct nmibt_regs *regs,
				 struct nmibt_stack *ret);

/*
 * What all ways to find the frames of a stack share. Each adds them to a walk, which sees
 * to it that it comes to an end, whatever memory holds.
 */

/* Indexes in pr_reg; x86_64's go on as struct pt_regs does, up to ss. */
enum { ARM64_FP = 29, ARM64_LR = 30, ARM64_SP = 31, ARM64_PC = 32, ARM64_NR_REGS = 34 };
enum { X86_BP = 4, X86_IP = 16, X86_CS = 17, X86_FLAGS = 18, X86_SP = 19, X86_NR_PT_REGS = 21 };

struct nmibt_walk;
struct nmibt_unwind_arch;

/*
 * Another way to find who called a function: turns its registers into those of its caller.
 * Of both only pc, sp and frame pointer are sure to be right. is_return: pc is a return
 * address. False: not known, and regs are as they were.
 */
typedef bool (*nmibt_caller_fn)(void *arg, struct nmibt_walk *walk, struct nmibt_regs *regs,
				bool is_return);

/* x86_64: for functions that the tables don't have. arg is borrowed. */
void nmibt_unwinder_use(struct nmibt_unwinder *unwinder, nmibt_caller_fn caller, void *arg);

#define NMIBT_MAX_FRAMES 128
#define NMIBT_MAX_STACKS 4

struct nmibt_walk {
	struct nmibt_kernel *kernel;
	const struct nmibt_unwind_arch *arch; /* NULL: not known */
	uint64_t pac_mask; /* bits of an address that may be its signature */
	bool is_guess; /* no frame is reliable from here on */
	nmibt_caller_fn caller; /* NULL: none */
	void *caller_arg;
	struct nmibt_walk_frame {
		uint64_t addr;
		bool is_return; /* behind a call; else of the instruction that was to come next */
		bool reliable;
	} frames[NMIBT_MAX_FRAMES];
	unsigned int nr_frames;
	/* What was taken of each stack, [low, high), the current one last. */
	struct nmibt_walk_stack {
		uint64_t low, high;
		unsigned int first; /* frame on it */
		bool by_regs; /* registers that an exception saved led to it, and no call */
	} stacks[NMIBT_MAX_STACKS];
	unsigned int nr_stacks;
	unsigned int taken; /* frames up to this one have their memory */
	enum nmibt_stack_end end;
	uint64_t end_addr;
};

/* False: there is no frame to begin with, and walk->end says why. kernel is borrowed for the
 * life of the walk; regs are those of kernel mode or user mode, whole. */
bool nmibt_walk_init(struct nmibt_walk *walk, struct nmibt_kernel *kernel,
		     const struct nmibt_regs *regs);
/* Are the registers, which are present, of user mode? */
bool nmibt_is_user_mode(enum nmibt_arch arch, const struct nmibt_regs *regs);
/* Are interrupts masked in the registers, which are present? */
bool nmibt_has_irqs_off(enum nmibt_arch arch, const struct nmibt_regs *regs);
/* NOTHING where regs are missing or not those of the architecture. */
struct nmibt_error *nmibt_check_regs(enum nmibt_arch arch, const struct nmibt_regs *regs);
/* What was found, named; the caller destroys *ret. */
struct nmibt_error *nmibt_walk_finish(struct nmibt_walk *walk, struct nmibt_stack *ret);

/* Says why the walk ends, unless that was said before; returns false. */
bool nmibt_walk_end(struct nmibt_walk *walk, enum nmibt_stack_end end, uint64_t addr);

/* Another way is tried: forgets why the one before ended. */
void nmibt_walk_retry(struct nmibt_walk *walk);

/* Adds a frame. False: it was the last. */
bool nmibt_walk_add(struct nmibt_walk *walk, uint64_t pc, bool is_return, bool reliable);

/* Takes [addr, addr + size) as memory of the next frame. False: it can't be, because the
 * walk would go back, or around; that ends it. */
bool nmibt_walk_take(struct nmibt_walk *walk, uint64_t addr, uint64_t size);

/* All or nothing. */
bool nmibt_walk_read(struct nmibt_walk *walk, uint64_t addr, void *buf, size_t len);
/* As nmibt_walk_read(), of what the walk can't go on without: a failure ends it. */
bool nmibt_walk_need(struct nmibt_walk *walk, uint64_t addr, void *buf, size_t len);

/* pc as a kernel address: pointer authentication is taken out. */
uint64_t nmibt_walk_strip(const struct nmibt_walk *walk, uint64_t pc);

/* May addr be of code, and pc be a return address? */
bool nmibt_walk_is_code(struct nmibt_walk *walk, uint64_t addr);
bool nmibt_walk_is_return(struct nmibt_walk *walk, uint64_t pc);

/* Where the function of addr begins. False: not known. */
bool nmibt_walk_start(struct nmibt_walk *walk, uint64_t addr, uint64_t *ret);

/* -------------------------------------------------------------------- arm64 */

/* Adds the function that called the one that regs are in, where that is not in a frame
 * record yet. False: no more. */
bool nmibt_walk_lr(struct nmibt_walk *walk, const struct nmibt_regs *regs);

/* Adds frames by the records from fp on. True: they led to an exception that interrupted
 * the kernel, and *ret are the registers there, not yet added. */
bool nmibt_walk_records(struct nmibt_walk *walk, uint64_t fp, struct nmibt_regs *ret);

#endif /* NMIBT_UNWIND_H */
