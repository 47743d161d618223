# SPDX-License-Identifier: GPL-2.0-or-later
"""What a description says. The format is documented by mkdump --help."""
import decimal
import os
import re

from . import FORMATS, Mistake
from .arches import ARCHES
from .basedump import nr_cpus_of
from .log import Log
from .nmibuffers import Buffer
from .source import Source
from .text import parse_list, parse_message, parse_pairs, unescape

BUNDLED = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
TEXTS = ('text', 'tail', 'residue', 'nested', 'nested tail', 'nested residue')


class Cpu:
    """What a description says about one CPU, or about several alike."""

    def __init__(self, words):
        words = words or ['none']
        self.outcome, self.flags, self.how = words[0], words[1:], None
        if self.outcome == 'partial':
            self.how, self.flags = words[1], words[2:]
        elif self.outcome in ('nmi', 'irq', 'self', 'stop'):
            self.how = self.outcome
        elif self.outcome not in ('silent', 'offline', 'empty', 'impossible', 'none'):
            raise Mistake(f'no outcome {self.outcome}')
        self.has_capture = self.outcome != 'none'
        if not self.has_capture:
            self.outcome = 'empty'
        self.pid, self.comm = 0, 'swapper/{cpu}'
        self.times = {}
        self.numbers = {}
        self.regs = self.vcpu = None
        self.note, self.note_regs = None, {}
        self.blocks = {}
        self.frames = []
        self.percpu = {}
        self.buffers = {'nmi': Buffer(), 'safe': Buffer()}
        self.tail_to_the_end = False

    def take(self, line, words):
        """An attribute; returns the block that it begins, or None."""
        key = words[0]
        if line in TEXTS:
            return self.blocks.setdefault(line, [])
        if line == 'tail to the end':
            self.tail_to_the_end = True
            return self.blocks.setdefault('tail', [])
        if key in self.buffers:
            return self.buffers[key].take(words)
        if key == 'stack':
            self.frames.append(line.partition(' ')[2])
            return self.frames
        if key == 'task':
            self.pid, self.comm = int(words[1]), line.split(None, 2)[2]
        elif key in ('asked', 'begun', 'done'):
            self.times[key] = float(words[1])
        elif key in ('generation', 'again'):
            self.numbers[key] = int(words[1], 0)
        elif key == 'regs':
            self.regs = parse_pairs(words[1:])
        elif key == 'vcpu':
            self.vcpu = parse_pairs(words[1:])
        elif key == 'note':
            named = '=' not in words[1]
            self.note = words[1] if named else 'own'
            if self.note not in ('same', 'own', 'none', 'unknown'):
                raise Mistake(f'no kind of note: {self.note}')
            self.note_regs = parse_pairs(words[2 if named else 1:])
        elif key == 'percpu':
            name, size, value = parse_variable(line)
            self.percpu[name] = (size, value)
        else:
            raise Mistake(f'not known: {line}')
        return None


def parse_variable(line):
    """'variable NAME[:SIZE] = VALUE': name, bytes or None, text of the value"""
    found = re.fullmatch(r'\w+ ([\w.]+)(?::(\d+))? = (".*"|\S+)', line)
    if not found:
        raise Mistake('a variable is NAME[:SIZE] = VALUE')
    return found[1], int(found[2]) if found[2] else None, found[3]


def seconds(word):
    """As nanoseconds: a float would not hold all digits of a date."""
    return int(decimal.Decimal(word) * 10**9)


