// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fakekernel DIRECTORY CACHE [RECORDS]
 *
 * Keeps the state of a fake cachefiles in DIRECTORY for a cache in CACHE, notices the last close of
 * its device and takes orders, one line a connection to DIRECTORY/socket, answered with "ok", "key
 * value" lines or "error: …". Says "ready" when it listens; ends with its standard input.
 *
 *	set KEY N, add KEY N    a number of the table below; the kernel then looks at the free space
 *	account                 counts what lies in the cache as used
 *	busy GLOB, free GLOB    names in use; "free *" takes all back
 *	release FILES BLOCKS    objects were let go of: blocks of 512 bytes
 *	inject WORD ERRNO EVERY TIMES DELAY_MS [GLOB]
 *	clear                   forgets injections
 *	state [LINE]            what reading gives instead of the state, or no longer
 *	die                     as cachefiles_io_error
 *	freeze, thaw            the filesystem; "refused" while the cache has a claim on it
 *	remount ro|rw           the same; only a kernel with "set claim 1" refuses
 *	forget                  empties log and counters
 *	get                     all of it
 */
#include "fake.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

struct fake_real fake_real = {unlinkat, read};

static struct fake *fake;
static struct fake_ends ends = {-1, -1};

static const struct {
	const char *name;
	size_t offset;
} numbers[] = {
	{"total_blocks", offsetof(struct fake, total_blocks)},
	{"total_files", offsetof(struct fake, total_files)},
	{"used_sectors", offsetof(struct fake, used_sectors)},
	{"used_files", offsetof(struct fake, used_files)},
	{"no_module", offsetof(struct fake, no_module)},
	{"check_capability", offsetof(struct fake, check_capability)},
	{"guard", offsetof(struct fake, guard)},
	{"log", offsetof(struct fake, log)},
	{"log_cwd", offsetof(struct fake, log_cwd)},
	{"close_delay_ms", offsetof(struct fake, close_delay_ms)},
	{"claim", offsetof(struct fake, claim)},
	{"frozen", offsetof(struct fake, frozen)},
	{"read_only", offsetof(struct fake, read_only)},
	{"yield_ms", offsetof(struct fake, yield_ms)},
	{"frzref", offsetof(struct fake, frzref)},
	{"roref", offsetof(struct fake, roref)},
	{"without_released", offsetof(struct fake, without_released)},
};

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void create(const char *directory, const char *cache, uint64_t records)
{
	char path[4200];
	pthread_mutexattr_t attributes;
	struct statvfs fs;
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/" FAKE_STATE, directory);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 ||
	    ftruncate(fd, (off_t)(FAKE_LOG_OFFSET + records * sizeof(struct fake_record))) < 0)
		fail(path);
	close(fd);
	fake = fake_map(directory);
	if (!fake || !realpath(cache, fake->root) || statvfs(cache, &fs) < 0 ||
	    stat(cache, &st) < 0)
		fail(cache);
	fake->fsid = fs.f_fsid;
	fake->dev = st.st_dev;
	fake->total_blocks = fake->total_files = 1000000;
	fake->check_capability = fake->guard = fake->log = fake->log_cwd = 1;
	fake->log_room = records;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&fake->lock, &attributes);
	fake_reset(fake);
	fake->magic = FAKE_MAGIC;
}

static int listen_at(const char *directory)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%.90s/" FAKE_SOCKET, directory);
	if (s < 0 || bind(s, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(s, 64) < 0)
		fail(address.sun_path);
	return s;
}

/* The last close: cachefiles_daemon_release. */
static void withdraw_if_closed(void)
{
	struct pollfd p = {.fd = ends.b};

	if (ends.b < 0 || poll(&p, 1, 0) <= 0)
		return;
	close(ends.b);
	ends.b = -1;
	fake_lock(fake);
	if (fake->ready)
		fake_count(fake, FAKE_WITHDRAWALS);
	fake_log(fake, fake->ready ? "withdraw" : "close", fake->ready ? 8 : 5, 0);
	fake_reset(fake);
	fake_unlock(fake);
}

static int take_open(int fd)
{
	int error = 0;

	fake_lock(fake);
	if (fake->opened) {
		error = EBUSY;
	} else {
		fake_reset(fake);
		fake->opened = true;
		ends.b = fd;
	}
	fake_unlock(fake);
	if (error)
		close(fd);
	return error;
}

static _Atomic uint64_t *number_named(const char *name)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (strcmp(numbers[i].name, name) == 0)
			return (_Atomic uint64_t *)(void *)((char *)fake + numbers[i].offset);
	return NULL;
}

static uint64_t counted_sectors, counted_files;

