# SPDX-License-Identifier: GPL-2.0-or-later
"""Which files are about one crash: a dump, its text, its record and copies of it are; nothing else is."""
import os
import random
import re
import shutil
import subprocess
import sys

from common import DUMPS, NMIBT, TOP, Triage, integrity, make_old

sys.path.insert(0, os.path.join(TOP, 'tests'))
import kdump  # noqa: E402

REAL = 'x86_64-6.12-irqspin'


def describe(name, path, change=None):
    """A dump of testdumps/evidence, of a description that was changed."""
    source = os.path.join(TOP, 'testdumps/evidence', name + '.dump')
    with open(source) as file:
        text = file.read()
    changed = path + '.dump'
    with open(changed, 'w') as file:
        file.write(change(text) if change else text)
    subprocess.run([os.path.join(TOP, 'testdumps/mkdump'), changed, path], check=True)
    os.unlink(changed)


def record_of(tmp, path, name=REAL):
    """What vmcore-nmibt's hook leaves beside a dump."""
    elf = os.path.join(tmp, 'elf')
    kdump.Kdump(DUMPS[name]).save_elf(elf, 183 if name.startswith('arm64') else 62)
    subprocess.run([os.path.join(TOP, 'build/vmcore-nmibt'), '--record=' + path, elf], check=True,
                   capture_output=True)
    os.unlink(elf)


def crash_of(triage, path):
    return triage.value('SELECT crash_id FROM inputs WHERE folder = ? AND name = ?',
                        *os.path.split(path))


def check_beside(results, tmp):
    """Dump, record and text in one folder, in whichever order they come."""
    for order in ['vmcore', 'nmibt.record', 'vmcore-dmesg.txt'], \
            ['vmcore-dmesg.txt', 'nmibt.record', 'vmcore']:
        folder = os.path.join(tmp, 'beside')
        os.mkdir(folder)
        triage = Triage(os.path.join(tmp, 'beside.db'))
        for name in order:
            path = os.path.join(folder, name)
            if name == 'vmcore':
                shutil.copy(DUMPS[REAL], path)
            elif name == 'nmibt.record':
                record_of(tmp, path)
            else:
                shutil.copy(os.path.join(os.path.dirname(DUMPS[REAL]), 'console.log'), path)
            triage.scan(folder)
        crashes = triage.rows('SELECT id, signature FROM crashes')
        kinds = sorted(row[0] for row in triage.rows('SELECT kind FROM inputs'))
        results.same('one crash: %s' % ', '.join(order), (len(crashes), kinds),
                     (1, ['dump', 'record', 'text']))
        # The text knows of the panicking CPU alone, and has another signature than the dump.
        best = triage.json('show', '1' if crashes[0][0] == 1 else str(crashes[0][0]))
        results.same('the dump stands for it', best['signature'],
                     '2:0900a4fee01349b094bbfac48fab4c061710aa10')
        results.same('no group is left of what it was before',
                     triage.value('SELECT count(*) FROM groups WHERE crashes > 0'), 1)
        results.note('the database is sound', integrity(triage))
        shutil.rmtree(folder)
        os.unlink(triage.db)


def kernels_texts(name, folder):
    """What the kernel and makedumpfile leave of a real dump: the log, and in pstore its end and the console."""
    shutil.copy(os.path.join(os.path.dirname(DUMPS[name]), 'console.log'), os.path.join(folder, 'console-ramoops-0'))
    log = os.path.join(folder, 'vmcore-dmesg.txt')
    # It does not read the log of this arm64 dump.
    if subprocess.run(['makedumpfile', '--dump-dmesg', DUMPS[name], log], capture_output=True).returncode:
        return
    with open(log) as file:
        lines = file.read().splitlines(keepends=True)
    panic = next(i for i, line in enumerate(lines) if 'Kernel panic' in line)
    with open(os.path.join(folder, 'dmesg-ramoops-0'), 'w') as file:
        file.writelines(['Panic#1 Part1\n', *('<0>' + line for line in lines[panic - 20:panic + 4])])


