/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes JSON as it goes, so that a document of thousands of CPUs needs no memory.
 */
#ifndef NMIBT_JSON_H
#define NMIBT_JSON_H

#include <nmibt/json.h>

#include "render/render.h"

/* As nmibt_render_file(), one JSON document. */
struct nmibt_error *nmibt_json_file(const struct nmibt_report *report,
				    const struct nmibt_render_options *options, FILE *out,
				    int *ret);

struct json {
	struct renderer renderer; /* first: what nmibt_each_cpu() is given */
	bool needs_comma;
};

void json_open(struct json *j, char bracket); /* '{' or '[' */
void json_close(struct json *j, char bracket);
/* The value is what is written next. key needs no escape. */
void json_key(struct json *j, const char *key);
/* A line break behind what was written. */
void json_break(struct json *j);

void json_null(struct json *j);
void json_bool(struct json *j, bool value);
void json_int(struct json *j, int64_t value);
/* JSON's integers end at 2^63: what lies beyond is no sane value, and is a string in hex. */
void json_number(struct json *j, uint64_t value);
/* A point in time; 0, which means that there is none, is null. */
void json_time(struct json *j, uint64_t ns);
void json_seconds(struct json *j, int64_t ns);
void json_hex(struct json *j, uint64_t value);
/* A name of ours, which needs no escape; NULL is null. */
void json_word(struct json *j, const char *word);
/* Untrusted: escaped as in the text, so that neither a control character nor invalid UTF-8
 * gets into the string, and the bytes can be had back. */
void json_string(struct json *j, const char *s, size_t len);
void json_text(struct json *j, const char *s); /* NULL is null */
void json_base64(struct json *j, const char *raw, size_t len);

/* Parts of the document. */
void json_flags(struct json *j, uint32_t flags, const char *const *names, size_t nr);
void json_cpus(struct json *j, const struct nmibt_cpus *cpus);
void json_task(struct json *j, const struct nmibt_task *task);
void json_age(struct json *j, struct nmibt_age age);
void json_stack(struct json *j, const struct nmibt_evidence *evidence);
/* The members of a piece of evidence: its text, what is wrong with it, where it is. */
void json_evidence(struct json *j, const struct nmibt_evidence *evidence);
struct nmibt_error *json_cpu(struct renderer *r, const struct nmibt_cpu *cpu);

#endif /* NMIBT_JSON_H */
