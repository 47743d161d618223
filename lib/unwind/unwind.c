// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The unwinder's parts that all architectures share.
 */
#include <inttypes.h>

#include "unwind/arch.h"

/* THREAD_SIZE, and the size of the interrupt stacks: arch/arm64/include/asm/memory.h,
 * arch/x86/include/asm/page_64_types.h, 6.12. With 4 KiB pages they have 16 KiB, or 32 KiB with
 * KASAN. */
#define MAX_STACK 65536

/* All architectures that have an unwinder. */
static const struct nmibt_unwind_arch *const archs[] = {
	&nmibt_unwind_x86_64,
	&nmibt_unwind_arm64,
};

/* NULL: the architecture has no unwinder. */
static const struct nmibt_unwind_arch *find_arch(enum nmibt_arch arch)
{
	for (size_t i = 0; i < ARRAY_SIZE(archs); i++) {
		if (archs[i]->arch == arch)
			return archs[i];
	}
	return NULL;
}

/* ------------------------------------------------------------------ beginning */

static bool are_complete(enum nmibt_arch arch, const struct nmibt_regs *regs)
{
	const struct nmibt_reg_names *names = nmibt_reg_names(arch);

	return names && regs->present && regs->nr >= names->nr;
}

struct nmibt_error *nmibt_check_regs(enum nmibt_arch arch, const struct nmibt_regs *regs)
{
	if (are_complete(arch, regs))
		return NULL;
	return nmibt_error_create(NMIBT_ERR_NOTHING,
				  "there are no registers to follow a stack from");
}

bool nmibt_is_user_mode(enum nmibt_arch arch, const struct nmibt_regs *regs)
{
	const struct nmibt_unwind_arch *row = find_arch(arch);

	return row && row->is_user_mode(regs);
}

bool nmibt_knows_irqs_off(enum nmibt_arch arch, const struct nmibt_regs *regs, bool *ret)
{
	const struct nmibt_unwind_arch *row = find_arch(arch);

	return row && row->knows_irqs_off(regs, ret);
}

bool nmibt_walk_init(struct nmibt_walk *walk, struct nmibt_kernel *kernel,
		     const struct nmibt_regs *regs)
{
	enum nmibt_arch arch = kernel->image->arch;
	const struct nmibt_reg_names *names = nmibt_reg_names(arch);

	/* VMCOREINFO has a mask of pointer authentication on arm64 only. */
	*walk = (struct nmibt_walk){
		.kernel = kernel,
		.arch = find_arch(arch),
		.pac_mask = arch == NMIBT_ARCH_ARM64 ? kernel->vmcoreinfo.pac_mask.value : 0,
		.nr_stacks = 1,
	};
	walk->stacks[0].low = walk->stacks[0].high = regs->value[names->sp];
	return !nmibt_is_user_mode(arch, regs) || nmibt_walk_end(walk, NMIBT_END_USER, 0);
}

/* -------------------------------------------------------------------- walking */

bool nmibt_walk_end(struct nmibt_walk *walk, enum nmibt_stack_end end, uint64_t addr)
{
	if (walk->end == NMIBT_END_UNKNOWN) {
		walk->end = end;
		walk->end_addr = addr;
	}
	return false;
}

void nmibt_walk_retry(struct nmibt_walk *walk)
{
	walk->end = NMIBT_END_UNKNOWN;
	walk->end_addr = 0;
}

bool nmibt_walk_add(struct nmibt_walk *walk, uint64_t pc, bool is_return, bool reliable)
{
	if (walk->nr_frames == NMIBT_MAX_FRAMES)
		return nmibt_walk_end(walk, NMIBT_END_LIMIT, 0);
	walk->frames[walk->nr_frames++] =
		(struct nmibt_walk_frame){pc, is_return, reliable && !walk->is_guess};
	return !nmibt_interrupted(walk->kernel->image);
}

/* Finds the first frame on a new stack that begins at addr. If an exception interrupted a frame
 * whose memory was not reached yet, its saved registers were the first on the new stack. */
