# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares the output of `crash> nmibt` and of the offline tool with tests/e2e/slots.py."""

import difflib
import json
import os
import re
import subprocess
import sys
import tempfile

import checks
import slots

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
sys.path.insert(0, os.path.join(TOP, "tests"))
import addr2line  # noqa: E402

# Time limit of each program, in s, which must do on a host that runs other things, too.
TIMEOUT = 480

# The oldest crash that can open such a dump.
CRASH = {("arm64", "7.2"): "arm64", ("x86_64", "7.2"): "sid",
         ("arm64", "6.12"): "arm64", ("x86_64", "6.12"): "trixie",
         ("arm64", "6.1"): "arm64", ("x86_64", "6.1"): "system"}


def has_crash(arch, version):
    """True if the crash for these dumps is there and need not be built."""
    return not subprocess.run([os.path.join(TOP, "scripts/crash-env"), "--cached",
                               CRASH[arch, version]], stdout=subprocess.DEVNULL).returncode


def nmibt(arch, version, folder, kernel, option=""):
    """Runs nmibt in crash on the dump in folder, and returns its output."""
    name = CRASH[arch, version]
    made = subprocess.run([os.path.join(TOP, "scripts/crash-env"), name], check=True,
                          stdout=subprocess.PIPE, text=True)
    crash = made.stdout.strip()
    out = os.path.join("build", "crash-" + name)
    subprocess.run(["make", "-s", "O=" + out, "CRASH_INCLUDE=%s/include" % crash,
                    "CRASH_TARGET=" + ("ARM64" if arch == "arm64" else "X86_64"), "%s/nmibt.so" % out],
                   cwd=TOP, check=True)
    with tempfile.TemporaryDirectory() as work:
        commands = os.path.join(work, "commands")
        with open(commands, "w") as file:
            file.write("extend %s/%s/nmibt.so\nnmibt %s > %s/out\nquit\n" %
                       (TOP, out, option, work))
        done = subprocess.run(
            [os.path.join(crash, "crash"), "-s", "--minimal", "-i", commands,
             os.path.join(kernel, "vmlinux"), os.path.join(folder, "vmcore")],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=TIMEOUT, text=True, errors="replace")
        try:
            with open(os.path.join(work, "out"), errors="replace") as file:
                return file.read() or done.stdout
        except FileNotFoundError:
            return done.stdout


def check_cpu(slot, section):
    """Compares one CPU's section of the output with its slot."""
    said, wanted = section.split()[1], checks.outcome(slot)
    # The CPU that panics has done so, whatever its slot holds. QEMU's dump has registers of all.
    if said != wanted and (said, wanted) not in (("self", "not asked"), ("registers", "not asked")):
        return ["nmibt: CPU %d is %s, not %s" % (slot.cpu, said, wanted)]
    text, _, nested = section.partition("\n[printed meanwhile")
    for area, shown in ((slot.text, text), (slot.nested, nested)):
        shown = [line[4:] for line in shown.splitlines()[1:] if line.startswith("    ")]
        # A torn tail may follow them.
        for number, line in enumerate(slots.log_lines(area)):
            if not shown or not shown.pop(0).startswith(line):
                return ["nmibt: CPU %d, line %d is not %r" % (slot.cpu, number + 1, line)]
    if slot.note_regs and "at the stop" not in section:
        return ["nmibt: CPU %d has no registers of the stop" % slot.cpu]
    if slot.lost_bytes and "%d bytes did not fit" % slot.lost_bytes not in section:
        return ["nmibt: CPU %d: the loss is not said" % slot.cpu]
    return []


def tool(folder):
    """The output of the offline tool, without crash and without a vmlinux; complaints."""
    subprocess.run(["make", "-s", "build/nmibt"], cwd=TOP, check=True)
    done = subprocess.run([os.path.join(TOP, "build/nmibt"), os.path.join(folder, "vmcore")],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT,
                          text=True, errors="replace")
    return done.stdout, [] if done.returncode in (0, 3) else [
        "nmibt: exit status %d: %s" % (done.returncode, done.stdout)]


