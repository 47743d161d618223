# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules of known issues: which crashes they match, and what is said about those that are wrong."""
import json
import os
import shutil

import fleet
from check_hung import STACK, dump
from common import DUMPS, Triage

GOOD = r'''
[[issue]]
title = "nvme spins in its queue"
link = "https://example.org/1"
remedy = "Update to 6.12.120."
functions = ["nvme_queue_wait", "nvme_queue"]
kernel = ">=6.12, <6.13"

[[issue]]
title = "functions in another order"
functions = ["nvme_queue", "nvme_queue_wait"]

[[issue]]
title = "the module of the bundled dumps"
module = "nmibt_spin"
text = "sysrq triggered"

[[issue]]
title = "another kernel"
functions = ["nvme_queue_wait"]
kernel = "==6.1"

[[issue]]
title = "an outcome"
outcome = "self"
functions = ["mlx5_queue_slow"]
'''
BAD = [('[[issue]]\nfunctions = ["f"]', 'no title'),
       ('[[issue]]\ntitle = "x"', 'asks for nothing'),
       ('[[issue]]\ntitle = "x"\nfunction = ["f"]', '"function"'),
       ('[[issue]]\ntitle = "x"\nkernel = ">=6.6, <6.1"', 'no kernel is in this range'),
       ('[[issue]]\ntitle = "x"\nkernel = ">6.1, <6.2"', 'no kernel is in this range'),
       ('[[issue]]\ntitle = "x"\nkernel = "6.6"', 'no bound'),
       ('[[issue]]\ntitle = "x"\ntext = "("', 'no regular expression'),
       ('[[issue]]\ntitle = "x"\ntext = "a{99999999999999}"', 'too large'),
       ('[[issue]]\ntitle = "x"\ntext = "%s"' % ('(' * 5000), 'too large'),
       ('[[issue]]\ntitle = "x"\nkernel = ">=%s"' % ('9' * 5000), 'no bound'),
       ('x = %s' % ('[' * 5000), 'no TOML'),
       ('x = %s' % ('9' * 5000), 'no TOML'),
       ('[[issue]]\ntitle = "x"\noutcome = "dead"', 'no such outcome'),
       ('[[issue]]\ntitle = "x"\nfunctions = [1]', 'list of names'),
       ('[[issue]]\ntitle = "x"\nfunctions = []', 'not empty'),
       ('[[issue]\ntitle = "x"', 'no TOML'),
       ('[issue]\ntitle = "x"', '[[issue]]'),
       ('[[issues]]\ntitle = "x"', '[[issue]]'),
       ('[[issue]]\ntitle = "x"\nfunctions = ["nvme_queue_wiat"]', 'nvme_queue_wiat stands in no'),
       ('[[issue]]\ntitle = "x"\nmodule = "nvme_core"', 'module nvme_core stands in no')]


def check_matching(results, triage, rules):
    told = triage.json('groups', '-n', '0', '--known', rules)
    names = {}
    for group in told:
        frames = [frame for stack in group['stacks'] for frame in stack['frames']]
        key = next((frame.split('_')[0] for frame in frames if frame.endswith('_queue_wait')), 'spin')
        names.setdefault(key, set()).update(issue['title'] for issue in group['known'])
    results.same('each rule matches what it says and nothing else', names, {
        'nvme': {'nvme spins in its queue'}, 'mlx5': {'an outcome'}, 'ixgbe': set(),
        'spin': {'the module of the bundled dumps'}})
    text = triage.text('groups', '--known', rules)
    results.note('the text has title, link and remedy', '' if all(word in text for word in (
        'nvme spins in its queue: https://example.org/1', 'Update to 6.12.120.')) else text)


