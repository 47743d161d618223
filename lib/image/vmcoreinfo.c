// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VMCOREINFO: lines KEY=VALUE for readers of dumps. kdump puts them into a note of the dump. Where
 * QEMU dumped a machine without its vmcoreinfo device there is no note, but the kernel's memory
 * has the text: when the kernel boots, it fills vmcoreinfo_note, which has pages of its own
 * (kernel/vmcore_info.c: crash_save_vmcoreinfo_init(), 6.12; kernel/crash_core.c before).
 */
#include <ctype.h>
#include <stddef.h>

#include "image/image.h"

#define NOTE_NAME "VMCOREINFO"
#define FIRST_LINE "OSRELEASE="
/* The smallest and the largest pages of Linux. Those of the dump may differ from those of the
 * kernel: QEMU dumps arm64 guests in blocks of 64 KiB (target/arm/arch_dump.c, 10.0). */
#define MIN_PAGE 4096
#define MAX_PAGE 65536

/* ------------------------------------------------------------------- parsing */

struct nmibt_vmcoreinfo_line {
	const char *key, *value;
};

static int compare_lines(const void *a, const void *b)
{
	const struct nmibt_vmcoreinfo_line *x = a, *y = b;
	int keys = strcmp(x->key, y->key);

	return keys ? keys : (x->key > y->key) - (x->key < y->key);
}

static int compare_key(const void *key, const void *line)
{
	return strcmp(key, ((const struct nmibt_vmcoreinfo_line *)line)->key);
}

/* Returns any of several lines with the same key: they have the same value, or why says that they
 * have not. */
static const char *value_of(const struct nmibt_vmcoreinfo *info, const char *key)
{
	const struct nmibt_vmcoreinfo_line *line = NULL;

	if (info->nr_lines)
		line = bsearch(key, info->lines, info->nr_lines, sizeof(*line), compare_key);
	return line ? line->value : NULL;
}

/* Splits a line that ends at end into two strings. False: it is no KEY=VALUE line. A value may
 * contain any bytes. */
static bool split(char *line, char *end, struct nmibt_vmcoreinfo_line *ret)
{
	char *equals = memchr(line, '=', end - line);

	*end = '\0';
	if (!equals || equals == line)
		return false;
	for (const char *c = line; c < equals; c++) {
		if (!isprint((unsigned char)*c))
			return false;
	}
	*equals = '\0';
	*ret = (struct nmibt_vmcoreinfo_line){line, equals + 1};
	return true;
}

static struct nmibt_error *split_lines(struct nmibt_vmcoreinfo *info)
{
	size_t room = 1, nr_bad = 0;
	char *line = info->text;

	for (const char *c = line; *c; c++)
		room += *c == '\n';
	info->lines = calloc(room, sizeof(*info->lines));
	if (!info->lines)
		return nmibt_error_nomem();
	for (char *end; (end = strchr(line, '\n')); line = end + 1) {
		if (split(line, end, &info->lines[info->nr_lines]))
			info->nr_lines++;
		else
			nr_bad += end > line;
	}
	if (*line)
		nmibt_add_reason(info->why, "its last line is cut: %.40s", line);
	info->cut = line;
	if (nr_bad)
		nmibt_add_reason(info->why, "%zu line%s of it make%s no sense", nr_bad,
				 nmibt_plural(nr_bad), nr_bad == 1 ? "s" : "");
	return NULL;
}

/* Sorts the lines by key. A key with two different values is dropped. */
static void sort_lines(struct nmibt_vmcoreinfo *info)
{
	struct nmibt_vmcoreinfo_line *lines = info->lines;
	size_t nr = 0;

	qsort(lines, info->nr_lines, sizeof(*lines), compare_lines);
	for (size_t i = 0, end; i < info->nr_lines; i = end) {
		bool agree = true;

		for (end = i + 1; end < info->nr_lines && !strcmp(lines[end].key, lines[i].key);
		     end++)
			agree = agree && !strcmp(lines[end].value, lines[i].value);
		if (agree) {
			lines[nr++] = lines[i];
			continue;
		}
		nmibt_add_reason(info->why, "it has %s with different values", lines[i].key);
		if (!strcmp(lines[i].key, NMI_CAPTURE_VMCOREINFO_KEY))
			info->is_capture_disputed = true;
	}
	info->nr_lines = nr;
}

enum form {
	FORM_STRING,
	FORM_DECIMAL,
	FORM_HEX, /* with or without 0x */
	FORM_NUMBER, /* decimal, or 0x and hex */
};

