#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads a capture from a vmcore, without any code of libnmibt.

The independent source for the end-to-end tests: layouts and constants are read
from include/nmibt/capture.h, kdump-compressed dumps by tests/kdump.py, ELF (also
as QEMU writes it) by the few lines below.

  slots.py VMCORE     prints descriptor and slots
"""

import os
import re
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, ".."))
from kdump import SIGNATURE, Excluded, Kdump  # noqa: E402

HEADER = os.path.join(HERE, "../../include/nmibt/capture.h")


class NoCapture(Exception):
    """The dump holds no descriptor."""


def read_header(path=HEADER):
    """Constants and structures (name -> [(member, format, offset)], size)."""
    with open(path) as file:
        text = re.sub(r"/\*.*?\*/|\\\n", "", file.read(), flags=re.DOTALL)
    constants = {}
    for name, value in re.findall(r"^#define (\w+)[ \t]+(\S+)\s*$", text, re.MULTILINE):
        constants[name] = value.strip('"') if value[0] == '"' else value
    for name, value in re.findall(r"^\t(\w+) = (\d+),", text, re.MULTILINE):
        constants[name] = value
    for name, value in constants.items():
        if re.fullmatch(r"0x[0-9a-fA-F]+|\d+", value):
            constants[name] = int(value, 0)
    sizes = {"uint8_t": "B", "char": "s", "uint32_t": "I", "int32_t": "i", "uint64_t": "Q"}
    structs = {}
    for name, body in re.findall(r"^struct (\w+) \{(.*?)^\};", text, re.DOTALL | re.MULTILINE):
        members, offset = [], 0
        for kind, member, count in re.findall(r"(\w+) (\w+)(?:\[(\w+)\])?;", body):
            form = sizes[kind]
            number = constants.get(count) or int(count or 1)
            form = "%ds" % number if form in "Bs" else form * number
            width = struct.calcsize("=" + form[-1])
            assert offset % width == 0, "hole before %s.%s" % (name, member)
            members.append((member, form, offset))
            offset += struct.calcsize("=" + form)
        structs[name] = (members, offset)
    return constants, structs


C, STRUCTS = read_header()


def flags(word, prefix):
    """The names of the bits that are set, without the prefix."""
    names = {name[len(prefix):] for name, bit in C.items()
             if name.startswith(prefix) and isinstance(bit, int) and word & bit}
    return names


def name_of(value, names):
    for name in names:
        if C[name] == value:
            return name
    return str(value)


class Record:
    """One structure of capture.h, its members as attributes."""

    def __init__(self, kind, data):
        self.members = {}
        for member, form, offset in STRUCTS[kind][0]:
            values = struct.unpack_from("<" + form, data, offset)
            self.members[member] = values[0] if len(values) == 1 else values

    def __getattr__(self, name):
        try:
            return self.members[name]
        except KeyError:
            raise AttributeError(name) from None


class Elf:
    """An ELF vmcore: memory by p_paddr."""

    def __init__(self, data):
        self.data = data
        phoff, = struct.unpack_from("<Q", data, 32)
        entry, number = struct.unpack_from("<HH", data, 54)
        self.loads, self.notes = [], b""
        for i in range(number):
            kind, _, offset, _, paddr, filesz, memsz, _ = struct.unpack_from(
                "<IIQQQQQQ", data, phoff + i * entry)
            if kind == 1:
                self.loads.append((paddr, offset, filesz, memsz))
            elif kind == 4:
                self.notes += data[offset:offset + filesz]
        self.vmcoreinfo = dict(notes(self.notes)).get("VMCOREINFO", b"")

    def read(self, paddr, size):
        for start, offset, filesz, _ in self.loads:
            if start <= paddr and paddr + size <= start + filesz:
                return self.data[offset + paddr - start:][:size]
        raise Excluded("%#x" % paddr)

    def chunks(self):
        for start, offset, filesz, _ in self.loads:
            yield start, self.data[offset:offset + filesz]


class Memory:
    """A machine's physical memory, which QEMU reads: VMCOREINFO's address and size are those that
    /sys/kernel/vmcoreinfo says."""

    def __init__(self, machine, vmcoreinfo):
        self.machine = machine
        paddr, size = vmcoreinfo
        self.vmcoreinfo = self.read(paddr, size)

    def read(self, paddr, size):
        path = os.path.join(self.machine.folder, "memory")
        self.machine.qmp("pmemsave", val=paddr, size=size, filename=path)
        with open(path, "rb") as file:
            return file.read()

    def chunks(self):
        return []


def notes(data):
    """(name, descriptor) of each ELF note."""
    at = 0
    while at + 12 <= len(data):
        namesz, descsz, _ = struct.unpack_from("<III", data, at)
        at += 12
        name = data[at:at + namesz].rstrip(b"\0").decode(errors="replace")
        at += (namesz + 3) & ~3
        yield name, data[at:at + descsz]
        at += (descsz + 3) & ~3


def open_dump(path):
    with open(path, "rb") as file:
        magic = file.read(len(SIGNATURE))
        if magic == SIGNATURE:
            return Kdump(path)
        if magic[:4] == b"\x7fELF":
            return Elf(magic + file.read())
    raise ValueError("%s is neither a kdump-compressed file nor ELF" % path)


class Slot(Record):
    """A slot: header, text, nested area, and the registers of its crash note."""

    def __init__(self, dump, paddr, desc):
        super().__init__("nmi_capture_slot", dump.read(paddr, desc.slot_hdr_size))
        whole = dump.read(paddr, desc.slot_size)
        self.paddr = paddr
        self.room = whole[self.text_off:self.text_off + self.text_size]
        self.text = self.room[:self.text_len]
        self.nested = whole[self.nested_off:][:self.nested_len]
        self.state_name = name_of(self.state, STATES)
        self.how_name = name_of(self.how, HOWS)
        self.flag_names = flags(self.flags, "NMI_CAPTURE_SLOT_F_")
        self.asked_flag_names = flags(self.asked_flags, "NMI_CAPTURE_ASKED_F_")
        self.note_regs = self.read_note(dump)

    def read_note(self, dump):
        """pr_reg of this CPU's NT_PRSTATUS, or None where it saved none."""
        if not self.note_paddr:
            return None
        note = dict(notes(dump.read(self.note_paddr, self.note_size))).get("CORE")
        if not note:
            return None
        return struct.unpack_from("<%dQ" % self.nr_regs, note, 112)

    def lines(self):
        """The text as a log would show it: without level headers."""
        return log_lines(self.text)


