// Loaded before the C library: opening to write, writing, flushing and renaming fail for files whose path contains
// FAULT_PATTERN, with error FAULT_ERRNO. The first FAULT_AFTER such calls go well, then FAULT_COUNT fail. With
// FAULT_KILL the process is killed instead, as it removes such a file. With FAULT_DONE=1 a renaming that fails has been
// done nevertheless. Each of these calls takes FAULT_DELAY_MS longer.
//
// With FAULT_CALLS, a list of "open", "stat", "read" and "list", those fail instead: opening to read, stat and fstat,
// reading, and reading a folder. FAULT_FROM and FAULT_TO restrict reading to bytes of the file; one that begins before
// FAULT_FROM ends there. A library whose name contains FAULT_FORBIDDEN ends the process where it opens such a file. Each
// call that fails adds a byte to the file FAULT_LOG.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static struct {
  const char* name;
  void* address;
} next_functions[] = {{"open", NULL},   {"open64", NULL}, {"write", NULL}, {"fsync", NULL},   {"remove", NULL}, {"rename", NULL}, {"read", NULL},
                      {"pread", NULL}, {"pread64", NULL}, {"stat", NULL}, {"fstat", NULL}, {"readdir", NULL}};

static void* next_of(const char* name) {
  for (size_t i = 0; i < sizeof next_functions / sizeof *next_functions; ++i) {
    if (strcmp(next_functions[i].name, name) != 0) continue;
    if (next_functions[i].address == NULL) next_functions[i].address = dlsym(RTLD_NEXT, name);
    return next_functions[i].address;
  }
  abort();
}

// Looking up takes a lock of the loader. mpirun forks while it has threads, and a child that found the lock taken would wait
// for ever.
__attribute__((constructor)) static void find_next_functions(void) {
  for (size_t i = 0; i < sizeof next_functions / sizeof *next_functions; ++i) next_of(next_functions[i].name);
}

static long number(const char* name) {
  const char* text = getenv(name);
  return text != NULL ? atol(text) : 0;
}

static void delay(void) {
  const long delay_ms = number("FAULT_DELAY_MS");
  struct timespec left = {delay_ms / 1000, delay_ms % 1000 * 1000000};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) continue;
}

static void note(void) {
  const char* log = getenv("FAULT_LOG");
  if (log == NULL) return;
  const int file = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (syscall(SYS_write, file, "x", 1) != 1) abort();
  close(file);
}

static int fails(const char* path) {
  static atomic_long calls;
  const char* pattern = getenv("FAULT_PATTERN");
  if (path == NULL || pattern == NULL || strstr(path, pattern) == NULL) return 0;
  delay();
  const long call = atomic_fetch_add(&calls, 1) - number("FAULT_AFTER");
  if (call < 0 || call >= number("FAULT_COUNT")) return 0;
  note();
  errno = (int)number("FAULT_ERRNO");
  return 1;
}

// Whether calls of that kind fail, "write" being those that change something.
static int chosen(const char* kind) {
  const char* kinds = getenv("FAULT_CALLS");
  if (getenv("FAULT_KILL") != NULL) return 0;
  return kinds == NULL ? strcmp(kind, "write") == 0 : strstr(kinds, kind) != NULL;
}

static int name_of(int file, char* path, size_t size) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  const ssize_t length = readlink(link, path, size - 1);
  path[length < 0 ? 0 : length] = '\0';
  return length >= 0;
}

static int descriptor_fails(const char* kind, int file) {
  char path[4096];
  return chosen(kind) && name_of(file, path, sizeof path) && fails(path);
}

// Whether a read of *size bytes at offset fails; shortens one that comes to the bytes that do.
static int read_fails(int file, off_t offset, size_t* size) {
  char path[4096];
  if (!chosen("read") || !name_of(file, path, sizeof path)) return 0;
  const char* pattern = getenv("FAULT_PATTERN");
  if (pattern == NULL || strstr(path, pattern) == NULL) return 0;
  const off_t from = number("FAULT_FROM");
  const off_t to = getenv("FAULT_TO") != NULL ? number("FAULT_TO") : LONG_MAX;
  if (offset >= to) return 0;
  if (offset < from) {
    if ((off_t)*size > from - offset) *size = (size_t)(from - offset);
    return 0;
  }
  return fails(path);
}

