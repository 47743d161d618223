# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes a file that is there as a whole or not at all: others may read it at any moment."""
import contextlib
import os
import stat
import tempfile


def take_rights(file, path):
    """Those of the file that is there, or those that any new one gets."""
    try:
        old = os.stat(path, follow_symlinks=False)
        if stat.S_ISREG(old.st_mode):
            with contextlib.suppress(PermissionError):
                os.fchown(file.fileno(), old.st_uid, old.st_gid)
            os.fchmod(file.fileno(), old.st_mode & 0o777)
            return
    except FileNotFoundError:
        pass
    mask = os.umask(0)
    os.umask(mask)
    os.fchmod(file.fileno(), 0o666 & ~mask)


@contextlib.contextmanager
def replaced(path, **options):
    """What is written takes the place of this file at the end, also that of a link. options: of open()."""
    with tempfile.NamedTemporaryFile('w', dir=os.path.dirname(os.path.abspath(path)), prefix='.nmibt-', delete=False,
                                     **options) as file:
        try:
            yield file
            file.flush()
            take_rights(file, path)
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise
