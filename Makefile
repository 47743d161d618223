# SPDX-License-Identifier: GPL-2.0-or-later
# `make help` lists the targets. Everything that is made goes to $(O).

O ?= build
CC := gcc
VERSION := $(shell sed -n 's/^\#define NMIBT_VERSION "\(.*\)"/\1/p' include/nmibt/nmibt.h)
# Of the shared library: it grows when a program would have to be compiled anew.
SOVERSION := 0
CLANG := clang
prefix ?= /usr/local
DESTDIR ?=

# The architecture of the dumps that the extension is for is its crash's; a
# crash for another one than the host's is named by CRASH_TARGET, with the
# folder that holds its crash/defs.h.
HOST := $(shell uname -m)
CRASH_TARGET ?= $(if $(filter aarch64,$(HOST)),ARM64,X86_64)
CRASH_INCLUDE ?= /usr/include
# Where Debian's crash looks; Fedora's looks in /usr/lib64 first.
crashextdir ?= /usr/lib/crash/extensions
mandir ?= $(prefix)/share/man
libdir ?= $(prefix)/lib
includedir ?= $(prefix)/include

WARN := -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes -Wvla
CFLAGS ?= -O2 -g
# clang before 21 does not tell the sources that they are built with it.
SANITIZERS := -fsanitize=address,undefined -fno-sanitize-recover=all $(if $(findstring clang,$(CC)),-D__SANITIZE_ADDRESS__=1)
ALL_CFLAGS := -std=gnu11 $(WARN) -fPIC -fvisibility=hidden -D_GNU_SOURCE \
	-Iinclude -Ilib $(CFLAGS) $(if $(SANITIZE),$(SANITIZERS))
ALL_LDFLAGS := $(LDFLAGS) $(if $(SANITIZE),$(SANITIZERS))

