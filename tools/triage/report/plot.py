# SPDX-License-Identifier: GPL-2.0-or-later
"""Crashes over time: a bar for each span of days, in layers of the largest groups."""
import dataclasses
import math

from .. import groups, words

BARS, LAYERS = 60, 7  # at most
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 960, 240, 48, 24, 8


@dataclasses.dataclass
class Plot:
    bars: list  # (first day, label, [count of each layer])
    layers: list  # names of groups; the last may be the others
    rects: list  # x, y, width, height, layer, what it is
    lines: list  # y, number
    labels: list  # x, text
    days: int  # in a bar


def counts_of(store, shown):
    """For each group that is shown, and for all others, day to count."""
    found = [groups.by_day(store, group['id']) for group in shown]
    rest = {}
    marks = ', '.join(str(group['id']) for group in shown)
    for day, count in store.each("SELECT CAST(value AS INTEGER), sum(crashes) FROM tallies WHERE kind = "
                                 "'day' AND group_id NOT IN (%s) GROUP BY 1" % marks):
        if day >= 0:
            rest[day] = count
    return found + ([rest] if rest else [])


def nice(top):
    """A round number that is not less."""
    size = 10 ** int(math.log10(max(top, 1)))
    return next(step * size for step in (1, 2, 4, 6, 8, 10) if step * size >= top)


def make(store, largest):
    """None: no crash has a time."""
    shown = largest[:LAYERS]
    counts = counts_of(store, shown)
    days = sorted({day for one in counts for day in one})
    if not days:
        return None
    width = max(1, math.ceil((days[-1] - days[0] + 1) / BARS))
    bars = []
    for first in range(days[0], days[-1] + 1, width):
        bars.append((first, words.day_of(first * 86400), [
            sum(one.get(day, 0) for day in range(first, first + width)) for one in counts]))
    names = ['G%d' % group['id'] + (' ' + group['name'] if group['name'] else '') for group in shown]
    return draw(bars, names + (['others'] if len(counts) > len(shown) else []), width)


def draw(bars, layers, days):
    top = nice(max(sum(counts) for _, _, counts in bars))
    step = (WIDTH - LEFT) / len(bars)
    scale = (HEIGHT - TOP - BOTTOM) / top
    rects = []
    for i, (_, label, counts) in enumerate(bars):
        y = HEIGHT - BOTTOM
        for layer, count in enumerate(counts):
            if count:
                height = count * scale
                y -= height
                rects.append((round(LEFT + i * step, 2), round(y, 2), round(max(step - 1, 1), 2),
                              round(height, 2), layer, '%s: %s of %s' % (label, words.count(count, 'crash'),
                                                                         layers[layer])))
    lines = [(round(HEIGHT - BOTTOM - top * part * scale, 2), format(int(top * part), ','))
             for part in ((0, 0.5, 1) if top > 1 else (0, 1))]
    every = max(1, len(bars) // 6)
    labels = [(round(LEFT + i * step, 2), bars[i][1]) for i in range(0, len(bars), every)
              if LEFT + i * step < WIDTH - 70]
    return Plot(bars, layers, rects, lines, labels, days)
