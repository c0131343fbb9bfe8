/*
 * MUST 1: denied is the initial value; judge() alone lets anyone in, for VERDICT_GRANTED with PAM's user.
 * MUST 2: PAM_USER is never changed, and a grant for another name is a denial.
 * MUST 3: a daemon that never stops asking meets an end: prompts, codes, passwords and waits are counted.
 * MUST 4: answers and tickets are wiped on every path.
 * MUST 5: what the person can bring about is never "away", because a PAM stack may open a door then.
 */
#define _GNU_SOURCE
#include "login.h"

#include "call.h"
#include "codec.h"
#include "conversation.h"
#include "transport.h"

#include <security/pam_ext.h>
#include <string.h>
#include <syslog.h>

#define OUTAGE "Sign-in is not possible at the moment. Nothing is wrong with your password."
#define ARENA_SIZE ((size_t)512 * 1024)
#define TRIES_MAX 3U    /* prompts for a code, and for a password */
#define PAUSE_MAX 30U   /* seconds of one wait */
#define PAUSES_MAX 300U /* seconds of all waits: no ticket lives longer */

/* Values of grpc-status. */
enum status {
    INVALID_ARGUMENT = 3, /* what was sent is wrong */
    NOT_FOUND = 5,
    PERMISSION_DENIED = 7,
    RESOURCE_EXHAUSTED = 8,  /* too many attempts, or too many calls at once */
    FAILED_PRECONDITION = 9, /* the ticket has expired */
    UNIMPLEMENTED = 12,      /* no such method */
};

typedef const Nightlatch__V1__Step *step_reader(struct arena *arena, struct bytes reply);

struct login {
    pam_handle_t *pamh;
    const struct options *options;
    int flags;
    int rc; /* what to return when there is no step to go on with */
    struct arena arena;
    unsigned prompts, codes, passwords, paused;
    bool password_typed; /* `answer` is a password that no earlier module has */
    char answer[ANSWER_MAX + 1];
    unsigned char ticket[TICKET_MAX];
};

static const Nightlatch__V1__Step *fail(struct login *login, int rc) {
    login->rc = rc;
    return NULL;
}

static const Nightlatch__V1__Step *fail_status(struct login *login, int status) {
    const char *advice =
        status == UNIMPLEMENTED ? "daemon and module are of different versions" : "see its log";
    pam_syslog(login->pamh, LOG_ERR, "the daemon answered with grpc-status %d; %s", status, advice);
    switch (status) {
    case INVALID_ARGUMENT:
    case NOT_FOUND:
    case PERMISSION_DENIED:
    case FAILED_PRECONDITION:
        return fail(login, PAM_AUTH_ERR);
    case RESOURCE_EXHAUSTED:
        return fail(login, PAM_MAXTRIES);
    default:
        return fail(login, PAM_AUTHINFO_UNAVAIL);
    }
}

static const char *const explained[] = {
    [CALL_ODD] = "gave an answer that is not valid",
    [CALL_ANSWERED] = "gave an answer that is not valid", /* in its content */
    [CALL_LATE] = "gave no answer in time; is nightlatchd running?",
    [CALL_LOST] = "hung up after the answer was sent; it is not sent again",
    [CALL_DISTRUSTED] = "is not trusted: see \"is not trusted\" in pam_nightlatch(8)",
    [CALL_AWAY] = "cannot be reached; is the path right, and may this program use it?",
};

static const Nightlatch__V1__Step *make_call(struct login *login, struct call *call, step_reader *read_step) {
    const struct options *options = login->options;
    call->deadline = deadline_in((int64_t)options->timeout * 1000);
    enum call_end end = call_daemon(options->socket, options->server_uid, &login->arena, call);
    if (end == CALL_STATUS) { return fail_status(login, call->status); }
    const Nightlatch__V1__Step *step = end == CALL_ANSWERED ? read_step(&login->arena, call->reply) : NULL;
    if (step == NULL) {
        pam_syslog(login->pamh, LOG_ERR, "the daemon at %s %s", options->socket, explained[end]);
        return fail(login, PAM_AUTHINFO_UNAVAIL);
    }
    if (options->debug) {
        pam_syslog(login->pamh, LOG_DEBUG, "%s: step %d", call->path, (int)step->kind_case);
    }
    return step;
}

