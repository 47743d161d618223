// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which function of a stack is to be blamed. The innermost ones often are not: a function that everybody
 * calls, to wait, to copy, to allocate, tells only that its caller did something wrong with it. And a
 * watchdog that interrupted a CPU found what happened there, and is not what happened. The lists have
 * functions of 3.10 to 7.2. The blame goes to a function, not to a stack: what lies between it and the
 * kernel's entry depends on the release, on the compiler, and on who happened to call.
 */
#include "base/base.h"
#include "report/report.h"

/* These run in an interrupt or exception, and tell of the function that was interrupted. */
static const char *const detectors[] = {
	/* kernel/watchdog.c, kernel/watchdog_perf.c, kernel/watchdog_hld.c */
	"watchdog_timer_fn",
	"watchdog_hardlockup_check",
	"watchdog_overflow_callback",
	/* kernel/rcu/tree.c; kernel/rcutree.c in older kernels */
	"rcu_sched_clock_irq",
	"rcu_check_callbacks",
	/* lib/bug.c: WARN() is an exception */
	"report_bug",
	"__report_bug",
	/* kernel/hung_task.c: a thread, which tells of others than the CPU's own task */
	"watchdog",
	"check_hung_uninterruptible_tasks",
	"check_hung_task",
};

/* A name that ends with '*' stands for all names that begin like it. */
static const char *const helpers[] = {
	/* kernel/panic.c, lib/dump_stack.c: how a WARN() is printed */
	"check_panic_on_warn",
	"__warn",
	"__warn_printk",
	"warn_slowpath_*",
	"dump_stack*",
	"show_stack",
	"__stack_chk_fail",
	/* arch/x86: exceptions before 5.8, and calls by pointers; riscv, arm64 */
	"do_invalid_op",
	"do_error_trap",
	"do_trap",
	"do_trap_no_signal",
	"do_trap_break",
	"do_general_protection",
	"do_page_fault",
	"retint_kernel",
	"__x86_indirect_thunk_*",
	"bad_mode",
	"panic_bad_stack",
	/* kernel/locking, arch/x86/kernel/kvm.c, arch/arm64/include/asm/cmpxchg.h */
	"*queued_spin_lock_slowpath",
	"queued_read_lock_slowpath",
	"queued_write_lock_slowpath",
	"_raw_spin_*",
	"_raw_read_*",
	"_raw_write_*",
	"__raw_spin_*",
	"__raw_callee_save_*",
	"do_raw_*",
	"spin_bug",
	"spin_dump",
	"rwlock_bug",
	"mutex_*",
	"__mutex_*",
	"ww_mutex_*",
	"osq_lock",
	"down",
	"down_*",
	"__down*",
	"up",
	"up_read",
	"up_write",
	"__up*",
	"rwsem_*",
	"rwbase_*",
	"rt_spin_*",
	"rt_mutex_*",
	"__rt_mutex_*",
	"percpu_down_*",
	"__percpu_*",
	"lock_acquire",
	"__lock_acquire",
	"lock_release",
	"lock_downgrade",
	"lock_is_held*",
	"register_lock_class",
	"look_up_lock_class",
	"hlock_class",
	"rcu_read_*",
	"rcu_is_watching",
	"rcu_dynticks_*",
	"preempt_count_*",
	"__local_bh_*",
	"__seqprop_*",
	/* kernel/kcov.c, mm/kmsan, kernel/kcsan; stacks that these walk */
	"__sanitizer_cov_*",
	"write_comp_data",
	"check_kcov_mode",
	"msan_*",
	"__msan_*",
	"kmsan_*",
	"kcsan_*",
	"__tsan_*",
	"qlist_free_all",
	"quarantine_reduce",
	"unwind_next_frame",
	"arch_stack_walk*",
	"stack_trace_*",
	"is_bpf_text_address",
	"kernel_text_address",
	"__kernel_text_address",
	"kvm_wait",
	"__cmpwait_case_*",
	/* kernel/smp.c, kernel/up.c */
	"smp_call_function*",
	"generic_exec_single",
	"on_each_cpu*",
	"__csd_lock_wait",
	"csd_lock_wait*",
	/* kernel/sched, kernel/time/timer.c, sleep_timeout.c, kernel/rcu */
	"schedule",
	"schedule_*",
	"__schedule",
	"__schedule_bug",
	"io_schedule*",
	"preempt_schedule*",
	"__cond_resched",
	"wait_for_completion*",
	"wait_for_common",
	"__wait_for_common",
	"complete",
	"complete_all",
	"try_to_wake_up",
	"default_wake_function",
	"autoremove_wake_function",
	"wake_up*",
	"__wake_up*",
	"prepare_to_wait*",
	"finish_wait",
	"add_wait_queue*",
	"remove_wait_queue",
	"out_of_line_wait_on_bit*",
	"__wait_on_bit*",
	"bit_wait*",
	"msleep*",
	"usleep_range*",
	"synchronize_*",
	"__synchronize_*",
	"rcu_barrier*",
	"finish_task_switch",
	"__might_sleep",
	"__might_fault",
	"__might_resched",
	"___might_sleep",
	/* kernel/workqueue.c, kernel/time */
	"flush_work*",
	"__flush_work*",
	"__queue_work",
	"insert_work",
	"queue_work_on",
	"queue_delayed_work_on",
	"mod_timer",
	"__mod_timer",
	"add_timer",
	"add_timer_on",
	"timer_delete*",
	"del_timer*",
	"lock_timer_base",
	"timer_is_static_object",
	"try_to_del_timer*",
	"detach_if_pending",
	/* lib: lists, counters, trees, bits */
	"__list_add_valid*",
	"__list_del_entry_valid*",
	"list_del",
	"__list_add",
	"__list_del_entry",
	"refcount_*",
	"__refcount_*",
	"lockref_*",
	"kref_*",
	"kobject_get",
	"kobject_put",
	"get_device",
	"put_device",
	"rhashtable_*",
	"rb_insert_color*",
	"rb_erase*",
	"rb_next",
	"rb_prev",
	"rb_first",
	"rb_last",
	"__rb_*",
	"radix_tree_*",
	"__radix_tree_*",
	"xas_*",
	"xa_*",
	"__xa_*",
	"mas_*",
	"idr_*",
	"ida_*",
	"llist_*",
	"klist_*",
	"plist_*",
	"find_next_*",
	"_find_*",
	"__bitmap_*",
	"debug_check_no_obj_freed",
	"debug_object*",
	"debug_print_object",
	/* lib/string.c, lib/vsprintf.c, lib/usercopy.c, arch/.../lib */
	"memcpy*",
	"__memcpy*",
	"memmove*",
	"__memmove*",
	"memset*",
	"__memset*",
	"memcmp",
	"memchr*",
	"str*",
	"sized_strscpy",
	"__pi_mem*",
	"__pi_str*",
	"copy_page*",
	"clear_page*",
	"copy_user_*",
	"copy_from_user*",
	"copy_to_user*",
	"_copy_from_user",
	"_copy_to_user",
	"__copy_user*",
	"__arch_copy_*",
	"__arch_clear_user",
	"__clear_user",
	"__get_user_*",
	"__put_user_*",
	"rep_movs_alternative",
	"rep_stos_alternative",
	"vsnprintf",
	"snprintf",
	"sprintf",
	"csum_partial*",
	/* mm: allocators, and what they find */
	"kfree",
	"kfree_sensitive",
	"kvfree",
	"vfree",
	"kmalloc*",
	"__kmalloc*",
	"krealloc*",
	"kvmalloc*",
	"__kvmalloc*",
	"kmemdup*",
	"kstrdup*",
	"kmem_cache_alloc*",
	"kmem_cache_free*",
	"__kmem_cache_*",
	"___slab_alloc",
	"__slab_alloc",
	"__slab_free",
	"slab_*",
	"new_slab",
	"allocate_slab",
	"free_slab",
	"discard_slab",
	"do_slab_free",
	"___cache_free",
	"cache_alloc_refill",
	"cache_free_debugcheck",
	"get_partial_node",
	"object_err",
	"check_object",
	"free_debug_processing",
	"free_consistency_checks",
	"free_to_partial_list",
	"alloc_debug_processing",
	"vmalloc*",
	"__vmalloc*",
	"__alloc_pages*",
	"__alloc_frozen_pages*",
	"alloc_pages*",
	"get_page_from_freelist",
	"rmqueue*",
	"__rmqueue*",
	"__free_pages*",
	"free_pages*",
	"free_unref_*",
	"free_pcppages_bulk",
	"__free_one_page",
	"bad_page*",
	"kasan_*",
	"__kasan_*",
	"__asan_*",
	"__hwasan_*",
	"check_memory_region*",
	"print_report",
	"print_address_description*",
	"end_report",
	"kfence_*",
	"__kfence_*",
	"__ubsan_*",
	"ubsan_*",
	"usercopy_abort",
	"__check_object_size*",
	"__check_heap_object",
	"check_heap_object",
	/* what its caller gave it was wrong: net/core/skbuff.c, drivers/usb/core/urb.c, fs/inode.c */
	"skb_panic",
	"skb_over_panic",
	"skb_under_panic",
	"skb_put",
	"skb_push",
	"skb_pull",
	"kfree_skb*",
	"usb_submit_urb",
	"drop_nlink",
	"assertfail",
	"folio_unlock",
	"crc16",
	"crc32*",
	"fortify_panic",
	"__fortify_panic",
	"__fortify_report",
};

