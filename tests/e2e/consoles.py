# SPDX-License-Identifier: GPL-2.0-or-later
"""The lines of a console, with and without the log's stamps."""

import re


def without_twins(text):
    """A character that stands there several times counts once: a panic writes to the serial line, too, where
    another CPU has its lock (drivers/tty/serial/8250/8250_port.c: serial8250_console_write(),
    7.2)."""
    return re.sub(r"(.)\1+", r"\1", text)


def console_lines(log):
    """The first kernel's log, without timestamps and carriage returns."""
    return [re.sub(r"^\[ *\d+\.\d+\] ?", "", line.rstrip("\r"))
            for line in log.split("\n")]


def timed_lines(log):
    """(seconds or None, text) of each line."""
    for line in log.splitlines():
        stamp = re.match(r"\[ *(\d+\.\d+)\](?:\[[ TC\d]+\])? ?", line)
        yield (float(stamp[1]), line[stamp.end():]) if stamp else (None, line)


def stamped_lines(log):
    """[(seconds, text)] of the lines with a stamp that has not more digits than the kernel prints
    (kernel/printk/printk.c: print_time(), 7.2)."""
    whole = re.compile(r"\[(?:[ \d]{5}|\d{6,})\.\d{6}\]")
    log = "\n".join(line for line in log.splitlines() if whole.match(line))
    return list(timed_lines(log))
