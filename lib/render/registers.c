// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Shows the registers of a CPU at the NMI beside those at the stop.
 */
#include "render/render.h"

/* With these, 80 columns have room for both; few symbols are longer. */
#define NAME_WIDTH 9
#define VALUE_WIDTH 32

/* Writes addr relative to the function in the text's line of the pc, if it is in that function. */
static bool symbol_of_text(const struct nmibt_cpu *cpu, const struct nmibt_reg_names *names,
			   uint64_t addr, char *buf, size_t len)
{
	const struct nmibt_frame *f = nmibt_evidence_pc_frame(&cpu->standing, names);

	if (!f || !f->function.len)
		return false;
	uint64_t offset = addr - (cpu->standing.regs.value[names->pc] - f->offset);
	if (offset >= f->size)
		return false;
	int n = snprintf(buf, len, "%.*s+0x%" PRIx64, (int)f->function.len, f->function.s, offset);
	if (f->module.len && n > 0 && (size_t)n < len)
		snprintf(buf + n, len - n, " [%.*s]", (int)f->module.len, f->module.s);
	return true;
}

bool nmibt_register_symbol(const struct nmibt_report *report, const struct nmibt_cpu *cpu,
			   unsigned int reg, uint64_t value, char *buf, size_t len)
{
	const struct nmibt_reg_names *names = nmibt_reg_names(report->kernel->image->arch);

	if (reg != names->pc && strcmp(names->name[reg], "lr"))
		return false;
	return nmibt_symbolize(report->kernel, value, buf, len) ||
	       symbol_of_text(cpu, names, value, buf, len);
}

static void format_value(struct renderer *r, const struct nmibt_cpu *cpu, unsigned int i,
			 uint64_t value, char *buf, size_t len)
{
	if (r->report->kernel->image->is_redacted && !value)
		snprintf(buf, len, "0 or redacted");
	else if (!nmibt_register_symbol(r->report, cpu, i, value, buf, len))
		snprintf(buf, len, "%016" PRIx64, value);
}

static bool is_narrow(const struct renderer *r)
{
	return r->width < NAME_WIDTH + 2 * VALUE_WIDTH + 5;
}

/* The left column has the value at the NMI, the right column the one at the stop. If the terminal
 * is too narrow for both, they are on two lines. */
static void render_register(struct renderer *r, const struct nmibt_cpu *cpu, unsigned int i,
			    const char *name)
{
	bool both = cpu->standing.regs.present && cpu->stop.regs.present;
	char nmi[160] = "", stop[160] = "";

	if (cpu->standing.regs.present)
		format_value(r, cpu, i, cpu->standing.regs.value[i], nmi, sizeof(nmi));
	if (cpu->stop.regs.present)
		format_value(r, cpu, i, cpu->stop.regs.value[i], stop, sizeof(stop));

	fprintf(r->out, "    %-*s ", NAME_WIDTH, name);
	if (!both) {
		nmibt_escape(r->out, *nmi ? nmi : stop, strlen(*nmi ? nmi : stop), false);
		putc('\n', r->out);
		return;
	}
	nmibt_escape(r->out, nmi, strlen(nmi), false);
	bool equal = cpu->standing.regs.value[i] == cpu->stop.regs.value[i];
	/* One of them may have had another value, so that nothing is known. */
	bool is_lost = r->report->kernel->image->is_redacted &&
		       (!cpu->standing.regs.value[i] || !cpu->stop.regs.value[i]);
	int pad = strlen(nmi) < VALUE_WIDTH ? (int)(VALUE_WIDTH - strlen(nmi)) : 1;
	if (!is_narrow(r))
		fprintf(r->out, "%*s", pad, "");
	else if (equal && !is_lost)
		fputs("  ", r->out);
	else
		fprintf(r->out, "\n    %-*s ", NAME_WIDTH, "");
	if (equal && !is_lost) {
		fputs("=\n", r->out);
		return;
	}
	nmibt_escape(r->out, stop, strlen(stop), false);
	fputs(is_lost ? "\n" : "  *\n", r->out);
}

