// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * munmap CACHEDFILE VICTIM: dirties a page of a cached file through a mapping and unmaps it, which
 * 9p with cache=fscache writes out there and then, under mmap_lock; then writes to VICTIM, on the
 * cache's filesystem, from a page that has to be faulted in. No freeze: what lockdep says is the
 * result.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	SIZE = 65536
};

int main(int argc, char **argv)
{
	int cached, victim;
	char *page, *source;

	if (argc != 3)
		return 2;
	cached = open(argv[1], O_RDWR);
	victim = open(argv[2], O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (cached < 0 || victim < 0) {
		perror("open");
		return 2;
	}
	source = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (source == MAP_FAILED || write(victim, source, SIZE) != SIZE) {
		perror(argv[2]);
		return 1;
	}
	for (int i = 0; i < 20; i++) {
		page = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, cached, 0);
		if (page == MAP_FAILED) {
			perror(argv[1]);
			return 1;
		}
		memset(page, 'a' + i, SIZE);
		munmap(page, SIZE);
	}
	return 0;
}
