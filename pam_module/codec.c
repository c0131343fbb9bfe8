/*
 * MUST 1: a reply counts only as exactly one uncompressed message, whose length is the announced one.
 * MUST 2: no text in it may hide a NUL: in C "alice\0x" would read "alice". Such a text is shorter when it
 *         is written again, so the rewritten length must be the received one; unknown fields are kept in it.
 */
#include "codec.h"

#include <string.h>

#define FRAME 5U /* one byte "compressed", four bytes length, before each gRPC message */

static bool frame(struct arena *arena, const ProtobufCMessage *message, struct bytes *request) {
    size_t length = protobuf_c_message_get_packed_size(message);
    unsigned char *data = arena_take(arena, FRAME + length);
    if (data == NULL) { return false; }
    for (unsigned i = 0; i < 4; i++) {
        data[1 + i] = (unsigned char)(length >> (24 - 8 * i) & 0xff);
    }
    (void)protobuf_c_message_pack(message, data + FRAME);
    *request = (struct bytes){.data = data, .length = FRAME + length};
    return true;
}

/* The casts below: protobuf-c has no const strings, but does not write to what it packs. */
bool codec_begin(struct arena *arena, const struct beginning *beginning, struct bytes *request) {
    Nightlatch__V1__Origin origin = NIGHTLATCH__V1__ORIGIN__INIT;
    Nightlatch__V1__BeginLoginRequest message = NIGHTLATCH__V1__BEGIN_LOGIN_REQUEST__INIT;
    Nightlatch__V1__Evidence pieces[KEYS_MAX], *evidence[KEYS_MAX];
    for (size_t i = 0; i < beginning->evidence.count; i++) {
        nightlatch__v1__evidence__init(evidence[i] = &pieces[i]);
        pieces[i].kind_case = NIGHTLATCH__V1__EVIDENCE__KIND_SSH_PUBLIC_KEY;
        pieces[i].ssh_public_key = (char *)beginning->evidence.keys[i];
    }
    origin.remote_host = (char *)beginning->remote_host;
    origin.terminal = (char *)beginning->terminal;
    message.user = (char *)beginning->user;
    message.service = (char *)beginning->service;
    message.origin = &origin;
    message.primary = beginning->primary;
    message.n_evidence = beginning->evidence.count;
    message.evidence = evidence;
    return frame(arena, &message.base, request);
}

bool codec_answer(struct arena *arena, struct bytes ticket, const char *answer, struct bytes *request) {
    Nightlatch__V1__AnswerLoginRequest message = NIGHTLATCH__V1__ANSWER_LOGIN_REQUEST__INIT;
    message.ticket = (ProtobufCBinaryData){.len = ticket.length, .data = ticket.data};
    message.answer = (ProtobufCBinaryData){.len = strlen(answer), .data = (uint8_t *)answer};
    return frame(arena, &message.base, request);
}

static bool unframe(struct bytes reply, struct bytes *message) {
    if (reply.length < FRAME || reply.data[0] != 0) { return false; }
    size_t length = 0;
    for (unsigned i = 0; i < 4; i++) {
        length = length << 8 | reply.data[1 + i];
    }
    *message = (struct bytes){.data = reply.data + FRAME, .length = reply.length - FRAME};
    return length == message->length;
}

static const ProtobufCMessage *unpack(struct arena *arena, const ProtobufCMessageDescriptor *kind,
                                      struct bytes reply) {
    struct bytes packed;
    if (!unframe(reply, &packed)) { return NULL; }
    ProtobufCAllocator allocator = arena_protobuf(arena);
    ProtobufCMessage *message = protobuf_c_message_unpack(kind, &allocator, packed.length, packed.data);
    bool same = message != NULL && protobuf_c_message_get_packed_size(message) == packed.length;
    return same ? message : NULL;
}

static const Nightlatch__V1__Step *checked(const Nightlatch__V1__Step *step) {
    if (step == NULL || step->kind_case == NIGHTLATCH__V1__STEP__KIND__NOT_SET) { return NULL; }
    bool ticketed = step->ticket.len > 0 && step->ticket.len <= TICKET_MAX;
    return ticketed || step->kind_case == NIGHTLATCH__V1__STEP__KIND_OUTCOME ? step : NULL;
}

const Nightlatch__V1__Step *codec_begin_step(struct arena *arena, struct bytes reply) {
    const Nightlatch__V1__BeginLoginResponse *response =
        (const void *)unpack(arena, &nightlatch__v1__begin_login_response__descriptor, reply);
    return response == NULL ? NULL : checked(response->step);
}

const Nightlatch__V1__Step *codec_answer_step(struct arena *arena, struct bytes reply) {
    const Nightlatch__V1__AnswerLoginResponse *response =
        (const void *)unpack(arena, &nightlatch__v1__answer_login_response__descriptor, reply);
    return response == NULL ? NULL : checked(response->step);
}
