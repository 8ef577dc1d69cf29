#include "nic/runtime_dir.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A directory that nobody but uid and root can replace what is in. */
static bool is_safe(const char *path, uid_t uid)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) &&
	       (st.st_uid == uid || st.st_uid == 0) && !(st.st_mode & (S_IWGRP | S_IWOTH));
}

static bool make(const char *path)
{
	return mkdir(path, 0700) == 0 || errno == EEXIST;
}

static bool use(const char *base, const char *file_prefix, struct runtime_dir *out, bool trusted,
		uid_t uid)
{
	char parent[sizeof(out->base) + sizeof("/dpdk")];

	snprintf(out->base, sizeof(out->base), "%s", base);
	snprintf(parent, sizeof(parent), "%s/dpdk", out->base);
	if (!make(parent) || !(trusted || is_safe(parent, uid)))
		return false;
	if ((size_t)snprintf(out->path, sizeof(out->path), "%s/%s", parent, file_prefix) >=
	    sizeof(out->path))
		return false;
	return make(out->path) && access(out->path, W_OK | X_OK) == 0;
}

bool runtime_dir_choose(const struct runtime_dir_world *world, const char *file_prefix,
			struct runtime_dir *out)
{
	char own[sizeof(out->base)];

	memset(out, 0, sizeof(*out));
	out->usual = world->given      ? world->given
		     : world->uid == 0 ? world->run
		     : world->xdg      ? world->xdg
				       : world->tmp;
	if (use(out->usual, file_prefix, out, world->given, world->uid))
		return true;
	if (world->given) /* what was asked for, or nothing */
		return false;
	if (use(world->tmp, file_prefix, out, false, world->uid))
		return true;
	snprintf(own, sizeof(own), "%s/clowder-%u", world->tmp, (unsigned)world->uid);
	return make(own) && is_safe(own, world->uid) &&
	       use(own, file_prefix, out, false, world->uid);
}
