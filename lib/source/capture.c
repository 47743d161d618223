// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finds the capture descriptor: by the physical address in VMCOREINFO, by its symbol, or by a scan
 * of memory for its magic. docs/format.md, "Reading", has the rules by which it is checked, and by
 * which a damaged one is used.
 */
#include <errno.h>
#include <inttypes.h>

#include "source/source.h"

#define MAX_SLOTS NMIBT_MAX_CPUS

static const char *const source_names[NMIBT_NR_SOURCES] = {
	[NMIBT_SOURCE_AUTO] = "auto",
	[NMIBT_SOURCE_VMCOREINFO] = "vmcoreinfo",
	[NMIBT_SOURCE_SYMBOL] = "symbol",
	[NMIBT_SOURCE_SCAN] = "scan",
	[NMIBT_SOURCE_NMI_BUFFERS] = "nmi-buffers",
	[NMIBT_SOURCE_LOG] = "log",
	[NMIBT_SOURCE_REGISTERS] = "registers",
	[NMIBT_SOURCE_VCPU] = "vcpu",
};

const char *nmibt_source_name(enum nmibt_source source)
{
	return source < NMIBT_NR_SOURCES ? source_names[source] : "unknown";
}

bool nmibt_source_parse(const char *name, enum nmibt_source *ret)
{
	for (unsigned int i = 0; i < NMIBT_NR_SOURCES; i++) {
		if (source_names[i] && !strcmp(name, source_names[i])) {
			*ret = i;
			return true;
		}
	}
	return false;
}

/* True: the descriptor is of an older version, whose layout is another one. Both fields say so. */
static bool is_of_older_version(const struct nmi_capture_desc *d)
{
	return d->version < NMI_CAPTURE_VERSION && d->desc_size < sizeof(*d);
}

/* True: the descriptor has the other byte order. The magic is bytes, which are the same in both.
 * Two fields that make sense when swapped are no accident; a single one could be damaged. */
static bool other_byte_order(const struct nmi_capture_desc *d)
{
	return __builtin_bswap32(d->version) == NMI_CAPTURE_VERSION &&
	       __builtin_bswap32(d->desc_size) == sizeof(*d);
}

/*
 * Checks what every reader needs: the magic, and that the descriptor is no copy. Where VMCOREINFO
 * or a symbol gave the address, the address itself proves that, and then the descriptor's own
 * address may replace a damaged magic.
 */
static bool check_descriptor(const struct nmi_capture_desc *d, uint64_t paddr,
			     enum nmibt_source source, struct nmibt_capture *ret)
{
	char *why = ret->why[source];

	if (memcmp(d->magic, NMI_CAPTURE_DESC_MAGIC, NMI_CAPTURE_MAGIC_LEN) &&
	    (source == NMIBT_SOURCE_SCAN || d->desc_paddr != paddr)) {
		nmibt_add_reason(why, "no descriptor at %#" PRIx64 ": its magic is missing", paddr);
		ret->unusable[source] = true;
		return false;
	}
	if (other_byte_order(d)) {
		nmibt_add_reason(why, "the descriptor at %#" PRIx64 " is in the other byte order",
				 paddr);
		ret->unusable[source] = true;
		return false;
	}
	if (is_of_older_version(d)) {
		nmibt_add_reason(why,
				 "the descriptor at %#" PRIx64 " has version %u, which is too old",
				 paddr, d->version);
		ret->unusable[source] = true;
		return false;
	}
	/* The descriptor in a kernel's image looks like this before it is set up, and stays so with
	 * nmi_backtrace.capture=0. */
	if ((!d->desc_paddr || d->desc_paddr == paddr) && d->version == NMI_CAPTURE_VERSION &&
	    !d->table_paddr && !d->slot_size && !d->nr_slots) {
		nmibt_add_reason(why, "the descriptor at %#" PRIx64 " was never set up", paddr);
		return false;
	}
	if (source == NMIBT_SOURCE_SCAN && d->desc_paddr != paddr) {
		nmibt_add_reason(why,
				 "a copy of a descriptor at %#" PRIx64 ", it belongs at %#" PRIx64,
				 paddr, d->desc_paddr);
		ret->unusable[source] = true;
		return false;
	}
	return true;
}

