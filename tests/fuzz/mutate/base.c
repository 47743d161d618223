// SPDX-License-Identifier: GPL-2.0-or-later
#include <endian.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fcntl.h>

#include <nmibt/nmibt.h>

#include "base.h"

void spans_add(struct spans *spans, struct span span)
{
	if (spans->nr == spans->room) {
		spans->room = spans->room ? 2 * spans->room : 16;
		spans->v = realloc(spans->v, spans->room * sizeof(*spans->v));
		if (!spans->v)
			err(2, "realloc");
	}
	spans->v[spans->nr++] = span;
}

/* --------------------------------------------------------------------- open */

static void write_all(int fd, const void *buf, uint64_t len, uint64_t at)
{
	for (uint64_t done = 0; done < len;) {
		ssize_t n = pwrite(fd, (const char *)buf + done, len - done, at + done);

		if (n <= 0)
			err(2, "pwrite");
		done += n;
	}
}

static void open_part(struct part *part, const char *path)
{
	struct stat st;
	int from = open(path, O_RDONLY | O_CLOEXEC);

	if (from < 0 || fstat(from, &st))
		err(2, "%s", path);
	part->size = part->sound_size = st.st_size;
	part->sound = malloc(st.st_size + 1);
	part->fd = memfd_create("mutated", MFD_CLOEXEC);
	if (!part->sound || part->fd < 0 || pread(from, part->sound, st.st_size, 0) != st.st_size)
		err(2, "%s", path);
	close(from);
	write_all(part->fd, part->sound, part->size, 0);
	snprintf(part->path, sizeof(part->path), "/proc/self/fd/%d", part->fd);
}

/* The vmlinux in the folder of a file; NULL: there is none. */
static char *find_vmlinux(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *vmlinux;

	if (asprintf(&vmlinux, "%.*svmlinux", slash ? (int)(slash + 1 - path) : 0, path) < 0)
		err(2, "asprintf");
	if (!access(vmlinux, R_OK))
		return vmlinux;
	free(vmlinux);
	return NULL;
}

struct base *base_open(const char *name)
{
	struct base *base = calloc(1, sizeof(*base));
	char *names = strdup(name), *rest = names, *path;
	const char *paths[MAX_PARTS];

	if (!base || !names)
		err(2, "calloc");
	base->name = name;
	while ((path = strsep(&rest, ","))) {
		if (base->nr_parts == MAX_PARTS)
			errx(2, "%s: too many files", name);
		open_part(&base->parts[base->nr_parts], path);
		base->paths[base->nr_parts] = base->parts[base->nr_parts].path;
		paths[base->nr_parts++] = path;
	}
	base->nr_paths = base->nr_parts;
	base->vmlinux = find_vmlinux(paths[0]);
	struct nmibt_error *error = nmibt_input_open(paths, base->nr_parts, NULL, &base->input);
	if (error)
		errx(2, "%s", nmibt_error_message(error));
	base_find_reads(base, paths);
	base_find_structures(base);
	free(names);
	return base;
}

/* ------------------------------------------------------------------- change */

static struct span clip(const struct base *base, struct span span)
{
	uint64_t size = base->parts[span.part].size;

	if (span.at > size)
		span.at = size;
	if (span.len > size - span.at)
		span.len = size - span.at;
	return span;
}

size_t base_get(const struct base *base, struct span span, void *buf)
{
	span = clip(base, span);
	if (pread(base->parts[span.part].fd, buf, span.len, span.at) != (ssize_t)span.len)
		err(2, "pread");
	return span.len;
}

void base_put(struct base *base, struct span span, const void *buf)
{
	span = clip(base, span);
	write_all(base->parts[span.part].fd, buf, span.len, span.at);
	spans_add(&base->changed, span);
}

void base_cut(struct base *base, unsigned int part, uint64_t size)
{
	struct part *p = &base->parts[part];

	if (size >= p->size)
		return;
	if (ftruncate(p->fd, size))
		err(2, "ftruncate");
	p->size = size;
	if (size < p->sound_size)
		spans_add(&base->changed, (struct span){part, size, p->sound_size - size});
}

static void restore(struct base *base, struct span span)
{
	const struct part *part = &base->parts[span.part];

	if (span.at >= part->sound_size)
		return;
	if (span.len > part->sound_size - span.at)
		span.len = part->sound_size - span.at;
	write_all(part->fd, part->sound + span.at, span.len, span.at);
}

