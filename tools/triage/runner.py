# SPDX-License-Identifier: GPL-2.0-or-later
"""nmibt, which reads many dumps in one process, and each of them in a sandbox."""
import json
import os
import shutil
import subprocess

from . import Trouble


REPORT = b'],"report":'


class Died(Exception):
    """nmibt has ended before its line."""


def find(path=None):
    """Where nmibt is: named, in the environment, in the sources that this is in, or installed."""
    named = path or os.environ.get('NMIBT')
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../build/nmibt')
    found = shutil.which(named) if named else \
        here if os.access(here, os.X_OK) else shutil.which('nmibt')
    if not found:
        raise Trouble('%s: no such program. Install nmibt, or name it by --nmibt' % (named or 'nmibt'))
    return os.path.abspath(found)  # "./nmibt" is none of PATH


class Runner:
    def __init__(self, path):
        self.path = path
        self.process = None

    def start(self):
        # A process group of its own: CTRL-C is for this program, which then ends in good order.
        self.process = subprocess.Popen([self.path, '--json', '--batch=lists'], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        start_new_session=True)

    def read(self, paths):
        """The line about the dump in these files: exit_code, messages, report, and raw, the bytes of
        report."""
        if not self.process:
            self.start()
        try:
            self.process.stdin.write(b''.join(path + b'\0' for path in paths) + b'\0')
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except OSError:
            line = b''
        if not line.endswith(b'\n'):
            raise Died(self.how_it_ended())
        try:
            # Quotes in the strings before it are escaped.
            raw = line[line.index(REPORT) + len(REPORT):].rstrip()[:-1]
            return {**json.loads(line), 'raw': raw}
        except ValueError as error:
            raise Died('nmibt wrote what is no line of --batch: %s' % error) from error

    def how_it_ended(self):
        process, self.process = self.process, None
        _, said = process.communicate()
        code = process.returncode
        text = said.decode('utf-8', 'replace').strip().splitlines()
        return '%s; %s' % ('nmibt was killed by signal %d' % -code if code < 0 else
                           'nmibt ended with exit code %d' % code, text[-1] if text else 'it said nothing')

    def stop(self):
        if not self.process:
            return
        self.process.stdin.close()
        self.process.stdout.close()
        try:
            self.process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()
        self.process = None
