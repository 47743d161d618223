# SPDX-License-Identifier: GPL-2.0-or-later
"""A dump as makedumpfile makes it: kdump-compressed, with zlib. The format is that of
makedumpfile's IMPLEMENTATION and diskdump_mod.h (1.7.2), header version 6.

QEMU writes the same (dump/dump.c, 10.0), but its header does not name the machine, and blocks of
arm64 have 64 KiB, whatever the guest's pages are (target/arm/arch_dump.c:cpu_get_dump_info())."""
import struct
import zlib

from .elf import elf_note
from .memory import gone_pages

COMPRESSED = 1  # DUMP_DH_COMPRESSED_ZLIB
DUMP_LEVEL = 31
SUB_HEADER = struct.Struct('<QiiQQQQQQQQQQQ')


def block_size(dump):
    return 65536 if dump.about.format == 'qemu' and dump.about.arch == 'arm64' else dump.memory.page


def make_pages(dump):
    """Number of a block: its bytes; and the numbers of all that the machine had. QEMU leaves
    nothing out."""
    size, gone = block_size(dump), gone_pages(dump)
    machine = [page // size for page in range(dump.arch['base'], dump.memory.next, size)
               if page not in gone['omit']]
    pages = {number: bytearray(size) for number in machine if number * size not in gone['exclude']}
    for paddr, data in dump.memory.objects.values():
        for start in range(paddr // size * size, paddr + len(data), size):
            if start // size in pages:
                first, last = max(start, paddr), min(start + size, paddr + len(data))
                pages[start // size][first - start:last - start] = data[first - paddr:last - paddr]
    return pages, machine


def bitmap(numbers, size):
    bits = bytearray(size)
    for number in numbers:
        bits[number // 8] |= 1 << number % 8
    return bytes(bits)


def padded(data, size):
    return data + bytes(-len(data) % size)


def make_header(dump, sub_blocks, bitmap_blocks, max_pfn):
    """struct disk_dump_header"""
    about = dump.about
    machine = b'aarch64' if about.arch == 'arm64' else b'x86_64'
    uts = (b'Linux', about.host.encode(), dump.release.encode(), b'#1 SMP', machine, b'(none)')
    if about.format == 'qemu':
        uts = (b'',) * 4 + (b'Unknown', b'')
    return b'KDUMP   ' + struct.pack('<i', 6) + b''.join(text.ljust(65, b'\0') for text in uts) + \
        bytes(6) + struct.pack('<QQIiiIIIIIIi', about.crash_time or 0, 0, COMPRESSED,
                               block_size(dump), sub_blocks, bitmap_blocks, max_pfn, 0, 0, 0, 0,
                               about.cpus)


def make_sub_header(dump, max_pfn):
    """struct kdump_sub_header, and behind it the notes that it points to."""
    at = block_size(dump) + SUB_HEADER.size
    info = dump.vmcoreinfo or b''
    note = elf_note(b'VMCOREINFO\0', 0, info)
    info = info if dump.notes.endswith(note) else b''
    in_notes = len(dump.notes) - len(note) + note.index(info) if info else 0
    return SUB_HEADER.pack(dump.phys_base & (1 << 64) - 1, DUMP_LEVEL, 0, 0, 0,
                           at + in_notes if info else 0, len(info), at, len(dump.notes), 0, 0, 0,
                           0, max_pfn) + dump.notes


def pack(page):
    packed = zlib.compress(bytes(page), 1)
    return (packed, COMPRESSED) if len(packed) < len(page) else (bytes(page), 0)


def write_kdump(dump, path):
    """Returns name, offset and size of what the file holds, in its order."""
    pages, machine = make_pages(dump)
    max_pfn = max(machine) + 1
    block = block_size(dump)
    size = len(padded(bytes(max_pfn // 8 + 1), block))
    sub = padded(make_sub_header(dump, max_pfn), block)
    head = padded(make_header(dump, len(sub) // block, 2 * size // block, max_pfn), block) + sub
    maps = bitmap(machine, size) + bitmap(pages, size)
    at = len(head) + len(maps) + 24 * len(pages)
    descs, data = b'', b''
    for number in sorted(pages):
        packed, flags = pack(pages[number])
        descs += struct.pack('<QIIQ', at + len(data), len(packed), flags, 0)
        data += packed
    with open(path, 'wb') as file:
        file.write(head + maps + descs + data)
    return [('headers', 0, len(head)), ('bitmaps', len(head), len(maps)),
            ('page descriptors', len(head) + len(maps), len(descs)), ('pages', at, len(data))]
