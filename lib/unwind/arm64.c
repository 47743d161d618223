// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * arm64 (arch/arm64/kernel/stacktrace.c, 5.10 to 6.12, 7.2): x29 is the address of a frame record
 * of two words, {x29 of the caller, return address}. So each record leads to the next one. The
 * last record of a stack is {0, 0}.
 *
 * An exception that interrupts the kernel saves the registers in a struct pt_regs, which contains
 * a frame record, too. Until 6.14 that record is {x29, pc} of the interrupted function; since 6.14
 * it is {0, 0}, and a word behind it tells it from a last record. The record alone would lose the
 * caller of an interrupted function that has not saved x29 and lr yet, so we look for the saved
 * registers themselves.
 */
#include "unwind/arch.h"

#define PSTATE 33

/* ----------------------------------------------------------------------- calls */

/* The instruction before a return address. */
struct call {
	bool known; /* false: it can't be read */
	bool is_call;
	uint64_t target; /* 0: unknown */
};

/* Recognises BL, and BLR with or without authentication: Arm ARM, C4.1. */
static struct call decode_call(uint32_t instruction, uint64_t pc)
{
	struct call call = {.known = true};

	call.is_call = (instruction & 0xfefff000) == 0xd63f0000;
	if (instruction >> 26 == 0x25) {
		int64_t offset = (int64_t)((uint64_t)instruction << 38) >> 36;

		call.is_call = true;
		call.target = pc - 4 + offset;
	}
	return call;
}

static struct call find_call(struct nmibt_walk *walk, uint64_t pc)
{
	uint32_t instruction;

	if (!nmibt_walk_read_code(walk, pc - 4, &instruction, sizeof(instruction)))
		return (struct call){0};
	return decode_call(instruction, pc);
}

/*
 * True: lr, at pc, is the return address of the function at pc. A function that calls none, or that
 * is just entered or left, has its return address in lr, and x29 is its caller's. In any other
 * function lr is stale: it is the return address of the function's own last call, or the one in its
 * record, or no address. The call before lr tells: if it calls this function, lr is right. If it
 * calls another one, lr may be right, because that one may have jumped here; then it is not
 * reliable. (6.14 always shows lr, kunwind_next_regs_lr().)
 */
static bool is_caller(struct nmibt_walk *walk, uint64_t pc, uint64_t lr, bool *reliable)
{
	uint64_t pc_start, lr_start;

	if (!nmibt_walk_is_return(walk, lr))
		return false;
	struct call call = find_call(walk, lr);
	if (call.known && !call.is_call)
		return false;
	*reliable = !nmibt_walk_is_code(walk, pc);
	if (*reliable) /* pc is no code: a bad call came here, and lr has not changed since */
		return true;
	if (!nmibt_walk_start(walk, pc, &pc_start) || !nmibt_walk_start(walk, lr - 4, &lr_start))
		return true;
	*reliable = call.target == pc_start;
	return pc_start != lr_start;
}

/* True: the frame record that x29 points to has this return address, too. */
static bool is_in_record(struct nmibt_walk *walk, const struct nmibt_regs *regs, uint64_t lr)
{
	uint64_t record[2];

	return nmibt_walk_read(walk, regs->value[ARM64_FP], record, sizeof(record)) &&
	       nmibt_walk_strip(walk, record[1]) == lr;
}

bool nmibt_walk_lr(struct nmibt_walk *walk, const struct nmibt_regs *regs)
{
	uint64_t pc = regs->value[ARM64_PC], lr = nmibt_walk_strip(walk, regs->value[ARM64_LR]);
	bool reliable;

	if (is_in_record(walk, regs, lr))
		return true;
	return !is_caller(walk, pc, lr, &reliable) || nmibt_walk_add(walk, lr, true, reliable);
}

/* As is_caller(), where it is reliable. Symbols are not looked for before they are needed: then it
 * does not matter if they are lost. */
static bool leaf_caller(struct nmibt_walk *walk, const struct nmibt_regs *regs, uint64_t start,
			uint64_t *ret)
{
	uint32_t instruction;

	*ret = nmibt_walk_strip(walk, regs->value[ARM64_LR]);
	return !is_in_record(walk, regs, *ret) &&
	       nmibt_walk_read(walk, *ret - 4, &instruction, sizeof(instruction)) &&
	       decode_call(instruction, *ret).target == start && nmibt_walk_is_return(walk, *ret) &&
	       !nmibt_is_init_text(walk->kernel, *ret - 4);
}

/* --------------------------------------------------------------------- records */

/* The offset of stackframe in struct pt_regs, and the bytes that can follow it there
 * (arch/arm64/include/asm/ptrace.h): 304 of 336 bytes in 4.14 to 6.12, 296 of 320 in 7.2. */
#define MIN_STACKFRAME 288
#define MAX_STACKFRAME 336
#define MAX_BEHIND 64

/* FRAME_META_TYPE_PT_REGS, arch/arm64/include/asm/stacktrace/frame.h, 6.14. */
#define META_PT_REGS 2

