// SPDX-License-Identifier: GPL-2.0-or-later
/* The getters of the public API for a report and its parts. */
#include "report/report.h"

/* -------------------------------------------------------------------- the report */

enum nmibt_arch nmibt_report_arch(const struct nmibt_report *report)
{
	return report->kernel->image->arch;
}

unsigned int nmibt_report_nr_cpus(const struct nmibt_report *report)
{
	return report->nr_cpus;
}

bool nmibt_report_has_cpu(const struct nmibt_report *report, unsigned int cpu)
{
	return cpu < report->nr_cpus && report->possible[cpu];
}

bool nmibt_report_is_complete(const struct nmibt_report *report)
{
	return report->complete;
}

enum nmibt_found nmibt_report_source(const struct nmibt_report *report, enum nmibt_source source,
				     const char **ret_why)
{
	bool is_known = source < NMIBT_NR_SOURCES;

	*ret_why = is_known ? report->sources->states[source].why : "";
	return is_known ? report->sources->states[source].found : NMIBT_FOUND_UNTRIED;
}

static enum nmibt_age_kind get_age(const struct nmibt_age *age, int64_t *ret_ns,
				   bool *ret_is_suspended)
{
	if (age->kind == NMIBT_AGE_UNKNOWN)
		return age->kind;
	*ret_ns = age->ns;
	*ret_is_suspended = age->suspended;
	return age->kind;
}

/* ---------------------------------------------------------------------- the case */

const struct nmibt_case *nmibt_report_case(const struct nmibt_report *report)
{
	return &report->case_info;
}

const char *nmibt_case_host(const struct nmibt_case *c)
{
	return c->host;
}

const char *nmibt_case_release(const struct nmibt_case *c)
{
	return c->release;
}

const char *nmibt_case_build_id(const struct nmibt_case *c)
{
	return c->build_id;
}

const char *nmibt_case_hardware(const struct nmibt_case *c)
{
	return c->hardware;
}

const char *nmibt_case_taint(const struct nmibt_case *c)
{
	return c->taint;
}

const char *nmibt_case_setting(const struct nmibt_case *c)
{
	return c->setting;
}

bool nmibt_case_time(const struct nmibt_case *c, uint64_t *ret)
{
	if (c->has_time)
		*ret = c->time;
	return c->has_time;
}

bool nmibt_case_uptime(const struct nmibt_case *c, uint64_t *ret, bool *ret_is_least)
{
	if (!c->has_uptime)
		return false;
	*ret = c->uptime_ns;
	*ret_is_least = c->is_uptime_least;
	return true;
}

/* --------------------------------------------------------------------- the death */

const struct nmibt_death *nmibt_report_death(const struct nmibt_report *report)
{
	return report->death.is_known ? &report->death : NULL;
}

bool nmibt_death_reporter(const struct nmibt_death *death, unsigned int *ret)
{
	if (death->reporter == NMIBT_NO_CPU)
		return false;
	*ret = death->reporter;
	return true;
}

bool nmibt_death_is_subject(const struct nmibt_death *death, unsigned int cpu)
{
	return death->subjects && death->subjects[cpu];
}

const char *nmibt_death_message(const struct nmibt_death *death)
{
	return death->message;
}

const char *nmibt_death_dump_failed(const struct nmibt_death *death)
{
	return death->dump_failed;
}

/* ------------------------------------------------------------ conditions, timeline */

size_t nmibt_report_nr_conditions(const struct nmibt_report *report)
{
	return report->nr_conditions;
}

const struct nmibt_condition *nmibt_report_condition(const struct nmibt_report *report, size_t i)
{
	return i < report->nr_conditions ? &report->conditions[i] : NULL;
}

bool nmibt_condition_has_cpu(const struct nmibt_condition *c, unsigned int cpu)
{
	return nmibt_cpus_has(&c->cpus, cpu);
}

unsigned int nmibt_condition_nr_reports(const struct nmibt_condition *c)
{
	return c->count;
}

uint64_t nmibt_condition_since(const struct nmibt_condition *c)
{
	return c->has_since ? c->since_ns : 0;
}

uint64_t nmibt_condition_last(const struct nmibt_condition *c)
{
	return c->last_ns;
}

bool nmibt_condition_is_open(const struct nmibt_condition *c)
{
	return c->is_open;
}

size_t nmibt_report_nr_moments(const struct nmibt_report *report)
{
	return report->nr_moments;
}

const struct nmibt_moment *nmibt_report_moment(const struct nmibt_report *report, size_t i)
{
	return i < report->nr_moments ? &report->timeline[i] : NULL;
}

enum nmibt_moment_kind nmibt_moment_kind(const struct nmibt_moment *moment)
{
	return moment->kind;
}

const char *nmibt_moment_text(const struct nmibt_moment *moment)
{
	return moment->text;
}

enum nmibt_age_kind nmibt_moment_age(const struct nmibt_moment *moment, int64_t *ret_ns,
				     bool *ret_is_suspended)
{
	return get_age(&moment->age, ret_ns, ret_is_suspended);
}

/* -------------------------------------------------------------------------- CPUs */

struct nmibt_error *nmibt_report_cpu(const struct nmibt_report *report, unsigned int cpu,
				     struct nmibt_cpu **ret)
{
	struct nmibt_cpu *own = malloc(sizeof(*own));
	struct nmibt_error *err =
		own ? nmibt_report_read_cpu(report, cpu, own) : nmibt_error_nomem();

