// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * By what one boot's log is known from all others: when each record was printed, by whom, and how long it is. What
 * the records say is not in it, so that a redacted extract, whose records keep their times and lengths, has
 * the same hash as its dump, and the hash tells nothing that the extract does not tell anyhow.
 */
#include <inttypes.h>

#include "base/base.h"
#include "json/json.h"

/* Times of whole microseconds may be of a clock that is so coarse that every boot has the same ones. */
#define COARSE_NS 1000
/* So many others at least: where machines of one kind boot the same image, each differs by a microsecond at
 * least, that is by 10 bits where the clock has nanoseconds, and by 4 where it has 24 MHz. */
#define MIN_TIMES 32

#define RECORD_LEN 16

/* The same bytes on every machine. */
static void pack_number(char *to, uint64_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		to[i] = (char)(value >> 8 * i);
}

static void put_record(FILE *out, const struct nmibt_log_record *record)
{
	char packed[RECORD_LEN];

	pack_number(packed, record->ts_ns, 8);
	pack_number(packed + 8, record->caller_id, 4);
	pack_number(packed + 12, record->len + record->missing, 4);
	fwrite_unlocked(packed, 1, sizeof(packed), out);
}

/* Returns how many times there are by which boots differ. */
static unsigned int put_records(FILE *out, struct nmibt_log *log)
{
	struct nmibt_log_record record;
	uint64_t last_ns = 0;
	unsigned int nr = 0;

	while (nmibt_log_next(log, &record)) {
		if (record.is_end)
			continue;
		put_record(out, &record);
		nr += record.ts_ns % COARSE_NS && record.ts_ns != last_ns;
		last_ns = record.ts_ns;
	}
	return nmibt_log_is_interrupted(log) ? 0 : nr;
}

/* hash stays empty where too little of the log is known. */
static struct nmibt_error *hash_records(struct nmibt_log *log, char hash[NMIBT_SHA1_HEX])
{
	_cleanup_free_ char *bytes = NULL;
	size_t len;
	FILE *out = open_memstream(&bytes, &len);

	if (!out)
		return nmibt_error_nomem();
	unsigned int nr = put_records(out, log);
	if (fclose(out))
		return nmibt_error_nomem();
	if (nr >= MIN_TIMES)
		nmibt_sha1(bytes, len, hash);
	return NULL;
}

struct nmibt_error *json_log_hash(struct json *j)
{
	char hash[NMIBT_SHA1_HEX] = "";
	struct nmibt_log *log;
	struct nmibt_error *err = nmibt_log_open(j->renderer.report->kernel, &log);

	if (!err) {
		err = hash_records(log, hash);
		nmibt_log_close(log);
	}
	if (err && nmibt_error_code(err) == NMIBT_ERR_NOMEM)
		return err;
	nmibt_error_destroy(err);
	json_key(j, "log_hash");
	json_word(j, *hash ? hash : NULL);
	return NULL;
}
