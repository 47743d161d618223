# SPDX-License-Identifier: GPL-2.0-or-later
"""Descriptions of machines with many CPUs that died with a capture, for testdumps/mkdump.

Their texts have all lines that x86_64 and arm64 print, with other values in each, so that records
of them are as large as those of real machines.
"""
import random

# From the innermost function on, as fs/proc, drivers/tty and kernel/ of 6.12 have them.
CHAINS = {
    'idle': ['default_idle+0x9/0x20', 'default_idle_call+0x29/0x100', 'do_idle+0x269/0x2a0',
             'cpu_startup_entry+0x29/0x30', 'start_secondary+0x11e/0x140',
             'common_startup_64+0x13e/0x141'],
    'spin': ['_raw_spin_lock_irqsave+0x3d/0x50', 'flush_devices+0x55/0x70',
             'process_one_work+0x171/0x380', 'worker_thread+0x252/0x390', 'kthread+0xd2/0x100',
             'ret_from_fork+0x34/0x50', 'ret_from_fork_asm+0x1a/0x30'],
    'read': ['copy_page_to_iter+0x4d/0x90', 'filemap_read+0x2a9/0x3e0', 'vfs_read+0x29f/0x370',
             'ksys_read+0x6d/0xf0', 'do_syscall_64+0x87/0x160',
             'entry_SYSCALL_64_after_hwframe+0x76/0x7e'],
    'panic': ['panic+0x110/0x2db', 'sysrq_handle_crash+0x1a/0x20', '__handle_sysrq.cold+0x9c/0xc8',
              'write_sysrq_trigger+0x59/0xa0', 'proc_reg_write+0x5a/0xa0', 'vfs_write+0xf0/0x440',
              'ksys_write+0x6d/0xf0', 'do_syscall_64+0x87/0x160',
              'entry_SYSCALL_64_after_hwframe+0x76/0x7e'],
}
PLACES = {'idle': 'pv_native_safe_halt+0xf/0x20', 'read': 'copyin+0x1c/0x30',
          'spin': 'native_queued_spin_lock_slowpath+0x64/0x2b0',
          'panic': 'nmi_capture_request+0x118/0x2db'}
# Interrupts were off there, and it went on.
CHAINS['moves'] = CHAINS['read']
PLACES['moves'] = 'filemap_get_pages+0x4d/0x6b0'
MASKED = ('spin', 'moves')
GENERAL = ('rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'rbp', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13',
           'r14', 'r15')


