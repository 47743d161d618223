# SPDX-License-Identifier: GPL-2.0-or-later
"""The command."""
import argparse
import os
import sys

from . import Mistake
from .base import write_based
from .description import Description
from .dump import Dump
from .elf import write_elf
from .kdump import write_kdump
from .layout import HEADER, Format
from .sadump import write_sadump
from .vmlinux import write_vmlinux
from .xencore import write_xen_core

WRITERS = {'elf': write_elf, 'kdump': write_kdump, 'qemu': write_kdump, 'sadump': write_sadump,
           'xc_core': write_xen_core}


def make(about, vmcore):
    """Name, offset and size of what the file holds."""
    if about.base:
        return write_based(about, vmcore)
    dump = Dump(Format(HEADER), about)
    if about.has_vmlinux:
        write_vmlinux(dump, os.path.join(os.path.dirname(vmcore), 'vmlinux'))
    return WRITERS[about.format](dump, vmcore)


def main(doc):
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--map', action='store_true',
                        help='print name, offset and size of what the vmcore holds')
    parser.add_argument('--base', metavar='DIR',
                        help='put a description of a kernel into a copy of testdumps/DIR/vmcore')
    parser.add_argument('description', metavar='DESCRIPTION')
    parser.add_argument('vmcore', metavar='VMCORE')
    args = parser.parse_args()
    try:
        where = make(Description(args.description, args.base), args.vmcore)
    except (Mistake, KeyError, OSError) as problem:
        print(f'mkdump: {args.description}: {problem}', file=sys.stderr)
        return 1
    for name, offset, size in where if args.map else []:
        print(f'{offset:10} {size:8}  {name}')
    return 0
