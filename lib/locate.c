// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finds the capture descriptor: through VMCOREINFO by physical address, by
 * symbol, or by a scan of memory for its magic. Rules of checking and of
 * making the best of a damaged descriptor: docs/format.md, "Reading".
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>

#include "internal.h"

/* More CPUs than any kernel is built for (CONFIG_NR_CPUS is at most 8192). */
#define MAX_SLOTS 65536
/* The kernel's own limit is 1 MiB; a later one may be more generous. */
#define MAX_SLOT_SIZE (16 << 20)

static const char *const source_names[NMIBT_NR_SOURCES] = {
	[NMIBT_SOURCE_AUTO] = "auto",
	[NMIBT_SOURCE_VMCOREINFO] = "vmcoreinfo",
	[NMIBT_SOURCE_SYMBOL] = "symbol",
	[NMIBT_SOURCE_SCAN] = "scan",
};

const char *nmibt_source_name(enum nmibt_source source)
{
	return source < NMIBT_NR_SOURCES ? source_names[source] : "unknown";
}

bool nmibt_source_parse(const char *name, enum nmibt_source *ret)
{
	for (unsigned int i = 0; i < NMIBT_NR_SOURCES; i++) {
		if (!strcmp(name, source_names[i])) {
			*ret = i;
			return true;
		}
	}
	return false;
}

static __attribute__((format(printf, 2, 3))) void because(char *why, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(why, NMIBT_WHY_LEN, format, args);
	va_end(args);
	for (; *why; why++) {
		if (*why < ' ' || *why > '~')
			*why = '?';
	}
}

static bool reversed_magic(const uint8_t *magic)
{
	for (size_t i = 0; i < NMI_CAPTURE_MAGIC_LEN; i += 4) {
		for (size_t j = 0; j < 4; j++) {
			if (magic[i + j] != NMI_CAPTURE_DESC_MAGIC[i + 3 - j])
				return false;
		}
	}
	return true;
}

/*
 * What no reader can do without: the magic, and that it isn't a copy. Where
 * VMCOREINFO or a symbol leads there, the place itself proves that.
 */
static bool check_descriptor(const struct nmi_capture_desc *d, uint64_t paddr,
			     enum nmibt_source source, char *why)
{
	if (memcmp(d->magic, NMI_CAPTURE_DESC_MAGIC, NMI_CAPTURE_MAGIC_LEN)) {
		because(why, "no descriptor at %#" PRIx64 ": its magic is missing%s", paddr,
			reversed_magic(d->magic) ? " (other byte order?)" : "");
		return false;
	}
	if (source == NMIBT_SOURCE_SCAN && d->desc_paddr != paddr) {
		because(why, "a copy of a descriptor at %#" PRIx64 ", it belongs at %#" PRIx64,
			paddr, d->desc_paddr);
		return false;
	}
	if (d->desc_paddr && !d->table_paddr && !d->slot_size) {
		because(why, "the descriptor at %#" PRIx64 " was never set up", paddr);
		return false;
	}
	return true;
}

/*
 * Fields that are wrong and can be done without: what version 1 has takes
 * their place, and the damage is said.
 */
static void mend_descriptor(struct nmibt_capture *ret)
{
	struct nmi_capture_desc *d = &ret->desc;

	if (d->desc_paddr != ret->desc_paddr)
		because(ret->damage, "the descriptor says that it is at %#" PRIx64, d->desc_paddr);
	if (!d->version || d->desc_size < sizeof(*d))
		because(ret->damage, "the descriptor has version %u and %u bytes", d->version,
			d->desc_size);
	if (d->slot_hdr_size < sizeof(struct nmi_capture_slot) ||
	    d->slot_hdr_size > MAX_SLOT_SIZE || d->slot_hdr_size > d->slot_size) {
		because(ret->damage, "the descriptor has slots of %u bytes with headers of %u",
			d->slot_size, d->slot_hdr_size);
		d->slot_hdr_size = sizeof(struct nmi_capture_slot);
	}
	if (d->slot_size < d->slot_hdr_size || d->slot_size > MAX_SLOT_SIZE) {
		because(ret->damage, "the descriptor has slots of %u bytes", d->slot_size);
		d->slot_size = MAX_SLOT_SIZE;
	}
}

static bool read_descriptor(const struct nmibt_image *image, uint64_t paddr,
			    struct nmibt_capture *ret, enum nmibt_source source)
{
	char *why = ret->why[source];
	enum nmibt_read status = nmibt_read_phys(image, paddr, &ret->desc, sizeof(ret->desc));

