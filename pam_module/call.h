/* One unary gRPC call, on a fresh connection. */
#ifndef NIGHTLATCH_CALL_H
#define NIGHTLATCH_CALL_H

#include "arena.h"

#include <stdint.h>
#include <sys/types.h>

enum call_end {
    CALL_ODD,         /* the answer was not what gRPC and HTTP/2 say; the start of every call */
    CALL_ANSWERED,    /* HTTP 200, a complete stream, grpc-status 0; the reply holds what came */
    CALL_STATUS,      /* a complete stream with another grpc-status */
    CALL_UNPROCESSED, /* the server has surely not seen the request: it may be sent again */
    CALL_LOST,        /* the connection ended before an answer began; it may have been processed */
    CALL_LATE,        /* the deadline passed */
    CALL_DISTRUSTED,  /* the server is not the daemon; nothing was sent */
    CALL_AWAY,        /* no connection, and waiting would not help */
};

struct call {
    const char *path;     /* "/nightlatch.v1.LoginService/BeginLogin" */
    struct bytes request; /* framed */
    bool repeatable;      /* changes nothing, so it may be sent again after the connection was lost */
    int64_t deadline;     /* for all of it, connecting included */
    struct bytes reply;   /* framed, in the arena; with CALL_ANSWERED */
    int status;           /* the grpc-status; with CALL_STATUS */
};

/* Makes the call over a connected, checked descriptor. */
enum call_end http2_call(int fd, struct arena *arena, struct call *call);
/*
 * Connects, makes the call, and makes it again where that is safe, all within its deadline.
 * What it takes from the arena stays there for the caller to rewind.
 */
enum call_end call_daemon(const char *socket, uid_t server_uid, struct arena *arena, struct call *call);

#endif