/* Of the helpers those that have no frame of their own on arm64: arch/arm64/lib. */
static const char *const leaves[] = {
	"__mem*", "mem*", "__pi_*", "str*", "__arch_*", "copy_page*", "clear_page*",
};

/* These die because somebody outside of the kernel wanted it: drivers/tty/sysrq.c. */
static const char *const messengers[] = {"sysrq_handle_crash", "__handle_sysrq"};

static bool is_like(const char *pattern, struct nmibt_str name)
{
	size_t len = strlen(pattern);

	if (*pattern == '*') /* any beginning */
		return name.len >= len - 1 &&
		       !memcmp(name.s + name.len - (len - 1), pattern + 1, len - 1);
	return nmibt_is_named(pattern, name);
}

static bool is_in(const char *const *list, size_t nr, const struct nmibt_frame *f)
{
	struct nmibt_str name = {f->function.s, nmibt_function_len(f->function)};

	for (size_t i = 0; i < nr && !f->module.len; i++) {
		if (is_like(list[i], name))
			return true;
	}
	return false;
}

size_t nmibt_count_finding(const struct nmibt_stack *stack)
{
	size_t nr = nmibt_count_dying(stack), nr_detected = 0;

	for (size_t i = nr; i < stack->nr; i++) {
		if (nmibt_is_in_chain(stack->frames, i) &&
		    is_in(detectors, ARRAY_SIZE(detectors), &stack->frames[i]))
			nr_detected = nmibt_end_of_entry(stack, i);
	}
	return nr_detected > nr ? nr_detected : nr;
}

