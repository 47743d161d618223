# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel without the series leaves in a scenario, to which the one with it is compared.

The pristine kernel is Debian's source in the same configuration. Nothing that it leaves may be
missing with the series: the dump, the record in pstore, the lines of the console. A line counts
if every run of the pristine kernel has it, numbers aside: two runs, and up to five before a line
is said to be missing.

What the pristine kernel leaves is kept in the cache for good, under the hash of what made it:
its build, the scenario and the testbed.
"""

import hashlib
import json
import os
import re
import subprocess
import tempfile

import parts

TESTBED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../scripts/testbed")
MADE_BY = ("run-scenario", "init", "lib.sh", "make-initramfs")
FEWEST_RUNS, MOST_RUNS = 2, 5
# What is printed in place of the stock round, by design, and what only tells that the series is
# not there.
DIFFERS = re.compile(r"Sending NMI from CPU|nmi_backtrace: unknown parameter")
# A module that probes a function of the series can't be loaded.
OF_THE_SERIES = "testbed: script failed: insmod"


def masked(line):
    """A line of the console without its time and its numbers."""
    line = re.sub(r"^\[ *\d+\.\d+\](\[ *[TC]\d+\])? ?", "", line.rstrip())
    return re.sub(r"\b(0x)?[0-9a-f]*\d[0-9a-f]*\b", "#", line)


def script_lines(log):
    """The masked lines of a console behind the start of the script."""
    begun = log.partition("testbed: script begins")[2].splitlines()
    lines = {masked(line) for line in begun if not line.startswith("testbed:")}
    return sorted(line for line in lines if line.strip("# ") and not DIFFERS.search(line))


def record_lines(folder):
    """The masked lines of the panic in pstore's record."""
    path = os.path.join(folder, "ramoops")
    if not os.path.exists(path):
        return []
    with open(path, "rb") as file:
        text = file.read()[12:].decode("latin-1")
    _, panic, rest = text.rpartition("Kernel panic - not syncing")
    lines = {masked(line) for line in (panic + rest).splitlines()} if panic else set()
    return sorted(line for line in lines if line.strip("#\0 ") and not DIFFERS.search(line))


def what_it_left(folder):
    with open(os.path.join(folder, "console.log"), errors="replace") as file:
        log = file.read()
    return {"dump": os.path.exists(os.path.join(folder, "vmcore")),
            "record": record_lines(folder), "lines": script_lines(log)}


class Pristine:
    """One pristine kernel; its runs of each scenario are made when they are needed."""

    def __init__(self, arch, version):
        built = subprocess.run([os.path.join(TESTBED, "build-kernel"), arch, version,
                                "--no-series"], stdout=subprocess.PIPE, text=True, check=True)
        self.arch, self.version, self.kernel = arch, version, built.stdout.strip()
        digest = hashlib.sha256(os.path.basename(self.kernel).encode())
        for name in MADE_BY:
            with open(os.path.join(TESTBED, name), "rb") as file:
                digest.update(file.read())
        self.made_by = digest.hexdigest()

    def path_of(self, name, scenario):
        # What tests expect of the capture does not change what this kernel leaves.
        key = json.dumps([self.made_by, name] + [scenario.get(key) for key in (
            "script", "append", "ending", "loaded", "cpus", "maxcpus", "memory", "pstore",
            "pseudo_nmi", "gic", "timeout", "icount", "state", "crashkernel")], sort_keys=True)
        return os.path.join(parts.CACHE, "pristine", hashlib.sha256(key.encode()).hexdigest()[:32])

    def run(self, name):
        """What one run leaves; {"failed": why} where it did not end as it was to."""
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([
                os.path.join(TESTBED, "run-scenario"), self.arch, self.version, name, folder,
                "--kernel", self.kernel], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True)
            if done.returncode:
                return {"failed": (done.stdout.splitlines() or ["run-scenario failed"])[-1]}
            return what_it_left(folder)

    def runs(self, name, scenario, wanted):
        """At least so many runs; those that are kept, and new ones."""
        path = self.path_of(name, scenario)
        runs = []
        if os.path.exists(path):
            with open(path) as file:
                runs = json.load(file)
        while len(runs) < wanted and not (runs and "failed" in runs[-1]):
            runs.append(self.run(name))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=os.path.dirname(path),
                                             delete=False) as file:
                json.dump(runs, file)
            os.replace(file.name, path)
        return runs

    def missing(self, name, scenario, key, have):
        """What all runs have below key, and have has not."""
        wanted = FEWEST_RUNS
        while True:
            runs = self.runs(name, scenario, wanted)
            lost = set.intersection(*(set(run[key]) for run in runs)) - set(have)
            if not lost or len(runs) >= MOST_RUNS:
                return sorted(lost)
            wanted = len(runs) + 1

    def check(self, name, scenario, folder):
        """Complaints about what the kernel with the series has lost, and a note."""
        runs = self.runs(name, scenario, FEWEST_RUNS)
        if "failed" in runs[-1]:
            return [], "pristine: " + ("no such test" if OF_THE_SERIES in runs[-1]["failed"]
                                       else "does not end so")
        left = what_it_left(folder)
        bad = []
        if runs[0]["dump"] and not left["dump"]:
            bad.append("the pristine kernel leaves a dump")
        for key, what in (("record", "the record in pstore"), ("lines", "the console")):
            bad += ["%s lacks what the pristine kernel prints: %s" % (what, line)
                    for line in self.missing(name, scenario, key, left[key])]
        return bad, "pristine: %d lines" % len(runs[0]["lines"])