static int opens(const char* name, const void* caller, const char* path, int flags, mode_t mode) {
  const char* pattern = getenv("FAULT_PATTERN");
  const char* forbidden = getenv("FAULT_FORBIDDEN");
  Dl_info library;
  if (forbidden != NULL && pattern != NULL && strstr(path, pattern) != NULL && dladdr(caller, &library) != 0 &&
      strstr(library.dli_fname, forbidden) != NULL) {
    fprintf(stderr, "%s opens '%s' by itself\n", library.dli_fname, path);
    abort();
  }
  if (chosen((flags & O_ACCMODE) != O_RDONLY ? "write" : "open") && fails(path)) return -1;
  int (*next)(const char*, int, ...) = (int (*)(const char*, int, ...))next_of(name);
  return next(path, flags, mode);
}

int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return opens("open", __builtin_return_address(0), path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return opens("open64", __builtin_return_address(0), path, flags, mode);
}

ssize_t write(int file, const void* bytes, size_t size) {
  if (descriptor_fails("write", file)) return -1;
  ssize_t (*next)(int, const void*, size_t) = (ssize_t (*)(int, const void*, size_t))next_of("write");
  return next(file, bytes, size);
}

int fsync(int file) {
  if (descriptor_fails("write", file)) return -1;
  int (*next)(int) = (int (*)(int))next_of("fsync");
  return next(file);
}

int remove(const char* path) {
  if (getenv("FAULT_KILL") != NULL && fails(path)) raise(SIGKILL);
  int (*next)(const char*) = (int (*)(const char*))next_of("remove");
  return next(path);
}

int rename(const char* from, const char* to) {
  int (*next)(const char*, const char*) = (int (*)(const char*, const char*))next_of("rename");
  const int failed = chosen("write") && fails(from);
  if (failed && number("FAULT_DONE") == 0) return -1;
  const int fault = errno;
  const int result = next(from, to);
  if (failed) errno = fault;
  return failed ? -1 : result;
}

ssize_t read(int file, void* bytes, size_t size) {
  if (chosen("read") && read_fails(file, lseek(file, 0, SEEK_CUR), &size)) return -1;
  ssize_t (*next)(int, void*, size_t) = (ssize_t (*)(int, void*, size_t))next_of("read");
  return next(file, bytes, size);
}

static ssize_t reads_at(const char* name, int file, void* bytes, size_t size, off_t offset) {
  if (read_fails(file, offset, &size)) return -1;
  ssize_t (*next)(int, void*, size_t, off_t) = (ssize_t (*)(int, void*, size_t, off_t))next_of(name);
  return next(file, bytes, size, offset);
}

ssize_t pread(int file, void* bytes, size_t size, off_t offset) { return reads_at("pread", file, bytes, size, offset); }

ssize_t pread64(int file, void* bytes, size_t size, off64_t offset) { return reads_at("pread64", file, bytes, size, offset); }

int stat(const char* path, struct stat* status) {
  if (chosen("stat") && fails(path)) return -1;
  int (*next)(const char*, struct stat*) = (int (*)(const char*, struct stat*))next_of("stat");
  return next(path, status);
}

int fstat(int file, struct stat* status) {
  if (descriptor_fails("stat", file)) return -1;
  int (*next)(int, struct stat*) = (int (*)(int, struct stat*))next_of("fstat");
  return next(file, status);
}

struct dirent* readdir(DIR* folder) {
  if (descriptor_fails("list", dirfd(folder))) return NULL;
  struct dirent* (*next)(DIR*) = (struct dirent * (*)(DIR*)) next_of("readdir");
  return next(folder);
}