static int count_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
	if (type == FTW_F && S_ISREG(st->st_mode)) {
		counted_sectors += (uint64_t)st->st_blocks;
		counted_files++;
	}
	return 0;
}

static const char *set_number(bool add, const char *key, const char *value)
{
	_Atomic uint64_t *number = number_named(key);
	uint64_t n = strtoull(value, NULL, 0); /* "-5" wraps, and adds as it should */

	if (!number)
		return "error: no such number\n";
	if (add)
		atomic_fetch_add(number, n);
	else
		atomic_store(number, n);
	return "ok\n";
}

static const char *inject(char *const *w, int count)
{
	uint32_t at = fake->injection_count;
	struct fake_injection *j = &fake->injection[at];

	if (count < 6 || at >= sizeof(fake->injection) / sizeof(fake->injection[0]))
		return "error: inject WORD ERRNO EVERY TIMES DELAY_MS [GLOB]\n";
	memset(j, 0, sizeof(*j));
	snprintf(j->word, sizeof(j->word), "%s", w[1]);
	j->error = atoi(w[2]);
	j->every = (uint32_t)atoi(w[3]);
	j->times = (uint32_t)atoi(w[4]);
	j->delay_ms = (uint32_t)atoi(w[5]);
	snprintf(j->only, sizeof(j->only), "%s", count > 6 ? w[6] : "");
	if (j->every == 0)
		j->every = 1;
	atomic_store(&fake->injection_count, at + 1);
	return "ok\n";
}

static const char *free_name(const char *glob)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < fake->busy_count; i++)
		if (strcmp(glob, "*") != 0 && strcmp(fake->busy[i], glob) != 0)
			memmove(fake->busy[kept++], fake->busy[i], sizeof(fake->busy[0]));
	fake->busy_count = kept;
	return "ok\n";
}

static const char *busy_name(const char *glob)
{
	if (fake->busy_count >= sizeof(fake->busy) / sizeof(fake->busy[0]) ||
	    strlen(glob) >= sizeof(fake->busy[0]))
		return "error: too many, or too long\n";
	strcpy(fake->busy[fake->busy_count++], glob);
	return "ok\n";
}

/* cachefiles_unmark_inode_in_use */
static const char *release(const char *files, const char *blocks)
{
	fake->freleased += strtoull(files, NULL, 0);
	fake->breleased += strtoull(blocks, NULL, 0);
	fake_state_changed(fake, &ends);
	return "ok\n";
}

/* sb_claims_freeze, sb_prepare_remount_readonly: told at once, whoever waits for it asks again. */
static const char *refuse(uint64_t *counter)
{
	++*counter;
	fake_state_changed(fake, &ends);
	return "refused\n";
}

static const char *freeze(void)
{
	if (fake->claim && fake->ready)
		return refuse(&fake->frzref);
	fake->frozen = 1;
	return "ok\n";
}

static const char *remount(bool read_only)
{
	if (fake->claim && fake->ready && read_only)
		return refuse(&fake->roref);
	fake->read_only = read_only;
	return "ok\n";
}

static const char *forget(void)
{
	for (int i = 0; i < FAKE_COUNTS; i++)
		fake->count[i] = 0;
	fake->log_count = 0;
	return "ok\n";
}

static const char *show(char *answer, size_t size)
{
	int n = snprintf(answer, size,
			 "opened %d\nready %d\ndead %d\nculling %d\nchanged %d\ndir %s\ntag %s\n"
			 "frun %llu\nfcull %llu\nfstop %llu\nbrun %llu\nbcull %llu\nbstop %llu\n"
			 "free_blocks %llu\nfree_files %llu\nlog_count %llu\n",
			 fake->opened, fake->ready, fake->dead, fake->culling, fake->changed,
			 fake->dir, fake->tag, (unsigned long long)fake->percent[FAKE_FRUN],
			 (unsigned long long)fake->percent[FAKE_FCULL],
			 (unsigned long long)fake->percent[FAKE_FSTOP],
			 (unsigned long long)fake->percent[FAKE_BRUN],
			 (unsigned long long)fake->percent[FAKE_BCULL],
			 (unsigned long long)fake->percent[FAKE_BSTOP],
			 (unsigned long long)fake_free_blocks(fake),
			 (unsigned long long)fake_free_files(fake),
			 (unsigned long long)fake->log_count);

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		n += snprintf(answer + n, size - (size_t)n, "%s %llu\n", numbers[i].name,
			      (unsigned long long)*number_named(numbers[i].name));
	for (int i = 0; i < FAKE_COUNTS; i++)
		n += snprintf(answer + n, size - (size_t)n, "%s %llu\n", fake_count_names[i],
			      (unsigned long long)fake->count[i]);
	return answer;
}

