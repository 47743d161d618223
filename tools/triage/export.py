# SPDX-License-Identifier: GPL-2.0-or-later
"""The results for other programs: JSON lines, CSV, and Prometheus' text format."""
import csv
import json
import os
import sys
import unicodedata

from . import Trouble, groups, newfile, views, words

COLUMNS = ['id', 'group', 'group_name', 'died', 'host', 'release', 'arch', 'build_id', 'message',
           'culprit', 'signature', 'complete', 'cpus', 'files', 'scanned_by']


def rows_of(store):
    names = {row['id']: row['name'] for row in store.all('SELECT id, name FROM groups')}
    for crash in views.crashes(store):
        yield {**views.crash_json(crash), 'group_name': names.get(crash['group_id']), **views.files_json(store, crash)}


def jsonl(store, out):
    for row in rows_of(store):
        print(json.dumps(row, separators=(',', ':')), file=out)


def harmless(value):
    """A spreadsheet takes a text that begins with one of these for a formula, and some do where it is a wide one."""
    text = '' if value is None else json.dumps(value) if isinstance(value, (bool, list)) else words.shown(value)
    first = unicodedata.normalize('NFKC', text.lstrip()[:1])
    return "'" + text if first in tuple('=+-@') and not text.lstrip('-').isdecimal() else text


def as_csv(store, out):
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in rows_of(store):
        writer.writerow([harmless(row[name]) for name in COLUMNS])


def label(text):
    """https://prometheus.io/docs/instrumenting/exposition_formats/"""
    return words.cut(text, 200).replace('\\', '\\\\').replace('"', '\\"').replace('\n', '\\n')


def metric(out, name, kind, text, samples):
    print('# HELP %s %s\n# TYPE %s %s' % (name, text, name, kind), file=out)
    for labels, value in samples:
        said = ','.join('%s="%s"' % (key, label(value)) for key, value in labels.items())
        print('%s%s %s' % (name, '{%s}' % said if said else '', value), file=out)


def prometheus(store, out):
    """Gauges, because prune, join and split make the numbers smaller, too."""
    found = groups.all_groups(store)
    stands = {group['id']: groups.newest(store, group['id']) for group in found}
    labels = [{'group': 'G%d' % group['id'], 'name': group['name'] or '',
               'culprit': stands[group['id']]['culprit'] or ''} for group in found]
    metric(out, 'nmibt_triage_group_crashes', 'gauge', 'Crashes in a group.',
           [(about, group['crashes']) for about, group in zip(labels, found)])
    metric(out, 'nmibt_triage_group_hosts', 'gauge', 'Hosts with a name that had a crash of a group.',
           [(about, group['hosts']) for about, group in zip(labels, found)])
    metric(out, 'nmibt_triage_group_last_seconds', 'gauge',
           'When the newest crash of a group was, since 1970.',
           [(about, group['last']) for about, group in zip(labels, found) if group['last'] is not None])
    metric(out, 'nmibt_triage_crashes', 'gauge', 'All crashes.',
           [({}, store.value('SELECT count(*) FROM crashes'))])
    metric(out, 'nmibt_triage_files', 'gauge', 'Files by what came of them.',
           [({'state': row[0]}, row[1]) for row in store.all(
               "SELECT state, count(*) FROM inputs WHERE state != 'other' GROUP BY state")])


FORMATS = {'jsonl': jsonl, 'csv': as_csv, 'prometheus': prometheus}


def opened(path):
    """A file is replaced as a whole, because node_exporter may read it at any moment. What else is there, as a pipe or a
    device, is written to."""
    if os.path.exists(path) and not os.path.isfile(path):
        return open(path, 'w', newline='')
    return newfile.replaced(os.path.realpath(path), newline='')


def export(store, form, path):
    if not path:
        FORMATS[form](store, sys.stdout)
        return
    try:
        with opened(path) as file:
            FORMATS[form](store, file)
    except OSError as error:
        raise Trouble('%s: it can\'t be written: %s' % (path, error.strerror)) from error
