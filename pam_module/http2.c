/*
 * MUST 1: CALL_ANSWERED needs all of: HTTP status 200, a gRPC content type, a stream that its sender has
 *         ended, one grpc-status in the last header block, of value 0. Nothing else counts as an answer.
 * MUST 2: CALL_UNPROCESSED only where it is certain: the request never left us, or HTTP/2 guarantees it
 *         (RFC 9113, section 8.7: REFUSED_STREAM, or GOAWAY with a lower last stream).
 * MUST 3: a request that changes something leaves only after the server's SETTINGS have come, so that a
 *         listener that accepts and hangs up while the daemon restarts costs nobody their code.
 * MUST 4: a request that the daemon may have processed is never sent again, unless it changes nothing:
 *         sent twice, a right code would be a replay, and a wrong one would count twice.
 */
#include "call.h"

#include "codec.h"
#include "transport.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Small, because each page that is used first costs more than what is copied into it; a reply may grow. */
#define IN_SIZE 4096U
#define REPLY_FIRST 2048U
#define OUT_ROOM(request) ((request) + 2048U)
#define RETRY_MS 20

struct exchange {
    struct call *call;
    struct arena *arena;
    size_t reply_size; /* room in call->reply */
    struct bytes out;  /* what goes out in one piece */
    nghttp2_session *session;
    int fd;
    int32_t stream;  /* 0 until the request is submitted */
    size_t offered;  /* bytes of the request that nghttp2 has taken */
    bool sent;       /* some of them may have reached the server */
    bool deaf;       /* the server reads no more; what it has sent before is still there */
    bool settled;    /* the server's SETTINGS have come */
    bool refused;    /* HTTP/2 says: not processed */
    bool begun;      /* some of an answer has come */
    bool http_ok;    /* HTTP status 200 */
    bool grpc_typed; /* content-type application/grpc */
    bool answering;  /* the first header block has come and was right */
    bool ended;      /* the sender has ended the answer */
    bool closed;     /* the stream is closed on both sides */
    bool odd;        /* something was wrong */
    int status;      /* grpc-status of the last header block, -1 for none */
};

static bool is(const uint8_t *text, size_t length, const char *wanted) {
    return length == strlen(wanted) && memcmp(text, wanted, length) == 0;
}

/* Reads "0" to "99", as gRPC writes them; -1 for anything else. */
static int read_status(const uint8_t *text, size_t length) {
    int status = 0;
    if (length == 0 || length > 2 || (length == 2 && text[0] == '0')) { return -1; }
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') { return -1; }
        status = status * 10 + (text[i] - '0');
    }
    return status;
}

static ssize_t give_request(nghttp2_session *session, int32_t stream, uint8_t *buffer, size_t size,
                            uint32_t *flags, nghttp2_data_source *source, void *user) {
    struct exchange *x = user;
    size_t left = x->call->request.length - x->offered;
    size_t count = left < size ? left : size;
    (void)session, (void)stream, (void)source;
    memcpy(buffer, x->call->request.data + x->offered, count);
    x->offered += count;
    if (count == left) { *flags |= NGHTTP2_DATA_FLAG_EOF; }
    return (ssize_t)count;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t size, uint8_t flags, void *user) {
    static const char grpc[] = "application/grpc";
    struct exchange *x = user;
    (void)session, (void)frame, (void)flags; /* we have one stream; a pushed one is a protocol error */
    x->begun = true;
    if (is(name, name_size, ":status")) {
        x->http_ok = is(value, size, "200");
    } else if (is(name, name_size, "content-type")) {
        x->grpc_typed = size >= sizeof grpc - 1 && memcmp(value, grpc, sizeof grpc - 1) == 0;
    } else if (is(name, name_size, "grpc-status")) {
        x->odd = x->odd || x->status >= 0; /* there are two */
        x->status = read_status(value, size);
        x->odd = x->odd || x->status < 0;
    }
    return 0;
}

static void end_block(struct exchange *x, bool last) {
    x->odd = x->odd || (x->answering ? !last : !x->http_ok || !x->grpc_typed);
    x->answering = true;
    x->ended = x->ended || last;
    x->status = last ? x->status : -1; /* it counts in the last block only */
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
    struct exchange *x = user;
    bool last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    (void)session;
    if (frame->hd.type == NGHTTP2_SETTINGS) {
        x->settled = true;
    } else if (frame->hd.type == NGHTTP2_GOAWAY) { /* a submitted stream is closed by nghttp2 if it must */
        x->refused = x->refused || x->stream == 0;
    } else if (frame->hd.type == NGHTTP2_HEADERS) {
        end_block(x, last);
    } else if (frame->hd.type == NGHTTP2_DATA) { /* the status must still come */
        x->odd = x->odd || last;
    }
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data, size_t size,
                   void *user) {
    struct exchange *x = user;
    struct bytes *reply = &x->call->reply;
    (void)session, (void)flags, (void)stream;
    if (size > REPLY_MAX - reply->length) { return NGHTTP2_ERR_CALLBACK_FAILURE; }
    if (size > x->reply_size - reply->length) {
        unsigned char *larger = arena_take(x->arena, REPLY_MAX);
        if (larger == NULL) { return NGHTTP2_ERR_CALLBACK_FAILURE; }
        memcpy(larger, reply->data, reply->length);
        reply->data = larger;
        x->reply_size = REPLY_MAX;
    }
    memcpy(reply->data + reply->length, data, size);
    reply->length += size;
    return 0;
}

