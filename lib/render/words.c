// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names and words for the text and for JSON.
 */
#include "render/render.h"

static const struct {
	enum nmibt_print kind;
	const char *name, *words;
} prints[] = {
	{NMIBT_PRINT_PANIC, "panic", "panic"},
	{NMIBT_PRINT_OOPS_CAUSE, "oops", "oops"},
	{NMIBT_PRINT_OOPS, "oops", "oops"},
	{NMIBT_PRINT_SOFT_LOCKUP, "soft-lockup", "soft lockup"},
	{NMIBT_PRINT_HARD_LOCKUP, "hard-lockup", "hard lockup"},
	{NMIBT_PRINT_SELF_STALL, "rcu-stall", "RCU stall"},
	{NMIBT_PRINT_STALL, "rcu-stall", "RCU stall"},
	{NMIBT_PRINT_CSD_LOCKUP, "csd-lockup", "CSD lockup"},
	{NMIBT_PRINT_HUNG_TASK, "hung-task", "hung task"},
	{NMIBT_PRINT_STALLED_WORKERS, "stalled-workers", "stalled workers"},
	{NMIBT_PRINT_WARNING, "warning", "warning"},
};

const char *nmibt_print_name(enum nmibt_print kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(prints); i++) {
		if (prints[i].kind == kind)
			return prints[i].name;
	}
	return "other";
}

const char *nmibt_condition_name(const struct nmibt_condition *c)
{
	return nmibt_print_name(c->kind);
}

const char *nmibt_print_words(enum nmibt_print kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(prints); i++) {
		if (prints[i].kind == kind)
			return prints[i].words;
	}
	return "report";
}

const char *nmibt_moment_name(enum nmibt_moment_kind kind)
{
	static const char *const names[NMIBT_NR_MOMENTS] = {
		[NMIBT_MOMENT_FIRST_BAD] = "first-bad",	    [NMIBT_MOMENT_CONDITION] = "condition",
		[NMIBT_MOMENT_OOPS] = "survived-oops",	    [NMIBT_MOMENT_REQUEST] = "request",
		[NMIBT_MOMENT_SUSPEND] = "suspend",	    [NMIBT_MOMENT_DEATH] = "death",
		[NMIBT_MOMENT_DUMP_FAILED] = "dump-failed", [NMIBT_MOMENT_UNENDED_OOPS] = "oops",
	};
	return names[kind];
}

const char *nmibt_moved_name(enum nmibt_moved moved)
{
	static const char *const names[] = {
		[NMIBT_MOVED_UNKNOWN] = "unknown", [NMIBT_MOVED_SAME] = "same-place",
		[NMIBT_MOVED_YES] = "moved",	   [NMIBT_MOVED_IDLE] = "idle",
		[NMIBT_MOVED_SYNTHETIC] = "panic",
	};
	return names[moved];
}

const char *nmibt_note_name(enum nmibt_note note)
{
	static const char *const names[NMIBT_NR_NOTES] = {
		[NMIBT_NOTE_UNKNOWN] = "unknown", [NMIBT_NOTE_PRESENT] = "present",
		[NMIBT_NOTE_NONE] = "none",	  [NMIBT_NOTE_EXCLUDED] = "excluded",
		[NMIBT_NOTE_DAMAGED] = "damaged",
	};
	return names[note];
}

const char *nmibt_end_name(enum nmibt_stack_end end)
{
	static const char *const names[NMIBT_NR_ENDS] = {
		[NMIBT_END_UNKNOWN] = "unknown",   [NMIBT_END_COMPLETE] = "complete",
		[NMIBT_END_USER] = "user-mode",	   [NMIBT_END_UNREADABLE] = "unreadable",
		[NMIBT_END_EXCLUDED] = "excluded", [NMIBT_END_NO_UNWIND_DATA] = "no-unwind-data",
		[NMIBT_END_NONSENSE] = "nonsense", [NMIBT_END_LIMIT] = "limit",
		[NMIBT_END_CUT] = "cut",	   [NMIBT_END_GAP] = "gap",
	};
	return names[end];
}

/* ------------------------------------------------------------------- half sentences */

