// SPDX-License-Identifier: GPL-2.0-or-later
/* The parts of a kernel. Each is opened when it is first needed. */
#include "kernel/kernel.h"
#include "kernel/memory.h"

/* Takes ownership of what *info points to. */
static struct nmibt_error *new_kernel(const struct nmibt_image *image,
				      struct nmibt_vmcoreinfo *info, struct nmibt_kernel **ret)
{
	struct nmibt_kernel *kernel = calloc(1, sizeof(*kernel));

	if (!kernel) {
		nmibt_vmcoreinfo_destroy(info);
		return nmibt_error_nomem();
	}
	kernel->image = image;
	kernel->vmcoreinfo = *info;
	*ret = kernel;
	return NULL;
}

/* The front end's callbacks for symbols and virtual memory use the VMCOREINFO of the capture
 * kernel, so for the first kernel only those for physical memory are used. */
static void use_physical_memory(struct nmibt_kernel *kernel, const struct nmibt_image *image)
{
	kernel->own_ops = (struct nmibt_image_ops){
		.read_phys = image->ops->read_phys,
		.next_range = image->ops->next_range,
		.interrupted = image->ops->interrupted,
	};
	kernel->own_image = *image;
	kernel->own_image.ops = &kernel->own_ops;
	kernel->own_image.panic_message = NULL;
	kernel->own_image.phys_base.known = false; /* it is the capture kernel's */
	kernel->image = &kernel->own_image;
}

/* Replaces a capture kernel by the kernel that died. A kernel with CRASHTIME went to kdump itself,
 * so it is the first one. */
static struct nmibt_error *go_to_first_kernel(struct nmibt_kernel **kernel)
{
	struct nmibt_kernel *capture = *kernel;
	struct nmibt_vmcoreinfo info;
	char *text = NULL;

	if (!capture->vmcoreinfo.crashtime.known)
		text = nmibt_find_first_kernel(capture);
	if (!text)
		return NULL;
	struct nmibt_error *err = nmibt_vmcoreinfo_parse(text, &info);
	if (!err)
		err = new_kernel(capture->image, &info, kernel);
	if (err)
		return err;
	use_physical_memory(*kernel, capture->image);
	nmibt_find_phys_base(*kernel);
	(*kernel)->capture = capture;
	return NULL;
}

struct nmibt_error *nmibt_kernel_open(const struct nmibt_image *image, struct nmibt_kernel **ret)
{
	struct nmibt_vmcoreinfo info;
	struct nmibt_kernel *kernel;

	struct nmibt_error *err = nmibt_vmcoreinfo_read(image, &info);
	if (!err)
		err = new_kernel(image, &info, &kernel);
	if (err)
		return err;
	nmibt_find_phys_base(kernel);
	err = go_to_first_kernel(&kernel);
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
	nmibt_kernel_close(kernel->capture);
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
