# SPDX-License-Identifier: GPL-2.0-or-later
"""Physical memory: the objects of a dump, and which of their pages it has."""
from . import Mistake


class Memory:
    """Physical memory, an object after the other, each on pages of its own."""

    def __init__(self, base, page):
        self.next, self.page = base, page
        self.objects = {}  # name: physical address, bytes

    def place(self, name, data, offset=0):
        if name in self.objects:
            raise Mistake(f'{name} is there twice')
        self.objects[name] = (self.next + offset, data)
        self.next += (offset + len(data) + self.page - 1) // self.page * self.page
        return self.objects[name][0]

    def pages(self, name, words):
        """Page addresses of an object; ['page', 'N'] in words names one."""
        paddr, data = self.objects[name]
        pages = list(range(paddr // self.page * self.page, paddr + len(data), self.page))
        return [pages[int(words[1])]] if words[:1] == ['page'] else pages

    def find(self, words):
        """The object that words start with, and the words behind it."""
        for used in (3, 2, 1):
            name = ' '.join(words[:used])
            if name in self.objects:
                return name, words[used:]
        raise Mistake(f'no object {" ".join(words)}')

    def read(self, paddr, size):
        """What was placed there."""
        for at, data in self.objects.values():
            if at <= paddr and paddr + size <= at + len(data):
                return bytes(data[paddr - at:paddr - at + size])
        raise Mistake(f'nothing at {paddr:#x}')


class Segment:
    def __init__(self, paddr):
        self.paddr, self.filesz, self.memsz, self.offset = paddr, 0, 0, 0


def gone_pages(dump):
    """Pages that the dump leaves out, and those that it doesn't know of."""
    gone = {'exclude': set(), 'omit': set()}
    for kind, words in dump.holes:
        name, rest = dump.memory.find(words)
        gone[kind].update(dump.memory.pages(name, rest))
    return gone


def make_segments(dump):
    """Runs of pages that the file has, each with the excluded ones behind it."""
    gone = gone_pages(dump)
    segments, open_segment = [], None
    for page in range(dump.arch['base'], dump.memory.next, dump.memory.page):
        if page in gone['omit']:
            open_segment = None
            continue
        excluded = page in gone['exclude']
        if not open_segment or (not excluded and open_segment.memsz > open_segment.filesz):
            open_segment = Segment(page)
            segments.append(open_segment)
        open_segment.memsz += dump.memory.page
        if not excluded:
            open_segment.filesz += dump.memory.page
    return segments
