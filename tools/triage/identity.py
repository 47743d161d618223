# SPDX-License-Identifier: GPL-2.0-or-later
"""Which files are about one crash: only those of which it is proven. docs/triage.md has the rule.

A proof is a string. Two inputs that have one in common are about one crash. Where a part of it is not
known there is no such proof, and in doubt two files are two crashes.
"""
import json
import os

from . import candidates, facts, words

# The kernel prints times to the microsecond (kernel/printk/printk.c: print_time(), 6.12).
PRINTED_NS = 1000


def joined(kind, *parts):
    return None if None in parts else '\x1f'.join([kind, *map(str, parts)])


def by_capture(document):
    """The moment of the capture's request by two clocks, each in ns, in one build of a kernel."""
    capture = document['capture'] or {}
    real = facts.number(capture.get('asked_real_ns'))
    return joined('capture', document['case']['build_id'], real or None,
                  facts.number(capture.get('asked_ns')))


def by_death(document):
    """The second of the crash by the calendar, its ns since boot, and what the kernel said, on one host
    in one build."""
    case, death = document['case'], document['death'] or {}
    return joined('death', case['build_id'], facts.host(case), facts.number(case['time']),
                  facts.number(death.get('ns')), death.get('message'))


def by_log(document):
    """The times of the log's last records before the death, in one build, and when that was by the calendar and since
    boot. What the records say is not in it, nor the host, so that a redacted extract has it, too."""
    case, death = document['case'], document['death'] or {}
    return joined('log', case.get('log_hash'), case['build_id'] or case['release'],
                  facts.number(case['time']), facts.number(death.get('ns')))


def has_time(document):
    """Of records without times that of the death is 0."""
    return document['case']['time'] is not None or bool((document['death'] or {}).get('ns'))


def by_content(document, content, unit):
    """The file is a copy of the other one: all bytes are the same; of a large one samples, and all that
    nmibt says of it. Texts without a time may be alike for all machines of a kind, so that of these a copy is
    in the same folder."""
    folder = unit.folder if unit.kind == 'text' and not has_time(document) else ''
    return joined('content', unit.size, unit.fingerprint, folder,
                  '' if unit.size <= candidates.HASHED_WHOLE else content)


def at_path(document, unit):
    """What is at this path now died in the same second by the calendar as what was there, at the same ns since
    boot and with the same words: it is that dump, as compressed later or copied once more. A text has no date."""
    case, death = document['case'], document['death'] or {}
    return joined('path', unit.scanned_by, unit.folder, unit.name, case['build_id'], facts.number(case['time']),
                  facts.number(death.get('ns')), death.get('message'))


def by_parts(unit):
    """A part in pstore is of the same record whichever other parts are there. nmibt shows one record of a folder."""
    return [joined('part', unit.folder, name, digest) for name, digest in unit.record]


def beside(document, folder, kind):
    """A text is about the dump or record in the same folder if they died at the same microsecond since
    boot with the same words in the same release. It says nothing of two dumps."""
    death = document['death'] or {}
    ns = facts.number(death.get('ns'))
    printed = None if ns is None else ns // PRINTED_NS
    return joined('text beside' if kind == 'text' else 'memory beside', folder,
                  document['case']['release'], printed, death.get('message'))