#define DESC_FLAGS                                                                                 \
	(NMI_CAPTURE_F_DRAINED | NMI_CAPTURE_F_REENTERED | NMI_CAPTURE_F_CRASH_KEXEC |             \
	 NMI_CAPTURE_F_REGS_ONLY | NMI_CAPTURE_F_NOT_WAITED)

/* A time that can't be is 0: not known. */
static void mend_time(struct nmibt_capture *ret, const char *what, uint64_t *ns)
{
	if (*ns <= INT64_MAX)
		return;
	nmibt_add_reason(ret->damage, "the descriptor's %s is %#" PRIx64, what, *ns);
	*ns = 0;
}

static void mend_times(struct nmibt_capture *ret)
{
	struct nmi_capture_desc *d = &ret->desc;

	mend_time(ret, "time of the request", &d->asked_ns);
	mend_time(ret, "time when the wait ended", &d->finished_ns);
	mend_time(ret, "local time", &d->asked_local_ns);
	mend_time(ret, "real time", &d->asked_real_ns);
}

/*
 * What the requester says of the panic. The message ends at its first NUL, whatever message_len
 * says.
 */
static void mend_request(struct nmibt_capture *ret)
{
	struct nmi_capture_desc *d = &ret->desc;
	const char *message = (const char *)d->message;
	size_t len = strnlen(message, sizeof(d->message));

	if (len == sizeof(d->message)) {
		nmibt_add_reason(ret->damage, "the descriptor's message has no end");
		d->message[--len] = '\0';
	} else if (d->message_len < sizeof(d->message) ? len != d->message_len
						       : len != sizeof(d->message) - 1) {
		nmibt_add_reason(ret->damage,
				 "the descriptor's message has %zu bytes, %u are expected", len,
				 d->message_len);
	}
	for (size_t i = len; i < sizeof(d->message); i++) {
		if (!d->message[i])
			continue;
		nmibt_add_reason(ret->damage, "there are bytes behind the descriptor's message");
		break;
	}
	ret->is_message_cut = len == sizeof(d->message) - 1 && d->message_len >= sizeof(d->message);
}

/*
 * Replaces wrong fields that a reader can do without by the values of version 2, and reports the
 * damage.
 */
static void mend_descriptor(struct nmibt_capture *ret)
{
	struct nmi_capture_desc *d = &ret->desc;

	if (memcmp(d->magic, NMI_CAPTURE_DESC_MAGIC, NMI_CAPTURE_MAGIC_LEN))
		nmibt_add_reason(ret->damage, "the descriptor's magic is damaged");
	if (d->desc_paddr != ret->desc_paddr)
		nmibt_add_reason(ret->damage, "the descriptor says that it is at %#" PRIx64,
				 d->desc_paddr);
	if (d->version != NMI_CAPTURE_VERSION)
		nmibt_add_reason(ret->damage, "the descriptor has version %u, known is %u",
				 d->version, NMI_CAPTURE_VERSION);
	if (d->desc_size < sizeof(*d))
		nmibt_add_reason(ret->damage, "the descriptor has %u bytes, at least %zu expected",
				 d->desc_size, sizeof(*d));
	if (d->version == NMI_CAPTURE_VERSION && d->flags & ~DESC_FLAGS)
		nmibt_add_reason(ret->damage, "the descriptor's flags are %#x", d->flags);
	if (d->state > NMI_CAPTURE_TIMEOUT)
		nmibt_add_reason(ret->damage, "the descriptor's state is %u", d->state);
	if (d->flags & NMI_CAPTURE_F_NOT_WAITED && d->state == NMI_CAPTURE_COMPLETE)
		nmibt_add_reason(ret->damage, "by the descriptor the wait is complete, and was "
					      "given up");
	if (d->slot_hdr_size < sizeof(struct nmi_capture_slot) ||
	    d->slot_hdr_size > MAX_SLOT_SIZE || d->slot_hdr_size > d->slot_size) {
		nmibt_add_reason(ret->damage,
				 "the descriptor has slots of %u bytes with headers of %u",
				 d->slot_size, d->slot_hdr_size);
		d->slot_hdr_size = sizeof(struct nmi_capture_slot);
	}
	if (d->slot_size < d->slot_hdr_size || d->slot_size > MAX_SLOT_SIZE) {
		nmibt_add_reason(ret->damage, "the descriptor has slots of %u bytes", d->slot_size);
		d->slot_size = MAX_SLOT_SIZE;
	}
	mend_times(ret);
	mend_request(ret);
}

