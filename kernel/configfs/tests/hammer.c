/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hammer - everything at once on the subsystem test_configfs
 *
 * hammer all|links|foreign SECONDS
 *
 * One process for each kind of work, over the two CPUs in turn, all on the
 * same few directories, so that most calls meet another one:
 *
 * make	mkdir(2) and rmdir(2) of nodes, and of items in their default groups
 * link	symlink(2) to items and nodes, unlink(2)
 * move	rename(2) between the default groups of a node, in both directions;
 *	configfs refuses it, when the VFS has taken its locks
 * look	open, read, readdir(3), stat(2)
 * ctrl	depend, undepend, register, unregister
 *
 * "links" is make and link alone.  "foreign" is making an item that depends on
 * another one from its callback, against rename(2) from the root to there, and
 * is part of "all" too.  Single calls may fail, but some of each
 * process must succeed, and each must go on; and what the kernel says meanwhile
 * is looked at by whoever calls this.  Prints the number of calls that
 * succeeded by kind.  Exit status: 0, or 1 when a process had no success, or 3
 * when one has not come back from a call for STUCK_S seconds.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROOT	"/sys/kernel/config/test_configfs"
#define CONTROL "/sys/module/test_configfs/parameters/control"
#define NODES	3
#define STUCK_S 40

static const char *const groups[] = {"a", "a/b", "reg", "reg/d", "a/deep"};
#define GROUPS (sizeof(groups) / sizeof(groups[0]))

static unsigned int seed;

static unsigned int any(unsigned int limit)
{
	return rand_r(&seed) % limit;
}

static const char *group(char *path)
{
	sprintf(path, "n%u/%s", any(NODES), groups[any(GROUPS)]);
	return path;
}

static const char *item(char *path)
{
	const char *g = groups[any(GROUPS)];

	if (any(16))
		sprintf(path, "n%u/%s/i%u", any(NODES), g, any(2));
	else
		sprintf(path, "n%u/%s/foreign", any(NODES), g);
	return path;
}

/* What is in a node goes, as far as it may, and then the node */
static int node_away(unsigned int node)
{
	char path[64];
	unsigned int g, i;

	for (g = 0; g < GROUPS; g++) {
		for (i = 0; i < 2; i++) {
			sprintf(path, "n%u/%s/i%u", node, groups[g], i);
			rmdir(path);
		}
		sprintf(path, "n%u/%s/foreign", node, groups[g]);
		rmdir(path);
	}
	for (i = 0; i < 2; i++) {
		sprintf(path, "n%u/l%u", node, i);
		unlink(path);
	}
	sprintf(path, "n%u", node);
	return rmdir(path) == 0;
}

static int make(void)
{
	char path[64];

	if (any(3)) {
		item(path);
		return (any(2) ? mkdir(path, 0755) : rmdir(path)) == 0;
	}
	if (!any(4))
		return node_away(any(NODES));
	sprintf(path, "n%u", any(NODES));
	return (any(2) ? mkdir(path, 0755) : rmdir(path)) == 0;
}

/* Nodes alone: what the race of symlink and rmdir is about */
static int make_nodes(void)
{
	char path[64];

	sprintf(path, "n%u", 1 + any(NODES - 1));
	return (any(2) ? mkdir(path, 0755) : rmdir(path)) == 0;
}

static int link_node(void)
{
	char target[96], name[64];

	sprintf(name, "n0/l%u", any(2));
	sprintf(target, ROOT "/n%u", 1 + any(NODES - 1));
	return (any(4) ? symlink(target, name) : unlink(name)) == 0;
}

static int link_any(void)
{
	char target[128], path[64], name[64];

	sprintf(name, "n%u/l%u", any(NODES), any(2));
	sprintf(target, ROOT "/%s", any(2) ? item(path) : group(path));
	return (any(3) ? symlink(target, name) : unlink(name)) == 0;
}

static int move(void)
{
	char from[64], to[64], path[32];

	sprintf(to, "%s/y", group(path));
	sprintf(from, "%s/x", group(path));
	if (any(2))
		item(from);
	/* mostly in one node: those are the two that its removal may want, too */
	if (any(4))
		from[1] = to[1];
	if (!any(8))
		strcpy(from, "../x");
	/* done when it was refused: then the locks were taken */
	return rename(from, to) != 0;
}

