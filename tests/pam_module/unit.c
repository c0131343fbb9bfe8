/* Unit tests of the module's parts, linked with its objects. Prints what fails; exits with 1 if anything
 * does. */
#define _GNU_SOURCE
#include "arena.h"
#include "codec.h"
#include "text.h"
#include "transport.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int failures;

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            (void)printf("%s:%d: %s\n", __func__, __LINE__, #condition);                                     \
            failures++;                                                                                      \
        }                                                                                                    \
    } while (0)

static void repeat(char *out, const char *unit, size_t times) {
    *out = '\0';
    for (size_t i = 0; i < times; i++) {
        strcat(out, unit);
    }
}

static bool shows(const char *text, const char *wanted) {
    char out[SHOWN_MAX];
    text_printable(out, sizeof out, text);
    return strcmp(out, wanted) == 0;
}

/* MUST 2 of text.c */
static void test_shown_text(void) {
    CHECK(shows("Code: ", "Code: "));
    CHECK(shows("two\nlines", "two\nlines"));
    CHECK(shows("a\x1b]0;x\x07z", "a?]0;x?z"));
    CHECK(shows("a\rb\tc\x7f", "a?b?c?"));
    CHECK(shows("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x92", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x92"));
    CHECK(shows("\xe2\x96\x88\xe2\x96\x80\xe2\x96\x84",
                "\xe2\x96\x88\xe2\x96\x80\xe2\x96\x84")); /* QR blocks */
    CHECK(shows("a\xc2\x9b"
                "31mb",
                "a?31mb")); /* CSI in C1 */
    CHECK(shows("a\xe2\x80\xae"
                "b",
                "a?b")); /* right-to-left override */
    CHECK(shows("a\xff"
                "b\xc0\x80"
                "c",
                "a?b??c"));                     /* no UTF-8 */
    CHECK(shows("a\xed\xa0\x80", "a???"));      /* a surrogate */
    CHECK(shows("a\xf4\x90\x80\x80", "a????")); /* beyond U+10FFFF */
    CHECK(shows("a\xe2\x96", "a??"));           /* cut */
    CHECK(shows("a\xf0\x80\x80\xaf", "a????")); /* overlong */
}

static void test_shown_text_is_bounded(void) {
    static char text[65537], out[SHOWN_MAX];
    memset(text, 'x', sizeof text - 1);
    text_printable(out, sizeof out, text);
    CHECK(strlen(out) == SHOWN_MAX - 1);
    repeat(text, "\xe2\x96\x88", 5000);
    text_printable(out, sizeof out, text);
    CHECK(strlen(out) == SHOWN_MAX - 1 - (SHOWN_MAX - 1) % 3); /* no half character */
    text_printable(out, 1, "x");
    CHECK(out[0] == '\0');
}

/* MUST 1 and 3 of text.c */
static void test_sent_text(void) {
    char text[2049];
    CHECK(text_is_user("alice") && text_is_user("a b") && text_is_user("\xc3\xa9"));
    CHECK(!text_is_user("") && !text_is_user("a\nb") && !text_is_user("a\x7f") && !text_is_user("\xc2\x85"));
    CHECK(!text_is_user("\xff") && !text_is_user("\xe2\x96"));
    repeat(text, "u", USER_MAX);
    CHECK(text_is_user(text));
    repeat(text, "u", USER_MAX + 1);
    CHECK(!text_is_user(text));
    CHECK(text_is_answer("") && text_is_answer("123456") && text_is_answer("p\xc3\xa4ss\tword"));
    CHECK(!text_is_answer("\xff") && !text_is_answer("caf\xe9"));
    repeat(text, "a", ANSWER_MAX);
    CHECK(text_is_answer(text));
    repeat(text, "a", ANSWER_MAX + 1);
    CHECK(!text_is_answer(text));
    CHECK(!text_is_answer(DUMMY_PASSWORD) && !text_is_answer("\b\n\r\177INC"));
    CHECK(!text_is_answer(DUMMY_PASSWORD DUMMY_PASSWORD "\b\n") && text_is_answer("INCORRECT"));
}

static void test_plain_text(void) {
    char out[8];
    text_plain(out, sizeof out, NULL);
    CHECK(strcmp(out, "") == 0);
    text_plain(out, sizeof out, "a\n\x1b\xc3~ zzzz");
    CHECK(strcmp(out, "a???~ z") == 0);
}

/* MUST 2 and 3 of arena.c */
static void test_arena(void) {
    struct arena arena;
    CHECK(arena_open(&arena, 4096));
    unsigned char *first = arena_take(&arena, 100);
    CHECK(first != NULL && first[0] == 0 && (uintptr_t)first % 16 == 0);
    memset(first, 0xaa, 100);
    size_t mark = arena.used;
    unsigned char *second = arena_take(&arena, 1);
    CHECK(second >= first + 100);
    CHECK(arena_take(&arena, 4096) == NULL && arena_take(&arena, SIZE_MAX) == NULL);
    CHECK(arena_take(&arena, 3000) != NULL && arena_take(&arena, 1000) == NULL);
    arena_rewind(&arena, mark);
    CHECK(arena_take(&arena, 1) == second && first[99] == 0xaa);
    nghttp2_mem memory = arena_nghttp2(&arena);
    unsigned char *larger = memory.realloc(first, 200, memory.mem_user_data);
    CHECK(larger != NULL && larger != first && larger[99] == 0xaa);
    CHECK(memory.realloc(larger, 50, memory.mem_user_data) == larger);
    CHECK(memory.calloc(SIZE_MAX / 2, 3, memory.mem_user_data) == NULL);
    arena_rewind(&arena, 0);
    first = arena_take(&arena, 100);
    CHECK(first != NULL && first[0] == 0 && first[99] == 0);
    arena_close(&arena);
    arena_close(&arena);
}

static const Nightlatch__V1__Step *read_step(struct arena *arena, const void *frame, size_t length) {
    unsigned char *copy = arena_take(arena, length + 1);
    memcpy(copy, frame, length);
    return codec_begin_step(arena, (struct bytes){.data = copy, .length = length});
}

/* MUST 1 and 2 of codec.c */
static void test_replies(void) {
    struct arena arena;
    const Nightlatch__V1__Step *step = NULL;
    CHECK(arena_open(&arena, 65536));
    static const char grant[] = "\0\0\0\0\x0d\x0a\x0b\x1a\x09\x08\x01\x22\x05"
                                "alice";
    const size_t whole = sizeof grant - 1;
    step = read_step(&arena, grant, whole);
    CHECK(step != NULL && step->kind_case == NIGHTLATCH__V1__STEP__KIND_OUTCOME);
    CHECK(step != NULL && step->outcome->verdict == 1 && strcmp(step->outcome->user, "alice") == 0);
    for (size_t i = 0; i < whole; i++) {
        CHECK(read_step(&arena, grant, i) == NULL);
    }
    CHECK(read_step(&arena,
                    "\1\0\0\0\x0d\x0a\x0b\x1a\x09\x08\x01\x22\x05"
                    "alice",
                    whole) == NULL);
    CHECK(read_step(&arena,
                    "\0\0\0\0\x0e\x0a\x0b\x1a\x09\x08\x01\x22\x05"
                    "alice",
                    whole) == NULL);
    CHECK(read_step(&arena,
                    "\0\0\0\0\x0d\x0a\x0b\x1a\x09\x08\x01\x22\x05"
                    "al\0ce",
                    whole) == NULL);
    CHECK(read_step(&arena, "\0\0\0\0\0", 5) == NULL);             /* no step */
    CHECK(read_step(&arena, "\0\0\0\0\2\x0a\0", 7) == NULL);       /* a step of no kind */
    CHECK(read_step(&arena, "\0\0\0\0\4\x0a\2\x0a\0", 9) == NULL); /* a prompt without a ticket */
    CHECK(read_step(&arena, "\0\0\0\0\7\x0a\5\x0a\0\x22\1t", 12) != NULL);
    arena_close(&arena);
}

static void test_requests(void) {
    struct arena arena;
    struct bytes request;
    const struct beginning beginning = {
        .user = "al", .service = "s", .remote_host = "", .terminal = "t", .primary = 2};
    CHECK(arena_open(&arena, 65536));
    CHECK(codec_begin(&arena, &beginning, &request));
    static const char wanted[] = "\0\0\0\0\x0e\x0a\2al\x12\1s\x1a\3\x12\1t\x20\2";
    CHECK(request.length == sizeof wanted - 1 && memcmp(request.data, wanted, request.length) == 0);
    unsigned char ticket[] = {0, 1, 255};
    CHECK(codec_answer(&arena, (struct bytes){.data = ticket, .length = 3}, "42", &request));
    static const char answer[] = "\0\0\0\0\x09\x0a\3\0\1\xff\x12\2"
                                 "42";
    CHECK(request.length == sizeof answer - 1 && memcmp(request.data, answer, request.length) == 0);
    arena_close(&arena);
    CHECK(arena_open(&arena, 64) && !codec_begin(&arena, &beginning, &request));
    arena_close(&arena);
}

/* MUST 3 and 4 of transport.c */
static void test_transport(void) {
    int pair[2];
    size_t sent = 0;
    char byte = 0;
    static char much[1 << 20];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
    int64_t begun = deadline_in(0);
    CHECK(transport_receive(pair[0], &byte, 1, deadline_in(50)) == TRANSPORT_LATE);
    CHECK(transport_send(pair[0], much, sizeof much, deadline_in(50), &sent) == TRANSPORT_LATE);
    CHECK(sent > 0 && sent < sizeof much);
    CHECK(deadline_in(0) - begun >= 99 && deadline_in(0) - begun < 2000);
    CHECK(!deadline_allows_pause(deadline_in(10), 20) && deadline_allows_pause(deadline_in(500), 1));
    CHECK(deadline_left(deadline_in(-5)) == 0 && deadline_left(INT64_MAX) == INT32_MAX);
    (void)close(pair[1]);
    CHECK(transport_send(pair[0], "x", 1, deadline_in(50), &sent) == TRANSPORT_CLOSED); /* and no SIGPIPE */
    CHECK(transport_receive(pair[0], &byte, 1, deadline_in(50)) == TRANSPORT_CLOSED);
    (void)close(pair[0]);
}

int main(void) {
    test_shown_text();
    test_shown_text_is_bounded();
    test_sent_text();
    test_plain_text();
    test_arena();
    test_replies();
    test_requests();
    test_transport();
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