def check_mistakes(results, triage, tmp):
    path = os.path.join(tmp, 'bad.toml')
    for text, words in BAD:
        with open(path, 'w') as file:
            file.write(text)
        done = triage.run('known', path)
        results.note('a rule that is wrong: %s' % words, '' if done.returncode == 3 and
                     words in done.stderr.decode() else '%s %s' % (done, text))
    with open(path, 'w') as file:
        file.write('[[issue]]\ntitle = "x"\nkernel = "<0"\n' + GOOD)
    done = triage.run('groups', '--known', path)
    results.note('the other rules of its file are used, and it is said', '' if b'rule 1' in done.stderr and
                 b'nvme spins' in done.stdout and done.returncode == 3 else done)
    done = triage.run('groups', '--known', os.path.join(tmp, 'nowhere.toml'))
    results.note('a file of rules that is not there', '' if b'can\'t be read' in done.stderr and
                 done.returncode == 3 else done)


def check_remarks(results, triage, tmp):
    """Functions in an order in which they stand nowhere, and a kernel that no crash had."""
    path = os.path.join(tmp, 'remarks.toml')
    with open(path, 'w') as file:
        file.write('[[issue]]\ntitle = "x"\nfunctions = ["nmibt_spin_thread", "nmibt_spin_forever"]\n'
                   '[[issue]]\ntitle = "y"\nkernel = ">=7.5"\n'
                   '[[issue]]\ntitle = "z"\nfunctions = ["nmibt_spin_forever", "nmibt_spin_thread"]\n')
    done = triage.run('known', path)
    results.same('rules that match nothing are named, and are no mistakes', (done.returncode, done.stderr.decode()), (
        0, ''.join('nmibt-triage: %s, rule %d: it matches no stored crash\n' % (path, i) for i in (1, 2))))


def check_slow(results, tmp):
    """A regular expression that goes back and forth for ever in a text that was made for it. The program is at its end
    within Triage.run()'s patience, and the next rule is used."""
    folder, rules, good = os.path.join(tmp, 'slow'), os.path.join(tmp, 'slow.toml'), os.path.join(tmp, 'fast.toml')
    os.mkdir(folder)
    shutil.copy(DUMPS['x86_64-6.12-irqspin'], os.path.join(folder, 'vmcore'))
    triage = Triage(folder + '.db')
    triage.scan(folder)
    with open(rules, 'w') as file:
        file.write('[[issue]]\ntitle = "slow"\ntext = "(a+)+$"\n[[issue]]\ntitle = "fast"\ntext = "a{40}b"\n')
    with open(good, 'w') as file:
        file.write('[[issue]]\ntitle = "backwards"\ntext = "(ab|ba)*c"\n')
    for message, expected, code, lines in ('a' * 40 + 'b', ['fast'], 3, 1), ('a' * 40, ['slow'], 0, 0), \
            ('a' * 3000 + 'b', [], 0, 0):
        triage.rows('UPDATE crashes SET message = ?', message)
        done = triage.run('show', '1', '--json', '--known', rules)
        results.same('(a+)+$ in %d characters' % len(message), (
            [issue['title'] for issue in json.loads(done.stdout)['known']], done.returncode, done.stderr.count(b'\n'),
            b'rule 1: text = "(a+)+$" was searched for more than 1 s in the message of crash 1,' in done.stderr),
            (expected, code, lines, lines == 1))
    triage.rows('UPDATE crashes SET message = ?', 'a' * 40 + 'b')
    done = triage.run('known', rules)
    results.note('known complains of it', '' if done.returncode == 3 and done.stdout.endswith(b'1 complaint\n') and
                 b'more than 1 s' in done.stderr and b'no stored crash' not in done.stderr else done)
    triage.rows('UPDATE crashes SET message = ?', 'ab' * 1000)
    results.same('a long message and a rule that is right', triage.run('groups', '--known', good).returncode, 0)
    triage.rows("UPDATE crashes SET message = ?", 'a' * 40 + 'b')
    triage.rows('UPDATE scans SET ended = NULL')
    with open(rules, 'w') as file:
        file.write('[[issue]]\ntitle = "slow"\ntext = "(a+)+$"\n')
    done = triage.run('scan', '--settle', '0', '--fail-on-new', '--known', rules, folder)
    results.note('--fail-on-new: what it could not be asked of is not known', '' if done.returncode == 1 and
                 b'more than 1 s' in done.stderr and b'nobody knew: G1' in done.stderr else done)


