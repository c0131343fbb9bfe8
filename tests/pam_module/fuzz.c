/*
 * Feeds damaged answers to the code that reads them, a fixed number of times from a fixed seed, and looks for
 * a grant: its user's name is damaged in every round, so that no damage elsewhere may make it "alice".
 */
#define _GNU_SOURCE
#include "call.h"
#include "codec.h"
#include "transport.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static uint64_t state = 88172645463325252ULL;

static uint32_t draw(uint32_t below) { /* xorshift64 */
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32) % below;
}

static size_t damage(unsigned char *data, size_t length, size_t size) {
    for (uint32_t times = draw(4); times > 0; times--) {
        size_t at = draw((uint32_t)length);
        switch (draw(5)) {
        case 0:
            data[at] ^= (unsigned char)(1U << draw(8));
            break;
        case 1:
            data[at] = (unsigned char)draw(256);
            break;
        case 2:
            length = at + 1;
            break;
        case 3: /* a piece is repeated */
            if (length + (length - at) <= size) {
                memmove(data + length, data + at, length - at);
                length += length - at;
            }
            break;
        default: /* a piece is moved */
            memmove(data + at, data + draw((uint32_t)length), 1);
            break;
        }
    }
    return length;
}

static bool is_grant(const Nightlatch__V1__Step *step) {
    return step != NULL && step->kind_case == NIGHTLATCH__V1__STEP__KIND_OUTCOME &&
           step->outcome->verdict == NIGHTLATCH__V1__VERDICT__VERDICT_GRANTED &&
           strcmp(step->outcome->user, "alice") == 0;
}

static bool play(struct arena *arena, const unsigned char *data, size_t length, bool whole) {
    int pair[2];
    static unsigned char request[] = {0, 0, 0, 0, 0};
    struct call call = {.path = "/x", .request = {request, sizeof request}, .repeatable = true};
    call.deadline = deadline_in(10000);
    if (!whole) {
        unsigned char *copy = arena_take(arena, length);
        memcpy(copy, data, length);
        return is_grant(codec_answer_step(arena, (struct bytes){.data = copy, .length = length}));
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) != 0 ||
        send(pair[1], data, length, 0) != (ssize_t)length || shutdown(pair[1], SHUT_WR) != 0) {
        abort();
    }
    bool answered = http2_call(pair[0], arena, &call) == CALL_ANSWERED;
    (void)close(pair[0]);
    (void)close(pair[1]);
    return answered && is_grant(codec_begin_step(arena, call.reply));
}

int main(int argc, char **argv) {
    struct arena arena;
    static unsigned char seed[4096], data[8192];
    if (argc != 3 || !arena_open(&arena, 512UL * 1024)) { return EXIT_FAILURE; }
    const long rounds = strtol(argv[1], NULL, 10);
    const size_t length = fread(seed, 1, sizeof seed, stdin);
    const bool whole = strcmp(argv[2], "stream") == 0;
    if (!play(&arena, seed, length, whole)) {
        (void)puts("the undamaged answer is no grant");
        return EXIT_FAILURE;
    }
    unsigned char *name = memmem(seed, length, "alice", 5);
    for (long i = 0; i < rounds; i++) {
        memcpy(data, seed, length);
        data[name - seed] = 'B';
        size_t size = damage(data, length, sizeof data);
        arena_rewind(&arena, 0);
        if (memmem(data, size, "alice", 5) == NULL && play(&arena, data, size, whole)) {
            (void)printf("round %ld: a grant for alice came out of an answer without that name\n", i);
            return EXIT_FAILURE;
        }
    }
    arena_close(&arena);
    return EXIT_SUCCESS;
}
