/* Bounded memory for one call: nothing a server says makes it grow, nothing is left behind. */
#ifndef NIGHTLATCH_ARENA_H
#define NIGHTLATCH_ARENA_H

#include <nghttp2/nghttp2.h>
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

struct bytes {
    unsigned char *data;
    size_t length;
};

struct arena {
    unsigned char *base;
    size_t size;
    size_t used;
};

bool arena_open(struct arena *arena, size_t size);
/* Returns memory set to zero, or NULL when the arena is full. */
void *arena_take(struct arena *arena, size_t size);
/* Wipes and gives back all that was taken since `used` was `mark`. */
void arena_rewind(struct arena *arena, size_t mark);
/* Wipes everything and returns the memory to the kernel. */
void arena_close(struct arena *arena);

ProtobufCAllocator arena_protobuf(struct arena *arena);
nghttp2_mem arena_nghttp2(struct arena *arena);

#endif
