# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's kdump-tools run the hook: a Debian root of trixie in QEMU, with systemd, panics.

The root is as Debian's packages make it (scripts/testbed/debian-root). Into it go what
`make install-hooks` installs, vmcore-nmibt, and a unit that brings the machine down when kdump-tools
have loaded the crash kernel. What is in /var/crash then is taken out of the disk.
"""

import glob
import os
import re
import subprocess
import tempfile
import time

import parts
import runs

testbed = runs.run_scenario()

SUITE, NAME = "trixie", "kdump-tools"
NMIBT = os.path.join(parts.TOP, "build/nmibt")
ABOUT = ("hooks", "scripts/testbed/debian-root")
BOOT_SECONDS = 400
DIE = """#!/bin/sh
exec >/dev/console 2>&1
kdump-config status
echo 1 >/sys/devices/system/cpu/cpu1/online
sleep 2
echo c >/proc/sysrq-trigger
"""
UNIT = """[Unit]
Description=Brings the machine down
After=kdump-tools.service
ConditionPathExists=!/proc/vmcore
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/die
"""
# While the machine waits for its disk, which takes the host's time, its clock goes on by leaps, from
# timer to timer. So what the hook needs of the disk in its 3 s is read before.
READ_AHEAD = """[Unit]
Description=Reads what the hook needs
DefaultDependencies=no
Before=nmibt-capture.service
ConditionPathExists=/proc/vmcore
[Service]
Type=oneshot
ExecStart=-sh -c 'cat /usr/sbin/vmcore-nmibt /usr/lib/nmibt/* >/dev/null; modprobe -n ramoops'
"""
# The network, which kdump-tools wait for: in the capture kernel it comes when the hook has spoken, or
# late.
NETWORK = """[Unit]
Description=Stands for a network
Before=network-online.target
ConditionPathExists=/proc/vmcore
[Service]
Type=oneshot
ExecStart=-timeout 60 sh -c 'until journalctl -q -o cat -u nmibt-capture | grep nmibt; do sleep 1; done'
"""
# In this order. What the hook says of pstore comes by way of the journal, and may be late.
SAYS = ("ready to kdump", "Kernel panic - not syncing: sysrq triggered crash",
        r"^CPU [01]  self  .*  panicked", "Reached target network-online.target",
        "saved dmesg content in /var/crash/", "saved vmcore in /var/crash/")
NO_PMSG = "no record in pstore: this kernel has no /dev/pmsg0"


class Machine(testbed.Machine):
    """One with a root on its disk."""

    def channels(self, folder):
        self.disk = os.path.join(folder, "disk.raw")
        return ["-serial", "file:" + self.serial_path,
                "-drive", "file=%s,format=raw,if=none,id=disk" % self.disk]

    def wait(self, seconds):
        end = time.monotonic() + testbed.seconds_on_this_host(seconds)
        while not self.ended():
            if time.monotonic() > end:
                return ["not ended in time"]
            time.sleep(0.2)
        return []


def put(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)


def put_unit(tree, name, text, target):
    """It is started with the target."""
    path = "/etc/systemd/system/"
    put(tree + path + name, text)
    os.makedirs(tree + path + target + ".wants", exist_ok=True)
    os.symlink(path + name, tree + path + target + ".wants/" + name)


def make_disk(root, folder):
    """The root's files are linked, and none of them is written to."""
    tree = os.path.join(folder, "tree")
    subprocess.run(["cp", "-al", root, tree], check=True)
    for command in (["install-hooks", "DESTDIR=" + tree, "prefix=/usr"], ["vmcore-nmibt-static"]):
        subprocess.run(["make", "-s", *command], cwd=parts.TOP, check=True)
    subprocess.run(["install", "-s", os.path.join(parts.TOP, "build/vmcore-nmibt-static"),
                    tree + "/usr/sbin/vmcore-nmibt"], check=True)
    # kdump-tools make one when they first need it, which takes long in QEMU.
    initrd, = glob.glob(root + "/boot/initrd.img-*")
    os.link(initrd, os.path.join(tree, "var/lib/kdump", os.path.basename(initrd)))
    put(tree + "/usr/local/sbin/die", DIE, 0o755)
    put_unit(tree, "die.service", UNIT, "multi-user.target")
    put_unit(tree, "read-ahead.service", READ_AHEAD, "sysinit.target")
    put_unit(tree, "network.service", NETWORK, "network-online.target")
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", tree, folder + "/disk.raw", "4G"],
                   check=True, stdout=subprocess.DEVNULL)


