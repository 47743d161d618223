# SPDX-License-Identifier: GPL-2.0-or-later
"""What is new: groups and crashes that a scan found, or one before it that was killed or interrupted and of
which nobody was told what it had found.

Such a scan is one of the same folders, or of some in them: a gate says nothing of what others look after. What it found
is told until a scan came to its end that has told it. A scan that goes on after that is not at its end again.
"""
import json
import time

from . import candidates, words


def begin(store, folders):
    """The number of a scan of these folders."""
    return store.change('INSERT INTO scans (began, folders) VALUES (?, ?)', int(time.time()),
                        json.dumps([words.escape(one) for one in folders]))


def goes_on(store, number):
    """Another one may have taken it for one that was killed."""
    store.change('UPDATE scans SET ended = NULL WHERE id = ?', number)


def folders_of(store, row):
    return store.parsed(row['folders'], 'what is stored of scan %d' % row['id'])


def scans_to_tell(store, number):
    """JSON: this one, and those that did not come to their end."""
    mine = set(folders_of(store, store.one('SELECT id, folders FROM scans WHERE id = ?', number)))
    return json.dumps([number] + [
        row['id'] for row in store.all('SELECT id, folders FROM scans WHERE ended IS NULL AND id != ?', number)
        if all(candidates.is_in(folder, mine) for folder in folders_of(store, row))])


def groups(store, scans):
    return store.all('SELECT * FROM groups WHERE scan IN (SELECT value FROM json_each(?)) AND crashes > 0 '
                     'ORDER BY crashes DESC, id', scans)


def without_group(store, scans):
    """Crashes that have no signature by which they could be of a group."""
    return store.all('SELECT * FROM crashes WHERE scan IN (SELECT value FROM json_each(?)) AND group_id IS NULL '
                     'ORDER BY id', scans)


def told(store, scans):
    with store.writing():
        store.change('UPDATE scans SET ended = ? WHERE id IN (SELECT value FROM json_each(?))', int(time.time()), scans)