def check_merged(triage, tmp):
    """A database that knows nothing is taken over."""
    folder = os.path.join(tmp, 'nothing')
    os.makedirs(folder, exist_ok=True)
    nothing = Triage(folder + '.db')
    nothing.scan(folder)
    triage.text('merge', nothing.db)


def check_gate(results, tmp, rules, folder):
    triage = Triage(os.path.join(tmp, 'gate.db'))
    done = triage.run('scan', '--settle', '100000000', '--fail-on-new', '-q', folder)
    results.note('--fail-on-new: dumps that are left for later do not pass', '' if done.returncode == 3 and
                 b'scan again' in done.stderr else done)
    marked = os.path.join(tmp, 'marked')
    os.mkdir(marked)
    shutil.copy(DUMPS['x86_64-6.12-irqspin'], os.path.join(marked, 'vmcore-incomplete'))
    done = triage.run('scan', '--settle', '0', '--fail-on-new', '-q', marked)
    results.note('--fail-on-new: nor do those that are marked as incomplete', '' if done.returncode == 3 and
                 b'list --later' in done.stderr else done)
    done = triage.run('scan', '--settle', '0', '--fail-on-new', folder)
    results.note('--fail-on-new: what is new fails', '' if done.returncode == 1 and
                 b'3 groups that nobody knew' in done.stderr else done)
    done = triage.run('scan', '--settle', '0', '--fail-on-new', folder)
    results.same('--fail-on-new: what is not new does not', done.returncode, 0)
    fleet.make(os.path.join(folder, 'more'), 5, kinds=3, seed=99)
    results.same('--fail-on-new: nor do other crashes of known groups',
                 triage.run('scan', '--settle', '0', '--fail-on-new', folder).returncode, 0)
    triage.rows('UPDATE scans SET ended = NULL')
    done = triage.run('scan', '--settle', '0', '--fail-on-new', folder)
    results.note('--fail-on-new: what a scan found that was killed is new', '' if done.returncode == 1 and
                 b'3 groups that nobody knew' in done.stderr else done)
    results.same('--fail-on-new: once', triage.run('scan', '--settle', '0', '--fail-on-new',
                                                   folder).returncode, 0)
    triage.rows('UPDATE scans SET ended = NULL')
    done = triage.run('scan', '--settle', '0', '--fail-on-new', os.path.dirname(DUMPS['x86_64-6.12-irqspin']))
    results.note('--fail-on-new: nothing is said of what a scan of other folders found', '' if done.returncode == 1 and
                 b'1 group that nobody knew' in done.stderr else done)
    check_merged(triage, tmp)
    triage.text('scan', '-q', '--settle', '0', folder)
    done = triage.run('scan', '--settle', '0', '--fail-on-new', folder)
    results.note('--fail-on-new: nor does it, a scan that tells nobody, or a merge, hide what a killed one found', '' if done.returncode == 1 and
                 b'3 groups that nobody knew' in done.stderr else done)
    os.unlink(triage.db)
    with open(rules, 'a') as file:
        file.write('[[issue]]\ntitle = "all others"\nfunctions = ["ixgbe_queue"]\n')
    results.same('--fail-on-new: what a rule explains does not',
                 triage.run('scan', '--settle', '0', '--fail-on-new', '--known', rules, folder).returncode,
                 0)


def check_overlap(results, tmp):
    """A scan of two folders was killed; each has a gate of its own, one of them of a folder below."""
    both = [os.path.join(tmp, name) for name in ('one', 'two')]
    for path, name in zip(both, ('x86_64-6.12-irqspin', 'arm64-6.12-irqspin')):
        os.makedirs(os.path.join(path, 'deep'))
        shutil.copy(DUMPS[name], os.path.join(path, 'deep/vmcore'))
    triage = Triage(os.path.join(tmp, 'overlap.db'))
    triage.scan(*both)
    triage.rows('UPDATE scans SET ended = NULL')
    for path in os.path.join(both[0], 'deep'), *both:
        done = triage.run('scan', '--settle', '0', '--fail-on-new', path)
        results.note('--fail-on-new: what a killed scan of more folders found in this one is new', '' if done.returncode == 1
                     and b'1 group that nobody knew' in done.stderr else done)
        done = triage.run('scan', '--settle', '0', '--fail-on-new', path)
        results.note('--fail-on-new: and once, if all of a folder was scanned', '' if
                     done.returncode == ('deep' in path) else done)


