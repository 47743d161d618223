# SPDX-License-Identifier: GPL-2.0-or-later
"""What a scenario's capture must show. A check returns a list of complaints."""

import json
import os
import re
import subprocess

import death
import runs
import slots
from consoles import console_lines, stamped_lines, timed_lines, without_twins

# pr_reg's words, by the names that show_regs() prints.
REGISTERS = {
    "x86_64": dict(zip(
        "R15 R14 R13 R12 RBP RBX R11 R10 R09 R08 RAX RCX RDX RSI RDI".split(), range(15))),
    "arm64": {"x%d" % i: i for i in range(31)} | {"sp": 31},
}
PC = {"x86_64": 16, "arm64": 32}
SP = {"x86_64": 19, "arm64": 31}

# The last line of a complete trace of a CPU in the kernel. arm64 can be interrupted where it has
# changed to the next task's stack and not yet to its frame pointer (entry.S: cpu_switch_to(), 7.2).
LAST_LINE = {
    "x86_64": r" </(TASK|IRQ|NMI|ENTRY_TRAMPOLINE)>$",
    "arm64": r" (ret_from_fork|__primary_switched|__secondary_switched|el0t_64_\w+|cpu_switch_to)\+",
}

# A line in the trace of an interrupt that came from user mode.
ENTRY_FROM_USER = {"x86_64": r"^RIP: 0033:", "arm64": r"^ el0t_64_irq\+"}

# Flags that are set only if something was made to go wrong.
EXCEPTIONAL = {"LATE", "OVERFLOW", "FAULTED"}


def outcome(slot):
    """The outcome of a CPU in the words of the design."""
    if slot is None:
        return "excluded"
    if slot.state_name.endswith("EMPTY"):
        return "offline" if "OFFLINE" in slot.asked_flag_names else "not asked"
    if slot.state_name.endswith("ASKED"):
        return "silent"
    if slot.state_name.endswith("BEGUN"):
        return "partial"
    return slot.how_name.removeprefix("NMI_CAPTURE_BY_").lower()


def check_panic(desc, log):
    """What the descriptor says of the panic is what the console has."""
    bad = []
    said = next((line.partition(": ")[2] for line in console_lines(log)
                 if line.startswith("Kernel panic - not syncing: ")), None)
    # Without panic() there is no message: die() on the way to a crash kernel.
    if said is not None and (not desc.text or not without_twins(said).startswith(
            without_twins(desc.text.split("\n")[0]))):
        bad.append("the descriptor's message is %r, the console's %r" % (desc.text, said))
    if desc.message_len != len(desc.message.split(b"\0")[0]) and \
            desc.message_len < len(desc.message):
        bad.append("the message has %d bytes, %r" % (desc.message_len, desc.text))
    if any(desc.message[len(desc.message.split(b"\0")[0]):]):
        bad.append("there are bytes behind the message")
    if not desc.asked_local_ns or not desc.asked_real_ns:
        bad.append("no local or no real time of the request")
    return bad


OF_REQUESTER = ("self", "partial")
# Of the descriptor's flags, those that it has only where the scenario makes them.
UNUSUAL = {"REENTERED", "REGS_ONLY", "NOT_WAITED"}


def check_descriptor(scenario, desc, captured, log):
    bad = []
    if scenario.get("survived"):
        log = log.partition("Kernel panic - not syncing: ")[0]
        bad += ["the message is of another panic: %r" % desc.text] * bool(desc.text)
    bad += check_panic(desc, log) + death.check_taint(desc, captured, log) + \
        death.check_clocks(desc, log)
    state = {slots.C["NMI_CAPTURE_COMPLETE"]: "complete",
             slots.C["NMI_CAPTURE_TIMEOUT"]: "timeout"}.get(desc.state, desc.state)
    if state != scenario.get("state", state):
        bad.append("descriptor's state is %s, not %s" % (state, scenario["state"]))
    wanted = {flag.upper() for flag in scenario.get("flags", [])}
    bad += ["descriptor lacks the flag %s" % flag for flag in sorted(wanted - desc.flag_names)]
    bad += ["descriptor has the flag %s" % flag
            for flag in sorted(UNUSUAL & desc.flag_names - wanted)]
    if desc.desc_size != slots.STRUCTS["nmi_capture_desc"][1] or \
            desc.slot_hdr_size != slots.STRUCTS["nmi_capture_slot"][1]:
        bad.append("sizes differ from capture.h")
    if len(captured) != scenario.get("possible", scenario.get("cpus", 4)):
        bad.append("%d slots" % len(captured))
    waited_ms = (desc.finished_ns - desc.asked_ns) / 1e6
    # On a loaded host the poll that sees the end of the timeout may come late.
    gave_up = "NOT_WAITED" in desc.flag_names
    # Behind a second fault the clock is not looked at.
    if (gave_up and "REENTERED" in desc.flag_names) == bool(desc.finished_ns) or \
            not gave_up and not 0 < waited_ms < 2 * desc.timeout_ms:
        bad.append("waited %.1f ms, the bound is %d" % (waited_ms, desc.timeout_ms))
    if state == "timeout" and not gave_up and waited_ms < desc.timeout_ms:
        bad.append("gave up after %.1f ms of %d" % (waited_ms, desc.timeout_ms))
    if not 0 <= desc.panic_cpu < len(captured) or \
            captured[desc.panic_cpu] is None or \
            outcome(captured[desc.panic_cpu]) not in scenario.get("of_requester", OF_REQUESTER):
        bad.append("panic_cpu %d did not capture itself" % desc.panic_cpu)
    if desc.from_cpu != scenario.get("from_cpu", desc.panic_cpu):
        bad.append("the panic is from CPU %d" % desc.from_cpu)
    return bad


