# SPDX-License-Identifier: GPL-2.0-or-later
"""Page tables: x86_64 with 4 levels (Intel SDM 3A, 4.5), arm64 with pages of 4 KiB and
addresses of 48 bits (Arm ARM, D8.3). Both have 512 entries in a table."""
import struct

from . import PAGE

# Of a table, of a page, of memory that an entry of a higher level maps.
X86_ENTRIES = (0x67, 0x8000000000000163, 0x80000000000001e3)
ARM64_ENTRIES = (0x3, 0x0078000000000707, 0x0078000000000705)
LARGE = 1 << 21


class PageTables:
    def __init__(self, memory, arch_name):
        self.memory = memory
        self.entries = X86_ENTRIES if arch_name == 'x86_64' else ARM64_ENTRIES
        self.root = bytearray(PAGE)
        self.root_paddr = memory.place('swapper_pg_dir', self.root)
        self.tables = {self.root_paddr: self.root}

    def entry(self, table, index):
        return struct.unpack_from('<Q', self.tables[table], 8 * index)[0]

    def below(self, table, index):
        """The table that an entry leads to, made if there is none."""
        entry = self.entry(table, index)
        if entry:
            return entry & 0xffffffff000
        page = bytearray(PAGE)
        paddr = self.memory.place(f'page table {len(self.tables)}', page)
        self.tables[paddr] = page
        struct.pack_into('<Q', self.tables[table], 8 * index, paddr | self.entries[0])
        return paddr

    def map(self, vaddr, paddr, shift=12):
        table = self.root_paddr
        for level in (39, 30, 21, 12):
            index = vaddr >> level & 511
            if level == shift:
                struct.pack_into('<Q', self.tables[table], 8 * index,
                                 paddr | self.entries[1 if shift == 12 else 2])
                return
            table = self.below(table, index)

    def map_pages(self, vaddr, paddr, size):
        for offset in range(0, size, PAGE):
            self.map(vaddr + offset, paddr + offset)

    def map_large(self, vaddr, paddr, size):
        for offset in range(0, size, LARGE):
            self.map(vaddr + offset, paddr + offset, 21)
