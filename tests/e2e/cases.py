# SPDX-License-Identifier: GPL-2.0-or-later
"""The cases of the fault matrix, and which scenarios they are: the rows of the table in
docs/kernel.md."""

import hashlib
import os
import re

import runs

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
DOCUMENT = os.path.join(TOP, "docs/kernel.md")

CASES = (
    ("all CPUs idle", ("idle",)),
    ("all busy", ("all-busy",)),
    ("one CPU with interrupts off", ("irqspin", "irqspin-irq")),
    ("several with interrupts off", ("spin-two", "deadlock")),
    ("a CPU deaf even to NMI", ("deaf", "late", "drain-late")),
    ("offline and re-onlined CPUs", ("offline", "online-again")),
    ("more possible than present CPUs", ("possible",)),
    ("two CPUs panic at once", ("two", "two-nmi", "two-die", "two-die-idle", "two-die-fault",
                                "moved", "moved-fault")),
    ("two oops at once", ("two-oops",)),
    ("panic in NMI context", ("panic-nmi", "nmi-panic")),
    ("panic in a hard interrupt", ("panic-irq", "oops-irq")),
    ("panic inside printk(), console locked", ("panic-console",)),
    ("a bad frame pointer under the unwinder", ("panic-bad-frame",)),
    ("a fault in the capture, requester", (
        "fault-self-panic", "fault-self-panic-oops", "fault-self-die", "fault-self-die-oops",
        "fault-self-no-kdump", "fault-self-oops-options", "fault-before-request")),
    ("a fault in the capture, lowest other CPU", ("fault-lowest-panic", "fault-lowest-die")),
    ("a fault in the capture, highest other CPU", (
        "fault-other-panic", "fault-other-panic-oops", "fault-other-die", "fault-other-die-oops",
        "fault-other-report", "fault-begin", "fault-format", "fault-at-stop")),
    ("a second fault behind it", (
        "fault-self-twice-panic", "fault-self-twice-die", "fault-self-always", "fault-self-report",
        "fault-in-report", "fault-drain")),
    ("machine check", ("mce", "mce-one")),
    ("SError", ("serror",)),
    ("synchronous external abort", ("sea", "sea-idle", "sea-survived")),
    ("die() with panic_on_oops", ("oops",)),
    ("crash_kexec_post_notifiers", ("post-notifiers", "post-notifiers-die")),
    ("a kernel stack overflows", ("stack-overflow",)),
    ("no crash kernel", ("drain", "drain-overflow", "drain-never", "drain-deaf", "drain-unfinished")),
    ("no crash kernel, ramoops", ("drain-summary", "drain-asked", "drain-sys-info", "drain-nmi")),
    ("kexec -p in a loop during the panic", (
        "kexec-loop", "kexec-locked", "kexec-locked-fault", "kexec-locked-die",
        "kexec-locked-moved", "kexec-locked-late", "kexec-locked-heir")),
    ("hung-task panic", ("hung-task-panic",)),
    ("soft-lockup panic", ("soft-lockup-panic",)),
    ("hard lockup, buddy detector", ("hard-lockup-panic",)),
    ("RCU stall", ("stall", "stall-irq")),
    ("sysrq-l in flight", ("sysrq-l-in-flight",)),
    ("sysrq-l, no panic", ("sysrq-l", "sysrq-l-irq", "sysrq-l-gicv2", "sysrq-l-hotplug")),
    ("early panic, before the slots", ("panic-early", "no-slots")),
    ("64 CPUs", ("wide-machine",)),
    ("nmi_reason_lock; an NMI of another kind", ("nmi-kept", "nmi-spare")),
    ("HPET is the clock", ("hpet", "hpet-held")),
    ("slots that are too small", ("overflow",)),
    ("the capture is off, or the kernel is a crash kernel", ("capture-off", "crash-kernel")),
    ("KUnit", ("kunit",)),
)
# What QEMU does not provoke: a module does it, or a parameter.
FORCED = {"serror", "sea", "sea-idle", "sea-survived", "nmi-kept", "nmi-spare", "nmi-panic", "hpet",
          "hpet-held", "kexec-locked", "kexec-locked-fault", "kexec-locked-die",
          "kexec-locked-moved", "kexec-locked-late", "kexec-locked-heir", "no-slots",
          "fault-at-stop", "crash-kernel"}

COLUMNS = ["%s %s" % kernel for kernel in runs.KERNELS]
NOT_FOR_IT, NOT_RUN = "–", ""
CELL = re.compile(r"|–|[DPC](/[DPC–]){0,2}")
HEAD = ["Case", "Scenario", *COLUMNS]


# Of a patch, what is no code.
NOT_COMPILED = re.compile(r"diff --git a/(Documentation/|MAINTAINERS )")


def compiled(path):
    """The changes of a patch to what is compiled, as scripts/testbed/build-kernel has them."""
    with open(path, encoding="utf-8") as file:
        changes = re.split(r"^(?=diff --git )", file.read(), flags=re.M)[1:]
    return "".join(change for change in changes if not NOT_COMPILED.match(change))


def patches_of(version):
    """The paths of the patches that are applied, in order."""
    folder = os.path.join(TOP, "kernel/v" + version)
    with open(os.path.join(folder, "series"), encoding="utf-8") as file:
        names = [line.split("#")[0].strip() for line in file]
    return [os.path.join(folder, name) for name in filter(None, names)]


def hash_of_series(version):
    """Over what is compiled of it."""
    digest = hashlib.sha256()
    for path in patches_of(version):
        digest.update(compiled(path).encode())
    return digest.hexdigest()


def series_row():
    """The table's last row, which says with which series each column was run."""
    return ["the series, by its hash", ""] + [hash_of_series(version)[:8] for _, version in runs.KERNELS]


def rows():
    """(case, scenario as the table names it, scenario), in order."""
    for case, names in CASES:
        for name in names:
            yield case, "`%s`%s" % (name, ", forced" * (name in FORCED)), name
            case = ""


def read():
    """The document's lines before the table, its rows as lists of cells, and the lines behind."""
    with open(DOCUMENT, encoding="utf-8") as file:
        lines = file.read().split("\n")
    start = lines.index("| " + " | ".join(HEAD) + " |")
    end = next(at for at in range(start, len(lines)) if not lines[at].startswith("|"))
    cells = [[cell.strip() for cell in line[1:-1].split("|")] for line in lines[start + 2:end]]
    return lines[:start], cells, lines[end:]


def write(filled):
    """filled: {(scenario, column): cell}. Other columns stay as they are where their series is
    still the same."""
    before, cells, behind = read()
    old = {(row[1], column): cell for row in cells
           for column, cell, then, now in zip(COLUMNS, row[2:], cells[-1][2:], series_row()[2:])
           if then == now or cell == NOT_FOR_IT}
    table = ["| %s |" % " | ".join(HEAD), "|---" * len(HEAD) + "|"]
    for case, title, name in rows():
        row = [case, title] + [filled.get((name, column), old.get((title, column), NOT_RUN))
                               for column in COLUMNS]
        table.append("| %s |" % " | ".join(row))
    table.append("| %s |" % " | ".join(series_row()))
    with open(DOCUMENT, "w", encoding="utf-8") as file:
        file.write("\n".join(before + table + behind))
