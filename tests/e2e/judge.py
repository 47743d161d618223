# SPDX-License-Identifier: GPL-2.0-or-later
"""The checks themselves: each must complain of a described capture that is wrong in one thing."""

import types

import checks
import death
import slots
import texts

TITLE = "CPU: %d UID: 0 PID: 9 Comm: task %s 7.2.13-nmibt #1"
TAINTED = "Tainted: G           O      "
REAL = death.SET_TO_S


# RFLAGS
IRQS_ON, IRQS_OFF = 0x246, 0x46


class Slot(types.SimpleNamespace):
    """A slot that is whole, but for what is given."""

    def __init__(self, cpu, text="", state="DONE", how="NMI", flags=("REGS",), nested="", **given):
        text = text.encode()
        super().__init__(**{
            "cpu": cpu, "state_name": "NMI_CAPTURE_SLOT_" + state,
            "how_name": "NMI_CAPTURE_BY_" + how, "flag_names": set(flags), "asked_flag_names": set(),
            "text": text, "nested": nested.encode(), "room": text + b"\0",
            "text_len": len(text), "text_size": len(text) + 1,
            "lost_bytes": 0, "lost_msgs": 0, "begin_again": 0, "regs": [*range(18), IRQS_ON, *range(19, 34)],
            "asked_ns": 5, "begun_ns": 6, "done_ns": 7} | given)

    def lines(self):
        return slots.log_lines(self.text)


def text_of(cpu, *registers):
    """Registers: (name, value). The others are those of the slot."""
    values = checks.REGISTERS["x86_64"] | dict(registers)
    return "".join("%s\n" % line for line in (
        "NMI backtrace for cpu %d" % cpu, TITLE % (cpu, "Not tainted"), "RIP: 0010:idle+0x1/0x2",
        *("%s: %016x" % item for item in values.items()), "Call Trace:", " <TASK>", " </TASK>"))


def descriptor(**given):
    return types.SimpleNamespace(**{
        "panic_cpu": 1, "from_cpu": 1, "taint": 0x1000, "asked_local_ns": 3_050_000_000,
        "asked_real_ns": (REAL * 1000 + 1500) * 1_000_000, "flag_names": set()} | given)


def log_of(*lines):
    return "".join("[%12.6f] %s\r\n" % line for line in lines)


PANIC = (3.0, "Kernel panic - not syncing: words")
OOPS = (2.9, "Oops: Oops: 0002 [#1] SMP")
OWN = (3.01, TITLE % (1, TAINTED))
LOG = ((1.0, "Run /init as init process"), (2.0, "nmibt_panic: loading"))


def taint_cases():
    own, die = Slot(1, TITLE % (1, TAINTED) + "\n", how="SELF"), (2.95, TITLE % (1, TAINTED))
    said = "the descriptor's taint is %#x, the console's %#x"
    for about, lines, captured, taint, wanted in (
            ("the taint of the panic's trace", (PANIC, OWN), [], 0x1000, []),
            ("no taint", (PANIC, (3.1, TITLE % (1, "Not tainted"))), [], 0, []),
            ("a taint that is missing", (PANIC, OWN), [], 0, [said % (0, 0x1000)]),
            ("a taint too many", (PANIC, OWN), [], 0x1200, [said % (0x1200, 0x1000)]),
            ("a taint that die() sets before the panic's trace", (PANIC, OWN), [], 0x1080,
             [said % (0x1080, 0x1000)]),
            ("one that die() sets behind its report", (die, PANIC), [], 0x1080, []),
            ("another one behind a report", (die, PANIC), [], 0x1001, [said % (0x1001, 0x1000)]),
            ("die() to kdump", (OOPS, die), [], 0x1000, []),
            ("die() to kdump, a taint too many", (OOPS, die), [], 0x1080, [said % (0x1080, 0x1000)]),
            ("another CPU's trace", (PANIC, (3.0, TITLE % (2, TAINTED))), [], 0, []),
            ("a doubled letter", (PANIC, (3.0, TITLE % (1, "TTainted: GG    OO"))), [], 0x1000, []),
            ("the taint of the slot", (PANIC,), [None, own], 0x1000, []),
            ("a taint that the slot has not", (PANIC,), [None, own], 0x3000,
             ["the descriptor's taint is 0x3000, that of its CPU's slot 0x1000"])):
        yield about, death.check_taint(descriptor(taint=taint), captured, log_of(*lines)), wanted


