# SPDX-License-Identifier: GPL-2.0-or-later
"""What list, groups, show and diff print, as text and as JSON."""
import json
import os

from . import Missing, groups, known, tables, words

SHOWN_FRAMES = 12
SHOWN_KERNELS = 4


def name_of(group):
    return 'G%d' % group['id'] + (' "%s"' % group['name'] if group['name'] else '')


# ----------------------------------------------------------------------------------- list

FILTERS = {'group': 'group_id = ?', 'host': 'host = ?', 'kernel': 'release GLOB ?',
           'since': 'died >= ?', 'until': 'died < ?'}


def crashes(store, limit=-1, **asked):
    """The newest first; those of unknown times at the end."""
    asked = {name: value for name, value in asked.items() if value is not None}
    where = ' AND '.join(FILTERS[name] for name in asked) or '1'
    return store.each('SELECT * FROM crashes WHERE %s ORDER BY died DESC, id DESC LIMIT ?' % where,
                      *asked.values(), limit)


def crash_json(crash):
    said = {key: crash[key] for key in ('id', 'host', 'release', 'build_id', 'arch', 'died', 'uptime_ns',
                                        'dead', 'message', 'culprit', 'signature', 'cpus')}
    return {**said, 'group': crash['group_id'], 'complete': bool(crash['complete']),
            'outcomes': json.loads(crash['outcomes'])}


def issues_json(rules, crash, stacks):
    """The known issues that it is."""
    return [{'title': rule.title, 'link': rule.link, 'remedy': rule.remedy}
            for rule in known.match(rules, crash, stacks)]


def print_issue(issue, indent, width):
    """width: of the names of lines."""
    for name, text in (('known', ': '.join(filter(None, (issue['title'], issue['link'])))), ('remedy', issue['remedy'])):
        if text:
            print('%s%-*s %s' % (indent, width, name, words.shown(text)))


def list_crashes(store, found):
    rows = [[str(crash['id']), words.day_of(crash['died']), words.cut(crash['host'] or '-', 24),
             words.cut(crash['release'] or '-', 32), 'G%d' % crash['group_id'] if crash['group_id']
             else '-', words.cut(words.why(crash), 48), words.cut(crash['culprit'] or '-', 40)]
            for crash in found]
    tables.show(['>id', 'died', 'host', 'kernel', 'group', 'why', 'in'], rows)


def inputs(store, states):
    return store.all('SELECT folder, name, state, reason, scanned_by, shard FROM inputs WHERE state IN (%s) ORDER BY folder, '
                     'name' % ', '.join('?' * len(states)), *states)


def input_json(row):
    return {'path': os.path.join(row['folder'], row['name']), 'state': row['state'], 'why': row['reason'],
            'scanned_by': row['scanned_by'], 'shard': row['shard']}


def elsewhere(row):
    """Of which machine the path is, unless it is this one."""
    if row['scanned_by'] in (None, words.escape(os.uname().nodename)):
        return ''
    return ' on %s' % words.shown(row['scanned_by'])


def list_inputs(found):
    for row in found:
        print('%s%s  %s' % (words.shown(os.path.join(row['folder'], row['name'])), elsewhere(row), words.shown(
            (row['reason'] or row['state']).replace('\n', '; '))))


# --------------------------------------------------------------------------------- groups

def group_json(store, group, rules, last_day):
    crash = groups.newest(store, group['id'])
    stacks = groups.stacks_of(store, crash)
    days = groups.by_day(store, group['id'])
    before, recent = groups.trend(days, last_day) if days else (None, None)
    return {
        'id': group['id'], 'name': group['name'], 'crashes': group['crashes'], 'hosts': group['hosts'],
        'first': group['first'], 'last': group['last'],
        'kernels': groups.tallies(store, group['id'], 'release'),
        'last_7_days': recent, 'the_7_days_before': before, 'last_day': None if last_day is None else last_day * 86400,
        'signatures': [row[0] for row in store.all('SELECT value FROM signatures WHERE group_id = ?',
                                                   group['id'])],
        'newest': crash_json(crash), 'stacks': stacks, 'known': issues_json(rules, crash, stacks),
    }


def last_day(store):
    """Of the newest crash: what is recent goes by that, not by today, which an archive knows nothing
    of. None: of no crash it is known when it was."""
    return store.value('SELECT max(died) / 86400 FROM crashes')


