// SPDX-License-Identifier: GPL-2.0-or-later
/* The pieces of old files of pstore, which may come in any order, and more than once. */
#include <inttypes.h>

#include "image/old-files.h"

struct nmibt_error *nmibt_old_files_add(struct nmibt_old_files *files,
					const struct nmibt_old_piece *piece)
{
	struct nmibt_old_piece *v = nmibt_make_room(files->pieces, files->nr_pieces, sizeof(*v));

	if (!v)
		return nmibt_error_nomem();
	files->pieces = v;
	files->pieces[files->nr_pieces++] = *piece;
	return NULL;
}

static int compare_pieces(const void *a, const void *b)
{
	const struct nmibt_old_piece *x = a, *y = b;

	return nmibt_str_compare(x->name, y->name) ?: (x->at > y->at) - (x->at < y->at);
}

static struct nmibt_error *add_file(struct nmibt_old_files *files, size_t first, size_t nr)
{
	struct nmibt_old_file *v = nmibt_make_room(files->files, files->nr, sizeof(*v));
	const struct nmibt_str *name = &files->pieces[first].name;
	char *printable;
	size_t len;
	FILE *out = open_memstream(&printable, &len);

	if (v)
		files->files = v;
	if (!v || !out) {
		if (out && !fclose(out))
			free(printable);
		return nmibt_error_nomem();
	}
	nmibt_escape(out, name->s, name->len, false);
	if (fclose(out))
		return nmibt_error_nomem();
	files->files[files->nr++] = (struct nmibt_old_file){first, nr, printable};
	return NULL;
}

struct nmibt_error *nmibt_old_files_sort(struct nmibt_old_files *files)
{
	struct nmibt_error *err = NULL;
	size_t first = 0;

	if (!files->nr_pieces)
		return NULL;
	qsort(files->pieces, files->nr_pieces, sizeof(*files->pieces), compare_pieces);
	for (size_t i = 1; i <= files->nr_pieces && !err; i++) {
		if (i < files->nr_pieces &&
		    !nmibt_str_compare(files->pieces[first].name, files->pieces[i].name))
			continue;
		err = add_file(files, first, i - first);
		first = i;
	}
	return err;
}

void nmibt_old_files_destroy(struct nmibt_old_files *files)
{
	for (unsigned int i = 0; i < files->nr; i++)
		free(files->files[i].name);
	free(files->files);
	free(files->pieces);
}

static void print_lines(struct nmibt_str text, FILE *out)
{
	struct nmibt_str line;

	while (nmibt_take_until(&text, "\n", &line)) {
		nmibt_escape(out, line.s, line.len, true);
		putc('\n', out);
	}
	nmibt_escape(out, text.s, text.len, true);
}

void nmibt_old_file_print(const struct nmibt_old_files *files, unsigned int i, FILE *out)
{
	const struct nmibt_old_file *file = &files->files[i];
	uint64_t end = 0;
	bool is_inside = false; /* of a line */

	for (size_t k = 0; k < file->nr; k++) {
		const struct nmibt_old_piece *piece = &files->pieces[file->first + k];
		/* Pieces of a sound record do not overlap. */
		uint64_t known = end > piece->at ? end - piece->at : 0;

		if (known >= piece->data.len)
			continue;
		if (piece->at > end)
			fprintf(out, "%s[at least %" PRIu64 " bytes are not in the record]\n",
				is_inside ? "\n" : "", piece->at - end);
		print_lines((struct nmibt_str){piece->data.s + known, piece->data.len - known},
			    out);
		is_inside = piece->data.s[piece->data.len - 1] != '\n';
		if (__builtin_add_overflow(piece->at, piece->data.len, &end))
			break;
	}
	if (is_inside)
		putc('\n', out);
}
