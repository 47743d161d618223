// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The libraries are loaded with dlopen(). Their interfaces are in libdeflate.h (1.14),
 * lzo/lzo1x.h (lzo 2.10), snappy-c.h (1.1.9) and zstd.h (1.5.4); they have been stable for years.
 */
#include <dlfcn.h>
#include <zlib.h>

#include "image/decompress.h"

#define MAX_SYMBOLS 3

struct library {
	void *handle; /* NULL: not loaded */
	bool failed;
	void *symbols[MAX_SYMBOLS];
};

struct nmibt_decompressor {
	z_stream zlib; /* kept, because a new one allocates its state each time */
	bool has_zlib;
	void *libdeflate, *zstd; /* their contexts, kept for the same reason */
	struct library libraries[NMIBT_NR_COMPRESSIONS];
	const char *complaint;
};

static const struct source {
	const char *soname;
	const char *symbols[MAX_SYMBOLS];
	const char *complaint; /* NULL: we can do without it */
} sources[NMIBT_NR_COMPRESSIONS] = {
	/* It takes two thirds of zlib's time. A report reads enough pages to make up for
	 * loading. */
	[NMIBT_ZLIB] = {"libdeflate.so.0",
			{"libdeflate_alloc_decompressor", "libdeflate_zlib_decompress",
			 "libdeflate_free_decompressor"},
			NULL},
	[NMIBT_LZO] = {"liblzo2.so.2",
		       {"lzo1x_decompress_safe"},
		       "its pages are compressed by LZO, and liblzo2.so.2 can't be loaded: "
		       "install lzo (Debian: liblzo2-2)"},
	[NMIBT_SNAPPY] = {"libsnappy.so.1",
			  {"snappy_uncompressed_length", "snappy_uncompress"},
			  "its pages are compressed by Snappy, and libsnappy.so.1 can't be "
			  "loaded: install snappy (Debian: libsnappy1v5)"},
	[NMIBT_ZSTD] = {"libzstd.so.1",
			{"ZSTD_createDCtx", "ZSTD_decompressDCtx", "ZSTD_freeDCtx"},
			"its pages are compressed by Zstandard, and libzstd.so.1 can't be "
			"loaded: install libzstd (Debian: libzstd1)"},
};

static bool load(struct library *library, const struct source *source)
{
	library->handle = dlopen(source->soname, RTLD_NOW | RTLD_LOCAL);
	if (!library->handle)
		return false;
	for (size_t i = 0; i < MAX_SYMBOLS && source->symbols[i]; i++) {
		library->symbols[i] = dlsym(library->handle, source->symbols[i]);
		if (!library->symbols[i])
			return false;
	}
	return true;
}

/* The handle is left open, so that the library stays. */
void nmibt_decompress_preload(enum nmibt_compression compression)
{
	if (sources[compression].soname)
		dlopen(sources[compression].soname, RTLD_NOW | RTLD_LOCAL);
}

/* Loads the library at the first call only. False: it can't be loaded. */
static bool need(struct nmibt_decompressor *d, enum nmibt_compression compression)
{
	struct library *library = &d->libraries[compression];

	if (!library->handle && !library->failed && !load(library, &sources[compression])) {
		library->failed = true;
		d->complaint = sources[compression].complaint ?: d->complaint;
	}
	return !library->failed;
}

static bool from_zlib(struct nmibt_decompressor *d, const void *from, size_t from_len, void *to,
		      size_t to_len)
{
	z_stream *z = &d->zlib;

	if (d->has_zlib ? inflateReset(z) != Z_OK : inflateInit(z) != Z_OK)
		return false;
	d->has_zlib = true;
	z->next_in = (void *)from;
	z->avail_in = from_len;
	z->next_out = to;
	z->avail_out = to_len;
	return inflate(z, Z_FINISH) == Z_STREAM_END && !z->avail_out;
}