static bool read_descriptor(const struct nmibt_image *image, uint64_t paddr,
			    struct nmibt_capture *ret, enum nmibt_source source)
{
	char *why = ret->why[source];
	enum nmibt_read status = nmibt_read_phys(image, paddr, &ret->desc, sizeof(ret->desc));

	if (status != NMIBT_READ_OK) {
		nmibt_add_reason(why, "the descriptor at %#" PRIx64 " is %s", paddr,
				 nmibt_read_name(status));
		ret->unusable[source] = true;
		return false;
	}
	if (!check_descriptor(&ret->desc, paddr, source, ret))
		return false;
	ret->source = source;
	ret->desc_paddr = paddr;
	mend_descriptor(ret);
	nmibt_add_reason(why, "descriptor at %#" PRIx64, paddr);
	return true;
}

static bool try_vmcoreinfo(const struct nmibt_kernel *kernel, struct nmibt_capture *ret)
{
	const struct nmibt_image *image = kernel->image;
	const struct nmibt_vmcoreinfo *v = &kernel->vmcoreinfo;
	char *why = ret->why[NMIBT_SOURCE_VMCOREINFO];

	if (!image->ops->vmcoreinfo && !image->ops->vmcoreinfo_text) {
		nmibt_add_reason(why, "VMCOREINFO can't be read here");
		return false;
	}
	if (v->is_capture_disputed) {
		nmibt_add_reason(why, "VMCOREINFO has %s with different values",
				 NMI_CAPTURE_VMCOREINFO_KEY);
		ret->unusable[NMIBT_SOURCE_VMCOREINFO] = true;
		return false;
	}
	if (!v->capture) {
		nmibt_add_reason(why,
				 v->osrelease ? "no %s line in VMCOREINFO"
					      : "no VMCOREINFO to look for %s in",
				 NMI_CAPTURE_VMCOREINFO_KEY);
		return false;
	}
	if (!v->capture_paddr.known) {
		nmibt_add_reason(why, "VMCOREINFO has %s=%s, which is %s",
				 NMI_CAPTURE_VMCOREINFO_KEY, v->capture,
				 v->is_capture_cut ? "cut" : "no address");
		ret->unusable[NMIBT_SOURCE_VMCOREINFO] = true;
		return false;
	}
	return read_descriptor(image, v->capture_paddr.value, ret, NMIBT_SOURCE_VMCOREINFO);
}

static bool try_symbol(const struct nmibt_image *image, struct nmibt_capture *ret)
{
	char *why = ret->why[NMIBT_SOURCE_SYMBOL];
	uint64_t vaddr, paddr;

	if (!image->ops->symbol_addr || !image->ops->virt_to_phys)
		nmibt_add_reason(why, "no symbols here");
	else if (!image->ops->symbol_addr(image->ctx, NMI_CAPTURE_DESC_SYMBOL, &vaddr))
		nmibt_add_reason(why, "no symbol %s", NMI_CAPTURE_DESC_SYMBOL);
	else if (!image->ops->virt_to_phys(image->ctx, vaddr, &paddr))
		nmibt_add_reason(why, "%s at %#" PRIx64 " has no physical address",
				 NMI_CAPTURE_DESC_SYMBOL, vaddr);
	else
		return read_descriptor(image, paddr, ret, NMIBT_SOURCE_SYMBOL);
	return false;
}

