# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables, step by step. docs/triage.md says of each column what it is.

A step is never changed once it was released: a database of any older version is brought up by the steps
that it lacks. PRAGMA user_version is the number of steps that it has.
"""
APPLICATION_ID = 0x6E6D6274  # "nmbt", so that file(1) and others can tell what it is

# AUTOINCREMENT: people write numbers of groups and crashes down, so that none is given twice.
FIRST = '''
CREATE TABLE groups (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT,
    crashes INTEGER NOT NULL DEFAULT 0,
    scan INTEGER
);
CREATE TABLE signatures (
    value TEXT PRIMARY KEY,
    group_id INTEGER NOT NULL REFERENCES groups(id),
    by_hand INTEGER NOT NULL DEFAULT 0,
    stacks TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX signatures_by_group ON signatures(group_id);
CREATE TABLE crashes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    best INTEGER,
    group_id INTEGER REFERENCES groups(id),
    by_hand INTEGER NOT NULL DEFAULT 0,
    host TEXT, release TEXT, build_id TEXT, arch TEXT,
    died INTEGER, uptime_ns INTEGER,
    dead INTEGER, message TEXT, culprit TEXT, signature TEXT,
    complete INTEGER NOT NULL, cpus INTEGER, outcomes TEXT NOT NULL
);
CREATE INDEX crashes_by_group ON crashes(group_id, died);
CREATE INDEX crashes_by_time ON crashes(died);
CREATE TABLE inputs (
    id INTEGER PRIMARY KEY,
    folder TEXT NOT NULL,
    name TEXT NOT NULL,
    parts TEXT,
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, fingerprint TEXT,
    state TEXT NOT NULL CHECK (state IN ('read', 'empty', 'failed', 'later', 'other', 'removed')),
    reason TEXT,
    exit_code INTEGER,
    kind TEXT,
    nmibt TEXT, signature_version INTEGER,
    read_at INTEGER,
    crash_id INTEGER REFERENCES crashes(id),
    facts TEXT
);
CREATE UNIQUE INDEX inputs_by_path ON inputs(folder, name) WHERE state != 'removed';
CREATE INDEX inputs_by_crash ON inputs(crash_id);
CREATE INDEX inputs_by_state ON inputs(state);
CREATE TABLE proofs (
    proof TEXT NOT NULL,
    input INTEGER NOT NULL REFERENCES inputs(id),
    PRIMARY KEY (proof, input)
) WITHOUT ROWID;
CREATE INDEX proofs_by_input ON proofs(input);
CREATE TABLE reports (
    input INTEGER PRIMARY KEY REFERENCES inputs(id),
    document BLOB NOT NULL
);
CREATE TABLE functions (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE tallies (
    group_id INTEGER NOT NULL REFERENCES groups(id),
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    crashes INTEGER NOT NULL,
    PRIMARY KEY (group_id, kind, value)
) WITHOUT ROWID;
CREATE TABLE scans (
    id INTEGER PRIMARY KEY,
    began INTEGER NOT NULL, ended INTEGER,
    folders TEXT NOT NULL
);
'''


def tally(row, step):
    """The counts of a group are kept as its crashes come and go, so that a million of them need not be
    counted again."""
    counted = ''.join('''
    INSERT INTO tallies VALUES ({row}.group_id, '{kind}', {value}, {step})
        ON CONFLICT (group_id, kind, value) DO UPDATE SET crashes = crashes + {step};
    DELETE FROM tallies WHERE group_id = {row}.group_id AND kind = '{kind}' AND value = {value}
        AND crashes = 0;'''.format(row=row, step=step, kind=kind, value=value.format(row))
                      for kind, value in (('host', "coalesce({}.host, '')"),
                                          ('release', "coalesce({}.release, '')"),
                                          ('day', 'coalesce({}.died / 86400, -1)')))
    return '''
    UPDATE groups SET crashes = crashes + {step} WHERE id = {row}.group_id;{counted}'''.format(
        row=row, step=step, counted=counted)


TRIGGERS = '''
CREATE TRIGGER crash_comes AFTER INSERT ON crashes WHEN NEW.group_id IS NOT NULL BEGIN{new}
END;
CREATE TRIGGER crash_goes AFTER DELETE ON crashes WHEN OLD.group_id IS NOT NULL BEGIN{old}
END;
CREATE TRIGGER crash_leaves AFTER UPDATE OF group_id, host, release, died ON crashes
WHEN OLD.group_id IS NOT NULL BEGIN{old}
END;
CREATE TRIGGER crash_enters AFTER UPDATE OF group_id, host, release, died ON crashes
WHEN NEW.group_id IS NOT NULL BEGIN{new}
END;
'''.format(new=tally('NEW', 1), old=tally('OLD', -1))

# Documents that were made before lack what later versions of nmibt-triage take from them: all is read again.
WHO_SCANNED = '''
ALTER TABLE inputs ADD COLUMN scanned_by TEXT;
ALTER TABLE inputs ADD COLUMN shard TEXT;
UPDATE inputs SET signature_version = NULL, nmibt = NULL;
'''

# What is known now of each file, by which others about the same crash are found, was not known before: all is read again.
WHO_FOUND = '''
ALTER TABLE crashes ADD COLUMN scan INTEGER;
ALTER TABLE groups ADD COLUMN origin TEXT;
UPDATE groups SET origin = name, name = NULL WHERE name LIKE 'merged:%:_%' AND rtrim(name, '0123456789') LIKE '%:';
CREATE INDEX crashes_by_scan ON crashes(scan) WHERE scan IS NOT NULL AND group_id IS NULL;
CREATE INDEX scans_not_ended ON scans(id) WHERE ended IS NULL;
UPDATE inputs SET signature_version = NULL, nmibt = NULL;
'''

STEPS = [FIRST + TRIGGERS, WHO_SCANNED, WHO_FOUND]
