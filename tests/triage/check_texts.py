# SPDX-License-Identifier: GPL-2.0-or-later
"""A text elsewhere than its dump is about the same crash where the times of the log prove it, and no other dump fits."""
import os
import re
import shutil
import subprocess

from check_identity import REAL, describe, record_of
from common import DUMPS, NMIBT, Triage, integrity

BOOT = ''.join('%.9f T1 <6>| device %d of this machine\n' % (1 + i / 100 + i * i % 977 / 1e6, i) for i in range(100))
PLACES = 'dump', 'text', 'pstore', 'record', 'redacted'


def log_of(path):
    """As nmibt shows it of a dump that the kernel wrote."""
    with open(os.path.join(os.path.dirname(path), 'console.log'), errors='replace') as file:
        return file.read()


def make(folder, name=REAL):
    """A dump, its record, a redacted extract of it, the text of its log and the end of that in pstore, each in a folder."""
    for place in PLACES:
        os.makedirs(os.path.join(folder, place))
    shutil.copy(DUMPS[name], os.path.join(folder, 'dump/vmcore'))
    record_of(folder, os.path.join(folder, 'record/nmibt.record'), name)
    subprocess.run([NMIBT, '--extract', '--redact', os.path.join(folder, 'redacted/vmcore.nmibt'), DUMPS[name]],
                   check=True, capture_output=True)
    text = os.path.join(folder, 'text/vmcore-dmesg.txt')
    if subprocess.run(['makedumpfile', '--dump-dmesg', DUMPS[name], text], capture_output=True).returncode:
        with open(text, 'w') as file:
            file.write(log_of(DUMPS[name]))
    with open(text) as file:
        lines = file.read().splitlines(keepends=True)
    panic = next(i for i, line in enumerate(lines) if 'Kernel panic' in line)
    with open(os.path.join(folder, 'pstore/dmesg-ramoops-0'), 'w') as file:
        file.writelines(['Panic#1 Part1\n', *('<0>' + line for line in lines[panic - 120:])])


def crashes(triage, folder):
    """The folders of the files of each crash."""
    found = {}
    for path, crash in triage.rows("SELECT folder, crash_id FROM inputs WHERE crash_id IS NOT NULL"):
        found.setdefault(crash, set()).add(os.path.relpath(path, folder))
    return sorted(map(sorted, found.values()))


def check_orders(results, tmp):
    """In whichever order they come."""
    source = os.path.join(tmp, 'source')
    make(source)
    for order in PLACES, PLACES[::-1], ('text', 'record', 'pstore', 'dump', 'redacted'):
        triage, folder = Triage(os.path.join(tmp, 'orders.db')), os.path.join(tmp, 'orders')
        for place in order:
            shutil.copytree(os.path.join(source, place), os.path.join(folder, place))
            triage.scan(folder)
        results.same('in folders of their own: %s' % ', '.join(order), (crashes(triage, folder), integrity(triage)),
                     ([sorted(PLACES)], ''))
        shutil.rmtree(folder)
        os.unlink(triage.db)


def check_alone(results, tmp):
    """Texts of a crash of which there is no dump."""
    folder = os.path.join(tmp, 'source')
    triage = Triage(os.path.join(tmp, 'alone.db'))
    triage.scan(*[os.path.join(folder, place) for place in ('text', 'pstore')])
    results.same('two texts of one crash', crashes(triage, folder), [['pstore', 'text']])


def check_two_dumps(results, tmp):
    """A simulated machine that boots twice in the same way: which of them the texts are of nobody knows."""
    folder = os.path.join(tmp, 'twice')
    triage = Triage(os.path.join(tmp, 'twice.db'))
    for place in 'a', 'b', 'x', 'y':
        os.makedirs(os.path.join(folder, place))

    def change(text):
        return text.replace('include log-hard-lockup', 'log\n' + BOOT + 'include log-hard-lockup\n')

    dump = os.path.join(folder, 'a/vmcore')
    describe('hard-lockup-kdump', dump, change)
    log = subprocess.run(['makedumpfile', '--dump-dmesg', dump, os.path.join(folder, 'x/vmcore-dmesg.txt')],
                         capture_output=True)
    with open(os.path.join(folder, 'x/vmcore-dmesg.txt'), 'r+') as file, \
            open(os.path.join(folder, 'y/dmesg.txt'), 'w') as copy:
        text = file.read().replace('6.12.117+deb13-cloud-amd64', '6.12.117')  # which the description did not change
        file.seek(0)
        file.write(text)
        file.truncate()
        copy.write('[    0.000000] Command line: quiet\n' + text)
    triage.scan(folder)
    results.same('one dump and its texts', (crashes(triage, folder), log.returncode), ([['a', 'x', 'y']], 0))
    describe('hard-lockup-kdump', os.path.join(folder, 'b/vmcore'),
             lambda text: change(text).replace('\nkdump\n', '\nkdump 1767225777\n'))
    triage.scan(folder)
    results.same('a second dump with the same log: the texts are of neither', crashes(triage, folder),
                 [['a'], ['b'], ['x', 'y']])
    results.note('the database is sound after that', integrity(triage))


def check_others(results, tmp):
    """Texts that look much the same."""
    source = os.path.join(tmp, 'source')
    with open(os.path.join(source, 'text/vmcore-dmesg.txt')) as file:
        text = file.read()
    lines = text.splitlines(keepends=True)
    panic = next(i for i, line in enumerate(lines) if 'Kernel panic' in line)
    others = {'another message': text.replace('sysrq triggered crash', 'another crash'),
              'another time of one line': ''.join(
                  re.sub(r'(\.\d{5})\d\]', lambda found: found[1] + ('1]' if found[0][-2] == '0' else '0]'), line, count=1)
                  if i == panic - 30 else line for i, line in enumerate(lines)),
              'no times': re.sub(r'(?m)^\[ *\d+\.\d+\] ?', '', text),
              'few lines': ''.join(lines[panic - 20:])}
    folder = os.path.join(tmp, 'others')
    for name, other in others.items():
        os.makedirs(os.path.join(folder, name))
        with open(os.path.join(folder, name, 'vmcore-dmesg.txt'), 'w') as file:
            file.write(other)
    shutil.copytree(os.path.join(source, 'dump'), os.path.join(folder, 'dump'))
    triage = Triage(os.path.join(tmp, 'others.db'))
    triage.scan(folder)
    results.same('other texts are of other crashes', crashes(triage, folder), sorted([name] for name in ['dump', *others]))


def check(results, tmp, many):
    check_orders(results, tmp)
    check_alone(results, tmp)
    check_others(results, tmp)
    check_two_dumps(results, tmp)
