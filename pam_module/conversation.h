/* Words to and from the person, through the program that asks. */
#ifndef NIGHTLATCH_CONVERSATION_H
#define NIGHTLATCH_CONVERSATION_H

#include "text.h"

#include <security/pam_modules.h>
#include <stdbool.h>

/* Asks, and copies what was typed; false when the conversation failed or the answer may not be sent. */
bool conversation_ask(pam_handle_t *pamh, const char *text, bool echo, char answer[ANSWER_MAX + 1]);
/* Copies the password of an earlier module; false when there is none that may be sent. */
bool conversation_stacked(pam_handle_t *pamh, char answer[ANSWER_MAX + 1]);
/* Shows `text` in `style`, PAM_TEXT_INFO or PAM_ERROR_MSG, unless it is empty or `flags` say silent. */
void conversation_tell(pam_handle_t *pamh, int flags, int style, const char *text);

#endif
