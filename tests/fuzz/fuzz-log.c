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

/* The memory that a change applies to: a ring, its head, a page table, VMCOREINFO, a page's
 * status. */
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

static void apply(struct fake_log *l, struct fake_log *whole, const struct change *change)
{
	size_t size, len = change->len % 8 + 1;
	uint8_t *part = part_of(l, whole, change, &size);

	if (change->len >= 0xf0) {
		l->k->page[change->offset % ((l->k->next - FK_BASE) / FK_PAGE)] = change->len % 3;
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fake_log logs[2];
	struct fake_log *whole = &logs[size % 2];
	struct change change;

	if (!whole->k)
		*whole = make_log(size % 2);
	struct fake_log l = *whole;
	l.k = fk_copy(l.k);
	for (; size >= sizeof(change); data += sizeof(change), size -= sizeof(change)) {
		memcpy(&change, data, sizeof(change));
		apply(&l, whole, &change);
	}
	struct nmibt_kernel *kernel;
	if (nmibt_kernel_open(&l.k->image, &kernel))
		abort();
	read_log(l.k, kernel);
	nmibt_kernel_close(kernel);
	return 0;
}
