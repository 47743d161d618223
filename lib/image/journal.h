/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entries of systemd's journal as text: journalctl -o json, a line for each, and -o export, lines
 * FIELD=value up to an empty one (systemd's docs/JOURNAL_EXPORT_FORMATS.md, 257).
 */
#ifndef NMIBT_JOURNAL_H
#define NMIBT_JOURNAL_H

#include "image/image.h"

/* What is known of an entry so far; empty at first. */
struct nmibt_journal_entry {
	bool has_message;
	size_t len; /* of the message, which is in the buffer */
	bool has_transport, is_of_kernel;
	bool has_level, has_facility;
	unsigned int level, facility;
	bool has_time, has_received;
	uint64_t us, received_us; /* when the kernel printed it; when the journal got it */
	uint64_t boot; /* a hash of _BOOT_ID; 0: not known */
};

/* Takes a field. The message goes to buf, and is cut to room bytes. */
void nmibt_journal_take(struct nmibt_journal_entry *entry, struct nmibt_str name,
			struct nmibt_str value, char *buf, size_t room);
/* Takes all fields of an object in JSON. False: the line is none, or has no message. */
bool nmibt_journal_read_json(struct nmibt_str line, struct nmibt_journal_entry *ret, char *buf,
			     size_t room);
/* What stands before the message. */
void nmibt_journal_prefix(const struct nmibt_journal_entry *entry, struct nmibt_log_prefix *ret);

#endif /* NMIBT_JOURNAL_H */