class Description:
    NUMBERS = {'cpus': 1, 'text': 1024, 'nested': 128, 'generation': 1, 'timeout': 500,
               'refused': 0}
    # Lines of a capture's descriptor.
    OF_CAPTURE = ('generation', 'timeout', 'refused', 'state', 'waited', 'flags', 'table', 'copy',
                  'asked', 'local', 'real', 'taint', 'from', 'message')

    def __init__(self, path, base=None):
        self.__dict__.update(self.NUMBERS)
        self.arch = self.panic_cpu = self.state = self.waited = self.copy = self.cut = None
        self.kernel, self.kaslr, self.crash_time, self.possible = None, 0, None, None
        self.base, self.orc, self.panic_cpu_is_said = None, None, False
        self.page_size, self.address_bits, self.memory_at = 4096, 48, None
        self.host, self.format = 'host', 'elf'
        self.has_vmlinux, self.asked_ns = False, 60_000_000_000
        self.local_ns = self.real_ns = None
        self.taint, self.from_cpu, self.from_cpu_is_said, self.message = 0, None, False, b''
        self.flags, self.table_split = [], None
        self.vmcoreinfo = []  # lines as bytes; None: no note
        self.vmcoreinfo_is_own = False
        self.vmcoreinfo_edits = []  # ('drop', pattern), ('set', line)
        self.variables, self.percpu, self.symbols = {}, {}, {}
        self.no_symbols = []
        self.log = None
        self.has_capture = False
        self.by_cpu = {}
        self.fields, self.holes, self.pokes = [], [], []
        block = cpu = None
        for where, line in Source(path).lines():
            try:
                if isinstance(block, Log) and block.take(line):
                    continue
                if line[0] == '|':
                    block.append(parse_message(line))
                    continue
                cpu, block = self.take(cpu, line, line.split())
            except (Mistake, ValueError, IndexError, AttributeError) as problem:
                raise Mistake(f'{where}: {line}: {problem}') from None
        if self.arch not in ARCHES:
            raise Mistake(f'{path}: which arch?')
        if base:
            self.rebase(base)
        self.finish()

    def rebase(self, base):
        """What is described of a kernel is put on a base: it says all that is to be known."""
        arch, cpus = base.split('-')[0], nr_cpus_of(os.path.join(BUNDLED, base, 'vmcore'))
        if not self.kernel or (arch, cpus) != (self.arch, self.cpus):
            raise Mistake(f'{base} is for a kernel of {arch} with {cpus} CPUs')
        self.kernel, self.base, self.panic_cpu_is_said = None, base, True
        for cpu in range(cpus):
            self.by_cpu.setdefault(cpu, Cpu([]))
        if self.crash_time is None:
            self.vmcoreinfo_edits.append(('drop', 'CRASHTIME'))

    def finish(self):
        for cpu in self.by_cpu.values():
            self.has_capture |= cpu.has_capture
            if cpu.note is None:
                cpu.note = 'own' if cpu.frames and cpu.vcpu is None else 'none'
        if self.kernel and not self.log:
            self.log = Log()  # an empty one
        if not self.kernel and not self.base:
            self.finish_capture()

    def finish_capture(self):
        """There is nothing but a capture."""
        self.has_capture = True
        if self.vmcoreinfo == [] and not self.vmcoreinfo_is_own:
            self.vmcoreinfo = [b'OSRELEASE=6.12.0-synthetic\n', b'PAGESIZE=4096\n',
                               b'NUMBER(nmi_backtrace_capture)={desc}\n']

        for what, has in (('log', self.log), ('variable', self.variables),
                          ('percpu', self.percpu), ('symbol', self.symbols or self.no_symbols),
                          ('stack', any(cpu.frames for cpu in self.by_cpu.values()))):
            if has:
                raise Mistake(f'"{what}" needs "kernel NAME"')

    def take(self, cpu, line, words):
        key = words[0]
        if key == 'cpu':
            cpu = Cpu(words[2:])
            self.by_cpu.update(dict.fromkeys(parse_list(words[1], self.cpus), cpu))
        elif key == 'field':
            found = re.fullmatch(r'field (\S+) = (".*"|\S+)', line)
            if not found:
                raise Mistake('a field is NAME = VALUE')
            self.fields.append((found[1], found[2]))
        elif key == 'memory':
            self.pokes.append(line.split(None, 1)[1])
        elif key in ('exclude', 'omit'):
            self.holes.append((key, words[1:]))
        elif key == 'cut' and words[1] == 'at':
            self.cut = words[2:]
        elif key == 'log':
            self.log = self.log or Log()
            self.log.configure(words[1:])
            return None, self.log
        elif cpu:
            return cpu, cpu.take(line, words)
        else:
            return None, self.take_header(line, words)
        return cpu, None

    def take_header(self, line, words):
        key = words[0]
        self.has_capture |= key in self.OF_CAPTURE
        if line == 'vmcoreinfo':
            self.vmcoreinfo, self.vmcoreinfo_is_own = [], True
            return self.vmcoreinfo
        if line == 'vmcoreinfo no':
            self.vmcoreinfo = None
        elif words[:2] in (['vmcoreinfo', 'drop'], ['vmcoreinfo', 'set']):
            self.vmcoreinfo_edits.append((words[1], line.split(None, 2)[2]))
        elif key in self.NUMBERS:
            setattr(self, key, int(words[1], 0))
        elif key == 'arch':
            self.arch = words[1]
        elif words[:2] == ['panic', 'cpu']:
            self.panic_cpu = None if words[2] == 'none' else int(words[2])
            self.panic_cpu_is_said = True
        elif words[:2] == ['asked', 'at']:
            self.asked_ns = seconds(words[2])
        elif key in ('local', 'real'):
            setattr(self, key + '_ns', seconds(words[1]))
        elif key == 'taint':
            self.taint = int(words[1], 0)
        elif words[:2] == ['from', 'cpu']:
            self.from_cpu = None if words[2] == 'none' else int(words[2])
            self.from_cpu_is_said = True
        elif key == 'message':
            self.message = unescape(line.split(' ', 1)[1].encode())
        elif key == 'state':
            self.state = words[1]
        elif key == 'waited':
            self.waited = float(words[1])
        elif key == 'flags':
            self.flags = words[1:]
        elif words[:2] == ['table', 'split']:
            self.table_split = int(words[2])
        elif key == 'copy' and words[1] in ('before', 'after'):
            self.copy = words[1]
        else:
            self.take_kernel(line, words)
        return None

    def take_kernel(self, line, words):
        """What a kernel leaves that nobody patched."""
        key = words[0]
        if key == 'kernel':
            self.kernel = words[1]
        elif key == 'base':
            self.base, self.arch = words[1], words[1].split('-')[0]
            self.cpus = nr_cpus_of(os.path.join(BUNDLED, words[1], 'vmcore'))
        elif key == 'orc':
            self.orc = words[1:]
        elif key == 'pages':
            self.page_size = int(words[1]) << 10
        elif key == 'addresses':
            self.address_bits = int(words[1])
        elif key == 'physical':
            self.memory_at = int(words[1], 16)
        elif key == 'kaslr':
            self.kaslr = int(words[1], 16)
        elif key == 'kdump':
            self.crash_time = int(words[1]) if words[1:] else 1767225601
        elif key == 'possible':
            self.possible = parse_list(words[1], self.cpus)
        elif line == 'vmlinux':
            self.has_vmlinux = True
        elif key == 'host':
            self.host = words[1]
        elif key == 'format' and words[1] in FORMATS:
            self.format = words[1]
        elif words[:2] == ['symbol', 'drop']:
            self.no_symbols += words[2:]
        elif key == 'symbol':
            self.symbols[words[1]] = int(words[2], 0) if words[2:] else None
        elif key in ('variable', 'percpu'):
            name, size, value = parse_variable(line)
            (self.variables if key == 'variable' else self.percpu)[name] = (size, value)
        else:
            raise Mistake('not known')
