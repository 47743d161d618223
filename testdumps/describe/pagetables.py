# SPDX-License-Identifier: GPL-2.0-or-later
"""Page tables: x86_64 with 4 or 5 levels (Intel SDM 3A, 4.5), arm64 with pages of 4, 16 or 64 KiB
(Arm ARM, D8.2 and D8.3). A table is a page of entries of 8 bytes; the first one may use less."""
import struct

# Of a table, of a page, of memory that an entry of a higher level maps.
X86_ENTRIES = (0x67, 0x8000000000000163, 0x80000000000001e3)
ARM64_ENTRIES = (0x3, 0x0078000000000707, 0x0078000000000705)
SHAREABLE = 0x300  # bits that belong to the address with FEAT_LPA2


class PageTables:
    """paging: see paging_of() in arches.py"""

    def __init__(self, memory, paging):
        self.memory, self.paging = memory, paging
        self.entries = ARM64_ENTRIES if paging['is_arm64'] else X86_ENTRIES
        self.page = 1 << paging['shift']
        bits = paging['shift'] - 3
        # How far each level shifts an address, the first table's first.
        self.levels = list(range(paging['shift'], paging['bits'], bits))[::-1]
        self.masks = [(1 << min(bits, paging['bits'] - level)) - 1 for level in self.levels]
        # The smallest that an entry of a higher level maps.
        self.large = 1 << paging['shift'] + bits
        self.root = bytearray(self.page)
        self.root_paddr = memory.place('swapper_pg_dir', self.root)
        self.tables = {self.root_paddr: self.root}

    def entry_for(self, paddr, kind):
        """kind: index in entries. With 64 KiB bits 51:48 of the address stand in bits 15:12; with
        smaller pages and addresses of 52 bits (FEAT_LPA2) bits 51:50 in bits 9:8."""
        flags = self.entries[kind]
        if self.paging['is_arm64'] and self.page == 0x10000:
            return paddr & 0xffffffff0000 | (paddr >> 48 & 15) << 12 | flags
        if self.paging['is_arm64'] and self.paging['bits'] == 52:
            return paddr & 0x3ffffffffffff | (paddr >> 50 & 3) << 8 | flags & ~SHAREABLE
        return paddr | flags

    def below(self, table, index):
        """The table that an entry leads to, made if there is none."""
        entry = struct.unpack_from('<Q', self.tables[table], 8 * index)[0]
        if entry:
            return next(paddr for paddr in self.tables if self.entry_for(paddr, 0) == entry)
        page = bytearray(self.page)
        paddr = self.memory.place(f'page table {len(self.tables)}', page)
        self.tables[paddr] = page
        struct.pack_into('<Q', self.tables[table], 8 * index, self.entry_for(paddr, 0))
        return paddr

    def map(self, vaddr, paddr, is_large=False):
        table, last = self.root_paddr, len(self.levels) - (2 if is_large else 1)
        for depth, (level, mask) in enumerate(zip(self.levels, self.masks)):
            index = vaddr >> level & mask
            if depth == last:
                struct.pack_into('<Q', self.tables[table], 8 * index,
                                 self.entry_for(paddr, 2 if is_large else 1))
                return
            table = self.below(table, index)

    def map_pages(self, vaddr, paddr, size):
        for offset in range(0, size, self.page):
            self.map(vaddr + offset, paddr + offset)

    def map_large(self, vaddr, paddr, size):
        """With pages of more than 4 KiB the large ones are larger than what is described."""
        if self.page != 0x1000:
            self.map_pages(vaddr, paddr, size)
            return
        for offset in range(0, size, self.large):
            self.map(vaddr + offset, paddr + offset, True)
