# SPDX-License-Identifier: GPL-2.0-or-later
"""The form of what --json prints, and that docs/triage.md has all of it."""
import json
import os
import re

import jsonschema

import fleet
from common import DUMPS, TOP, Triage

RULES = '''
[[issue]]
title = "nmibt_spin spins"
functions = ["nmibt_spin_forever"]

[[issue]]
title = "with all"
link = "https://example.org/1"
remedy = "Do not load it."
module = "nmibt_spin"
'''


def form(*names):
    return {'type': list(names)}


def array(of, **more):
    return {'type': 'array', 'items': of, **more}


def pair(of):
    return array(of, minItems=2, maxItems=2)


def fields(**of):
    """All of these, and no others."""
    return {'type': 'object', 'properties': of, 'required': list(of), 'additionalProperties': False}


TEXT, NUMBER, TRUTH = form('string'), form('integer'), form('boolean')
MAYBE_TEXT, MAYBE_NUMBER = form('string', 'null'), form('integer', 'null')
COUNTS = {'type': 'object', 'additionalProperties': NUMBER}
STACKS = array(fields(why=TEXT, frames=array(TEXT)))
ISSUES = array(fields(title=TEXT, link=MAYBE_TEXT, remedy=MAYBE_TEXT))
CRASH_FIELDS = dict(
    id=NUMBER, host=MAYBE_TEXT, release=MAYBE_TEXT, build_id=MAYBE_TEXT, arch=MAYBE_TEXT, died=MAYBE_NUMBER,
    uptime_ns=MAYBE_NUMBER, dead=MAYBE_NUMBER, message=MAYBE_TEXT, culprit=MAYBE_TEXT, signature=MAYBE_TEXT,
    cpus=MAYBE_NUMBER, group=MAYBE_NUMBER, complete=TRUTH, outcomes=COUNTS)
CRASH = fields(**CRASH_FIELDS)
# By the first cells of the rows in docs/triage.md.
FORMS = {
    'list': array(CRASH),
    'list --failed': array(fields(path=TEXT, state=TEXT, why=MAYBE_TEXT, scanned_by=MAYBE_TEXT, shard=MAYBE_TEXT)),
    'show': fields(**CRASH_FIELDS, stacks=STACKS, known=ISSUES, files=array(TEXT), scanned_by=array(MAYBE_TEXT)),
    'groups': array(fields(
        id=NUMBER, name=MAYBE_TEXT, crashes=NUMBER, hosts=NUMBER, first=MAYBE_NUMBER, last=MAYBE_NUMBER, kernels=COUNTS,
        last_7_days=MAYBE_NUMBER, the_7_days_before=MAYBE_NUMBER, last_day=MAYBE_NUMBER, signatures=array(TEXT),
        newest=CRASH, stacks=STACKS, known=ISSUES)),
    'diff of two crashes': fields(
        crashes=pair(CRASH), same_group=TRUTH, stacks=pair(STACKS),
        facts={'type': 'object', 'additionalProperties': False, 'properties': {name: pair(CRASH_FIELDS[name]) for name in (
            'host', 'release', 'build_id', 'arch', 'message', 'signature', 'cpus', 'outcomes')}}),
    'diff of two kernels': fields(
        kernels=pair(TEXT), releases=pair(array(MAYBE_TEXT)),
        groups=array(fields(id=NUMBER, crashes=pair(NUMBER), newest=CRASH))),
}


def names_in(schema):
    """All names of fields, but for those of a crash, which `list` has."""
    for name, of in schema.get('properties', {}).items():
        yield name
        if of is not CRASH:
            yield from names_in(of)
    if schema.get('items', CRASH) is not CRASH:
        yield from names_in(schema['items'])


def check_documented(results):
    with open(os.path.join(TOP, 'docs/triage.md')) as file:
        text = file.read().split('## For scripts\n')[1].split('\n## ')[0]
    table, below = text.rsplit('|\n', 1)
    rows = {head.replace('`', '').split(',')[0]: row for head, row in re.findall(r'^\| (`.*?) \|(.*)', table, re.M)}
    for command, schema in FORMS.items():
        said = rows[command] + below + (rows['list'] if command == 'show' else '')  # one crash, as in list
        results.same('docs/triage.md has each field of %s' % command, sorted(
            {name for name in names_in(schema) if '`%s`' % name not in said}), [])


