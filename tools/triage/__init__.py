# SPDX-License-Identifier: GPL-2.0-or-later
"""nmibt-triage: from folders of dumps to what kills the machines.

A module has one topic: candidates finds files, runner reads them by nmibt, facts takes what counts out
of a report, identity says which files are about one crash, groups which crashes are of one kind, store
keeps all of it, scan drives them. Each command of the tool is a module or a function of its own.
"""


class Trouble(Exception):
    """It can't go on. The text says what was being done and what the user can do."""


class Missing(Trouble):
    """Nothing of what was asked for is there."""