class Machine:
    """kinds: the kind of each CPU: idle, spin, moves, read, panic, silent."""

    def __init__(self, kinds, lines=400):
        self.random = random.Random(len(kinds))
        self.kinds = kinds
        self.lines = lines

    def value(self, reg):
        if self.random.random() < 0.3:
            return 0
        if reg in ('rax', 'rcx', 'rdx', 'r10', 'r11'):
            return self.random.randrange(1 << 16)
        return 0xffff888000000000 + self.random.randrange(1 << 28) * 16

    def trace(self, cpu, kind, regs, sp):
        pid, comm = (0, f'swapper/{cpu}') if kind == 'idle' else (1000 + cpu, f'{kind}/{cpu}')
        at = dict(regs, rsp=sp)
        yield (f'CPU: {cpu} UID: 0 PID: {pid} Comm: {comm} Tainted: G           OE      '
               '6.12.117 #1')
        yield 'Tainted: [O]=OOT_MODULE, [E]=UNSIGNED_MODULE'
        yield 'Hardware name: QEMU Standard PC (Q35 + ICH9, 2009), BIOS 1.16.3 04/01/2014'
        yield f'RIP: 0010:{PLACES[kind]}'
        yield 'Code: ' + ' '.join(f'{self.random.randrange(256):02x}' for _ in range(43))
        yield f'RSP: 0018:{sp:016x} EFLAGS: {0x46 if kind in MASKED else 0x246:08x}'
        for row in (GENERAL[:3], GENERAL[3:6], GENERAL[6:9], GENERAL[9:12], GENERAL[12:]):
            names = [f'R{int(r[1:]):02d}' if r[1:].isdigit() else r.upper() for r in row]
            yield ' '.join(f'{n}: {at[r]:016x}' for n, r in zip(names, row))
        yield (f'FS:  0000000000000000(0000) GS:ffff8880{cpu:04x}0000(0000) '
               'knlGS:0000000000000000')
        yield 'CS:  0010 DS: 0000 ES: 0000 CR0: 0000000080050033'
        yield f'CR2: 00007f{self.random.randrange(1 << 32):08x}00 CR3: 0000000003a22000 CR4: 0000000000751ef0'
        yield 'Call Trace:'
        yield ' <TASK>'
        yield from (f' {frame}' for frame in CHAINS[kind])
        yield ' </TASK>'

    def cpu(self, cpu, kind):
        if kind == 'silent':
            yield f'cpu {cpu} silent'
            return
        sp = 0xffffc90000000000 + cpu * 0x8000 + 0x3e80
        regs = {reg: self.value(reg) for reg in GENERAL}
        pid, comm = (0, f'swapper/{cpu}') if kind == 'idle' else (1000 + cpu, f'{kind}/{cpu}')
        how = {'idle': 'nmi idle', 'panic': 'self'}.get(kind, 'nmi irqs-off' if kind in MASKED else 'nmi')
        yield f'cpu {cpu} {how}'
        yield f'    task {pid} {comm}'
        values = ' '.join(f'{reg}={value:x}' for reg, value in regs.items())
        yield f'    regs rip={PLACES[kind].split("/")[0]} rsp={sp:x} cs=10 eflags=246 {values}'
        if kind == 'moves':
            yield f'    note same rip={PLACES["read"].split("/")[0]}'
        elif kind != 'idle':
            yield '    note same'
        else:
            yield f'    note same rip={PLACES[kind].split("+")[0]}+0x2'
        yield f'    begun {1 + self.random.randrange(900) / 1000}'
        yield '    text'
        if kind != 'panic':
            yield f'    | NMI backtrace for cpu {cpu}'
        yield from (f'    | {line}' for line in self.trace(cpu, kind, regs, sp))

    def describe(self):
        yield 'arch x86_64'
        yield 'kernel 6.12'
        yield f'cpus {len(self.kinds)}'
        yield 'text 15500'
        yield f'panic cpu {self.kinds.index("panic")}'
        yield 'message sysrq triggered crash'
        yield 'host host.example'
        yield 'kdump'
        yield 'log'
        yield '1.0 T1 <5>| Linux version 6.12.117 (x) (gcc) #1 SMP'
        for i in range(self.lines):
            yield (f'+0.1 T{200 + i % 40} <6>| device {self.random.randrange(1 << 20)} of bus '
                   f'{i % 9}: link is up, {self.random.choice(("10", "25", "100"))} Gbps')
        yield '60 T1 <6>| sysrq: Trigger a crash'
        yield '| Kernel panic - not syncing: sysrq triggered crash'
        for cpu, kind in enumerate(self.kinds):
            yield from self.cpu(cpu, kind)

    def write(self, path):
        with open(path, 'w', encoding='ascii') as out:
            out.write('\n'.join(self.describe()) + '\n')


def busy_machine(nr):
    """One panics, three are stuck, one only had interrupts off, two are silent, some read, the rest is idle."""
    kinds = ['idle'] * nr
    kinds[5] = 'panic'
    for cpu in (9, 17, 40):
        kinds[cpu] = 'spin'
    kinds[7] = 'moves'
    for cpu in (3, 33):
        kinds[cpu] = 'silent'
    for cpu in range(20, nr, 8):
        kinds[cpu] = 'read'
    return Machine(kinds)
