// SPDX-License-Identifier: GPL-2.0-or-later
/* Finds the descriptor and its table, intact and damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake-image.h"
#include "report/report.h"

#define AUTO NMIBT_SOURCE_AUTO
#define VMCOREINFO NMIBT_SOURCE_VMCOREINFO
#define SYMBOL NMIBT_SOURCE_SYMBOL
#define SCAN NMIBT_SOURCE_SCAN

static int setup(void **state)
{
	*state = fake_new(NMIBT_ARCH_ARM64, 4);
	return 0;
}

static int teardown(void **state)
{
	fake_free(*state);
	return 0;
}

static struct nmibt_error *locate(struct fake *f, enum nmibt_source only, struct nmibt_capture *ret)
{
	struct nmibt_kernel *kernel;

	assert_null(nmibt_kernel_open(&f->image, &kernel));
	struct nmibt_error *err = nmibt_locate(kernel, only, ret);
	nmibt_kernel_close(kernel);
	return err;
}

static void check_slots(struct fake *f, const struct nmibt_capture *capture)
{
	for (unsigned int i = 0; i < f->nr_cpus; i++) {
		assert_true(capture->slot_known[i]);
		assert_int_equal(capture->slots[i], f->slot_paddr[i]);
	}
}

/* The capture must be found by this source, with all slots. damage NULL: there must be no
 * damage. */
static void check_found(struct fake *f, enum nmibt_source only, enum nmibt_source source,
			const char *damage)
{
	struct nmibt_capture capture;
	struct nmibt_error *err = locate(f, only, &capture);

	if (err)
		fail_msg("not found: %s", err->message);
	assert_int_equal(capture.source, source);
	assert_int_equal(capture.desc_paddr, f->desc_paddr);
	assert_true(capture.desc.nr_slots >= f->nr_cpus);
	check_slots(f, &capture);
	if (!damage)
		assert_string_equal(capture.damage, "");
	else if (!strstr(capture.damage, damage))
		fail_msg("'%s' lacks '%s'", capture.damage, damage);
	nmibt_capture_destroy(&capture);
}

static void check_not_found(struct fake *f, enum nmibt_source only, enum nmibt_code code,
			    const char *message)
{
	struct nmibt_capture capture;
	struct nmibt_error *err = locate(f, only, &capture);

	assert_non_null(err);
	assert_int_equal(err->code, code);
	if (!strstr(err->message, message))
		fail_msg("'%s' lacks '%s'", err->message, message);
	nmibt_error_destroy(err);
	nmibt_capture_destroy(&capture);
}

static void names(void **state)
{
	enum nmibt_source source = 99;

	(void)state;
	assert_string_equal(nmibt_source_name(VMCOREINFO), "vmcoreinfo");
	assert_string_equal(nmibt_source_name(SYMBOL), "symbol");
	assert_string_equal(nmibt_source_name(SCAN), "scan");
	assert_string_equal(nmibt_source_name(AUTO), "auto");
	assert_string_equal(nmibt_source_name(99), "unknown");
	assert_true(nmibt_source_parse("scan", &source));
	assert_int_equal(source, SCAN);
	assert_true(nmibt_source_parse("auto", &source));
	assert_int_equal(source, AUTO);
	assert_false(nmibt_source_parse("", &source));
	assert_false(nmibt_source_parse("sca", &source));
	assert_int_equal(source, AUTO);
}

/* --------------------------------------------------------------------- sources */

static void by_vmcoreinfo(void **state)
{
	struct fake *f = *state;

	check_found(f, AUTO, VMCOREINFO, NULL);
	check_found(f, VMCOREINFO, VMCOREINFO, NULL);
	/* No other callback is needed. */
	f->ops = (struct nmibt_image_ops){.read_phys = fake_read_phys,
					  .vmcoreinfo = fake_vmcoreinfo};
	check_found(f, AUTO, VMCOREINFO, NULL);
}

static void by_symbol(void **state)
{
	struct fake *f = *state;

	f->symbol = true;
	check_found(f, AUTO, VMCOREINFO, NULL);
	check_found(f, SYMBOL, SYMBOL, NULL);
	strcpy(f->vmcoreinfo, "OSRELEASE=6.12.0\n");
	check_found(f, AUTO, SYMBOL, NULL);
	f->ops.vmcoreinfo = NULL;
	check_found(f, AUTO, SYMBOL, NULL);
}

