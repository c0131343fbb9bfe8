/*
 * The entry points of pam_nightlatch.so; see pam_nightlatch(8).
 *
 * MUST 1: PAM_SUCCESS from authentication comes from login_run() alone; PAM_IGNORE comes from nowhere.
 * MUST 2: a phase that this version does not have fails; it never succeeds having done nothing.
 * MUST 3: the environment, the name service and files other than the socket are not consulted.
 */
#include "login.h"
#include "options.h"

#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <syslog.h>

#define EXPORTED __attribute__((visibility("default")))

EXPORTED int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv) {
    struct options options;
    if (!options_read(pamh, argc, argv, &options)) {
        return PAM_SERVICE_ERR;
    }
    return login_run(pamh, flags, &options);
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
