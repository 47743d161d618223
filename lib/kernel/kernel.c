// SPDX-License-Identifier: GPL-2.0-or-later
/* The parts of a kernel, each opened when it is first needed. */
#include "kernel/kernel.h"
#include "kernel/memory.h"

struct nmibt_error *nmibt_kernel_open(const struct nmibt_image *image, struct nmibt_kernel **ret)
{
	struct nmibt_kernel *kernel = calloc(1, sizeof(*kernel));
	if (!kernel)
		return nmibt_error_nomem();

	kernel->image = image;
	struct nmibt_error *err = nmibt_vmcoreinfo_read(image, &kernel->vmcoreinfo);
	if (err) {
		nmibt_kernel_close(kernel);
		return err;
	}
	*ret = kernel;
	return NULL;
}

void nmibt_kernel_close(struct nmibt_kernel *kernel)
{
	if (!kernel)
		return;
	nmibt_vcpus_close(kernel->vcpus);
	nmibt_nmi_buffers_close(kernel->nmi_buffers);
	nmibt_percpu_close(kernel->percpu);
	nmibt_modules_close(kernel->modules);
	nmibt_kallsyms_close(kernel->kallsyms);
	nmibt_memory_close(kernel->memory);
	nmibt_vmcoreinfo_destroy(&kernel->vmcoreinfo);
	for (unsigned int i = 0; i < NMIBT_NR_PARTS; i++)
		nmibt_error_destroy(kernel->failure[i]);
	free(kernel);
}

static struct nmibt_error *open_part(struct nmibt_kernel *kernel, enum nmibt_part part)
{
	switch (part) {
	case NMIBT_PART_MEMORY:
		return nmibt_memory_open(kernel, &kernel->memory);
	case NMIBT_PART_KALLSYMS:
		return nmibt_kallsyms_open(kernel, &kernel->kallsyms);
	case NMIBT_PART_MODULES:
		return nmibt_modules_open(kernel, &kernel->modules);
	case NMIBT_PART_PERCPU:
		return nmibt_percpu_open(kernel, &kernel->percpu);
	case NMIBT_PART_NMI_BUFFERS:
		return nmibt_nmi_buffers_open(kernel, &kernel->nmi_buffers);
	case NMIBT_PART_VCPUS:
		return nmibt_vcpus_open(kernel, &kernel->vcpus);
	case NMIBT_NR_PARTS:
		break;
	}
	return nmibt_error_create(NMIBT_ERR_USAGE, "a kernel has no part %d", part);
}

const struct nmibt_error *nmibt_kernel_failure(struct nmibt_kernel *kernel, enum nmibt_part part)
{
	if (!kernel->tried[part]) {
		kernel->tried[part] = true;
		kernel->failure[part] = open_part(kernel, part);
	}
	return kernel->failure[part];
}

struct nmibt_error *nmibt_kernel_need(struct nmibt_kernel *kernel, enum nmibt_part part)
{
	const struct nmibt_error *failure = nmibt_kernel_failure(kernel, part);

	return failure ? nmibt_error_create(failure->code, "%s", failure->message) : NULL;
}

/* ELFCORE_ADDR_MAX and ELFCORE_ADDR_ERR, include/linux/crash_dump.h, 6.12. */
#define NO_ELFCOREHDR UINT64_MAX
#define LOST_ELFCOREHDR (UINT64_MAX - 1)

enum nmibt_is_capture nmibt_kernel_is_capture(struct nmibt_kernel *kernel, uint64_t *ret)
{
	uint64_t vaddr, paddr;

	*ret = 0;
	if (!nmibt_symbol_addr(kernel, "elfcorehdr_addr", &vaddr) ||
	    nmibt_kernel_read(kernel, vaddr, &paddr, sizeof(paddr)) != NMIBT_READ_OK)
		return NMIBT_IS_CAPTURE_UNKNOWN;
	if (paddr == NO_ELFCOREHDR)
		return NMIBT_IS_CAPTURE_NO;
	if (paddr != LOST_ELFCOREHDR)
		*ret = paddr;
	return NMIBT_IS_CAPTURE_YES;
}

bool nmibt_member_offset(struct nmibt_kernel *kernel, const char *type, const char *member,
			 size_t *ret)
{
	const struct nmibt_image *image = kernel->image;

	return image->ops->member_offset &&
	       image->ops->member_offset(image->ctx, type, member, ret);
}

bool nmibt_type_size(struct nmibt_kernel *kernel, const char *type, size_t *ret)
{
	const struct nmibt_image *image = kernel->image;

	return image->ops->type_size && image->ops->type_size(image->ctx, type, ret);
}
