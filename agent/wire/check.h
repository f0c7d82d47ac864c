#ifndef SKEIN_CHECK_H
#define SKEIN_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* Shapes of names and paths that requests may hold. All pure. */

/* 1..max of [A-Za-z0-9_] and of the characters in `extra`. */
bool check_name(const char *text, size_t max, const char *extra);

/* Network device names as the kernel's dev_valid_name() has them. */
bool check_device(const char *text);

/* Absolute and shorter than PATH_MAX. */
bool check_absolute(const char *text);

/*
 * A path below the pin root: 1..8 components of [A-Za-z0-9_-]{1,64}, joined by single slashes. So it
 * can neither climb ("..") nor be absolute; and bpffs reserves names with dots.
 */
bool check_pin_path(const char *text);

#endif
