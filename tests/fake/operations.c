// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The commands, with the kernel's answers.
 */
#include "fake.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096

/* cachefiles_daemon_brun and its five sisters */
static int set_percent(struct fake *f, enum fake_percent which, const char *args)
{
	uint64_t *three = f->percent + (which < FAKE_BRUN ? 0 : FAKE_BRUN), value;
	uint64_t run = three[0], cull = three[1], stop = three[2];
	char *end;

	if (!*args)
		return EINVAL;
	value = isdigit((unsigned char)*args) ? strtoull(args, &end, 10) : 0;
	if (!isdigit((unsigned char)*args))
		end = (char *)args;
	if (strcmp(end, "%") != 0)
		return EINVAL;
	switch (which % 3) {
	case 0:
		run = value;
		if (run <= cull || run >= 100)
			return EINVAL;
		break;
	case 1:
		cull = value;
		if (cull <= stop || cull >= run)
			return EINVAL;
		break;
	case 2:
		stop = value;
		if (stop >= cull)
			return EINVAL;
		break;
	}
	f->percent[which] = value;
	return 0;
}

static int make_directory(struct fake *f, struct fake_ends *ends, const char *name)
{
	char path[4200];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	if (lstat(path, &st) == 0)
		return S_ISDIR(st.st_mode) ? 0 : EIO;
	if (errno != ENOENT)
		return errno;
	if (fake_check_space(f, ends) != 0)
		return ENOBUFS;
	return mkdir(path, 0700) < 0 ? errno : 0;
}

/* cachefiles_daemon_bind, cachefiles_add_cache */
int fake_bind(struct fake *f, struct fake_ends *ends)
{
	struct stat st;
	int r;

	for (int i = 0; i < FAKE_PERCENTS; i += 3)
		if (f->percent[i + 2] >= f->percent[i + 1] || f->percent[i + 1] >= f->percent[i] ||
		    f->percent[i] >= 100)
			return ERANGE;
	if (!f->dir[0])
		return EINVAL;
	if (f->ready)
		return EBUSY;
	if (!f->tag[0])
		strcpy(f->tag, "CacheFiles");
	if (f->claim && f->frozen)
		return EAGAIN;
	if (f->read_only)
		return EROFS;
	if (stat(f->dir, &st) < 0)
		return errno;
	if (!S_ISDIR(st.st_mode))
		return ENOTDIR;
	for (int i = 0; i < FAKE_PERCENTS; i++)
		f->limit[i] =
			(i < FAKE_BRUN ? f->total_files : f->total_blocks) / 100 * f->percent[i];
	r = make_directory(f, ends, "cache");
	if (r == 0)
		r = make_directory(f, ends, "graveyard");
	if (r != 0)
		return r;
	f->ready = true;
	f->unbound = false;
	fake_count(f, FAKE_BINDS);
	fake_check_space(f, ends);
	return 0;
}

/* cachefiles_daemon_unbind_cmd */
static int unbind(struct fake *f, struct fake_ends *ends)
{
	if (!f->ready) {
		bool dead = f->dead;

		f->dead = false;
		return dead ? 0 : ENODATA;
	}
	f->ready = f->dead = false;
	if (f->culling)
		fake_fill(ends);
	f->culling = false;
	f->unbound = true;
	fake_count(f, FAKE_UNBINDS);
	fake_state_changed(f, ends);
	return 0;
}

/* cachefiles_daemon_yield */
static int set_yield(struct fake *f, const char *args)
{
	char *end;
	unsigned long ms = strtoul(args, &end, 10);

	if (!isdigit((unsigned char)*args) || *end || ms > 600000)
		return EINVAL;
	if (f->ready)
		return EBUSY;
	f->yield_ms = ms;
	return 0;
}

/*
 * The kernel culls wherever the thread stands; here a mistake of the daemon under test must not
 * cost the machine its files.
 */
static bool is_inside(struct fake *f)
{
	size_t length = strlen(f->root);
	char where[4200];
	ssize_t n;

	if (!f->guard)
		return true;
	n = readlink("/proc/thread-self/cwd", where, sizeof(where) - 1);
	if (n < 0)
		return false;
	where[n] = '\0';
	return strncmp(where, f->root, length) == 0 && (where[length] == '/' || !where[length]);
}

