# SPDX-License-Identifier: GPL-2.0-or-later
# Shared by the testbed's scripts; sourced with $testbed set to their folder.

cache=${XDG_CACHE_HOME:-$HOME/.cache}/nmibt

say() {
	echo "${0##*/}: $*" >&2
}

die() {
	say "$*"
	exit 1
}

# Sets what differs between architectures: karch and cross (kernel make),
# deb (Debian's name), image (the kernel to boot, below the build folder).
set_arch() {
	case $1 in
	arm64)
		karch=arm64
		cross=aarch64-linux-gnu-
		deb=arm64
		image=arch/arm64/boot/Image
		;;
	x86_64)
		karch=x86_64
		cross=
		[ "$(uname -m)" = x86_64 ] || cross=x86_64-linux-gnu-
		deb=amd64
		image=arch/x86/boot/bzImage
		;;
	*)
		die "unknown architecture '$1' (arm64 and x86_64 are known)"
		;;
	esac
}

# find_source VERSION: sets tar, the kernel's source as Debian packages it. A package that
# Debian 12 does not have is fetched from sid.
find_source() {
	case $1 in
	6.*) tar=/usr/src ;;
	*)
		tar=$("$testbed/../suite-packages" sid "$(dpkg --print-architecture)" \
			"linux-source-$1")/root/usr/src || exit 1
		;;
	esac
	tar=$tar/linux-source-$1.tar.xz
	[ -e "$tar" ] || die "no $tar; install the package linux-source-$1"
}

# kmake ARGS: the kernel's make for the source in $src and the build in $out.
# Everything that would make two builds of the same source differ is fixed, the
# folders in the debug information too.
kmake() {
	folders="-fdebug-prefix-map=$src=/usr/src/linux -fdebug-prefix-map=$out=/usr/src/linux"
	make -s -C "$src" O="$out" ARCH=$karch CROSS_COMPILE=$cross LOCALVERSION= \
		KBUILD_BUILD_USER=nmibt KBUILD_BUILD_HOST=testbed \
		KBUILD_BUILD_VERSION=1 \
		KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 2026' \
		KCFLAGS="$folders" KAFLAGS="$folders" "$@"
}

# config_fragments VERSION on|off: what a kernel of the architecture is configured by, with the
# option of the series or without it.
config_fragments() {
	for name in common common-$1 "$arch" "$arch-$1"; do
		[ ! -e "$testbed/config/$name.config" ] || echo "$testbed/config/$name.config"
	done
	[ "$2" = off ] || echo "$testbed/config/capture.config"
}

# configure_kernel FRAGMENT...: tinyconfig and the fragments, for the source in $src, into $out.
configure_kernel() {
	mkdir -p "$out" &&
		kmake tinyconfig &&
		(cd "$out" && ARCH=$karch "$src/scripts/kconfig/merge_config.sh" -m .config "$@") &&
		kmake olddefconfig
}
