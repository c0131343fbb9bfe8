/*
 * MUST 1: from PAM's environment one variable is taken, and from that nothing but public keys; the process's
 *         own environment, which a person can fill, is never looked at.
 * MUST 2: a key is a type and base64 of known characters, to the end of its line, and bounded; a line that is
 *         anything else is passed over, for what is missing only makes the daemon ask.
 */
#define _GNU_SOURCE
#include "evidence.h"

#include <string.h>

#define METHOD "publickey "
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* The length of the key at the start of `text`; 0 where there is none that ends at `end`. */
static size_t key_length(const char *text, const char *end) {
    size_t type = strspn(text, LOWER DIGITS "-@.");
    if (type == 0 || text[type] != ' ') { return 0; }
    const char *base64 = text + type + 1;
    size_t content = strspn(base64, LOWER UPPER DIGITS "+/");
    size_t padding = strspn(base64 + content, "=");
    size_t length = type + 1 + content + padding;
    bool whole = content > 0 && padding <= 2 && (content + padding) % 4 == 0 && text + length == end;
    return whole && length <= KEY_MAX ? length : 0;
}

bool evidence_parse(struct arena *arena, const char *passed, struct evidence *evidence) {
    const char *end = NULL;
    for (const char *line = passed; *line != '\0' && evidence->count < KEYS_MAX;
         line = end + (*end == '\n')) {
        end = strchrnul(line, '\n');
        if (strncmp(line, METHOD, sizeof METHOD - 1) != 0) { continue; }
        const char *text = line + sizeof METHOD - 1;
        size_t length = key_length(text, end);
        if (length == 0) { continue; }
        char *copy = arena_take(arena, length + 1);
        if (copy == NULL) { return false; }
        memcpy(copy, text, length);
        evidence->keys[evidence->count++] = copy;
    }
    return true;
}

bool evidence_read(pam_handle_t *pamh, struct arena *arena, struct evidence *evidence) {
    const char *passed = pam_getenv(pamh, "SSH_AUTH_INFO_0"); /* sshd's, since OpenSSH 7.8 */
    return passed == NULL || evidence_parse(arena, passed, evidence);
}
