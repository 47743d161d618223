/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A report as one JSON document: docs/json.md, docs/nmibt.schema.json. It is in libnmibt-json.a,
 * which needs libnmibt.a.
 */
#ifndef NMIBT_PUBLIC_JSON_H
#define NMIBT_PUBLIC_JSON_H

#include <nmibt/nmibt.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* The version of the document. It grows when programs that read the version before would
 * misread the new one. */
#define NMIBT_JSON_VERSION 2

/* Writes the JSON document, whatever options->format is; otherwise as nmibt_render(). */
struct nmibt_error *nmibt_render_json(const struct nmibt_report *report,
				      const struct nmibt_render_options *options,
				      nmibt_write_fn write, void *ctx, int *ret);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif /* NMIBT_PUBLIC_JSON_H */
