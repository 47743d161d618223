// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/arch-by-line.h"

/* A frame of arm names its caller, "[<c0123456>] (f) from [<c0123478>] (g+0x1/0x2)", up to 5.16
 * (arch/arm/kernel/traps.c: dump_backtrace_entry()): a trace may be all that is printed. */
static bool is_frame_of_arm(struct nmibt_str line)
{
	struct nmibt_str name;

	if (!nmibt_skip(&line, "[<") || !nmibt_take_until(&line, ">] (", &name) || name.len != 8)
		return false;
	if (!nmibt_take_until(&line, ") from [<", &name) || nmibt_str_holds(name, "[<"))
		return false;
	/* A mail program may have broken the line here. */
	nmibt_take_until(&line, ">]", &name);
	return name.len == 8 && (!line.len || nmibt_str_starts(line, " ("));
}

/* "Exception stack(0xd0041fb0 to 0xd0041ff8)": dump_mem() of arm; arm64 has longer numbers. */
static enum nmibt_arch arch_by_memory(struct nmibt_str line)
{
	struct nmibt_str number;

	nmibt_skip(&line, "Exception stack(0x");
	return nmibt_take_until(&line, " to 0x", &number) && number.len == 8 ? NMIBT_ARCH_ARM
									     : NMIBT_ARCH_UNKNOWN;
}

/* Functions of the entry of one architecture, and what it puts before the names of system calls
 * (arch/ARCH/include/asm/syscall_wrapper.h; arch/x86/entry/entry_64.S, entry_32.S, common.c;
 * arch/arm64/kernel/entry.S; arch/powerpc/kernel/interrupt.c, entry_64.S; 4.19 to 6.12). A trace without registers has
 * nothing else. */
static const struct {
	const char *start;
	enum nmibt_arch arch;
} functions[] = {
	{"entry_SYSCALL_64", NMIBT_ARCH_X86_64},
	{"do_syscall_64+", NMIBT_ARCH_X86_64},
	{"__x64_sys_", NMIBT_ARCH_X86_64},
	{"entry_SYSENTER_32+", NMIBT_ARCH_I386},
	{"entry_INT80_32+", NMIBT_ARCH_I386},
	{"__arm64_sys_", NMIBT_ARCH_ARM64},
	{"el0t_64_", NMIBT_ARCH_ARM64},
	{"el1h_64_", NMIBT_ARCH_ARM64},
	{"system_call_exception+", NMIBT_ARCH_POWERPC},
	{"system_call_common+", NMIBT_ARCH_POWERPC},
	{"system_call_vectored_common+", NMIBT_ARCH_POWERPC},
	{"__s390x_sys_", NMIBT_ARCH_S390},
	{"__riscv_sys_", NMIBT_ARCH_RISCV},
};

static enum nmibt_arch arch_by_frame(struct nmibt_str line)
{
	struct nmibt_str addr;

	if (is_frame_of_arm(line))
		return NMIBT_ARCH_ARM;
	nmibt_skip_spaces(&line);
	if (nmibt_skip(&line, "[<") && !nmibt_take_until(&line, ">] ", &addr))
		return NMIBT_ARCH_UNKNOWN;
	nmibt_skip(&line, "? ");
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		if (nmibt_str_starts(line, functions[i].start))
			return nmibt_skip_to(&line, "+0x") && nmibt_str_holds(line, "/0x")
				       ? functions[i].arch
				       : NMIBT_ARCH_UNKNOWN;
	}
	return NMIBT_ARCH_UNKNOWN;
}

/* "Linux version 6.12.1 (user@host) (aarch64-linux-gnu-gcc (Debian 12.2.0-14) ...": the compilers that make kernels of
 * one architecture alone, which x86_64's and sparc64's don't. */
static enum nmibt_arch arch_by_compiler(struct nmibt_str line)
{
	static const struct {
		const char *start;
		enum nmibt_arch arch;
	} compilers[] = {
		{"aarch64-", NMIBT_ARCH_ARM64},		{"arm-linux-", NMIBT_ARCH_ARM},
		{"powerpc", NMIBT_ARCH_POWERPC},	{"s390x-", NMIBT_ARCH_S390},
		{"riscv64-", NMIBT_ARCH_RISCV},		{"riscv32-", NMIBT_ARCH_RISCV},
		{"loongarch64-", NMIBT_ARCH_LOONGARCH}, {"mips", NMIBT_ARCH_MIPS},
	};

