# SPDX-License-Identifier: GPL-2.0-or-later
"""A suite in parts whose results are kept, so that `make check-kernel` can continue.

A part is one kernel and scenario, or anything else that takes a while and can be tested alone.
As soon as there is a result, it is written to the cache, under the hash of everything that it
depends on. A part with a result is not run again. Only results without a failure are kept.

  suite = Suite("tests/e2e/run", "what it tests")
  suite.use(suite.parser().parse_args())
  suite.part("arm64 6.12", "idle", depends, function)      function calls suite.note()
  return suite.close()

With --smoke only the parts run that were declared with smoke=True, kept or not; the others
are named by lines that begin with "left ", which tests/run collects.
"""

import argparse
import hashlib
import json
import modulefinder
import os
import re
import signal
import subprocess
import sys
import tempfile
import traceback

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "nmibt")

# The results of all parts depend on these, beside the suite itself. Kernels, their configuration
# and their modules are in the name of the folder that build-kernel prints, scenarios in a part's
# depends.
BOOTED = ("include/nmibt/capture.h", "scripts/suite-packages", "scripts/testbed/init",
          "scripts/testbed/lib.sh", "scripts/testbed/make-initramfs",
          "scripts/testbed/run-scenario")
# And on these, of a suite that runs what is built here.
TREE = (*BOOTED, "Makefile", "include", "lib", "extension", "tools", "tests/nmibt-log.c",
        "tests/nmibt-unwind.c", "scripts/crash-env", "scripts/testbed/stock-kernel")
# It is below tools, and no machine is booted for it.
APART = ("tools/triage",)
# Where suites find the modules that they import.
MODULES = ("tests/e2e", "tests", "tests/golden", "testdumps")
# The machine's own programs, by package.
PROGRAMS = ("qemu-system-arm", "qemu-system-x86", "qemu-user-static", "makedumpfile", "crash", "python3-drgn", "gcc")


def files_below(path):
    """Every file in the work tree, without those that Python creates."""
    whole = os.path.join(TOP, path)
    if os.path.isfile(whole):
        yield path
    for folder, folders, names in os.walk(whole):
        below = os.path.relpath(folder, TOP)
        folders[:] = sorted(name for name in folders if name != "__pycache__" and
                            os.path.join(below, name) not in APART)
        for name in sorted(names):
            if not name.endswith(".md") and os.path.join(below, name) not in APART:
                yield os.path.relpath(os.path.join(folder, name), TOP)


def hash_of_files(paths):
    digest = hashlib.sha256()
    for path in paths:
        for name in files_below(path):
            with open(os.path.join(TOP, name), "rb") as file:
                content = hashlib.sha256(file.read()).hexdigest()
            digest.update(("%s %s\n" % (content, name)).encode())
    return digest.hexdigest()


def modules_of(program):
    """The files of a Python program, and of the modules of ours that it imports."""
    finder = modulefinder.ModuleFinder([os.path.join(TOP, folder) for folder in MODULES])
    finder.run_script(os.path.join(TOP, program))
    # It counts a name in a package as a module that is missing, too.
    missing = {name.partition(".")[0] for name in finder.badmodules} - {*finder.modules}
    if missing := missing - sys.stdlib_module_names:
        raise ImportError("%s imports %s, which is not in %s" % (
            program, ", ".join(sorted(missing)), ", ".join(MODULES)))
    return [module.__file__ for module in finder.modules.values() if module.__file__]


def files_of(program):
    """A Python program, the modules that it imports, and the files beside any of these that it
    names in double quotes: it runs or reads them. Such a name has a dot or a dash, which tells it
    from a suite's and from a word. Python among them imports nothing of ours."""
    left, found = modules_of(program), set()
    while left:
        path = left.pop()
        found.add(os.path.relpath(path, TOP))
        with open(path, encoding="utf-8", errors="replace") as file:
            named = set(re.findall(r'(?:"|\$here/)(\w+[.-][\w.-]+)"', file.read()))
        beside = (os.path.join(os.path.dirname(path), name) for name in named)
        left += [path for path in beside
                 if os.path.isfile(path) and os.path.relpath(path, TOP) not in found]
    return sorted(found)


def versions():
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *PROGRAMS],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return done.stdout


def end(number, frame):
    sys.exit(128 + number)


class Suite:
    """Counts, and prints a line for each test."""

    def __init__(self, name, about, depends=TREE):
        """name: the file of a Python program, with its arguments; depends: files and folders that
        all of its results depend on, beside what files_of() finds."""
        self.name, self.about, self.depends = name, about, depends
        self.passed = self.failed = 0
        self.smoke = self.keeps = self.reuses = False
        self.noted = []
        self.left = {}
        self.tree = None
        # SIGTERM must still remove folders and stop QEMU.
        signal.signal(signal.SIGTERM, end)

    def parser(self):
        parser = argparse.ArgumentParser(description=self.about)
        parser.add_argument("--smoke", action="store_true",
                            help="the small selection that scripts/test runs")
        parser.add_argument("--again", action="store_true",
                            help="run what has a result, too")
        return parser

    def use(self, args, keeps=True):
        """keeps: false if the hash does not cover what is tested, or the user wants it to run."""
        self.smoke = args.smoke
        self.keeps = keeps
        self.reuses = keeps and not args.again and not args.smoke

    def note(self, name, complaints=(), note=""):
        """Notes one test; complaints are lines, none if it passed."""
        if isinstance(complaints, str):
            complaints = complaints.splitlines()
        self.passed += not complaints
        self.failed += bool(complaints)
        self.noted.append({"name": name, "note": note, "failed": bool(complaints)})
        print("%s %s%s" % ("FAIL" if complaints else "ok  ", name, note and " " + note))
        for line in complaints[:40]:
            print("     " + line[:2000])
        sys.stdout.flush()

    def path_of(self, *key):
        if not self.tree:
            itself = files_of(self.name.split()[0])
            self.tree = [hash_of_files([*self.depends, *itself]), versions()]
        key = json.dumps([self.tree, self.name, *key], sort_keys=True)
        return os.path.join(CACHE, "results", hashlib.sha256(key.encode()).hexdigest()[:32])

    def leave(self, kernel, name):
        """Records a part that is not in the smoke set."""
        self.left.setdefault(kernel, []).append(name)

    def part(self, kernel, name, depends, function, smoke=False):
        """Runs the part, unless it is left out or has a result. depends: any JSON value."""
        if self.smoke and not smoke:
            self.leave(kernel, name)
            return
        path = self.path_of(kernel, name, depends)
        if self.reuses and os.path.exists(path):
            with open(path) as file:
                for test in json.load(file):
                    self.note(test["name"], [], (test["note"] + " kept").strip())
            return
        self.noted = []
        try:
            function()
        except Exception:  # a failure of one part must not end the others
            self.note("%s %s" % (kernel, name), traceback.format_exc())
        if self.keeps and self.noted and not any(test["failed"] for test in self.noted):
            self.keep(path)

    def keep(self, path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=os.path.dirname(path), delete=False) as file:
            json.dump(self.noted, file)
        os.replace(file.name, path)

    def close(self):
        for kernel, names in self.left.items():
            print("left %s %s: %s" % (self.name, kernel, ", ".join(names)))
        print("%d passed, %d failed" % (self.passed, self.failed))
        return 1 if self.failed or not self.passed else 0
