# SPDX-License-Identifier: GPL-2.0-or-later
"""Structures, those of capture.h among them."""
import os
import re

from . import Mistake

HEADER = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      '..', '..', 'include', 'nmibt', 'capture.h')


class Layout:
    """A structure: where its members are, and access to them by name."""

    def __init__(self):
        self.members = {}  # name: offset, bytes of an element, elements, is it text
        self.size = self.align = 0

    def add(self, name, width, count=1, text=False):
        offset = (self.size + width - 1) // width * width
        self.members[name] = (offset, width, count, text)
        self.size = offset + width * count
        self.align = max(self.align, width)

    def finish(self):
        self.size = (self.size + self.align - 1) // self.align * self.align

    def set(self, buf, name, value, index=None):
        if name not in self.members:
            raise Mistake(f'no field {name}')
        offset, width, count, text = self.members[name]
        if isinstance(value, bytes):
            room = width * count
            if not text or len(value) > room:
                raise Mistake(f'{name} does not hold {len(value)} bytes of text')
            buf[offset:offset + room] = value.ljust(room, b'\0')
            return
        if (index or 0) >= count or (count > 1 and index is None):
            raise Mistake(f'{name} has {count} elements')
        offset += (index or 0) * width
        value &= (1 << 8 * width) - 1
        buf[offset:offset + width] = value.to_bytes(width, 'little')


class Format:
    """The structures and constants of capture.h."""

    TYPES = {'uint8_t': 1, 'char': 1, 'uint32_t': 4, 'int32_t': 4, 'uint64_t': 8}

    def __init__(self, path):
        with open(path, encoding='utf-8') as file:
            source = file.read()
        source = re.sub(r'\\\n', ' ', re.sub(r'/\*.*?\*/', ' ', source, flags=re.S))
        self.constants = {'UINT32_MAX': 2**32 - 1, 'UINT64_MAX': 2**64 - 1}
        for name, value in re.findall(r'#define\s+(\w+)\s+("[^"]*"|\w+)\s', source):
            self.constants[name] = value[1:-1] if value[0] == '"' else self.number(value)
        for name, value in re.findall(r'^\s*(\w+)\s*=\s*(\w+),', source, flags=re.M):
            self.constants[name] = self.number(value)
        self.desc = self.structure(source, 'nmi_capture_desc')
        self.slot = self.structure(source, 'nmi_capture_slot')

    def number(self, text):
        if text in self.constants:
            return self.constants[text]
        try:
            return int(text, 0)
        except ValueError:
            raise Mistake(f'{HEADER}: what is {text}?') from None

    def structure(self, source, name):
        body = re.search(r'struct ' + name + r'\s*{(.*?)}', source, flags=re.S)
        size = re.search(r'_Static_assert\(sizeof\(struct ' + name + r'\)\s*==\s*(\d+)', source)
        if not body or not size:
            raise Mistake(f'{HEADER}: no struct {name}, or no assertion of its size')
        layout = Layout()
        for member in filter(None, map(str.strip, body[1].split(';'))):
            found = re.fullmatch(r'(\w+)\s+(\w+)(?:\[(\w+)\])?', member)
            if not found or found[1] not in self.TYPES:
                raise Mistake(f'{HEADER}: struct {name}: what is "{member}"?')
            width = self.TYPES[found[1]]
            layout.add(found[2], width, self.number(found[3]) if found[3] else 1, width == 1)
        layout.finish()
        if layout.size != int(size[1]):
            raise Mistake(f'{HEADER}: struct {name} has {layout.size} bytes here, '
                          f'{size[1]} are asserted')
        return layout

    def named(self, prefix, word):
        """Value of PREFIX_WORD, the word as descriptions have it."""
        name = prefix + word.upper().replace('-', '_')
        if name not in self.constants:
            raise Mistake(f'capture.h has no {name}')
        return self.constants[name]