STATES = ["NMI_CAPTURE_SLOT_" + n for n in ("EMPTY", "ASKED", "BEGUN", "DONE")]
HOWS = ["NMI_CAPTURE_BY_" + n for n in ("NONE", "NMI", "IRQ", "SELF", "STOP")]


def log_lines(text):
    """Splits messages at newlines and at level headers that begin a new one."""
    text = re.sub(rb"\x01c", b"", text)
    text = re.sub(rb"(?<!\n)(?<!^)\x01[0-7]", b"\n", text)
    text = re.sub(rb"\x01[0-7]", b"", text)
    lines = text.decode("utf-8", "replace").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def find(dump):
    """The physical address of the descriptor and how it was found."""
    key = C["NMI_CAPTURE_VMCOREINFO_KEY"]
    named = re.search(rb"^" + re.escape(key.encode()) + rb"=(\d+|0x[0-9a-f]+)$",
                      dump.vmcoreinfo, re.MULTILINE)
    if named:
        return int(named[1], 0), "vmcoreinfo"
    magic = C["NMI_CAPTURE_DESC_MAGIC"].encode()
    size = STRUCTS["nmi_capture_desc"][1]
    for start, chunk in dump.chunks():
        for hit in re.finditer(magic, chunk):
            paddr = start + hit.start()
            try:
                if Record("nmi_capture_desc", dump.read(paddr, size)).desc_paddr == paddr:
                    return paddr, "scan"
            except Excluded:
                pass
    raise NoCapture("no %s in VMCOREINFO and no descriptor in memory" % key)


def capture(path):
    """(descriptor, [slot or None where its pages are not in the dump])."""
    return capture_in(open_dump(path))


def capture_in(dump):
    """The same of a dump that is open, or of anything else that reads physical memory."""
    paddr, source = find(dump)
    desc = Record("nmi_capture_desc", dump.read(paddr, STRUCTS["nmi_capture_desc"][1]))
    desc.source = source
    desc.flag_names = flags(desc.flags, "NMI_CAPTURE_F_")
    desc.text = desc.message.split(b"\0")[0].decode("utf-8", "replace")
    if not desc.table_paddr:
        return desc, []
    table = struct.unpack("<%dQ" % desc.nr_slots,
                          dump.read(desc.table_paddr, 8 * desc.nr_slots))
    slots = []
    for slot in table:
        try:
            slots.append(Slot(dump, slot, desc) if slot else None)
        except Excluded:
            slots.append(None)
    return desc, slots


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    desc, slots = capture(sys.argv[1])
    print("descriptor (by %s):" % desc.source,
          " ".join("%s=%s" % item for item in desc.members.items()), sorted(desc.flag_names))
    for slot in slots:
        if not slot:
            print("\n-- slot not in the dump")
            continue
        late = (slot.begun_ns - desc.asked_ns) / 1e6 if slot.begun_ns else float("nan")
        print("\n-- CPU %d %s %s %s begun +%.3f ms, wrote %.0f us" % (
            slot.cpu, slot.state_name, slot.how_name,
            sorted(slot.flag_names | slot.asked_flag_names), late,
            (slot.done_ns - slot.begun_ns) / 1e3))
        print("   pid %d %r text %d/%d nested %d lost %d msgs %d bytes, begin_again %d, "
              "generation %d, asked by %d" % (
                  slot.pid, slot.comm.split(b"\0")[0], slot.text_len, slot.text_size,
                  slot.nested_len, slot.lost_msgs, slot.lost_bytes, slot.begin_again,
                  slot.generation, slot.asked_generation))
        print("\n".join(slot.lines()))
        if slot.nested:
            print("-- nested:\n" + "\n".join(log_lines(slot.nested)))
        if slot.note_regs:
            print("-- differs from its crash note:", [
                "%d:%x/%x" % (i, a, b) for i, (a, b) in
                enumerate(zip(slot.regs, slot.note_regs)) if a != b])
    return 0


if __name__ == "__main__":
    sys.exit(main())
