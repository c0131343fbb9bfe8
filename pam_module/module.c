/*
 * The entry points of pam_nightlatch.so; see pam_nightlatch(8).
 *
 * MUST 1: PAM_SUCCESS from authentication comes from login_run() alone; PAM_IGNORE comes from nowhere.
 * MUST 2: a phase that this version does not have fails; it never succeeds having done nothing.
 * MUST 3: the process's environment, the name service and files other than the socket are not consulted.
 */
#define _GNU_SOURCE
#include "login.h"

#include <security/pam_ext.h>
#include <string.h>
#include <syslog.h>

#define EXPORTED __attribute__((visibility("default")))

/*
 * Copying leaves pieces of what was copied in vector registers, and the dynamic linker may save those on the
 * stack at any later call. So the stack below is wiped, and zeros are copied in all the ways libc has.
 */
static __attribute__((noinline)) void wipe_traces(void) {
    unsigned char below[65536];
    explicit_bzero(below, sizeof below);
    for (size_t size = 8; size <= sizeof below / 2; size *= 2) {
        memmove(below + size, below, size);
        memmove(below, below + size - 1, size - 1);
    }
    explicit_bzero(below, sizeof below);
}

EXPORTED int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv) {
    struct options options;
    if (!options_read(pamh, argc, argv, &options)) { return PAM_SERVICE_ERR; }
    int rc = login_run(pamh, flags, &options);
    wipe_traces();
    return rc;
}

/*
 * There are no credentials to set. Programs call this for every module of the auth phase after the person
 * has been let in, and sshd and login end the session when it fails; it decides nothing.
 */
EXPORTED int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv) {
    (void)pamh, (void)flags, (void)argc, (void)argv;
    return PAM_SUCCESS;
}

EXPORTED int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv) {
    (void)flags, (void)argc, (void)argv;
    pam_syslog(pamh, LOG_ERR,
               "this version has no account gate: remove pam_nightlatch.so from the account phase");
    return PAM_SERVICE_ERR;
}

EXPORTED int pam_sm_chauthtok(pam_handle_t *pamh, int flags, int argc, const char **argv) {
    (void)flags, (void)argc, (void)argv;
    pam_syslog(pamh, LOG_ERR,
               "this version changes no passwords: remove pam_nightlatch.so from the password phase");
    return PAM_SERVICE_ERR;
}
