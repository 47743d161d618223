# SPDX-License-Identifier: GPL-2.0-or-later
"""Results are made anew when nmibt or its signature change; what people did by hand survives that."""
import os
import sqlite3

import fleet
from common import HERE, NMIBT, Triage, integrity

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


def check(results, tmp, many):
    check_anew(results, tmp)
    check_database(results, tmp)
