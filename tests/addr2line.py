# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares the places of nmibt -l -j with those of LLVM's addr2line. That of binutils (2.40) is
not used: it names the unit's file for a function in a header that was not inlined."""

import os
import re
import subprocess

PC = re.compile(r"(RIP: \w+:|pc : |.* skipped: idling at )")


class Binary:
    """A vmlinux or a module."""

    def __init__(self, path):
        self.path = path
        self.functions = {}
        out = subprocess.run(["llvm-nm", path], check=True, stdout=subprocess.PIPE,
                             text=True).stdout
        for line in out.splitlines():
            address, kind, name = (" " * 17 + line if line.startswith(" ") else line).split(None, 2) \
                if len(line.split()) == 3 else ("", "", "")
            if kind in ("t", "T", "w", "W"):
                self.functions.setdefault(name, set()).add(int(address, 16))

    def places(self, address):
        """[(function, file:line)], the innermost first."""
        out = subprocess.run(["llvm-addr2line", "-if", "-e", self.path, "%#x" % address],
                             check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True).stdout.splitlines()
        return [(function, os.path.normpath(re.sub(r" \(discriminator \d+\)", "", where)))
                for function, where in zip(out[::2], out[1::2])]


def are_same(ours, theirs):
    """True if files, lines and inlined functions are the same. LLVM puts the folder of the unit
    before names of generated headers, which the line table does not have."""
    return len(ours) == len(theirs) and \
        all(where == whole or whole.endswith("/" + where)
            for (_, where), (_, whole) in zip(ours, theirs)) and \
        [name for name, _ in ours[:-1]] == [name for name, _ in theirs[:-1]]


def place_of(frame):
    """None, None where no symbol is known."""
    return frame.get("function_name"), frame.get("function_offset")


def compare(document, binaries):
    """binaries: {module or None: Binary}. Returns complaints, and how many places and inlined
    places were compared."""
    complaints, compared, inlined = [], 0, 0
    for cpu in document["cpus"]:
        before = None
        for frame in (cpu["stack"] or {"frames": []})["frames"]:
            # arm64 prints the pc once more. What x86 finds on a stack and doubts may be anything.
            is_again = before and PC.match(before[0]) and frame["reliable"] and \
                before[1:] == place_of(frame)
            before = (cpu["text"]["lines"][frame["line"]]["text"] if frame["line"] is not None else "",
                      *place_of(frame))
            binary = binaries.get(frame.get("module_name"))
            starts = binary.functions.get(frame["function_name"], ()) if binary else ()
            if len(starts) != 1:
                continue
            # A stack that was unwound has no lines. Its first frame is the pc.
            is_text = frame["line"] is not None
            text = cpu["text"]["lines"][frame["line"]]["text"] if is_text else frame["address"]
            is_pc = PC.match(text) or frame["interrupted"] or is_again or \
                (not is_text and frame is cpu["stack"]["frames"][0])
            address = next(iter(starts)) + frame["function_offset"] - \
                (not is_pc and frame["function_offset"] > 0)
            theirs = binary.places(address)
            ours = [(place["function"], os.path.normpath(place["where"]))
                    for place in frame["source"]]
            # addr2line's 0 and ? mean that there is no line.
            if re.search(r":[0?]+$", theirs[0][1]):
                if ours and not ours[0][1].endswith(":0"):
                    complaints.append("%s: %s, and addr2line knows nothing" % (text, ours))
                continue
            compared += 1
            inlined += len(theirs) - 1
            if not are_same(ours, theirs):
                complaints.append("CPU %d %s: %s, addr2line %s" % (cpu["cpu"], text, ours, theirs))
    return complaints, compared, inlined
