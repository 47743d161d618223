# SPDX-License-Identifier: GPL-2.0-or-later
"""Shards: each file is of one, and what they find is together what one scan finds."""
import os
import shutil
import signal
import subprocess
import time

import fleet
from check_robust import children_of, whole_files
from common import DUMPS, HERE, NMIBT, TOP, TRIAGE, Triage, integrity, make_old, picture

OF = 3


def check_shards(results, tmp, folder, whole):
    """A dump and its text may be of different shards: that they are one crash is found by merge."""
    shards = [Triage(os.path.join(tmp, 'shard%d.db' % i)) for i in range(1, OF + 1)]
    for i, shard in enumerate(shards, 1):
        shard.scan(folder, '--shard', '%d/%d' % (i, OF))
    files = [set(shard.rows('SELECT folder, name FROM inputs')) for shard in shards]
    results.same('each row has its host and shard', [shard.rows('SELECT DISTINCT scanned_by, shard FROM inputs')
                                                     for shard in shards],
                 [[(os.uname().nodename, '%d/%d' % (i, OF))] for i in range(1, OF + 1)])
    results.same('each file is of one shard', (sum(map(len, files)), len(set.union(*files))),
                 (whole.value('SELECT count(*) FROM inputs'),) * 2)
    results.note('no shard is much larger than another', '' if max(map(len, files)) <
                 2 * min(map(len, files)) else [len(one) for one in files])
    for order in shards, shards[::-1]:
        merged = Triage(os.path.join(tmp, 'merged.db'))
        merged.text('merge', *[shard.db for shard in order])
        results.same('merged, they are what one scan finds', picture(merged), picture(whole))
        results.note('the merged database is sound', integrity(merged))
        results.same('it knows the functions of all stacks, of which rules are checked', *[
            one.rows('SELECT name FROM functions ORDER BY name') for one in (merged, whole)])
        results.same('it has the rows of each shard', sorted(merged.rows('SELECT shard, count(*) FROM inputs GROUP BY 1')),
                     [('%d/%d' % (i, OF), len(rows)) for i, rows in enumerate(files, 1)])
        before = merged.rows('SELECT * FROM crashes ORDER BY id')
        merged.text('merge', *[shard.db for shard in order])
        results.same('merged once more nothing changes', merged.rows('SELECT * FROM crashes ORDER BY id'),
                     before)
        results.same('and the files need not be read again', merged.scan(folder)['read'], 0)
        os.unlink(merged.db)
    return shards


def check_moved(results, tmp, folder, whole):
    """The same tree elsewhere, as another machine mounts it, has the same shards."""
    other = os.path.join(tmp, 'elsewhere')
    os.rename(folder, other)
    names = []
    for root in other, folder:
        shard = Triage(os.path.join(tmp, 'moved%d.db' % len(names)))
        shard.scan(root, '--shard', '2/%d' % OF)
        names.append(sorted(row[0] for row in shard.rows('SELECT name FROM inputs')))
        if root == other:
            os.rename(other, folder)
    results.same('shards do not depend on where the tree is mounted', names[0], names[1])


def check_by_hand(results, tmp, shards):
    """Names, joins and moved crashes of a shard come along."""
    shard = next(one for one in shards if one.value('SELECT count(*) FROM groups') >= 4)
    ids = [row[0] for row in shard.rows('SELECT id FROM groups ORDER BY crashes DESC')]
    shard.text('name', 'G%d' % ids[0], 'the first')
    shard.text('join', 'G%d' % ids[1], 'G%d' % ids[2])
    crash = shard.value('SELECT id FROM crashes WHERE group_id = ?', ids[3])
    new = shard.text('split', str(crash)).split()[0]
    shard.text('name', new, 'the odd one')
    merged = Triage(os.path.join(tmp, 'hands.db'))
    merged.text('merge', *[one.db for one in shards])
    told = merged.json('groups', '-n', '0')
    named = {group['name']: group for group in told if group['name']}
    joined = [group for group in told if len(group['signatures']) > 1]
    results.same('what was made by hand in a shard', (sorted(named), len(joined),
                                                      named['the odd one']['crashes']),
                 (['the first', 'the odd one'], 1, 1))
    results.note('that database is sound', integrity(merged))
    crash = shard.value('SELECT id FROM crashes WHERE group_id = ? AND NOT by_hand', ids[0])
    new = shard.text('split', str(crash)).split()[0]
    os.unlink(merged.db)
    for _ in range(2):
        merged.text('merge', *[one.db for one in shards])
    results.same('a group by hand without a name has none when it is merged, and is one group', (
        sorted(group['name'] for group in merged.json('groups', '-n', '0') if group['name']), merged.rows(
            "SELECT crashes, count(*) FROM groups WHERE origin LIKE 'merged:%:' || ?", new[1:])),
        (['the first', 'the odd one'], [(1, 1)]))
    results.note('that one is sound, too', integrity(merged))