static void by_scan(void **state)
{
	struct fake *f = *state;

	check_found(f, SCAN, SCAN, NULL);
	/* Without VMCOREINFO the scan is the last resort, */
	*f->vmcoreinfo = '\0';
	check_found(f, AUTO, SCAN, NULL);
	f->ops.vmcoreinfo = NULL;
	check_found(f, AUTO, SCAN, NULL);
}

static void nothing_there(void **state)
{
	struct fake *f = *state;

	/* and if VMCOREINFO has no such line, gigabytes are searched only on request. */
	strcpy(f->vmcoreinfo, "OSRELEASE=6.12.0\n");
	check_not_found(
		f, AUTO, NMIBT_ERR_NOTHING,
		"no NMI backtrace capture in this dump: no NUMBER(nmi_backtrace_capture) line in "
		"VMCOREINFO; no symbol nmi_capture_desc");
	check_not_found(f, VMCOREINFO, NMIBT_ERR_NOTHING, "no NUMBER(nmi_backtrace_capture) line");
	check_not_found(f, SYMBOL, NMIBT_ERR_NOTHING, "no symbol nmi_capture_desc");
	memset(f->desc, 0, 376);
	check_not_found(f, SCAN, NMIBT_ERR_NOTHING, "no descriptor in 48 pages of memory");
	f->symbol = true;
	f->desc_paddr = 0x1000;
	check_not_found(f, SYMBOL, NMIBT_ERR_DAMAGED, "the descriptor at 0x1000 is unreadable");
}

static void missing_callbacks(void **state)
{
	struct fake *f = *state;

	f->ops = (struct nmibt_image_ops){.read_phys = fake_read_phys};
	check_not_found(f, AUTO, NMIBT_ERR_NOTHING,
			"VMCOREINFO can't be read here; no symbols here; memory can't be scanned "
			"here");
	f->ops = (struct nmibt_image_ops){.symbol_addr = fake_symbol_addr};
	f->symbol = true;
	check_not_found(f, SYMBOL, NMIBT_ERR_NOTHING, "no symbols here");
	f->ops = (struct nmibt_image_ops){.vmcoreinfo = fake_vmcoreinfo};
	check_not_found(f, VMCOREINFO, NMIBT_ERR_DAMAGED, "is unreadable");
}

static void each_source_says_why(void **state)
{
	struct fake *f = *state;
	struct nmibt_capture capture;

	*f->vmcoreinfo = '\0';
	f->desc->desc_paddr ^= 8;
	struct nmibt_error *err = locate(f, AUTO, &capture);
	assert_non_null(err);
	nmibt_error_destroy(err);
	assert_string_equal(capture.why[VMCOREINFO],
			    "no VMCOREINFO to look for NUMBER(nmi_backtrace_capture) in");
	assert_string_equal(capture.why[SYMBOL], "no symbol nmi_capture_desc");
	assert_string_equal(capture.why[SCAN],
			    "a copy of a descriptor at 0x80000fd8, it belongs at 0x80000fd0");
	assert_null(capture.slots);
}

