/* pin, adopt, unpin, list_pins, lock_pins: only ever below the pin root. */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "info.h"
#include "kernel-abi.h"
#include "ops.h"
#include "pin-root.h"

#define ENTRIES_MAX 65536

/* The request's path is validated: it cannot climb out of the root. */
static char *full_path(struct call *call, const char *path)
{
	size_t size = strlen(pin_root()) + 1 + strlen(path) + 1;
	char *full = call_alloc(call, size);

	snprintf(full, size, "%s%s%s", pin_root(), path[0] ? "/" : "", path);
	return full;
}

/* Makes the directories that `path` goes through. */
static int make_parents(struct call *call, char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		int error;

		*slash = '\0';
		error = mkdir(path, 0700) && errno != EEXIST ? errno : 0;
		if (error) {
			call_fail_errno(call, error, "make directory %s", path);
			*slash = '/';
			return -1;
		}
		*slash = '/';
	}
	return 0;
}

/* The kernel says EPERM for any other file system, which would read as a want of privilege. */
static int require_bpffs(struct call *call)
{
	struct statfs fs;

	if (statfs(pin_root(), &fs))
		return call_fail_errno(call, errno, "pin root %s", pin_root());
	if ((unsigned long)fs.f_type != BPFFS_MAGIC)
		return call_fail(call, "KERNEL_REFUSED", 0,
				 "pin root %s: not in a BPF file system (mount -t bpf)",
				 pin_root());
	return 0;
}

static int fail_path(struct call *call, int sys_errno, const char *verb, const char *path)
{
	if (sys_errno == ENOENT || sys_errno == ENOTDIR)
		return call_fail(call, "NOT_FOUND", sys_errno, "%s %s: nothing is pinned there",
				 verb, path);
	return call_fail_errno(call, sys_errno, "%s %s", verb, path);
}

int op_pin(struct call *call, const Skein__V1__PinRequest *request,
	   Skein__V1__PinResponse *response)
{
	struct handle *handle = call_any_handle(call, request->handle);
	char *path = full_path(call, request->path);

	(void)response;
	if (!handle || make_parents(call, path) || require_bpffs(call))
		return -1;
	if (bpf_obj_pin(handle->fd, path))
		return call_fail_errno(call, errno, "pin %s", path);
	return 0;
}

/* What the descriptor is: only the name of its anonymous inode tells; 0 for what we do not hold. */
static enum handle_kind kind_of(int fd)
{
	char link[32], target[64] = "";

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (readlink(link, target, sizeof(target) - 1) < 0)
		return 0;
	if (strcmp(target, "anon_inode:bpf-prog") == 0)
		return HANDLE_PROGRAM;
	if (strcmp(target, "anon_inode:bpf-map") == 0)
		return HANDLE_MAP;
	if (strcmp(target, "anon_inode:bpf_link") == 0 || strcmp(target, "anon_inode:bpf-link") == 0)
		return HANDLE_LINK;
	return 0;
}

static int adopt(struct call *call, int fd, const char *path, Skein__V1__AdoptResponse *response)
{
	enum handle_kind kind = kind_of(fd);

	switch (kind) {
	case HANDLE_PROGRAM:
		response->info_case = SKEIN__V1__ADOPT_RESPONSE__INFO_PROGRAM;
		response->program = info_program_message(call, fd);
		if (!response->program)
			return -1;
		break;
	case HANDLE_MAP:
		response->info_case = SKEIN__V1__ADOPT_RESPONSE__INFO_MAP;
		response->map = info_map_message(call, fd);
		if (!response->map)
			return -1;
		break;
	case HANDLE_LINK:
		response->info_case = SKEIN__V1__ADOPT_RESPONSE__INFO_LINK;
		response->link = info_link_message(call, fd);
		if (!response->link)
			return -1;
		break;
	default:
		return call_fail(call, "WRONG_KIND", 0, "adopt %s: no program, map or link", path);
	}
	response->handle = handle_add_fd(&call->session->handles, kind, fd)->id;
	return 0;
}

