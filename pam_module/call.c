/*
 * MUST 1: a request that the daemon may have processed is never sent again, unless it changes nothing:
 *         sent twice, a right code would be a replay, and a wrong one would count twice.
 */
#include "call.h"

#include "deadline.h"
#include "transport.h"

#include <unistd.h>

#define RETRY_MS 20

static enum call_end try_once(const char *socket, uid_t server_uid, struct arena *arena, struct call *call) {
    int fd = transport_connect(socket, server_uid, call->deadline);
    if (fd < 0) {
        return fd == TRANSPORT_LATE ? CALL_LATE : fd == TRANSPORT_DISTRUSTED ? CALL_DISTRUSTED : CALL_AWAY;
    }
    enum call_end end = http2_call(fd, arena, call);
    (void)close(fd);
    return end;
}

enum call_end call_daemon(const char *socket, uid_t server_uid, struct arena *arena, struct call *call) {
    const size_t mark = arena->used;
    for (;;) {
        enum call_end end = try_once(socket, server_uid, arena, call);
        bool again = end == CALL_UNPROCESSED || (end == CALL_LOST && call->repeatable);
        if (!again) {
            return end;
        }
        if (!deadline_allows_pause(call->deadline, RETRY_MS)) {
            return CALL_LATE;
        }
        arena_rewind(arena, mark);
    }
}