def check_kernels_texts(results, tmp):
    """Each bundled dump with its record, in pstore, and all its texts beside it."""
    folder = os.path.join(tmp, 'texts')
    for name in DUMPS:
        os.makedirs(os.path.join(folder, name))
        shutil.copy(DUMPS[name], os.path.join(folder, name, 'vmcore'))
        record_of(tmp, os.path.join(folder, name, 'pmsg-ramoops-0'), name)
        kernels_texts(name, os.path.join(folder, name))
    triage = Triage(os.path.join(tmp, 'texts.db'))
    triage.scan(folder)
    results.same('a dump, its record in pstore, and its texts: one crash each', triage.rows(
        'SELECT count(DISTINCT folder), count(*), sum(kind = \'text\'), sum(kind = \'record\') FROM inputs '
        'GROUP BY crash_id ORDER BY 2'), [(1, 3, 1, 1), (1, 5, 3, 1), (1, 5, 3, 1)])
    results.same('the dump stands for each', triage.rows(
        'SELECT DISTINCT kind FROM crashes JOIN inputs ON inputs.id = best'), [('dump',)])
    results.note('the database is sound after texts', integrity(triage))


def check_apart(results, tmp):
    """The same text in another folder may be of another machine, where it has too few times."""
    for folder in 'a', 'b':
        os.mkdir(os.path.join(tmp, folder))
    dump, text = os.path.join(tmp, 'a/vmcore'), os.path.join(tmp, 'b/vmcore-dmesg.txt')
    shutil.copy(DUMPS[REAL], dump)
    with open(os.path.join(os.path.dirname(DUMPS[REAL]), 'console.log')) as log, open(text, 'w') as file:
        lines = log.read().splitlines(keepends=True)
        panic = next(i for i, line in enumerate(lines) if 'Kernel panic' in line)
        file.writelines(lines[panic - 20:])
    triage = Triage(os.path.join(tmp, 'apart.db'))
    triage.scan(os.path.join(tmp, 'a'), os.path.join(tmp, 'b'))
    results.same('a short text in another folder is a crash of its own',
                 crash_of(triage, dump) != crash_of(triage, text), True)


def check_doubt(results, tmp):
    """Two dumps that one text fits as well: nobody knows whose it is, whichever came first."""
    folder = os.path.join(tmp, 'doubt')
    os.mkdir(folder)
    first, second = os.path.join(folder, 'vmcore-1'), os.path.join(folder, 'vmcore-2')
    describe('hard-lockup-kdump', first)
    describe('hard-lockup-kdump', second, lambda text: text.replace('panic cpu', 'host other\npanic cpu'))
    with open(os.path.join(folder, 'vmcore-dmesg.txt'), 'w') as file:
        file.write('[    0.000000] Linux version 6.12.117 (host) #1\n'
                   '[   60.000000] Kernel panic - not syncing: Hard LOCKUP\n'
                   '[   60.000001] CPU: 2 UID: 0 PID: 118 Comm: kworker/2:1 Not tainted 6.12.117 #1\n'
                   '[   60.000002] Call Trace:\n'
                   '[   60.000003]  panic+0x118/0x2db\n')
    triage = Triage(os.path.join(tmp, 'doubt.db'))
    os.rename(second, os.path.join(tmp, 'second'))
    triage.scan(folder)
    joined = triage.value('SELECT count(*) FROM crashes')
    os.rename(os.path.join(tmp, 'second'), second)
    said = triage.scan(folder)
    results.same('a text that fits a second dump as well is of neither',
                 (joined, triage.value('SELECT count(*) FROM crashes')), (1, 3))
    results.same('and nobody died twice for that', (said['new_crashes'], [one['id'] for one in said['new_without_group']]),
                 (1, []))
    results.note('the database is sound after that', integrity(triage))


