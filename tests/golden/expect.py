# SPDX-License-Identifier: GPL-2.0-or-later
"""'# expect' lines of descriptions: the output that follows from the kernel's source.

    # expect: text REGEX -- FILE:LINE (VERSION) WHY        the output has it
    # expect: no REGEX -- ...                              the output lacks it
    # expect: exit N -- ...                                the exit code
    # expect: json PATH = VALUE -- ...                     a value of the document of --json

FILE and LINE are of the kernel of VERSION; FUNCTION() may stand for a LINE. Options of nmibt
may stand before the colon: '# expect -o -c 1: ...'. A line that begins with '#   ' goes on with
the one before. PATH is names and, in brackets, indexes: cpus[0], cpus[cpu=1] (the first with
that member), or cpus[*] (all: the value is a list). Besides = there are !=, ~ (a regular
expression), has (a list has it), lacks, and absent, which has no VALUE. VALUE is JSON, or else
text. Text is searched line by line: ^ and $ are those of a line.

A '# crash: DIR...' line has them hold in crash, too, with the description in a copy of that
bundled dump (mkdump --base); there is no exit code then.

An expectation holds or the test fails. Nothing makes these lines but people.
"""
import json
import re

LINE = re.compile(r'# expect([^:]*):\s*(text|no|exit|json)\s+(.*?)\s+--\s+(.*)')
REASON = re.compile(r'[\w./-]+\.(?:[chS]|rst|lds):(?:\d+|\w+\(\)) \([\d.]+(?:-rc\d+)?\) \S.*')
JSON = re.compile(r'(\S+)\s+(?:(absent)|(=|!=|~|has|lacks)\s+(.*))')
STEP = re.compile(r'\.?([A-Za-z_]\w*)|\[(\d+)\]|\[(\w+)=([^\]]*)\]|(\[\*\])')
MISSING = object()


class Expectation:
    def __init__(self, where, text):
        self.where, self.text, self.wrong = where, text, None
        found = LINE.fullmatch(text)
        if not found:
            self.wrong = 'not understood; see tests/golden/expect.py'
            return
        self.options = found[1].split()
        self.kind, self.what, reason = found[2], found[3], found[4]
        if not REASON.fullmatch(reason):
            self.wrong = f'"{reason}" is not FILE:LINE (VERSION) WHY, of the kernel'
        elif self.kind == 'json' and not JSON.fullmatch(self.what):
            self.wrong = 'not PATH = VALUE'

    def is_json(self):
        return self.kind == 'json'

    def call(self):
        """The options of nmibt that the expectation is about."""
        return tuple((['--json'] if self.is_json() else []) + self.options)


def expectations(path):
    """All expectations of a description, also those that can't be parsed."""
    found, open_line = [], False
    with open(path, encoding='utf-8') as file:
        for number, line in enumerate(file, 1):
            line = line.rstrip()
            if line.startswith('#   ') and open_line:
                found[-1][1] += ' ' + line[1:].strip()
                continue
            open_line = re.match(r'#\s*(expect|todo)\b', line, flags=re.I) is not None
            if open_line:
                found.append([f'{path}:{number}', line])
    return [Expectation(where, text) for where, text in found]


def bases(path):
    """The bundled dumps in whose crash the case runs, too: '# crash: DIR...'"""
    with open(path, encoding='utf-8') as file:
        return [name for line in file if line.startswith('# crash:')
                for name in line.split(':')[1].split()]


def value_at(document, path):
    """The value at path; MISSING: there is none."""
    value, at = document, 0
    while at < len(path):
        step = STEP.match(path, at)
        if not step:
            raise ValueError(f'what is {path[at:]}?')
        at = step.end()
        name, index, key, wanted, everything = step.groups()
        if everything:
            if not isinstance(value, list):
                return MISSING
            found = [value_at(item, path[at:]) for item in value]
            return [None if item is MISSING else item for item in found]
        value = member(value, name, index, key, wanted)
        if value is MISSING:
            return MISSING
    return value


def member(value, name, index, key, wanted):
    if name:
        return value.get(name, MISSING) if isinstance(value, dict) else MISSING
    if not isinstance(value, list):
        return MISSING
    if index:
        return value[int(index)] if int(index) < len(value) else MISSING
    return next((item for item in value if isinstance(item, dict)
                 and as_text(item.get(key, MISSING)) == wanted), MISSING)


def as_text(value):
    if value is MISSING:
        return 'nothing'
    return value if isinstance(value, str) else json.dumps(value)


def parse_value(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


def check_json(what, document):
    """Returns None, or the value that was found."""
    path, absent, compare, text = JSON.fullmatch(what).groups()
    value = value_at(document, path)
    if absent:
        holds = value is MISSING
    elif compare == '~':
        holds = value is not MISSING and re.search(text, as_text(value)) is not None
    elif compare in ('has', 'lacks'):
        holds = isinstance(value, list) and (parse_value(text) in value) == (compare == 'has')
    else:
        holds = (value is not MISSING and value == parse_value(text)) == (compare == '=')
    return None if holds else f'{path} is {as_text(value)}'


def check_text(expectation, out, code):
    what = expectation.what
    if expectation.kind == 'exit':
        return None if code in (int(what), None) else f'exit code {code}'
    found = re.search(what, out, flags=re.M)
    if expectation.kind == 'text':
        return None if found else f'no such text in\n{out}'
    return f'"{found[0]}" in\n{out}' if found else None


def check(path, run):
    """What is wrong, a string for each expectation that doesn't hold. run: options to output
    without errors, and exit code; where there is no such code, None."""
    wrongs, outputs = [], {}
    for expectation in expectations(path):
        seen = expectation.wrong
        if not seen:
            key = expectation.call()
            if key not in outputs:
                outputs[key] = run(list(key))
            seen = look(expectation, *outputs[key])
        if seen:
            wrongs.append(f'{expectation.where}: {expectation.text}\n    {indented(seen)}')
    return wrongs


def look(expectation, out, code):
    try:
        if expectation.is_json():
            return check_json(expectation.what, json.loads(out))
        return check_text(expectation, out, code)
    except (ValueError, re.error) as problem:
        return f'{problem}\n{out}'


def indented(text):
    return text.rstrip().replace('\n', '\n    ')
