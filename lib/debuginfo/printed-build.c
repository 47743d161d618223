// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A user's program may write to the log what looks like the kernel's; what is known to be of one is left
 * out. Of a mail the banner may be broken: what there is of it must be how the vmlinux's begins.
 */
#include "debuginfo/printed-build.h"
#include "text/text.h"

/* Digits of a SHA-1, "%20phN" (lib/dump_stack.c: BUILD_ID_FMT; lib/vsprintf.c: __sprint_symbol(), 6.12).
 * Other notes of build-ids are printed in as many. */
#define BUILD_ID_DIGITS 40

static bool is_hex_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* True: s is a build-id and nothing else. */
static bool is_build_id(struct nmibt_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!is_hex_digit(s.s[i]))
			return false;
	}
	return s.len == BUILD_ID_DIGITS;
}

static bool is_same(const char *known, struct nmibt_str s)
{
	return nmibt_str_is(s, known);
}

static void copy(char *to, size_t room, struct nmibt_str from)
{
	size_t len = from.len < room - 1 ? from.len : room - 1;

	memcpy(to, from.s, len);
	to[len] = '\0';
}

/* Of several that differ the first one is kept. */
static void take_name(struct nmibt_printed_build *build, char *known, size_t room,
		      struct nmibt_str name)
{
	if (!name.len || name.len >= room)
		return;
	if (!*known)
		copy(known, room, name);
	build->is_of_several |= !is_same(known, name);
}

static struct nmibt_str without_spaces_behind(struct nmibt_str s)
{
	while (s.len && (s.s[s.len - 1] == ' ' || s.s[s.len - 1] == '\n'))
		s.len--;
	return s;
}

/* A later banner is of a kernel that someone quotes, or of a capture kernel: boots begin with one. */
static void take_banner(struct nmibt_printed_build *build, struct nmibt_str text)
{
	struct nmibt_str rest = text, release;

	if (*build->banner || !nmibt_skip(&rest, "Linux version ") ||
	    !nmibt_take_until(&rest, " (", &release) || nmibt_str_holds(release, " "))
		return;
	copy(build->banner, sizeof(build->banner), without_spaces_behind(text));
	take_name(build, build->release, sizeof(build->release), release);
}

/* "CPU: 3 UID: 0 PID: 118 Comm: spin Not tainted 6.12.1 #1 BUILD-ID": lib/dump_stack.c:
 * dump_stack_print_info(), 5.14 to 7.2 */
static void take_cpu_line(struct nmibt_printed_build *build, struct nmibt_str text)
{
	struct nmibt_printed printed;
	struct nmibt_str word = without_spaces_behind(text);

	nmibt_recognise(NMIBT_ARCH_UNKNOWN, text, &printed);
	if (printed.kind != NMIBT_PRINT_CPU)
		return;
	take_name(build, build->release, sizeof(build->release), printed.release);
	if (word.len <= BUILD_ID_DIGITS)
		return;
	word.s += word.len - BUILD_ID_DIGITS;
	word.len = BUILD_ID_DIGITS;
	if (word.s[-1] == ' ' && is_build_id(word))
		take_name(build, build->build_id, sizeof(build->build_id), word);
}

static void take_module(struct nmibt_printed_build *build, struct nmibt_str name,
			struct nmibt_str build_id)
{
	unsigned int i = 0;

	while (i < build->nr_modules && !is_same(build->modules[i].name, name))
		i++;
	if (i == NMIBT_MAX_PRINTED_MODULES || name.len >= NMIBT_MODULE_LEN)
		return;
	if (i < build->nr_modules) {
		if (!is_same(build->modules[i].build_id, build_id))
			*build->modules[i].build_id = '\0';
		return;
	}
	copy(build->modules[i].name, NMIBT_MODULE_LEN, name);
	copy(build->modules[i].build_id, NMIBT_BUILD_ID_LEN, build_id);
	build->nr_modules++;
}

/* "f+0x12/0x34 [module BUILD-ID]" */
static void take_frame(struct nmibt_printed_build *build, struct nmibt_str text)
{
	struct nmibt_str name, id;

	if (!nmibt_skip_to(&text, "+0x") || !nmibt_skip_to(&text, "/0x") ||
	    !nmibt_skip_to(&text, " [") || !nmibt_take_until(&text, "]", &id) ||
	    !nmibt_take_until(&id, " ", &name))
		return;
	if (is_build_id(id))
		take_module(build, name, id);
}

static bool take_line(void *arg, const struct nmibt_log_text *line)
{
	struct nmibt_printed_build *build = arg;

	if (line->prefix.facility || line->prefix.is_of_program)
		return true;
	if (nmibt_str_starts(line->text, "Linux version "))
		take_banner(build, line->text);
	else if (nmibt_str_starts(line->text, "CPU: "))
		take_cpu_line(build, line->text);
	else if (line->text.len > BUILD_ID_DIGITS)
		take_frame(build, line->text);
	return true;
}

struct nmibt_error *nmibt_read_printed_build(const struct nmibt_image *image, unsigned int crash,
					     struct nmibt_printed_build *ret)
{
	struct nmibt_log_facts facts;

	*ret = (struct nmibt_printed_build){0};
	return image->ops->visit_log(image->ctx, crash, take_line, ret, &facts);
}

const char *nmibt_printed_module(const struct nmibt_printed_build *build, const char *module,
				 bool *ret)
{
	*ret = false;
	for (unsigned int i = 0; i < build->nr_modules; i++) {
		if (strcmp(build->modules[i].name, module))
			continue;
		*ret = true;
		return *build->modules[i].build_id ? build->modules[i].build_id : NULL;
	}
	return NULL;
}

/* ------------------------------------------------------------------- compared */

static enum nmibt_build_match match_banner(const struct nmibt_printed_build *build,
					   struct nmibt_str of_file)
{
	size_t len = strlen(build->banner);

	if (len > of_file.len || memcmp(build->banner, of_file.s, len))
		return NMIBT_BUILD_OTHER;
	return len < of_file.len ? NMIBT_BUILD_UNPROVED : NMIBT_BUILD_SAME;
}

static bool has_other_release(const struct nmibt_printed_build *build, struct nmibt_str banner)
{
	struct nmibt_str release;

	return *build->release && nmibt_skip(&banner, "Linux version ") &&
	       nmibt_take_until(&banner, " (", &release) && !is_same(build->release, release);
}

enum nmibt_build_match nmibt_match_build(const struct nmibt_printed_build *build,
					 struct nmibt_debugfile *vmlinux, const char **ret_why)
{
	char text[NMIBT_MAX_BANNER];
	struct nmibt_str banner = {0};
	const char *id = nmibt_debugfile_build_id(vmlinux);

	*ret_why = "build-id";
	if (*build->build_id && id)
		return strcmp(build->build_id, id) ? NMIBT_BUILD_OTHER : NMIBT_BUILD_SAME;
	if (nmibt_debugfile_banner(vmlinux, text, sizeof(text)))
		banner = without_spaces_behind(nmibt_str_of(text));
	*ret_why = "banner";
	if (*build->banner && banner.len)
		return match_banner(build, banner);
	*ret_why = "release";
	return has_other_release(build, banner) ? NMIBT_BUILD_OTHER : NMIBT_BUILD_UNPROVED;
}
