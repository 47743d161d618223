# SPDX-License-Identifier: GPL-2.0-or-later
"""What is new: groups and crashes that a scan found, or one before it that was killed or interrupted and of
which nobody was told what it had found.

Such a scan is one that has folders in common with this one: of it that is told which is in these folders, because a gate
says nothing of what others look after. What it found is told until a scan came to its end that has told it. A scan
that goes on after that is not at its end again.
"""
import json
import time

from . import candidates, words


def as_stored(folders):
    return json.dumps([words.escape(one) for one in folders])


def begin(store, folders):
    """The number of a scan of these folders."""
    return store.change('INSERT INTO scans (began, folders) VALUES (?, ?)', int(time.time()), as_stored(folders))


def goes_on(store, number, folders):
    """Another one may have taken it for one that was killed."""
    store.change('UPDATE scans SET ended = NULL, folders = ? WHERE id = ?', as_stored(folders), number)


def folders_of(store, row):
    return set(store.parsed(row['folders'], 'what is stored of scan %d' % row['id']))


def overlap(some, others):
    return any(candidates.is_in(folder, others) for folder in some) or \
        any(candidates.is_in(folder, some) for folder in others)


class News:
    """Of the scan with this number."""

    def __init__(self, store, number):
        self.store, self.number = store, number
        self.folders = folders_of(store, store.one('SELECT id, folders FROM scans WHERE id = ?', number))
        others = {row['id']: folders_of(store, row) for row in store.all(
            'SELECT id, folders FROM scans WHERE ended IS NULL AND id != ?', number)}
        self.others = {scan: folders for scan, folders in others.items() if overlap(folders, self.folders)}

    def is_here(self, row, sql):
        """sql: the folders in which it was found."""
        return row['scan'] == self.number or any(
            candidates.is_in(one['folder'], self.folders) for one in self.store.each(sql, row['id']))

    def found(self, table, condition, order, folders):
        rows = self.store.all('SELECT * FROM %s WHERE scan IN (SELECT value FROM json_each(?)) AND %s ORDER BY %s' %
                              (table, condition, order), json.dumps([self.number, *self.others]))
        return [row for row in rows if self.is_here(row, folders)]

    def groups(self):
        return self.found('groups', 'crashes > 0', 'crashes DESC, id',
                          'SELECT folder FROM inputs JOIN crashes ON crash_id = crashes.id WHERE group_id = ?')

    def without_group(self):
        """Crashes that have no signature by which they could be of a group."""
        return self.found('crashes', 'group_id IS NULL', 'id', 'SELECT folder FROM inputs WHERE crash_id = ?')

    def told(self, with_others=True):
        """Of a scan of other folders, too, what is in those is left to tell."""
        with self.store.writing():
            self.store.change('UPDATE scans SET ended = ? WHERE id = ?', int(time.time()), self.number)
            for scan, folders in self.others.items() if with_others else ():
                left = [folder for folder in folders if not candidates.is_in(folder, self.folders)]
                self.store.change('UPDATE scans SET ended = ?, folders = coalesce(?, folders) WHERE id = ?',
                                  None if left else int(time.time()), json.dumps(left) if left else None, scan)
