// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Compares what two reports say: that of a dump, and that of its redacted extract. A name that was
 * replaced may have been a word by which something was known.
 */
#include <stdarg.h>

#include "recorder/extract.h"

struct comparison {
	const struct nmibt_report *dump, *extract;
	struct pair {
		uint64_t dump, extract;
	} * stacks; /* the hashes of each CPU's stack in both */
	bool is_movement_unknown; /* of a CPU, in the extract alone */
};

static struct nmibt_error *differs(const char *format, ...) __attribute__((format(printf, 1, 2)));

static struct nmibt_error *differs(const char *format, ...)
{
	char what[NMIBT_WHY_LEN];
	va_list ap;

	va_start(ap, format);
	vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	return nmibt_error_create(
		NMIBT_ERR_UNUSABLE,
		"no extract: without what is secret it would not tell what the dump "
		"tells: %s; nmibt --describe may, which is redacted, too",
		what);
}

static bool is_same_str(struct nmibt_str a, struct nmibt_str b)
{
	return a.len == b.len && (!a.len || !memcmp(a.s, b.s, a.len));
}

/* ------------------------------------------------------------------------ the CPUs */

static bool is_same_stack(const struct nmibt_stack *a, const struct nmibt_stack *b)
{
	if (a->nr != b->nr || a->end != b->end)
		return false;
	for (size_t i = 0; i < a->nr; i++) {
		const struct nmibt_frame *x = &a->frames[i], *y = &b->frames[i];

		if (!is_same_str(x->function, y->function) || !is_same_str(x->module, y->module) ||
		    x->reliable != y->reliable || x->is_pc != y->is_pc || x->kind != y->kind ||
		    x->is_interrupted != y->is_interrupted)
			return false;
	}
	return true;
}

static bool is_same_evidence(const struct nmibt_evidence *a, const struct nmibt_evidence *b)
{
	return a->kind == b->kind && a->source == b->source && a->wrong == b->wrong &&
	       a->is_user == b->is_user && a->is_idle_said == b->is_idle_said &&
	       a->has_irqs_off == b->has_irqs_off && a->irqs_off == b->irqs_off &&
	       a->task.known == b->task.known && a->task.pid == b->task.pid &&
	       a->regs.present == b->regs.present && a->note == b->note &&
	       is_same_stack(&a->stack, &b->stack);
}

static bool is_same_cpu(struct comparison *c, const struct nmibt_cpu *a, const struct nmibt_cpu *b)
{
	/* No report compares registers that were replaced. */
	bool lost = a->moved != b->moved && b->moved == NMIBT_MOVED_UNKNOWN;

	c->is_movement_unknown |= lost;
	return a->outcome == b->outcome && a->step == b->step && a->is_idle == b->is_idle &&
	       (lost || a->moved == b->moved) && is_same_evidence(&a->standing, &b->standing) &&
	       is_same_evidence(&a->stop, &b->stop);
}

static struct nmibt_error *compare_cpu(struct comparison *c, unsigned int i)
{
	struct nmibt_cpu *a, *b;
	struct nmibt_error *err = nmibt_report_cpu(c->dump, i, &a);

	if (err)
		return err;
	err = nmibt_report_cpu(c->extract, i, &b);
	if (!err) {
		c->stacks[i] =
			(struct pair){c->dump->cpus[i].stack_hash, c->extract->cpus[i].stack_hash};
		if (nmibt_report_has_cpu(c->dump, i) != nmibt_report_has_cpu(c->extract, i) ||
		    !is_same_cpu(c, a, b))
			err = differs("CPU %u", i);
		nmibt_cpu_close(b);
	}
	nmibt_cpu_close(a);
	return err;
}

static int compare_of_dump(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	return (x->dump > y->dump) - (x->dump < y->dump);
}

static int compare_of_extract(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	return (x->extract > y->extract) - (x->extract < y->extract);
}

/* CPUs that had the same stack must have the same one, and others must not. */
static struct nmibt_error *compare_groups(struct comparison *c)
{
	unsigned int nr = c->dump->nr_cpus;

	for (int by = 0; by < 2; by++) {
		qsort(c->stacks, nr, sizeof(*c->stacks), by ? compare_of_extract : compare_of_dump);
		for (unsigned int i = 1; i < nr; i++) {
			const struct pair *a = &c->stacks[i - 1], *b = &c->stacks[i];

			if ((a->dump == b->dump) != (a->extract == b->extract))
				return differs("which CPUs have the same stack");
		}
	}
	return NULL;
}

/* ----------------------------------------------------------------------- the death */

