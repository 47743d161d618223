# SPDX-License-Identifier: GPL-2.0-or-later
"""Known issues: rules that say which crashes are of a kind that somebody has understood.

A rule is a table [[issue]] in a TOML file. It has a title, and all that it asks for must be so.
"""
import dataclasses
import json
import re
import signal
import time
import tomllib

from . import groups, words

OUTCOMES = ('nmi', 'irq', 'self', 'stop', 'partial', 'silent', 'offline', 'excluded', 'damaged',
            'answered', 'skipped', 'reported', 'registers', 'none')
FIELDS = {'title': str, 'link': str, 'remedy': str, 'functions': list, 'module': str, 'outcome': str,
          'kernel': str, 'text': str}
ASKS = ('functions', 'module', 'outcome', 'kernel', 'text')
BOUND = re.compile(r'\s*(>=|<=|==|<|>)\s*(\d{1,9}(?:\.\d{1,9})*)\s*\Z')

# A message longer than that is no kernel's: kernel/panic.c: panic() has 1024 bytes for it (6.12).
LONGEST_MESSAGE = 2048
MOST_S = 1  # of processor time for one message
ASK_EVERY_S = 0.2


class Mistake(Exception):
    """A rule that can't be used, and why."""


class TooSlow(Exception):
    """A regular expression that goes back and forth in a text for ever."""


# ------------------------------------------------------------------------------ kernels

def release_numbers(release):
    """6.12.117-foo to (6, 12, 117); () if it does not begin so."""
    found = re.match(r'\d{1,9}(\.\d{1,9})*', release or '')
    return tuple(map(int, found[0].split('.'))) if found else ()


def satisfies(numbers, bound):
    """A bound speaks of as many numbers as it has: 6.1.5 is <=6.1 and ==6.1, and not >6.1."""
    sign, limit = bound
    padded = (numbers + (0,) * len(limit))[:len(limit)]
    return {'>=': padded >= limit, '<=': padded <= limit, '==': padded == limit,
            '<': padded < limit, '>': padded > limit}[sign]


def read_range(text):
    bounds = []
    for part in text.split(','):
        found = BOUND.match(part)
        if not found:
            raise Mistake('kernel = "%s": "%s" is no bound; write for instance ">=6.1, <6.6"' %
                          (text, part.strip()))
        bounds.append((found[1], tuple(map(int, found[2].split('.')))))
    if not any(all(satisfies(point, bound) for bound in bounds) for point in near(bounds)):
        raise Mistake('kernel = "%s": no kernel is in this range' % text)
    return bounds


def near(bounds):
    """Releases at, just below and just above each bound: if none of these is in a range, none is."""
    for _, limit in bounds:
        for step in -1, 0, 1:
            last = limit[-1] + step
            if last >= 0:
                yield limit[:-1] + (last,)
                yield limit[:-1] + (last, 10**6)
        yield from ((limit[:i] + (limit[i] - 1, 10**6, 10**6)) for i in range(len(limit)) if limit[i])


# ----------------------------------------------------------------------------------- text

def is_found(pattern, message):
    """Raises TooSlow. Python's re asks for signals every 4096 steps, each of which may go through all of the text: only
    together with a limit of its length the time is one. It needs no other process, and takes the main thread."""
    began = time.process_time()  # a machine that has other things to do makes no rule slow
    is_searching = True

    def stop(_number, _frame):
        if is_searching and time.process_time() - began > MOST_S:
            raise TooSlow

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, ASK_EVERY_S, ASK_EVERY_S)
    try:
        found = len(message) <= LONGEST_MESSAGE and pattern.search(message)
        is_searching = False  # a signal may come a moment later
        return bool(found)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# --------------------------------------------------------------------------------- rules

@dataclasses.dataclass
class Rule:
    title: str
    source: str  # FILE, rule N
    link: str = None
    remedy: str = None
    functions: list = None
    module: str = None
    outcome: str = None
    kernel: list = None
    text: re.Pattern = None
    fault: str = None  # why it was given up

    def matches(self, crash, stacks):
        """crash: a row. stacks: as groups.stacks_of() gives them."""
        try:
            return not self.fault and all(self.checks(crash, stacks))
        except TooSlow:
            self.fault = '%s: text = "%s" was searched for more than %d s in the message of crash %d, and is not used any ' \
                'more: make it simpler, without several ".*" and without what repeats as a whole, too, as "(a+)+"' % (
                    self.source, words.cut(self.text.pattern, 200), MOST_S, crash['id'])
            return False

    def checks(self, crash, stacks):
        if self.kernel:
            numbers = release_numbers(crash['release'])
            yield bool(numbers) and all(satisfies(numbers, bound) for bound in self.kernel)
        if self.outcome:
            yield self.outcome in json.loads(crash['outcomes'])
        if self.module:
            yield any(frame.endswith(' [%s]' % self.module) for stack in stacks
                      for frame in stack['frames'])
        if self.functions:
            yield any(in_order(self.functions, stack['frames']) for stack in stacks)
        if self.text:  # the last one, because it takes the longest
            yield is_found(self.text, crash['message'] or '')


