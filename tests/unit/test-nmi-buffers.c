// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The per-CPU buffers of 3.19 to 5.14 in their three layouts: text that is published, torn, or left
 * over, and contents that no kernel writes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake-percpu.h"

#define CPU 2

struct fixture {
	struct fake_percpu *p;
	const struct nmibt_nmi_buffers *buffers;
	enum fp_kind kind;
	struct nmibt_nmi_buffer_area area;
};

static void open_all(struct fixture *f)
{
	fp_reopen(f->p);
	const struct nmibt_error *err = nmibt_kernel_failure(f->p->kernel, NMIBT_PART_NMI_BUFFERS);

	if (err)
		fail_msg("%s", err->message);
	f->buffers = nmibt_kernel_nmi_buffers(f->p->kernel);
}

static int make(void **state, enum fp_kind kind)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	f->kind = kind;
	f->p = fp_new(kind == FP_NO_CLAMP);
	fp_add_nmi_buffers(f->p, kind);
	open_all(f);
	*state = f;
	return 0;
}

static int seq_buf(void **state)
{
	return make(state, FP_SEQ_BUF);
}

static int no_clamp(void **state)
{
	return make(state, FP_NO_CLAMP);
}

static int printk_safe(void **state)
{
	return make(state, FP_PRINTK_SAFE);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	nmibt_nmi_buffer_area_destroy(&f->area);
	fp_free(f->p);
	free(f);
	return 0;
}

/* ---------------------------------------------------------------------- helpers */

static void flush(struct fixture *f)
{
	fp_flush(f->p, f->kind, CPU, FP_NMI);
}

static void print(struct fixture *f, const char *text)
{
	fp_print(f->p, f->kind, CPU, FP_NMI, text);
}

static void set_len(struct fixture *f, uint64_t len)
{
	fp_set_len(f->p, f->kind, CPU, FP_NMI, len);
}

/* Writes the first bytes of a message that is not finished. */
static void begin(struct fixture *f, const char *text)
{
	const struct fp_buffer *b = &fp_buffers[f->kind];

	fp_put(f->p, CPU, FP_NMI + b->text + fp_len(f->p, f->kind, CPU, FP_NMI), text,
	       strlen(text));
}

static const struct nmibt_nmi_buffer_area *read_area(struct fixture *f)
{
	nmibt_nmi_buffer_area_destroy(&f->area);
	struct nmibt_error *err =
		nmibt_nmi_buffer_read(f->p->kernel, CPU, NMIBT_BUFFER_NMI, &f->area);

	if (err)
		fail_msg("%s", err->message);
	assert_true(f->area.published <= f->area.text && f->area.text <= f->area.raw_len);
	return &f->area;
}

static void check_bytes(const char *what, const char *raw, size_t len, const char *expected)
{
	if (len != strlen(expected) || memcmp(raw, expected, len))
		fail_msg("%s is \"%.*s\", not \"%s\"", what, (int)len, raw, expected);
}

static void check(struct fixture *f, const char *published, const char *torn)
{
	const struct nmibt_nmi_buffer_area *area = read_area(f);

	check_bytes("published", area->raw, area->published, published);
	check_bytes("torn", area->raw + area->published, area->text - area->published, torn);
}

/* Checks the pieces of residue in the area that was read last; the last one is NULL. */
static void check_residue(struct fixture *f, const char *first, const char *second)
{
	size_t at = f->area.text, len = 0;

	for (const char *piece = first; piece; piece = piece == first ? second : NULL) {
		if (!nmibt_nmi_buffer_residue(&f->area, at + len, &at, &len))
			fail_msg("no residue \"%s\"", piece);
		check_bytes("residue", f->area.raw + at, len, piece);
	}
	if (nmibt_nmi_buffer_residue(&f->area, at + len, &at, &len))
		fail_msg("residue \"%.*s\"", (int)len, f->area.raw + at);
}

/* Decodes [0, text). */
static struct nmibt_text decode(struct fixture *f)
{
	const struct nmibt_nmi_buffer_area *area = &f->area;
	struct nmibt_text text;

	assert_null(nmibt_decode(area->raw, area->text, area->published, area->known,
				 area->overflow, &text));
	return text;
}

static char *letters(size_t len, char last)
{
	char *s = malloc(len + 1);

	assert_non_null(s);
	for (size_t i = 0; i < len; i++)
		s[i] = 'a' + i % 26;
	s[len - 1] = last;
	s[len] = '\0';
	return s;
}

