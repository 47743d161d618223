// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The message of a panic: what it says, and whether the log or the capture has it.
 */
#include "report/report.h"

#define TITLE "Kernel panic - not syncing: "

/* A message may begin with a newline. Then the kernel prints its title alone on a line. */
static struct nmibt_str first_line(const char *message)
{
	const char *line = message + strspn(message, "\n");

	return (struct nmibt_str){line, strcspn(line, "\n")};
}

struct nmibt_str nmibt_panic_words(const char *message)
{
	struct nmibt_str words = nmibt_str_of(message ?: "");

	nmibt_skip(&words, TITLE);
	return first_line(words.s);
}

/* ------------------------------------------------------------- came from outside */

#define BY_NMI "took an NMI that an operator, a hypervisor or hardware sent"
#define BY_DIAGNOSTIC "took a diagnostic interrupt that an operator or firmware sent"
#define BY_WATCHDOG "found that a watchdog device had not been fed in time"

/*
 * Panics that come from outside of the kernel. Which CPU takes them is chance, and why it happened
 * is nowhere on its stack: arch/x86/kernel/nmi.c: pci_serr_error(), io_check_error(),
 * unknown_nmi_error(), drivers/watchdog/hpwdt.c: hpwdt_pretimeout() (for an NMI by the button of
 * the iLO, by its watchdog, or by a bus), drivers/acpi/arm64/agdi.c,
 * drivers/soc/fujitsu/a64fx-diag.c, drivers/char/ipmi/ipmi_watchdog.c, drivers/watchdog/softdog.c,
 * pretimeout_panic.c, sbsa_gwdt.c, orion_wdt.c, intel-mid_wdt.c; 6.12.
 */
static const struct {
	const char *words; /* the first line of what panic() was given */
	const char *how;
} outside[] = {
	{"NMI: Not continuing", BY_NMI},
	{"NMI IOCK error: Not continuing", BY_NMI},
	{"An NMI occurred. Depending on your system the reason for the NMI is logged in any one of "
	 "the following resources:",
	 BY_NMI},
	{"Arm Generic Diagnostic Dump and Reset SDEI event issued", BY_DIAGNOSTIC},
	{"a64fx_diag: interrupt received", BY_DIAGNOSTIC},
	{"Watchdog pre-timeout", BY_WATCHDOG},
	{"pre-timeout", BY_NMI}, /* ipmi_watchdog takes any NMI that nobody else handles */
	{"watchdog pretimeout event", BY_WATCHDOG},
	{"Software Watchdog Timer expired", BY_WATCHDOG},
	{"SBSA Generic Watchdog timeout", BY_WATCHDOG},
	{"Watchdog Timeout", BY_WATCHDOG},
	{"Kernel Watchdog", BY_WATCHDOG},
};

/* hpwdt puts two hexadecimal digits and a colon before its own words. */
static void skip_hex_prefix(struct nmibt_str *words)
{
	struct nmibt_str rest = *words;
	uint64_t number;

	if (nmibt_take_hex(&rest, 2, &number) && words->len - rest.len == 2 &&
	    nmibt_skip(&rest, ": "))
		*words = rest;
}

/* A driver's own panic may have some of these words, so they must be all of the message. */
const char *nmibt_from_outside(struct nmibt_str words)
{
	skip_hex_prefix(&words);
	for (size_t i = 0; i < ARRAY_SIZE(outside); i++) {
		if (nmibt_str_is(words, outside[i].words))
			return outside[i].how;
	}
	return NULL;
}

/* ------------------------------------------------------------- the log or the capture */

static bool starts_with(struct nmibt_str s, struct nmibt_str start)
{
	return s.len >= start.len && !memcmp(s.s, start.s, start.len);
}

/* The first line of the message in the descriptor. *ret_is_cut: its end is missing. */
static struct nmibt_str captured_words(const struct nmibt_capture *capture, bool *ret_is_cut)
{
	struct nmibt_str words = first_line((const char *)capture->desc.message);

	*ret_is_cut = capture->is_message_cut && !words.s[words.len];
	return words;
}

/* Makes the text that the kernel prints of the message in the descriptor. */
static struct nmibt_error *format_captured(const struct nmibt_capture *capture, char **ret)
{
	char *text;

	if (asprintf(&text, TITLE "%s%s", (const char *)capture->desc.message,
		     capture->is_message_cut ? "..." : "") < 0)
		return nmibt_error_nomem();
	*ret = text;
	return NULL;
}

struct nmibt_error *nmibt_find_message(const struct nmibt_report *report, struct nmibt_death *death)
{
	const struct nmibt_capture *capture = &report->sources->capture;
	bool is_cut;

	if (death->printout)
		death->message = report->sources->log->printouts[death->printout - 1].message;
	struct nmibt_str captured = captured_words(capture, &is_cut);
	if (!death->by_capture || !captured.len)
		return NULL;
	struct nmibt_error *err = format_captured(capture, &death->captured);
	if (err)
		return err;
	struct nmibt_str logged = nmibt_panic_words(death->message);
	death->is_message_captured =
		!death->message || (captured.len > logged.len && starts_with(captured, logged));
	if (death->is_message_captured)
		death->message = death->captured;
	else
		death->is_message_disputed =
			!starts_with(logged, captured) || (!is_cut && logged.len > captured.len);
	return NULL;
}
