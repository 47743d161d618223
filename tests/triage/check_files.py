# SPDX-License-Identifier: GPL-2.0-or-later
"""Which files are read, which have to wait, and what becomes of those that can't be read."""
import contextlib
import errno
import io
import json
import os
import shutil
import sqlite3
import struct
import subprocess
import sys
import time
from unittest import mock

import fleet
from common import DUMPS, HERE, NMIBT, TOP, TRIAGE, Triage, integrity, make_old

sys.path.insert(0, os.path.join(TOP, 'tools'))
from triage import candidates, prune, scan, store  # noqa: E402

REAL = 'x86_64-6.12-irqspin'
STATUS_AT = 424


def states(triage):
    return dict(triage.rows("SELECT name, state FROM inputs WHERE state != 'removed'"))


def check_waiting(results, tmp):
    folder = os.path.join(tmp, 'waiting')
    os.mkdir(folder)
    for name in 'fresh', 'vmcore-incomplete', 'vmcore.tmp', 'marked', 'done':
        shutil.copy(DUMPS[REAL], os.path.join(folder, name))
    with open(os.path.join(folder, 'marked'), 'r+b') as file:
        file.seek(STATUS_AT)
        status, = struct.unpack('<I', file.read(4))
        file.seek(STATUS_AT)
        file.write(struct.pack('<I', status | 8))
    make_old(*[os.path.join(folder, name) for name in os.listdir(folder) if name != 'fresh'])
    triage = Triage(os.path.join(tmp, 'waiting.db'))
    said = json.loads(triage.run('scan', folder, '--json').stdout)
    results.same('what may still be written is left for later', (states(triage), said['later']), (
        {'fresh': 'later', 'vmcore-incomplete': 'later', 'vmcore.tmp': 'later', 'marked': 'later',
         'done': 'read'}, 4))
    text = triage.text('list', '--later')
    results.note('and it is said why', '' if 'less than 60 s' in text and 'header' in text and
                 'name' in text else text)
    os.rename(os.path.join(folder, 'vmcore-incomplete'), os.path.join(folder, 'vmcore'))
    said = triage.scan(folder, '--incomplete')
    results.same('they are read when they are finished, or when that is asked for',
                 (said['read'], set(states(triage).values())), (4, {'read'}))
    said = triage.scan(folder, '--incomplete')
    results.same('then there is nothing to do', said['read'] + said['later'], 0)


def check_failures(results, tmp):
    folder = os.path.join(tmp, 'failures')
    os.mkdir(folder)
    broken, other = os.path.join(folder, 'vmcore'), os.path.join(folder, 'notes')
    with open(DUMPS[REAL], 'rb') as file:
        head = file.read(9000)
    with open(broken, 'wb') as file:
        file.write(head)
    with open(other, 'w') as file:
        file.write('no dump at all\n')
    os.symlink(DUMPS[REAL], os.path.join(folder, 'link'))
    os.mkfifo(os.path.join(folder, 'fifo'))
    triage = Triage(os.path.join(tmp, 'failures.db'))
    said = triage.scan(folder, code=3)
    results.same('a damaged dump is recorded, a file that is no dump is not read', states(triage),
                 {'vmcore': 'failed', 'notes': 'other'})
    results.note('and the reason is said', '' if said['troubles'][0]['path'] == broken and
                 said['troubles'][0]['why'] and broken in triage.text('list', '--failed') else said)
    results.same('it is not read again as long as it is the same', triage.scan(folder)['failed'], 0)
    shutil.copy(DUMPS[REAL], broken)
    results.same('it is read when it changed', (triage.scan(folder)['read'], states(triage)['vmcore']),
                 (1, 'read'))
    os.chmod(folder, 0)
    try:
        said = triage.run('scan', folder)
        readable = os.access(folder, os.R_OK)  # root may
        results.note('a folder that can\'t be read is said', '' if readable or said.returncode == 3 else
                     said)
    finally:
        os.chmod(folder, 0o755)
    done = triage.run('scan', os.path.join(tmp, 'nowhere'))
    results.note('a folder that is not there', '' if done.returncode == 4 and
                 b'no such folder' in done.stderr else done)
    done = triage.run('scan', broken)
    results.note('a file in place of a folder', '' if done.returncode == 4 and
                 b'name the folder' in done.stderr else done)
    results.note('the database is sound after failures', integrity(triage))


