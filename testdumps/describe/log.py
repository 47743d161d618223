# SPDX-License-Identifier: GPL-2.0-or-later
"""The printk ring buffer, 5.10 and later: kernel/printk/printk_ringbuffer.c (6.12)."""
import re
import struct

from . import PAGE, Mistake
from .text import parse_text

ID_MASK = (1 << 62) - 1
RESERVED, COMMITTED, FINALIZED, REUSABLE = range(4)
LOG_NEWLINE, LOG_CONT = 2, 8
FAILED, EMPTY_LINE = 1, 3  # positions of records without text
DESC_SIZE, INFO_SIZE = 24, 88
# What lies between two records that say nothing of their time.
STEP_NS = 20_000
MARKS = ('cont', 'dict', 'reserved', 'committed', 'lost', 'damaged', 'excluded', 'unreadable')
TIME = re.compile(r'(\+?)(\d+(?:\.\d+)?)')
CALLER = re.compile(r'([TC])(\d+)')
PRIORITY = re.compile(r'<(\d+)>')


class Record:
    def __init__(self, ts, caller, priority, marks, text, newline):
        self.ts, self.caller, self.priority = ts, caller, priority
        self.marks, self.text, self.newline = marks, text, newline
        self.begin = self.next = 0  # positions in the ring of text
        self.state = FINALIZED

    def flags(self):
        return (LOG_NEWLINE if self.newline else 0) | (LOG_CONT if 'cont' in self.marks else 0)

    def hole(self):
        return next((mark for mark in ('excluded', 'unreadable') if mark in self.marks), None)