def check_form(results, triage, command, *args):
    try:
        jsonschema.validate(triage.json(*args), FORMS[command])
        results.note('the form of %s' % ' '.join(args))
    except jsonschema.ValidationError as error:
        results.note('the form of %s' % ' '.join(args), '%s: %s' % (list(error.absolute_path), error.message))


def check_diff(results, triage, a, b):
    """What the pairs are."""
    one, other = triage.json('show', a), triage.json('show', b)
    said = triage.json('diff', a, b)
    results.same('diff --json: the crashes, and in what they differ', (
        [crash['id'] for crash in said['crashes']], said['same_group'], said['facts']['cpus'], said['facts']['outcomes'],
        'message' in said['facts']), (
            [one['id'], other['id']], False, [4, 8], [one['outcomes'], other['outcomes']], False))
    results.same('diff --json: the stacks that one alone has', said['stacks'], [one['stacks'], other['stacks']])
    same = triage.json('diff', a, a)
    results.same('diff --json of a crash and itself', (same['same_group'], same['facts'], same['stacks']), (True, {}, [[], []]))
    kernels = triage.json('diff', '6.12*', '6.1.*')
    counted = {group['id']: [sum(group['kernels'].get(release, 0) for release in releases)
                             for releases in kernels['releases']] for group in triage.json('groups')}
    results.same('diff --json of kernels', (kernels['kernels'], kernels['releases'], {
        group['id']: group['crashes'] for group in kernels['groups']}), (
            ['6.12*', '6.1.*'], [['6.12.117', '6.12.117-nmibt'], ['6.1.192', '6.1.192-nmibt']], counted))


def check_known(results, triage, path, rules):
    """The same in show and in groups."""
    shown = triage.json('show', path, '--known', rules)
    group = next(group for group in triage.json('groups', '--known', rules) if group['id'] == shown['group'])
    expected = [{'title': 'nmibt_spin spins', 'link': None, 'remedy': None},
                {'title': 'with all', 'link': 'https://example.org/1', 'remedy': 'Do not load it.'}]
    results.same('known issues are the same in show and in groups', (shown['known'], group['known']), (expected, expected))
    text = triage.text('show', path, '--known', rules)
    results.note('and stand in the text of show', '' if 'known       with all: https://example.org/1\nremedy      Do not '
                 'load it.\n' in text else text)


def check(results, tmp, many):
    folder, rules = os.path.join(tmp, 'fleet'), os.path.join(tmp, 'rules.toml')
    made = fleet.make(folder, 12, kinds=3, seed=5)
    with open(os.path.join(folder, 'vmcore'), 'w') as file:
        file.write('KDUMP   ')
    with open(rules, 'w') as file:
        file.write(RULES)
    triage = Triage(os.path.join(tmp, 'json.db'))
    triage.scan(folder, *[os.path.dirname(path) for path in DUMPS.values()], code=3)
    real = DUMPS['x86_64-6.12-irqspin']
    check_documented(results)
    check_form(results, triage, 'list', 'list')
    check_form(results, triage, 'list --failed', 'list', '--failed')
    check_form(results, triage, 'show', 'show', real, '--known', rules)
    check_form(results, triage, 'groups', 'groups', '--known', rules)
    check_form(results, triage, 'diff of two crashes', 'diff', made[0].path, real)
    check_form(results, triage, 'diff of two kernels', 'diff', '6.12*', '6.1.*')
    check_diff(results, triage, real, made[0].path)
    check_known(results, triage, real, rules)
    triage.rows('UPDATE crashes SET release = NULL WHERE id = 1')
    releases = triage.json('diff', '*', '6.12*')['releases']
    results.same('a release that is not known is null', (None in releases[0], '' in releases[0]), (True, False))
    triage.rows("UPDATE inputs SET scanned_by = 'another-host'")
    results.same('a path on another host has its name', (triage.json('show', '1')['scanned_by'], json.loads(
        triage.text('export').splitlines()[0])['scanned_by']), (['another-host'], ['another-host']))
