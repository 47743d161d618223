# SPDX-License-Identifier: GPL-2.0-or-later
"""ORC tables of x86_64: arch/x86/include/asm/orc_types.h, 5.10 to 7.2."""
import struct

from .stack import LOCALS

# 'call', 'regs' and 'end' are types as they stand above the two registers, with the flags
# behind them; 'sp' and 'sp_indirect' are numbers of registers.
OLD = {'sp': 5, 'sp_indirect': 9, 'header': b''}
FORMATS = {
    # 2 bits of type, then the flag of an end
    '4.14': {**OLD, 'call': 0, 'regs': 1, 'end': 4},
    # 2 bits of type, then the flags of a signal and of an end
    '6.3': {**OLD, 'call': 0, 'regs': 5, 'end': 8},
    # 3 bits of type
    '6.4': {**OLD, 'call': 2, 'regs': 3, 'end': 1},
    # scripts/orc_hash.sh makes the header
    '6.5': {**OLD, 'call': 2, 'regs': 3, 'end': 1,
            'header': bytes.fromhex('fe5d32bf581bd63b2ca9a5c65ba5a625eab3fe24')},
    '7.2': {'sp': 3, 'sp_indirect': 9, 'call': 2, 'regs': 3, 'end': 1,
            'header': bytes.fromhex('137c36ad7627c4dd55932176bb0ecdbd5041fc82')},
}


def entry(form, kind):
    """sp_offset, bp_offset, registers and type"""
    if kind == 'end':
        return struct.pack('<hhH', 0, 0, form['end'] << 8)
    if kind == 'regs':
        return struct.pack('<hhH', 0, 0, form['sp'] | form['regs'] << 8)
    if kind == 'indirect':
        return struct.pack('<hhH', 8, 0, form['sp_indirect'] | form['call'] << 8)
    if kind == 'none':
        return bytes(6)
    return struct.pack('<hhH', 8 * (LOCALS + 1), 0, form['sp'] | form['call'] << 8)


def format_of(about, release):
    """None: the kernel has no tables."""
    if not about.orc:
        return FORMATS.get(release['orc'])
    form = dict(FORMATS[about.orc[0]])
    if about.orc[1:]:
        form['header'] = bytes.fromhex(about.orc[1])
    return form


def place_orc(functions, unusual, form, memory, image, prefix=''):
    """Symbols of the tables: name: address. image: what makes an address of the kernel's
    image of a physical one. prefix: of the names of objects."""
    # Before a return address the call is looked up, at pc the address itself.
    kinds = {functions.base: 'none', functions.end() - 16: 'none'}
    kinds.update(dict.fromkeys(functions.addresses.values(), 'usual'))
    for address, kind in unusual.items():
        kinds.setdefault(address + 1, 'usual')
        kinds[address - 1] = kinds[address] = kind
    ips = sorted(kinds)
    at = memory.place(prefix + 'orc ip', bytearray(4 * len(ips)))
    ways = b''.join(entry(form, kinds[ip]) for ip in ips)
    entries = memory.place(prefix + 'orc', bytearray(ways))
    table = memory.objects[prefix + 'orc ip'][1]
    for i, ip in enumerate(ips):
        struct.pack_into('<i', table, 4 * i, ip - (image(at) + 4 * i))
    symbols = {'__start_orc_unwind_ip': image(at), '__stop_orc_unwind_ip': image(at) + len(table),
               '__start_orc_unwind': image(entries)}
    if form['header'] and not prefix:
        symbols['__start_orc_header'] = image(memory.place('orc header', bytearray(form['header'])))
    return symbols
