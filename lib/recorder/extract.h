/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of an extract. */
#ifndef NMIBT_RECORDER_EXTRACT_H
#define NMIBT_RECORDER_EXTRACT_H

#include <nmibt/extract.h>

#include "recorder/recorder.h"
#include "report/report.h"

/* Bytes of physical memory that will be in the extract. */
struct extract_piece {
	uint64_t start;
	size_t len;
	char *bytes; /* malloc'ed */
	bool *is_done; /* of each byte, while texts are redacted */
};

struct nmibt_extract {
	const struct nmibt_report *report; /* of the dump; borrowed */
	struct memory_note note;
	struct nmibt_image_ops ops; /* of the note's image: those that the dump's has, too */
	/* Copies, which may be redacted; filled in when all reports were made. */
	bool is_taken, is_redacted;
	struct extract_piece *pieces; /* sorted */
	size_t nr_pieces;
	char *notes; /* NULL: no report read them */
	size_t notes_len;
};

/* Opens the dump's kernel once more, on an image that notes what is read from here on. The caller closes
 * both, the kernel first; none is open where that fails. */
struct nmibt_error *nmibt_extract_open_again(const struct nmibt_extract *extract,
					     struct memory_note *ret,
					     struct nmibt_kernel **ret_kernel);
/* Reads all of the log, if it can be read. *ret_nr: its records. */
struct nmibt_error *nmibt_extract_read_log(struct nmibt_kernel *kernel, uint64_t *ret_nr);
/* Fills in the copies, once all reports were made; later calls do nothing. */
struct nmibt_error *nmibt_extract_take(struct nmibt_extract *extract);
/* The bytes at paddr, if all of them are in the extract. NULL: they are not. */
char *nmibt_extract_at(const struct nmibt_extract *extract, uint64_t paddr, size_t len);
/* Of the same bytes. */
void nmibt_extract_mark_done(const struct nmibt_extract *extract, uint64_t paddr, size_t len);
/* The first bytes at or behind *paddr, up to end, that are in the extract: *paddr becomes their address.
 * NULL: there are none. */
char *nmibt_extract_next(const struct nmibt_extract *extract, uint64_t *paddr, uint64_t end,
			 size_t *ret_len);
/* The address of a CPU's slot. 0: there is none. */
uint64_t nmibt_extract_slot(const struct nmibt_extract *extract, unsigned int cpu);
/* Where a CPU's crash note may be: by its slot, by the kernel's per-CPU data. A damaged slot has the address
 * of another place. */
enum note_place { NOTE_BY_SLOT, NOTE_BY_KERNEL, NR_NOTE_PLACES };
/* The address of the note's byte at offset. False: not known. */
bool nmibt_extract_note(const struct nmibt_extract *extract, enum note_place place,
			unsigned int cpu, size_t offset, uint64_t *ret);
/* Redacts pieces, notes, and the stacks in note.answers. */
struct nmibt_error *nmibt_extract_scrub(struct nmibt_extract *extract);

/* ------------------------------------------------------- lines in several records */

struct joined_part {
	char *at; /* what becomes of it is copied there; NULL: nowhere */
	size_t len;
};

struct joined_line {
	uint32_t caller_id;
	bool is_of_user; /* a program wrote it; it has one part */
	char *text; /* malloc'ed */
	size_t len;
	struct joined_part *parts;
	size_t nr;
};
#define MAX_OPEN_LINES 16

struct joiner {
	/* Takes a line, and may change its bytes. */
	struct nmibt_error *(*take)(void *ctx, struct joined_line *line);
	void *ctx;
	struct joined_line open[MAX_OPEN_LINES]; /* of different callers, the oldest first */
	unsigned int nr_open;
};
/* Takes the next record, in the order of the log. */
struct nmibt_error *nmibt_joiner_put(struct joiner *joiner, const struct nmibt_log_record *record,
				     char *at);
/* To be called after the last record, also behind an error. */
struct nmibt_error *nmibt_joiner_end(struct joiner *joiner);

/* ------------------------------------------------------------- redacting texts */

/* Names that are replaced wherever they stand as a word. */
struct secrets;
struct nmibt_error *nmibt_secrets_new(struct secrets **ret);
void nmibt_secrets_free(struct secrets *secrets); /* NULL is allowed */
/* The task of this PID is a thread of the kernel, whose name stays. Before names are added. */
struct nmibt_error *nmibt_secrets_add_thread(struct secrets *secrets, int32_t pid,
					     struct nmibt_str comm);
/* The name of a task, unless it is a thread of the kernel. */
struct nmibt_error *nmibt_secrets_add_comm(struct secrets *secrets, int32_t pid,
					   struct nmibt_str comm);
struct nmibt_error *nmibt_secrets_add_host(struct secrets *secrets, struct nmibt_str host);
/* The kernel's release, after the host: it may be in it. */
struct nmibt_error *nmibt_secrets_add_release(struct secrets *secrets, const char *release);
/* The names of tasks in a line that the kernel printed. */
struct nmibt_error *nmibt_secrets_add_of_line(struct secrets *secrets, enum nmibt_arch arch,
					      struct nmibt_str line);
/* After the last one was added. */
void nmibt_secrets_sort(struct secrets *secrets);
/* Replaces what is secret in a line, in place. is_whole: it is surely a line; all of it is replaced if it
 * has no known form. */
void nmibt_secrets_scrub_line(const struct secrets *secrets, enum nmibt_arch arch, bool is_whole,
			      char *line, size_t len);
/* Replaces every letter and digit. */
void nmibt_secrets_scrub_whole(char *line, size_t len);
/* The words of a panic. */
void nmibt_secrets_scrub_message(const struct secrets *secrets, char *message, size_t len);
void nmibt_secrets_scrub_release(const struct secrets *secrets, char *text, size_t len);
/* Replaces a name of a task in a field of its own. */
void nmibt_secrets_scrub_comm(const struct secrets *secrets, char *comm, size_t len);
/* The same of a task that is known by its PID, whatever the name is. len: of the field. */
void nmibt_secrets_scrub_slot(const struct secrets *secrets, int32_t pid, char *comm, size_t len);

#endif /* NMIBT_RECORDER_EXTRACT_H */
