/*
 * A PAM program that gives two answers, ends the transaction, and then looks through all of its own memory
 * for what was typed or received. Prints how often the mark is found.
 *   remains SERVICE_DIR SERVICE [keep]
 * With "keep" it leaves one answer behind on purpose, to show that it would be found. The mark, "CANARY:",
 * stands here only with its bits turned, so that the program does not find itself.
 */
#define _GNU_SOURCE
#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TURN 0x55
#define MARK 7

static const unsigned char turned[2][17] = {
    {'C' ^ TURN, 'A' ^ TURN, 'N' ^ TURN, 'A' ^ TURN, 'R' ^ TURN, 'Y' ^ TURN, ':' ^ TURN, 'p' ^ TURN,
     'a' ^ TURN, 's' ^ TURN, 's' ^ TURN, 'w' ^ TURN, 'o' ^ TURN, 'r' ^ TURN, 'd' ^ TURN, TURN},
    {'C' ^ TURN, 'A' ^ TURN, 'N' ^ TURN, 'A' ^ TURN, 'R' ^ TURN, 'Y' ^ TURN, ':' ^ TURN, '1' ^ TURN,
     '2' ^ TURN, '3' ^ TURN, '4' ^ TURN, '5' ^ TURN, '6' ^ TURN, TURN},
};
static unsigned asked;

static char *typed(unsigned which) {
    char *answer = malloc(sizeof turned[which]);
    for (size_t i = 0; answer != NULL && i < sizeof turned[which]; i++) {
        answer[i] = (char)(turned[which][i] ^ TURN);
    }
    return answer;
}

static int converse(int count, const struct pam_message **messages, struct pam_response **responses,
                    void *data) {
    (void)data;
    *responses = calloc((size_t)count, sizeof **responses);
    for (int i = 0; *responses != NULL && i < count; i++) {
        if (messages[i]->msg_style == PAM_PROMPT_ECHO_OFF || messages[i]->msg_style == PAM_PROMPT_ECHO_ON) {
            (*responses)[i].resp = typed(asked++ % 2);
        }
    }
    return *responses == NULL ? PAM_BUF_ERR : PAM_SUCCESS;
}

static unsigned found_in(const volatile unsigned char *from, const volatile unsigned char *to) {
    unsigned found = 0;
    for (; from + MARK <= to; from++) {
        size_t same = 0;
        while (same < MARK && from[same] == (turned[0][same] ^ TURN)) {
            same++;
        }
        found += same == MARK;
    }
    return found;
}

static unsigned found_in_all(void) {
    unsigned found = 0;
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        unsigned long from = 0, to = 0;
        char mode = '-';
        if (sscanf(line, "%lx-%lx %c", &from, &to, &mode) == 3 && mode == 'r' && strstr(line, "[v") == NULL) {
            found += found_in((const unsigned char *)from, (const unsigned char *)to);
        }
    }
    (void)fclose(maps);
    return found;
}

int main(int argc, char **argv) {
    const struct pam_conv conversation = {.conv = converse};
    pam_handle_t *pamh = NULL;
    if (argc < 3 || pam_start_confdir(argv[2], "alice", &conversation, argv[1], &pamh) != PAM_SUCCESS) {
        return 2;
    }
    int rc = pam_authenticate(pamh, 0);
    (void)pam_end(pamh, rc);
    char *kept = argc > 3 ? typed(0) : NULL;
    (void)printf("rc %d, answers %u, found %u\n", rc, asked, found_in_all());
    free(kept);
    return 0;
}
