# SPDX-License-Identifier: GPL-2.0-or-later
"""Modules: their code, their struct module in the kernel's list, their symbols and ORC tables.
Where members of these structures are only the vmlinux says: those here are made up."""
import re
import struct

from .functions import Functions, printed
from .orc import place_orc

PRINTED = re.compile(r'([A-Za-z_][\w.]*\+0x[0-9a-f]+(?:/0x[0-9a-f]+)?) *\[(\w+)\]')
STRIDE = 0x10000  # bytes between the code of two modules
LIST, NAME, MEMORY, KALLSYMS, ARCH, SIZE = 8, 24, 256, 512, 768, 1024
# include/linux/module.h: mem[MOD_TEXT] since 6.4, core_layout before.
TYPES = {
    'module': (SIZE, {'list': LIST, 'name': NAME, 'kallsyms': KALLSYMS, 'arch': ARCH}),
    'mod_kallsyms': (32, {'symtab': 0, 'num_symtab': 8, 'strtab': 16, 'typetab': 24}),
    'mod_arch_specific': (24, {'num_orcs': 0, 'orc_unwind_ip': 8, 'orc_unwind': 16}),
}
NEW_TYPES = {'module_memory': (72, {'base': 0, 'size': 8})}
OLD_TYPES = {'module_layout': (80, {'base': 0, 'size': 8, 'text_size': 12})}


def types_of(release):
    types = {**TYPES, **(NEW_TYPES if release['module_memory'] else OLD_TYPES)}
    size, members = TYPES['module']
    member = 'mem' if release['module_memory'] else 'core_layout'
    types['module'] = (size, {**members, member: MEMORY})
    return types


class Code:
    """The functions of the kernel and of its modules."""

    def __init__(self, arch_name, first_module):
        self.arch_name, self.next = arch_name, first_module
        self.kernel = Functions(arch_name)
        self.modules = {}  # name: Functions

    def module(self, name):
        if name not in self.modules:
            self.modules[name] = Functions(self.arch_name)
        return self.modules[name]

    def split(self, text):
        """'f+0x1 [module]' to its Functions and place."""
        place, _, module = text.partition(' [')
        return (self.module(module[:-1]) if module else self.kernel), place

    def add_place(self, text):
        functions, place = self.split(text)
        functions.add_place(place)

    def add_printed(self, text):
        for name, offset, size in printed(text):
            self.kernel.add(name, offset, size)
        for place, module in PRINTED.findall(text):
            self.module(module).add_place(place)

    def place_modules(self):
        for functions in self.modules.values():
            functions.place(self.next)
            self.next += STRIDE

    def of(self, address):
        """The Functions that an address is of; the kernel's if of none."""
        return next((functions for functions in self.modules.values()
                     if functions.base <= address < functions.end()), self.kernel)

    def address(self, text, default=0):
        functions, place = self.split(text)
        return functions.address(place, default)

    def start(self, address):
        return self.of(address).start(address)

    def call_before(self, address, target):
        self.of(address).call_before(address, target)


def symbol_table(functions):
    """Elf64_Sym[] and names of a module."""
    symbols, names = bytearray(24), bytearray(b'\0')
    for name, address in functions.addresses.items():
        symbols += struct.pack('<IBBHQQ', len(names), 0x12, 0, 1, address, functions.sizes[name])
        names += name.encode() + b'\0'
    return symbols, names


def place_module(kernel, name, functions, unusual):
    """Returns the direct address of the struct module."""
    memory = kernel.memory
    paddr = memory.place(f'module text {name}', functions.code)
    kernel.tables.map_pages(functions.base, paddr, len(functions.code))
    module = bytearray(SIZE)
    module[NAME:NAME + len(name)] = name.encode()
    struct.pack_into('<QI', module, MEMORY, functions.base, len(functions.code))
    symbols, names = symbol_table(functions)
    struct.pack_into('<Q', module, KALLSYMS, kernel.direct(
        memory.place(f'module kallsyms {name}', struct.pack(
            '<QIxxxxQQ', kernel.direct(memory.place(f'module symtab {name}', symbols)),
            len(symbols) // 24, kernel.direct(memory.place(f'module strtab {name}', names)), 0))))
    if kernel.orc:
        inside = {at: kind for at, kind in unusual.items()
                  if functions.base <= at < functions.end()}
        tables = place_orc(functions, inside, kernel.orc, memory, kernel.image,
                           f'module {name} ')
        ips = tables['__start_orc_unwind_ip']
        struct.pack_into('<IxxxxQQ', module, ARCH, (tables['__stop_orc_unwind_ip'] - ips) // 4,
                         ips, tables['__start_orc_unwind'])
    return kernel.direct(memory.place(f'module {name}', module))


def place_modules(kernel, unusual):
    """In the kernel's list."""
    head = kernel.symbols['modules'][0]
    at = {name: place_module(kernel, name, functions, unusual)
          for name, functions in kernel.code.modules.items()}
    nodes = [head] + [address + LIST for address in at.values()]
    for i, name in enumerate(at):
        struct.pack_into('<QQ', kernel.memory.objects[f'module {name}'][1], LIST,
                         nodes[(i + 2) % len(nodes)], nodes[i])
    kernel.data['modules'][:16] = struct.pack('<QQ', nodes[1 % len(nodes)], nodes[-1])
