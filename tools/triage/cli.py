# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line: what each command takes, and its exit code."""
import argparse
import atexit
import contextlib
import datetime
import json
import os
import sys
import traceback

from . import Missing, Trouble, export, groups, known, news, prune, report, runner, scan, shards, store, \
    views, watch, words

FOUND, NOTHING, USAGE, PARTLY, FAILED, INTERRUPTED = 0, 1, 2, 3, 4, 130

EPILOG = '''Exit status: 0 done; 1 nothing found, or something new that a scan has to fail on; 2 wrong
usage; 3 done, but something could not be read; 4 it can't go on; 130 interrupted, and what was
read is kept.'''


def say(text):
    print('nmibt-triage: %s' % text, file=sys.stderr)


def as_json(value):
    print(json.dumps(value, indent=2))


def open_store(args, must_exist=True):
    """Closed in the end, so that the database is one file then, without a -wal beside it."""
    db = store.Store(args.db, must_exist)
    atexit.register(db.close)
    return db


def rules_of(args):
    """What is wrong with a rule is said, and the others are used."""
    args.rules, complaints = known.read(args.known or [])
    for complaint in complaints:
        say(words.shown(complaint))
    args.has_bad_rules = bool(complaints)
    return args.rules


def tell_bad_rules(args):
    """Those that were given up while they were used are said."""
    faults = [rule.fault for rule in args.rules if rule.fault]
    for fault in faults:
        say(words.shown(fault))
    return bool(faults) or args.has_bad_rules


# ----------------------------------------------------------------------------------- scan

