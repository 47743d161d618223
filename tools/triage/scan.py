# SPDX-License-Identifier: GPL-2.0-or-later
"""Goes through folders, has nmibt read what is new or changed, and keeps what comes of it.

Threads have nmibt read, this one alone writes. What is written is whole after every moment: a result and
all that follows from it are one transaction, and a file without a result is read by the next scan.
"""
import contextlib
import dataclasses
import hashlib
import json
import os
import queue
import signal
import subprocess
import threading
import time

from . import Trouble, candidates, crashes, facts, news, progress, runner, words
from .store import pack

MOST_JOBS = max(64, 4 * (os.cpu_count() or 1))  # each is a thread and a nmibt
AT_ONCE = 32  # results in one transaction, and in memory: each may be large
NOT_READ = "('later', 'failed', 'empty', 'other')"
SHOWN_REASON = 2000  # characters of what nmibt said


@dataclasses.dataclass
class Options:
    nmibt: str = None
    jobs: int = os.cpu_count() or 1
    settle: int = candidates.SETTLE_S
    incomplete: bool = False
    shard: tuple = None  # (this one, counted from 1, of so many)
    again: bool = False
    quiet: bool = False


@dataclasses.dataclass
class Outcome:
    scan: int = None
    looked: int = 0
    read: int = 0
    empty: int = 0
    failed: int = 0
    later: int = 0
    fresh: int = 0  # of these: left because they may still be written
    crashes: int = 0
    seconds: float = 0.0
    interrupted: bool = False
    troubles: list = dataclasses.field(default_factory=list)  # (path, why)


# ---------------------------------------------------------------------- what is to be done

class Plan:
    """Which units of these folders have to be read."""

    def __init__(self, store, folders, options, versions):
        self.store, self.options = store, options
        self.folders = candidates.topmost(os.path.abspath(folder) for folder in folders)
        self.scanned_by = words.escape(os.uname().nodename)
        self.shard = '%d/%d' % options.shard if options.shard else None
        self.versions = versions  # of nmibt, of the signature; None: not known yet
        self.unreadable = {}
        self.looked = 0
        self.gone = set()  # numbers of inputs of which nothing is known, and that are not there any more

    def known_in(self, folder):
        return {row['name']: row for row in self.store.all(
            "SELECT id, name, parts, size, mtime_ns, fingerprint, state, nmibt, signature_version FROM inputs "
            "WHERE folder = ? AND state != 'removed'", words.escape(folder))}

    def is_current(self, row):
        nmibt, signature = self.versions
        return row['nmibt'] == nmibt and (row['state'] != 'read' or
                                          signature in (None, row['signature_version']))

    def is_done(self, unit, row):
        if not row or self.options.again or row['state'] == 'later':
            return False
        parts = json.loads(row['parts']) if row['parts'] else []
        return (row['size'], row['mtime_ns'], parts) == (unit.size, unit.mtime_ns, unit.parts) and \
            self.is_current(row)

    def is_ours(self, root, unit):
        """A unit is of one shard, on whichever machine and below whichever folder it is seen."""
        if not self.options.shard:
            return True
        number, of = self.options.shard
        path = os.path.relpath(unit.paths()[0], os.fsencode(root))
        return int.from_bytes(hashlib.sha256(path).digest()[:8], 'big') % of == number - 1

    def split_of(self, known):
        def split(entry):
            row = known.get(words.escape(entry.name))
            try:
                about = entry.stat(follow_symlinks=False)
                if row and row['parts'] is None and \
                        (row['size'], row['mtime_ns']) == (about.st_size, about.st_mtime_ns):
                    return None  # this was looked at when it was read
                return candidates.split_key(entry.path)
            except OSError:
                return None  # reading it will say why
        return split

    def note_gone(self, folder, known, files):
        not_read = [row for row in known.values() if row['state'] != 'read']
        if not_read and folder not in self.unreadable:
            there = {words.escape(entry.name) for entry in files}
            self.gone.update(row['id'] for row in not_read if row['name'] not in there)

    def note_gone_folders(self):
        roots = set(self.folders)
        for row in self.store.all('SELECT DISTINCT folder FROM inputs WHERE state IN ' + NOT_READ):
            folder = os.fsdecode(words.unescape(row['folder']))
            if candidates.is_in(folder, roots) and candidates.is_gone(folder):
                self.gone.update(one[0] for one in self.store.all(
                    'SELECT id FROM inputs WHERE folder = ? AND state IN ' + NOT_READ, row['folder']))

    def todo(self):
        """Counts in self.looked what it looked at."""
        self.looked = 0
        for root in self.folders:
            for folder, files in candidates.walk(root, self.unreadable.__setitem__):
                known = self.known_in(folder)
                self.note_gone(folder, known, files)
                for unit in candidates.units_in(folder, files, self.split_of(known)):
                    if self.is_ours(root, unit):
                        self.looked += 1
                        row = known.get(unit.name)
                        if not self.is_done(unit, row):
                            unit.scanned_by, unit.shard = self.scanned_by, self.shard
                            unit.before = (row['size'], row['fingerprint']) if row and row['state'] == 'read' else None
                            yield unit


