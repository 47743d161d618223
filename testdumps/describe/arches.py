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
#   nmi        generation of the buffers of NMIs, see nmibuffers.py
#   percpu_at_0  per-CPU symbols are offsets (x86_64 up to 6.14)
#   kallsyms   'percpu': offsets of all but per-CPU symbols are negative
#              (CONFIG_KALLSYMS_ABSOLUTE_PERCPU, scripts/kallsyms.c 6.12); 'base': none is
#   old_log    struct printk_log instead of the ring buffer of 5.10
RELEASES = {
    ('x86_64', '4.4'): {'image': 0xffffffff81000000, 'orc': None, 'percpu_at_0': True,
                        'kallsyms': 'percpu', 'nmi': '4.4', 'old_log': True},
    ('x86_64', '4.9'): {'image': 0xffffffff81000000, 'orc': None, 'percpu_at_0': True,
                        'kallsyms': 'percpu', 'nmi': '4.7', 'old_log': True},
    ('x86_64', '4.19'): {'image': 0xffffffff81000000, 'orc': '4.14', 'percpu_at_0': True,
                         'kallsyms': 'percpu', 'nmi': '4.11', 'old_log': True},
    ('x86_64', '5.10'): {'image': 0xffffffff81000000, 'orc': '4.14', 'percpu_at_0': True,
                         'kallsyms': 'percpu', 'nmi': '4.11'},
    ('x86_64', '6.1'): {'image': 0xffffffff81000000, 'orc': '4.14', 'percpu_at_0': True,
                        'kallsyms': 'percpu'},
    ('x86_64', '6.12'): {'image': 0xffffffff81000000, 'orc': '6.5', 'percpu_at_0': True,
                         'kallsyms': 'percpu'},
    # KIMAGE_VADDR, arch/arm64/include/asm/memory.h.
    ('arm64', '5.10'): {'image': 0xffff800010000000, 'orc': None, 'percpu_at_0': False,
                        'kallsyms': 'base', 'nmi': '4.11'},
    ('arm64', '6.1'): {'image': 0xffff800008000000, 'orc': None, 'percpu_at_0': False,
                       'kallsyms': 'base'},
    ('arm64', '6.12'): {'image': 0xffff800080000000, 'orc': None, 'percpu_at_0': False,
                        'kallsyms': 'base'},
}


def release_of(arch, name):
    if (arch, name) not in RELEASES:
        known = ', '.join(f'{n} ({a})' for a, n in RELEASES)
        raise Mistake(f'no kernel {name} of {arch}; there are: {known}')
    return RELEASES[arch, name]


def vmcoreinfo_of(arch, name):
    """Lines of VMCOREINFO of that release. Nothing follows the = where the dump decides."""
    with open(os.path.join(KERNELS, f'{arch}-{name}.vmcoreinfo'), encoding='ascii') as file:
        return file.read().splitlines()
