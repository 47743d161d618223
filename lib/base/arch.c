// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What differs between architectures and can be put into a table: one row for each. The texts that
 * they print are in lib/text, their unwinders in lib/unwind, their page tables in
 * lib/kernel/paging-ARCH.c.
 */
#include <elf.h>

#include "base/base.h"

/* struct user_regs_struct, arch/x86/include/asm/user_64.h (6.12) */
static const char *const x86_64_regs[] = {
	"r15",	  "r14", "r13", "r12",	   "rbp",     "rbx", "r11",	 "r10", "r9",
	"r8",	  "rax", "rcx", "rdx",	   "rsi",     "rdi", "orig_rax", "rip", "cs",
	"eflags", "rsp", "ss",	"fs_base", "gs_base", "ds",  "es",	 "fs",	"gs",
};

/* struct user_pt_regs, arch/arm64/include/uapi/asm/ptrace.h (6.12) */
static const char *const arm64_regs[] = {
	"x0",  "x1",  "x2",  "x3",  "x4",  "x5",  "x6",	 "x7",	"x8",  "x9",	 "x10", "x11",
	"x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21",	 "x22", "x23",
	"x24", "x25", "x26", "x27", "x28", "x29", "lr",	 "sp",	"pc",  "pstate",
};

static const struct arch {
	const char *name; /* nmibt's own name */
	const char *
		machine; /* utsname.machine, which is in the headers of dumps; NULL: no dumps are read */
	unsigned int elf_machine;
	struct nmibt_reg_names regs;
} archs[] = {
	[NMIBT_ARCH_X86_64] =
		{
			.name = "x86_64",
			.machine = "x86_64",
			.elf_machine = EM_X86_64,
			.regs =
				{
					.nr = ARRAY_SIZE(x86_64_regs),
					.name = x86_64_regs,
					.pc = 16,
					.sp = 19,
					.fp = 4,
					.lr = NMIBT_NO_REG,
					/* r11 to rdi: the System V ABI. */
					.first_scratch = 6,
					.last_scratch = 14,
				},
		},
	[NMIBT_ARCH_ARM64] =
		{
			.name = "arm64",
			.machine = "aarch64",
			.elf_machine = EM_AARCH64,
			.regs =
				{
					.nr = ARRAY_SIZE(arm64_regs),
					.name = arm64_regs,
					.pc = 32,
					.sp = 31,
					.fp = 29,
					.lr = 30,
					/* x0 to x17: AAPCS64. */
					.first_scratch = 0,
					.last_scratch = 17,
				},
		},
	/* Their texts are read alone. */
	[NMIBT_ARCH_I386] = {.name = "i386"},
	[NMIBT_ARCH_ARM] = {.name = "arm"},
	[NMIBT_ARCH_POWERPC] = {.name = "powerpc"},
	[NMIBT_ARCH_S390] = {.name = "s390"},
	[NMIBT_ARCH_RISCV] = {.name = "riscv"},
	[NMIBT_ARCH_LOONGARCH] = {.name = "loongarch"},
	[NMIBT_ARCH_MIPS] = {.name = "mips"},
	[NMIBT_ARCH_SPARC64] = {.name = "sparc64"},
};

/* NULL: the architecture is unknown, or newer than the table. */
static const struct arch *row_of(enum nmibt_arch arch)
{
	return arch < ARRAY_SIZE(archs) && archs[arch].name ? &archs[arch] : NULL;
}

const char *nmibt_arch_name(enum nmibt_arch arch)
{
	const struct arch *row = row_of(arch);

	return row ? row->name : NULL;
}

enum nmibt_arch nmibt_arch_by_machine(const char *machine)
{
	for (size_t i = 0; i < ARRAY_SIZE(archs); i++) {
		if (archs[i].machine && !strcmp(archs[i].machine, machine))
			return i;
	}
	return NMIBT_ARCH_UNKNOWN;
}

enum nmibt_arch nmibt_arch_by_elf(unsigned int elf_machine)
{
	for (size_t i = 0; i < ARRAY_SIZE(archs); i++) {
		if (archs[i].machine && archs[i].elf_machine == elf_machine)
			return i;
	}
	return NMIBT_ARCH_UNKNOWN;
}

const struct nmibt_reg_names *nmibt_reg_names(enum nmibt_arch arch)
{
	const struct arch *row = row_of(arch);

	return row && row->regs.nr ? &row->regs : NULL;
}
