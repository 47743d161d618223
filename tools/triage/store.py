# SPDX-License-Identifier: GPL-2.0-or-later
"""The database: one SQLite file, which is opened, brought up to date and written here."""
import contextlib
import json
import os
import sqlite3
import time
import urllib.parse
import zlib

from . import Trouble, schema

BUSY_S = 300  # so long a program waits for one that stands still; a busy machine or a slow disk may do so for a while
# SQLite's own waiting asks ten times a second (3.40, src/main.c: sqliteDefaultBusyCallback()), and may not find a
# break of a program that writes one transaction behind the other.
ASK_EVERY_S = 0.002
MAX_REPORT = 256 << 20


def default_path():
    state = os.environ.get('XDG_STATE_HOME') or os.path.expanduser('~/.local/state')
    return os.environ.get('NMIBT_TRIAGE_DB') or os.path.join(state, 'nmibt', 'triage.db')


@contextlib.contextmanager
def explained(path):
    """Errors of SQLite as what a person can do about them."""
    try:
        yield
    except sqlite3.Error as error:
        text = str(error)
        if 'is full' in text:
            advice = 'no space is left on its disk. What was written before is safe; make room and ' \
                     'scan again'
        elif 'disk I/O' in text:
            advice = 'its disk can\'t be read or written (%s). What was written before is safe' % text
        elif 'locked' in text or 'locking' in text:
            advice = 'another program keeps it locked (%s); try again when that one is at its end' % text
        elif 'readonly' in text or 'unable to open' in text:
            advice = 'it can\'t be opened for writing: check the folder and its permissions'
        elif 'malformed' in text or 'not a database' in text:
            advice = 'it is no database, or a damaged one (%s)' % text
        else:
            advice = text
        raise Trouble('%s: %s' % (path, advice)) from error
    except UnicodeDecodeError as error:  # SQLite speaks of a name in a damaged schema
        raise Trouble('%s: it is no database, or a damaged one' % path) from error
    except UnicodeEncodeError as error:
        raise Trouble('"%s" is not in UTF-8, as all names in the database are' % error.object) from error


def can_be_written(path):
    """By this user, with the files that SQLite makes beside it."""
    return os.access(path, os.W_OK) and os.access(os.path.dirname(path) or '.', os.W_OK)


def uri_of(path, is_read_only):
    """SQLite makes no files beside what it may only read: without a -wal nobody has it open."""
    made = 'file:' + urllib.parse.quote(os.fsencode(os.path.abspath(path)))
    if not is_read_only:
        return made
    return made + ('?mode=ro' if os.path.exists(path + '-wal') else '?mode=ro&immutable=1')


