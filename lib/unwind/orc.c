// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * x86_64 (arch/x86/kernel/unwind_orc.c, 5.10 to 6.12, 7.2): ORC is two tables of the same length,
 * sorted by address. The first one says where a stretch of code begins that uses the stack in the
 * same way; its entries are 32-bit offsets from themselves. The second one has the rule for that
 * code: where the caller's stack pointer and rbp are found. The tables cover assembler code, too,
 * and say where it saved the registers of the code that it interrupted.
 */
#include <inttypes.h>

#include "kernel/kernel.h"
#include "unwind/arch.h"

/* The largest table of all kernels that we saw has 440000 entries. */
#define MAX_ENTRIES (8u << 20)

/* struct orc_entry, arch/x86/include/asm/orc_types.h. */
struct entry {
	int16_t sp_offset, bp_offset;
	uint16_t bits; /* 4 of sp_reg, 4 of bp_reg, then the type and a flag or two */
};
#define ENTRY_SIZE 6

/* The types of a frame. */
enum type { UNDEFINED, END_OF_STACK, CALL, REGS, REGS_PARTIAL };

/* The base of an offset. A number below PREV_SP is the index of a register in struct pt_regs, and
 * the base is its value. */
enum base { PREV_SP = 32, SP, BP, SP_INDIRECT, BP_INDIRECT, NONE };
enum { AX = 10, DX = 12, DI = 14, R10 = 7, R13 = 2 };

/* The encoding of types and bases in the kernel's tables. */
struct format {
	unsigned char type_mask, call;
	unsigned char types[8];
	unsigned char bases[16];
};

/* 4.14 to 6.3, without a header: 2 bits of type; 6.3 has a flag for signal frames next; then comes
 * the flag that marks the end of a stack (4.19). */
static const struct format format_4_14 = {
	.type_mask = 3,
	.call = 0,
	.types = {CALL, REGS, REGS_PARTIAL, UNDEFINED},
	.bases = {NONE, PREV_SP, DX, DI, BP, SP, R10, R13, BP_INDIRECT, SP_INDIRECT, NONE, NONE,
		  NONE, NONE, NONE, NONE},
};
/* 6.4 to 7.1. */
static const struct format format_6_4 = {
	.type_mask = 7,
	.call = 2,
	.types = {UNDEFINED, END_OF_STACK, CALL, REGS, REGS_PARTIAL, UNDEFINED, UNDEFINED,
		  UNDEFINED},
	.bases = {NONE, PREV_SP, DX, DI, BP, SP, R10, R13, BP_INDIRECT, SP_INDIRECT, NONE, NONE,
		  NONE, NONE, NONE, NONE},
};
/* 7.2 */
static const struct format format_7_2 = {
	.type_mask = 7,
	.call = 2,
	.types = {UNDEFINED, END_OF_STACK, CALL, REGS, REGS_PARTIAL, UNDEFINED, UNDEFINED,
		  UNDEFINED},
	.bases = {NONE, AX, DX, SP, BP, DI, R10, R13, PREV_SP, SP_INDIRECT, BP_INDIRECT, NONE, NONE,
		  NONE, NONE, NONE},
};

struct table {
	uint64_t ips, entries; /* virtual addresses of the two tables */
	uint32_t nr;
};

/* Offsets in struct module, in bytes, of the members that describe the module's tables. */
struct layout {
	size_t nr, ips, entries;
};

struct orc {
	struct nmibt_kernel *kernel;
	const struct format *format;
	struct table kernel_table;
	struct layout layout; /* of modules */
	bool tried_layout, has_layout;
	/* A virtual address that can't be read, so that the tables are not known; 0: none. */
	uint64_t lost;
};

/* ---------------------------------------------------------------------- tables */

static bool read_at(struct orc *orc, uint64_t addr, void *buf, size_t len)
{
	return nmibt_kernel_read(orc->kernel, addr, buf, len) == NMIBT_READ_OK;
}

/* *ret: the index of the last entry that begins at pc or before it; table->nr: there is none.
 * False: the table can't be read, which ends the walk. */
