// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/arch-by-line.h"
#include "image/boots.h"
#include "image/words.h"

#define MAX_BOOTS 65536
/* Times of neighbours in the log may be those of two CPUs. */
#define MAX_STEP_BACK_NS UINT64_C(1000000000)
/* A boot that begins because the time went back has its banner among the first lines. */
#define MAX_LINES_TO_BANNER 16
/* Lines by which it is seen that a log is repeated, and how many of them must have stood there. */
#define COMPARED 8
#define REPEATED 6
#define NR_SEEN (1u << 15)

struct finder {
	struct nmibt_boots *boots;
	struct nmibt_boot *boot; /* the last of them */
	uint64_t journal_boot; /* of the last entry of the journal; 0: not known */
	uint64_t ns; /* the newest time, since the boot's first line or since it is printed again */
	bool begins; /* the next line begins another one */
	uint64_t nr_begun; /* boots so far */
	uint64_t seen[NR_SEEN]; /* hashes of lines, of this boot and of the one before */
	/* Of the boot's first lines. */
	unsigned int nr_compared, nr_repeated;
};

/* ------------------------------------------------------------------- what a line says */

static void copy_words(char *to, size_t room, struct nmibt_str from)
{
	size_t len = from.len < room - 1 ? from.len : room - 1;

	memcpy(to, from.s, len);
	to[len] = 0;
}

static void take_rank(struct finder *f, struct nmibt_str text)
{
	enum nmibt_boot_rank rank = nmibt_rank_of_line(text);

	f->boots->nr_recognised += rank != NMIBT_BOOT_QUIET;
	if (rank <= f->boot->rank)
		return;
	f->boot->rank = rank;
	copy_words(f->boot->words, sizeof(f->boot->words), text);
}

static void take_arch(struct nmibt_boot *boot, struct nmibt_str text)
{
	enum nmibt_arch arch = nmibt_arch_by_line(text);

	if (!arch)
		return;
	boot->is_of_several_archs |= boot->arch && boot->arch != arch;
	boot->arch = arch;
}

/* "Linux version 6.12.117 (user@host) ...": init/version-timestamp.c: linux_banner, 6.12 */
static bool read_banner(struct nmibt_str text, struct nmibt_str *ret_release)
{
	return nmibt_skip(&text, "Linux version ") && nmibt_take_until(&text, " (", ret_release) &&
	       !nmibt_str_holds(*ret_release, " ") && nmibt_str_holds(text, "@");
}

static bool is_command_line(struct nmibt_str text)
{
	return nmibt_str_starts(text, "Command line: ") ||
	       nmibt_str_starts(text, "Kernel command line: ");
}

static void take_words(struct finder *f, const struct nmibt_text_line *line)
{
	struct nmibt_str release;

	take_rank(f, line->text);
	f->boots->nr_recognised += *line->text.s == 'C' && nmibt_begins_trace(line->text);
	if (!f->boot->is_of_several_archs)
		take_arch(f->boot, line->text);
	if (*line->text.s == 'L' && read_banner(line->text, &release)) {
		f->boots->nr_recognised++;
		copy_words(f->boot->release, sizeof(f->boot->release), release);
	}
	if ((*line->text.s == 'C' || *line->text.s == 'K') && is_command_line(line->text) &&
	    nmibt_str_holds(line->text, "elfcorehdr="))
		f->boot->is_capture_kernel = true;
}

/* --------------------------------------------------------------------- where one begins */

static struct nmibt_error *begin(struct finder *f, const struct nmibt_text_line *line)
{
	struct nmibt_boots *boots = f->boots;

	if (boots->nr == MAX_BOOTS) {
		boots->nr -= MAX_BOOTS / 2;
		boots->nr_dropped += MAX_BOOTS / 2;
		memmove(boots->v, boots->v + MAX_BOOTS / 2, boots->nr * sizeof(*boots->v));
	}
	if (f->boot)
		boots->v[boots->nr - 1].end = line->place;
	struct nmibt_boot *v = nmibt_make_room(boots->v, boots->nr, sizeof(*v));
	if (!v)
		return nmibt_error_nomem();
	boots->v = v;
	f->boot = &v[boots->nr++];
	*f->boot = (struct nmibt_boot){.first = line->place, .line = line->number};
	f->nr_compared = f->nr_repeated = 0;
	f->nr_begun++;
	f->ns = 0;
	f->begins = false;
	return NULL;
}

/* True: the line can't be of the boot before it. */
static bool is_of_another_boot(const struct finder *f, const struct nmibt_text_line *line)
{
	const struct nmibt_boot *boot = f->boot;
	const struct nmibt_log_prefix *prefix = &line->prefix;
	struct nmibt_str release;

	if (!boot || f->begins || (line->boot && f->journal_boot && line->boot != f->journal_boot))
		return true;
	if (prefix->has_time && !prefix->is_of_program && prefix->ns < f->ns &&
	    f->ns - prefix->ns > MAX_STEP_BACK_NS)
		return true;
	if (!line->text.len || *line->text.s != 'L' || !read_banner(line->text, &release))
		return false;
	/* A banner that is quoted among later lines has a later time. */
	if (prefix->has_time && prefix->ns > MAX_STEP_BACK_NS)
		return false;
	return *boot->release || boot->nr_lines > MAX_LINES_TO_BANNER;
}