int op_adopt(struct call *call, const Skein__V1__AdoptRequest *request,
	     Skein__V1__AdoptResponse *response)
{
	char *path = full_path(call, request->path);
	struct stat status;
	int fd;

	if (call_reserve_handles(call, 1))
		return -1;
	if (lstat(path, &status))
		return fail_path(call, errno, "adopt", path);
	if (!S_ISREG(status.st_mode))
		return call_fail(call, "WRONG_KIND", 0, "adopt %s: not a pin", path);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return fail_path(call, errno, "adopt", path);
	if (adopt(call, fd, path, response) == 0)
		return 0;
	close(fd);
	return -1;
}

int op_unpin(struct call *call, const Skein__V1__UnpinRequest *request,
	     Skein__V1__UnpinResponse *response)
{
	char *path = full_path(call, request->path);
	struct stat status;

	(void)response;
	if (lstat(path, &status))
		return fail_path(call, errno, "unpin", path);
	if (S_ISDIR(status.st_mode) ? rmdir(path) : unlink(path))
		return fail_path(call, errno, "unpin", path);
	return 0;
}

static bool is_directory(DIR *directory, const struct dirent *entry)
{
	struct stat status;

	return fstatat(dirfd(directory), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(status.st_mode);
}

static int list(struct call *call, DIR *directory, const char *path,
		Skein__V1__ListPinsResponse *response)
{
	size_t room = 0;
	struct dirent *entry;

	while (errno = 0, entry = readdir(directory)) {
		Skein__V1__PinEntry *message;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (response->n_entries == ENTRIES_MAX)
			return call_fail(call, "LIMIT", 0, "list %s: more than %d pins", path,
					 ENTRIES_MAX);
		if (response->n_entries == room) {
			Skein__V1__PinEntry **old = response->entries;

			room = room ? 2 * room : 16;
			response->entries = call_alloc(call, room * sizeof(*response->entries));
			if (old)
				memcpy(response->entries, old,
				       response->n_entries * sizeof(*old));
		}
		message = call_alloc(call, sizeof(*message));
		skein__v1__pin_entry__init(message);
		message->name = call_text(call, entry->d_name);
		message->directory = is_directory(directory, entry);
		response->entries[response->n_entries++] = message;
	}
	return errno ? call_fail_errno(call, errno, "list %s", path) : 0;
}

int op_list_pins(struct call *call, const Skein__V1__ListPinsRequest *request,
		 Skein__V1__ListPinsResponse *response)
{
	char *path = full_path(call, request->path);
	DIR *directory = opendir(path);
	int result;

	if (!directory)
		return errno == ENOENT ? 0 : call_fail_errno(call, errno, "list %s", path);
	result = list(call, directory, path, response);
	closedir(directory);
	return result;
}

/* Held until the process ends, and by nobody but it: close-on-exec, and there is no exec. */
static int lock_fd = -1;

static int fail_lock(struct call *call, int fd, int sys_errno)
{
	close(fd);
	if (sys_errno == EWOULDBLOCK)
		return call_fail(call, "BUSY", sys_errno, "lock %s: another process has it",
				 pin_root());
	return call_fail_errno(call, sys_errno, "lock %s", pin_root());
}

int op_lock_pins(struct call *call, const Skein__V1__LockPinsRequest *request,
		 Skein__V1__LockPinsResponse *response)
{
	/* With a slash at its end, so that the root itself is made, too. */
	char *path = full_path(call, "/");
	int fd;

	(void)request;
	(void)response;
	if (lock_fd >= 0)
		return 0;
	if (make_parents(call, path) || require_bpffs(call))
		return -1;
	fd = open(pin_root(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return call_fail_errno(call, errno, "open %s", pin_root());
	if (flock(fd, LOCK_EX | LOCK_NB))
		return fail_lock(call, fd, errno);
	lock_fd = fd;
	return 0;
}
