# SPDX-License-Identifier: GPL-2.0-or-later
"""Exit codes, by which a cron job or a gate knows what came of it, and that each error is said in a line."""
import os
import shutil
import sqlite3
import subprocess
import zlib

import fleet
from common import NMIBT, TRIAGE, Triage

LARGE = '9' * 30


def to_nobody(triage, *args):
    """With a pipe as its standard output that nobody reads."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([TRIAGE, '--db', triage.db, *args], stdout=write, stderr=subprocess.PIPE, env=triage.env)
    os.close(write)
    return done


def check_output(results, triage):
    """Where standard output can't be written."""
    for args in ['list'], ['groups', '--json'], ['export']:
        with open('/dev/full', 'w') as full:
            done = subprocess.run([TRIAGE, '--db', triage.db, *args], stdout=full, stderr=subprocess.PIPE,
                                  env=triage.env)
        results.note('%s: there is no room for its output' % args[0], '' if done.returncode == 4 and
                     done.stderr.count(b'\n') == 1 and b'standard output' in done.stderr else done)
    done = to_nobody(triage, 'list')
    results.same('nobody reads its output', (done.returncode, done.stderr), (0, b''))
    triage.text('name', 'G1', 'naïve ☃')
    other = Triage(triage.db, PYTHONIOENCODING='latin-1')
    done = other.run('groups')
    results.note('a locale that lacks characters', '' if done.returncode == 0 and
                 b'na\xefve \\u2603' in done.stdout else done)


def check_reader(results, tmp):
    """Whoever does not read what is printed is not told that all went well."""
    folder, rules = os.path.join(tmp, 'fleet'), os.path.join(tmp, 'bad.toml')
    for options in ['-q'], [], ['--json']:
        triage = Triage(os.path.join(tmp, 'reader.db'))
        done = to_nobody(triage, 'scan', '--settle', '0', '--fail-on-new', *options, folder)
        results.note('nobody reads what a gate prints: %s' % options, '' if done.returncode == 1 and
                     b'nobody knew: G1' in done.stderr else done)
        os.unlink(triage.db)
    results.same('nobody reads what a scan prints', to_nobody(triage, 'scan', '--settle', '0', folder).returncode, 0)
    results.same('nobody reads what would go', to_nobody(triage, 'prune', '--keep', '1').returncode, 0)
    done = triage.run('scan', '--settle', '0', '--fail-on-new', folder)
    results.note('then it is new for the next one', '' if done.returncode == 1 and b'knew: G1' in done.stderr else done)
    with open(rules, 'w') as file:
        file.write('[[issue]]\ntitle = "x"\n')
    done = Triage(os.path.join(tmp, 'none.db')).run('known', rules)
    results.note('known says that there is no database', '' if b'none.db: there is no such database' in done.stderr and
                 b'0 rules' in done.stdout else done)
    for args in ['known', rules], ['prune', '--keep', '1', '--yes']:
        done = to_nobody(triage, *args)
        results.note('nobody reads what %s prints' % args[0], '' if done.returncode == 4 and
                     b'standard output' in done.stderr else done)


def check_numbers(results, triage):
    for args, code in (['show', LARGE], 1), (['show', LARGE * 200], 1), (['name', 'G' + LARGE, 'x'], 1), \
            (['split', LARGE], 1), (['list', '-n', LARGE], 2), (['prune', '--keep', LARGE], 2), \
            (['list', '--host', b'\xff'], 4), (['name', 'G1', b'\xff'], 4):
        done = triage.run(*args)
        results.note('no number or name that the database could have: %s' % str(args)[:40],
                     '' if done.returncode == code and b'Traceback' not in done.stderr else done)


def check_nothing(results, triage):
    for args, text in (['show', '77'], 'no such crash'), (['list', '--group', 'G77'], 'no such group'), \
            (['list', '--host', 'nobody'], 'no crash fits'), (['diff', '9.*', '9.1.*'], 'no stored kernel'), \
            (['split', '77'], 'no such crash'), (['list', '--failed'], 'no file fits'), \
            (['list', '--group', ''], 'no such group'), (['split', ''], 'no crash has this signature'):
        done = triage.run(*args)
        results.note('nothing is found: %s' % ' '.join(args), '' if done.returncode == 1 and
                     text in done.stderr.decode() else done)