def version_of(path):
    """What nmibt writes into its reports as its name. A nmibt that can't do what is needed is none."""
    try:
        done = subprocess.run([path, '--version'], capture_output=True, text=True, timeout=60)
        batch = subprocess.run([path, '--json', '--batch=lists'], stdin=subprocess.DEVNULL,
                               capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Trouble('%s can\'t be run: %s' % (path, error)) from error
    version = done.stdout.strip()
    if done.returncode or batch.returncode or not version.startswith('nmibt '):
        raise Trouble('%s is no nmibt, or one without --batch: install the nmibt that belongs to this '
                      'nmibt-triage, or name it by --nmibt' % path)
    return version


def probe(store, path):
    """The signature's version is told by reports alone, so that a small dump is read once more."""
    rows = store.all("SELECT * FROM (SELECT folder, name, parts, size FROM inputs WHERE state = 'read' "
                     "ORDER BY id DESC LIMIT 100) ORDER BY size")
    reader = runner.Runner(path)
    with contextlib.closing(contextlib.ExitStack()) as stack:
        stack.callback(reader.stop)
        for row in rows[:3]:
            unit = candidates.Unit(row['folder'], row['name'], json.loads(row['parts'] or '[]'), 0, 0)
            with contextlib.suppress(runner.Died):
                report = reader.read(unit.paths())['report']
                if report:
                    return report['signature']['version']
    return None


# ------------------------------------------------------------------------------- reading

@dataclasses.dataclass
class Result:
    unit: candidates.Unit
    state: str  # as in the database; None: the file is gone
    reason: str = None
    exit_code: int = None
    report: dict = None
    packed: bytes = None  # the report as it is stored
    content: str = None  # by which a copy is known
    is_trouble: bool = False  # something is wrong, and the next scan tries again


def read_unit(unit, reader, options):
    try:
        candidates.examine(unit, options)
        if not unit.kind:
            return Result(unit, 'other')
        if unit.wait:
            return Result(unit, 'later', unit.wait)
        line = reader.read(unit.paths())
        if candidates.size_and_time_now(unit) != (unit.size, unit.mtime_ns):
            unit.is_fresh = True
            return Result(unit, 'later', 'it changed while it was read')
    except FileNotFoundError:
        return Result(unit, None)
    except OSError as error:  # which is not of its content, and may be mended without a trace in it
        return Result(unit, 'later', 'it can\'t be read: %s' % error.strerror, is_trouble=True)
    except runner.Died as death:
        return Result(unit, 'later', str(death), is_trouble=True)
    said = '\n'.join(line['messages'])[:SHOWN_REASON]
    code = line['exit_code']
    if line.get('temporary'):
        return Result(unit, 'later', said, is_trouble=True)
    if line['report']:
        return Result(unit, 'read', said, code, line['report'], pack(line['raw']),
                      facts.content_hash(line['raw']))
    return Result(unit, 'empty' if code == 1 else 'failed', said, code)


def work(todo, results, options):
    reader = runner.Runner(options.nmibt)
    while (unit := todo.get()) is not None:
        try:
            results.put(read_unit(unit, reader, options))
        except Exception as error:  # the one that waits for results must hear of it
            results.put(error)
    reader.stop()
    results.put(None)


# -------------------------------------------------------------------------------- writing

def write(store, result, outcome, nmibt):
    """Keeps one result."""
    unit = result.unit
    if result.state == 'read':
        crashes.put_parts_away(store, unit)
        crashes.put_report(store, result, outcome.scan)
    elif result.state == 'later':
        crashes.put_later(store, unit, result.reason)
    elif result.state:
        crashes.put_failure(store, unit, result.state, result.reason, result.exit_code, nmibt)


def count(result, outcome):
    unit = result.unit
    path = os.path.join(unit.folder, unit.name)
    if result.state in ('read', 'empty', 'failed', 'later'):
        setattr(outcome, result.state, getattr(outcome, result.state) + 1)
    outcome.fresh += unit.is_fresh and result.state == 'later'
    if result.state == 'failed' or result.is_trouble:
        outcome.troubles.append((path, result.reason))


class Scan:
    def __init__(self, store, folders, options):
        self.store, self.options = store, options
        self.nmibt = version_of(options.nmibt)
        self.plan = Plan(store, folders, options, (self.nmibt, probe(store, options.nmibt)))
        self.jobs = min(options.jobs, MOST_JOBS)
        self.todo = queue.Queue(2 * self.jobs)
        self.results = queue.Queue(AT_ONCE)
        self.stopped = threading.Event()
        self.outcome = Outcome()

    def feed(self):
        """Runs in a thread, which reads the database by a connection of its own."""
        try:
            with contextlib.closing(type(self.store)(self.store.path)) as store:
                self.plan.store = store
                for unit in self.plan.todo():
                    if self.stopped.is_set():
                        break
                    self.todo.put(unit)
        except Exception as error:
            self.results.put(error)
        for _ in range(self.jobs):
            self.todo.put(None)

    def start(self):
        threading.Thread(target=self.feed, daemon=True).start()
        for _ in range(self.jobs):
            threading.Thread(target=work, args=(self.todo, self.results, self.options),
                             daemon=True).start()

    def some_results(self):
        """Those that are there, at least one."""
        found = [self.results.get()]
        with contextlib.suppress(queue.Empty):
            while len(found) < AT_ONCE:
                found.append(self.results.get_nowait())
        return found

    def write_all(self, bar):
        running = self.jobs
        while running:
            found = self.some_results()
            with self.store.writing():
                news.goes_on(self.store, self.outcome.scan, self.plan.folders)
                for result in found:
                    if isinstance(result, Exception):
                        raise result
                    if result:
                        write(self.store, result, self.outcome, self.nmibt)
            for result in found:
                running -= result is None
                if result:
                    count(result, self.outcome)
                    bar.advance()

    def forget_gone(self):
        """As a dump that had another name while it was written."""
        self.plan.note_gone_folders()
        with self.store.writing():
            for number in self.plan.gone:
                self.store.change('DELETE FROM inputs WHERE id = ? AND crash_id IS NULL AND state IN ' +
                                  NOT_READ, number)

    def run(self):
        began = time.monotonic()
        outcome = self.outcome
        with self.store.writing():
            outcome.scan = news.begin(self.store, self.plan.folders)
        with stopping(self.stopped):
            total = sum(1 for _ in self.plan.todo())
            self.forget_gone()
            self.jobs = min(self.jobs, total)
            if total:
                with progress.show(total, self.options.quiet) as bar:
                    self.start()
                    self.write_all(bar)
        outcome.looked = self.plan.looked
        outcome.crashes = self.store.value('SELECT count(*) FROM crashes WHERE scan = ?', outcome.scan)
        outcome.seconds = time.monotonic() - began
        outcome.interrupted = self.stopped.is_set()
        outcome.troubles = [(words.escape(path), why) for path, why in self.plan.unreadable.items()] + \
            outcome.troubles
        return outcome


@contextlib.contextmanager
def stopping(event):
    """CTRL-C and SIGTERM end it in good order; a second one at once."""
    before = {}

    def stop(number, _frame):
        event.set()
        signal.signal(number, before[number])

    if threading.current_thread() is threading.main_thread():
        for number in signal.SIGINT, signal.SIGTERM:
            before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def check_folders(folders):
    for folder in folders:
        if not os.path.isdir(folder):
            raise Trouble('%s: %s' % (words.shown(folder), 'this is a file; name the folder that it is in'
                                      if os.path.exists(folder) else 'no such folder'))


def scan(store, folders, options):
    return Scan(store, folders, options).run()
