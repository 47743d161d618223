// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The child prints into two files in memory, which the parent copies out when the child has ended. A
 * pipe would need a reader all the time. A socket is there for the child's requests; when it closes
 * the child has ended.
 *
 * Where the kernel refuses the locks (it is old, or a container forbids them) the file is read all
 * the same, by the child with its limits, or without a child where there can be none: a dump is
 * needed most where little else works, and the readers check what they read on their own.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lockdown.h"
#include "sandbox.h"

#define FAILED 4
#define MAX_REQUEST 4096
#define CHUNK 16384

/* The ends that the parent and the child have of the channel, and what the child prints. */
struct ends {
	int parent, child;
	int out, err;
};

/* ---------------------------------------------------------------------- the child */

/* A limit that was lower stays. */
static void limit(int resource, rlim_t value, rlim_t max)
{
	struct rlimit now;

	if (getrlimit(resource, &now))
		return;
	if (now.rlim_max > max)
		now.rlim_max = max;
	if (now.rlim_cur > value)
		now.rlim_cur = value;
	setrlimit(resource, &now);
}

static void set_limits(const struct sandbox *box)
{
	/* Its default action tells this limit from other reasons to be killed. */
	signal(SIGXCPU, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	limit(RLIMIT_CPU, box->seconds, box->seconds + 1);
	limit(RLIMIT_FSIZE, box->output, box->output);
#ifndef __SANITIZE_ADDRESS__ /* it reserves terabytes */
	limit(RLIMIT_DATA, box->memory, box->memory);
#endif
}

static bool is_kept(const struct sandbox *box, int channel, int fd)
{
	for (unsigned int i = 0; i < box->nr_fds; i++) {
		if (box->fds[i] == fd)
			return true;
	}
	return fd == channel;
}

/* What the caller of this program left open is none of the child's business. Kernels before 5.9 can
 * close only what lies between the others. */
static void close_others(const struct sandbox *box, int channel)
{
	int highest = channel;

	for (unsigned int i = 0; i < box->nr_fds; i++) {
		if (box->fds[i] > highest)
			highest = box->fds[i];
	}
	for (int fd = STDERR_FILENO + 1; fd < highest; fd++) {
		if (!is_kept(box, channel, fd))
			close(fd);
	}
	syscall(__NR_close_range, highest + 1, ~0u, 0);
}

/* seccomp alone refuses all that Landlock refuses. */
static void lock_down(const struct sandbox *box, int channel)
{
	bool files = lock_files(), calls = lock_calls(channel);

	if (calls && box->locked)
		box->locked(box->ctx);
	if (calls || !box->verbose)
		return;
	fputs(files ? "nmibt: half a sandbox: the kernel has Landlock, but no seccomp, or refuses "
		      "it here\n"
		    : "nmibt: no sandbox: the kernel has neither seccomp nor Landlock, or refuses "
		      "them here\n",
	      stderr);
}

__attribute__((noreturn)) static void be_child(const struct sandbox *box, const struct ends *ends)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(ends->out, STDOUT_FILENO);
	dup2(ends->err, STDERR_FILENO);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	dup2(null, STDIN_FILENO);
	close_others(box, ends->child);
	if (box->prepare)
		box->prepare(box->ctx);
	set_limits(box);
	if (!box->unlocked)
		lock_down(box, ends->child);
	int code = box->work(box->ctx, ends->child);
	if (fflush(stdout))
		code = FAILED;
	if (box->unlocked)
		exit(code);
	_exit(code); /* LeakSanitizer would have to stop this process */
}

/* --------------------------------------------------------------------- the parent */

static time_t now(void)
{
	struct timespec ts = {0};

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/* False: the child took too long. */
static bool serve(const struct sandbox *box, int channel, time_t end)
{
	char request[MAX_REQUEST];

	for (unsigned int i = 0; i < box->max_requests && now() <= end; i++) {
		ssize_t len = recv(channel, request, sizeof(request), 0);

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0 && errno == EAGAIN)
			return false;
		if (len <= 0)
			return true;
		if (box->answer)
			box->answer(box->ctx, channel, request, len);
	}
	return false;
}