def function_of(frame):
    """Without the compiler's suffixes and the module."""
    return frame.split(' [')[0].split('.')[0]


def in_order(wanted, frames):
    """All of them, the innermost first; others may stand between."""
    names = iter(map(function_of, frames))
    return all(name in names for name in wanted)


def read_rule(table, source):
    unknown = set(table) - set(FIELDS)
    if unknown:
        raise Mistake('it has "%s", which no rule has; there are %s' %
                      ('", "'.join(sorted(unknown)), ', '.join(FIELDS)))
    for name, value in table.items():
        if not isinstance(value, FIELDS[name]) or not value:
            raise Mistake('%s must be %s that is not empty' %
                          (name, 'a list' if FIELDS[name] is list else 'a string'))
    if 'title' not in table:
        raise Mistake('it has no title')
    if not any(name in table for name in ASKS):
        raise Mistake('it asks for nothing, and would match every crash: give one of %s' %
                      ', '.join(ASKS))
    if not all(isinstance(name, str) for name in table.get('functions', [])):
        raise Mistake('functions must be a list of names')
    if table.get('outcome', 'nmi') not in OUTCOMES:
        raise Mistake('outcome = "%s": there is no such outcome; there are %s' %
                      (table['outcome'], ', '.join(OUTCOMES)))
    made = dict(table)
    if 'kernel' in table:
        made['kernel'] = read_range(table['kernel'])
    if 'text' in table:
        try:
            made['text'] = re.compile(table['text'])
        except (re.error, OverflowError, RecursionError) as error:
            raise Mistake('text = "%s" is no regular expression, or one that is too large: %s' %
                          (words.cut(table['text'], 200), error)) from error
    return Rule(source=source, **made)


def read(paths):
    """The rules of these files, and a complaint about each that can't be used."""
    rules, complaints = [], []
    for path in paths:
        try:
            with open(path, 'rb') as file:
                tables = tomllib.load(file)
        except OSError as error:
            complaints.append('%s: it can\'t be read: %s' % (path, error.strerror))
            continue
        except (ValueError, RecursionError) as error:
            complaints.append('%s: it is no TOML, and none of its rules is used: %s' % (path, error))
            continue
        issues = tables.pop('issue', [])
        if tables or not isinstance(issues, list) or not all(isinstance(one, dict) for one in issues):
            complaints.append('%s: only tables [[issue]] may stand in it' % path)
            continue
        for i, table in enumerate(issues, 1):
            source = '%s, rule %d' % (path, i)
            try:
                rules.append(read_rule(table, source))
            except Mistake as mistake:
                complaints.append('%s: %s' % (source, mistake))
    return rules, complaints


def never_seen(store, rules):
    """Complaints about names that stand in no frame that is stored: they may be misspelt."""
    if not any(rule.functions or rule.module for rule in rules):
        return
    frames = [row[0] for row in store.each('SELECT name FROM functions')]
    functions = {function_of(frame) for frame in frames}
    modules = {frame[frame.index(' [') + 2:-1] for frame in frames if ' [' in frame}
    for rule in rules:
        for name in rule.functions or []:
            if name not in functions:
                yield '%s: the function %s stands in no stored frame' % (rule.source, name)
        if rule.module and rule.module not in modules:
            yield '%s: the module %s stands in no stored frame' % (rule.source, rule.module)


def without_crash(store, rules):
    """Rules that can be used and match no crash that is stored: that may be right, or the order of functions is wrong."""
    left = list(rules)
    for crash in store.each('SELECT min(id) AS id, signature, release, message, outcomes, min(best) AS best FROM crashes '
                            'GROUP BY signature, release, message, outcomes'):
        if not left:
            break
        stacks = groups.stacks_of(store, crash)
        left = [rule for rule in left if not rule.matches(crash, stacks)]
    return left


def match(rules, crash, stacks):
    return [rule for rule in rules if rule.matches(crash, stacks)]
