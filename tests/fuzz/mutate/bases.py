# SPDX-License-Identifier: GPL-2.0-or-later
"""The dumps that are mutated: described ones and the bundled ones, in every format.

A description is made once as ELF and once as kdump-compressed by testdumps/mkdump. The other
formats are written here from the latter: each compression, split, flattened, incomplete. So are
those of the bundled dumps. Each dump has a folder, with a vmlinux if the description has one.
"""
import ctypes
import os
import shutil
import struct
import sys
import zlib

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", ".."))
TESTDUMPS = os.path.join(TOP, "testdumps")
sys.path[:0] = [os.path.join(TOP, "tests"), TESTDUMPS]
from kdump import Kdump, PAGE_DESC  # noqa: E402
from describe.main import make  # noqa: E402
from describe.description import Description  # noqa: E402

# Each is made as ELF and in two more of the formats, in turn.
DESCRIBED = """
evidence/hung-task-kdump evidence/hard-lockup-buddy-capture evidence/hour-of-stalls-kdump
evidence/old-sysrq-l-guest evidence/guest-panic-all-backtraces evidence/classic-4.19-sysrq-l
evidence/classic-wrapped evidence/classic-5.4-callers evidence/nmi-buffer-4.9
evidence/nmi-buffer-5.10 evidence/arm64-nmi-capture evidence/arm64-hung-task-capture
evidence/arm64-old-sysrq-l-guest evidence/arm64-soft-lockup-panic-kdump
evidence/module-list-loops evidence/kdump-5.10-with-vmlinux evidence/nested-panic
evidence/capture-kernel-by-elfcorehdr-addr evidence/csd-lockup-kdump evidence/two-boots-in-the-log evidence/many-conditions
evidence/kaslr-kdump evidence/rcu-stall-panic-many-tasks evidence/stack-page-excluded
evidence/unplugged-cpu-guest evidence/interleaved-answers evidence/resume-kdump
synthetic/outcomes-x86_64 synthetic/outcomes-arm64 synthetic/vmcoreinfo-none
""".split()
# Their memory is at addresses so high that bitmaps of it would be huge: ELF only.
HIGH = """
synthetic/arm64-pages-16k synthetic/arm64-pages-64k-52 synthetic/x86_64-five-levels
""".split()
# sadump is for x86_64, and its pages are not compressed. What libkdumpfile reads is not here.
SADUMP = "evidence/hung-task-kdump evidence/kaslr-kdump evidence/stack-excluded".split()
BUNDLED = {"x86_64-6.1-irqspin": "zstd", "x86_64-6.12-irqspin": "split",
           "arm64-6.12-irqspin": "flat-zstd"}

ZLIB, LZO, SNAPPY, ZSTD = 1, 2, 4, 0x20  # DUMP_DH_COMPRESSED_*
# Name: compression of the pages, number of files, flattened, incomplete.
FORMATS = {
    "zlib": (ZLIB, 1, False, False), "lzo": (LZO, 1, False, False),
    "snappy": (SNAPPY, 1, False, False), "zstd": (ZSTD, 1, False, False),
    "raw": (0, 1, False, False), "flat-elf": None, "flat-zstd": (ZSTD, 1, True, False),
    "split": (ZLIB, 2, False, False), "split-flat": (LZO, 3, True, False),
    "incomplete": (SNAPPY, 1, False, True),
}
STATUS_AT, INCOMPLETE = 424, 8
SPLIT_AT, PFNS_AT, PFNS_64_AT = 12, 16, 80


def compress_by(library, function, page, *more):
    """A function of the form (from, size, to, &size) in a C library."""
    room = ctypes.create_string_buffer(2 * len(page) + 256)
    size = ctypes.c_size_t(len(room))
    getattr(ctypes.CDLL(library), function)(page, ctypes.c_size_t(len(page)), room,
                                            ctypes.byref(size), *more)
    return room.raw[:size.value]


def compress(page, how):
    if how == ZLIB:
        return zlib.compress(page, 1)
    if how == LZO:
        return compress_by("liblzo2.so.2", "lzo1x_1_compress", page,
                           ctypes.create_string_buffer(131072))
    if how == SNAPPY:
        return compress_by("libsnappy.so.1", "snappy_compress", page)
    room = ctypes.create_string_buffer(2 * len(page) + 256)
    function = ctypes.CDLL("libzstd.so.1").ZSTD_compress
    function.restype = ctypes.c_size_t
    size = function(room, ctypes.c_size_t(len(room)), page, ctypes.c_size_t(len(page)), 1)
    return room.raw[:size]


