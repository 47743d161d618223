/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fake physical memory for tests. It holds a capture as the kernel leaves it; pages can be
 * excluded or unreadable; and it can be written as an ELF vmcore.
 *
 * It follows the text of the format and the kernel's headers, not the library's code: lengths and
 * offsets of notes and ELF files are numbers here, or come from the system's headers.
 */
#ifndef FAKE_IMAGE_H
#define FAKE_IMAGE_H

#include <assert.h>
#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "image/image.h"

#define FAKE_BASE UINT64_C(0x80000000)
#define FAKE_PAGE 4096
#define FAKE_PAGES 48
#define FAKE_SIZE (FAKE_PAGES * FAKE_PAGE)
#define FAKE_MAX_CPUS 8
/* Header 520, text 576, nested 256 bytes: small, so that a vmcore of the whole memory is small. */
#define FAKE_SLOT_SIZE 1352
#define FAKE_TEXT_OFF 520
#define FAKE_TEXT_SIZE 576
#define FAKE_NESTED_OFF 1096
#define FAKE_NESTED_SIZE 256
#define FAKE_NOTE_SIZE 512
#define FAKE_ASKED_NS UINT64_C(5000000000)

/* The kernel's code: functions of 0x100 bytes, one after the other. */
#define FAKE_TEXT_VADDR UINT64_C(0xffff800080010000)
static const char *const fake_functions[] = {"__delay", "__udelay", "spin_fn", "kthread", "other"};
#define FAKE_FN(i) (FAKE_TEXT_VADDR + (i)*UINT64_C(0x100))
enum { FAKE_DELAY, FAKE_UDELAY, FAKE_SPIN, FAKE_KTHREAD, FAKE_OTHER, FAKE_NR_FUNCTIONS };

#define FAKE_DESC_VADDR UINT64_C(0xffff800081000000)

struct fake {
	struct nmibt_image image;
	struct nmibt_image_ops ops;
	uint8_t *mem; /* FAKE_SIZE bytes from FAKE_BASE on */
	enum nmibt_read page[FAKE_PAGES];
	uint64_t next; /* free from here */
	struct nmi_capture_desc *desc;
	uint64_t desc_paddr;
	uint64_t *table;
	unsigned int nr_cpus;
	struct nmi_capture_slot *slot[FAKE_MAX_CPUS];
	uint64_t slot_paddr[FAKE_MAX_CPUS];
	uint64_t note_paddr[FAKE_MAX_CPUS];
	char vmcoreinfo[256]; /* the text; empty: none */
	bool symbol; /* nmi_capture_desc is known */
	int reads_left; /* after so many reads interrupted() returns true; negative: never */
};

static inline void *fake_at(struct fake *f, uint64_t paddr)
{
	assert(paddr >= FAKE_BASE && paddr < FAKE_BASE + FAKE_SIZE);
	return f->mem + (paddr - FAKE_BASE);
}

static inline uint64_t fake_alloc(struct fake *f, uint64_t size, uint64_t align)
{
	uint64_t paddr = (f->next + align - 1) / align * align;

	f->next = paddr + size;
	assert(f->next <= FAKE_BASE + FAKE_SIZE);
	return paddr;
}

static inline void fake_set_pages(struct fake *f, uint64_t paddr, uint64_t size,
				  enum nmibt_read status)
{
	for (uint64_t page = (paddr - FAKE_BASE) / FAKE_PAGE;
	     page <= (paddr + size - 1 - FAKE_BASE) / FAKE_PAGE; page++)
		f->page[page] = status;
}

/* --------------------------------------------------------------- callbacks */

static inline enum nmibt_read fake_read_phys(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	struct fake *f = ctx;

	/* nmibt.h promises this to people who write a back end. */
	assert(len && paddr / FAKE_PAGE == (paddr + len - 1) / FAKE_PAGE);
	memset(buf, 0xee, len);
	if (paddr < FAKE_BASE || paddr >= FAKE_BASE + FAKE_SIZE)
		return NMIBT_READ_ERROR;
	enum nmibt_read status = f->page[(paddr - FAKE_BASE) / FAKE_PAGE];
	if (status == NMIBT_READ_OK)
		memcpy(buf, fake_at(f, paddr), len);
	return status;
}