def from_user(arch, slot):
    """True if the CPU was hit in user mode, or in an interrupt from user mode."""
    return "USER" in slot.flag_names or any(
        re.search(ENTRY_FROM_USER[arch], line) for line in slot.lines())


def has_flag(arch, slot, flag):
    """True if the slot has the flag, or one of scenarios.toml's further properties."""
    if flag == "from_user":
        return from_user(arch, slot)
    if flag == "own_regs":
        return "NO_REGS_SELF" not in slot.flag_names
    return flag.upper() in slot.flag_names


def check_idle(captured):
    return ["CPU %d: idle with process %d" % (slot.cpu, slot.pid)
            for slot in filter(None, captured) if "IDLE" in slot.flag_names and slot.pid]


def check_outcomes(arch, scenario, captured):
    """Checks outcomes, flags and texts."""
    bad = []
    for cpu, expected in enumerate(scenario.get("outcomes", [])):
        slot = captured[cpu]
        wanted, *flags = expected.split()
        if outcome(slot) not in wanted.replace("_", " ").split("|"):
            bad.append("CPU %d: outcome %s, not %s" % (cpu, outcome(slot), wanted))
            continue
        for flag in flags:
            if not has_flag(arch, slot, flag):
                bad.append("CPU %d: no flag %s" % (cpu, flag))
        may_be_late = ["late"] if "stop" in wanted.split("|")[1:] else []
        for flag in EXCEPTIONAL & slot.flag_names - set(
                map(str.upper, flags + [wanted] + may_be_late)):
            bad.append("CPU %d: flag %s" % (cpu, flag.lower()))
    for key, text in (("text", "text"), ("text_not", "text"), ("nested", "nested")):
        for cpu, pattern in scenario.get(key, {}).items():
            lines = slots.log_lines(getattr(captured[int(cpu)], text))
            if any(re.search(pattern, line) for line in lines) != (key != "text_not"):
                bad.append("CPU %s, %s: %s" % (cpu, key, pattern))
    return bad


def has_no_frames(arch, slot):
    """True if an NMI hit x86's entry code before it has loaded the kernel's stack
    (arch/x86/entry/entry_64.S: entry_SYSCALL_64(), 7.2): there is nothing to unwind."""
    return arch == "x86_64" and not slot.regs[SP[arch]] >> 63 and \
        slot.lines()[-1].endswith("Call Trace:")


