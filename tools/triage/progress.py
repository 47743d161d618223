# SPDX-License-Identifier: GPL-2.0-or-later
"""How far a scan is: a bar on a terminal, now and then a line elsewhere."""
import sys
import time

from . import words

LINE_EVERY_S = 30


class Lines:
    def __init__(self, total):
        self.total, self.done = total, 0
        self.began = self.said = time.monotonic()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def advance(self):
        self.done += 1
        now = time.monotonic()
        if now - self.said < LINE_EVERY_S:
            return
        self.said = now
        rate = self.done / (now - self.began)
        print('nmibt-triage: %s of %s, %.0f a second, %s left' %
              (format(self.done, ','), format(self.total, ','), rate,
               length((self.total - self.done) / rate)), file=sys.stderr, flush=True)


class Bar:
    def __init__(self, total, rich):
        columns = rich.progress
        self.began = time.monotonic()
        self.bar = columns.Progress(
            columns.TextColumn('scan'), columns.BarColumn(), columns.MofNCompleteColumn(),
            columns.TextColumn('{task.fields[rate]}'), columns.TimeRemainingColumn(),
            console=rich.console.Console(stderr=True))
        self.task = self.bar.add_task('scan', total=total, rate='')

    def __enter__(self):
        self.bar.start()
        return self

    def __exit__(self, *_):
        self.bar.stop()

    def advance(self):
        done = self.bar.tasks[0].completed + 1
        self.bar.update(self.task, advance=1,
                        rate='%.0f/s' % (done / max(time.monotonic() - self.began, 0.001)))


def length(seconds):
    seconds = int(seconds)
    if seconds < 120:
        return words.count(seconds, 'second')
    return '%d min' % (seconds // 60) if seconds < 7200 else '%.1f h' % (seconds / 3600)


def show(total, quiet):
    """A context manager with advance()."""
    if not quiet and sys.stderr.isatty():
        try:
            import rich.console
            import rich.progress
            return Bar(total, rich)
        except ImportError:
            pass
    return Lines(total)
