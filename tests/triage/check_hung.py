# SPDX-License-Identifier: GPL-2.0-or-later
"""Crashes and logs of hung tasks: their group is named by where the task waits that was reported first."""
import os

from check_identity import describe
from common import Triage, integrity

STACK = ['__schedule+0x4ea/0xbe0', 'schedule+0x27/0xc0', 'schedule_preempt_disabled+0x15/0x30',
         '__mutex_lock.constprop.0+0x41f/0x730']
ENTRY = ['do_syscall_64+0x87/0x180', 'entry_SYSCALL_64_after_hwframe+0x76/0x7e']
JOURNAL = STACK + ['journal_commit+0x4e/0xf0'] + ENTRY
ROUND = [(169, JOURNAL), (171, JOURNAL)]
ALIVE = '\n70.0 T1 <6>| EXT4-fs (vda): mounted filesystem\n'
REGISTERS = 'alive_idle(0)\nalive_idle(1)\nalive_reader(2)\nalive_idle(3)\n'


def reports(tasks, when=59.98):
    """As khungtaskd prints them (kernel/hung_task.c: check_hung_task(), 6.12), time and text."""
    for pid, frames in tasks:
        yield when, 'INFO: task task%d:%d blocked for more than 22 seconds.' % (pid, pid)
        yield when, '      Not tainted 6.12.117-nmibt #1'
        yield when, '"echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.'
        yield when, 'task:task%d         state:D stack:0     pid:%d   tgid:%d   ppid:1      flags:0x00000002' % (pid, pid, pid)
        yield when, 'Call Trace:'
        yield when, ' <TASK>'
        for frame in frames:
            yield when, ' ' + frame
        yield when, ' </TASK>'
        when += 0.0003


def described(tasks):
    return 'log\n' + '\n'.join('%.6f T28 <6>| %s' % line for line in reports(tasks))


def dump(path, tasks, alive=False):
    describe('hung-task-alive' if alive else 'hung-task-kdump', path, lambda text: (
        'include four-cpus\npanic cpu none\n' + described(tasks) + ALIVE + REGISTERS if alive else
        text.replace('include log-hung-tasks', described(tasks) + '\n60.0 hung_panic(3)')))


def log(path, tasks, later=70.0):
    """Of a machine that goes on: a console's log, and nothing else."""
    lines = [(0.0, 'Linux version 6.12.117-nmibt (host) #1'), *reports(tasks), (later, 'EXT4-fs (vda): mounted filesystem')]
    with open(path, 'w') as file:
        file.writelines('[%12.6f][   T28] %s\n' % line for line in lines)


def check(results, tmp, many):
    folder = os.path.join(tmp, 'hung')
    os.mkdir(folder)
    other = STACK + ['writeback_commit+0x4e/0xf0'] + ENTRY
    made = {
        'panic': lambda path: dump(path, ROUND),
        'alive': lambda path: dump(path, ROUND, alive=True),
        'log': lambda path: log(path, ROUND),
        # What the compiler and the scheduler's part of the stack add is not in the name.
        'suffix': lambda path: log(path, [(169, STACK[:2] + ['__mutex_lock+0x41/0x73', 'journal_commit.isra.0+0x4/0xf'] + ENTRY)]),
        # The second one hangs elsewhere: the first one names it.
        'victims': lambda path: log(path, [(169, JOURNAL), (171, other)]),
        'other': lambda path: log(path, [(169, other), (171, JOURNAL)]),
        # A function of a module is none of the kernel's own of the same name.
        'module': lambda path: log(path, [(169, STACK[:2] + ['down_read+0x1/0x2 [nmibt_x]'] + ENTRY)]),
        'nothing': lambda path: log(path, [(169, STACK)]),
        'over': lambda path: log(path, ROUND, later=7000.0),
        'sysrq': lambda path: describe('hung-task-then-sysrq-c', path),
        'stall': lambda path: describe('rcu-stall-of-a-task', path),
    }
    for name, make in made.items():
        os.mkdir(os.path.join(folder, name))
        make(os.path.join(folder, name, 'vmcore' if name in ('panic', 'alive', 'sysrq', 'stall') else 'vmcore-dmesg.txt'))
    triage = Triage(os.path.join(tmp, 'hung.db'))
    said = triage.scan(folder)
    found = {os.path.basename(where): rest for where, *rest in triage.rows(
        'SELECT folder, group_id, signature, culprit, dead FROM inputs JOIN crashes ON crash_id = crashes.id')}
    results.same('all are read', (said['read'], sorted(found)), (len(made), sorted(made)))
    same = ['panic', 'alive', 'log', 'suffix', 'victims']
    results.same('a panic of hung tasks, a dump of a machine with some and a log of them are one group',
                 sorted(name for name in found if found[name][0] == found['log'][0] is not None), sorted(same))
    results.note('a task that hangs elsewhere is another group', '' if found['other'][0] not in (None, found['log'][0]) and
                 found['module'][0] not in (None, found['log'][0], found['other'][0]) else found)
    results.same('they are named by where the task waits', [found[name][2] for name in ('panic', 'other', 'module')],
                 ['journal_commit', 'writeback_commit', 'down_read [nmibt_x]'])
    results.same('a stack that tells nothing, and one of the past, make no group',
                 [found[name][:2] for name in ('nothing', 'over')], [[None, None]] * 2)
    results.note('what it died of is another thing, or no hung task', '' if not any(
        (found[name][1] or '').startswith('hung') for name in ('sysrq', 'stall')) else found)
    results.same('none but the panic died', [found[name][3] for name in ('panic', 'alive', 'log')], [1, 0, 0])
    text = triage.text('groups', '-n', '0')
    results.note('groups says that the task hung', '' if '    hung       __schedule' in text and
                 'panicking  __schedule' not in text else text)
    results.note('the database is sound', integrity(triage))