static void vmcoreinfo_line_is_damaged(void **state)
{
	struct fake *f = *state;
	static const char *const values[] = {"",
					     ",",
					     "xyz",
					     "80000fd8",
					     "2147487704 1",
					     "2147487704,58",
					     "0x",
					     "18446744073709551616",
					     "0x10000000000000000"};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		snprintf(f->vmcoreinfo, sizeof(f->vmcoreinfo), "NUMBER(nmi_backtrace_capture)=%s\n",
			 values[i]);
		check_not_found(f, VMCOREINFO, NMIBT_ERR_DAMAGED, "which is no address");
	}
	strcpy(f->vmcoreinfo, "NUMBER(nmi_backtrace_capture)=\033[2J\033[31m\n");
	check_not_found(f, VMCOREINFO, NMIBT_ERR_DAMAGED, "=?[2J?[31m, which is no address");
	/* The line leads elsewhere in memory, out of it, or across its end. */
	strcpy(f->vmcoreinfo, "NUMBER(nmi_backtrace_capture)=0x80000000\n");
	check_not_found(f, VMCOREINFO, NMIBT_ERR_DAMAGED,
			"no descriptor at 0x80000000: its magic is missing");
	strcpy(f->vmcoreinfo, "NUMBER(nmi_backtrace_capture)=4096\n");
	check_not_found(f, VMCOREINFO, NMIBT_ERR_DAMAGED, "at 0x1000 is unreadable");
	strcpy(f->vmcoreinfo, "NUMBER(nmi_backtrace_capture)=-1\n");
	check_not_found(f, VMCOREINFO, NMIBT_ERR_DAMAGED, "is unreadable");
	/* A scan still finds it, even in a dump that is otherwise intact. */
	check_found(f, AUTO, SCAN, "by vmcoreinfo: the descriptor at 0xffffffffffffffff is");
	strcpy(f->vmcoreinfo, "OSRELEASE=6.12.0\nNUMBER(nmi_backtrace_capture)=\n");
	check_found(f, AUTO, SCAN, "by vmcoreinfo: VMCOREINFO has");
}

static void descriptor_not_in_the_dump(void **state)
{
	struct fake *f = *state;

	/* The descriptor crosses a page's end, and half of it is excluded. */
	fake_set_pages(f, FAKE_BASE + FAKE_PAGE, 1, NMIBT_READ_EXCLUDED);
	check_not_found(f, VMCOREINFO, NMIBT_ERR_DAMAGED, "is excluded from the dump");
	fake_set_pages(f, FAKE_BASE + FAKE_PAGE, 1, NMIBT_READ_ERROR);
	check_not_found(f, VMCOREINFO, NMIBT_ERR_DAMAGED, "is unreadable");
}

static void copies_in_a_scan(void **state)
{
	struct fake *f = *state;

	/* There are copies before and after the real one: a bounce buffer, and a page of the page
	 * cache that has the kernel image. */
	memcpy(fake_at(f, FAKE_BASE), f->desc, 376);
	memcpy(fake_at(f, fake_alloc(f, 376, 8)), f->desc, 376);
	check_found(f, SCAN, SCAN, NULL);
	/* The magic also appears as text, not aligned, and at the end of memory. */
	memcpy(fake_at(f, FAKE_BASE + 0x200), "NMIBTDSCNMIBTDSC", 16);
	memcpy(fake_at(f, FAKE_BASE + FAKE_SIZE - 8), "NMIBTDSC", 8);
	check_found(f, SCAN, SCAN, NULL);
	/* Copies without an original are not used. */
	memset(f->desc, 0, 376);
	check_not_found(f, SCAN, NMIBT_ERR_DAMAGED,
			"a copy of a descriptor at 0x80000000, it belongs at 0x80000fd8");
}

static void a_scan_steps_over_unreadable_pages(void **state)
{
	struct fake *f = *state;

	memmove(fake_at(f, 0x80005008), f->desc, 376);
	memset(f->desc, 0, 376);
	f->desc = fake_at(f, 0x80005008);
	f->desc_paddr = f->desc->desc_paddr = 0x80005008;
	for (unsigned int i = 0; i < f->nr_cpus; i++)
		fake_set_pages(f, f->slot_paddr[i], 1, NMIBT_READ_EXCLUDED);
	fake_set_pages(f, 0x80005000, 1, NMIBT_READ_OK);
	fake_set_pages(f, 0x80000000, 1, NMIBT_READ_ERROR);
	check_found(f, SCAN, SCAN, NULL);
}

static void a_scan_can_be_stopped(void **state)
{
	struct fake *f = *state;

	f->reads_left = 0;
	check_not_found(f, SCAN, NMIBT_ERR_INTERRUPTED, "interrupted while scanning memory");
	memset(f->desc, 0, 376);
	f->reads_left = 20;
	check_not_found(f, SCAN, NMIBT_ERR_INTERRUPTED, "interrupted while scanning memory");
}