static void begin_stack(struct nmibt_walk *walk, uint64_t addr)
{
	struct nmibt_walk_stack stack = {.low = addr, .first = walk->nr_frames};

	for (unsigned int i = walk->taken ? walk->taken : 1; i < walk->nr_frames; i++) {
		if (walk->frames[i].is_return)
			continue;
		stack.first = i;
		stack.by_regs = true;
		break;
	}
	walk->stacks[walk->nr_stacks++] = stack;
}

/* As unwind_consume_stack(), arch/arm64/include/asm/stacktrace/common.h, 6.12: addresses go up on
 * one stack, and the walk never returns to a stack that it left. Kernel addresses of x86_64 have
 * their upper 8 bits in common with 5 levels of tables, those of arm64 their upper 12. */
bool nmibt_walk_take(struct nmibt_walk *walk, uint64_t addr, uint64_t size)
{
	unsigned int nr = walk->nr_stacks;

	if (addr % 8 || ~addr >> 56 || addr > -size)
		return nmibt_walk_end(walk, NMIBT_END_NONSENSE, addr);
	if (addr < walk->stacks[nr - 1].high || addr - walk->stacks[nr - 1].low >= MAX_STACK) {
		if (nr == ARRAY_SIZE(walk->stacks))
			return nmibt_walk_end(walk, NMIBT_END_LIMIT, addr);
		for (unsigned int i = 0; i < nr; i++) {
			if (addr - walk->stacks[i].low < MAX_STACK)
				return nmibt_walk_end(walk, NMIBT_END_NONSENSE, addr);
		}
		begin_stack(walk, addr);
	}
	walk->stacks[walk->nr_stacks - 1].high = addr + size;
	walk->taken = walk->nr_frames;
	return true;
}

bool nmibt_walk_read(struct nmibt_walk *walk, uint64_t addr, void *buf, size_t len)
{
	return nmibt_kernel_read(walk->kernel, addr, buf, len) == NMIBT_READ_OK;
}

/* The last byte is of the call, if there is one. */
bool nmibt_walk_read_code(struct nmibt_walk *walk, uint64_t addr, void *buf, size_t len)
{
	return !nmibt_is_init_text(walk->kernel, addr + len - 1) &&
	       nmibt_walk_read(walk, addr, buf, len);
}

/* status is of what stands at addr, or leads there. */
static bool end_unless_read(struct nmibt_walk *walk, enum nmibt_read status, uint64_t addr)
{
	switch (status) {
	case NMIBT_READ_OK:
		return true;
	case NMIBT_READ_EXCLUDED:
		return nmibt_walk_end(walk, NMIBT_END_EXCLUDED, addr);
	case NMIBT_READ_ERROR:
		break;
	}
	return nmibt_walk_end(walk, NMIBT_END_UNREADABLE, addr);
}

bool nmibt_walk_need(struct nmibt_walk *walk, uint64_t addr, void *buf, size_t len)
{
	return end_unless_read(walk, nmibt_kernel_read(walk->kernel, addr, buf, len), addr);
}

bool nmibt_walk_need_tables(struct nmibt_walk *walk, uint64_t addr)
{
	return end_unless_read(walk, nmibt_kernel_read_tables(walk->kernel, addr), addr);
}

/* Bit 55 says which half an address is of (ptrauth_strip_kernel_insn_pac(),
 * arch/arm64/include/asm/pointer_auth.h, 6.12). */
uint64_t nmibt_walk_strip(const struct nmibt_walk *walk, uint64_t pc)
{
	return pc >> 55 & 1 ? pc | walk->pac_mask : pc;
}

bool nmibt_walk_start(struct nmibt_walk *walk, uint64_t addr, uint64_t *ret)
{
	struct nmibt_symbol symbol;

	if (!nmibt_find_symbol(walk->kernel, addr, &symbol))
		return false;
	*ret = addr - symbol.offset;
	return true;
}

/* Kernels unmap code that only booting needs. But the function that started the first CPU's idle
 * task is part of it and still on that task's stack, so a name is enough. */