/* cachefiles_lookup_for_cull */
static int look_up(struct fake *f, const char *name, struct stat *st)
{
	if (strchr(name, '/'))
		return EINVAL;
	if (!f->ready || f->dead)
		return EIO;
	if (!is_inside(f)) {
		fake_count(f, FAKE_OUTSIDE);
		return EIO;
	}
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return EIO;
	if (fstatat(AT_FDCWD, name, st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? ENOENT : EIO;
	if (f->busy_count > 0 && fake_in_use(f, name)) {
		fake_count(f, FAKE_BUSY);
		return EBUSY;
	}
	return 0;
}

/* cachefiles_bury_object: a rename that fails kills the cache, and is no error of the command */
static int bury(struct fake *f, const char *name)
{
	char grave[4200];

	snprintf(grave, sizeof(grave), "%s/graveyard/%08x%08x", f->dir, (unsigned int)time(NULL),
		 ++f->graves);
	if (renameat(AT_FDCWD, name, AT_FDCWD, grave) < 0 && errno != ENOMEM && errno != ENOENT)
		f->dead = true;
	return 0;
}

int fake_cull(struct fake *f, const char *name, struct fake_record *record)
{
	struct stat st;
	int r = look_up(f, name, &st);

	if (r != 0)
		return r;
	if (record) {
		record->atime_ns = st.st_atim.tv_sec * INT64_C(1000000000) + st.st_atim.tv_nsec;
		record->blocks = (uint64_t)st.st_blocks;
	}
	if (S_ISDIR(st.st_mode)) {
		r = bury(f, name);
	} else if (fake_real.unlinkat(AT_FDCWD, name, 0) < 0) {
		if (errno == EIO)
			f->dead = true;
		r = errno == ENOENT ? ESTALE : errno == ENOMEM ? ENOMEM : EIO;
	} else if (st.st_nlink == 1) {
		fake_give_back(f, (uint64_t)st.st_blocks, 1);
	}
	if (r == 0)
		fake_count(f, FAKE_CULLS);
	return r;
}

int fake_inuse(struct fake *f, const char *name)
{
	struct stat st;

	return look_up(f, name, &st);
}

static int set_text(char *to, size_t size, const char *args, int second)
{
	if (!*args)
		return EINVAL;
	if (*to)
		return second;
	snprintf(to, size, "%s", args);
	return 0;
}

static int set_debug(const char *args)
{
	char *end;

	strtoul(args, &end, 0);
	return *end ? EINVAL : 0;
}

static int set_secctx(struct fake *f, const char *args)
{
	if (!*args || f->has_secctx)
		return EINVAL;
	f->has_secctx = true;
	return 0;
}

static int carry_out(struct fake *f, struct fake_ends *ends, const char *word, const char *args,
		     struct fake_record *record)
{
	static const char *const percents[] = {
		[FAKE_FRUN] = "frun", [FAKE_FCULL] = "fcull", [FAKE_FSTOP] = "fstop",
		[FAKE_BRUN] = "brun", [FAKE_BCULL] = "bcull", [FAKE_BSTOP] = "bstop",
	};

	if (strcmp(word, "cull") == 0)
		return fake_cull(f, args, record);
	if (strcmp(word, "inuse") == 0)
		return fake_inuse(f, args);
	if (strcmp(word, "bind") == 0)
		return *args ? EINVAL : fake_bind(f, ends);
	if (f->claim && strcmp(word, "unbind") == 0)
		return *args ? EINVAL : unbind(f, ends);
	if (f->claim && strcmp(word, "yield") == 0)
		return set_yield(f, args);
	if (strcmp(word, "dir") == 0)
		return set_text(f->dir, sizeof(f->dir), args, EEXIST);
	if (strcmp(word, "tag") == 0)
		return set_text(f->tag, sizeof(f->tag), args, EEXIST);
	if (strcmp(word, "secctx") == 0)
		return set_secctx(f, args);
	if (strcmp(word, "debug") == 0)
		return set_debug(args);
	for (int i = 0; i < FAKE_PERCENTS; i++)
		if (strcmp(word, percents[i]) == 0)
			return set_percent(f, (enum fake_percent)i, args);
	return EOPNOTSUPP;
}

/* Cuts a command up as cachefiles_daemon_write does. 0, or what is wrong with it. */
static int parse(char *line, size_t length, char **ret_args)
{
	char *args;

	if (memchr(line, '\0', length))
		return EINVAL;
	args = strchr(line, '\n');
	if (args == line)
		return EINVAL;
	if (args)
		*args = '\0';
	for (args = line; *args && !isspace((unsigned char)*args); args++)
		;
	if (*args) {
		if (args == line)
			return EOPNOTSUPP;
		*args++ = '\0';
		while (isspace((unsigned char)*args))
			args++;
	}
	*ret_args = args;
	return 0;
}

/* What is dead may be unbound. */
static bool may_revive(const struct fake *f, const char *data, size_t length)
{
	return f->claim && length == 6 && memcmp(data, "unbind", 6) == 0;
}

ssize_t fake_write(struct fake *f, struct fake_ends *ends, const char *data, size_t length)
{
	char line[PAGE], *args = line;
	struct fake_record *record = NULL;
	int r;

	fake_count(f, FAKE_WRITES);
	if ((f->dead && !may_revive(f, data, length)) || length > PAGE - 1) {
		r = f->dead ? EIO : EOPNOTSUPP;
		fake_log(f, data, length, r);
		return -r;
	}
	memcpy(line, data, length);
	line[length] = '\0';
	r = parse(line, length, &args);
	if (r == 0)
		r = fake_inject(f, line, args);
	fake_lock(f);
	record = fake_log(f, data, length, r);
	if (r == 0)
		r = f->dead && !may_revive(f, data, length)
			    ? EIO
			    : carry_out(f, ends, line, args, record);
	if (record)
		record->result = r;
	fake_unlock(f);
	return r == 0 ? (ssize_t)length : -r;
}
