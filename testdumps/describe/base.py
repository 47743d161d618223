# SPDX-License-Identifier: GPL-2.0-or-later
"""base DIR: what a description says, in a copy of a bundled real dump, whose vmlinux crash
can use."""
import bisect
import os
import re
import struct

from . import PAGE, Mistake
from .arches import ARCHES
from .basedump import BaseDump, BaseKernel, join_notes, split_notes
from .description import BUNDLED
from .functions import DEFAULT_OFFSET
from .kernel import EXPANDED
from .layout import HEADER, Format
from .notes import NT_PRSTATUS, crash_note, indexed
from .orc import FORMATS
from .stack import STACK_SIZE, STRIDE, Stack, parse_frames
from .vmcoreinfo import edited

SP, SP_INDIRECT, BP, PREV_SP = 5, 9, 4, 1  # numbers of registers up to 6.14
# Of struct nmi_capture_desc, what is not known before boot.
SET_UP = ('desc_paddr', 'table_paddr', 'slot_size', 'nr_slots', 'generation', 'asked_ns',
          'finished_ns', 'state', 'asked_local_ns', 'asked_real_ns', 'taint', 'message_len')
MASK64 = (1 << 64) - 1


def path_of(name):
    return os.path.join(BUNDLED, name, 'vmcore')


class Orc:
    """The base's own ORC tables."""

    def __init__(self, kernel):
        at = kernel.symbols['__start_orc_unwind_ip']
        size = kernel.symbols['__stop_orc_unwind_ip'] - at
        self.form = FORMATS['6.5' if '__start_orc_header' in kernel.symbols else '4.14']
        offsets = struct.unpack(f'<{size // 4}i', kernel.read(at, size))
        self.ips = [at + 4 * i + offset for i, offset in enumerate(offsets)]
        self.entries = kernel.read(kernel.symbols['__start_orc_unwind'], 6 * len(self.ips))

    def find(self, address):
        """sp_offset, bp_offset, sp_reg, bp_reg, type"""
        i = bisect.bisect_right(self.ips, address) - 1
        sp_offset, bp_offset, bits = struct.unpack_from('<hhH', self.entries, 6 * i)
        return sp_offset, bp_offset, bits & 15, bits >> 4 & 15, bits >> 8 & 7

    def has_data(self, address):
        return self.find(address)[2] != 0


