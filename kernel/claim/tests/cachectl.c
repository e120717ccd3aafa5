// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A manager of the cache by hand. Holds /dev/cachefiles open and does what the lines of standard
 * input say, answering each with one line of standard output:
 *
 *   ?read        the state line, empty before the first bind
 *   ?poll MS     waits for POLLIN: "in" or "no"
 *   ?yielder     unbinds on the next refusal, in the background; once
 *   ?chdir DIR   changes the directory that cull and inuse work in
 *   ?repeat N A [B]  writes A, then B, N times: "ANSWER COUNT" for each answer that came
 *   ?cull        culls all objects of the cache that the last "dir" named; answers as ?repeat
 *   ?exit        ends it, which closes the device
 *   anything     is written to the device: "0", or the name of the error
 *
 * Ends with its input as well.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int device;

static const char *command(const char *words)
{
	if (write(device, words, strlen(words)) >= 0)
		return "0";
	return strerrorname_np(errno);
}

static int wait_for_change(int milliseconds)
{
	struct pollfd waiting = {.fd = device, .events = POLLIN};

	return poll(&waiting, 1, milliseconds) > 0 && (waiting.revents & POLLIN);
}

static ssize_t state(char line[static 512])
{
	ssize_t length = read(device, line, 511);

	line[length > 0 ? length : 0] = '\0';
	return length;
}

/* How many freezes the claim stood in the way of; -1 if nothing is claimed. */
static long refused(void)
{
	char line[512], *key;

	if (state(line) <= 0 || !strstr(line, "wclaim=1"))
		return -1;
	key = strstr(line, "frzref=");
	return key ? strtol(key + 7, NULL, 16) : -1;
}

/* What a manager does on a freeze: give up the cache as soon as it sees the refusal. */
static void *yielder(void *before)
{
	for (;;) {
		if (wait_for_change(-1) && refused() > (long)before) {
			command("unbind");
			return NULL;
		}
	}
}

struct answers {
	const char *names[16];
	int counts[16], kinds;
};

static void count(struct answers *all, const char *answer)
{
	int kind = 0;

	while (kind < all->kinds && strcmp(all->names[kind], answer))
		kind++;
	if (kind == 16)
		return;
	if (kind == all->kinds)
		all->names[all->kinds++] = answer;
	all->counts[kind]++;
}

static void print(const struct answers *all)
{
	for (int kind = 0; kind < all->kinds; kind++)
		printf("%s%s %d", kind ? " " : "", all->names[kind], all->counts[kind]);
	puts("");
}

/* Writes the commands in turn; there are few answers that differ. */
static void repeat(char *words)
{
	struct answers all = {0};
	char *each[8], *word, *rest;
	int times, commands = 0;

	times = (int)strtol(words, &rest, 10);
	for (word = strtok(rest, " "); word && commands < 8; word = strtok(NULL, " "))
		each[commands++] = word;
	for (int i = 0; i < times * commands; i++)
		count(&all, command(each[i % commands]));
	print(&all);
}

static void cull(const char *cache)
{
	struct answers all = {0};
	char *roots[2], words[512];
	FTSENT *entry;
	FTS *tree;

	if (asprintf(&roots[0], "%s/cache", cache) < 0)
		return;
	roots[1] = NULL;
	tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	while (tree && (entry = fts_read(tree))) {
		if (entry->fts_info != FTS_F)
			continue;
		snprintf(words, sizeof(words), "cull %s", entry->fts_name);
		entry->fts_path[entry->fts_pathlen - entry->fts_namelen - 1] = '\0';
		if (chdir(entry->fts_path) == 0)
			count(&all, command(words));
		entry->fts_path[entry->fts_pathlen - entry->fts_namelen - 1] = '/';
	}
	if (tree)
		fts_close(tree);
	free(roots[0]);
	if (chdir("/"))
		return;
	print(&all);
}

int main(void)
{
	char words[4096], line[512], cache[4096] = "";
	pthread_t thread;

	setvbuf(stdout, NULL, _IOLBF, 0);
	device = open("/dev/cachefiles", O_RDWR | O_CLOEXEC);
	puts(device < 0 ? strerrorname_np(errno) : "open");
	if (device < 0)
		return 1;

	while (fgets(words, sizeof(words), stdin)) {
		words[strcspn(words, "\n")] = '\0';
		if (!strcmp(words, "?exit")) {
			return 0;
		} else if (!strcmp(words, "?read")) {
			if (state(line) < 0)
				puts(strerrorname_np(errno));
			else
				puts(line);
		} else if (!strncmp(words, "?poll ", 6)) {
			puts(wait_for_change(atoi(words + 6)) ? "in" : "no");
		} else if (!strncmp(words, "?repeat ", 8)) {
			repeat(words + 8);
		} else if (!strcmp(words, "?yielder")) {
			puts(pthread_create(&thread, NULL, yielder, (void *)refused()) ? "error"
										       : "0");
		} else if (!strncmp(words, "?chdir ", 7)) {
			puts(chdir(words + 7) ? strerrorname_np(errno) : "0");
		} else if (!strcmp(words, "?cull")) {
			cull(cache);
		} else {
			if (!strncmp(words, "dir ", 4))
				strcpy(cache, words + 4);
			puts(command(words));
		}
	}
	return 0;
}