/* The place in what the child printed. */
struct place {
	enum { PLAIN, BEHIND_ESC, IN_COLOUR } in;
	unsigned int left; /* bytes of a character of UTF-8 that follow */
	bool behind_c2; /* 0xc2 and the next byte would be U+0080 to U+009F, which are controls */
};

/* A byte of a character that is not ASCII. */
static bool next_in_utf8(struct place *place, unsigned char c)
{
	if (place->left) {
		bool is_control = place->behind_c2 && c < 0xa0;

		place->left--;
		place->behind_c2 = false;
		return (c & 0xc0) == 0x80 && !is_control;
	}
	place->left = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
	place->behind_c2 = c == 0xc2;
	return c >= 0xc2 && c <= 0xf4;
}

/* False: c may do things to a terminal. */
static bool next_place(struct place *place, unsigned char c, bool colour)
{
	bool was_esc = place->in == BEHIND_ESC;

	if (place->in != PLAIN) {
		place->in = was_esc || c != 'm' ? IN_COLOUR : PLAIN;
		return was_esc ? c == '[' : c == 'm' || (c >= '0' && c <= '9') || c == ';';
	}
	if (place->left || c >= 0x80)
		return next_in_utf8(place, c);
	if (c == '\033') {
		place->in = BEHIND_ESC;
		return colour;
	}
	return (c >= ' ' && c != 0x7f) || c == '\n' || c == '\t';
}

/* A child that was taken over by its file could print anything. */
static bool is_printable(int fd, bool colour)
{
	struct place place = {.in = PLAIN};
	char text[CHUNK];
	ssize_t len;

	for (off_t at = 0; (len = pread(fd, text, sizeof(text), at)) > 0; at += len) {
		for (ssize_t i = 0; i < len; i++) {
			if (place.in == PLAIN && !place.left && text[i] >= ' ' && text[i] < 0x7f)
				continue; /* as nearly all of it is */
			if (!next_place(&place, text[i], colour))
				return false;
		}
	}
	return !len && place.in == PLAIN && !place.left;
}

static bool copy_out(int fd, FILE *to)
{
	char text[CHUNK];
	ssize_t len;

	for (off_t at = 0; (len = pread(fd, text, sizeof(text), at)) > 0; at += len) {
		if (fwrite(text, 1, len, to) != (size_t)len)
			return false;
	}
	return !len && !fflush(to);
}

static int fail_for_now(const struct sandbox *box)
{
	if (box->is_temporary)
		*box->is_temporary = true;
	return FAILED;
}

static int print(const struct sandbox *box, const struct ends *ends, int code)
{
	if ((!box->take && !is_printable(ends->out, box->colour)) ||
	    !is_printable(ends->err, false)) {
		fprintf(stderr,
			"nmibt: %s: the report holds control characters, and is not printed\n",
			box->name);
		return FAILED;
	}
	copy_out(ends->err, stderr);
	if (box->take)
		return box->take(box->ctx, ends->out) ? code : fail_for_now(box);
	if (copy_out(ends->out, stdout))
		return code;
	perror("nmibt: writing the output");
	return fail_for_now(box);
}

/* The limit that counted: what the caller of this program had set may be lower. */
static uint64_t limit_of(int resource, uint64_t ours)
{
	struct rlimit caller;

	return !getrlimit(resource, &caller) && caller.rlim_cur < ours ? caller.rlim_cur : ours;
}

static int say_how_it_died(const struct sandbox *box, int status, bool idle)
{
	int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	fprintf(stderr, "nmibt: %s: no report: ", box->name);
	if (idle)
		fprintf(stderr, "nothing came of reading it for %u s\n", box->patience);
	else if (signal == SIGXCPU)
		fprintf(stderr, "reading it takes more than %" PRIu64 " s\n",
			limit_of(RLIMIT_CPU, box->seconds));
	else if (signal == SIGXFSZ)
		fprintf(stderr, "it would have more than %" PRIu64 " bytes\n",
			limit_of(RLIMIT_FSIZE, box->output));
	else if (signal)
		fprintf(stderr, "the process that read it was killed by signal %d (%s)\n", signal,
			strsignal(signal));
	else
		fprintf(stderr, "the process that read it ended with exit code %d\n",
			WEXITSTATUS(status));
	/* By whoever needed the memory, or did not want to wait. */
	return idle || signal == SIGKILL ? fail_for_now(box) : FAILED;
}

