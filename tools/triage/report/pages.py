# SPDX-License-Identifier: GPL-2.0-or-later
"""Turns templates into pages. Everything in them is escaped, and by its policy a page runs no script and
has no style but our own, and fetches nothing."""
import base64
import hashlib
import os

from .. import Trouble, words

HERE = os.path.dirname(os.path.abspath(__file__))
LONGEST = 400  # characters of a text that came from a dump


def own(name):
    with open(os.path.join(HERE, name), encoding='utf-8') as file:
        return file.read()


def hash_of(text):
    return "'sha256-%s'" % base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def make_environment():
    try:
        import jinja2
        import markupsafe
    except ImportError as error:
        raise Trouble('report needs python3-jinja2: apt install python3-jinja2') from error
    made = jinja2.Environment(loader=jinja2.FileSystemLoader(HERE), autoescape=True, trim_blocks=True,
                              lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    style, script = own('style.css'), own('sort.js')
    made.globals.update(
        style=markupsafe.Markup(style), script=markupsafe.Markup(script),
        policy="default-src 'none'; style-src %s; script-src %s; base-uri 'none'; form-action 'none'" %
        (hash_of(style), hash_of(script)))
    made.filters.update(shown=lambda text: words.cut('' if text is None else text, LONGEST),
                        number=lambda value: '-' if value is None else format(value, ','), day=words.day_of, time=words.time_of,
                        why=words.why, count=words.count)
    return made
