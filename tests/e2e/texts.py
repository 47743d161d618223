# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares what nmibt reads from a console with what it reads from the log in the dump of the same
panic. The log says who printed a line, and the console does not. A console may lack lines: kdump does
not wait for it. What it has of a CPU without others' lines in between must be the same; of what is mixed
nmibt may show fewer frames, and no others."""

import json
import os
import subprocess

import consoles
from front_end import TIMEOUT, TOP


def document_of(*arguments):
    """None: nothing was found."""
    done = subprocess.run([os.path.join(TOP, "build/nmibt"), "-j", *arguments],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=TIMEOUT)
    return None if done.returncode == 1 else json.loads(done.stdout)


def printed_of(document):
    """{CPU: its lines} of those that have a text."""
    return {cpu["cpu"]: [line["text"].rstrip() for line in cpu["text"]["lines"]]
            for cpu in (document or {"cpus": []})["cpus"] if cpu["text"]}


def frames_of(document, number):
    cpu = next((cpu for cpu in document["cpus"] if cpu["cpu"] == number), {"stack": None})
    return [[frame.get(key) for key in ("function_name", "function_offset", "address", "reliable",
                                        "interrupted")]
            for frame in (cpu["stack"] or {"frames": []})["frames"]]


def stands_in(console, lines):
    """The lines stand there one behind the other."""
    return any(console[at:at + len(lines)] == lines for at, line in enumerate(console)
               if line == lines[0])


def is_part(some, frames):
    """All of some are in frames, in the same order."""
    rest = iter(frames)
    return all(frame in rest for frame in some)


def lacks_first(lines, wanted):
    """Where another printout had begun nobody knows whose the lines before the one with the CPU are: some
    of them may be missing."""
    first = next((at for at, line in enumerate(lines) if line.startswith("CPU: ")), None)
    if first is None or lines[first] not in wanted:
        return False
    behind = wanted.index(lines[first])
    return lines[first:] == wanted[behind:] and is_part(lines[:first], wanted[:behind])


def death_of(document):
    """Who panicked, with which message, and the signature."""
    death = document and document["death"] or {"reporter": None, "message": None}
    return [death["reporter"], death["message"], document and document["signature"]["value"]]


def compare(console, text, dump, moves):
    """Complaints. console: the lines; text, dump: the documents; moves: the task that dies does."""
    bad, ours, theirs = [], printed_of(text), printed_of(dump)
    for cpu in sorted({*ours, *theirs}):
        lines, wanted = ours.get(cpu, []), theirs.get(cpu, [])
        whole = wanted and stands_in(console, wanted)
        if whole and lines != wanted and not lacks_first(lines, wanted):
            bad.append("console: CPU %d: %s, in the dump's log: %s" % (cpu, lines, wanted))
        frames = [frames_of(document, cpu) for document in (text, dump) if document]
        if frames[0] != frames[-1] if whole else not is_part(frames[0], frames[-1]):
            bad.append("console: CPU %d: %s, in the dump's log: %s" % (cpu, *frames))
    # An oops that goes to kdump prints no panic: often only the dump tells that the machine died of it.
    # Behind one that was survived panic() prints no stack (kernel/panic.c: TAINT_DIE, 6.12), which is
    # what tells the CPU: the log does all the same, also where that is not the CPU of the oops.
    first = 0 if death_of(text)[0] is not None and not moves else 1
    if ours == theirs and death_of(text)[1] and death_of(text)[first:] != death_of(dump)[first:]:
        bad.append("console: %s, in the dump's log: %s" % (death_of(text), death_of(dump)))
    return bad


def check(folder, scenario):
    """Complaints about the two documents of a folder that has a console and a dump."""
    path = os.path.join(folder, "console.log")
    with open(path, errors="replace") as file:
        console = [line.rstrip() for _, line in consoles.timed_lines(file.read())]
    return compare(console, document_of(path),
                   document_of("-S", "log", os.path.join(folder, "vmcore")),
                   scenario.get("moves", False))