static bool find_entry(struct nmibt_walk *walk, const struct table *table, uint64_t pc,
		       uint32_t *ret)
{
	uint32_t low = 0, high = table->nr;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		uint64_t at = table->ips + 4ull * middle;
		int32_t offset;

		if (!nmibt_walk_need(walk, at, &offset, sizeof(offset)))
			return false;
		if (at + (int64_t)offset <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	*ret = low ? low - 1 : table->nr;
	return true;
}

/* --------------------------------------------------------------------- modules */

/* The offsets of members of struct module's arch: arch/x86/include/asm/module.h, 6.12. */
static bool find_layout(struct nmibt_kernel *kernel, struct layout *ret)
{
	size_t arch;

	if (!nmibt_member_offset(kernel, "module", "arch", &arch) ||
	    !nmibt_member_offset(kernel, "mod_arch_specific", "num_orcs", &ret->nr) ||
	    !nmibt_member_offset(kernel, "mod_arch_specific", "orc_unwind_ip", &ret->ips) ||
	    !nmibt_member_offset(kernel, "mod_arch_specific", "orc_unwind", &ret->entries))
		return false;
	ret->nr += arch;
	ret->ips += arch;
	ret->entries += arch;
	return true;
}

/* *ret: the table of the module that has code at pc. False: no such module is known. */
static bool table_of_module(struct orc *orc, uint64_t pc, struct table *ret)
{
	const struct nmibt_module *module = nmibt_module_at(orc->kernel, pc);
	const struct layout *l = &orc->layout;

	if (!module)
		return false;
	if (!orc->tried_layout)
		orc->has_layout = find_layout(orc->kernel, &orc->layout);
	orc->tried_layout = true;
	return orc->has_layout && read_at(orc, module->at + l->nr, &ret->nr, sizeof(ret->nr)) &&
	       read_at(orc, module->at + l->ips, &ret->ips, sizeof(ret->ips)) &&
	       read_at(orc, module->at + l->entries, &ret->entries, sizeof(ret->entries)) &&
	       ret->nr <= MAX_ENTRIES;
}

/* ---------------------------------------------------------------------- frames */

struct frame {
	uint64_t ip, sp, bp;
	bool is_return; /* ip is a return address: the tables are asked about the call before it */
	/* True: regs are the registers of this function, which was interrupted. */
	bool has_regs;
	uint64_t regs[X86_NR_PT_REGS];
};

/* How the code at ip uses the stack: where the caller's sp and rbp are. */
struct rule {
	enum type type;
	unsigned int sp_base, bp_base;
	int16_t sp_offset, bp_offset;
};

/* For an ip without code: a bad call went there, and nothing has run since; 6.12:
 * null_orc_entry. */
static const struct rule rule_after_call = {CALL, SP, NONE, 8, 0};

/* The result of looking up an address. */
enum lookup {
	HAS_RULE,
	ENDED, /* the walk ended, and says why */
	NOT_DEFINED, /* code of the kernel that does unusual things with the stack */
	NOT_KNOWN, /* code that is in no table */
};

static enum lookup rule_at(struct orc *orc, struct nmibt_walk *walk, const struct table *table,
			   uint32_t i, struct rule *ret)
{
	const struct format *format = orc->format;
	struct entry entry;

	if (!nmibt_walk_need(walk, table->entries + (uint64_t)ENTRY_SIZE * i, &entry, ENTRY_SIZE))
		return ENDED;
	*ret = (struct rule){
		.type = format->types[entry.bits >> 8 & format->type_mask],
		.sp_base = format->bases[entry.bits & 15],
		.bp_base = format->bases[entry.bits >> 4 & 15],
		.sp_offset = entry.sp_offset,
		.bp_offset = entry.bp_offset,
	};
	if (ret->type != UNDEFINED && ret->type != END_OF_STACK && ret->sp_base != NONE)
		return HAS_RULE;
	/* Up to 6.3 the entry at the end of a stack has no base, and a flag is set. */
	if (ret->type != END_OF_STACK && (format != &format_4_14 || !(entry.bits >> 10)))
		return NOT_DEFINED;
	nmibt_walk_end(walk, NMIBT_END_COMPLETE, 0);
	return ENDED;
}

static enum lookup find_rule(struct orc *orc, struct nmibt_walk *walk, const struct frame *frame,
			     struct rule *ret)
{
	uint64_t pc = frame->is_return ? frame->ip - 1 : frame->ip;
	struct table module;
	uint32_t i;

	if (!find_entry(walk, &orc->kernel_table, pc, &i))
		return ENDED;
	/* The last entry marks the end of the kernel's code. */
	if (i + 1 < orc->kernel_table.nr)
		return rule_at(orc, walk, &orc->kernel_table, i, ret);
	if (table_of_module(orc, pc, &module)) {
		if (!find_entry(walk, &module, pc, &i))
			return ENDED;
		return i < module.nr ? rule_at(orc, walk, &module, i, ret) : NOT_KNOWN;
	}
	/* It may be a module's that is not in the list, because that could not be read. */
	if (!nmibt_walk_need_tables(walk, pc))
		return ENDED;
	if (nmibt_walk_is_code(walk, pc))
		return NOT_KNOWN;
	*ret = rule_after_call;
	return HAS_RULE;
}

/* ----------------------------------------------------------------------- calls */

/* Bytes of an instruction FF /2 with one operand: Intel SDM 2A, table 2-2. */
static unsigned int size_by_modrm(unsigned char modrm)
{
	bool has_sib = (modrm & 7) == 4;

	switch (modrm >> 6) {
	case 0:
		return (modrm & 7) == 5 ? 6 : 2 + has_sib;
	case 1:
		return 3 + has_sib;
	case 2:
		return 6 + has_sib;
	}
	return 2;
}

/* True: these bytes end with a CALL of any kind. */
static bool ends_with_call(const unsigned char code[7])
{
	if (code[2] == 0xe8)
		return true;
	for (unsigned int size = 2; size <= 7; size++) {
		const unsigned char *at = code + 7 - size;

		if (at[0] == 0xff && (at[1] >> 3 & 7) == 2 && size_by_modrm(at[1]) == size)
			return true;
	}
	return false;
}

/* True: there is a call before pc. *known false: the code there can't be read. */
static bool is_behind_call(struct nmibt_walk *walk, uint64_t pc, bool *known)
{
	unsigned char code[7];

	*known = nmibt_walk_read_code(walk, pc - sizeof(code), code, sizeof(code));
	return *known && ends_with_call(code);
}

/* An address that kretprobes or ftrace put on the stack is behind no call, but at least it has a
 * name. */
static bool may_return_to(struct nmibt_walk *walk, uint64_t pc)
{
	uint64_t unused;
	bool known;

	if (!nmibt_walk_is_return(walk, pc))
		return false;
	return is_behind_call(walk, pc, &known) || !known ||
	       nmibt_walk_start(walk, pc - 1, &unused);
}

/* Bytes of stack that are searched; frames of functions are rarely larger. */
#define MAX_GUESS 1024

/*
 * For code that is in no table: takes the next word on the stack that can be a return address for
 * one, although it may be left from an earlier call. If rbp points to the word below it, rbp is a
 * frame pointer. 6.12 trusts any rbp (orc_fp_entry), because code that is compiled at run time,
 * as BPF is, has frame pointers.
 */
static bool guess(struct nmibt_walk *walk, const struct frame *frame, struct rule *ret)
{
	uint64_t word;
	bool known;

	walk->is_guess = true;
	for (int16_t i = 0; i < MAX_GUESS; i += 8) {
		if (!nmibt_walk_need(walk, frame->sp + i, &word, sizeof(word)))
			return false;
		if (!nmibt_walk_is_return(walk, word) || !is_behind_call(walk, word, &known))
			continue;
		*ret = (struct rule){CALL, SP, NONE, i + 8, 0};
		if (frame->bp + 8 == frame->sp + i)
			*ret = (struct rule){CALL, BP, PREV_SP, 16, -16};
		return true;
	}
	return nmibt_walk_end(walk, NMIBT_END_NO_UNWIND_DATA, frame->ip);
}

/* --------------------------------------------------------------------- stepping */

static bool find_sp(struct nmibt_walk *walk, const struct frame *frame, const struct rule *rule,
		    uint64_t *ret)
{
	uint64_t offset = (uint64_t)(int64_t)rule->sp_offset;

	switch (rule->sp_base) {
	case SP:
		*ret = frame->sp + offset;
		return true;
	case BP:
		*ret = frame->bp + offset;
		return true;
	case SP_INDIRECT: /* since 5.12; not used before for code that calls functions */
		if (!nmibt_walk_need(walk, frame->sp, ret, sizeof(*ret)))
			return false;
		*ret += offset;
		return true;
	case BP_INDIRECT:
		return nmibt_walk_need(walk, frame->bp + offset, ret, sizeof(*ret));
	case PREV_SP:
	case NONE:
		return nmibt_walk_end(walk, NMIBT_END_NO_UNWIND_DATA, frame->ip);
	}
	*ret = frame->regs[rule->sp_base];
	return frame->has_regs || nmibt_walk_end(walk, NMIBT_END_NO_UNWIND_DATA, frame->ip);
}

/* True: these words can be registers of kernel mode. cs is __KERNEL_CS (arch/x86/include/asm/
 * segment.h, 6.12); in the flags bit 1 is always 1, and no bit above 21 is used. */
static bool are_kernel_regs(const uint64_t regs[X86_NR_PT_REGS])
{
	return regs[X86_CS] == 0x10 && regs[X86_FLAGS] & 2 && !(regs[X86_FLAGS] >> 22) &&
	       !(~regs[X86_SP] >> 56);
}

/* Finds the caller's instruction pointer and stack pointer, and its registers where they were
 * saved. sp is the caller's stack pointer, or where the registers are. */
static bool step_ip(struct nmibt_walk *walk, struct frame *frame, const struct rule *rule,
		    uint64_t sp)
{
	uint64_t iret[5];

	switch (rule->type) {
	case CALL:
		if (!nmibt_walk_take(walk, sp - 8, 8) ||
		    !nmibt_walk_need(walk, sp - 8, &frame->ip, sizeof(frame->ip)))
			return false;
		if (!may_return_to(walk, frame->ip))
			return nmibt_walk_end(walk, NMIBT_END_NONSENSE, sp - 8);
		frame->sp = sp;
		frame->has_regs = false;
		frame->is_return = true;
		return true;
	case REGS:
		if (!nmibt_walk_take(walk, sp, sizeof(frame->regs)) ||
		    !nmibt_walk_need(walk, sp, frame->regs, sizeof(frame->regs)))
			return false;
		frame->has_regs = true;
		if (are_kernel_regs(frame->regs))
			walk->is_guess = false;
		memcpy(iret, frame->regs + X86_IP, sizeof(iret));
		break;
	case REGS_PARTIAL: /* the other registers are still those that were saved before */
		if (!nmibt_walk_take(walk, sp, sizeof(iret)) ||
		    !nmibt_walk_need(walk, sp, iret, sizeof(iret)))
			return false;
		break;
	case UNDEFINED:
	case END_OF_STACK:
		return false;
	}
	if (iret[1] & 3)
		return nmibt_walk_end(walk, NMIBT_END_USER, 0);
	frame->ip = iret[0];
	frame->sp = iret[3];
	frame->is_return = false;
	return true;
}

static bool step_bp(struct nmibt_walk *walk, struct frame *frame, const struct rule *rule,
		    uint64_t sp)
{
	uint64_t offset = (uint64_t)(int64_t)rule->bp_offset;

	switch (rule->bp_base) {
	case PREV_SP:
		return nmibt_walk_need(walk, sp + offset, &frame->bp, sizeof(frame->bp));
	case BP:
		return nmibt_walk_need(walk, frame->bp + offset, &frame->bp, sizeof(frame->bp));
	case NONE:
		if (frame->has_regs)
			frame->bp = frame->regs[X86_BP];
		return true;
	}
	return nmibt_walk_end(walk, NMIBT_END_NO_UNWIND_DATA, frame->ip);
}

/* Asks walk->caller, which has call frame information, for the caller's registers. */
static bool step_to_caller(struct nmibt_walk *walk, struct frame *frame)
{
	struct nmibt_regs regs = {.present = true, .nr = X86_NR_PT_REGS};

	if (!walk->caller)
		return false;
	memcpy(regs.value, frame->regs, sizeof(frame->regs));
	regs.value[X86_IP] = frame->ip;
	regs.value[X86_SP] = frame->sp;
	regs.value[X86_BP] = frame->bp;
	if (!walk->caller(walk->caller_arg, walk, &regs, frame->is_return) ||
	    !nmibt_walk_take(walk, regs.value[X86_SP] - 8, 8))
		return false;
	if (!may_return_to(walk, regs.value[X86_IP]))
		return nmibt_walk_end(walk, NMIBT_END_NONSENSE, regs.value[X86_SP] - 8);
	frame->ip = regs.value[X86_IP];
	frame->sp = regs.value[X86_SP];
	frame->bp = regs.value[X86_BP];
	frame->is_return = true;
	frame->has_regs = false;
	return true;
}

/* Without its tables the walk ends where these can't be read. */
static bool end_at_lost(struct orc *orc, struct nmibt_walk *walk)
{
	char byte;

	return nmibt_walk_need(walk, orc->lost, &byte, sizeof(byte)) &&
	       nmibt_walk_end(walk, NMIBT_END_UNREADABLE, orc->lost);
}

static bool step(struct orc *orc, struct nmibt_walk *walk, struct frame *frame)
{
	struct rule rule;
	uint64_t sp;

	if (orc->lost)
		return step_to_caller(walk, frame) || end_at_lost(orc, walk);
	switch (find_rule(orc, walk, frame, &rule)) {
	case HAS_RULE:
		break;
	case ENDED:
		return false;
	case NOT_DEFINED:
		if (step_to_caller(walk, frame))
			return true;
		/* The panicking CPU's registers are in such a function, __crash_kexec(). */
		if (walk->nr_frames > 1)
			return nmibt_walk_end(walk, NMIBT_END_NO_UNWIND_DATA, frame->ip);
		nmibt_walk_retry(walk);
		if (!guess(walk, frame, &rule))
			return false;
		break;
	case NOT_KNOWN:
		if (!guess(walk, frame, &rule))
			return false;
		break;
	}
	return find_sp(walk, frame, &rule, &sp) && step_ip(walk, frame, &rule, sp) &&
	       step_bp(walk, frame, &rule, sp);
}

static void walk_orc(void *tables, struct nmibt_walk *walk, const struct nmibt_regs *regs)
{
	struct orc *orc = tables;
	struct frame frame = {
		.ip = regs->value[X86_IP],
		.sp = regs->value[X86_SP],
		.bp = regs->value[X86_BP],
		.has_regs = true,
	};

	memcpy(frame.regs, regs->value, sizeof(frame.regs));
	while (nmibt_walk_add(walk, frame.ip, frame.is_return, true) && step(orc, walk, &frame))
		;
}

/* -------------------------------------------------------------------- opening */

/* 6.4 has the encoding of 6.5, but no header that says so. Most entries are of type CALL, so the
 * encoding with more of them is right. */
static const struct format *format_by_entries(struct orc *orc)
{
	unsigned int calls[2] = {0};
	struct entry entry;

	for (uint32_t i = 0; i < 64; i++) {
		uint64_t at = (uint64_t)orc->kernel_table.nr * i / 64 * ENTRY_SIZE;

		if (!read_at(orc, orc->kernel_table.entries + at, &entry, ENTRY_SIZE)) {
			orc->lost = orc->kernel_table.entries + at;
			return NULL;
		}
		calls[0] += (entry.bits >> 8 & format_4_14.type_mask) == format_4_14.call;
		calls[1] += (entry.bits >> 8 & format_6_4.type_mask) == format_6_4.call;
	}
	return calls[0] > calls[1] ? &format_4_14 : &format_6_4;
}

/* The hash that scripts/orc_hash.sh (6.12) computes of the definition of the format. It is in
 * kernels since 6.5, and in 6.3.y and 6.4.y. */
#define HEADER_SIZE 20
static const struct {
	unsigned char header[HEADER_SIZE];
	const struct format *format;
} headers[] = {
	/* 6.3.y */
	{{0xdb, 0x84, 0xae, 0xd4, 0x10, 0x3b, 0x31, 0xdd, 0x51, 0xe0,
	  0x17, 0xf8, 0xf7, 0x97, 0x83, 0xca, 0x98, 0x5c, 0x2c, 0x51},
	 &format_4_14},
	{{0xfe, 0x5d, 0x32, 0xbf, 0x58, 0x1b, 0xd6, 0x3b, 0x2c, 0xa9,
	  0xa5, 0xc6, 0x5b, 0xa5, 0xa6, 0x25, 0xea, 0xb3, 0xfe, 0x24},
	 &format_6_4},
	{{0x13, 0x7c, 0x36, 0xad, 0x76, 0x27, 0xc4, 0xdd, 0x55, 0x93,
	  0x21, 0x76, 0xbb, 0x0e, 0xcd, 0xbd, 0x50, 0x41, 0xfc, 0x82},
	 &format_7_2},
};

static const struct format *find_format(struct orc *orc)
{
	unsigned char header[HEADER_SIZE];
	uint64_t at;

	if (!nmibt_symbol_addr(orc->kernel, "__start_orc_header", &at))
		return format_by_entries(orc);
	if (!read_at(orc, at, header, sizeof(header))) {
		orc->lost = at;
		return NULL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
		if (!memcmp(header, headers[i].header, sizeof(header)))
			return headers[i].format;
	}
	return NULL;
}

static struct nmibt_error *find_tables(struct orc *orc)
{
	uint64_t ips, ips_end, entries;

	if (!nmibt_symbol_addr(orc->kernel, "__start_orc_unwind_ip", &ips) ||
	    !nmibt_symbol_addr(orc->kernel, "__stop_orc_unwind_ip", &ips_end) ||
	    !nmibt_symbol_addr(orc->kernel, "__start_orc_unwind", &entries))
		return nmibt_symbols_are_lost(orc->kernel, &orc->lost)
			       ? NULL
			       : nmibt_error_create(
					 NMIBT_ERR_NOTHING,
					 "it is not known where the kernel's ORC tables are");
	if (ips_end <= ips || (ips_end - ips) / 4 > MAX_ENTRIES)
		return nmibt_error_create(NMIBT_ERR_DAMAGED,
					  "the kernel's ORC table is at %#" PRIx64
					  ", its end at %#" PRIx64,
					  ips, ips_end);
	orc->kernel_table = (struct table){ips, entries, (ips_end - ips) / 4};
	orc->format = find_format(orc);
	if (!orc->format && !orc->lost)
		return nmibt_error_create(
			NMIBT_ERR_DAMAGED,
			"the kernel's ORC tables, at %#" PRIx64 ", are of no known format", ips);
	return NULL;
}

static struct nmibt_error *open_orc(struct nmibt_kernel *kernel, void **ret)
{
	struct orc *orc = calloc(1, sizeof(*orc));

	if (!orc)
		return nmibt_error_nomem();
	orc->kernel = kernel;
	struct nmibt_error *err = find_tables(orc);
	if (err) {
		free(orc);
		return err;
	}
	*ret = orc;
	return NULL;
}

/* ------------------------------------------------------------------- as a whole */

#define EFLAGS_IF (1 << 9)

static bool is_user_mode(const struct nmibt_regs *regs)
{
	return (regs->value[X86_CS] & 3) == 3;
}

static bool knows_irqs_off(const struct nmibt_regs *regs, bool *ret)
{
	*ret = !(regs->value[X86_FLAGS] & EFLAGS_IF);
	return true;
}

/* Compiled code is in the uppermost 2 GiB (Documentation/arch/x86/x86_64/mm.rst, 6.12). */
static bool may_be_code(uint64_t addr)
{
	return !(~addr >> 31);
}

const struct nmibt_unwind_arch nmibt_unwind_x86_64 = {
	.arch = NMIBT_ARCH_X86_64,
	.is_user_mode = is_user_mode,
	.knows_irqs_off = knows_irqs_off,
	.may_be_code = may_be_code,
	.call_size = 1,
	.open = open_orc,
	.close = free,
	.walk = walk_orc,
};