static int on_close(nghttp2_session *session, int32_t stream, uint32_t error, void *user) {
    struct exchange *x = user;
    (void)session, (void)stream;
    x->closed = true;
    x->refused = x->refused || error == NGHTTP2_REFUSED_STREAM;
    x->odd = x->odd || (error != NGHTTP2_NO_ERROR && error != NGHTTP2_REFUSED_STREAM);
    return 0;
}

/* A client sends GOAWAY, and resets its own stream, only for an answer that breaks the protocol. */
static int on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
    struct exchange *x = user;
    (void)session;
    x->odd = x->odd || frame->hd.type == NGHTTP2_GOAWAY || frame->hd.type == NGHTTP2_RST_STREAM;
    return 0;
}

static bool open_session(struct exchange *x, struct arena *arena) {
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_mem memory = arena_nghttp2(arena);
    const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}};
    if (nghttp2_session_callbacks_new(&callbacks) != 0) { return false; }
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_sent);
    int error = nghttp2_session_client_new3(&x->session, callbacks, x, NULL, &memory);
    nghttp2_session_callbacks_del(callbacks);
    return error == 0 && nghttp2_submit_settings(x->session, NGHTTP2_FLAG_NONE, settings, 1) == 0;
}

static nghttp2_nv header(const char *name, const char *value) {
    return (nghttp2_nv){.name = (uint8_t *)name, /* not written to: the interface has no const */
                        .value = (uint8_t *)value,
                        .namelen = strlen(name),
                        .valuelen = strlen(value)};
}

static bool submit(struct exchange *x) {
    char timeout[24];
    nghttp2_data_provider body = {.read_callback = give_request};
    (void)snprintf(timeout, sizeof timeout, "%dm", deadline_left(x->call->deadline));
    const nghttp2_nv headers[] = {
        header(":method", "POST"),       header(":scheme", "http"),
        header(":path", x->call->path),  header(":authority", "localhost"),
        header("te", "trailers"),        header("content-type", "application/grpc"),
        header("grpc-timeout", timeout), header("user-agent", "pam_nightlatch"),
    };
    x->stream =
        nghttp2_submit_request(x->session, NULL, headers, sizeof headers / sizeof *headers, &body, NULL);
    return x->stream > 0;
}

static int send_out(struct exchange *x) {
    size_t count = 0;
    int error = transport_send(x->fd, x->out.data, x->out.length, x->call->deadline, &count);
    x->sent = x->sent || (x->offered > 0 && count > 0);
    x->out.length = 0;
    return error;
}

/* Sends all that nghttp2 has to say, in as few pieces as fit. */
static int flush(struct exchange *x) {
    const size_t room = OUT_ROOM(x->call->request.length);
    const uint8_t *data = NULL;
    ssize_t count = 0;
    while ((count = nghttp2_session_mem_send(x->session, &data)) > 0 && (size_t)count <= room) {
        int error = (size_t)count > room - x->out.length ? send_out(x) : 0;
        if (error != 0) { return error; }
        memcpy(x->out.data + x->out.length, data, (size_t)count);
        x->out.length += (size_t)count;
    }
    x->odd = x->odd || count != 0;
    return send_out(x);
}

/* Sends and receives until the stream is closed, something is wrong, or nothing can follow. */
static int run(struct exchange *x, unsigned char *in) {
    for (;;) {
        bool due = x->stream == 0 && (x->call->repeatable || x->settled) && !x->refused;
        x->odd = x->odd || (due && !submit(x));
        int error = x->deaf ? 0 : flush(x);
        x->deaf = x->deaf || error == TRANSPORT_CLOSED;
        if (error == TRANSPORT_LATE || x->closed || x->odd || x->refused) {
            return error == TRANSPORT_LATE ? error : 0;
        }
        ssize_t count = transport_receive(x->fd, in, IN_SIZE, x->call->deadline);
        if (count < 0) { return (int)count; }
        x->odd = nghttp2_session_mem_recv(x->session, in, (size_t)count) != count || x->odd;
    }
}

static enum call_end judge(struct exchange *x, int error) {
    if (error == TRANSPORT_LATE) { return CALL_LATE; }
    if (!x->begun && !x->odd && (x->refused || (error != 0 && !x->sent))) { return CALL_UNPROCESSED; }
    if (error != 0) { return x->begun || x->odd ? CALL_ODD : CALL_LOST; }
    if (x->odd || x->refused || !x->answering || !x->ended || !x->closed || x->status < 0) {
        return CALL_ODD;
    }
    x->call->status = x->status;
    return x->status == 0 ? CALL_ANSWERED : CALL_STATUS;
}

enum call_end http2_call(int fd, struct arena *arena, struct call *call) {
    struct exchange x = {.call = call, .arena = arena, .fd = fd, .status = -1, .reply_size = REPLY_FIRST};
    unsigned char *in = arena_take(arena, IN_SIZE);
    enum call_end end = CALL_ODD;
    x.out.data = arena_take(arena, OUT_ROOM(call->request.length));
    call->reply = (struct bytes){.data = arena_take(arena, REPLY_FIRST)};
    if (in != NULL && x.out.data != NULL && call->reply.data != NULL && open_session(&x, arena)) {
        end = judge(&x, run(&x, in));
    }
    nghttp2_session_del(x.session);
    return end;
}

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
        if (!again) { return end; }
        if (!deadline_allows_pause(call->deadline, RETRY_MS)) { return CALL_LATE; }
        arena_rewind(arena, mark);
    }
}