/* Parses the whole text as a number. Blanks before it are not allowed; only decimal numbers may be
 * negative. */
static bool read_number(const char *text, enum form form, uint64_t *ret)
{
	struct nmibt_str rest = nmibt_str_of(text);
	bool is_hex = form == FORM_HEX || (form == FORM_NUMBER && nmibt_str_starts(rest, "0x"));
	bool negative = !is_hex && nmibt_skip(&rest, "-");
	uint64_t number, max = negative ? (uint64_t)INT64_MAX + 1 : UINT64_MAX;

	if (!(is_hex ? nmibt_take_any_hex(&rest, &number)
		     : nmibt_take_decimal(&rest, max, &number)) ||
	    rest.len)
		return false;
	*ret = negative ? -number : number;
	return true;
}

/* The keys that have a member in struct nmibt_vmcoreinfo. */
static const struct key {
	const char *name;
	enum form form : 16;
	uint16_t at; /* in struct nmibt_vmcoreinfo */
} keys[] = {
#define STRING(name, member)                                                                       \
	{                                                                                          \
		name, FORM_STRING, offsetof(struct nmibt_vmcoreinfo, member)                       \
	}
#define DECIMAL(name, member)                                                                      \
	{                                                                                          \
		name, FORM_DECIMAL, offsetof(struct nmibt_vmcoreinfo, member)                      \
	}
#define HEX(name, member)                                                                          \
	{                                                                                          \
		name, FORM_HEX, offsetof(struct nmibt_vmcoreinfo, member)                          \
	}
#define NUMBER(name, member)                                                                       \
	{                                                                                          \
		"NUMBER(" name ")", FORM_NUMBER, offsetof(struct nmibt_vmcoreinfo, member)         \
	}
	STRING("OSRELEASE", osrelease),
	STRING("BUILD-ID", build_id),
	STRING(NMI_CAPTURE_VMCOREINFO_KEY, capture),
	DECIMAL("PAGESIZE", page_size),
	DECIMAL("CRASHTIME", crashtime),
	HEX("KERNELOFFSET", kerneloffset),
	HEX("SYMBOL(swapper_pg_dir)", swapper_pg_dir),
	HEX("SYMBOL(_stext)", stext),
	HEX("SYMBOL(init_uts_ns)", init_uts_ns),
	NUMBER("phys_base", phys_base),
	NUMBER("KERNEL_IMAGE_SIZE", kernel_image_size),
	NUMBER("pgtable_l5_enabled", l5_enabled),
	NUMBER("sme_mask", sme_mask),
	NUMBER("kimage_voffset", kimage_voffset),
	NUMBER("VA_BITS", va_bits),
	NUMBER("TCR_EL1_T1SZ", t1sz),
	NUMBER("KERNELPACMASK", pac_mask),
	HEX("SYMBOL(kallsyms_num_syms)", kallsyms.num_syms),
	HEX("SYMBOL(kallsyms_names)", kallsyms.names),
	HEX("SYMBOL(kallsyms_token_table)", kallsyms.token_table),
	HEX("SYMBOL(kallsyms_token_index)", kallsyms.token_index),
	HEX("SYMBOL(kallsyms_offsets)", kallsyms.offsets),
	HEX("SYMBOL(kallsyms_relative_base)", kallsyms.relative_base),
	HEX("SYMBOL(prb)", printk.prb),
	DECIMAL("SIZE(atomic_long_t)", printk.atomic_long_size),
	DECIMAL("OFFSET(atomic_long_t.counter)", printk.atomic_long_counter),
	DECIMAL("OFFSET(printk_ringbuffer.desc_ring)", printk.ring_descs),
	DECIMAL("OFFSET(printk_ringbuffer.text_data_ring)", printk.ring_text),
	DECIMAL("OFFSET(prb_desc_ring.count_bits)", printk.desc_ring_count_bits),
	DECIMAL("OFFSET(prb_desc_ring.descs)", printk.desc_ring_descs),
	DECIMAL("OFFSET(prb_desc_ring.infos)", printk.desc_ring_infos),
	DECIMAL("OFFSET(prb_desc_ring.head_id)", printk.desc_ring_head_id),
	DECIMAL("OFFSET(prb_desc_ring.tail_id)", printk.desc_ring_tail_id),
	DECIMAL("OFFSET(prb_data_ring.size_bits)", printk.data_ring_size_bits),
	DECIMAL("OFFSET(prb_data_ring.data)", printk.data_ring_data),
	DECIMAL("SIZE(prb_desc)", printk.desc_size),
	DECIMAL("OFFSET(prb_desc.state_var)", printk.desc_state_var),
	DECIMAL("OFFSET(prb_desc.text_blk_lpos)", printk.desc_position),
	DECIMAL("OFFSET(prb_data_blk_lpos.begin)", printk.position_begin),
	DECIMAL("OFFSET(prb_data_blk_lpos.next)", printk.position_next),
	DECIMAL("SIZE(printk_info)", printk.info_size),
	DECIMAL("OFFSET(printk_info.seq)", printk.info_seq),
	DECIMAL("OFFSET(printk_info.ts_nsec)", printk.info_ts_nsec),
	DECIMAL("OFFSET(printk_info.text_len)", printk.info_text_len),
	DECIMAL("OFFSET(printk_info.caller_id)", printk.info_caller_id),
	HEX("SYMBOL(log_buf)", classic_log.buf),
	HEX("SYMBOL(log_buf_len)", classic_log.buf_len),
	HEX("SYMBOL(log_first_idx)", classic_log.first_idx),
	HEX("SYMBOL(log_next_idx)", classic_log.next_idx),
	DECIMAL("SIZE(log)", classic_log.log.size),
	DECIMAL("OFFSET(log.ts_nsec)", classic_log.log.ts_nsec),
	DECIMAL("OFFSET(log.len)", classic_log.log.len),
	DECIMAL("OFFSET(log.text_len)", classic_log.log.text_len),
	DECIMAL("OFFSET(log.dict_len)", classic_log.log.dict_len),
	DECIMAL("SIZE(printk_log)", classic_log.printk_log.size),
	DECIMAL("OFFSET(printk_log.ts_nsec)", classic_log.printk_log.ts_nsec),
	DECIMAL("OFFSET(printk_log.len)", classic_log.printk_log.len),
	DECIMAL("OFFSET(printk_log.text_len)", classic_log.printk_log.text_len),
	DECIMAL("OFFSET(printk_log.dict_len)", classic_log.printk_log.dict_len),
	DECIMAL("OFFSET(printk_log.caller_id)", classic_log.printk_log.caller_id),
#undef STRING
#undef DECIMAL
#undef HEX
#undef NUMBER
};
_Static_assert(sizeof(struct nmibt_vmcoreinfo) <= UINT16_MAX, "keys[].at has no room");

