# SPDX-License-Identifier: GPL-2.0-or-later
"""The small forms that descriptions are made of: escapes, messages, lists, registers."""
import re

from . import Mistake

ESCAPE = re.compile(rb'\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|[nt\\"])')


def unescape(text):
    def replace(found):
        code = found[1]
        if code[:1] == b'x':
            return bytes([int(code[1:], 16)])
        if code[:1].isdigit():
            return bytes([int(code, 8) & 0xff])
        return {b'n': b'\n', b't': b'\t'}.get(code, code)
    return ESCAPE.sub(replace, text)


def parse_text(line):
    """'| text' to its bytes, and whether a newline is to follow."""
    text = re.sub(r'^\| ?', '', line).encode()
    backslashes = len(text) - len(text.rstrip(b'\\'))
    if backslashes % 2:
        return unescape(text[:-1]), False
    return unescape(text), True


def parse_message(line):
    """'| text' to the bytes that printk would have stored in a buffer."""
    text = re.sub(r'^\| ?', '', line)
    found = re.match(r'<([0-7c])>', text)
    header = b'\x01' + found[1].encode() if found else b''
    body, newline = parse_text('| ' + (text[len(found[0]):] if found else text))
    return header + body + (b'\n' if newline else b'')


def parse_list(text, limit):
    cpus = []
    for part in text.split(','):
        first, _, last = part.partition('-')
        cpus += range(int(first), int(last or first) + 1)
    if not cpus or max(cpus) >= limit:
        raise Mistake(f'no such CPUs: {text}')
    return cpus


def parse_value(text):
    """A number in hex; a place in the kernel ('delay_tsc+0x2e') stays text."""
    try:
        return int(text, 16)
    except ValueError:
        if not re.fullmatch(r'[A-Za-z_][\w.]*\+(0x)?[0-9a-f]+', text):
            raise
        return text


def parse_pairs(words):
    pairs = dict(word.split('=') for word in words)
    return {name: int(value) if name == 'pid' else parse_value(value)
            for name, value in pairs.items()}
