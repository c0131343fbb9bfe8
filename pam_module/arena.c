/*
 * MUST 1: every byte that a call allocates, by us, by nghttp2 or by protobuf-c, comes from here.
 * MUST 2: the arena has a fixed size; a server that makes us allocate more gets a failed call.
 * MUST 3: all that was taken is wiped before it is given back, on every path.
 */
#define _GNU_SOURCE
#include "arena.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else /* the sanitizer sees an overrun inside the arena only where we mark what is taken */
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

#define ALIGNMENT ((size_t)16)

bool arena_open(struct arena *arena, size_t size) {
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *arena = (struct arena){.base = NULL};
    if (base == MAP_FAILED) { return false; }
    (void)madvise(base, size, MADV_DONTDUMP);
    *arena = (struct arena){.base = base, .size = size};
    ASAN_POISON_MEMORY_REGION(base, size);
    return true;
}

/* Each block has its size in front of it, for realloc, and is followed by bytes that nobody may touch. */
void *arena_take(struct arena *arena, size_t size) {
    size_t room = arena->size - arena->used;
    if (size > room || room - size < 3 * ALIGNMENT) { return NULL; }
    unsigned char *block = arena->base + arena->used + ALIGNMENT;
    arena->used += ALIGNMENT + ((size + 2 * ALIGNMENT - 1) & ~(ALIGNMENT - 1));
    ASAN_UNPOISON_MEMORY_REGION(block - ALIGNMENT, ALIGNMENT + size);
    memcpy(block - ALIGNMENT, &size, sizeof size);
    return block;
}

void arena_rewind(struct arena *arena, size_t mark) {
    ASAN_UNPOISON_MEMORY_REGION(arena->base + mark, arena->used - mark);
    explicit_bzero(arena->base + mark, arena->used - mark);
    ASAN_POISON_MEMORY_REGION(arena->base + mark, arena->used - mark);
    arena->used = mark;
}

void arena_close(struct arena *arena) {
    if (arena->base != NULL) {
        arena_rewind(arena, 0);
        ASAN_UNPOISON_MEMORY_REGION(arena->base, arena->size);
        (void)munmap(arena->base, arena->size);
        *arena = (struct arena){.base = NULL};
    }
}

static void *take_sized(size_t size, void *arena) {
    return arena_take(arena, size);
}

static void *take_for_protobuf(void *arena, size_t size) {
    return arena_take(arena, size);
}

static void *take_many(size_t count, size_t size, void *arena) {
    size_t total;
    return __builtin_mul_overflow(count, size, &total) ? NULL : arena_take(arena, total);
}

static void *take_again(void *block, size_t size, void *arena) {
    size_t before = 0;
    if (block != NULL) {
        memcpy(&before, (unsigned char *)block - ALIGNMENT, sizeof before);
        if (size <= before) { return block; }
    }
    void *larger = arena_take(arena, size);
    if (larger != NULL && block != NULL) { memcpy(larger, block, before); }
    return larger;
}

/* Single blocks are not given back: the whole arena is, when the call ends. */
static void keep(void *block, void *arena) {
    (void)block;
    (void)arena;
}

static void keep_for_protobuf(void *arena, void *block) {
    (void)block;
    (void)arena;
}

ProtobufCAllocator arena_protobuf(struct arena *arena) {
    return (ProtobufCAllocator){
        .alloc = take_for_protobuf, .free = keep_for_protobuf, .allocator_data = arena};
}

nghttp2_mem arena_nghttp2(struct arena *arena) {
    return (nghttp2_mem){.mem_user_data = arena,
                         .malloc = take_sized,
                         .free = keep,
                         .calloc = take_many,
                         .realloc = take_again};
}