	if (status != NMIBT_READ_OK) {
		because(why, "the descriptor at %#" PRIx64 " is %s", paddr,
			nmibt_read_name(status));
		return false;
	}
	if (!check_descriptor(&ret->desc, paddr, source, why))
		return false;
	ret->source = source;
	ret->desc_paddr = paddr;
	mend_descriptor(ret);
	because(why, "descriptor at %#" PRIx64, paddr);
	return true;
}

static bool try_vmcoreinfo(const struct nmibt_image *image, struct nmibt_capture *ret)
{
	char *why = ret->why[NMIBT_SOURCE_VMCOREINFO];

	if (!image->ops->vmcoreinfo) {
		because(why, "VMCOREINFO can't be read here");
		return false;
	}
	_cleanup_free_ char *value = image->ops->vmcoreinfo(image->ctx, NMI_CAPTURE_VMCOREINFO_KEY);
	if (!value) {
		because(why, "no %s line in VMCOREINFO", NMI_CAPTURE_VMCOREINFO_KEY);
		return false;
	}
	char *end;
	errno = 0;
	uint64_t paddr = strtoull(value, &end, 16);
	if (errno || end == value || *end != ',') {
		because(why, "VMCOREINFO has %s=%s, which is no address and size",
			NMI_CAPTURE_VMCOREINFO_KEY, value);
		return false;
	}
	return read_descriptor(image, paddr, ret, NMIBT_SOURCE_VMCOREINFO);
}

static bool try_symbol(const struct nmibt_image *image, struct nmibt_capture *ret)
{
	char *why = ret->why[NMIBT_SOURCE_SYMBOL];
	uint64_t vaddr, paddr;

	if (!image->ops->symbol_addr || !image->ops->virt_to_phys)
		because(why, "no symbols here");
	else if (!image->ops->symbol_addr(image->ctx, NMI_CAPTURE_DESC_SYMBOL, &vaddr))
		because(why, "no symbol %s", NMI_CAPTURE_DESC_SYMBOL);
	else if (!image->ops->virt_to_phys(image->ctx, vaddr, &paddr))
		because(why, "%s at %#" PRIx64 " has no physical address", NMI_CAPTURE_DESC_SYMBOL,
			vaddr);
	else
		return read_descriptor(image, paddr, ret, NMIBT_SOURCE_SYMBOL);
	return false;
}

/* Called for each place that holds a magic; true ends the scan. */
typedef bool (*scan_hit)(const struct nmibt_image *image, uint64_t paddr,
			 struct nmibt_capture *ret);

static bool scan_page(const struct nmibt_image *image, uint64_t paddr, const char *buf, size_t len,
		      const char *magic, scan_hit hit, struct nmibt_capture *ret)
{
	for (size_t i = 0; i + NMI_CAPTURE_MAGIC_LEN <= len; i += 8) {
		if (!memcmp(buf + i, magic, NMI_CAPTURE_MAGIC_LEN) && hit(image, paddr + i, ret))
			return true;
	}
	return false;
}

enum scan_end { SCAN_NOTHING, SCAN_FOUND, SCAN_INTERRUPTED };

/*
 * Looks for an 8-byte magic, aligned to 8, in all memory that the image holds.
 * *pages counts what was looked at.
 */
static enum scan_end scan_memory(const struct nmibt_image *image, const char *magic, scan_hit hit,
				 struct nmibt_capture *ret, uint64_t *pages)
{
	struct nmibt_range range;
	_cleanup_free_ char *buf = malloc(image->page_size);

	for (uint64_t from = 0; buf && image->ops->next_range(image->ctx, from, &range);) {
		uint64_t end = range.start + range.size;
		for (uint64_t at = (range.start + 7) & ~7ull; at - range.start < range.size;) {
			size_t len = image->page_size - (at & (image->page_size - 1));
			if (len > end - at)
				len = end - at;
			if (nmibt_interrupted(image))
				return SCAN_INTERRUPTED;
			++*pages;
			if (image->ops->read_phys(image->ctx, at, buf, len) == NMIBT_READ_OK &&
			    scan_page(image, at, buf, len, magic, hit, ret))
				return SCAN_FOUND;
			at += len;
		}
		if (end <= range.start)
			break;
		from = end;
	}
	return SCAN_NOTHING;
}

static bool descriptor_hit(const struct nmibt_image *image, uint64_t paddr,
			   struct nmibt_capture *ret)
{
	return read_descriptor(image, paddr, ret, NMIBT_SOURCE_SCAN);
}