/* One node that stays */
static int make_foreign(void)
{
	static const char path[] = "n0/a/foreign";
	int made;

	mkdir("n0", 0755);
	made = mkdir(path, 0755) == 0;
	return rmdir(path) == 0 && made;
}

static int move_foreign(void)
{
	return rename("../x", "n0/a/y") != 0;
}

static int look(void)
{
	char path[80], text[64];
	struct stat st;
	int fd, done;
	DIR *dir;

	if (any(2)) {
		dir = opendir(group(path));
		if (!dir)
			return 0;
		while (readdir(dir))
			;
		closedir(dir);
		return 1;
	}
	strcat(strcpy(text, item(path)), "/value");
	fd = open(text, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return stat(path, &st) == 0;
	done = read(fd, text, sizeof(text)) > 0;
	close(fd);
	return done;
}

static int ctrl(void)
{
	static const char *const verbs[] = {"depend", "undepend", "register", "unregister"};
	char text[64];
	int fd, n, done;

	n = sprintf(text, "%s n%u", verbs[any(4)], any(NODES));
	fd = open(CONTROL, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	done = write(fd, text, n) == n;
	close(fd);
	return done;
}

enum mode {
	ALL,
	LINKS,
	FOREIGN
};
static const char *const modes[] = {"all", "links", "foreign"};

static const struct work {
	const char *name;
	int (*once)(void);
	enum mode mode;
} works[] = {
	{"make", make, ALL},
	{"make", make, ALL},
	{"link", link_any, ALL},
	{"move", move, ALL},
	{"move", move, ALL},
	{"look", look, ALL},
	{"ctrl", ctrl, ALL},
	{"make", make_nodes, LINKS},
	{"link", link_node, LINKS},
	{"make", make_nodes, LINKS},
	{"link", link_node, LINKS},
	{"make", make_foreign, FOREIGN},
	{"move", move_foreign, FOREIGN},
};
#define WORKS (sizeof(works) / sizeof(works[0]))

static volatile struct progress {
	unsigned long calls, done;
} * progress;

static void worker(unsigned int i)
{
	cpu_set_t set;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	CPU_ZERO(&set);
	CPU_SET(i % 2, &set);
	sched_setaffinity(0, sizeof(set), &set);
	seed = time(NULL) + i;
	for (;;) {
		progress[i].done += works[i].once();
		progress[i].calls++;
	}
}

/* Whether all go on; says which has not for too long */
static int all_go_on(unsigned long *seen, time_t *since, enum mode mode, time_t start)
{
	unsigned int i;

	for (i = 0; i < WORKS; i++) {
		if (works[i].mode != mode)
			continue;
		if (progress[i].calls != seen[i])
			since[i] = time(NULL);
		seen[i] = progress[i].calls;
		if (time(NULL) - since[i] > STUCK_S) {
			printf("seen: %s is stuck after %lu calls, %ld s after the start\n",
			       works[i].name, seen[i], (long)(since[i] - start));
			return 0;
		}
	}
	return 1;
}

int main(int argc, char **argv)
{
	unsigned long seen[WORKS] = {0};
	time_t start, end, since[WORKS];
	pid_t pid[WORKS] = {0};
	unsigned int i, mode = 0;
	int idle = 0;

	while (argc == 3 && mode <= FOREIGN && strcmp(argv[1], modes[mode]))
		mode++;
	if (argc != 3 || mode > FOREIGN || chdir(ROOT))
		return perror("hammer all|links|foreign SECONDS"), 2;
	mkdir("n0", 0755);
	progress = mmap(NULL, WORKS * sizeof(*progress), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	start = time(NULL);
	end = start + atoi(argv[2]);
	for (i = 0; i < WORKS; i++) {
		since[i] = start;
		if (works[i].mode != mode)
			continue;
		pid[i] = fork();
		if (!pid[i])
			worker(i);
	}
	while (time(NULL) < end) {
		sleep(1);
		if (!all_go_on(seen, since, mode, start))
			return 3;
	}
	for (i = 0; i < WORKS; i++)
		if (pid[i])
			kill(pid[i], SIGKILL);
	for (i = 0; i < WORKS; i++) {
		if (!pid[i])
			continue;
		waitpid(pid[i], NULL, 0);
		printf("%s: calls=%lu done=%lu\n", works[i].name, progress[i].calls,
		       progress[i].done);
		idle += !progress[i].done;
	}
	return idle > 0;
}