/* ------------------------------------------------------------------------- text */

static void nothing_printed(void **state)
{
	struct fixture *f = *state;

	/* A seq_buf that was never used has size 0. */
	check(f, "", "");
	check_residue(f, NULL, NULL);
	assert_string_equal(f->area.name, "nmi_print_seq");
	assert_int_equal(f->area.vaddr, fp_addr(CPU, FP_NMI) + fp_buffers[f->kind].text);
	assert_int_equal(f->area.status, NMIBT_READ_OK);
	assert_false(f->area.overflow || f->area.damaged);
}

static void published(void **state)
{
	struct fixture *f = *state;

	flush(f);
	print(f, "\0014NMI backtrace for cpu 2\n");
	print(f, "Call Trace:\n");
	check(f, "\0014NMI backtrace for cpu 2\nCall Trace:\n", "");
	check_residue(f, NULL, NULL);
	assert_false(f->area.overflow || f->area.damaged);
	assert_int_equal(f->area.lost_msgs, 0);
}

/* The CPU was stopped in the middle of a message. */
static void torn(void **state)
{
	struct fixture *f = *state;
	struct nmibt_text text;

	flush(f);
	print(f, "one\n");
	begin(f, "tw");
	check(f, "one\n", "tw");
	check_residue(f, NULL, NULL);
	text = decode(f);
	assert_int_equal(text.nr_lines, 2);
	assert_int_equal(text.lines[1].flags, NMIBT_LINE_PARTIAL | NMIBT_LINE_TORN);
	nmibt_text_destroy(&text);

	/* The torn message continues a line that is published. */
	print(f, "tw");
	begin(f, "o\n");
	check(f, "one\ntw", "o\n");
}

/* A flush leaves the text, and the next message puts a NUL into the middle of it. */
static void residue(void **state)
{
	struct fixture *f = *state;

	flush(f);
	print(f, "the first, longest text\n");
	flush(f);
	check(f, "", "");
	check_residue(f, "the first, longest text\n", NULL);

	print(f, "the second\n");
	check(f, "the second\n", "");
	check_residue(f, "ongest text\n", NULL);
	flush(f);
	print(f, "3rd\n");
	check(f, "3rd\n", "");
	check_residue(f, "econd\n", "ongest text\n");
}

/* A torn message stands before the rest of an older text. A newline of the first, or a header of
 * the second, separates them. */
static void torn_before_residue(void **state)
{
	struct fixture *f = *state;

	flush(f);
	print(f, "older, and longer by a line\n");
	flush(f);
	print(f, "ne");
	begin(f, "w\n");
	check(f, "ne", "w\n");
	check_residue(f, "r, and longer by a line\n", NULL);
	begin(f, "w, but ");
	check(f, "ne", "w, but d longer by a line\n");
	check_residue(f, NULL, NULL);

	flush(f);
	print(f, "RSP: 0018:ffff\001c EFLAGS: 246\001c\n");
	flush(f);
	print(f, "one\n");
	begin(f, "\0014two");
	check(f, "one\n", "\0014two:ffff");
	check_residue(f, "\001c EFLAGS: 246\001c\n", NULL);
}

/* Another CPU flushed while a message was being formatted: the message is written again, at 0. */
static void written_twice(void **state)
{
	struct fixture *f = *state;

	flush(f);
	print(f, "head\n");
	fp_format(f->p, f->kind, CPU, FP_NMI, "tail\n");
	flush(f);
	print(f, "tail\n");
	check(f, "tail\n", "");
	check_residue(f, "ail\n", NULL);
}

/* --------------------------------------------------------------------- overflow */

