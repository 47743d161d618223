// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The case: which machine and kernel it was, when it died, and which setting made it panic.
 */
#include "report/report.h"

/* struct new_utsname, include/uapi/linux/utsname.h (6.12): six strings of 65 bytes. */
#define UTS_LEN 65
/* In struct uts_namespace the name is first, or behind a reference count (include/linux/utsname.h,
 * 6.12 and 5.10). */
#define MAX_NAME_OFFSET 16

char *nmibt_read_host(struct nmibt_kernel *kernel)
{
	char names[MAX_NAME_OFFSET + 2 * UTS_LEN];
	const struct nmibt_number *at = &kernel->vmcoreinfo.init_uts_ns;

	if (!at->known ||
	    nmibt_kernel_read(kernel, at->value, names, sizeof(names)) != NMIBT_READ_OK)
		return NULL;
	for (size_t i = 0; i < MAX_NAME_OFFSET; i += 4) {
		const char *host = names + i + UTS_LEN;

		if (!memcmp(names + i, "Linux", sizeof("Linux")) && *host)
			return strndup(host, UTS_LEN);
	}
	return NULL;
}

/* The setting that turned a report of this kind into a panic. The panic's message shows that the
 * panic came from such a report. */
static const char *setting_of(const struct nmibt_report *report)
{
	const struct nmibt_death *death = &report->death;
	const struct nmibt_log_source *log = report->sources->log;

	if ((!death->printout && !death->is_message_captured) || !death->cause)
		return NULL;
	switch (log->printouts[death->cause - 1].kind) {
	case NMIBT_PRINT_SOFT_LOCKUP: /* kernel/watchdog.c: watchdog_timer_fn(), 6.12 */
		return "kernel.softlockup_panic";
	case NMIBT_PRINT_HARD_LOCKUP: /* kernel/watchdog.c: watchdog_hardlockup_check() */
		return "kernel.hardlockup_panic";
	case NMIBT_PRINT_SELF_STALL: /* kernel/rcu/tree_stall.h: panic_on_rcu_stall() */
	case NMIBT_PRINT_STALL:
		return "kernel.panic_on_rcu_stall";
	case NMIBT_PRINT_HUNG_TASK: /* kernel/hung_task.c */
		return "kernel.hung_task_panic";
	case NMIBT_PRINT_WARNING: /* kernel/panic.c: check_panic_on_warn() */
		return "kernel.panic_on_warn";
	case NMIBT_PRINT_OOPS: /* "Fatal exception in interrupt" needs no setting */
		return strstr(death->message, "Fatal exception") &&
				       !strstr(death->message, "in interrupt")
			       ? "kernel.panic_on_oops"
			       : NULL;
	default:
		return NULL;
	}
}

/* The letters in a taint as printed; "" if there are none. */
static const char *taint_letters(const char *taint)
{
	static const char prefix[] = "Tainted: ";

	return taint && !strncmp(taint, prefix, strlen(prefix)) ? taint + strlen(prefix) : "";
}

char nmibt_next_taint(const char *taint, size_t *at)
{
	const char *letters = taint_letters(taint);

	while (letters[*at] == ' ' || (letters[*at] >= 'A' && letters[*at] <= 'Z')) {
		char letter = letters[(*at)++];

		/* G stands for the absence of P. */
		if (letter != ' ' && letter != 'G')
			return letter;
	}
	return '\0';
}

/* The meaning of the letters in "Tainted: ": kernel/panic.c: taint_flags[], 6.12. */
static const struct {
	char letter;
	const char *words;
} taints[] = {
	/* in the order of their bits */
	{'P', "proprietary module"},
	{'F', "module loaded by force"},
	{'S', "CPU out of spec"},
	{'R', "module unloaded by force"},
	{'M', "machine check"},
	{'B', "bad page"},
	{'U', "user's request"},
	{'D', "died before (oops or BUG)"},
	{'A', "ACPI table overridden"},
	{'W', "warning before"},
	{'C', "staging driver"},
	{'I', "firmware workaround"},
	{'O', "out-of-tree module"},
	{'E', "unsigned module"},
	{'L', "soft lockup before"},
	{'K', "live patch"},
	{'X', "auxiliary"},
	{'T', "randomised structures"},
	{'N', "in-kernel test"},
	{'J', "fwctl"},
};

const char *nmibt_taint_words(char letter)
{
	for (size_t i = 0; i < ARRAY_SIZE(taints); i++) {
		if (taints[i].letter == letter)
			return taints[i].words;
	}
	return NULL;
}

