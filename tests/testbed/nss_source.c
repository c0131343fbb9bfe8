/* A source of nsswitch.conf(5) that is away, or hangs, as NSS_SOURCE says: a sssd or winbind in trouble. */

#include <errno.h>
#include <grp.h>
#include <nss.h>
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

enum nss_status _nss_trouble_getpwnam_r(const char *name, void *user, char *buffer, size_t size, int *error) {
    (void)name, (void)user, (void)buffer, (void)size;
    return trouble(error);
}

enum nss_status _nss_trouble_initgroups_dyn(const char *user, gid_t primary, long *count, long *size,
                                            gid_t **groups, long limit, int *error) {
    (void)user, (void)primary, (void)count, (void)size, (void)groups, (void)limit;
    return trouble(error);
}
