# SPDX-License-Identifier: GPL-2.0-or-later
"""The report: a folder of HTML that needs no network and no server, a page for each group and crash."""
import os
import re

from .. import Missing, Trouble, groups, known, newfile, views, words
from . import flame, pages, plot

MARK = 'made-by-nmibt-triage'
OURS = re.compile(r'(G\d+(-\d+)?|\d+)\.html\Z')
ROWS = 500  # crashes on a page
# Outcomes by what they mean for the reader: docs/man/nmibt-crash.8
GOOD = {'nmi', 'irq', 'self', 'stop', 'answered', 'reported'}
BAD = {'silent', 'damaged', 'excluded', 'partial'}
LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'


class Report:
    def __init__(self, store, rules, folder):
        self.store, self.rules, self.folder = store, rules, folder
        self.environment = pages.make_environment()
        self.written = set()

    def write(self, name, template, **values):
        depth = name.count('/')
        page = self.environment.get_template(template).render(top='../' * depth, **values)
        self.write_file(name, page)
        self.written.add(name)

    def write_file(self, name, text):
        with newfile.replaced(os.path.join(self.folder, name), encoding='utf-8', errors='replace') as file:
            file.write(text)

    def prepare(self):
        """A folder in which there is something else is left alone."""
        mark = os.path.join(self.folder, MARK)
        os.makedirs(self.folder, exist_ok=True)
        if os.listdir(self.folder) and not os.path.exists(mark):
            raise Trouble('%s: there is something in this folder that is no report; name an empty or a '
                          'new one' % self.folder)
        for name in 'groups', 'crashes':
            if os.path.islink(os.path.join(self.folder, name)):
                raise Trouble('%s: this is a link, and what it leads to is not this report\'s: remove it' %
                              os.path.join(self.folder, name))
        self.write_file(MARK, 'nmibt-triage writes its report into this folder.\n')
        for name in 'groups', 'crashes':
            os.makedirs(os.path.join(self.folder, name), exist_ok=True)

    def remove_old(self):
        """Pages of an older report, about groups and crashes that are gone. Nothing links to them any more."""
        for part in 'groups', 'crashes':
            for name in os.listdir(os.path.join(self.folder, part)):
                if OURS.match(name) and '%s/%s' % (part, name) not in self.written:
                    os.unlink(os.path.join(self.folder, part, name))
        loose = os.path.join(self.folder, 'loose.html')
        if 'loose.html' not in self.written and os.path.exists(loose):
            os.unlink(loose)

    # --------------------------------------------------------------------------- pages

    def crash_pages(self):
        for crash in views.crashes(self.store):
            document = self.store.report(crash['best'])
            stacks = groups.stacks_of(self.store, crash)
            cpus = cpu_cells(document['cpus'] if document else [])
            group = self.store.one('SELECT * FROM groups WHERE id = ?', crash['group_id'])
            self.write('crashes/%d.html' % crash['id'], 'crash.html', crash=crash, stacks=stacks,
                       group=group, files=[dict(row, path=os.path.join(row['folder'], row['name']) + views.elsewhere(row))
                                           for row in views.files_of(self.store, crash)],
                       issues=known.match(self.rules, crash, stacks), cpus=cpus,
                       flame=flame.make(document['cpus']) if document else None)

    def group_pages(self, told):
        for said in told:
            found = list(views.crashes(self.store, group=said['id']))
            parts = [found[at:at + ROWS] for at in range(0, len(found), ROWS)]
            for i, part in enumerate(parts):
                self.write(group_page(said['id'], i), 'group.html', group=said, crashes=part, page=i,
                           pages=[(n + 1, os.path.basename(group_page(said['id'], n)))
                                  for n in range(len(parts))])

    def loose_page(self):
        loose = self.store.all('SELECT * FROM crashes WHERE group_id IS NULL ORDER BY died DESC, id DESC')
        if loose:
            self.write('loose.html', 'loose.html', crashes=loose)
        return len(loose)

    def index(self, told, largest, loose):
        dates = self.store.one('SELECT count(*) AS crashes, min(died) AS first, max(died) AS last FROM crashes')
        states = dict(tuple(row) for row in self.store.all('SELECT state, count(*) FROM inputs GROUP BY 1'))
        failed = self.store.all("SELECT folder, name, reason FROM inputs WHERE state = 'failed' ORDER BY "
                                'folder, name LIMIT 200')
        self.write('index.html', 'index.html', groups=told, dates=dates, states=states, loose=loose,
                   plot=plot.make(self.store, largest), failed=failed)


def group_page(number, part):
    return 'groups/G%d%s.html' % (number, '-%d' % (part + 1) if part else '')


def cpu_cells(cpus):
    """What the map shows of each CPU: its outcome, and a letter for its stack, the same for CPUs that
    have the same one."""
    letters, cells = {}, []
    for cpu in cpus:
        if cpu['older']:
            continue
        mark = cpu['stack_hash']
        if mark and mark not in letters:
            letters[mark] = len(letters)
        outcome = cpu['outcome']
        cells.append({'cpu': cpu['cpu'], 'outcome': outcome,
                      'colour': 'good' if outcome in GOOD else 'bad' if outcome in BAD else 'none',
                      'letter': letter(letters[mark]) if mark else '',
                      'colour_of_stack': letters[mark] % flame.COLOURS if mark else 0, 'stuck': cpu['stuck'],
                      'idle': cpu['idle'], 'user': cpu['user'], 'task': cpu['task'],
                      'where': place_of(cpu)})
    return cells


def letter(number):
    return LETTERS[number % 26] + (str(number // 26) if number >= 26 else '')


def place_of(cpu):
    chain = flame.chain_of(cpu)
    return chain[-1] if chain else ''


def write(store, rules, folder):
    """Returns how many pages were written. What a page links to is written before it."""
    report = Report(store, rules, folder)
    largest = groups.all_groups(store)
    if not store.value('SELECT 1 FROM crashes'):
        raise Missing('no crash is stored in %s: there is nothing to report' % words.shown(store.path))
    day = views.last_day(store)
    told = [views.group_json(store, group, rules, day) for group in largest]
    try:
        report.prepare()
        report.crash_pages()
        report.group_pages(told)
        report.index(told, largest, report.loose_page())
        report.remove_old()
    except OSError as error:
        raise Trouble('%s: the report can\'t be written: %s' % (words.shown(error.filename or folder),
                                                                error.strerror)) from error
    return len(report.written)
