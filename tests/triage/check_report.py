# SPDX-License-Identifier: GPL-2.0-or-later
"""The pages: what they say, that they hold together, that hostile text in them stays text, and, where
there is a Chromium, what it makes of them.

AXE=FILE: axe-core's axe.min.js, which then has to find nothing. PICTURES=DIR: where to put screenshots.
"""
import base64
import hashlib
import html.parser
import json
import os
import re
import sqlite3
import urllib.parse

import browser
import fleet
from check_hostile import EVIL
from common import DUMPS, TOP, Triage

ALLOWED = {'https', 'http'}
RULES = '''
[[issue]]
title = "<b>bold</b>"
link = "javascript:alert(1)"
functions = ["nvme_queue_wait"]

[[issue]]
title = "another"
link = "https://example.org/?a=1&b=<2>"
functions = ["mlx5_queue_wait"]
'''


class Page(html.parser.HTMLParser):
    """What a page is made of, and complaints about it."""

    def __init__(self, path, ours):
        super().__init__()
        self.path, self.ours = path, ours
        self.open, self.links, self.bad, self.seen, self.text = [], [], [], set(), []
        with open(path, encoding='utf-8') as file:
            self.source = file.read()
        self.feed(self.source)
        if self.open:
            self.bad.append('left open: %s' % self.open)
        for tag in 'html', 'title', 'h1', 'main':
            if tag not in self.seen:
                self.bad.append('no %s' % tag)

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        if tag not in ('meta', 'br'):
            self.open.append(tag)
        for name, value in attrs:
            if name.startswith('on') or name in ('src', 'style', 'srcdoc', 'action'):
                self.bad.append('%s=%r' % (name, value))
            if name == 'href':
                self.links.append(value)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.bad.append('a %s ends that does not begin' % tag)

    def handle_data(self, data):
        if self.open and self.open[-1] in self.ours:
            if data != self.ours[self.open[-1]]:
                self.bad.append('a %s that is not ours: %r' % (self.open[-1], data[:80]))
        else:
            self.text.append(data)


def own(name):
    with open(os.path.join(TOP, 'tools/triage/report', name), encoding='utf-8') as file:
        return file.read()


def pages_in(folder):
    ours = {'script': own('sort.js'), 'style': own('style.css')}
    return [Page(os.path.join(here, name), ours) for here, _, names in os.walk(folder)
            for name in names if name.endswith('.html')]


def check_pages(results, name, pages):
    bad = ['%s: %s' % (page.path, one) for page in pages for one in page.bad]
    results.note('%s: %d pages hold together' % (name, len(pages)), '\n'.join(bad[:5]))
    bad = []
    for page in pages:
        for link in page.links:
            parts = urllib.parse.urlsplit(link)
            if parts.scheme and parts.scheme not in ALLOWED or not parts.scheme and not os.path.exists(
                    os.path.join(os.path.dirname(page.path), parts.path)):
                bad.append('%s: %s' % (page.path, link))
    results.note('%s: each link leads somewhere' % name, '\n'.join(bad[:5]))
    policies = {re.search(r'Content-Security-Policy" content="([^"]*)"', page.source)[1] for page in pages}
    script = base64.b64encode(hashlib.sha256(own('sort.js').encode()).digest()).decode()
    results.note('%s: the policy allows our script alone' % name, '' if len(policies) == 1 and
                 "default-src &#39;none&#39;" in min(policies) and
                 "script-src &#39;sha256-%s&#39;;" % script in min(policies) and
                 'unsafe' not in min(policies) else policies)


def check_content(results, folder, triage):
    index = Page(os.path.join(folder, 'index.html'), {'script': own('sort.js'), 'style': own('style.css')})
    text = ' '.join(index.text)
    groups = triage.json('groups', '-n', '0')
    crashes = triage.value('SELECT count(*) FROM crashes')
    results.note('the first page has all groups', '' if all('groups/G%d.html' % group['id'] in index.links
                 for group in groups) and '%s crashes in %d groups' % (format(crashes, ','), len(groups)) in text else
                 text[:500])
    results.same('a page for each crash', len(os.listdir(os.path.join(folder, 'crashes'))), crashes)
    shown = sum(int(found.replace(',', '')) for found in
                re.findall(r': ([\d,]+) crash(?:es)? of ', index.source))
    results.same('the plot has all crashes with a time', shown,
                 triage.value('SELECT count(*) FROM crashes WHERE group_id IS NOT NULL AND died IS NOT NULL'))
    real = triage.json('show', DUMPS['x86_64-6.12-irqspin'])
    with open(os.path.join(folder, 'crashes/%d.html' % real['id']), encoding='utf-8') as file:
        page = file.read()
    cells = re.findall(r'<b>(\d+)</b> (\w+)((?: stuck| idle| user)*)', page)
    results.same('the map has what each CPU was doing', cells, [
        ('0', 'nmi', ' idle'), ('1', 'self', ''), ('2', 'nmi', ' user'), ('3', 'nmi', ' stuck')])
    results.note('the flame graph has each function', '' if all('<title>%s: 1 CPU</title>' % name in page
                 for name in ('delay_tsc', 'nmibt_spin_forever', 'sysrq_handle_crash')) else page[-3000:])