const char *nmibt_regs_when(const struct nmi_capture_slot *slot)
{
	if (slot->flags & NMI_CAPTURE_SLOT_F_NO_REGS_SELF)
		return "in the capture itself";
	switch (slot->how) {
	case NMI_CAPTURE_BY_STOP:
		return "at the stop (capture)";
	case NMI_CAPTURE_BY_SELF:
		return "at the panic";
	case NMI_CAPTURE_BY_IRQ:
		return "at the interrupt";
	}
	return "at the NMI";
}

const char *nmibt_stop_when(const struct nmibt_cpu *cpu)
{
	return cpu->stop.source == NMIBT_SOURCE_VCPU ? "at the dump" : "at the stop";
}

const char *nmibt_stop_origin(const struct nmibt_cpu *cpu)
{
	return cpu->stop.source == NMIBT_SOURCE_VCPU ? "the virtual CPU's registers"
						     : "its crash note";
}

static void render_register_heading(struct renderer *r, const struct nmibt_cpu *cpu)
{
	const char *stop = nmibt_stop_when(cpu);
	const char *nmi = nmibt_regs_when(&cpu->slot);

	nmibt_paint(r, DIM);
	fprintf(r->out, "    %-*s ", NAME_WIDTH, "");
	bool both = cpu->standing.regs.present && cpu->stop.regs.present;
	if (both && is_narrow(r))
		fprintf(r->out, "%s / %s\n", nmi, stop);
	else if (both)
		fprintf(r->out, "%-*s%s\n", VALUE_WIDTH, nmi, stop);
	else
		fprintf(r->out, "%s\n", cpu->standing.regs.present ? nmi : stop);
	nmibt_unpaint(r);
}

/* True: a text stands, and the registers are those of a virtual CPU that panic() has halted, or
 * that loops in panic(): they do not say where the CPU was. */
static bool is_of_stop_alone(const struct nmibt_cpu *cpu)
{
	return !cpu->standing.regs.present && cpu->step != NMIBT_STEP_REGISTERS &&
	       cpu->stop.source == NMIBT_SOURCE_VCPU && nmibt_count_dying(&cpu->stop.stack);
}

void nmibt_render_registers(struct renderer *r, const struct nmibt_cpu *cpu)
{
	const struct nmibt_reg_names *names = nmibt_reg_names(r->report->kernel->image->arch);
	bool both = cpu->standing.regs.present && cpu->stop.regs.present;
	unsigned int equal_hidden = 0, others_hidden = 0;

	if (!names || (!cpu->standing.regs.present && !cpu->stop.regs.present) ||
	    (is_of_stop_alone(cpu) && !r->options->header))
		return;
	render_register_heading(r, cpu);

	const unsigned int first[] = {names->pc, names->sp};
	for (size_t i = 0; i < ARRAY_SIZE(first); i++)
		render_register(r, cpu, first[i], names->name[first[i]]);
	for (unsigned int i = 0; i < names->nr; i++) {
		if (i == names->pc || i == names->sp)
			continue;
		bool equal = both && i < cpu->standing.regs.nr &&
			     cpu->standing.regs.value[i] == cpu->stop.regs.value[i];
		bool show = r->options->header ||
			    (both ? !equal && cpu->moved == NMIBT_MOVED_SAME : false);
		if (show)
			render_register(r, cpu, i, names->name[i]);
		else if (equal)
			equal_hidden++;
		else
			others_hidden++;
	}
	if (r->report->kernel->image->is_redacted)
		fputs("    (some of the others are redacted; -t shows all)\n", r->out);
	else if (equal_hidden && others_hidden)
		fprintf(r->out, "    (%u more differ, %u are equal; -t shows all)\n", others_hidden,
			equal_hidden);
	else if (equal_hidden)
		fprintf(r->out, "    (%u more are equal; -t shows all)\n", equal_hidden);
	else if (others_hidden)
		fprintf(r->out, "    (%u more%s; -t shows all)\n", others_hidden,
			both ? " differ" : "");
}
