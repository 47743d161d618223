# SPDX-License-Identifier: GPL-2.0-or-later
"""Which dumps may go: all but the newest of each group that are there. What is known of them stays."""
import json
import os
import stat

from . import candidates, views, words


def newest_first(store, group):
    """Crashes of a group, and of which kind the file is that stands for each. One whose time is not known is left out, and
    keeps its files."""
    return store.all('SELECT crashes.id, complete, inputs.kind FROM crashes JOIN inputs ON inputs.id = best '
                     'WHERE group_id = ? AND died IS NOT NULL ORDER BY died DESC, crashes.id DESC', group)


INPUTS = "SELECT inputs.*, group_id FROM inputs JOIN crashes ON crashes.id = crash_id WHERE state = 'read' AND "


def inputs_of(store, crash):
    return store.all(INPUTS + 'crash_id = ? ORDER BY folder, name', crash['id'])


def unit_of(row):
    return candidates.Unit(row['folder'], row['name'], json.loads(row['parts'] or '[]'), row['size'],
                           row['mtime_ns'], row['kind'], row['fingerprint'])


def is_as_read(unit):
    """The files are those that were read, by their content, too: a database that was merged may be a
    stranger's, and name files that were never dumps. Raises OSError."""
    folder = words.unescape(unit.folder)
    about = [os.lstat(path) for path in unit.paths()]
    return all(os.path.dirname(path) == folder for path in unit.paths()) and \
        all(stat.S_ISREG(one.st_mode) for one in about) and \
        candidates.size_and_time(about) == (unit.size, unit.mtime_ns) and \
        candidates.kind_of(unit.name, candidates.head_of(unit.paths()[0])) == unit.kind and \
        candidates.fingerprint(unit.paths()) == unit.fingerprint


def unlink_all(paths):
    """Returns the bytes that are free now, how many files were removed, and which are left, with the reason. One that
    somebody else removed meanwhile is neither."""
    size, removed, left = 0, 0, []
    for path in paths:
        try:
            length = os.lstat(path).st_size
            os.unlink(path)
            size, removed = size + length, removed + 1
        except FileNotFoundError:
            continue
        except OSError as error:
            left.append((words.escape(path), error.strerror))
    return size, removed, left


class Prune:
    """Prints what goes, and what is not as it was."""

    def __init__(self, store, really):
        self.store, self.really = store, really
        self.files = self.size = self.failed = 0

    def say(self, what, row, why):
        print('%-8s %s%s: %s' % (what, words.shown(os.path.join(row['folder'], row['name'])), views.elsewhere(row), why))

    def check(self, row):
        """It is as it was read. Otherwise it says why not."""
        try:
            if is_as_read(unit_of(row)):
                return True
            self.say('kept', row, 'it changed since it was read, and is not counted')
        except FileNotFoundError:
            self.say('missing', row, 'it is gone, as a whole or in part, and is not counted')
        except OSError as error:
            self.say('failed', row, 'it can\'t be read, and is not counted: %s' % error.strerror)
            self.failed += 1
        return False

    def check_again(self, row):
        """Other programs wrote to the database, and to the folder, while this one waited for its turn."""
        if self.store.one(INPUTS + 'inputs.id = ?', row['id']) == row:
            return self.check(row)
        self.say('skipped', row, 'another program has read or removed it meanwhile')
        return False

    def remove(self, row):
        """What is known first: a file of which nothing is known would be found again. Returns what unlink_all() does, or
        None."""
        with self.store.writing():
            if not self.check_again(row):
                return None
            self.put(row, 'removed', 'pruned')
            paths = unit_of(row).paths()
            size, removed, left = unlink_all(paths)
            if len(left) == len(paths):
                self.put(row, 'read', row['reason'])
            elif left:
                self.put(row, 'removed', 'pruned; not removed: %s' % ', '.join(path for path, _ in left))
        return size, removed, left

    def put(self, row, state, reason):
        self.store.change('UPDATE inputs SET state = ?, reason = ? WHERE id = ?', state, reason, row['id'])

    def take(self, row):
        files = len(unit_of(row).files())
        done = self.remove(row) if self.really else (row['size'], files, [])
        if done:
            self.tell(row, files, *done)

    def tell(self, row, files, size, removed, left):
        for path, why in left:
            print('failed   %s: %s%s' % (words.shown(path), why, '' if len(left) == files else
                                         '; %d of the %d files that belong together are removed' %
                                         (files - len(left), files)))
        if not left:
            print('%s  G%d  %10s  %s' % ('removed' if self.really else 'would go', row['group_id'], words.size_of(size),
                                         words.shown(os.path.join(row['folder'], row['name']))))
        self.files += removed
        self.size += size
        self.failed += len(left)

    def prune_group(self, group, keep):
        """A crash counts among those that are kept while there is a file of the kind that stands for it: a text is no dump.
        One of which something is damaged or lost counts only where no other one does."""
        found = [(crash, [row for row in inputs_of(self.store, crash) if self.check(row)])
                 for crash in newest_first(self.store, group)]
        there = [crash for crash, rows in found if any(row['kind'] == crash['kind'] for row in rows)]
        count = {crash['id'] for crash in there if crash['complete']} or {crash['id'] for crash in there}
        left = keep
        for crash, rows in found:
            if left:
                left -= crash['id'] in count
                continue
            for row in rows:
                self.take(row)


def prune(store, keep, really):
    done = Prune(store, really)
    for row in store.all('SELECT id FROM groups ORDER BY id'):
        done.prune_group(row['id'], keep)
    return done
