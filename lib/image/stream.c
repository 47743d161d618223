// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The interfaces of the libraries are in lzma/base.h and lzma/container.h (liblzma 5.4) and in zstd.h
 * (1.5.4); they have been stable for years.
 */
#include <dlfcn.h>
#include <zlib.h>

#include "image/stream.h"

#define WINDOW (64u << 10)
/* xz -9 needs 65 MiB to decompress. */
#define LZMA_MEMORY (256u << 20)
#define LZMA_CONCATENATED 0x08
#define LZMA_RUN 0
#define LZMA_FINISH 3
#define LZMA_OK 0
#define LZMA_STREAM_END 1
#define MAX_SYMBOLS 3

struct lzma_stream {
	const uint8_t *next_in;
	size_t avail_in;
	uint64_t total_in;
	uint8_t *next_out;
	size_t avail_out;
	uint64_t total_out;
	const void *allocator;
	void *internal;
	void *reserved_ptr[4];
	uint64_t reserved_u64[2];
	size_t reserved_size[2];
	int reserved_enum[2];
};

struct zstd_in {
	const void *src;
	size_t size, pos;
};

struct zstd_out {
	void *dst;
	size_t size, pos;
};

struct nmibt_stream {
	const struct nmibt_file *file;
	const struct packer *packer; /* NULL: the file is not compressed */
	void *handle; /* of the library */
	void *symbols[MAX_SYMBOLS];
	bool is_running; /* the library has a state */
	bool is_at_end;
	const char *complaint;
	uint64_t from; /* offset in the file of what is read next */
	uint64_t at; /* offset of what is given next */
	unsigned char *in; /* WINDOW bytes of the file, of which [in_at, in_len) are not used yet */
	size_t in_at, in_len;
	z_stream zlib;
	struct lzma_stream lzma;
	void *zstd;
	size_t zstd_left; /* what it returned last */
};

static const char damaged[] = "the compressed file is damaged: what is behind that place is lost";
static const char cut[] = "the compressed file ends before its end; copy it again if it is a copy";

/* Ensures that there are bytes of the file to be used. False: it has no more. */
static bool fill(struct nmibt_stream *s)
{
	uint64_t left = s->file->size - s->from;
	size_t len = left < WINDOW ? left : WINDOW;

	if (s->in_at < s->in_len)
		return true;
	if (!len || !nmibt_file_read(s->file, s->from, s->in, len))
		return false;
	s->from += len;
	s->in_at = 0;
	s->in_len = len;
	return true;
}

static void stop(struct nmibt_stream *s, const char *complaint)
{
	s->is_at_end = true;
	s->complaint = complaint;
}

/* --------------------------------------------------------------------- the libraries */

static bool start_zlib(struct nmibt_stream *s)
{
	s->zlib = (z_stream){0};
	return inflateInit2(&s->zlib, MAX_WBITS + 16) == Z_OK;
}

/* A file may have several members (RFC 1952, 2.2). What follows them is not read. */
static size_t read_zlib(struct nmibt_stream *s, void *buf, size_t len)
{
	z_stream *z = &s->zlib;

	z->next_out = buf;
	z->avail_out = len;
	while (z->avail_out && !s->is_at_end) {
		bool has_more = fill(s);

		z->next_in = s->in + s->in_at;
		z->avail_in = s->in_len - s->in_at;
		int result = inflate(z, Z_NO_FLUSH);
		s->in_at = s->in_len - z->avail_in;
		if (result == Z_STREAM_END) {
			s->is_at_end =
				!fill(s) || s->in[s->in_at] != 0x1f || inflateReset(z) != Z_OK;
		} else if (!has_more && z->avail_out) {
			stop(s, cut);
		} else if (result != Z_OK && result != Z_BUF_ERROR) {
			stop(s, damaged);
		}
	}
	return len - z->avail_out;
}

static void end_zlib(struct nmibt_stream *s)
{
	inflateEnd(&s->zlib);
}

static bool start_lzma(struct nmibt_stream *s)
{
	int (*decoder)(struct lzma_stream *, uint64_t memory, uint32_t flags) = s->symbols[0];

	s->lzma = (struct lzma_stream){0};
	return decoder(&s->lzma, LZMA_MEMORY, LZMA_CONCATENATED) == LZMA_OK;
}

static size_t read_lzma(struct nmibt_stream *s, void *buf, size_t len)
{
	int (*code)(struct lzma_stream *, int action) = s->symbols[1];
	struct lzma_stream *z = &s->lzma;

	z->next_out = buf;
	z->avail_out = len;
	while (z->avail_out && !s->is_at_end) {
		bool has_more = fill(s);

		z->next_in = s->in + s->in_at;
		z->avail_in = s->in_len - s->in_at;
		int result = code(z, has_more ? LZMA_RUN : LZMA_FINISH);
		s->in_at = s->in_len - z->avail_in;
		if (result == LZMA_STREAM_END)
			s->is_at_end = true;
		else if (result != LZMA_OK)
			stop(s, has_more ? damaged : cut);
	}
	return len - z->avail_out;
}

static void end_lzma(struct nmibt_stream *s)
{
	void (*end)(struct lzma_stream *) = s->symbols[2];

	end(&s->lzma);
}

static bool start_zstd(struct nmibt_stream *s)
{
	void *(*create)(void) = s->symbols[0];

	s->zstd = create();
	s->zstd_left = 1;
	return s->zstd;
}