/* One message does not fit, and another follows it. */
static void overflow(void **state)
{
	struct fixture *f = *state;
	size_t room = fp_buffers[f->kind].room;
	char *most = letters(room - 10, '\n'), *rest = letters(40, '\n'), *expected;
	uint32_t lost;

	expected = letters(room - 1, 'x');
	memcpy(expected, most, room - 10);
	memcpy(expected + room - 10, rest, 9);
	flush(f);
	print(f, most);
	check(f, most, "");
	assert_false(f->area.overflow);
	print(f, rest);
	print(f, "lost\n");
	print(f, "lost, too\n");
	check(f, expected, "");
	check_residue(f, NULL, NULL);
	assert_true(f->area.overflow);
	assert_false(f->area.damaged);
	assert_int_equal(f->area.lost_msgs, f->kind == FP_PRINTK_SAFE ? 2 : 0);

	struct nmibt_text text = decode(f);
	assert_int_equal(text.lines[text.nr_lines - 1].flags, NMIBT_LINE_PARTIAL | NMIBT_LINE_CUT);
	assert_int_equal(text.lines[text.nr_lines - 1].len, 9);
	nmibt_text_destroy(&text);

	/* 4.7 has one count for all buffers, which is read when they are opened. */
	open_all(f);
	assert_int_equal(nmibt_nmi_buffers_all_lost(f->buffers, &lost), f->kind == FP_NO_CLAMP);
	if (f->kind == FP_NO_CLAMP)
		assert_int_equal(lost, 2);
	free(most);
	free(rest);
	free(expected);
}

/* As many bytes as leave room for the NUL, and one more. */
static void full(void **state)
{
	struct fixture *f = *state;
	size_t room = fp_buffers[f->kind].room;
	char *fits = letters(room - 1, '\n'), *longer = letters(room, '\n');

	flush(f);
	print(f, fits);
	check(f, fits, "");
	assert_int_equal(f->area.overflow, f->kind == FP_PRINTK_SAFE);
	struct nmibt_text text = decode(f);
	assert_int_equal(text.lines[0].flags, 0); /* a newline ends it: nothing is cut */
	nmibt_text_destroy(&text);

	flush(f);
	print(f, longer);
	longer[room - 1] = '\0';
	check(f, longer, "");
	assert_true(f->area.overflow);
	free(fits);
	free(longer);
}

/* ------------------------------------------------------------------ lost memory */

static void excluded_text(void **state)
{
	struct fixture *f = *state;
	size_t room = fp_buffers[f->kind].room, text_at = FP_NMI + fp_buffers[f->kind].text;
	/* In the first layout the length is in the second page, in the others in the first. */
	size_t page = f->kind == FP_SEQ_BUF ? 0 : 1;
	size_t start = page ? page * FK_PAGE - text_at : 0, end = (page + 1) * FK_PAGE - text_at;
	char *printed = letters(room - 100, '\n');

	flush(f);
	print(f, printed);
	begin(f, "torn");
	fp_set_page(f->p, CPU, page * FK_PAGE, NMIBT_READ_EXCLUDED);
	const struct nmibt_nmi_buffer_area *area = read_area(f);
	assert_int_equal(area->status, NMIBT_READ_EXCLUDED);
	assert_int_equal(area->published, room - 100);
	assert_int_equal(area->text, room - 96);
	for (size_t i = 0; i < area->published; i++) {
		bool known = i < start || i >= end;

		assert_int_equal(area->known[i], known);
		assert_int_equal(area->raw[i], known ? printed[i] : 0);
	}
	struct nmibt_text text = decode(f);
	assert_int_equal(text.unread, end - start);
	nmibt_text_destroy(&text);
	free(printed);
}

/* The published length is not known: all of the text may be old. */
static void unreadable_length(void **state)
{
	struct fixture *f = *state;

	flush(f);
	print(f, "text\n");
	fp_set_page(f->p, CPU, FP_NMI + fp_buffers[f->kind].len, NMIBT_READ_ERROR);
	check(f, "", "");
	assert_int_equal(f->area.status, NMIBT_READ_ERROR);
	/* In the other layouts the text is in the page of the length. */
	check_residue(f, f->kind == FP_SEQ_BUF ? "text\n" : NULL, NULL);
}

/* After the last published byte it is not known whether a message was being formatted. */
static void unreadable_behind(void **state)
{
	struct fixture *f = *state;
	size_t first = FK_PAGE - FP_NMI - fp_buffers[f->kind].text;
	char *text = letters(first, '\n');

	flush(f);
	print(f, text);
	begin(f, "torn");
	if (f->kind != FP_SEQ_BUF) {
		fp_set_page(f->p, CPU, FK_PAGE, NMIBT_READ_EXCLUDED);
		check(f, text, "");
		check_residue(f, NULL, NULL);
	}
	free(text);
}

