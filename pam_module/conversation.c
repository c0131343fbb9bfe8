/*
 * MUST 1: what is shown has passed text_printable, what is returned has passed text_is_answer.
 * MUST 2: what was typed is wiped before its memory is given back, on every path.
 */
#define _GNU_SOURCE
#include "conversation.h"

#include <security/pam_ext.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

static bool copy_answer(pam_handle_t *pamh, const char *typed, char answer[ANSWER_MAX + 1]) {
    if (!text_is_answer(typed)) {
        pam_syslog(pamh, LOG_NOTICE, "denied: the answer is too long, not UTF-8, or sshd's dummy password");
        return false;
    }
    memcpy(answer, typed, strlen(typed) + 1);
    return true;
}

bool conversation_ask(pam_handle_t *pamh, const char *text, bool echo, char answer[ANSWER_MAX + 1]) {
    char shown[SHOWN_MAX];
    char *typed = NULL;
    text_printable(shown, sizeof shown, text);
    int rc = pam_prompt(pamh, echo ? PAM_PROMPT_ECHO_ON : PAM_PROMPT_ECHO_OFF, &typed, "%s", shown);
    bool good = false;
    if (rc != PAM_SUCCESS || typed == NULL) {
        pam_syslog(pamh, LOG_NOTICE, "denied: the program gave no answer to a prompt");
    } else {
        good = copy_answer(pamh, typed, answer);
    }
    if (typed != NULL) {
        explicit_bzero(typed, strlen(typed));
        free(typed);
    }
    return good;
}

bool conversation_stacked(pam_handle_t *pamh, char answer[ANSWER_MAX + 1]) {
    const void *password = NULL;
    bool there = pam_get_item(pamh, PAM_AUTHTOK, &password) == PAM_SUCCESS && password != NULL;
    return there && copy_answer(pamh, password, answer);
}

void conversation_tell(pam_handle_t *pamh, int flags, int style, const char *text) {
    char shown[SHOWN_MAX];
    text_printable(shown, sizeof shown, text);
    if (shown[0] != '\0' && ((unsigned)flags & PAM_SILENT) == 0) {
        (void)pam_prompt(pamh, style, NULL, "%s", shown);
    }
}
