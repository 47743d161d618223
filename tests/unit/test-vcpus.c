// SPDX-License-Identifier: GPL-2.0-or-later
/* The registers of virtual CPUs in a hypervisor's dump, and the tasks that the CPUs run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>

#include "fake-percpu.h"
#include "source/source.h"

/* struct elf_prstatus of x86_64, from the kernel's headers; in pr_reg rip is word 16, cs 17, rsp
 * 19. */
#define PRSTATUS_SIZE 336
#define PID_AT 32
#define REG_AT 112
#define RIP 16
#define CS 17
#define EFLAGS 18
#define RSP 19
#define KERNEL_CS 0x10
#define USER_CS 0x33

static int setup(void **state)
{
	*state = fp_new(false);
	return 0;
}

static int teardown(void **state)
{
	fp_free(*state);
	return 0;
}

static void add_note(struct fake_percpu *p, const char *name, uint32_t type, const void *desc,
		     uint32_t len)
{
	Elf64_Nhdr head = {.n_namesz = strlen(name) + 1, .n_descsz = len, .n_type = type};
	uint8_t *to = p->notes + p->notes_len;

	assert_true(p->notes_len + sizeof(head) + 16 + len < sizeof(p->notes));
	memcpy(to, &head, sizeof(head));
	memcpy(to + sizeof(head), name, head.n_namesz);
	memcpy(to + sizeof(head) + (head.n_namesz + 3) / 4 * 4, desc, len);
	p->notes_len += sizeof(head) + (head.n_namesz + 3) / 4 * 4 + (len + 3) / 4 * 4;
}

static void add_vcpu(struct fake_percpu *p, int32_t pid, uint64_t rip, uint64_t cs)
{
	uint8_t desc[PRSTATUS_SIZE] = {0};
	uint64_t rsp = rip + 1, eflags = cs == USER_CS ? 0x246 : 0x46;

	memcpy(desc + PID_AT, &pid, sizeof(pid));
	memcpy(desc + REG_AT + RIP * 8, &rip, sizeof(rip));
	memcpy(desc + REG_AT + CS * 8, &cs, sizeof(cs));
	memcpy(desc + REG_AT + RSP * 8, &rsp, sizeof(rsp));
	memcpy(desc + REG_AT + EFLAGS * 8, &eflags, sizeof(eflags));
	add_note(p, "CORE", NT_PRSTATUS, desc, sizeof(desc));
}

static const struct nmibt_vcpus *open_vcpus(struct fake_percpu *p)
{
	fp_reopen(p);
	return nmibt_kernel_vcpus(p->kernel);
}

static void open_fails(struct fake_percpu *p, enum nmibt_code code, const char *word)
{
	assert_null(open_vcpus(p));
	const struct nmibt_error *err = nmibt_kernel_failure(p->kernel, NMIBT_PART_VCPUS);

	assert_int_equal(err->code, code);
	assert_non_null(strstr(err->message, word));
}

static void in_order(void **state)
{
	struct fake_percpu *p = *state;

	add_vcpu(p, 1, 0xffffffff81000010, KERNEL_CS);
	add_vcpu(p, 2, 0x401000, USER_CS);
	/* QEMU's own notes follow them. */
	add_note(p, "QEMU", 0, "state", 5);
	add_note(p, "VMCOREINFO", 0, "OSRELEASE=6.12\n", 15);
	const struct nmibt_vcpus *vcpus = open_vcpus(p);

	assert_non_null(vcpus);
	assert_int_equal(vcpus->nr, 2);
	assert_true(vcpus->regs[0].present && vcpus->regs[1].present);
	assert_true(vcpus->regs[0].value[RIP] == 0xffffffff81000010);
	assert_true(vcpus->regs[1].value[RIP] == 0x401000);
}

