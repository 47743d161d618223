# SPDX-License-Identifier: GPL-2.0-or-later
"""Results are made anew when nmibt or its signature change; what people did by hand survives that."""
import contextlib
import os
import shutil
import sqlite3
import subprocess

import fleet
from check_identity import boot_log, describe
from common import DUMPS, HERE, NMIBT, Triage, integrity

FAKE = os.path.join(HERE, 'fake-nmibt')


def groups_of(triage, made):
    """Kind of the fleet to the groups of its crashes, with their names."""
    found = {}
    for one in made:
        row = triage.rows('SELECT group_id, groups.name FROM crashes JOIN inputs ON crash_id = crashes.id '
                          'JOIN groups ON groups.id = group_id WHERE folder = ? AND inputs.name = ?',
                          *os.path.split(one.path))
        found.setdefault(one.kind, set()).add(row[0])
    return found


def check_anew(results, tmp):
    folder = os.path.join(tmp, 'fleet')
    made = fleet.make(folder, 30, kinds=4, seed=3)
    triage = Triage(os.path.join(tmp, 'anew.db'), FAKE_REAL=NMIBT)
    triage.scan(folder)
    before = groups_of(triage, made)
    numbers = {kind: next(iter(found))[0] for kind, found in before.items()}
    kinds = sorted(numbers)
    triage.text('name', 'G%d' % numbers[kinds[0]], 'the nvme one')
    triage.text('join', 'G%d' % numbers[kinds[1]], 'G%d' % numbers[kinds[2]])
    moved = triage.value('SELECT crash_id FROM inputs WHERE folder = ? AND name = ?',
                         *os.path.split(next(one for one in made if one.kind == kinds[0]).path))
    triage.text('split', str(moved))
    by_hand = groups_of(triage, made)
    results.same('by hand: named, joined and split', (
        sorted(name or '' for _, name in by_hand[kinds[0]]),
        by_hand[kinds[1]] == by_hand[kinds[2]]), (['', 'the nvme one'], True))
    ids = triage.rows('SELECT id, host FROM crashes ORDER BY id')

    results.same('the same versions: nothing is read', triage.scan(folder)['read'], 0)
    triage.env.update(FAKE_VERSION='nmibt 0.2.0')
    results.same('another nmibt: all is read', triage.scan(folder, '--nmibt', FAKE)['read'], 30)
    results.same('and once only', triage.scan(folder, '--nmibt', FAKE)['read'], 0)
    results.same('what was made by hand is as it was', groups_of(triage, made), by_hand)
    triage.env.update(FAKE_SIGNATURE='3')
    results.same('another signature: all is read', triage.scan(folder, '--nmibt', FAKE)['read'], 30)
    results.same('no crash has a signature of the old version',
                 triage.value("SELECT count(*) FROM crashes WHERE signature NOT LIKE '3:%'"), 0)
    results.same('what was made by hand survives another signature', groups_of(triage, made), by_hand)
    results.same('crashes keep their numbers', triage.rows('SELECT id, host FROM crashes ORDER BY id'),
                 ids)
    triage.env.update(FAKE_SIGNATURE='4', FAKE_SAME='0')
    triage.scan(folder, '--nmibt', FAKE)
    results.same('a signature that tells fewer kinds apart puts them together, but for what was moved',
                 len({row[0] for row in triage.rows('SELECT group_id FROM crashes')}), 2)
    last = triage.value('SELECT max(id) FROM groups')
    crash = triage.value('SELECT id FROM crashes WHERE by_hand = 0 LIMIT 1')
    first = triage.text('split', str(crash)).split()[0]
    triage.text('join', 'G%d' % last, first)
    second = triage.text('split', str(crash)).split()[0]
    results.note('no number of a group is given twice', '' if first != second else first)
    results.note('the database is sound after all that', integrity(triage))


