/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes JSON piece by piece, so that a document about thousands of CPUs is never in memory as a
 * whole.
 */
#ifndef NMIBT_JSON_H
#define NMIBT_JSON_H

#include <nmibt/json.h>

#include "render/render.h"

/* As nmibt_render_file(), but writes one JSON document. */
struct nmibt_error *nmibt_json_file(const struct nmibt_report *report,
				    const struct nmibt_render_options *options, FILE *out,
				    int *ret);

struct json {
	struct renderer renderer; /* must be first: nmibt_each_cpu() receives it */
	bool needs_comma;
};

void json_open(struct json *j, char bracket); /* '{' or '[' */
void json_close(struct json *j, char bracket);
/* Writes a key; the value has to be written next. key needs no escape. */
void json_key(struct json *j, const char *key);
/* Writes a line break. */
void json_break(struct json *j);

void json_null(struct json *j);
void json_bool(struct json *j, bool value);
void json_int(struct json *j, int64_t value);
/* JSON's integers are written up to 2^63 - 1. Larger values make no sense and become a string in
 * hex. */
void json_number(struct json *j, uint64_t value);
/* Writes a time in ns; 0 means that there is none and becomes null. */
void json_time(struct json *j, uint64_t ns);
void json_seconds(struct json *j, int64_t ns);
void json_hex(struct json *j, uint64_t value);
/* Writes one of nmibt's own names, which needs no escape; NULL becomes null. */
void json_word(struct json *j, const char *word);
/* Writes untrusted bytes, escaped as in the text output: no control character and no invalid UTF-8
 * gets into the string, and a reader can restore the bytes. */
void json_string(struct json *j, const char *s, size_t len);
void json_text(struct json *j, const char *s); /* NULL is null */
void json_base64(struct json *j, const char *raw, size_t len);

/* Parts of the document. */
void json_flags(struct json *j, uint32_t flags, const char *const *names, size_t nr);
void json_cpus(struct json *j, const struct nmibt_cpus *cpus);
void json_task(struct json *j, const struct nmibt_task *task);
void json_age(struct json *j, struct nmibt_age age);
void json_stack(struct json *j, const struct nmibt_evidence *evidence);
/* Writes the members of a piece of evidence: its text, what is wrong with it, where it is
 * stored. */
void json_evidence(struct json *j, const struct nmibt_evidence *evidence);
/* Writes the member log_hash. */
struct nmibt_error *json_log_hash(struct json *j);
struct nmibt_error *json_cpu(struct renderer *r, const struct nmibt_cpu *cpu);

#endif /* NMIBT_JSON_H */
