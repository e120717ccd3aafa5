/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the directives "max_size", "max_files", "min_free", "max_age" and "volume" are read, written
 * and compared: types for the table of directives.c. Nothing here logs.
 */
#pragma once

#include "directives.h"

/* Of these the directive's offset is that in struct rules; 0 there stands for none. */
extern const struct directive_type type_quota_size;
extern const struct directive_type type_quota_count;
extern const struct directive_type type_quota_time;

extern const struct directive_type type_volume;