void base_restore(struct base *base, bool thorough)
{
	for (size_t i = 0; i < base->changed.nr; i++)
		restore(base, base->changed.v[i]);
	base->changed.nr = 0;
	for (unsigned int i = 0; i < base->nr_parts; i++) {
		struct part *part = &base->parts[i];

		if (thorough)
			restore(base, (struct span){i, 0, part->sound_size});
		if ((thorough || part->size != part->sound_size) &&
		    ftruncate(part->fd, part->sound_size))
			err(2, "ftruncate");
		part->size = part->sound_size;
		part->dump_end = part->sound_dump_end;
		base->paths[i] = part->path;
	}
	base->nr_paths = base->nr_parts;
	for (size_t i = 0; i < base->nr_pages; i++)
		base->pages[i].is_unpacked = false;
}

/* ------------------------------------------------------------------- memory */

uint64_t part_find(const struct part *part, uint64_t at, uint64_t *ret_len)
{
	if (!part->is_flattened) {
		*ret_len = at < part->size ? part->size - at : 0;
		return at;
	}
	for (size_t i = part->nr_records; i-- > 0;) {
		const struct record *r = &part->records[i];

		if (at >= r->at && at - r->at < r->len) {
			*ret_len = r->len - (at - r->at);
			return r->file_at + (at - r->at);
		}
	}
	*ret_len = 0;
	return 0;
}

bool base_find(const struct base *base, unsigned int part, uint64_t at, uint64_t len,
	       struct span *ret)
{
	uint64_t n;

	*ret = (struct span){part, part_find(&base->parts[part], at, &n), 0};
	ret->len = n < len ? n : len;
	return ret->len;
}

/* Writes to the dump, in as many records as it takes. */
static void put_in_dump(struct base *base, unsigned int part, uint64_t at, const void *buf,
			uint64_t len)
{
	struct span span;

	for (uint64_t done = 0; base_find(base, part, at + done, len - done, &span);
	     done += span.len)
		base_put(base, span, (const char *)buf + done);
}

/* Writes bytes behind the end of a file, where base_restore() cuts them off. */
static void append(struct part *part, const void *buf, uint64_t len)
{
	write_all(part->fd, buf, len, part->size);
	part->size += len;
}

/* Stores the page at the end of the dump as it is, and lets its descriptor lead to it. In a
 * flattened file it is the last record. */
static bool unpack(struct base *base, struct page *page)
{
	struct part *part = &base->parts[page->part];
	uint8_t bytes[65536];
	uint64_t head[2] = {htobe64(part->dump_end), htobe64(base->page_size)};
	uint64_t end[2] = {UINT64_MAX, UINT64_MAX};
	struct {
		uint64_t offset;
		uint32_t size, flags;
	} desc = {part->dump_end, base->page_size, 0};

	if (part->size < part->sound_size ||
	    nmibt_input_read(base->input, page->pfn * base->page_size, bytes, base->page_size))
		return false;
	if (part->is_flattened) {
		/* It takes the place of the record that ends the file. */
		spans_add(&base->changed,
			  (struct span){page->part, part->size - sizeof(end), sizeof(end)});
		part->size -= sizeof(end);
		append(part, head, sizeof(head));
	}
	page->copy_at = part->size;
	append(part, bytes, base->page_size);
	if (part->is_flattened)
		append(part, end, sizeof(end));
	part->dump_end += base->page_size;
	page->is_unpacked = true;
	put_in_dump(base, page->part, page->desc_at, &desc, sizeof(desc));
	return true;
}

static int compare_pages(const void *a, const void *b)
{
	const struct page *x = a, *y = b;

	return x->pfn < y->pfn ? -1 : x->pfn > y->pfn;
}

static bool find_in_page(struct base *base, uint64_t paddr, uint64_t len, struct span *ret)
{
	struct page key = {.pfn = paddr / base->page_size};
	uint64_t in = paddr % base->page_size;
	struct page *page = bsearch(&key, base->pages, base->nr_pages, sizeof(key), compare_pages);

	if (!page || (!page->is_unpacked && !unpack(base, page)))
		return false;
	*ret = (struct span){page->part, page->copy_at + in,
			     len < base->page_size - in ? len : base->page_size - in};
	return true;
}

bool base_find_memory(struct base *base, uint64_t paddr, uint64_t len, struct span *ret)
{
	if (base->nr_pages)
		return find_in_page(base, paddr, len, ret);
	for (size_t i = 0; i < base->nr_segments; i++) {
		const struct segment *s = &base->segments[i];
		uint64_t in = paddr - s->paddr, rest;

		if (paddr < s->paddr || in >= s->len)
			continue;
		*ret = (struct span){0, part_find(&base->parts[0], s->at + in, &rest), len};
		if (ret->len > rest)
			ret->len = rest;
		if (ret->len > s->len - in)
			ret->len = s->len - in;
		return ret->len;
	}
	return false;
}
