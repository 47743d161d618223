# SPDX-License-Identifier: GPL-2.0-or-later
"""Exit codes, by which a cron job or a gate knows what came of it, and that each error is said in a line."""
import os
import subprocess

import fleet
from common import TRIAGE, Triage

LARGE = '9' * 30


def check_output(results, triage):
    """Where standard output can't be written."""
    for args in ['list'], ['groups', '--json'], ['export']:
        with open('/dev/full', 'w') as full:
            done = subprocess.run([TRIAGE, '--db', triage.db, *args], stdout=full, stderr=subprocess.PIPE,
                                  env=triage.env)
        results.note('%s: there is no room for its output' % args[0], '' if done.returncode == 4 and
                     done.stderr.count(b'\n') == 1 and b'standard output' in done.stderr else done)
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([TRIAGE, '--db', triage.db, 'list'], stdout=write, stderr=subprocess.PIPE,
                          env=triage.env)
    os.close(write)
    results.same('nobody reads its output', (done.returncode, done.stderr), (0, b''))
    triage.text('name', 'G1', 'naïve ☃')
    other = Triage(triage.db, PYTHONIOENCODING='latin-1')
    done = other.run('groups')
    results.note('a locale that lacks characters', '' if done.returncode == 0 and
                 b'na\xefve \\u2603' in done.stdout else done)


def check_numbers(results, triage):
    for args, code in (['show', LARGE], 4), (['show', LARGE * 200], 4), (['name', 'G' + LARGE, 'x'], 4), \
            (['split', LARGE], 4), (['list', '-n', LARGE], 2), (['prune', '--keep', LARGE], 2), \
            (['list', '--host', b'\xff'], 4), (['name', 'G1', b'\xff'], 4):
        done = triage.run(*args)
        results.note('no number or name that the database could have: %s' % str(args)[:40],
                     '' if done.returncode == code and b'Traceback' not in done.stderr else done)


def check(results, tmp, many):
    fleet.make(os.path.join(tmp, 'fleet'), 2, kinds=1)
    triage = Triage(os.path.join(tmp, 'exit.db'))
    triage.scan(os.path.join(tmp, 'fleet'))
    check_output(results, triage)
    check_numbers(results, triage)