static inline char *fake_vmcoreinfo(void *ctx, const char *key)
{
	struct fake *f = ctx;
	char start[64];

	snprintf(start, sizeof(start), "%s=", key);
	char *line = strstr(f->vmcoreinfo, start);
	if (!line)
		return NULL;
	line += strlen(start);
	return strndup(line, strcspn(line, "\n"));
}

static inline bool fake_symbol_addr(void *ctx, const char *name, uint64_t *ret)
{
	struct fake *f = ctx;

	if (!f->symbol || strcmp(name, "nmi_capture_desc"))
		return false;
	*ret = FAKE_DESC_VADDR;
	return true;
}

static inline bool fake_virt_to_phys(void *ctx, uint64_t vaddr, uint64_t *ret)
{
	struct fake *f = ctx;

	if (vaddr != FAKE_DESC_VADDR)
		return false;
	*ret = f->desc_paddr;
	return true;
}

static inline bool fake_symbolize(void *ctx, uint64_t addr, char *buf, size_t len)
{
	uint64_t i = (addr - FAKE_TEXT_VADDR) / 0x100;

	(void)ctx;
	if (addr < FAKE_TEXT_VADDR || i >= FAKE_NR_FUNCTIONS)
		return false;
	snprintf(buf, len, "%s+%#" PRIx64, fake_functions[i], (addr - FAKE_TEXT_VADDR) % 0x100);
	return true;
}

static inline bool fake_find_places(void *ctx, const struct nmibt_location *code,
				    nmibt_place_fn visit, void *arg)
{
	char where[64];

	(void)ctx;
	for (unsigned int i = 0; i < FAKE_NR_FUNCTIONS; i++) {
		if (strcmp(code->function, fake_functions[i]))
			continue;
		snprintf(where, sizeof(where), "source/file.c:%u",
			 (unsigned int)(i * 0x100 + code->offset));
		visit(arg, NULL, where);
		return true;
	}
	return false;
}

static inline bool fake_next_range(void *ctx, uint64_t from, struct nmibt_range *ret)
{
	(void)ctx;
	if (from >= FAKE_BASE + FAKE_SIZE)
		return false;
	ret->start = from > FAKE_BASE ? from : FAKE_BASE;
	ret->size = FAKE_BASE + FAKE_SIZE - ret->start;
	return true;
}

static inline bool fake_interrupted(void *ctx)
{
	struct fake *f = ctx;

	return f->reads_left >= 0 && !f->reads_left--;
}

/* -------------------------------------------------------------- the capture */

/* Appends to an area as the kernel's writer does: the text, a NUL, the length. */
static inline void fake_print_bytes(struct fake *f, unsigned int cpu, const char *s, size_t len)
{
	struct nmi_capture_slot *slot = f->slot[cpu];
	char *text = (char *)slot + slot->text_off + slot->text_len;

	assert(slot->text_len + len < slot->text_size);
	memcpy(text, s, len);
	text[len] = '\0';
	slot->text_len += len;
}

static inline void fake_print(struct fake *f, unsigned int cpu, const char *s)
{
	fake_print_bytes(f, cpu, s, strlen(s));
}

/* Appends text that was formatted and not published. */
static inline void fake_tail(struct fake *f, unsigned int cpu, const char *s)
{
	struct nmi_capture_slot *slot = f->slot[cpu];

	strcpy((char *)slot + slot->text_off + slot->text_len, s);
}

static inline void fake_nested(struct fake *f, unsigned int cpu, const char *s)
{
	struct nmi_capture_slot *slot = f->slot[cpu];

	strcpy((char *)slot + slot->nested_off + slot->nested_len, s);
	slot->nested_len += strlen(s);
}

static inline unsigned int fake_nr_regs(const struct fake *f)
{
	return f->image.arch == NMIBT_ARCH_ARM64 ? 34 : 27;
}