/* If one CPU's memory is lost, the other CPUs' buffers are still read. */
static void other_cpus(void **state)
{
	struct fixture *f = *state;
	struct nmibt_nmi_buffer_area area;
	struct nmibt_error *err;

	flush(f);
	print(f, "text\n");
	for (size_t at = 0; at < FP_AREA_SIZE; at += FK_PAGE)
		fp_set_page(f->p, 1, at, at ? NMIBT_READ_EXCLUDED : NMIBT_READ_ERROR);
	assert_null(nmibt_nmi_buffer_read(f->p->kernel, 1, NMIBT_BUFFER_NMI, &area));
	assert_int_equal(area.status, NMIBT_READ_ERROR);
	assert_int_equal(area.text, 0);
	nmibt_nmi_buffer_area_destroy(&area);
	check(f, "text\n", "");

	memset(&area, 0x55, sizeof(area));
	err = nmibt_nmi_buffer_read(f->p->kernel, FP_NO_CPU, NMIBT_BUFFER_NMI, &area);
	assert_int_equal(err->code, NMIBT_ERR_NOTHING);
	nmibt_error_destroy(err);
	err = nmibt_nmi_buffer_read(f->p->kernel, UINT32_MAX, NMIBT_BUFFER_NMI, &area);
	assert_int_equal(err->code, NMIBT_ERR_NOTHING);
	nmibt_error_destroy(err);
	assert_int_equal(area.raw_len, 0x5555555555555555);
}

static void safe_buffer(void **state)
{
	struct fixture *f = *state;
	struct nmibt_nmi_buffer_area area;

	assert_true(nmibt_nmi_buffers_have(f->buffers, NMIBT_BUFFER_NMI));
	assert_int_equal(nmibt_nmi_buffers_have(f->buffers, NMIBT_BUFFER_SAFE),
			 f->kind == FP_PRINTK_SAFE);
	struct nmibt_error *err = nmibt_nmi_buffer_read(f->p->kernel, 0, NMIBT_BUFFER_SAFE, &area);
	if (f->kind != FP_PRINTK_SAFE) {
		assert_int_equal(err->code, NMIBT_ERR_USAGE);
		nmibt_error_destroy(err);
		return;
	}
	assert_null(err);
	nmibt_nmi_buffer_area_destroy(&area);
	fp_print(f->p, f->kind, 0, FP_SAFE, "safe\n");
	assert_null(nmibt_nmi_buffer_read(f->p->kernel, 0, NMIBT_BUFFER_SAFE, &area));
	assert_string_equal(area.name, "safe_print_seq");
	check_bytes("published", area.raw, area.published, "safe\n");
	nmibt_nmi_buffer_area_destroy(&area);
	check(f, "", "");
}

/* --------------------------------------------------------------------- hostile */

static void absurd_lengths(void **state)
{
	static const uint64_t lens[] = {8192,	    65536,	    INT32_MAX,
					0x80000000, UINT32_MAX,	    UINT64_C(1) << 32,
					INT64_MAX,  UINT64_MAX - 1, UINT64_MAX};
	struct fixture *f = *state;
	size_t room = fp_buffers[f->kind].room;
	char *text = letters(room - 1, '\n');

	flush(f);
	print(f, text);
	for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
		bool is_0 = f->kind != FP_SEQ_BUF && !(uint32_t)lens[i];

		set_len(f, lens[i]);
		/* 4.7 can't tell such a length from an overflow: all of the text counts. 5.10
		 * itself prints nothing then. */
		check(f, is_0 || f->kind == FP_PRINTK_SAFE ? "" : text, "");
		assert_int_equal(f->area.overflow, !is_0 && f->kind != FP_PRINTK_SAFE);
		assert_int_equal(f->area.damaged, !is_0 && f->kind != FP_NO_CLAMP);
	}
	free(text);
}

static void lengths_at_the_end(void **state)
{
	struct fixture *f = *state;
	size_t room = fp_buffers[f->kind].room;
	char *text = letters(room - 1, 'x');

	flush(f);
	print(f, text);
	set_len(f, room);
	if (f->kind == FP_PRINTK_SAFE) {
		/* As in the kernel: the text and its NUL fill the buffer. */
		assert_int_equal(read_area(f)->published, room);
		assert_true(f->area.damaged);
	} else {
		check(f, text, "");
		assert_true(f->area.overflow || f->kind == FP_SEQ_BUF);
		assert_false(f->area.damaged);
	}
	set_len(f, room - 1);
	check(f, text, "");
	free(text);
}

