# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables: by rich on a terminal, which fits them to it; as plain columns elsewhere."""
import sys

from . import words


def show(heads, rows, out=None):
    """heads: names, of which those of numbers begin with '>'. rows: strings, which may be hostile."""
    out = out or sys.stdout
    rows = [[words.shown(cell) for cell in row] for row in rows]
    if out.isatty() and show_by_rich(heads, rows):
        return
    right = [head.startswith('>') for head in heads]
    lines = [[head.lstrip('>') for head in heads], *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    for line in lines:
        cells = [cell.rjust(width) if to_right else cell.ljust(width)
                 for cell, width, to_right in zip(line, widths, right)]
        print('  '.join(cells).rstrip(), file=out)


def show_by_rich(heads, rows):
    try:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        return False
    table = Table(box=None, pad_edge=False)
    for head in heads:
        table.add_column(Text(head.lstrip('>')), justify='right' if head.startswith('>') else 'left',
                         overflow='fold')
    for row in rows:
        table.add_row(*[Text(cell) for cell in row])  # Text: nothing in it is markup
    Console().print(table)
    return True
