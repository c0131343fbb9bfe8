/* One login, from the first question to a PAM return code. */
#ifndef NIGHTLATCH_LOGIN_H
#define NIGHTLATCH_LOGIN_H

#include "options.h"

/* Returns PAM_SUCCESS only for a grant to the very user that PAM names; `flags` are those of PAM. */
int login_run(pam_handle_t *pamh, int flags, const struct options *options);

#endif