/* The structure has only zeros, except for its length. */
static void zeros(void **state)
{
	struct fixture *f = *state;
	size_t room = fp_buffers[f->kind].room;

	for (size_t len = 0; len <= room + 1; len += len < room - 20 ? 997 : 1) {
		set_len(f, len);
		const struct nmibt_nmi_buffer_area *area = read_area(f);
		assert_true(area->published <= len);
		if (len < room - 8)
			assert_int_equal(area->published, len);
		check_residue(f, NULL, NULL);
	}
}

static void absurd_counts(void **state)
{
	struct fixture *f = *state;
	uint32_t lost = -1;

	print(f, "text\n");
	if (f->kind == FP_PRINTK_SAFE) {
		fp_put(f->p, CPU, FP_NMI + 4, &lost, sizeof(lost));
		check(f, "text\n", "");
		assert_int_equal(f->area.lost_msgs, 0);
		assert_true(f->area.damaged);
	} else if (f->kind == FP_NO_CLAMP) {
		fp_set_int(f->p, "nmi_message_lost", lost);
		open_all(f);
		assert_false(nmibt_nmi_buffers_all_lost(f->buffers, &lost));
	}
}

static void absurd_sizes(void **state)
{
	static const uint64_t sizes[] = {0, 4097, INT64_MAX, UINT64_MAX};
	struct fixture *f = *state;

	if (f->kind != FP_SEQ_BUF)
		return;
	flush(f);
	print(f, "text\n");
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		fp_put(f->p, CPU, FP_NMI + 4096 + 8, &sizes[i], sizeof(sizes[i]));
		check(f, "text\n", "");
		assert_int_equal(f->area.damaged, i > 0);
		assert_false(f->area.overflow);
	}
	/* The buffer is full and has no NUL at its end, as the kernel leaves it. */
	uint64_t size = 4096, small = 3;
	fp_put(f->p, CPU, FP_NMI + 4096 + 8, &size, sizeof(size));
	fp_put(f->p, CPU, FP_NMI + 4095, "x", 1);
	set_len(f, 4097);
	assert_int_equal(read_area(f)->published, 4096);
	assert_true(f->area.overflow);
	fp_put(f->p, CPU, FP_NMI + 4096 + 8, &small, sizeof(small));
	assert_int_equal(read_area(f)->published, 3);
}

/* ----------------------------------------------------------------------- opening */

static void open_fails(struct fixture *f, enum nmibt_code code, const char *word)
{
	fp_reopen(f->p);
	struct nmibt_error *err = nmibt_kernel_need(f->p->kernel, NMIBT_PART_NMI_BUFFERS);

	assert_non_null(err);
	assert_null(nmibt_kernel_nmi_buffers(f->p->kernel));
	assert_int_equal(err->code, code);
	if (!strstr(err->message, word))
		fail_msg("no \"%s\" in: %s", word, err->message);
	nmibt_error_destroy(err);
}

static void without_layout(void **state)
{
	struct fixture *f = *state;
	struct fake_percpu *p = f->p;

	p->ops.member_offset = NULL;
	open_fails(f, NMIBT_ERR_NOTHING, "vmlinux");
	p->ops.member_offset = fp_member_offset;
	p->ops.type_size = NULL;
	open_fails(f, NMIBT_ERR_NOTHING, "nmi_print_seq");
	p->ops.type_size = fp_type_size;
	for (unsigned int i = 0; i < p->nr_layouts; i++) {
		struct fp_layout *l = &p->layout[i], was = *l;

		/* These are not needed. */
		if (l->member ? !strcmp(l->member, "work") : !strcmp(l->type, "seq_buf"))
			continue;
		l->type = "other";
		open_fails(f, NMIBT_ERR_NOTHING, "layout");
		*l = was;
	}
}

/* Compares the layouts that the other tests use with the kernel's declarations. */
struct work {
	void *next;
	unsigned int flags;
	void (*func)(struct work *work);
};