static bool from_zlib_by_libdeflate(struct nmibt_decompressor *d, const void *from, size_t from_len,
				    void *to, size_t to_len)
{
	void *(*create)(void) = d->libraries[NMIBT_ZLIB].symbols[0];
	int (*decompress)(void *ctx, const void *from, size_t from_len, void *to, size_t to_len,
			  size_t *ret) = d->libraries[NMIBT_ZLIB].symbols[1];

	if (!d->libdeflate)
		d->libdeflate = create();
	/* Without ret it fails where it writes fewer bytes than to_len. */
	return d->libdeflate && !decompress(d->libdeflate, from, from_len, to, to_len, NULL);
}

/* lzo_init() only checks how the library was compiled; decompression does not need it. */
static bool from_lzo(struct nmibt_decompressor *d, const void *from, size_t from_len, void *to,
		     size_t to_len)
{
	int (*decompress)(const void *from, size_t from_len, void *to, size_t *to_len, void *work) =
		d->libraries[NMIBT_LZO].symbols[0];
	size_t len = to_len;

	return !decompress(from, from_len, to, &len, NULL) && len == to_len;
}

static bool from_snappy(struct nmibt_decompressor *d, const void *from, size_t from_len, void *to,
			size_t to_len)
{
	int (*length)(const void *from, size_t from_len, size_t *ret) =
		d->libraries[NMIBT_SNAPPY].symbols[0];
	int (*decompress)(const void *from, size_t from_len, void *to, size_t *to_len) =
		d->libraries[NMIBT_SNAPPY].symbols[1];
	size_t len;

	return !length(from, from_len, &len) && len == to_len &&
	       !decompress(from, from_len, to, &len) && len == to_len;
}

static bool from_zstd(struct nmibt_decompressor *d, const void *from, size_t from_len, void *to,
		      size_t to_len)
{
	void *(*create)(void) = d->libraries[NMIBT_ZSTD].symbols[0];
	size_t (*decompress)(void *ctx, void *to, size_t to_len, const void *from,
			     size_t from_len) = d->libraries[NMIBT_ZSTD].symbols[1];

	if (!d->zstd)
		d->zstd = create();
	/* zstd returns errors as huge lengths, which are never to_len. */
	return d->zstd && decompress(d->zstd, to, to_len, from, from_len) == to_len;
}

bool nmibt_decompress(struct nmibt_decompressor *d, enum nmibt_compression compression,
		      const void *from, size_t from_len, void *to, size_t to_len)
{
	switch (compression) {
	case NMIBT_ZLIB:
		return need(d, compression) ? from_zlib_by_libdeflate(d, from, from_len, to, to_len)
					    : from_zlib(d, from, from_len, to, to_len);
	case NMIBT_LZO:
		return need(d, compression) && from_lzo(d, from, from_len, to, to_len);
	case NMIBT_SNAPPY:
		return need(d, compression) && from_snappy(d, from, from_len, to, to_len);
	case NMIBT_ZSTD:
		return need(d, compression) && from_zstd(d, from, from_len, to, to_len);
	case NMIBT_NR_COMPRESSIONS:
		break;
	}
	return false;
}

const char *nmibt_decompress_complaint(const struct nmibt_decompressor *d)
{
	return d->complaint;
}

struct nmibt_error *nmibt_decompressor_new(struct nmibt_decompressor **ret)
{
	struct nmibt_decompressor *d = calloc(1, sizeof(*d));

	if (!d)
		return nmibt_error_nomem();
	*ret = d;
	return NULL;
}

void nmibt_decompressor_free(struct nmibt_decompressor *d)
{
	if (!d)
		return;
	if (d->has_zlib)
		inflateEnd(&d->zlib);
	if (d->libdeflate) {
		void (*free_context)(void *ctx) = d->libraries[NMIBT_ZLIB].symbols[2];

		free_context(d->libdeflate);
	}
	if (d->zstd) {
		size_t (*free_context)(void *ctx) = d->libraries[NMIBT_ZSTD].symbols[2];

		free_context(d->zstd);
	}
	for (size_t i = 0; i < ARRAY_SIZE(d->libraries); i++) {
		if (d->libraries[i].handle)
			dlclose(d->libraries[i].handle);
	}
	free(d);
}
