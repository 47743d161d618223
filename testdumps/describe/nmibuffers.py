# SPDX-License-Identifier: GPL-2.0-or-later
"""Per-CPU buffers of what was printed in an NMI, 3.19 to 5.14: lib/nmi_backtrace.c of 4.4,
kernel/printk/nmi.c of 4.7, kernel/printk/printk_safe.c of 5.10."""
import struct

from . import Mistake

# types: name: (bytes, {member: offset}). room: bytes of text. lost: where its count is.
LAYOUTS = {
    '4.4': {'type': 'nmi_seq_buf', 'room': 4096, 'text': 0, 'names': ('nmi_print_seq',),
            'types': {'nmi_seq_buf': (4096 + 32, {'buffer': 0, 'seq': 4096}),
                      'seq_buf': (32, {'buffer': 0, 'size': 8, 'len': 16, 'readpos': 24})}},
    '4.7': {'type': 'nmi_seq_buf', 'room': 8192 - 4 - 24, 'text': 32, 'names': ('nmi_print_seq',),
            'types': {'nmi_seq_buf': (8200, {'len': 0, 'work': 8, 'buffer': 32})}},
    '4.11': {'type': 'printk_safe_seq_buf', 'room': 8192 - 8 - 24, 'text': 32,
             'names': ('nmi_print_seq', 'safe_print_seq'),
             'types': {'printk_safe_seq_buf': (8192, {'len': 0, 'message_lost': 4, 'work': 8,
                                                      'buffer': 32})}},
}


class Buffer:
    """What a description says of one: blocks of messages, and numbers."""

    def __init__(self):
        self.blocks = {}
        self.flushed, self.len, self.lost = False, None, 0

    def take(self, words):
        """Returns the block that the line begins, or None."""
        what = words[1]
        if what in ('text', 'tail', 'residue'):
            return self.blocks.setdefault(what, [])
        if what == 'flushed':
            self.flushed = True
        elif what in ('len', 'lost'):
            setattr(self, what, int(words[2], 0))
        else:
            raise Mistake(f'a buffer has no {what}')
        return None


def format_text(generation, layout, messages):
    """The text, its length as the kernel counts it, and how many messages were lost."""
    text, length, lost = b'', 0, 0
    room = layout['room']
    for message in messages:
        if length >= (room - 1 if generation == '4.11' else room):
            lost += 1
            continue
        part = message[:room - length - 1]
        text += part
        # vscnprintf() counts what it wrote, vsnprintf() what it would have written.
        length += len(part) if generation == '4.11' else len(message)
    if generation == '4.4' and length >= room:
        length = room + 1  # seq_buf_set_overflow()
    return text, length, lost


def make_buffer(generation, said, expand):
    """Bytes of the structure."""
    layout = LAYOUTS[generation]
    size = layout['types'][layout['type']][0]
    out = bytearray(size)
    blocks = {name: [expand(text) for text in said.blocks.get(name, [])]
              for name in ('text', 'tail', 'residue')}
    text, length, lost = format_text(generation, layout, blocks['text'])
    area = (text + b''.join(blocks['tail']) + b'\0' + b''.join(blocks['residue']))
    area = area[:layout['room']]
    out[layout['text']:layout['text'] + len(area)] = area
    if said.flushed:
        length = 0
    if said.len is not None:
        length = said.len
    if generation == '4.4':
        struct.pack_into('<QQQQ', out, 4096, 0, 4096, length, 0)
    else:
        struct.pack_into('<I', out, 0, length)
    if generation == '4.11':
        struct.pack_into('<I', out, 4, lost + said.lost)
    return bytes(out)
