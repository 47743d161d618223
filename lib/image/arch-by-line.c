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

	return nmibt_skip(&line, "Exception stack(0x") &&
			       nmibt_take_until(&line, " to 0x", &number) && number.len == 8
		       ? NMIBT_ARCH_ARM
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

	if (!nmibt_skip(&line, "Linux version ") || !nmibt_skip_to(&line, "@") ||
	    !nmibt_skip_to(&line, ") ("))
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
	if (!nmibt_skip(&line, "pc : [<"))
		return NMIBT_ARCH_UNKNOWN;
	return nmibt_str_holds(line, " pstate: ") ? NMIBT_ARCH_ARM64
	       : nmibt_str_holds(line, " psr: ")  ? NMIBT_ARCH_ARM
						  : NMIBT_ARCH_UNKNOWN;
}

/* arm and old kernels of arm64 print no register behind the CPU (smp_setup_processor_id()). */
static enum nmibt_arch arch_by_first_cpu(struct nmibt_str line)
{
	return nmibt_skip(&line, "Booting Linux on physical CPU 0x") &&
			       nmibt_str_holds(line, " [0x")
		       ? NMIBT_ARCH_ARM64
		       : NMIBT_ARCH_UNKNOWN;
}

/* A line of sparc64 that tells of another CPU, "  CPU[  3]: TSTATE[", or of this one, "* CPU[" */
static enum nmibt_arch arch_by_other_cpu(struct nmibt_str line)
{
	return (nmibt_skip(&line, "  CPU[") || nmibt_skip(&line, "* CPU[")) &&
			       nmibt_str_holds(line, "]: TSTATE[")
		       ? NMIBT_ARCH_SPARC64
		       : NMIBT_ARCH_UNKNOWN;
}

static enum nmibt_arch if_starts(struct nmibt_str line, const char *start, enum nmibt_arch arch)
{
	return nmibt_str_starts(line, start) ? arch : NMIBT_ARCH_UNKNOWN;
}

/* Most of them are registers (arch/ARCH/kernel/process.c and the like; 3.10 to 6.12). Nearly all lines of a log begin
 * with another letter. */
enum nmibt_arch nmibt_arch_by_line(struct nmibt_str line)
{
	switch (line.len ? *line.s : 0) {
	case ' ':
		return if_starts(line, "  ERA: ", NMIBT_ARCH_LOONGARCH)
			       /* The first frame of a trace of arm, since 5.17 */
			       ?: if_starts(line, " unwind_backtrace from show_stack+0x", NMIBT_ARCH_ARM)
			       ?: arch_by_frame(line)
			       ?: arch_by_other_cpu(line);
	case '[':
		return arch_by_frame(line);
	case '*':
		return arch_by_other_cpu(line);
	case '$':
		return if_starts(line, "$ 0   : ", NMIBT_ARCH_MIPS);
	case 'B':
		return arch_by_first_cpu(line);
	case 'E':
		return if_starts(line, "EIP: ", NMIBT_ARCH_I386)
			       ?: if_starts(line, "EIP is at ", NMIBT_ARCH_I386)
			       ?: arch_by_memory(line);
	case 'K':
		return if_starts(line, "Krnl PSW : ", NMIBT_ARCH_S390);
	case 'L':
		return arch_by_compiler(line);
	case 'N':
		return if_starts(line, "NIP [", NMIBT_ARCH_POWERPC)
			       ?: if_starts(line, "NIP:  ", NMIBT_ARCH_POWERPC);
	case 'R': /* "RIP: e03" is of Xen's guests */
		return if_starts(line, "RIP: 00", NMIBT_ARCH_X86_64)
			       ?: if_starts(line, "RIP: e03", NMIBT_ARCH_X86_64);
	case 'T':
		return if_starts(line, "TSTATE: ", NMIBT_ARCH_SPARC64)
			       ?: if_starts(line, "TPC: <", NMIBT_ARCH_SPARC64);
	case 'U':
		return if_starts(line, "User PSW : ", NMIBT_ARCH_S390);
	case 'e':
		return if_starts(line, "epc : ", NMIBT_ARCH_RISCV)
			       ?: if_starts(line, "epc   : ", NMIBT_ARCH_MIPS);
	case 'p':
		return if_starts(line, "pstate: ", NMIBT_ARCH_ARM64) ?: arch_by_pc(line);
	default:
		return NMIBT_ARCH_UNKNOWN;
	}
}
