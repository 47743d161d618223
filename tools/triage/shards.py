# SPDX-License-Identifier: GPL-2.0-or-later
"""Puts the databases of several scans together, of other machines or of shards of one tree."""
import contextlib
import json
import sqlite3

from . import Trouble, candidates, crashes, groups, words

AT_ONCE = 500
DIFFERENT = 'databases that were merged had different files at this path'
MORE = 'another database has read it with more files that belong to it'


@contextlib.contextmanager
def taking(store, other):
    """A transaction. What does not fit into it is not put down to the database that is written alone."""
    with store.writing():
        try:
            yield
        except (sqlite3.IntegrityError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise Trouble('%s: it can\'t be merged, because it or %s has what nmibt-triage never wrote (%s)' % (
                other.path, store.path, error)) from error


def merge(store, other):
    """Takes over all that the other one knows, as if this one had read the same files. What was done by
    hand there is taken over where nothing was done by hand here. Returns the inputs taken over."""
    rows = other.each("SELECT inputs.*, reports.document FROM inputs LEFT JOIN reports ON input = "
                      "inputs.id ORDER BY inputs.id")
    began, ended = other.one('SELECT min(began), max(ended) FROM scans')
    with store.writing():
        scan = store.change('INSERT INTO scans (began, ended, folders) VALUES (?, ?, ?)', began or 0,
                            ended or began or 0, json.dumps(['merged from ' + words.escape(other.path)]))
    taken, some = 0, []
    for row in rows:
        some.append(row)
        if len(some) == AT_ONCE:
            taken += take(store, other, some, scan)
            some = []
    taken += take(store, other, some, scan)
    with taking(store, other):
        take_names(store, other)
        store.put_functions([row['name'] for row in other.all('SELECT name FROM functions')])
    return taken


def take(store, other, rows, scan):
    taken = 0
    with taking(store, other):
        for row in rows:
            state, reason = state_here(store, row)
            if state:
                take_input(store, other, row, state, reason, scan)
                taken += 1
    return taken


def take_input(store, other, row, state, reason, scan):
    unit = candidates.Unit(row['folder'], row['name'], json.loads(row['parts'] or '[]'),
                           row['size'], row['mtime_ns'], row['kind'], row['fingerprint'],
                           scanned_by=row['scanned_by'], shard=row['shard'], is_split=row['parts'] is not None)
    crashes.put_away(store, unit, DIFFERENT, state)
    if state == 'read':
        crashes.put_parts_away(store, unit)
    number = crashes.put_input(store, unit, state, reason, row['exit_code'], row['nmibt'])
    if row['facts']:
        take_report(store, other, row, number, scan)


def is_part_here(store, row):
    """It was read here with more files that belong to it."""
    # inputs_by_path is the index of rows that are not removed, and is used only where that is said.
    return row['parts'] is not None and any(
        row['name'] in json.loads(one['parts']) for one in store.all(
            "SELECT parts FROM inputs WHERE folder = ? AND state != 'removed' AND state = 'read' AND "
            "parts IS NOT NULL", row['folder']))


def came_later(row, mine):
    """What was read with more parts was, whatever clocks say."""
    files, here = crashes.files_of(row), crashes.files_of(mine)
    if files < here or files > here:
        return files > here
    return (row['read_at'] or 0) > (mine['read_at'] or 0)


def state_here(store, row):
    """The state that their input has here, and its reason; None: it is not taken over. Machines have files at
    the same path, and a crash in one of them is never lost: of different files the one that was read later is
    there, the other one is as a file that was removed."""
    mine = store.one("SELECT name, parts, state, fingerprint, read_at FROM inputs WHERE folder = ? AND name = ? AND "
                     "state != 'removed'", row['folder'], row['name'])
    is_known = store.value('SELECT 1 FROM inputs WHERE folder = ? AND name = ? AND fingerprint IS ? AND '
                           'facts IS NOT NULL', row['folder'], row['name'], row['fingerprint'])
    as_there = row['state'], row['reason']
    if row['state'] == 'removed':
        return as_there if row['facts'] and not is_known else (None, None)
    if not mine and is_part_here(store, row):
        return 'removed' if row['facts'] and not is_known else None, MORE
    if not mine:
        return as_there
    is_newer = came_later(row, mine)
    if not row['facts']:
        return as_there if is_newer and mine['state'] != 'read' else (None, None)
    if is_newer or mine['state'] == 'later':
        return as_there
    return None if is_known else 'removed', DIFFERENT


def take_report(store, other, row, number, scan):
    store.change('UPDATE inputs SET signature_version = ?, facts = ?, read_at = ? WHERE id = ?',
                 row['signature_version'], row['facts'], row['read_at'], number)
    store.change('INSERT INTO reports VALUES (?, ?) ON CONFLICT (input) DO UPDATE SET document = '
                 'excluded.document', number, row['document'])
    proofs = [one[0] for one in other.all('SELECT proof FROM proofs WHERE input = ?', row['id'])]
    crash = crashes.place(store, number, proofs, scan)
    crashes.forget_older(store, crash, row['folder'], scan)
    theirs = other.one('SELECT by_hand, group_id FROM crashes WHERE id = ?', row['crash_id'])
    if theirs and theirs['by_hand'] and \
            not store.value('SELECT by_hand FROM crashes WHERE id = ?', crash):
        move(store, crash, hand_made(store, other, theirs['group_id'], scan))


def hand_made(store, other, theirs, scan):
    """The group here that the other one's crashes were moved to: that of one of its signatures, or of
    its name, or a new one."""
    for row in other.all('SELECT value FROM signatures WHERE group_id = ?', theirs):
        group = store.value('SELECT group_id FROM signatures WHERE value = ?', row['value'])
        if group:
            return group
    name, origin = other.one('SELECT name, origin FROM groups WHERE id = ?', theirs)
    origin = origin or 'merged:%s:%d' % (words.escape(other.path), theirs)
    return store.value('SELECT id FROM groups WHERE name = ? OR origin = ?', name, origin) or \
        store.change('INSERT INTO groups (name, origin, scan) VALUES (?, ?, ?)', name, origin, scan)


def move(store, crash, group):
    old = store.value('SELECT group_id FROM crashes WHERE id = ?', crash)
    store.change('UPDATE crashes SET group_id = ?, by_hand = 1 WHERE id = ?', group, crash)
    groups.drop_if_empty(store, old)


def take_names(store, other):
    """Names, and signatures that people put together."""
    for group in other.all('SELECT id, name FROM groups'):
        signatures = other.all('SELECT value, by_hand FROM signatures WHERE group_id = ?', group['id'])
        here = [store.one('SELECT value, group_id, by_hand FROM signatures WHERE value = ?', row['value'])
                for row in signatures]
        here = [row for row in here if row]
        if not here:
            continue
        into = here[0]['group_id']
        if any(row['by_hand'] for row in signatures):
            for row in here[1:]:
                if not row['by_hand'] and row['group_id'] != into:
                    join(store, row, into)
        store.change('UPDATE groups SET name = coalesce(name, ?) WHERE id = ?', group['name'], into)


def join(store, signature, into):
    store.change('UPDATE signatures SET group_id = ?, by_hand = 1 WHERE value = ?', into,
                 signature['value'])
    store.change('UPDATE crashes SET group_id = ? WHERE signature = ? AND by_hand = 0', into,
                 signature['value'])
    groups.drop_if_empty(store, signature['group_id'])