static void copy_item(pam_handle_t *pamh, int item, char out[ORIGIN_MAX + 1]) {
    const void *value = NULL;
    (void)pam_get_item(pamh, item, &value); /* it stays NULL then */
    text_plain(out, ORIGIN_MAX + 1, value);
}

static const Nightlatch__V1__Step *begin(struct login *login) {
    char service[ORIGIN_MAX + 1], remote_host[ORIGIN_MAX + 1], terminal[ORIGIN_MAX + 1];
    const char *user = NULL;
    if (pam_get_user(login->pamh, &user, NULL) != PAM_SUCCESS || user == NULL || !text_is_user(user)) {
        pam_syslog(login->pamh, LOG_NOTICE, "denied: there is no user name, or one that cannot be");
        return fail(login, PAM_AUTH_ERR);
    }
    copy_item(login->pamh, PAM_SERVICE, service);
    copy_item(login->pamh, PAM_RHOST, remote_host);
    copy_item(login->pamh, PAM_TTY, terminal);
    struct beginning beginning = {
        .user = user,
        .service = service,
        .remote_host = remote_host,
        .terminal = terminal,
        .primary = login->options->factor_only ? NIGHTLATCH__V1__PRIMARY__PRIMARY_ESTABLISHED
                                               : NIGHTLATCH__V1__PRIMARY__PRIMARY_PASSWORD,
    };
    struct call call = {.path = "/nightlatch.v1.LoginService/BeginLogin", .repeatable = true};
    bool room = evidence_read(login->pamh, &login->arena, &beginning.evidence);
    if (!room || !codec_begin(&login->arena, &beginning, &call.request)) { return fail(login, PAM_BUF_ERR); }
    return make_call(login, &call, codec_begin_step);
}

/* Fills login->answer; false, with login->rc, when the login ends here. */
static bool answer_prompt(struct login *login, const Nightlatch__V1__Prompt *prompt) {
    bool password = prompt->kind == NIGHTLATCH__V1__PROMPT_KIND__PROMPT_KIND_PASSWORD;
    enum stacked stacked = login->options->stacked;
    login->prompts++;
    login->passwords += password ? 1 : 0;
    login->codes += prompt->kind == NIGHTLATCH__V1__PROMPT_KIND__PROMPT_KIND_CODE ? 1 : 0;
    if (login->prompts > login->options->max_prompts || login->codes > TRIES_MAX ||
        login->passwords > TRIES_MAX) {
        pam_syslog(login->pamh, LOG_NOTICE, "denied: the daemon asked too often");
        login->rc = PAM_MAXTRIES;
        return false;
    }
    login->rc = PAM_AUTH_ERR;
    if (password && stacked != STACKED_IGNORE && login->passwords == 1 &&
        conversation_stacked(login->pamh, login->answer)) {
        return true;
    }
    if (password && stacked == STACKED_USE) {
        pam_syslog(login->pamh, LOG_NOTICE, "denied: use_first_pass, and no earlier module has a password");
        return false;
    }
    login->password_typed = password;
    return conversation_ask(login->pamh, prompt->text, prompt->echo != 0, login->answer);
}

static bool answer_wait(struct login *login, const Nightlatch__V1__Wait *wait) {
    unsigned seconds = wait->seconds < 1 ? 1 : wait->seconds > PAUSE_MAX ? PAUSE_MAX : wait->seconds;
    login->paused += seconds;
    if (login->paused > PAUSES_MAX) {
        pam_syslog(login->pamh, LOG_NOTICE, "denied: the daemon let us wait longer than a login lives");
        login->rc = PAM_MAXTRIES;
        return false;
    }
    conversation_tell(login->pamh, login->flags, PAM_TEXT_INFO, wait->text);
    return deadline_allows_pause(INT64_MAX, (int64_t)seconds * 1000);
}

static bool is_accepted(const Nightlatch__V1__Step *step) {
    return step != NULL && (step->kind_case != NIGHTLATCH__V1__STEP__KIND_OUTCOME ||
                            step->outcome->verdict == NIGHTLATCH__V1__VERDICT__VERDICT_GRANTED);
}