/* True: the return address is at the very start of a function. It belongs to a call that never
 * returns, at the end of another function, which the linker happened to put before this one. */
static bool is_behind_the_end(const struct nmibt_frame *f)
{
	return !f->is_pc && !f->is_interrupted && !f->offset && !f->lacks_offset;
}

bool nmibt_tells_nothing(const struct nmibt_frame *f)
{
	/* Addresses differ from boot to boot. */
	return !f->function.len || is_behind_the_end(f) || nmibt_is_framing_frame(f) ||
	       nmibt_is_entry_frame(f);
}

/* The innermost frame of the chain, from i on; NULL: there is none. */
static const struct nmibt_frame *innermost(const struct nmibt_stack *stack, size_t i)
{
	while (i < stack->nr && !nmibt_is_in_chain(stack->frames, i))
		i++;
	return i < stack->nr ? &stack->frames[i] : NULL;
}

bool nmibt_is_lost_call(const struct nmibt_stack *stack)
{
	const struct nmibt_frame *f = innermost(stack, nmibt_count_finding(stack));

	return f && (f->is_pc || f->is_interrupted) && !f->function.len;
}

static bool may_be_blamed(const struct nmibt_frame *f)
{
	return !nmibt_tells_nothing(f) && !nmibt_is_delay_frame(f) &&
	       !is_in(helpers, ARRAY_SIZE(helpers), f);
}

/* Where the CPU was in no function the unwinder often finds none either, and marks all by a '?'. But what
 * the call pushed is innermost on the stack. In a stack that was overwritten it is not. */
static size_t find_guessed(const struct nmibt_stack *stack, size_t from)
{
	for (size_t i = from; i < stack->nr; i++) {
		const struct nmibt_frame *f = &stack->frames[i];

		if (f->reliable)
			continue;
		/* Not the address behind a call: behind a function's end. */
		return may_be_blamed(f) && (!f->size || f->offset < f->size) ? i : stack->nr;
	}
	return stack->nr;
}

size_t nmibt_find_blamed(const struct nmibt_stack *stack, size_t from)
{
	for (size_t i = from; i < stack->nr; i++) {
		const struct nmibt_frame *f = &stack->frames[i];

		if (!nmibt_is_in_chain(stack->frames, i))
			continue;
		/* It is the function before this one, which is not known, and not its caller. */
		if (f->function.len && is_behind_the_end(f))
			return stack->nr;
		if (may_be_blamed(f))
			return i;
	}
	return nmibt_is_lost_call(stack) ? find_guessed(stack, from) : stack->nr;
}

bool nmibt_is_messenger(const struct nmibt_frame *frame)
{
	return is_in(messengers, ARRAY_SIZE(messengers), frame);
}

bool nmibt_may_lack_caller(const struct nmibt_stack *stack, size_t i)
{
	const struct nmibt_frame *f = &stack->frames[i];

	return f->is_pc && (!f->function.len || is_in(leaves, ARRAY_SIZE(leaves), f));
}
