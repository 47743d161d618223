#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2154 # variables of dracut
#
# Puts vmcore-nmibt into the initramfs of kdump-utils' capture kernel, with a unit of its own: hooks of
# kdump-utils are not reached when the network never comes (kdump.sh: get_host_ip; kdump-utils
# 63f248c94a4a, March 2026).

check() {
	# mkdumprd sets it; other initramfs's do not need this.
	[[ ${IN_KDUMP-} == 1 ]] || return 255
	require_binaries @sbindir@/vmcore-nmibt sleep || return 1
}

depends() {
	echo systemd
}

installkernel() {
	# Where ramoops is a module it is needed for /dev/pmsg0. The capture loads it.
	hostonly='' instmods ramoops
}

install() {
	# dracut_install() of kdump-utils brings the hooks' interpreter along, not what they call.
	inst_multiple @sbindir@/vmcore-nmibt sh sleep awk date ls mkdir rm sed tail \
		@libdir@/nmibt/limit @libdir@/nmibt/run @libdir@/nmibt/capture @libdir@/nmibt/beside \
		@libdir@/nmibt/kdump-folder @libdir@/nmibt/kdump-send
	inst_multiple -o modprobe ip
	inst_simple "$systemdsystemunitdir/nmibt-capture.service"
	systemctl -q --root "$initdir" add-wants initrd.target nmibt-capture.service
}
