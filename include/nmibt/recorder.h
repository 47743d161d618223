/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What vmcore-nmibt does in the capture kernel: it takes from a dump what every CPU was doing, as
 * text and as a record that survives without the dump. It needs libc and zlib, and little memory.
 *
 *   nmibt_recorder_open() -> nmibt_recorder_text(), nmibt_recorder_write()
 *
 * nmibt_input_open() of <nmibt/nmibt.h> reads records. Their format is docs/pstore-format.md. The
 * functions are in the archive libnmibt-recorder.a, which needs libnmibt.a.
 */
#ifndef NMIBT_RECORDER_H
#define NMIBT_RECORDER_H

#include <nmibt/nmibt.h>

#ifdef __cplusplus
extern "C" {
#endif

struct nmibt_recorder;

/* Opens an ELF dump of a kernel, /proc/vmcore for one, and looks at all of its CPUs. UNUSABLE where
 * path is no such dump; NOTHING where it has nothing about any CPU, and no log. */
struct nmibt_error *nmibt_recorder_open(const char *path, struct nmibt_recorder **ret);
void nmibt_recorder_close(struct nmibt_recorder *recorder); /* NULL is allowed */

/* False: something could not be read. */
bool nmibt_recorder_is_complete(const struct nmibt_recorder *recorder);

/* Writes a line for each CPU, or for CPUs that have the same stack, below lines about the machine;
 * at most max_lines, 0: any number. What matters most comes first. */
struct nmibt_error *nmibt_recorder_summary(struct nmibt_recorder *recorder, unsigned int max_lines,
					   nmibt_write_fn write, void *ctx);
/* Writes the whole summary, then what there is about each CPU, then the end of the log. */
struct nmibt_error *nmibt_recorder_text(struct nmibt_recorder *recorder, nmibt_write_fn write,
					void *ctx);

/* A file that goes behind everything else in a record: its end, as far as it fits. */
struct nmibt_recorder_file {
	const char *name;
	const char *data;
	size_t len;
	uint64_t before; /* bytes of the file that come before data */
};

/* Writes a record of at most size bytes; 0: of any size. *ret_is_whole: there was room for
 * everything. USAGE where size is too small for any record. */
struct nmibt_error *nmibt_recorder_write(struct nmibt_recorder *recorder, size_t size,
					 const struct nmibt_recorder_file *files, unsigned int nr,
					 nmibt_write_fn write, void *ctx, bool *ret_is_whole);

#ifdef __cplusplus
}
#endif

#endif /* NMIBT_RECORDER_H */