def check_refusals(results, tmp, triage):
    other = os.path.join(tmp, 'mine')
    os.mkdir(other)
    with open(os.path.join(other, 'letter.txt'), 'w') as file:
        file.write('mine')
    done = triage.run('report', '-o', other)
    results.note('a folder with other things is left alone', '' if done.returncode == 4 and
                 b'no report' in done.stderr and os.listdir(other) == ['letter.txt'] else done)


def check_links(results, tmp):
    """What links lead to is not the report's, whoever put them there."""
    folder, mine = os.path.join(tmp, 'linked'), os.path.join(tmp, 'private')
    os.mkdir(mine)
    for name in '77.html', 'G77.html', 'index':
        with open(os.path.join(mine, name), 'w') as file:
            file.write('mine')
    triage = Triage(folder + '.db')
    triage.scan(os.path.dirname(DUMPS['x86_64-6.12-irqspin']))
    triage.text('report', '-o', folder)
    for name in 'groups', 'crashes':
        os.rename(os.path.join(folder, name), os.path.join(folder, 'aside'))
        os.symlink(mine, os.path.join(folder, name))
        done = triage.run('report', '-o', folder)
        results.note('a report does not go through a link: %s' % name, '' if done.returncode == 4 and
                     b'a link' in done.stderr and len(os.listdir(mine)) == 3 else done)
        os.unlink(os.path.join(folder, name))
        os.rename(os.path.join(folder, 'aside'), os.path.join(folder, name))
    for name in 'index.html', 'made-by-nmibt-triage':
        os.unlink(os.path.join(folder, name))
        os.symlink(os.path.join(mine, 'index'), os.path.join(folder, name))
    triage.text('report', '-o', folder)
    with open(os.path.join(mine, 'index')) as file:
        results.same('a link in the place of a page is replaced', (file.read(), os.path.islink(
            os.path.join(folder, 'index.html')), sorted(os.listdir(folder))),
            ('mine', False, ['crashes', 'groups', 'index.html', 'made-by-nmibt-triage']))


def check_nothing(results, tmp):
    """A job that makes the pages every night is no failure before the first crash."""
    folder = os.path.join(tmp, 'nothing')
    os.mkdir(folder)
    triage = Triage(folder + '.db')
    triage.scan(folder)
    done = triage.run('report', '-o', folder)
    results.note('where there is no crash nothing is found, and no page made', '' if done.returncode == 1 and
                 b'no crash' in done.stderr and not os.listdir(folder) else done)


def check_over(results, tmp):
    """Pages of groups that are gone since an older report."""
    folder = os.path.join(tmp, 'over')
    fleet.make(os.path.join(tmp, 'three'), 6, kinds=3, seed=5)
    triage = Triage(folder + '.db')
    triage.scan(os.path.join(tmp, 'three'))
    triage.text('report', '-o', folder)
    with open(os.path.join(folder, 'groups/mine.html'), 'w') as file:
        file.write('mine')
    before = set(os.listdir(os.path.join(folder, 'groups')))
    triage.text('join', 'G1', 'G2')
    triage.text('report', '-o', folder)
    results.same('a report over an older one leaves no page of a group that is gone',
                 before - set(os.listdir(os.path.join(folder, 'groups'))), {'G2.html'})


def check_elsewhere(results, tmp):
    """Of a crash whose file is on another machine, which has no name in its dump."""
    folder = os.path.join(tmp, 'elsewhere')
    triage = Triage(folder + '.db')
    triage.scan(os.path.dirname(DUMPS['x86_64-6.12-irqspin']))
    triage.rows("UPDATE inputs SET scanned_by = 'another-host'")
    triage.text('report', '-o', folder)
    texts = [' '.join(Page(os.path.join(folder, name), {'script': own('sort.js'), 'style': own('style.css')}).text)
             for name in ('crashes/1.html', 'groups/G1.html')]
    results.same('a path on another host is shown with its name, and no hosts without a name are counted', (
        'vmcore on another-host' in texts[0], 'named host' in texts[1]), (True, False))


