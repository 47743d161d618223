# SPDX-License-Identifier: GPL-2.0-or-later
"""Groups, lists, differences and exports of a fleet of which it is known what is in it."""
import collections
import csv
import io
import json
import os
import re
import shutil
import stat
import subprocess
import time

import fleet
from common import DUMPS, TRIAGE, Triage, integrity, picture


def check_groups(results, triage, made):
    kinds = collections.Counter(one.kind for one in made)
    told = triage.json('groups', '-n', '0')
    results.same('a group for each kind, with its crashes', sorted(group['crashes'] for group in told),
                 sorted(kinds.values()))
    for kind in list(kinds)[:4]:
        mine = [one for one in made if one.kind == kind]
        part, act = fleet.PARTS[kind], fleet.ACTS[0]
        group = next(group for group in told if '%s_%s_wait' % (part, act) in
                     [frame for stack in group['stacks'] for frame in stack['frames']])
        last = max(one.died for one in made) // 86400
        days = [one.died // 86400 for one in mine]
        results.same('group of kind %d: count, hosts, first, last, trend' % kind, (
            group['crashes'], group['hosts'], group['first'], group['last'], group['last_7_days'],
            group['the_7_days_before'], len(group['kernels'])), (
                len(mine), len({one.number for one in mine}), min(one.died for one in mine),
                max(one.died for one in mine), sum(last - 7 < day <= last for day in days),
                sum(last - 14 < day <= last - 7 for day in days), 1))
    text = triage.text('groups', '-n', '1')
    results.note('the text says the same', '' if '%d crashes' % max(kinds.values()) in text and
                 '1 of %d groups' % len(kinds) in text else text)


def check_lists(results, triage, made):
    host = made[0].number
    listed = triage.json('list', '--host', 'fleet-host-%07d' % host)
    results.same('list --host', sorted(one['died'] for one in listed),
                 sorted(one.died for one in made if one.number == host))
    since, until = '2026-02-01', '2026-02-11'
    listed = triage.json('list', '--since', since, '--until', until)
    results.same('list --since --until', len(listed),
                 sum(1769904000 <= one.died < 1769904000 + 10 * 86400 for one in made))
    results.same('list --kernel', len(triage.json('list', '--kernel', '6.1.*')),
                 sum(one.kind % 2 for one in made))
    shown = triage.json('show', made[5].path)
    results.same('show by a path', (shown['died'], shown['files']), (made[5].died, [made[5].path]))
    results.same('show by a number', triage.json('show', str(shown['id'])), shown)
    report = json.loads(triage.text('show', str(shown['id']), '--report'))
    results.same('show --report', report['case']['time'], made[5].died)
    done = triage.run('show', '99999999')
    results.note('show of nothing', '' if done.returncode == 1 and b'no such crash' in done.stderr else done)


def check_names(results, triage):
    """A name is one by which the group is found."""
    triage.text('name', 'G1', 'nvme')
    triage.text('name', 'G1', 'nvme')
    for name in 'G99', 'g1', 'nvme':
        done = triage.run('name', 'G2', name)
        results.note('a name that would lead elsewhere: %s' % name, '' if done.returncode == 4 and
                     done.stderr.count(b'\n') == 1 else done)
    triage.text('name', 'G2', '7')
    results.same('groups are found by their names', [triage.json('list', '--group', name) for name in ('nvme', '7')],
                 [triage.json('list', '--group', name) for name in ('G1', 'G2')])
    for group in 'G1', 'G2':
        triage.text('name', group, '')


def check_diff(results, triage, made):
    one, other = (next(one.path for one in made if one.kind == kind) for kind in (0, 1))
    text = triage.text('diff', one, other)
    results.note('diff of two crashes', '' if 'no common group' in text and
                 '- nvme_queue_wait' in text and '+ mlx5_queue_wait' in text else text)
    twin = next(a.path for a in made if a.kind == 0 and a.path != one)
    text = triage.text('diff', one, twin)
    results.note('diff within a group', '' if text.startswith('one group') and '_wait' not in text else text)
    text = triage.text('diff', '6.12.*', '6.1.*')
    kinds = {one.kind for one in made}
    results.same('diff of two kernels', (text.count('only the first'), text.count('only the second')),
                 (sum(kind % 2 == 0 for kind in kinds), sum(kind % 2 for kind in kinds)))


def check_output(results, triage, folder):
    """export -o FILE: what becomes of what is there."""
    os.mkdir(folder)
    kept, new, link, pipe = [os.path.join(folder, name) for name in ('kept', 'new', 'link', 'pipe')]
    expected = triage.run('export').stdout
    with open(kept, 'w'):
        os.chmod(kept, 0o600)
    os.symlink('kept', link)
    os.mkfifo(pipe)
    triage.text('export', '-o', link)
    subprocess.run(['sh', '-c', 'umask 027; "$@"', 'sh', TRIAGE, '--db', triage.db, 'export', '-o', new], check=True)
    results.same('export through a link, and to a new file: content and rights', [
        (open(path, 'rb').read() == expected, oct(os.lstat(path).st_mode)) for path in (kept, new)],
        [(True, '0o100600'), (True, '0o100640')])
    results.same('the link stays', os.path.islink(link) and os.readlink(link), 'kept')
    with open(kept, 'wb') as got:
        reader = subprocess.Popen(['cat', pipe], stdout=got)
    triage.text('export', '-o', pipe)
    is_pipe = stat.S_ISFIFO(os.lstat(pipe).st_mode)
    if not is_pipe:
        reader.kill()
    reader.wait()
    results.same('export to a pipe', (is_pipe, open(kept, 'rb').read() == expected), (True, True))
    done = triage.run('export', '-o', folder)
    results.note('export to a folder', '' if done.returncode == 4 and b'directory' in done.stderr else done)
    results.same('nothing else is left there', sorted(os.listdir(folder)), ['kept', 'link', 'new', 'pipe'])


def check_exports(results, triage, made, tmp):
    lines = [json.loads(line) for line in triage.text('export').splitlines()]
    results.same('export as JSON lines', sorted(line['files'][0] for line in lines),
                 sorted(one.path for one in made))
    rows = list(csv.DictReader(io.StringIO(triage.text('export', '--format', 'csv'))))
    results.same('export as CSV', sorted(int(row['died']) for row in rows),
                 sorted(one.died for one in made))
    results.same('lists and truth values in CSV are those of JSON', sorted(
        (json.loads(row['files']), json.loads(row['complete'])) for row in rows),
        sorted((line['files'], line['complete']) for line in lines))
    path = os.path.join(tmp, 'nmibt.prom')
    triage.text('export', '--format', 'prometheus', '-o', path)
    with open(path) as file:
        text = file.read()
    bad = [line for line in text.splitlines() if not re.fullmatch(
        r'# (HELP|TYPE) \w+ .+|[a-z_]+(\{[a-z]+="([^"\\\n]|\\["\\n])*"(,[a-z]+="([^"\\\n]|\\["\\n])*")*\})? '
        r'\d+', line)]
    total = sum(int(found) for found in re.findall(r'^nmibt_triage_group_crashes\{.*\} (\d+)$', text, re.M))
    results.same('export for Prometheus', (bad, total), ([], len(made)))
    check_output(results, triage, os.path.join(tmp, 'out'))
    done = triage.run('export', '-o', '/nowhere/at/all')
    results.note('export to nowhere', '' if done.returncode == 4 and b'/nowhere' in done.stderr else done)


def check_no_time(results, tmp):
    """Where nobody knows when its crashes were a group has no trend, and not one of 1970."""
    folder = os.path.join(tmp, 'no-time')
    os.mkdir(folder)
    shutil.copy(os.path.join(os.path.dirname(DUMPS['x86_64-6.1-irqspin']), 'console.log'),
                os.path.join(folder, 'vmcore-dmesg.txt'))
    triage = Triage(os.path.join(tmp, 'no-time.db'))
    triage.scan(folder)
    text, (said,) = triage.text('groups'), triage.json('groups')
    triage.text('report', '-o', os.path.join(tmp, 'no-time-report'))
    with open(os.path.join(tmp, 'no-time-report/groups/G%d.html' % said['id'])) as file:
        page = file.read()
    results.same('crashes at an unknown time have no trend', (
        said['last_7_days'], said['the_7_days_before'], said['last_day'], 'trend' in text, 'Trend' in page, '1970' in page),
        (None, None, None, False, False, False))


def check_again(results, triage, made, folder):
    before = picture(triage)
    began = time.monotonic()
    said = triage.scan(folder, '--again')
    first = time.monotonic() - began
    began = time.monotonic()
    second = triage.scan(folder)
    took = time.monotonic() - began
    results.same('all read again: all as it was', (said['read'], said['new_crashes'], picture(triage)),
                 (len(made), 0, before))
    results.same('a second scan reads nothing', second['read'], 0)
    print('     %d dumps in %.1f s, the second scan in %.2f s' % (len(made), first, took))
    results.note('the database is sound', integrity(triage))


def check(results, tmp, many):
    folder = os.path.join(tmp, 'fleet')
    made = fleet.make(folder, 3000 if many else 300, kinds=20, seed=11)
    triage = Triage(os.path.join(tmp, 'fleet.db'))
    said = triage.scan(folder)
    results.same('each dump is a crash', (said['read'], said['new_crashes'], said['failed']),
                 (len(made), len(made), 0))
    check_groups(results, triage, made)
    check_lists(results, triage, made)
    check_diff(results, triage, made)
    check_names(results, triage)
    check_exports(results, triage, made, tmp)
    check_again(results, triage, made, folder)
    check_no_time(results, tmp)