static bool is_same_death(const struct nmibt_report *a, const struct nmibt_report *b)
{
	const struct nmibt_death *x = &a->death, *y = &b->death;
	unsigned int cpu = 0, other = 0;
	bool has_reporter = nmibt_death_reporter(x, &cpu);

	if (has_reporter != nmibt_death_reporter(y, &other) || cpu != other ||
	    x->is_known != y->is_known || x->is_message_disputed != y->is_message_disputed ||
	    x->is_message_captured != y->is_message_captured || x->moved_to != y->moved_to ||
	    x->is_capture_older != y->is_capture_older || x->printout != y->printout ||
	    x->cause != y->cause || !x->from_outside != !y->from_outside ||
	    !x->message != !y->message || (x->message && strlen(x->message) != strlen(y->message)))
		return false;
	for (unsigned int i = 0; i < a->nr_cpus; i++) {
		if (nmibt_death_is_subject(x, i) != nmibt_death_is_subject(y, i))
			return false;
	}
	return true;
}

static bool is_same_condition(const struct nmibt_condition *a, const struct nmibt_condition *b)
{
	if (a->kind != b->kind || a->flavour != b->flavour || a->count != b->count ||
	    a->is_open != b->is_open || a->is_over != b->is_over || a->task.pid != b->task.pid ||
	    a->nr_tasks != b->nr_tasks || a->cpus.nr != b->cpus.nr)
		return false;
	return !a->cpus.nr ||
	       !memcmp(a->cpus.ranges, b->cpus.ranges, a->cpus.nr * sizeof(*a->cpus.ranges));
}

static struct nmibt_error *compare_conditions(const struct comparison *c)
{
	bool same = c->dump->nr_conditions == c->extract->nr_conditions;

	for (size_t i = 0; i < c->dump->nr_conditions && same; i++)
		same = is_same_condition(&c->dump->conditions[i], &c->extract->conditions[i]);
	return same ? NULL : differs("which states had lasted");
}

/* ------------------------------------------------------------ what follows from it */

static bool is_of_movement(enum nmibt_finding_kind kind)
{
	return kind == NMIBT_FINDING_STUCK || kind == NMIBT_FINDING_SAME_PLACE ||
	       kind == NMIBT_FINDING_IRQS_OFF;
}

/* The next one that must be in both. */
static const struct nmibt_finding *next_finding(const struct comparison *c,
						const struct nmibt_diagnosis *diagnosis, size_t *i)
{
	while (*i < diagnosis->nr) {
		const struct nmibt_finding *finding = &diagnosis->findings[(*i)++];

		if (!c->is_movement_unknown || !is_of_movement(finding->kind))
			return finding;
	}
	return NULL;
}

static bool is_same_finding(const struct nmibt_finding *a, const struct nmibt_finding *b)
{
	if (!a || !b)
		return a == b;
	return a->kind == b->kind && a->nr_cpus == b->nr_cpus &&
	       (!a->nr_cpus || !memcmp(a->cpus, b->cpus, a->nr_cpus * sizeof(*a->cpus)));
}

static struct nmibt_error *compare_findings(const struct comparison *c)
{
	const struct nmibt_finding *a, *b;
	struct nmibt_diagnosis of_dump, of_extract;
	struct nmibt_error *err = nmibt_diagnose(c->dump, &of_dump);
	size_t i = 0, j = 0;

	if (err)
		return err;
	err = nmibt_diagnose(c->extract, &of_extract);
	if (!err) {
		do {
			a = next_finding(c, &of_dump, &i);
			b = next_finding(c, &of_extract, &j);
			if (!is_same_finding(a, b))
				err = differs("what it finds");
		} while (a && b && !err);
		nmibt_diagnosis_destroy(&of_extract);
	}
	nmibt_diagnosis_destroy(&of_dump);
	return err;
}

static struct nmibt_error *compare_signatures(const struct comparison *c)
{
	struct nmibt_signature *a, *b;
	struct nmibt_error *err = nmibt_report_signature(c->dump, &a);

	if (err)
		return err;
	err = nmibt_report_signature(c->extract, &b);
	if (!err) {
		if (strcmp(a->value, b->value))
			err = differs("the signature");
		nmibt_signature_close(b);
	}
	nmibt_signature_close(a);
	return err;
}

struct nmibt_error *nmibt_extract_compare(const struct nmibt_report *dump,
					  const struct nmibt_report *extract)
{
	_cleanup_free_ struct pair *stacks = calloc(dump->nr_cpus + 1, sizeof(*stacks));
	struct comparison c = {.dump = dump, .extract = extract, .stacks = stacks};
	struct nmibt_error *err = NULL;

	if (!stacks)
		return nmibt_error_nomem();
	if (dump->nr_cpus != extract->nr_cpus || dump->complete != extract->complete)
		return differs("which CPUs there are, and whether all is known");
	for (unsigned int i = 0; i < dump->nr_cpus && !err; i++)
		err = compare_cpu(&c, i);
	if (!err)
		err = compare_groups(&c);
	if (!err && !is_same_death(dump, extract))
		err = differs("what the panic is about");
	if (!err)
		err = compare_conditions(&c);
	if (!err)
		err = compare_findings(&c);
	return err ? err : compare_signatures(&c);
}
