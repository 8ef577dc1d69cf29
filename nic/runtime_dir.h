/*
 * Where the EAL puts its telemetry socket: <base>/dpdk/<file prefix>. It knows one base and goes
 * without a socket where that cannot be written: for uid 0 /var/run, which root in a user namespace
 * may not write; else XDG_RUNTIME_DIR, which may be stale, or /tmp, where <base>/dpdk belongs to
 * whoever was first. So a base is tried before the EAL does, and another found if need be.
 */
#ifndef NIC_RUNTIME_DIR_H
#define NIC_RUNTIME_DIR_H

#include <stdbool.h>
#include <sys/types.h>

struct runtime_dir_world {
	const char *given; /* RUNTIME_DIRECTORY; NULL: not set */
	const char *xdg;   /* XDG_RUNTIME_DIR, likewise */
	const char *run, *tmp;
	uid_t uid;
};

struct runtime_dir {
	const char *usual; /* the base that the EAL would take */
	char base[192];
	char path[256]; /* exists, and is ours */
};

/*
 * The usual base; where it cannot be written and was not given, tmp; where tmp/dpdk is another
 * user's, tmp/clowder-<uid>, made if need be. False: none can be written.
 */
bool runtime_dir_choose(const struct runtime_dir_world *world, const char *file_prefix,
			struct runtime_dir *out);

#endif