def check_not_now(results, tmp):
    """A file that can't be opened is no other one for that, and is tried again without a change in it."""
    if os.getuid():
        print('     files that may not be read were left out: this takes root')
        return
    folder = os.path.join(tmp, 'now')
    os.mkdir(folder)
    os.chmod(tmp, 0o755)
    path = os.path.join(folder, 'vmcore')
    shutil.copy(DUMPS[REAL], path)
    os.chmod(path, 0o600)
    other = os.path.join(tmp, 'other')
    os.mkdir(other)
    os.chmod(other, 0o777)
    db = os.path.join(other, 'now.db')
    scan = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', TRIAGE, '--db', db, 'scan',
            '--settle', '0', folder]
    triage = Triage(db)
    codes = [subprocess.run(scan, capture_output=True).returncode for _ in range(2)]
    os.chmod(path, 0o644)
    codes.append(subprocess.run(scan, capture_output=True).returncode)
    results.same('a file that may not be read is tried at each scan', (codes, states(triage)),
                 ([3, 3, 0], {'vmcore': 'read'}))
    os.chmod(path, 0o600)
    done = subprocess.run(scan + ['--again'], capture_output=True)
    results.same('when it was read before, that stands', (done.returncode, triage.rows(
        'SELECT state FROM inputs')), (3, [('read',)]))
    results.note('and the reason is said of it', '' if b'Permission denied' in done.stdout else done)


def check_growing(results, tmp):
    folder = os.path.join(tmp, 'growing')
    os.mkdir(folder)
    path = shutil.copy(DUMPS[REAL], os.path.join(folder, 'vmcore'))
    triage = Triage(os.path.join(tmp, 'growing.db'), FAKE_REAL=NMIBT, FAKE_GROWS='growing')
    fake = os.path.join(HERE, 'fake-nmibt')
    results.same('a dump that changes while it is read is left for later',
                 (triage.scan('--nmibt', fake, folder)['fresh'], triage.rows('SELECT state, reason FROM inputs')),
                 (1, [('later', 'it changed while it was read')]))
    del triage.env['FAKE_GROWS']
    results.same('and read when it does not', (triage.scan('--nmibt', fake, folder)['read'], triage.value(
        'SELECT size FROM inputs')), (1, os.stat(path).st_size))


def check_temporary(results, tmp):
    """What nmibt could not do for a reason that is not in the file is tried again, though nothing changes in it."""
    folder = os.path.join(tmp, 'temporary')
    os.mkdir(folder)
    shutil.copy(DUMPS['x86_64-6.12-irqspin'], os.path.join(folder, 'vmcore'))
    fake = os.path.join(HERE, 'fake-nmibt')
    triage = Triage(os.path.join(tmp, 'temporary.db'), FAKE_REAL=NMIBT, FAKE_LACKS='vmcore')
    for _ in range(2):
        said = triage.scan('--nmibt', fake, folder, code=3)
        results.same('no memory for a dump: it is said, and tried again by each scan',
                     (said['later'], [one['why'] for one in said['troubles']]), (1, ['nmibt: out of memory']))
    del triage.env['FAKE_LACKS']
    results.same('and read when there is some', triage.scan('--nmibt', fake, folder)['read'], 1)
    triage.env['FAKE_LACKS'] = 'vmcore'
    triage.scan('--nmibt', fake, '--again', folder, code=3)
    results.same('what was read stays known', triage.rows('SELECT state, crash_id FROM inputs'), [('read', 1)])