bool nmibt_vmcoreinfo_uses(const char *line)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		size_t len = strlen(keys[i].name);

		if (!strncmp(line, keys[i].name, len) && line[len] == '=')
			return true;
	}
	return false;
}

static void take_value(struct nmibt_vmcoreinfo *info, const struct key *key, const char *value)
{
	void *member = (char *)info + key->at;
	struct nmibt_number *number = member;

	if (key->form == FORM_STRING) {
		*(const char **)member = value;
		return;
	}
	number->known = read_number(value, key->form, &number->value);
	if (!number->known)
		nmibt_add_reason(info->why, "%s is no number: %.40s", key->name, value);
}

/* docs/format.md, "Where it starts". Even a line that was cut tells that there is a capture. */
static void take_capture(struct nmibt_vmcoreinfo *info)
{
	static const char start[] = NMI_CAPTURE_VMCOREINFO_KEY "=";
	struct nmibt_number *paddr = &info->capture_paddr;

	if (info->capture) {
		paddr->known = read_number(info->capture, FORM_NUMBER, &paddr->value);
		return;
	}
	info->is_capture_cut = !strncmp(info->cut, start, strlen(start));
	if (info->is_capture_cut)
		info->capture = info->cut + strlen(start);
}

/* Every kernel writes these lines: kernel/vmcore_info.c, crash_save_vmcoreinfo_init(), 6.12. */
static void check_required(struct nmibt_vmcoreinfo *info)
{
	static const char *const required[] = {"OSRELEASE", "PAGESIZE", "SYMBOL(swapper_pg_dir)",
					       "SYMBOL(_stext)"};

	for (size_t i = 0; i < ARRAY_SIZE(required); i++) {
		if (!value_of(info, required[i]))
			nmibt_add_reason(info->why, "it has no %s", required[i]);
	}
}

struct nmibt_error *nmibt_vmcoreinfo_parse(char *text, struct nmibt_vmcoreinfo *ret)
{
	struct nmibt_vmcoreinfo info = {.present = text, .text = text};
	struct nmibt_error *err = text ? split_lines(&info) : NULL;

