# SPDX-License-Identifier: GPL-2.0-or-later
"""The runs of scenarios that are kept: what made them, and what they left.

Under the hash of what made a run, the cache has what each of its runs left as lines, and of one
that went to kdump and passed its tests the dump. The same kernel need not boot again for it.
"""

import functools
import hashlib
import importlib.machinery
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile

import parts

# The kernels with the series.
KERNELS = (("arm64", "7.2"), ("x86_64", "7.2"), ("arm64", "6.12"), ("x86_64", "6.12"),
           ("arm64", "6.1"), ("x86_64", "6.1"))
TESTBED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../scripts/testbed")
MADE_BY = ("run-scenario", "init", "lib.sh", "make-initramfs")
# Of a scenario's table: what is run, and which of its lines are kept. The rest says what tests expect.
OF_THE_RUN = ("script", "append", "ending", "loaded", "cpus", "memory", "pstore", "dump",
              "pseudo_nmi", "gic", "timeout", "icount", "state", "crashkernel", "at_stop",
              "possible", "detector", "compared_from")


def run_scenario():
    """run-scenario as a module."""
    loader = importlib.machinery.SourceFileLoader("run_scenario",
                                                  os.path.join(TESTBED, "run-scenario"))
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader("run_scenario", loader))
    loader.exec_module(module)
    return module


def load_scenarios(arch, version):
    """The scenarios for a kernel with the series, as run-scenario reads them."""
    return {name: scenario for name, scenario in run_scenario().load_scenarios(arch).items()
            if version in scenario.get("versions", [version]) and "fragment" not in scenario}


def build_kernel(arch, version, *options):
    """The folder of the kernel, of which build-kernel prints the name."""
    built = subprocess.run([os.path.join(TESTBED, "build-kernel"), arch, version, *options],
                           stdout=subprocess.PIPE, text=True, check=True)
    return built.stdout.strip()


@functools.cache
def what_makes_runs():
    """Of all runs: a hash of the testbed's scripts, and the versions of the programs."""
    digest = hashlib.sha256()
    for made_by in MADE_BY:
        with open(os.path.join(TESTBED, made_by), "rb") as file:
            digest.update(file.read())
    return [digest.hexdigest(), parts.versions()]


def path_of(kernel, name, scenario):
    """kernel: the folder that build-kernel made, whose name is a hash of what it is built from."""
    key = [what_makes_runs(), os.path.basename(kernel), name,
           [scenario.get(key) or "" for key in OF_THE_RUN]]
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    return os.path.join(parts.CACHE, "runs", digest[:32])


# Printed in place of the stock round, by design, and the round's frames in the trace of the CPU that
# asks for it; what is on a stack and the kernel's unwinder says of with a "?" that it may be of
# calls that are over; that its handler took long; what only tells that the series is not there; the
# head of pstore's record; what the first seconds of a boot find out about its clocks.
DIFFERS = re.compile(
    r"Sending NMI from CPU|nmi_backtrace: unknown parameter|"
    r"^ *\? |^ *(dump_stack(_lvl)?|nmi_cpu_backtrace|nmi_trigger_cpumask_backtrace|sys_info|"
    r"lapic_can_unplug_cpu|arch_trigger_cpumask_backtrace)\+|"
    r"^INFO: NMI handler \(nmi_cpu_backtrace_handler\) took too long|^====|^Panic#|"
    r"^(clocksource|tsc): ")
# The panic's words, and a frame of a trace.
OF_THE_PANIC = re.compile(r"^Kernel panic - not syncing|^ +\S+\+#/#")
# Not where another line names it.
PANIC = re.compile(
    r"^(?:<\d+>)?(?:\[ *\d+\.\d+\](?:\[ *[TC]\d+\])? )?Kernel panic - not syncing", re.M)


def masked(line):
    """A line of the console or of pstore's record without its level, its time and its numbers."""
    line = re.sub(r"^(<\d+>)?\[ *\d+\.\d+\](\[ *[TC]\d+\])? ?", "", line.rstrip())
    # The drain's title of the CPU that panics has the panic's words, where the zone lost the first.
    line = re.sub(r"^nmi_backtrace: backtrace of CPU \d+, (?=Kernel panic)", "", line)
    # Of a loop, the bytes around one instruction or another.
    line = re.sub(r"^Code: .*", "Code: #", line)
    return re.sub(r"\b(0x[0-9a-f]+|[0-9a-f]*\d[0-9a-f]*)\b", "#", line)


def masked_lines(lines):
    lines = {masked(line) for line in lines}
    return sorted(line for line in lines if line.strip("#\0 "))