void nmibt_format_end(const struct nmibt_stack *stack, char *buf, size_t len)
{
	static const struct {
		const char *before, *behind;
	} words[NMIBT_NR_ENDS] = {
		[NMIBT_END_UNREADABLE] = {"memory", " can't be read"},
		[NMIBT_END_EXCLUDED] = {"memory", " is not in the dump"},
		[NMIBT_END_NO_UNWIND_DATA] = {"there is no unwind data for the code", ""},
		[NMIBT_END_NONSENSE] = {"the value", " leads nowhere"},
		[NMIBT_END_LIMIT] = {"there are more frames than nmibt looks at", ""},
		[NMIBT_END_CUT] = {"the rest of the text is missing", ""},
		[NMIBT_END_GAP] = {"records of the log are missing here", ""},
	};
	char at[32] = "";

	*buf = '\0';
	if (!words[stack->end].before)
		return;
	if (stack->end_addr)
		snprintf(at, sizeof(at), " at %#" PRIx64, stack->end_addr);
	else if (stack->end <= NMIBT_END_NONSENSE)
		snprintf(at, sizeof(at), " of its stack");
	snprintf(buf, len, "%s%s%s", words[stack->end].before, at, words[stack->end].behind);
}

/* Of a CPU that has none, where others were stopped. */
static const char *no_note_words(const struct nmibt_report *report, const struct nmibt_cpu *cpu)
{
	/* Where nobody was stopped, or the CPU itself had the others stopped, an empty note
	 * says nothing; nor where the slot was written at the stop. */
	if (!report->has_note)
		return NULL;
	if (cpu->cpu == report->death.reporter || cpu->outcome == NMIBT_OUTCOME_STOP)
		return "it has no crash note";
	return nmibt_was_online(report, cpu) ? "no crash note: it never stopped"
					     : "no crash note: it was offline, or did not stop";
}

static const char *note_words(const struct nmibt_report *report, const struct nmibt_cpu *cpu)
{
	switch (cpu->stop.note) {
	case NMIBT_NOTE_PRESENT:
		return NULL;
	case NMIBT_NOTE_NONE:
		return no_note_words(report, cpu);
	case NMIBT_NOTE_EXCLUDED:
		return nmibt_image_is_record(report->kernel->image)
			       ? "its crash note is not in the record"
			       : "its crash note is not in the dump";
	case NMIBT_NOTE_DAMAGED:
		return "its crash note can't be read";
	case NMIBT_NOTE_UNKNOWN:
		break;
	}
	return report->was_stopped ? "it is not known where its crash note is" : NULL;
}

const char *nmibt_absence_name(enum nmibt_absence absence)
{
	static const char *const names[] = {
		[NMIBT_ABSENCE_UNPLUGGED] = "unplugged",
		[NMIBT_ABSENCE_NOT_STOPPED] = "not-stopped",
	};
	return names[absence];
}

void nmibt_format_note(const struct nmibt_report *report, const struct nmibt_cpu *cpu, char *buf,
		       size_t len)
{
	const char *words = note_words(report, cpu);
	const char *empty =
		report->has_note && cpu->stop.note == NMIBT_NOTE_NONE ? "no crash note: " : "";
	char age[96];

	switch (cpu->absence) {
	case NMIBT_ABSENCE_UNPLUGGED:
		nmibt_format_age(
			report,
			nmibt_age_of(report, NMIBT_CLOCK_LOG, cpu->absence_ns, cpu->absence_seq),
			age, sizeof(age));
		snprintf(buf, len, "%sthe log says that it went offline%s%s", empty,
			 *age ? " " : "", age);
		return;
	case NMIBT_ABSENCE_NOT_STOPPED:
		snprintf(buf, len, "%sthe kernel says that it did not stop", empty);
		return;
	case NMIBT_ABSENCE_NONE:
		break;
	}
	snprintf(buf, len, "%s", words ? words : "");
}

void nmibt_format_since(const struct nmibt_report *report, uint64_t ns, char *buf, size_t len)
{
	uint64_t asked = report->sources->capture.desc.asked_ns;
	int64_t diff = ns - asked;

	*buf = '\0';
	if (asked && ns)
		snprintf(buf, len, "%+.2f ms", diff / 1e6);
}

bool nmibt_have_all_answered(const struct nmibt_report *report)
{
	const struct nmibt_capture *capture = &report->sources->capture;

	if (capture->desc.state != NMI_CAPTURE_COMPLETE || capture->slots_unread ||
	    capture->desc.flags & NMI_CAPTURE_F_REGS_ONLY)
		return false;
	for (unsigned int i = 0; i < report->nr_cpus; i++) {
		const struct nmibt_cpu_brief *b = &report->cpus[i];

		if (!report->possible[i])
			continue;
		switch (b->outcome) {
		case NMIBT_OUTCOME_PARTIAL:
		case NMIBT_OUTCOME_SILENT:
		case NMIBT_OUTCOME_EXCLUDED:
		case NMIBT_OUTCOME_DAMAGED:
			return false;
		default:
			if (b->faulted || b->is_late || b->has_stale_slot)
				return false;
		}
	}
	return true;
}