	if (err) {
		nmibt_vmcoreinfo_destroy(&info);
		return err;
	}
	if (text) {
		sort_lines(&info);
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
			const char *value = value_of(&info, keys[i].name);

			if (value)
				take_value(&info, &keys[i], value);
		}
		take_capture(&info);
		check_required(&info);
	}
	*ret = info;
	return NULL;
}

/* Makes the text of the lines in keys, for an image that returns only single values. */
static struct nmibt_error *ask_for_lines(const struct nmibt_image *image, char **ret)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return nmibt_error_nomem();
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		_cleanup_free_ char *value = image->ops->vmcoreinfo(image->ctx, keys[i].name);

		if (value)
			fprintf(out, "%s=%s\n", keys[i].name, value);
	}
	bool is_empty = !ftell(out);
	if (fclose(out)) {
		free(text);
		return nmibt_error_nomem();
	}
	if (is_empty) {
		free(text);
		text = NULL;
	}
	*ret = text;
	return NULL;
}

struct nmibt_error *nmibt_vmcoreinfo_read(const struct nmibt_image *image,
					  struct nmibt_vmcoreinfo *ret)
{
	struct nmibt_error *err = NULL;
	char *text = NULL;

	if (image->ops->vmcoreinfo_text)
		text = image->ops->vmcoreinfo_text(image->ctx);
	else if (image->ops->vmcoreinfo)
		err = ask_for_lines(image, &text);
	return err ? err : nmibt_vmcoreinfo_parse(text, ret);
}

void nmibt_vmcoreinfo_destroy(struct nmibt_vmcoreinfo *info)
{
	free(info->text);
	free(info->lines);
	*info = (struct nmibt_vmcoreinfo){0};
}

/* ------------------------------------------------------------- out of memory */

static bool is_text(const char *s, size_t len)
{
	if (len < strlen(FIRST_LINE) || memcmp(s, FIRST_LINE, strlen(FIRST_LINE)))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!isprint((unsigned char)s[i]) && s[i] != '\n')
			return false;
	}
	return true;
}

char *nmibt_vmcoreinfo_at(const struct nmibt_image *image, uint64_t paddr)
{
	char head[NMIBT_NOTE_HEAD(NOTE_NAME)];
	struct nmibt_elf_note note;

	if (nmibt_read_phys(image, paddr, head, sizeof(head)) != NMIBT_READ_OK ||
	    !nmibt_next_note(head, sizeof(head), 0, &note) || note.type ||
	    !nmibt_note_is(&note, NOTE_NAME) || note.size > MAX_PAGE)
		return NULL;

	char *text = calloc(1, note.size + 1ul);
	if (text &&
	    nmibt_read_phys(image, paddr + sizeof(head), text, note.size) == NMIBT_READ_OK &&
	    is_text(text, strnlen(text, note.size)))
		return text;
	free(text);
	return NULL;
}

/* True: one text is the beginning of the other. A kernel that went to kdump appends CRASHTIME, so
 * that two copies of its note may differ in length. */
static bool is_same(const char *a, const char *b)
{
	size_t len = strlen(a) < strlen(b) ? strlen(a) : strlen(b);

	return !memcmp(a, b, len);
}

struct nmibt_error *nmibt_vmcoreinfo_find(const struct nmibt_image *image, char **ret)
{
	_cleanup_free_ char *found = NULL;
	struct nmibt_range range;

	if (!image->ops->next_range || !image->page_size)
		return nmibt_error_create(NMIBT_ERR_NOTHING, "memory can't be scanned here");
	for (uint64_t from = 0; image->ops->next_range(image->ctx, from, &range);) {
		uint64_t end = range.start + range.size, mask = MIN_PAGE - 1;

		for (uint64_t at = (range.start + mask) & ~mask; at >= range.start && at < end;
		     at += MIN_PAGE) {
			if (nmibt_interrupted(image))
				return nmibt_error_create(NMIBT_ERR_INTERRUPTED, "interrupted");
			char *text = nmibt_vmcoreinfo_at(image, at);
			if (found && text && !is_same(found, text)) {
				free(text);
				return nmibt_error_create(
					NMIBT_ERR_DAMAGED,
					"memory has VMCOREINFO of more than one kernel");
			}
			if (found) {
				free(text);
				continue;
			}
			found = text;
		}
		if (end <= range.start)
			break;
		from = end;
	}
	if (!found)
		return nmibt_error_create(NMIBT_ERR_NOTHING, "no VMCOREINFO in memory");
	*ret = found;
	found = NULL;
	return NULL;
}