def check_text(arch, scenario, desc, captured):
    """Every text is complete, or says what is missing."""
    bad = []
    for slot in filter(None, captured):
        def complain(what):
            bad.append("CPU %d: %s" % (slot.cpu, what))

        overflow = "OVERFLOW" in slot.flag_names
        # Of what is printed within what is printed within a message only the number is known.
        if bool(slot.lost_bytes) != overflow or slot.lost_msgs and not (overflow or slot.nested):
            complain("lost %d bytes and %d messages, overflow flag is %s" % (
                slot.lost_bytes, slot.lost_msgs, overflow))
        # Only what the capture prints is diverted.
        if b"Kernel panic - not syncing" in slot.text + slot.nested:
            complain("a panic's message is in it")
        if slot.begin_again:
            complain("%d second begins" % slot.begin_again)
        # One that was not asked panics itself, or is stopped.
        if slot.begun_ns and slot.begun_ns < slot.asked_ns:
            complain("began before it was asked")
        if outcome(slot) not in ("nmi", "irq", "self", "stop"):
            continue
        if not slot.asked_ns and outcome(slot) in ("nmi", "irq"):
            complain("answered without having been asked")
        if not 0 < slot.begun_ns <= slot.done_ns:
            complain("times are out of order")
        if "REGS" not in slot.flag_names:
            complain("no registers")
        if len(slot.room) > slot.text_len and slot.room[slot.text_len]:
            complain("unpublished bytes behind a finished text")
        lines = slot.lines()
        # A CPU that is being stopped stores its registers only, and so do all after a
        # hardware error.
        if outcome(slot) == "stop" or "REGS_ONLY" in desc.flag_names | slot.flag_names:
            if lines:
                complain("has text, and only its registers were taken")
            continue
        if not lines or not lines[0].endswith("NMI backtrace for cpu %d" % slot.cpu):
            complain("does not begin with its title")
        if overflow:
            if slot.text_len != slot.text_size - 1:
                complain("overflowed with %d of %d bytes" % (slot.text_len, slot.text_size))
            continue
        if not slot.text.endswith(b"\n"):
            complain("its last line is cut: %r" % lines[-1:])
        last = scenario.get("ends", {}).get(str(slot.cpu), LAST_LINE[arch])
        if "USER" not in slot.flag_names and lines and not re.search(last, lines[-1]) and \
                not has_no_frames(arch, slot):
            complain("the trace ends in the middle, at %x: %r" % (
                slot.regs[PC[arch]], lines[-1:]))
    return bad


# The first line of a fault's report.
FAULT = re.compile(r"^(BUG: |Unable to handle kernel |Internal error: |Oops: )")
# Where a fault may be made to happen: the clock is read before anything is stored, and the function
# that prints a trace's title is called behind the registers.
READS_CLOCK = "ktime_get_mono_fast_ns"
PRINTS_TITLE = "nmi_cpu_backtrace_show"


def before_fault(slot):
    """The lines of a partial slot that its capture has printed before it faulted."""
    lines = slot.lines()
    return lines[:next((number for number, line in enumerate(lines) if FAULT.search(line)), None)]


def check_partial(arch, scenario, captured):
    """What a CPU had stored before the fault that broke off its capture is still there."""
    bad, found = [], re.search(r"\bsymbol=(\w+)", scenario.get("script", ""))
    faults_in = found and found[1]
    for slot in filter(None, captured):
        if outcome(slot) != "partial":
            continue
        lines = before_fault(slot)
        if ("REGS" in slot.flag_names) == (faults_in == READS_CLOCK):
            bad.append("CPU %d: %s registers of before the fault" % (
                slot.cpu, "has" if faults_in == READS_CLOCK else "no"))
        if faults_in in (READS_CLOCK, PRINTS_TITLE):
            if lines:
                bad.append("CPU %d: has %r before the fault" % (slot.cpu, lines[0]))
        elif not lines or not lines[0].endswith("NMI backtrace for cpu %d" % slot.cpu):
            bad.append("CPU %d: no title before the fault" % slot.cpu)
        bad += differing_registers(arch, slot, lines)
    return bad


def in_user_mode(arch, slot):
    """True if the registers are of user mode, by CS's privilege level or pstate's mode."""
    if arch == "x86_64":
        return slot.regs[17] & 3 == 3
    return slot.regs[33] & 0xf == 0


def had_irqs_on(arch, slot, masks_by_priority):
    """True if the registers say it, by RFLAGS.IF or PSR_I_BIT. None: they don't tell, where arm64 masks
    interrupts by priority (arch/arm64/include/asm/ptrace.h: interrupts_enabled(), 6.12)."""
    if arch == "x86_64":
        return bool(slot.regs[18] & 0x200)
    if slot.regs[33] & 0x80:
        return False
    return None if masks_by_priority else True


def check_irqs(arch, slot, masks_by_priority):
    """The flag irqs_off is what the registers say, and not there where they are of panic() itself."""
    has_flag_off = "IRQS_OFF" in slot.flag_names
    on = had_irqs_on(arch, slot, masks_by_priority)
    if "NO_REGS_SELF" in slot.flag_names or "REGS" not in slot.flag_names:
        return ["CPU %d: irqs_off without registers that tell it" % slot.cpu] * has_flag_off
    if on is None or has_flag_off != on:
        return []
    return ["CPU %d: irqs_off is %s, and its registers say otherwise" % (slot.cpu, has_flag_off)]