class Log:
    def __init__(self):
        self.records = []
        self.first = 0
        self.size_bits = self.count_bits = None
        self.ts, self.caller = 0, 0
        self.has_callers = False  # before 5.10: PRINTK_CALLER

    def configure(self, words):
        if 'callers' in words:
            words = [word for word in words if word != 'callers']
            self.has_callers = True
        for name, value in zip(words[::2], words[1::2]):
            if name == 'first':
                self.first = int(value, 0)
            elif name in ('size', 'records'):
                bits = int(value, 0).bit_length() - 1
                if 1 << bits != int(value, 0):
                    raise Mistake(f'{name} is a power of two')
                setattr(self, 'size_bits' if name == 'size' else 'count_bits', bits)
            else:
                raise Mistake(f'a log has no {name}')
        if len(words) % 2:
            raise Mistake('which value?')

    def take(self, line):
        """A record; False: the line is none."""
        head, bar, text = line.partition('|')
        priority, marks, has_time = 4, [], False  # CONFIG_MESSAGE_LOGLEVEL_DEFAULT
        ts, caller = self.ts, self.caller
        if not bar:
            return False
        for word in head.replace('<', ' <').split():
            time, who, number = (form.fullmatch(word) for form in (TIME, CALLER, PRIORITY))
            if time:
                ns, has_time = round(float(time[2]) * 1e9), True
                ts = ts + ns if time[1] else ns
            elif who:
                caller = int(who[2]) | (0x80000000 if who[1] == 'C' else 0)
            elif number:
                priority = int(number[1])
            elif word in MARKS:
                marks.append(word)
            else:
                return False
        if not has_time and self.records:
            ts += STEP_NS
        self.ts, self.caller = ts, caller
        self.records.append(Record(ts, caller, priority, marks, *parse_text('|' + text)))
        return True

    # ------------------------------------------------------------------ layout

    def fill_hole(self):
        """A run of records whose pages are missing takes whole pages: more of the same kind
        fill them. Returns the index of its first record, and what is missing, or None."""
        lost = [i for i, record in enumerate(self.records) if record.hole()]
        if not lost:
            return None
        run = range(lost[0], lost[-1] + 1)
        kind = self.records[lost[0]].hole()
        if len(run) != len(lost) or any(self.records[i].hole() != kind for i in lost):
            raise Mistake('a log has one run of records that are excluded or unreadable')
        last = self.records[lost[-1]]
        room = -sum(block_size(self.records[i]) for i in run) % PAGE
        if room == 8:
            room += PAGE
        fillers = []
        while room:
            block = room if room <= 1024 else min(1000, room - 16)
            fillers.append(Record(last.ts, last.caller, 4, [kind], b'x' * (block - 8), True))
            room -= block
        self.records[lost[-1] + 1:lost[-1] + 1] = fillers
        return lost[0], len(lost) + len(fillers), kind

    def place(self, expand):
        """Positions of all records; returns the number of the first that the ring still has."""
        for record in self.records:
            record.text = expand(record.text)
        hole = self.fill_hole()
        total = sum(block_size(record) for record in self.records)
        if self.size_bits is None:
            self.size_bits = max(15, total.bit_length())
        if self.count_bits is None:
            self.count_bits = max(9, len(self.records).bit_length())
        size = 1 << self.size_bits
        # BLK0_LPOS; older records have taken rounds of the ring.
        lpos = -size + (64 * self.first + size - 1) // size * size
        for record in self.records:
            lpos = self.place_record(record, lpos)
        self.head_lpos = lpos
        self.overwrite()
        return hole

    def place_record(self, record, lpos):
        if 'lost' in record.marks:
            record.begin = record.next = FAILED
            return lpos
        if not record.text:
            record.begin = record.next = EMPTY_LINE
            return lpos
        block = block_size(record)
        record.begin, record.next = lpos, lpos + block
        # DATA_WRAPS(): the whole block goes to the beginning.
        if record.next >> self.size_bits != lpos >> self.size_bits:
            record.next = (record.next >> self.size_bits << self.size_bits) + block
        if block > 1 << self.size_bits:
            raise Mistake('a record is larger than the log')
        if 'reserved' in record.marks:
            record.state = RESERVED
        elif 'committed' in record.marks:
            record.state = COMMITTED
        return record.next

    def overwrite(self):
        for record in self.records:
            if not record.begin & 1 and self.head_lpos - record.begin > 1 << self.size_bits:
                record.state = REUSABLE

    # ------------------------------------------------------------------ memory

    def id_of(self, seq):
        return (seq - (1 << self.count_bits)) & ID_MASK

    def make(self):
        """The three rings: descriptors, infos, text."""
        count, size = 1 << self.count_bits, 1 << self.size_bits
        descs, infos, data = bytearray(DESC_SIZE * count), bytearray(INFO_SIZE * count), \
            bytearray(size)
        # _DEFINE_PRINTKRB(): the one before the first.
        self.put_desc(descs, self.id_of(-1), REUSABLE, FAILED, FAILED)
        for seq in range(max(0, self.first + len(self.records) - count), self.first):
            begin = -size + 64 * seq
            self.put_desc(descs, self.id_of(seq), REUSABLE, begin, begin + 64)
            self.put_info(infos, seq, Record(0, 0, 6, [], b'', True))
        for seq, record in enumerate(self.records, self.first):
            self.put_desc(descs, self.id_of(seq), record.state, record.begin, record.next)
            self.put_info(infos, seq, record)
            if not record.begin & 1:
                self.put_text(data, self.id_of(seq), record)
        return descs, infos, data

    def put_desc(self, descs, desc_id, state, begin, following):
        mask = (1 << 64) - 1
        struct.pack_into('<QQQ', descs, DESC_SIZE * (desc_id & (1 << self.count_bits) - 1),
                         desc_id & ID_MASK | state << 62, begin & mask, following & mask)

    def put_info(self, infos, seq, record):
        level, facility = record.priority & 7, record.priority >> 3
        struct.pack_into('<QQHBBI', infos, INFO_SIZE * (seq & (1 << self.count_bits) - 1), seq,
                         record.ts, len(record.text), facility, record.flags() | level << 5,
                         record.caller)

    def put_text(self, data, desc_id, record):
        size = 1 << self.size_bits
        block = block_size(record)
        struct.pack_into('<Q', data, record.begin % size, desc_id)
        at = (record.next - block) % size
        struct.pack_into('<Q', data, at, desc_id ^ 4 if 'damaged' in record.marks else desc_id)
        data[at + 8:at + 8 + len(record.text)] = record.text

    def ring(self, descs, infos, data):
        """struct printk_ringbuffer; the arguments are addresses of the rings."""
        head = self.id_of(self.first + len(self.records) - 1)
        tail = self.id_of(max(0, self.first + len(self.records) - (1 << self.count_bits)))
        if not self.records:
            tail = head = self.id_of(-1)
        mask = (1 << 64) - 1
        alive = [r.begin for r in self.records if not r.begin & 1 and r.state != REUSABLE]
        return struct.pack('<IxxxxQQQQQIxxxxQQQQ', self.count_bits, descs, infos, head, tail, 0,
                           self.size_bits, data, self.head_lpos & mask,
                           (alive[0] if alive else self.head_lpos) & mask, 0)


