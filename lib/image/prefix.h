/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stands before the kernel's text in a line of a printed log: what the kernel puts there itself,
 * and what programs put there that took the line from it, one around the other, in any order.
 */
#ifndef NMIBT_PREFIX_H
#define NMIBT_PREFIX_H

#include "image/image.h"

/* Reads what the kernel itself puts before a line: "<6>[   12.345678][   C16] ", or the parts of it
 * that its settings leave (kernel/printk/printk.c: info_print_prefix(), 6.12). False: there is
 * nothing of it. */
bool nmibt_take_log_prefix(struct nmibt_str *line, struct nmibt_log_prefix *ret);

/* Of ASCII, whatever the locale is. Each line has several. */
static inline bool nmibt_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Never 0. */
uint64_t nmibt_hash_of(struct nmibt_str s);

/* What nmibt_take_wrapping() knows of the lines before. Empty at first. */
struct nmibt_wrapping {
	/* The machine that syslog's lines of the kernel name: "Nov 21 12:00:00 HOST kernel: ", as a hash,
	 * and the length of its name. 0: none was seen. It tells lines of programs from text. */
	uint64_t host;
	unsigned int host_len;
	bool is_behind_kmsg; /* lines " KEY=value" may follow */
	unsigned int indent; /* spaces before each line of a text without times */
	unsigned int nr_short; /* lines in a row that have fewer */
};

/*
 * As nmibt_take_log_prefix(), with whatever programs put there: marks of quoted mail, times of serial
 * consoles and of containers, syslog, journalctl, dmesg in all its ways, /dev/kmsg and netconsole.
 * *ret is empty at first.
 */
bool nmibt_take_wrapping(struct nmibt_wrapping *state, struct nmibt_str *line,
			 struct nmibt_log_prefix *ret);

/*
 * Skips the spaces and tabs by which someone indented a whole text that has no times. Lines with which the kernel begins no
 * line but at its margin tell how many these are, until a line has less.
 */
void nmibt_unindent(struct nmibt_wrapping *state, struct nmibt_str *line);

/* Skips a time of day with its date, or without: "2023-10-13T02:51:12.123+00:00", "Nov 21 12:00:00",
 * "Fri Sep  3 07:30:00 2021", "02:51:12". */
bool nmibt_skip_date(struct nmibt_str *cursor);

#endif /* NMIBT_PREFIX_H */
