# SPDX-License-Identifier: GPL-2.0-or-later
"""ORC tables of x86_64: arch/x86/include/asm/orc_types.h, 5.10 to 6.12."""
import struct

from .stack import LOCALS

SP, SP_INDIRECT, UNDEFINED = 5, 9, 0
# Types as they stand above the two registers, with what follows them.
FORMATS = {
    # type:2, then end:1, in 6.1 signal:1 behind it
    '4.14': {'call': 0, 'regs': 1, 'end': 4, 'header': None},
    # type:3; scripts/orc_hash.sh makes the header
    '6.5': {'call': 2, 'regs': 3, 'end': 1,
            'header': bytes.fromhex('fe5d32bf581bd63b2ca9a5c65ba5a625eab3fe24')},
}


def entry(form, kind):
    """sp_offset, bp_offset, registers and type"""
    if kind == 'end':
        return struct.pack('<hhH', 0, 0, UNDEFINED | form['end'] << 8)
    if kind == 'regs':
        return struct.pack('<hhH', 0, 0, SP | form['regs'] << 8)
    if kind == 'indirect':
        return struct.pack('<hhH', 8, 0, SP_INDIRECT | form['call'] << 8)
    if kind == 'none':
        return struct.pack('<hhH', 0, 0, 0)
    return struct.pack('<hhH', 8 * (LOCALS + 1), 0, SP | form['call'] << 8)


def place_orc(functions, unusual, name, memory, image):
    """Symbols of the tables: name: address. image: what makes an address of the kernel's
    image of a physical one."""
    form = FORMATS[name]
    # Before a return address the call is looked up, at pc the address itself.
    kinds = {functions.base: 'none', functions.end() - 16: 'none'}
    kinds.update(dict.fromkeys(functions.addresses.values(), 'usual'))
    for address, kind in unusual.items():
        kinds.setdefault(address + 1, 'usual')
        kinds[address - 1] = kinds[address] = kind
    ips = sorted(kinds)
    at = memory.place('orc ip', bytearray(4 * len(ips)))
    entries = memory.place('orc', b''.join(entry(form, kinds[ip]) for ip in ips))
    table = memory.objects['orc ip'][1]
    for i, ip in enumerate(ips):
        struct.pack_into('<i', table, 4 * i, ip - (image(at) + 4 * i))
    symbols = {'__start_orc_unwind_ip': image(at), '__stop_orc_unwind_ip': image(at) + len(table),
               '__start_orc_unwind': image(entries)}
    if form['header']:
        symbols['__start_orc_header'] = image(memory.place('orc header', form['header']))
    return symbols