def check_differences(results, tmp):
    """Dumps of one kind that differ in a single thing are different crashes."""
    changes = {'as it is': None, 'another second': lambda text: text.replace('kdump\n', 'kdump 1767225777\n'),
               'another host': lambda text: text.replace('panic cpu', 'host other\npanic cpu'),
               'another time since boot': lambda text: text.replace('include log-hard-lockup',
                                                                    'include log-hard-lockup\nlog\n'
                                                                    '+0.1 <6>| late')}
    folder = os.path.join(tmp, 'differences')
    os.mkdir(folder)
    for i, change in enumerate(changes.values()):
        describe('hard-lockup-kdump', os.path.join(folder, 'vmcore%d' % i), change)
    triage = Triage(os.path.join(tmp, 'differences.db'))
    triage.scan(folder)
    # The time since boot of the death itself is the same in the last one: only a later line differs.
    results.same('dumps that differ in host or second are different crashes',
                 triage.value('SELECT count(*) FROM crashes'), 3)
    results.same('they are one group', triage.rows('SELECT crashes FROM groups WHERE crashes > 0'), [(3,)])


def check_unnamed(results, tmp):
    """Two machines without a name that died in the same moment, by their clocks, of the same thing: only
    a later line of the log tells that they are two."""
    folder = os.path.join(tmp, 'unnamed')
    os.mkdir(folder)
    for i, name in enumerate(('localhost', 'localhost', 'a', 'a', 'xxxx', 'xxxx')):
        describe('hard-lockup-kdump', os.path.join(folder, 'vmcore%d' % i), lambda text: text.replace(
            'panic cpu', 'host %s\npanic cpu' % name) + ('\nlog\n+0.1 <6>| late' if i % 2 else ''))
    triage = Triage(os.path.join(tmp, 'unnamed.db'))
    triage.scan(folder)
    results.same('machines without a name are not one machine, those with one are', sorted(
        len(triage.rows('SELECT 1 FROM inputs WHERE crash_id = ?', *row))
        for row in triage.rows('SELECT id FROM crashes')), [1, 1, 1, 1, 2])
    results.same('nor is a name that was redacted one', triage.rows(
        'SELECT DISTINCT host FROM crashes ORDER BY 1'), [(None,), ('a',)])