	if (!nmibt_skip_to(&line, "@") || !nmibt_skip_to(&line, ") ("))
		return NMIBT_ARCH_UNKNOWN;
	for (size_t i = 0; i < ARRAY_SIZE(compilers); i++) {
		if (nmibt_str_starts(line, compilers[i].start))
			return compilers[i].arch;
	}
	return NMIBT_ARCH_UNKNOWN;
}

/* Up to 4.14 arm64 has its state in the line of the pc, as arm has. */
static enum nmibt_arch arch_by_pc(struct nmibt_str line)
{
	return nmibt_str_holds(line, " pstate: ") ? NMIBT_ARCH_ARM64
	       : nmibt_str_holds(line, " psr: ")  ? NMIBT_ARCH_ARM
						  : NMIBT_ARCH_UNKNOWN;
}

/* arm and old kernels of arm64 print no register behind the CPU (smp_setup_processor_id()). */
static enum nmibt_arch arch_by_first_cpu(struct nmibt_str line)
{
	return nmibt_str_holds(line, " [0x") ? NMIBT_ARCH_ARM64 : NMIBT_ARCH_UNKNOWN;
}

/* A line of sparc64 that tells of another CPU, "  CPU[  3]: TSTATE[" */
static enum nmibt_arch arch_by_other_cpu(struct nmibt_str line)
{
	return nmibt_str_holds(line, "]: TSTATE[") ? NMIBT_ARCH_SPARC64 : NMIBT_ARCH_UNKNOWN;
}

/* Lines that only one architecture prints, most of them among the registers (arch/ARCH/kernel/process.c and the like;
 * 3.10 to 6.12). */
static const struct {
	const char *start;
	enum nmibt_arch arch;
	enum nmibt_arch (*by_rest)(struct nmibt_str line); /* where the start alone does not tell */
} tellers[] = {
	{"RIP: 00", NMIBT_ARCH_X86_64, NULL},
	{"RIP: e03", NMIBT_ARCH_X86_64, NULL}, /* of Xen's guests */
	{"pstate: ", NMIBT_ARCH_ARM64, NULL},
	{"EIP: ", NMIBT_ARCH_I386, NULL},
	{"EIP is at ", NMIBT_ARCH_I386, NULL},
	{"NIP [", NMIBT_ARCH_POWERPC, NULL},
	{"NIP:  ", NMIBT_ARCH_POWERPC, NULL},
	{"Krnl PSW : ", NMIBT_ARCH_S390, NULL},
	{"User PSW : ", NMIBT_ARCH_S390, NULL},
	{"epc : ", NMIBT_ARCH_RISCV, NULL},
	{"  ERA: ", NMIBT_ARCH_LOONGARCH, NULL},
	{"epc   : ", NMIBT_ARCH_MIPS, NULL},
	{"$ 0   : ", NMIBT_ARCH_MIPS, NULL},
	{"TSTATE: ", NMIBT_ARCH_SPARC64, NULL},
	{"TPC: <", NMIBT_ARCH_SPARC64, NULL},
	/* The first frame of a trace of arm, since 5.17 */
	{" unwind_backtrace from show_stack+0x", NMIBT_ARCH_ARM, NULL},
	{"Linux version ", NMIBT_ARCH_UNKNOWN, arch_by_compiler},
	{"pc : [<", NMIBT_ARCH_UNKNOWN, arch_by_pc},
	{"Booting Linux on physical CPU 0x", NMIBT_ARCH_UNKNOWN, arch_by_first_cpu},
	{"Exception stack(0x", NMIBT_ARCH_UNKNOWN, arch_by_memory},
	{" ", NMIBT_ARCH_UNKNOWN, arch_by_frame},
	{"[<", NMIBT_ARCH_UNKNOWN, arch_by_frame},
	{"  CPU[", NMIBT_ARCH_UNKNOWN, arch_by_other_cpu},
	{"* CPU[", NMIBT_ARCH_UNKNOWN, arch_by_other_cpu},
};

enum nmibt_arch nmibt_arch_by_line(struct nmibt_str line)
{
	for (size_t i = 0; i < ARRAY_SIZE(tellers) && line.len; i++) {
		enum nmibt_arch arch = tellers[i].arch;

		if (*line.s != *tellers[i].start || !nmibt_str_starts(line, tellers[i].start))
			continue;
		if (tellers[i].by_rest)
			arch = tellers[i].by_rest(line);
		if (arch)
			return arch;
	}
	return NMIBT_ARCH_UNKNOWN;
}