/* True: record, at addr, is the one inside of the struct pt_regs that has regs. The exception put
 * the structure directly below the sp that it found. */
static bool is_of_regs(const struct nmibt_walk *walk, uint64_t addr, const uint64_t record[2],
		       const uint64_t regs[ARM64_NR_REGS])
{
	uint64_t sp = regs[ARM64_SP];

	if (sp % 16 || sp - addr < 16 || sp - addr > MAX_BEHIND || !(regs[PSTATE] & 0xf))
		return false;
	if (record[0] || record[1])
		return record[0] == regs[ARM64_FP] &&
		       nmibt_walk_strip(walk, record[1]) == regs[ARM64_PC];
	return true;
}

/* Finds the registers in the struct pt_regs around the record at addr. */
static bool find_regs(struct nmibt_walk *walk, uint64_t addr, const uint64_t record[2],
		      struct nmibt_regs *ret)
{
	uint64_t type;

	if (!record[0] && !record[1] &&
	    (!nmibt_walk_read(walk, addr + 16, &type, sizeof(type)) || type != META_PT_REGS))
		return false;
	for (uint64_t offset = MIN_STACKFRAME; offset <= MAX_STACKFRAME; offset += 8) {
		if (!nmibt_walk_read(walk, addr - offset, ret->value, 8 * ARM64_NR_REGS))
			return false;
		if (is_of_regs(walk, addr, record, ret->value)) {
			ret->present = true;
			ret->nr = ARM64_NR_REGS;
			return true;
		}
	}
	return false;
}

/* kretprobes and ftrace replace return addresses by that of a trampoline. It is behind no call, but
 * has a name. */
static bool add_return(struct nmibt_walk *walk, uint64_t fp, uint64_t pc)
{
	struct call call;
	uint64_t unused;

	if (!nmibt_walk_is_return(walk, pc))
		return nmibt_walk_end(walk, NMIBT_END_NONSENSE, fp + 8);
	call = find_call(walk, pc);
	if (call.known && !call.is_call && !nmibt_walk_start(walk, pc, &unused))
		return nmibt_walk_end(walk, NMIBT_END_NONSENSE, fp + 8);
	return nmibt_walk_add(walk, pc, true, call.is_call || !call.known);
}

bool nmibt_walk_records(struct nmibt_walk *walk, uint64_t fp, struct nmibt_regs *ret)
{
	uint64_t record[2];

	while (fp && nmibt_walk_take(walk, fp, sizeof(record)) &&
	       nmibt_walk_need(walk, fp, record, sizeof(record))) {
		if (find_regs(walk, fp, record, ret))
			return true;
		if (!record[0] && !record[1])
			return nmibt_walk_end(walk, NMIBT_END_COMPLETE, 0);
		if (!add_return(walk, fp, nmibt_walk_strip(walk, record[1])))
			return false;
		fp = record[0];
	}
	/* Up to 5.9 x29 in the outermost record is 0. */
	return fp ? false : nmibt_walk_end(walk, NMIBT_END_COMPLETE, 0);
}

/* ------------------------------------------------------------------- as a whole */

static void walk_arm64(void *unused, struct nmibt_walk *walk, const struct nmibt_regs *regs)
{
	struct nmibt_regs at = *regs;

	(void)unused;
	while (nmibt_walk_add(walk, at.value[ARM64_PC], false, true) && nmibt_walk_lr(walk, &at) &&
	       nmibt_walk_records(walk, at.value[ARM64_FP], &at))
		;
}

/* PSR_MODE_EL0t, PSR_I_BIT: arch/arm64/include/uapi/asm/ptrace.h, 6.12. With pseudo-NMIs
 * interrupts are masked by ICC_PMR_EL1 instead (arch/arm64/include/asm/irqflags.h), which is in no
 * note: where the bit is clear, interrupts may be off all the same. */
#define MODE_MASK 0xf
#define I_BIT (1 << 7)

static bool is_user_mode(const struct nmibt_regs *regs)
{
	return !(regs->value[PSTATE] & MODE_MASK);
}

static bool knows_irqs_off(const struct nmibt_regs *regs, bool *ret)
{
	*ret = regs->value[PSTATE] & I_BIT;
	return *ret || is_user_mode(regs);
}

static bool may_be_code(uint64_t addr)
{
	return !(addr % 4) && !(~addr >> 52);
}

const struct nmibt_unwind_arch nmibt_unwind_arm64 = {
	.arch = NMIBT_ARCH_ARM64,
	.is_user_mode = is_user_mode,
	.knows_irqs_off = knows_irqs_off,
	.may_be_code = may_be_code,
	.call_size = 4,
	.leaf_caller = leaf_caller,
	/* The outermost record does not tell whether the kernel was entered from user mode. Only
	 * the name does: el0t_64_sync() and others, arch/arm64/kernel/entry.S, 5.10 to 6.12. */
	.user_entry = "el0",
	.walk = walk_arm64,
};
