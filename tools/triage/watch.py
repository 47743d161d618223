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
IN_ATTRIB, IN_CLOSE_WRITE, IN_MOVED_TO, IN_CREATE, IN_MOVE_SELF = 0x4, 0x8, 0x80, 0x100, 0x800
IN_Q_OVERFLOW, IN_IGNORED, IN_ISDIR = 0x4000, 0x8000, 0x40000000
WATCHED = IN_ATTRIB | IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_MOVE_SELF
EVENT = struct.Struct('iIII')
# Where a file system is mounted over a folder that is watched nothing tells it.
CHECK_S = 600


class Inotify:
    def __init__(self):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.fd = self.libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fd < 0:
            raise Trouble('inotify: %s' % os.strerror(ctypes.get_errno()))
        self.folders = {}
        self.gone = set()

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
                self.gone.add(self.folders.pop(watch, None))
            elif watch in self.folders:
                found.add(self.folders[watch])
                if mask & IN_ISDIR:
                    self.add(os.path.join(self.folders[watch], name))
        return found


def identity_of(folder):
    """None: it is not there."""
    try:
        about = os.stat(folder)
    except OSError:
        return None
    return about.st_dev, about.st_ino


class Watch:
    def __init__(self, store, folders, options, tell):
        self.store, self.options, self.tell = store, options, tell
        self.folders = {folder: identity_of(folder) for folder in map(os.path.abspath, folders)}
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
        left = min(self.due.values()) - time.monotonic() if self.due else CHECK_S
        ready, _, _ = select.select([self.inotify.fd, wakeup], [], [], min(max(left, 0), CHECK_S))
        if self.inotify.fd in ready:
            changed = self.inotify.changed()
            if None in changed:
                for folder in self.folders:  # a folder that came is perhaps not watched yet
                    self.inotify.add(folder)
            self.delay(self.folders if None in changed else changed)

    def check_folders(self):
        """What comes to a folder that took the place of a watched one is not seen."""
        for folder, identity in self.folders.items():
            # The one that was made anew may have the number of the old one.
            if folder in self.inotify.gone or identity_of(folder) != identity:
                raise Trouble('%s: it is gone, or another folder took its place, as when a file system is unmounted or '
                              'mounted there; start watch again' % words.escape(folder))

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
                        self.check_folders()
                        self.read(self.due_now())
        finally:
            signal.set_wakeup_fd(before)
            os.close(self.inotify.fd)


def watch(store, folders, options, tell):
    Watch(store, folders, dataclasses.replace(options, quiet=True), tell).run()
