#define _GNU_SOURCE
#include "deadline.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <time.h>

int64_t deadline_in(int64_t milliseconds) {
    struct timespec now = {.tv_sec = 0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + milliseconds;
}

int deadline_left(int64_t deadline) {
    int64_t left = deadline - deadline_in(0);
    return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

bool deadline_allows_pause(int64_t deadline, int64_t milliseconds) {
    int64_t end = deadline_in(milliseconds);
    struct timespec until = {.tv_sec = (time_t)(end / 1000), .tv_nsec = (long)(end % 1000) * 1000000};
    if (end >= deadline) {
        return false;
    }
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
        continue;
    }
    return true;
}

bool deadline_wait(int64_t deadline, int fd, short events) {
    struct pollfd wanted = {.fd = fd, .events = events};
    int left = deadline_left(deadline);
    int ready = 0;
    while (left > 0 && (ready = poll(&wanted, 1, left)) < 0 && errno == EINTR) {
        left = deadline_left(deadline);
    }
    return ready > 0;
}