bool nmibt_walk_is_code(struct nmibt_walk *walk, uint64_t addr)
{
	uint64_t unused;

	return walk->arch && walk->arch->may_be_code(addr) &&
	       (nmibt_kernel_to_phys(walk->kernel, addr, &unused) ||
		nmibt_walk_start(walk, addr, &unused) ||
		nmibt_kernel_read_tables(walk->kernel, addr) != NMIBT_READ_OK);
}

bool nmibt_walk_is_return(struct nmibt_walk *walk, uint64_t pc)
{
	return walk->arch && nmibt_walk_is_code(walk, pc - walk->arch->call_size);
}

/* ------------------------------------------------------------------- finishing */

/* The strings of all frames, one after the other. */
struct names {
	char *text;
	size_t len, room;
};

/* Copies name. *ret: offset of the copy in names->text. False: out of memory. */
static bool keep_name(struct names *names, const char *name, size_t *ret)
{
	size_t size = strlen(name) + 1;

	if (size > names->room - names->len) {
		size_t room = 2 * names->room + NMIBT_SYMBOL_LEN;
		char *text = realloc(names->text, room);

		if (!text)
			return false;
		names->text = text;
		names->room = room;
	}
	*ret = names->len;
	memcpy(names->text + names->len, name, size);
	names->len += size;
	return true;
}

/* Offsets of a frame's names in names->text. They become pointers when the text no longer moves. */
struct frame_names {
	size_t function, module;
};

/* Names frame i. A return address may be behind the calling function's end, so the name is that of
 * the byte before it. */
static bool name_frame(struct nmibt_walk *walk, unsigned int i, struct names *names,
		       struct frame_names *at, struct nmibt_frame *ret)
{
	unsigned int back = walk->frames[i].is_return;
	struct nmibt_symbol symbol;

	if (!nmibt_find_symbol(walk->kernel, walk->frames[i].addr - back, &symbol))
		return true;
	ret->function.len = strlen(symbol.name);
	ret->module.len = strlen(symbol.module);
	ret->offset = symbol.offset + back;
	ret->size = symbol.size;
	return keep_name(names, symbol.name, &at->function) &&
	       keep_name(names, symbol.module, &at->module);
}

/* The kind of a stack that the walk left for next. The kernel calls into the stack of interrupts;
 * x86_64's exceptions with a stack of their own save the registers there
 * (arch/x86/kernel/dumpstack_64.c, arch/arm64/kernel/entry.S, 6.12). */
static enum nmibt_stack_kind kind_of_stack(const struct nmibt_stack *stack, unsigned int first,
					   const struct nmibt_walk_stack *next)
{
	if (!next->by_regs)
		return NMIBT_STACK_IRQ;
	for (unsigned int i = first; i < next->first; i++) {
		if (nmibt_str_holds(stack->frames[i].function, "nmi"))
			return NMIBT_STACK_NMI;
	}
	return NMIBT_STACK_EXCEPTION;
}

static void set_kinds(const struct nmibt_walk *walk, struct nmibt_stack *stack)
{
	for (unsigned int i = 0; i + 1 < walk->nr_stacks; i++) {
		unsigned int first = walk->stacks[i].first, end = walk->stacks[i + 1].first;
		enum nmibt_stack_kind kind = kind_of_stack(stack, first, &walk->stacks[i + 1]);

		for (unsigned int j = first; j < end; j++)
			stack->frames[j].kind = kind;
	}
}

static void set_end(const struct nmibt_walk *walk, struct nmibt_stack *stack)
{
	const struct nmibt_frame *last = stack->nr ? &stack->frames[stack->nr - 1] : NULL;
	const char *user_entry = walk->arch ? walk->arch->user_entry : NULL;

	stack->end = walk->end;
	stack->end_addr = walk->end_addr;
	if (stack->end == NMIBT_END_COMPLETE && last && user_entry &&
	    nmibt_str_starts(last->function, user_entry))
		stack->end = NMIBT_END_USER;
}

struct nmibt_error *nmibt_walk_finish(struct nmibt_walk *walk, struct nmibt_stack *ret)
{
	struct nmibt_frame *frames = calloc(walk->nr_frames + 1, sizeof(*frames));
	struct frame_names at[NMIBT_MAX_FRAMES] = {0};
	struct names names = {0};
	bool failed = !frames;

