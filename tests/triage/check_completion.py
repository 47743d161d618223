# SPDX-License-Identifier: GPL-2.0-or-later
"""What bash offers behind nmibt-triage: what the manual page has."""
import os
import re
import subprocess

import common

SCRIPT = r'''
source tools/nmibt-triage.bash-completion
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_nmibt_triage
printf '%s\n' "${COMPREPLY[@]}"
'''
TOOL = 'tools/nmibt-triage'


def offered(*words):
    done = subprocess.run(['bash', '-c', SCRIPT, 'bash', TOOL, *words], cwd=common.TOP, check=True,
                          stdout=subprocess.PIPE, text=True)
    return sorted(filter(None, done.stdout.split('\n')))


def check(results, tmp, many):
    with open(os.path.join(common.TOP, 'docs/man/nmibt-triage.1')) as file:
        manual = file.read()
    commands = offered('')
    lacking = [name for name in commands if not re.search(r'\b%s\b' % name, manual)]
    results.note('completion: commands', '' if len(commands) == 14 and not lacking else
                 '%s, the manual lacks %s' % (commands, lacking))
    for words, wanted in ((('sc',), ['scan']), (('--db', 'x', 'gr'), ['groups']),
                          (('scan', '--s'), ['--settle', '--shard']),
                          (('scan', '--fail'), ['--fail-on-new']),
                          (('export', '--format', ''), ['csv', 'jsonl', 'prometheus']),
                          (('groups', '--sort', 'l'), ['last']), (('scan', 'READ'), ['README.md']),
                          (('scan', '-j', ''), []), (('--db', 'READ'), ['README.md'])):
        have = offered(*words)
        results.note('completion: %s' % ' '.join(words), '' if have == wanted else str(have))
