/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sizes, times and counts as a person writes and reads them: "64M", "7d", "30.5 MiB", "3 days".
 * The daemon's configuration and cachefilesctl have the same ones. Nothing here allocates or logs.
 */
#pragma once

#include "util.h"

/*
 * Each reads the whole text. -EINVAL: it is none (a sign and blanks are not taken); -ERANGE: it is
 * one, and does not fit. *ret is untouched then.
 */
int quantity_parse_count(const char *text, uint64_t *ret);
/* Bytes: a count, and K, M, G or T in either case behind it for powers of 1024. */
int quantity_parse_size(const char *text, uint64_t *ret);
/* Seconds: a count, and s, m or min, h, d or w in small letters behind it. */
int quantity_parse_time(const char *text, uint64_t *ret);

/* For use in the argument list of a printf. */
struct quantity {
	char text[32];
};

/* As it would be parsed to the same: "64M", "65K", "90s", "2h". */
struct quantity quantity_exact_size(uint64_t bytes);
struct quantity quantity_exact_time(uint64_t seconds);

/* For reading: "512 B", "30.5 MiB"; "90 s", "3 min", "47 h", "3 days". */
struct quantity quantity_size(uint64_t bytes);
struct quantity quantity_time(uint64_t seconds);
/* Digits in groups: "41,200". */
struct quantity quantity_count(uint64_t count);
