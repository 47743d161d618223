// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A fork server that makes reports of mutated dumps. A child does a batch of seeds; where it dies,
 * the seed is noted, and another child goes on with the next one. Build it with the sanitizers.
 *
 *   server --first SEED --seeds NUMBER [--keep FOLDER] BASE...     seed n mutates base n % number
 *   server --write SEED FILE BASE...                               writes that dump, says what was done
 *
 * A BASE is a file, or the parts of a split dump with commas between. If there is a "vmlinux" in its
 * folder, reports use it. A report may take 2 s of CPU
 * time and 256 MB of the heap, counted at malloc and free: what the sanitizer needs is not in it.
 */
#include <err.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>

#include <nmibt/debuginfo.h>
#include <nmibt/json.h>

#include "mutator.h"

#define BATCH 512
#define MAX_SECONDS 2
#define MAX_BYTES (256 << 20)
/* No test waits for anything; this is for a machine that is stuck. */
#define MAX_WALL_SECONDS 120
#define NR_CODES 5

/* sanitizer/allocator_interface.h, which gcc does not install. */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
					      void (*on_free)(const volatile void *));
size_t __sanitizer_get_allocated_size(const volatile void *p);

/* Shared by the server and its children. */
struct progress {
	uint64_t seed; /* under way, or the first that is not done */
	uint64_t codes[NR_CODES]; /* reports by their exit code */
	uint64_t slowest_us, slowest_seed;
	uint64_t largest_bytes, largest_seed;
};

static struct progress *progress;

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "max_allocation_size_mb=256:quarantine_size_mb=2:malloc_context_size=12";
}

/* -------------------------------------------------------------------- limits */

static uint64_t heap_bytes, heap_peak;

static void die(const char *why)
{
	dprintf(STDERR_FILENO, "seed %llu: %s\n", (unsigned long long)progress->seed, why);
	__sanitizer_print_stack_trace();
	_exit(1);
}

static void on_malloc(const volatile void *p, size_t size)
{
	(void)p;
	heap_bytes += size;
	if (heap_bytes <= heap_peak)
		return;
	heap_peak = heap_bytes;
	if (heap_peak > MAX_BYTES) {
		heap_bytes = 0;
		die("more than 256 MB of memory");
	}
}

static void on_free(const volatile void *p)
{
	size_t size = __sanitizer_get_allocated_size(p);

	heap_bytes -= size < heap_bytes ? size : heap_bytes;
}

static void on_signal(int number)
{
	die(number == SIGPROF ? "more than 2 s of CPU time" : "it waits for something");
}

static void start_clock(void)
{
	const struct itimerval cpu = {.it_value.tv_sec = MAX_SECONDS};

	setitimer(ITIMER_PROF, &cpu, NULL);
	alarm(MAX_WALL_SECONDS);
}

static uint64_t cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * 1000000ull + now.tv_nsec / 1000;
}

/* -------------------------------------------------------------------- report */

/* Control characters must never come out. */
static bool check_output(void *ctx, const char *data, size_t len)
{
	(void)ctx;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = data[i];

		if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f)
			die("a control character in the output");
	}
	return true;
}

/* As tools/nmibt.c has it. */
static int code_of(struct nmibt_error *error)
{
	int code = nmibt_error_code(error);
	const char *message = nmibt_error_message(error);

	if (!*message)
		die("an error without a message");
	check_output(NULL, message, strlen(message));
	if (code == NMIBT_ERR_USAGE)
		die(message);
	nmibt_error_destroy(error);
	return code >= NMIBT_ERR_DAMAGED ? 4 : code;
}

/* How a report is made. Seeds with the same base must not all have the same. */
struct how {
	unsigned int older : 1, verbose : 1, raw : 1, lines : 1, force : 1, scan : 4, format : 2;
};

static struct how how_of(uint64_t seed)
{
	uint64_t bits = seed * 0x9e3779b97f4a7c15 >> 32;

	return (struct how){bits, bits >> 1, bits >> 2, bits >> 3, bits >> 4, bits >> 5, bits >> 9};
}

static int render(const struct nmibt_report *report, struct how how)
{
	struct nmibt_render_options options[] = {
		{.format = NMIBT_FORMAT_TEXT},
		{.format = NMIBT_FORMAT_JSON, .older = true, .raw = true},
		{.format = NMIBT_FORMAT_DESCRIPTION},
		{.format = NMIBT_FORMAT_GROUPS + how.format % 3},
	};
	int code = 0;

	options[0].older = options[0].header = how.older;
	options[0].verbose = how.verbose;
	options[0].raw = how.raw;
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		start_clock(); /* the tool would make one of them */
		options[i].size = sizeof(options[i]);
		options[i].lines = how.lines;
		struct nmibt_error *error =
			(options[i].format == NMIBT_FORMAT_JSON ? nmibt_render_json : nmibt_render)(
				report, &options[i], check_output, NULL, &code);

		if (error)
			code = code_of(error);
		if (code == NMIBT_ERR_USAGE)
			die("a dump made wrong usage of us");
	}
	return code;
}