def check_copies(results, tmp):
    """Copies, which are one crash by their content, are read anew one after another."""
    first, second = os.path.join(tmp, 'z'), os.path.join(tmp, 'a')
    for folder in first, second:
        os.mkdir(folder)
    triage = Triage(os.path.join(tmp, 'copies.db'), FAKE_REAL=NMIBT)
    text = os.path.join(first, 'vmcore-dmesg.txt')
    shutil.copy(os.path.join(os.path.dirname(DUMPS['x86_64-6.1-irqspin']), 'console.log'), text)
    triage.scan(first)
    shutil.copy(text, second)
    triage.scan(second)
    triage.text('name', triage.text('split', '1').split()[0], 'mine')
    triage.env.update(FAKE_VERSION='nmibt 0.2.0', FAKE_SIGNATURE='3')
    triage.scan('--nmibt', FAKE, '-j', '1', second, first)
    what = 'SELECT crashes.id, groups.name, by_hand, count(*) FROM crashes JOIN inputs ON crash_id = crashes.id ' \
        'JOIN groups ON groups.id = group_id GROUP BY 1'
    results.same('a copy that is read anew first: the crash stays, and where it was put',
                 triage.rows(what), [(1, 'mine', 1, 2)])
    os.unlink(text)
    triage.env.update(FAKE_VERSION='nmibt 0.3.0', FAKE_SIGNATURE='4')
    triage.scan('--nmibt', FAKE, second)
    results.same('so it does when the other file is gone', triage.rows(what), [(1, 'mine', 1, 2)])
    # As if only samples of them were known to be the same, as of large files.
    shutil.copy(os.path.join(second, 'vmcore-dmesg.txt'), text)
    triage.scan('--nmibt', FAKE, first)
    with sqlite3.connect(triage.db) as db:
        db.execute("UPDATE proofs SET proof = proof || 'x' || input WHERE proof LIKE 'content%'")
    triage.env.update(FAKE_VERSION='nmibt 0.4.0', FAKE_SIGNATURE='5')
    triage.scan('--nmibt', FAKE, second)
    results.same('and where two versions of nmibt say different things of the two', triage.rows(what),
                 [(1, 'mine', 1, 2)])
    results.note('the database is sound after copies', integrity(triage))


def check_gone(results, tmp):
    """Of a dump that is gone its redacted extract is kept; the log's hash of another nmibt is another one. What is there
    is asked again."""
    folder, paths = os.path.join(tmp, 'gone'), []
    for i, where in enumerate(('pruned', 'unlinked', 'there', 'here')):
        path = os.path.join(folder, where, 'vmcore')
        os.makedirs(os.path.join(folder, where, 'extract'))
        describe('hard-lockup-kdump', path, lambda text: text.replace('panic cpu', 'host db%d\npanic cpu' % i).replace(
            'include log-hard-lockup', boot_log(20 + i)))
        subprocess.run([NMIBT, '--extract', '--redact', os.path.join(folder, where, 'extract/vmcore.nmibt'), path],
                       check=True, capture_output=True)
        paths.append(path)
    triage = Triage(os.path.join(tmp, 'gone.db'), FAKE_REAL=NMIBT)
    triage.scan(folder)
    what = 'SELECT crash_id, count(*) FROM inputs GROUP BY 1 ORDER BY 1'
    results.same('four dumps and their extracts', triage.rows(what), [(1, 2), (2, 2), (3, 2), (4, 2)])
    hosts = triage.rows('SELECT id, host FROM crashes ORDER BY id')
    triage.rows("UPDATE inputs SET state = 'removed' WHERE folder LIKE '%/pruned'")
    for path in paths[:2]:
        os.unlink(path)
    triage.rows("UPDATE proofs SET proof = proof || ' old' WHERE proof LIKE 'log%' OR proof LIKE 'memory times%'")
    triage.env.update(FAKE_VERSION='nmibt 0.2.0')
    triage.scan('--nmibt', FAKE, folder)
    results.same('another nmibt: extracts of dumps that are gone stay with them', triage.rows(what),
                 [(1, 2), (2, 2), (3, 2), (4, 2)])
    results.same('and hosts are known', triage.rows('SELECT id, host FROM crashes ORDER BY id'), hosts)
    # As if an older one had taken the last dump for another one's.
    number, crash = triage.rows("SELECT id, crash_id FROM inputs WHERE folder LIKE '%/here'")[0]
    other = triage.value("SELECT crash_id FROM inputs WHERE folder LIKE '%/there'")
    os.unlink(os.path.join(folder, 'here/extract/vmcore.nmibt'))
    for sql in 'DELETE FROM proofs WHERE input IN (%s)', 'DELETE FROM reports WHERE input IN (%s)', \
            'DELETE FROM inputs WHERE id IN (%s)':
        triage.rows(sql % "SELECT id FROM inputs WHERE folder LIKE '%/here/extract'")
    triage.rows('UPDATE inputs SET crash_id = ? WHERE id = ?', other, number)
    triage.rows('DELETE FROM crashes WHERE id = ?', crash)
    triage.env.update(FAKE_VERSION='nmibt 0.3.0')
    triage.scan('--nmibt', FAKE, '-j', '1', folder)
    results.same('but what another nmibt took for one crash is parted where all of it is there',
                 sorted(row[1] for row in triage.rows(what)), [1, 2, 2, 2])
    results.note('the database is sound where dumps are gone', integrity(triage))


