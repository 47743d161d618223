# SPDX-License-Identifier: GPL-2.0-or-later
"""A dump as the firmware of a server writes it to a partition, when an operator asks for it: sadump.
The structures are those of makedumpfile's sadump_mod.h (1.7.8), header version 1."""
import struct

from . import Mistake
from .kdump import make_pages, padded

BLOCK = 4096
PART_HEADER = struct.Struct('<8sIIII64s16s16s16s16sIIQ')
HEADER = struct.Struct('<8sII16sIIIIIIIIIIIIIIQQQQ')
STATE_SIZE = 1024  # struct sadump_smram_cpu_state
# Offsets in it.
STATE = {'r15': 796, 'r14': 804, 'r13': 812, 'r12': 820, 'r11': 828, 'r10': 836, 'r9': 844,
         'r8': 852, 'rax': 860, 'rcx': 868, 'rdx': 876, 'rbx': 884, 'rsp': 892, 'rbp': 900,
         'rsi': 908, 'rdi': 916, 'rip': 984, 'eflags': 1000}
EFER, CR3, CR0 = 992, 1008, 1016
EFER_VALUE, CR0_VALUE = 0xd01, 0x80050033  # LMA, LME, NX, SCE; PG, AM, WP, NE, ET, MP, PE
TIME = struct.pack('<HBBBBBBIhBB', 2026, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0)  # EFI's


def bitmap(numbers, size):
    """The highest bit of a byte is the first page."""
    bits = bytearray(size)
    for number in numbers:
        bits[number // 8] |= 0x80 >> number % 8
    return bytes(bits)


def part_header(used):
    header = PART_HEADER.pack(b'sadump', 1, 60, 0, 0, b'', b'system', b'disk set', b'volume', TIME,
                              0, 0, used)
    magic = 1
    while len(header) < BLOCK:
        header += struct.pack('<I', magic)
        magic = (magic + 7) * 11 & 0xffffffff
    return header


def cpu_state(dump, cpu):
    state = bytearray(STATE_SIZE)
    regs = dump.vcpus.get(cpu, {})
    for name, at in STATE.items():
        struct.pack_into('<Q', state, at, regs.get(dump.arch['regs'].index(name), 0))
    tables = dump.memory.objects.get('swapper_pg_dir', (0,))[0]
    for at, value in ((EFER, EFER_VALUE), (CR3, tables), (CR0, CR0_VALUE)):
        struct.pack_into('<Q', state, at, value)
    return bytes(state)


def sub_header(dump):
    cpus = range(dump.about.cpus)
    return padded(struct.pack('<I', STATE_SIZE * len(cpus)) +
                  b''.join(struct.pack('<QQ', cpu, 0) for cpu in cpus) +
                  b''.join(cpu_state(dump, cpu) for cpu in cpus), BLOCK)


def write_sadump(dump, path):
    """Returns name, offset and size of what the file holds, in its order."""
    if dump.about.arch != 'x86_64':
        raise Mistake('sadump knows only x86')
    pages, machine = make_pages(dump)
    max_pfn = max(machine) + 1
    sub = sub_header(dump)
    maps = [padded(bitmap(numbers, max_pfn // 8 + 1), BLOCK) for numbers in (machine, pages)]
    at = 2 * BLOCK + len(sub)
    data = at + len(maps[0]) + len(maps[1])
    size = data + BLOCK * len(pages)
    blocks = size // BLOCK
    header = HEADER.pack(b'sadump', 1, 0, TIME, 0, 0, BLOCK, 0, len(sub) // BLOCK,
                         len(maps[0]) // BLOCK, len(maps[1]) // BLOCK, max_pfn, len(machine),
                         blocks, blocks, 0, dump.about.cpus, 0, max_pfn, len(machine), blocks,
                         blocks)
    with open(path, 'wb') as file:
        file.write(part_header(size) + padded(header, BLOCK) + sub + maps[0] + maps[1])
        for number in sorted(pages):
            file.write(pages[number])
    return [('headers', 0, 2 * BLOCK), ('CPUs', 2 * BLOCK, len(sub)),
            ('bitmaps', at, data - at), ('pages', data, size - data)]
