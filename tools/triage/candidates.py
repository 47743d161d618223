# SPDX-License-Identifier: GPL-2.0-or-later
"""Finds what may be a dump, a record or the text of one, and says what has to wait.

A unit is what nmibt reads at once: a file, or several that belong together, as the parts of a split dump
or of a record in pstore.
"""
import dataclasses
import hashlib
import os
import re
import struct
import time

from . import pstore, words

# A file that is written may be found at any moment of it.
SETTLE_S = 60
# makedumpfile's diskdump_mod.h (1.7.2): struct disk_dump_header, and DUMP_DH_COMPRESSED_INCOMPLETE, which
# it sets when it had no room for all pages.
KDUMP_STATUS_AT, KDUMP_INCOMPLETE = 424, 8
KDUMP_BLOCK_AT = 428
# struct kdump_sub_header.split, behind phys_base and dump_level
KDUMP_SPLIT_AT = 12
ELF_CORE = 4
MOST_PARTS = 4000  # tools/batch.c: MAX_FILES
HEAD = 4096
# Of larger files only samples are hashed. They may have terabytes.
HASHED_WHOLE = 16 << 20
SAMPLES, SAMPLE = 64, 65536

# As kdump-utils, kdump-tools, vmcore-nmibt's hooks and systemd-pstore name them.
RECORD_NAMES = re.compile(r'(nmibt\.record|nmibt-record\..*|pmsg-ramoops-\d+|NmibtRecord-.*)\Z')
TEXT_NAMES = re.compile(r'(vmcore-dmesg(-incomplete)?\.txt|dmesg\.txt|dmesg\.\d{12}|'
                        r'(dmesg|console)-ramoops-\d+(\.enc\.z)?)\Z')
UNFINISHED = re.compile(r'(.*-incomplete(\..*)?|.*\.(tmp|part|partial|filepart))\Z')


@dataclasses.dataclass
class Unit:
    folder: str  # escaped, as all names
    name: str  # of its first file
    parts: list  # names of the others
    size: int
    mtime_ns: int  # of all of them: the sum, the newest
    kind: str = None  # dump, record or text; None: neither
    fingerprint: str = None
    wait: str = None  # why it is left for later
    is_fresh: bool = False  # because it may still be written
    scanned_by: str = None  # the host that looked at it; None: not known
    shard: str = None  # "2/8": of a scan with --shard
    is_split: bool = False  # there may be more parts, which are perhaps not there yet
    before: tuple = None  # size and fingerprint of what was read here, which was smaller
    has_grown: bool = False  # it begins with all bytes of that
    record: list = dataclasses.field(default_factory=list)  # of parts in pstore: names and hashes of those shown

    def files(self):
        return [self.name, *self.parts]

    def paths(self):
        return [os.path.join(words.unescape(self.folder), words.unescape(name))
                for name in self.files()]


# ------------------------------------------------------------------------------ walking

def is_in(folder, roots):
    """It is one of them, or below one."""
    while folder not in roots:
        above = os.path.dirname(folder)
        if above == folder:
            return False
        folder = above
    return True


def topmost(folders):
    """Without those that are below another one of them."""
    folders = dict.fromkeys(folders)
    return [one for one in folders if one == '/' or not is_in(os.path.dirname(one), folders)]


def is_gone(path):
    """It is not only out of reach."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        pass
    return False


def walk(folder, complain):
    """Each folder, with its plain files. Links are not followed: they could lead around in a circle.
    complain(path, why) is called for what can't be read."""
    todo = [folder]
    while todo:
        here = todo.pop()
        files = []
        try:
            with os.scandir(here) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        todo.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        files.append(entry)
        except OSError as error:
            complain(here, error.strerror)
        yield here, sorted(files, key=lambda entry: entry.name)


def newest(entries):
    """Of parts in an archive that nobody empties. One crash has a few dozen, and nmibt takes the last."""
    found = sorted(entries, key=lambda entry: (entry.stat(follow_symlinks=False).st_mtime_ns, entry.name))
    return sorted(found[-MOST_PARTS:], key=lambda entry: entry.name)


def size_and_time(about):
    """Of all parts of a unit: the sum, the newest."""
    return sum(one.st_size for one in about), max(one.st_mtime_ns for one in about)


