# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares nmibt's JSON documents about one dead machine: field by field, what one of them does not
have must be what it says to have lost."""

import re

# Words and sentences with which a document says that something is not known.
LOSS = re.compile(r"unknown|damaged|excluded|unread|can't be read|truncated|incomplete|missing|"
                  r"lost|ends before|nothing captured|not tried|none|cut")
# What follows from everything else: a document that lost anything may have another.
DERIVED = re.compile(r"\.(signature|findings|outcomes|stale_cpus|stack_hash|stack_place)\b|"
                     r"\.cpus\[[^]]*\]\.(step|outcome|source|why|wrong|age)\b|"
                     r"\.sources\.\w+\.text$")


def differences(whole, other, path=""):
    """[(path, value, other value)]"""
    if isinstance(whole, dict) and isinstance(other, dict):
        return [found for key in sorted({*whole, *other})
                for found in differences(whole.get(key), other.get(key), path + "." + key)]
    if isinstance(whole, list) and isinstance(other, list) and len(whole) == len(other):
        return [found for i, pair in enumerate(zip(whole, other))
                for found in differences(*pair, "%s[%d]" % (path, i))]
    return [] if whole == other else [(path, whole, other)]


def claims(findings):
    """{kind: CPUs} of what is bad for the CPUs that it names."""
    found = {}
    for finding in findings:
        found.setdefault(finding["kind"], set()).update(finding["cpus"])
    return {kind: cpus for kind, cpus in found.items() if kind in ("stuck", "panicking", "waits")}


def unexplained_value(path, whole, other):
    """Complaints about one field: a document that lost something says less, nothing else."""
    if whole == other or other is None or DERIVED.search(path):
        return []
    if isinstance(whole, dict) and isinstance(other, dict):
        return [wrong for key in {*whole, *other} for wrong in
                unexplained_value("%s.%s" % (path, key), whole.get(key), other.get(key))]
    if isinstance(whole, list) and isinstance(other, list):
        if path.endswith(".frames"):
            # As far as the stack could be followed; which stack it is on may be unknown.
            same = len(other) <= len(whole) and all(
                frame.items() <= {**was, "special_stack": frame.get("special_stack")}.items()
                for was, frame in zip(whole, other))
            return [] if same else ["%s: %s, not %s" % (path, other, whole)]
        left = [item for item in other if item not in whole]
        if len(other) == len(whole):
            return [wrong for pair in zip(whole, other) for wrong in
                    unexplained_value(path + "[]", *pair)]
        return ["%s: %s is not in %s" % (path, item, whole) for item in left]
    if isinstance(other, bool):
        return ["%s: true" % path] if other and not path.endswith("is_at_least") else []
    if isinstance(other, str) and (LOSS.search(other) or whole is None and path.endswith(".lost")):
        return []
    if isinstance(other, int) and re.search(r"unread|torn|excluded|lost", path):
        return []
    if path.endswith(".end_address"):
        return []
    return ["%s: %s, not %s" % (path, other, whole)]


def has_lost(cpu):
    """The document says of this CPU that something of it is missing."""
    stack = cpu["stack"] or {}
    text = cpu["text"] or {}
    return cpu["note"] in ("damaged", "excluded") or cpu["outcome"] in ("damaged", "excluded") or \
        bool(cpu["wrong"]) or bool(cpu["why"]) or \
        stack.get("end") in ("unreadable", "excluded", "gap", "unknown") or \
        any(text.get(key) for key in ("unread_bytes", "excluded_bytes", "torn_bytes"))


def weaker_outcome(was, cpu):
    """Complaints: what stands instead must be weaker, and must not say that the CPU did not
    answer."""
    if cpu["outcome"] == was["outcome"]:
        return []
    if cpu["step"] <= was["step"] or cpu["outcome"] in ("silent", "offline", "nmi", "irq", "stop"):
        return [".cpus[%d].outcome: %s, not %s" % (cpu["cpu"], cpu["outcome"], was["outcome"])]
    return []


def without_its_log(whole, other):
    """The whole dump's document, as it is where another one's log has lost the death or some of its
    words: these are the capture's, and where the log has nothing of it, the uptime is the time of
    the capture's request."""
    if (other["death"] or {}).get("message_source") != "capture" or \
       whole["sources"]["log"] == other["sources"]["log"]:
        return whole
    case = whole["case"] if other["death"]["ns"] is not None else {
        **whole["case"], "uptime_ns": whole["capture"]["asked_local_ns"]}
    return {**whole, "case": case, "death": {**whole["death"], "message_source": "capture"}}


def unexplained(whole, other, log):
    """Complaints about all that a document says otherwise than that of the whole dump does, except
    where it says that it lost it. log: the document of the whole dump's log alone, which may stand
    where a CPU's own answer is lost."""
    if whole == other:
        return []
    bad = []
    if other["complete"] or not other["lost"]:
        bad.append("complete %s, lost %s" % (other["complete"], other["lost"]))
    log_is_whole = whole["sources"]["log"] == other["sources"]["log"]
    whole = without_its_log(whole, other)
    rest = {key: value for key, value in other.items() if key not in ("cpus", "complete", "lost")}
    for key, value in rest.items():
        bad += unexplained_value("." + key, whole[key], value)
    for kind, cpus in claims(other["findings"]).items():
        if not cpus <= claims(whole["findings"]).get(kind, set()):
            bad.append("%s: CPUs %s" % (kind, cpus))
    standing = {cpu["cpu"]: cpu for cpu in whole["cpus"] if not cpu["older"]}
    texts = {line["text"] for cpu in whole["cpus"] + log["cpus"] if cpu["text"]
             for line in cpu["text"]["lines"]}
    if not other["possible_cpus_is_at_least"]:
        bad += ["CPU %d is not there" % cpu for cpu in standing
                if cpu not in [now["cpu"] for now in other["cpus"]]]
    for cpu in other["cpus"]:
        lines = (cpu["text"] or {"lines": []})["lines"]
        bad += ["CPU %d: %r is new" % (cpu["cpu"], line["text"]) for line in lines
                if not any(text.startswith(line["text"]) for text in texts)]
        was = standing.get(cpu["cpu"])
        if cpu["older"] or cpu == was:
            continue
        path = ".cpus[%d]" % cpu["cpu"]
        if not was:
            bad.append(path + " is new")
        elif not has_lost(cpu) and log_is_whole:
            bad.append("%s: nothing of it is marked as lost: %s" % (
                path, differences(was, cpu)[:3]))
        else:
            bad += weaker_outcome(was, cpu)
            if was["source"] == cpu["source"]:
                bad += unexplained_value(path, was, cpu)
    return bad