def check_kinds(results, triage):
    """diff of two words of which one is a kernel."""
    for args, code, text in (['6.1*', '9*'], 1, '9*: no such crash, and no stored kernel'), \
            (['77', '6.1*'], 1, '77: no such crash, and no stored kernel'), \
            (['1', '6.1*'], 2, 'one of "1" and "6.1*" is a kernel and the other one a crash'):
        done = triage.run('diff', *args)
        results.note('diff %s %s' % tuple(args), '' if done.returncode == code and text in done.stderr.decode() else done)


def check_program(results, tmp):
    """A nmibt that is named by a relative path is this one, and not one of PATH."""
    os.symlink(NMIBT, os.path.join(tmp, 'own-nmibt'))
    triage = Triage(os.path.join(tmp, 'program.db'))
    done = triage.run('scan', '--nmibt', './own-nmibt', '--settle', '0', 'fleet', cwd=tmp)
    results.note('--nmibt with a relative path', '' if done.returncode == 0 and b'2 read' in done.stdout else done)
    done = triage.run('scan', '--nmibt', '/bin/true', '--settle', '0', '--again', 'fleet', cwd=tmp)
    results.note('a program that has no version is no nmibt', '' if done.returncode == 4 and b'is no nmibt' in done.stderr
                 else done)
    done = triage.run('name', 'G1', ' ')
    results.note('a name of blanks is none', '' if b'has no name' in done.stdout else done)


def check_no_folder(results, tmp):
    """It is started in a folder that is removed meanwhile."""
    gone = os.path.join(tmp, 'gone')
    os.mkdir(gone)
    done = subprocess.run(['sh', '-c', 'rmdir %s; exec %s --db x.db scan %s' % (gone, TRIAGE, tmp)], cwd=gone, capture_output=True)
    results.note('the folder that it was started in is gone', '' if done.returncode == 4 and
                 b'in which it was started' in done.stderr else done)


def check_join(results, tmp):
    fleet.make(os.path.join(tmp, 'two'), 8, kinds=2)
    triage = Triage(os.path.join(tmp, 'two.db'))
    triage.scan(os.path.join(tmp, 'two'))
    triage.text('name', 'G1', 'first')
    triage.text('name', 'G2', 'second')
    results.same('join says which name is gone', triage.text('join', 'G1', 'G2'),
                 'all is G1 now\nthe name "second" is given up\n')


def check_jobs(results, tmp):
    """As many as there are files, whatever was asked for."""
    triage = Triage(os.path.join(tmp, 'jobs.db'))
    done = triage.run('scan', '-j', '100000000', '--settle', '0', os.path.join(tmp, 'fleet'))
    results.note('more jobs than files', '' if done.returncode == 0 and b'2 read' in done.stdout else done)


def check_inputs(results, triage):
    """Files that nothing came of, as JSON."""
    triage.rows("UPDATE inputs SET state = 'failed', reason = 'a test' WHERE id = 1")
    found = triage.json('list', '--failed')
    results.same('list --failed --json', [(one['state'], one['why'], os.path.isabs(one['path']))
                                          for one in found], [('failed', 'a test', True)])
    done = triage.run('list', '--failed', '--host', 'x')
    results.same('list --failed takes no filter of crashes', done.returncode, 2)


def check_database(results, tmp, triage):
    for path in '', ':memory:':
        results.same('"%s" is no database' % path, Triage(path).run('scan', tmp).returncode, 2)
    other = Triage(os.path.join(tmp, 'other.db'))
    other.run('scan', os.path.join(tmp, 'nowhere'))
    results.same('a scan of nothing makes no database', os.path.exists(other.db), False)