def check_database(results, tmp):
    folder = os.path.join(tmp, 'nothing')
    os.mkdir(folder)
    newer, foreign, text = (os.path.join(tmp, name) for name in ('newer.db', 'foreign.db', 'text.db'))
    triage = Triage(newer)
    triage.scan(folder)
    with sqlite3.connect(newer) as db:
        db.execute('PRAGMA user_version = 999')
    with sqlite3.connect(foreign) as db:
        db.execute('CREATE TABLE mine (x)')
    with open(text, 'w') as file:
        file.write('this is no database, but long enough to be taken for one' * 100)
    for path, words in (newer, 'newer nmibt-triage'), (foreign, 'another program'), (text, 'no database'), \
            (os.path.join(tmp, 'missing.db'), 'no such database'):
        done = Triage(path).run('groups')
        results.note('a database: %s' % words, '' if done.returncode == 4 and words.encode() in done.stderr
                     and done.stderr.count(b'\n') == 1 else done)
    done = Triage(os.path.join(tmp, 'new.db')).run('scan', '--nmibt', '/bin/true', folder)
    ok = Triage(os.path.join(tmp, 'new.db')).run('scan', '--nmibt', '/bin/false', folder)
    results.note('a program that is no nmibt', '' if ok.returncode == 4 and b'--batch' in ok.stderr else
                 (done, ok))


def columns_of(path):
    with sqlite3.connect(path) as db:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
        return {table: sorted(row[1:] for row in db.execute('PRAGMA table_info(%s)' % table)) for table in tables}


def old_database(path, version, folder):
    """As the nmibt-triage of this version of the tables made it."""
    for name in 'a', 'b':
        os.makedirs(os.path.join(folder, name), exist_ok=True)
    with open(os.path.join(HERE, 'version-%d.sql' % version)) as file, \
            contextlib.closing(sqlite3.connect(path)) as db, db:
        db.executescript(file.read().replace('/srv/dumps', folder))


WHAT_WAS = 'SELECT id, group_id, by_hand, host, message, culprit, signature FROM crashes ORDER BY id'


def brought_up(results, tmp, version, expected):
    """An old database, and the folder that it is of, when it has the tables of today. expected: names and sizes of its
    groups."""
    folder, path = os.path.join(tmp, 'old-%d' % version), os.path.join(tmp, 'version-%d.db' % version)
    old_database(path, version, folder)
    triage, new = Triage(path), Triage(os.path.join(tmp, 'new-%d.db' % version))
    before = triage.rows(WHAT_WAS)
    groups = [(group['name'], group['crashes']) for group in triage.json('groups')]
    new.scan(folder)
    results.same('version %d: the tables are those of a new database' % version, columns_of(path), columns_of(new.db))
    results.same('crashes and groups are as they were, with the names by hand', (triage.rows(WHAT_WAS), groups),
                 (before, expected))
    results.note('the database is sound when it is brought up', integrity(triage))
    return triage, folder


