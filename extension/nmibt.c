// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nmibt, the crash command: what every CPU was doing when the kernel died.
 *
 * A thin front end: crash supplies memory, symbols and lines, libnmibt does the
 * rest. One .so serves crash 8.0.2 to 9.0.2, because it uses only those of crash's
 * structures whose layout is the same in all of them: program_context up to
 * read_vmcoreinfo, kernel_table.cpus, and vm_table's node_table. It never uses
 * OFFSET() or SIZE(), whose tables grow with every release.
 *
 * On a fatal error crash leaves a command by longjmp(), so everything that must be
 * freed is in the static state, which pc->cmd_cleanup frees. On CTRL-C crash does
 * the same from the signal handler; within malloc() that would leave a lock held,
 * and the next command would wait for it for ever. So SIGINT is blocked while the
 * command runs, and the command checks whether it is pending. A dump does not
 * change, so results about it are kept for the next command.
 */
#include <crash/defs.h>

#include <elf.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <nmibt/json.h>

/* The architecture of the dumps, which is that of crash and not of the host. Symbols that only a
 * crash for that architecture has are weak: a crash for another one can then load the extension,
 * which says why it can't be used. */
#ifdef ARM64
#define TARGET "ARM64"
#define TARGET_ARCH NMIBT_ARCH_ARM64
#pragma weak arm64_IS_VMALLOC_ADDR
#pragma weak arm64_VTOP
#else
#define TARGET "X86_64"
#define TARGET_ARCH NMIBT_ARCH_X86_64
#pragma weak x86_64_IS_VMALLOC_ADDR
#pragma weak x86_64_VTOP
#endif

static struct {
	struct nmibt_input *input; /* report borrows it */
	struct nmibt_report *report;
	struct nmibt_input *dump; /* the dump, read by the library; NULL: it can't read it */
	bool is_elf; /* dump is an ELF file */
	enum nmibt_source source; /* the source with which report was opened */
	bool *cpus;
	enum { UNTRIED, READABLE, UNREADABLE } vmcoreinfo;
} state;

static void close_report(void)
{
	nmibt_report_close(state.report);
	state.report = NULL;
	nmibt_input_close(state.input);
	state.input = NULL;
	nmibt_input_close(state.dump);
	state.dump = NULL;
	state.vmcoreinfo = UNTRIED;
}

/* Blocks or unblocks CTRL-C; how is SIG_BLOCK or SIG_UNBLOCK. */
static void mask_sigint(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigprocmask(how, &set, NULL);
}

static void cleanup(void *unused)
{
	(void)unused;
	free(state.cpus);
	state.cpus = NULL;
	if (ACTIVE() || REMOTE_ACTIVE())
		close_report();
	mask_sigint(SIG_UNBLOCK);
}

/* ------------------------------------------------------------------- image */

/* True: the dump left the page out. crash reads zeros there (9.0.2, netdump.c: read_netdump(), for
 * memory of a segment beyond its p_filesz). */
static bool is_left_out(uint64_t paddr, void *buf, size_t len)
{
	return state.dump && state.is_elf &&
	       nmibt_input_read(state.dump, paddr, buf, len) == NMIBT_READ_EXCLUDED;
}

/* crash's readmem() returns only "error"; the reader of the dump's format returns the reason. */
static enum nmibt_read image_read_phys(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	(void)ctx;
	if (is_left_out(paddr, buf, len))
		return NMIBT_READ_EXCLUDED;
	int fd = REMOTE_MEMSRC() ? pc->sockfd : ACTIVE() ? pc->mfd : pc->dfd;
	int got = pc->readmem(fd, buf, len, paddr, paddr);

	if (got == PAGE_EXCLUDED)
		return NMIBT_READ_EXCLUDED;
	return got >= 0 && (size_t)got == len ? NMIBT_READ_OK : NMIBT_READ_ERROR;
}

/* If the dump has no VMCOREINFO note, crash looks for the text in memory, and a read that fails
 * there ends the command (9.0.2). So this checks whether the read can fail. The result is kept,
 * because the layout of the log alone needs forty lines. */
