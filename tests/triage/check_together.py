# SPDX-License-Identifier: GPL-2.0-or-later
"""Several programs write to one database at the same time: each has its turn, however the others go about it."""
import contextlib
import os
import sqlite3
import subprocess
import sys
import threading
import time

from common import TOP, TRIAGE, Triage, integrity

sys.path.insert(0, os.path.join(TOP, 'tools'))
from triage import Trouble, store  # noqa: E402

NOTE = "INSERT INTO scans (began, folders) VALUES (%d, '[]')"


def open_files(process):
    folder = '/proc/%d/fd' % process.pid
    with contextlib.suppress(OSError):
        return [os.readlink(os.path.join(folder, name)) for name in os.listdir(folder)]
    return []


def check_new(results, tmp):
    """Another program has begun to make the database, and comes to its end later."""
    triage = Triage(os.path.join(tmp, 'new.db'))
    folder = os.path.join(tmp, 'nothing')
    os.mkdir(folder)
    with contextlib.closing(sqlite3.connect(triage.db, isolation_level=None)) as other:
        other.execute('BEGIN IMMEDIATE')
        process = subprocess.Popen([TRIAGE, '--db', triage.db, 'scan', '-q', folder], env=triage.env,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(600):
            if triage.db in open_files(process) or process.poll() is not None:
                break
            time.sleep(0.05)
        time.sleep(0.3)
        other.execute('ROLLBACK')
        _, said = process.communicate()
    results.same('a database that two make at the same time', (process.returncode, said), (0, b''))


class Hog(threading.Thread):
    """Holds the database of others nearly always, until it is told to stop. breaks: for how long it does not, in s."""

    def __init__(self, db, held, breaks, rounds):
        super().__init__()
        self.db, self.held, self.breaks, self.rounds = db, held, breaks, rounds
        self.done, self.stopped, self.has_begun = 0, threading.Event(), threading.Event()

    def run(self):
        with contextlib.closing(sqlite3.connect(self.db, isolation_level=None, timeout=60)) as db:
            while self.done < self.rounds and not self.stopped.is_set():
                db.execute('BEGIN IMMEDIATE')
                self.has_begun.set()
                db.execute(NOTE % 1)
                time.sleep(self.held)
                db.execute('COMMIT')
                self.done += 1
                time.sleep(self.breaks)


@contextlib.contextmanager
def hog(*args):
    thread = Hog(*args)
    thread.start()
    thread.has_begun.wait()
    try:
        yield thread
    finally:
        thread.stopped.set()
        thread.join()


@contextlib.contextmanager
def patience(seconds):
    before, store.BUSY_S = store.BUSY_S, seconds
    try:
        yield
    finally:
        store.BUSY_S = before


def check_hog(results, tmp):
    """Its breaks are shorter than the time between two questions of SQLite's own waiting, and it goes on for longer than
    a program waits for one that stands still."""
    path = os.path.join(tmp, 'hog.db')
    store.Store(path).close()
    rounds, why = 200, ''
    with patience(1), contextlib.closing(store.Store(path)) as db, hog(path, 0.25, 0.001, rounds) as other:
        try:
            for _ in range(3):
                with db.writing():
                    db.change(NOTE % 2)
        except Trouble as trouble:
            why = str(trouble)
        done = other.done
    results.note('a program that writes nearly always lets others in', why or (
        '' if done < rounds else 'only when it was at its end'))


def check_still(results, tmp):
    """Nobody waits for ever for a program that was stopped while it wrote."""
    path = os.path.join(tmp, 'still.db')
    store.Store(path).close()
    why = ''
    with patience(1), contextlib.closing(store.Store(path)) as db, \
            contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute('BEGIN IMMEDIATE')
        try:
            with db.writing():
                pass
        except Trouble as trouble:
            why = str(trouble)
        other.execute('ROLLBACK')
        with db.writing():
            db.change(NOTE % 2)
    results.note('the database is sound after one that stood still', integrity(Triage(path)))
    results.note('of one that stands still it is said', '' if 'has written nothing for 1 s' in why else why or 'nothing')


def check(results, tmp, many):
    check_new(results, tmp)
    check_hog(results, tmp)
    check_still(results, tmp)
