# SPDX-License-Identifier: GPL-2.0-or-later
"""VMCOREINFO: the lines of a real release, with the addresses of this dump."""
import fnmatch
import re

from . import Mistake
from .arches import vmcoreinfo_of


def symbols_of(arch, name):
    """The symbols that the release names."""
    found = (re.fullmatch(r'SYMBOL\((\w+)\)=', line) for line in vmcoreinfo_of(arch, name))
    return [match[1] for match in found if match]


def filled(line, addresses, numbers):
    """A line of the release; without a value if it is the dump's to say."""
    key, _, value = line.partition('=')
    if value:
        return line
    symbol = re.fullmatch(r'SYMBOL\((\w+)\)', key)
    if symbol:
        return f'{key}={addresses[symbol[1]]:x}'
    if key not in numbers:
        raise Mistake(f'VMCOREINFO: what is {key}?')
    return f'{key}={numbers[key]}'


def edited(lines, edits):
    for kind, text in edits:
        if kind == 'drop':
            kept = [line for line in lines if not fnmatch.fnmatchcase(line.split('=')[0], text)]
            if len(kept) == len(lines):
                raise Mistake(f'VMCOREINFO has no line {text}')
            lines = kept
            continue
        key = text.split('=')[0]
        at = [i for i, line in enumerate(lines) if line.split('=')[0] == key]
        if at:
            lines[at[0]] = text
        else:
            lines.append(text)
    return lines
