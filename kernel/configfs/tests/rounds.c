/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rounds - the same few calls on the subsystem test_configfs, many times
 *
 * rounds dependents|registered ROUNDS
 *
 * dependents: a node whose default group has a dependent must not go (EBUSY),
 *   and goes when the dependent is gone.
 * registered: groups are registered below a node; every other time they are
 *   unregistered again, and the node goes.
 *
 * Prints what was seen.  Exit status: 0, 1 at the first call that does not do
 * what it should, 2 set-up.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOT	"/sys/kernel/config/test_configfs"
#define CONTROL "/sys/module/test_configfs/parameters/control"

static int control(const char *text)
{
	int fd = open(CONTROL, O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static int wrong(int round, const char *what, int err)
{
	printf("FAIL: round %d: %s: %s\n", round, what, strerror(-err));
	return 1;
}

static int node_del(void)
{
	return rmdir("n0") ? -errno : 0;
}

static int dependents(int rounds)
{
	int i, err;

	for (i = 1; i <= rounds; i++) {
		if (mkdir("n0", 0755))
			return wrong(i, "mkdir", -errno);
		err = control("depend n0");
		if (err)
			return wrong(i, "depend", err);
		err = node_del();
		if (!err) {
			printf("seen: round %d: removed under its dependent\n", i);
			/* whose release is the use after free */
			control("undepend");
			return 1;
		}
		if (err != -EBUSY || access("n0/a/b", F_OK))
			return wrong(i, "refused, but not with EBUSY and all there", err);
		control("undepend");
		err = node_del();
		if (err)
			return wrong(i, "not removed without a dependent", err);
	}
	printf("seen: EBUSY in %d of %d rounds\n", rounds, rounds);
	return 0;
}

static int registered(int rounds)
{
	int i, err;

	for (i = 1; i <= rounds; i++) {
		if (mkdir("n0", 0755))
			return wrong(i, "mkdir", -errno);
		err = control("register n0");
		if (err)
			return wrong(i, "register", err);
		if (access("n0/reg/d", F_OK) || access("n0/a/deep", F_OK))
			return wrong(i, "what was registered is not there", -errno);
		err = i % 2 ? control("unregister n0") : 0;
		if (err)
			return wrong(i, "unregister", err);
		err = node_del();
		if (err)
			return wrong(i, "not removed", err);
	}
	printf("seen: %d rounds, every other one unregistered\n", rounds);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 3 || chdir(ROOT))
		return perror("rounds dependents|registered ROUNDS"), 2;
	setlinebuf(stdout);
	if (!strcmp(argv[1], "dependents"))
		return dependents(atoi(argv[2]));
	return registered(atoi(argv[2]));
}