def clock_cases():
    begin, behind = (*LOG, PANIC), (3.1, "SMP: stopping secondary CPUs")
    crash_kexec = {"flag_names": {"CRASH_KEXEC"}}
    for about, lines, local, real, wanted, *given in (
            ("the clocks", (*begin, behind), 3.05, 1.5, []),
            ("die() could not start kdump", (*LOG, OOPS, PANIC, behind), 2.95, 1.5, [], crash_kexec),
            ("die() did not try to", (*LOG, OOPS, PANIC, behind), 2.95, 1.5,
             ["asked at 2.950000, before the panic's line at 3.000000"]),
            ("it is early in such a die()", (*LOG, OOPS, PANIC, behind), 2.8, 1.5,
             ["asked at 2.800000, before the panic's line at 2.900000"], crash_kexec),
            ("the log's clock is early", (*begin, behind), 2.9, 1.5,
             ["asked at 2.900000, before the panic's line at 3.000000"]),
            ("it is early in die()", (*LOG, OOPS, behind), 2.8, 1.5,
             ["asked at 2.800000, before the panic's line at 2.900000"]),
            ("it is late", (*begin, behind), 3.2, 1.5,
             ["asked at 3.200000, behind the line at 3.100000: SMP: stopping secondary CPUs"]),
            ("real time is early", begin, 3.05, 0.5,
             ["by real time 0.500000 s passed since init set the clock, not 1.050000 to 2.050000"]),
            ("real time is late", begin, 3.05, 2.5,
             ["by real time 2.500000 s passed since init set the clock, not 1.050000 to 2.050000"]),
            ("real time is of another year", begin, 3.05, -REAL,
             ["by real time %d.000000 s passed since init set the clock, not 1.050000 to 2.050000" %
              -REAL])):
        desc = descriptor(asked_local_ns=round(local * 1e9),
                          asked_real_ns=(REAL * 1000 + round(real * 1000)) * 1_000_000,
                          **dict(*given))
        yield about, death.check_clocks(desc, log_of(*lines)), wanted


