/*
 * Makes writing and reading of files fail as a bad disk does: loaded with LD_PRELOAD into the node.
 * FAIL_IO names a file that is mapped and looked at on each call, so that a test switches faults while the node runs:
 * the errno of each kind of call (0: none), and a part of the paths that are meant.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

struct fault {
  int write_errno;
  int sync_errno;
  int read_errno;
  /* Of rename, mkdir and of open for writing. */
  int entry_errno;
  /* Counts the calls that failed. */
  int failed;
  char part[236];
};

static volatile struct fault *fault;

__attribute__((constructor)) static void map_control(void) {
  const char *path = getenv("FAIL_IO");
  int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (fd < 0) return;
  void *mapped = mmap(NULL, sizeof(struct fault), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (mapped != MAP_FAILED) fault = mapped;
}

static int path_fails(const char *path, int code) {
  /* Faults are switched while a call looks at them: without a part no path is meant, not every one, such as a pipe's. */
  if (code == 0 || fault->part[0] == 0 || strstr(path, (const char *)fault->part) == NULL) return 0;
  __atomic_add_fetch(&fault->failed, 1, __ATOMIC_SEQ_CST);
  errno = code;
  return 1;
}

static int fails(int fd, int code) {
  char link[64], path[4096];
  if (code == 0) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return path_fails(path, code);
}

#define WRITES (fault && fails(fd, fault->write_errno))
#define SYNCS (fault && fails(fd, fault->sync_errno))
#define READS (fault && fails(fd, fault->read_errno))
#define ENTERS (fault && path_fails(path, fault->entry_errno))
#define WRAP(guard, type, name, declared, passed)                \
  type name declared {                                           \
    static type(*real) declared;                                 \
    if (guard) return -1;                                        \
    if (!real) real = (type(*) declared)dlsym(RTLD_NEXT, #name); \
    return real passed;                                          \
  }

WRAP(WRITES, ssize_t, write, (int fd, const void *buf, size_t n), (fd, buf, n))
WRAP(WRITES, ssize_t, pwrite, (int fd, const void *buf, size_t n, off_t at), (fd, buf, n, at))
WRAP(WRITES, ssize_t, pwrite64, (int fd, const void *buf, size_t n, off64_t at), (fd, buf, n, at))
WRAP(WRITES, ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n))
WRAP(WRITES, ssize_t, pwritev, (int fd, const struct iovec *v, int n, off_t at), (fd, v, n, at))
WRAP(WRITES, ssize_t, pwritev64, (int fd, const struct iovec *v, int n, off64_t at), (fd, v, n, at))
WRAP(SYNCS, int, fsync, (int fd), (fd))
WRAP(SYNCS, int, fdatasync, (int fd), (fd))
WRAP(READS, ssize_t, read, (int fd, void *buf, size_t n), (fd, buf, n))
WRAP(READS, ssize_t, pread, (int fd, void *buf, size_t n, off_t at), (fd, buf, n, at))
WRAP(READS, ssize_t, pread64, (int fd, void *buf, size_t n, off64_t at), (fd, buf, n, at))
WRAP(READS, ssize_t, readv, (int fd, const struct iovec *v, int n), (fd, v, n))
WRAP(READS, ssize_t, preadv, (int fd, const struct iovec *v, int n, off_t at), (fd, v, n, at))
WRAP(READS, ssize_t, preadv64, (int fd, const struct iovec *v, int n, off64_t at), (fd, v, n, at))
WRAP(ENTERS, int, rename, (const char *path, const char *to), (path, to))
WRAP(ENTERS, int, mkdir, (const char *path, mode_t mode), (path, mode))

#define WRAP_OPEN(name)                                                                         \
  int name(const char *path, int flags, ...) {                                                  \
    static int (*real)(const char *, int, ...);                                                 \
    va_list rest;                                                                               \
    va_start(rest, flags);                                                                      \
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;                                   \
    va_end(rest);                                                                               \
    if ((flags & O_ACCMODE) != O_RDONLY && ENTERS) return -1;                                   \
    if (!real) real = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name);                 \
    return real(path, flags, mode);                                                             \
  }

WRAP_OPEN(open)
WRAP_OPEN(open64)