static bool try_scan(const struct nmibt_image *image, struct nmibt_capture *ret, bool *interrupted)
{
	char *why = ret->why[NMIBT_SOURCE_SCAN];
	uint64_t pages = 0;

	if (!image->ops->next_range || !image->ops->read_phys) {
		because(why, "memory can't be scanned here");
		return false;
	}
	switch (scan_memory(image, NMI_CAPTURE_DESC_MAGIC, descriptor_hit, ret, &pages)) {
	case SCAN_FOUND:
		return true;
	case SCAN_INTERRUPTED:
		*interrupted = true;
		return false;
	case SCAN_NOTHING:
		break;
	}
	/* A rejected hit says more than a count of pages. */
	if (!*why)
		because(why, "no descriptor in %" PRIu64 " pages of memory", pages);
	return false;
}

/* Does this entry of the table lead to a slot of that CPU? */
static bool plausible_slot(const struct nmibt_image *image, uint64_t paddr, uint32_t cpu)
{
	struct nmi_capture_slot slot;

	return paddr && nmibt_read_phys(image, paddr, &slot, sizeof(slot)) == NMIBT_READ_OK &&
	       !memcmp(slot.magic, NMI_CAPTURE_SLOT_MAGIC, NMI_CAPTURE_MAGIC_LEN) &&
	       slot.cpu == cpu;
}

/*
 * An absurd number of slots is damage, yet the table may be whole: it is
 * walked as far as its entries lead to slots.
 */
static uint32_t count_slots(const struct nmibt_image *image, const struct nmi_capture_desc *desc)
{
	uint32_t last = 0;

	for (uint32_t cpu = 0; cpu < MAX_SLOTS; cpu++) {
		uint64_t paddr;
		if (nmibt_read_phys(image, desc->table_paddr + cpu * 8ull, &paddr, 8) !=
		    NMIBT_READ_OK)
			break;
		if (plausible_slot(image, paddr, cpu))
			last = cpu + 1;
		else if (cpu - last > 64)
			break;
	}
	return last;
}

static bool alloc_table(struct nmibt_capture *ret, uint32_t nr)
{
	ret->desc.nr_slots = nr;
	ret->slots = calloc(nr, sizeof(*ret->slots));
	ret->slot_known = calloc(nr, sizeof(*ret->slot_known));
	return ret->slots && ret->slot_known;
}

static bool slot_hit(const struct nmibt_image *image, uint64_t paddr, struct nmibt_capture *ret)
{
	struct nmi_capture_slot slot;

	if (nmibt_read_phys(image, paddr, &slot, sizeof(slot)) == NMIBT_READ_OK &&
	    slot.cpu < ret->desc.nr_slots && !ret->slots[slot.cpu]) {
		ret->slots[slot.cpu] = paddr;
		ret->slot_known[slot.cpu] = true;
	}
	return false;
}

/* The table is lost: the slots are looked for by their own magic. */
static struct nmibt_error *scan_for_slots(const struct nmibt_image *image,
					  struct nmibt_capture *ret)
{
	uint32_t nr = ret->desc.nr_slots;
	uint32_t last = 0;
	uint64_t pages = 0;

	if (!alloc_table(ret, nr && nr <= MAX_SLOTS ? nr : MAX_SLOTS))
		return nmibt_error_nomem();
	if (image->ops->next_range &&
	    scan_memory(image, NMI_CAPTURE_SLOT_MAGIC, slot_hit, ret, &pages) == SCAN_INTERRUPTED)
		return nmibt_error_create(NMIBT_ERR_INTERRUPTED,
					  "interrupted while scanning memory for slots");
	for (uint32_t i = 0; i < ret->desc.nr_slots; i++) {
		if (ret->slot_known[i])
			last = i + 1;
	}
	if (!last)
		return nmibt_error_create(
			NMIBT_ERR_DAMAGED,
			"the descriptor at %#" PRIx64 " has its table of %u slots at %#" PRIx64
			", which leads to none, nor did a scan of %" PRIu64 " pages",
			ret->desc_paddr, nr, ret->desc.table_paddr, pages);
	because(ret->damage, "the table of %u slots at %#" PRIx64 " is lost, a scan found slots",
		nr, ret->desc.table_paddr);
	if (!nr || nr > MAX_SLOTS)
		ret->desc.nr_slots = last;
	return NULL;
}

/* All of it is readable, and so is where it leads, yet there are no slots. */
static bool is_no_table(const struct nmibt_image *image, const struct nmibt_capture *capture)
{
	for (uint32_t i = 0; i < capture->desc.nr_slots; i++) {
		char magic[NMI_CAPTURE_MAGIC_LEN];

		if (!capture->slot_known[i])
			return false;
		if (capture->slots[i] && (nmibt_read_phys(image, capture->slots[i], magic,
							  sizeof(magic)) != NMIBT_READ_OK ||
					  !memcmp(magic, NMI_CAPTURE_SLOT_MAGIC, sizeof(magic))))
			return false;
	}
	return true;
}