def slot_cases():
    differs = ["CPU 2: RAX is a in the slot, 63 in the text"]
    for about, flags, wanted in (
            ("registers of a second CPU in die()", ["REGS"], differs),
            ("registers that are of the capture itself", ["REGS", "NO_REGS_SELF"], [])):
        slot = Slot(2, text_of(2, ("RAX", 0x63)), how="SELF", flags=flags)
        yield about, checks.check_registers("x86_64", {}, [slot]), wanted
    for about, rflags, flags, wanted in (
            ("interrupts on", IRQS_ON, ["REGS"], []),
            ("interrupts off", IRQS_OFF, ["REGS", "IRQS_OFF"], []),
            ("interrupts off, and nothing says so", IRQS_OFF, ["REGS"],
             ["CPU 2: irqs_off is False, and its registers say otherwise"]),
            ("interrupts on, and it says that they are off", IRQS_ON, ["REGS", "IRQS_OFF"],
             ["CPU 2: irqs_off is True, and its registers say otherwise"]),
            ("registers of panic() itself tell nothing of interrupts", IRQS_OFF, ["REGS", "NO_REGS_SELF"], []),
            ("registers of panic() itself, and it says that interrupts are off", IRQS_OFF,
             ["REGS", "NO_REGS_SELF", "IRQS_OFF"], ["CPU 2: irqs_off without registers that tell it"])):
        slot = Slot(2, text_of(2), how="SELF", flags=flags)
        slot.regs[18] = rflags
        yield about, checks.check_registers("x86_64", {}, [slot]), wanted
    for about, pstate, scenario, wanted in (
            ("arm64 masks by priority", 0x5, {}, []),
            ("arm64, PSR_I_BIT is set", 0x85, {}, ["CPU 2: irqs_off is False, and its registers say otherwise"]),
            ("arm64 without pseudo-NMIs", 0x5, {"pseudo_nmi": False}, []),
            ("arm64 without pseudo-NMIs, PSR_I_BIT is set", 0x85, {"pseudo_nmi": False},
             ["CPU 2: irqs_off is False, and its registers say otherwise"])):
        slot = Slot(2, text_of(2), flags=["REGS"])
        slot.regs[33] = pstate
        yield about, checks.check_irqs("arm64", slot, checks.masks_by_priority(scenario)), wanted
    slot = Slot(2, text_of(2), flags=["REGS", "IRQS_OFF"])
    slot.regs[33] = 5
    yield ("arm64 without pseudo-NMIs, and it says that interrupts are off",
           checks.check_irqs("arm64", slot, False), ["CPU 2: irqs_off is True, and its registers say otherwise"])
    for about, given, wanted in (
            ("an answer", {}, []),
            ("an answer before the request", {"begun_ns": 4}, ["CPU 2: began before it was asked"]),
            ("a CPU that panicked before", {"begun_ns": 4, "asked_ns": 0, "how": "SELF"}, []),
            ("messages within nested ones are lost", {"lost_msgs": 2, "nested": "a fault"}, []),
            ("messages are lost within nothing", {"lost_msgs": 2},
             ["CPU 2: lost 0 bytes and 2 messages, overflow flag is False"]),
            ("bytes are lost, and nothing says so", {"lost_bytes": 2, "nested": "a fault"},
             ["CPU 2: lost 2 bytes and 0 messages, overflow flag is False"])):
        slot = Slot(2, text_of(2), **given)
        yield about, checks.check_text("x86_64", {}, descriptor(), [slot]), wanted


FAULT = "BUG: kernel NULL pointer dereference, address: 0000000000000028\nRAX: %016x\n" % 0x63
IN_TITLE = {"script": "module nmibt_fault symbol=nmi_cpu_backtrace_show cpu=1"}
BEHIND_TITLE = {"script": "module nmibt_fault symbol=show_regs cpu=1"}
AT_FIRST = {"script": "module nmibt_fault symbol=ktime_get_mono_fast_ns cpu=3 always=1"}


def partial_cases():
    title = "NMI backtrace for cpu 3\n"
    for about, scenario, text, flags, wanted in (
            ("a fault before the title", IN_TITLE, FAULT, ["REGS"], []),
            ("a fault behind the title", BEHIND_TITLE, title + FAULT, ["REGS"], []),
            ("nothing of the fault", BEHIND_TITLE, title, ["REGS"], []),
            ("the title is lost", BEHIND_TITLE, FAULT, ["REGS"],
             ["CPU 3: no title before the fault"]),
            ("the text is lost", BEHIND_TITLE, "", ["REGS"], ["CPU 3: no title before the fault"]),
            ("a line that can't be there", IN_TITLE, title + FAULT, ["REGS"],
             ["CPU 3: has 'NMI backtrace for cpu 3' before the fault"]),
            ("the registers are lost", IN_TITLE, FAULT, [],
             ["CPU 3: no registers of before the fault"]),
            ("a fault before all", AT_FIRST, FAULT, [], []),
            ("registers that can't be there", AT_FIRST, FAULT, ["REGS"],
             ["CPU 3: has registers of before the fault"]),
            ("registers before the fault are others", BEHIND_TITLE,
             text_of(3, ("RBX", 0x62)) + FAULT, ["REGS"],
             ["CPU 3: RBX is 5 in the slot, 62 in the text"])):
        slot = Slot(3, text, state="BEGUN", flags=flags)
        yield about, checks.check_partial("x86_64", scenario, [slot]), wanted