/* Some vmlinux are used though the dump does not have their build-id, which may be damaged. */
static struct nmibt_error *attach(const struct base *base, struct nmibt_input *input,
				  struct how how)
{
	const struct nmibt_debuginfo_options options = {
		.size = sizeof(options),
		.vmlinux = base->vmlinux,
		.debug_path = "/nonexistent",
		.force = how.force,
	};
	struct nmibt_debuginfo *info;

	if (!base->vmlinux || !(how.lines || nmibt_debuginfo_is_needed(input)))
		return NULL;
	return nmibt_debuginfo_attach(input, &options, &info);
}

static int report(const struct base *base, struct how how)
{
	struct nmibt_report_options options = {.size = sizeof(options)};
	struct nmibt_input *input;
	struct nmibt_report *made;
	struct nmibt_error *error = nmibt_input_open(base->paths, base->nr_paths, NULL, &input);
	int code;

	if (error)
		return code_of(error);
	if (!how.scan)
		options.source = NMIBT_SOURCE_SCAN;
	error = attach(base, input, how);
	if (!error)
		error = nmibt_report_open(input, 0, &options, &made);
	nmibt_input_remark(input);
	if (!error) {
		code = render(made, how);
		nmibt_report_close(made);
	} else {
		code = code_of(error);
	}
	nmibt_input_close(input);
	return code;
}

static void run(struct base *base, uint64_t seed)
{
	uint64_t before = cpu_us(), bytes = heap_bytes;

	progress->seed = seed;
	mutate(base, seed, NULL);
	heap_peak = heap_bytes;
	start_clock();
	int code = report(base, how_of(seed));
	if (code < 0 || code >= NR_CODES || code == NMIBT_ERR_USAGE)
		die("an exit code that is none of ours");
	progress->codes[code]++;
	uint64_t us = cpu_us() - before;
	if (us > progress->slowest_us) {
		progress->slowest_us = us;
		progress->slowest_seed = seed;
	}
	if (heap_peak - bytes > progress->largest_bytes) {
		progress->largest_bytes = heap_peak - bytes;
		progress->largest_seed = seed;
	}
	base_restore(base, false);
	progress->seed = seed + 1;
}

/* -------------------------------------------------------------------- server */

struct server {
	struct base **bases;
	unsigned int nr_bases;
	const char *keep;
	int log; /* what the children say */
	uint64_t nr_failed;
};

static struct base *base_of(const struct server *server, uint64_t seed)
{
	return server->bases[seed % server->nr_bases];
}