def check_first(results, tmp):
    triage, folder = brought_up(results, tmp, 1, [('sysrq by hand', 1)])
    results.same('who scanned them is not known', triage.rows(
        'SELECT count(*) FROM inputs WHERE scanned_by IS NULL AND shard IS NULL'), [(5,)])
    results.same('no version of nmibt has read them, so that those which failed are tried again, too', triage.rows(
        "SELECT state, count(*) FROM inputs WHERE nmibt IS NULL GROUP BY state HAVING state = 'failed'"),
        [('failed', 1)])
    with open(os.path.join(folder, 'b/nmibt.record'), 'w') as file:
        file.write('no dump')
    describe('hung-task-alive', os.path.join(folder, 'a/vmcore'))
    done = triage.run('scan', '--settle', '0', '--json', folder)
    results.same('the next scan notes who it is, and finds a group for what had none', triage.rows(
        "SELECT name, scanned_by, substr(signature, 1, 6) FROM inputs LEFT JOIN crashes ON crash_id = crashes.id "
        "WHERE scanned_by IS NOT NULL ORDER BY folder"),
        [('vmcore', os.uname().nodename, 'hung1:'), ('nmibt.record', os.uname().nodename, None)])
    results.note('the database is sound after that scan', integrity(triage) or (done.returncode != 3 and str(done)))


def check_second(results, tmp):
    """From version 2 on it is kept which scan found a crash."""
    triage, folder = brought_up(results, tmp, 2, [('by hand', 1), (None, 1)])
    before = triage.rows(WHAT_WAS)
    results.same('its crashes were found by no scan that is known', triage.rows('SELECT DISTINCT scan FROM crashes'), [(None,)])
    describe('hung-task-alive', os.path.join(folder, 'a/vmcore'))
    done = triage.run('scan', '--settle', '0', '--fail-on-new', folder)
    results.note('the next scan reads the files again, and nothing of it is new', '' if done.returncode == 0 and
                 b'1 read' in done.stdout and triage.rows(WHAT_WAS) == before else (done, triage.rows(WHAT_WAS)))
    results.note('the database is sound after that scan', integrity(triage))


def check_names(results, tmp):
    """Names that merge gave groups made by hand are none any more; what a person wrote is."""
    for name, expected in ('merged:/srv/a.db:7', None), ('merged:bad:2019 backlog', 'merged:bad:2019 backlog'), \
            ('merged:x:', 'merged:x:'):
        path = os.path.join(tmp, 'names.db')
        old_database(path, 2, os.path.join(tmp, 'names'))
        Triage(path).rows("UPDATE groups SET name = ? WHERE name = 'by hand'", name)
        results.same('version 2: a group that is called %s' % name, [
            group['name'] for group in Triage(path).json('groups') if group['id'] == 1], [expected])
        os.unlink(path)


def contents(path):
    """Of the file, and its neighbours' names."""
    with open(path, 'rb') as file:
        return file.read(), sorted(name for name in os.listdir(os.path.dirname(path)) if 'other' in name)


def check_merge_reads(results, tmp):
    """Databases that merge takes over stay as they are, also older ones, and while their owner writes to them."""
    for version in 1, 2, None:
        path = os.path.join(tmp, 'other-%s.db' % version)
        if version:
            old_database(path, version, os.path.join(tmp, 'srv'))
        else:
            shutil.copy(os.path.join(tmp, 'merged-2.db'), path)
        before = contents(path)
        merged = Triage(os.path.join(tmp, 'merged-%s.db' % version))
        merged.text('merge', path)
        results.same('merge leaves a database as it is: version %s' % version, contents(path) == before, True)
        results.same('and takes over what is in it', (merged.value('SELECT count(*) FROM crashes'), integrity(merged)),
                     (2, ''))
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute('BEGIN IMMEDIATE')
        results.same('nor does it wait for who writes to it', merged.text('merge', path), path + ': 0 files taken over\n')
        db.rollback()


def check(results, tmp, many):
    check_first(results, tmp)
    check_second(results, tmp)
    check_names(results, tmp)
    check_merge_reads(results, tmp)
    check_anew(results, tmp)
    check_copies(results, tmp)
    check_gone(results, tmp)
    check_database(results, tmp)
