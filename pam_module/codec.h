/* The messages of proto/nightlatch/v1/login.proto as plain values, and the gRPC frame around them. */
#ifndef NIGHTLATCH_CODEC_H
#define NIGHTLATCH_CODEC_H

#include "evidence.h"

#include "nightlatch/v1/login.pb-c.h"

#define REPLY_MAX 65536U  /* bytes of a reply with its frame */
#define TICKET_MAX 32768U /* bytes of a ticket: evidence travels in it */

struct beginning {
    const char *user;
    const char *service;
    const char *remote_host;
    const char *terminal;
    Nightlatch__V1__Primary primary;
    struct evidence evidence;
};

/* Framed requests in the arena; false when it is full. */
bool codec_begin(struct arena *arena, const struct beginning *beginning, struct bytes *request);
bool codec_answer(struct arena *arena, struct bytes ticket, const char *answer, struct bytes *request);
/*
 * The step in a whole reply, in the arena. NULL for anything but exactly one uncompressed message that
 * means the same when it is written again, with one kind of step, and a ticket where one is due.
 */
const Nightlatch__V1__Step *codec_begin_step(struct arena *arena, struct bytes reply);
const Nightlatch__V1__Step *codec_answer_step(struct arena *arena, struct bytes reply);

#endif
