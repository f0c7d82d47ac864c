#ifndef SKEIN_SANDBOX_H
#define SKEIN_SANDBOX_H

/*
 * Gives up, for good, what the helper does not need: capabilities, then system calls. 0, or -1 after
 * saying on standard error what failed. Works as root and with file capabilities alike.
 */
int sandbox_enter(void);

#endif