/* Ranges that overlap, have odd starts, end at the last address, or are empty. */
static bool odd_ranges(void *ctx, uint64_t from, struct nmibt_range *ret)
{
	static const struct nmibt_range ranges[] = {
		{FAKE_BASE - 3, 0x800}, {FAKE_BASE + 0x101, 0x1200}, {UINT64_MAX - 0x1002, 0x1003}};

	(void)ctx;
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		uint64_t last = ranges[i].start + ranges[i].size - 1;
		if (last < from)
			continue;
		ret->start = ranges[i].start > from ? ranges[i].start : from;
		ret->size = last - ret->start + 1;
		return true;
	}
	return false;
}

static void odd_ranges_end(void **state)
{
	struct fake *f = *state;

	f->ops.next_range = odd_ranges;
	check_found(f, SCAN, SCAN, NULL);
	memset(f->desc, 0, 376);
	check_not_found(f, SCAN, NMIBT_ERR_NOTHING, "no descriptor in");
}

/* ------------------------------------------------------------------ descriptors */

static void another_byte_order(void **state)
{
	struct fake *f = *state;

	f->desc->version = __builtin_bswap32(f->desc->version);
	check_found(f, VMCOREINFO, VMCOREINFO, "version 33554432");
	f->desc->desc_size = __builtin_bswap32(f->desc->desc_size);
	check_not_found(f, VMCOREINFO, NMIBT_ERR_DAMAGED, "is in the other byte order");
}

static void never_set_up(void **state)
{
	struct fake *f = *state;

	f->desc->table_paddr = 0;
	f->desc->slot_size = 0;
	f->desc->nr_slots = 0;
	check_not_found(f, VMCOREINFO, NMIBT_ERR_NOTHING, "was never set up");
	/* This is its state in the kernel's image. */
	f->desc->desc_paddr = 0;
	f->symbol = true;
	strcpy(f->vmcoreinfo, "OSRELEASE=6.12.0\n");
	check_not_found(f, AUTO, NMIBT_ERR_NOTHING, "was never set up");
	check_not_found(f, SCAN, NMIBT_ERR_NOTHING, "was never set up");
}

static void damaged_magic(void **state)
{
	struct fake *f = *state;

	f->desc->magic[3] ^= 0x10;
	check_found(f, VMCOREINFO, VMCOREINFO, "magic is damaged");
	f->symbol = true;
	check_found(f, SYMBOL, SYMBOL, "magic is damaged");
	check_not_found(f, SCAN, NMIBT_ERR_NOTHING, "no descriptor in");
	/* If both the magic and its own address are wrong, it is no descriptor. */
	f->desc->desc_paddr ^= 0x1000;
	check_not_found(f, VMCOREINFO, NMIBT_ERR_DAMAGED, "its magic is missing");
}

static void bad_desc_paddr(void **state)
{
	struct fake *f = *state;

	f->desc->desc_paddr = UINT64_MAX;
	check_found(f, AUTO, VMCOREINFO, "says that it is at 0xffffffffffffffff");
	f->desc->desc_paddr = 0;
	check_found(f, AUTO, VMCOREINFO, "says that it is at 0");
	check_not_found(f, SCAN, NMIBT_ERR_DAMAGED, "a copy");
}

static void another_version(void **state)
{
	struct fake *f = *state;

	f->desc->version = 3;
	check_found(f, AUTO, VMCOREINFO, "version 3, known is 2");
	f->desc->version = 0;
	check_found(f, AUTO, VMCOREINFO, "version 0, known is 2");
	/* If its size is that of an older version, too, then its layout is another one. */
	f->desc->desc_size = 88;
	check_not_found(f, AUTO, NMIBT_ERR_DAMAGED, "has version 0, which is too old");
	/* A later kernel's version 2 may be longer, and its slot headers, too. */
	f->desc->version = 2;
	f->desc->desc_size = 392;
	f->desc->slot_hdr_size = 584;
	check_found(f, AUTO, VMCOREINFO, NULL);
	f->desc->desc_size = 375;
	check_found(f, AUTO, VMCOREINFO, "375 bytes, at least 376");
}