/* Called for each place that holds a magic. True: the scan ends. */
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
 * Searches all memory that the image holds for an 8-byte magic, aligned to 8 bytes. *pages counts
 * the pages that were searched.
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
		nmibt_add_reason(why, "memory can't be scanned here");
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
	/* The reason why a hit was rejected says more than a count of pages. */
	if (!*why && !pages)
		nmibt_add_reason(why, "no memory is known to scan");
	else if (!*why)
		nmibt_add_reason(why, "no descriptor in %" PRIu64 " pages of memory", pages);
	return false;
}

enum entry { ENTRY_UNREAD, ENTRY_OTHER, ENTRY_SLOT };

/* Whether the CPU's entry in the table is the address of its slot. */
static enum entry probe_entry(const struct nmibt_image *image, const struct nmi_capture_desc *desc,
			      uint32_t cpu)
{
	struct nmi_capture_slot slot;
	uint64_t paddr;

	if (nmibt_read_phys(image, desc->table_paddr + cpu * 8ull, &paddr, 8) != NMIBT_READ_OK)
		return ENTRY_UNREAD;
	if (paddr && nmibt_read_phys(image, paddr, &slot, sizeof(slot)) == NMIBT_READ_OK &&
	    !memcmp(slot.magic, NMI_CAPTURE_SLOT_MAGIC, NMI_CAPTURE_MAGIC_LEN) && slot.cpu == cpu)
		return ENTRY_SLOT;
	return ENTRY_OTHER;
}

/*
 * The number of slots in the descriptor is damaged, but the table may be intact: counts the entries
 * that lead to slots.
 */
static uint32_t count_slots(const struct nmibt_image *image, const struct nmi_capture_desc *desc)
{
	uint32_t last = 0;

	for (uint32_t cpu = 0; cpu < MAX_SLOTS && cpu - last <= 64; cpu++) {
		enum entry entry = probe_entry(image, desc, cpu);
		if (entry == ENTRY_UNREAD)
			break;
		if (entry == ENTRY_SLOT)
			last = cpu + 1;
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

	if (nmibt_read_phys(image, paddr, &slot, sizeof(slot)) != NMIBT_READ_OK ||
	    slot.cpu >= ret->desc.nr_slots)
		return false;
	if (ret->slot_known[slot.cpu]) {
		if (ret->slots[slot.cpu] != paddr)
			nmibt_add_reason(ret->damage,
					 "CPU %u has slots at %#" PRIx64 " and %#" PRIx64, slot.cpu,
					 ret->slots[slot.cpu], paddr);
		return false;
	}
	ret->slots[slot.cpu] = paddr;
	ret->slot_known[slot.cpu] = true;
	return false;
}

/* The table is lost, so the slots are searched for by their own magic. */
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
	nmibt_add_reason(ret->damage,
			 "the table of %u slots at %#" PRIx64 " is lost, a scan found slots", nr,
			 ret->desc.table_paddr);
	if (!nr || nr > MAX_SLOTS)
		ret->desc.nr_slots = last;
	return NULL;
}

/* True: an entry of the table leads to a slot, or to one that the dump left out. */
static bool leads_to_slots(const struct nmibt_image *image, const struct nmibt_capture *capture)
{
	for (uint32_t i = 0; i < capture->desc.nr_slots; i++) {
		char magic[NMI_CAPTURE_MAGIC_LEN];

		if (!capture->slots[i] || capture->slots[i] == NMI_CAPTURE_NO_MEMORY)
			continue;
		enum nmibt_read status =
			nmibt_read_phys(image, capture->slots[i], magic, sizeof(magic));
		if (status == NMIBT_READ_EXCLUDED ||
		    (status == NMIBT_READ_OK &&
		     !memcmp(magic, NMI_CAPTURE_SLOT_MAGIC, sizeof(magic))))
			return true;
	}
	return false;
}

