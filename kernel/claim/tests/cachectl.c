// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A manager of the cache by hand. Holds /dev/cachefiles open and does what the lines of standard
 * input say, answering each with one line of standard output:
 *
 *   ?read        the state line, empty before the first bind
 *   ?poll MS     waits for POLLIN: "in" or "no"
 *   ?yielder     from then on unbinds on the first refusal that it sees, in the background
 *   ?chdir DIR   changes the directory that cull and inuse work in
 *   anything     is written to the device: "0", or the name of the error
 *
 * Ends with its input, which closes the device.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
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

/* What a manager does on a freeze: give up the cache as soon as it sees the refusal. */
static void *yielder(void *unused)
{
	char line[512];

	(void)unused;
	for (;;) {
		if (!wait_for_change(-1))
			continue;
		if (state(line) > 0 && strstr(line, "wclaim=1") && !strstr(line, "frzref=0")) {
			command("unbind");
			return NULL;
		}
	}
}

int main(void)
{
	char words[4096], line[512];
	pthread_t thread;

	setvbuf(stdout, NULL, _IOLBF, 0);
	device = open("/dev/cachefiles", O_RDWR | O_CLOEXEC);
	puts(device < 0 ? strerrorname_np(errno) : "open");
	if (device < 0)
		return 1;

	while (fgets(words, sizeof(words), stdin)) {
		words[strcspn(words, "\n")] = '\0';
		if (!strcmp(words, "?read")) {
			if (state(line) < 0)
				puts(strerrorname_np(errno));
			else
				puts(line);
		} else if (!strncmp(words, "?poll ", 6)) {
			puts(wait_for_change(atoi(words + 6)) ? "in" : "no");
		} else if (!strcmp(words, "?yielder")) {
			puts(pthread_create(&thread, NULL, yielder, NULL) ? "error" : "0");
		} else if (!strncmp(words, "?chdir ", 7)) {
			puts(chdir(words + 7) ? strerrorname_np(errno) : "0");
		} else {
			puts(command(words));
		}
	}
	return 0;
}