	if (err) {
		free(own);
		return err;
	}
	*ret = own;
	return NULL;
}

void nmibt_cpu_close(struct nmibt_cpu *cpu)
{
	if (cpu)
		nmibt_cpu_destroy(cpu);
	free(cpu);
}

unsigned int nmibt_cpu_number(const struct nmibt_cpu *cpu)
{
	return cpu->cpu;
}

enum nmibt_outcome nmibt_cpu_outcome(const struct nmibt_cpu *cpu)
{
	return cpu->outcome;
}

enum nmibt_step nmibt_cpu_step(const struct nmibt_cpu *cpu)
{
	return cpu->step;
}

enum nmibt_source nmibt_cpu_source(const struct nmibt_cpu *cpu)
{
	return cpu->step == NMIBT_STEP_NOTHING ? NMIBT_SOURCE_AUTO : nmibt_shown(cpu)->source;
}

bool nmibt_cpu_is_idle(const struct nmibt_cpu *cpu)
{
	return cpu->is_idle;
}

bool nmibt_cpu_is_user(const struct nmibt_cpu *cpu)
{
	return cpu->is_user;
}

bool nmibt_cpu_has_irqs_off(const struct nmibt_cpu *cpu)
{
	return cpu->irqs_off;
}

enum nmibt_moved nmibt_cpu_moved(const struct nmibt_cpu *cpu)
{
	return cpu->moved;
}

enum nmibt_age_kind nmibt_cpu_age(const struct nmibt_cpu *cpu, int64_t *ret_ns,
				  bool *ret_is_suspended)
{
	return get_age(&cpu->age, ret_ns, ret_is_suspended);
}

const char *nmibt_cpu_why(const struct nmibt_cpu *cpu)
{
	return cpu->why;
}

const struct nmibt_evidence *nmibt_cpu_evidence(const struct nmibt_cpu *cpu)
{
	return nmibt_shown(cpu);
}

const struct nmibt_evidence *nmibt_cpu_stop(const struct nmibt_cpu *cpu)
{
	return &cpu->stop;
}

enum nmibt_note nmibt_cpu_note(const struct nmibt_cpu *cpu)
{
	return cpu->stop.note;
}

bool nmibt_cpu_task(const struct nmibt_cpu *cpu, int32_t *ret_pid,
		    char ret_name[NMIBT_TASK_NAME_LEN])
{
	return nmibt_evidence_task(nmibt_shown(cpu), ret_pid, ret_name) ||
	       nmibt_evidence_task(&cpu->standing, ret_pid, ret_name) ||
	       nmibt_evidence_task(&cpu->stop, ret_pid, ret_name);
}

const struct nmibt_stack *nmibt_cpu_stack(const struct nmibt_cpu *cpu)
{
	return nmibt_evidence_stack(nmibt_shown(cpu));
}

const struct nmibt_regs *nmibt_cpu_registers(const struct nmibt_cpu *cpu)
{
	return nmibt_evidence_registers(nmibt_shown(cpu));
}

/* ---------------------------------------------------------------------- findings */

struct nmibt_findings {
	struct nmibt_diagnosis diagnosis;
};

struct nmibt_error *nmibt_report_findings(const struct nmibt_report *report,
					  struct nmibt_findings **ret)
{
	struct nmibt_findings *findings = calloc(1, sizeof(*findings));
	struct nmibt_error *err =
		findings ? nmibt_diagnose(report, &findings->diagnosis) : nmibt_error_nomem();

	if (err) {
		free(findings);
		return err;
	}
	*ret = findings;
	return NULL;
}

void nmibt_findings_close(struct nmibt_findings *findings)
{
	if (findings)
		nmibt_diagnosis_destroy(&findings->diagnosis);
	free(findings);
}

size_t nmibt_findings_nr(const struct nmibt_findings *findings)
{
	return findings->diagnosis.nr;
}

const struct nmibt_finding *nmibt_findings_at(const struct nmibt_findings *findings, size_t i)
{
	return i < findings->diagnosis.nr ? &findings->diagnosis.findings[i] : NULL;
}

enum nmibt_finding_kind nmibt_finding_kind(const struct nmibt_finding *finding)
{
	return finding->kind;
}

const unsigned int *nmibt_finding_cpus(const struct nmibt_finding *finding, size_t *ret_nr)
{
	*ret_nr = finding->nr_cpus;
	return finding->cpus;
}

const char *nmibt_finding_text(const struct nmibt_finding *finding)
{
	return finding->text;
}

/* --------------------------------------------------------------------- signature */

struct nmibt_error *nmibt_report_signature(const struct nmibt_report *report,
					   struct nmibt_signature **ret)
{
	struct nmibt_signature *signature = calloc(1, sizeof(*signature));
	struct nmibt_error *err =
		signature ? nmibt_signature(report, signature) : nmibt_error_nomem();

	if (err) {
		free(signature);
		return err;
	}
	*ret = signature;
	return NULL;
}

void nmibt_signature_close(struct nmibt_signature *signature)
{
	if (signature)
		nmibt_signature_destroy(signature);
	free(signature);
}

const char *nmibt_signature_value(const struct nmibt_signature *signature)
{
	return signature->value;
}

const char *nmibt_signature_duphash(const struct nmibt_signature *signature)
{
	return signature->duphash;
}