static inline unsigned int fake_pc(const struct fake *f)
{
	return f->image.arch == NMIBT_ARCH_ARM64 ? 32 : 16;
}

static inline unsigned int fake_sp(const struct fake *f)
{
	return f->image.arch == NMIBT_ARCH_ARM64 ? 31 : 19;
}

/* Writes an NT_PRSTATUS note: 12 bytes of header, "CORE" in 8 bytes, then a description that has
 * pr_pid at 32 and pr_reg at 112, and ends with pr_fpvalid. */
static inline void fake_note(struct fake *f, unsigned int cpu, int32_t pid, const uint64_t *regs)
{
	uint8_t *note = fake_at(f, f->note_paddr[cpu]);
	uint32_t header[3] = {5, 112 + fake_nr_regs(f) * 8 + 8, 1};

	memset(note, 0, FAKE_NOTE_SIZE);
	memcpy(note, header, 12);
	memcpy(note + 12, "CORE", 5);
	memcpy(note + 20 + 32, &pid, 4);
	memcpy(note + 20 + 112, regs, fake_nr_regs(f) * 8);
}

/* The CPU never stopped: its note is empty. */
static inline void fake_no_note(struct fake *f, unsigned int cpu)
{
	memset(fake_at(f, f->note_paddr[cpu]), 0, FAKE_NOTE_SIZE);
}

/* Prints the trace of a CPU that spins in a module, in the architecture's form. */
static inline void fake_trace(struct fake *f, unsigned int cpu)
{
	char head[128];

	snprintf(head, sizeof(head), "\0014NMI backtrace for cpu %u\nmarker-of-cpu-%u\n", cpu, cpu);
	fake_print(f, cpu, head);
	if (f->image.arch == NMIBT_ARCH_ARM64)
		fake_print(f, cpu,
			   "pc : __delay+0x2c/0x100\nlr : __udelay+0x2c/0x100\n"
			   "x29: ffff800082d3bd90 \001cx28: 0000000000000000 \001c\n"
			   "Call trace:\n __delay+0x2c/0x100\n");
	else
		fake_print(f, cpu,
			   "RIP: 0010:__delay+0x2c/0x100\nRAX: 0000000000000001\n"
			   "Call Trace:\n <TASK>\n ? __udelay+0x2c/0x100\n");
	fake_print(f, cpu, " spin_fn+0x48/0x100 [irqspin]\n kthread+0x10/0x100\n");
}

static inline void fake_slot_init(struct fake *f, unsigned int cpu)
{
	f->slot_paddr[cpu] = fake_alloc(f, FAKE_SLOT_SIZE, FAKE_PAGE);
	f->note_paddr[cpu] = fake_alloc(f, FAKE_NOTE_SIZE, 4);
	f->slot[cpu] = fake_at(f, f->slot_paddr[cpu]);
	f->table[cpu] = f->slot_paddr[cpu];

	struct nmi_capture_slot *slot = f->slot[cpu];
	memcpy(slot->magic, "NMIBTSLT", 8);
	slot->cpu = cpu;
	slot->text_off = FAKE_TEXT_OFF;
	slot->text_size = FAKE_TEXT_SIZE;
	slot->nested_off = FAKE_NESTED_OFF;
	slot->nested_size = FAKE_NESTED_SIZE;
	slot->note_paddr = f->note_paddr[cpu];
	slot->note_size = FAKE_NOTE_SIZE;
}

/* The CPU was asked, and how made it answer. Its registers at the stop are the same as at the
 * NMI. */
