/* The words after the module's name in a PAM service file. */
#ifndef NIGHTLATCH_OPTIONS_H
#define NIGHTLATCH_OPTIONS_H

#include "transport.h"

#include <security/pam_modules.h>
#include <stdbool.h>

enum stacked {
    STACKED_IGNORE, /* always ask */
    STACKED_TRY,    /* take an earlier module's password if there is one, else ask */
    STACKED_USE,    /* take an earlier module's password, never ask */
};

struct options {
    char socket[TRANSPORT_PATH_MAX];
    unsigned server_uid; /* who may own the socket and listen on it, besides root */
    unsigned timeout;    /* seconds for one call */
    unsigned max_prompts;
    enum stacked stacked;
    bool factor_only; /* the first factor is proven by an earlier module or a public key */
    bool debug;
};

/* Reads all options; false after a line in the log that names the one that is wrong. */
bool options_read(pam_handle_t *pamh, int argc, const char **argv, struct options *options);

#endif