static bool can_read_vmcoreinfo(void)
{
	struct syment *symbol = symbol_search("vmcoreinfo_data");
	ulong data;

	return !symbol || readmem(symbol->value, KVADDR, &data, sizeof(data), "vmcoreinfo_data",
				  RETURN_ON_ERROR | QUIET);
}

static char *image_vmcoreinfo(void *ctx, const char *key)
{
	(void)ctx;
	if (state.vmcoreinfo == UNTRIED)
		state.vmcoreinfo = can_read_vmcoreinfo() ? READABLE : UNREADABLE;
	return state.vmcoreinfo == READABLE ? pc->read_vmcoreinfo(key) : NULL;
}

static bool image_symbol_addr(void *ctx, const char *name, uint64_t *ret)
{
	(void)ctx;
	struct syment *symbol = symbol_search((char *)name);

	if (!symbol)
		return false;
	*ret = symbol->value;
	return true;
}

/* These come from gdb, which has the vmlinux's DWARF. crash returns -1 if there is no such type or
 * member. */
static bool image_member_offset(void *ctx, const char *type, const char *member, size_t *ret)
{
	(void)ctx;
	long offset = MEMBER_OFFSET((char *)type, (char *)member);

	if (offset < 0)
		return false;
	*ret = offset;
	return true;
}

static bool image_type_size(void *ctx, const char *type, size_t *ret)
{
	(void)ctx;
	long size = STRUCT_SIZE((char *)type);

	if (size < 0)
		return false;
	*ret = size;
	return true;
}

/* Translates only addresses that an offset translates. For others crash's kvtop() reads page
 * tables, and a table that can't be read ends the command; the library has tried the page tables
 * before. */
static bool image_virt_to_phys(void *ctx, uint64_t vaddr, uint64_t *ret)
{
	(void)ctx;
	if (!IS_KVADDR(vaddr) || IS_VMALLOC_ADDR(vaddr))
		return false;
	*ret = VTOP(vaddr);
	return true;
}

static bool image_symbolize(void *ctx, uint64_t addr, char *buf, size_t len)
{
	(void)ctx;
	struct load_module *module;
	struct syment *symbol;
	ulong offset;

	if (!is_kernel_text(addr))
		return false;
	symbol = value_search(addr, &offset);
	if (!symbol)
		return false;
	if (module_symbol(addr, NULL, &module, NULL, 16))
		snprintf(buf, len, "%s+%#lx [%s]", symbol->name, offset, module->mod_name);
	else
		snprintf(buf, len, "%s+%#lx", symbol->name, offset);
	return true;
}

/* True: symbol belongs to module, or, if module is NULL, to the kernel itself. */
static bool is_in_module(const struct syment *symbol, const char *module)
{
	struct load_module *lm;

	if (!module_symbol(symbol->value, NULL, &lm, NULL, 16))
		return !module;
	return module && !strcmp(lm->mod_name, module);
}

/* symbol_value_module() is not used: it finds nothing in modules of 6.4 and later (9.0.2). False
 * also if several functions have the name. */
static bool function_start(const char *function, const char *module, ulong *ret)
{
	unsigned int found = 0;

	for (struct syment *symbol = symbol_search((char *)function); symbol;
	     symbol = symbol_search_next((char *)function, symbol)) {
		if (!is_in_module(symbol, module))
			continue;
		*ret = symbol->value;
		found++;
	}
	return found == 1;
}

/* crash does not know inlined functions, so there is one place. */
static bool image_find_places(void *ctx, const struct nmibt_location *code, nmibt_place_fn visit,
			      void *arg)
{
	(void)ctx;
	char line[BUFSIZE];
	ulong start;

	if (!function_start(nmibt_location_function(code), nmibt_location_module(code), &start))
		return false;
	get_line_number(start + nmibt_location_offset(code), line, FALSE);
	if (!*line)
		return false;
	visit(arg, NULL, line);
	return true;
}

