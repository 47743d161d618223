# SPDX-License-Identifier: GPL-2.0-or-later
"""Stacks, from lists of frames. x86_64: what the ORC tables (orc.py) say of each function.
arm64: frame records (arch/arm64/kernel/stacktrace.c, 6.12)."""
import struct

from . import PAGE, Mistake
from .functions import DEFAULT_OFFSET

MARKS = ('<regs>', '<user>', '<stack>', '<cut>', '<page>')
LOCALS = 3  # words of a frame of x86_64 besides the return address
USER_PC, USER_SP = 0x46cd30, 0x7ffc270520d0
STACK_SIZE = 0x4000
# Bytes between the stacks of two CPUs; each has two, that of a task and that of interrupts.
STRIDE = 0x20000


def parse_frames(lines, cpu):
    """Frames and marks, as words or as lines of a backtrace."""
    frames = []
    for line in lines:
        line = line.decode() if isinstance(line, bytes) else line
        for word in line.replace('{cpu}', str(cpu)).split():
            if word[0] == '[':
                frames[-1] += f' {word}'
            elif word not in ('<TASK>', '</TASK>', '</IRQ>', '?'):
                frames.append(word)
    return frames


class Frame:
    """A function, and the mark behind it."""

    def __init__(self, word):
        self.word, self.mark, self.address = word, None, 0

    def resolve(self, functions):
        self.address = int(self.word, 16) if self.word.startswith('0x') \
            else functions.address(self.word, DEFAULT_OFFSET)


def group_frames(words):
    frames = []
    for word in words:
        if word not in MARKS:
            frames.append(Frame(word))
        elif not frames or frames[-1].mark:
            raise Mistake(f'{word} stands behind a function')
        else:
            frames[-1].mark = word
    return frames


class Stack:
    """segments: (address, bytes) of each stack that the frames are on; regs: by name;
    unusual: address of code: how it uses the stack, for orc.py."""

    def __init__(self, words, functions, arch_name, base, sp=None, size=STACK_SIZE):
        self.functions = functions
        self.frames = group_frames(words)
        for frame in self.frames:
            frame.resolve(functions)
        self.unusual = {}
        build = self.build_x86 if arch_name == 'x86_64' else self.build_arm64
        self.page_at = None  # index of the word that begins a page
        build([0] * (1 + len(self.frames)))
        starts = [self.place(base + i * size, size, part) for i, part in enumerate(self.parts)]
        if sp is not None:
            if self.is_cut or self.page_at is not None:
                raise Mistake(f'where the stack of {words[0]} is, its mark decides')
            starts[0] = sp
        build(starts)
        self.segments = [(start, struct.pack(f'<{len(part)}Q', *part))
                         for start, part in zip(starts, self.parts)]

    def place(self, base, size, part):
        """Address of the first word."""
        end = base + size
        if self.is_cut:  # at the end of its memory
            return end - 8 * len(part)
        start = (end - 0x50 - 8 * len(part)) & ~15
        if part is self.parts[0] and self.page_at is not None:
            start -= (start + 8 * self.page_at) % PAGE
        return start

    def here(self, starts):
        """Address of the next word."""
        return starts[len(self.parts) - 1] + 8 * len(self.parts[-1])

    def call(self, frame, callee):
        if not frame.word.startswith('0x'):
            self.functions.call_before(frame.address, self.functions.start(callee.address))

    def end_page(self, frame):
        """The next word is the first of a page."""
        if frame.mark == '<page>':
            if len(self.parts) > 1 or self.page_at not in (None, len(self.parts[0])):
                raise Mistake('a stack has one <page>, before any <stack>')
            self.page_at = len(self.parts[0])

    # ------------------------------------------------------------------ x86_64

    def build_x86(self, starts):
        self.parts = [[]]
        self.is_cut = False
        self.regs = {'rip': self.frames[0].address, 'rsp': starts[0], 'cs': 0x10, 'ss': 0x18,
                     'eflags': 0x246}
        for frame, caller in zip(self.frames, self.frames[1:] + [None]):
            part = self.parts[-1]
            if frame.mark == '<cut>':
                part += [0] * LOCALS
                self.is_cut = True
            elif frame.mark == '<user>' or (frame.mark == '<regs>' and caller):
                self.unusual[frame.address] = 'regs'
                self.push_pt_regs(starts, caller if frame.mark == '<regs>' else None)
            elif not caller:
                self.unusual[frame.address] = 'end'
                part += [0] * 2
            elif frame.mark == '<stack>':
                self.unusual[frame.address] = 'indirect'
                part.append(starts[len(self.parts)])
                self.parts.append([caller.address])
                self.call(caller, frame)
            else:
                part += [0] * LOCALS
                self.end_page(frame)
                part.append(caller.address)
                self.call(caller, frame)

    def push_pt_regs(self, starts, interrupted):
        """struct pt_regs, arch/x86/include/asm/ptrace.h (6.12)."""
        part = self.parts[-1]
        following = self.here(starts) + 8 * 21
        tail = [interrupted.address, 0x10, 0x246, following, 0x18] if interrupted else \
            [USER_PC, 0x33, 0x246, USER_SP, 0x2b]
        part += [0] * 15 + [(1 << 64) - 1] + tail

    # ------------------------------------------------------------------- arm64

    def build_arm64(self, starts):
        self.parts = [[]]
        self.is_cut = False
        self.regs = {'pc': self.frames[0].address, 'sp': starts[0], 'x29': starts[0],
                     'pstate': 0x60000005}
        if len(self.frames) > 1 and not self.frames[0].mark:
            self.regs['lr'] = self.frames[1].address
        for frame, caller in zip(self.frames, self.frames[1:] + [None]):
            part = self.parts[-1]
            if frame.mark == '<cut>':
                self.is_cut = True
            elif frame.mark == '<user>' or (frame.mark == '<regs>' and caller):
                self.push_arm64_regs(starts, caller if frame.mark == '<regs>' else None)
            elif not caller:
                part += [0, 0]
            else:
                self.end_page(frame)
                self.push_record(starts, frame, caller)
                self.call(caller, frame)

    def push_record(self, starts, frame, caller):
        """{x29 of the caller, return address}, and two words of locals."""
        part = self.parts[-1]
        if frame.mark == '<stack>':
            self.parts.append([])
            following = starts[len(self.parts) - 1]
        else:
            following = self.here(starts) + 32
        if caller.mark in ('<regs>', '<user>'):
            following += STACKFRAME
        part += [following, caller.address, 0, 0]

    def push_arm64_regs(self, starts, interrupted):
        """struct pt_regs, arch/arm64/include/asm/ptrace.h (6.12): the record inside of it is
        what a frame record of its function would be."""
        at = self.here(starts)
        words = [0] * (PT_REGS // 8)
        if interrupted:
            words[29] = at + PT_REGS
            words[31:34] = [at + PT_REGS, interrupted.address, 0x60000005]
            words[STACKFRAME // 8:STACKFRAME // 8 + 2] = [at + PT_REGS, interrupted.address]
        else:
            words[31:34] = [USER_SP, USER_PC, 0]
        self.parts[-1] += words


STACKFRAME, PT_REGS = 304, 336


def place_stacks(stacks, memory, tables):
    """stacks: CPU: Stack"""
    for cpu, stack in stacks.items():
        for i, (start, data) in enumerate(stack.segments):
            name = f'stack {cpu}' if not i else f'stack {cpu}.{i}'
            first = start // memory.page * memory.page
            paddr = memory.place(name, bytearray(data), start - first)
            tables.map_pages(first, paddr // memory.page * memory.page, start + len(data) - first)