def units_in(folder, files, split_of):
    """The units that these files make. split_of(entry): what the parts of one split dump have in
    common, or None."""
    found, together = [], {}
    for entry in files:
        key = 'pstore' if pstore.is_part(entry.name) else split_of(entry)
        if key is None:
            found.append([entry])
        else:
            together.setdefault(key, []).append(entry)
    # systemd-pstore writes what it puts together of these parts beside them.
    if 'pstore' in together:
        found = [one for one in found if one[0].name != 'dmesg.txt']
    for entries, is_split in [(one, False) for one in found] + [(one, True) for one in together.values()]:
        try:
            if len(entries) > MOST_PARTS and entries is together.get('pstore'):
                entries = newest(entries)
            about = [entry.stat(follow_symlinks=False) for entry in entries]
        except FileNotFoundError:
            continue  # it went while this folder was read
        names = [words.escape(entry.name) for entry in entries]
        yield Unit(words.escape(folder), names[0], names[1:], *size_and_time(about), is_split=is_split)


# ------------------------------------------------------------------------ what a file is

def head_of(path, size=HEAD):
    with open(path, 'rb', opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        return file.read(size)


def kind_by_name(name):
    if RECORD_NAMES.match(name):
        return 'record'
    return 'text' if TEXT_NAMES.match(name) or pstore.is_part(name) else None


def kind_of(name, head):
    """None: it is none of these, or a format that is known by nothing at its beginning."""
    if head.startswith((b'KDUMP   ', b'DISKDUMP', b'makedumpfile\0', b'\1\0\0\0sadump')):
        return 'dump'
    if head[:6] in (b'\x7fELF\2\1', b'\x7fELF\1\1') and \
            struct.unpack_from('<H', head.ljust(18, b'\0'), 16)[0] == ELF_CORE:
        return 'dump'
    if head.startswith(b'\x89NBR'):
        return 'record'
    return kind_by_name(name)


def is_marked_incomplete(head):
    return head.startswith(b'KDUMP   ') and len(head) > KDUMP_BLOCK_AT and \
        struct.unpack_from('<I', head, KDUMP_STATUS_AT)[0] & KDUMP_INCOMPLETE


def split_key(path):
    """Parts of a split dump have the same first block, which has the time of the crash."""
    head = head_of(path)
    if not head.startswith(b'KDUMP   ') or len(head) < KDUMP_BLOCK_AT + 4:
        return None
    block, = struct.unpack_from('<I', head, KDUMP_BLOCK_AT)
    if block not in (4096, 16384, 65536):
        return None
    both = head_of(path, 2 * block)
    if len(both) < block + KDUMP_SPLIT_AT + 4 or \
            not struct.unpack_from('<i', both, block + KDUMP_SPLIT_AT)[0]:
        return None
    return hashlib.sha256(both[:block]).hexdigest()


def fingerprint(paths, size=None):
    """Of all bytes of small files; of large ones, of the beginning, the end, and places between. size: as if a
    file had so many."""
    made = hashlib.sha256()
    for path in paths:
        with open(path, 'rb') as file:
            length = os.fstat(file.fileno()).st_size if size is None else size
            made.update(b'%d\n' % length)
            if length <= HASHED_WHOLE:
                made.update(file.read(length))
                continue
            for i in range(SAMPLES):
                file.seek((length - SAMPLE) * i // (SAMPLES - 1))
                made.update(file.read(SAMPLE))
    return made.hexdigest()


def age_of(unit):
    """Seconds since it changed. The time of a file may be of a machine whose clock was wrong: where it
    has not come yet that of its inode counts, which is the file system's own."""
    now = time.time()
    age = now - unit.mtime_ns / 1e9
    return age if age >= 0 else now - max(os.stat(path).st_ctime for path in unit.paths())


def why_wait(unit, head, options):
    """None: it is ready to be read."""
    # Also where the clock of this machine went back since it was written.
    unit.is_fresh = bool(options.settle) and age_of(unit) < options.settle
    if unit.is_fresh:
        return 'it changed less than %d s ago, and may still be written' % options.settle
    if options.incomplete:
        return None
    if any(UNFINISHED.match(name) for name in unit.files()):
        return 'by its name it is not finished'
    if is_marked_incomplete(head):
        return 'its header says that it is not complete'
    return None


def size_and_time_now(unit):
    """Raises OSError."""
    return size_and_time([os.stat(path) for path in unit.paths()])


def fill_in_proofs(unit):
    """By what else than its report it is told which crash it is about."""
    if unit.before and not unit.parts:
        size, before = unit.before
        unit.has_grown = size < unit.size and fingerprint(unit.paths(), size) == before
    if pstore.is_part(unit.name):
        unit.record = pstore.last_record(unit)


def examine(unit, options):
    """Fills in what the file's content tells. Raises OSError."""
    paths = unit.paths()
    unit.size, unit.mtime_ns = size_and_time_now(unit)  # the folder may have been listed long ago
    head = head_of(paths[0])
    unit.kind = kind_of(unit.name, head)
    if unit.kind:
        unit.wait = why_wait(unit, head, options)
    if unit.kind and not unit.wait:
        unit.fingerprint = fingerprint(paths)
        fill_in_proofs(unit)
