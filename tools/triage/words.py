# SPDX-License-Identifier: GPL-2.0-or-later
"""How bytes that come from elsewhere become text, and text becomes what a person reads."""
import datetime
import os
import re
import unicodedata

PANIC = 'Kernel panic - not syncing: '
DIGITS = 18  # fit into SQLite's integer of 64 bits


def escape(name):
    """A path as printable text, by nmibt's own rule: other bytes are \\xNN, a backslash is two. As the
    file system has it it comes back from unescape()."""
    out = []
    for char in os.fsencode(name).decode('utf-8', 'surrogateescape'):
        if char == '\\':
            out.append('\\\\')
        elif char.isprintable():
            out.append(char)
        else:
            out.extend('\\x%02x' % byte for byte in char.encode('utf-8', 'surrogateescape'))
    return ''.join(out)


def unescape(text):
    """The path as bytes."""
    return re.sub(rb'\\(\\|x[0-9a-f]{2})',
                  lambda found: b'\\' if found[1] == b'\\' else bytes([int(found[1][1:], 16)]),
                  text.encode('utf-8', 'surrogateescape'))


def shown(text):
    """Text for a terminal. A report has no control characters, but the database may be a stranger's.
    What changes the direction of writing could show a name as another one."""
    return ''.join('\N{REPLACEMENT CHARACTER}' if unicodedata.category(char) in ('Cc', 'Cf', 'Cs', 'Zl', 'Zp')
                   else char for char in str(text))


def cut(text, width):
    text = shown(text)
    return text if len(text) <= width else text[:width - 3] + '...'


def number(text):
    """None: it is no number, or one that is larger than any in the database."""
    return int(text) if text.isdecimal() and len(text) <= DIGITS else None


def count(number, word):
    """A noun of which there are so many."""
    plural = word[:-1] + 'ies' if word.endswith('y') else word + 'es' if word[-1] in 'sh' else word + 's'
    return '%s %s' % (format(number, ','), word if number == 1 else plural)


def time_of(seconds):
    """UTC, as nmibt prints it."""
    if seconds is None:
        return 'at an unknown time'
    try:
        when = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    except (OverflowError, OSError, ValueError):
        return 'at second %s, which is no date' % seconds
    return when.strftime('%Y-%m-%d %H:%M:%S UTC')


def day_of(seconds):
    return '-' if seconds is None else time_of(seconds)[:10]


def size_of(size):
    for unit in 'bytes', 'KiB', 'MiB', 'GiB':
        if size < 1024:
            break
        size /= 1024
    else:
        unit = 'TiB'
    return '%d bytes' % size if unit == 'bytes' else '%.1f %s' % (size, unit)


def why(crash):
    """Why it died, as far as it is known. crash: a row, or what crash_json() makes of it."""
    if crash['message']:
        return crash['message'].removeprefix(PANIC)
    return 'it died, and nothing says of what' if crash['dead'] else \
        'whether it died is not known' if crash['dead'] is None else 'nothing says that it died'
