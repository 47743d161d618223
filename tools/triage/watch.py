# SPDX-License-Identifier: GPL-2.0-or-later
"""Waits for dumps that come, by inotify(7), and reads each when nothing has written to it for a while."""
import ctypes
import dataclasses
import os
import select
import signal
import socket
import struct
import threading
import time

from . import Trouble, candidates, scan, words

# include/uapi/linux/inotify.h
IN_ATTRIB, IN_CLOSE_WRITE, IN_MOVED_TO, IN_CREATE = 0x4, 0x8, 0x80, 0x100
IN_Q_OVERFLOW, IN_IGNORED, IN_ISDIR = 0x4000, 0x8000, 0x40000000
WATCHED = IN_ATTRIB | IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE
EVENT = struct.Struct('iIII')


class Inotify:
    def __init__(self):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.fd = self.libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fd < 0:
            raise Trouble('inotify: %s' % os.strerror(ctypes.get_errno()))
        self.folders = {}

    def add(self, folder):
        """And all folders in it."""
        for here, _ in candidates.walk(folder, lambda path, why: None):
            watch = self.libc.inotify_add_watch(self.fd, os.fsencode(here), WATCHED)
            if watch >= 0:
                self.folders[watch] = here
            elif ctypes.get_errno() == 28:  # ENOSPC
                raise Trouble('%s: there are more folders than may be watched: raise the sysctl '
                              'fs.inotify.max_user_watches' % words.escape(here))

    def changed(self):
        """Folders in which something has changed; None in it: some events are lost."""
        try:
            data = os.read(self.fd, 1 << 16)
        except BlockingIOError:
            return set()
        found, at = set(), 0
        while at < len(data):
            watch, mask, _, length = EVENT.unpack_from(data, at)
            name = os.fsdecode(data[at + EVENT.size:at + EVENT.size + length].rstrip(b'\0'))
            at += EVENT.size + length
            if mask & IN_Q_OVERFLOW:
                found.add(None)
            elif mask & IN_IGNORED:
                self.folders.pop(watch, None)
            elif watch in self.folders:
                found.add(self.folders[watch])
                if mask & IN_ISDIR:
                    self.add(os.path.join(self.folders[watch], name))
        return found


class Watch:
    def __init__(self, store, folders, options, tell):
        self.store, self.options, self.tell = store, options, tell
        self.folders = [os.path.abspath(folder) for folder in folders]
        self.inotify = Inotify()
        self.due = {}  # folder to when it has to be looked at
        self.stopped = threading.Event()

    def read(self, folders):
        """Folders that went meanwhile are left out."""
        folders = [folder for folder in folders if os.path.isdir(folder)]
        if not folders:
            return
        outcome = scan.scan(self.store, folders, self.options)
        self.tell(outcome)
        if outcome.interrupted:
            self.stopped.set()
        if outcome.fresh:
            self.delay(folders)

    def delay(self, folders):
        for folder in folders:
            self.due[folder] = time.monotonic() + self.options.settle + 0.1

    def wait(self, wakeup):
        """Until something changes, something is due, or a signal comes."""
        left = min(self.due.values()) - time.monotonic() if self.due else None
        ready, _, _ = select.select([self.inotify.fd, wakeup], [], [],
                                    None if left is None else max(left, 0))
        if self.inotify.fd in ready:
            changed = self.inotify.changed()
            self.delay(self.folders if None in changed else changed)

    def due_now(self):
        now = time.monotonic()
        found = [folder for folder, when in self.due.items() if when <= now]
        for folder in found:
            del self.due[folder]
        return found

    def run(self):
        """Until SIGTERM or CTRL-C."""
        theirs, wakeup = socket.socketpair()
        theirs.setblocking(False)
        before = signal.set_wakeup_fd(theirs.fileno())
        try:
            with scan.stopping(self.stopped):
                # Watched first: what comes during the scan is not missed.
                for folder in self.folders:
                    self.inotify.add(folder)
                self.read(self.folders)
                while not self.stopped.is_set():
                    self.wait(wakeup.fileno())
                    if not self.stopped.is_set():
                        self.read(self.due_now())
        finally:
            signal.set_wakeup_fd(before)
            os.close(self.inotify.fd)


def watch(store, folders, options, tell):
    Watch(store, folders, dataclasses.replace(options, quiet=True), tell).run()