static void account(void)
{
	fake->used_sectors = counted_sectors;
	fake->used_files = counted_files;
}

static const char *obey(char *const *w, int count, char *answer, size_t size)
{
	const char *said = "ok\n";
	const char *a = count > 1 ? w[1] : "", *b = count > 2 ? w[2] : "";

	if (strcmp(w[0], "get") == 0)
		return show(answer, size);
	if (strcmp(w[0], "set") == 0 || strcmp(w[0], "add") == 0)
		said = set_number(w[0][0] == 'a', a, b);
	else if (strcmp(w[0], "busy") == 0)
		said = busy_name(a);
	else if (strcmp(w[0], "free") == 0)
		said = free_name(a);
	else if (strcmp(w[0], "release") == 0)
		return release(a, b);
	else if (strcmp(w[0], "inject") == 0)
		return inject(w, count);
	else if (strcmp(w[0], "clear") == 0)
		fake->injection_count = 0;
	else if (strcmp(w[0], "die") == 0)
		fake->dead = true;
	else if (strcmp(w[0], "freeze") == 0)
		return freeze();
	else if (strcmp(w[0], "thaw") == 0)
		fake->frozen = 0;
	else if (strcmp(w[0], "remount") == 0)
		return remount(strcmp(a, "ro") == 0);
	else if (strcmp(w[0], "forget") == 0)
		return forget();
	else if (strcmp(w[0], "account") == 0)
		account();
	else
		return "error: unknown order\n";
	if (fake->ready && !fake->dead) /* as when something is written to the cache */
		fake_check_space(fake, &ends);
	return said;
}

static void set_override(const char *line)
{
	snprintf(fake->state_override, sizeof(fake->state_override), "%s", line[5] ? line + 6 : "");
}

static void take_order(int s, char *line)
{
	char *words[8] = {0}, answer[8192], *rest = line;
	const char *said = "ok\n";
	int count = 0;

	line[strcspn(line, "\n")] = '\0';
	if (strcmp(line, "account") == 0) {
		counted_sectors = counted_files = 0;
		nftw(fake->root, count_entry, 16, FTW_PHYS);
	}
	fake_lock(fake);
	if (strcmp(line, "state") == 0 || strncmp(line, "state ", 6) == 0) {
		set_override(line);
	} else {
		while (count < 8 && (words[count] = strsep(&rest, " ")))
			count++;
		said = obey(words, count, answer, sizeof(answer));
	}
	fake_unlock(fake);
	send(s, said, strlen(said), MSG_NOSIGNAL);
}

/* A connection: an order, or an open with its descriptor. */
static void serve(int listening)
{
	int s = accept4(listening, NULL, NULL, SOCK_CLOEXEC), fd = -1, answer;
	char line[1024] = "", control[CMSG_SPACE(sizeof(int))];
	struct iovec what = {.iov_base = line, .iov_len = sizeof(line) - 1};
	struct msghdr message = {
		.msg_iov = &what,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;

	if (s < 0)
		return;
	if (recvmsg(s, &message, MSG_CMSG_CLOEXEC) > 0) {
		c = CMSG_FIRSTHDR(&message);
		if (c && c->cmsg_type == SCM_RIGHTS)
			memcpy(&fd, CMSG_DATA(c), sizeof(fd));
		/* What was closed before somebody connected is closed. */
		withdraw_if_closed();
		if (fd >= 0) {
			answer = take_open(fd);
			send(s, &answer, sizeof(answer), MSG_NOSIGNAL);
		} else {
			take_order(s, line);
		}
	}
	close(s);
}

int main(int argc, char *argv[])
{
	struct pollfd polled[3];
	int listening;

	if (argc < 3 || argc > 4) {
		fprintf(stderr, "usage: fakekernel DIRECTORY CACHE [RECORDS]\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	create(argv[1], argv[2], argc > 3 ? strtoull(argv[3], NULL, 0) : 1000000);
	listening = listen_at(argv[1]);
	puts("ready");
	fflush(stdout);
	for (;;) {
		polled[0] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
		polled[1] = (struct pollfd){.fd = listening, .events = POLLIN};
		polled[2] = (struct pollfd){.fd = ends.b};
		if (poll(polled, 3, -1) < 0)
			continue;
		if (polled[0].revents) {
			char eaten[64];

			if (read(STDIN_FILENO, eaten, sizeof(eaten)) <= 0)
				return 0;
		}
		withdraw_if_closed();
		if (polled[1].revents)
			serve(listening);
	}
}
