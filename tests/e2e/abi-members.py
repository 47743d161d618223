# SPDX-License-Identifier: GPL-2.0-or-later
"""Run inside gdb by abi-check: prints the layout of the capture's types."""

import gdb

for name in ("nmi_capture_desc", "nmi_capture_slot"):
    kind = gdb.lookup_type("struct " + name)
    print(name, kind.sizeof)
    for field in kind.fields():
        base = field.type.strip_typedefs()
        element = base.target().strip_typedefs() if base.code == gdb.TYPE_CODE_ARRAY else base
        # u8 and uint8_t and char are one to a reader; signedness is not.
        signed = element.sizeof > 1 and "unsigned" not in str(element)
        print(name, field.name, field.bitpos // 8, base.sizeof, element.sizeof,
              "signed" if signed else "")

for name in ("nmi_capture_state", "nmi_capture_slot_state", "nmi_capture_how"):
    try:
        for field in gdb.lookup_type("enum " + name).fields():
            print(field.name, field.enumval)
    except gdb.error:
        print("enum", name, "is missing")
