# SPDX-License-Identifier: GPL-2.0-or-later
"""The described cases of the signature's corpus: crashes as text, of which testdumps/mkdump makes dumps.

A kind is a culprit: one function that does what it must not. Kinds of one family have the same stack but for
that function, so that each of them is a hard negative for the others. The cases of a kind differ in what must not
matter: which CPU, which watchdog found it, where the kernel lies, what compilers append, who waits.
"""
import re

WORKER = ['process_one_work', 'worker_thread', 'kthread', 'ret_from_fork', 'ret_from_fork_asm']
SYSCALL = ['do_syscall_64', 'entry_SYSCALL_64_after_hwframe']
IDLE = ['pv_native_safe_halt', 'default_idle', 'default_idle_call', 'do_idle', 'cpu_startup_entry',
        'start_secondary', 'common_startup_64']

# family: (frames inside of the culprit, culprits, frames outside of it)
STUCK = {
    'spin lock': (['native_queued_spin_lock_slowpath', '_raw_spin_lock_irqsave'],
                  ['flush_devices', 'requeue_bios', 'scan_inodes', 'evict_dentries', 'drain_queue', 'poll_ring'],
                  WORKER),
    'read lock': (['queued_read_lock_slowpath', '_raw_read_lock'],
                  ['walk_sockets', 'find_neighbour', 'dump_routes'], ['vfs_read', 'ksys_read'] + SYSCALL),
    'call': (['smp_call_function_many_cond', 'on_each_cpu_cond_mask'],
             ['drain_all_caches', 'patch_all_sites', 'flush_guests'], ['ksys_ioctl'] + SYSCALL),
    'delay': (['delay_tsc', '__const_udelay'], ['wait_for_reset', 'wait_for_link', 'wait_for_firmware'], WORKER),
    'itself': ([], ['count_forever', 'walk_ring_of_lists', 'poll_status'], WORKER),
}
FATAL = {
    'allocator': (['___slab_alloc', '__kmalloc_noprof'], ['load_table', 'new_session', 'clone_skb', 'open_stream'],
                  ['vfs_ioctl', '__x64_sys_ioctl'] + SYSCALL),
    'list': (['__list_del_entry_valid_or_report'], ['unlink_timer', 'release_request', 'close_session'], WORKER),
    'copy': (['memcpy_orig'], ['copy_header', 'read_descriptor', 'fill_reply'], ['vfs_write', 'ksys_write'] + SYSCALL),
    'table': ([], ['table_lookup', 'table_insert', 'table_walk'], ['table_ioctl', '__x64_sys_ioctl'] + SYSCALL),
}
FINDERS = ('soft', 'hard', 'rcu', 'buddy', 'operator')
SUFFIXES = ('', '.isra.0', '.constprop.0', '.part.0', '.llvm.123')


def kinds():
    """(kind, its family, whether it is stuck)"""
    for is_stuck, families in ((True, STUCK), (False, FATAL)):
        for family, (_, culprits, _) in families.items():
            for culprit in culprits:
                yield culprit, family, is_stuck


def between(log):
    """Between the lines of a trace another CPU prints its own."""
    mixed, caller = [], None
    for number, line in enumerate(log):
        told = (re.match(r'(?:[\d.]+ )?([TC]\d+) ', line) or re.search(r'oops_head\((118)\)', line) or
                re.search(r'(?:stall_on|buddy_lockup)\(\d, (\d)', line))
        if told:
            caller = told[1] if told[1][0] in 'TC' else ('T' if told[1] == '118' else 'C') + told[1]
        if line.startswith('|  ') and caller and number % 2:
            mixed.append(f'T9 <6>| eth0: link {number}')
            line = f'{caller} <4>{line}'
        mixed.append(line)
    return mixed


