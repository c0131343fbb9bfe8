/*
 * MUST 1: what is sent as text is UTF-8 (RFC 3629), else the daemon could not read the whole request.
 * MUST 2: no control character but the line feed reaches a terminal: no ESC, no CR, no C1, no bidi control.
 * MUST 3: sshd's dummy password is nobody's answer, whatever its length (sshd repeats it, then cuts it).
 */
#include "text.h"

#include <stdint.h>
#include <string.h>

/* Reads one character; returns its length in bytes, 0 where there is none that RFC 3629 allows. */
static size_t next_character(const char *text, uint32_t *character) {
    const unsigned char *byte = (const unsigned char *)text;
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = byte[0] < 0x80 ? 1 : byte[0] < 0xc2 ? 0 : byte[0] < 0xe0 ? 2 : byte[0] < 0xf0 ? 3 : 4;
    if (byte[0] == 0 || length == 0 || byte[0] > 0xf4) { return 0; }
    *character = length == 1 ? byte[0] : byte[0] & (0x7fU >> length);
    for (size_t i = 1; i < length; i++) {
        if ((byte[i] & 0xc0) != 0x80) { /* the end of the text is no such byte either */
            return 0;
        }
        *character = *character << 6 | (byte[i] & 0x3fU);
    }
    bool surrogate = *character >= 0xd800 && *character <= 0xdfff;
    return *character < smallest[length] || *character > 0x10ffff || surrogate ? 0 : length;
}

static bool is_control(uint32_t character) {
    return character < 0x20 || (character >= 0x7f && character <= 0x9f);
}

/* Characters that change how the text around them is laid out. */
static bool is_layout(uint32_t character) {
    return character == 0x061c || (character >= 0x200e && character <= 0x200f) ||
           (character >= 0x2028 && character <= 0x202e) || (character >= 0x2066 && character <= 0x2069);
}

static bool is_text(const char *text, size_t most, bool controls) {
    size_t at = 0;
    uint32_t character = 0;
    while (text[at] != '\0') {
        size_t length = next_character(text + at, &character);
        if (length == 0 || (!controls && is_control(character)) || at + length > most) { return false; }
        at += length;
    }
    return true;
}

bool text_is_user(const char *text) {
    return text[0] != '\0' && is_text(text, USER_MAX, false);
}

bool text_is_answer(const char *text) {
    size_t at = 0;
    while (text[at] != '\0' && text[at] == DUMMY_PASSWORD[at % (sizeof DUMMY_PASSWORD - 1)]) {
        at++;
    }
    bool dummy = at > 0 && text[at] == '\0';
    return !dummy && is_text(text, ANSWER_MAX, true);
}

void text_printable(char *out, size_t size, const char *text) {
    size_t at = 0;
    uint32_t character = 0;
    while (*text != '\0') {
        size_t length = next_character(text, &character);
        size_t step = length == 0 ? 1 : length;
        bool shown = length > 0 && (character == '\n' || (!is_control(character) && !is_layout(character)));
        size_t wanted = shown ? length : 1;
        if (at + wanted >= size) { break; }
        memcpy(out + at, shown ? text : "?", wanted);
        at += wanted;
        text += step;
    }
    out[at] = '\0';
}

void text_plain(char *out, size_t size, const char *text) {
    size_t at = 0;
    for (; text != NULL && text[at] != '\0' && at + 1 < size; at++) {
        out[at] = '?';
        if (text[at] >= ' ' && text[at] <= '~') { out[at] = text[at]; }
    }
    out[at] = '\0';
}
