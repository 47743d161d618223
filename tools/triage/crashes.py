# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes what came of an input: its report, which crash it is about, and that crash's group."""
import json
import time

from . import facts, groups, identity

ANOTHER = 'another file took its place'
COLUMNS = ['host', 'release', 'build_id', 'arch', 'died', 'uptime_ns', 'dead', 'message', 'culprit', 'signature',
           'complete', 'cpus', 'outcomes']


def put_away(store, unit, reason, state):
    """Where another file was before, what is known of that one stays: its crash has happened. state: that
    of the one which comes."""
    if state != 'removed':
        store.change("UPDATE inputs SET state = 'removed', reason = ? WHERE folder = ? AND name = ? AND "
                     "state = 'read' AND fingerprint IS NOT ?", reason, unit.folder, unit.name,
                     unit.fingerprint)


def put_input(store, unit, state, reason=None, exit_code=None, nmibt=None):
    """The row of a unit, with what is known before or without a report. Returns its number."""
    values = {'folder': unit.folder, 'name': unit.name,
              'parts': json.dumps(unit.parts) if unit.parts or unit.is_split else None,
              'size': unit.size, 'mtime_ns': unit.mtime_ns, 'fingerprint': unit.fingerprint,
              'state': state, 'reason': reason, 'exit_code': exit_code, 'kind': unit.kind,
              'nmibt': nmibt, 'read_at': int(time.time()), 'scanned_by': unit.scanned_by,
              'shard': unit.shard}
    changed = ', '.join('%s = excluded.%s' % (name, name) for name in values)
    return store.one("INSERT INTO inputs (%s) VALUES (%s) ON CONFLICT (folder, name) WHERE "
                     "state != 'removed' DO UPDATE SET %s RETURNING id" %
                     (', '.join(values), ', '.join('?' * len(values)), changed),
                     *values.values())[0]


def put_later(store, unit, reason):
    """It is not read now. What is known of it stands until it is."""
    if not store.value("SELECT 1 FROM inputs WHERE folder = ? AND name = ? AND state = 'read'",
                       unit.folder, unit.name):
        put_input(store, unit, 'later', reason)


def put_failure(store, unit, state, reason, exit_code=None, nmibt=None):
    """A file that was read once, and has not changed, stays known by that."""
    row = store.one("SELECT id FROM inputs WHERE folder = ? AND name = ? AND state = 'read' AND "
                    "fingerprint IS ?", unit.folder, unit.name, unit.fingerprint)
    if row:
        store.change('UPDATE inputs SET size = ?, mtime_ns = ?, reason = ?, nmibt = ? WHERE id = ?',
                     unit.size, unit.mtime_ns, 'this is of an older nmibt; %s: %s' % (nmibt, reason),
                     nmibt, row['id'])
    else:
        put_away(store, unit, ANOTHER, state)
        put_input(store, unit, state, reason, exit_code, nmibt)


def put_parts_away(store, unit):
    """What is now a part of a unit was perhaps found alone before the others were there."""
    for name in unit.parts:
        store.change("DELETE FROM inputs WHERE folder = ? AND name = ? AND state != 'removed' AND facts IS NULL",
                     unit.folder, name)
        store.change("UPDATE inputs SET state = 'removed', reason = 'a part of ' || ? WHERE folder = ? "
                     "AND name = ? AND state != 'removed'", unit.name, unit.folder, name)


def goes_on(store, unit, document):
    """It is the file that was read here when it was shorter, and tells of the same death. Then its row goes on."""
    if not unit.has_grown:
        return False
    row = store.one("SELECT id FROM inputs WHERE folder = ? AND name = ? AND state = 'read' AND fingerprint = ?",
                    unit.folder, unit.name, unit.before[1])
    before = store.report(row['id']) if row else None
    return bool(before) and (identity.died_as(document, before) or identity.hangs_as(document, before))


def put_report(store, result, scan):
    """result: scan.Result. Returns the number of the crash."""
    unit, document = result.unit, result.report
    signature = document['signature']
    if not goes_on(store, unit, document):
        put_away(store, unit, ANOTHER, 'read')
    number = put_input(store, unit, 'read', result.reason or None, result.exit_code, document['generator'])
    store.change('UPDATE inputs SET signature_version = ?, facts = ? WHERE id = ?',
                 signature['version'], json.dumps(facts.of_report(document)), number)
    store.put_report(number, result.packed)
    store.put_functions({frame for stack in facts.stacks(document) for frame in stack['frames']})
    crash = place(store, number, identity.proofs(document, result.content, unit), scan)
    forget_older(store, crash, unit.folder, scan)
    return crash


# ------------------------------------------------------- what was read of the same files

def files_of(row):
    return {row['name'], *json.loads(row['parts'] or '[]')}


def says_no_more(row, current):
    """It was read when some of these files were not there yet, or when they had less to say."""
    mine, now = files_of(row), files_of(current)
    return mine < now or mine == now and rank(row)[:2] >= rank(current)[:2]


