# SPDX-License-Identifier: GPL-2.0-or-later
"""What the descriptor says of the time and the taint of a panic, compared with the console."""

import re

from consoles import console_lines, stamped_lines, without_twins

# By bit: Documentation/admin-guide/tainted-kernels.rst, 7.2. G stands where bit 0 is not set.
TAINTS = "PFSRMBUDAWCIOELKXTNJ"
# The line of a trace that has the taint (lib/dump_stack.c: dump_stack_print_info(), 7.2).
TITLE = re.compile(r"\bCPU: (\d+) .*\bCom: .*?\b(?:Not tainted|Tainted: ([A-Z ]+))")
# A report is printed before these are set: by die() (arch/*/kernel/: oops_end(), die()), by a lockup
# (kernel/watchdog.c: watchdog_timer_fn()), and the panic follows.
SET_BEHIND_A_REPORT = "DL"

PANIC = re.compile(r"^Kernel panic - not syncing: ")
OOPS = re.compile(r"^(BUG: |Unable to handle kernel |Oops: |Internal error: )")
# What is printed when the capture is over.
BEHIND = re.compile(r"^(nmi_backtrace: (captured|backtrace of|CPU \d)|SMP: stopping secondary CPUs|"
                    r"Starting crashdump kernel|---\[ end Kernel panic)")
# What is printed when init has set the clock.
BY_SCRIPT = re.compile(r"^(nmibt_\w+|sysrq): ")

# scripts/testbed/init sets the clock to the start of 2026, once it runs.
SET_TO_S = 1767225600
INIT_BEGINS = "Run /init as init process"
# The clock of the log is calibrated once more behind the boot (arch/x86/kernel/tsc.c:
# tsc_refine_calibration_work(), 7.2) and then runs a little faster or slower than real time.
RATES_DIFFER = 0.002


def mask_of(letters):
    """The taint mask for the letters of a trace's title."""
    return sum(1 << TAINTS.index(letter) for letter in set(letters) - set("G "))


def titles(lines):
    """(number of the line, CPU, taint mask) of each trace."""
    for number, line in enumerate(lines):
        if found := TITLE.search(without_twins(line)):
            yield number, found[1], mask_of(found[2] or "")


def first(lines, pattern, start=0):
    """The number of the first such line, None if there is none."""
    return next((number for number, line in enumerate(lines[start:], start)
                 if pattern.search(line)), None)


def taint_on_console(desc, lines):
    """The mask of the panic's own trace, and the bits that may be set behind it; None where the
    console has no trace."""
    # Not the report of a fault in the capture.
    panic = first(lines, PANIC)
    begin = first(lines, OOPS) if panic is None else panic
    if begin is None:
        return None
    end = first(lines, BEHIND, begin)
    of_it = {without_twins(str(desc.panic_cpu)), without_twins(str(desc.from_cpu))}
    for number, cpu, mask in titles(lines[:end]):
        if number > begin and cpu in of_it:
            return mask, 0
    # Where an oops was printed panic() prints no trace (kernel/panic.c: vpanic(), 7.2).
    before = [mask for number, _, mask in titles(lines[:begin])]
    return (before[-1], mask_of(SET_BEHIND_A_REPORT)) if before else None


def check_taint(desc, captured, log):
    """The mask is that of the panic's trace on the console, and of the trace in the slot."""
    bad, lines = [], console_lines(log)
    known = taint_on_console(desc, lines)
    if known and (desc.taint ^ known[0]) & ~known[1]:
        bad.append("the descriptor's taint is %#x, the console's %#x" % (desc.taint, known[0]))
    own = captured[desc.panic_cpu] if desc.panic_cpu < len(captured) else None
    # Another CPU may fault in its capture meanwhile.
    in_slot = next(titles(own.lines()), None) if own else None
    if in_slot and (desc.taint ^ in_slot[2]) & ~mask_of("D"):
        bad.append("the descriptor's taint is %#x, that of its CPU's slot %#x" % (
            desc.taint, in_slot[2]))
    return bad


def begin_of(desc, timed, asked):
    """The number of the panic's first line, or of the oops' that goes to kdump. That does so, too,
    where the crash kernel then does not start, and panic() follows, seconds later."""
    lines = [line for _, line in timed]
    panic, oops = first(lines, PANIC), first(lines, OOPS)
    if panic is None or oops is None:
        return oops if panic is None else panic
    is_by_die = "CRASH_KEXEC" in desc.flag_names and oops < panic and asked < timed[panic][0]
    return oops if is_by_die else panic


def check_clocks(desc, log):
    """The request was between the panic's first line and the first one behind the capture, by the
    log's clock; and by real time as long after init set that."""
    timed = stamped_lines(log)
    lines = [line for _, line in timed]
    asked = desc.asked_local_ns / 1e9
    begin = begin_of(desc, timed, asked)
    end = None if begin is None else first(lines, BEHIND, begin)
    bad = []
    if begin is not None and asked < timed[begin][0]:
        bad.append("asked at %.6f, before the panic's line at %.6f" % (asked, timed[begin][0]))
    # Of the stamp the last digit is not rounded.
    if end is not None and asked >= timed[end][0] + 1e-6:
        bad.append("asked at %.6f, behind the line at %.6f: %s" % (asked, *timed[end]))
    return bad + check_real(desc, timed, lines, asked)


def check_real(desc, timed, lines, asked):
    since_set = desc.asked_real_ns / 1e9 - SET_TO_S
    init = first(lines, re.compile("^" + INIT_BEGINS))
    if init is None:
        return []
    script = first(lines, BY_SCRIPT, init)
    most = asked - timed[init][0]
    least = 0 if script is None else max(0, asked - timed[script][0])
    slack = RATES_DIFFER * most
    return [] if least - slack <= since_set <= most + slack else [
        "by real time %.6f s passed since init set the clock, not %.6f to %.6f" % (
            since_set, least, most)]
