# SPDX-License-Identifier: GPL-2.0-or-later
"""Dumps of a fleet from a seed: machines of 8 CPUs, kdump-compressed, with a log, symbols, slots of a
capture and crash notes, 250 KB each.

mkdump's code makes one dump of each kind. A dump of the fleet is one of these with another host, date,
and times in its log, and pages of noise that it has in memory, so that thousands take seconds.
"""
import collections
import contextlib
import os
import random
import re
import struct
import sys

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..'))
sys.path.insert(0, os.path.join(TOP, 'testdumps'))
from describe import kdump  # noqa: E402
from describe.description import Description  # noqa: E402
from describe.dump import Dump  # noqa: E402
from describe.layout import HEADER, Format  # noqa: E402

HOST = 'fleet-host-0000000'
DIED, REAL_S, LOCAL_NS = 1767225601, 1767225600, 60000000007
RECORD = 88  # sizeof(struct printk_info), 6.12; ts_nsec is its second word
NOISE_PAGES = 60
PARTS = ['nvme', 'mlx5', 'ixgbe', 'ext4', 'xfs', 'btrfs', 'kvm', 'amdgpu', 'i915', 'megasas', 'qla', 'dm',
         'md', 'zram', 'fuse', 'nfs', 'ceph', 'bond', 'vhost', 'iommu']
ACTS = ['queue', 'flush', 'reset', 'drain', 'submit', 'poll', 'reap', 'sync']

DESCRIPTION = '''
include four-cpus
cpus 8
kernel {kernel}
host {host}
panic cpu 1
kdump {died}
real {real}
local 60.000000007

define spin_frames()
    |  {part}_{act}_slow+0x55/0x70
    |  {part}_{act}+0x171/0x380
    |  {part}_thread+0x52/0x90
    |  kthread+0xd2/0x100
    |  ret_from_fork+0x34/0x50
    |  ret_from_fork_asm+0x1a/0x30
    |  </TASK>
end
define spin_chain()
    | {part}_{act}_wait+0x66 {part}_{act}_slow+0x55 {part}_{act}+0x171 {part}_thread+0x52 kthread+0xd2
    | ret_from_fork+0x34 ret_from_fork_asm+0x1a
end

log
1.0 T1 <6>| Linux version {kernel}
20.0 T1 <6>| EXT4-fs (vda): mounted filesystem
{records}
60.0 T1 <6>| sysrq: Trigger a crash
+0 T1 <0>| Kernel panic - not syncing: {message}

slot_crash()
cpu 3 nmi irqs-off
    task 118 {part}/3
    note eflags=46
    regs rip={part}_{act}_wait+0x66 rsp=ffffc90000073e80 eflags=46 cs=10
    stack
    spin_chain()
    text
    | NMI backtrace for cpu 3
    info(3, 118, {part}/3)
    regs_of({part}_{act}_wait+0x66/0x2b0, ffffc90000073e80, 00000046)
    | Call Trace:
    |  <TASK>
    spin_frames()
slot_idle(0, 1)
slot_user(2, 200, sh)
slot_reader(4, 7, 201, tar)
slot_idle(5, 1)
slot_idle(6, 3)
slot_idle(7, 5)
'''