def shard(text):
    number, _, of = text.partition('/')
    if not (number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
        raise argparse.ArgumentTypeError('"%s" is not I/N with I from 1 to N, for instance 2/8' % text)
    return int(number), int(of)


def database(text):
    if text in ('', ':memory:'):
        raise argparse.ArgumentTypeError('"%s" is no file, and nothing would be kept' % text)
    return text


def positive(text):
    if not words.number(text):
        raise argparse.ArgumentTypeError('"%s" is no number from 1 on, or too large' % text)
    return int(text)


def natural(text):
    if words.number(text) is None:
        raise argparse.ArgumentTypeError('"%s" is no number, or too large' % text)
    return int(text)


def tell(outcome, new, loose, quiet):
    took = outcome.read + outcome.empty + outcome.failed
    rate = ', %.0f a second' % (took / outcome.seconds) if took > 10 and outcome.seconds else ''
    print('%s looked at, %s new or changed: %s read, %s with nothing to say, %s unreadable, %s left for '
          'later; %.1f s%s' % (words.count(outcome.looked, 'file'), format(took + outcome.later, ','),
                               *[format(one, ',') for one in (outcome.read, outcome.empty,
                                                              outcome.failed, outcome.later)],
                               outcome.seconds, rate))
    if quiet:
        return
    for path, why in outcome.troubles[:10]:
        print('unreadable  %s: %s' % (words.shown(path), words.cut((why or '').replace('\n', '; '), 300)))
    if len(outcome.troubles) > 10:
        print('and %d more: "nmibt-triage list --failed --later"' % (len(outcome.troubles) - 10))
    if outcome.fresh:
        print('%s of these changed a moment ago and may still be written: scan again, or see --settle' %
              format(outcome.fresh, ','))
    if new:
        print('%s: %s' % (words.count(len(new), 'new group'), ', '.join(
            'G%d (%s)' % (group['id'], words.count(group['crashes'], 'crash')) for group in new[:10]) +
            (', ...' if len(new) > 10 else '')))
    if loose:
        print('%s in no group: %s' % (words.count(len(loose), 'new crash'), numbers(loose)))
    if outcome.interrupted:
        print('interrupted: what was read is kept, and the next scan goes on from here')


def numbers(rows, letter=''):
    return ', '.join('%s%d' % (letter, row['id']) for row in rows[:10]) + (', ...' if len(rows) > 10 else '')


def is_known(db, rules, crash):
    return bool(rules and known.match(rules, crash, groups.stacks_of(db, crash)))


def is_group_known(db, rules, group):
    """Each of its crashes is, because a rule may explain some kernels alone."""
    return bool(rules) and all(is_known(db, rules, crash) for crash in db.each(
        'SELECT * FROM crashes WHERE group_id = ?', group))


def scan_json(outcome, new, unknown, loose, unknown_loose):
    return {'looked': outcome.looked, 'read': outcome.read, 'empty': outcome.empty,
            'failed': outcome.failed, 'later': outcome.later, 'fresh': outcome.fresh,
            'new_crashes': outcome.crashes,
            'interrupted': outcome.interrupted, 'seconds': round(outcome.seconds, 3),
            'new_groups': [{'id': group['id'], 'crashes': group['crashes'],
                            'known': group not in unknown} for group in new],
            'new_without_group': [{'id': crash['id'], 'known': crash not in unknown_loose}
                                  for crash in loose],
            'troubles': [{'path': path, 'why': why} for path, why in outcome.troubles]}


class Reader:
    is_there = True


@contextlib.contextmanager
def to_reader():
    """Output that its reader may have enough of: what came of a scan is told by the exit code, too."""
    reader = Reader()
    try:
        yield reader
        sys.stdout.flush()
    except BrokenPipeError:
        reader.is_there = False
        output_to_nowhere()


def output_to_nowhere():
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def verdict(outcome, unknown, unknown_loose):
    """Of a gate."""
    if unknown:
        say('%s that nobody knew: %s' % (words.count(len(unknown), 'group'), numbers(unknown, 'G')))
    if unknown_loose:
        say('%s in no group that nobody knew: %s' % (words.count(len(unknown_loose), 'crash'),
                                                     numbers(unknown_loose)))
    if unknown or unknown_loose:
        return NOTHING
    if outcome.fresh:
        say('nothing is known of new groups in %s that may still be written: scan again, or see --settle' %
            words.count(outcome.fresh, 'file'))
    if outcome.later > outcome.fresh:
        say('nothing is known of new groups in %s left for later: "nmibt-triage list --later" has the reasons; --incomplete '
            'reads what is marked as not complete' % words.count(outcome.later - outcome.fresh, 'file'))
    return PARTLY if outcome.later else FOUND


def do_watch(args):
    options = scan.Options(nmibt=runner.find(args.nmibt), jobs=args.jobs, settle=args.settle)
    scan.check_folders(args.folders)
    db = open_store(args, must_exist=False)

    def tell_new(outcome):
        found = news.News(db, outcome.scan)
        found.others.clear()  # a scan or a gate tells these
        new, loose = found.groups(), found.without_group()
        if outcome.read or outcome.troubles or new or loose:
            tell(outcome, new, loose, False)
            sys.stdout.flush()
        if not outcome.interrupted:
            found.told()

    watch.watch(db, args.folders, options, tell_new)
    return FOUND


def do_scan(args):
    rules = rules_of(args)
    options = scan.Options(nmibt=runner.find(args.nmibt), jobs=args.jobs, settle=args.settle,
                           incomplete=args.incomplete, shard=args.shard, again=args.again,
                           quiet=args.quiet)
    scan.check_folders(args.folders)
    db = open_store(args, must_exist=False)
    outcome = scan.scan(db, args.folders, options)
    found = news.News(db, outcome.scan)
    new, loose = found.groups(), found.without_group()
    unknown = [group for group in new if not is_group_known(db, rules, group['id'])]
    unknown_loose = [crash for crash in loose if not is_known(db, rules, crash)]
    with to_reader() as reader:
        if args.json:
            as_json(scan_json(outcome, new, unknown, loose, unknown_loose))
        else:
            tell(outcome, new, loose, args.quiet)
    # Behind all that was said: what nobody could read is new for the next one.
    if (reader.is_there or args.fail_on_new) and not outcome.interrupted:
        found.told(with_others=args.fail_on_new or args.json or not args.quiet)
    if outcome.interrupted:
        return INTERRUPTED
    code = verdict(outcome, unknown, unknown_loose) if args.fail_on_new else FOUND
    return code or (PARTLY if outcome.troubles else FOUND)


def do_merge(args):
    for path in args.databases:
        if os.path.abspath(path) == os.path.abspath(args.db):
            raise Trouble('%s can\'t be merged with itself' % path)
    db = open_store(args, must_exist=False)
    for path in args.databases:
        other = store.Other(path)
        print('%s: %s taken over' % (words.shown(path), words.count(shards.merge(db, other), 'file')))
        other.close()
    return FOUND


# -------------------------------------------------------------------------------- reading

def second(text):
    try:
        when = datetime.datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError('"%s" is no date; write for instance 2026-01-31' % text) from error
    return int(when.replace(tzinfo=when.tzinfo or datetime.timezone.utc).timestamp())


def list_inputs(args, db):
    if args.group is not None or any((args.host, args.kernel, args.since, args.until, args.number)):
        args.refuse('--failed and --later list files, of which no crash is known: only --json goes with them')
    found = views.inputs(db, (['failed', 'empty'] if args.failed else []) + (['later'] if args.later else []))
    if args.json:
        as_json([views.input_json(row) for row in found])
    elif found:
        views.list_inputs(found)
    else:
        say('no file fits')
    return FOUND if found else NOTHING


def do_list(args):
    db = open_store(args)
    if args.failed or args.later:
        return list_inputs(args, db)
    group = None if args.group is None else groups.find(db, args.group)
    found = list(views.crashes(db, args.number or -1, group=group, host=args.host, kernel=args.kernel,
                               since=args.since, until=args.until))
    if args.json:
        as_json([views.crash_json(crash) for crash in found])
    elif found:
        views.list_crashes(db, found)
    else:
        say('no crash fits')
    return FOUND if found else NOTHING


def do_show(args):
    db = open_store(args)
    crash = views.find_crash(db, args.crash)
    if args.report:
        as_json(db.report(crash['best']))
        return FOUND
    rules = rules_of(args)
    if args.json:
        as_json(views.crash_json_whole(db, crash, rules))
    else:
        views.print_crash(db, crash, rules)
    return FOUND


def do_groups(args):
    db = open_store(args)
    rules = rules_of(args)
    limit = args.number or -1
    if args.json:
        day = views.last_day(db)
        as_json([views.group_json(db, group, rules, day)
                 for group in groups.all_groups(db, args.sort, limit)])
    else:
        views.print_groups(db, rules, args.sort, limit)
    if db.value('SELECT 1 FROM crashes'):
        return FOUND
    say('no crash is stored in %s' % words.shown(args.db))
    return NOTHING


def do_diff(args):
    db = open_store(args)
    both = args.a, args.b
    are_kernels = [bool(views.releases(db, word)) for word in both]
    if all(are_kernels):
        said, show = views.kernel_diff_json(db, *both), views.print_kernel_diff
    else:
        found = [views.find_crash(db, word, ', and no stored kernel fits this')
                 for word, is_kernel in zip(both, are_kernels) if not is_kernel]
        if any(are_kernels):
            args.refuse('one of "%s" and "%s" is a kernel and the other one a crash: name two crashes or two kernels' %
                        tuple(map(words.shown, both)))
        said, show = views.diff_json(db, *found), views.print_diff
    (as_json if args.json else show)(said)
    return FOUND


def do_known(args):
    rules, complaints = known.read(args.files)
    remarks = []
    if os.path.exists(args.db):
        db = open_store(args)
        complaints += known.never_seen(db, rules)
        without = known.without_crash(db, rules)
        complaints += [rule.fault for rule in rules if rule.fault]
        remarks = ['%s: it matches no stored crash' % rule.source for rule in without
                   if not any(complaint.startswith(rule.source + ':') for complaint in complaints)]
    else:
        remarks = ['%s: there is no such database, so it was not checked which names and crashes there are' % args.db]
    for line in complaints + remarks:
        say(words.shown(line))
    print('%s can be used, %s' % (words.count(len(rules), 'rule'),
                                  words.count(len(complaints), 'complaint')))
    return PARTLY if complaints else FOUND


def do_export(args):
    export.export(open_store(args), args.format, args.output)
    return FOUND


def do_report(args):
    db = open_store(args)
    print('%s in %s' % (words.count(report.write(db, rules_of(args), args.output), 'page'),
                        words.shown(os.path.join(args.output, 'index.html'))))
    return FOUND


# -------------------------------------------------------------------------------- changing

def do_name(args):
    db = open_store(args)
    name = args.name.strip()
    group = groups.rename(db, args.group, name)
    print('G%d is called "%s"' % (group, words.shown(name)) if name else
          'G%d has no name' % group)
    return FOUND


def do_join(args):
    group, given_up = groups.join(open_store(args), args.group, args.others)
    print('all is G%d now' % group)
    for name in given_up:
        print('the name "%s" is given up' % words.shown(name))
    return FOUND


def do_split(args):
    print('G%d is new' % groups.split(open_store(args), args.what))
    return FOUND


def do_prune(args):
    db = open_store(args)
    done = prune.prune(db, args.keep, args.yes)
    print('%s, %s%s' % (words.count(done.files, 'file'), words.size_of(done.size),
                        '' if args.yes or not done.files else '. Nothing was removed: --yes removes them'))
    if done.failed:
        say('%s could not be read or removed: see above' % words.count(done.failed, 'file'))
    return PARTLY if done.failed else FOUND


# --------------------------------------------------------------------------------- parser

def add_known(parser):
    parser.add_argument('--known', action='append', metavar='FILE',
                        help='rules of known issues (TOML); may be given several times')


def add_reading(parser):
    parser.add_argument('folders', nargs='+', metavar='DIR')
    parser.add_argument('-j', '--jobs', type=positive, default=os.cpu_count() or 1,
                        help='dumps that are read at the same time (by default as many as CPUs)')
    parser.add_argument('--settle', type=natural, default=60, metavar='SECONDS',
                        help='leave files for later that changed less than this ago (default 60)')
    parser.add_argument('--nmibt', metavar='PROGRAM', help='this nmibt')


def add_scan(commands):
    parser = commands.add_parser('scan', help='read what is new in folders of dumps')
    add_reading(parser)
    parser.add_argument('--shard', type=shard, metavar='I/N',
                        help='of N parts of the files only part I, counted from 1')
    parser.add_argument('--incomplete', action='store_true',
                        help='also read dumps that are marked as not complete')
    parser.add_argument('--again', action='store_true', help='read all files again')
    parser.add_argument('--fail-on-new', action='store_true',
                        help='exit code 1 if there is a new group, or a new crash in no group, that no '
                             'known issue explains')
    add_known(parser)
    parser.add_argument('-q', '--quiet', action='store_true', help='only the counts')
    parser.add_argument('--json', action='store_true', help='what came of it as JSON')
    parser.set_defaults(run=do_scan)

    parser = commands.add_parser('watch', help='read what comes, until it is stopped')
    add_reading(parser)
    parser.set_defaults(run=do_watch)


def add_readers(commands):
    parser = commands.add_parser('groups', help='crashes by what they died of')
    parser.add_argument('--sort', choices=list(groups.ORDERS), default='count')
    parser.add_argument('-n', '--number', type=natural, default=20, help='of groups; 0: all')
    add_known(parser)
    parser.add_argument('--json', action='store_true')
    parser.set_defaults(run=do_groups)

    parser = commands.add_parser('list', help='a line for each crash')
    for name, text in (('group', 'of this group'), ('host', 'of this host'),
                       ('kernel', 'of releases that fit this pattern: 6.1.*')):
        parser.add_argument('--' + name, help=text)
    for name in 'since', 'until':
        parser.add_argument('--' + name, type=second, metavar='DATE')
    parser.add_argument('-n', '--number', type=natural, default=0, help='of crashes; 0: all')
    parser.add_argument('--failed', action='store_true', help='files that nothing came of, and why')
    parser.add_argument('--later', action='store_true', help='files that are left for later, and why')
    parser.add_argument('--json', action='store_true')
    parser.set_defaults(run=do_list, refuse=parser.error)

    parser = commands.add_parser('show', help='one crash')
    parser.add_argument('crash', metavar='CRASH', help='its number, or the path of its dump')
    parser.add_argument('--report', action='store_true', help='the document that nmibt --json printed')
    add_known(parser)
    parser.add_argument('--json', action='store_true')
    parser.set_defaults(run=do_show)

    parser = commands.add_parser('diff', help='two crashes, or the groups of two kernels')
    parser.add_argument('a', metavar='A')
    parser.add_argument('b', metavar='B')
    parser.add_argument('--json', action='store_true')
    parser.set_defaults(run=do_diff, refuse=parser.error)

    parser = commands.add_parser('known', help='check rules of known issues')
    parser.add_argument('files', nargs='+', metavar='FILE')
    parser.set_defaults(run=do_known)

    parser = commands.add_parser('export', help='for other programs')
    parser.add_argument('--format', choices=list(export.FORMATS), default='jsonl')
    parser.add_argument('-o', '--output', metavar='FILE')
    parser.set_defaults(run=do_export)

    parser = commands.add_parser('report', help='a folder of HTML pages')
    parser.add_argument('-o', '--output', metavar='DIR', required=True)
    add_known(parser)
    parser.set_defaults(run=do_report)


def add_changers(commands):
    parser = commands.add_parser('name', help='give a group a name')
    parser.add_argument('group', metavar='GROUP')
    parser.add_argument('name', metavar='NAME', help='empty: take its name away')
    parser.set_defaults(run=do_name)

    parser = commands.add_parser('join', help='make several groups one')
    parser.add_argument('group', metavar='GROUP')
    parser.add_argument('others', nargs='+', metavar='OTHER')
    parser.set_defaults(run=do_join)

    parser = commands.add_parser('split', help='make crashes, or a signature, a group of their own')
    parser.add_argument('what', nargs='+', metavar='CRASH|SIGNATURE')
    parser.set_defaults(run=do_split)

    parser = commands.add_parser('merge', help='take over what other databases know')
    parser.add_argument('databases', nargs='+', metavar='DATABASE')
    parser.set_defaults(run=do_merge)

    parser = commands.add_parser('prune', help='remove all but the newest dumps of each group')
    parser.add_argument('--keep', type=positive, required=True, metavar='N', help='dumps of each group')
    parser.add_argument('--yes', action='store_true', help='remove them; without it they are only named')
    parser.set_defaults(run=do_prune)


def make_parser():
    parser = argparse.ArgumentParser(prog='nmibt-triage', epilog=EPILOG, description='From folders of '
                                     'dumps to what kills the machines. See nmibt-triage(1).')
    parser.add_argument('--db', type=database, default=store.default_path(), metavar='FILE',
                        help='the database (by default %(default)s)')
    parser.set_defaults(rules=[], has_bad_rules=False)  # of --known
    commands = parser.add_subparsers(metavar='COMMAND', required=True)
    add_scan(commands)
    add_readers(commands)
    add_changers(commands)
    return parser


ONLY_PRINT = do_list, do_show, do_groups, do_diff, do_export


def run(args):
    """What can't be written to standard output raises OSError here, and not when Python ends."""
    try:
        code = args.run(args)
        return PARTLY if tell_bad_rules(args) and code == FOUND else code
    except Missing as missing:
        say(words.shown(missing))
        return NOTHING
    except Trouble as trouble:
        say(words.shown(trouble))
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        sys.stdout.flush()


def main():
    sys.stdout = sys.stdout or open(os.devnull, 'w')  # None: it is closed
    # A locale may lack characters.
    sys.stdout.reconfigure(errors='backslashreplace')
    args = make_parser().parse_args()
    try:
        return run(args)
    except OSError as error:
        output_to_nowhere()
        if isinstance(error, BrokenPipeError) and (args.run in ONLY_PRINT or args.run is do_prune and not args.yes):
            return FOUND  # the reader has had enough
        say('it can\'t go on: %s%s' % (words.shown(error), '' if error.filename else
                                       '. Is the folder still there in which it was started?'
                                       if isinstance(error, FileNotFoundError) else
                                       '. Can what standard output goes to be written?'))
        return FAILED
    except Exception:  # Python's own exit code would say that nothing was found
        for line in traceback.format_exc().splitlines():
            print(words.shown(line), file=sys.stderr)
        say('this is a fault of nmibt-triage, or %s has what it never wrote. What was written before is '
            'safe' % words.shown(args.db))
        return FAILED