static void child(const struct server *server, uint64_t first, uint64_t end)
{
	struct sigaction action = {.sa_handler = on_signal};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(server->log, STDERR_FILENO);
	sigaction(SIGPROF, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
	for (uint64_t seed = first; seed < end; seed++)
		run(base_of(server, seed), seed);
	setitimer(ITIMER_PROF, &(struct itimerval){0}, NULL);
	_exit(__lsan_do_recoverable_leak_check() ? 1 : 0);
}

static bool run_child(const struct server *server, uint64_t first, uint64_t end)
{
	int status;

	progress->seed = first;
	if (ftruncate(server->log, 0) || lseek(server->log, 0, SEEK_SET))
		err(2, "ftruncate");
	fflush(stdout);
	pid_t pid = fork();
	if (pid < 0)
		err(2, "fork");
	if (!pid)
		child(server, first, end);
	if (waitpid(pid, &status, 0) != pid)
		err(2, "waitpid");
	if (WIFSIGNALED(status))
		dprintf(server->log, "died of signal %d\n", WTERMSIG(status));
	return !status;
}

static void write_dump(struct base *base, uint64_t seed, const char *path, FILE *log)
{
	static char bytes[1 << 20];

	mutate(base, seed, log);
	for (unsigned int i = 0; i < base->nr_paths; i++) {
		unsigned int part = 0;
		char *name;

		while (base->paths[i] != base->parts[part].path)
			part++;
		if (asprintf(&name, base->nr_paths > 1 ? "%s.%u" : "%s", path, i) < 0)
			err(2, "asprintf");
		FILE *to = fopen(name, "w");
		if (!to)
			err(2, "%s", name);
		struct span at = {part, 0, sizeof(bytes)};
		for (size_t n; (n = base_get(base, at, bytes)); at.at += n) {
			if (fwrite(bytes, 1, n, to) != n)
				err(2, "%s", name);
		}
		if (fclose(to))
			err(2, "%s", name);
		free(name);
	}
	base_restore(base, false);
}

static void print_log(const struct server *server)
{
	char line[256];
	FILE *log = fdopen(dup(server->log), "r");

	if (!log)
		err(2, "fdopen");
	rewind(log);
	for (int i = 0; i < 60 && fgets(line, sizeof(line), log); i++)
		printf("     %s", line);
	fclose(log);
}

static void failed(struct server *server, uint64_t seed)
{
	struct base *base = base_of(server, seed);

	server->nr_failed++;
	printf("FAIL seed %llu, base %s\n", (unsigned long long)seed, base->name);
	print_log(server);
	base_restore(base, true);
	if (server->keep) {
		char *path;

		if (asprintf(&path, "%s/seed-%llu", server->keep, (unsigned long long)seed) < 0)
			err(2, "asprintf");
		write_dump(base, seed, path, NULL);
		printf("     the dump is %s\n", path);
		free(path);
	}
	fflush(stdout);
}

/* A leak is known of a whole batch: each of its seeds is run alone. */
static void run_one_by_one(struct server *server, uint64_t first, uint64_t end)
{
	for (uint64_t seed = first; seed < end; seed++) {
		if (!run_child(server, seed, seed + 1))
			failed(server, seed);
	}
}

static void serve(struct server *server, uint64_t first, uint64_t nr)
{
	for (uint64_t seed = first, end; seed < first + nr;) {
		end = seed + BATCH < first + nr ? seed + BATCH : first + nr;
		if (run_child(server, seed, end)) {
			seed = end;
		} else if (progress->seed == end) {
			run_one_by_one(server, seed, end);
			seed = end;
		} else {
			seed = progress->seed + 1;
			failed(server, seed - 1);
		}
	}
	printf("%llu seeds from %llu on, %llu failed; exit codes", (unsigned long long)nr,
	       (unsigned long long)first, (unsigned long long)server->nr_failed);
	for (int i = 0; i < NR_CODES; i++)
		printf(" %d: %llu", i, (unsigned long long)progress->codes[i]);
	printf("; slowest %.3f s, seed %llu; largest %.1f MB, seed %llu\n",
	       progress->slowest_us / 1e6, (unsigned long long)progress->slowest_seed,
	       progress->largest_bytes / 1048576.0, (unsigned long long)progress->largest_seed);
}

/* ---------------------------------------------------------------------- main */

enum { FIRST = 256, SEEDS, KEEP, WRITE };
static const struct option long_options[] = {
	{"first", required_argument, NULL, FIRST},
	{"seeds", required_argument, NULL, SEEDS},
	{"keep", required_argument, NULL, KEEP},
	{"write", required_argument, NULL, WRITE},
	{0},
};

struct arguments {
	uint64_t first, nr;
	const char *write_to; /* NULL: make reports */
};

static bool parse(int argc, char **argv, struct arguments *args, struct server *server)
{
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (c == FIRST)
			args->first = strtoull(optarg, NULL, 0);
		else if (c == SEEDS)
			args->nr = strtoull(optarg, NULL, 0);
		else if (c == KEEP)
			server->keep = optarg;
		else if (c == WRITE)
			args->write_to = optarg;
		else
			return false;
	}
	return optind < argc;
}

static void open_server(struct server *server, const struct arguments *args, char **names, int nr)
{
	server->nr_bases = nr;
	server->bases = calloc(nr, sizeof(*server->bases));
	server->log = memfd_create("log", MFD_CLOEXEC);
	progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	if (!server->bases || server->log < 0 || progress == MAP_FAILED)
		err(2, "memory");
	for (unsigned int i = 0; i < server->nr_bases; i++) {
		/* One base is enough to write one dump. */
		if (!args->write_to || i == args->first % server->nr_bases)
			server->bases[i] = base_open(names[i]);
	}
}

int main(int argc, char **argv)
{
	static struct server server; /* LeakSanitizer does not see what only main() knows */
	struct arguments args = {0};

	if (!parse(argc, argv, &args, &server))
		errx(2, "usage: see the beginning of server.c");
	/* Whoever ends the script that started this means this, too. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	open_server(&server, &args, argv + optind, argc - optind);
	if (args.write_to)
		write_dump(base_of(&server, args.first), args.first, args.write_to, stdout);
	else
		serve(&server, args.first, args.nr);
	return server.nr_failed ? 1 : 0;
}