def flatten(data):
    """As makedumpfile -F writes it: records that need not be in order."""
    head = (b"makedumpfile".ljust(16, b"\0") + struct.pack(">qq", 1, 1)).ljust(4096, b"\0")
    starts = list(range(0, len(data), 20000))
    starts = starts[1::2] + starts[::2]
    return head + b"".join(struct.pack(">qq", at, len(data[at:at + 20000])) + data[at:at + 20000]
                           for at in starts) + struct.pack(">qq", -1, -1)


def part_of(dump, how, pfns, split, incomplete):
    """The bytes of a kdump-compressed file; split: its first and last page."""
    head = bytearray(dump.data[:dump.descs])
    status, = struct.unpack_from("<I", head, STATUS_AT)
    struct.pack_into("<I", head, STATUS_AT, status & ~0x27 | how | INCOMPLETE * incomplete)
    if split:
        struct.pack_into("<i", head, dump.sub + SPLIT_AT, 1)
        struct.pack_into("<QQ", head, dump.sub + PFNS_AT, *split)
        struct.pack_into("<QQ", head, dump.sub + PFNS_64_AT, *split)
    at = len(head) + len(pfns) * PAGE_DESC.size
    descs, pages = [], []
    for i, pfn in enumerate(pfns):
        page = dump.page(pfn)
        stored = compress(page, how) if how else page
        flags = how
        if len(stored) >= len(page):
            stored, flags = page, 0
        if incomplete and i > len(pfns) * 3 // 4:
            descs.append(bytes(PAGE_DESC.size))
            continue
        descs.append(PAGE_DESC.pack(at, len(stored), flags, 0))
        pages.append(stored)
        at += len(stored)
    return bytes(head) + b"".join(descs) + b"".join(pages)


def rewrite(dump, path, how, files, flat, incomplete):
    """Writes the files of a format; returns their paths, with commas between."""
    paths = []
    for i in range(files):
        pfns = dump.pfns[len(dump.pfns) * i // files:len(dump.pfns) * (i + 1) // files]
        split = (0 if i == 0 else pfns[0], pfns[-1] + 1) if files > 1 else None
        data = part_of(dump, how, pfns, split, incomplete)
        paths.append(path + (".%d" % i if files > 1 else ""))
        with open(paths[-1], "wb") as file:
            file.write(flatten(data) if flat else data)
    return ",".join(paths)


def folder_of(name, top):
    folder = os.path.join(top, os.path.basename(name))
    os.makedirs(folder, exist_ok=True)
    return folder


def described(name, folder, form):
    """Makes a description's vmcore, as elf, kdump or sadump; returns its path."""
    with open(os.path.join(TESTDUMPS, name + ".dump")) as file:
        lines = [line for line in file.read().splitlines() if not line.startswith("format ")]
    path = os.path.join(folder, form)
    with open(path + ".dump", "w") as file:
        file.write("format %s\n%s\n" % (form, "\n".join(lines)))
    make(Description(path + ".dump", None), path)
    os.unlink(path + ".dump")
    return path


def write_format(form, folder, dump):
    path = os.path.join(folder, form)
    if form == "flat-elf":
        with open(os.path.join(folder, "elf"), "rb") as file:
            flat = flatten(file.read())
        with open(path, "wb") as file:
            file.write(flat)
        return path
    return rewrite(dump, path, *FORMATS[form])


def make_bases(top):
    """Their files, those of a split dump with commas between, as the server wants them."""
    forms = list(FORMATS)
    bases = []
    for i, name in enumerate(DESCRIBED):
        folder = folder_of(name, top)
        bases.append(described(name, folder, "elf"))
        dump = Kdump(described(name, folder, "kdump"))
        bases += [write_format(forms[(2 * i + j) % len(forms)], folder, dump) for j in range(2)]
    bases += [described(name, folder_of(name, top), "elf") for name in HIGH]
    bases += [described(name, folder_of(name, top), "sadump") for name in SADUMP]
    bases *= 2  # a report of a bundled dump takes ten times as long
    for name, form in BUNDLED.items():
        folder = folder_of(name, top)
        vmcore = shutil.copy(os.path.join(TESTDUMPS, name, "vmcore"), folder)
        bases += [vmcore, write_format(form, folder, Kdump(vmcore))]
    return bases