static struct nmibt_error *read_table(const struct nmibt_image *image, struct nmibt_capture *ret)
{
	struct nmi_capture_desc *desc = &ret->desc;
	uint32_t nr = desc->nr_slots;
	uint64_t end;

	if (!desc->table_paddr || desc->table_paddr % 8 ||
	    __builtin_add_overflow(desc->table_paddr, MAX_SLOTS * 8, &end))
		return scan_for_slots(image, ret);
	if (!nr || nr > MAX_SLOTS) {
		nr = count_slots(image, desc);
		if (!nr)
			return scan_for_slots(image, ret);
		because(ret->damage, "the descriptor has %u slots, its table leads to %u",
			desc->nr_slots, nr);
	}

	if (!alloc_table(ret, nr))
		return nmibt_error_nomem();
	for (uint32_t i = 0; i < nr; i++) {
		ret->slot_known[i] = nmibt_read_phys(image, desc->table_paddr + i * 8ull,
						     &ret->slots[i], 8) == NMIBT_READ_OK;
		ret->slots_unread += !ret->slot_known[i];
	}
	if (is_no_table(image, ret)) {
		nmibt_capture_destroy(ret);
		return scan_for_slots(image, ret);
	}
	return NULL;
}

static bool try_source(const struct nmibt_image *image, enum nmibt_source source,
		       struct nmibt_capture *ret, bool *interrupted)
{
	switch (source) {
	case NMIBT_SOURCE_VMCOREINFO:
		return try_vmcoreinfo(image, ret);
	case NMIBT_SOURCE_SYMBOL:
		return try_symbol(image, ret);
	case NMIBT_SOURCE_SCAN:
		return try_scan(image, ret, interrupted);
	default:
		return false;
	}
}

/* A kernel without the capture has neither the line nor the symbol; a scan of
 * all of its memory for what can't be there is left to who asks for it. */
static bool scan_is_worth_it(const struct nmibt_image *image)
{
	if (!image->ops->vmcoreinfo)
		return true;
	_cleanup_free_ char *release = image->ops->vmcoreinfo(image->ctx, "OSRELEASE");
	return !release;
}

static struct nmibt_error *not_found(const struct nmibt_capture *capture, enum nmibt_source wish)
{
	char text[NMIBT_NR_SOURCES * (NMIBT_WHY_LEN + 2)] = "";
	bool damaged = false;

	for (enum nmibt_source s = NMIBT_SOURCE_VMCOREINFO; s < NMIBT_NR_SOURCES; s++) {
		const char *why = capture->why[s];
		if (!*why || (wish != NMIBT_SOURCE_AUTO && wish != s))
			continue;
		if (*text)
			strcat(text, "; ");
		strcat(text, why);
		damaged |= strstr(why, "descriptor at") != NULL;
	}
	if (damaged)
		return nmibt_error_create(NMIBT_ERR_DAMAGED, "no usable NMI backtrace capture: %s",
					  text);
	return nmibt_error_create(NMIBT_ERR_NOTHING, "no NMI backtrace capture in this dump: %s",
				  text);
}

struct nmibt_error *nmibt_locate(const struct nmibt_image *image, enum nmibt_source wish,
				 struct nmibt_capture *ret)
{
	bool interrupted = false;

	*ret = (struct nmibt_capture){0};
	for (enum nmibt_source s = NMIBT_SOURCE_VMCOREINFO; s < NMIBT_NR_SOURCES; s++) {
		if (wish != NMIBT_SOURCE_AUTO && wish != s)
			continue;
		if (wish == NMIBT_SOURCE_AUTO && s == NMIBT_SOURCE_SCAN && !scan_is_worth_it(image))
			continue;
		if (try_source(image, s, ret, &interrupted)) {
			struct nmibt_error *err = read_table(image, ret);
			if (err)
				nmibt_capture_destroy(ret);
			return err;
		}
		if (interrupted)
			return nmibt_error_create(NMIBT_ERR_INTERRUPTED,
						  "interrupted while scanning memory for the "
						  "capture");
	}
	return not_found(ret, wish);
}

void nmibt_capture_destroy(struct nmibt_capture *capture)
{
	free(capture->slots);
	free(capture->slot_known);
	capture->slots = NULL;
	capture->slot_known = NULL;
}
