/*
 * MUST 1: nothing is sent before the socket and its directory are seen to belong to root or the daemon's
 *         user, the directory to be writable by nobody else, and neither to be a symbolic link.
 * MUST 2: nothing is sent before the kernel has named root or the daemon's user as the listener. This
 *         check, made on the connection itself, is the one that a change of the path cannot overtake.
 * MUST 3: every wait ends at the one deadline of the call.
 * MUST 4: no signal is raised in, and no descriptor inherited from, the program that we are a guest of.
 */
#define _GNU_SOURCE
#include "transport.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define RETRY_MS 20

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
    if (end >= deadline) { return false; }
    int error = EINTR;
    while (error == EINTR) {
        error = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    }
    return true;
}

/* Waits until poll(2) says that `events` are possible; false when the deadline passed first. */
static bool deadline_wait(int64_t deadline, int fd, short events) {
    struct pollfd wanted = {.fd = fd, .events = events};
    int left = deadline_left(deadline);
    int ready = 0;
    while (left > 0 && (ready = poll(&wanted, 1, left)) < 0 && errno == EINTR) {
        left = deadline_left(deadline);
    }
    return ready > 0;
}

static bool is_trusted(uid_t uid, uid_t server_uid) {
    return uid == 0 || uid == server_uid;
}

/* What a failed look or connect means: a daemon that restarts leaves these three behind for a moment. */
static int away(int error) {
    return error == ENOENT || error == ECONNREFUSED || error == EAGAIN ? TRANSPORT_CLOSED : TRANSPORT_AWAY;
}

static int check_path(const char *path, uid_t server_uid) {
    const char *name = strrchr(path, '/') + 1; /* the options hold absolute paths only */
    char directory[TRANSPORT_PATH_MAX] = "/";
    if (name - path > 1) { memcpy(directory, path, (size_t)(name - path - 1)); }
    int fd = open(directory, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) { return errno == ENOTDIR || errno == ELOOP ? TRANSPORT_DISTRUSTED : away(errno); }
    int error = TRANSPORT_DISTRUSTED;
    struct stat seen;
    if (fstat(fd, &seen) != 0 || !is_trusted(seen.st_uid, server_uid) || (seen.st_mode & 022) != 0) {
        goto done;
    }
    if (fstatat(fd, name, &seen, AT_SYMLINK_NOFOLLOW) != 0) {
        error = away(errno);
        goto done;
    }
    if (S_ISSOCK(seen.st_mode) && is_trusted(seen.st_uid, server_uid)) { error = 0; }
done:
    (void)close(fd);
    return error;
}

static int check_peer(int fd, uid_t server_uid) {
    struct ucred peer = {.uid = (uid_t)-1};
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || size != sizeof peer) {
        return TRANSPORT_DISTRUSTED;
    }
    return is_trusted(peer.uid, server_uid) ? 0 : TRANSPORT_DISTRUSTED;
}

static int connect_once(const char *path, uid_t server_uid) {
    int error = check_path(path, server_uid);
    if (error != 0) { return error; }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) { return TRANSPORT_AWAY; }
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        error = away(errno);
    } else {
        error = check_peer(fd, server_uid);
    }
    if (error == 0) { return fd; }
    (void)close(fd);
    return error;
}

int transport_connect(const char *path, uid_t server_uid, int64_t deadline) {
    for (;;) {
        int fd = connect_once(path, server_uid);
        if (fd != TRANSPORT_CLOSED) { return fd; }
        if (!deadline_allows_pause(deadline, RETRY_MS)) { return TRANSPORT_LATE; }
    }
}

int transport_send(int fd, const void *data, size_t length, int64_t deadline, size_t *sent) {
    const unsigned char *at = data;
    while (length > 0) {
        ssize_t count = send(fd, at, length, MSG_NOSIGNAL);
        if (count > 0) {
            at += count;
            length -= (size_t)count;
            *sent += (size_t)count;
        } else if (errno == EAGAIN) {
            if (!deadline_wait(deadline, fd, POLLOUT)) { return TRANSPORT_LATE; }
        } else if (errno != EINTR) {
            return TRANSPORT_CLOSED;
        }
    }
    return 0;
}

ssize_t transport_receive(int fd, void *data, size_t size, int64_t deadline) {
    while (deadline_wait(deadline, fd, POLLIN)) {
        ssize_t count = recv(fd, data, size, 0);
        if (count > 0) { return count; }
        if (count == 0 || (errno != EAGAIN && errno != EINTR)) { return TRANSPORT_CLOSED; }
    }
    return TRANSPORT_LATE;
}