static void absurd_slot_sizes(void **state)
{
	struct fake *f = *state;
	static const struct {
		uint32_t hdr, slot;
	} sizes[] = {
		{0, 1352},	    {519, 1352},
		{0xffffffff, 1352}, {1353, 1352},
		{520, 0},	    {520, 519},
		{520, 0xffffffff},  {0, 0},
		{0xffffffff, 0},    {0xffffffff, 0xffffffff},
		{520, 0x80000000},
	};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		f->desc->slot_hdr_size = sizes[i].hdr;
		f->desc->slot_size = sizes[i].slot;
		check_found(f, AUTO, VMCOREINFO, "slots of ");
		struct nmibt_capture capture;
		assert_null(locate(f, AUTO, &capture));
		assert_true(capture.desc.slot_hdr_size >= 520);
		assert_true(capture.desc.slot_size >= capture.desc.slot_hdr_size);
		assert_true(capture.desc.slot_size <= 4 << 20);
		nmibt_capture_destroy(&capture);
	}
}

/* cpu: a field of the descriptor that holds the number of a CPU. One that the kernel does not have
 * is damage, and no CPU. */
static void check_no_such_cpu(struct fake *f, uint32_t *cpu, const char *damage)
{
	size_t at = (const char *)cpu - (const char *)f->desc;
	struct nmibt_capture capture;
	uint32_t mended;

	*cpu = 4;
	check_found(f, AUTO, VMCOREINFO, damage);
	assert_null(locate(f, AUTO, &capture));
	memcpy(&mended, (const char *)&capture.desc + at, sizeof(mended));
	assert_int_equal(mended, NMI_CAPTURE_NO_CPU);
	nmibt_capture_destroy(&capture);
	*cpu = NMI_CAPTURE_NO_CPU;
	check_found(f, AUTO, VMCOREINFO, NULL);
}

static void other_absurd_fields(void **state)
{
	struct fake *f = *state;

	f->desc->state = 4;
	check_found(f, AUTO, VMCOREINFO, "state is 4");
	f->desc->state = NMI_CAPTURE_COMPLETE;
	check_no_such_cpu(f, &f->desc->panic_cpu, "CPU 4 panicking, of 4");
	check_no_such_cpu(f, &f->desc->from_cpu, "CPU 4 panicking first, of 4");

	/* All damage must be reported, not only the last. */
	f->desc->version = 3;
	f->desc->state = 9;
	check_found(f, AUTO, VMCOREINFO, "version 3");
	check_found(f, AUTO, VMCOREINFO, "state is 9");
}

static void put_message(struct fake *f, size_t len, uint32_t said)
{
	memset(f->desc->message, 0, sizeof(f->desc->message));
	memset(f->desc->message, 'm', len);
	f->desc->message_len = said;
}

static void check_cut(struct fake *f, bool is_cut)
{
	struct nmibt_capture capture;

	assert_null(locate(f, AUTO, &capture));
	assert_int_equal(capture.is_message_cut, is_cut);
	nmibt_capture_destroy(&capture);
}

static void message_of_the_panic(void **state)
{
	struct fake *f = *state;

	put_message(f, 255, 255);
	check_found(f, AUTO, VMCOREINFO, NULL);
	check_cut(f, false);
	put_message(f, 255, 256);
	check_found(f, AUTO, VMCOREINFO, NULL);
	check_cut(f, true);
	put_message(f, 20, 21);
	check_found(f, AUTO, VMCOREINFO, "message has 20 bytes, 21 are expected");
	put_message(f, 20, 0);
	check_found(f, AUTO, VMCOREINFO, "message has 20 bytes, 0 are expected");
	/* Only a full message can be cut. */
	put_message(f, 20, UINT32_MAX);
	check_found(f, AUTO, VMCOREINFO, "message has 20 bytes, 4294967295 are expected");
	check_cut(f, false);
	put_message(f, 256, 256);
	check_found(f, AUTO, VMCOREINFO, "message has no end");
	check_cut(f, true);
	put_message(f, 20, 20);
	f->desc->message[200] = 'x';
	check_found(f, AUTO, VMCOREINFO, "bytes behind the descriptor's message");
}