def check_same_path(results, tmp):
    """Two machines that have different files at one path, as /var/crash/vmcore."""
    folder = os.path.join(tmp, 'local')
    path = os.path.join(folder, 'vmcore')
    os.mkdir(folder)
    machines = [Triage(os.path.join(tmp, 'machine%d.db' % i)) for i in range(3)]
    for machine, name in zip(machines, DUMPS):
        shutil.copy(DUMPS[name], path)
        machine.scan(folder)
    machines[2].rows('UPDATE inputs SET read_at = read_at + 100')
    for order in machines, machines[::-1]:
        merged = Triage(os.path.join(tmp, 'same-path.db'))
        for _ in range(2):
            merged.text('merge', *[machine.db for machine in order])
            results.same('different files at one path: all crashes are taken over, once',
                         (merged.value('SELECT count(*) FROM crashes'),
                          merged.value('SELECT count(*) FROM inputs'),
                          merged.value("SELECT arch FROM crashes JOIN inputs ON best = inputs.id WHERE "
                                       "state = 'read'")), (3, 3, 'arm64'))
        results.note('it is not said that one took the place of the other', '' if 'different files' in
                     ''.join(merged.text('show', str(i)) for i in (1, 2, 3)) else merged.text('show', '1'))
        results.note('the database of different files is sound', integrity(merged))
        os.unlink(merged.db)
    later = Triage(os.path.join(tmp, 'later.db'))
    later.run('scan', '--settle', '100000', folder)
    later.rows('UPDATE inputs SET read_at = read_at + 1000')
    machines[2].text('merge', later.db)
    results.same('a file that was left for later does not displace what was read',
                 machines[2].rows('SELECT state FROM inputs'), [('read',)])


def start_task(tmp, dumps, folder, **env):
    """The script as a task of an array job of Slurm starts it, alone in its process group."""
    return subprocess.Popen(['sh', os.path.join(TOP, 'scripts/nmibt-triage.sbatch'), dumps, folder], env={
        **os.environ, 'NMIBT_TRIAGE': TRIAGE, 'SLURM_ARRAY_TASK_ID': '1', 'SLURM_ARRAY_TASK_COUNT': '1', 'TMPDIR': tmp,
        'FAKE_REAL': NMIBT, **env}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)


def wait_for_results(tmp):
    """Until the task has kept some, which are in the work folder that it made below tmp."""
    for _ in range(1200):
        for folder in os.listdir(tmp):
            triage = Triage(os.path.join(tmp, folder, 'db'))
            if os.path.exists(triage.db) and triage.value('PRAGMA user_version') and \
                    triage.value('SELECT count(*) FROM inputs') > 3:
                return
        time.sleep(0.05)
    raise AssertionError('a task read nothing')


STOPS = {'all of it gets SIGTERM, as from Slurm': lambda task: os.killpg(task.pid, signal.SIGTERM),
         'the script gets SIGTERM': lambda task: task.terminate(),
         'the scan is killed': lambda task: [os.kill(pid, signal.SIGKILL) for pid in children_of(task)]}


def check_stopped(results, tmp, dumps, whole):
    """A task that reaches its time limit, or is cancelled: what was read is kept."""
    work = os.path.join(tmp, 'work')
    os.mkdir(work)
    for i, (name, stop) in enumerate(STOPS.items()):
        folder = os.path.join(tmp, 'stopped-%d' % i)
        task = start_task(work, dumps, folder, NMIBT=os.path.join(HERE, 'fake-nmibt'), FAKE_SLOW='0.05')
        wait_for_results(work)
        stop(task)
        said, _ = task.communicate()
        triage = Triage(os.path.join(folder, 'shard-1.db'))
        kept = triage.value('SELECT count(*) FROM inputs') if os.path.exists(triage.db) else 0
        results.note('a task that is stopped keeps what it read: %s' % name, '' if 3 < kept < len(whole_files(whole)) and
                     task.returncode and not integrity(triage) else (task.returncode, kept, said))
        results.same('and leaves no database behind', os.listdir(work), [])
        task = start_task(work, dumps, folder)
        said, _ = task.communicate()
        results.same('and goes on from there', (task.returncode, b' %d new or changed' % (len(whole_files(whole)) - kept) in said,
                                                picture(triage)), (0, True, picture(whole)))


def check(results, tmp, many):
    folder = os.path.join(tmp, 'fleet')
    fleet.make(folder, 600 if many else 90, kinds=8, seed=31, flat=True)
    real = os.path.join(folder, 'real')
    os.mkdir(real)
    source = DUMPS['x86_64-6.12-irqspin']
    shutil.copy(source, os.path.join(real, 'vmcore'))
    shutil.copy(os.path.join(os.path.dirname(source), 'console.log'),
                os.path.join(real, 'vmcore-dmesg.txt'))
    make_old(*(os.path.join(real, name) for name in os.listdir(real)))
    whole = Triage(os.path.join(tmp, 'whole.db'))
    whole.scan(folder)
    shards = check_shards(results, tmp, folder, whole)
    check_moved(results, tmp, folder, whole)
    check_by_hand(results, tmp, shards)
    check_same_path(results, tmp)
    check_stopped(results, tmp, folder, whole)
    done = whole.run('scan', '--shard', '4/3', folder)
    results.note('a shard that is none', '' if done.returncode == 2 and b'4/3' in done.stderr else done)
