# SPDX-License-Identifier: GPL-2.0-or-later
"""memory OBJECT [+ N] = VALUE: damage of anything that a dump has."""
from . import Mistake
from .text import unescape


def poke(dump, text):
    """memory OBJECT [+ N] = VALUE: damage of anything."""
    where, _, value = text.partition(' = ')
    at, data = find(dump, where)
    if value[:1] == '"':
        content = unescape(value[1:-1].encode())
    else:
        value, _, size = value.partition(':')
        size = int(size or '8')
        number = dump.kernel.direct(sum(find_address(dump, value[1:]))) if value[0] == '&' \
            else int(value, 0)
        content = (number & (1 << 8 * size) - 1).to_bytes(size, 'little')
    if at + len(content) > len(data):
        raise Mistake(f'{where} has only {len(data)} bytes')
    data[at:at + len(content)] = content


def find(dump, text):
    """Offset in the bytes of an object, and these."""
    words = text.split()
    name, rest = dump.memory.find(words)
    return (int(rest[1], 0) if rest[:1] == ['+'] else 0), dump.memory.objects[name][1]


def find_address(dump, text):
    name, rest = dump.memory.find(text.split())
    return dump.memory.objects[name][0], (int(rest[1], 0) if rest[:1] == ['+'] else 0)
