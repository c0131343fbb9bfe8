/*
 * A source of nsswitch.conf(5) that is away, or hangs, as NSS_SOURCE says: a sssd or winbind in trouble. With
 * NSS_SOURCE=aliases it answers for "asmith" with alice, as sssd does for another name of an entry.
 */

#include <errno.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static enum nss_status trouble(int *error) {
    const char *kind = getenv("NSS_SOURCE");
    if (kind != NULL && strcmp(kind, "hangs") == 0)
        for (;;)
            pause();
    *error = ECONNREFUSED;
    return NSS_STATUS_UNAVAIL;
}

enum nss_status _nss_trouble_getgrnam_r(const char *name, struct group *group, char *buffer, size_t size,
                                        int *error) {
    (void)name, (void)group, (void)buffer, (void)size;
    return trouble(error);
}

enum nss_status _nss_trouble_getpwnam_r(const char *name, struct passwd *user, char *buffer, size_t size,
                                        int *error) {
    static char alice[] = "alice", home[] = "/", shell[] = "/bin/sh", none[] = "";
    const char *kind = getenv("NSS_SOURCE");
    (void)buffer, (void)size;
    if (kind == NULL || strcmp(kind, "aliases") != 0) return trouble(error);
    if (strcmp(name, "asmith") != 0) return NSS_STATUS_NOTFOUND;
    *user = (struct passwd){alice, none, 21001, 21001, none, home, shell};
    return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_trouble_initgroups_dyn(const char *user, gid_t primary, long *count, long *size,
                                            gid_t **groups, long limit, int *error) {
    (void)user, (void)primary, (void)count, (void)size, (void)groups, (void)limit;
    return trouble(error);
}
