// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stacks in any memory, of either architecture: registers, stacks, code, ORC tables and page tables
 * may all be hostile.
 *
 * The input is a list of changes to a kernel's memory with a stack in it: where, what and how many
 * bytes. So each of them hits data that is read.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/fake-stack.h"
#include "../unit/safe-text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct change {
	uint8_t where; /* see part_of() */
	uint8_t len; /* of value */
	uint16_t offset;
	uint64_t value;
};

#define IPS UINT64_C(0xffffffff82000000)
#define ENTRIES (IPS + FK_PAGE)
#define HEADER (IPS + 2 * FK_PAGE)
#define MODULES (IPS + 3 * FK_PAGE)
#define NR_ENTRIES 200

/* ---------------------------------------------------------------------- x86_64 */

static bool symbol_addr(void *ctx, const char *name, uint64_t *ret)
{
	static const struct {
		const char *name;
		uint64_t value;
	} symbols[] = {{"__start_orc_unwind_ip", IPS},
		       {"__stop_orc_unwind_ip", IPS + 4 * NR_ENTRIES},
		       {"__start_orc_unwind", ENTRIES},
		       {"__start_orc_header", HEADER},
		       {"modules", MODULES}};

	(void)ctx;
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
		if (strcmp(name, symbols[i].name))
			continue;
		*ret = symbols[i].value;
		return true;
	}
	return false;
}

static bool member_offset(void *ctx, const char *type, const char *member, size_t *ret)
{
	static const char *const members[] = {"list", "mem",	  "base",	   "size",
					      "arch", "num_orcs", "orc_unwind_ip", "orc_unwind"};

	(void)ctx;
	(void)type;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		if (!strcmp(member, members[i])) {
			*ret = 8 * i;
			return true;
		}
	}
	return false;
}

/* The entries, one for each 32 bytes of code, use the stack in every possible way. */
static void make_x86(struct fake_stack *s)
{
	static const unsigned char header[] = {0xfe, 0x5d, 0x32, 0xbf, 0x58, 0x1b, 0xd6,
					       0x3b, 0x2c, 0xa9, 0xa5, 0xc6, 0x5b, 0xa5,
					       0xa6, 0x25, 0xea, 0xb3, 0xfe, 0x24};

	s->k->ops.symbol_addr = symbol_addr;
	s->k->ops.member_offset = member_offset;
	fs_map(s, IPS, 4 * FK_PAGE);
	memcpy(fs_at(s, HEADER), header, sizeof(header));
	for (unsigned int i = 0; i < NR_ENTRIES; i++) {
		int32_t offset = s->at.text + 32 * i - (IPS + 4 * i);
		uint16_t entry[3] = {8 * (i % 5 + 1), -16, i % 10 | i / 3 % 5 << 4 | (i % 7) << 8};

		if (i % 3)
			entry[2] = 5 | 2 << 8; /* base SP, type CALL */
		memcpy(fs_at(s, IPS + 4 * i), &offset, 4);
		memcpy(fs_at(s, ENTRIES + 6 * i), entry, 6);
	}
	memset(fs_at(s, s->at.text), 0xe8, FK_PAGE);
	memset(fs_at(s, s->at.module), 0xe8, FK_PAGE);
	fs_put(s, MODULES, MODULES + 64);
	fs_put(s, MODULES + 64, MODULES);
	fs_put(s, MODULES + 64 + 8, s->at.module);
	s->regs.nr = 27;
	s->regs.value[16] = s->at.text + 40;
	s->regs.value[17] = 0x10;
	s->regs.value[19] = s->at.irq + 0x3f00;
	s->regs.value[4] = s->at.irq + 0x3f80;
	for (uint64_t at = 0; at < FS_STACK; at += 8) {
		fs_put(s, s->at.irq + at, s->at.text + at % 0x1000);
		fs_put(s, s->at.task + at, at % 64 ? s->at.text + at % 0x1000 : s->at.task + at);
	}
}

/* ----------------------------------------------------------------------- arm64 */

