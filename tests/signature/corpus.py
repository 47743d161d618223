# SPDX-License-Identifier: GPL-2.0-or-later
"""The corpus of the signature: crashes whose root cause is known, and what nmibt and satyr make of them.

recorded   kernels that LKDTM broke, in the testbed: testdumps/signature/recorded.tar.xz, made by
           testdumps/signature/record
bundled    the dumps of testdumps
described  described.py
public     syzkaller's reports with the titles that its people gave them; they are not copied into this
           project, public_cases() reads a clone
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile

import described

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TESTDUMPS = os.path.join(ROOT, 'testdumps')
RECORDED = os.path.join(TESTDUMPS, 'signature/recorded.tar.xz')
NMIBT = os.path.join(ROOT, 'build/nmibt')
HERE = os.path.dirname(os.path.abspath(__file__))

# Titles that name no root cause: what was found is the victim of something on another CPU or in
# another task, or the report is too broken to tell.
NO_CAUSE = re.compile(r'corrupted|smp_call_function|task hung|hung_task|corrupted stack end|unexpected kernel reboot|'
                      r'kernel panic: (panic_on_warn|Fatal|Attempted)')
# Titles of one cause: drivers/tty/sysrq.c, sysrq_handle_crash(), wrote to NULL on purpose before it called
# panic(), and KASAN makes a general protection fault of that.
SAME_CAUSE = {'general protection fault in sysrq_handle_crash': 'kernel panic: sysrq triggered crash'}
# The commit whose reports were read; in others there may be more.
PUBLIC_COMMIT = '1e72964b0111319984575e60f266d1fa0a98abb5'
PUBLIC_REPORTS = 'pkg/report/testdata/linux/report'


class Case:
    def __init__(self, origin, kind, name, path):
        self.origin, self.kind, self.name, self.path = origin, kind, name, path
        self.signature = self.duphash = None
        self.functions, self.text = [], ''

    def read(self):
        """What nmibt makes of it."""
        ran = subprocess.run([NMIBT, '--json', self.path], capture_output=True, timeout=60)
        if not ran.stdout:  # no backtrace is in it
            return
        document = json.loads(ran.stdout)
        made, death = document['signature'], document['death'] or {}
        self.signature, self.duphash, self.functions = made['value'], made['duphash'], made['functions']
        if self.path.endswith('vmcore'):
            reporter = str(death.get('reporter') or 0)
            text = subprocess.run([NMIBT, '-c', reporter, self.path], capture_output=True, timeout=60).stdout
            self.text = ''.join(line[4:] + '\n' for line in text.decode(errors='replace').splitlines()
                                if line.startswith('    '))
        else:
            with open(self.path, encoding='utf-8', errors='replace') as file:
                self.text = first_report(file.read())


# How a report of the kernel begins; what satyr is given begins there, as abrt takes it out of the log.
BEGIN = re.compile(r'BUG:|WARNING:|Oops|general protection fault|kernel BUG at|Internal error|Unable to handle|INFO: |'
                   r'watchdog: |Kernel panic - not syncing|rcu: INFO')
FRAME = re.compile(r'(\?|^|\s)\s*[A-Za-z_][\w.]*\+0x[0-9a-f]+/0x[0-9a-f]+')


def first_report(text):
    """The lines of the first report that has a stack, up to its end."""
    lines, has_stack = [], False
    for line in text.splitlines():
        line = re.sub(r'^(<\d+>)?\[ *[0-9.]+\] ?(\[ *[TC]\d+\] ?)?', '', line)
        begins = BEGIN.search(line)
        if not lines and not begins:
            continue
        if has_stack and (begins or '---[ end' in line):
            break
        has_stack = has_stack or line.lstrip().startswith(('Call Trace', 'Call trace'))
        lines.append(line)
    return '\n'.join(lines) + '\n'


def mkdump(text, folder, name):
    """Makes a dump of a description and returns its path."""
    for include in ('four-cpus.inc', 'x86_64.inc'):
        if not os.path.exists(os.path.join(folder, include)):
            shutil.copy(os.path.join(TESTDUMPS, 'evidence', include), folder)
    description, vmcore = os.path.join(folder, name + '.dump'), os.path.join(folder, name + '.vmcore')
    with open(description, 'w', encoding='utf-8') as file:
        file.write(text)
    made = subprocess.run([os.path.join(TESTDUMPS, 'mkdump'), description, vmcore], stderr=subprocess.PIPE, text=True)
    if made.returncode:
        raise ValueError(f'{name}: {made.stderr.strip().splitlines()[-1]}')
    return vmcore


def recorded_cases(folder):
    with tarfile.open(RECORDED) as archive:
        for member in sorted(archive.getmembers(), key=lambda member: member.name):
            if not member.isfile():
                continue
            kind, name = member.name.split('/')
            path = os.path.join(folder, f'{kind}-{name}')
            with open(path, 'wb') as file:
                file.write(archive.extractfile(member).read())
            yield Case('recorded', kind, name[:-4], path)


def bundled_cases():
    for name in ('arm64-6.12-irqspin', 'x86_64-6.1-irqspin', 'x86_64-6.12-irqspin'):
        yield Case('bundled', 'nmibt_spin_forever', name, os.path.join(TESTDUMPS, name, 'vmcore'))


def described_cases(folder):
    for kind, name, text in described.cases():
        yield Case('described', kind, name, mkdump(text, folder, name))


def public_cases(clone, folder):
    """The reports of a clone of https://github.com/google/syzkaller. A report's first lines are its titles,
    its log comes behind an empty line."""
    reports = os.path.join(clone, PUBLIC_REPORTS)
    for name in sorted(os.listdir(reports), key=lambda name: (len(name), name)):
        with open(os.path.join(reports, name), encoding='utf-8', errors='replace') as file:
            text = file.read()
        head = re.match(r'((?:[A-Z]+:.*\n)+)\n', text)
        title = head and re.search(r'^TITLE: (.*)', head[1], re.M)
        if not title or NO_CAUSE.search(title[1]):
            continue
        # Others are of machines that went on: of what they print about themselves there is no signature.
        if 'Kernel panic - not syncing' not in text:
            continue
        # Syzkaller's people put some together, of several reports, to try their reader.
        times = [float(time) for time in re.findall(r'(?m)^\[ *(\d+\.\d+)\]', text)]
        if any(later < earlier - 1 for earlier, later in zip(times, times[1:])):
            continue
        path = os.path.join(folder, f'public-{name}')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text[head.end():].split('\n\nREPORT:\n')[0])
        yield Case('public', SAME_CAUSE.get(title[1], title[1]), name, path)


# satyr's library without what reads other things than oopses
SATYR_LEFT_OUT = re.compile(r'rpm|deb|core_unwind|unstrip|disasm|callgraph|elves|abrt|report|cluster|operating')


def build_satyr(source, folder):
    """Builds satyr-duphash of satyr's sources (https://github.com/abrt/satyr). Needs gperf, libglib2.0-dev,
    libjson-c-dev."""
    lib = os.path.join(source, 'lib')
    subprocess.run(['gperf', '--output-file=' + os.path.join(folder, 'normalize_hash.h'),
                    os.path.join(lib, 'normalize_hash.gperf')], check=True)
    flags = subprocess.run(['pkg-config', '--cflags', '--libs', 'glib-2.0', 'json-c'], check=True,
                           stdout=subprocess.PIPE, text=True).stdout.split()
    program = os.path.join(folder, 'satyr-duphash')
    subprocess.run(['gcc', '-w', '-std=gnu99', '-D_GNU_SOURCE', '-DPACKAGE_VERSION="0"', '-ffunction-sections',
                    '-Wl,--gc-sections', '-I', folder, '-I', os.path.join(source, 'include'), '-I',
                    os.path.join(source, 'include/satyr'), '-I', lib, '-o', program,
                    os.path.join(HERE, 'satyr-duphash.c'),
                    *(os.path.join(lib, name) for name in sorted(os.listdir(lib))
                      if name.endswith('.c') and not SATYR_LEFT_OUT.search(name[:-2])), *flags, '-lm'],
                   check=True)
    return program


def satyr_hashes(program, cases, frames):
    ran = subprocess.run([program, str(frames)], input=b''.join(case.text.encode() + b'\0' for case in cases),
                         stdout=subprocess.PIPE, check=True)
    return [line or None for line in ran.stdout.decode().split('\n')[:-1]]


class Score:
    """Of all pairs of cases: of one kind or not, of one name or not. A case without a name is alone."""

    def __init__(self, cases, names):
        self.same = self.merged = self.right = self.different = 0
        self.wrong = []
        for i, (case, name) in enumerate(zip(cases, names)):
            for other, other_name in zip(cases[:i], names[:i]):
                is_same, is_merged = case.kind == other.kind, name is not None and name == other_name
                self.same += is_same
                self.different += not is_same
                self.merged += is_merged
                self.right += is_same and is_merged
                if is_same != is_merged:
                    self.wrong.append((is_merged, other, case))
        self.named = sum(name is not None for name in names)
        self.precision = self.right / self.merged if self.merged else 1
        self.recall = self.right / self.same if self.same else 1
        both = self.precision + self.recall
        self.f1 = 2 * self.precision * self.recall / both if both else 0
        self.false_merges = 1 - self.precision
        self.false_of_different = (self.merged - self.right) / self.different if self.different else 0


def eprint(*words):
    print(*words, file=sys.stderr, flush=True)
