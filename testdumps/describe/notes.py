# SPDX-License-Identifier: GPL-2.0-or-later
"""Crash notes of CPUs, and the notes of the file."""
import struct

from . import WITHOUT_NOTE, Mistake
from .elf import elf_note
from .layout import Layout

NT_PRSTATUS = 1
PR_PID, PR_REG = 32, 112  # struct elf_prstatus on 64-bit


def note_layout():
    layout = Layout()
    for name in ('namesz', 'descsz', 'type'):
        layout.add(name, 4)
    layout.add('name', 1, 8, True)
    layout.members['pid'] = (20 + PR_PID, 4, 1, False)
    return layout


def indexed(arch, about, values):
    """Registers by name to registers by their index in pr_reg."""
    for name in values:
        if name not in arch['regs']:
            raise Mistake(f'{about.arch} has no register {name}')
    return {arch['regs'].index(name): value for name, value in values.items()}


def prstatus(arch, pid, regs):
    desc = bytearray(PR_REG + 8 * len(arch['regs']) + 8)
    struct.pack_into('<i', desc, PR_PID, pid)
    for index, value in regs.items():
        struct.pack_into('<Q', desc, PR_REG + 8 * index, value)
    return desc


def crash_note(arch, present, pid, regs):
    """An entry of crash_notes: header, "CORE", struct elf_prstatus, and the empty note that
    ends it. Not present: as it was allocated."""
    desc = prstatus(arch, pid, regs)
    note = bytearray(20 + len(desc) + 12)
    if present:
        struct.pack_into('<III8s', note, 0, 5, len(desc), NT_PRSTATUS, b'CORE')
        note[20:20 + len(desc)] = desc
    return note


def qemu_state(arch, regs):
    """struct QEMUCPUState, target/i386/arch_dump.c of QEMU 8: a version, its size, registers,
    10 segments of 24 bytes, cr0 to cr4, kernel_gs_base."""
    names = 'rax rbx rcx rdx rsi rdi rsp rbp r8 r9 r10 r11 r12 r13 r14 r15 rip eflags'.split()
    values = [regs.get(arch['regs'].index(name), 0) for name in names]
    state = struct.pack('<II18Q', 1, 440, *values)
    segments = [regs.get(arch['regs'].index(name), 0) for name in 'cs ds es fs gs ss'.split()]
    for selector in segments + [0] * 4:
        state += struct.pack('<IIIIQ', selector, 0, 0, 0, 0)
    state += struct.pack('<Q', 0x80050033)  # cr0: PE, MP, ET, NE, WP, AM, PG
    return state.ljust(440, b'\0')


def file_notes(dump):
    """Crash notes against the order of CPUs, since theirs proves nothing, then VMCOREINFO.
    A hypervisor's dump has its virtual CPUs instead, in order: write_elf64_notes(),
    dump/dump.c of QEMU 8."""
    notes = b''
    for cpu in sorted(dump.vcpus):
        notes += elf_note(b'CORE\0', NT_PRSTATUS,
                          bytes(prstatus(dump.arch, cpu + 1, dump.vcpus[cpu])))
    for cpu in sorted(dump.vcpus) if dump.about.arch == 'x86_64' else []:
        notes += elf_note(b'QEMU\0', 0, qemu_state(dump.arch, dump.vcpus[cpu]))
    for cpu in sorted(dump.written_notes, reverse=True) if not dump.vcpus else []:
        notes += bytes(dump.memory.objects[f'note {cpu}'][1][:-12])
    if dump.vmcoreinfo is not None and dump.about.format not in WITHOUT_NOTE:
        notes += elf_note(b'VMCOREINFO\0', 0, dump.vmcoreinfo)
    return notes