def printed_registers(arch, lines):
    """Name and value of each register in the printed text."""
    text = "\n".join(lines)
    found = {}
    for name, value in re.findall(r"\b([A-Za-z]\w+) ?: (?:[0-9a-f]{4}:)?([0-9a-f]{16})\b", text):
        if name in REGISTERS[arch]:
            found.setdefault(name, int(value, 16))
    return found


def masks_by_priority(scenario):
    """arm64 does, where it has pseudo-NMIs."""
    return scenario.get("pseudo_nmi", True) and scenario.get("gic", 3) >= 3


def check_registers(arch, scenario, captured):
    """The slot's registers are those that the same CPU printed."""
    bad = []
    for slot in filter(None, captured):
        if "REGS" in slot.flag_names and \
                in_user_mode(arch, slot) != ("USER" in slot.flag_names):
            bad.append("CPU %d: the flag user is not what its registers say" % slot.cpu)
        bad += check_irqs(arch, slot, masks_by_priority(scenario))
        if not prints_registers(slot) or "OVERFLOW" in slot.flag_names:
            continue
        printed = printed_registers(arch, slot.lines())
        if len(printed) < 15:
            bad.append("CPU %d: only %d registers in its text" % (slot.cpu, len(printed)))
        bad += differing_registers(arch, slot, slot.lines())
    return bad


def prints_registers(slot):
    """True if its text begins with the registers of the interrupted context: one that panics has some
    only if it died of an exception (lib/nmi_backtrace.c: nmi_cpu_backtrace_show())."""
    if outcome(slot) == "self":
        return not {"NO_REGS_SELF", "REGS_ONLY"} & slot.flag_names
    return outcome(slot) in ("nmi", "irq")


def differing_registers(arch, slot, lines):
    return ["CPU %d: %s is %x in the slot, %x in the text" % (
        slot.cpu, name, slot.regs[REGISTERS[arch][name]], value)
        for name, value in printed_registers(arch, lines).items()
        if slot.regs[REGISTERS[arch][name]] != value]


def check_console(scenario, log):
    """The lines that the scenario expects, in order, and the silence after them."""
    wanted = scenario.get("console", [])
    lines, last = timed_lines(log), None
    for pattern in [wanted] if isinstance(wanted, str) else wanted:
        last = next((at for at, line in lines if re.search(pattern, line)), None)
        if last is None:
            return ["no further line of the console matches %s" % pattern]
    if "quiet" in scenario:
        panic = next((at for at, line in lines if line.startswith("Kernel panic - not syncing")), 0)
        if panic - last < scenario["quiet"]:
            return ["the panic came %.3f s after the last of them" % (panic - last)]
    return ["no line of the console matches %s" % pattern
            for pattern in scenario.get("console_each", [])
            if not any(re.search(pattern, line) for _, line in timed_lines(log))] + [
        "%r is on the console" % line for pattern in scenario.get("console_not", [])
        for _, line in timed_lines(log) if re.search(pattern, line)]