def record_text(folder):
    """The text of ramoops' record, behind a signature, the start and the length
    (fs/pstore/ram_core.c: struct persistent_ram_buffer); "" where there is no record."""
    path = os.path.join(folder, "ramoops")
    if not os.path.exists(path):
        return ""
    with open(path, "rb") as file:
        return file.read()[12:].decode("latin-1")


def record_lines(folder):
    """The masked lines of pstore's record, from the last panic on if that is in it."""
    text = record_text(folder)
    begins = [found.start() for found in PANIC.finditer(text)] or [0]
    return masked_lines(text[begins[-1]:].splitlines())


# A kernel that could not stop all CPUs warns of it on its way to the crash kernel, with registers and
# a trace (arch/arm64/kernel/machine_kexec.c: machine_kexec(), 6.1). One that can stop them has nothing
# to warn of.
NOT_STOPPED = re.compile(r"^.*-+\[ cut here \]-+\n(?:(?!.*\[ cut here \]).*\n){0,3}"
                         r".*\barch/arm64/kernel/machine_kexec\.c:(?:.*\n)*?.*---\[ end trace .*\n",
                         re.M)


def how_it_ended(scenario, folder):
    """As it was to end; where that was left to chance, as QEMU's dump or kdump's tells."""
    if scenario["ending"] != "either":
        return scenario["ending"]
    return "panic" if os.path.exists(os.path.join(folder, "registers.txt")) else "kdump"


def what_it_left(scenario, folder):
    """Its dump is the one that kdump took: QEMU can always take one."""
    with open(os.path.join(folder, "console.log"), errors="replace") as file:
        log = NOT_STOPPED.sub("", file.read())
    # Where it panics before the script begins, all of it counts.
    begin = scenario.get("compared_from", "testbed: script begins")
    behind = (log.partition(begin)[2] or log).splitlines()
    return {"dump": how_it_ended(scenario, folder) == "kdump", "record": record_lines(folder),
            "lines": masked_lines(line for line in behind if not line.startswith("testbed:"))}


def read_left(path):
    """What the runs left that are kept, oldest first."""
    if not os.path.exists(path + ".json"):
        return []
    with open(path + ".json") as file:
        return json.load(file)


def add_left(path, left):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=os.path.dirname(path), delete=False) as file:
        json.dump(read_left(path) + [left], file)
    os.replace(file.name, path + ".json")


def keep_dump(path, folder):
    """Later checks need not boot the kernel again."""
    shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(folder, path + ".new", dirs_exist_ok=True)
    os.rename(path + ".new", path)


# run-scenario limits how long the machine runs: 90 s on an idle host, 360 s on others. This limit
# is for run-scenario itself and its tools.
HARD_LIMIT = 480
# Its exit status when a kernel did not boot in time.
BOOT_FAILED = 3
# On a starved host x86 finds no timer while it boots, and panics (arch/x86/kernel/apic/io_apic.c:
# check_timer(), 7.2).
NO_TIMER = "Kernel panic - not syncing: IO-APIC + timer doesn't work"


def run_once(arch, version, name, kernel, folder, append):
    """run-scenario's exit status and complaints."""
    command = [os.path.join(TESTBED, "run-scenario"), arch, version, name, folder,
               "--kernel", kernel, "--append=" + append]
    # It gets its own process group, so that QEMU is ended with it.
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, start_new_session=True) as process:
        try:
            output, _ = process.communicate(timeout=HARD_LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            return 1, ["run-scenario hung for %d s and was killed" % HARD_LIMIT,
                       *output.splitlines()[-3:]]
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if not process.returncode:
        return 0, []
    said = [line for line in output.splitlines() if line.startswith("run-scenario:")]
    return process.returncode, said or output.splitlines()[-3:] or ["run-scenario failed"]


def has_no_timer(folder):
    try:
        with open(os.path.join(folder, "console.log"), errors="replace") as file:
            return NO_TIMER in file.read()
    except FileNotFoundError:
        return False


def run(arch, version, name, kernel, folder, append=""):
    """Runs a scenario, once more if it was the machine's failure; complaints, and a note of that."""
    status, bad = run_once(arch, version, name, kernel, folder, append)
    if has_no_timer(folder):
        bad = ["the kernel found no timer while it booted"]
    elif status != BOOT_FAILED:
        return bad, ""
    # The machine was loaded, which is no wrong result: try once more.
    first = ", the first try: " + "; ".join(bad)
    return run_once(arch, version, name, kernel, folder, append)[1], first