static void absurd_times(void **state)
{
	struct fake *f = *state;
	struct nmibt_capture capture;

	f->desc->asked_local_ns = INT64_MAX;
	f->desc->asked_real_ns = INT64_MAX;
	check_found(f, AUTO, VMCOREINFO, NULL);
	f->desc->asked_local_ns = UINT64_C(1) << 63;
	check_found(f, AUTO, VMCOREINFO, "local time is 0x8000000000000000");
	f->desc->asked_real_ns = UINT64_MAX;
	check_found(f, AUTO, VMCOREINFO, "real time is 0xffffffffffffffff");
	assert_null(locate(f, AUTO, &capture));
	assert_true(!capture.desc.asked_local_ns && !capture.desc.asked_real_ns);
	nmibt_capture_destroy(&capture);
}

/* ----------------------------------------------------------------------- tables */

static void absurd_numbers_of_slots(void **state)
{
	struct fake *f = *state;
	static const uint32_t numbers[] = {0, 1, 3, 8193, 65536, 0x7fffffff, 0xffffffff};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		char damage[64];
		struct nmibt_capture capture;

		f->desc->nr_slots = numbers[i];
		snprintf(damage, sizeof(damage), "has %u slots, its table leads to 4", numbers[i]);
		check_found(f, AUTO, VMCOREINFO, damage);
		assert_null(locate(f, AUTO, &capture));
		assert_int_equal(capture.desc.nr_slots, 4);
		nmibt_capture_destroy(&capture);
	}
	/* The rest of the table's page is zero, which means CPUs that are not possible. */
	f->desc->nr_slots = 255;
	check_found(f, AUTO, VMCOREINFO, NULL);
}

static void holes_in_the_table(void **state)
{
	struct fake *f = *state;
	struct nmibt_capture capture;

	f->table[1] = 0;
	assert_null(locate(f, AUTO, &capture));
	assert_string_equal(capture.damage, "");
	assert_true(capture.slot_known[1]);
	assert_int_equal(capture.slots[1], 0);
	assert_int_equal(capture.slots[3], f->slot_paddr[3]);
	assert_int_equal(capture.slots_unread, 0);
	nmibt_capture_destroy(&capture);
}

/* If the table is lost, a scan finds the slots by their magic. */
static void table_elsewhere(void **state)
{
	struct fake *f = *state;
	uint64_t table = f->desc->table_paddr;
	const uint64_t places[] = {
		0,
		table + 4, /* not aligned */
		table + 1024, /* in its page, where it is zero */
		0x1000, /* no memory */
		UINT64_MAX - 7,
		f->slot_paddr[1] + 520, /* text */
	};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		f->desc->table_paddr = places[i];
		check_found(f, AUTO, VMCOREINFO, "is lost, a scan found slots");
	}
	/* The number of slots is lost, too. */
	f->desc->nr_slots = 0xffffffff;
	check_found(f, AUTO, VMCOREINFO, "is lost, a scan found slots");
	struct nmibt_capture capture;
	assert_null(locate(f, AUTO, &capture));
	assert_int_equal(capture.desc.nr_slots, 4);
	nmibt_capture_destroy(&capture);
}

static void two_slots_of_one_cpu(void **state)
{
	struct fake *f = *state;

	f->desc->table_paddr = 0;
	memcpy(fake_at(f, fake_alloc(f, FAKE_SLOT_SIZE, FAKE_PAGE)), f->slot[2], FAKE_SLOT_SIZE);
	check_found(f, AUTO, VMCOREINFO, "CPU 2 has slots at 0x");
}

/* A scan must not trust the CPU number in a slot. */
static void slots_of_cpus_that_cannot_be(void **state)
{
	struct fake *f = *state;
	static const uint32_t cpus[] = {4, 8192, 65536, 0x7fffffff, 0xffffffff};

	f->desc->table_paddr = 0;
	uint64_t stray = fake_alloc(f, FAKE_SLOT_SIZE, FAKE_PAGE);
	struct nmi_capture_slot *slot = fake_at(f, stray);
	*slot = *f->slot[1];
	for (size_t i = 0; i < ARRAY_SIZE(cpus); i++) {
		slot->cpu = cpus[i];
		check_found(f, AUTO, VMCOREINFO, "is lost, a scan found slots");
	}
}

