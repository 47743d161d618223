// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Why a CPU has no registers of the stop, where the kernel's own messages tell: it was
 * unplugged, or it did not take the stop.
 */
#include "report/report.h"

/* The capture asks who is online; else the kernel's own mask says it. */
bool nmibt_was_online(const struct nmibt_report *report, const struct nmibt_cpu *cpu)
{
	const struct nmibt_percpu *percpu = report->sources->percpu;

	if (report->sources->has_capture)
		return cpu->outcome != NMIBT_OUTCOME_OFFLINE;
	return percpu && cpu->cpu < percpu->nr && percpu->online[cpu->cpu];
}

static void set(struct nmibt_cpu *cpu, enum nmibt_absence absence, uint64_t ns, uint64_t seq)
{
	cpu->absence = absence;
	cpu->absence_ns = ns;
	cpu->absence_seq = seq;
}

/*
 * arch/arm64/kernel/smp.c: smp_send_stop() lists those that are still online after a second,
 * in 6.1 the CPU that asks among them; crash_smp_send_stop() of 6.1 lists all that it asked,
 * so that only an empty crash note tells who of them did not stop.
 */
static bool is_not_stopped(const struct nmibt_report *report, struct nmibt_cpu *cpu)
{
	const struct nmibt_log_source *log = report->sources->log;

	if (cpu->stop.note != NMIBT_NOTE_NONE || cpu->cpu == report->death.reporter)
		return false;
	for (size_t i = log->nr_events; i > 0; i--) {
		const struct nmibt_log_event *event = &log->events[i - 1];

		if (!nmibt_belongs(report, 0, event->seq))
			break;
		if (event->kind != NMIBT_PRINT_NOT_STOPPED ||
		    !nmibt_cpus_has(&event->cpus, cpu->cpu))
			continue;
		set(cpu, NMIBT_ABSENCE_NOT_STOPPED, event->ts_ns, event->seq);
		return true;
	}
	return false;
}

/* The newest message of this boot says so, and none of before the death can be missing by
 * which it came back. Not every hypervisor's way to start a CPU has a message (arch/x86/xen/
 * smp_pv.c, 6.12), so what the CPU itself printed later tells that it came back, too. */
static bool is_unplugged(const struct nmibt_report *report, const struct nmibt_cpu *cpu)
{
	const struct nmibt_log_source *log = report->sources->log;
	const struct nmibt_hotplug *last = &log->hotplug[cpu->cpu];
	size_t trace = log->newest[cpu->cpu];

	return last->is_known && last->is_offline && last->seq >= log->boot_seq &&
	       report->death.has_seq && last->seq < report->death.seq &&
	       !nmibt_has_gap_behind(log, last->seq) && !nmibt_was_online(report, cpu) &&
	       (!trace || log->traces[trace - 1].last_seq < last->seq);
}

void nmibt_find_absence(const struct nmibt_report *report, struct nmibt_cpu *cpu)
{
	const struct nmibt_log_source *log = report->sources->log;
	enum nmibt_note note = cpu->stop.note;

	if (!log || !nmibt_may_use(report, NMIBT_SOURCE_LOG) || cpu->cpu >= NMIBT_MAX_CPUS ||
	    (note != NMIBT_NOTE_NONE && note != NMIBT_NOTE_UNKNOWN))
		return;
	if (is_not_stopped(report, cpu) || cpu->stop.regs.present || !is_unplugged(report, cpu))
		return;
	set(cpu, NMIBT_ABSENCE_UNPLUGGED, log->hotplug[cpu->cpu].ts_ns, log->hotplug[cpu->cpu].seq);
}