def drain_cases():
    cut = Slot(2, "NMI backtrace for cpu 2\nRIP: 00", flags=["OVERFLOW"], lost_bytes=9, lost_msgs=3)
    idle = Slot(0, "NMI backtrace for cpu 0\n", flags=["IDLE"])
    own = Slot(0, "NMI backtrace for cpu 0\n", flags=["IDLE"], how="SELF")
    lost = "nmi_backtrace: CPU 2 lost %d bytes of its backtrace, 3 messages wholly"
    told = "NMI backtrace for cpu 0 skipped: idling at idle+0x1/0x2"
    for about, slot, console, wanted in (
            ("a loss is told", cut, [*cut.lines(), lost % 9], []),
            ("a loss is not told", cut, cut.lines(), [
                "CPU 2: line 3 of 3 of its slot is %r; the console has 2 lines, it does not come any "
                "more" % (lost % 9)]),
            ("another loss is told", cut, [*cut.lines(), lost % 8], [
                "CPU 2: line 3 of 3 of its slot is %r; line 3 of the console is %r, it does not come "
                "any more" % (lost % 9, lost % 8)]),
            ("an idle CPU", idle, [told], []),
            ("an idle CPU is not told of", idle, [], ["CPU 0: 0 lines tell that it is idle"]),
            ("an idle CPU is printed, too", idle, [told, *idle.lines()],
             ["CPU 0: is idle, and was printed"]),
            ("a CPU that panics while it idles", own, own.lines(), []),
            ("a CPU that panics is told to be idle", own, [told],
             ["CPU 0: no 'NMI backtrace for cpu 0' on the console"])):
        yield about, checks.check_printed(slot, console), wanted


def record_cases():
    patterns = ["Kernel panic - not syncing: words"]
    drained = (5.0, "nmi_backtrace: backtrace of CPU 1, Kernel panic - not syncing: words")
    before, still, behind = (2.0, "a line"), (PANIC[0], "a line"), (4.0, "a line")
    other, log = (PANIC[0], "Kernel panic - not syncing: others"), log_of(PANIC, drained)
    missing = ["no line of the pstore record matches " + patterns[0]]
    for about, lines, wanted in (
            ("the panic's own line", (before, PANIC, drained), []),
            ("the panic's line is lost", (before, drained), missing),
            ("the record begins behind it", (behind, drained), []),
            ("it begins behind it, the clock stood still", (still, drained), []),
            ("it begins with another panic's line", (other, drained), missing),
            ("the drain's title is lost, too", (behind,), missing)):
        record = "Panic#1 Part1\n" + "".join("<0>" + log_of(line) for line in lines)
        yield about, checks.check_record_lines(patterns, record, log), wanted


def text_cases():
    wanted = ["Oops", "Modules linked in: a", "CPU: 2 PID: 1", "Call Trace:", " f+0x1/0x2"]
    for about, lines, may_be in (
            ("all lines", wanted, True), ("the first is missing", wanted[1:], True),
            ("one before the CPU is missing", [wanted[0], *wanted[2:]], True),
            ("the CPU is missing", wanted[3:], False),
            ("one behind the CPU is missing", [*wanted[:3], wanted[4]], False),
            ("one before the CPU is another", ["Bug", *wanted[2:]], False),
            ("the CPU is another", [*wanted[:2], "CPU: 3 PID: 1", *wanted[3:]], False)):
        yield about, texts.lacks_first(lines, wanted), may_be


def test(suite):
    for what, cases in (("taint", taint_cases), ("clocks", clock_cases), ("slot", slot_cases),
                        ("partial slot", partial_cases), ("drain", drain_cases),
                        ("pstore", record_cases), ("console", text_cases)):
        for about, bad, wanted in cases():
            suite.note("judge: %s: %s" % (what, about), [] if bad == wanted else [
                "it says %r, not %r" % (bad, wanted)])
