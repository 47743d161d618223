# SPDX-License-Identifier: GPL-2.0-or-later
"""The vmlinux of a dump: symbols, code, build-id, and DWARF 4 of the structures whose layout
nmibt asks for. An ELF file by hand; the numbers are those of the ELF and DWARF standards."""
import struct

from . import PAGE

PROGBITS, SYMTAB, STRTAB, NOTE, NOBITS = 1, 2, 3, 7, 8
ALLOC, WRITE, EXEC = 2, 1, 4
OBJECT, FUNC = 1, 2

# Abbreviations: compile unit, base type, structure, member.
UNIT, BASE, STRUCTURE, MEMBER = 1, 2, 3, 4
ABBREV = bytes([
    UNIT, 0x11, 1, 0x03, 0x08, 0x13, 0x0b, 0, 0,  # name, language
    BASE, 0x24, 0, 0x03, 0x08, 0x0b, 0x0b, 0x3e, 0x0b, 0, 0,  # name, byte_size, encoding
    STRUCTURE, 0x13, 1, 0x03, 0x08, 0x0b, 0x0f, 0, 0,  # name, byte_size
    MEMBER, 0x0d, 0, 0x03, 0x08, 0x49, 0x13, 0x38, 0x0f, 0, 0,  # name, type, location
    0])


def uleb(number):
    out = b''
    while True:
        number, byte = number >> 7, number & 0x7f
        out += bytes([byte | (0x80 if number else 0)])
        if not number:
            return out


def make_dwarf(types):
    """.debug_info"""
    unit = bytes([UNIT]) + b'kernel.c\0' + bytes([12])  # DW_LANG_C99
    base = 11 + len(unit)  # where the base type is, from the header on
    unit += bytes([BASE]) + b'long\0' + bytes([8, 5])
    for name, (size, members) in types.items():
        unit += bytes([STRUCTURE]) + name.encode() + b'\0' + uleb(size)
        for member, offset in members.items():
            unit += bytes([MEMBER]) + member.encode() + b'\0' + struct.pack('<I', base) + \
                uleb(offset)
        unit += b'\0'
    unit += b'\0'
    return struct.pack('<IHIB', len(unit) + 7, 4, 0, 8) + unit


class Section:
    def __init__(self, name, kind, flags=0, address=0, data=b'', size=None, link=0, info=0,
                 entry=0):
        self.name, self.kind, self.flags, self.address, self.data = name, kind, flags, address, data
        self.size = len(data) if size is None else size
        self.link, self.info, self.entry = link, info, entry
        self.offset = 0


def make_symbols(kernel, sections):
    """.symtab and .strtab"""
    names, table = bytearray(b'\0'), bytearray(24)
    sizes = {name: len(data) for name, data in kernel.data.items()}
    sizes.update(kernel.functions.sizes)
    for name, (address, letter) in sorted(kernel.linked.items()):
        is_percpu = letter == 'A' or name in kernel.percpu
        linked = address if is_percpu and kernel.percpu_start == 0 else \
            address - kernel.about.kaslr
        index = next((i for i, s in enumerate(sections) if s.flags & ALLOC
                      and s.address <= linked < s.address + s.size), None)
        if index is None:
            continue
        kind = FUNC if letter == 'T' else OBJECT
        table += struct.pack('<IBBHQQ', len(names), 0x10 | kind, 0, index, linked,
                             sizes.get(name, 0))
        names += name.encode() + b'\0'
    return bytes(table), bytes(names)


def make_sections(kernel):
    link = kernel.functions.base - kernel.about.kaslr
    code = bytes(kernel.functions.code)
    data = (link + len(code) + PAGE - 1) // PAGE * PAGE
    banner = kernel.linked['linux_banner'][0] - kernel.about.kaslr
    behind = kernel.image(kernel.image_end) - kernel.about.kaslr
    build_id = bytes.fromhex(kernel.build_id)
    sections = [
        Section('', 0),
        Section('.text', PROGBITS, ALLOC | EXEC, link, code),
        Section('.data', NOBITS, ALLOC | WRITE, data, size=banner - data),
        Section('.rodata', PROGBITS, ALLOC, banner, bytes(kernel.data['linux_banner'])),
        Section('.bss', NOBITS, ALLOC | WRITE, banner + len(kernel.data['linux_banner']),
                size=behind - banner - len(kernel.data['linux_banner'])),
        Section('.notes', NOTE, ALLOC, data - PAGE // 2, struct.pack('<III4s', 4, len(build_id), 3,
                                                                     b'GNU') + build_id),
        Section('.debug_abbrev', PROGBITS, data=ABBREV),
        Section('.debug_info', PROGBITS, data=make_dwarf(kernel.types)),
    ]
    if not kernel.percpu_start:
        sections.insert(5, Section('.data..percpu', NOBITS, ALLOC | WRITE, 0,
                                   size=kernel.area_size))
    table, names = make_symbols(kernel, sections)
    sections.append(Section('.symtab', SYMTAB, data=table, link=len(sections) + 1, info=1,
                            entry=24))
    sections.append(Section('.strtab', STRTAB, data=names))
    sections.append(Section('.shstrtab', STRTAB))
    return sections


def write_vmlinux(dump, path):
    kernel = dump.kernel
    sections = make_sections(kernel)
    at = PAGE
    strings = b''
    where = []
    for section in sections:
        where.append(len(strings))
        strings += section.name.encode() + b'\0'
    sections[-1].data, sections[-1].size = strings, len(strings)
    for section in sections[1:]:
        section.offset = at
        at += 0 if section.kind == NOBITS else (section.size + PAGE - 1) // PAGE * PAGE
    with open(path, 'wb') as file:
        ident = b'\x7fELF' + bytes([2, 1, 1]) + bytes(9)
        loaded = [s for s in sections if s.flags & ALLOC and s.kind != NOTE]
        file.write(ident + struct.pack(
            '<HHIQQQIHHHHHH', 2, dump.arch['machine'], 1, sections[1].address, 64, at, 0, 64, 56,
            len(loaded), 64, len(sections), len(sections) - 1))
        for s in loaded:
            file.write(struct.pack('<IIQQQQQQ', 1, 7, s.offset, s.address, s.address,
                                   0 if s.kind == NOBITS else s.size, s.size, PAGE))
        for s in sections:
            if s.kind != NOBITS:
                file.seek(s.offset if s.offset else file.tell())
                file.write(s.data)
        file.seek(at)
        for s, name in zip(sections, where):
            file.write(struct.pack('<IIQQQQIIQQ', name, s.kind, s.flags, s.address, s.offset,
                                   s.size, s.link, s.info, 1 if s.kind else 0, s.entry))