/* Errors are huge lengths. 0: a frame has ended, and another one may follow. */
static size_t read_zstd(struct nmibt_stream *s, void *buf, size_t len)
{
	size_t (*decompress)(void *, struct zstd_out *, struct zstd_in *) = s->symbols[1];
	struct zstd_out out = {.dst = buf, .size = len};

	while (out.pos < out.size && !s->is_at_end) {
		size_t before = out.pos;
		bool has_more = fill(s);
		struct zstd_in in = {s->in + s->in_at, s->in_len - s->in_at, 0};

		if (!has_more && !s->zstd_left) {
			s->is_at_end = true;
			break;
		}
		s->zstd_left = decompress(s->zstd, &out, &in);
		s->in_at += in.pos;
		if (s->zstd_left > SIZE_MAX / 2)
			stop(s, damaged);
		else if (!has_more && s->zstd_left && out.pos == before)
			stop(s, cut);
	}
	return out.pos;
}

static void end_zstd(struct nmibt_stream *s)
{
	size_t (*free_context)(void *) = s->symbols[2];

	free_context(s->zstd);
}

static const struct packer {
	unsigned int len;
	const char *signature;
	const char *name, *soname; /* soname NULL: it is linked */
	const char *symbols[MAX_SYMBOLS];
	bool (*start)(struct nmibt_stream *s);
	size_t (*read)(struct nmibt_stream *s, void *buf, size_t len);
	void (*end)(struct nmibt_stream *s);
} packers[] = {
	{2, "\x1f\x8b", "gzip", NULL, {NULL}, start_zlib, read_zlib, end_zlib},
	{6,
	 "\xfd\x37zXZ\x00",
	 "xz",
	 "liblzma.so.5",
	 {"lzma_stream_decoder", "lzma_code", "lzma_end"},
	 start_lzma,
	 read_lzma,
	 end_lzma},
	{4,
	 "\x28\xb5\x2f\xfd",
	 "zstd",
	 "libzstd.so.1",
	 {"ZSTD_createDCtx", "ZSTD_decompressStream", "ZSTD_freeDCtx"},
	 start_zstd,
	 read_zstd,
	 end_zstd},
};

/* ------------------------------------------------------------------------ the stream */

static const struct packer *find_packer(const struct nmibt_file *file)
{
	char bytes[8];

	for (size_t i = 0; i < ARRAY_SIZE(packers); i++) {
		if (nmibt_file_read(file, 0, bytes, packers[i].len) &&
		    !memcmp(bytes, packers[i].signature, packers[i].len))
			return &packers[i];
	}
	return NULL;
}

static bool load(struct nmibt_stream *s)
{
	s->handle = dlopen(s->packer->soname, RTLD_NOW | RTLD_LOCAL);
	for (size_t i = 0; i < MAX_SYMBOLS && s->handle; i++) {
		s->symbols[i] = dlsym(s->handle, s->packer->symbols[i]);
		if (!s->symbols[i])
			return false;
	}
	return s->handle;
}

static bool start(struct nmibt_stream *s)
{
	s->from = s->at = 0;
	s->in_at = s->in_len = 0;
	s->is_at_end = false;
	s->complaint = NULL;
	s->is_running = !s->packer || s->packer->start(s);
	return s->is_running;
}

static void end(struct nmibt_stream *s)
{
	if (s->is_running && s->packer)
		s->packer->end(s);
	s->is_running = false;
}

struct nmibt_error *nmibt_stream_open(const struct nmibt_file *file, struct nmibt_stream **ret)
{
	struct nmibt_stream *s = calloc(1, sizeof(*s));

	if (!s)
		return nmibt_error_nomem();
	s->file = file;
	s->packer = find_packer(file);
	s->in = malloc(WINDOW);
	struct nmibt_error *err = NULL;
	if (s->packer && s->packer->soname && !load(s))
		err = nmibt_error_create(
			NMIBT_ERR_UNUSABLE,
			"%s: compressed by %s, and %s can't be loaded: install it, or "
			"unpack the file first",
			file->path, s->packer->name, s->packer->soname);
	else if (!s->in || !start(s))
		err = nmibt_error_nomem();
	if (err) {
		nmibt_stream_close(s);
		return err;
	}
	*ret = s;
	return NULL;
}

bool nmibt_stream_is_packed(const struct nmibt_stream *s)
{
	return s->packer;
}

size_t nmibt_stream_read(struct nmibt_stream *s, void *buf, size_t len)
{
	size_t done = 0;

	if (s->is_at_end)
		return 0;
	if (s->packer) {
		done = s->packer->read(s, buf, len);
	} else {
		done = s->file->size - s->at < len ? s->file->size - s->at : len;
		if (done && !nmibt_file_read(s->file, s->at, buf, done)) {
			stop(s, "the file can't be read to its end");
			done = 0;
		}
	}
	s->at += done;
	return done;
}

bool nmibt_stream_seek(struct nmibt_stream *s, uint64_t offset)
{
	char skipped[16 << 10];

	if (!s->packer) {
		s->is_at_end = false;
		s->at = offset < s->file->size ? offset : s->file->size;
		return s->at == offset;
	}
	if (offset < s->at) {
		end(s);
		if (!start(s))
			return false;
	}
	while (s->at < offset) {
		uint64_t left = offset - s->at;

		if (!nmibt_stream_read(s, skipped, left < sizeof(skipped) ? left : sizeof(skipped)))
			return false;
	}
	return true;
}

const char *nmibt_stream_complaint(const struct nmibt_stream *s)
{
	return s->complaint;
}

void nmibt_stream_close(struct nmibt_stream *s)
{
	if (!s)
		return;
	end(s);
	if (s->handle)
		dlclose(s->handle);
	free(s->in);
	free(s);
}

/* The handle is left open, so that the library stays. */
void nmibt_stream_preload(int fd)
{
	struct nmibt_file file;

	if (nmibt_file_open("", &fd, &file))
		return;
	const struct packer *packer = find_packer(&file);
	if (packer && packer->soname)
		dlopen(packer->soname, RTLD_NOW | RTLD_LOCAL);
	nmibt_file_close(&file);
}
