// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The frames of a stack: what the ways of the architectures share.
 */
#include <inttypes.h>

#include "unwind/unwind.h"

#define MAX_FRAMES 128

/* THREAD_SIZE, and that of the stacks of interrupts: arch/arm64/include/asm/memory.h,
 * arch/x86/include/asm/page_64_types.h, 6.12. With pages of 4 KiB they have 16 KiB, or
 * 32 with KASAN. */
#define MAX_STACK 65536

/* PSR_MODE_EL0t, arch/arm64/include/uapi/asm/ptrace.h, 6.12. */
#define ARM64_PSTATE 33
#define ARM64_MODE 0xf

static bool is_user(enum nmibt_arch arch, const struct nmibt_regs *regs)
{
	if (arch == NMIBT_ARCH_X86_64)
		return (regs->value[X86_CS] & 3) == 3;
	return !(regs->value[ARM64_PSTATE] & ARM64_MODE);
}

struct nmibt_error *nmibt_walk_init(struct nmibt_walk *walk, const struct nmibt_image *image,
				    struct nmibt_virtual *memory, struct nmibt_symbols *symbols,
				    const struct nmibt_regs *regs, nmibt_walked_fn visit, void *arg)
{
	const struct nmibt_reg_names *names = nmibt_reg_names(image->arch);

	if (!names || !regs->present || regs->nr < names->nr)
		return nmibt_error_create(NMIBT_ERR_NOTHING,
					  "there are no registers to follow a stack from");
	if (is_user(image->arch, regs))
		return nmibt_error_create(NMIBT_ERR_NOTHING,
					  "the registers are of user mode, at %#" PRIx64,
					  regs->value[names->pc]);
	*walk = (struct nmibt_walk){.image = image,
				    .memory = memory,
				    .symbols = symbols,
				    .visit = visit,
				    .arg = arg,
				    .nr_stacks = 1};
	if (image->arch == NMIBT_ARCH_ARM64)
		nmibt_vmcoreinfo_number(image, "NUMBER(KERNELPACMASK)", 16, &walk->pac_mask);
	walk->stacks[0].low = walk->stacks[0].high = regs->value[names->sp];
	return NULL;
}

bool nmibt_walk_show(struct nmibt_walk *walk, uint64_t pc, bool is_return, bool reliable)
{
	const struct nmibt_walked frame = {pc, is_return, reliable && !walk->is_guess};

	return walk->visit(walk->arg, &frame) && ++walk->nr_frames < MAX_FRAMES &&
	       !nmibt_interrupted(walk->image);
}

/* As unwind_consume_stack(), arch/arm64/include/asm/stacktrace/common.h, 6.12: up on one
 * stack, and never back to one that was left. Kernel addresses of x86_64 have 8 bits in
 * common with 5 levels of tables, those of arm64 12. */
bool nmibt_walk_take(struct nmibt_walk *walk, uint64_t addr, uint64_t size)
{
	unsigned int nr = walk->nr_stacks;

	if (addr % 8 || ~addr >> 56 || addr > -size)
		return false;
	if (addr < walk->stacks[nr - 1].high || addr - walk->stacks[nr - 1].low >= MAX_STACK) {
		if (nr == ARRAY_SIZE(walk->stacks))
			return false;
		for (unsigned int i = 0; i < nr; i++) {
			if (addr - walk->stacks[i].low < MAX_STACK)
				return false;
		}
		walk->stacks[walk->nr_stacks++].low = addr;
	}
	walk->stacks[walk->nr_stacks - 1].high = addr + size;
	return true;
}

bool nmibt_walk_read(struct nmibt_walk *walk, uint64_t addr, void *buf, size_t len)
{
	return nmibt_virtual_read(walk->memory, addr, buf, len) == NMIBT_READ_OK;
}

/* Bit 55 says which half an address is of (ptrauth_strip_kernel_insn_pac(),
 * arch/arm64/include/asm/pointer_auth.h, 6.12). */
uint64_t nmibt_walk_strip(const struct nmibt_walk *walk, uint64_t pc)
{
	return pc >> 55 & 1 ? pc | walk->pac_mask : pc;
}