def nmibt_on(*arguments):
    """The panic, who panicked, and the lines of each CPU, as nmibt's report has them."""
    tool = os.path.join(runs.TESTBED, "../../build/nmibt")
    done = subprocess.run([tool, "-j", "-o", *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, errors="replace", timeout=600)
    if done.returncode not in (0, 3):
        raise ValueError("nmibt on %s: exit code %d, %s" % (
            arguments[-1], done.returncode, done.stderr))
    report, lines = json.loads(done.stdout), {}
    for cpu in report["cpus"]:
        lines.setdefault(cpu["cpu"], set()).update(
            line["text"] for line in (cpu["text"] or {}).get("lines", ()))
    death = report["death"] or {}
    return death.get("message"), death.get("reporter"), lines


def check_record(folder):
    """nmibt says of ramoops' record what it says of the log in the dump, and no more."""
    _, header, text = runs.record_text(folder).partition("\n")
    if not header:
        return ["there is no record in ramoops"]
    path = os.path.join(folder, "dmesg-ramoops-0")
    with open(path, "w", encoding="latin-1") as file:
        file.write(text.rstrip("\0"))
    try:
        message, reporter, lines = nmibt_on(path)
        of_dump = nmibt_on("-S", "log", os.path.join(folder, "vmcore"))
    except ValueError as error:
        return [str(error)]
    # The beginning of the panic may be overwritten.
    bad = ["the record's panic is %s, by CPU %s" % (message, reporter)] * (
        message is not None and (message, reporter) != of_dump[:2])
    return bad + ["CPU %d has a line that is not in the dump: %s" % (cpu, line)
                  for cpu in lines for line in lines[cpu] - of_dump[2].get(cpu, set())]


def check_pstore(scenario, folder):
    """Each of the patterns matches a line of ramoops' record of the panic."""
    bad = check_record(folder) if scenario.get("pstore") else []
    with open(os.path.join(folder, "console.log"), errors="replace") as file:
        log = file.read()
    return bad + check_record_lines(scenario.get("pstore", []), runs.record_text(folder), log)


# Of the CPU that panics; it has the panic's words.
DRAIN_TITLE = re.compile(r"nmi_backtrace: backtrace of CPU \d+, ")


def check_record_lines(patterns, record, log):
    """A line of the record matches each of them. The drain's title is one of these lines only where
    the record begins behind the panic's own line, for which it has no room."""
    lines = re.sub(r"^<\d+>", "", record, flags=re.M)
    stamped = list(stamped_lines(lines))
    panic = next((at for at, line in stamped_lines(log) if death.PANIC.search(line)), None)
    # The clock of a guest on a loaded host stands still at times: the time alone does not tell.
    is_cut = (bool(stamped) and panic is not None and stamped[0][0] >= panic and
              not any(death.PANIC.search(line) for _, line in stamped))
    lines = [line for line in lines.splitlines() if is_cut or not DRAIN_TITLE.search(line)]
    return ["no line of the pstore record matches %s" % pattern for pattern in patterns
            if not any(re.search(pattern, line) for line in lines)]


def check_drain(scenario, captured, log):
    """What the drain printed on the console: every slot, line by line, or none of them."""
    console = console_lines(log)
    if scenario.get("prints") == "all":
        return [bad for slot in filter(None, captured) for bad in check_printed(slot, console)]
    if scenario.get("prints") == "summary":
        return check_not_printed(console)
    return []


def check_not_printed(console):
    titles = ((number, re.search(r"NMI backtrace for cpu (\d+)", line))
              for number, line in enumerate(console, 1))
    return ["CPU %s was printed, in line %d of the console" % (title[1], number)
            for number, title in titles if title]


def check_printed(slot, console):
    lines = slot.lines() + slots.log_lines(slot.nested)
    # A CPU that panics in an NMI in its idle loop is printed in full.
    if lines and "IDLE" in slot.flag_names and outcome(slot) != "self":
        skipped = "NMI backtrace for cpu %d skipped: idling at " % slot.cpu
        told = sum(line.startswith(skipped) for line in console)
        return ["CPU %d: %d lines tell that it is idle" % (slot.cpu, told)] * (told != 1) + \
            ["CPU %d: is idle, and was printed" % slot.cpu] * (lines[0] in console)
    if "OVERFLOW" in slot.flag_names:
        lines.append("nmi_backtrace: CPU %d lost %d bytes of its backtrace, %d messages wholly" % (
            slot.cpu, slot.lost_bytes, slot.lost_msgs))
    starts = [i for i, line in enumerate(console) if lines and line == lines[0]]
    if lines and not starts:
        return ["CPU %d: no %r on the console" % (slot.cpu, lines[0])]
    return check_lines(slot.cpu, lines, console, starts[-1]) if lines else []


def check_lines(cpu, lines, console, start):
    """The lines stand on the console from its line start on, without others in between."""
    for number, line in enumerate(lines):
        at = start + number
        if at < len(console) and console[at] == line:
            continue
        there = "line %d of the console is %r" % (at + 1, console[at]) if at < len(console) \
            else "the console has %d lines" % len(console)
        later = "it comes in line %d" % (console.index(line, at) + 1) if line in console[at:] \
            else "it does not come any more"
        return ["CPU %d: line %d of %d of its slot is %r; %s, %s" % (
            cpu, number + 1, len(lines), line, there, later)]
    return []


# The series' suites of KUnit tests.
KUNIT_SUITES = ["nmi_backtrace_capture_request", "nmi_backtrace_capture_slot"]


def check_kunit(log):
    """KUnit's TAP output: all suites of the series closed with "ok", and no case failed."""
    log = "\n".join(console_lines(log))
    failed = re.findall(r"^    not ok \d+ (\w+)", log, re.MULTILINE)
    closed = re.findall(r"^ok \d+ (nmi_backtrace_\w+)$", log, re.MULTILINE)
    bad = ["KUnit case failed: " + name for name in failed]
    if sorted(closed) != KUNIT_SUITES:
        bad.append("KUnit suites that ended well: %s" % (" ".join(closed) or "none"))
    return bad


def check_no_capture(path):
    """The dump of a kernel that was told not to capture."""
    try:
        desc, _ = slots.capture(path)
    except slots.NoCapture:
        return []
    return ["there is a capture, state %d" % desc.state]
