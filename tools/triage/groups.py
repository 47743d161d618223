# SPDX-License-Identifier: GPL-2.0-or-later
"""Groups: crashes of one signature, and what people did to them by hand.

A group is a thing of its own, with a number that stays. A signature leads to one group, several may lead
to the same one. A crash that was moved by hand stays where it was put, whatever its signature becomes.
"""
import json
import re

from . import Missing, Trouble, facts, words


def version_of(signature):
    return signature.split(':', 1)[0]


def kind_of(signature):
    """Of CPUs or of hung tasks, whose versions are no versions of each other."""
    return version_of(signature).rstrip('0123456789')


def successor(store, signature, before):
    """When the rules of the signature change, a crash gets another name. Its group, with its name and
    what was joined to it, goes on: for the first new signature that comes out of it; for all of them
    if people had joined several. None: there is no group to go on with."""
    old, group = before
    if not old or not group or version_of(old) == version_of(signature) or \
            kind_of(old) != kind_of(signature):
        return None
    members = store.all('SELECT value, by_hand FROM signatures WHERE group_id = ?', group)
    taken = any(version_of(row['value']) == version_of(signature) for row in members)
    return group if not taken or any(row['by_hand'] for row in members) else None


def group_of(store, signature, stacks, before, scan):
    """The group of this signature, which is made if need be. before: signature and group of the crash
    until now."""
    group = store.value('SELECT group_id FROM signatures WHERE value = ?', signature)
    if group:
        return group
    group = successor(store, signature, before) or \
        store.change('INSERT INTO groups (scan) VALUES (?)', scan)
    store.change('INSERT INTO signatures VALUES (?, ?, 0, ?)', signature, group,
                 json.dumps(stacks, separators=(',', ':')))
    return group


# ---------------------------------------------------------------------------- by hand

def find(store, word):
    """A group by its number, its name, or the beginning of a signature."""
    number = words.number(word[1:])
    if word[:1] in 'Gg' and number is not None:
        found = store.all('SELECT id FROM groups WHERE id = ?', number)
    else:
        found = store.all('SELECT id FROM groups WHERE name = ?', word)
    if not found and len(word) >= 6:
        low, high = word, word + '\U0010ffff'
        found = store.all('SELECT DISTINCT group_id FROM signatures WHERE value >= ? AND value < ?',
                          low, high)
    if len(found) != 1:
        raise (Trouble if found else Missing)(
            '%s: %s. "nmibt-triage groups" lists them; a group is named by its number (G7), its name, or its '
            'signature' % (words.shown(word), 'several groups are called so' if found else 'no such group'))
    return found[0][0]


def check_name(store, group, name):
    """By its name it must be found."""
    if re.fullmatch(r'[Gg]\d+', name):
        raise Trouble('%s: a group with this name would be taken for the one with this number' % words.shown(name))
    other = store.value('SELECT id FROM groups WHERE name = ? AND id != ?', name, group)
    if other:
        raise Trouble('%s: G%d is called so' % (words.shown(name), other))


def rename(store, word, name):
    group = find(store, word)
    check_name(store, group, name)
    with store.writing():
        store.change('UPDATE groups SET name = ? WHERE id = ?', name or None, group)
    return group


def join(store, into, others):
    """All of the others becomes a part of the first. Returns it, and names that are given up for its own."""
    group = find(store, into)
    gone = {find(store, word) for word in others} - {group}
    if not gone:
        raise Trouble('there is nothing to join: all of these are one group')
    given_up = []
    with store.writing():
        for other in sorted(gone):
            mine, theirs = (store.value('SELECT name FROM groups WHERE id = ?', one) for one in (group, other))
            given_up += [theirs] if mine and theirs else []
            store.change('UPDATE signatures SET group_id = ?, by_hand = 1 WHERE group_id = ?', group,
                         other)
            store.change('UPDATE crashes SET group_id = ? WHERE group_id = ?', group, other)
            store.change('UPDATE groups SET name = coalesce(name, (SELECT name FROM groups WHERE id = ?))'
                         ' WHERE id = ?', other, group)
            store.change('UPDATE groups SET name = NULL WHERE id = ?', other)
            drop_if_empty(store, other)
    return group, given_up


