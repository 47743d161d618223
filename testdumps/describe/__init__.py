# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes memory images of dead kernels from descriptions: what testdumps/mkdump runs."""
PAGE = 4096
FORMATS = ('elf', 'kdump', 'qemu', 'sadump', 'xc_core')
WITHOUT_NOTE = ('qemu', 'sadump', 'xc_core')  # VMCOREINFO is only in the kernel's memory


class Mistake(Exception):
    """In the description, or in capture.h."""