def is_same_line(in_crash, by_tool):
    """Crash has symbols of modules. The tool names a pc in a module only by a text that has
    the same pc, and shows its number otherwise."""
    names = iter(re.findall(r"[\w.]+\+0x[0-9a-f]+(?:/0x[0-9a-f]+)? \[\w+\]", in_crash))
    named = re.sub(r"\b(?:0x)?ffff[0-9a-f]{12}\b", lambda match: next(names, match[0]), by_tool)
    return in_crash.split() == named.split()


def check_same(in_crash, by_tool):
    theirs, ours = in_crash.splitlines(), by_tool.splitlines()
    is_unsure = False
    for i, line in enumerate(ours[:len(theirs)]):
        if is_same_line(theirs[i], line) or is_unsure and is_same_line(
                theirs[i], line.replace("     ? ", "     ", 1)):
            # Without a module's unwind data the tool is not sure of what comes behind its frame.
            is_unsure = line.startswith("     ") and (is_unsure or "]  [interrupted here]" in theirs[i])
            ours[i] = theirs[i]
    return ["the tool says otherwise than the extension:"] + list(difflib.unified_diff(
        theirs, ours, "crash", "tool", lineterm="", n=0)) if theirs != ours else []


def without_stopped(captured, output):
    """Without the CPUs that left nothing but registers: their stacks have the names of a module's
    functions only in crash, which has symbols of modules."""
    stopped = [slot.cpu for slot in captured
               if slot and (checks.outcome(slot) == "stop" or "REGS_ONLY" in slot.flag_names)]
    return "".join(section for section in re.split(r"^(?=CPU \d+  )", output, flags=re.MULTILINE)
                   if not any(section.startswith("CPU %d " % cpu) for cpu in stopped))


def comparable(value):
    """The lines of the document, without members that depend on the front end."""
    def strip(value):
        if isinstance(value, list):
            return [strip(item) for item in value]
        if not isinstance(value, dict):
            return value
        # The tool unwinds arm64 with the vmlinux's tables, crash with frame pointers only.
        # An address may have several symbols, and the front ends may choose different ones.
        return {key: strip(item) for key, item in value.items()
                if key not in ("reliable", "stack_hash") and
                not (key.startswith("function_") and "address" in value) and
                (key != "source" or isinstance(item, str))}
    value = strip(value)
    for source in "symbol", "scan":
        value["sources"].pop(source, None)
    return json.dumps(value, indent=1).splitlines()


def check_same_facts(in_crash, document):
    """For a hypervisor's dump, in which only a vmlinux tells the task of a CPU: crash has one, so
    the tool gets it, too."""
    try:
        theirs = comparable(json.loads(in_crash))
    except ValueError:
        return ["nmibt in crash: " + in_crash]
    return list(difflib.unified_diff(theirs, comparable(document), "crash", "tool", lineterm="",
                                     n=1))


def document_of(folder, vmlinux):
    done = subprocess.run([os.path.join(TOP, "build/nmibt"), "-j", "--vmlinux", vmlinux,
                           os.path.join(folder, "vmcore")], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, timeout=TIMEOUT)
    return json.loads(done.stdout)