def print_stack(stack, indent='    '):
    frames = [words.cut(frame, 100) for frame in stack['frames']]
    left = len(frames) - SHOWN_FRAMES
    more = ['and %s' % words.count(left, 'more frame')] if left > 0 else []
    print(indent + '%-10s %s' % (words.cut(stack['why'], 20), ('\n' + indent + ' ' * 11).join(
        frames[:SHOWN_FRAMES] + more)))


def kernels_line(counts):
    shown = ['%s (%s)' % (words.cut(release or 'unknown', 40), format(count, ','))
             for release, count in list(counts.items())[:SHOWN_KERNELS]]
    left = len(counts) - SHOWN_KERNELS
    return ', '.join(shown + (['and %d more' % left] if left > 0 else []))


def print_group(said):
    name = 'G%d' % said['id'] + (' "%s"' % words.shown(said['name']) if said['name'] else '')
    seen = words.day_of(said['first']), words.day_of(said['last'])
    hosts = ' on ' + words.count(said['hosts'], 'named host') if said['hosts'] else ''
    print('%s  %s%s, %s' % (name, words.count(said['crashes'], 'crash'), hosts,
                            seen[0] if seen[0] == seen[1] else '%s to %s' % seen))
    print('    why        %s' % words.cut(words.why(said['newest']), 100))
    print('    kernels    %s' % kernels_line(said['kernels']))
    if said['last_7_days'] is not None:
        print('    trend      %s in the 7 days up to %s, %s in the 7 before' %
              (format(said['last_7_days'], ','), words.day_of(said['last_day']),
               format(said['the_7_days_before'], ',')))
    for issue in said['known']:
        print_issue(issue, '    ', 10)
    for stack in said['stacks'][:2]:
        print_stack(stack)
    if len(said['stacks']) > 2:
        print('    and %s: "nmibt-triage show %d"' % (words.count(len(said['stacks']) - 2, 'more stack'),
                                                      said['newest']['id']))
    print()


def print_groups(store, rules, order, limit):
    day = last_day(store)
    for group in groups.all_groups(store, order, limit):
        print_group(group_json(store, group, rules, day))
    total = store.value('SELECT count(*) FROM groups WHERE crashes > 0')
    if 0 <= limit < total:
        print('%d of %s. -n 0 shows all.' % (limit, words.count(total, 'group')))
    loose = groups.without_signature(store)
    if loose:
        print('%s without a signature in no group: of no CPU or task that it died of there is a stack that tells it.' %
              words.count(loose, 'crash'))


# ----------------------------------------------------------------------------------- show

def crash_of_file(store, folder, name):
    """The file is what nmibt reads, or one of several that it reads at once. What it was last counts."""
    for what in 'name = ?', 'parts IS NOT NULL AND ? IN (SELECT value FROM json_each(parts))':
        crash = store.one('SELECT crashes.* FROM crashes JOIN inputs ON crash_id = crashes.id '
                          'WHERE folder = ? AND %s ORDER BY inputs.id DESC' % what, folder, name)
        if crash:
            return crash
    return None


def find_crash(store, word, also=''):
    """By its number, or by the path of a file that is about it. also: what else there is none of."""
    number = words.number(word)
    if number is not None:
        crash = store.one('SELECT * FROM crashes WHERE id = ?', number)
    else:
        crash = crash_of_file(store, *map(words.escape, os.path.split(os.path.abspath(word))))
    if not crash:
        raise Missing('%s: no such crash%s. "nmibt-triage list" lists them; a crash is named by its number '
                      'there, or by the path of its dump' % (words.shown(word), also))
    return crash


def files_of(store, crash):
    return store.all('SELECT * FROM inputs WHERE crash_id = ? ORDER BY id = ? DESC, id', crash['id'],
                     crash['best'])


def outcomes_line(outcomes):
    return ', '.join('%s %s' % (count, words.shown(outcome)) for outcome, count in outcomes.items())


def files_json(store, crash):
    rows = files_of(store, crash)
    return {'files': [os.path.join(row['folder'], row['name']) for row in rows],
            'scanned_by': [row['scanned_by'] for row in rows]}


def crash_json_whole(store, crash, rules):
    stacks = groups.stacks_of(store, crash)
    return {**crash_json(crash), 'stacks': stacks, 'known': issues_json(rules, crash, stacks),
            **files_json(store, crash)}