/* Writes the mask as kernel/panic.c: print_tainted() does, 6.12. */
static char *format_taint(uint64_t mask)
{
	static const char title[] = "Tainted: ";
	char *text = malloc(sizeof(title) + ARRAY_SIZE(taints)), *to = text;

	if (!text || !mask)
		return text ? strcpy(text, "Not tainted") : NULL;
	to = stpcpy(to, title);
	for (size_t i = 0; i < ARRAY_SIZE(taints) && mask >> i; i++)
		*to++ = mask & 1ULL << i ? taints[i].letter : i ? ' ' : 'G';
	*to = '\0';
	return text;
}

static bool is_same_taint(const char *a, const char *b)
{
	size_t at_a = 0, at_b = 0;

	for (;;) {
		char letter = nmibt_next_taint(a, &at_a);

		if (letter != nmibt_next_taint(b, &at_b))
			return false;
		if (!letter)
			return true;
	}
}

static bool has_taint(const char *taint, char letter)
{
	size_t at = 0;

	for (char other; (other = nmibt_next_taint(taint, &at));) {
		if (other == letter)
			return true;
	}
	return false;
}

/* True: taint has all letters of a part of it. */
static bool has_all_taints(const char *taint, const char *part)
{
	size_t at = 0;

	for (char letter; (letter = nmibt_next_taint(part, &at));) {
		if (!has_taint(taint, letter))
			return false;
	}
	return true;
}

/* The log has the taint as of its last line that tells it. The capture has it as of its request, but
 * nmibt knows the letters of bits only up to those of its time. */
static void find_taint(const struct nmibt_report *report, struct nmibt_case *ret)
{
	const struct nmibt_log_source *log = report->sources->log;
	uint64_t mask = report->sources->capture.desc.taint;

	ret->taint = log ? log->taint : NULL;
	if (!report->death.by_capture || (report->death.is_capture_anothers && ret->taint))
		return;
	ret->nameless_taint = mask >> ARRAY_SIZE(taints) << ARRAY_SIZE(taints);
	ret->own_taint = format_taint(mask);
	if (!ret->own_taint)
		return;
	if (!ret->taint || !(ret->nameless_taint ? has_all_taints(ret->taint, ret->own_taint)
						 : is_same_taint(ret->taint, ret->own_taint)))
		ret->taint = ret->own_taint;
}

static void find_time(const struct nmibt_report *report, struct nmibt_case *ret)
{
	const struct nmibt_number *crashtime = &report->kernel->vmcoreinfo.crashtime;
	uint64_t asked = nmibt_request_time(&report->sources->capture.desc);

	ret->has_time = crashtime->known;
	ret->time = crashtime->value;
	if (crashtime->known || !report->death.by_capture || !asked ||
	    report->death.is_capture_anothers || report->death.is_capture_older)
		return;
	ret->has_time = true;
	ret->time = asked;
}

/* local_clock() begins at boot, and stands still while the machine is suspended. */
static void find_uptime(const struct nmibt_report *report, struct nmibt_case *ret)
{
	const struct nmibt_log_source *log = report->sources->log;
	const struct nmibt_death *death = &report->death;

	ret->has_uptime = death->has_seq || death->has_request_ns || (log && log->nr_records);
	ret->has_uptime &= !log || !log->has_no_times || death->has_request_ns;
	if (!ret->has_uptime)
		return;
	ret->uptime_ns = death->has_seq		 ? death->ns
			 : death->has_request_ns ? death->request_ns
						 : log->last_ns;
	/* Only the log tells of suspends. */
	ret->is_uptime_least = (!death->has_seq && !death->has_request_ns) || !log ||
			       !log->nr_records || report->nr_suspends;
}

void nmibt_fill_case(const struct nmibt_report *report, struct nmibt_case *ret)
{
	const struct nmibt_vmcoreinfo *info = &report->kernel->vmcoreinfo;
	const struct nmibt_log_source *log = report->sources->log;

	*ret = (struct nmibt_case){
		.host = nmibt_read_host(report->kernel),
		.release = info->osrelease,
		.build_id = info->build_id,
		.setting = setting_of(report),
	};
	find_time(report, ret);
	if (report->is_capture_kernel)
		return;
	ret->hardware = log ? log->hardware : NULL;
	if (!ret->release && log)
		ret->release = log->release;
	find_uptime(report, ret);
	find_taint(report, ret);
}

void nmibt_case_destroy(struct nmibt_case *case_info)
{
	free(case_info->host);
	free(case_info->own_taint);
}
