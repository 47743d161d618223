// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A hash of when the last records before the death were printed. A dump, its record, its extract and a text of its log
 * have these times alike: a redacted extract has them, a small record lacks older ones, a text has microseconds and may have
 * lines of several CPUs in another order. The hash tells nothing that a reader of the extract does not see anyhow.
 *
 * Two crashes have the same hash where a log was forged, where an emulator replays a boot, or by chance, which is
 * small only where times differ from boot to boot: so it is not made of the times of a coarse clock. What uses it
 * has to compare more, as tools/triage/identity.py does.
 */
#include "base/base.h"
#include "json/json.h"

/* A small record has the end of the log alone. Each differs by a bit or more between two boots of the same image. */
#define NR_TIMES 48

/* Steps between times have so many different lengths at least. */
#define MIN_LENGTHS 8
/* Times are rounded, so that steps of a tick, of two and so on differ by 1 us among themselves. */
#define DIFFERENT_US 2
/* From each other they differ by 833 us or more: HZ is 1200 at most (arch/alpha/Kconfig, 6.12). */
#define TICK_US 500

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Sorts the times, and returns how many are left when each is there once. */
static size_t sort(uint64_t *us, size_t nr)
{
	size_t kept = 0;

	qsort(us, nr, sizeof(*us), compare);
	for (size_t i = 0; i < nr; i++) {
		if (!kept || us[kept - 1] != us[i])
			us[kept++] = us[i];
	}
	return kept;
}

/* The times of the boot that died, up to that of the death, ascending. There is room for all. */
static size_t find_times(const struct nmibt_report *report, uint64_t *us)
{
	const struct nmibt_log_source *log = report->sources->log;
	size_t nr = 0;

	for (size_t i = 0; i < log->nr_times && i < NMIBT_MAX_LOG_TIMES; i++) {
		const struct nmibt_log_time *time = &log->times[i];

		if (nmibt_is_of_boot(report, time->seq) && time->us <= report->death.ns / 1000)
			us[nr++] = time->us;
	}
	return sort(us, nr);
}

/*
 * Of a clock that counts ticks each step is a number of ticks, and boots of one image may have the same ones. A burst in which
 * each microsecond has a line tells boots apart as little.
 */
static bool tell_boots_apart(const uint64_t us[NR_TIMES])
{
	uint64_t steps[NR_TIMES - 1], last = 0;
	unsigned int nr_lengths = 0;

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		steps[i] = us[i + 1] - us[i];
	qsort(steps, ARRAY_SIZE(steps), sizeof(*steps), compare);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		uint64_t longer = steps[i] - last;

		nr_lengths += longer >= DIFFERENT_US && longer < TICK_US;
		last = steps[i];
	}
	return nr_lengths >= MIN_LENGTHS;
}

/* The same bytes on every machine. */
static void hash_times(const uint64_t us[NR_TIMES], char hash[NMIBT_SHA1_HEX])
{
	char bytes[NR_TIMES * sizeof(*us)];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(us[i / sizeof(*us)] >> 8 * (i % sizeof(*us)));
	nmibt_sha1(bytes, sizeof(bytes), hash);
}

/* hash stays empty where too little of the log is known. */
static struct nmibt_error *hash_log(const struct nmibt_report *report, char hash[NMIBT_SHA1_HEX])
{
	const struct nmibt_log_source *log = report->sources->log;

	if (!log || !report->death.has_seq || log->nr_times < NR_TIMES)
		return NULL;
	_cleanup_free_ uint64_t *us = calloc(NMIBT_MAX_LOG_TIMES, sizeof(*us));
	if (!us)
		return nmibt_error_nomem();
	size_t nr = find_times(report, us);
	if (nr >= NR_TIMES && tell_boots_apart(us + nr - NR_TIMES))
		hash_times(us + nr - NR_TIMES, hash);
	return NULL;
}

struct nmibt_error *json_log_hash(struct json *j)
{
	char hash[NMIBT_SHA1_HEX] = "";
	struct nmibt_error *err = hash_log(j->renderer.report, hash);

	if (err)
		return err;
	json_key(j, "log_hash");
	json_word(j, *hash ? hash : NULL);
	return NULL;
}