static struct nmibt_error *read_entries(const struct nmibt_image *image, struct nmibt_capture *ret,
					uint32_t nr)
{
	if (!alloc_table(ret, nr))
		return nmibt_error_nomem();
	for (uint32_t i = 0; i < nr; i++) {
		ret->slot_known[i] = nmibt_read_phys(image, ret->desc.table_paddr + i * 8ull,
						     &ret->slots[i], 8) == NMIBT_READ_OK;
		ret->slots_unread += !ret->slot_known[i];
	}
	return NULL;
}

/* No entry of the table leads to a slot. Scans for the slots; if there are none, the table at least
 * tells which CPUs there are. */
static struct nmibt_error *replace_table(const struct nmibt_image *image, struct nmibt_capture *ret)
{
	struct nmibt_capture entries = *ret;
	bool names_cpus = entries.slots_unread;

	for (uint32_t i = 0; i < entries.desc.nr_slots; i++)
		names_cpus |= entries.slots[i] != 0;
	ret->slots_unread = 0;
	struct nmibt_error *err = scan_for_slots(image, ret);
	if (!err || err->code != NMIBT_ERR_DAMAGED || !names_cpus) {
		nmibt_capture_destroy(&entries);
		return err;
	}
	nmibt_error_destroy(err);
	nmibt_capture_destroy(ret);
	*ret = entries;
	return NULL;
}

/* Scans for the slots whose entries can't be read: the slots themselves may be in the dump. */
static struct nmibt_error *find_unread(const struct nmibt_image *image, struct nmibt_capture *ret)
{
	uint64_t pages = 0;

	if (!ret->slots_unread || !image->ops->next_range)
		return NULL;
	if (scan_memory(image, NMI_CAPTURE_SLOT_MAGIC, slot_hit, ret, &pages) == SCAN_INTERRUPTED)
		return nmibt_error_create(NMIBT_ERR_INTERRUPTED,
					  "interrupted while scanning memory for slots");
	return NULL;
}

static struct nmibt_error *read_table(const struct nmibt_image *image, struct nmibt_capture *ret)
{
	struct nmi_capture_desc *desc = &ret->desc;
	uint32_t nr = desc->nr_slots;
	uint64_t end;

	if (!desc->table_paddr || __builtin_add_overflow(desc->table_paddr, MAX_SLOTS * 8, &end))
		return scan_for_slots(image, ret);
	if (!nr || nr > MAX_SLOTS || probe_entry(image, desc, nr) == ENTRY_SLOT) {
		nr = count_slots(image, desc);
		if (!nr)
			return scan_for_slots(image, ret);
		nmibt_add_reason(ret->damage, "the descriptor has %u slots, its table leads to %u",
				 desc->nr_slots, nr);
	}
	struct nmibt_error *err = read_entries(image, ret, nr);
	if (err)
		return err;
	return leads_to_slots(image, ret) ? find_unread(image, ret) : replace_table(image, ret);
}

/* False: the kernel has no such CPU. */
static bool is_possible(const struct nmibt_capture *capture, uint32_t cpu)
{
	return cpu < capture->desc.nr_slots && (capture->slots[cpu] || !capture->slot_known[cpu]);
}

static void mend_cpu(struct nmibt_capture *ret, const char *what, uint32_t *cpu)
{
	if (*cpu == NMI_CAPTURE_NO_CPU || is_possible(ret, *cpu))
		return;
	if (*cpu < ret->desc.nr_slots)
		nmibt_add_reason(ret->damage, "the descriptor has CPU %u %s, which is not possible",
				 *cpu, what);
	else
		nmibt_add_reason(ret->damage, "the descriptor has CPU %u %s, of %u", *cpu, what,
				 ret->desc.nr_slots);
	*cpu = NMI_CAPTURE_NO_CPU;
}