# The base of the library links with libc and zlib alone. Debugging information,
# by elfutils, and JSON, which not everybody wants, are archives of their own.
BASE := base record image kernel text unwind source report render
objects = $(patsubst %.c,$(O)/%.o,$(foreach folder,$(1),$(wildcard lib/$(folder)/*.c)))
LIB_OBJS := $(call objects,$(BASE))
JSON_OBJS := $(call objects,json)
DEBUGINFO_OBJS := $(call objects,debuginfo)
RECORDER_OBJS := $(call objects,recorder)
# What nmibt has of the capture kernel's tool: a file that is written as a whole.
TOOL_OBJS := $(patsubst %.c,$(O)/%.o,$(wildcard tools/*.c) tools/vmcore/outfile.c)
ARCHIVES := $(O)/libnmibt-json.a $(O)/libnmibt-debuginfo.a $(O)/libnmibt-recorder.a $(O)/libnmibt.a
TEST_DRIVERS := $(patsubst tests/%.c,$(O)/tests/%,$(wildcard tests/nmibt-*.c))
UNIT_TESTS := $(patsubst tests/unit/%.c,$(O)/tests/%,$(wildcard tests/unit/test-*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,$(O)/fuzz/%,$(wildcard tests/fuzz/fuzz-*.c))
MUTATOR := $(O)/tests/mutate-server
# What is installed for kdump: it starts in less time without libraries, and takes less memory. Not every
# distribution has libc and zlib for that. What clang builds still has dlopen(), which needs them.
VMCORE_NMIBT := vmcore-nmibt$(if $(findstring clang,$(CC)),,$(shell echo 'int main(void){return 0;}' | $(CC) -x c -fPIE -static-pie $(ALL_LDFLAGS) \
	-o /dev/null - -lz 2>/dev/null && echo -static))
FORMATTED := $(wildcard include/nmibt/*.h lib/*/*.[ch] extension/*.[ch] tools/*.[ch] tools/vmcore/*.[ch] \
	tests/unit/*.[ch] tests/fuzz/*.[ch] tests/fuzz/*/*.[ch] docs/*.c)

all: $(O)/nmibt.so $(O)/nmibt $(O)/vmcore-nmibt $(O)/$(VMCORE_NMIBT) ## the crash extension, and the tools
lib: $(ARCHIVES) $(O)/libnmibt.so ## the library, as archives and shared
unit: $(UNIT_TESTS) $(TEST_DRIVERS) ## the unit tests and the test drivers, not run
fuzzers: $(FUZZERS) ## the fuzz targets, by clang
mutator: $(MUTATOR) ## the server for mutated dumps, not run; with SANITIZE=1

$(O)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# defs.h is crash's own: its warnings are not ours to mend. GDB_10_2 is what
# crash 8's defs.h wants to be told; no part of defs.h that depends on it is used.
$(O)/extension/%.o: extension/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -D$(CRASH_TARGET) -DGDB_10_2 -isystem $(CRASH_INCLUDE) -MMD -MP -c -o $@ $<

$(O)/libnmibt.a: $(LIB_OBJS)
$(O)/libnmibt-json.a: $(JSON_OBJS)
$(O)/libnmibt-debuginfo.a: $(DEBUGINFO_OBJS)
$(O)/libnmibt-recorder.a: $(RECORDER_OBJS)
$(O)/lib%.a:
	@rm -f $@
	$(AR) rcs $@ $^

$(O)/libnmibt.so: $(LIB_OBJS) lib/libnmibt.map
	$(CC) -shared -Wl,-soname,libnmibt.so.$(SOVERSION) -Wl,--version-script=lib/libnmibt.map \
		-Wl,-Bsymbolic $(if $(SANITIZE),,-Wl,-z,defs) $(ALL_LDFLAGS) -o $@ $(LIB_OBJS) -lz

$(O)/nmibt.so: $(O)/extension/nmibt.o $(O)/libnmibt-json.a $(O)/libnmibt.a
	$(CC) -shared -Wl,-Bsymbolic -Wl,--exclude-libs,ALL $(ALL_LDFLAGS) -o $@ $^

$(O)/nmibt: $(TOOL_OBJS) $(ARCHIVES)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ -ldw -lelf -lz

# The log, and the stacks, of whatever the tool opens.
$(TEST_DRIVERS): %: %.o $(ARCHIVES)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ -ldw -lelf -lz

# It reads the program itself.
$(O)/tests/unit/test-debugfile.o: ALL_CFLAGS += -g
$(O)/tests/test-debugfile: $(O)/tests/unit/test-debugfile.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka -ldw -lelf -lz

# It is what runs in the tool's sandbox.
$(O)/tests/test-sandbox: $(O)/tests/unit/test-sandbox.o $(O)/tools/lockdown.o $(O)/tools/sandbox.o
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka

$(O)/tests/test-pstore: $(O)/tests/unit/test-pstore.o $(O)/tools/vmcore/pstore.o
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka

$(O)/tests/test-%: $(O)/tests/unit/test-%.o $(O)/libnmibt-json.a $(O)/libnmibt.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka -lz

# It needs SANITIZE=1: tests/fuzz/run-mutate builds it.
$(MUTATOR): $(patsubst %.c,$(O)/%.o,$(wildcard tests/fuzz/mutate/*.c)) $(ARCHIVES)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ -ldw -lelf -lz

# The library is compiled anew with coverage for libFuzzer.
$(O)/fuzz/%: tests/fuzz/%.c $(wildcard lib/*/*.[ch] include/nmibt/*.h tests/unit/*.h tests/fuzz/*.h)
	@mkdir -p $(@D)
	$(CLANG) $(filter-out -fPIC,$(ALL_CFLAGS)) -O1 -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all -o $@ $< $(patsubst $(O)/%.o,%.c,$(LIB_OBJS) $(JSON_OBJS)) -lz

# The tool for the capture kernel, where memory is short. It is compiled anew, for size, and only what
# it needs of the library is linked. By clang it is larger: what it writes for LTO needs its own linker.
# tools/vmcore/without.c stands for what it never needs.
VMCORE_SRCS := $(wildcard tools/vmcore/*.c) $(filter-out lib/text/archs.c lib/source/printed-log.c lib/source/mixed.c lib/source/mixed-block.c \
	lib/source/wrapped.c lib/source/flowed.c lib/source/shortened.c lib/source/pauses.c lib/source/log-times.c lib/text/place.c, \
	$(foreach folder,$(BASE) recorder,$(wildcard lib/$(folder)/*.c)))
VMCORE_OBJS := $(VMCORE_SRCS:%.c=$(O)/small/%.o)
# The last line has passes of gcc's that make it larger: 1.3 KB together.
SMALL := -Os -g -fPIE $(if $(findstring clang,$(CC)),,-flto -flto-partition=one) -ffunction-sections -fdata-sections \
	-fno-asynchronous-unwind-tables -fno-plt -fno-jump-tables \
	$(if $(findstring clang,$(CC)),,-fno-tree-dominator-opts -fno-move-loop-invariants -fno-caller-saves \
	-fno-code-hoisting -fno-tree-tail-merge -fno-early-inlining -fno-inline-small-functions)
# What not every linker knows, nor that of every architecture.
linker_takes = $(shell echo 'int main(void){return 0;}' | $(CC) -x c -pie -fPIE -Wl,--fatal-warnings \
	$(1:%=-Xlinker %) -o /dev/null - 2>/dev/null && echo '$(1:%=-Xlinker %)')
# Short relocations are 20 KB less. They need glibc 2.36.
RELR = $(call linker_takes,-z pack-relative-relocs)
# Nothing unwinds it, and its symbols that may be missing are missing.
NO_UNWINDING = $(call linker_takes,--no-ld-generated-unwind-info) $(call linker_takes,-z nodynamic-undefined-weak)
SMALL_LINK = $(SMALL) $(NO_UNWINDING) -Wl,--gc-sections -Wl,-z,noseparate-code -Wl,-z,relro -Wl,-z,now $(RELR)

# Each read of memory goes through it, and what is compiled for size copies one byte at a time.
$(O)/small/lib/image/cached.o: SMALL += -fno-builtin-memcpy

# Flags are in the Makefile, and the size is held to a limit.
$(O)/small/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(filter-out -fPIC,$(ALL_CFLAGS)) $(SMALL) -MMD -MP -c -o $@ $<

$(O)/vmcore-nmibt: $(VMCORE_OBJS)
	$(CC) $(ALL_LDFLAGS) -pie $(SMALL_LINK) -o $@ $^ -lz

$(O)/vmcore-nmibt-static: $(VMCORE_OBJS)
	$(CC) $(ALL_LDFLAGS) -static-pie $(SMALL_LINK) -o $@ $^ -lz

vmcore-nmibt-static: $(O)/vmcore-nmibt-static ## the tool for the capture kernel, without libraries

# Without a kernel to boot.
SUITES := tests/unit/run tests/fuzz/run-mutate tests/layers tests/hooks tests/abi/run \
	$(addprefix docs/,check-format check-evidence check-matrix) \
	$(addprefix tests/golden/,run-mkdump run-synthetic run-describe run-tool run-json run-batch \
	run-debuginfo run-log run-text run-mixtures run-pstore run-record run-extract run-crash run-cost) tests/triage/run tests/triage/cluster tests/signature/run
KERNEL_SUITES := tests/e2e/run tests/e2e/matrix tests/e2e/series tests/e2e/panics tests/e2e/kcsan tests/e2e/pstore tests/e2e/efivars tests/e2e/formats tests/e2e/stock
CRASH_ARM64 := tests/kept tests/golden testdumps -- tests/golden/run-crash --crash arm64

check: ## unit, golden, crash on the bundled dumps: minutes
	tests/run $(SUITES)

check-smoke: ## boot two kernels with the series and a stock one, a few scenarios each
	tests/run $(KERNEL_SUITES:%='% --smoke')

check-kernel: ## boot every kernel in every scenario; what has passed is not run again
	tests/run $(KERNEL_SUITES) 'docs/check-matrix --complete' '$(CRASH_ARM64)'

check-ci: ## check and check-smoke, with one closing line
	tests/run $(SUITES) $(KERNEL_SUITES:%='% --smoke')

check-format: ## the sources are as clang-format writes them
	clang-format --dry-run --Werror $(FORMATTED)

bench: ## time beside that of crash's own commands and of makedumpfile
	tests/bench/run tool system trixie arm64

bench-kernel: ## what the series costs a kernel that panics, and a printk()
	tests/bench/kernel x86_64 6.12
	tests/bench/kernel arm64 6.12

install: all install-lib install-hooks ## the extension to where crash looks, the tools, library, manual pages, completion
	install -D -m 644 $(O)/nmibt.so $(DESTDIR)$(crashextdir)/nmibt.so
	install -D -m 755 $(O)/nmibt $(DESTDIR)$(prefix)/bin/nmibt
	install -D -m 755 tools/nmibt-check $(DESTDIR)$(prefix)/bin/nmibt-check
	install -D -m 755 tools/nmibt-triage $(DESTDIR)$(prefix)/bin/nmibt-triage
	install -d $(DESTDIR)$(prefix)/lib/nmibt/triage/report
	install -m 644 tools/triage/*.py $(DESTDIR)$(prefix)/lib/nmibt/triage
	install -m 644 tools/triage/report/*.* $(DESTDIR)$(prefix)/lib/nmibt/triage/report
	install -m 755 scripts/nmibt-triage.sbatch $(DESTDIR)$(prefix)/lib/nmibt
	install -d $(DESTDIR)$(prefix)/lib/systemd/system
	sed 's|@prefix@|$(prefix)|' tools/triage/nmibt-triage.service > $(DESTDIR)$(prefix)/lib/systemd/system/nmibt-triage.service
	install -D -m 755 $(O)/$(VMCORE_NMIBT) $(DESTDIR)$(prefix)/sbin/vmcore-nmibt
	install -D -m 644 docs/man/vmcore-nmibt.8 $(DESTDIR)$(mandir)/man8/vmcore-nmibt.8
	install -D -m 644 docs/man/nmibt.1 $(DESTDIR)$(mandir)/man1/nmibt.1
	install -D -m 644 docs/man/nmibt-triage.1 $(DESTDIR)$(mandir)/man1/nmibt-triage.1
	install -D -m 644 docs/man/nmibt-crash.8 $(DESTDIR)$(mandir)/man8/nmibt-crash.8
	install -D -m 644 tools/nmibt.bash-completion \
		$(DESTDIR)$(prefix)/share/bash-completion/completions/nmibt
	install -D -m 644 tools/nmibt-triage.bash-completion \
		$(DESTDIR)$(prefix)/share/bash-completion/completions/nmibt-triage

# Where kdump-utils, kdump-tools and systemd look. On a machine that lacks one of them its files do
# nothing.
HOOKS := $(foreach hook,limit run capture beside,lib/nmibt/$(hook)=$(hook)) \
	lib/nmibt/kdump-tools=kdump-tools/kdump-tools \
	lib/nmibt/kdump-folder=kdump-utils/folder lib/nmibt/kdump-send=kdump-utils/send \
	lib/dracut/modules.d/99nmibt/module-setup.sh=dracut/module-setup.sh
UNITS := lib/systemd/system/nmibt-capture.service=nmibt-capture.service \
	$(foreach unit,kdump-tools-dump kdump-tools,lib/systemd/system/$(unit).service.d/nmibt.conf=kdump-tools/nmibt.conf) \
	lib/systemd/system/systemd-pstore.service.d/nmibt.conf=systemd-pstore/nmibt.conf
KDUMP_UTILS := post.d/nmibt=kdump-utils/post emergency.d/nmibt=kdump-utils/emergency
FILL_IN = sed "s,@sbindir@,$(prefix)/sbin,g; s,@libdir@,/usr/lib,g"

install-hooks: ## what makes kdump run vmcore-nmibt: docs/man/vmcore-nmibt.8
	@set -e; install_hook() { \
		mkdir -p "$$(dirname "$$2")"; $(FILL_IN) "hooks/$$1" > "$$2"; chmod "$$3" "$$2"; }; \
	for hook in $(HOOKS); do \
		install_hook "$${hook#*=}" "$(DESTDIR)/usr/$${hook%%=*}" 755; done; \
	for hook in $(UNITS); do \
		install_hook "$${hook#*=}" "$(DESTDIR)/usr/$${hook%%=*}" 644; done; \
	for hook in $(KDUMP_UTILS); do \
		install_hook "$${hook#*=}" "$(DESTDIR)/etc/kdump/$${hook%%=*}" 755; done

install-lib: lib ## the library alone: headers, archives, libnmibt.so, for pkg-config
	install -d $(DESTDIR)$(includedir)/nmibt $(DESTDIR)$(libdir)/pkgconfig
	install -m 644 include/nmibt/*.h $(DESTDIR)$(includedir)/nmibt
	install -m 644 $(ARCHIVES) $(DESTDIR)$(libdir)
	install -m 755 $(O)/libnmibt.so $(DESTDIR)$(libdir)/libnmibt.so.$(VERSION)
	ln -sf libnmibt.so.$(VERSION) $(DESTDIR)$(libdir)/libnmibt.so.$(SOVERSION)
	ln -sf libnmibt.so.$(SOVERSION) $(DESTDIR)$(libdir)/libnmibt.so
	for name in libnmibt libnmibt-json libnmibt-debuginfo; do \
		sed 's|@prefix@|$(prefix)|; s|@libdir@|$(libdir)|; s|@includedir@|$(includedir)|; s|@version@|$(VERSION)|' \
			lib/$$name.pc.in > $(DESTDIR)$(libdir)/pkgconfig/$$name.pc || exit 1; done
	install -D -m 644 docs/man/libnmibt.3 $(DESTDIR)$(mandir)/man3/libnmibt.3

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(crashextdir)/nmibt.so $(DESTDIR)$(prefix)/bin/nmibt \
		$(DESTDIR)$(prefix)/sbin/vmcore-nmibt $(DESTDIR)$(mandir)/man1/nmibt.1 \
		$(addprefix $(DESTDIR)$(mandir)/man8/,nmibt-crash.8 vmcore-nmibt.8) \
		$(DESTDIR)$(mandir)/man3/libnmibt.3 \
		$(addprefix $(DESTDIR)$(prefix)/share/bash-completion/completions/,nmibt nmibt-triage) \
		$(addprefix $(DESTDIR)$(libdir)/,$(notdir $(ARCHIVES)) libnmibt.so libnmibt.so.$(SOVERSION) \
		libnmibt.so.$(VERSION)) $(DESTDIR)$(libdir)/pkgconfig/libnmibt*.pc
	rm -f $(DESTDIR)$(prefix)/bin/nmibt-check $(DESTDIR)$(prefix)/bin/nmibt-triage \
		$(DESTDIR)$(mandir)/man1/nmibt-triage.1 $(DESTDIR)$(prefix)/lib/systemd/system/nmibt-triage.service \
		$(DESTDIR)$(prefix)/lib/nmibt/nmibt-triage.sbatch \
		$(foreach hook,$(HOOKS) $(UNITS),$(DESTDIR)/usr/$(firstword $(subst =, ,$(hook)))) \
		$(foreach hook,$(KDUMP_UTILS),$(DESTDIR)/etc/kdump/$(firstword $(subst =, ,$(hook))))
	rm -rf $(DESTDIR)$(includedir)/nmibt $(DESTDIR)$(prefix)/lib/nmibt/triage

clean:
	rm -rf $(O)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: all vmcore-nmibt-static lib unit fuzzers mutator check check-smoke check-kernel check-ci check-format bench bench-kernel install install-lib install-hooks uninstall clean help
.DELETE_ON_ERROR:
.SECONDARY:
-include $(shell find $(O) -name '*.d' 2>/dev/null)
