# SPDX-License-Identifier: GPL-2.0-or-later
"""The core of a Xen guest, as xl dump-core writes it: docs/misc/dump-core-format.txt, Xen 4.17. The
guest is a PVH or HVM one: what it takes for physical addresses are the file's."""
import struct

from . import Mistake
from .elf import elf_note
from .kdump import make_pages

SHDR = struct.Struct('<IIQQQQIIQQ')
SHT_PROGBITS, SHT_STRTAB, SHT_NOTE = 1, 3, 7
HVM_MAGIC = 0xf00febee
NOTE = 0x2000000
PAGE = 4096
# struct vcpu_guest_context: fpu_ctxt and flags are before user_regs (xen/include/public/arch-x86/
# xen.h and xen-x86_64.h, 4.17). None: something else has the word.
CONTEXT_SIZE, USER_REGS = 5168, 520
REGS = ['r15', 'r14', 'r13', 'r12', 'rbp', 'rbx', 'r11', 'r10', 'r9', 'r8', 'rax', 'rcx', 'rdx',
        'rsi', 'rdi', None, 'rip', 'cs', 'eflags', 'rsp', 'ss', 'es', 'ds', 'fs', 'gs']


def context(dump, cpu):
    data = bytearray(CONTEXT_SIZE)
    regs = dump.vcpus.get(cpu, {})
    for word, name in enumerate(REGS):
        if name:
            struct.pack_into('<Q', data, USER_REGS + 8 * word,
                             regs.get(dump.arch['regs'].index(name), 0))
    return bytes(data)


def notes(dump, pages):
    header = struct.pack('<QQQQ', HVM_MAGIC, dump.about.cpus, len(pages), PAGE)
    # struct xen_dumpcore_elfnote_xen_version_desc: strings are between the numbers.
    version = struct.pack('<QQ', 4, 17) + bytes(16 + 144 + 1024 + 64) + struct.pack('<QQ', 0, PAGE)
    descs = [b'', header, version, struct.pack('<Q', 1)]
    return b''.join(elf_note(b'Xen\0', NOTE + i, desc) for i, desc in enumerate(descs))


def write_xen_core(dump, path):
    """Returns name, offset and size of what the file holds, in its order."""
    if dump.about.arch != 'x86_64':
        raise Mistake('a core of Xen is described for x86_64 only')
    pages = make_pages(dump)[0]
    order = sorted(pages)
    names = b'\0.shstrtab\0.note.Xen\0.xen_prstatus\0.xen_pages\0.xen_pfn\0'
    sections = [
        ('.shstrtab', SHT_STRTAB, names), ('.note.Xen', SHT_NOTE, notes(dump, pages)),
        ('.xen_prstatus', SHT_PROGBITS,
         b''.join(context(dump, cpu) for cpu in range(dump.about.cpus))),
        ('.xen_pages', SHT_PROGBITS, b''.join(bytes(pages[number]) for number in order)),
        ('.xen_pfn', SHT_PROGBITS, struct.pack(f'<{len(order)}Q', *order))]
    headers = 64 + SHDR.size * (len(sections) + 1)
    ident = b'\x7fELF' + bytes([2, 1, 1]) + bytes(9)
    head = ident + struct.pack('<HHIQQQIHHHHHH', 4, 62, 1, 0, 0, 64, 0, 64, 56, 0, SHDR.size,
                               len(sections) + 1, 1) + bytes(SHDR.size)
    where, body = [('headers', 0, headers)], b''
    for name, kind, data in sections:
        at = headers + len(body)
        head += SHDR.pack(names.index(name.encode() + b'\0'), kind, 0, 0, at, len(data), 0, 0, 1, 0)
        where.append((name, at, len(data)))
        body += data
    with open(path, 'wb') as file:
        file.write(head + body)
    return where