class Crash:
    """One crash. What of it may vary are the members."""

    def __init__(self, kind, family, is_stuck):
        inner, _, outer = (STUCK if is_stuck else FATAL)[family]
        self.kind, self.is_stuck, self.inner, self.outer = kind, is_stuck, inner, outer
        self.finder, self.cpu, self.by, self.kaslr, self.suffix = 'soft', 2, 1, 0, ''
        self.offset, self.victims, self.idle, self.is_mixed, self.order = 0x1c, 0, True, False, ()

    def chain(self):
        return self.inner + [self.kind + self.suffix] + self.outer

    # ------------------------------------------------------------------------ texts
    def stack(self, names):
        return ' '.join(f'{name}+{self.offset:#x}' for name in names) + (
            ' <user>' if names[-1].startswith('entry_') else '')

    def lines(self, names):
        return [f'|  {name}+{self.offset:#x}/0x80' for name in names]

    def regs(self, cpu, name):
        return [f'regs_of({name}+{self.offset:#x}/0x80, ffffc900000{2 * cpu + 1}3e80, 00000046)']

    def trace(self, cpu, pid, comm, names):
        return [f'info({cpu}, {pid}, {comm})', *self.regs(cpu, names[0]), '| Call Trace:', '|  <TASK>',
                *self.lines(names[1:]), '|  </TASK>']

    def panic(self, cpu, pid, comm, why, inner, names, mark='IRQ'):
        """Frames of an interrupt, and of what it interrupted."""
        return [f'C{cpu} <0>| Kernel panic - not syncing: {why}', f'info({cpu}, {pid}, {comm})', '| Call Trace:',
                f'|  <{mark}>', *self.lines(['dump_stack_lvl', 'panic', *inner[:-1]]), f'|  </{mark}>', '|  <TASK>',
                *self.lines(inner[-1:]), *self.regs(cpu, names[0]), *self.lines(names[1:]), '|  </TASK>']

    TIMER = ['__hrtimer_run_queues', 'hrtimer_interrupt', '__sysvec_apic_timer_interrupt',
             'sysvec_apic_timer_interrupt', 'asm_sysvec_apic_timer_interrupt']
    NMI = ['nmi_panic', 'watchdog_hardlockup_check', '__perf_event_overflow', 'perf_event_nmi_handler',
           'default_do_nmi', 'end_repeat_nmi']
    OTHER = ['do_nothing_much', *WORKER]

    def log(self):
        cpu, by, chain = self.cpu, self.by, self.chain()
        own = self.trace(cpu, 118, 'kworker', chain)
        asked = [f'C{cpu} | NMI backtrace for cpu {cpu}', *own]
        if not self.is_stuck:
            return [f'60.0 oops_head(118)', *own[:-1], '|  </TASK>', '| CR2: 0000000000000010',
                    '| ---[ end trace 0000000000000000 ]---', *self.regs(cpu, chain[0]),
                    '<0>| Kernel panic - not syncing: Fatal exception']
        if self.finder == 'soft':
            return [f'59.9 C{cpu} <0>| watchdog: BUG: soft lockup - CPU#{cpu} stuck for 22s! [kworker:118]', *own,
                    f'60.0 C{cpu} <0>| a line', *self.panic(cpu, 118, 'kworker', 'softlockup: hung tasks',
                                                            ['watchdog_timer_fn', *self.TIMER], chain)]
        if self.finder == 'hard':
            return [f'59.9 C{cpu} <0>| watchdog: Watchdog detected hard LOCKUP on cpu {cpu}', *own,
                    *self.panic(cpu, 118, 'kworker', 'Hard LOCKUP', self.NMI, chain, 'NMI')]
        if self.finder == 'rcu':
            return [f'59.9 stall_on({cpu}, {by}, 5250)', *asked,
                    *self.panic(by, 202, 'other', 'RCU Stall', ['rcu_sched_clock_irq', *self.TIMER], self.OTHER)]
        if self.finder == 'buddy':
            return [f'59.8 buddy_lockup({cpu}, {by})', *asked,
                    *self.panic(by, 202, 'other', 'Hard LOCKUP',
                                ['watchdog_hardlockup_check', 'watchdog_timer_fn', *self.TIMER], self.OTHER)]
        return ['60.0 sysrq_c(1, 1)']

    # -------------------------------------------------------------------------- CPUs
    def panicking(self):
        if self.finder == 'operator' and self.is_stuck:
            return 1
        return self.by if self.is_stuck and self.finder in ('rcu', 'buddy') else self.cpu

    def cpu_block(self, cpu):
        has_slot = self.finder == 'operator' and self.is_stuck
        name, flags, task, chain = 'nmi', '', 'task 300 other', self.OTHER
        if cpu == self.cpu:
            flags, task, chain = ' irqs-off', 'task 118 kworker', self.chain()
        elif cpu == self.panicking():
            task, chain = 'task 1 init', ['sysrq_handle_crash', '__handle_sysrq', 'write_sysrq_trigger', *SYSCALL]
            name = 'self'
        elif cpu in range(4 - self.victims, 4):
            flags, task, chain = ' irqs-off', f'task 40{cpu} victim', [
                'native_queued_spin_lock_slowpath', '_raw_spin_lock', f'victim_{cpu}', *WORKER]
        elif self.idle:
            flags, task, chain = ' idle', f'task 0 swapper/{cpu}', IDLE
        head = f'cpu {cpu} {name}{flags}' if has_slot else f'cpu {cpu}'
        lines = [head, task]
        if has_slot:
            eflags = '46' if 'off' in flags else '246'
            lines += [f'regs rip={chain[0]}+{self.offset:#x} rsp=ffffc900000{2 * cpu + 1}3e80 eflags={eflags} cs=10',
                      'text', f'| NMI backtrace for cpu {cpu}',
                      *self.trace(cpu, *(task.split()[1:]), chain)]
        elif 'off' in flags:
            lines.append('note eflags=46')
        inner = ['__crash_kexec', 'panic'] if cpu == self.panicking() and self.is_stuck else []
        lines.append('stack ' + self.stack(inner + chain))
        return lines

    def describe(self):
        log = self.log()
        if self.is_mixed:
            log = between(log)
        cpus = self.order or range(4)
        head = ['include four-cpus', f'panic cpu {self.panicking()}', 'kdump']
        if self.kaslr:
            head.append(f'kaslr {self.kaslr:x}')
        blocks = [line for cpu in cpus for line in self.cpu_block(cpu)]
        return '\n'.join([*head, 'log', '20.0 T1 <6>| EXT4-fs (vda): mounted filesystem', *log, *blocks]) + '\n'


def cases():
    """(kind, name of the case, description)"""
    for number, (kind, family, is_stuck) in enumerate(kinds()):
        for i in range(4):
            crash = Crash(kind, family, is_stuck)
            crash.finder = FINDERS[(number + i) % len(FINDERS)]
            crash.cpu = (2, 3)[(number + i) % 2]
            crash.by = 1
            crash.kaslr = (0, 0x3200000, 0, 0x1a000000)[i]
            crash.suffix = SUFFIXES[(number + 2 * i) % len(SUFFIXES)]
            crash.offset += 4 * i
            crash.victims = i % 2 if crash.cpu != 3 else 0
            crash.idle = i != 3
            yield kind, f'{kind}-{crash.finder if is_stuck else "oops"}-{i}', crash.describe()