static void table_not_in_the_dump(void **state)
{
	struct fake *f = *state;

	fake_set_pages(f, f->desc->table_paddr, 1, NMIBT_READ_EXCLUDED);
	check_found(f, AUTO, VMCOREINFO, "is lost, a scan found slots");
	/* Memory can't be scanned, either: at least the CPUs are known. */
	f->ops.next_range = NULL;
	struct nmibt_capture capture;
	assert_null(locate(f, AUTO, &capture));
	assert_int_equal(capture.desc.nr_slots, 4);
	assert_int_equal(capture.slots_unread, 4);
	for (unsigned int i = 0; i < 4; i++)
		assert_false(capture.slot_known[i]);
	nmibt_capture_destroy(&capture);
}

static void table_partly_in_the_dump(void **state)
{
	struct fake *f = *state;
	struct nmibt_capture capture;

	/* Entries 0 and 1 are in one page, 2 and 3 in the next. */
	uint64_t page = fake_alloc(f, 2 * FAKE_PAGE, FAKE_PAGE) + FAKE_PAGE;
	memcpy(fake_at(f, page - 16), f->table, 32);
	f->desc->table_paddr = page - 16;
	check_found(f, AUTO, VMCOREINFO, NULL);
	fake_set_pages(f, page, 1, NMIBT_READ_EXCLUDED);
	assert_null(locate(f, AUTO, &capture));
	assert_int_equal(capture.slots_unread, 2);
	check_slots(f, &capture);
	nmibt_capture_destroy(&capture);
	/* The slots of unreadable entries can't be found; the other slots are used. */
	f->ops.next_range = NULL;
	assert_null(locate(f, AUTO, &capture));
	assert_int_equal(capture.slots_unread, 2);
	assert_true(capture.slot_known[0] && capture.slot_known[1]);
	assert_false(capture.slot_known[2] || capture.slot_known[3]);
	assert_int_equal(capture.slots[1], f->slot_paddr[1]);
	nmibt_capture_destroy(&capture);
}

/* The slots are not in the dump: the table is right, so there is no scan. */
static void slots_not_in_the_dump(void **state)
{
	struct fake *f = *state;

	for (unsigned int i = 0; i < f->nr_cpus; i++)
		fake_set_pages(f, f->slot_paddr[i], FAKE_SLOT_SIZE, NMIBT_READ_EXCLUDED);
	f->reads_left = 0;
	check_found(f, AUTO, VMCOREINFO, NULL);
}

static void no_slot_anywhere(void **state)
{
	struct fake *f = *state;
	struct nmibt_capture capture;

	for (unsigned int i = 0; i < f->nr_cpus; i++)
		f->slot[i]->magic[0] = 'X';
	/* The table still tells the CPUs. */
	assert_null(locate(f, AUTO, &capture));
	check_slots(f, &capture);
	nmibt_capture_destroy(&capture);
	memset(f->table, 0, 32);
	check_not_found(f, AUTO, NMIBT_ERR_DAMAGED,
			"its table of 4 slots at 0x80002000, which leads to none, nor did a scan");
	f->reads_left = 5;
	check_not_found(f, AUTO, NMIBT_ERR_INTERRUPTED, "interrupted while scanning");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		TEST(by_vmcoreinfo),
		TEST(by_symbol),
		TEST(by_scan),
		TEST(nothing_there),
		TEST(missing_callbacks),
		TEST(each_source_says_why),
		TEST(vmcoreinfo_line_is_damaged),
		TEST(descriptor_not_in_the_dump),
		TEST(copies_in_a_scan),
		TEST(a_scan_steps_over_unreadable_pages),
		TEST(a_scan_can_be_stopped),
		TEST(odd_ranges_end),
		TEST(another_byte_order),
		TEST(never_set_up),
		TEST(damaged_magic),
		TEST(bad_desc_paddr),
		TEST(another_version),
		TEST(absurd_slot_sizes),
		TEST(other_absurd_fields),
		TEST(message_of_the_panic),
		TEST(absurd_times),
		TEST(absurd_numbers_of_slots),
		TEST(holes_in_the_table),
		TEST(table_elsewhere),
		TEST(two_slots_of_one_cpu),
		TEST(slots_of_cpus_that_cannot_be),
		TEST(table_not_in_the_dump),
		TEST(table_partly_in_the_dump),
		TEST(slots_not_in_the_dump),
		TEST(no_slot_anywhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