/* Memory ranges come from crash's table of nodes, which is empty with --minimal. */
static bool image_next_range(void *ctx, uint64_t from, uint64_t *ret_start, uint64_t *ret_size)
{
	(void)ctx;
	bool found = false;

	for (int i = 0; vt->node_table && i < vt->numnodes; i++) {
		const struct node_table *node = &vt->node_table[i];
		uint64_t start = node->start_paddr;
		uint64_t end = start + (uint64_t)node->size * PAGESIZE();

		if (end <= from)
			continue;
		if (start < from)
			start = from;
		if (found && *ret_start <= start)
			continue;
		*ret_start = start;
		*ret_size = end - start;
		found = true;
	}
	return found;
}

static bool image_interrupted(void *ctx)
{
	sigset_t pending;

	(void)ctx;
	return received_SIGINT() || (!sigpending(&pending) && sigismember(&pending, SIGINT) == 1);
}

/* crash does not pass on the notes of virtual CPUs, so they are read from the dump. */
static char *image_notes(void *ctx, size_t *ret_len)
{
	(void)ctx;
	return state.dump ? nmibt_input_notes(state.dump, ret_len) : NULL;
}

static struct nmibt_error *open_input(void)
{
	static const struct nmibt_input_ops ops = {
		.size = sizeof(ops),
		.read_phys = image_read_phys,
		.vmcoreinfo = image_vmcoreinfo,
		.symbol_addr = image_symbol_addr,
		.virt_to_phys = image_virt_to_phys,
		.member_offset = image_member_offset,
		.type_size = image_type_size,
		.symbolize = image_symbolize,
		.find_places = image_find_places,
		.next_range = image_next_range,
		.interrupted = image_interrupted,
		.notes = image_notes,
	};
	struct nmibt_input_options options = {
		.size = sizeof(options),
		.arch = TARGET_ARCH,
		.page_size = PAGESIZE(),
	};

	return nmibt_input_new(&ops, NULL, &options, &state.input);
}

/* ----------------------------------------------------------------- command */

/* Columns of the terminal that shows the output, also through a pager; 0: there is none. */
static unsigned int output_width(void)
{
	struct stat st;
	struct winsize size;
	bool pipe = !fstat(fileno(fp), &st) && S_ISFIFO(st.st_mode);

	if (ioctl(pipe ? STDOUT_FILENO : fileno(fp), TIOCGWINSZ, &size))
		return 0;
	return size.ws_col;
}

static bool output_has_colour(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fileno(fp)) && !(no_color && *no_color) && term && strcmp(term, "dumb");
}

static bool write_to_fp(void *unused, const char *data, size_t len)
{
	(void)unused;
	return fwrite(data, 1, len, fp) == len;
}

/* crash's own parser of CPU lists is not used: it knows only CPUs that were online, and none with
 * --minimal. */
static struct nmibt_error *select_cpus(const char *list, struct nmibt_render_options *options)
{
	unsigned int nr = nmibt_report_nr_cpus(state.report);

	state.cpus = calloc(nr, sizeof(*state.cpus));
	if (!state.cpus)
		error(FATAL, "no memory for a list of %u CPUs\n", nr);
	options->cpus = state.cpus;
	return nmibt_parse_cpus(list, state.cpus, nr);
}

static bool is_elf(const char *path)
{
	char magic[SELFMAG] = "";
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		return false;
	bool is = read(fd, magic, SELFMAG) == SELFMAG && !memcmp(magic, ELFMAG, SELFMAG);
	close(fd);
	return is;
}

/* Opens the dump with the library's reader. Not under Xen, where crash's physical addresses are not
 * those of the file, and not for a flattened dump, which would have to be indexed. */
static void open_dump(void)
{
	const char *path = pc->dumpfile;

	if (ACTIVE() || REMOTE_MEMSRC() || XEN() || !path || FLAT_FORMAT())
		return;
	nmibt_error_destroy(nmibt_input_open(&path, 1, NULL, &state.dump));
	state.is_elf = is_elf(path);
}

static struct nmibt_error *open_report(enum nmibt_source source)
{
	struct nmibt_report_options options = {.size = sizeof(options), .source = source};

	if (state.report && state.source == source)
		return NULL;
	close_report();
	open_dump();
	state.source = source;
	return open_input() ?: nmibt_report_open(state.input, 0, &options, &state.report);
}

