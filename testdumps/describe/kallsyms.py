# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's table of its own symbols, as scripts/kallsyms.c (6.1, 6.12, 7.2) lays it out."""
import struct

NR_TOKENS = 256


def names_table(symbols):
    """Each token is one letter."""
    names = bytearray()
    for _, letter, name in symbols:
        text = (letter + name).encode()
        names += bytes([len(text)]) if len(text) < 128 else \
            bytes([len(text) & 0x7f | 0x80, len(text) >> 7])
        names += text
    return names


def offsets_table(symbols, base, kind):
    """'percpu': CONFIG_KALLSYMS_ABSOLUTE_PERCPU, negative but for per-CPU symbols."""
    values = []
    for address, _, _ in symbols:
        if kind == 'percpu':
            values.append(address if address < base else base - 1 - address)
        else:
            values.append(address - base if kind == 'base' else 0)
    return b''.join(struct.pack('<i' if kind == 'percpu' else '<I', value) for value in values)


def count_from_entries(table, at, symbols):
    """7.2: each offset counts from where it is itself, the first from address at."""
    for i, (address, _, _) in enumerate(symbols):
        struct.pack_into('<i', table, 4 * i, address - (at + 4 * i))


def make_kallsyms(symbols, base, kind):
    """symbols: (address, type, name) in order of address. The tables by their names."""
    tokens = b''.join(bytes([i, 0]) for i in range(NR_TOKENS))
    tables = {
        'kallsyms_num_syms': struct.pack('<I', len(symbols)),
        'kallsyms_names': names_table(symbols),
        # The index stands right behind the table.
        'kallsyms_token_table': tokens,
        'kallsyms_token_index': struct.pack(f'<{NR_TOKENS}H', *range(0, 2 * NR_TOKENS, 2)),
        'kallsyms_offsets': offsets_table(symbols, base, kind),
        'kallsyms_relative_base': struct.pack('<Q', base),
    }
    return {name: bytearray(table) for name, table in tables.items()}