static bool try_source(const struct nmibt_kernel *kernel, enum nmibt_source source,
		       struct nmibt_capture *ret, bool *interrupted)
{
	switch (source) {
	case NMIBT_SOURCE_VMCOREINFO:
		return try_vmcoreinfo(kernel, ret);
	case NMIBT_SOURCE_SYMBOL:
		return try_symbol(kernel->image, ret);
	case NMIBT_SOURCE_SCAN:
		return try_scan(kernel->image, ret, interrupted);
	default:
		return false;
	}
}

/* A kernel without the capture has neither the line in VMCOREINFO nor the symbol. A scan of all its
 * memory would be in vain, so it is done only if the user asks for it. If there is a line that
 * leads nowhere, the kernel has the capture, and a scan is worth it. */
static bool scan_is_worth_it(const struct nmibt_vmcoreinfo *vmcoreinfo)
{
	return vmcoreinfo->capture || vmcoreinfo->is_capture_disputed || !vmcoreinfo->osrelease;
}

static struct nmibt_error *not_found(const struct nmibt_capture *capture, enum nmibt_source only)
{
	char text[NMIBT_NR_SOURCES * (NMIBT_WHY_LEN + 2)] = "";
	bool damaged = false;

	for (enum nmibt_source s = NMIBT_SOURCE_VMCOREINFO; s <= NMIBT_SOURCE_SCAN; s++) {
		const char *why = capture->why[s];
		if (!*why || (only != NMIBT_SOURCE_AUTO && only != s))
			continue;
		if (*text)
			strcat(text, "; ");
		strcat(text, why);
		damaged |= capture->unusable[s];
	}
	if (damaged)
		return nmibt_error_create(NMIBT_ERR_DAMAGED, "no usable NMI backtrace capture: %s",
					  text);
	return nmibt_error_create(NMIBT_ERR_NOTHING, "no NMI backtrace capture in this dump: %s",
				  text);
}

struct nmibt_error *nmibt_locate(struct nmibt_kernel *kernel, enum nmibt_source only,
				 struct nmibt_capture *ret)
{
	bool interrupted = false;

	*ret = (struct nmibt_capture){0};
	for (enum nmibt_source s = NMIBT_SOURCE_VMCOREINFO; s <= NMIBT_SOURCE_SCAN; s++) {
		if (only != NMIBT_SOURCE_AUTO && only != s)
			continue;
		if (only == NMIBT_SOURCE_AUTO && s == NMIBT_SOURCE_SCAN &&
		    !scan_is_worth_it(&kernel->vmcoreinfo))
			continue;
		if (try_source(kernel, s, ret, &interrupted)) {
			struct nmibt_error *err = read_table(kernel->image, ret);
			if (err) {
				nmibt_capture_destroy(ret);
				return err;
			}
			mend_cpu(ret, "panicking", &ret->desc.panic_cpu);
			mend_cpu(ret, "panicking first", &ret->desc.from_cpu);
			if (s != NMIBT_SOURCE_VMCOREINFO && ret->unusable[NMIBT_SOURCE_VMCOREINFO])
				nmibt_add_reason(ret->damage, "by vmcoreinfo: %s",
						 ret->why[NMIBT_SOURCE_VMCOREINFO]);
			return NULL;
		}
		if (interrupted)
			return nmibt_error_create(NMIBT_ERR_INTERRUPTED,
						  "interrupted while scanning memory for the "
						  "capture");
	}
	return not_found(ret, only);
}

/* Before 2000 the machine's clock was not set: without a battery it begins in 1970. */
#define MIN_TIME UINT64_C(946684800)

uint64_t nmibt_request_time(const struct nmi_capture_desc *desc)
{
	uint64_t seconds = desc->asked_real_ns / 1000000000;

	return seconds < MIN_TIME ? 0 : seconds;
}

void nmibt_capture_destroy(struct nmibt_capture *capture)
{
	free(capture->slots);
	free(capture->slot_known);
	capture->slots = NULL;
	capture->slot_known = NULL;
}
