# SPDX-License-Identifier: GPL-2.0-or-later
"""A dump as an ELF file, as /proc/vmcore and makedumpfile -E make it."""
import struct

from . import PAGE, Mistake
from .memory import Segment, make_segments

PT_LOAD, PT_NOTE = 1, 4


def elf_note(name, kind, desc):
    def pad(data):
        return data + bytes(-len(data) % 4)
    return struct.pack('<III', len(name), len(desc), kind) + pad(name) + pad(desc)


def image_parts(dump, segments):
    """What is of the kernel's image has a second header with the image's address, in front
    of the others: crash_prepare_elf64_headers(), kernel/crash_core.c (6.12)."""
    parts = []
    for s in segments:
        if dump.kernel and s.paddr < dump.kernel.image_end:
            size = min(s.memsz, dump.kernel.image_end - s.paddr)
            part = Segment(s.paddr)
            part.filesz, part.memsz, part.offset = min(s.filesz, size), size, s.offset
            parts.append((part, dump.kernel.image(s.paddr)))
    return parts


def file_offset(segments, paddr):
    for segment in segments:
        if 0 <= paddr - segment.paddr < segment.filesz:
            return segment.offset + paddr - segment.paddr
    return None


def cut_offset(dump, segments):
    words = dump.about.cut
    if words[0].isdigit():
        return int(words[0])
    name, rest = dump.memory.find(words)
    offset = file_offset(segments, dump.memory.objects[name][0])
    if offset is None:
        raise Mistake(f'{name} is not in the file, which is cut there')
    return offset + (int(rest[1], 0) if rest[:1] == ['+'] else 0)


def write_elf(dump, path):
    """Returns name, offset and size of what the file holds, in its order."""
    segments = make_segments(dump)
    notes = dump.notes
    phnum = len(segments) + bool(notes) + len(image_parts(dump, segments))
    if phnum >= 0xffff:
        raise Mistake(f'{phnum} program headers are too many')
    headers = 64 + 56 * phnum
    offset = (headers + len(notes) + PAGE - 1) // PAGE * PAGE
    for segment in segments:
        segment.offset = offset
        offset += segment.filesz

    ident = b'\x7fELF' + bytes([2, 1, 1]) + bytes(9)
    out = bytearray(ident + struct.pack('<HHIQQQIHHHHHH', 4, dump.arch['machine'], 1, 0, 64, 0,
                                        0, 64, 56, phnum, 0, 0, 0))
    if notes:
        out += struct.pack('<IIQQQQQQ', PT_NOTE, 0, headers, 0, 0, len(notes), len(notes), 0)
    for s, vaddr in image_parts(dump, segments) + [(s, dump.mapped_at + s.paddr)
                                                   for s in segments]:
        out += struct.pack('<IIQQQQQQ', PT_LOAD, 7, s.offset, vaddr, s.paddr, s.filesz,
                           s.memsz, 0)
    where = [('headers', 0, headers), ('notes', headers, len(notes))]
    with open(path, 'wb') as file:
        file.write(out + notes)
        for name, (paddr, data) in dump.memory.objects.items():
            write_object(file, segments, paddr, data)
            at = file_offset(segments, paddr)
            if at is not None:
                where.append((name, at, len(data)))
        file.truncate(cut_offset(dump, segments) if dump.about.cut else offset)
    return where


def write_object(file, segments, paddr, data):
    for start in range(paddr // PAGE * PAGE, paddr + len(data), PAGE):
        first, last = max(start, paddr), min(start + PAGE, paddr + len(data))
        at = file_offset(segments, first)
        if at is not None:
            file.seek(at)
            file.write(data[first - paddr:last - paddr])
