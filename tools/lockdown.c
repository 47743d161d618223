// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two locks. seccomp refuses every system call that is not in a list. Landlock, which newer kernels
 * have, refuses all files, all TCP and all signals, and would still do so if the list were too long.
 * Both are used by bare system calls: a library that writes the filter costs more than the filter.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lockdown.h"

/* ---------------------------------------------------------------------- seccomp */

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

/* System calls of x32, an ABI of x86_64, have this bit: arch/x86/include/uapi/asm/unistd.h. No
 * system call of arm64 has. */
#define X32_BIT 0x40000000

#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)
#define ALLOWED RETURN(SECCOMP_RET_ALLOW)
#define REFUSED RETURN(SECCOMP_RET_ERRNO | EPERM)
#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
/* The lower half of an argument. The upper half of a descriptor or of flags means nothing. */
#define LOAD_ARG(i) LOAD(args[i])
#define MASK(bits) BPF_STMT(BPF_ALU | BPF_AND | BPF_K, bits)
/* Skips some of the next instructions, depending on what was loaded. */
#define IF_EQUAL(value, skip, skip_else) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, skip, skip_else)
#define IF_BITS(bits, skip, skip_else) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, skip, skip_else)

#define ALLOW(name) IF_EQUAL(__NR_##name, 0, 1), ALLOWED
/* Where an argument has none of the bits. */
#define ALLOW_WITHOUT(name, i, bits)                                                               \
	IF_EQUAL(__NR_##name, 0, 4), LOAD_ARG(i), IF_BITS(bits, 0, 1), REFUSED, ALLOWED
/* Where an argument is one of three values. */
#define ALLOW_ONE_OF(name, i, a, b, c)                                                             \
	IF_EQUAL(__NR_##name, 0, 6), LOAD_ARG(i), IF_EQUAL(a, 3, 0), IF_EQUAL(b, 2, 0),            \
		IF_EQUAL(c, 1, 0), REFUSED, ALLOWED
#define ALLOW_ONLY(name, i, value) ALLOW_ONE_OF(name, i, value, value, value)
/* Memory that nobody else has, and that is not executable. */
#define ALLOW_MMAP                                                                                 \
	IF_EQUAL(__NR_mmap, 0, 6), LOAD_ARG(2), IF_BITS(PROT_EXEC, 2, 0), LOAD_ARG(3),             \
		IF_BITS(MAP_SHARED, 0, 1), REFUSED, ALLOWED

/* A process without privileges may lock itself only if no program that it starts gains some. */
static void give_up_privileges(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

bool lock_calls(int channel)
{
#ifdef ARCH
	const struct sock_filter code[] = {
		LOAD(arch),
		IF_EQUAL(ARCH, 1, 0),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		LOAD(nr),
		IF_BITS(X32_BIT, 0, 1),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		ALLOW(pread64),
		ALLOW(read),
		ALLOW(lseek),
		ALLOW(fstat),
		/* fstat() of glibc 2.33 and later. The flag allows an empty path and does not forbid
		 * another one, so that the child could learn whether a file exists, and its size. */
		ALLOW_ONLY(newfstatat, 3, AT_EMPTY_PATH),
		ALLOW(close),
		ALLOW_ONE_OF(fcntl, 1, F_DUPFD_CLOEXEC, F_GETFD, F_GETFL),
		ALLOW_ONE_OF(write, 0, STDOUT_FILENO, STDERR_FILENO, channel),
		ALLOW_ONLY(recvmsg, 0, channel),
		ALLOW_MMAP,
		ALLOW_WITHOUT(mprotect, 2, PROT_EXEC),
		ALLOW(munmap),
		ALLOW(mremap),
		ALLOW(madvise),
		ALLOW(brk),
		/* pthread_once() ends with it. Without threads nobody waits. */
		ALLOW_ONLY(futex, 1, FUTEX_WAKE_PRIVATE),
		ALLOW(clock_gettime),
		ALLOW(gettimeofday),
		ALLOW(getrandom),
		ALLOW(sysinfo), /* qsort() asks how much memory there is */
#ifdef __SANITIZE_ADDRESS__
		ALLOW(rt_sigaction),
		ALLOW(rt_sigprocmask),
		ALLOW(rt_sigreturn),
		ALLOW(sigaltstack),
		ALLOW(sched_yield),
		ALLOW(getpid),
		ALLOW(gettid),
#endif
		ALLOW(exit_group),
		REFUSED,
	};
	const struct sock_fprog program = {
		.len = sizeof(code) / sizeof(*code),
		.filter = (struct sock_filter *)code,
	};

	give_up_privileges();
	return !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
#else
	(void)channel;
	return false;
#endif
}

/* --------------------------------------------------------------------- Landlock */

/* include/uapi/linux/landlock.h, 6.12: the header of the machine may be older than its kernel. */
#define CREATE_RULESET 444
#define RESTRICT_SELF 446
#define GET_VERSION 1

struct ruleset {
	uint64_t files, network, scoped; /* bits of what is refused */
};

/* Which members, and how many bits of each, a version knows. */
static struct ruleset everything(long version)
{
	unsigned int bits = version >= 5 ? 16 : version >= 3 ? 15 : version == 2 ? 14 : 13;

	return (struct ruleset){
		.files = (1u << bits) - 1,
		.network = version >= 4 ? 3 : 0,
		.scoped = version >= 6 ? 3 : 0,
	};
}

/* A ruleset without rules refuses all that it handles. */
bool lock_files(void)
{
	long version = syscall(CREATE_RULESET, NULL, 0, GET_VERSION);

	if (version < 1)
		return false;
	const struct ruleset all = everything(version);
	size_t size = version >= 6 ? sizeof(all) : version >= 4 ? 16 : 8;
	int ruleset = syscall(CREATE_RULESET, &all, size, 0);
	if (ruleset < 0)
		return false;
	give_up_privileges();
	bool ok = !syscall(RESTRICT_SELF, ruleset, 0);
	close(ruleset);
	return ok;
}
