/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * users - users of configfs in the tree, made and torn down
 *
 * users ROUNDS
 *
 * One process for each of them, side by side: a target of netconsole on the
 * device d0, a device of null_blk, a LUN of the SCSI target on its loopback with
 * its link, a group of the sample.  Their modules are loaded by whoever calls.
 * Prints the rounds that each has done.  Exit status: 0, 1 a call did not do what
 * it should.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROOT	"/sys/kernel/config/"
#define BACKEND "target/core/fileio_0"
#define FABRIC	"target/loopback"
#define PORT	FABRIC "/naa.5001405000000001"
#define TPG	PORT "/tpgt_1"
#define LUN	TPG "/lun/lun_0"

static const char *user;
static int round_number;

static void check(const char *what, const char *path, int failed)
{
	if (!failed)
		return;
	printf("FAIL: round %d: %s: %s %s: %s\n", round_number, user, what, path, strerror(errno));
	exit(1);
}

static void make(const char *path)
{
	check("mkdir", path, mkdir(path, 0755));
}

static void away(const char *path)
{
	check("rmdir", path, rmdir(path));
}

static void put(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	check("open", path, fd < 0);
	check(value, path, write(fd, value, strlen(value)) < 0);
	close(fd);
}

static void netconsole(void)
{
	make("netconsole/t0");
	put("netconsole/t0/dev_name", "d0");
	put("netconsole/t0/local_ip", "192.0.2.1");
	put("netconsole/t0/remote_ip", "192.0.2.2");
	put("netconsole/t0/enabled", "1");
	put("netconsole/t0/enabled", "0");
	away("netconsole/t0");
}

static void null_blk(void)
{
	make("nullb/b0");
	put("nullb/b0/size", "16");
	put("nullb/b0/power", "1");
	check("device", "/dev/b0", access("/dev/b0", F_OK));
	away("nullb/b0");
	check("device is left", "/dev/b0", !access("/dev/b0", F_OK));
}

static void scsi_target(void)
{
	make(BACKEND);
	make(BACKEND "/f0");
	put(BACKEND "/f0/control", "fd_dev_name=/tmp/lun,fd_dev_size=1048576");
	put(BACKEND "/f0/enable", "1");
	/* made by loading the fabric's module */
	check("mkdir", FABRIC, mkdir(FABRIC, 0755) && errno != EEXIST);
	make(PORT);
	make(TPG);
	put(TPG "/nexus", "naa.5001405000000002");
	make(LUN);
	check("symlink", LUN "/port", symlink(ROOT BACKEND "/f0", LUN "/port"));
	/* what is linked to stays */
	check("rmdir of what is linked", BACKEND "/f0", !rmdir(BACKEND "/f0"));
	check("unlink", LUN "/port", unlink(LUN "/port"));
	away(LUN);
	away(TPG);
	away(PORT);
	away(FABRIC);
	away(BACKEND "/f0");
	away(BACKEND);
}

static void sample(void)
{
	make("03-group-children/g");
	make("03-group-children/g/i");
	away("03-group-children/g/i");
	away("03-group-children/g");
}

static const struct {
	const char *name;
	void (*once)(void);
} users[] = {
	{"netconsole", netconsole},
	{"null_blk", null_blk},
	{"SCSI target", scsi_target},
	{"sample", sample},
};
#define USERS (sizeof(users) / sizeof(users[0]))

int main(int argc, char **argv)
{
	pid_t pid[USERS];
	unsigned int i;
	int status, bad = 0;

	if (argc != 2 || chdir(ROOT))
		return perror("users ROUNDS"), 2;
	for (i = 0; i < USERS; i++) {
		pid[i] = fork();
		if (pid[i])
			continue;
		user = users[i].name;
		for (round_number = 1; round_number <= atoi(argv[1]); round_number++)
			users[i].once();
		printf("seen: %s made and torn down %d times\n", user, round_number - 1);
		return 0;
	}
	for (i = 0; i < USERS; i++)
		bad |= waitpid(pid[i], &status, 0) != pid[i] || status;
	return bad;
}