def boot_log(seed, late=False, tick=1, count=100):
    """Lines of a boot, at times as a clock has them that counts so many nanoseconds at once."""
    chance = random.Random(seed)
    lines = []
    for i in range(count):
        ns = int((10**9 + i * 10**7 + chance.randrange(10**6)) // tick * tick)
        lines.append('%d.%09d T1 <6>| device %d is %x' % (ns // 10**9, ns % 10**9, i, chance.getrandbits(96)))
    # A time in memory whose bytes look like an address of mail.
    ns = int.from_bytes(b'x@yc', 'little')
    lines.append('%d.%09d T1 <6>| device is ready' % (ns // 10**9, ns % 10**9))
    return 'log\n' + '\n'.join(lines) + '\ninclude log-hard-lockup\n' + ('log\n+0.1 <6>| late\n' if late else '')


def check_extract(results, tmp):
    """A dump without a capture and its extracts, redacted or not, of machines with a name and without one; and
    what looks the same and is of another boot."""
    folder = os.path.join(tmp, 'extract')
    for i, (host, log) in enumerate([('localhost', boot_log(1)), ('localhost', boot_log(2)), ('db7', boot_log(3)),
                                     ('db7', boot_log(3, late=True)), ('localhost', boot_log(1, late=True))]):
        path = os.path.join(folder, str(i), 'vmcore')
        for where in 'extract', 'redacted':
            os.makedirs(os.path.join(folder, str(i), where))
        describe('hard-lockup-kdump', path, lambda text: text.replace(
            'panic cpu', 'host %s\npanic cpu' % host).replace('include log-hard-lockup', log))
        for where, options in ('extract', []), ('redacted', ['--redact']):
            subprocess.run([NMIBT, '--extract', *options, os.path.join(folder, str(i), where, 'vmcore.nmibt'), path],
                           check=True, capture_output=True)
    triage = Triage(os.path.join(tmp, 'extract.db'))
    triage.scan(folder)
    crashes = {}
    for name, crash in triage.rows('SELECT folder, crash_id FROM inputs'):
        crashes.setdefault(crash, set()).add(os.path.relpath(name, folder))
    one = [{str(i), '%d/extract' % i, '%d/redacted' % i} for i in range(5)]
    # A later line in the log does not make another death.
    results.same('a dump and its extracts are one crash, other boots are others',
                 sorted(map(sorted, crashes.values())), sorted(map(sorted, [one[0] | one[4], one[1], one[2] | one[3]])))
    results.note('the database is sound after extracts', integrity(triage))


def check_coarse(results, tmp):
    """A log whose clock counts ticks tells machines without a name apart from no other: of HZ=1000, of HZ=300 by
    jiffies, and of a clock whose multiples are rounded."""
    for tick in 10**6, 3333333, 10**9 / 1024:
        folder = os.path.join(tmp, 'coarse-%d' % tick)
        os.mkdir(folder)
        path = os.path.join(folder, 'vmcore')
        describe('hard-lockup-kdump', path, lambda text: text.replace('panic cpu', 'host localhost\npanic cpu').replace(
            'include log-hard-lockup', boot_log(1, tick=tick)))
        subprocess.run([NMIBT, '--extract', path + '.nmibt', path], check=True, capture_output=True)
        triage = Triage(folder + '.db')
        triage.scan(folder)
        results.same('a clock of ticks of %d ns proves nothing' % tick, triage.value('SELECT count(*) FROM crashes'), 2)


def check_small_record(results, tmp):
    """A record that has no room for most of the log is about the crash of its dump."""
    folder = os.path.join(tmp, 'small')
    os.makedirs(os.path.join(folder, 'pstore'))
    path = os.path.join(folder, 'vmcore')
    describe('hard-lockup-kdump', path, lambda text: text.replace('panic cpu', 'host localhost\npanic cpu').replace(
        'include log-hard-lockup', boot_log(1, count=5000)))
    # The log has 60 KB of random numbers, for which there is no room.
    subprocess.run([os.path.join(TOP, 'build/vmcore-nmibt'), '--size=8192',
                    '--record=' + os.path.join(folder, 'pstore', 'pmsg-ramoops-0'), path], check=True, capture_output=True)
    triage = Triage(os.path.join(tmp, 'small.db'))
    triage.scan(folder)
    results.same('a record without most of the log is about the crash of its dump', triage.rows('SELECT state, crash_id FROM inputs'),
                 [('read', 1)] * 2)


DIES = 'log\n59.8 hard_lockup(2, 5, 118, kworker/2:1)\n60.%d hard_lockup_panic(2, 5, 118, kworker/2:1)'


def check_tiny_record(results, tmp):
    """A record that has no room for the line of the panic has the host and the second. Where two dumps fit it is of
    neither, in whichever order they come; of a machine without a name it is never."""
    crashes = {}
    for name, hosts in ('named', ['db7']), ('unnamed', ['localhost']), ('twice', ['db7', 'db7']), ('other', ['db8']):
        folder = os.path.join(tmp, 'tiny', name)
        os.makedirs(os.path.join(folder, 'pstore'))
        paths = [os.path.join(folder, 'vmcore%d' % i) for i in range(len(hosts))]
        for i, host in enumerate(hosts):
            describe('hard-lockup-kdump', paths[i], lambda text: text.replace('panic cpu', 'host %s\npanic cpu' % host).replace(
                'include log-hard-lockup', boot_log(1).replace('include log-hard-lockup', DIES % i)))
        record = os.path.join(folder, 'pstore', 'pmsg-ramoops-0')
        source = os.path.join(tmp, 'tiny/named/vmcore0') if name == 'other' else paths[0]
        subprocess.run([os.path.join(TOP, 'build/vmcore-nmibt'), '--size=4096', '--record=' + record, source], check=True,
                       capture_output=True)
        for order in [record, *paths], [*paths, record], [paths[0], record, *paths[1:]]:
            triage = Triage(os.path.join(tmp, 'tiny.db'))
            for path in order:
                os.rename(path, path + '.txt')
            for path in order:
                os.rename(path + '.txt', path)
                triage.scan(folder)
            crashes.setdefault(name, set()).add(triage.value('SELECT count(*) FROM crashes'))
            results.note('the database is sound: %s' % name, integrity(triage))
            os.unlink(triage.db)
    results.same('a record without the line of its panic is about the crash of the dump of that host and second', crashes,
                 {'named': {1}, 'unnamed': {2}, 'twice': {3}, 'other': {2}})


def check_logs(results, tmp):
    """Equal logs of machines that are simulated, or whose clock counts by ticks, and of a log that somebody forged."""
    folder = os.path.join(tmp, 'logs')
    os.mkdir(folder)
    for name, host, died in (('a', 'alpha', ''), ('b', 'beta', ''), ('c', 'localhost', ' 1777225777')):
        describe('hard-lockup-kdump', os.path.join(folder, name), lambda text: text.replace(
            'panic cpu', 'host %s\npanic cpu' % host).replace('include log-hard-lockup', boot_log(1)).replace(
                '\nkdump\n', '\nkdump%s\n' % died))
    triage = Triage(os.path.join(tmp, 'logs.db'))
    triage.scan(folder)
    results.same('one log on two hosts, and on another day, is of three crashes',
                 triage.rows('SELECT host, died FROM crashes ORDER BY died, host'),
                 [('alpha', 1767225601), ('beta', 1767225601), (None, 1777225777)])


def check_texts_without_time(results, tmp):
    """Machines of one kind may print the same lines before they die, where lines have no times."""
    folder = os.path.join(tmp, 'timeless')
    with open(os.path.join(os.path.dirname(DUMPS[REAL]), 'console.log'), errors='replace') as file:
        text = re.sub(r'(?m)^\[ *\d+\.\d+\] ?', '', file.read())
    for host in 'one', 'two':
        os.makedirs(os.path.join(folder, host))
        with open(os.path.join(folder, host, 'console-ramoops-0'), 'w') as file:
            file.write(text)
    triage = Triage(os.path.join(tmp, 'timeless.db'))
    triage.scan(folder)
    results.same('equal texts without a time are of two crashes',
                 triage.rows('SELECT died, count(*) FROM crashes GROUP BY 1'), [(None, 2)])


def check_copies(results, tmp):
    """A machine that did not die has no moment of death. A copy of its dump is known by its content."""
    folder = os.path.join(tmp, 'copies')
    os.makedirs(os.path.join(folder, 'other'))
    path = os.path.join(folder, 'vmcore')
    describe('alive-without-registers', path)
    triage = Triage(os.path.join(tmp, 'copies.db'))
    triage.scan(folder)
    shutil.copy(path, os.path.join(folder, 'other'))
    triage.scan(folder)
    results.same('a copy is the same', triage.rows('SELECT crash_id FROM inputs'), [(1,), (1,)])
    with open(os.path.join(folder, 'other/vmcore'), 'ab') as file:
        file.write(b'\0')
    triage.scan(folder)
    results.same('a file that is not quite a copy is not',
                 triage.value('SELECT count(DISTINCT crash_id) FROM inputs'), 2)
    make_old(path)
    again = triage.scan(folder)
    results.same('a file that was touched is read again, and is what it was',
                 (again['read'], again['new_crashes'], crash_of(triage, path)), (1, 0, 1))
    shutil.copy(DUMPS[REAL], path)
    triage.scan(folder)
    results.same('what was in a file before it was overwritten has happened all the same',
                 (triage.value('SELECT count(*) FROM crashes'), triage.value(
                     "SELECT count(*) FROM inputs WHERE state = 'removed' AND crash_id = 1")), (3, 2))
    results.note('the database is sound after copies', integrity(triage))


def check(results, tmp, many):
    check_beside(results, tmp)
    check_kernels_texts(results, tmp)
    check_apart(results, tmp)
    check_doubt(results, tmp)
    check_differences(results, tmp)
    check_unnamed(results, tmp)
    check_extract(results, tmp)
    check_logs(results, tmp)
    check_texts_without_time(results, tmp)
    check_coarse(results, tmp)
    check_small_record(results, tmp)
    check_tiny_record(results, tmp)
    check_copies(results, tmp)