static inline void fake_answer(struct fake *f, unsigned int cpu, enum nmi_capture_how how)
{
	struct nmi_capture_slot *slot = f->slot[cpu];

	slot->state = NMI_CAPTURE_SLOT_DONE;
	slot->generation = f->desc->generation;
	slot->how = how;
	slot->flags = NMI_CAPTURE_SLOT_F_REGS;
	slot->pid = 100 + cpu;
	snprintf(slot->comm, sizeof(slot->comm), "task-%u", cpu);
	slot->asked_generation = f->desc->generation;
	slot->asked_ns = FAKE_ASKED_NS + 100000;
	slot->begun_ns = FAKE_ASKED_NS + 2000000 + cpu * 10000;
	slot->done_ns = slot->begun_ns + 300000;
	slot->nr_regs = fake_nr_regs(f);
	for (unsigned int i = 0; i < slot->nr_regs; i++)
		slot->regs[i] = 0x1000 * (cpu + 1) + i;
	slot->regs[fake_pc(f)] = FAKE_FN(FAKE_DELAY) + 0x2c;
	slot->regs[fake_sp(f)] = 0xffff800082d3bd90 + cpu * 0x10000;
	fake_trace(f, cpu);
	fake_note(f, cpu, slot->pid, slot->regs);
}

/* Empties a slot, as if nobody had asked its CPU. */
static inline void fake_reset(struct fake *f, unsigned int cpu)
{
	struct nmi_capture_slot *slot = f->slot[cpu];
	struct nmi_capture_slot fresh = {.cpu = cpu};

	memcpy(fresh.magic, slot->magic, 8);
	fresh.text_off = slot->text_off;
	fresh.text_size = slot->text_size;
	fresh.nested_off = slot->nested_off;
	fresh.nested_size = slot->nested_size;
	fresh.note_paddr = slot->note_paddr;
	fresh.note_size = slot->note_size;
	memset(slot, 0, FAKE_SLOT_SIZE);
	*slot = fresh;
	fake_no_note(f, cpu);
}

/*
 * Makes a complete capture: CPU 0 panicked, the others answered by NMI. The descriptor crosses the
 * end of a page, because nothing forbids that.
 */
static inline struct fake *fake_new(enum nmibt_arch arch, unsigned int nr_cpus)
{
	struct fake *f = calloc(1, sizeof(*f));

	assert(f && nr_cpus <= FAKE_MAX_CPUS);
	f->mem = calloc(FAKE_PAGES, FAKE_PAGE);
	assert(f->mem);
	f->nr_cpus = nr_cpus;
	f->reads_left = -1;
	f->ops = (struct nmibt_image_ops){
		.read_phys = fake_read_phys,
		.vmcoreinfo = fake_vmcoreinfo,
		.symbol_addr = fake_symbol_addr,
		.virt_to_phys = fake_virt_to_phys,
		.symbolize = fake_symbolize,
		.find_places = fake_find_places,
		.next_range = fake_next_range,
		.interrupted = fake_interrupted,
	};
	f->image = (struct nmibt_image){
		.ops = &f->ops, .ctx = f, .arch = arch, .page_size = FAKE_PAGE};

	f->next = FAKE_BASE + FAKE_PAGE - 40;
	f->desc_paddr = fake_alloc(f, 376, 8);
	f->desc = fake_at(f, f->desc_paddr);
	uint64_t table = fake_alloc(f, FAKE_PAGE, FAKE_PAGE);
	f->table = fake_at(f, table);
	*f->desc = (struct nmi_capture_desc){
		.version = 2,
		.desc_size = 376,
		.slot_hdr_size = 520,
		.slot_size = FAKE_SLOT_SIZE,
		.nr_slots = nr_cpus,
		.state = NMI_CAPTURE_COMPLETE,
		.generation = 1,
		.panic_cpu = 0,
		.timeout_ms = 500,
		.flags = NMI_CAPTURE_F_CRASH_KEXEC,
		.nr_asked = nr_cpus - 1,
		.desc_paddr = f->desc_paddr,
		.table_paddr = table,
		.asked_ns = FAKE_ASKED_NS,
		.finished_ns = FAKE_ASKED_NS + 3100000,
		.from_cpu = 0,
	};
	memcpy(f->desc->magic, "NMIBTDSC", 8);
	snprintf(f->vmcoreinfo, sizeof(f->vmcoreinfo),
		 "OSRELEASE=6.12.0\nNUMBER(nmi_backtrace_capture)=%" PRIu64 "\nPAGESIZE=4096\n",
		 f->desc_paddr);
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		fake_slot_init(f, cpu);
		fake_answer(f, cpu, cpu ? NMI_CAPTURE_BY_NMI : NMI_CAPTURE_BY_SELF);
	}
	return f;
}

