/* What the program that asks has found out about the device, to be sent with the login. */
#ifndef NIGHTLATCH_EVIDENCE_H
#define NIGHTLATCH_EVIDENCE_H

#include "arena.h"

#include <security/pam_modules.h>

#define KEYS_MAX 4U   /* public keys that are sent; a login rarely needs two */
#define KEY_MAX 4096U /* bytes of one of them */

struct evidence {
    size_t count;
    const char *keys[KEYS_MAX]; /* "ssh-ed25519 AAAA…", in the arena */
};

/* Reads the public keys that sshd has verified in this connection; false when the arena is full. */
bool evidence_read(pam_handle_t *pamh, struct arena *arena, struct evidence *evidence);
/* The same from the text that sshd left: one line for each method that has passed, as "publickey TYPE
 * BASE64". */
bool evidence_parse(struct arena *arena, const char *passed, struct evidence *evidence);

#endif
