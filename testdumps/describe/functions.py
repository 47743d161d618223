# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's code: where the functions are that a description names, and what stands
before a return address in them."""
import bisect
import re
import struct

from . import Mistake

# As it is printed, but not of a module.
PRINTED = re.compile(r'(?<![\w.$])([A-Za-z_][\w.]*)\+0x([0-9a-f]+)(?:/0x([0-9a-f]+))?(?! *\[)')
PLACE = re.compile(r'([A-Za-z_][\w.]*)(?:\+(?:0x)?([0-9a-f]+))?(?:/0x[0-9a-f]+)?')
DEFAULT_SIZE, DEFAULT_OFFSET = 0x80, 0x10
LARGEST = 0x100000
FIRST = 0x100  # what stands before the first function


def printed(text):
    """Hostile texts may have any numbers: no function is that large."""
    for name, offset, size in PRINTED.findall(text):
        if int(offset, 16) <= LARGEST and int(size or '0', 16) <= LARGEST:
            yield name, int(offset, 16), int(size, 16) if size else None


class Functions:
    def __init__(self, arch_name):
        self.is_arm64 = arch_name == 'arm64'
        self.sizes = {}  # name: bytes
        self.known = set()  # those whose size the description says
        self.addresses = {}
        self.starts = []
        self.code = b''
        self.base = 0

    def add(self, name, offset=0, size=None):
        if size:
            self.sizes[name] = max(size, self.sizes[name] if name in self.known else 0)
            self.known.add(name)
        elif name not in self.known:
            least = max(DEFAULT_SIZE, offset // 0x10 * 0x10 + 0x20)
            self.sizes[name] = max(least, self.sizes.get(name, 0))

    def add_place(self, text):
        """'name+0x1/0x20', also without an offset or a size"""
        found = PLACE.fullmatch(text)
        if not found:
            raise Mistake(f'no place in the kernel: {text}')
        for name, offset, size in printed(text):
            self.add(name, offset, size)
        if '+' not in text:
            self.add(found[1])
        elif not text.count('0x'):
            self.add(found[1], int(found[2], 16))

    def place(self, base):
        """At their addresses, one right behind the other."""
        self.base = base
        at = base + FIRST
        for name, size in self.sizes.items():
            if self.is_arm64:
                size = (size + 3) & ~3
            self.addresses[name] = at
            at += size
        self.starts = list(self.addresses.values())  # in order
        nop = struct.pack('<I', 0xd503201f) if self.is_arm64 else b'\x90'
        self.code = bytearray(nop * ((at - base + 16) // len(nop)))

    def address(self, text, default=0):
        """Of 'name+0x1f'; without an offset: that of the function and default."""
        found = PLACE.fullmatch(text)
        if not found or found[1] not in self.addresses:
            raise Mistake(f'no function {text}')
        offset = int(found[2], 16) if found[2] else default
        return self.addresses[found[1]] + offset

    def start(self, address):
        i = bisect.bisect_right(self.starts, address)
        return self.starts[i - 1] if i else self.base

    def call_before(self, address, target):
        """A call of target, which returns to address."""
        at = address - self.base
        if self.is_arm64:
            offset = (target - (address - 4)) // 4
            struct.pack_into('<I', self.code, at - 4, 0x94000000 | offset & 0x3ffffff)
        else:
            struct.pack_into('<Bi', self.code, at - 5, 0xe8, target - address)

    def end(self):
        return self.base + len(self.code)