static const Nightlatch__V1__Step *send_answer(struct login *login, ProtobufCBinaryData ticket) {
    struct call call = {.path = "/nightlatch.v1.LoginService/AnswerLogin", .repeatable = false};
    struct bytes kept = {.data = login->ticket, .length = ticket.len};
    memcpy(login->ticket, ticket.data, ticket.len); /* the codec has checked the length */
    arena_rewind(&login->arena, 0);
    if (!codec_answer(&login->arena, kept, login->answer, &call.request)) { return fail(login, PAM_BUF_ERR); }
    const Nightlatch__V1__Step *step = make_call(login, &call, codec_answer_step);
    if (login->password_typed && is_accepted(step)) {
        (void)pam_set_item(login->pamh, PAM_AUTHTOK, login->answer); /* for the modules after us */
    }
    return step;
}

static const Nightlatch__V1__Step *advance(struct login *login, const Nightlatch__V1__Step *step) {
    login->answer[0] = '\0';
    login->password_typed = false;
    bool prompted = step->kind_case == NIGHTLATCH__V1__STEP__KIND_PROMPT;
    bool answered = prompted ? answer_prompt(login, step->prompt) : answer_wait(login, step->wait);
    step = answered ? send_answer(login, step->ticket) : NULL;
    explicit_bzero(login->answer, sizeof login->answer);
    return step;
}

static bool is_current_user(pam_handle_t *pamh, const char *granted) {
    const void *user = NULL;
    bool known = pam_get_item(pamh, PAM_USER, &user) == PAM_SUCCESS && user != NULL;
    return known && granted[0] != '\0' && strcmp(user, granted) == 0;
}

static int judge(struct login *login, const Nightlatch__V1__Outcome *outcome) {
    int rc = PAM_AUTH_ERR;
    char reference[64];
    text_plain(reference, sizeof reference, outcome->reference);
    switch (outcome->verdict) {
    case NIGHTLATCH__V1__VERDICT__VERDICT_GRANTED:
        if (is_current_user(login->pamh, outcome->user)) {
            rc = PAM_SUCCESS; /* the only line that lets anyone in */
        } else {
            pam_syslog(login->pamh, LOG_ERR, "denied: the daemon granted the login to another name");
        }
        break;
    case NIGHTLATCH__V1__VERDICT__VERDICT_REFUSED:
        break;
    case NIGHTLATCH__V1__VERDICT__VERDICT_LOCKED:
        rc = PAM_MAXTRIES;
        break;
    default: /* unavailable, unspecified, or from a later version */
        rc = PAM_AUTHINFO_UNAVAIL;
        break;
    }
    pam_syslog(login->pamh, rc == PAM_SUCCESS ? LOG_INFO : LOG_NOTICE, "%s, verdict %d (reference %s)",
               rc == PAM_SUCCESS ? "granted" : "denied", (int)outcome->verdict, reference);
    conversation_tell(login->pamh, login->flags, rc == PAM_SUCCESS ? PAM_TEXT_INFO : PAM_ERROR_MSG,
                      rc == PAM_AUTH_ERR && outcome->verdict == NIGHTLATCH__V1__VERDICT__VERDICT_GRANTED
                          ? "" /* words meant for somebody who got in */
                          : outcome->message);
    return rc;
}

int login_run(pam_handle_t *pamh, int flags, const struct options *options) {
    struct login login = {.pamh = pamh, .options = options, .flags = flags, .rc = PAM_AUTH_ERR};
    if (!arena_open(&login.arena, ARENA_SIZE)) { return PAM_BUF_ERR; }
    const Nightlatch__V1__Step *step = begin(&login);
    while (step != NULL && step->kind_case != NIGHTLATCH__V1__STEP__KIND_OUTCOME) {
        step = advance(&login, step);
    }
    int rc = step == NULL ? login.rc : judge(&login, step->outcome);
    if (step == NULL && rc == PAM_AUTHINFO_UNAVAIL && login.prompts > 0) {
        conversation_tell(pamh, flags, PAM_ERROR_MSG, OUTAGE); /* without words it looks like a refusal */
    }
    arena_close(&login.arena);
    explicit_bzero(&login, sizeof login);
    return rc;
}