def make_hostile(triage):
    with sqlite3.connect(triage.db) as db:
        for i, text in enumerate(EVIL, 1):
            db.execute('UPDATE crashes SET host = ?1, release = ?1, message = ?1, culprit = ?1, '
                       'build_id = ?1, arch = ?1 WHERE id = ?2', (text, i))
            db.execute('UPDATE inputs SET reason = ?1, name = ?1 WHERE id = ?2', (text, i))
            db.execute('UPDATE groups SET name = ? WHERE id = ?', (text, i))
            db.execute('UPDATE signatures SET stacks = ? WHERE group_id = ?', (
                json.dumps([{'why': text, 'frames': EVIL}]), i))


def look(results, chromium, folder, pages, name):
    """At both widths, light and dark, and without scripts."""
    with open(os.environ['AXE'], encoding='utf-8') if 'AXE' in os.environ else open(os.devnull) as file:
        axe = file.read()
    bad = []
    for page in pages:
        for width, scheme in (360, 'light'), (360, 'dark'), (1280, 'light'), (1280, 'dark'):
            where = '%s, %d, %s' % (page, width, scheme)
            chromium.open(os.path.join(folder, page), width, scheme)
            bad += ['%s: %s' % (where, one) for one in chromium.complaints()]
            if chromium.run('document.documentElement.scrollWidth > innerWidth'):
                bad.append(where + ': wider than the screen')
            if 'PICTURES' in os.environ:
                chromium.picture(os.path.join(os.environ['PICTURES'], '%s-%s-%d-%s.png' % (
                    name, os.path.basename(page), width, scheme)))
            if axe:
                chromium.run(axe)
                found = chromium.run('axe.run().then(r => r.violations.map(v => v.id + ": " + '
                                     'v.nodes.map(n => n.html).slice(0, 2)))')
                bad += ['%s: axe: %s' % (where, one) for one in found]
    results.note('Chromium%s: %s, narrow and wide, light and dark' % (' and axe' if axe else '', name),
                 '\n'.join(bad[:8]))


def check_scripts(results, chromium, folder):
    path = os.path.join(folder, 'index.html')
    column = '[...document.querySelectorAll("table.sortable tbody tr")].map(r => r.cells[1].textContent)'
    chromium.open(path)
    before = chromium.run(column)
    chromium.run('document.querySelectorAll("table.sortable th button")[1].click()')
    after = chromium.run(column)
    results.same('a click on a head sorts by numbers', after,
                 sorted(before, key=lambda text: int(text.replace(',', ''))))
    results.note('and says so', '' if chromium.run('document.querySelectorAll("table.sortable th")[1]'
                 '.getAttribute("aria-sort")') == 'ascending' else 'it does not')
    chromium.open(path, scripts=False)
    results.same('without scripts the table is there, in its order', (chromium.run(column), chromium.run(
        'document.querySelectorAll("th button").length')), (before, 0))


def check(results, tmp, many):
    fleet.make(os.path.join(tmp, 'fleet'), 10000 if many else 60, kinds=14, seed=43)
    triage, folder = Triage(os.path.join(tmp, 'report.db')), os.path.join(tmp, 'html')
    triage.scan(os.path.join(tmp, 'fleet'), *[os.path.dirname(path) for path in DUMPS.values()])
    triage.text('report', '-o', folder)
    pages = pages_in(folder)
    check_pages(results, 'a fleet', pages)
    check_content(results, folder, triage)
    triage.text('report', '-o', folder)
    results.same('written once more it is the same', [page.source for page in pages_in(folder)],
                 [page.source for page in pages])
    check_refusals(results, tmp, triage)
    check_links(results, tmp)
    check_nothing(results, tmp)
    check_over(results, tmp)
    check_elsewhere(results, tmp)

    rules, evil = os.path.join(tmp, 'rules.toml'), os.path.join(tmp, 'evil')
    with open(rules, 'w') as file:
        file.write(RULES)
    hostile = Triage(os.path.join(tmp, 'evil.db'))
    fleet.make(os.path.join(tmp, 'small'), len(EVIL), kinds=2)
    hostile.scan(os.path.join(tmp, 'small'))
    hostile.text('report', '-o', evil + '1', '--known', rules)
    check_pages(results, 'hostile rules', pages_in(evil + '1'))
    make_hostile(hostile)
    hostile.text('report', '-o', evil)
    check_pages(results, 'hostile text', pages_in(evil))

    if not browser.find():
        print('     what a browser shows was left out: there is no chromium')
        return
    with browser.Browser() as chromium:
        look(results, chromium, folder, ['index.html', 'groups/G1.html', 'crashes/1.html',
                                         'crashes/%d.html' % triage.json(
                                             'show', DUMPS['arm64-6.12-irqspin'])['id']], 'a fleet')
        look(results, chromium, evil, ['index.html', *['crashes/%d.html' % i for i in range(1, 9)],
                                       'groups/G1.html'], 'hostile text')
        check_scripts(results, chromium, folder)
