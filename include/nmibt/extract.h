/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small file of what reports read of a dump, to be sent to somebody: the extract. Its format is
 * docs/pstore-format.md, and nmibt_input_open() of <nmibt/nmibt.h> reads it.
 *
 *   nmibt_extract_new() -> nmibt_extract_report() -> nmibt_extract_write()
 *
 * What the reports do not read is not in it. The functions are in the archive libnmibt-recorder.a,
 * which needs libnmibt.a.
 */
#ifndef NMIBT_EXTRACT_H
#define NMIBT_EXTRACT_H

#include <nmibt/nmibt.h>

#ifdef __cplusplus
extern "C" {
#endif

struct nmibt_extract;

/* report is that of the dump. It has to be there until nmibt_extract_close(), and what was rendered
 * of it tells which of the kernel's tables can't be read. UNUSABLE where it is of a text. */
struct nmibt_error *nmibt_extract_new(const struct nmibt_report *report,
				      struct nmibt_extract **ret);
void nmibt_extract_close(struct nmibt_extract *extract); /* NULL is allowed */

/* Makes a report of the dump as a reader of the extract would make it. Whatever it reads, and
 * whatever rendering it reads, will be in the extract. The caller closes *ret first. */
struct nmibt_error *nmibt_extract_report(struct nmibt_extract *extract, enum nmibt_source source,
					 struct nmibt_report **ret);

/* From now on: names of tasks, the host's name, what looks like an address of mail, registers of user
 * mode and words that point into no kernel are replaced, as docs/extract.md says. */
struct nmibt_error *nmibt_extract_redact(struct nmibt_extract *extract);

/* Says what nmibt_extract_write() would write: a line for each kind of thing, or for each thing. */
struct nmibt_error *nmibt_extract_list(struct nmibt_extract *extract, bool each,
				       nmibt_write_fn write, void *ctx);
/* Writes the extract, once. *ret_is_whole: a file of this format had room for everything. */
struct nmibt_error *nmibt_extract_write(struct nmibt_extract *extract, nmibt_write_fn write,
					void *ctx, bool *ret_is_whole);
/* Compares what two reports say: that of the dump, and that of its redacted extract, which was opened again.
 * UNUSABLE, and what differs, where they don't say the same of CPUs, stacks, groups, the panic, and all that
 * follows from these. */
struct nmibt_error *nmibt_extract_compare(const struct nmibt_report *dump,
					  const struct nmibt_report *extract);

#ifdef __cplusplus
}
#endif

#endif /* NMIBT_EXTRACT_H */