/* --------------------------------------------------------------------- what is repeated */

/* Of the beginning: it tells lines of the same microsecond apart, and takes no time. */
static uint64_t hash_line(uint64_t boot, const struct nmibt_text_line *line)
{
	uint64_t bytes = 0, hash = boot * 0x9e3779b97f4a7c15 ^ line->prefix.ns;

	if (line->text.len >= sizeof(bytes))
		memcpy(&bytes, line->text.s, sizeof(bytes));
	else
		memcpy(&bytes, line->text.s, line->text.len);
	hash = (hash ^ bytes) * 0xff51afd7ed558ccd;
	hash = (hash ^ hash >> 33 ^ line->text.len) * 0xc4ceb9fe1a85ec53;
	return hash ^ hash >> 29;
}

/* The new boot is the one before it, which is printed again. */
static void merge(struct finder *f)
{
	struct nmibt_boots *boots = f->boots;
	struct nmibt_boot *again = f->boot, *boot = again - 1;

	if (boot->nr_replays == NMIBT_MAX_REPLAYS)
		return;
	boot->replays[boot->nr_replays++] = (struct nmibt_replay){again->first, boot->last_ns};
	boots->nr--;
	f->boot = boot;
	f->nr_begun--;
	f->nr_compared = COMPARED;
}

static void compare(struct finder *f, const struct nmibt_text_line *line)
{
	uint64_t hash = hash_line(f->nr_begun, line);

	if (f->nr_compared < COMPARED && f->boots->nr > 1) {
		uint64_t before = hash_line(f->nr_begun - 1, line);

		f->nr_compared++;
		f->nr_repeated += f->seen[before % NR_SEEN] == before;
		if (f->nr_repeated == REPEATED) {
			merge(f);
			return;
		}
	}
	f->seen[hash % NR_SEEN] = hash;
}

/* ----------------------------------------------------------------------------- together */

static void take_times(struct finder *f, const struct nmibt_log_prefix *prefix)
{
	struct nmibt_boot *boot = f->boot;

	if (!prefix->has_time || prefix->is_of_program)
		return;
	if (!boot->has_time)
		boot->first_ns = prefix->ns;
	boot->has_time = true;
	if (prefix->ns > f->ns)
		f->ns = prefix->ns;
	if (prefix->ns > boot->last_ns)
		boot->last_ns = prefix->ns;
}

static struct nmibt_error *take_line(struct finder *f, const struct nmibt_text_line *line)
{
	struct nmibt_error *err = is_of_another_boot(f, line) ? begin(f, line) : NULL;

	if (err)
		return err;
	f->journal_boot = line->boot ?: f->journal_boot;
	f->begins |= line->is_boot;
	f->boot->last_line = line->number;
	if (!line->text.len || line->prefix.is_of_program)
		return NULL;
	if (line->prefix.has_time && line->prefix.ns)
		compare(f, line);
	f->boot->nr_lines++;
	f->boot->nr_stamped += line->prefix.is_stamped;
	f->boots->nr_recognised +=
		line->prefix.has_time || line->prefix.has_level || line->prefix.is_of_kernel;
	take_times(f, &line->prefix);
	take_words(f, line);
	return NULL;
}

struct nmibt_error *nmibt_boots_find(struct nmibt_lines *lines, struct nmibt_boots *ret)
{
	struct nmibt_boots boots = {0};
	_cleanup_free_ struct finder *f = calloc(1, sizeof(*f));
	struct nmibt_error *err = f ? NULL : nmibt_error_nomem();
	struct nmibt_text_line line;

	if (f)
		f->boots = &boots;
	while (!err && nmibt_lines_next(lines, &line))
		err = take_line(f, &line);
	if (boots.nr)
		boots.v[boots.nr - 1].end.offset = UINT64_MAX;
	if (err) {
		nmibt_boots_destroy(&boots);
		return err;
	}
	*ret = boots;
	return NULL;
}

void nmibt_boots_destroy(struct nmibt_boots *boots)
{
	free(boots->v);
	*boots = (struct nmibt_boots){0};
}

static unsigned int worth(const struct nmibt_boot *boot)
{
	unsigned int rank = boot->rank >= NMIBT_BOOT_OOPS ? NMIBT_BOOT_OOPS : boot->rank;

	return rank + (boot->is_capture_kernel ? 0 : NMIBT_BOOT_PANIC + 1);
}

size_t nmibt_boots_default(const struct nmibt_boots *boots)
{
	size_t best = 0;

	for (size_t i = 1; i < boots->nr; i++) {
		if (worth(&boots->v[i]) >= worth(&boots->v[best]))
			best = i;
	}
	return best;
}
