/*
 * The EAL's and the drivers' log lines come through here, into ours: the level is kept, known noise
 * about things that Clowder does not use goes to debug, and while a device is opened the last error
 * is caught, so that the user is told in the driver's own words what went wrong. The EAL has one
 * log stream per process, and so this file has one of its own.
 */
#ifndef NIC_EAL_LOG_H
#define NIC_EAL_LOG_H

#include <stddef.h>

/* Makes log.h the EAL's log stream. Before the EAL starts; 0 or -errno. */
int eal_log_open(void);

/*
 * From here to eal_log_catch_end() errors that the calling thread logs are kept, not shown (debug
 * shows them). One catcher at a time: the control thread.
 */
void eal_log_catch_begin(void);
/* The last error caught, without its newline, or "" ; valid until the next begin. */
const char *eal_log_catch_end(void);

#endif
