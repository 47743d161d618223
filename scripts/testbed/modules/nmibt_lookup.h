/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef NMIBT_LOOKUP_H
#define NMIBT_LOOKUP_H

#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/kprobes.h>

/* The address of a symbol that no module is meant to find, or NULL. A kprobe finds any function. */
static inline void *nmibt_lookup(const char *name)
{
	struct kprobe probe = {.symbol_name = "kallsyms_lookup_name"};
	unsigned long (*lookup)(const char *name);

	if (register_kprobe(&probe))
		return NULL;
	lookup = (void *)probe.addr;
	unregister_kprobe(&probe);
	return (void *)lookup(name);
}

/* For good, as if somebody loaded another crash kernel. */
static inline int nmibt_lock_kexec(void)
{
	atomic_t *lock = nmibt_lookup("__kexec_lock");

	if (!lock)
		return -ENOENT;
	atomic_set(lock, 1);
	return 0;
}

#endif /* NMIBT_LOOKUP_H */
