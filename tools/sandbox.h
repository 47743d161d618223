/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs the parser of a hostile file in a process of its own, which can do nothing else and has
 * limits. What it prints comes out only after it ended by itself, so that standard output has a
 * whole report or nothing.
 */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The exit codes of work are below it, besides that of discard. */
#define SANDBOX_NR_CODES 5
/* One more exit code of work: 4 is the whole program's, and the reason is not in the file. */
#define SANDBOX_NO_MEMORY 6

struct sandbox {
	const char *name; /* of the file, for messages */
	const int *fds; /* the descriptors that the child keeps, besides its own; nr_fds of them */
	unsigned int nr_fds;
	bool colour; /* the report may have colours */
	bool unlocked; /* do not lock the child down: valgrind could not work in it */
	bool verbose; /* say where the kernel has no sandbox */
	/* Limits of the child: seconds of computing time; seconds until it ends, with all that it asks
	 * for; bytes of memory, and of what it prints; requests. */
	unsigned int seconds, patience;
	uint64_t memory, output;
	unsigned int max_requests;

	/* In the child before it is locked down: loads libraries. */
	void (*prepare)(void *ctx);
	/* In the child once it is locked down by seccomp. Without the lock it is not called. */
	void (*locked)(void *ctx);
	/* In the child: reads the file and prints. channel leads to the parent; -1: there is no
	 * child, this is the parent itself. Returns the exit code. */
	int (*work)(void *ctx, int channel);
	/* In the parent: answers the child's request, len bytes that are as hostile as the file. */
	void (*answer)(void *ctx, int channel, const void *request, size_t len);
	/* In the parent: takes what the child printed, which may be any bytes. False: it can't, which it
	 * said. NULL: the output is text, and goes to standard output. */
	bool (*take)(void *ctx, int fd);
	void *ctx;
	/* NULL, or it becomes true where there is no report for a reason that is not in the file, so that another
	 * try may have one: the process that read it was killed or had no memory, or the output was not written. */
	bool *is_temporary;
	int discard; /* with this exit code nothing that the child printed comes out */
};

/* Returns the exit code of work; 4 where the child died, which was said. */
int sandbox_run(const struct sandbox *box);

#endif /* SANDBOX_H */
