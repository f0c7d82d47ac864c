#ifndef SKEIN_PIN_ROOT_H
#define SKEIN_PIN_ROOT_H

/* The directory in bpffs outside of which nothing is pinned: absolute, without a slash at its end. */
const char *pin_root(void);

/* Once, at the start. Keeps the path, and shortens it. -1: not an absolute path below /. */
int pin_root_set(char *path);

#endif
