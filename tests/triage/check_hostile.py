# SPDX-License-Identifier: GPL-2.0-or-later
"""Names, texts and databases that attack a terminal, a spreadsheet or a parser are shown as text."""
import csv
import io
import json
import os
import pty
import shutil
import sqlite3
import subprocess
import sys

import fleet
from common import CONTROL, TOP, TRIAGE, Triage, integrity

EVIL = ['\x1b[31mred\x1b]0;title\x07', '<script>alert(1)</script>', '"\'`$(id)', '[bold red]x[/]', 'a\nb',
        '‮evil⁦', '=cmd()', '＝cmd()', 'x' * 5000, '%s%n{0}', '\u2028line', '\t=1+1', 'é', 'a\\x41']
sys.path.insert(0, os.path.join(TOP, 'tools'))
from triage import words  # noqa: E402


def on_terminal(triage, *args):
    """What the tool writes to a terminal."""
    master, slave = pty.openpty()
    process = subprocess.Popen([TRIAGE, '--db', triage.db, *args], stdin=slave, stdout=slave, stderr=slave,
                               env={**triage.env, 'TERM': 'xterm', 'COLUMNS': '100'})
    os.close(slave)
    out = b''
    while True:
        try:
            some = os.read(master, 65536)
        except OSError:
            break
        if not some:
            break
        out += some
    os.close(master)
    process.wait()
    return out.decode('utf-8', 'replace')


def check_names(results, tmp):
    folder = os.path.join(tmp, 'names')
    one = fleet.make(os.path.join(tmp, 'one'), 1, kinds=1)[0].path
    names = [name.encode()[:200].replace(b'/', b'_') for name in EVIL] + [b'\xff\xfe\x80', b'-rf', b' ']
    for name in names:
        os.makedirs(os.path.join(os.fsencode(folder), name))
        shutil.copy(one, os.path.join(os.fsencode(folder), name, b'vmcore' + name[:100]))
    triage = Triage(os.path.join(tmp, 'names.db'))
    said = triage.scan(folder)
    results.same('files with hostile names are read', (said['read'], said['failed']), (len(names), 0))
    rows = triage.rows('SELECT folder, name FROM inputs')
    back = {words.unescape(os.path.join(*row)) for row in rows}
    results.same('their names can be had back', back, {
        os.path.join(os.fsencode(folder), name, b'vmcore' + name[:100]) for name in names})
    results.same('all are one crash', triage.value('SELECT count(*) FROM crashes'), 1)
    results.same('and are not read again', triage.scan(folder)['read'], 0)
    for args in ['show', '1'], ['export'], ['export', '--format', 'csv'], ['list']:
        found = CONTROL.search(triage.text(*args).replace('\r\n', '\n'))
        results.note('no control character: %s' % ' '.join(args), repr(found) if found else '')


def check_texts(results, tmp):
    folder = os.path.join(tmp, 'texts')
    os.mkdir(folder)
    for name in 'hostile-text', 'hostile-log':
        source = os.path.join(TOP, 'testdumps/synthetic', name + '.dump')
        if os.path.exists(source):
            subprocess.run([os.path.join(TOP, 'testdumps/mkdump'), source, os.path.join(folder, name)],
                           check=True)
    triage = Triage(os.path.join(tmp, 'texts.db'))
    triage.scan(folder)
    for args in ['groups'], ['show', '1'], ['list'], ['export'], ['export', '--format', 'prometheus']:
        found = CONTROL.search(triage.text(*args))
        results.note('hostile text in a dump: %s' % ' '.join(args), repr(found) if found else '')


def check_database(results, tmp):
    """A stranger's database, in which texts are as nmibt would never write them."""
    folder = os.path.join(tmp, 'fleet')
    fleet.make(folder, len(EVIL), kinds=2)
    triage = Triage(os.path.join(tmp, 'evil.db'))
    triage.scan(folder)
    with sqlite3.connect(triage.db) as db:
        for i, text in enumerate(EVIL, 1):
            stacks = json.dumps([{'why': text, 'frames': [text]}])
            db.execute('UPDATE crashes SET host = ?1, release = ?1, message = ?1, culprit = ?1, '
                       'build_id = ?1, outcomes = json_object(?1, 1) WHERE id = ?2', (text, i))
            db.execute('UPDATE inputs SET reason = ? WHERE id = ?', (text, i))
            db.execute('UPDATE groups SET name = ? WHERE id = ?', (text, i))
            db.execute('UPDATE signatures SET stacks = ? WHERE group_id = ?', (stacks, i))
    for args in ['groups', '-n', '0'], ['list'], ['show', '1'], ['show', '6'], ['diff', '1', '2'], \
            ['prune', '--keep', '1'], ['export', '--format', 'prometheus']:
        found = CONTROL.search(triage.text(*args))
        results.note('a hostile database: %s' % ' '.join(args), repr(found) if found else '')
    found = CONTROL.search(triage.text('export', '--format', 'csv').replace('\r\n', '\n'))
    results.note('no control character for a spreadsheet', repr(found) if found else '')
    rows = list(csv.DictReader(io.StringIO(triage.text('export', '--format', 'csv'))))
    results.same('no formula for a spreadsheet', [row['host'] for row in rows if row['host'].strip()[:1] in
                                                    ('=', '+', '-', '@', '＝')], [])
    shown = on_terminal(triage, 'list')
    results.note('on a terminal markup is text', '' if '[bold red]x[/]' in shown and '\x1b[31mred' not in
                 shown and '\x1b]' not in shown else repr(shown[:300]))
    shown = on_terminal(triage, 'scan', '--again', '--settle', '0', folder)
    results.note('on a terminal scan has a bar', '' if '%d/%d' % (len(EVIL), len(EVIL)) in shown and
                 '/s' in shown else repr(shown[-300:]))
    results.note('the database is sound', integrity(triage))


def check(results, tmp, many):
    check_names(results, tmp)
    check_texts(results, tmp)
    check_database(results, tmp)
