# SPDX-License-Identifier: GPL-2.0-or-later
"""Which dumps may go: all but the newest of each group. What is known of them stays."""
import json
import os
import stat

from . import candidates, words


def to_go(store, keep):
    """Files of crashes that are not among the newest in their group. A crash without a group, or whose
    time is not known, keeps its files."""
    return store.all('''
        SELECT inputs.*, ranked.group_id FROM inputs JOIN (
            SELECT id, group_id, row_number() OVER (PARTITION BY group_id ORDER BY died DESC, id DESC)
                AS place FROM crashes WHERE group_id IS NOT NULL AND died IS NOT NULL) AS ranked
        ON ranked.id = crash_id WHERE place > ? AND state = 'read'
        ORDER BY ranked.group_id, folder, name''', keep)


def still_the_same(unit):
    """The files are those that were read, by their content, too: a database that was merged may be a
    stranger's, and name files that were never dumps."""
    folder = words.unescape(unit.folder)
    try:
        about = [os.lstat(path) for path in unit.paths()]
        return all(os.path.dirname(path) == folder for path in unit.paths()) and \
            all(stat.S_ISREG(one.st_mode) for one in about) and \
            (sum(one.st_size for one in about), max(one.st_mtime_ns for one in about)) == \
            (unit.size, unit.mtime_ns) and \
            candidates.kind_of(unit.name, candidates.head_of(unit.paths()[0])) == unit.kind and \
            candidates.fingerprint(unit.paths()) == unit.fingerprint
    except OSError:
        return False


def remove(store, row, unit):
    """The row first: a file without a row would be found again, a row without a file says what was."""
    with store.writing():
        store.change("UPDATE inputs SET state = 'removed', reason = 'pruned' WHERE id = ?", row['id'])
        for path in unit.paths():
            os.unlink(path)


def prune(store, keep, really):
    """Prints what goes. Returns the files, their bytes, and how many could not be removed."""
    files = size = failed = 0
    for row in to_go(store, keep):
        unit = candidates.Unit(row['folder'], row['name'], json.loads(row['parts'] or '[]'), row['size'],
                               row['mtime_ns'], row['kind'], row['fingerprint'])
        path = words.shown(os.path.join(row['folder'], row['name']))
        if not still_the_same(unit):
            print('kept     %s: it changed, or is gone, since it was read' % path)
            continue
        try:
            if really:
                remove(store, row, unit)
        except OSError as error:
            print('failed   %s: %s' % (path, error.strerror))
            failed += 1
            continue
        print('%s  G%d  %10s  %s' % ('removed' if really else 'would go', row['group_id'],
                                     words.size_of(row['size']), path))
        files, size = files + 1 + len(unit.parts), size + row['size']
    return files, size, failed