def by_times(document, kind):
    """A text is about the dump or record that died at the same microsecond since boot with the same words in the same
    release, and the times of whose log before that are the same, wherever it is. It says nothing of two dumps."""
    death = document['death'] or {}
    ns = facts.number(death.get('ns'))
    return joined('text times' if kind == 'text' else 'memory times', document['case'].get('log_hash'),
                  document['case']['release'], None if ns is None else ns // PRINTED_NS, death.get('message'))


def by_second(document, kind):
    """A host with a name does not die twice in one second. So a record is about a dump or another record where it has no
    room for the line of the death, which tells more. It says nothing of two dumps."""
    case, death = document['case'], document['death']
    if not death:
        return None
    is_without_line = kind == 'record' and death['message'] is None and death['ns'] is None
    return joined('record second' if is_without_line else 'memory second', facts.host(case), case['build_id'],
                  facts.number(case['time']))


def proofs(document, content, unit):
    """content: facts.content_hash()"""
    found = [by_capture(document), by_death(document), by_log(document),
             by_content(document, content, unit), at_path(document, unit), *by_parts(unit),
             beside(document, unit.folder, unit.kind), by_times(document, unit.kind),
             by_second(document, unit.kind)]
    return [proof for proof in found if proof]


def died_as(document, before):
    """What the longer file says is what the shorter one said, whose last line was perhaps cut, and ends in "..."
    then."""
    deaths = [one['death'] or {} for one in (document, before)]
    times = [facts.number(death.get('ns')) for death in deaths]
    texts = [death.get('message') for death in deaths]
    return None not in (*times, *texts) and times[0] // PRINTED_NS == times[1] // PRINTED_NS > 0 and \
        texts[0].startswith(texts[1].removesuffix('...')) and before['case']['release'] in (None, document['case']['release'])


def stalls(document):
    """Which it tells, and when each began. Those of an earlier boot in the same text it does not."""
    return {(one['kind'], facts.number(one['first_ns'])) for one in document['conditions'] if one['first_ns']}


def hangs_as(document, before):
    """The shorter text has no death, and the longer one tells of the same stalls: the machine had not died yet, or lives."""
    return not before['death'] and bool(stalls(before)) and stalls(before) <= stalls(document) and \
        before['case']['release'] in (None, document['case']['release'])


# What only the log tells, which may be forged or of a simulated machine.
OF_LOGS = 'log', 'text times', 'memory times'
OTHER_SIDE = {'text beside': 'memory beside', 'memory beside': 'text beside',
              'text times': 'memory times', 'memory times': 'text times',
              'record second': 'memory second', 'memory second': 'record second'}
# Those that have less: where several others fit it is open which one they are about.
ONE_OF_SEVERAL = 'text', 'record'


def other_side(proof):
    """The proof that the other one of the two must have."""
    kind, rest = proof.split('\x1f', 1)
    return '%s\x1f%s' % (OTHER_SIDE.get(kind, kind), rest)


def crashes_with(store, number, proof):
    """Of other inputs that have it."""
    return {row[0] for row in store.all(
        'SELECT DISTINCT crash_id FROM proofs JOIN inputs ON inputs.id = input '
        'WHERE proof = ? AND input != ? AND crash_id IS NOT NULL', proof, number)}


def name_several_hosts(store, proof):
    """The inputs on both of its sides. Simulated machines may have the same log, and a log is easy to forge."""
    hosts = {json.loads(row[0])['host'] for row in store.all(
        'SELECT facts FROM proofs JOIN inputs ON inputs.id = input WHERE proof IN (?, ?) AND facts IS NOT NULL',
        proof, other_side(proof))}
    return len(hosts - {None}) > 1


def is_copy_by_older_nmibt(store, number):
    """Another input was found to be a copy of this one, and what nmibt says of both can't be compared:
    two versions said it. The other one will be read by this version, too, or is gone."""
    return store.value('''
        SELECT 1 FROM inputs AS mine JOIN inputs AS other ON other.crash_id = mine.crash_id
            AND other.id != mine.id AND other.size = mine.size AND other.fingerprint = mine.fingerprint
            AND other.nmibt IS NOT mine.nmibt WHERE mine.id = ?''', number) is not None


def is_with_gone(store, number):
    """Another input of its crash is gone, so that this version of nmibt never says anything of it: what an older one
    found stands. Where all are there, what this version says of them decides."""
    return any(row['state'] == 'removed' or
               candidates.is_gone(os.path.join(words.unescape(row['folder']), words.unescape(row['name'])))
               for row in store.all('SELECT other.* FROM inputs AS mine JOIN inputs AS other ON '
                                    'other.crash_id = mine.crash_id AND other.nmibt IS NOT mine.nmibt '
                                    'WHERE mine.id = ?', number))


def texts_alone(store, crashes):
    """Those of which there is no dump and no record."""
    return {crash for crash in crashes if not store.value(
        "SELECT 1 FROM inputs WHERE crash_id = ? AND kind != 'text'", crash)}


def crashes_by(store, number, proof):
    """The crashes that other inputs with this proof are about."""
    rows = crashes_with(store, number, other_side(proof))
    alike = crashes_with(store, number, proof)
    if proof.startswith(ONE_OF_SEVERAL) and len(rows) > 1 or proof.startswith('memory') and alike:
        rows = set()
    if proof.startswith('text times') and not rows:
        return texts_alone(store, alike)
    return rows


def same_crash(store, number, found):
    """The crashes that other inputs with one of these proofs are about."""
    crashes = set()
    for proof in found:
        if not (proof.startswith(OF_LOGS) and name_several_hosts(store, proof)):
            crashes |= crashes_by(store, number, proof)
    return crashes


def doubtful(store, number, found):
    """Texts and records that were taken for another dump's, and fit this one as well."""
    return {row[0] for proof in found if proof.startswith('memory') and crashes_with(store, number, proof)
            for row in store.all("SELECT input FROM proofs JOIN inputs AS texts ON texts.id = input WHERE proof = ? AND "
                                 "EXISTS (SELECT 1 FROM inputs WHERE crash_id = texts.crash_id AND kind != 'text')",
                                 other_side(proof))}
