/* What may be sent, and what may be shown. */
#ifndef NIGHTLATCH_TEXT_H
#define NIGHTLATCH_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#define USER_MAX 256U                        /* bytes of a user's name */
#define ANSWER_MAX 1024U                     /* bytes of an answer */
#define ORIGIN_MAX 255U                      /* bytes of a remote host, terminal or service */
#define SHOWN_MAX 12288U                     /* bytes of one text for the person: a QR code of 80 columns */
#define DUMMY_PASSWORD "\b\n\r\177INCORRECT" /* what sshd sends in place of a password it will not try */

/* A name that may be asked for: 1 to USER_MAX bytes of UTF-8 without control characters. */
bool text_is_user(const char *text);
/* An answer that may be sent: at most ANSWER_MAX bytes of UTF-8, and not sshd's dummy password. */
bool text_is_answer(const char *text);
/* Copies what a terminal can show without harm; the rest becomes '?'. Cuts at `size`, between characters. */
void text_printable(char *out, size_t size, const char *text);
/* The same for one line of ASCII: a host's name, a terminal, a reference for the log. NULL is "". */
void text_plain(char *out, size_t size, const char *text);

#endif