static struct nmibt_error *print_report(enum nmibt_source source, const char *cpus,
					struct nmibt_render_options *options)
{
	int code;
	struct nmibt_error *err = open_report(source);

	if (!err && cpus)
		err = select_cpus(cpus, options);
	if (err)
		return err;
	return (options->format == NMIBT_FORMAT_JSON ? nmibt_render_json : nmibt_render)(
		state.report, options, write_to_fp, NULL, &code);
}

static void cmd_nmibt(void)
{
	struct nmibt_render_options options = {
		.size = sizeof(options),
		.width = output_width(),
		.colour = output_has_colour(),
	};
	enum nmibt_source source = NMIBT_SOURCE_AUTO;
	const char *cpus = NULL;
	int c;

	while ((c = getopt(argcnt, args, "c:S:" NMIBT_RENDER_LETTERS)) != EOF) {
		switch (c) {
		case 'c':
			cpus = optarg;
			break;
		case 'S':
			if (!nmibt_source_parse(optarg, &source))
				error(FATAL, "no source \"%s\": " NMIBT_SOURCE_NAMES "\n", optarg);
			break;
		default:
			argerrs += !nmibt_render_option(&options, c);
			break;
		}
	}
	if (argerrs || optind < argcnt)
		cmd_usage(pc->curcmd, SYNOPSIS);

	pc->cmd_cleanup = cleanup;
	mask_sigint(SIG_BLOCK);
	struct nmibt_error *err = print_report(source, cpus, &options);
	if (err)
		error(INFO, "%s\n", nmibt_error_message(err));
	nmibt_error_destroy(err);
	cleanup(NULL);
	pc->cmd_cleanup = NULL;
}