/* A CPU that was never started, or is in firmware, has any CS: QEMU's note tells by CR0. */
static void in_real_mode(void **state)
{
	struct fake_percpu *p = *state;
	static const uint64_t cr0[] = {0x80050033, 0x60000010, 0};
	struct nmibt_evidence evidence;

	for (int32_t i = 0; i < 3; i++)
		add_vcpu(p, i + 1, 0x10, 0x9b03);
	for (size_t i = 0; i < 3; i++) {
		char qemu[440] = {0};

		memcpy(qemu + 392, &cr0[i], sizeof(*cr0));
		add_note(p, "QEMU", 0, qemu, sizeof(qemu));
	}
	assert_non_null(open_vcpus(p));
	for (unsigned int cpu = 0; cpu < 3; cpu++) {
		nmibt_vcpu_evidence(p->kernel, cpu, &evidence);
		assert_int_equal(evidence.is_user, cpu != 1);
		assert_int_equal(!*evidence.why, cpu != 1);
		nmibt_evidence_destroy(&evidence);
	}
}

/* The notes of a kdump have the PIDs of tasks. If a CPU was unplugged, the numbers have gaps, and
 * nothing tells which note belongs to which CPU. */
static void of_other_cpus(void **state)
{
	static const int32_t pids[][2] = {{0, 1}, {2, 1}, {1, 1}, {1, 3}, {1, -2}, {0, 0}};

	for (size_t i = 0; i < sizeof(pids) / sizeof(*pids); i++) {
		struct fake_percpu *p = *state;

		p->notes_len = 0;
		add_vcpu(p, pids[i][0], 0xffffffff81000010, KERNEL_CS);
		add_vcpu(p, pids[i][1], 0xffffffff81000020, KERNEL_CS);
		open_fails(p, NMIBT_ERR_DAMAGED, "registers of 2 virtual CPUs are in the dump");
	}
}

static void no_notes(void **state)
{
	struct fake_percpu *p = *state;

	open_fails(p, NMIBT_ERR_NOTHING, "no notes");
	add_note(p, "VMCOREINFO", 0, "OSRELEASE=6.12\n", 15);
	open_fails(p, NMIBT_ERR_NOTHING, "no registers");
	p->ops.notes = NULL;
	open_fails(p, NMIBT_ERR_NOTHING, "can't be read here");
}

/* The notes are cut at every byte: an incomplete last note must not be used. */
static void cut(void **state)
{
	struct fake_percpu *p = *state;

	add_vcpu(p, 1, 0xffffffff81000010, KERNEL_CS);
	size_t first = p->notes_len;
	add_vcpu(p, 2, 0xffffffff81000020, KERNEL_CS);
	size_t whole = p->notes_len;
	for (size_t len = 1; len < whole; len++) {
		p->notes_len = len;
		const struct nmibt_vcpus *vcpus = open_vcpus(p);

		/* Nothing after pr_reg is needed. */
		assert_true(!vcpus || len >= REG_AT + 27 * 8);
		if (vcpus && vcpus->nr == 2)
			assert_true(len >= first + REG_AT + 27 * 8);
	}
}

static void current_task(struct fake_percpu *p, unsigned int cpu, int32_t pid, const char *comm)
{
	uint64_t task = UINT64_C(0xffff888000000000) + cpu * FK_PAGE;
	char name[16] = "";

	memcpy(name, comm, strlen(comm));
	fl_map(&p->pages, task, FK_PAGE);
	fl_put(&p->pages, task + 0x100, &pid, sizeof(pid));
	fl_put(&p->pages, task + 0x200, name, sizeof(name));
	fp_put(p, cpu, 0x40, &task, sizeof(task));
}

