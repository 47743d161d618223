# SPDX-License-Identifier: GPL-2.0-or-later
"""A dump, put together: what a description says, as physical memory and notes."""
from . import WITHOUT_NOTE
from .arches import arch_of
from .capture import Capture, override
from .description import Cpu
from .elf import elf_note
from .kernel import Kernel
from .memory import Memory
from .notes import crash_note, file_notes, indexed, note_layout
from .poke import poke


class Dump:
    def __init__(self, fmt, description):
        self.fmt, self.about = fmt, description
        self.arch = arch_of(description)
        self.memory = Memory(self.arch['base'], description.page_size)
        self.notes_layout = note_layout()
        self.kernel = Kernel(description, self.arch, self.memory) if description.kernel else None
        self.release = self.kernel.version if self.kernel else '6.12.0-synthetic'
        self.phys_base = self.kernel.phys_base if self.kernel else 0
        self.mapped_at = self.arch['direct' if self.kernel else 'vaddr']
        self.capture = None
        if description.has_capture:
            self.capture = Capture(fmt, description, self.arch, self.memory, self.expand)
        self.written_notes, self.vcpus = set(), {}
        self.fill_memory()
        self.holes = description.holes + (self.kernel.holes if self.kernel else [])
        self.vmcoreinfo = self.make_vmcoreinfo()
        if description.format in WITHOUT_NOTE and self.vmcoreinfo:
            self.memory.place('vmcoreinfo note', elf_note(b'VMCOREINFO\0', 0, self.vmcoreinfo))
        # The capture kernel drops notes that are no notes: these stay whole.
        self.notes = file_notes(self)
        for text in description.pokes:
            poke(self, text)
        for name, value in description.fields:
            override(self, name, value)

    def expand(self, text):
        return self.kernel.expand(text) if self.kernel else text

    def number(self, value):
        return self.kernel.number(value) if self.kernel else value

    def fill_memory(self):
        if self.capture:
            self.capture.place_desc()
        for cpu in range(self.about.cpus):
            self.place_cpu(cpu, self.about.by_cpu.get(cpu) or Cpu(['empty']))
        if self.capture:
            self.capture.fill_desc()
        if self.kernel:
            self.kernel.finish()

    def place_cpu(self, cpu, told):
        if told.outcome == 'impossible':
            return
        if self.kernel:
            self.kernel.place_area(cpu)
        regs = None if told.regs is None else \
            {name: self.number(value) for name, value in told.regs.items()}
        note = self.make_note(cpu, told, regs)
        at = self.memory.place(f'note {cpu}', note)
        if told.vcpu is not None:
            self.vcpus[cpu] = self.vcpu_regs(cpu, told)
        if self.capture:
            at_nmi = None if regs is None else indexed(self.arch, self.about, regs)
            self.capture.place_slot(cpu, told, at_nmi, at, len(note))

    def make_note(self, cpu, told, regs):
        if told.note not in ('same', 'own'):
            return crash_note(self.arch, False, 0, {})
        self.written_notes.add(cpu)
        values = dict(regs or {}) if told.note == 'same' else {}
        values.update(self.kernel.regs_at_stop(cpu, told) if self.kernel else told.note_regs)
        pid = values.pop('pid', told.pid)
        return crash_note(self.arch, True, pid, indexed(self.arch, self.about, values))

    def vcpu_regs(self, cpu, told):
        values = dict(self.kernel.stacks[cpu].regs) if self.kernel and cpu in self.kernel.stacks \
            else {}
        values.update({name: self.number(value) for name, value in told.vcpu.items()})
        return indexed(self.arch, self.about, values)

    def make_vmcoreinfo(self):
        about = self.about
        if about.vmcoreinfo is None:
            return None
        line = 'NUMBER(nmi_backtrace_capture)={desc}' if self.capture else None
        text = self.kernel.vmcoreinfo(line) if self.kernel and not about.vmcoreinfo_is_own \
            else b''.join(about.vmcoreinfo)
        if self.capture:
            text = text.replace(b'{desc}', b'%d' % self.memory.objects['desc'][0])
        return text
