# SPDX-License-Identifier: GPL-2.0-or-later
"""A headless Chromium that is told by its debugging protocol, over a pipe, what to load and to show.

https://chromedevtools.github.io/devtools-protocol/
"""
import base64
import json
import os
import shutil
import subprocess
import tempfile

PATIENCE_S = 120


def find():
    return shutil.which('chromium')


class Browser:
    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_read, self.out = os.pipe()
        self.inp, to_write = os.pipe()

        def place():
            os.dup2(to_read, 10)
            os.dup2(to_write, 11)
            os.dup2(10, 3)
            os.dup2(11, 4)

        self.process = subprocess.Popen(
            [find(), '--headless=new', '--no-sandbox', '--disable-gpu', '--remote-debugging-pipe',
             '--no-first-run', '--disable-background-networking', '--user-data-dir=' + self.folder.name,
             'about:blank'], preexec_fn=place, close_fds=False, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.number, self.buffer, self.events, self.session = 0, b'', [], None
        target = next(one for one in self.call('Target.getTargets')['targetInfos'] if one['type'] == 'page')
        self.session = self.call('Target.attachToTarget', targetId=target['targetId'],
                                 flatten=True)['sessionId']
        for domain in 'Page', 'Runtime', 'Network', 'Log':
            self.call(domain + '.enable')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.session = None
        self.call('Browser.close')  # its helpers end with it, and write nothing any more
        self.process.wait()
        os.close(self.out)
        os.close(self.inp)
        self.folder.cleanup()

    def next_message(self):
        while b'\0' not in self.buffer:
            some = os.read(self.inp, 1 << 20)
            if not some:
                raise RuntimeError('Chromium has ended')
            self.buffer += some
        text, self.buffer = self.buffer.split(b'\0', 1)
        return json.loads(text)

    def call(self, method, **params):
        self.number += 1
        message = {'id': self.number, 'method': method, 'params': params}
        if self.session:
            message['sessionId'] = self.session
        os.write(self.out, json.dumps(message).encode() + b'\0')
        while True:
            answer = self.next_message()
            if answer.get('id') == self.number:
                if 'error' in answer:
                    raise RuntimeError('%s: %s' % (method, answer['error']))
                return answer['result']
            self.events.append(answer)

    def wait_for(self, method):
        for event in self.events:
            if event.get('method') == method:
                return
        while True:
            event = self.next_message()
            self.events.append(event)
            if event.get('method') == method:
                return

    def open(self, path, width=1280, scheme='light', scripts=True):
        self.call('Emulation.setDeviceMetricsOverride', width=width, height=900, deviceScaleFactor=1,
                  mobile=False)
        self.call('Emulation.setEmulatedMedia', features=[{'name': 'prefers-color-scheme',
                                                           'value': scheme}])
        self.call('Emulation.setScriptExecutionDisabled', value=not scripts)
        self.events = []
        self.call('Page.navigate', url='file://' + path)
        self.wait_for('Page.loadEventFired')

    def run(self, script):
        done = self.call('Runtime.evaluate', expression=script, returnByValue=True, awaitPromise=True)
        if 'exceptionDetails' in done:
            raise RuntimeError(json.dumps(done['exceptionDetails'])[:500])
        return done['result'].get('value')

    def picture(self, path):
        made = self.call('Page.captureScreenshot', captureBeyondViewport=True)
        with open(path, 'wb') as file:
            file.write(base64.b64decode(made['data']))

    def complaints(self):
        """Errors of scripts, refusals by the policy, dialogs, and requests that left the machine."""
        found = []
        for event in self.events:
            method, params = event.get('method'), event.get('params', {})
            if method in ('Runtime.exceptionThrown', 'Page.javascriptDialogOpening'):
                found.append(json.dumps(params)[:300])
            if method == 'Log.entryAdded' and params['entry']['level'] == 'error':
                found.append(params['entry']['text'][:300])
            if method == 'Network.requestWillBeSent' and not params['request']['url'].startswith('file:'):
                found.append('asked for ' + params['request']['url'][:200])
        return found
