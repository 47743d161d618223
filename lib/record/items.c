// SPDX-License-Identifier: GPL-2.0-or-later
/* The items of a chunk. */
#include "record/record.h"

struct nmibt_error *nmibt_bytes_add(struct nmibt_bytes *to, const void *data, size_t len)
{
	if (len > to->room - to->len) {
		size_t room = 2 * to->room + len + 256;
		char *s = realloc(to->s, room);

		if (!s)
			return nmibt_error_nomem();
		to->s = s;
		to->room = room;
	}
	if (len)
		memcpy(to->s + to->len, data, len);
	to->len += len;
	return NULL;
}

#define MAX_NUMBER 10 /* bytes */

static size_t write_number(char *to, uint64_t number)
{
	size_t len = 0;

	for (; number > 0x7f; number >>= 7)
		to[len++] = 0x80 | (number & 0x7f);
	to[len++] = number;
	return len;
}

struct nmibt_error *nmibt_bytes_add_number(struct nmibt_bytes *to, uint64_t number)
{
	char bytes[MAX_NUMBER];

	return nmibt_bytes_add(to, bytes, write_number(bytes, number));
}

bool nmibt_take_number(struct nmibt_str *cursor, uint64_t *ret)
{
	uint64_t number = 0;

	for (size_t i = 0; i < 10 && i < cursor->len; i++) {
		uint64_t bits = (unsigned char)cursor->s[i] & 0x7f;

		if (i == 9 && bits > 1)
			return false;
		number |= bits << (7 * i);
		if ((unsigned char)cursor->s[i] & 0x80)
			continue;
		cursor->s += i + 1;
		cursor->len -= i + 1;
		*ret = number;
		return true;
	}
	return false;
}

/* The numbers of an item, before its data. */
static size_t numbers_of(const struct nmibt_item *item, uint64_t last, uint64_t ret[2])
{
	switch (item->kind) {
	case NMIBT_ITEM_MEMORY:
		ret[0] = nmibt_fold(item->key - last);
		return 1;
	case NMIBT_ITEM_NAME:
	case NMIBT_ITEM_SYMBOL:
	case NMIBT_ITEM_LAYOUT:
	case NMIBT_ITEM_DROPPED:
	case NMIBT_ITEM_NOTES:
		ret[0] = item->key;
		return 1;
	case NMIBT_ITEM_STACK:
	case NMIBT_ITEM_UNREADABLE:
		ret[0] = item->key;
		ret[1] = item->second;
		return 2;
	case NMIBT_ITEM_FILE:
		ret[0] = item->key;
		ret[1] = item->name.len;
		return 2;
	default:
		return 0;
	}
}

/* Every item is its kind, its length, and so many bytes: numbers, then data. */
struct nmibt_error *nmibt_item_add(struct nmibt_bytes *to, const struct nmibt_item *item,
				   uint64_t *last)
{
	char numbers[2 * MAX_NUMBER], head[2 * MAX_NUMBER];
	uint64_t values[2];
	size_t nr = numbers_of(item, *last, values), len = 0, head_len;
	size_t name_len = item->kind == NMIBT_ITEM_FILE ? item->name.len : 0;

	for (size_t i = 0; i < nr; i++)
		len += write_number(numbers + len, values[i]);
	head_len = write_number(head, item->kind);
	head_len += write_number(head + head_len, len + name_len + item->data.len);
	struct nmibt_error *err = nmibt_bytes_add(to, head, head_len);
	if (!err)
		err = nmibt_bytes_add(to, numbers, len);
	if (!err)
		err = nmibt_bytes_add(to, item->name.s, name_len);
	if (!err)
		err = nmibt_bytes_add(to, item->data.s, item->data.len);
	if (item->kind == NMIBT_ITEM_MEMORY)
		*last = item->key + item->data.len;
	return err;
}

/* Takes the numbers of an item, and its name; what is left of data is the item's data. */
static bool take_parts(struct nmibt_item *item, uint64_t *last)
{
	struct nmibt_str *data = &item->data;
	uint64_t len;

	switch (item->kind) {
	case NMIBT_ITEM_TEXT:
	case NMIBT_ITEM_VMCOREINFO:
	case NMIBT_ITEM_SUMMARY:
		return true;
	case NMIBT_ITEM_MEMORY:
		if (!nmibt_take_number(data, &item->key))
			return false;
		item->key = *last + nmibt_unfold(item->key);
		*last = item->key + data->len;
		return data->len && item->key <= UINT64_MAX - data->len;
	case NMIBT_ITEM_NAME:
	case NMIBT_ITEM_SYMBOL:
	case NMIBT_ITEM_LAYOUT:
	case NMIBT_ITEM_DROPPED:
	case NMIBT_ITEM_NOTES:
		return nmibt_take_number(data, &item->key);
	case NMIBT_ITEM_STACK:
	case NMIBT_ITEM_UNREADABLE:
		return nmibt_take_number(data, &item->key) &&
		       nmibt_take_number(data, &item->second);
	case NMIBT_ITEM_FILE:
		if (!nmibt_take_number(data, &item->key) || !nmibt_take_number(data, &len) ||
		    len > data->len)
			return false;
		item->name = (struct nmibt_str){data->s, len};
		*data = (struct nmibt_str){data->s + len, data->len - len};
		return true;
	case NMIBT_ITEM_END:
		break;
	}
	return false;
}

bool nmibt_item_next(struct nmibt_str *cursor, uint64_t *last, struct nmibt_item *ret)
{
	uint64_t kind, len;

	while (nmibt_take_number(cursor, &kind) && nmibt_take_number(cursor, &len) &&
	       len <= cursor->len) {
		*ret = (struct nmibt_item){.kind = kind, .data = {cursor->s, len}};
		cursor->s += len;
		cursor->len -= len;
		if (kind >= NMIBT_ITEM_TEXT && kind < NMIBT_ITEM_END)
			return take_parts(ret, last);
	}
	return false;
}
