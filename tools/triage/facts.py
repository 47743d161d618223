# SPDX-License-Identifier: GPL-2.0-or-later
"""What counts of a report: by which crash it is told from others, and what a line about it shows."""
import hashlib
import json
import re

GENERATOR = re.compile(rb'"generator":"[^"]*",')
KIND_RANK = {'dump': 0, 'record': 1, 'text': 2}
# include/linux/uts.h (6.12), and what distributions write
UNNAMED = ('', '(none)', 'localhost', 'localhost.localdomain')
REDACTED = re.compile(r'x+\Z')  # by nmibt --extract --redact
MAX_INTEGER = 2**63 - 1
# arch/x86/entry/entry_64.S, arch/x86/include/asm/idtentry.h, arch/arm64/kernel/entry.S (6.12)
ENTRY = re.compile(r'(end_repeat_nmi|asm_exc_\w+|asm_sysvec_\w+|asm_common_interrupt|el1h?_\w+)')
# kernel/locking/ (6.12)
LOCK = re.compile(r'(_raw_(spin|read|write)_\w+|(native_)?queued_\w+_slowpath|'
                  r'__mutex_lock\w*|mutex_lock\w*|rwsem_down_\w+|osq_lock)\b')

# kernel/sched/, kernel/time/, kernel/rcu/, kernel/workqueue.c, kernel/locking/, mm/filemap.c, fs/buffer.c (6.12):
# where a task sleeps, which is not what it waits for
SLEEP = re.compile(r'(__schedule|schedule(_\w+)?|io_schedule\w*|preempt_schedule\w*|__cond_resched|'
                   r'(__)?wait_for_com\w+|do_wait_for_common|(__|out_of_line_)wait_on_bit\w*|bit_wait\w*|msleep\w*|'
                   r'usleep_range\w*|(__)?synchronize_\w+|rcu_barrier\w*|(__)?flush_work\w*|'
                   r'folio_wait_\w+|wait_on_page_\w+|__wait_on_buffer|(__)?down|(__)?down_(common|read|write|'
                   r'interruptible|killable|timeout|trylock)\w*|(__)?percpu_down_\w+|percpu_rwsem_wait\w*)\b')
# Of hung tasks, which are in no signature of nmibt. A change of what it is made of, or of the lists above, needs
# another number.
HUNG = 'hung1'
HUNG_FRAMES = 3


def number(value):
    """Of 2^63 or more, which only damaged dumps have, the document has a string."""
    return value if isinstance(value, int) and abs(value) <= MAX_INTEGER else None


def frame_name(frame):
    module = frame.get('module_name')
    return '%s [%s]' % (frame['function_name'], module) if module else frame['function_name']


def hung_tasks(document):
    """PIDs of tasks that khungtaskd names, and that did not run since."""
    return {condition['task']['pid'] for condition in document['conditions']
            if condition['kind'] == 'hung-task' and condition['open'] and condition['task']}


def task_stacks(document):
    """Of tasks that hung or that a stall names, in the order of the log. They are not in nmibt's signature, which is
    of CPUs."""
    hung = hung_tasks(document)
    for entry in document['task_stacks']:
        frames = [frame_name(frame) for frame in (entry['stack'] or {'frames': []})['frames']
                  if frame['function_name'] and frame['reliable']]
        if frames:
            yield {'why': 'hung' if entry['task'] and entry['task']['pid'] in hung else 'task',
                   'frames': frames}


def stacks(document):
    """What it died of, the most telling stack first."""
    return [{'why': stack['why'], 'frames': stack['frames']}
            for stack in document['signature']['stacks'] if stack['frames']] + \
        list(task_stacks(document))


def without_suffix(frame):
    """As the compiler adds them to what it made of a function: .constprop.0, .isra.0, .cold"""
    return re.sub(r'\.[^ ]*', '', frame)


def sleeps(frame):
    """It is in the list; no function of a module is."""
    return SLEEP.fullmatch(without_suffix(frame)) is not None


def takes_lock(frame):
    return LOCK.fullmatch(without_suffix(frame)) is not None


def may_be_of_hung(document):
    """Nothing else than hung tasks is what it died of, if it died."""
    cause = (document['death'] or {}).get('cause')
    return document['death'] is None or cause is not None and cause['kind'] == 'hung-task'


def hung_signature(document):
    """It says where the task waited that was reported first, and no more: others may wait for that task, and which of
    all is to blame is not known. None: no task hung, or not that is why it died."""
    frames = next((stack['frames'] for stack in task_stacks(document) if stack['why'] == 'hung'), [])
    first = next((i for i, frame in enumerate(frames) if not sleeps(frame) and not takes_lock(frame)), None)
    if first is None or not may_be_of_hung(document):
        return None
    names = [without_suffix(frame) for frame in frames[first:first + HUNG_FRAMES]]
    return '%s:%s' % (HUNG, hashlib.sha1('\n'.join(names).encode()).hexdigest())


def signature(document):
    """VERSION:HASH, or None."""
    made = document['signature']
    return '%d:%s' % (made['version'], made['value']) if made['value'] else hung_signature(document)


def host(case):
    """Its name. Machines that nobody named are called so, and are not one machine for that."""
    name = case['host']
    return None if not name or name in UNNAMED or REDACTED.match(name) else name


def message(document):
    return document['death']['message'] if document['death'] else None


def culprit(document):
    """The function that a short line names: where a CPU was that is stuck, or that panicked, or a task
    that hung, below what interrupted it there and the lock that it may wait for."""
    found = stacks(document)
    stuck = [stack for stack in found if stack['why'] == 'stuck']
    why, frames = next(((one['why'], one['frames']) for one in stuck or found), (None, []))
    entries = [i for i, frame in enumerate(frames) if ENTRY.match(frame)]
    below = frames[entries[-1] + 1:] if entries else frames
    return next((frame for frame in below if not takes_lock(frame) and
                 not (why in ('task', 'hung') and sleeps(frame))), (below or frames or [None])[0])


def is_dead(document):
    """None: what could tell it can't be read."""
    return None if document['death_not_known'] else int(document['death'] is not None)


def of_report(document):
    """As the columns of crashes."""
    case = document['case']
    return {
        'host': host(case), 'release': case['release'], 'build_id': case['build_id'],
        'arch': case['arch'], 'died': number(case['time']), 'uptime_ns': number(case['uptime_ns']),
        'dead': is_dead(document), 'message': message(document), 'culprit': culprit(document),
        'signature': signature(document), 'complete': int(document['complete']),
        'cpus': number(document['possible_cpus']),
        'outcomes': json.dumps(document['outcomes'], separators=(',', ':')),
    }


def content_hash(raw):
    """Of the bytes of a report, but for the version that made it, which stands near its beginning."""
    return hashlib.sha256(GENERATOR.sub(b'', raw, count=1)).hexdigest()
