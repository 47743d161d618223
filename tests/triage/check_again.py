# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that are read more than once: parts in pstore that come one after another, a file that was cut when it was
read, or that is compressed in its place. Each is one crash, and what took its place is another one."""
import itertools
import os
import re
import subprocess
import zlib

from check_identity import REAL, describe
from common import DUMPS, TOP, Triage, integrity

LOG = os.path.join(TOP, 'build/tests/nmibt-log')
UNNAMED = ('panic cpu', 'host localhost\npanic cpu')


def other_time(line):
    """A microsecond before or behind."""
    return line[:12] + (b'2' if line[12:13] == b'1' else b'1') + line[13:]


def log_of_panic():
    """The lines around the panic of a bundled dump."""
    with open(os.path.join(os.path.dirname(DUMPS[REAL]), 'console.log')) as file:
        lines = [re.sub(r'^\S*(?=\[)', '', line) for line in file]
    panic = next(i for i, line in enumerate(lines) if 'Kernel panic' in line)
    return lines[max(0, panic - 60):panic + 40]


LINES = log_of_panic()


def put_part(folder, number, lines, when=1767225602, count=1, reason='Panic', compressed=False):
    """As drivers/firmware/efi/efi-pstore.c (6.12) names it, and fs/pstore/platform.c writes it."""
    os.makedirs(folder, exist_ok=True)
    data = ''.join(['%s#%d Part%d\n' % (reason, count, number), *('<4>' + line for line in lines)]).encode()
    name = 'dmesg-efi_pstore-%d%02d%03d' % (when, number, count)
    if compressed:
        data, name = zlib.compress(data, wbits=-15), name + '.enc.z'
    with open(os.path.join(folder, name), 'wb') as file:
        file.write(data)


# The kernel writes the end of the log first. The panic's line is in the second part.
ORDERS = (1, 2, 3, 4), (4, 3, 2, 1), (2, 1, 4, 3), (3, 1, 4, 2)
CHUNKS = dict(enumerate([LINES[-20:], LINES[-40:-20], LINES[-70:-40], LINES[:-70]], 1))


def pictured(triage):
    """Crashes, files and how many groups."""
    return (triage.rows('SELECT message, signature FROM crashes'), triage.rows(
        "SELECT state, json_array_length(parts) FROM inputs"), triage.value(
            'SELECT count(*) FROM groups WHERE crashes > 0'))


def whole(tmp):
    """What is known where all parts come at once."""
    triage, folder = Triage(os.path.join(tmp, 'whole.db')), os.path.join(tmp, 'whole')
    for number, lines in CHUNKS.items():
        put_part(folder, number, lines)
    triage.scan(folder)
    return pictured(triage)


def check_parts(results, tmp, expected):
    """With a scan behind each of them."""
    wrong = []
    for i, order in enumerate(ORDERS):
        folder = os.path.join(tmp, 'parts%d' % i)
        triage = Triage(folder + '.db')
        for number in order:
            put_part(folder, number, CHUNKS[number], compressed=i % 2)
            triage.run('scan', '--settle', '0', folder)
        if pictured(triage) != expected or integrity(triage):
            wrong.append((order, pictured(triage), integrity(triage)))
    results.note('parts that come one after another are one crash, in whichever order', '\n     '.join(map(str, wrong)))
    results.same('each of them is a name of the crash', {
        triage.json('show', os.path.join(folder, name))['id'] for name in os.listdir(folder)},
        {triage.value('SELECT id FROM crashes')})


def check_merged_parts(results, tmp, expected):
    """Databases that were made when some of the parts were there."""
    folder = os.path.join(tmp, 'merged')
    bases = []
    for i, order in enumerate([(2,), (1, 3, 4)]):
        for number in order:
            put_part(folder, number, CHUNKS[number])
        bases.append(Triage(os.path.join(tmp, 'base%d.db' % i)))
        bases[-1].scan(folder)
    wrong = []
    for order in itertools.permutations(bases):
        merged = Triage(os.path.join(tmp, 'merged.db'))
        for _ in range(2):
            merged.text('merge', *[one.db for one in order])
            if pictured(merged) != expected or integrity(merged):
                wrong.append(([one.db for one in order], pictured(merged), integrity(merged)))
        os.unlink(merged.db)
    results.note('so are those of merged databases', '\n     '.join(map(str, wrong)))


def check_two_records(results, tmp):
    """Parts of the next crash in the same folder are of another crash; what is known of the first one stays."""
    folder = os.path.join(tmp, 'two')
    triage = Triage(os.path.join(tmp, 'two.db'))
    later = [line.replace('sysrq triggered crash', 'another one') for line in LINES]
    for number in 2, 1:
        put_part(folder, number, CHUNKS[number])
        triage.scan(folder)
    for number, when, lines in (1, 1767229999, later[-25:]), (2, 1767230000, later[-50:-25]):
        put_part(folder, number, lines, when)
        triage.scan(folder)
    results.same('parts of the next crash are of another one', triage.rows('SELECT message FROM crashes ORDER BY id'), [
        ('Kernel panic - not syncing: sysrq triggered crash',), ('Kernel panic - not syncing: another one',)])
    results.note('the database is sound after two records', integrity(triage))


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as file:
        file.write(data)


def check_cut(results, tmp):
    """A text that was copied again after the first copy broke off, and what looks like that and is another crash."""
    text = ''.join(LINES).encode()
    panic, line = text.index(b'Kernel panic'), LINES[-45].encode()
    for name, first, second, expected in (
            ('the whole text', text[:-300], text, 1),
            ('where the line of the panic itself was cut', text[:panic + 45], text, 1),
            ('that of another panic', text[:-300], text.replace(b'sysrq triggered', b'another'), 2),
            ('one with another time before the panic', text[:-300], text.replace(line[:15], other_time(line[:15])), 2),
            ('one that has no times', re.sub(rb'(?m)^\[ *\d+\.\d+\] ?', b'', text[:-300]),
             re.sub(rb'(?m)^\[ *\d+\.\d+\] ?', b'', text), 2)):
        folder = os.path.join(tmp, 'cut', name)
        triage = Triage(os.path.join(tmp, name + '.db'))
        for data in first, second:
            write(os.path.join(folder, 'vmcore-dmesg.txt'), data)
            triage.scan(folder)
        results.same('a text that was cut when it was read, and then %s' % name,
                     (triage.value('SELECT count(*) FROM crashes'), integrity(triage)), (expected, ''))


def check_growing(results, tmp):
    """The log of a machine that hangs, and did not die yet, or not at all; and that of its next boot, behind it."""
    os.mkdir(os.path.join(tmp, 'growing'))
    dump = os.path.join(tmp, 'growing/vmcore')
    describe('hard-lockup-kdump', dump)
    log = subprocess.run([LOG, dump], check=True, capture_output=True).stdout
    panic = log.rindex(b'\n', 0, log.index(b'Kernel panic')) + 1
    usb = b'[   61.%06d] usb 1-1: new device\n'
    reset = b'[    0.000000] Linux version 6.12.117+deb13-cloud-amd64 (x) #1\n' + log.replace(b'59.8', b'71.3').replace(b' 60.0', b' 71.6')
    for name, texts, expected in (
            ('the panic', (log[:panic], log), 1), ('more of the panic', (log[:panic + 40], log), 1),
            ('lines of a machine that lives', [log[:panic] + b''.join(usb % i for i in range(n)) for n in range(4)], 1),
            ('the next boot', (log[:panic], log[:panic] + reset), 2)):
        triage = Triage(os.path.join(tmp, name + '.db'))
        for data in texts:
            write(os.path.join(tmp, name, 'vmcore-dmesg.txt'), data)
            triage.scan(os.path.join(tmp, name))
        results.same('the log of a lockup, and then %s' % name, (
            triage.value('SELECT count(*) FROM crashes'), integrity(triage)), (expected, ''))


def check_compressed(results, tmp):
    """A dump of a machine without a name, whose log has no fine times, is compressed in its place; then comes that of a
    crash a second later."""
    folder = os.path.join(tmp, 'compressed')
    path = os.path.join(folder, 'vmcore')
    os.makedirs(folder)
    triage = Triage(os.path.join(tmp, 'compressed.db'))
    describe('hard-lockup-kdump', path, lambda text: text.replace(*UNNAMED))
    triage.scan(folder)
    before = triage.rows('SELECT id, message FROM crashes')
    kdump = UNNAMED[0], UNNAMED[1].replace('panic cpu', 'format kdump\npanic cpu')
    describe('hard-lockup-kdump', path, lambda text: text.replace(*kdump))
    with open(path, 'rb') as file:
        results.same('it is compressed', file.read(5), b'KDUMP')
    triage.scan(folder)
    results.same('a dump that is compressed in its place is the same crash', (triage.rows(
        'SELECT id, message FROM crashes'), triage.rows('SELECT state FROM inputs')), (before, [('read',)]))
    describe('hard-lockup-kdump', path, lambda text: text.replace(*kdump).replace('kdump\n', 'kdump 1767225777\n'))
    triage.scan(folder)
    results.same('that of another second is not', triage.value('SELECT count(*) FROM crashes'), 2)
    results.note('the database is sound after that', integrity(triage))


def check_cut_dump(results, tmp):
    """Where less comes than there was, what was known stays."""
    folder = os.path.join(tmp, 'less')
    path = os.path.join(folder, 'vmcore')
    os.makedirs(folder)
    triage = Triage(os.path.join(tmp, 'less.db'))
    describe('hard-lockup-kdump', path)
    triage.scan(folder)
    before = triage.rows('SELECT * FROM crashes')
    with open(path, 'r+b') as file:
        file.truncate(os.stat(path).st_size * 9 // 10)
    triage.run('scan', '--settle', '0', folder)
    results.same('a dump that is cut later does not hide what was known', triage.rows('SELECT * FROM crashes'), before)
    results.note('the database is sound after a cut', integrity(triage))


def check(results, tmp, many):
    expected = whole(tmp)
    results.same('all parts at once', expected, (
        [('Kernel panic - not syncing: sysrq triggered crash', expected[0][0][1])], [('read', 3)], 1))
    check_parts(results, tmp, expected)
    check_merged_parts(results, tmp, expected)
    check_two_records(results, tmp)
    check_cut(results, tmp)
    check_growing(results, tmp)
    check_compressed(results, tmp)
    check_cut_dump(results, tmp)