def boot(root, folder):
    """Complaints."""
    # By a count of instructions the seconds that the hook has are as long on any host.
    scenario = {"ending": "kdump", "stock": True, "cpus": 2, "memory": "1G", "crashkernel": "320M",
                "icount": True,
                "append": "root=/dev/vda rw systemd.show_status=1"}
    os.symlink(glob.glob(root + "/boot/vmlinuz-*")[0], folder + "/kernel")
    initrd, = glob.glob(root + "/boot/initrd.img-*")
    machine = Machine(testbed.QEMU["x86_64"], scenario, "x86_64", folder, initrd, folder)
    try:
        return machine.wait(2 * BOOT_SECONDS)
    finally:
        machine.stop()


def check_serial(folder):
    with open(folder + "/serial.log", errors="replace") as file:
        serial = re.sub(r"\x1b\[[0-9;]*m|\r", "", file.read())
    at = 0
    for pattern in SAYS:
        found = re.compile(pattern, re.M).search(serial, at)
        if not found:
            return ["the console lacks %r, or it comes too early" % pattern]
        at = found.end()
    return ["the console lacks %r" % NO_PMSG] if NO_PMSG not in serial else []


def report(path):
    """Without what differs between the dump and a record of it: where it comes from."""
    done = subprocess.run([NMIBT, path], stdout=subprocess.PIPE, text=True, errors="replace")
    return re.sub(r"^(sources|host) .*\n", "", done.stdout, flags=re.M)


def check_crash(folder):
    # The machine was reset: parts of the files' lengths and places are in the journal only.
    subprocess.run(["e2fsck", "-p", "-E", "journal_only", folder + "/disk.raw"],
                   stdout=subprocess.DEVNULL, check=True)
    subprocess.run(["debugfs", "-R", "rdump /var/crash " + folder, folder + "/disk.raw"],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    there = {re.sub(r"\d{12}", "STAMP", os.path.relpath(path, folder)): path
             for path in glob.glob(folder + "/crash/*/*")}
    wanted = ["crash/STAMP/%s.STAMP" % name for name in ("dmesg", "dump", "nmibt", "nmibt-record")]
    bad = ["no %s" % name for name in wanted if name not in there]
    if bad:
        return bad + sorted(there)
    dump, text, record = (there[name] for name in wanted[1:])
    if report(dump) != report(record) or "panicking" not in report(dump):
        bad += ["the record makes another report than the dump", report(dump), report(record)]
    with open(text) as file:
        if "sysrq_handle_crash" not in file.read():
            bad.append("the text lacks the panic's backtrace")
    return bad + ["others can read %s" % name for name in (text, record)
                  if os.stat(name).st_mode & 0o077]


def check(keep):
    """Complaints. What the machine left goes to the folder keep, if there is one."""
    root = testbed.tool(os.path.join(runs.TESTBED, "debian-root"), SUITE)
    with tempfile.TemporaryDirectory() as folder:
        make_disk(root, folder)
        bad = boot(root, folder) or check_serial(folder) + check_crash(folder)
        if keep:
            os.makedirs(keep, exist_ok=True)
            subprocess.run(["cp", folder + "/serial.log", keep], check=True)
            subprocess.run(["cp", "-r", folder + "/crash", keep], stderr=subprocess.DEVNULL)
    return bad