def check_damaged(results, tmp, triage):
    """A database in which there is what nmibt-triage never wrote."""
    copies = 0

    def changed(sql, *values):
        nonlocal copies
        copies += 1
        copy = Triage(os.path.join(tmp, 'damaged%d.db' % copies))
        shutil.copy(triage.db, copy.db)
        copy.rows(sql, *values)
        return copy

    for args, sql in (['groups'], "UPDATE crashes SET died = 'text'"), \
            (['show', '1'], "UPDATE crashes SET outcomes = 'null'"), \
            (['show', '1'], "UPDATE signatures SET stacks = '[{}]'"):
        done = changed(sql).run(*args)
        results.note('a damaged database is no new group: %s' % sql, '' if done.returncode == 4 and
                     b'never wrote' in done.stderr else done)
    for args, sql in (['groups'], "UPDATE signatures SET stacks = '%s'" % ('[' * 100000)), \
            (['groups'], "UPDATE signatures SET stacks = 'x'"), \
            (['show', '1', '--report'], "UPDATE reports SET document = x'00'"), \
            (['show', '1', '--report'], "UPDATE reports SET document = 7"):
        done = changed(sql).run(*args)
        results.note('what is damaged is said: %s' % sql[:50], '' if done.returncode == 4 and
                     done.stderr.count(b'\n') == 1 and b'is damaged' in done.stderr else done)
    for sql in "UPDATE inputs SET parts = '{'", "UPDATE inputs SET facts = '7'", "UPDATE inputs SET kind = 'x'":
        there = changed(sql)
        done = Triage(there.db + '.into').run('merge', there.db)
        results.note('merge names the database that it read: %s' % sql, '' if done.returncode == 4 and
                     done.stderr.count(b'\n') == 1 and b'nmibt-triage: %s: it can' % there.db.encode() in done.stderr else done)
    there = changed('CREATE TABLE tablewithaname (x)')
    with open(there.db, 'r+b') as file:
        data = file.read().replace(b'tablewithaname (x)', b'tablewithaname (((').replace(b'tablewithaname', b'table\xff\xfeithname')
        file.seek(0)
        file.write(data)
    done = there.run('groups')
    results.note('a schema that is damaged', '' if done.returncode == 4 and done.stderr.count(b'\n') == 1 and
                 b'damaged' in done.stderr else done)
    large = changed('UPDATE reports SET document = ?', zlib.compress(b' ' * (300 << 20), 1))
    results.note('a report of 300 MiB is not unpacked', '' if b'is damaged' in
                 large.run('show', '1', '--report').stderr else 'it is')


def check_read_only(results, tmp, triage):
    """The database of a server is root's, and others read it."""
    if os.getuid():
        print('     a database that may only be read was left out: this takes root')
        return
    folder = os.path.join(tmp, 'server')
    os.mkdir(folder)
    os.chmod(tmp, 0o755)
    path = os.path.join(folder, 'triage.db')
    shutil.copy(triage.db, path)
    os.chmod(path, 0o444)
    user = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', TRIAGE]
    before = sorted(os.listdir(folder))
    done = subprocess.run([*user, '--db', path, 'groups'], capture_output=True)
    results.note('who may not write to a database can read it', '' if done.returncode == 0 and
                 b'crashes' in done.stdout and sorted(os.listdir(folder)) == before else done)
    done = subprocess.run([*user, '--db', path, 'name', 'G1', 'x'], capture_output=True)
    results.note('and is told that it can\'t be written', '' if done.returncode == 4 and
                 done.stderr.count(b'\n') == 1 and b'for writing' in done.stderr else done)
    with sqlite3.connect(path) as db:  # who scans meanwhile
        db.execute("UPDATE groups SET name = 'meanwhile'")
        db.commit()
        done = subprocess.run([*user, '--db', path, 'groups'], capture_output=True)
    results.note('also while it is written', '' if done.returncode == 0 and b'meanwhile' in done.stdout
                 else done)


def check(results, tmp, many):
    fleet.make(os.path.join(tmp, 'fleet'), 2, kinds=1)
    triage = Triage(os.path.join(tmp, 'exit.db'))
    triage.scan(os.path.join(tmp, 'fleet'))
    check_output(results, triage)
    check_numbers(results, triage)
    check_nothing(results, triage)
    check_kinds(results, triage)
    check_database(results, tmp, triage)
    check_damaged(results, tmp, triage)
    check_read_only(results, tmp, triage)
    check_inputs(results, triage)
    check_join(results, tmp)
    check_jobs(results, tmp)
    check_program(results, tmp)
    check_no_folder(results, tmp)
    check_reader(results, tmp)
