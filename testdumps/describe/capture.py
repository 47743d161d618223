# SPDX-License-Identifier: GPL-2.0-or-later
"""What a capture leaves in memory: descriptor, table, slots."""
import re

from . import Mistake
from .text import unescape

NO_CPU = 2**32 - 1
CRASH_TIME = 1767225601


def store(messages, size):
    """As the kernel's capture_store(): text, lost bytes, lost messages."""
    text, lost_bytes, lost_msgs = b'', 0, 0
    for message in messages:
        room = size - len(text)
        kept = len(message) if len(message) < room else max(room - 1, 0)
        text += message[:kept]
        lost_bytes += len(message) - kept
        lost_msgs += kept == 0 and len(message) >= room
    return text, lost_bytes, lost_msgs


class Capture:
    """expand: what is done to messages before they are stored."""

    def __init__(self, fmt, about, arch, memory, expand):
        self.fmt, self.about, self.arch, self.memory = fmt, about, arch, memory
        self.expand = expand
        self.slot_size = (fmt.slot.size + about.text + about.nested + 7) & ~7
        self.desc = self.table = None

    def place_desc(self):
        about, memory = self.about, self.memory
        # The descriptor is amid other data, as a static variable is.
        self.desc = bytearray(self.fmt.desc.size)
        if about.copy == 'before':
            memory.place('copy', bytearray(self.fmt.desc.size), 0x280)
        memory.place('desc', self.desc, 0x140)
        if about.copy == 'after':
            memory.place('copy', bytearray(self.fmt.desc.size), 0x280)
        self.table = bytearray(8 * about.cpus)
        split = 4096 - 8 * about.table_split if about.table_split is not None else 0
        memory.place('table', self.table, split)

    def place_slot(self, cpu, told, regs, note, note_size):
        """regs: at the NMI; note: physical address of the crash note, which has
        note_size bytes."""
        slot = self.memory.place(f'slot {cpu}', self.make_slot(cpu, told, regs, note, note_size))
        self.table[8 * cpu:8 * cpu + 8] = slot.to_bytes(8, 'little')

    def was_asked(self, told):
        return told.outcome in ('nmi', 'irq', 'silent', 'stop', 'partial') and \
            told.how != 'self' and 'regs-only' not in self.about.flags

    def fill_desc(self):
        about, constants = self.about, self.fmt.constants
        missing = any(cpu.outcome == 'silent' or (cpu.outcome == 'partial' and cpu.how != 'self')
                      for cpu in about.by_cpu.values())
        state = about.state or ('timeout' if missing else 'complete')
        waited = about.waited
        if waited is None:
            waited = about.timeout if state == 'timeout' else 5.0
        values = {
            'magic': constants['NMI_CAPTURE_DESC_MAGIC'].encode(),
            'version': constants['NMI_CAPTURE_VERSION'],
            'desc_size': self.fmt.desc.size,
            'slot_hdr_size': self.fmt.slot.size,
            'slot_size': self.slot_size,
            'nr_slots': about.cpus,
            'state': self.fmt.named('NMI_CAPTURE_', state),
            'generation': 0 if state == 'idle' else about.generation,
            'panic_cpu': NO_CPU if about.panic_cpu is None else about.panic_cpu,
            'timeout_ms': about.timeout,
            'flags': sum(self.fmt.named('NMI_CAPTURE_F_', flag) for flag in about.flags),
            'refused': about.refused,
            'nr_asked': sum(self.was_asked(cpu) for cpu in about.by_cpu.values()),
            'desc_paddr': self.memory.objects['desc'][0],
            'table_paddr': self.memory.objects['table'][0],
            'asked_ns': 0 if state == 'idle' else about.asked_ns,
            'finished_ns': 0 if state in ('idle', 'running')
                           else about.asked_ns + int(waited * 1e6),
        }
        values.update(self.of_panic() if state != 'idle' else {'from_cpu': NO_CPU})
        for name, value in values.items():
            self.fmt.desc.set(self.desc, name, value)
        if about.copy:
            self.memory.objects['copy'][1][:] = self.desc

    def of_panic(self):
        """What the requester says of the panic."""
        about = self.about
        from_cpu = about.from_cpu if about.from_cpu_is_said else about.panic_cpu
        size = self.fmt.constants['NMI_CAPTURE_MESSAGE_LEN']
        return {
            'asked_local_ns': about.asked_ns if about.local_ns is None else about.local_ns,
            'asked_real_ns': about.real_ns if about.real_ns is not None
                             else (about.crash_time or CRASH_TIME) * 10**9,
            'taint': about.taint,
            'from_cpu': NO_CPU if from_cpu is None else from_cpu,
            'message_len': len(about.message),
            'message': about.message[:size - 1],
        }

    def make_slot(self, cpu, told, regs, note_paddr, note_size):
        fmt = self.fmt
        slot = bytearray(self.slot_size)
        flags = set(told.flags)
        if regs is not None:
            flags.add('regs')
        was_offline = told.outcome == 'offline' or 'offline' in flags
        flags.discard('offline')
        text_off = fmt.slot.size
        nested_off = text_off + self.about.text
        text_len, lost_bytes, lost_msgs = self.fill_area(
            slot, cpu, told, '', text_off, self.about.text)
        nested_len, more_bytes, more_msgs = self.fill_area(
            slot, cpu, told, 'nested', nested_off, self.about.nested)
        if lost_bytes or more_bytes:
            flags.add('overflow')

        state = {'silent': 'asked', 'partial': 'begun', 'offline': 'empty',
                 'empty': 'empty'}.get(told.outcome, 'done')
        written = state in ('begun', 'done')
        generation = told.numbers.get('generation', self.about.generation)
        values = {
            'magic': fmt.constants['NMI_CAPTURE_SLOT_MAGIC'].encode(),
            'cpu': cpu,
            'state': fmt.named('NMI_CAPTURE_SLOT_', state),
            'asked_generation': generation if self.was_asked(told) or was_offline else 0,
            'asked_flags': self.fmt.named('NMI_CAPTURE_ASKED_F_', 'offline') if was_offline else 0,
            'generation': generation if written else 0,
            'how': fmt.named('NMI_CAPTURE_BY_', told.how or 'none'),
            'flags': sum(fmt.named('NMI_CAPTURE_SLOT_F_', flag) for flag in flags),
            'text_off': text_off, 'text_size': self.about.text, 'text_len': text_len,
            'nested_off': nested_off, 'nested_size': self.about.nested, 'nested_len': nested_len,
            'lost_msgs': lost_msgs + more_msgs, 'lost_bytes': lost_bytes + more_bytes,
            'begin_again': told.numbers.get('again', 0),
            'pid': told.pid if written else 0,
            'nr_regs': len(self.arch['regs']) if regs is not None else 0,
            'comm': unescape(told.comm.replace('{cpu}', str(cpu)).encode())
                    if written else b'',
            'note_paddr': 0 if told.note == 'unknown' else note_paddr,
            'note_size': 0 if told.note == 'unknown' else note_size,
        }
        values.update(self.times(told, state))
        for name, value in values.items():
            fmt.slot.set(slot, name, value)
        for index, value in (regs or {}).items():
            fmt.slot.set(slot, 'regs', value, index)
        return slot

    def times(self, told, state):
        begun = told.times.get('begun', 1.0)
        default = {'asked': 0.1 if self.was_asked(told) else None,
                   'begun': begun if state in ('begun', 'done') else None,
                   'done': begun + 0.1 if state == 'done' else None}
        default.update(told.times)
        return {name + '_ns': 0 if ms is None else self.about.asked_ns + round(ms * 1e6)
                for name, ms in default.items()}

    def fill_area(self, slot, cpu, told, kind, off, size):
        def block(name):
            messages = told.blocks.get(f'{kind} {name}'.strip(), [])
            return [self.expand(m.replace(b'{cpu}', b'%d' % cpu)) for m in messages]

        text, lost_bytes, lost_msgs = store(block('' if kind else 'text'), size)
        tail = b''.join(block('tail'))
        if told.tail_to_the_end and not kind and tail:
            tail *= size // len(tail) + 1
        area = (text + tail + b'\0' + b''.join(block('residue')))[:size]
        slot[off:off + len(area)] = area
        return len(text), lost_bytes, lost_msgs


FIELD = re.compile(r'(desc|table|slot|note)(?:\[(\d+)\])?(?:\.(\w+))?(?:\[(\d+)\])?')


def override(dump, name, value):
    """field NAME = VALUE"""
    found = FIELD.fullmatch(name)
    if not found:
        raise Mistake(f'no field {name}')
    what, cpu, field, index = found.groups()
    value = unescape(value[1:-1].encode()) if value[0] == '"' else int(value, 0)
    if what == 'table':
        paddr = (value & (1 << 64) - 1).to_bytes(8, 'little')
        dump.memory.objects['table'][1][8 * int(cpu):8 * int(cpu) + 8] = paddr
        return
    data = dump.memory.objects['desc' if what == 'desc' else f'{what} {cpu}'][1]
    layout = {'desc': dump.fmt.desc, 'slot': dump.fmt.slot, 'note': dump.notes_layout}[what]
    layout.set(data, field, value, int(index) if index else None)
