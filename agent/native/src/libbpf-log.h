#ifndef SKEIN_LIBBPF_LOG_H
#define SKEIN_LIBBPF_LOG_H

/* libbpf explains its failures by printing. Standard output is the protocol's, so warnings are kept here. */
void libbpf_log_install(void);
void libbpf_log_reset(void);

/* The last warning since the reset, without its line end; `otherwise` when there was none. */
const char *libbpf_log_last(const char *otherwise);

#endif
