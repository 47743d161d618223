/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A report as one JSON document: docs/json.md, docs/nmibt.schema.json. libnmibt-json.a has
 * it, and needs libnmibt.a.
 */
#ifndef NMIBT_PUBLIC_JSON_H
#define NMIBT_PUBLIC_JSON_H

#include <nmibt/nmibt.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Of the document: it grows when a reader of the one before would go wrong. */
#define NMIBT_JSON_VERSION 2

/* As nmibt_render(), whatever options->format is. */
struct nmibt_error *nmibt_render_json(const struct nmibt_report *report,
				      const struct nmibt_render_options *options,
				      nmibt_write_fn write, void *ctx, int *ret);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif /* NMIBT_PUBLIC_JSON_H */
