# SPDX-License-Identifier: GPL-2.0-or-later
"""What differs between architectures."""
import os

from . import Mistake

KERNELS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'kernels')

# 'regs' is what the ELF note of a CPU's registers holds, word by word. vaddr is where the
# file of a capture alone says that the memory at physical address 0 is mapped.
ARCHES = {
    'x86_64': {
        'machine': 62, 'base': 0x1000000, 'vaddr': 0xffff888000000000,
        'regs': 'r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs '
                'eflags rsp ss fs_base gs_base ds es fs gs'.split(),
        'pc': 'rip', 'sp': 'rsp',
        # Documentation/arch/x86/x86_64/mm.rst (6.12), without KASLR.
        'direct': 0xffff888000000000, 'vmemmap': 0xffffea0000000000,
        'stacks': 0xffffc90000010000},
    'arm64': {
        'machine': 183, 'base': 0x40000000, 'vaddr': 0xffff000000000000,
        'regs': [f'x{i}' for i in range(30)] + ['lr', 'sp', 'pc', 'pstate'],
        'pc': 'pc', 'sp': 'sp',
        # PAGE_OFFSET is where the memory from PHYS_OFFSET on is: arch/arm64/include/asm/
        # memory.h (6.12), VA_BITS 48.
        'direct': 0xffff000000000000 - 0x40000000, 'vmemmap': 0xfffffdffbf000000,
        'stacks': 0xffff800082000000},
}

# What of the layouts differs between releases.
#   image      address of the kernel's image without KASLR
#   orc        format of the ORC tables, see orc.py
#   modules    where their code is
#   module_memory  struct module has mem[] (6.4)
#   nmi        generation of the buffers of NMIs, see nmibuffers.py
#   percpu_at_0  per-CPU symbols are offsets (x86_64 up to 6.14)
#   kallsyms   'percpu': offsets of all but per-CPU symbols are negative
#              (CONFIG_KALLSYMS_ABSOLUTE_PERCPU, scripts/kallsyms.c 6.12); 'base': none is;
#              'entry': they count from themselves
#   old_log    struct printk_log instead of the ring buffer of 5.10
X86_64 = {'image': 0xffffffff81000000, 'modules': 0xffffffffc0200000, 'module_memory': False,
          'orc': '4.14', 'percpu_at_0': True, 'kallsyms': 'percpu', 'nmi': None, 'old_log': False}
ARM64 = {'module_memory': False, 'orc': None, 'percpu_at_0': False, 'kallsyms': 'base',
         'nmi': None, 'old_log': False}
RELEASES = {
    ('x86_64', '3.10'): {**X86_64, 'orc': None, 'old_log': True},
    ('x86_64', '4.4'): {**X86_64, 'orc': None, 'nmi': '4.4', 'old_log': True},
    ('x86_64', '4.9'): {**X86_64, 'orc': None, 'nmi': '4.7', 'old_log': True},
    ('x86_64', '4.19'): {**X86_64, 'nmi': '4.11', 'old_log': True},
    ('x86_64', '5.10'): {**X86_64, 'nmi': '4.11'},
    ('x86_64', '6.1'): {**X86_64},
    ('x86_64', '6.12'): {**X86_64, 'orc': '6.5', 'module_memory': True},
    ('x86_64', '7.2'): {**X86_64, 'orc': '7.2', 'percpu_at_0': False, 'kallsyms': 'entry',
                        'module_memory': True},
    # KIMAGE_VADDR and MODULES_VADDR, arch/arm64/include/asm/memory.h.
    ('arm64', '5.10'): {**ARM64, 'image': 0xffff800010000000, 'modules': 0xffff800009000000,
                        'nmi': '4.11'},
    ('arm64', '6.1'): {**ARM64, 'image': 0xffff800008000000, 'modules': 0xffff800001000000},
    ('arm64', '6.12'): {**ARM64, 'image': 0xffff800080000000, 'modules': 0xffff80007a000000,
                        'module_memory': True},
}


# Addresses of other sizes, by architecture and bits. Documentation/arch/x86/x86_64/mm.rst (6.12), 5
# levels; arch/arm64/include/asm/memory.h (6.12), VA_BITS 52 and VA_BITS_MIN 48.
ADDRESSES = {
    ('x86_64', 48): {}, ('arm64', 48): {},
    ('x86_64', 57): {'direct': 0xff11000000000000, 'vmemmap': 0xffd4000000000000,
                     'stacks': 0xffa0000000010000},
    ('arm64', 52): {'direct': 0xfff0000000000000, 'vmemmap': 0xfffffdffbf000000},
}


def paging_of(about):
    """What PageTables needs to know."""
    return {'is_arm64': about.arch == 'arm64', 'bits': about.address_bits,
            'shift': about.page_size.bit_length() - 1}


def arch_of(about):
    """ARCHES, with the sizes and addresses that a description asks for."""
    if (about.arch, about.address_bits) not in ADDRESSES:
        raise Mistake(f'no addresses of {about.address_bits} bits on {about.arch}')
    if about.page_size not in ((4096,) if about.arch == 'x86_64' else (4096, 16384, 65536)):
        raise Mistake(f'no pages of {about.page_size} bytes on {about.arch}')
    arch = {**ARCHES[about.arch], **ADDRESSES[about.arch, about.address_bits]}
    if about.memory_at is not None:
        arch['base'] = about.memory_at
    if about.arch == 'arm64':
        # PAGE_OFFSET is where the memory from PHYS_OFFSET on is.
        arch['direct'] = (ARCHES['arm64']['direct'] + ARCHES['arm64']['base']
                          if about.address_bits == 48 else arch['direct']) - arch['base']
    return arch


def paging_lines(about):
    """Lines of VMCOREINFO that say so, as edits."""
    if about.arch == 'x86_64':
        lines = [f'NUMBER(pgtable_l5_enabled)={int(about.address_bits == 57)}']
    else:
        lines = [f'PAGESIZE={about.page_size}', f'NUMBER(VA_BITS)={about.address_bits}',
                 f'NUMBER(TCR_EL1_T1SZ)=0x{64 - about.address_bits:x}']
    is_usual = (about.address_bits, about.page_size) == (48, 4096)
    return [] if is_usual else [('set', line) for line in lines]


def release_of(arch, name):
    if (arch, name) not in RELEASES:
        known = ', '.join(f'{n} ({a})' for a, n in RELEASES)
        raise Mistake(f'no kernel {name} of {arch}; there are: {known}')
    return RELEASES[arch, name]


def vmcoreinfo_of(arch, name):
    """Lines of VMCOREINFO of that release. Nothing follows the = where the dump decides."""
    with open(os.path.join(KERNELS, f'{arch}-{name}.vmcoreinfo'), encoding='ascii') as file:
        return file.read().splitlines()
