# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes memory images of dead kernels from descriptions: what testdumps/mkdump runs."""
PAGE = 4096


class Mistake(Exception):
    """In the description, or in capture.h."""