static inline void fake_free(struct fake *f)
{
	free(f->mem);
	free(f);
}

/* ---------------------------------------------------------------------- ELF */

struct fake_segment {
	uint32_t type; /* PT_LOAD, PT_NOTE */
	uint64_t paddr;
	uint64_t memsz;
	const void *data;
	uint64_t filesz;
};

/* An ELF file in memory; the caller frees it. */
struct fake_elf {
	uint8_t *data;
	size_t size;
};

/* The file has a header, program headers, and then the contents of the segments. */
static inline struct fake_elf fake_elf_new(uint16_t machine, const struct fake_segment *segments,
					   unsigned int nr)
{
	struct fake_elf elf = {.size = 64 + 56 * nr};
	for (unsigned int i = 0; i < nr; i++)
		elf.size += segments[i].filesz;
	elf.data = calloc(1, elf.size);
	assert(elf.data);

	Elf64_Ehdr ehdr = {.e_type = ET_CORE,
			   .e_machine = machine,
			   .e_version = EV_CURRENT,
			   .e_phoff = 64,
			   .e_ehsize = 64,
			   .e_phentsize = 56,
			   .e_phnum = nr};
	memcpy(ehdr.e_ident, "\177ELF\2\1\1", 7);
	memcpy(elf.data, &ehdr, sizeof(ehdr));
	uint64_t at = 64 + 56 * nr;
	for (unsigned int i = 0; i < nr; i++) {
		Elf64_Phdr phdr = {.p_type = segments[i].type,
				   .p_offset = at,
				   .p_paddr = segments[i].paddr,
				   .p_filesz = segments[i].filesz,
				   .p_memsz = segments[i].memsz};
		memcpy(elf.data + 64 + 56 * i, &phdr, sizeof(phdr));
		if (segments[i].filesz)
			memcpy(elf.data + at, segments[i].data, segments[i].filesz);
		at += segments[i].filesz;
	}
	return elf;
}

/* Writes a note with this name; returns its length in bytes, padded to 4 as by the kernel. */
static inline size_t fake_elf_note(uint8_t *to, const char *name, const char *desc, uint32_t len)
{
	uint32_t namesz = strlen(name) + 1;
	uint32_t header[3] = {namesz, len, 0};

	memcpy(to, header, 12);
	memcpy(to + 12, name, namesz);
	size_t at = 12 + (namesz + 3) / 4 * 4;
	memcpy(to + at, desc, len);
	return at + (len + 3) / 4 * 4;
}

/* Makes a vmcore of all memory that the fake uses. */
static inline struct fake_elf fake_elf_of(struct fake *f)
{
	uint8_t notes[512] = {0};
	size_t len = fake_elf_note(notes, "VMCOREINFO", f->vmcoreinfo, strlen(f->vmcoreinfo));
	uint64_t used = f->next - FAKE_BASE;
	struct fake_segment segments[] = {
		{.type = PT_NOTE, .data = notes, .filesz = len, .memsz = len},
		{.type = PT_LOAD,
		 .paddr = FAKE_BASE,
		 .data = f->mem,
		 .filesz = used,
		 .memsz = used},
	};

	return fake_elf_new(f->image.arch == NMIBT_ARCH_ARM64 ? EM_AARCH64 : EM_X86_64, segments,
			    2);
}

/* Puts bytes into a file that nmibt_elf_open() can open; the caller closes *fd. */
static inline const char *fake_file(const void *data, size_t size, int *fd)
{
	static __thread char path[32];

	*fd = memfd_create("vmcore", MFD_CLOEXEC);
	assert(*fd >= 0);
	ssize_t written = write(*fd, data, size);
	assert(written == (ssize_t)size);
	(void)written;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", *fd);
	return path;
}

#endif /* FAKE_IMAGE_H */
