# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads and changes a kdump-compressed vmcore, to damage a real one, and writes it as ELF.

Layout: makedumpfile's diskdump_mod.h (1.7.2): struct disk_dump_header in block
0, struct kdump_sub_header behind it, two bitmaps, one page_desc for every bit
of the second, page data anywhere. A changed page is stored at the end of the
file, uncompressed.
"""

import ctypes
import struct
import zlib

STATUS_AT = 424              # disk_dump_header.status: how pages may be compressed
BLOCK_SIZE_AT = 428          # disk_dump_header.block_size, sub_hdr_size, bitmap_blocks
VMCOREINFO_AT = 32           # kdump_sub_header.offset_vmcoreinfo, size_vmcoreinfo
NOTE_AT = 48                 # kdump_sub_header.offset_note, size_note
PAGE_DESC = struct.Struct("<QIIQ")
COMPRESSED_ZLIB, COMPRESSED_LZO = 1, 2


SIGNATURE = b"KDUMP   "


class Excluded(Exception):
    """The dump does not hold that page."""


def decompress_lzo(stored, length):
    page, got = ctypes.create_string_buffer(length), ctypes.c_ulong(length)
    lzo = ctypes.CDLL("liblzo2.so.2")
    if lzo.lzo1x_decompress_safe(stored, ctypes.c_ulong(len(stored)), page, ctypes.byref(got),
                                 None) or got.value != length:
        raise ValueError("%d bytes are no page that LZO compressed" % len(stored))
    return page.raw


class Kdump:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = bytearray(file.read())
        if not self.data.startswith(SIGNATURE):
            raise ValueError("%s is not a kdump-compressed vmcore" % path)
        self.block, sub, bitmaps = struct.unpack_from("<iiI", self.data, BLOCK_SIZE_AT)
        self.sub = self.block
        half = bitmaps * self.block // 2
        self.bitmap = self.block * (1 + sub) + half
        self.descs = self.bitmap + half
        self.pfns = [at * 8 + bit
                     for at, byte in enumerate(self.data[self.bitmap:self.bitmap + half])
                     for bit in range(8) if byte >> bit & 1]
        self.index = {pfn: i for i, pfn in enumerate(self.pfns)}
        at, size = struct.unpack_from("<QQ", self.data, self.sub + VMCOREINFO_AT)
        self.vmcoreinfo = bytes(self.data[at:at + size])

    def save(self, path):
        with open(path, "wb") as file:
            file.write(self.data)

    def save_elf(self, path, machine):
        """What was left out is the rest of the segment before it, between its p_filesz and its
        p_memsz."""
        at, size = struct.unpack_from("<QQ", self.data, self.sub + NOTE_AT)
        notes = self.data[at:at + size]
        starts = [pfn for pfn in self.pfns if pfn - 1 not in self.index]
        ends = [pfn + 1 for pfn in self.pfns if pfn + 1 not in self.index]
        headers = [(4, 0, 0, len(notes), len(notes))]  # PT_NOTE
        headers += [(1, 7, start * self.block, (end - start) * self.block,
                     (after - start) * self.block)  # PT_LOAD
                    for start, end, after in zip(starts, ends, starts[1:] + ends[-1:])]
        at = 64 + 56 * len(headers)
        with open(path, "wb") as file:
            # \x7fELF, 64 bits, little-endian; ET_CORE
            file.write(struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 4, machine, 1, 0, 64, 0,
                                   0, 64, 56, len(headers), 0, 0, 0))
            for kind, flags, paddr, filesz, memsz in headers:
                file.write(struct.pack("<IIQQQQQQ", kind, flags, at, 0, paddr, filesz, memsz, 0))
                at += filesz
            file.write(notes)
            for _, page in self.chunks():
                file.write(page)

    def _desc(self, pfn):
        if pfn not in self.index:
            raise Excluded("%#x" % (pfn * self.block))
        return self.descs + self.index[pfn] * PAGE_DESC.size

    def page(self, pfn):
        offset, size, flags, _ = PAGE_DESC.unpack_from(self.data, self._desc(pfn))
        stored = bytes(self.data[offset:offset + size])
        if flags & COMPRESSED_ZLIB:
            return zlib.decompress(stored)
        if flags & COMPRESSED_LZO:
            return decompress_lzo(stored, self.block)
        if size != self.block:
            raise ValueError("page %#x is compressed neither by zlib nor by LZO" % pfn)
        return stored

    def read(self, paddr, length):
        got = b""
        while len(got) < length:
            pfn, at = divmod(paddr + len(got), self.block)
            got += self.page(pfn)[at:at + length - len(got)]
        return got

    def chunks(self):
        """Every page: its physical address and content."""
        for pfn in self.pfns:
            yield pfn * self.block, self.page(pfn)

    def write(self, paddr, content):
        """Reads bytes within one page."""
        pfn, at = divmod(paddr, self.block)
        page = bytearray(self.page(pfn))
        page[at:at + len(content)] = content
        PAGE_DESC.pack_into(self.data, self._desc(pfn), len(self.data), self.block, 0, 0)
        self.data += page

    def flags(self):
        """How the pages are compressed: each value in their descriptors."""
        return {PAGE_DESC.unpack_from(self.data, self._desc(pfn))[2] for pfn in self.pfns}

    def repack(self, pack, flag):
        """Compresses each page by pack(); the header and the descriptors say so by flag."""
        struct.pack_into("<i", self.data, STATUS_AT, flag)
        pages = [self.page(pfn) for pfn in self.pfns]
        del self.data[self.descs + len(pages) * PAGE_DESC.size:]
        for pfn, page in zip(self.pfns, pages):
            packed = pack(page)
            if len(packed) >= self.block:
                PAGE_DESC.pack_into(self.data, self._desc(pfn), len(self.data), self.block, 0, 0)
                self.data += page
            else:
                PAGE_DESC.pack_into(self.data, self._desc(pfn), len(self.data), len(packed),
                                    flag, 0)
                self.data += packed

    def exclude(self, paddr):
        """Removes a page, as if makedumpfile had left it out."""
        pfn = paddr // self.block
        at, end = self._desc(pfn), self.descs + len(self.pfns) * PAGE_DESC.size
        self.data[at:end] = self.data[at + PAGE_DESC.size:end] + bytes(PAGE_DESC.size)
        self.data[self.bitmap + pfn // 8] &= ~(1 << pfn % 8)
        self.pfns.remove(pfn)
        self.index = {pfn: i for i, pfn in enumerate(self.pfns)}

    def cut_off(self, paddr):
        """As if the file ended before the page's data: it can't be read."""
        at = self._desc(paddr // self.block)
        PAGE_DESC.pack_into(self.data, at, len(self.data) + (1 << 30), self.block, 0, 0)

    def replace_in_vmcoreinfo(self, old, new):
        """Replaces old by new, of the same length; also in the note, which has the same text."""
        if len(old) != len(new):
            raise ValueError("lengths differ")
        if old not in self.data:
            raise ValueError("no %r" % old)
        self.data = self.data.replace(old, new)

    def capture(self):
        """Physical addresses of the capture's descriptor and of its slots."""
        value = self.vmcoreinfo.split(b"NUMBER(nmi_backtrace_capture)=")[1].split(b"\n")[0]
        desc = int(value, 0)
        # capture.h: nr_slots at 24, table_paddr at 64
        nr, = struct.unpack("<I", self.read(desc + 24, 4))
        table, = struct.unpack("<Q", self.read(desc + 64, 8))
        return desc, struct.unpack("<%dQ" % nr, self.read(table, 8 * nr))
