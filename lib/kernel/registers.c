// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The registers in a CPU's crash note.
 */
#include "image/image.h"
#include "kernel/kernel.h"

const char *nmibt_reg_name(enum nmibt_arch arch, unsigned int i)
{
	const struct nmibt_reg_names *names = nmibt_reg_names(arch);

	return names && i < names->nr ? names->name[i] : NULL;
}

unsigned int nmibt_regs_nr(const struct nmibt_regs *regs)
{
	return regs->nr;
}

uint64_t nmibt_regs_value(const struct nmibt_regs *regs, unsigned int i)
{
	return regs->value[i];
}

/*
 * struct elf_prstatus, include/linux/elfcore.h (6.12), on 64-bit machines: pr_pid is at 32, pr_reg
 * at 112. append_elf_note(), kernel/crash_core.c, writes the note: header, "CORE" padded to 8
 * bytes, description.
 */
#define PRSTATUS_PID 32
#define PRSTATUS_REG 112

#define NOTE_HEAD NMIBT_NOTE_HEAD("CORE")

/* The memory of a note: at a physical address, or, if kernel is set, at a virtual one. */
struct note_at {
	const struct nmibt_image *image;
	struct nmibt_kernel *kernel; /* NULL: addr is physical */
	uint64_t addr;
	uint64_t size;
};

static enum nmibt_read read_at(const struct note_at *at, uint64_t offset, void *buf, size_t len)
{
	return at->kernel ? nmibt_kernel_read(at->kernel, at->addr + offset, buf, len)
			  : nmibt_read_phys(at->image, at->addr + offset, buf, len);
}

static enum nmibt_note unreadable(enum nmibt_read status)
{
	return status == NMIBT_READ_EXCLUDED ? NMIBT_NOTE_EXCLUDED : NMIBT_NOTE_DAMAGED;
}

bool nmibt_read_prstatus(enum nmibt_arch arch, const char *desc, size_t len, struct nmibt_regs *ret,
			 int *ret_pid)
{
	const struct nmibt_reg_names *names = nmibt_reg_names(arch);
	int32_t pid;

	if (!names || len < PRSTATUS_REG + names->nr * sizeof(*ret->value))
		return false;
	memcpy(&pid, desc + PRSTATUS_PID, sizeof(pid));
	*ret_pid = pid;
	*ret = (struct nmibt_regs){.present = true, .nr = names->nr};
	memcpy(ret->value, desc + PRSTATUS_REG, names->nr * sizeof(*ret->value));
	return true;
}

static enum nmibt_note read_note(const struct note_at *at, struct nmibt_regs *ret, int *ret_pid)
{
	const struct nmibt_reg_names *names = nmibt_reg_names(at->image->arch);
	static const char empty[NOTE_HEAD];
	char head[NOTE_HEAD], desc[PRSTATUS_REG + NMI_CAPTURE_MAX_REGS * 8];
	struct nmibt_elf_note note;
	uint64_t end;

	*ret = (struct nmibt_regs){0};
	*ret_pid = 0;
	if (!at->addr || !names)
		return NMIBT_NOTE_UNKNOWN;
	size_t want = PRSTATUS_REG + names->nr * 8;
	if (__builtin_add_overflow(at->addr, at->size, &end) || at->size < sizeof(head) + want)
		return NMIBT_NOTE_DAMAGED;

	enum nmibt_read status = read_at(at, 0, head, sizeof(head));
	if (status != NMIBT_READ_OK)
		return unreadable(status);
	if (!memcmp(head, empty, sizeof(Elf64_Nhdr)))
		return NMIBT_NOTE_NONE;
	if (!nmibt_next_note(head, sizeof(head), 0, &note) || !nmibt_note_is(&note, "CORE") ||
	    note.type != NT_PRSTATUS || note.size < want || note.size > at->size - sizeof(head))
		return NMIBT_NOTE_DAMAGED;
	status = read_at(at, sizeof(head), desc, want);
	if (status != NMIBT_READ_OK)
		return unreadable(status);

	nmibt_read_prstatus(at->image->arch, desc, want, ret, ret_pid);
	return NMIBT_NOTE_PRESENT;
}

enum nmibt_note nmibt_read_note(const struct nmibt_image *image, uint64_t paddr, uint64_t size,
				struct nmibt_regs *ret, int *ret_pid)
{
	return read_note(&(struct note_at){image, NULL, paddr, size}, ret, ret_pid);
}

enum nmibt_note nmibt_read_note_virtual(struct nmibt_kernel *kernel, uint64_t vaddr, uint64_t size,
					struct nmibt_regs *ret, int *ret_pid)
{
	return read_note(&(struct note_at){kernel->image, kernel, vaddr, size}, ret, ret_pid);
}

/* CRASH_CORE_NOTE_BYTES, include/linux/crash_core.h, 6.12: the headers of two notes, the name, and
 * struct elf_prstatus, which ends with pr_fpvalid, padded to 8 bytes, behind pr_reg. */
size_t nmibt_note_size(enum nmibt_arch arch)
{
	const struct nmibt_reg_names *names = nmibt_reg_names(arch);

	return names ? 2 * 12 + 8 + PRSTATUS_REG + names->nr * 8 + 8 : 0;
}
