# SPDX-License-Identifier: GPL-2.0-or-later
"""What a kernel leaves that nobody patched: image, symbols, variables, per-CPU areas, stacks,
log and page tables."""
import hashlib
import re
import struct

from . import PAGE, Mistake
from .arches import paging_lines, paging_of, release_of, vmcoreinfo_of
from .description import Cpu
from .kallsyms import count_from_entries, make_kallsyms
from .log import CALLER_LINES, place_log, place_old_log
from .modules import Code, place_modules, types_of
from .nmibuffers import LAYOUTS, make_buffer
from .orc import format_of, place_orc
from .pagetables import PageTables
from .stack import STACK_SIZE, STRIDE, Stack, parse_frames, place_stacks
from .text import unescape
from .vmcoreinfo import edited, filled, symbols_of

NR_CPUS = 8192
X86_KERNEL_MAP = 0xffffffff80000000
SECTION_SIZE_BITS = 27
FIRST_PERCPU = 0x40  # offset of the first per-CPU variable
MASK64 = (1 << 64) - 1
# {=delay_tsc+0x2e} or {sp 1} in a text
EXPANDED = re.compile(rb'\{=([\w.+]+)\}|\{sp (\d+)\}')


class Kernel:
    def __init__(self, about, arch, memory):
        self.about, self.arch, self.memory = about, arch, memory
        self.release = release_of(about.arch, about.kernel)
        self.lines = vmcoreinfo_of(about.arch, about.kernel)
        self.version = self.lines[0].partition('=')[2]
        self.build_id = hashlib.sha1(f'{about.arch} {about.kernel}'.encode()).hexdigest()
        self.buffers = LAYOUTS.get(self.release['nmi'])  # of NMIs; None: there are none
        self.types = dict(self.buffers['types']) if self.buffers else {}  # as in a vmlinux
        # x86_64: how far the image is from where it was linked to be in memory.
        self.phys_base = X86_KERNEL_MAP - self.image(0) if about.arch == 'x86_64' else 0
        self.symbols = {}  # name: (address, type)
        self.data = {}  # variable: bytearray
        self.percpu = {}  # variable: (offset, bytes, text of the value)
        self.holes = []  # what missing records of the log cost
        self.code = Code(about.arch, self.release['modules'])
        self.functions = self.code.kernel
        self.collect_functions()
        self.functions.place(self.image(memory.next))
        self.code.place_modules()
        if self.code.modules:
            self.types.update(types_of(self.release))
        # THREAD_SIZE is a page at least (arch/arm64/include/asm/memory.h, 6.12).
        self.stack_size = max(STACK_SIZE, memory.page)
        self.stacks = self.make_stacks()
        memory.place('text', self.functions.code)
        self.tables = PageTables(memory, paging_of(about))
        self.place_image()

    # --------------------------------------------------------------- addresses

    def image(self, paddr):
        return paddr - self.arch['base'] + self.release['image'] + self.about.kaslr

    def direct(self, paddr):
        return self.arch['direct'] + paddr

    def address(self, name):
        """Of a symbol, or of a place in a function."""
        if name in self.symbols:
            return self.symbols[name][0]
        return self.functions.address(name)

    def number(self, value):
        return value if isinstance(value, int) else self.address(value)

    # --------------------------------------------------------------- functions

    def collect_functions(self):
        about, code = self.about, self.code
        for name, size in about.symbols.items():
            code.kernel.add(name, size=size)
        texts = [record.text for record in about.log.records] if about.log else []
        for cpu, told in about.by_cpu.items():
            for frame in parse_frames(told.frames, cpu):
                if frame[0] not in '<0':
                    code.add_place(frame)
        for told in set(about.by_cpu.values()):
            for regs in (told.regs, told.note_regs, told.vcpu):
                for value in (regs or {}).values():
                    if isinstance(value, str):
                        code.add_place(value)
            for blocks in (told.blocks, *(said.blocks for said in told.buffers.values())):
                texts += [text for block in blocks.values() for text in block]
        for text in texts:
            code.add_printed(text.decode('latin-1'))
            for name in re.findall(rb'\{=([\w.+]+)\}', text):
                code.add_place(name.decode())

    def make_stacks(self):
        stacks = {}
        for cpu in sorted(self.about.by_cpu):
            told = self.about.by_cpu[cpu]
            frames = parse_frames(told.frames, cpu)
            if frames:
                sp = {**told.note_regs, **(told.vcpu or {})}.get(self.arch['sp'])
                stacks[cpu] = Stack(frames, self.code, self.about.arch,
                                    self.arch['stacks'] + cpu * STRIDE, sp, self.stack_size)
        return stacks

    # ------------------------------------------------------------------- image

    def place_image(self):
        about = self.about
        functions = self.functions
        for name, address in functions.addresses.items():
            self.symbols[name] = (address, 'T')
        for name in ('_stext', '_text'):
            self.symbols[name] = (functions.base, 'T')
        self.symbols['_etext'] = (functions.end() - 16, 'T')
        self.symbols['swapper_pg_dir'] = self.symbols['init_top_pgt'] = \
            self.symbols['init_level4_pgt'] = (self.image(self.tables.root_paddr), 'D')
        self.unusual = {}
        for stack in self.stacks.values():
            self.unusual.update(stack.unusual)
        self.orc = format_of(about, self.release)
        if self.orc:
            inside = {at: kind for at, kind in self.unusual.items()
                      if functions.base <= at < functions.end()}
            for name, address in place_orc(functions, inside, self.orc, self.memory,
                                           self.image).items():
                self.symbols[name] = (address, 'R')
        self.place_mem_section()
        self.declare_percpu()
        self.declare_variables()
        self.place_variables()
        # VMCOREINFO may name what kallsyms doesn't have.
        self.addresses = {name: address for name, (address, _) in self.symbols.items()}
        self.addresses['mem_section'] = self.mem_section
        self.linked = dict(self.symbols)  # what the vmlinux has
        for name in about.no_symbols:
            if self.symbols.pop(name, None) is None and name not in self.percpu:
                raise Mistake(f'there is no symbol {name} to drop')
        self.place_kallsyms()
        self.image_end = self.memory.next

    def place_mem_section(self):
        """makedumpfile wants one section of memory, include/linux/mmzone.h (6.12). What
        VMCOREINFO names is the array itself, not its variable."""
        roots, sections = bytearray(2048 * 8), bytearray(PAGE)
        at = self.direct(self.memory.place('mem section roots', roots))
        struct.pack_into('<Q', roots, 0,
                         self.direct(self.memory.place('mem sections', sections)))
        present_with_map = self.arch['vmemmap'] | 3
        section = (self.arch['base'] >> SECTION_SIZE_BITS) * 16
        if section < len(sections):  # else makedumpfile won't find it
            struct.pack_into('<Q', sections, section, present_with_map)
        self.mem_section = at

    def declare_percpu(self):
        """Per-CPU variables, and how far an area goes to where its crash note is."""
        at = FIRST_PERCPU
        variables = {name: value for cpu in self.about.by_cpu.values()
                     for name, value in cpu.percpu.items()}
        variables.update(self.about.percpu)
        for name, (size, value) in variables.items():
            width = self.width(size, value)
            at = (at + 7) // 8 * 8
            self.percpu[name] = (at, width, value)
            at += width
        for name in self.buffers['names'] if self.buffers else ():
            at = (at + 63) // 64 * 64
            width = self.types[self.buffers['type']][0]
            self.percpu[name] = (at, width, None)
            at += width
        page = self.memory.page
        self.area_size = (at + page - 1) // page * page
        if self.release['percpu_at_0']:
            self.percpu_start = 0
        else:
            self.percpu_start = self.image(
                self.memory.place('percpu template', bytearray(self.area_size)))
        self.symbols['__per_cpu_start'] = (self.percpu_start, 'A' if not self.percpu_start
                                           else 'D')
        for name, (offset, _, _) in self.percpu.items():
            self.symbols[name] = (self.percpu_start + offset, 'A' if not self.percpu_start
                                  else 'D')

    @staticmethod
    def width(size, value):
        if size is not None:
            return size
        return len(unescape(value[1:-1].encode())) + 1 if value[0] == '"' else 4

    def bytes_of(self, width, value):
        if value[0] == '"':
            return unescape(value[1:-1].encode()).ljust(width, b'\0')[:width]
        number = self.address(value[1:]) if value[0] == '&' else int(value, 0)
        return (number & (1 << 8 * width) - 1).to_bytes(width, 'little')

    def declare_variables(self):
        """Those that nmibt and others read, and those that VMCOREINFO names."""
        about = self.about
        sizes = {'nr_cpu_ids': 4, '__cpu_possible_mask': NR_CPUS // 8,
                 '__cpu_present_mask': NR_CPUS // 8, '__cpu_online_mask': NR_CPUS // 8,
                 '__per_cpu_offset': 8 * about.cpus, 'panic_cpu': 4, 'crash_notes': 8,
                 'prb': 8, 'printk_rb_static': 88, 'init_uts_ns': 6 * 65, 'linux_banner': 256,
                 'modules': 16}
        names = symbols_of(about.arch, about.kernel)
        sizes.update({name: 64 for name in names if name not in sizes
                      and name not in self.symbols and not name.startswith('kallsyms_')})
        for name, (size, value) in about.variables.items():
            sizes[name] = max(self.width(size, value), 0 if size else sizes.get(name, 0))
        self.data = {name: bytearray(size) for name, size in sizes.items()}

    def place_variables(self):
        # In the description's order: that of a set would differ from run to run.
        apart = dict.fromkeys(words[1] for _, words in self.about.holes if words[0] == 'variable')
        together = [name for name in self.data if name not in apart]
        at, offsets = 0, {}
        for name in together:
            offsets[name] = at
            at += (len(self.data[name]) + 7) // 8 * 8
        block = bytearray(at)
        base = self.image(self.memory.place('data', block))
        for name, offset in offsets.items():
            self.symbols[name] = (base + offset, 'D')
            self.data[name] = memoryview(block)[offset:offset + len(self.data[name])]
        for name in apart:
            if name not in self.data:
                raise Mistake(f'no variable {name}')
            self.symbols[name] = (self.image(self.memory.place(f'variable {name}',
                                                               self.data[name])), 'D')

    def place_kallsyms(self):
        symbols = sorted((address, letter, name)
                         for name, (address, letter) in self.symbols.items())
        tables = make_kallsyms(symbols, self.functions.base, self.release['kallsyms'])
        for name, table in tables.items():
            self.addresses[name] = self.image(self.memory.place(name.replace('_', ' ', 1), table))
        if self.release['kallsyms'] == 'entry':
            count_from_entries(tables['kallsyms_offsets'], self.addresses['kallsyms_offsets'],
                               symbols)

    # --------------------------------------------------------------- CPUs, stacks

    def place_area(self, cpu):
        """The per-CPU area; the crash note has to follow it."""
        area = bytearray(self.area_size)
        told = self.about.by_cpu.get(cpu)
        for name, (offset, width, value) in self.percpu.items():
            if told and name in told.percpu:
                value = told.percpu[name][1]
            area[offset:offset + width] = self.bytes_of(width, value) if value else \
                self.buffer_of(told, name)
        at = self.direct(self.memory.place(f'percpu {cpu}', area))
        struct.pack_into('<Q', self.data['__per_cpu_offset'], 8 * cpu,
                         at - self.percpu_start & MASK64)

    def buffer_of(self, told, name):
        said = (told or Cpu([])).buffers[name.split('_')[0]]
        return make_buffer(self.release['nmi'], said, self.expand)

    def regs_at_stop(self, cpu, told):
        """Of a crash note or a virtual CPU: those of the stack, then what is said of them."""
        regs = dict(self.stacks[cpu].regs) if cpu in self.stacks else {}
        said = {name: self.number(value) for name, value in told.note_regs.items()}
        if said and 'cs' in self.arch['regs'] and self.arch['pc'] in said:
            regs.setdefault('cs', 0x10)
        if said and self.about.arch == 'arm64' and self.arch['pc'] in said:
            regs.setdefault('pstate', 0x60000005)
        regs.update(said)
        return regs

    # -------------------------------------------------------------------- filling

    def finish(self):
        self.fill_variables()
        place_modules(self, self.unusual)
        place_stacks(self.stacks, self.memory, self.tables)
        if self.about.log:
            self.place_log()
        self.map_all()

    def place_log(self):
        log, direct = self.about.log, self.arch['direct']
        if self.release['old_log']:
            values, self.holes = place_old_log(log, self.memory, direct, self.expand)
            for name, (width, value) in values.items():
                self.data[name][:width] = value.to_bytes(width, 'little')
            return
        ring, self.holes = place_log(log, self.memory, direct, self.expand)
        self.data['printk_rb_static'][:] = ring
        struct.pack_into('<Q', self.data['prb'], 0, self.addresses['printk_rb_static'])

    def fill_variables(self):
        about = self.about
        possible = set(about.possible if about.possible is not None else
                       [cpu for cpu in range(about.cpus)
                        if not (cpu in about.by_cpu
                                and about.by_cpu[cpu].outcome == 'impossible')])
        mask = sum(1 << cpu for cpu in possible).to_bytes(NR_CPUS // 8, 'little')
        for name in ('__cpu_possible_mask', '__cpu_present_mask', '__cpu_online_mask'):
            self.data[name][:] = mask
        panic_cpu = -1 if about.panic_cpu is None else about.panic_cpu
        struct.pack_into('<I', self.data['nr_cpu_ids'], 0, about.cpus)
        struct.pack_into('<i', self.data['panic_cpu'], 0, panic_cpu)
        struct.pack_into('<Q', self.data['crash_notes'], 0, self.percpu_start + self.area_size)
        banner = f'Linux version {self.version} (builder@{about.host}) #1 SMP\n\0'.encode()
        self.data['linux_banner'][:len(banner)] = banner
        machine = 'aarch64' if about.arch == 'arm64' else 'x86_64'
        # struct new_utsname, include/uapi/linux/utsname.h
        for i, text in enumerate(('Linux', about.host, self.version, '#1 SMP', machine, '(none)')):
            self.data['init_uts_ns'][65 * i:65 * i + len(text)] = text.encode()
        if 'phys_base' in self.data:
            struct.pack_into('<q', self.data['phys_base'], 0, self.phys_base)
        for name, (size, value) in about.variables.items():
            width = self.width(size, value)
            self.data[name][:width] = self.bytes_of(width, value)

    def map_all(self):
        """The image and the direct map, with room for the tables that this takes."""
        base = self.arch['base']
        large = 1 << 21
        size = (self.memory.next - base + 16 * self.memory.page + large - 1) // large * large
        self.tables.map_large(self.image(base), base, size)
        self.tables.map_large(self.direct(base), base, size)

    def expand(self, text):
        """{=function+0x1} to its address, {sp CPU} to the stack pointer at the stop."""
        def replace(found):
            if found[1]:
                return b'%016x' % self.address(found[1].decode())
            return b'%016x' % self.stack_pointer(int(found[2]))
        return EXPANDED.sub(replace, text)

    def stack_pointer(self, cpu):
        """Where no stack is described, one that could be."""
        if cpu in self.stacks:
            return self.stacks[cpu].regs[self.arch['sp']]
        return self.arch['stacks'] + cpu * STRIDE + self.stack_size - 0x120

    # ----------------------------------------------------------------- VMCOREINFO

    def vmcoreinfo(self, capture_line):
        about = self.about
        offset = self.image(0)
        numbers = {'BUILD-ID': self.build_id, 'KERNELOFFSET': f'{about.kaslr:x}',
                   'NUMBER(kimage_voffset)': f'0x{offset & MASK64:x}',
                   'NUMBER(phys_base)': self.phys_base,
                   'NUMBER(PHYS_OFFSET)': f'0x{self.arch["base"]:x}'}
        lines = [filled(line, self.addresses, numbers) for line in self.lines]
        lines += [capture_line] if capture_line else []
        if about.crash_time is not None:
            lines.append(f'CRASHTIME={about.crash_time}')
        edits = paging_lines(about) + about.vmcoreinfo_edits
        if about.log and about.log.has_callers:
            edits = CALLER_LINES + edits
        return ''.join(line + '\n' for line in edited(lines, edits)).encode()
