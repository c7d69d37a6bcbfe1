// Loaded before the C library: opening to write, writing, flushing and renaming fail for files whose path contains
// FAULT_PATTERN, with error FAULT_ERRNO. The first FAULT_AFTER such calls go well, then FAULT_COUNT fail. With
// FAULT_KILL the process is killed instead, as it removes such a file. With FAULT_DONE=1 a renaming that fails has been
// done nevertheless. Each of these calls takes FAULT_DELAY_MS longer.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static long number(const char* name) {
  const char* text = getenv(name);
  return text != NULL ? atol(text) : 0;
}

static void delay(void) {
  const long delay_ms = number("FAULT_DELAY_MS");
  struct timespec left = {delay_ms / 1000, delay_ms % 1000 * 1000000};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) continue;
}

static int fails(const char* path) {
  static atomic_long calls;
  const char* pattern = getenv("FAULT_PATTERN");
  if (path == NULL || pattern == NULL || strstr(path, pattern) == NULL) return 0;
  delay();
  const long call = atomic_fetch_add(&calls, 1) - number("FAULT_AFTER");
  if (call < 0 || call >= number("FAULT_COUNT")) return 0;
  errno = (int)number("FAULT_ERRNO");
  return 1;
}

static int descriptor_fails(int file) {
  if (getenv("FAULT_KILL") != NULL) return 0;
  char link[64];
  char path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = '\0';
  return fails(path);
}

static int opens(const char* name, const char* path, int flags, mode_t mode) {
  if ((flags & O_ACCMODE) != O_RDONLY && getenv("FAULT_KILL") == NULL && fails(path)) return -1;
  int (*next)(const char*, int, ...) = (int (*)(const char*, int, ...))dlsym(RTLD_NEXT, name);
  return next(path, flags, mode);
}

int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return opens("open", path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return opens("open64", path, flags, mode);
}

ssize_t write(int file, const void* bytes, size_t size) {
  if (descriptor_fails(file)) return -1;
  ssize_t (*next)(int, const void*, size_t) = (ssize_t (*)(int, const void*, size_t))dlsym(RTLD_NEXT, "write");
  return next(file, bytes, size);
}

int fsync(int file) {
  if (descriptor_fails(file)) return -1;
  int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  return next(file);
}

int remove(const char* path) {
  if (getenv("FAULT_KILL") != NULL && fails(path)) raise(SIGKILL);
  int (*next)(const char*) = (int (*)(const char*))dlsym(RTLD_NEXT, "remove");
  return next(path);
}

int rename(const char* from, const char* to) {
  int (*next)(const char*, const char*) = (int (*)(const char*, const char*))dlsym(RTLD_NEXT, "rename");
  const int failed = getenv("FAULT_KILL") == NULL && fails(from);
  if (failed && number("FAULT_DONE") == 0) return -1;
  const int fault = errno;
  const int result = next(from, to);
  if (failed) errno = fault;
  return failed ? -1 : result;
}
