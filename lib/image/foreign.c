// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The signatures are from the programs that write the files: LKCD's dump.h, Xen's xenctrl.h (before
 * 3.1), QEMU's migration/qemu-file-types.h and libvirt's qemu_saveimage.h, Xen's xl.h (4.17),
 * VirtualBox's SSM.cpp (7.0). VMware's are those that crash's vmware_vmss.h (9.0) and Volatility's
 * vmware.py (2.6) know, Hyper-V's that of dissect.hypervisor's c_hyperv.py (3.0).
 */
#include "image/foreign.h"

#define MAX_SIGNATURE 32
#define QUOTED_QUOTE "'\"'\"'"
#define UNPACK "unpack it first: "
#define UNPACKED " >DUMP"
#define LKCD "its kernel is too old to have anything that nmibt reads"
#define VMWARE "convert it first: vmss2core -N6 "
/* Without --paused the guest runs on before it is dumped. */
#define GUEST "start its guest, virsh restore --paused "
#define GUEST_THEN ", and dump that: virsh dump --memory-only DOMAIN DUMP"
#define SNAPSHOT "if it has a snapshot of a guest, start that, virsh snapshot-revert --paused "
#define INCOMING "start QEMU with the guest's options, -S and -incoming "

static const struct format {
	unsigned int len;
	const char *signature;
	const char *name;
	const char *cure, *rest; /* advice: words before and behind the path; NULL: there is none */
} formats[] = {
	/* Most of these programs want a name with their own ending, if they are not to write to
	 * their output. virsh dump writes under the name that it is given, whatever packs it. */
	{6, "\xfd\x37zXZ\x00", "compressed by xz as a whole", UNPACK "xz -dc ", UNPACKED},
	{4, "\x28\xb5\x2f\xfd", "compressed by zstd as a whole", UNPACK "zstd -dc ", UNPACKED},
	{2, "\x1f\x8b", "compressed by gzip as a whole", UNPACK "gzip -dc ", UNPACKED},
	{3, "BZh", "compressed by bzip2 as a whole", UNPACK "bzip2 -dc ", UNPACKED},
	{4, "\x04\x22\x4d\x18", "compressed by lz4 as a whole", UNPACK "lz4 -dc ", UNPACKED},
	{9, "\x89LZO\0\r\n\x1a\n", "compressed by lzop as a whole", UNPACK "lzop -dc ", UNPACKED},
	/* libkdumpfile could read it. But LKCD ended with 2.6, whose kernels have none of the logs
	 * that nmibt reads, and mostly no VMCOREINFO. */
	{8, "\xed\x23\x8f\x61\x73\x01\x19\xa8", "an LKCD dump", LKCD, NULL},
	{8, "\xa8\x19\x01\x73\x61\x8f\x23\xed", "an LKCD dump", LKCD, NULL},
	{8, "DISKDUMP", "a diskdump dump", NULL, NULL},
	{4, "\xed\xeb\x0f\xf0", "a dump of Xen's xm dump-core", NULL, NULL},
	{4, "\xee\xeb\x0f\xf0", "a dump of Xen's xm dump-core", NULL, NULL},
	{26, "Xen saved domain, xl format", "a guest that Xen saved", NULL, NULL},
	{4, "\xd0\xbe\xd0\xbe", "a VMware snapshot", VMWARE, " VMEM"},
	{4, "\xd2\xba\xd2\xba", "a VMware snapshot", VMWARE, " VMEM"},
	{4, "\xd0\xbe\xd2\xbe", "a VMware snapshot", VMWARE, " VMEM"},
	{4, "\xd1\xba\xd1\xba", "a VMware snapshot", VMWARE, " VMEM"},
	{4, "\xd2\xbe\xd2\xbe", "a VMware snapshot", VMWARE, " VMEM"},
	{4, "\xd3\xbe\xd3\xbe", "a VMware snapshot", VMWARE, " VMEM"},
	{8, "PAGEDU64", "a dump in the format of Windows", NULL, NULL},
	{8, "PAGEDUMP", "a dump in the format of Windows", NULL, NULL},
	{4, "\x14\x20\x28\x01", "a file of Hyper-V's storage, as a saved state (.vmrs) is", NULL,
	 NULL},
	{24, "\x7fVirtualBox SavedState V", "a guest that VirtualBox saved",
	 "start it and dump that: VBoxManage debugvm VM dumpvmcore --filename DUMP", NULL},
	{16, "LibvirtQemudSave", "a guest that libvirt saved", GUEST, GUEST_THEN},
	{16, "LibvirtQemudPart", "a guest that libvirt began to save and did not finish", NULL,
	 NULL},
	/* virsh dump without --memory-only leaves this, too: no header of libvirt's is before
	 * it. */
	{4, "QEVM", "a guest that QEMU saved", INCOMING,
	 ", and dump it in QEMU's monitor: dump-guest-memory DUMP"},
	/* What is neither a dump nor a log. */
	{4,
	 "\x7f"
	 "ELF",
	 "an ELF file for another machine or of another kind than a core", NULL, NULL},
	{8, "LPKSHHRH", "systemd's journal",
	 "make a log of it: journalctl -o short-monotonic --file ", " >LOG"},
	{2, "\xff\xfe", "a text in UTF-16", "convert it first: iconv -f UTF-16 -t UTF-8 ", " >LOG"},
	{2, "\xfe\xff", "a text in UTF-16", "convert it first: iconv -f UTF-16 -t UTF-8 ", " >LOG"},
	{8, "\x89PNG\r\n\x1a\n", "a picture (PNG)", NULL, NULL},
	{3, "\xff\xd8\xff", "a picture (JPEG)", NULL, NULL},
	{4, "GIF8", "a picture (GIF)", NULL, NULL},
	{5, "%PDF-", "a document (PDF)", NULL, NULL},
	{4, "PK\x03\x04", "an archive (zip)", "unpack it first: unzip ", ""},
	{6, "7z\xbc\xaf\x27\x1c", "an archive (7z)", "unpack it first: 7z x ", ""},
	{4, "\xd4\xc3\xb2\xa1", "captured packets (pcap); if they are netconsole's",
	 "make a text of them: tcpdump -A -r ", " >LOG"},
	{4, "QFI\xfb", "a disk image (qcow2)", SNAPSHOT "DOMAIN SNAPSHOT" GUEST_THEN, NULL},
};

