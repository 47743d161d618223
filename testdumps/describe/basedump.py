# SPDX-License-Identifier: GPL-2.0-or-later
"""A kdump-compressed dump, to read, change and write again. The format is that of kdump.py."""
import bisect
import re
import struct
import zlib

from . import PAGE, Mistake
from .elf import elf_note
from .kdump import COMPRESSED, SUB_HEADER, bitmap, pack, padded

SIZES_AT = 428  # block_size, sub_hdr_size, bitmap_blocks in struct disk_dump_header
NR_CPUS_AT = 460


def nr_cpus_of(path):
    with open(path, 'rb') as file:
        return struct.unpack_from('<i', file.read(NR_CPUS_AT + 4), NR_CPUS_AT)[0]


class BaseDump:
    def __init__(self, path):
        with open(path, 'rb') as file:
            data = file.read()
        block, sub_blocks, bitmap_blocks = struct.unpack_from('<iiI', data, SIZES_AT)
        if data[:8] != b'KDUMP   ' or block != PAGE:
            raise Mistake(f'{path} is no kdump-compressed dump with pages of {PAGE} bytes')
        self.header = data[:PAGE]
        self.sub = list(SUB_HEADER.unpack_from(data, PAGE))
        info, info_size, notes, notes_size = self.sub[5:9]
        self.vmcoreinfo = data[info:info + info_size]
        self.notes = data[notes:notes + notes_size]
        half = bitmap_blocks * PAGE // 2
        at = PAGE * (1 + sub_blocks)
        self.machine_map = data[at:at + half]
        self.packed = {}  # page frame number: bytes as stored, flags
        descs = at + 2 * half
        for number in numbers_in(data[at + half:descs]):
            offset, size, flags, _ = struct.unpack_from('<QIIQ', data, descs)
            self.packed[number] = (data[offset:offset + size], flags)
            descs += 24
        self.changed = {}  # page frame number: bytearray

    def page(self, number):
        """None: the dump doesn't have it."""
        if number in self.changed:
            return self.changed[number]
        if number not in self.packed:
            return None
        stored, flags = self.packed[number]
        return zlib.decompress(stored) if flags & COMPRESSED else stored

    def page_to_change(self, number):
        """Of what makedumpfile left out, pages of zeros above all, one of zeros."""
        if number not in self.changed:
            self.changed[number] = bytearray(self.page(number) or bytes(PAGE))
        return self.changed[number]

    def drop(self, number):
        self.packed.pop(number, None)
        self.changed.pop(number, None)

    def make_sub_header(self):
        """With notes and VMCOREINFO as they are now."""
        at = PAGE + SUB_HEADER.size
        self.sub[5:9] = [at + self.notes.index(self.vmcoreinfo), len(self.vmcoreinfo), at,
                         len(self.notes)]
        return padded(SUB_HEADER.pack(*self.sub) + self.notes, PAGE)

    def write(self, path):
        sub = self.make_sub_header()
        header = bytearray(self.header)
        struct.pack_into('<i', header, SIZES_AT + 4, len(sub) // PAGE)
        self.packed.update({number: pack(page) for number, page in self.changed.items()})
        maps = self.machine_map + bitmap(self.packed, len(self.machine_map))
        at = len(header) + len(sub) + len(maps) + 24 * len(self.packed)
        descs, data = bytearray(), []
        for number in sorted(self.packed):
            stored, flags = self.packed[number]
            descs += struct.pack('<QIIQ', at, len(stored), flags, 0)
            data.append(stored)
            at += len(stored)
        with open(path, 'wb') as file:
            file.write(bytes(header) + sub + maps + descs)
            file.writelines(data)


def numbers_in(bits):
    return [at * 8 + bit for at, byte in enumerate(bits) if byte
            for bit in range(8) if byte >> bit & 1]


def split_notes(notes):
    """(name, type, description) of each."""
    at, found = 0, []
    while at + 12 <= len(notes):
        namesz, descsz, kind = struct.unpack_from('<III', notes, at)
        at += 12
        name = notes[at:at + namesz]
        at += (namesz + 3) & ~3
        found.append((name, kind, notes[at:at + descsz]))
        at += (descsz + 3) & ~3
    return found


def join_notes(notes):
    return b''.join(elf_note(*note) for note in notes)


class BaseKernel:
    """The kernel of a dump: its memory by virtual addresses, and its symbols."""

    def __init__(self, dump, arch_name):
        self.dump, self.is_arm64 = dump, arch_name == 'arm64'
        text = dump.vmcoreinfo.decode('ascii', 'replace')
        self.info = dict(re.findall(r'^([^=\n]+)=(.*)$', text, flags=re.M))
        self.symbols = self.read_symbols()
        self.starts = sorted({address for address in self.symbols.values()})

    # ------------------------------------------------------------------ memory

    def image_to_phys(self, vaddr):
        if self.is_arm64:
            return vaddr - int(self.info['NUMBER(kimage_voffset)'], 16)
        return vaddr - 0xffffffff80000000 + int(self.info['NUMBER(phys_base)'])

    def to_phys(self, vaddr):
        table = self.image_to_phys(int(self.info['SYMBOL(swapper_pg_dir)'], 16))
        for shift in (39, 30, 21, 12):
            entry, = struct.unpack('<Q', self.read_phys(table + 8 * (vaddr >> shift & 511), 8))
            if not entry & 1:
                raise Mistake(f'{vaddr:#x} is not mapped in the base')
            at = entry & 0xfffffffff000
            large = not entry & 2 if self.is_arm64 else entry & 0x80
            if shift == 12 or large:
                return (at & -(1 << shift)) + vaddr % (1 << shift)
            table = at
        raise Mistake(f'{vaddr:#x} is not mapped in the base')

    def read_phys(self, paddr, size):
        page = self.dump.page(paddr // PAGE)
        if page is None:
            raise Mistake(f'the base has no page at {paddr:#x}')
        return bytes(page[paddr % PAGE:paddr % PAGE + size])

    def read(self, vaddr, size):
        out = b''
        while len(out) < size:
            at = vaddr + len(out)
            out += self.read_phys(self.to_phys(at), min(size - len(out), PAGE - at % PAGE))
        return out

    def write(self, vaddr, data):
        done = 0
        while done < len(data):
            paddr = self.to_phys(vaddr + done)
            room = min(len(data) - done, PAGE - paddr % PAGE)
            self.dump.page_to_change(paddr // PAGE)[paddr % PAGE:paddr % PAGE + room] = \
                data[done:done + room]
            done += room

    def word(self, vaddr):
        return struct.unpack('<Q', self.read(vaddr, 8))[0]

    # ----------------------------------------------------------------- symbols

    def table(self, name, size):
        return self.read(int(self.info[f'SYMBOL(kallsyms_{name})'], 16), size)

    def read_symbols(self):
        """Of several with one name, the first."""
        nr, = struct.unpack('<I', self.table('num_syms', 4))
        base, = struct.unpack('<Q', self.table('relative_base', 8))
        offsets = struct.unpack(f'<{nr}i', self.table('offsets', 4 * nr))
        is_percpu = offsets[-1] < 0
        first = int(self.info['SYMBOL(kallsyms_token_table)'], 16)
        index_at = int(self.info['SYMBOL(kallsyms_token_index)'], 16)
        tokens = self.read(first, index_at - first)
        index = struct.unpack('<256H', self.read(index_at, 512))
        tokens = [tokens[at:tokens.index(b'\0', at)] for at in index]
        names = iter(self.names_from(int(self.info['SYMBOL(kallsyms_names)'], 16)))
        symbols = {}
        for offset in offsets:
            length = next(names)
            if length & 0x80:
                length = length & 0x7f | next(names) << 7
            name = b''.join(tokens[next(names)] for _ in range(length)).decode()[1:]
            if not is_percpu:
                address = base + (offset & 0xffffffff)
            else:
                address = offset if offset >= 0 else base - 1 - offset
            symbols.setdefault(name, address)
        return symbols

    def names_from(self, vaddr):
        while True:
            room = PAGE - vaddr % PAGE
            yield from self.read(vaddr, room)
            vaddr += room

    def address(self, text, default=0):
        """Of 'name+0x1f/0x20'."""
        found = re.fullmatch(r'([\w.]+)(?:\+(?:0x)?([0-9a-f]+))?(?:/0x[0-9a-f]+)?', text)
        if not found or found[1] not in self.symbols:
            raise Mistake(f'the base has no symbol {text}')
        start, offset = self.symbols[found[1]], int(found[2], 16) if found[2] else default
        return start + (offset if offset <= self.size(start) else self.behind_call(start))

    def size(self, start):
        """Up to the next symbol."""
        i = bisect.bisect_right(self.starts, start)
        return self.starts[i] - start if i < len(self.starts) else PAGE

    def behind_call(self, start):
        """Where a description's function is longer than the base's: an offset to which a call
        of it returns, or one in its middle."""
        size = self.size(start)
        code = self.read(start, size)
        for offset in range(8, size, 4 if self.is_arm64 else 1):
            if code[offset - 1] >> 2 == 0x25 if self.is_arm64 else code[offset - 5] == 0xe8:
                return offset
        return size // 8 * 4

    def start(self, address):
        i = bisect.bisect_right(self.starts, address)
        return self.starts[i - 1] if i else 0

    def call_before(self, address, target):
        """The base's code stays as it is."""

    def percpu(self, cpu, variable):
        offsets = self.symbols['__per_cpu_offset']
        return variable + self.word(offsets + 8 * cpu) & (1 << 64) - 1
