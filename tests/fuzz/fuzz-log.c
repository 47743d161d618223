// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's log in any memory, for either architecture: page tables, rings and VMCOREINFO may
 * all be hostile.
 *
 * The input is a list of changes to a kernel's memory with a log in it: where, what and how many
 * bytes. So each of them hits data that is read.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/fake-kernel.h"
#include "../unit/safe-text.h"
#include "report/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A damaged log may claim 2^26 records; no more than this are read. */
#define MAX_RECORDS 5000

struct change {
	uint8_t where; /* part of the memory; see part_of() */
	uint8_t len; /* of value */
	uint16_t offset;
	uint64_t value;
};

static struct fake_log make_log(bool arm64)
{
	struct fake_kernel *k = fk_new(arm64 ? &fk_arm64 : &fk_x86);
	struct fake_log l;
	char text[128];

	fl_init(&l, k, 0, 5, 10, true);
	for (unsigned int n = 0; n < 45; n++) {
		int len = sprintf(text, n % 7 ? "record %u" : "BUG: record %u", n);

		memset(text + len, 'x', n);
		fl_add_bytes(&l, n % 3, text, len + n % 30);
	}
	fl_add_dataless(&l, 3);
	fl_add_dataless(&l, 1);
	return l;
}

/* That of kernels before 5.10, wrapped, with and without callers. */
static struct fake_classic make_classic(bool has_caller)
{
	struct fake_kernel *k = fk_new(&fk_x86);
	struct fake_classic c;
	char text[128];

	fc_init(&c, k, has_caller ? "printk_log" : "log", FK_PAGE, has_caller,
		has_caller ? "5.4.0" : "3.10.0");
	for (unsigned int n = 0; n < 90; n++) {
		int len = sprintf(text, n % 7 ? "record %u" : "BUG: record %u", n);

		memset(text + len, 'x', n % 40);
		fc_add_record(&c, &(struct fake_record){.text = text,
							.len = len + n % 40,
							.dict = n % 5 ? NULL : "SUBSYSTEM=pci",
							.caller_id = n % 3,
							.level = n % 8,
							.flags = n % 16});
	}
	return c;
}

/* Where a change applies: a ring, the ring's head, a table, VMCOREINFO, a page's state. */
static uint8_t *part_of(struct fake_log *l, struct fake_log *whole, const struct change *change,
			size_t *ret_size)
{
	struct fake_kernel *k = l->k;
	uint64_t used = k->next - FK_BASE;

	*ret_size = FK_PAGE;
	switch (change->where % 8) {
	case 0:
		return fk_at(k, fl_paddr(whole, FL_DESCS));
	case 1:
		return fk_at(k, fl_paddr(whole, FL_INFOS));
	case 2:
		return fk_at(k, fl_paddr(whole, FL_DATA));
	case 3:
		*ret_size = 160;
		return (uint8_t *)fk_at(k, l->ring) - 64;
	case 4:
		*ret_size = strlen(k->vmcoreinfo);
		return (uint8_t *)k->vmcoreinfo;
	default: /* any page in use, mostly page tables */
		return k->mem + change->where / 8 * FK_PAGE % used;
	}
}

static uint8_t *part_of_classic(struct fake_kernel *k, struct fake_classic *whole,
				const struct change *change, size_t *ret_size)
{
	*ret_size = FK_PAGE;
	switch (change->where % 4) {
	case 0:
		*ret_size = 24;
		return fk_at(k, whole->vars);
	case 1:
		*ret_size = strlen(k->vmcoreinfo);
		return (uint8_t *)k->vmcoreinfo;
	default:
		return fk_at(k, fl_paddr(&whole->l, FC_BUF));
	}
}

static void apply(struct fake_kernel *k, uint8_t *part, size_t size, const struct change *change)
{
	size_t len = change->len % 8 + 1;

	if (change->len >= 0xf0) {
		k->page[change->offset % ((k->next - FK_BASE) / FK_PAGE)] = change->len % 3;
		return;
	}
	size_t at = size ? change->offset % size : 0; /* VMCOREINFO may be empty by now */
	if (change->len & 0x10)
		at &= ~(size_t)7; /* members and entries are aligned */
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

static void read_log(struct fake_kernel *k, struct nmibt_kernel *kernel)
{
	struct nmibt_log *log;
	struct nmibt_log_record record;
	struct nmibt_error *err = nmibt_log_open(kernel, &log);
	static char copy[UINT16_MAX];

	check_error(err);
	if (err)
		return;
	k->asked_left = MAX_RECORDS;
	while (nmibt_log_next(log, &record)) {
		if (record.level > 7 || record.flags > 31 || record.len > UINT16_MAX)
			abort();
		if (record.is_end ? !nmibt_log_nr_missing(&record.missing_before) : !record.text)
			abort();
		if (record.text)
			memcpy(copy, record.text, record.len);
	}
	nmibt_log_close(log);
}

static void read_kernel(struct fake_kernel *k)
{
	struct nmibt_kernel *kernel;

	if (nmibt_kernel_open(&k->image, &kernel))
		abort();
	read_log(k, kernel);
	nmibt_kernel_close(kernel);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fake_log logs[2];
	static struct fake_classic classics[2];
	bool is_second = size % 2, is_classic = size / 2 % 2;
	struct fake_classic *classic = &classics[is_second];
	struct fake_log *whole = is_classic ? &classic->l : &logs[is_second];
	struct change change;

	if (!whole->k && is_classic)
		*classic = make_classic(is_second);
	else if (!whole->k)
		*whole = make_log(is_second);
	struct fake_log l = *whole;
	l.k = fk_copy(l.k);
	for (; size >= sizeof(change); data += sizeof(change), size -= sizeof(change)) {
		uint8_t *part;
		size_t part_size;

		memcpy(&change, data, sizeof(change));
		part = is_classic ? part_of_classic(l.k, classic, &change, &part_size)
				  : part_of(&l, whole, &change, &part_size);
		apply(l.k, part, part_size, &change);
	}
	read_kernel(l.k);
	return 0;
}
