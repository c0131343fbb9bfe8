/* Preloaded into a PAM program: what it would send to syslog goes to the file named by CAPTURED_SYSLOG. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void vsyslog(int priority, const char *format, va_list values) {
    const char *path = getenv("CAPTURED_SYSLOG");
    char line[8192];
    int fd = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) { return; }
    int start = snprintf(line, sizeof line, "%d ", priority & 7);
    int length = vsnprintf(line + start, sizeof line - (size_t)start - 1, format, values) + start;
    length = length > (int)sizeof line - 2 ? (int)sizeof line - 2 : length;
    line[length] = '\n';
    ssize_t written = write(fd, line, (size_t)length + 1);
    (void)written;
    (void)close(fd);
}

void __vsyslog_chk(int priority, int flag, const char *format, va_list values) {
    (void)flag;
    vsyslog(priority, format, values);
}

void syslog(int priority, const char *format, ...) {
    va_list values;
    va_start(values, format);
    vsyslog(priority, format, values);
    va_end(values);
}

void __syslog_chk(int priority, int flag, const char *format, ...) {
    va_list values;
    (void)flag;
    va_start(values, format);
    vsyslog(priority, format, values);
    va_end(values);
}
