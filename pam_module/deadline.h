/* Absolute points in time, in milliseconds of CLOCK_MONOTONIC. */
#ifndef NIGHTLATCH_DEADLINE_H
#define NIGHTLATCH_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

int64_t deadline_in(int64_t milliseconds);
/* Milliseconds that are left, 0 when it has passed; never more than an int holds, as poll(2) wants it. */
int deadline_left(int64_t deadline);
/* Sleeps, whatever signals come; false without sleeping when the deadline would pass meanwhile. */
bool deadline_allows_pause(int64_t deadline, int64_t milliseconds);
/* Waits until poll(2) says that `events` are possible; false when the deadline passed first. */
bool deadline_wait(int64_t deadline, int fd, short events);

#endif
