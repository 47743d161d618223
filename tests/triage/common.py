# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of nmibt-triage share."""
import contextlib
import json
import os
import re
import sqlite3
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.normpath(os.path.join(HERE, '../..'))
TRIAGE = os.path.join(TOP, 'tools/nmibt-triage')
NMIBT = os.path.join(TOP, 'build/nmibt')
DUMPS = {name: os.path.join(TOP, 'testdumps', name, 'vmcore')
         for name in ('x86_64-6.1-irqspin', 'x86_64-6.12-irqspin', 'arm64-6.12-irqspin')}
CONTROL = re.compile(r'[\x00-\x09\x0b-\x1f\x7f-\x9f‪-‮⁦-⁩]')


class Results:
    def __init__(self):
        self.passed = self.failed = 0

    def note(self, name, complaint=''):
        self.passed, self.failed = self.passed + (not complaint), self.failed + bool(complaint)
        print('%s %s%s' % ('FAIL' if complaint else 'ok  ', name,
                           '\n     %s' % str(complaint)[:2000] if complaint else ''), flush=True)

    def same(self, name, got, expected):
        self.note(name, '' if got == expected else 'got      %r\n     expected %r' % (got, expected))


class Triage:
    """The tool with a database of its own."""

    def __init__(self, db, **env):
        self.db, self.env = db, {**os.environ, 'NO_COLOR': '1', **env}

    def run(self, *args, **more):
        return subprocess.run([TRIAGE, '--db', self.db, *args], capture_output=True, env=self.env,
                              timeout=600, **more)

    def text(self, *args, code=0):
        done = self.run(*args)
        if done.returncode != code:
            raise AssertionError('%s: exit code %d, not %d: %s' % (' '.join(args), done.returncode, code,
                                                                   done.stderr.decode()))
        return done.stdout.decode() + done.stderr.decode()

    def scan(self, *args, code=0):
        """What came of it."""
        done = self.run('scan', '--settle', '0', '--json', *args)
        if done.returncode != code:
            raise AssertionError('scan %s: exit code %d, not %d: %s %s' % (
                ' '.join(args), done.returncode, code, done.stdout.decode(), done.stderr.decode()))
        return json.loads(done.stdout)

    def json(self, *args):
        return json.loads(self.text(*args, '--json'))

    def rows(self, sql, *values):
        with contextlib.closing(sqlite3.connect(self.db)) as db, db:
            return db.execute(sql, values).fetchall()

    def value(self, sql, *values):
        return self.rows(sql, *values)[0][0]


def integrity(triage):
    """Complaints about what must be so in each database, whatever happened to it."""
    bad = []
    check = triage.rows('PRAGMA integrity_check') + triage.rows('PRAGMA foreign_key_check')
    if check != [('ok',)]:
        bad.append('integrity: %s' % check[:3])
    for what, sql in (
            ('crashes without an input', 'SELECT id FROM crashes WHERE id NOT IN '
             '(SELECT crash_id FROM inputs WHERE crash_id IS NOT NULL)'),
            ('inputs that were read and have no crash or report', "SELECT id FROM inputs WHERE state = "
             "'read' AND (crash_id IS NULL OR id NOT IN (SELECT input FROM reports))"),
            ('groups with a wrong count', 'SELECT id FROM groups WHERE crashes != '
             '(SELECT count(*) FROM crashes WHERE group_id = groups.id)'),
            ('groups of nothing', 'SELECT id FROM groups WHERE name IS NULL AND id NOT IN (SELECT group_id FROM '
             'signatures WHERE by_hand) AND id NOT IN (SELECT group_id FROM crashes WHERE group_id IS NOT NULL)'),
            ('crashes whose best input is of another one', 'SELECT crashes.id FROM crashes JOIN inputs ON '
             'inputs.id = best WHERE crash_id != crashes.id')):
        found = triage.rows(sql)
        if found:
            bad.append('%s: %s' % (what, found[:5]))
    counted = sorted(triage.rows('''
        SELECT group_id, 'host', coalesce(host, ''), count(*) FROM crashes WHERE group_id IS NOT NULL
            GROUP BY 1, 3
        UNION ALL SELECT group_id, 'release', coalesce(release, ''), count(*) FROM crashes
            WHERE group_id IS NOT NULL GROUP BY 1, 3
        UNION ALL SELECT group_id, 'day', CAST(coalesce(died / 86400, -1) AS TEXT), count(*) FROM crashes
            WHERE group_id IS NOT NULL GROUP BY 1, 3'''))
    kept = sorted(triage.rows('SELECT * FROM tallies'))
    if counted != kept:
        bad.append('tallies: %s' % sorted(set(counted) ^ set(kept))[:5])
    return '\n'.join(bad)


def picture(triage):
    """All that a scan must come to, whatever the order in which it read the files: crashes with their
    files, and which of them are together in a group."""
    crashes = {}
    for crash, host, died, signature, group in triage.rows(
            'SELECT id, host, died, signature, group_id FROM crashes'):
        files = sorted(triage.rows('SELECT folder, name FROM inputs WHERE crash_id = ?', crash))
        crashes[crash] = (files, host, died, signature, group)
    together = {}
    for files, _, _, _, group in crashes.values():
        together.setdefault(group, []).append(files)
    return sorted(map(repr, (one[:4] for one in crashes.values()))), \
        sorted(repr(sorted(files)) for group, files in together.items() if group)


def make_old(*paths, seconds=3600):
    for path in paths:
        when = os.stat(path).st_mtime - seconds
        os.utime(path, (when, when))