def print_crash(store, crash, rules):
    stacks = groups.stacks_of(store, crash)
    group = store.one('SELECT * FROM groups WHERE id = ?', crash['group_id'])
    print('crash       %d' % crash['id'])
    print('died        %s' % words.time_of(crash['died']))
    for name, value in (('host', crash['host']), ('kernel', crash['release']),
                        ('build-id', crash['build_id'])):
        print('%-11s %s' % (name, words.shown(value or 'unknown')))
    print('why         %s' % words.cut(words.why(crash), 300))
    print('group       %s' % (words.shown(name_of(group)) + ', with %s' % words.count(
        group['crashes'] - 1, 'other crash') if group else 'none: it has no signature'))
    print('outcomes    %s' % outcomes_line(json.loads(crash['outcomes'])))
    if not crash['complete']:
        print('incomplete  something of it is damaged, lost or unreadable; nmibt says what')
    for issue in issues_json(rules, crash, stacks):
        print_issue(issue, '', 11)
    for row in files_of(store, crash):
        path = os.path.join(row['folder'], row['name'])
        parts = json.loads(row['parts'] or '[]')
        print('%-11s %s%s%s' % (row['kind'], words.shown(path), ' and %s' % words.count(
            len(parts), 'more part') if parts else '', elsewhere(row)))
        if row['state'] == 'removed':
            print('            it is no longer read there: %s' % words.shown(row['reason'] or ''))
        elif row['reason']:
            print('            %s' % words.shown(row['reason'].replace('\n', '; ')))
    for stack in stacks:
        print()
        print_stack(stack, '')


# ----------------------------------------------------------------------------------- diff

COMPARED = ('host', 'release', 'build_id', 'arch', 'message', 'signature', 'cpus', 'outcomes')


def stacks_apart(store, a, b):
    """Of both, the stacks that it alone has."""
    mine, others = (groups.stacks_of(store, crash) for crash in (a, b))
    return [stack for stack in mine if stack not in others], [stack for stack in others if stack not in mine]


def diff_json(store, a, b):
    """Of two crashes. What is said of both is a pair, in the order in which they were named."""
    both = crash_json(a), crash_json(b)
    return {'crashes': both, 'same_group': a['group_id'] is not None and a['group_id'] == b['group_id'],
            'facts': {name: [one[name] for one in both] for name in COMPARED if both[0][name] != both[1][name]},
            'stacks': stacks_apart(store, a, b)}


def fact_line(name, value):
    return 'unknown' if value is None else words.cut(outcomes_line(value) if name == 'outcomes' else value, 200)


def print_diff(said):
    a, b = said['crashes']
    print('%s: crash %d and crash %d' % ('one group, G%d' % a['group'] if said['same_group'] else 'no common group',
                                         a['id'], b['id']))
    for name, (mine, other) in said['facts'].items():
        print('%s\n  - %s\n  + %s' % (name, fact_line(name, mine), fact_line(name, other)))
    for sign, stacks in zip('-+', said['stacks']):
        for stack in stacks:
            print('%s stack' % words.cut(stack['why'], 20))
            for frame in stack['frames']:
                print('  %s %s' % (sign, words.cut(frame, 200)))


def releases(store, word):
    """Of the crashes that are stored, those that a pattern names."""
    return [row[0] for row in store.all('SELECT DISTINCT value FROM tallies WHERE kind = ? AND value '
                                        'GLOB ? ORDER BY value', 'release', word)]


def compare_kernels(store, a, b):
    """Each group that one of them has, with its crashes in both."""
    return store.all('''
        SELECT group_id, sum(CASE WHEN value GLOB ? THEN crashes ELSE 0 END) AS a,
            sum(CASE WHEN value GLOB ? THEN crashes ELSE 0 END) AS b
        FROM tallies WHERE kind = 'release' GROUP BY group_id HAVING a > 0 OR b > 0
        ORDER BY (a > 0) + (b > 0), a + b DESC, group_id''', a, b)


def kernel_diff_json(store, *patterns):
    """Of two kernels. Pairs as in diff_json()."""
    return {'kernels': patterns, 'releases': [[release or None for release in releases(store, one)] for one in patterns],
            'groups': [{'id': row['group_id'], 'crashes': [row['a'], row['b']],
                        'newest': crash_json(groups.newest(store, row['group_id']))}
                       for row in compare_kernels(store, *patterns)]}


def print_kernel_diff(said):
    rows = []
    for group in said['groups']:
        a, b = group['crashes']
        note = '' if a and b else 'only the first' if a else 'only the second'
        rows.append(['G%d' % group['id'], format(a, ','), format(b, ','), note,
                     words.cut(words.why(group['newest']), 48), words.cut(group['newest']['culprit'] or '-', 40)])
    tables.show(['group', *('>' + words.cut(one, 24) for one in said['kernels']), '', 'why', 'in'], rows)