static char *help_nmibt[] = {
	"nmibt",
	"what every CPU was doing when the kernel died",
	"[-slrtov] [-j | -g | -f] [-c cpu(s)] [-S source]",
	"  This command shows the NMI backtraces that the kernel captured of all CPUs",
	"  when it panicked, before it stopped them, next to the registers that each",
	"  CPU saved at the stop.  Other kernels make no such capture: there it shows",
	"  what the log, the per-CPU buffers of NMIs (up to 5.14) and the registers saved",
	"  at the stop tell.",
	"  ",
	"  It begins with a summary: how many CPUs answered how, who asked and how long",
	"  that took, which CPU panicked, which were stuck, and which share a stack.",
	"  Each CPU follows with its outcome, when it answered after the request, its",
	"  task, its text, and its registers, with a * where they differ and = where",
	"  they don't.  The outcomes:",
	"  ",
	"    nmi       answered by NMI",
	"    irq       answered by an ordinary interrupt",
	"    self      the panicking CPU, which captured itself",
	"    stop      captured when it was stopped for kdump",
	"    partial   began and did not finish",
	"    silent    was asked and never answered",
	"    offline   was offline when the others were asked",
	"    excluded  its slot is in a page that the dump left out",
	"    damaged   its slot fails its checks",
	"    answered  without a capture: it answered a request for its backtrace",
	"    skipped   without a capture: it answered that it is idle",
	"    reported  without a capture: a watchdog found it stuck",
	"    registers without a capture: nothing but those saved at the stop",
	"    none      nothing was asked of it",
	"  ",
	"  Remarks of this command stand in square brackets at the left edge.",
	"  ",
	"    -c cpu(s)  only these CPUs: 3, 1,8-14, or a for all.",
	"    -s         the summary only.",
	"    -l         with file and line of each frame.",
	"    -r         the text as raw bytes, escaped, level headers included.",
	"    -t         also the header fields of the slots, and all registers.",
	"    -o         also older backtraces of each CPU.",
	"    -v         also what is merely absent, and all of the timeline.",
	"    -j         one JSON document instead of text; see nmibt(1).",
	"    -g         each stack once, with the CPUs that have it.",
	"    -f         a line for each stack, for flame graphs.",
	"    -i         the crash signature, and how it was made; see nmibt(1).",
	"    -S source  this source only: vmcoreinfo, symbol or scan for the capture;",
	"               nmi-buffers, log, registers or vcpu.  By default the best for each CPU.",
	"\nEXAMPLES",
	"  CPU 3 of an arm64 machine that panicked by sysrq-c while this CPU spun in a",
	"  module with interrupts off:",
	"  ",
	"    crash> nmibt -c 3",
	"    panic       sysrq triggered crash",
	"    died        2026-01-01 00:00:01 UTC, up 2.788 s",
	"    kernel      6.12.117-nmibt, arm64",
	"    taint       out-of-tree module (O)",
	"    hardware    linux,dummy-virt (DT)",
	"    build-id    51b17bf53148a4a5be3baac7859e4d297637add9",
	"  ",
	"    panicking   CPU 1  PID 1 \"init\"  in __handle_sysrq+0xc4/0x150",
	"    stuck       CPU 3  PID 70 \"nmibt_spin\"  interrupts off, same place at the stop",
	"    outcomes    4 CPUs: 3 nmi (1 idle), 1 self",
	"    sources     capture before kdump, all answered after 2.11 ms; 4 crash notes; "
	"log: 1 backtrace in 159 records",
	"  ",
	"    CPU 3  nmi +0.45 ms  PID 70 \"nmibt_spin\" irqs off  same place  1245 bytes",
	"        NMI backtrace for cpu 3",
	"        CPU: 3 UID: 0 PID: 70 Comm: nmibt_spin Kdump: loaded Tainted: G           O       "
	"6.12.117-nmibt #1 ",
	"        Tainted: [O]=OOT_MODULE",
	"        Hardware name: linux,dummy-virt (DT)",
	"        pstate: 81000005 (Nzcv daif -PAN -UAO -TCO +DIT -SSBS BTYPE=--)",
	"        pc : __delay+0x2c/0xa0",
	"        lr : __delay+0x2c/0xa0",
	"        sp : ffff0000013dfe00",
	"        pmr_save: 000000c0",
	"        x29: ffff0000013dfe00 x28: 0000000000000000 x27: 0000000000000000",
	"        x26: 0000000000000000 x25: 0000000000000000 x24: ffff0000008d7c00",
	"        x23: 0000000000000000 x22: ffffad0ea8d55034 x21: 0000000000000001",
	"        x20: 000000000ac41f31 x19: 000000000000186a x18: 0000000054c6d641",
	"        x17: 0000000000000001 x16: ffffad0ef8c55d40 x15: 0000000100000001",
	"        x14: 0000000000000000 x13: 0000000000000001 x12: 0000000000000301",
	"        x11: 0000000000000000 x10: 0000000000000710 x9 : ffff0000013dfdb0",
	"        x8 : ffff0000012e9ff0 x7 : 0000000025d8bd7a x6 : ffff0000012e99c0",
	"        x5 : 0000000000000001 x4 : 0000000000000000 x3 : 0000000000000001",
	"        x2 : 0000000000000003 x1 : ffff0000013dfe00 x0 : 000000000ac5455f",
	"        Call trace:",
	"         __delay+0x2c/0xa0",
	"         __const_udelay+0x24/0x2c",
	"         nmibt_spin_forever+0x30/0x34 [nmibt_spin]",
	"         nmibt_spin_thread+0x1c/0x24 [nmibt_spin]",
	"         kthread+0xc4/0xd4",
	"         ret_from_fork+0x10/0x20",
	"                  at the NMI                      at the stop",
	"        pc        __delay+0x2c                    =",
	"        sp        ffff0000013dfe00                =",
	"        x0        000000000ac5455f                00000000137b6327  *",
	"        x20       000000000ac41f31                00000000137b587a  *",
	"        (30 more are equal; -t shows all)",
	NULL,
};

static struct command_table_entry command_table[] = {
	{"nmibt", cmd_nmibt, help_nmibt, MINIMAL},
	{0},
};

/* crash checks neither the architecture nor the version of an extension. */
static void __attribute__((constructor)) nmibt_init(void)
{
	if (!machine_type(TARGET)) {
		error(INFO, "nmibt: this extension is for dumps of " TARGET
			    ", this crash is not; build it with CRASH_TARGET=...\n");
		return;
	}
	register_extension(command_table);
}