/* As waitpid(), but returns 0 at the end. A child that was taken over may have closed its channel, and go on. */
static pid_t wait_until(time_t end, pid_t child, int *ret_status)
{
	sigset_t ending, old;
	pid_t ended;

	/* A signal that is blocked stays until it is taken, also one that nobody handles. */
	sigemptyset(&ending);
	sigaddset(&ending, SIGCHLD);
	sigprocmask(SIG_BLOCK, &ending, &old);
	while (!(ended = waitpid(child, ret_status, WNOHANG)) && now() <= end) {
		const struct timespec second = {.tv_sec = 1};

		sigtimedwait(&ending, NULL, &second);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	return ended;
}

static pid_t kill_child(pid_t child, int *ret_status)
{
	pid_t ended;

	kill(child, SIGKILL);
	do
		ended = waitpid(child, ret_status, 0);
	while (ended < 0 && errno == EINTR);
	return ended;
}

static int be_parent(const struct sandbox *box, const struct ends *ends, pid_t child)
{
	time_t end = now() + box->patience;
	int status;
	pid_t ended = serve(box, ends->parent, end) ? wait_until(end, child, &status) : 0;
	bool idle = !ended;

	if (idle)
		ended = kill_child(child, &status);
	if (ended < 0) {
		perror("nmibt: waiting for the process that reads the dump");
		return fail_for_now(box);
	}
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : SANDBOX_NR_CODES;
	if (box->discard && WIFEXITED(status) && code == box->discard)
		return code;
	if (code < SANDBOX_NR_CODES || code == SANDBOX_NO_MEMORY)
		return print(box, ends, code);
	/* The sanitizers and libc write to standard error why they end a process. */
	if (is_printable(ends->err, false))
		copy_out(ends->err, stderr);
	return say_how_it_died(box, status, idle);
}

/* --------------------------------------------------------------------------- both */

/* Without a file in memory (3.16 and older) it is one without a name. */
static int open_output(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	return fd >= 0 ? fd : open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

static bool open_ends(const struct sandbox *box, struct ends *ret)
{
	const struct timeval patience = {.tv_sec = box->patience};
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return false;
	*ret = (struct ends){
		.parent = pair[0],
		.child = pair[1],
		.out = open_output("nmibt-out"),
		.err = open_output("nmibt-err"),
	};
	return ret->out >= 0 && ret->err >= 0 &&
	       !setsockopt(ret->parent, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) &&
	       !setsockopt(ret->parent, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* A kernel may lack sockets and files in memory, as a small capture kernel does. */
static int run_here(const struct sandbox *box)
{
	if (box->verbose)
		fprintf(stderr, "nmibt: no sandbox: a process for reading the dump can't be "
				"started: %m\n");
	int code = box->work(box->ctx, -1);
	if (!fflush(stdout))
		return code;
	perror("nmibt: writing the output");
	return fail_for_now(box);
}

static int run(const struct sandbox *box, struct ends *ends)
{
	/* Where it is ignored, nobody learns how the child ended. */
	signal(SIGCHLD, SIG_DFL);
	pid_t child = open_ends(box, ends) ? fork() : -1;

	if (child < 0)
		return run_here(box);
	if (!child)
		be_child(box, ends);
	close_fd(&ends->child);
	return be_parent(box, ends, child);
}

int sandbox_run(const struct sandbox *box)
{
	struct ends ends = {-1, -1, -1, -1};
	int code = run(box, &ends);

	close_fd(&ends.parent);
	close_fd(&ends.child);
	close_fd(&ends.out);
	close_fd(&ends.err);
	return code == SANDBOX_NO_MEMORY ? fail_for_now(box) : code;
}