def check_clock(results, tmp):
    """Files of a machine whose clock was wrong."""
    folder = os.path.join(tmp, 'clock')
    os.mkdir(folder)
    path = os.path.join(folder, 'vmcore')
    shutil.copy(DUMPS[REAL], path)
    os.utime(path, (2000000000, 2000000000))
    triage = Triage(os.path.join(tmp, 'clock.db'))
    triage.run('scan', folder)
    results.same('a file of the future waits by the time of its inode', states(triage), {'vmcore': 'later'})
    results.same('and is read then', triage.scan(folder)['read'], 1)
    unit = candidates.Unit(folder, 'vmcore', [], 0, 0)
    os.utime(path)
    with mock.patch('time.time', return_value=time.time() - 7200):
        candidates.examine(unit, scan.Options())
    results.same('a file that was written before the clock went back waits', unit.is_fresh, True)


def split_dump(tmp, name, nr):
    """A folder, and the paths of the parts in it."""
    folder = os.path.join(tmp, name)
    os.mkdir(folder)
    parts = [os.path.join(folder, 'vmcore.%d' % i) for i in range(nr)]
    subprocess.run(['makedumpfile', '--split', '--splitblock-size', '1024', '-l', DUMPS[REAL], *parts],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return folder, parts


def check_parts_one_by_one(results, tmp):
    """The first part of a split dump was there alone."""
    folder, parts = split_dump(tmp, 'one-by-one', 2)
    triage = Triage(os.path.join(tmp, 'one-by-one.db'))
    os.rename(parts[1], os.path.join(tmp, 'part'))
    triage.run('scan', '--settle', '0', folder)
    os.rename(os.path.join(tmp, 'part'), parts[1])
    triage.scan(folder)
    results.same('a part that comes later is put to the first',
                 triage.rows("SELECT name, parts, state FROM inputs WHERE state != 'removed'"),
                 [('vmcore.0', '["vmcore.1"]', 'read')])
    results.same('then nothing is left to read', triage.scan(folder)['read'], 0)


def check_gone(results, tmp):
    """What nothing is known of is forgotten when it is gone; folders that overlap are read once."""
    folder = os.path.join(tmp, 'gone')
    names = 'vmcore-incomplete', 'below/broken', 'below/notes', 'below/vmcore'
    for name in names:
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copy(DUMPS[REAL], path)
    for name in 'below/broken', 'below/notes':
        os.truncate(os.path.join(folder, name), 9000 if name == 'below/broken' else 3)
    triage = Triage(os.path.join(tmp, 'gone.db'))
    below = os.path.join(folder, 'below')
    said = triage.scan(below, folder, below + '/', code=3)
    results.same('folders that overlap are looked at once', (said['looked'], said['read']), (4, 1))
    os.rename(os.path.join(folder, 'vmcore-incomplete'), os.path.join(folder, 'vmcore'))
    triage.scan(folder)
    results.same('a name that it had while it was written is forgotten', sorted(states(triage)),
                 ['broken', 'notes', 'vmcore'])
    triage.rows("UPDATE inputs SET nmibt = 'nmibt 0.0.1' WHERE state = 'other'")
    results.same('no dump for an older nmibt: it is looked at again', (
        triage.scan(folder)['read'], triage.value("SELECT nmibt FROM inputs WHERE state = 'other'") !=
        'nmibt 0.0.1'), (0, True))
    shutil.rmtree(below)
    triage.scan(folder)
    results.same('so is what was in a folder that is gone, but for what is known of dumps',
                 triage.rows('SELECT name, state FROM inputs ORDER BY name, id'),
                 [('vmcore', 'read'), ('vmcore', 'read')])
    results.note('the database is sound after files went', integrity(triage))


def check_split(results, tmp):
    """Parts of a split dump are one input, also where they come one after another."""
    folder, parts = split_dump(tmp, 'split', 3)
    triage = Triage(os.path.join(tmp, 'split.db'))
    os.rename(parts[0], os.path.join(tmp, 'part'))
    triage.run('scan', '--settle', '0', folder)
    os.rename(os.path.join(tmp, 'part'), parts[0])
    said = triage.scan(folder)
    rows = triage.rows("SELECT name, parts, exit_code FROM inputs WHERE state = 'read'")
    results.same('a split dump is one input', (said['read'], rows),
                 (1, [('vmcore.0', '["vmcore.1","vmcore.2"]'.replace(',', ', '), 0)]))
    results.same('it is one crash', triage.value('SELECT count(*) FROM crashes'), 1)
    results.same('and is not read again', triage.scan(folder)['read'], 0)


def check_pstore(results, tmp):
    """Parts of the kernel's own record, as systemd-pstore leaves them, are one input; what it made of them
    is not read besides. A file of ramoops is an input of its own."""
    folder = os.path.join(tmp, 'pstore')
    os.mkdir(folder)
    with open(os.path.join(os.path.dirname(DUMPS[REAL]), 'console.log')) as file:
        lines = file.read().splitlines(keepends=True)[-80:]
    # The last part of the log is part 1: fs/pstore/platform.c, pstore_dump() (6.12)
    for part, some in (2, lines[:40]), (1, lines[40:]):
        with open(os.path.join(folder, 'dmesg-efi_pstore-17672256020%d001' % part), 'w') as file:
            file.write('Panic#1 Part%d\n' % part + ''.join('<4>' + line for line in some))
    with open(os.path.join(folder, 'dmesg.txt'), 'w') as file:
        file.write(''.join(lines))
    triage = Triage(os.path.join(tmp, 'pstore.db'))
    triage.scan(folder)
    rows = triage.rows('SELECT state, kind, parts IS NOT NULL, reason FROM inputs')
    results.note('parts of pstore are one input', '' if len(rows) == 1 and rows[0][:3] ==
                 ('read', 'text', 1) else rows)
    results.same('and one crash, with its message', triage.rows('SELECT message FROM crashes'),
                 [('Kernel panic - not syncing: sysrq triggered crash',)])
    shutil.copy(os.path.join(os.path.dirname(DUMPS[REAL]), 'console.log'),
                os.path.join(folder, 'console-ramoops-0'))
    results.same('a file of ramoops is one of its own', triage.scan(folder)['read'], 1)


def check_many_parts(results, tmp):
    """An archive of more parts than nmibt takes at once."""
    folder = os.path.join(tmp, 'many')
    os.mkdir(folder)
    for i in range(4200):
        path = os.path.join(folder, 'dmesg-erst-%d' % i)
        with open(path, 'w') as file:
            file.write('Panic#1 Part1\n<4>[    1.000000] Linux version 6.12.117\n'
                       '<0>[   60.000000] Kernel panic - not syncing: number %d\n' % i)
        os.utime(path, (10**9 + i, 10**9 + i))
    triage = Triage(os.path.join(tmp, 'many.db'))
    said = triage.scan(folder)
    results.same('of too many parts the newest are read', (said['read'], triage.rows(
        'SELECT message FROM crashes')), (1, [('Kernel panic - not syncing: number 4199',)]))
    results.same('and once', triage.scan(folder)['read'], 0)


def check_prune(results, tmp):
    folder = os.path.join(tmp, 'prune')
    made = fleet.make(folder, 40, kinds=3, seed=7)
    triage = Triage(os.path.join(tmp, 'prune.db'))
    triage.scan(folder)
    newest = set()
    for kind in {one.kind for one in made}:
        newest |= {one.path for one in sorted((one for one in made if one.kind == kind),
                                              key=lambda one: -one.died)[:2]}
    changed = next(one.path for one in made if one.path not in newest)
    os.utime(changed)
    text = triage.text('prune', '--keep', '2')
    results.note('prune only names what would go', '' if all(os.path.exists(one.path) for one in made) and
                 'Nothing was removed' in text and 'kept     ' + changed in text else text)
    triage.text('prune', '--keep', '2', '--yes')
    left = {one.path for one in made if os.path.exists(one.path)}
    results.same('prune --yes leaves the newest of each group, and what changed', left,
                 newest | {changed})
    results.same('what is known of the others stays', triage.value('SELECT count(*) FROM crashes'), 40)
    triage.scan(folder)
    results.same('also after the next scan', triage.value('SELECT count(*) FROM crashes'), 40)
    # A database that was merged may name any file.
    victim, part = os.path.join(tmp, 'victim'), os.path.join(tmp, 'part-of-it')
    for path in victim, part:
        with open(path, 'w') as file:
            file.write('precious')
        os.utime(path, (2000000000, 2000000000))
    kept = sorted(newest | {changed})[0]
    about = os.stat(victim)
    for name, parts, size in ('victim', None, about.st_size), \
            (os.path.basename(kept), json.dumps([os.path.relpath(part, os.path.dirname(kept))]),
             os.path.getsize(kept) + about.st_size):
        triage.rows("UPDATE inputs SET name = ?, folder = ?, parts = ?, size = ?, mtime_ns = ? WHERE id = "
                    "(SELECT best FROM crashes JOIN inputs ON inputs.id = best WHERE state = 'read' "
                    "ORDER BY crashes.died LIMIT 1)", name, os.path.dirname(kept) if parts else tmp, parts,
                    size, about.st_mtime_ns)
        text = triage.text('prune', '--keep', '1', '--yes')
        results.note('prune removes no file that was never read: %s' % (parts or name),
                     '' if os.path.exists(victim) and os.path.exists(part) else text)
    results.note('the database is sound after prune', integrity(triage))


def pruned(triage, *args):
    """What it says of each file, but for sizes and groups."""
    lines = triage.text('prune', '--keep', '2', *args).splitlines()
    return [line.split(':')[0].split() for line in lines if line.startswith(('removed', 'would', 'kept', 'missing', 'failed'))]


def check_prune_missing(results, tmp):
    """Of the newest some were removed by hand, of one the dump alone."""
    folder = os.path.join(tmp, 'by-hand')
    made = sorted(fleet.make(folder, 7, kinds=1, seed=7), key=lambda one: -one.died)
    paths = [one.path for one in made]
    shutil.copy(paths[2], paths[2] + '.copy')
    triage = Triage(folder + '.db')
    triage.scan(folder)
    for path in paths[:2] + paths[2:3] + paths[5:6]:
        os.unlink(path)
    said = pruned(triage, '--yes')
    results.same('prune keeps as many as there are', [os.path.exists(path) for path in paths],
                 [False, False, False, True, False, False, False])
    results.same('a copy is a dump that is there', os.path.exists(paths[2] + '.copy'), True)
    results.same('and what is gone is said', sorted(line[-1] for line in said if line[0] == 'missing'),
                 sorted(paths[:3] + paths[5:6]))


def check_prune_text(results, tmp):
    """Of the newest crash the text alone is left, which is no dump that is kept."""
    folder = os.path.join(tmp, 'texts')
    for name, dump in DUMPS.items():
        os.makedirs(os.path.join(folder, name))
        shutil.copy(dump, os.path.join(folder, name, 'vmcore'))
        shutil.copy(os.path.join(os.path.dirname(dump), 'console.log'), os.path.join(folder, name, 'vmcore-dmesg.txt'))
    triage = Triage(folder + '.db')
    triage.scan(folder)
    first, second, third = [triage.json('show', str(crash['id']))['files'] for crash in triage.json('list')]
    os.unlink(first[0])
    triage.text('prune', '--keep', '1', '--yes')
    results.same('prune: a text is no dump that is kept, and stays', [
        [os.path.basename(path) for path in files if os.path.exists(path)] for files in (first, second, third)],
        [['vmcore-dmesg.txt'], ['vmcore', 'vmcore-dmesg.txt'], []])


def check_prune_cut(results, tmp):
    """Of the newest crashes of a group the dumps are cut. A whole one is worth more."""
    folder = os.path.join(tmp, 'cut')
    made = sorted(fleet.make(folder, 5, kinds=1, seed=7), key=lambda one: -one.died)
    triage = Triage(folder + '.db')
    triage.scan(folder)
    for cut, left in ([0, 1], [0, 1, 2]), ([0, 1, 2], [0]):
        for i in cut:
            triage.rows('UPDATE crashes SET complete = 0 WHERE id = (SELECT crash_id FROM inputs WHERE name = ?)',
                        os.path.basename(made[i].path))
        triage.text('prune', '--keep', '1', '--yes')
        results.same('prune --keep 1 where the newest %d are cut' % len(cut),
                     [i for i, one in enumerate(made) if os.path.exists(one.path)], left)


def check_prune_parts(results, tmp):
    """A part of a split dump that can't be removed, as on a file system that is damaged."""
    folder, parts = split_dump(tmp, 'parts', 3)
    triage = Triage(folder + '.db')
    triage.scan(folder)
    with contextlib.closing(store.Store(triage.db)) as db:
        row, = prune.inputs_of(db, {'id': 1})
        for refused, state, left in ({parts[0], parts[1], parts[2]}, ('read', None), parts), \
                ({parts[1]}, ('removed', 'pruned; not removed: %s' % parts[1]), [parts[1]]):
            done, said = prune.Prune(db, True), io.StringIO()

            def unlink(path):
                if os.fsdecode(path) in refused:
                    raise PermissionError(errno.EPERM, 'Operation not permitted')
                os.remove(path)

            size = sum(map(os.path.getsize, parts))
            with mock.patch('os.unlink', unlink), contextlib.redirect_stdout(said):
                done.take(row)
            results.same('%d of 3 parts that can\'t be removed: what is counted and known' % len(refused), (
                done.failed, done.files, done.size, triage.rows('SELECT state, reason FROM inputs'),
                [path for path in parts if os.path.exists(path)]), (
                    len(refused), 3 - len(refused), size - sum(map(os.path.getsize, left)), [state], left))
            results.same('and said', said.getvalue().splitlines(), [
                'failed   %s: Operation not permitted%s' % (path, '; 2 of the 3 files that belong together are removed'
                                                            if len(refused) == 1 else '') for path in sorted(refused)])
    results.note('the database is sound when a part was left', integrity(triage))


@contextlib.contextmanager
def while_held(path, change):
    """Another program holds the database, makes a change, and lets it go only when somebody has asked for it."""
    ask = store.Store.is_done

    def is_done(self, sql):
        if sql == 'BEGIN IMMEDIATE' and other.in_transaction:
            assert not ask(self, sql)
            change(other)
            other.execute('COMMIT')
        return ask(self, sql)

    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other, \
            mock.patch.object(store.Store, 'is_done', is_done):
        other.execute('BEGIN IMMEDIATE')
        yield


def check_prune_waiting(results, tmp):
    """What happens to a file, or to what is known of it, while prune waits for its turn."""
    folder = os.path.join(tmp, 'waits')
    made = sorted(fleet.make(folder, 2, kinds=1, seed=7), key=lambda one: one.died)
    older = made[0].path

    def another_dump(other):
        with open(older, 'w') as file:
            file.write('nobody has read this')

    def known_anew(other):
        another_dump(other)
        about = os.stat(older)
        other.execute("UPDATE inputs SET fingerprint = ?, size = ?, mtime_ns = ? WHERE name = ?", (
            candidates.fingerprint([older]), about.st_size, about.st_mtime_ns, os.path.basename(older)))

    def by_another_prune(other):
        os.unlink(older)
        other.execute("UPDATE inputs SET state = 'removed', reason = 'pruned' WHERE name = ?", (os.path.basename(older),))

    def by_hand(_):
        os.unlink(older)

    for change, is_left, said, state in (another_dump, True, 'it changed since it was read', 'read'), \
            (known_anew, True, 'another program', 'read'), (by_another_prune, False, 'another program', 'removed'), \
            (by_hand, False, 'it is gone', 'read'):
        fleet.make(folder, 2, kinds=1, seed=7)
        triage = Triage('%s-%s.db' % (folder, change.__name__))
        triage.scan(folder)
        text = io.StringIO()
        with contextlib.closing(store.Store(triage.db)) as db, while_held(triage.db, change), \
                contextlib.redirect_stdout(text):
            done = prune.prune(db, 1, True)
        results.note('prune --yes looks again when it had to wait: %s' % change.__name__, '' if (
            os.path.exists(older), done.files, done.failed) == (is_left, 0, 0) and said in text.getvalue() and
            triage.value('SELECT state FROM inputs WHERE name = ?', os.path.basename(older)) == state else
            (text.getvalue(), vars(done), triage.rows('SELECT name, state, reason FROM inputs')))


def check_prune_hostile(results, tmp):
    """What a stranger's database says of files is so, but they are a link, or in another folder than it says."""
    folder = os.path.join(tmp, 'hostile')
    fleet.make(folder, 2, kinds=1, seed=7, flat=True)
    triage = Triage(folder + '.db')
    triage.scan(folder)
    path = os.path.join(folder, triage.value('SELECT name FROM inputs WHERE id = 1'))
    aside, link = os.path.join(tmp, 'aside'), os.path.join(folder, 'link')
    shutil.copy(path, aside)
    os.symlink(path, link)
    with contextlib.closing(store.Store(triage.db)) as db:
        for name, parts in ('link', []), (os.path.basename(path), ['../aside']):
            unit = candidates.Unit(folder, name, parts, 0, 0)
            about = candidates.size_and_time([os.lstat(one) for one in unit.paths()])
            triage.rows('UPDATE inputs SET name = ?, parts = ?, size = ?, mtime_ns = ?, fingerprint = ? WHERE id = 1', name,
                        json.dumps(parts), *about, candidates.fingerprint(unit.paths()))
            done, said = prune.Prune(db, True), io.StringIO()
            with contextlib.redirect_stdout(said):
                done.take(*db.all(prune.INPUTS + 'inputs.id = 1'))
            results.same('prune leaves %s' % (parts or name), (
                done.files, [os.path.lexists(one) for one in (link, aside, path)]), (0, [True] * 3))
        done, said = prune.Prune(db, True), io.StringIO()
        with mock.patch.object(prune, 'is_as_read', side_effect=PermissionError(errno.EACCES, 'Permission denied')), \
                contextlib.redirect_stdout(said):
            done.prune_group(1, 1)
        results.same('what prune can\'t read is counted', (done.failed, said.getvalue().count('failed ')), (2, 2))


def check_prune_gone(results, tmp):
    """Somebody removes one of the parts at the last moment."""
    folder, parts = split_dump(tmp, 'last', 3)
    triage = Triage(folder + '.db')
    triage.scan(folder)
    with contextlib.closing(store.Store(triage.db)) as db:
        done, put = prune.Prune(db, True), prune.Prune.put

        def put_late(self, *args):
            if os.path.exists(parts[1]):
                os.unlink(parts[1])
            put(self, *args)

        with mock.patch.object(prune.Prune, 'put', put_late), contextlib.redirect_stdout(io.StringIO()):
            done.take(*prune.inputs_of(db, {'id': 1}))
    results.same('a file that is gone at the last moment is no failure', (
        done.files, done.failed, triage.rows('SELECT state, reason FROM inputs'), os.listdir(folder)),
        (2, 0, [('removed', 'pruned')], []))


def check(results, tmp, many):
    check_waiting(results, tmp)
    check_failures(results, tmp)
    check_not_now(results, tmp)
    check_temporary(results, tmp)
    check_growing(results, tmp)
    check_clock(results, tmp)
    check_gone(results, tmp)
    check_parts_one_by_one(results, tmp)
    check_split(results, tmp)
    check_pstore(results, tmp)
    check_many_parts(results, tmp)
    check_prune(results, tmp)
    check_prune_missing(results, tmp)
    check_prune_text(results, tmp)
    check_prune_cut(results, tmp)
    check_prune_parts(results, tmp)
    check_prune_waiting(results, tmp)
    check_prune_gone(results, tmp)
    check_prune_hostile(results, tmp)