bool nmibt_walk_start(struct nmibt_walk *walk, uint64_t addr, uint64_t *ret)
{
	char symbol[512];

	if (!walk->symbols || !nmibt_symbolize(walk->symbols, addr, symbol, sizeof(symbol)))
		return false;
	const char *plus = strrchr(symbol, '+');
	if (!plus)
		return false;
	*ret = addr - strtoull(plus + 1, NULL, 16);
	return true;
}

/* x86_64: what is compiled is in the uppermost 2 GiB (Documentation/arch/x86/x86_64/mm.rst,
 * 6.12). Kernels unmap what they need only for booting, but the function that started
 * the idle task of the first CPU is there. */
bool nmibt_walk_is_code(struct nmibt_walk *walk, uint64_t addr)
{
	bool arm64 = walk->image->arch == NMIBT_ARCH_ARM64;
	uint64_t unused;

	if (arm64 ? addr % 4 || ~addr >> 52 : ~addr >> 31)
		return false;
	return nmibt_virtual_to_phys(walk->memory, addr, &unused) ||
	       nmibt_walk_start(walk, addr, &unused);
}

bool nmibt_walk_is_return(struct nmibt_walk *walk, uint64_t pc)
{
	return nmibt_walk_is_code(walk, walk->image->arch == NMIBT_ARCH_ARM64 ? pc - 4 : pc - 1);
}

/* ------------------------------------------------------------------- opening */

struct nmibt_framewalk {
	const struct nmibt_image *image;
	struct nmibt_virtual *memory;
	struct nmibt_symbols *symbols;
	struct nmibt_orc *orc; /* x86_64 */
	nmibt_caller_fn caller; /* NULL: none */
	void *caller_arg;
};

struct nmibt_error *nmibt_framewalk_open(const struct nmibt_image *image,
					 struct nmibt_virtual *memory,
					 struct nmibt_symbols *symbols,
					 struct nmibt_framewalk **ret)
{
	struct nmibt_framewalk *framewalk = calloc(1, sizeof(*framewalk));
	struct nmibt_error *err = NULL;

	if (!framewalk)
		return nmibt_error_nomem();
	*framewalk = (struct nmibt_framewalk){.image = image, .memory = memory, .symbols = symbols};
	if (image->arch == NMIBT_ARCH_X86_64)
		err = nmibt_orc_open(image, memory, symbols, &framewalk->orc);
	else if (image->arch != NMIBT_ARCH_ARM64)
		err = nmibt_error_create(NMIBT_ERR_NOTHING,
					 "stacks of this architecture are not known");
	if (err) {
		nmibt_framewalk_close(framewalk);
		return err;
	}
	*ret = framewalk;
	return NULL;
}

void nmibt_framewalk_close(struct nmibt_framewalk *framewalk)
{
	if (!framewalk)
		return;
	nmibt_orc_close(framewalk->orc);
	free(framewalk);
}

void nmibt_framewalk_use(struct nmibt_framewalk *framewalk, nmibt_caller_fn caller, void *arg)
{
	framewalk->caller = caller;
	framewalk->caller_arg = arg;
}

struct nmibt_error *nmibt_framewalk(struct nmibt_framewalk *framewalk,
				    const struct nmibt_regs *regs, nmibt_walked_fn visit, void *arg)
{
	struct nmibt_regs at = *regs;
	struct nmibt_walk walk;
	struct nmibt_error *err = nmibt_walk_init(&walk, framewalk->image, framewalk->memory,
						  framewalk->symbols, regs, visit, arg);

	if (err)
		return err;
	walk.caller = framewalk->caller;
	walk.caller_arg = framewalk->caller_arg;
	if (framewalk->orc) {
		nmibt_orc_walk(framewalk->orc, &walk, regs);
		return NULL;
	}
	while (nmibt_walk_show(&walk, at.value[ARM64_PC], false, true) &&
	       nmibt_walk_lr(&walk, &at) && nmibt_walk_records(&walk, at.value[ARM64_FP], &at))
		;
	return NULL;
}
