// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a process behind the lock-down of the tool can't do, by both locks together and by each
 * alone; how the parent words the child's end; what of the child's report it does not print.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../tools/lockdown.h"
#include "../../tools/sandbox.h"

#define SYSTEM_FILE "/etc/passwd"

#define NEW_FILE "/tmp/nmibt-test-sandbox"

/* Known before the lock-down. */
static int tcp, writable, datagrams[2];
static pid_t parent;

/* ------------------------------------------------------------------------ attempts */

static long write_a_file(void)
{
	return open(NEW_FILE, O_WRONLY | O_CREAT, 0600);
}

static long read_a_system_file(void)
{
	return open(SYSTEM_FILE, O_RDONLY);
}

static long list_a_folder(void)
{
	return open("/", O_RDONLY | O_DIRECTORY);
}

static long remove_a_file(void)
{
	return unlink(NEW_FILE "-none");
}

static long look_for_a_file(void)
{
	struct stat st;

	return stat(SYSTEM_FILE, &st);
}

static long make_a_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static long connect_a_socket(void)
{
	const struct sockaddr_in to = {.sin_family = AF_INET,
				       .sin_port = htons(9),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	return connect(tcp, (const struct sockaddr *)&to, sizeof(to));
}

static long run_a_program(void)
{
	char *const argv[] = {"true", NULL};

	return execv("/bin/true", argv);
}

static long fork_a_process(void)
{
	long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (!pid)
		_exit(0);
	return pid;
}

static long trace_the_parent(void)
{
	return ptrace(PTRACE_SEIZE, parent, NULL, NULL);
}

static long trace_me(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static long signal_the_parent(void)
{
	return kill(parent, 0);
}

static long write_elsewhere(void)
{
	return write(writable, "x", 1);
}

static long receive_elsewhere(void)
{
	char byte;
	struct iovec data = {&byte, 1};
	struct msghdr head = {.msg_iov = &data, .msg_iovlen = 1};

	return recvmsg(datagrams[0], &head, MSG_DONTWAIT);
}

static long map_code(void)
{
	return (long)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static long make_code(void)
{
	return mprotect((void *)((uintptr_t)&tcp & -4096), 4096,
			PROT_READ | PROT_WRITE | PROT_EXEC);
}

static long share_memory(void)
{
	return (long)mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static long raise_a_limit(void)
{
	const struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	return setrlimit(RLIMIT_DATA, &limit);
}

static long load_a_library(void)
{
	return dlopen("libsnappy.so.1", RTLD_NOW) || dlopen("liblzo2.so.2", RTLD_NOW) ? 0 : -1;
}

static long wait_for_ever(void)
{
	int word = 0;

	return syscall(SYS_futex, &word, 0 /* FUTEX_WAIT */, 1, NULL, NULL, 0);
}

static long copy_to_a_descriptor(void)
{
	return dup2(STDERR_FILENO, 9);
}

static long control_a_descriptor(void)
{
	return fcntl(STDOUT_FILENO, F_SETFL, 0);
}

static long use_rings(void)
{
	return syscall(425 /* io_uring_setup */, 1, NULL);
}

enum {
	LANDLOCK = 1, /* Landlock alone refuses it, too */
	POSSIBLE = 2, /* it succeeds where nothing is locked */
};

static const struct attempt {
	const char *name;
	long (*try)(void);
	unsigned int flags;
} attempts[] = {
	{"write a file", write_a_file, LANDLOCK | POSSIBLE},
	{"read a system file", read_a_system_file, LANDLOCK | POSSIBLE},
	{"list a folder", list_a_folder, LANDLOCK | POSSIBLE},
	{"remove a file", remove_a_file, 0},
	{"look for a file", look_for_a_file, POSSIBLE},
	{"make a socket", make_a_socket, POSSIBLE},
	{"connect a socket", connect_a_socket, 0},
	{"run a program", run_a_program, LANDLOCK},
	{"fork", fork_a_process, POSSIBLE},
	{"trace the parent", trace_the_parent, LANDLOCK},
	{"trace me", trace_me, 0}, /* it would stop at the next signal */
	{"signal the parent", signal_the_parent, POSSIBLE},
	{"write elsewhere", write_elsewhere, POSSIBLE},
	{"receive elsewhere", receive_elsewhere, POSSIBLE},
	{"map code", map_code, POSSIBLE},
	{"make code", make_code, POSSIBLE},
	{"share memory", share_memory, POSSIBLE},
	{"raise a limit", raise_a_limit, 0},
	{"load a library", load_a_library, LANDLOCK | POSSIBLE},
	{"wait for ever", wait_for_ever, 0},
	{"copy to a descriptor", copy_to_a_descriptor, POSSIBLE},
	{"control a descriptor", control_a_descriptor, POSSIBLE},
	{"use rings", use_rings, 0},
};

/* ------------------------------------------------------------------------- running */

static char out[4096], err[4096];

static struct sandbox with(int (*work)(void *ctx, int channel))
{
	return (struct sandbox){
		.name = "DUMP",
		.seconds = 10,
		.patience = 10,
		.memory = 256 << 20,
		.output = 1 << 20,
		.max_requests = 10,
		.work = work,
	};
}

/* A file in memory instead of a descriptor of this process. */
static int divert(int fd, int *was)
{
	int file = memfd_create("test", 0);

	fflush(NULL);
	*was = dup(fd);
	dup2(file, fd);
	return file;
}

static void restore(int fd, int was, int file, char *text, size_t size)
{
	fflush(NULL);
	dup2(was, fd);
	close(was);
	ssize_t len = pread(file, text, size - 1, 0);
	text[len < 0 ? 0 : len] = '\0';
	close(file);
}

/* Runs it, and keeps what it prints in out and err. */
static int run(const struct sandbox *box)
{
	int old_out, old_err;
	int file_out = divert(STDOUT_FILENO, &old_out), file_err = divert(STDERR_FILENO, &old_err);
	int code = sandbox_run(box);

	restore(STDOUT_FILENO, old_out, file_out, out, sizeof(out));
	restore(STDERR_FILENO, old_err, file_err, err, sizeof(err));
	return code;
}

/* ----------------------------------------------------------------------- the locks */

/* Prints what succeeded, and what failed for another reason than EPERM. */
static int try_all(void *ctx, int channel)
{
	(void)ctx, (void)channel;
	for (size_t i = 0; i < sizeof(attempts) / sizeof(*attempts); i++) {
		errno = EPERM; /* dlopen() does not set it */
		if (attempts[i].try() != -1)
			printf("%s: done\n", attempts[i].name);
		else if (errno != EPERM)
			printf("%s: errno %d\n", attempts[i].name, errno);
	}
	return 0;
}

static void open_descriptors(void)
{
	tcp = socket(AF_INET, SOCK_STREAM, 0);
	writable = memfd_create("writable", 0);
	assert_false(socketpair(AF_UNIX, SOCK_DGRAM, 0, datagrams));
	assert_int_equal(write(datagrams[1], "x", 1), 1);
	parent = getpid();
}

static void close_descriptors(void)
{
	close(tcp);
	close(writable);
	close(datagrams[0]);
	close(datagrams[1]);
}

static void test_nothing_is_allowed(void **state)
{
	(void)state;
	open_descriptors();
	const int fds[] = {tcp, writable, datagrams[0]};
	struct sandbox box = with(try_all);

	box.fds = fds;
	box.nr_fds = 3;
	assert_int_equal(run(&box), 0);
	assert_string_equal(out, "");
	assert_string_equal(err, "");
	close_descriptors();
}

static int try_possible(void *ctx, int channel)
{
	(void)ctx, (void)channel;
	for (size_t i = 0; i < sizeof(attempts) / sizeof(*attempts); i++) {
		if (attempts[i].flags & POSSIBLE && attempts[i].try() == -1)
			printf("%s: errno %d\n", attempts[i].name, errno);
	}
	unlink(NEW_FILE);
	return 0;
}

/* The attempts fail because of the locks. */
static void test_unlocked(void **state)
{
	(void)state;
	open_descriptors();
	const int fds[] = {tcp, writable, datagrams[0]};
	struct sandbox box = with(try_possible);

	box.fds = fds;
	box.nr_fds = 3;
	box.unlocked = true;
	assert_int_equal(run(&box), 0);
	assert_string_equal(out, "");
	close_descriptors();
}

static void test_landlock_alone(void **state)
{
	(void)state;
	int status;
	pid_t child = fork();

	if (!child) {
		if (!lock_files())
			_exit(100);
		for (size_t i = 0; i < sizeof(attempts) / sizeof(*attempts); i++) {
			if (attempts[i].flags & LANDLOCK && attempts[i].try() != -1)
				_exit(i + 1);
		}
		_exit(0);
	}
	waitpid(child, &status, 0);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 100)
		skip(); /* the kernel has no Landlock */
	if (WEXITSTATUS(status))
		fail_msg("%s", attempts[WEXITSTATUS(status) - 1].name);
}

static void test_seccomp_alone(void **state)
{
	(void)state;
	int status;
	pid_t child = fork();

	if (!child) {
		open_descriptors();
		if (!lock_calls(-1))
			_exit(100);
		for (size_t i = 0; i < sizeof(attempts) / sizeof(*attempts); i++) {
			if (attempts[i].try() != -1)
				_exit(i + 1);
		}
		_exit(0);
	}
	waitpid(child, &status, 0);
	assert_true(WIFEXITED(status));
	assert_int_not_equal(WEXITSTATUS(status), 100);
	if (WEXITSTATUS(status))
		fail_msg("%s", attempts[WEXITSTATUS(status) - 1].name);
}

#ifdef __x86_64__
static int call_x32(void *ctx, int channel)
{
	(void)ctx, (void)channel;
	syscall(0x40000000 | SYS_getpid);
	return 0;
}

static int call_i386(void *ctx, int channel)
{
	long number = 20; /* getpid */

	(void)ctx, (void)channel;
	asm volatile("int $0x80" : "+a"(number) : : "memory", "r8", "r9", "r10", "r11");
	return 0;
}

/* System calls of other ABIs have other numbers. */
static void test_other_abis(void **state)
{
	(void)state;
	struct sandbox box = with(call_x32);

	assert_int_equal(run(&box), 4);
	assert_string_equal(err, "nmibt: DUMP: no report: the process that read it was killed by "
				 "signal 31 (Bad system call)\n");
	box.work = call_i386;
	assert_int_equal(run(&box), 4);
}
#endif

static int list_descriptors(void *ctx, int channel)
{
	const int *wanted = ctx;

	for (int fd = 3; fd < 64; fd++) {
		if (fd != channel && fd != *wanted && fcntl(fd, F_GETFD) >= 0)
			return 1;
	}
	return read(STDIN_FILENO, &(char){0}, 1) == 0 && fcntl(*wanted, F_GETFD) >= 0 ? 0 : 2;
}

/* Between those that are kept, and beyond them. */
static void test_other_descriptors_are_closed(void **state)
{
	(void)state;
	struct sandbox box = with(list_descriptors);
	int other = open("/dev/null", O_RDONLY), kept = open("/dev/null", O_RDONLY);
	int beyond = fcntl(other, F_DUPFD, 60);

	box.ctx = &kept;
	box.fds = &kept;
	box.nr_fds = 1;
	assert_int_equal(run(&box), 0);
	close(other);
	close(kept);
	close(beyond);
}

static int succeed(void *ctx, int channel)
{
	(void)ctx, (void)channel;
	puts("report");
	return 0;
}

/* As a kernel or a container does that has neither. */
static void refuse_locks(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 444, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_SECCOMP, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {sizeof(code) / sizeof(*code), code};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void test_no_locks(void **state)
{
	(void)state;
	struct sandbox box = with(succeed);
	int status;
	pid_t child = fork();

	if (!child) {
		refuse_locks();
		bool silent = !run(&box) && !strcmp(out, "report\n") && !*err;
		box.verbose = true;
		_exit(silent && !run(&box) && !strcmp(out, "report\n") &&
				      strstr(err, "no sandbox: the kernel has neither")
			      ? 0
			      : 1);
	}
	waitpid(child, &status, 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* ------------------------------------------------------------------ how it may end */

static int fail_with(void *ctx, int channel)
{
	(void)channel;
	puts("report");
	fputs("message\n", stderr);
	return *(const int *)ctx;
}

static void test_exit_codes(void **state)
{
	(void)state;
	struct sandbox box = with(fail_with);
	int code;

	box.ctx = &code;
	for (code = 0; code < 5; code++) {
		assert_int_equal(run(&box), code);
		assert_string_equal(out, "report\n");
		assert_string_equal(err, "message\n");
	}
	box.discard = code;
	assert_int_equal(run(&box), code);
	assert_string_equal(out, "");
	assert_string_equal(err, "");
	code = SANDBOX_NO_MEMORY + 1;
	assert_int_equal(run(&box), 4);
	assert_string_equal(out, "");
	assert_non_null(strstr(err, "DUMP: no report: the process that read it ended with exit "
				    "code 7\n"));
}

/* Another try may have a report, if the reason is not in the file. */
static void test_temporary_reasons(void **state)
{
	(void)state;
	bool is_temporary = false;
	int code = 4;
	struct sandbox box = with(fail_with);

	box.ctx = &code;
	box.is_temporary = &is_temporary;
	assert_int_equal(run(&box), 4);
	assert_false(is_temporary);
	code = SANDBOX_NO_MEMORY;
	assert_int_equal(run(&box), 4);
	assert_string_equal(err, "message\n");
	assert_true(is_temporary);
}

/* A daemon's children inherit that SIGCHLD is ignored. */
static void test_ignored_children(void **state)
{
	(void)state;
	struct sandbox box = with(fail_with);
	int code = 3;

	box.ctx = &code;
	signal(SIGCHLD, SIG_IGN);
	assert_int_equal(run(&box), 3);
	assert_string_equal(out, "report\n");
}

#ifdef __aarch64__
#define TRAP SIGTRAP
#define TRAP_TEXT "signal 5 (Trace/breakpoint trap)"
#else
#define TRAP SIGILL
#define TRAP_TEXT "signal 4 (Illegal instruction)"
#endif

/* cmocka would catch it. */
static void prepare_to_crash(void *ctx)
{
	(void)ctx;
	signal(TRAP, SIG_DFL);
}

static int crash(void *ctx, int channel)
{
	(void)ctx, (void)channel;
	puts("half a report");
	fflush(stdout);
	__builtin_trap();
	return 0;
}

static int compute(void *ctx, int channel)
{
	(void)ctx, (void)channel;
	for (volatile bool more = true; more;)
		;
	return 0;
}

static int print_much(void *ctx, int channel)
{
	(void)ctx, (void)channel;
	for (unsigned int i = 0; i < 1 << 20; i++)
		puts("report");
	return 0;
}

static int sleep_long(void *ctx, int channel)
{
	char byte;
	struct iovec data = {&byte, 1};
	struct msghdr head = {.msg_iov = &data, .msg_iovlen = 1};

	(void)ctx;
	recvmsg(channel, &head, 0);
	return 0;
}

static int ask_for_ever(void *ctx, int channel)
{
	(void)ctx;
	while (write(channel, "x", 1) == 1)
		;
	return 0;
}

static void test_deaths(void **state)
{
	static const struct {
		int (*work)(void *ctx, int channel);
		const char *says;
	} deaths[] = {
		{crash, "the process that read it was killed by " TRAP_TEXT},
		{compute, "reading it takes more than 1 s"},
		{print_much, "it would have more than 1048576 bytes"},
		{sleep_long, "nothing came of reading it for 1 s"},
		{ask_for_ever, "nothing came of reading it for 1 s"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(deaths) / sizeof(*deaths); i++) {
		struct sandbox box = with(deaths[i].work);
		char expected[256];

		box.prepare = prepare_to_crash;
		box.seconds = deaths[i].work == compute ? 1 : 10;
		box.patience = deaths[i].work == compute ? 10 : 1;
		assert_int_equal(run(&box), 4);
		snprintf(expected, sizeof(expected), "nmibt: DUMP: no report: %s\n",
			 deaths[i].says);
		assert_string_equal(out, "");
		assert_string_equal(err, expected);
	}
}

static int sleep_behind_the_end(void *ctx, int channel)
{
	(void)ctx;
	close(channel);
	pause();
	return 0;
}

/* Where the kernel has no locks a child that was taken over can do that. */
static void test_closed_channel(void **state)
{
	struct sandbox box = with(sleep_behind_the_end);

	(void)state;
	box.unlocked = true;
	box.patience = 1;
	assert_int_equal(run(&box), 4);
	assert_string_equal(out, "");
	assert_string_equal(err, "nmibt: DUMP: no report: nothing came of reading it for 1 s\n");
}

static int allocate(void *ctx, int channel)
{
	unsigned int got = 0;

	(void)ctx, (void)channel;
	for (volatile char *p; got < 64 && (p = malloc(8 << 20)); got++)
		*p = 1;
	printf("%u\n", got);
	return 0;
}

static void test_memory(void **state)
{
	(void)state;
	struct sandbox box = with(allocate);

#ifdef __SANITIZE_ADDRESS__
	skip();
#endif
	assert_int_equal(run(&box), 0);
	assert_in_range(atoi(out), 24, 32);
}

#ifdef __SANITIZE_ADDRESS__
static int read_beyond(void *ctx, int channel)
{
	volatile size_t size = 8;
	volatile char *p = malloc(size);

	(void)ctx, (void)channel;
	return p[size];
}

/* AddressSanitizer works behind the locks. */
static void test_sanitizer(void **state)
{
	(void)state;
	struct sandbox box = with(read_beyond);

	assert_int_equal(run(&box), 1);
	assert_non_null(strstr(err, "ERROR: AddressSanitizer: heap-buffer-overflow"));
}
#endif

/* ------------------------------------------------------------------- what it prints */

static int print_text(void *ctx, int channel)
{
	(void)channel;
	fputs(ctx, stdout);
	return 0;
}

static void test_control_characters(void **state)
{
	static const struct {
		const char *text;
		bool colour, printed;
	} cases[] = {
		{"a line\n\tanother \xc3\xa4 \xe2\x80\xa6\n", false, true},
		{"\033[1;31mred\033[0m\n", true, true},
		{"\033[1;31mred\033[0m\n", false, false},
		{"\033[2J", true, false},
		{"\033]0;title\a", true, false},
		{"\033[1", true, false},
		{"\033", true, false},
		{"bell \a\n", true, false},
		{"\r", true, false},
		{"\x7f", true, false},
		{"\xc2\x9b"
		 "2J",
		 true, false},
		{"\xc2\xa7 5\n", true, true},
		{"\x9b"
		 "2J",
		 true, false},
		{"\xe2\x80", true, false},
		{"\xe2\x80"
		 "a",
		 true, false},
		{"\xff", true, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct sandbox box = with(print_text);

		box.ctx = (void *)cases[i].text;
		box.colour = cases[i].colour;
		assert_int_equal(run(&box), cases[i].printed ? 0 : 4);
		assert_string_equal(out, cases[i].printed ? cases[i].text : "");
	}
}

static void answer(void *ctx, int channel, const void *request, size_t len)
{
	(void)ctx;
	assert_int_equal(len, 4);
	assert_memory_equal(request, "file", 4);
	assert_int_equal(write(channel, "none", 4), 4);
}

static int ask(void *ctx, int channel)
{
	char reply[16];
	struct iovec data = {reply, sizeof(reply)};
	struct msghdr head = {.msg_iov = &data, .msg_iovlen = 1};

	(void)ctx;
	for (unsigned int i = 0; i < 3; i++) {
		if (write(channel, "file", 4) != 4 || recvmsg(channel, &head, 0) != 4 ||
		    memcmp(reply, "none", 4))
			return 1;
	}
	return 0;
}

static void test_requests(void **state)
{
	(void)state;
	struct sandbox box = with(ask);

	box.answer = answer;
	assert_int_equal(run(&box), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_allowed),
		cmocka_unit_test(test_unlocked),
		cmocka_unit_test(test_landlock_alone),
		cmocka_unit_test(test_seccomp_alone),
#ifdef __x86_64__
		cmocka_unit_test(test_other_abis),
#endif
		cmocka_unit_test(test_other_descriptors_are_closed),
		cmocka_unit_test(test_no_locks),
		cmocka_unit_test(test_exit_codes),
		cmocka_unit_test(test_temporary_reasons),
		cmocka_unit_test(test_ignored_children),
		cmocka_unit_test(test_deaths),
		cmocka_unit_test(test_closed_channel),
		cmocka_unit_test(test_memory),
#ifdef __SANITIZE_ADDRESS__
		cmocka_unit_test(test_sanitizer),
#endif
		cmocka_unit_test(test_control_characters),
		cmocka_unit_test(test_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
