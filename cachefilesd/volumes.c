/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "volumes.h"

#include <arpa/inet.h>
#include <fnmatch.h>
#include <stdio.h>

#include "store.h"

struct volume *volumes_add(struct volumes *v, const char *key)
{
	struct volume *items;

	if (v->count == VOLUMES_MAX) {
		v->other_count++;
		v->others.rule = -1;
		return &v->others;
	}
	if ((v->count & (v->count - 1)) == 0) { /* room for twice as many at each power of two */
		items = reallocarray(v->items, v->count ? v->count * 2 : 1, sizeof(*items));
		if (!items)
			return NULL;
		v->items = items;
	}
	v->items[v->count] = (struct volume){.key = strdup(key), .rule = -1};
	return v->items[v->count].key ? &v->items[v->count++] : NULL;
}

void volumes_count(struct volumes *v, struct volume *volume, int64_t used, uint64_t blocks)
{
	volume->objects++;
	volume->blocks += blocks;
	if (volume->oldest == 0 || used < volume->oldest)
		volume->oldest = used;
	if (volume->newest == 0 || used > volume->newest)
		volume->newest = used;
	v->objects++;
	v->blocks += blocks;
	if (v->oldest == 0 || used < v->oldest)
		v->oldest = used;
}

void volumes_clear(struct volumes *v)
{
	for (size_t i = 0; i < v->count; i++)
		free(v->items[i].key);
	free(v->items);
	*v = (struct volumes){0};
}

/* What an NFS key says; the fields are in nfs_fscache_get_super_cookie(). */
struct nfs_key {
	unsigned int version, minor, family;
	uint64_t port, address[4], fsid[2];
	size_t length; /* of the part of the key that says it */
};

/* One more ",%x", of which a zero is written as nothing. */
static bool take_hex(const char **at, uint64_t *ret)
{
	char *end;

	if (**at != ',')
		return false;
	++*at;
	*ret = 0;
	if (strchr("0123456789abcdef", **at) && **at) {
		*ret = strtoull(*at, &end, 16);
		*at = end;
	}
	return **at == ',' || **at == '\0';
}

static bool parse_nfs(const char *key, struct nfs_key *ret)
{
	const char *at;
	size_t words;
	int used = 0;

	if (sscanf(key, "Infs,%1u.%2u,%2x%n", &ret->version, &ret->minor, &ret->family, &used) != 3)
		return false;
	at = key + used;
	if (ret->family != AF_INET && ret->family != AF_INET6)
		return false;
	words = ret->family == AF_INET ? 1 : 4;
	if (!take_hex(&at, &ret->port))
		return false;
	for (size_t i = 0; i < words; i++)
		if (!take_hex(&at, &ret->address[i]))
			return false;
	if (!take_hex(&at, &ret->fsid[0]) || !take_hex(&at, &ret->fsid[1]))
		return false;
	ret->length = (size_t)(at - key);
	return true;
}

static void describe_nfs(const struct nfs_key *nfs, char *buffer, size_t size)
{
	char address[INET6_ADDRSTRLEN] = "?", port[16] = "";
	uint32_t words[4];

	/* As they lie in memory: in the order of the network. */
	for (size_t i = 0; i < 4; i++)
		words[i] = (uint32_t)nfs->address[i];
	inet_ntop((int)nfs->family, words, address, sizeof(address));
	if (nfs->port)
		snprintf(port, sizeof(port), "@%u", ntohs((uint16_t)nfs->port));
	snprintf(buffer, size, "nfs%u.%u:%s%s:%llx:%llx", nfs->version, nfs->minor, address, port,
		 (unsigned long long)nfs->fsid[0], (unsigned long long)nfs->fsid[1]);
}

struct volume_name volume_readable(const char *key)
{
	static const char *const others[] = {"Icifs,", "I9p,", "Iafs,", "Iceph,"};
	struct volume_name name;
	struct nfs_key nfs;

	if (parse_nfs(key, &nfs)) {
		describe_nfs(&nfs, name.text, sizeof(name.text));
		return name;
	}
	store_readable(key + (*key == 'I'), name.text, sizeof(name.text));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (strncmp(key, others[i], strlen(others[i])) == 0)
			for (char *c = name.text; *c; c++)
				*c = (char)(*c == ',' ? ':' : *c);
	return name;
}

bool volume_matches(const char *pattern, const char *key)
{
	return fnmatch(pattern, key, 0) == 0 || fnmatch(pattern, key + (*key == 'I'), 0) == 0 ||
	       fnmatch(pattern, volume_readable(key).text, 0) == 0;
}

/* Only NFS has mount options in its keys: behind what says server and export. */
static bool has_live_sibling(const struct volumes *v, const struct volume *volume)
{
	struct nfs_key nfs;

	if (!parse_nfs(volume->key, &nfs))
		return false;
	for (size_t i = 0; i < v->count; i++) {
		const struct volume *other = &v->items[i];

		if (other->live && strncmp(other->key, volume->key, nfs.length) == 0 &&
		    (other->key[nfs.length] == ',' || other->key[nfs.length] == '\0'))
			return true;
	}
	return false;
}

void volumes_find_orphans(struct volumes *v)
{
	for (size_t i = 0; i < v->count; i++) {
		struct volume *volume = &v->items[i];

		volume->orphan = !volume->live && has_live_sibling(v, volume);
	}
}
