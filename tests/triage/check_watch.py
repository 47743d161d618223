# SPDX-License-Identifier: GPL-2.0-or-later
"""watch reads what comes, however it comes, and only when it is there as a whole."""
import os
import shutil
import signal
import subprocess
import sys
import time

import fleet
from check_identity import describe
from common import TOP, TRIAGE, Triage, integrity

sys.path.insert(0, os.path.join(TOP, 'tools'))
from triage import scan, watch  # noqa: E402

PATIENCE_S = 120


def wait_for(condition):
    """False: it did not come about."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return False


def check_overflow(results, tmp):
    """Where the kernel had no room for events, a folder may have come of which nothing will be told."""
    folder = os.path.join(tmp, 'overflow')
    os.mkdir(folder)
    watching = watch.Watch(None, [folder], scan.Options(), None)
    watching.inotify.add(folder)
    os.makedirs(os.path.join(folder, 'host/later'))

    def lose():
        os.read(watching.inotify.fd, 1 << 16)
        return {None}

    watching.inotify.changed = lose
    theirs, ours = os.pipe()
    watching.delay([folder])
    watching.wait(theirs)
    results.same('folders of which the events are lost are watched, and all is looked at', (
        sorted(os.path.relpath(one, folder) for one in watching.inotify.folders.values()), list(watching.due)),
        (['.', 'host', 'host/later'], [folder]))
    for fd in theirs, ours, watching.inotify.fd:
        os.close(fd)


def check_unit(results, tmp):
    """The unit for systemd is one, by systemd's own check, with a program that is there."""
    with open(os.path.join(TOP, 'tools/triage/nmibt-triage.service')) as file:
        text = file.read()
    prefix = os.path.join(tmp, 'prefix')
    os.makedirs(os.path.join(prefix, 'bin'))
    shutil.copy('/bin/true', os.path.join(prefix, 'bin/nmibt-triage'))
    path = os.path.join(tmp, 'nmibt-triage.service')
    with open(path, 'w') as file:
        file.write(text.replace('@prefix@', prefix))
    if not shutil.which('systemd-analyze'):
        print('     the unit was left out: there is no systemd-analyze')
        return
    done = subprocess.run(['systemd-analyze', 'verify', '--man=no', path], capture_output=True, text=True)
    mine = [line for line in done.stderr.splitlines() if 'nmibt-triage' in line]
    results.note('the unit for systemd', '\n'.join(mine))


def wait_for_end(process):
    try:
        return process.communicate(timeout=PATIENCE_S)[1], process.returncode
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[1], 'it runs on'


def check_gone(results, tmp):
    """A folder that is watched goes, and one of the same name comes."""
    for what, how in ('is removed and made anew', lambda folder: (shutil.rmtree(folder), os.mkdir(folder))), \
            ('is moved away', lambda folder: os.rename(folder, folder + '-old')):
        folder = os.path.join(tmp, 'gone', what, 'crash')
        os.makedirs(folder)
        triage = Triage(os.path.join(tmp, 'gone.db'))
        process = subprocess.Popen([TRIAGE, '--db', triage.db, 'watch', '--settle', '0', folder],
                                   env=triage.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        describe('hard-lockup-kdump', os.path.join(folder, 'vmcore'))
        if wait_for(lambda: os.path.exists(triage.db) and triage.value('PRAGMA user_version') and
                    triage.rows("SELECT 1 FROM inputs WHERE state = 'read'")):
            how(folder)
        err, code = wait_for_end(process)
        results.note('a folder that %s ends watch' % what, '' if code == 4 and b'took its place' in err and
                     err.count(b'\n') == 1 else (code, err))
        os.unlink(triage.db)


def check(results, tmp, many):
    check_gone(results, tmp)
    made = [one.path for one in fleet.make(os.path.join(tmp, 'made'), 6, kinds=3, old=False)]
    folder = os.path.join(tmp, 'crash')
    os.mkdir(folder)
    shutil.copy2(made[0], os.path.join(folder, 'vmcore.0'))
    triage = Triage(os.path.join(tmp, 'watch.db'))
    process = subprocess.Popen([TRIAGE, '--db', triage.db, 'watch', '--settle', '1', folder],
                               env=triage.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def known(name):
        return triage.rows("SELECT 1 FROM inputs WHERE name = ? AND state = 'read'", name)

    results.note('what was there before is read', '' if wait_for(
        lambda: os.path.exists(triage.db) and triage.value('PRAGMA user_version') and known('vmcore.0'))
        else 'it is not')
    shutil.copy(made[1], os.path.join(folder, 'vmcore.1'))
    os.makedirs(os.path.join(folder, 'host/date'))
    shutil.copy(made[2], os.path.join(folder, 'host/date/vmcore.2'))
    shutil.copy(made[3], os.path.join(folder, 'host/vmcore.3-incomplete'))
    with open(made[4], 'rb') as file, open(os.path.join(folder, 'vmcore.4'), 'wb') as slow:
        slow.write(file.read(100000))
        slow.flush()
        results.note('a file that comes is read, in a folder that comes, too', '' if wait_for(
            lambda: known('vmcore.1') and known('vmcore.2')) else triage.rows('SELECT * FROM inputs'))
        results.same('what is not finished is not', known('vmcore.3'), [])
        slow.write(file.read())
    os.rename(os.path.join(folder, 'host/vmcore.3-incomplete'), os.path.join(folder, 'host/vmcore.3'))
    results.note('it is read when it is', '' if wait_for(lambda: known('vmcore.3') and known('vmcore.4'))
                 else triage.rows('SELECT * FROM inputs'))
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate()
    results.note('SIGTERM ends it', '' if process.returncode == 0 and not err and b'new group' in out else
                 (process.returncode, out, err))
    results.same('each is one crash', triage.value('SELECT count(*) FROM crashes'), 5)
    results.note('the database is sound', integrity(triage))
    check_unit(results, tmp)
    check_overflow(results, tmp)