def split(store, what):
    """Crashes by their numbers, or a signature, become a group of their own."""
    with store.writing():
        group = store.change('INSERT INTO groups DEFAULT VALUES')
        touched = set()
        for word in what:
            number = words.number(word)
            touched |= split_signature(store, word, group) if number is None else \
                split_crash(store, number, group)
        for old in touched:
            drop_if_empty(store, old)
    return group


def split_crash(store, crash, group):
    old = store.one('SELECT group_id FROM crashes WHERE id = ?', crash)
    if not old:
        raise Missing('%d: no such crash; nothing was changed. "nmibt-triage list" lists them' % crash)
    store.change('UPDATE crashes SET group_id = ?, by_hand = 1 WHERE id = ?', group, crash)
    return {old[0]}


def split_signature(store, word, group):
    rows = store.all('SELECT value, group_id FROM signatures WHERE value >= ? AND value < ?', word,
                     word + '\U0010ffff') if word else []
    if len(rows) != 1:
        raise (Trouble if rows else Missing)('%s: %s; nothing was changed' % (
            words.shown(word), 'several signatures begin so' if rows else 'no crash has this signature'))
    store.change('UPDATE signatures SET group_id = ?, by_hand = 1 WHERE value = ?', group,
                 rows[0]['value'])
    store.change('UPDATE crashes SET group_id = ? WHERE signature = ? AND by_hand = 0', group,
                 rows[0]['value'])
    return {rows[0]['group_id']}


def drop_if_empty(store, group):
    """A group that no crash is left in is none, unless people made something of it."""
    if group is None or store.value('SELECT 1 FROM crashes WHERE group_id = ?', group) or \
            store.value('SELECT 1 FROM groups WHERE id = ? AND name IS NOT NULL', group) or \
            store.value('SELECT 1 FROM signatures WHERE group_id = ? AND by_hand', group):
        return
    store.change('DELETE FROM signatures WHERE group_id = ?', group)
    store.change('DELETE FROM tallies WHERE group_id = ?', group)
    store.change('DELETE FROM groups WHERE id = ?', group)


# ---------------------------------------------------------------------------- reading

ORDERS = {'count': 'crashes DESC, last DESC', 'last': 'last DESC, crashes DESC',
          'first': 'first DESC, crashes DESC'}


def all_groups(store, order='count', limit=-1):
    """What the line of a group says, the largest first. An empty group, whose crashes people moved
    elsewhere, is left out."""
    return store.all('''
        WITH hosts AS (SELECT group_id, count(*) AS hosts FROM tallies
                       WHERE kind = 'host' AND value != '' GROUP BY group_id)
        SELECT id, name, crashes, scan, coalesce(hosts.hosts, 0) AS hosts,
            (SELECT min(died) FROM crashes WHERE group_id = groups.id) AS first,
            (SELECT max(died) FROM crashes WHERE group_id = groups.id) AS last
        FROM groups LEFT JOIN hosts ON hosts.group_id = groups.id
        WHERE crashes > 0 ORDER BY %s LIMIT ?''' % ORDERS[order], limit)


def newest(store, group):
    """The crash that stands for the group: the newest, as far as it is known."""
    return store.one('SELECT * FROM crashes WHERE group_id = ? ORDER BY died DESC, id DESC LIMIT 1', group)


def tallies(store, group, kind):
    """Value to count, the most frequent first."""
    return {row['value']: row['crashes'] for row in store.all(
        'SELECT value, crashes FROM tallies WHERE group_id = ? AND kind = ? '
        'ORDER BY crashes DESC, value', group, kind)}


def by_day(store, group):
    """Day since 1970 to count; crashes at an unknown time are not in it."""
    return {int(day): count for day, count in tallies(store, group, 'day').items() if int(day) >= 0}


def stacks_of(store, crash):
    """What the crash died of."""
    packed = store.value('SELECT stacks FROM signatures WHERE value = ?', crash['signature'])
    if packed:
        return store.parsed(packed, 'what is stored of %s' % crash['signature'])
    document = store.report(crash['best']) if crash['best'] else None
    return facts.stacks(document) if document else []


def without_signature(store):
    return store.value('SELECT count(*) FROM crashes WHERE group_id IS NULL')


def trend(days, last_day):
    """Crashes in the last week of the database and in the one before it."""
    recent = sum(count for day, count in days.items() if last_day - 7 < day <= last_day)
    before = sum(count for day, count in days.items() if last_day - 14 < day <= last_day - 7)
    return before, recent