def drgn(vmcore, vmlinux, script):
    """Runs a script in sid's drgn: older ones do not know 7.2."""
    made = subprocess.run([os.path.join(TOP, "scripts/suite-packages"), "sid", "amd64",
                           "python3-drgn"], check=True, stdout=subprocess.PIPE, text=True)
    root = made.stdout.strip() + "/root"
    libraries = root + "/usr/lib/x86_64-linux-gnu"
    return subprocess.run(
        [libraries + "/ld-linux-x86-64.so.2", "--library-path", libraries,
         root + "/usr/bin/python3", root + "/usr/bin/drgn", "-q", "-c", vmcore, "-s", vmlinux,
         os.path.join(TOP, "tests/e2e", script)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=TIMEOUT, text=True,
        env={**os.environ, "PYTHONHOME": root + "/usr"})


def check_notes(scenario, folder, vmlinux, document):
    """Compares the registers at the stop with drgn's, which reads memory independently."""
    if not scenario.get("drgn"):
        return []
    done = drgn(os.path.join(folder, "vmcore"), vmlinux, "notes.drgn")
    if done.returncode:
        return ["drgn: " + done.stderr]
    theirs = {int(cpu): words for cpu, words in json.loads(done.stdout).items()}
    ours = {}
    for cpu in document["cpus"]:
        stopped = cpu["registers"]["stop"]
        ours[cpu["cpu"]] = stopped and [int(word, 16) for word in stopped["values"].values()]
    missed = [cpu for cpu, words in ours.items() if not words]
    return ["CPU %d at the stop: %s, drgn: %s" % (cpu, ours.get(cpu), words)
            for cpu, words in theirs.items() if ours.get(cpu) != words] + \
        ([] if len(missed) == scenario.get("missed", 0) else
         ["CPUs %s missed the stop" % missed])


def check_lines(scenario, vmlinux, document):
    """With the vmlinux: compares file, line and inlined functions with addr2line's."""
    bad, compared, inlined = addr2line.compare(document, {None: addr2line.Binary(vmlinux)})
    if scenario.get("places") and (compared < scenario["places"] or not inlined):
        bad.append("nmibt: %d places, of which %d inlined" % (compared, inlined))
    return bad


def check_locks(folder, output):
    """If the console names the lock that a CPU will want, nmibt must find that lock."""
    with open(os.path.join(folder, "console.log"), errors="replace") as file:
        said = re.search(r"nmibt_lock: (CPU \d+ will want.*)", file.read())
    wanted = re.findall(r"CPU (\d+) (?:will want )?([0-9a-f]{16})", said[1]) if said else []
    return ["nmibt: CPU %s does not spin on %s" % (cpu, lock) for cpu, lock in wanted
            if not re.search("^spins on +CPU %s .*0x%s " % (cpu, lock), output, re.M)]


def check_stall(folder, output):
    """If RCU names CPUs that it waits for, nmibt must report them as stuck, unless RCU itself doubts it, as it
    does of a CPU that idles (kernel/rcu/tree_stall.h: print_cpu_stall_info(), 7.2)."""
    with open(os.path.join(folder, "console.log"), errors="replace") as file:
        named = re.search(r"rcu: \t(\d+)-(?!.*\(false positive\?\))", file.read())
    return ["nmibt: the CPUs that RCU misses are not named"] \
        if named and not re.search(r"^stuck +CPUs? .*  RCU stall", output, re.M) else []


def check(arch, version, scenario, folder, kernel, captured, in_crash):
    """Complaints about nmibt's output, CPU by CPU."""
    output, bad = tool(folder)
    bad += check_locks(folder, output) + check_stall(folder, output)
    vmlinux = os.path.join(kernel, "vmlinux")
    document = document_of(folder, vmlinux)
    if in_crash and scenario["ending"] == "panic":
        bad += check_same_facts(nmibt(arch, version, folder, kernel, "-j"), document)
    elif in_crash:
        bad += check_same(*(without_stopped(captured, text) for text in
                            (nmibt(arch, version, folder, kernel), output)))
    bad += check_lines(scenario, vmlinux, document)
    bad += check_notes(scenario, folder, vmlinux, document)
    bad += ["nmibt: no line of its output matches %s" % pattern
            for pattern in scenario.get("says", []) if not re.search(pattern, output, re.M)]
    # A section begins with the CPU's number and its outcome.
    sections = {int(section.split()[0]): section for section in
                re.split(r"^CPU (?=\d+  )", output, flags=re.MULTILINE)[1:]}
    for slot in filter(None, captured):
        if slot.cpu not in sections:
            return ["nmibt: CPU %d is missing:\n%s" % (slot.cpu, output)]
        bad += check_cpu(slot, sections[slot.cpu])
    return bad