/* POSIX.1-2017, pax: the magic of a header is not at its beginning. */
#define TAR_AT 257
static const struct format tar = {5, "ustar", "an archive (tar)", "unpack it first: tar -xf ", ""};

static bool is_format(const struct nmibt_file *file, uint64_t at, const struct format *format)
{
	char bytes[MAX_SIGNATURE];

	return nmibt_file_read(file, at, bytes, format->len) &&
	       !memcmp(bytes, format->signature, format->len);
}

/* NULL: it is none of them. */
static const struct format *find_format(const struct nmibt_file *file)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		if (is_format(file, 0, &formats[i]))
			return &formats[i];
	}
	return is_format(file, TAR_AT, &tar) ? &tar : NULL;
}

static bool is_plain(unsigned char c)
{
	return c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c && strchr("%+,-./:=@_", c));
}

/* text as one word for a shell; NULL: out of memory. A message's backslashes are doubled, so that a
 * quote is put into the other quotes. */
static char *quote(const char *text)
{
	size_t plain = 0, room = 3;

	while (is_plain(text[plain]))
		plain++;
	if (plain && !text[plain])
		return strdup(text);
	for (const char *s = text; *s; s++)
		room += *s == '\'' ? strlen(QUOTED_QUOTE) : 1;
	char *quoted = malloc(room), *to = quoted;
	if (!quoted)
		return NULL;
	*to++ = '\'';
	for (const char *s = text; *s; s++)
		to = *s == '\'' ? stpcpy(to, QUOTED_QUOTE) : stpncpy(to, s, 1);
	stpcpy(to, "'");
	return quoted;
}

/* The path in a command; NULL: out of memory. */
static char *argument_of(const struct format *format, const char *path)
{
	char *word = quote(path);

	if (!word || strcmp(format->cure, INCOMING))
		return word;
	/* QEMU gives a shell of its own what follows "exec:". */
	_cleanup_free_ char *command = malloc(strlen("exec:cat ") + strlen(word) + 1);
	if (command)
		stpcpy(stpcpy(command, "exec:cat "), word);
	free(word);
	return command ? quote(command) : NULL;
}

bool nmibt_is_foreign(const struct nmibt_file *file)
{
	return find_format(file);
}

struct nmibt_error *nmibt_refuse_foreign(const struct nmibt_file *file)
{
	const struct format *format = find_format(file);

	if (!format)
		return nmibt_error_create(NMIBT_ERR_UNUSABLE, "%s: not a dump that can be read",
					  file->path);
	if (!format->cure)
		return nmibt_error_create(NMIBT_ERR_UNUSABLE, "%s: %s, which can't be read",
					  file->path, format->name);
	_cleanup_free_ char *argument = argument_of(format, file->path);
	if (!argument)
		return nmibt_error_nomem();
	return nmibt_error_create(NMIBT_ERR_UNUSABLE, "%s: %s; %s%s%s", file->path, format->name,
				  format->cure, format->rest ? argument : "",
				  format->rest ? format->rest : "");
}
