// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The child sends a request. For each file the parent sends the path and the descriptor, and the
 * child answers with one byte whether it takes the file. After the last one the parent sends why
 * there is none, without a descriptor.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "debugfiles.h"

struct request {
	unsigned char is_module, split_off; /* not bool: the child could send any byte */
	/* Empty: not known. */
	char build_id[256], release[256], module[256], link[256], module_build_id[256];
};

struct reply {
	char text[PATH_MAX]; /* a path, or why there is no file */
	int fd; /* -1: none */
};

/* A message with room for one descriptor. */
struct message {
	struct iovec data;
	struct msghdr head;
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
};

static struct msghdr *head_of(struct message *message, struct reply *reply, size_t len)
{
	message->data = (struct iovec){reply->text, len};
	message->head = (struct msghdr){
		.msg_iov = &message->data,
		.msg_iovlen = 1,
		.msg_control = message->control,
		.msg_controllen = sizeof(message->control),
	};
	return &message->head;
}

/* ---------------------------------------------------------------------- the child */

/* Part of a name would be another name. */
static void copy_name(char ret[256], const char *name)
{
	if (name && strlen(name) < 256)
		strcpy(ret, name);
}

static bool receive(int channel, struct reply *ret)
{
	struct message message;
	struct msghdr *head = head_of(&message, ret, sizeof(ret->text) - 1);
	ssize_t len = recvmsg(channel, head, MSG_CMSG_CLOEXEC);

	if (len < 0)
		return false;
	const struct cmsghdr *control = CMSG_FIRSTHDR(head);
	ret->text[len] = '\0';
	ret->fd = -1;
	if (control && control->cmsg_type == SCM_RIGHTS)
		memcpy(&ret->fd, CMSG_DATA(control), sizeof(ret->fd));
	return true;
}

struct nmibt_error *debugfiles_ask(void *ctx, const struct nmibt_debuginfo_wanted *wanted,
				   nmibt_debuginfo_file_fn visit, void *arg)
{
	const int *channel = ctx;
	struct request request = {.is_module = !!wanted->module, .split_off = wanted->split_off};
	struct reply reply;

	copy_name(request.build_id, wanted->build_id);
	copy_name(request.release, wanted->release);
	copy_name(request.module, wanted->module);
	copy_name(request.link, wanted->link);
	copy_name(request.module_build_id, wanted->module_build_id);
	bool ok = write(*channel, &request, sizeof(request)) == sizeof(request);
	while (ok && receive(*channel, &reply)) {
		if (reply.fd < 0)
			return nmibt_error_create(NMIBT_ERR_NOTHING, "%s", reply.text);
		bool taken = visit(arg, reply.fd, reply.text);
		ok = write(*channel, &taken, 1) == 1;
		if (taken)
			return NULL;
	}
	return nmibt_error_create(NMIBT_ERR_NOTHING,
				  "files with debugging information can't be had: %m");
}

/* --------------------------------------------------------------------- the parent */

static bool send_text(int channel, const char *text, int fd)
{
	struct reply reply;
	struct message message;
	size_t len = strnlen(text, sizeof(reply.text) - 1);

	memcpy(reply.text, text, len);
	struct msghdr *head = head_of(&message, &reply, len);
	if (fd < 0) {
		head->msg_control = NULL;
		head->msg_controllen = 0;
	} else {
		struct cmsghdr *control = CMSG_FIRSTHDR(head);

		control->cmsg_level = SOL_SOCKET;
		control->cmsg_type = SCM_RIGHTS;
		control->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(control), &fd, sizeof(fd));
	}
	return sendmsg(channel, head, MSG_NOSIGNAL) >= 0;
}

static bool offer(void *arg, int fd, const char *path)
{
	const int *channel = arg;
	bool sent = send_text(*channel, path, fd);
	ssize_t len;
	char taken;

	close(fd);
	/* A stop and a continuation interrupt it. */
	do
		len = sent ? recv(*channel, &taken, 1, 0) : 0;
	while (len < 0 && errno == EINTR);
	/* A child that does not answer gets no more files. */
	return len != 1 || taken;
}

/* The child could leave out the NUL. */
static const char *name_in(char name[256])
{
	name[255] = '\0';
	return name;
}

void debugfiles_answer(const struct nmibt_debuginfo_options *options, const char *dump, int channel,
		       const void *data, size_t len)
{
	struct request request;

	if (len != sizeof(request))
		return;
	memcpy(&request, data, sizeof(request));
	const struct nmibt_debuginfo_wanted wanted = {
		.size = sizeof(wanted),
		.build_id = name_in(request.build_id),
		.release = name_in(request.release),
		.module = request.is_module ? name_in(request.module) : NULL,
		.split_off = request.split_off,
		.link = name_in(request.link),
		.module_build_id = name_in(request.module_build_id),
	};
	struct nmibt_error *err = nmibt_debuginfo_search(options, dump, &wanted, offer, &channel);

	if (err)
		send_text(channel, nmibt_error_message(err), -1);
	nmibt_error_destroy(err);
}