class Store:
    """Rows are sqlite3.Row. Whoever writes does it inside of `with store.writing():`."""

    def __init__(self, path, must_exist=False):
        self.path = path
        self.known_functions = set()
        if must_exist and not os.path.exists(path):
            raise Trouble('%s: no such database. "nmibt-triage scan FOLDER" makes it; --db names '
                          'another one' % path)
        with explained(path):
            folder = os.path.dirname(path)
            try:
                if folder and not must_exist:
                    os.makedirs(folder, exist_ok=True)
            except OSError as error:
                raise Trouble('%s: its folder can\'t be made: %s' % (path, error.strerror)) from error
            self.is_read_only = must_exist and not can_be_written(path)
            self.db = sqlite3.connect(uri_of(path, self.is_read_only), timeout=BUSY_S,
                                      isolation_level=None, check_same_thread=False, uri=True)
            self.db.row_factory = sqlite3.Row
            self.check_owner()
            self.db.execute('PRAGMA cache_size = -32768')
            self.prepare()

    def prepare(self):
        if not self.is_read_only:
            # Here SQLite does not wait at all where another program makes the same database.
            self.execute_in_turn('PRAGMA journal_mode = WAL')
        self.db.execute('PRAGMA synchronous = NORMAL')
        self.db.execute('PRAGMA foreign_keys = ON')
        self.migrate()

    def check_owner(self):
        """Nobody's database is changed by mistake."""
        owner = self.db.execute('PRAGMA application_id').fetchone()[0]
        tables = self.db.execute('SELECT count(*) FROM sqlite_master').fetchone()[0]
        if owner != schema.APPLICATION_ID and tables:
            raise Trouble('%s: this is a database of another program' % self.path)

    def migrate(self):
        version = self.version()
        if version > len(schema.STEPS):
            raise Trouble('%s: a newer nmibt-triage wrote it (version %d of the schema; this one knows '
                          '%d). Use that one' % (self.path, version, len(schema.STEPS)))
        if version == len(schema.STEPS):
            return
        if self.is_read_only:
            raise Trouble('%s: an older nmibt-triage wrote it, or nothing did, and it can\'t be written to '
                          'bring it up to date' % self.path)
        with self.writing():
            # Another process may have done it meanwhile.
            for step in schema.STEPS[self.version():]:
                for statement in statements(step):
                    self.db.execute(statement)
            self.db.execute('PRAGMA application_id = %d' % schema.APPLICATION_ID)
            self.db.execute('PRAGMA user_version = %d' % len(schema.STEPS))

    def version(self):
        return self.db.execute('PRAGMA user_version').fetchone()[0]

    def close(self):
        self.db.close()

    @contextlib.contextmanager
    def writing(self):
        """All of it is written, or nothing."""
        with explained(self.path):
            self.execute_in_turn('BEGIN IMMEDIATE')
            try:
                yield
                self.db.execute('COMMIT')
            except BaseException:
                with contextlib.suppress(sqlite3.Error):  # a full disk has ended it already
                    self.db.execute('ROLLBACK')
                raise

    def execute_in_turn(self, sql):
        """Waits while others write, however many and for however long. Only one that stands still is not waited for."""
        waited, before = 0, None
        self.db.execute('PRAGMA busy_timeout = 0')
        try:
            while not self.is_done(sql):
                written = self.last_written()
                # What was slept counts, not the clock: this program or the machine may have stood still, too.
                waited = waited + ASK_EVERY_S if written == before else 0
                before = written
                if waited >= BUSY_S:
                    raise Trouble('%s: another program holds it, and has written nothing for %d s: let that one go on if '
                                  'it was stopped, or end it' % (self.path, BUSY_S))
                time.sleep(ASK_EVERY_S)
        finally:
            self.db.execute('PRAGMA busy_timeout = %d' % (BUSY_S * 1000))

    def is_done(self, sql):
        """False: another program holds the database."""
        try:
            self.db.execute(sql)
            return True
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xff != sqlite3.SQLITE_BUSY:
                raise
            return False

    def last_written(self):
        """What changes whenever somebody writes."""
        def time_of(path):
            with contextlib.suppress(OSError):
                return os.stat(path).st_mtime_ns
        return time_of(self.path), time_of(self.path + '-wal')

    def all(self, sql, *values):
        with explained(self.path):
            return self.db.execute(sql, values).fetchall()

    def each(self, sql, *values):
        """One row after another, for what may be a million."""
        with explained(self.path):
            yield from self.db.execute(sql, values)

    def one(self, sql, *values):
        """None: no row."""
        with explained(self.path):
            return self.db.execute(sql, values).fetchone()

    def value(self, sql, *values):
        row = self.one(sql, *values)
        return row[0] if row else None

    def change(self, sql, *values):
        return self.db.execute(sql, values).lastrowid

    # ------------------------------------------------------------------------- reports

    def put_report(self, number, packed):
        """packed: by pack()"""
        self.change('INSERT INTO reports VALUES (?, ?) ON CONFLICT (input) DO UPDATE SET document = '
                    'excluded.document', number, packed)

    def report(self, number):
        """The document that nmibt printed of this input, or None."""
        packed = self.value('SELECT document FROM reports WHERE input = ?', number)
        return self.parsed(unpack(packed), 'the report of input %d' % number) if packed else None

    def parsed(self, text, what):
        """A text of JSON, which may be a stranger's."""
        try:
            return json.loads(text)
        except (ValueError, TypeError, RecursionError) as error:
            raise Trouble('%s: %s is damaged; "nmibt-triage scan --again" makes it anew' %
                          (self.path, what)) from error

    def put_functions(self, names):
        new = [name for name in names if name not in self.known_functions]
        self.db.executemany('INSERT OR IGNORE INTO functions VALUES (?)', [(name,) for name in new])
        if len(self.known_functions) < 100000:
            self.known_functions.update(new)


class Other(Store):
    """A database of somebody else, perhaps of an older nmibt-triage which still uses it: it is read, and stays as
    it is."""

    def __init__(self, path):
        super().__init__(path, must_exist=True)

    def prepare(self):
        if self.version() < len(schema.STEPS):
            copy = sqlite3.connect('', isolation_level=None)  # a file without a name, which goes with it
            copy.row_factory = sqlite3.Row
            with contextlib.closing(self.db) as db:
                db.backup(copy)
            self.db, self.is_read_only = copy, False
        self.migrate()
        self.db.execute('PRAGMA query_only = ON')


def pack(raw):
    """A report as it is stored."""
    return zlib.compress(raw, 3)


def unpack(packed):
    """None: it is damaged, or larger than what a machine of thousands of CPUs has."""
    unpacker = zlib.decompressobj()
    try:
        raw = unpacker.decompress(packed, MAX_REPORT)
    except (zlib.error, TypeError):
        return None
    return raw if unpacker.eof else None


def statements(script):
    """executescript() would commit before it begins."""
    statement = ''
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ''