def check_each(results, tmp):
    """Two crashes of one group, which died in the same second: a rule has to explain both."""
    folder, rules = os.path.join(tmp, 'each'), os.path.join(tmp, 'each.toml')
    for name in 'x86_64-6.12-irqspin', 'x86_64-6.1-irqspin':
        os.makedirs(os.path.join(folder, name))
        shutil.copy(DUMPS[name], os.path.join(folder, name, 'vmcore'))
    triage = Triage(os.path.join(tmp, 'each.db'))
    for kernel, code in ('>=6.12', 1), ('<6.12', 1), ('>=6.1', 0):
        with open(rules, 'w') as file:
            file.write('[[issue]]\ntitle = "x"\nfunctions = ["nmibt_spin_forever"]\nkernel = "%s"\n' % kernel)
        done = triage.run('scan', '--settle', '0', '-q', '--fail-on-new', '--known', rules, folder)
        results.note('--fail-on-new: each crash of a new group is asked for its rule: %s' % kernel, '' if
                     done.returncode == code and (b'nobody knew: G1' in done.stderr) == code else done)
        os.unlink(triage.db)


def check_hung(results, tmp):
    """A panic of hung tasks whose stacks tell nothing has no signature, but is not known for that."""
    folder, rules = os.path.join(tmp, 'hung'), os.path.join(tmp, 'hung.toml')
    os.mkdir(folder)
    dump(os.path.join(folder, 'vmcore'), [(169, STACK)])
    triage = Triage(os.path.join(tmp, 'hung.db'))
    done = triage.run('scan', '--settle', '0', '--fail-on-new', folder)
    results.note('--fail-on-new: a new crash in no group fails', '' if done.returncode == 1 and
                 b'1 crash in no group that nobody knew: 1' in done.stderr else done)
    results.same('--fail-on-new: it is new once', triage.run('scan', '--settle', '0', '--fail-on-new',
                                                             folder).returncode, 0)
    triage.rows('UPDATE scans SET ended = NULL')
    check_merged(triage, tmp)
    done = triage.run('scan', '--settle', '0', '--fail-on-new', folder)
    results.note('--fail-on-new: and where the scan that found it was killed, for the next one', '' if
                 done.returncode == 1 and b'1 crash in no group that nobody knew: 1' in done.stderr else done)
    with open(rules, 'w') as file:
        file.write('[[issue]]\ntitle = "x"\ntext = "hung_task"\n')
    os.unlink(triage.db)
    results.same('--fail-on-new: nor if a rule explains it', triage.run(
        'scan', '--settle', '0', '--fail-on-new', '--known', rules, folder).returncode, 0)


def check(results, tmp, many):
    folder, rules = os.path.join(tmp, 'fleet'), os.path.join(tmp, 'good.toml')
    fleet.make(folder, 12, kinds=3, seed=5)
    with open(rules, 'w') as file:
        file.write(GOOD)
    triage = Triage(os.path.join(tmp, 'rules.db'))
    triage.scan(folder, os.path.dirname(DUMPS['x86_64-6.12-irqspin']))
    check_matching(results, triage, rules)
    text = triage.text('known', rules)
    results.note('rules that are right', '' if '5 rules can be used, 0 complaints' in text else text)
    check_mistakes(results, triage, tmp)
    check_remarks(results, triage, tmp)
    check_gate(results, tmp, rules, folder)
    check_overlap(results, tmp)
    check_each(results, tmp)
    check_slow(results, tmp)
    check_hung(results, tmp)
