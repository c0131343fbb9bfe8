/*
 * The unix socket to the daemon: who owns it, who listens, and bytes with a deadline.
 * Deadlines are absolute points in time, in milliseconds of CLOCK_MONOTONIC.
 */
#ifndef NIGHTLATCH_TRANSPORT_H
#define NIGHTLATCH_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TRANSPORT_PATH_MAX 108U /* sun_path of unix(7), with its NUL */

enum transport_error {
    TRANSPORT_LATE = -1,       /* the deadline passed */
    TRANSPORT_CLOSED = -2,     /* the other side has gone */
    TRANSPORT_AWAY = -3,       /* nobody to connect to, and no hope that waiting helps */
    TRANSPORT_DISTRUSTED = -4, /* the socket, its directory or the listener is not the daemon's */
};

int64_t deadline_in(int64_t milliseconds);
/* Milliseconds that are left, 0 when it has passed; never more than an int holds, as poll(2) wants it. */
int deadline_left(int64_t deadline);
/* Sleeps, whatever signals come; false without sleeping when the deadline would pass meanwhile. */
bool deadline_allows_pause(int64_t deadline, int64_t milliseconds);

/*
 * Connects to the daemon at `path`, whose user is `server_uid` or root; waits for a daemon that restarts.
 * Returns a non-blocking descriptor that the caller closes, or a transport_error; nothing has been sent.
 */
int transport_connect(const char *path, uid_t server_uid, int64_t deadline);
/* Sends all of it. Returns 0 or a transport_error; adds to `sent` what the kernel has taken. */
int transport_send(int fd, const void *data, size_t length, int64_t deadline, size_t *sent);
/* Receives at least one byte. Returns how many, or a transport_error. */
ssize_t transport_receive(int fd, void *data, size_t size, int64_t deadline);

#endif