static void layouts_as_compiled(void **state)
{
	struct seq_buf {
		char *buffer;
		size_t size, len;
		long long readpos;
	};
	struct old {
		unsigned char buffer[4096];
		struct seq_buf seq;
	};
	struct no_clamp {
		int len;
		struct work work;
		unsigned char buffer[(1 << 13) - sizeof(int) - sizeof(struct work)];
	};
	struct safe {
		int len;
		int message_lost;
		struct work work;
		unsigned char buffer[(1 << 13) - 2 * sizeof(int) - sizeof(struct work)];
	};
	const struct fp_buffer compiled[FP_NR_KINDS] = {
		{sizeof(struct old), 0, sizeof(((struct old *)0)->buffer),
		 offsetof(struct old, seq.len), sizeof(size_t)},
		{sizeof(struct no_clamp), offsetof(struct no_clamp, buffer),
		 sizeof(((struct no_clamp *)0)->buffer), 0, sizeof(int)},
		{sizeof(struct safe), offsetof(struct safe, buffer),
		 sizeof(((struct safe *)0)->buffer), 0, sizeof(int)},
	};

	(void)state;
	assert_memory_equal(compiled, fp_buffers, sizeof(compiled));
	assert_int_equal(offsetof(struct old, seq), 4096);
	assert_int_equal(offsetof(struct seq_buf, size), 8);
	assert_int_equal(offsetof(struct seq_buf, len), 16);
	assert_int_equal(offsetof(struct safe, message_lost), 4);
}

static void asks_in_vain_for_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(f->p->asked, 0);
	assert_string_equal(nmibt_nmi_buffers_type(f->buffers),
			    f->kind == FP_PRINTK_SAFE ? "printk_safe_seq_buf" : "nmi_seq_buf");
}

static void absurd_layouts(void **state)
{
	static const size_t values[] = {0, 8190, 1 << 22, INT32_MAX, SIZE_MAX - 16, SIZE_MAX};
	struct fixture *f = *state;
	struct fake_percpu *p = f->p;

	for (unsigned int i = 0; i < p->nr_layouts; i++) {
		size_t was = p->layout[i].value;

		for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
			struct nmibt_nmi_buffer_area area;

			p->layout[i].value = values[v];
			fp_reopen(p);
			if (!nmibt_kernel_nmi_buffers(p->kernel))
				continue;
			assert_null(
				nmibt_nmi_buffer_read(f->p->kernel, CPU, NMIBT_BUFFER_NMI, &area));
			nmibt_nmi_buffer_area_destroy(&area);
		}
		p->layout[i].value = was;
	}
	open_all(f);
	fp_layout(p, nmibt_nmi_buffers_type(f->buffers), NULL)->value = 1 << 22;
	open_fails(f, NMIBT_ERR_DAMAGED, "makes no sense");
}

static void without_symbol(void **state)
{
	struct fixture *f = *state;

	fp_drop_symbol(f->p, "nmi_print_seq");
	if (f->kind == FP_PRINTK_SAFE)
		fp_drop_symbol(f->p, "safe_print_seq");
	open_fails(f, NMIBT_ERR_NOTHING, "no symbol nmi_print_seq");
}

/* If an NMI can't print (arm64 at that time), only the other buffer exists. */
static void safe_only(void **state)
{
	struct fixture *f = *state;
	struct nmibt_nmi_buffer_area area;

	if (f->kind != FP_PRINTK_SAFE)
		return;
	fp_drop_symbol(f->p, "nmi_print_seq");
	open_all(f);
	assert_false(nmibt_nmi_buffers_have(f->buffers, NMIBT_BUFFER_NMI));
	assert_null(nmibt_nmi_buffer_read(f->p->kernel, 0, NMIBT_BUFFER_SAFE, &area));
	nmibt_nmi_buffer_area_destroy(&area);
}

#define ALL(test)                                                                                  \
	{#test " (nmi_seq_buf with seq_buf)", test, seq_buf, teardown, NULL},                      \
		{#test " (nmi_seq_buf)", test, no_clamp, teardown, NULL},                          \
	{                                                                                          \
#test " (printk_safe_seq_buf)", test, printk_safe, teardown, NULL                  \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ALL(nothing_printed),
		ALL(published),
		ALL(torn),
		ALL(residue),
		ALL(torn_before_residue),
		ALL(written_twice),
		ALL(overflow),
		ALL(full),
		ALL(excluded_text),
		ALL(unreadable_length),
		ALL(unreadable_behind),
		ALL(other_cpus),
		ALL(safe_buffer),
		ALL(absurd_lengths),
		ALL(lengths_at_the_end),
		ALL(zeros),
		ALL(absurd_counts),
		ALL(absurd_sizes),
		ALL(without_layout),
		cmocka_unit_test(layouts_as_compiled),
		ALL(asks_in_vain_for_nothing),
		ALL(absurd_layouts),
		ALL(without_symbol),
		ALL(safe_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
