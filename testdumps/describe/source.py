# SPDX-License-Identifier: GPL-2.0-or-later
"""The lines of a description, with includes put in and macros replaced."""
import os
import re

from . import Mistake

MAX_DEPTH = 16
CALL = re.compile(r'([^|]*?)(\w+)\((.*)\)')


def split_arguments(text):
    """'1, "a, b"' to ['1', 'a, b']"""
    found = re.findall(r'\s*("[^"]*"|[^,]*?)\s*(?:,|$)', text)
    if found and text.strip() and not text.rstrip().endswith(','):
        found = found[:-1] if found[-1] == '' and len(found) > 1 else found
    return [word[1:-1] if word[:1] == '"' else word for word in found] if text.strip() else []


class Source:
    def __init__(self, path):
        self.macros = {}  # name: (names of arguments, [(where, line)])
        self.path = path

    def lines(self):
        """(where, line) of each that is no remark, without its indentation."""
        yield from self.expand(self.read(self.path), 0)

    def read(self, path):
        with open(path, encoding='utf-8') as file:
            for number, line in enumerate(file, 1):
                line = line.strip()
                if line and line[0] != '#':
                    yield f'{path}:{number}', line

    def expand(self, lines, depth):
        if depth > MAX_DEPTH:
            raise Mistake(f'{self.path}: includes and macros are nested {MAX_DEPTH} deep')
        lines = iter(lines)
        for where, line in lines:
            words = line.split()
            if words[0] == 'include' and len(words) == 2:
                yield from self.expand(self.read(self.find(where, words[1])), depth + 1)
            elif words[0] == 'define':
                self.define(where, line, lines)
            else:
                call = CALL.fullmatch(line)
                if call and line[0] != '|' and call[2] in self.macros:
                    yield from self.expand(self.call(where, call), depth + 1)
                else:
                    yield where, line

    def find(self, where, name):
        folders = [os.path.dirname(where.rpartition(':')[0]), os.path.dirname(self.path)]
        folders += [os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'evidence')]
        for folder in folders:
            path = os.path.join(folder, name + '.inc')
            if os.path.exists(path):
                return path
        raise Mistake(f'{where}: no {name}.inc')

    def define(self, where, line, lines):
        found = re.fullmatch(r'define\s+(\w+)\(([\w, ]*)\)', line)
        if not found:
            raise Mistake(f'{where}: a macro is "define NAME(ARGUMENT, ...)"')
        body = []
        for at, text in lines:
            if text == 'end':
                names = [name.strip() for name in found[2].split(',') if name.strip()]
                self.macros[found[1]] = (names, body)
                return
            body.append((at, text))
        raise Mistake(f'{where}: no "end" of {found[1]}')

    def call(self, where, call):
        """Lines of a macro. What stands before its name stands before its first line."""
        names, body = self.macros[call[2]]
        values = split_arguments(call[3])
        if len(values) != len(names):
            raise Mistake(f'{where}: {call[2]} has {len(names)} arguments: {", ".join(names)}')
        prefix = call[1]
        for _, line in body:
            for name, value in zip(names, values):
                line = line.replace('{' + name + '}', value)
            yield where, prefix + line
            prefix = ''
