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
 * of modules only where the image knows the layout of struct module.
 *
 * All are borrowed until nmibt_framewalk_close(). symbols may be NULL: then there is no
 * way on x86_64, and on arm64 less is reliable. Fails with NOTHING where there is no way,
 * DAMAGED where the tables make no sense.
 */
struct nmibt_framewalk;
struct nmibt_error *nmibt_framewalk_open(const struct nmibt_image *image,
					 struct nmibt_virtual *memory,
					 struct nmibt_symbols *symbols,
					 struct nmibt_framewalk **ret);
void nmibt_framewalk_close(struct nmibt_framewalk *framewalk); /* NULL is allowed */

/*
 * At most 128 frames. Where memory can't be read, or makes no sense, it ends with what
 * it has. Fails with NOTHING, before any frame, for registers of user mode or none at
 * all.
 */
struct nmibt_error *nmibt_framewalk(struct nmibt_framewalk *framewalk,
				    const struct nmibt_regs *regs, nmibt_walked_fn visit,
				    void *arg);

/*
 * What all ways to find the frames of a stack share. Each shows them through a walk,
 * which sees to it that it comes to an end, whatever memory holds.
 */

/* Indexes in pr_reg; x86_64's go on as struct pt_regs does, up to ss. */
enum { ARM64_FP = 29, ARM64_LR = 30, ARM64_SP = 31, ARM64_PC = 32, ARM64_NR_REGS = 34 };
enum { X86_BP = 4, X86_IP = 16, X86_CS = 17, X86_FLAGS = 18, X86_SP = 19, X86_NR_PT_REGS = 21 };

struct nmibt_walk;

/*
 * Another way to find who called a function: turns its registers into those of its caller.
 * Of both only pc, sp and frame pointer are sure to be right. is_return: pc is a return
 * address. False: not known, and regs are as they were.
 */
typedef bool (*nmibt_caller_fn)(void *arg, struct nmibt_walk *walk, struct nmibt_regs *regs,
				bool is_return);

/* x86_64: for functions that the tables don't have. arg is borrowed. */
void nmibt_framewalk_use(struct nmibt_framewalk *framewalk, nmibt_caller_fn caller, void *arg);

struct nmibt_walk {
	const struct nmibt_image *image;
	struct nmibt_virtual *memory;
	struct nmibt_symbols *symbols; /* NULL: none */
	nmibt_walked_fn visit;
	void *arg;
	uint64_t pac_mask; /* bits of an address that may be its signature */
	bool is_guess; /* no frame is reliable from here on */
	nmibt_caller_fn caller; /* NULL: none */
	void *caller_arg;
	unsigned int nr_frames;
	/* What was taken of each stack, [low, high), the current one last. */
	struct {
		uint64_t low, high;
	} stacks[4];
	unsigned int nr_stacks;
};

/* Fails with NOTHING for registers that no stack of the kernel stands on. All are
 * borrowed for the life of the walk. */
struct nmibt_error *nmibt_walk_init(struct nmibt_walk *walk, const struct nmibt_image *image,
				    struct nmibt_virtual *memory, struct nmibt_symbols *symbols,
				    const struct nmibt_regs *regs, nmibt_walked_fn visit,
				    void *arg);

/* Shows a frame. False: it was the last. */
bool nmibt_walk_show(struct nmibt_walk *walk, uint64_t pc, bool is_return, bool reliable);

/* Takes [addr, addr + size) as memory of the next frame. False: it can't be, because the
 * walk would go back, or around. */
bool nmibt_walk_take(struct nmibt_walk *walk, uint64_t addr, uint64_t size);

/* All or nothing. */
bool nmibt_walk_read(struct nmibt_walk *walk, uint64_t addr, void *buf, size_t len);

/* pc as a kernel address: pointer authentication is taken out. */
uint64_t nmibt_walk_strip(const struct nmibt_walk *walk, uint64_t pc);

/* May addr be of code, and pc be a return address? */
bool nmibt_walk_is_code(struct nmibt_walk *walk, uint64_t addr);
bool nmibt_walk_is_return(struct nmibt_walk *walk, uint64_t pc);

/* Where the function of addr begins. False: not known. */
bool nmibt_walk_start(struct nmibt_walk *walk, uint64_t addr, uint64_t *ret);

/* -------------------------------------------------------------------- arm64 */

/* Shows the function that called the one that regs are in, where that is not in a frame
 * record yet. False: no more. */
bool nmibt_walk_lr(struct nmibt_walk *walk, const struct nmibt_regs *regs);

/* Shows frames by the records from fp on. True: they led to an exception that interrupted
 * the kernel, and *ret are the registers there, not yet shown. */
bool nmibt_walk_records(struct nmibt_walk *walk, uint64_t fp, struct nmibt_regs *ret);

/* ------------------------------------------------------------------- x86_64 */

/* As nmibt_framewalk_open(). */
struct nmibt_orc;
struct nmibt_error *nmibt_orc_open(const struct nmibt_image *image, struct nmibt_virtual *memory,
				   struct nmibt_symbols *symbols, struct nmibt_orc **ret);
void nmibt_orc_close(struct nmibt_orc *orc); /* NULL is allowed */
void nmibt_orc_walk(struct nmibt_orc *orc, struct nmibt_walk *walk, const struct nmibt_regs *regs);

#endif /* NMIBT_UNWIND_H */
