# SPDX-License-Identifier: GPL-2.0-or-later
"""Parts of the kernel's log in pstore: which of them are of the record that nmibt shows of a folder.

That is what lib/image/parts.c does with them. Here the names of files and the first line of each are enough.
"""
import dataclasses
import hashlib
import re
import zlib

# As the kernel names what EFI, ERST and NVRAM keep (fs/pstore/inode.c: pstore_mkfile(), 6.12).
NAMES = re.compile(r'dmesg-(efi|efi_pstore|erst|nvram)[-_](\d{1,20})(\.enc\.z)?\Z')
# fs/pstore/platform.c: pstore_dump(), 6.12
FIRST_LINE = re.compile(rb'([A-Za-z ]{1,16})#(\d{1,10}) Part(\d{1,10})\n')
FIRST_LINE_LEN = 64
MAX_LEN = 16 << 20  # no backend keeps as much
LONGEST_RECORD_S = 120  # lib/image/parts.c


@dataclasses.dataclass
class Part:
    name: str
    digest: str
    reason: bytes
    count: int
    number: int
    when: int  # s since 1970


def is_part(name):
    return NAMES.match(name) is not None


def when_of(name):
    """As lib/image/parts.c: when_by_name(). None: the name does not tell it."""
    backend, number, _ = NAMES.match(name).groups()
    if backend == 'erst':
        return int(number) >> 32
    return int(number) // 100000 if backend in ('efi', 'efi_pstore') else None


def text_of(name, data):
    """The beginning of its text."""
    if not name.endswith('.enc.z'):
        return data[:FIRST_LINE_LEN]
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, FIRST_LINE_LEN)
    except zlib.error:
        return b''


def read_part(name, path):
    """None: it is not known of which record it is."""
    with open(path, 'rb') as file:
        data = file.read(MAX_LEN + 1)
    first, when = FIRST_LINE.match(text_of(name, data)), when_of(name)
    if not first or not when or len(data) > MAX_LEN:
        return None
    return Part(name, hashlib.sha256(data).hexdigest(), first[1], int(first[2]), int(first[3]), when)


def fits(record, part):
    last = record[-1]
    return (part.reason, part.count) == (last.reason, last.count) and \
        part.when - last.when <= LONGEST_RECORD_S and \
        part.number not in [one.number for one in record]


def records_of(parts):
    records = []
    for part in sorted(parts, key=lambda one: (one.reason, one.count, one.when)):
        if records and fits(records[-1], part):
            records[-1].append(part)
        else:
            records.append([part])
    return records


def last_record(unit):
    """Names and hashes of the parts in the record that nmibt shows, the newest of the folder."""
    names = [unit.name, *unit.parts]
    found = [read_part(name, path) for name, path in zip(names, unit.paths())]
    records = records_of([part for part in found if part])
    if not records or None in found:
        return []
    # By the part that has the oldest lines, as lib/image/parts.c: by_age().
    last = max(records, key=lambda record: (max(record, key=lambda part: part.number).when, record[0].count))
    return [(part.name, part.digest) for part in last]
