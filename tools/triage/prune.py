# SPDX-License-Identifier: GPL-2.0-or-later
"""Which dumps may go: all but the newest of each group that are there. What is known of them stays."""
import json
import os
import stat

from . import candidates, views, words


def newest_first(store, group):
    """Crashes of a group, and of which kind the file is that stands for each. One whose time is not known is left out, and
    keeps its files."""
    return store.all('SELECT crashes.id, inputs.kind FROM crashes JOIN inputs ON inputs.id = best '
                     'WHERE group_id = ? AND died IS NOT NULL ORDER BY died DESC, crashes.id DESC', group)


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
    """Returns the bytes that are free now, and which paths are left, with the reason."""
    size, left = 0, []
    for path in paths:
        try:
            length = os.lstat(path).st_size
            os.unlink(path)
            size += length
        except OSError as error:
            left.append((words.escape(path), error.strerror))
    return size, left


class Prune:
    """Prints what goes, and what is not as it was."""

    def __init__(self, store, really):
        self.store, self.really = store, really
        self.files = self.size = self.failed = 0

    def say(self, what, row, why):
        print('%-8s %s%s: %s' % (what, words.shown(os.path.join(row['folder'], row['name'])), views.elsewhere(row), why))

    def is_there(self, row):
        """As it was read. Otherwise it says why not."""
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

    def remove(self, row, paths):
        """What is known first: a file of which nothing is known would be found again. Returns the bytes and what is left,
        as unlink_all()."""
        with self.store.writing():
            self.put(row, 'removed', 'pruned')
            size, left = unlink_all(paths)
            if len(left) == len(paths):
                self.put(row, 'read', row['reason'])
            elif left:
                self.put(row, 'removed', 'pruned; not removed: %s' % ', '.join(path for path, _ in left))
        return size, left

    def put(self, row, state, reason):
        self.store.change('UPDATE inputs SET state = ?, reason = ? WHERE id = ?', state, reason, row['id'])

    def take(self, row):
        paths = unit_of(row).paths()
        size, left = self.remove(row, paths) if self.really else (row['size'], [])
        for path, why in left:
            print('failed   %s: %s%s' % (words.shown(path), why, '' if len(left) == len(paths) else
                                         '; %d of the %d files that belong together are removed' %
                                         (len(paths) - len(left), len(paths))))
        if not left:
            print('%s  G%d  %10s  %s' % ('removed' if self.really else 'would go', row['group_id'], words.size_of(size),
                                         words.shown(os.path.join(row['folder'], row['name']))))
        self.files += len(paths) - len(left)
        self.size += size
        self.failed += len(left)

    def group(self, group, keep):
        """A crash counts among those that are kept while there is a file of the kind that stands for it: a text is no dump."""
        left = keep
        for crash in newest_first(self.store, group):
            rows = self.store.all("SELECT inputs.*, group_id FROM inputs JOIN crashes ON crashes.id = crash_id WHERE "
                                  "crash_id = ? AND state = 'read' ORDER BY folder, name", crash['id'])
            there = [row for row in rows if self.is_there(row)]
            if left:
                left -= any(row['kind'] == crash['kind'] for row in there)
                continue
            for row in there:
                self.take(row)


def prune(store, keep, really):
    done = Prune(store, really)
    for row in store.all('SELECT id FROM groups ORDER BY id'):
        done.group(row['id'], keep)
    return done
