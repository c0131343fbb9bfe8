/*
 * MUST 1: an option that is unknown, misspelt, repeated against itself or out of range stops the login.
 * MUST 2: no option opens the door when the daemon is away; that is the PAM stack's to say.
 */
#include "options.h"

#include <limits.h>
#include <security/pam_ext.h>
#include <stdint.h>
#include <string.h>
#include <syslog.h>

#define DEFAULT_SOCKET "/run/nightlatch/pam.sock"

/* Reads decimal digits and nothing else. */
static bool read_number(const char *text, unsigned least, unsigned most, unsigned *number) {
    uint64_t value = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9' && value <= UINT_MAX; at++) {
        value = value * 10 + (uint64_t)(*at - '0');
    }
    if (at == text || *at != '\0' || value < least || value > most) { return false; }
    *number = (unsigned)value;
    return true;
}

static bool set_socket(struct options *options, const char *value) {
    size_t length = strlen(value);
    if (value[0] != '/' || length < 2 || value[length - 1] == '/' || length >= sizeof options->socket) {
        return false;
    }
    memcpy(options->socket, value, length + 1);
    return true;
}

static bool set_stacked(struct options *options, enum stacked stacked) {
    bool valid = options->stacked == STACKED_IGNORE || options->stacked == stacked;
    options->stacked = stacked;
    return valid;
}

/* What follows `name`, or NULL when the word begins otherwise. */
static const char *after(const char *word, const char *name) {
    size_t length = strlen(name);
    return strncmp(word, name, length) == 0 ? word + length : NULL;
}

static bool read_option(struct options *options, const char *word) {
    const char *value = NULL;
    if ((value = after(word, "socket=")) != NULL) { return set_socket(options, value); }
    if ((value = after(word, "server_uid=")) != NULL) { /* the last uid means "no user" */
        return read_number(value, 0, UINT_MAX - 1, &options->server_uid);
    }
    if ((value = after(word, "timeout=")) != NULL) { return read_number(value, 1, 300, &options->timeout); }
    if ((value = after(word, "max_prompts=")) != NULL) {
        return read_number(value, 1, 100, &options->max_prompts);
    }
    if ((value = after(word, "mode=")) != NULL) {
        options->factor_only = strcmp(value, "factor") == 0;
        return options->factor_only || strcmp(value, "password+factor") == 0;
    }
    if (strcmp(word, "use_first_pass") == 0) { return set_stacked(options, STACKED_USE); }
    if (strcmp(word, "try_first_pass") == 0) { return set_stacked(options, STACKED_TRY); }
    options->debug = options->debug || strcmp(word, "debug") == 0;
    return strcmp(word, "debug") == 0;
}

bool options_read(pam_handle_t *pamh, int argc, const char **argv, struct options *options) {
    *options = (struct options){.socket = DEFAULT_SOCKET, .timeout = 30, .max_prompts = 20};
    bool valid = true;
    for (int i = 0; i < argc; i++) {
        if (!read_option(options, argv[i])) {
            pam_syslog(pamh, LOG_ERR, "option \"%s\" is unknown or has a wrong value; see pam_nightlatch(8)",
                       argv[i]);
            valid = false;
        }
    }
    return valid;
}