class OrcStack(Stack):
    """Words as the base's tables want them: each function's frame has its own size."""

    def __init__(self, orc, *args):
        self.orc = orc
        super().__init__(*args)

    def build_x86(self, starts):
        self.parts, self.is_cut = [[]], False
        self.regs = {'rip': self.frames[0].address, 'rsp': starts[0], 'rbp': 0, 'cs': 0x10,
                     'ss': 0x18, 'eflags': 0x246}
        self.saved_bp = None  # index of the word that has the caller's rbp; None: rbp itself
        is_return = False
        for frame, caller in zip(self.frames, self.frames[1:] + [None]):
            is_return = self.push(starts, frame, caller, is_return)

    def push(self, starts, frame, caller, is_return):
        """Whether the next frame is that of a call."""
        part, form = self.parts[0], self.orc.form
        sp_offset, bp_offset, sp_reg, bp_reg, kind = self.orc.find(frame.address - is_return)
        if frame.mark in ('<regs>', '<user>'):
            if kind & 3 != form['regs'] or sp_reg != SP:
                raise Mistake(f'{frame.word}: the base saves no registers there')
            part += [0] * (sp_offset // 8)
            self.saved_bp = len(part) + 4
            self.push_pt_regs(starts, caller if frame.mark == '<regs>' else None)
            return False
        if not caller:
            part += [0] * 4
            return False
        if kind & 7 != form['call'] or sp_reg not in (SP, BP, SP_INDIRECT):
            raise Mistake(f'{frame.word}: the base\'s ORC table has no plain call there')
        if frame.mark:
            raise Mistake(f'{frame.mark} is not for a base')
        size = sp_offset // 8 if sp_reg == SP else 8
        part += [0] * (size - 1) + [caller.address]
        end = starts[0] + 8 * len(part)
        if sp_reg == BP:
            self.set_bp(end - sp_offset)
        if bp_reg == PREV_SP:
            self.saved_bp = len(part) + bp_offset // 8
        return True

    def set_bp(self, value):
        if self.saved_bp is None:
            self.regs['rbp'] = value
        else:
            self.parts[0][self.saved_bp] = value


class BasedDump:
    def __init__(self, about):
        self.about, self.arch = about, ARCHES[about.arch]
        self.dump = BaseDump(path_of(about.base))
        self.kernel = BaseKernel(self.dump, about.arch)
        self.stacks, self.notes = {}, {}
        self.drop_capture()
        self.set_variables()
        for cpu, told in sorted(about.by_cpu.items()):
            self.set_cpu(cpu, told)
        if about.log:
            self.set_log(about.log)
        self.set_notes()
        self.drop_pages()

    def number(self, value):
        return value if isinstance(value, int) else self.kernel.address(value)

    # ---------------------------------------------------------------- variables

    def drop_capture(self):
        """As with nmi_backtrace.capture=0: the descriptor is as the image has it."""
        key = 'NUMBER(nmi_backtrace_capture)'
        if key not in self.kernel.info:
            return
        at, layout = int(self.kernel.info[key]), Format(HEADER).desc
        size = layout.size
        desc = bytearray(self.kernel.read_phys(at, size))
        for name in SET_UP:
            layout.set(desc, name, 0)
        self.dump.page_to_change(at // PAGE)[at % PAGE:at % PAGE + size] = desc
        self.about.vmcoreinfo_edits.insert(0, ('drop', key))

    def set_variables(self):
        about, kernel = self.about, self.kernel
        if about.panic_cpu_is_said:
            panic_cpu = -1 if about.panic_cpu is None else about.panic_cpu
            kernel.write(kernel.address('panic_cpu'), struct.pack('<i', panic_cpu))
        for name, (size, value) in about.variables.items():
            number = kernel.address(value[1:]) if value[0] == '&' else int(value, 0)
            kernel.write(kernel.address(name),
                         (number & (1 << 8 * (size or 4)) - 1).to_bytes(size or 4, 'little'))

    # --------------------------------------------------------------- CPUs, notes

    def note_at(self, cpu):
        kernel = self.kernel
        return kernel.percpu(cpu, kernel.word(kernel.address('crash_notes')))

    def stack_base(self, cpu, told):
        """The memory of the stack that the CPU was on, or that its note is said to be on."""
        sp = told.note_regs.get(self.arch['sp'])
        if sp is None:
            at = 20 + 112 + 8 * self.arch['regs'].index(self.arch['sp'])
            sp = self.kernel.word(self.note_at(cpu) + at)
        if not sp >> 63:  # it was in user mode
            sp = self.other_stack(cpu)
        return sp & -STACK_SIZE

    def other_stack(self, cpu):
        """A stack of the CPU's own: that of its task, or of interrupts. x86_64: struct pcpu_hot,
        arch/x86/include/asm/current.h (6.12), top_of_stack is its first pointer behind the
        task; hardirq_stack_ptr of 6.1. arm64: irq_stack_ptr, arch/arm64/kernel/irq.c."""
        symbols, kernel = self.kernel.symbols, self.kernel
        if 'pcpu_hot' in symbols:
            at = kernel.percpu(cpu, symbols['pcpu_hot'])
            return next(word for word in struct.unpack('<4Q', kernel.read(at + 16, 32))
                        if word >> 63) - 1
        name = 'irq_stack_ptr' if 'irq_stack_ptr' in symbols else 'hardirq_stack_ptr'
        return kernel.word(kernel.percpu(cpu, kernel.address(name)))

    def has_function(self, word):
        return word[0] in '<0' or re.split(r'[+/]', word)[0] in self.kernel.symbols

    def known_frames(self, words):
        """Without functions that the base lacks, since its build has inlined them:
        pv_native_safe_halt() is a part of default_idle() there."""
        behind = words[1:] + ['']
        known = [word for word, following in zip(words, behind)
                 if self.has_function(word) or following[:1] == '<']
        if not known:
            raise Mistake(f'the base has no symbol {words[0]}')
        return known

    def make_stack(self, cpu, told):
        words = self.known_frames(parse_frames(told.frames, cpu))
        args = (self.kernel, self.about.arch, self.stack_base(cpu, told))
        if self.about.arch == 'arm64':
            return Stack(words, *args)
        orc = Orc(self.kernel)
        # __crash_kexec() has none: STACK_FRAME_NON_STANDARD(), kernel/crash_core.c (6.12). Its
        # caller saves the registers instead.
        while len(words) > 1 and words[1][0] != '<' and not orc.has_data(
                self.kernel.address(words[0], DEFAULT_OFFSET)):
            words = words[1:]
        return OrcStack(orc, words, *args)

    def set_cpu(self, cpu, told):
        regs = {}
        if told.frames:
            stack = self.stacks[cpu] = self.make_stack(cpu, told)
            for start, data in stack.segments:
                self.kernel.write(start, data)
            regs = dict(stack.regs)
        if told.note not in ('same', 'own', 'none'):
            return
        said = {name: self.number(value) for name, value in told.note_regs.items()
                if not (told.frames and name == self.arch['sp'])}
        if self.arch['pc'] in said and 'cs' in self.arch['regs']:
            regs.setdefault('cs', 0x10)
        regs.update(said)
        pid = regs.pop('pid', told.pid)
        note = crash_note(self.arch, told.note != 'none', pid,
                          indexed(self.arch, self.about, regs))
        self.kernel.write(self.note_at(cpu), note)
        self.notes[cpu] = None if told.note == 'none' else bytes(note[20:-12])

    def set_notes(self):
        """Of the file: crash notes in the order of CPUs, as the base has them."""
        notes = split_notes(self.dump.notes)
        cpus = [i for i, (name, kind, _) in enumerate(notes)
                if kind == NT_PRSTATUS and name == b'CORE\0']
        for cpu, i in enumerate(cpus):
            if cpu in self.notes:
                notes[i] = notes[i][:2] + (self.notes[cpu],)
        text = self.dump.vmcoreinfo.rstrip(b'\0').decode().splitlines()
        if self.about.crash_time is not None:
            self.about.vmcoreinfo_edits.append(('set', f'CRASHTIME={self.about.crash_time}'))
        lines = edited(text, self.about.vmcoreinfo_edits)
        info = ''.join(line + '\n' for line in lines).encode()
        self.dump.vmcoreinfo = info
        self.dump.notes = join_notes(
            [(name, kind, info if name.startswith(b'VMCOREINFO') else desc)
             for name, kind, desc in notes if desc is not None])

    # -------------------------------------------------------------------- the log

    def expand(self, text):
        def replace(found):
            if found[1]:
                return b'%016x' % self.kernel.address(found[1].decode())
            cpu = int(found[2])
            if cpu in self.stacks:
                return b'%016x' % self.stacks[cpu].regs[self.arch['sp']]
            return b'%016x' % (self.arch['stacks'] + cpu * STRIDE + STACK_SIZE - 0x120)
        return EXPANDED.sub(replace, text)

    def set_log(self, log):
        """In the base's own rings, instead of what is there."""
        kernel = self.kernel
        ring = kernel.word(int(kernel.info['SYMBOL(prb)'], 16))
        old = kernel.read(ring, 88)
        log.count_bits, descs, infos = struct.unpack_from('<IxxxxQQ', old)
        log.size_bits, data = struct.unpack_from('<IxxxxQ', old, 48)
        if log.place(self.expand):
            raise Mistake('with a base, a log has no records that are excluded or unreadable')
        for at, content in zip((descs, infos, data), log.make()):
            kernel.write(at, content)
        kernel.write(ring, log.ring(descs, infos, data))

    # ---------------------------------------------------------------------- pages

    def drop_pages(self):
        """exclude note N, stack N"""
        for kind, words in self.about.holes:
            if kind != 'exclude' or words[0] not in ('note', 'stack') or len(words) != 2:
                raise Mistake('of a base, notes and stacks can be excluded')
            cpu = int(words[1])
            at = self.note_at(cpu) if words[0] == 'note' else self.stacks[cpu].segments[0][0]
            self.dump.drop(self.kernel.to_phys(at) // PAGE)


def write_based(about, path):
    BasedDump(about).dump.write(path)
    return []
