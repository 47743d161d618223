# SPDX-License-Identifier: GPL-2.0-or-later
"""Killed at any moment, out of space, without its nmibt: nothing is lost, nothing is there twice."""
import os
import random
import signal
import subprocess
import time

import fleet
from common import HERE, NMIBT, TRIAGE, Triage, integrity, picture


def start(triage, folder, *args):
    return subprocess.Popen([TRIAGE, '--db', triage.db, 'scan', '--settle', '0', '-q', *args, folder],
                            env=triage.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def children_of(process):
    with open('/proc/%d/task/%d/children' % (process.pid, process.pid)) as file:
        return [int(pid) for pid in file.read().split()]


def is_running(pid):
    try:
        with open('/proc/%d/stat' % pid) as file:
            return file.read().rpartition(')')[2].split()[0] not in 'ZX'
    except OSError:
        return False


def check_killed(results, tmp, folder, made, whole):
    """Killed again and again until a scan comes to its end by itself; each time after other work."""
    triage = Triage(os.path.join(tmp, 'killed.db'))
    chance = random.Random(17)
    bad, kills, left = [], 0, set()
    for _ in range(200):
        process = start(triage, folder)
        try:
            process.communicate(timeout=0.15 + 0.3 * chance.random())
            break
        except subprocess.TimeoutExpired:
            left |= set(children_of(process))
            process.kill()
            process.communicate()
            kills += 1
        if os.path.exists(triage.db) and triage.value('PRAGMA user_version'):
            complaint = integrity(triage)
            bad += [complaint] if complaint else []
    triage.scan(folder)
    results.note('kill -9, %d times: the database was sound after each' % kills,
                 '\n'.join(bad[:3]) or ('' if kills else 'it was never killed'))
    results.same('no result is lost and none is there twice', picture(triage), picture(whole))
    results.same('each file has one row', triage.value('SELECT count(*) FROM inputs'), len(made))
    results.note('the database is sound in the end', integrity(triage))
    for _ in range(100):
        left = {pid for pid in left if is_running(pid)}
        if not left:
            break
        time.sleep(0.1)
    results.same('no nmibt is left behind', left, set())


def check_interrupted(results, tmp, folder, whole):
    for number, name in (signal.SIGINT, 'CTRL-C'), (signal.SIGTERM, 'SIGTERM'):
        triage = Triage(os.path.join(tmp, name + '.db'))
        process = start(triage, folder, '--json')
        for _ in range(600):  # until something was written
            if os.path.exists(triage.db) and triage.value('PRAGMA user_version') and \
                    triage.value('SELECT count(*) FROM inputs'):
                break
            time.sleep(0.02)
        process.send_signal(number)
        out, err = process.communicate()
        kept = triage.value('SELECT count(*) FROM inputs')
        results.note('%s: it ends in good order' % name, '' if process.returncode == 130 and not err and
                     b'"interrupted": true' in out and kept else (process.returncode, out, err))
        said = triage.scan(folder)
        results.same('%s: the next scan goes on from there' % name,
                     (said['read'] + kept, picture(triage)), (len(whole_files(whole)), picture(whole)))
        results.same('%s: and tells the new groups of both' % name, len(said['new_groups']),
                     triage.value('SELECT count(*) FROM groups'))


def whole_files(whole):
    return whole.rows('SELECT id FROM inputs')


def check_nmibt_dies(results, tmp, folder, made):
    triage = Triage(os.path.join(tmp, 'dies.db'), FAKE_REAL=NMIBT, FAKE_DIES='/vmcore.7')
    said = triage.scan(folder, '--nmibt', os.path.join(HERE, 'fake-nmibt'), code=3)
    victims = [one.path for one in made if '/vmcore.7' in one.path]
    results.same('nmibt dies: only that dump is left, and it is said',
                 (said['read'], sorted(one['path'] for one in said['troubles'])),
                 (len(made) - len(victims), sorted(victims)))
    results.note('by how it died', '' if 'killed by signal 9' in said['troubles'][0]['why'] else said)
    results.same('the next scan reads it', triage.scan(folder)['read'], len(victims))
    results.note('the database is sound when nmibt dies', integrity(triage))


def in_small_room(size, command):
    """A command with a file system of that size at /mnt, which nobody else sees. None: not allowed."""
    done = subprocess.run(['unshare', '-rm', 'sh', '-c', 'mount -t tmpfs -o size=%d tmpfs /mnt && %s' %
                           (size, command)], capture_output=True)
    return None if b'unshare' in done.stderr or b'mount:' in done.stderr else done


def check_full(results, tmp, folder, made):
    """The rest of the disk is given back before the second scan."""
    size, left = 7000000 + len(made) * 12000, 600000
    command = ('head -c {filler} /dev/zero >/mnt/filler; {t} scan --settle 0 -q {f}; echo code $?; '
               'rm /mnt/filler; python3 -c "import sqlite3; print(sqlite3.connect(\'/mnt/db\').execute('
               '\'PRAGMA integrity_check\').fetchone())"; {t} scan --settle 0 -q {f}; echo code $?; '
               'cp /mnt/db* {tmp}/').format(t=TRIAGE + ' --db /mnt/db', f=folder, tmp=tmp,
                                         filler=size - left)
    done = in_small_room(size, command)
    if done is None:
        print('     a disk that is full was left out: no file system can be mounted here')
        return
    out, err = done.stdout.decode(), done.stderr.decode()
    results.note('a full disk: it is said, in one line', '' if out.startswith('code 4') and
                 err.count('\n') == 1 and 'no space is left' in err else (out, err))
    results.note('a full disk: nothing is damaged, and the next scan goes on',
                 '' if "('ok',)" in out and out.rstrip().endswith('code 0') else (out, err))
    triage = Triage(os.path.join(tmp, 'db'))
    results.same('a full disk: all is there in the end',
                 triage.value("SELECT count(*) FROM inputs WHERE state = 'read'"), len(made))
    results.note('the database is sound after a full disk', integrity(triage))


def check_two(results, tmp, folder, whole):
    """Two scans at the same time, as when cron starts the next one too early."""
    triage = Triage(os.path.join(tmp, 'two.db'))
    both = [start(triage, folder) for _ in range(2)]
    ended = [process.communicate() + (process.returncode,) for process in both]
    results.same('two scans at the same time', [(err, code) for _, err, code in ended], [(b'', 0)] * 2)
    results.same('come to the same', picture(triage), picture(whole))
    results.note('the database is sound after two', integrity(triage))


def check(results, tmp, many):
    folder = os.path.join(tmp, 'fleet')
    made = fleet.make(folder, 1000 if many else 250, kinds=8, seed=23)
    whole = Triage(os.path.join(tmp, 'whole.db'))
    whole.scan(folder)
    check_killed(results, tmp, folder, made, whole)
    check_interrupted(results, tmp, folder, whole)
    check_nmibt_dies(results, tmp, folder, made)
    check_full(results, tmp, folder, made)
    check_two(results, tmp, folder, whole)