def forget_older(store, crash, folder, scan):
    """What was said of files before more of them came is no other account of the crash. Where less came, as when
    a dump was cut, the older account stays."""
    rows = store.all('SELECT id, name, parts, state, kind, facts FROM inputs WHERE crash_id = ? AND folder = ? AND '
                     'facts IS NOT NULL', crash, folder)
    there = [row for row in rows if row['state'] == 'read']
    gone = [row for row in rows if row['state'] == 'removed' and any(says_no_more(row, one) for one in there)]
    for row in gone:
        for table in 'proofs', 'reports':
            store.change('DELETE FROM %s WHERE input = ?' % table, row['id'])
        store.change('DELETE FROM inputs WHERE id = ?', row['id'])
    if gone:
        choose_best(store, crash, scan)


# ------------------------------------------------------------------------ of which crash

def place(store, number, proofs, scan, in_doubt=False):
    """Puts the input to the crash that it is about. in_doubt: its proofs fit another one as well as that of which it was."""
    store.change('DELETE FROM proofs WHERE input = ?', number)
    for proof in proofs:
        store.change('INSERT INTO proofs VALUES (?, ?)', proof, number)
    old = store.value('SELECT crash_id FROM inputs WHERE id = ?', number)
    found = identity.same_crash(store, number, proofs)
    if old is not None and (found and is_of_one_input(store, old) or
                            identity.is_copy_by_older_nmibt(store, number) or
                            not (found or in_doubt) and identity.is_with_gone(store, number)):
        found.add(old)
    crash = min(found) if found else alone(store, number, old, scan)
    store.change('UPDATE inputs SET crash_id = ? WHERE id = ?', crash, number)
    for other in found:
        unite(store, crash, other)
    if old not in (None, crash, *found):
        choose_best(store, old, scan)
    choose_best(store, crash, scan)
    for text in identity.doubtful(store, number, proofs):
        place(store, text, [row[0] for row in store.all('SELECT proof FROM proofs WHERE input = ?',
                                                        text)], scan, in_doubt=True)
    return crash


def is_of_one_input(store, crash):
    return store.value('SELECT count(*) FROM inputs WHERE crash_id = ?', crash) == 1


def new_crash(store, scan):
    return store.change("INSERT INTO crashes (complete, outcomes, scan) VALUES (0, '{}', ?)", scan)


def alone(store, number, old, scan):
    """A crash for an input that shares it with none. It goes on as the one that it was if that was
    known best by it; others that were joined to it are proven to be of it no more."""
    if old is None:
        return new_crash(store, scan)
    best, found_by = store.one('SELECT best, scan FROM crashes WHERE id = ?', old)
    if best not in (None, number):
        return new_crash(store, found_by)  # nobody died once more
    for row in store.all('SELECT id FROM inputs WHERE crash_id = ? AND id != ?', old, number):
        crash = new_crash(store, found_by)
        store.change('UPDATE inputs SET crash_id = ? WHERE id = ?', crash, row['id'])
        choose_best(store, crash, scan)
    return old


def unite(store, crash, other):
    """The other one turned out to be the same crash. Where it was moved by hand it stays so."""
    if other == crash:
        return
    moved = store.one('SELECT group_id, by_hand FROM crashes WHERE id = ?', other)
    if moved['by_hand'] and not store.value('SELECT by_hand FROM crashes WHERE id = ?', crash):
        store.change('UPDATE crashes SET group_id = ?, by_hand = 1 WHERE id = ?', moved['group_id'],
                     crash)
    store.change('UPDATE inputs SET crash_id = ? WHERE crash_id = ?', crash, other)
    store.change('DELETE FROM crashes WHERE id = ?', other)
    groups.drop_if_empty(store, moved['group_id'])


def rank(row):
    """A dump has more than a record, which has more than a text."""
    return facts.KIND_RANK[row['kind']], not json.loads(row['facts'])['complete'], row['id']


def choose_best(store, crash, scan):
    """A crash is what its best input says. One that has none is gone."""
    inputs = store.all('SELECT id, kind, facts FROM inputs WHERE crash_id = ? AND facts IS NOT NULL',
                       crash)
    before = store.one('SELECT signature, group_id, by_hand, best FROM crashes WHERE id = ?', crash)
    if not inputs:
        store.change('DELETE FROM crashes WHERE id = ?', crash)
        groups.drop_if_empty(store, before['group_id'])
        return
    best = min(inputs, key=rank)
    told = json.loads(best['facts'])
    group = before['group_id'] if before['by_hand'] else find_group(store, told, best['id'], before, scan)
    store.change('UPDATE crashes SET best = ?, group_id = ?, %s WHERE id = ?' %
                 ', '.join('%s = ?' % name for name in COLUMNS),
                 best['id'], group, *[told[name] for name in COLUMNS], crash)
    if before['group_id'] != group:
        groups.drop_if_empty(store, before['group_id'])


def find_group(store, told, best, before, scan):
    signature = told['signature']
    if not signature:
        return None
    group = store.value('SELECT group_id FROM signatures WHERE value = ?', signature)
    if group:
        return group
    document = store.report(best)
    return groups.group_of(store, signature, facts.stacks(document),
                           (before['signature'], before['group_id']), scan)