	for (unsigned int i = 0; i < walk->nr_frames && !failed; i++) {
		const struct nmibt_walk_frame *f = &walk->frames[i];

		frames[i] = (struct nmibt_frame){.addr = f->addr,
						 .line = NMIBT_NO_LINE,
						 .reliable = f->reliable,
						 .is_pc = !i,
						 .is_interrupted = i && !f->is_return};
		failed = !name_frame(walk, i, &names, &at[i], &frames[i]);
	}
	if (failed) {
		free(frames);
		free(names.text);
		return nmibt_error_nomem();
	}
	for (unsigned int i = 0; i < walk->nr_frames; i++) {
		frames[i].function.s = frames[i].function.len ? names.text + at[i].function : "";
		frames[i].module.s = frames[i].module.len ? names.text + at[i].module : "";
	}
	*ret = (struct nmibt_stack){.frames = frames, .nr = walk->nr_frames, .owned = names.text};
	set_kinds(walk, ret);
	set_end(walk, ret);
	return NULL;
}

/* ------------------------------------------------------------------- opening */

struct nmibt_unwinder {
	struct nmibt_kernel *kernel;
	const struct nmibt_unwind_arch *arch;
	void *tables; /* the architecture's own */
	nmibt_caller_fn caller; /* NULL: none */
	void *caller_arg;
};

struct nmibt_error *nmibt_unwinder_open(struct nmibt_kernel *kernel, struct nmibt_unwinder **ret)
{
	struct nmibt_unwinder *unwinder = calloc(1, sizeof(*unwinder));
	struct nmibt_error *err = NULL;

	if (!unwinder)
		return nmibt_error_nomem();
	unwinder->kernel = kernel;
	unwinder->arch = find_arch(kernel->image->arch);
	if (unwinder->arch && unwinder->arch->open)
		err = unwinder->arch->open(kernel, &unwinder->tables);
	else if (!unwinder->arch)
		err = nmibt_error_create(NMIBT_ERR_NOTHING,
					 "stacks of this architecture are not known");
	if (err) {
		nmibt_unwinder_close(unwinder);
		return err;
	}
	*ret = unwinder;
	return NULL;
}

void nmibt_unwinder_close(struct nmibt_unwinder *unwinder)
{
	if (!unwinder)
		return;
	if (unwinder->arch && unwinder->arch->close)
		unwinder->arch->close(unwinder->tables);
	free(unwinder);
}

void nmibt_unwinder_use(struct nmibt_unwinder *unwinder, nmibt_caller_fn caller, void *arg)
{
	unwinder->caller = caller;
	unwinder->caller_arg = arg;
}

struct nmibt_error *nmibt_unwind(struct nmibt_unwinder *unwinder, const struct nmibt_regs *regs,
				 struct nmibt_stack *ret)
{
	struct nmibt_walk walk;
	struct nmibt_error *err = nmibt_check_regs(unwinder->kernel->image->arch, regs);

	if (err)
		return err;
	if (nmibt_walk_init(&walk, unwinder->kernel, regs)) {
		walk.caller = unwinder->caller;
		walk.caller_arg = unwinder->caller_arg;
		unwinder->arch->walk(unwinder->tables, &walk, regs);
	}
	return nmibt_walk_finish(&walk, ret);
}

/* A call in the function itself may have returned long ago. */
bool nmibt_find_leaf_caller(struct nmibt_kernel *kernel, const struct nmibt_regs *regs,
			    uint64_t start, struct nmibt_symbol *ret)
{
	const struct nmibt_unwind_arch *arch = find_arch(kernel->image->arch);
	struct nmibt_walk walk;
	uint64_t addr;

	if (!arch || !arch->leaf_caller || !are_complete(arch->arch, regs) ||
	    !nmibt_walk_init(&walk, kernel, regs) || !arch->leaf_caller(&walk, regs, start, &addr))
		return false;
	addr -= arch->call_size;
	return nmibt_find_symbol(kernel, addr, ret) && addr - ret->offset != start;
}
