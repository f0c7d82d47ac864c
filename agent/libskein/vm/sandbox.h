#ifndef SKEIN_VM_SANDBOX_H
#define SKEIN_VM_SANDBOX_H

/*
 * Gives up, for good, every capability and all system calls but those for memory and for the files that are open, so
 * that machine code run here reaches nothing outside of the process. 0, or -1 after saying on standard error what failed.
 */
int sandbox_enter(void);

#endif
