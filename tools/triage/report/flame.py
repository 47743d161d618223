# SPDX-License-Identifier: GPL-2.0-or-later
"""What all CPUs of a crash were doing, as a flame graph: the outermost function below, as wide as it has
CPUs."""
import dataclasses
import zlib

WIDTH, ROW, COLOURS = 960, 20, 6
MOST_RECTS = 3000
LETTER = 7  # units that a letter takes


@dataclasses.dataclass
class Graph:
    height: int
    rects: list  # x, y, width, name, what is written in it, number of its colour, CPUs
    folded: list  # (stack as text, CPUs): the same for who can't see it
    cut: bool  # there was more


def chain_of(cpu):
    """From the outermost function on; () where no stack stands for the CPU."""
    if cpu['older'] or cpu['last_seen']:
        return ()
    frames = cpu['stack']['frames'] if cpu['stack'] else []
    names = tuple(frame['function_name'] or frame['address'] or '?' for frame in reversed(frames)
                  if frame['reliable'])
    return names or (('in user mode',) if cpu['user'] else ())


def make(cpus):
    """None: no CPU has a stack."""
    counts = {}
    for cpu in cpus:
        chain = chain_of(cpu)
        if chain:
            counts[chain] = counts.get(chain, 0) + 1
    if not counts:
        return None
    chains = sorted(counts)
    total, deepest = sum(counts.values()), max(map(len, chains))
    graph = Graph(ROW * deepest, [], sorted(((' < '.join(reversed(chain)), count)
                                             for chain, count in counts.items()),
                                            key=lambda one: -one[1]), False)
    layer = [(0, chains)]  # first CPU of each part, chains that are in it
    for depth in range(deepest):
        following = []
        for at, part in layer:
            for name, inside in parts_of(part, depth):
                width = sum(counts[chain] for chain in inside)
                if len(graph.rects) >= MOST_RECTS:
                    graph.cut = True
                    return graph
                add(graph, at, width, total, deepest - 1 - depth, name)
                following.append((at, inside))
                at += width
        layer = following
    return graph


def parts_of(chains, depth):
    """Chains that go on, by their function at this depth. They are sorted."""
    found = {}
    for chain in chains:
        if len(chain) > depth:
            found.setdefault(chain[depth], []).append(chain)
    return found.items()


def add(graph, at, width, total, row, name):
    pixels = WIDTH * width / total
    room = int((pixels - 6) / LETTER)
    text = name if len(name) <= room else name[:room - 2] + '..' if room > 4 else ''
    graph.rects.append((round(WIDTH * at / total, 2), row * ROW, round(pixels - 1, 2), name, text,
                        zlib.crc32(name.encode()) % COLOURS, width))