class Template:
    """A dump of one kind, with the places in it that differ between machines."""

    def __init__(self, kind, folder):
        self.kind = kind
        part, act = PARTS[kind % len(PARTS)], ACTS[kind // len(PARTS) % len(ACTS)]
        self.culprit = '%s_%s_slow' % (part, act)
        self.kernel = ['6.12', '6.1'][kind % 2]
        path = os.path.join(folder, 'kind.dump')
        with open(path, 'w') as file:
            file.write(re.sub(r'\{(kernel|host|died|real|part|act|records|message)\}', lambda found: {
                'kernel': self.kernel, 'host': HOST, 'died': str(DIED), 'real': str(REAL_S), 'part': part,
                'act': act, 'message': 'sysrq triggered crash', 'records': '\n'.join(
                    '+0.5 T%d <6>| %s: link %d is up' % (200 + i, part, i) for i in range(40))
            }[found[1]], DESCRIPTION))
        about = Description(path, None)
        about.format = 'kdump'
        self.dump = Dump(Format(HEADER), about)
        self.pages, self.machine = kdump.make_pages(self.dump)
        self.packed = {number: kdump.pack(page) for number, page in self.pages.items()}
        self.infos = next(paddr for name, (paddr, _) in self.dump.memory.objects.items()
                          if name == 'log infos')

    def shift_log(self, pages, delta):
        """All times of the log but 0, by less than a second."""
        size = len(next(iter(pages.values())))
        data = self.dump.memory.objects['log infos'][1]
        for at in range(0, len(data) - RECORD + 1, RECORD):
            when, = struct.unpack_from('<Q', data, at + 8)
            paddr = self.infos + at + 8
            if when and paddr % size <= size - 8:
                struct.pack_into('<Q', pages[paddr // size], paddr % size, when + delta)

    def write(self, path, number, died, delta, noise):
        """noise: bytes, whole pages."""
        changes = [(HOST.encode(), ('fleet-host-%07d' % number).encode()),
                   (b'CRASHTIME=%d' % DIED, b'CRASHTIME=%d' % died),
                   (struct.pack('<Q', REAL_S * 10**9), struct.pack('<Q', died * 10**9 - 10**9 + delta)),
                   (struct.pack('<Q', LOCAL_NS), struct.pack('<Q', LOCAL_NS + delta))]
        pages = {number: bytearray(page) for number, page in self.pages.items()}
        self.shift_log(pages, delta)
        for old, new in changes:
            for page in pages.values():
                if old in page:
                    page[:] = page.replace(old, new)
        packed = {number: self.packed[number] if page == self.pages[number] else kdump.pack(page)
                  for number, page in pages.items()}
        size, last = len(page), max(self.machine)
        for i in range(len(noise) // size):
            packed[last + 1 + i] = (noise[i * size:(i + 1) * size], 0)
        head = [part.replace(*changes[0]).replace(*changes[1]) for part in self.head(packed)]
        write(path, head, packed)

    def head(self, packed):
        block, max_pfn = kdump.block_size(self.dump), max(packed) + 1
        size = len(kdump.padded(bytes(max_pfn // 8 + 1), block))
        sub = kdump.padded(kdump.make_sub_header(self.dump, max_pfn), block)
        made = kdump.make_header(self.dump, len(sub) // block, 2 * size // block, max_pfn)
        machine = set(self.machine) | set(packed)
        return [kdump.padded(made, block), sub, kdump.bitmap(machine, size), kdump.bitmap(packed, size)]


def write(path, head, packed):
    at = sum(map(len, head)) + 24 * len(packed)
    descs, data = [], []
    for number in sorted(packed):
        page, flags = packed[number]
        descs.append(struct.pack('<QIIQ', at, len(page), flags, 0))
        data.append(page)
        at += len(page)
    with open(path, 'wb') as file:
        file.write(b''.join(head + descs + data))


Made = collections.namedtuple('Made', 'path number kind died')


def make(folder, count, kinds=12, seed=1, flat=False, old=True):
    """count dumps below folder; what is in them. Few kinds are frequent, most are rare."""
    chance = random.Random(seed)
    os.makedirs(folder, exist_ok=True)
    templates = [Template(kind, folder) for kind in range(kinds)]
    os.unlink(os.path.join(folder, 'kind.dump'))
    noise = chance.randbytes(4096 * (NOISE_PAGES + 256))
    made = []
    for number in range(count):
        template = templates[min(int(chance.expovariate(0.35)), kinds - 1)]
        died = DIED + chance.randrange(90 * 86400)
        at = 4096 * chance.randrange(256)
        host = number if chance.random() < 0.7 else chance.randrange(max(count // 10, 1))
        place = folder if flat else os.path.join(folder, '%03d' % (number // 100))
        os.makedirs(place, exist_ok=True)
        path = os.path.join(place, 'vmcore.%d' % number)
        template.write(path, host, died, chance.randrange(10**9), noise[at:at + 4096 * NOISE_PAGES])
        if old:
            os.utime(path, (died + 60, died + 60))
        made.append(Made(path, host, template.kind, died))
    return made


if __name__ == '__main__':
    with contextlib.suppress(BrokenPipeError):
        make(sys.argv[1], int(sys.argv[2]), *map(int, sys.argv[3:]))
