/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mounts.h"

#include <arpa/inet.h>
#include <libmount.h>
#include <stdio.h>
#include <sys/sysmacros.h>

struct nfs_volume {
	unsigned int version;
	char server[64]; /* as inet_ntop writes it */
	char fsid[40];	 /* "1a:0" */
	dev_t device;
};

struct mounts {
	struct nfs_volume *volumes;
	size_t count;
	struct libmnt_table *table;
};

/* The address of /proc/fs/nfsfs/volumes: 8 or 32 digits without a point. */
static bool read_address(const char *hex, char *ret, size_t size)
{
	unsigned char bytes[16];
	size_t length = strlen(hex) / 2;

	if ((length != 4 && length != 16) || strlen(hex) % 2 != 0)
		return false;
	for (size_t i = 0; i < length; i++)
		if (sscanf(hex + 2 * i, "%2hhx", &bytes[i]) != 1)
			return false;
	return inet_ntop(length == 4 ? AF_INET : AF_INET6, bytes, ret, (socklen_t)size);
}

/* "v4 0a000202  801 0:47         1a:0                              yes" */
static bool read_volume(const char *line, struct nfs_volume *ret)
{
	unsigned int major, minor;
	char address[40];

	if (sscanf(line, "v%u %39s %*s %u:%u %39s", &ret->version, address, &major, &minor,
		   ret->fsid) != 5)
		return false;
	ret->device = makedev(major, minor);
	return read_address(address, ret->server, sizeof(ret->server));
}

static void read_volumes(struct mounts *m, const char *path)
{
	FILE *from = fopen(path, "re");
	char line[256];

	while (from && fgets(line, sizeof(line), from)) {
		struct nfs_volume volume, *all;

		if (!read_volume(line, &volume)) /* the heading */
			continue;
		all = reallocarray(m->volumes, m->count + 1, sizeof(*all));
		if (!all)
			break;
		all[m->count++] = volume;
		m->volumes = all;
	}
	if (from)
		fclose(from);
}

struct mounts *mounts_read(const char *proc)
{
	struct mounts *m = calloc(1, sizeof(*m));
	char path[256];

	if (!m)
		return NULL;
	snprintf(path, sizeof(path), "%s/fs/nfsfs/volumes", proc);
	read_volumes(m, path);
	snprintf(path, sizeof(path), "%s/self/mountinfo", proc);
	m->table = m->count > 0 ? mnt_new_table_from_file(path) : NULL;
	return m;
}

struct mounts *mounts_free(struct mounts *m)
{
	if (m) {
		mnt_unref_table(m->table);
		free(m->volumes);
		free(m);
	}
	return NULL;
}

/* Whether that is the name of such a volume; a port that is not the usual one is behind an @. */
static bool is_of(const struct nfs_volume *v, const char *name)
{
	char begin[80];
	int length = snprintf(begin, sizeof(begin), "nfs%u.", v->version);
	const char *rest;

	if (strncmp(name, begin, (size_t)length) != 0)
		return false;
	rest = strchr(name, ':');
	length = snprintf(begin, sizeof(begin), ":%s", v->server);
	if (!rest || strncmp(rest, begin, (size_t)length) != 0)
		return false;
	rest += length;
	if (*rest == '@')
		rest += strcspn(rest, ":");
	return *rest == ':' && streq(rest + 1, v->fsid);
}

const char *mounts_source(struct mounts *m, const char *name)
{
	for (size_t i = 0; m && m->table && i < m->count; i++) {
		struct libmnt_fs *fs;

		if (!is_of(&m->volumes[i], name))
			continue;
		fs = mnt_table_find_devno(m->table, m->volumes[i].device, MNT_ITER_FORWARD);
		if (fs)
			return mnt_fs_get_source(fs);
	}
	return NULL;
}