def block_size(record):
    """to_blk_size(): the ID, the text, and what aligns them."""
    return 0 if not record.text or 'lost' in record.marks else (8 + len(record.text) + 7) // 8 * 8


def place_log(log, memory, direct, expand):
    """Returns struct printk_ringbuffer. Records that are missing begin on a page."""
    hole = log.place(expand)
    descs, infos, data = log.make()
    at = [memory.place('log descs', descs), memory.place('log infos', infos)]
    offset = -(log.records[hole[0]].begin % (1 << log.size_bits)) % PAGE if hole else 0
    at.append(memory.place('log data', data, offset))
    holes = []
    if hole:
        first, nr, kind = hole
        records = log.records[first:first + nr]
        size = sum(block_size(record) for record in records)
        begin = at[2] + records[0].begin % (1 << log.size_bits)
        page = (begin - at[2] // PAGE * PAGE) // PAGE
        holes = [('exclude' if kind == 'excluded' else 'omit',
                  ['log', 'data', 'page', str(page + i)]) for i in range(size // PAGE)]
    return log.ring(*(direct + paddr for paddr in at)), holes


# ------------------------------------------------------------------- up to 5.9

DICT = b'SUBSYSTEM=pci\0DEVICE=+pci:0000:00:1f.2'
# What VMCOREINFO says where PRINTK_CALLER was on.
CALLER_LINES = [('set', 'SIZE(printk_log)=20'), ('set', 'OFFSET(printk_log.caller_id)=16')]
ALIGN = 4  # LOG_ALIGN, of what can read words that are not aligned


class OldLog:
    """log_store() of kernel/printk/printk.c (4.19): records in a buffer, the newest over the
    oldest."""

    def __init__(self, size, has_callers):
        self.buf = bytearray(size)
        self.first = self.next = self.count = 0
        self.header = 20 if has_callers else 16

    def length_at(self, index):
        return struct.unpack_from('<H', self.buf, index + 8)[0]

    def drop_first(self):
        length = self.length_at(self.first)
        self.first = self.first + length if length else self.length_at(0)
        self.count -= 1

    def has_room(self, size):
        behind, before = len(self.buf) - self.next, self.first - self.next
        room = max(behind, self.first) if self.next > self.first or not self.count else before
        return room >= size + self.header

    def store(self, record, text):
        """Returns where it is."""
        dictionary = DICT if 'dict' in record.marks else b''
        used = self.header + len(text) + len(dictionary)
        size = (used + ALIGN - 1) // ALIGN * ALIGN
        while self.count and not self.has_room(size):
            self.drop_first()
        if self.next + size + self.header > len(self.buf):
            self.buf[self.next:self.next + self.header] = bytes(self.header)
            self.next = 0
        if size + self.header > len(self.buf):
            raise Mistake('a record is larger than the log')
        at, level, facility = self.next, record.priority & 7, record.priority >> 3
        length = 5 if 'damaged' in record.marks else size
        header = struct.pack('<QHHHBB', record.ts, length, len(text), len(dictionary), facility,
                             record.flags() | level << 5)
        if self.header == 20:
            header += struct.pack('<I', record.caller)
        self.buf[at:at + size] = (header + text + dictionary).ljust(size, b'\0')
        self.next += size
        self.count += 1
        return at


def place_old_log(log, memory, direct, expand):
    """Values of the variables of the log, and what its missing records cost: the whole pages
    in which they begin, the first of them at the page's beginning. Callers are stored where the log is described as one with them."""
    if log.first or any(mark in r.marks for r in log.records
                        for mark in ('reserved', 'committed', 'lost')):
        raise Mistake('such a log has no such marks, and no numbers')
    texts = [expand(record.text) for record in log.records]
    total = sum(64 + len(text) for text in texts)
    old = OldLog(1 << (log.size_bits or max(15, total.bit_length())), log.has_callers)
    places = [(old.store(record, text), record.hole())
              for record, text in zip(log.records, texts)]
    offset = next((-at % PAGE for at, hole in places if hole), 0)
    paddr = memory.place('log data', old.buf, offset)
    pages = {(paddr % PAGE + at) // PAGE: hole for at, hole in places if hole}
    holes = [('exclude' if hole == 'excluded' else 'omit', ['log', 'data', 'page', str(page)])
             for page, hole in sorted(pages.items())]
    return {'log_buf': (8, direct + paddr), 'log_buf_len': (4, len(old.buf)),
            'log_first_idx': (4, old.first), 'clear_idx': (4, 0),
            'log_next_idx': (4, old.next)}, holes
