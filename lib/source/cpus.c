// SPDX-License-Identifier: GPL-2.0-or-later
/* Sets of CPUs. They are ranges, because thousands of requests may each name thousands of CPUs. */
#include "source/printouts.h"

/* Index of the first range whose last CPU is >= cpu. */
static size_t find_range(const struct nmibt_cpus *cpus, unsigned int cpu)
{
	size_t low = 0, high = cpus->nr;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (cpus->ranges[middle].last < cpu)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool nmibt_cpus_has(const struct nmibt_cpus *cpus, unsigned int cpu)
{
	size_t i = find_range(cpus, cpu);

	return i < cpus->nr && cpus->ranges[i].first <= cpu;
}

unsigned int nmibt_cpus_count(const struct nmibt_cpus *cpus)
{
	unsigned int count = 0;

	for (size_t i = 0; i < cpus->nr; i++)
		count += cpus->ranges[i].last - cpus->ranges[i].first + 1;
	return count;
}

bool nmibt_cpus_add(struct nmibt_cpus *cpus, unsigned int cpu)
{
	size_t i = find_range(cpus, cpu);
	struct nmibt_cpu_range *r = cpus->ranges;

	if (i < cpus->nr && r[i].first <= cpu)
		return true;
	bool joins_before = i && r[i - 1].last + 1u == cpu;
	bool joins_behind = i < cpus->nr && r[i].first == cpu + 1;
	if (joins_before && joins_behind) {
		r[i - 1].last = r[i].last;
		memmove(&r[i], &r[i + 1], (--cpus->nr - i) * sizeof(*r));
	} else if (joins_before) {
		r[i - 1].last = cpu;
	} else if (joins_behind) {
		r[i].first = cpu;
	} else {
		r = nmibt_make_room(r, cpus->nr, sizeof(*r));
		if (!r)
			return false;
		cpus->ranges = r;
		memmove(&r[i + 1], &r[i], (cpus->nr++ - i) * sizeof(*r));
		r[i] = (struct nmibt_cpu_range){cpu, cpu};
	}
	return true;
}

/* Sets the bits of CPUs first to last, whole words at once: a list may repeat a range a thousand
 * times. */
static void set_bits(uint64_t *bits, unsigned int first, unsigned int last)
{
	for (unsigned int cpu = first; cpu <= last;) {
		if (cpu % 64 == 0 && last - cpu >= 63) {
			bits[cpu / 64] = UINT64_MAX;
			cpu += 64;
		} else {
			bits[cpu / 64] |= UINT64_C(1) << cpu % 64;
			cpu++;
		}
	}
}

bool nmibt_cpus_add_list(struct nmibt_cpus *cpus, struct nmibt_str list)
{
	uint64_t bits[NMIBT_MAX_CPUS / 64] = {0};
	unsigned int first, last;

	while (nmibt_next_cpus(&list, &first, &last))
		set_bits(bits, first, last);
	for (unsigned int word = 0; word < ARRAY_SIZE(bits); word++) {
		for (; bits[word]; bits[word] &= bits[word] - 1) {
			if (!nmibt_cpus_add(cpus, 64 * word + __builtin_ctzll(bits[word])))
				return false;
		}
	}
	return true;
}

void nmibt_cpus_destroy(struct nmibt_cpus *cpus)
{
	free(cpus->ranges);
	*cpus = (struct nmibt_cpus){0};
}