static void make_arm64(struct fake_stack *s)
{
	uint32_t bl = 0x94000000 | -3u % (1 << 26);

	for (uint64_t at = 0; at < FS_FUNCTIONS * FS_FUNCTION; at += 4)
		memcpy(fs_at(s, s->at.text + at), &bl, 4);
	fk_say(s->k, "NUMBER(KERNELPACMASK)=0xff7f000000000000\n");
	for (uint64_t at = 0; at < FS_STACK; at += 32) {
		fs_put(s, s->at.irq + at, s->at.irq + at + 32);
		fs_put(s, s->at.irq + at + 8, s->at.text + at);
		fs_put(s, s->at.task + at, s->at.task + at + 64);
		fs_put(s, s->at.task + at + 8, s->at.text + at / 2);
	}
	fs_put(s, s->at.irq + 0x3fe0, s->at.task + 0x1000);
	/* Registers of an exception, with the frame record of 6.14. */
	fs_put(s, s->at.task + 0x1200, 0);
	fs_put(s, s->at.task + 0x1208, 0);
	fs_put(s, s->at.task + 0x1210, 2);
	fs_put(s, s->at.task + 0x1200 - 296 + 8 * 31, s->at.task + 0x1220);
	fs_put(s, s->at.task + 0x1200 - 296 + 8 * 29, s->at.task + 0x1240);
	fs_put(s, s->at.task + 0x1200 - 296 + 8 * 33, 5);
	s->regs.nr = 34;
	s->regs.value[29] = s->at.irq + 0x3e00;
	s->regs.value[30] = s->at.text + 0x88;
	s->regs.value[31] = s->at.irq + 0x3df0;
	s->regs.value[32] = s->at.text + 0x10;
	s->regs.value[33] = 5;
}

/* --------------------------------------------------------------------- changes */

/* The memory that a change applies to: registers, a stack, code, a table, VMCOREINFO, any page. */
static uint8_t *part_of(struct fake_stack *s, struct fake_stack *whole, const struct change *change,
			size_t *ret_size)
{
	uint64_t used = s->k->next - FK_BASE, page = change->where / 16 * FK_PAGE, at;

	*ret_size = FK_PAGE;
	switch (change->where % 16) {
	case 0:
	case 1:
		*ret_size = sizeof(s->regs.value);
		return (uint8_t *)s->regs.value;
	case 2:
		*ret_size = strlen(s->k->vmcoreinfo);
		return (uint8_t *)s->k->vmcoreinfo;
	case 3:
	case 4:
		at = s->at.irq + page % FS_STACK;
		break;
	case 5:
	case 6:
		at = s->at.task + page % FS_STACK;
		break;
	case 7:
		at = s->at.text;
		break;
	case 8:
		at = s->at.module;
		break;
	case 9:
	case 10:
	case 11:
		if (s->regs.nr == 27) {
			at = IPS + page % (4 * FK_PAGE);
			break;
		}
		/* fall through */
	default: /* any page in use, mostly page tables */
		return s->k->mem + change->where * FK_PAGE % used;
	}
	/* The page tables may be changed by now, so the address is translated in the original. */
	return s->k->mem + ((uint8_t *)fs_at(whole, at) - whole->k->mem);
}

static void apply(struct fake_stack *s, struct fake_stack *whole, const struct change *change)
{
	size_t size, len = change->len % 8 + 1;
	uint8_t *part = part_of(s, whole, change, &size);

	if (change->len >= 0xf0) {
		s->k->page[change->offset % ((s->k->next - FK_BASE) / FK_PAGE)] = change->len % 3;
		return;
	}
	size_t at = size ? change->offset % size : 0; /* VMCOREINFO may be empty by now */
	if (change->len & 0x10)
		at &= ~(size_t)7; /* words are aligned */
	if (len > size - at)
		len = size - at;
	memcpy(part + at, &change->value, len);
}

static void check_error(struct nmibt_error *err)
{
	if (!err)
		return;
	if (!*err->message || unsafe_text(err->message, strlen(err->message)))
		abort();
	nmibt_error_destroy(err);
}

static void walk(struct fake_stack *s)
{
	struct nmibt_error *err = fs_open(s);

	if (!err)
		err = fs_unwind(s);
	check_error(err);
	if (s->stack.nr > NMIBT_MAX_FRAMES)
		abort();
	for (size_t i = 0; i < s->stack.nr; i++) {
		const struct nmibt_frame *f = &s->stack.frames[i];

		if (strlen(f->function.s) != f->function.len ||
		    strlen(f->module.s) != f->module.len)
			abort();
	}
	fs_close(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fake_stack *stacks[2];
	bool arm64 = size % 2;
	struct change change;

	if (!stacks[arm64]) {
		stacks[arm64] = fs_new(arm64 ? &fk_arm64 : &fk_x86);
		(arm64 ? make_arm64 : make_x86)(stacks[arm64]);
	}
	struct fake_stack s = *stacks[arm64];
	s.k = fk_copy(s.k);
	for (; size >= sizeof(change); data += sizeof(change), size -= sizeof(change)) {
		memcpy(&change, data, sizeof(change));
		apply(&s, stacks[arm64], &change);
	}
	walk(&s);
	return 0;
}
