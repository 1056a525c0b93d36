/* Makes system calls fail, for tests: LD_PRELOAD=faults.so FAULT_CONTROL=FILE. Its other side is tests/hostile/shim.py. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { OPEN, READ, WRITE, FSYNC, MMAP, SOCKET, THREAD, KINDS };

/* The file FAULT_CONTROL, which the test maps too. */
struct control {
    uint32_t armed;    /* 0: calls are neither counted nor failed; 2: armed by the first opening of a file *.toml */
    uint32_t kind;     /* which of KINDS fails */
    uint32_t nth;      /* which of them, counted from 1 since it was armed; 0: none */
    uint32_t times;    /* so many in a row fail */
    uint32_t error;    /* the errno */
    uint32_t children; /* 0: the first process counts; 1: only those that it starts */
    uint32_t imports;  /* 0: files of Python and of libraries, and memory, do not count; 1: they do */
    uint32_t pid;      /* of the first process */
    uint32_t fired;    /* how often one was failed */
    uint32_t count[KINDS];
    char what[256]; /* path or descriptor of the one that failed */
};
static struct control *control;

__attribute__((constructor)) static void begin(void) {
    const char *name = getenv("FAULT_CONTROL");
    long file = name ? syscall(SYS_openat, AT_FDCWD, name, O_RDWR | O_CLOEXEC, 0) : -1;
    if (file < 0) return;
    void *page = (void *)syscall(SYS_mmap, NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0L);
    syscall(SYS_close, file);
    if (page == MAP_FAILED) return;
    control = page;
    __sync_val_compare_and_swap(&control->pid, 0, (uint32_t)getpid());
}

/* Whether a file belongs to Python or a library. */
static int is_code(const char *path) {
    return strstr(path, "/python3") || strstr(path, "/lib/") || strstr(path, "/edge/") || strstr(path, ".venv/") ||
           strstr(path, ".so") || strstr(path, "/.git");
}

static int fails(int kind, const char *path, long number) {
    char target[256] = "";
    struct control *c = control;
    if (!c || !c->armed || (c->pid == (uint32_t)getpid()) == (c->children != 0)) return 0;
    if (c->armed == 2) {
        size_t length = path ? strlen(path) : 0;
        if (kind != OPEN || length < 5 || strcmp(path + length - 5, ".toml")) return 0;
        c->armed = 1;
    }
    if (!path && number >= 0) {
        char link[40];
        snprintf(link, sizeof link, "/proc/self/fd/%ld", number);
        if (syscall(SYS_readlinkat, AT_FDCWD, link, target, sizeof target - 1) > 0) path = target;
    }
    if (!c->imports && (kind == MMAP && number < 0 ? 1 : path && is_code(path))) return 0;
    uint32_t n = __sync_add_and_fetch(&c->count[kind], 1);
    if (c->kind != (uint32_t)kind || n < c->nth || n - c->nth >= c->times) return 0;
    if (!c->fired) snprintf(c->what, sizeof c->what, "%s", path ? path : "memory");
    c->fired++;
    errno = (int)c->error;
    return 1;
}

static int opened(int folder, const char *path, int flags, va_list more) {
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
    return fails(OPEN, path, -1) ? -1 : (int)syscall(SYS_openat, folder, path, flags, mode);
}

#define OPENS(name)                                   \
    int name(const char *path, int flags, ...) {      \
        va_list more;                                 \
        va_start(more, flags);                        \
        int file = opened(AT_FDCWD, path, flags, more); \
        va_end(more);                                 \
        return file;                                  \
    }
#define OPENS_AT(name)                                       \
    int name(int folder, const char *path, int flags, ...) { \
        va_list more;                                        \
        va_start(more, flags);                               \
        int file = opened(folder, path, flags, more);        \
        va_end(more);                                        \
        return file;                                         \
    }
OPENS(open) OPENS(open64) OPENS_AT(openat) OPENS_AT(openat64)
int __open64_2(const char *path, int flags) {
    return fails(OPEN, path, -1) ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0);
}
int __open_2(const char *path, int flags) { return __open64_2(path, flags); }

FILE *fopen(const char *path, const char *mode) {
    static FILE *(*real)(const char *, const char *);
    if (!real) real = (FILE * (*)(const char *, const char *)) dlsym(RTLD_NEXT, "fopen");
    return fails(OPEN, path, -1) ? NULL : real(path, mode);
}
FILE *fopen64(const char *path, const char *mode) { return fopen(path, mode); }

ssize_t read(int file, void *data, size_t size) {
    return fails(READ, NULL, file) ? -1 : syscall(SYS_read, file, data, size);
}
ssize_t pread64(int file, void *data, size_t size, off64_t at) {
    return fails(READ, NULL, file) ? -1 : syscall(SYS_pread64, file, data, size, at);
}
ssize_t pread(int file, void *data, size_t size, off_t at) { return pread64(file, data, size, at); }
ssize_t __read_chk(int file, void *data, size_t size, size_t room) { return read(file, data, size); }
ssize_t __pread64_chk(int file, void *data, size_t size, off64_t at, size_t room) { return pread64(file, data, size, at); }
ssize_t __pread_chk(int file, void *data, size_t size, off_t at, size_t room) { return pread64(file, data, size, at); }

ssize_t write(int file, const void *data, size_t size) {
    return fails(WRITE, NULL, file) ? -1 : syscall(SYS_write, file, data, size);
}
ssize_t pwrite64(int file, const void *data, size_t size, off64_t at) {
    return fails(WRITE, NULL, file) ? -1 : syscall(SYS_pwrite64, file, data, size, at);
}
ssize_t pwrite(int file, const void *data, size_t size, off_t at) { return pwrite64(file, data, size, at); }

int fsync(int file) { return fails(FSYNC, NULL, file) ? -1 : (int)syscall(SYS_fsync, file); }
int fdatasync(int file) { return fails(FSYNC, NULL, file) ? -1 : (int)syscall(SYS_fdatasync, file); }

void *mmap64(void *where, size_t size, int rights, int flags, int file, off64_t at) {
    if (fails(MMAP, NULL, file)) return MAP_FAILED;
    return (void *)syscall(SYS_mmap, where, size, rights, flags, file, at);
}
void *mmap(void *where, size_t size, int rights, int flags, int file, off_t at) {
    return mmap64(where, size, rights, flags, file, at);
}

int socket(int domain, int type, int protocol) {
    return fails(SOCKET, "a socket", -1) ? -1 : (int)syscall(SYS_socket, domain, type, protocol);
}
int socketpair(int domain, int type, int protocol, int ends[2]) {
    return fails(SOCKET, "a pair of sockets", -1) ? -1 : (int)syscall(SYS_socketpair, domain, type, protocol, ends);
}
int pipe2(int ends[2], int flags) { return fails(SOCKET, "a pipe", -1) ? -1 : (int)syscall(SYS_pipe2, ends, flags); }
int epoll_create1(int flags) { return fails(SOCKET, "an epoll", -1) ? -1 : (int)syscall(SYS_epoll_create1, flags); }

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *with) {
    static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (!real) real = (int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))dlsym(RTLD_NEXT, "pthread_create");
    if (fails(THREAD, "a thread", -1)) return (int)control->error;
    return real(thread, attributes, run, with);
}
