// SPDX-License-Identifier: GPL-2.0-only
/*
 * Says what a printk() costs: rounds=N rounds of calls=N calls each, the median round's
 * nanoseconds per call. Turn the console off before (dmesg -n 1): it is not what is measured.
 */
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sort.h>
#include <linux/timekeeping.h>

#define MAX_ROUNDS 64

static unsigned int rounds = 11;
module_param(rounds, uint, 0);

static unsigned int calls = 100000;
module_param(calls, uint, 0);

static u64 nmibt_round(void)
{
	u64 since = ktime_get_ns();
	unsigned int i;

	for (i = 0; i < calls; i++) {
		pr_info("a line of the usual length, the one with the number %u\n", i);
		if (!(i % 1000))
			cond_resched();
	}
	return div_u64(ktime_get_ns() - since, calls);
}

static int nmibt_compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static int __init nmibt_cost_init(void)
{
	static u64 took[MAX_ROUNDS];
	unsigned int i;

	if (!rounds || rounds > MAX_ROUNDS || !calls)
		return -EINVAL;
	for (i = 0; i < rounds; i++)
		took[i] = nmibt_round();
	sort(took, rounds, sizeof(*took), nmibt_compare, NULL);
	pr_emerg("nmibt: a printk takes %llu ns\n", took[rounds / 2]);
	return 0;
}
module_init(nmibt_cost_init);

MODULE_DESCRIPTION("nmibt testbed: the cost of a printk");
MODULE_LICENSE("GPL");