static void evidence(void **state)
{
	struct fake_percpu *p = *state;
	struct nmibt_evidence e;

	fp_add_symbol(p, "pcpu_hot", fp_value(p, 0x40));
	current_task(p, 0, 118, "kworker/0:1");
	current_task(p, 1, 200, "sh");
	add_vcpu(p, 1, 0xffffffff81000010, KERNEL_CS);
	add_vcpu(p, 2, 0x401000, USER_CS);
	add_vcpu(p, 3, 0xfff0, 0xf000);
	assert_non_null(open_vcpus(p));

	/* Without the layout of struct task_struct the task is not known. */
	nmibt_vcpu_evidence(p->kernel, 0, &e);
	assert_true(e.regs.present && e.has_sp && !e.is_user && !e.task.known);
	assert_int_equal(e.source, NMIBT_SOURCE_VCPU);
	fp_add_layout(p, "task_struct", "pid", 0x100);
	fp_add_layout(p, "task_struct", "comm", 0x200);
	nmibt_vcpu_evidence(p->kernel, 0, &e);
	assert_true(e.task.known);
	assert_int_equal(e.task.pid, 118);
	assert_string_equal(e.task.comm, "kworker/0:1");
	assert_true(e.has_irqs_off && e.irqs_off);
	nmibt_vcpu_evidence(p->kernel, 1, &e);
	assert_true(e.regs.present && e.is_user && !e.irqs_off);
	assert_int_equal(e.task.pid, 200);
	/* This virtual CPU was never started. */
	nmibt_vcpu_evidence(p->kernel, 2, &e);
	assert_false(e.regs.present);
	assert_non_null(strstr(e.why, "not started"));
	/* There is no such virtual CPU. */
	nmibt_vcpu_evidence(p->kernel, 3, &e);
	assert_false(e.regs.present);
	assert_string_equal(e.why, "");
}

#define FRAME(name)                                                                                \
	{                                                                                          \
		.function = {name, sizeof(name) - 1}, .reliable = true                             \
	}

/* panic() halted the CPU while it was in user mode, so user mode is where it was. */
static void halted_in_user_mode(void **state)
{
	struct nmibt_frame frames[] = {FRAME("stop_this_cpu"), FRAME("__sysvec_reboot"),
				       FRAME("sysvec_reboot"), FRAME("asm_sysvec_reboot")};
	struct nmibt_evidence e = {.has_sp = true, .stack = {frames, 4, .end = NMIBT_END_USER}};

	(void)state;
	nmibt_see_through_stop(&e);
	assert_true(e.is_user);
	assert_false(e.has_sp);
	assert_false(e.task.known);
	/* If a system call was interrupted, the CPU was not in user mode. */
	struct nmibt_frame in_call[] = {FRAME("stop_this_cpu"), FRAME("__sysvec_reboot"),
					FRAME("sysvec_reboot"), FRAME("asm_sysvec_reboot"),
					FRAME("ksys_read")};
	e = (struct nmibt_evidence){.stack = {in_call, 5, .end = NMIBT_END_USER}};
	nmibt_see_through_stop(&e);
	assert_false(e.is_user);
}

static void idle_task(void **state)
{
	struct nmibt_frame frames[] = {FRAME("flush_smp_call_function_queue"), FRAME("do_idle"),
				       FRAME("cpu_startup_entry")};
	struct nmibt_evidence e = {.has_sp = true, .stack = {frames, 3, .end = NMIBT_END_COMPLETE}};

	(void)state;
	nmibt_see_through_stop(&e);
	assert_true(e.task.known);
	assert_int_equal(e.task.pid, 0);
	assert_true(e.has_sp);
	/* A task that injects idle time runs do_idle(), too, so do_idle() does not tell the PID. */
	frames[2] = (struct nmibt_frame)FRAME("play_idle_precise");
	e.task.known = false;
	nmibt_see_through_stop(&e);
	assert_false(e.task.known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(in_real_mode, setup, teardown),
		cmocka_unit_test_setup_teardown(of_other_cpus, setup, teardown),
		cmocka_unit_test_setup_teardown(no_notes, setup, teardown),
		cmocka_unit_test_setup_teardown(cut, setup, teardown),
		cmocka_unit_test_setup_teardown(evidence, setup, teardown),
		cmocka_unit_test(halted_in_user_mode),
		cmocka_unit_test(idle_task),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
