/* SPDX-License-Identifier: Apache-2.0 */
/* The forbidden calls, one row each.  Numbers above the oldest headers' are named with their kernel version. */
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kernel.h"

#define MUST_NOT 0u
#define NET ROLE_BIT(ROLE_NET)
#define FRONT ROLE_BIT(ROLE_FRONT)
/* They allocate secret memory in the sandbox; consent and fido have done so before. */
#define LATE_SECRETS (ROLE_BIT(ROLE_BROKER) | ROLE_BIT(ROLE_LOADER))
#define DRAWS (ROLE_BIT(ROLE_BROKER) | ROLE_BIT(ROLE_FIDO) | NET)
#define EVERYONE (((1u << (ROLE_MAX + 1)) - 1) & ~ROLE_BIT(ROLE_SUPERVISOR))

#define DIRTY (UINT64_C(1) << 32)
#define AT ((uint64_t)AT_FDCWD)
#define P(object) ((uintptr_t)(object))
#define TTY FD_CONSENT_TTY
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

#ifndef SYS_mseal
#define SYS_mseal 462 /* 6.10 */
#endif
#ifndef SYS_setxattrat
#define SYS_setxattrat 463 /* 6.13 */
#endif

static uint8_t zeroes[256];
static uint8_t data_page[4096] __attribute__((aligned(4096)));
static const char path[] = "/etc/passwd";
static const char shell[] = "/bin/sh";
/* sockaddr_in: 127.0.0.1:9 */
static const uint8_t address[16] = {2, 0, 0, 9, 127, 0, 0, 1};

#define KILLED(call, ...)                                                                          \
	{                                                                                          \
#call, SYS_##call, {__VA_ARGS__ }, MUST_NOT, 0, WAY_SYSCALL                        \
	}
#define KILLED_AS(name, call, ...)                                                                 \
	{                                                                                          \
		name, SYS_##call, {__VA_ARGS__}, MUST_NOT, 0, WAY_SYSCALL                          \
	}
#define MAY(who, error, name, call, ...)                                                           \
	{                                                                                          \
		name, SYS_##call, {__VA_ARGS__}, who, error, WAY_SYSCALL                           \
	}

const struct call CALLS[] = {
    /* the network */
    MAY(NET, 0, "socket-inet", socket, AF_INET, SOCK_STREAM, 0),
    MAY(NET, 0, "socket-inet6", socket, AF_INET6, SOCK_DGRAM, 0),
    MAY(NET, EAFNOSUPPORT, "socket-unix", socket, AF_UNIX, SOCK_STREAM, 0),
    MAY(NET, EAFNOSUPPORT, "socket-netlink", socket, AF_NETLINK, SOCK_RAW, 0),
    KILLED_AS("socket-inet-raw", socket, AF_INET, SOCK_RAW, 1),
    KILLED_AS("socket-packet", socket, AF_PACKET, SOCK_RAW, 0),
    KILLED_AS("socket-vsock", socket, AF_VSOCK, SOCK_STREAM, 0),
    MAY(NET, 0, "socket-tcp", socket, AF_INET, SOCK_STREAM, IPPROTO_TCP),
    KILLED_AS("socket-mptcp", socket, AF_INET, SOCK_STREAM, IPPROTO_MPTCP),
    KILLED_AS("socket-sctp", socket, AF_INET6, SOCK_STREAM, IPPROTO_SCTP),
    KILLED_AS("socket-dirty", socket, AF_INET | DIRTY, SOCK_STREAM, 0),
    MAY(NET, 0, "connect", connect, FD_CONTROL, P(address), sizeof(address)),
    KILLED(bind, FD_CONTROL, P(address), sizeof(address)),
    KILLED(listen, FD_CONTROL, 1),
    KILLED(accept, FD_CONTROL, 0, 0),
    KILLED(accept4, FD_CONTROL, 0, 0, 0),
    MAY(NET, 0, "sendto", sendto, FD_CONTROL, P(zeroes), 1, MSG_NOSIGNAL, 0, 0),
    KILLED_AS(
	"sendto-fastopen", sendto, FD_CONTROL, P(zeroes), 1, MSG_NOSIGNAL | MSG_FASTOPEN, 0, 0),
    MAY(NET, 0, "sendmmsg", sendmmsg, FD_CONTROL, P(zeroes), 0, MSG_NOSIGNAL),
    KILLED_AS("sendmmsg-fastopen", sendmmsg, FD_CONTROL, P(zeroes), 0, MSG_NOSIGNAL | MSG_FASTOPEN),
    KILLED_AS("sendmsg-fastopen", sendmsg, FD_CONTROL, P(zeroes), MSG_NOSIGNAL | MSG_FASTOPEN),
    KILLED(recvmmsg, FD_CONTROL, P(zeroes), 0, 0, 0),
    MAY(NET, 0, "socketpair", socketpair, AF_UNIX, SOCK_STREAM, 0, P(zeroes)),
    MAY(NET, 0, "eventfd2", eventfd2, 0, EFD_CLOEXEC),
    KILLED_AS("eventfd2-semaphore", eventfd2, 0, 1),
    KILLED_AS("eventfd2-counted", eventfd2, 1, 0),
    KILLED_AS("setsockopt-sndbuf", setsockopt, FD_CONTROL, SOL_SOCKET, SO_SNDBUF, P(zeroes), 4),
    KILLED_AS(
	"setsockopt-filter", setsockopt, FD_CONTROL, SOL_SOCKET, SO_ATTACH_FILTER, P(zeroes), 16),
    KILLED_AS("getsockopt-peercred", getsockopt, FD_CONTROL, SOL_SOCKET, SO_PEERCRED, P(zeroes),
	P(zeroes)),

    /* files */
    KILLED(open, P(path), O_RDONLY),
    MAY(NET, EACCES, "openat", openat, AT, P(path), O_RDONLY),
    KILLED_AS("openat-write", openat, AT, P(path), O_WRONLY),
    KILLED_AS("openat-create", openat, AT, P(path), O_CREAT, 0600),
    KILLED_AS("openat-dirty", openat, AT, P(path), DIRTY),
    MAY(NET | FRONT, 0, "fstat", fstat, FD_CONTROL, P(zeroes)),
    KILLED(openat2, AT, P(path), P(zeroes), 24),
    KILLED(creat, P(path), 0600),
    KILLED(stat, P(path), P(zeroes)),
    KILLED(statx, AT, P(path), 0, 0, P(zeroes)),
    KILLED(access, P(path), R_OK),
    KILLED(readlink, P(path), P(zeroes), 8),
    KILLED(getdents64, FD_CONTROL, P(zeroes), sizeof(zeroes)),
    KILLED(chmod, P(path), 0777),
    KILLED(fchmod, FD_CONTROL, 0777),
    KILLED(chown, P(path), 0, 0),
    KILLED(unlink, P(path)),
    KILLED(unlinkat, AT, P(path), 0),
    KILLED(rename, P(path), P(path)),
    KILLED(renameat2, AT, P(path), AT, P(path), 0),
    KILLED(link, P(path), P(path)),
    KILLED(symlink, P(path), P(path)),
    KILLED(mkdir, P(path), 0700),
    KILLED(mknod, P(path), 0600, 0),
    KILLED(truncate, P(path), 0),
    KILLED(ftruncate, FD_BROKER_LEDGER, 0),
    KILLED(fallocate, FD_BROKER_LEDGER, 0, 0, 1),
    KILLED(pwrite64, FD_BROKER_LEDGER, P(zeroes), 1, 0),
    KILLED(pwritev2, FD_BROKER_LEDGER, P(zeroes), 1, 0, 0, 0x20),
    KILLED_AS("pwritev2-that-waits", pwritev2, FD_FRONT_OUT, P(zeroes), 1, 0, 0, 0),
    KILLED_AS("pwritev2-nowait-elsewhere", pwritev2, FD_FRONT_PLANNER, P(zeroes), 1, 0, 0, 0x8),
    MAY(NET, 0, "writev", writev, FD_BROKER_LEDGER, P(zeroes), 0),
    MAY(NET, 0, "lseek", lseek, FD_BROKER_LEDGER, 0, 0),
    KILLED_AS("fcntl-setfl-append-off", fcntl, FD_BROKER_LEDGER, F_SETFL, 0),
    KILLED_AS("fcntl-dupfd", fcntl, FD_CONTROL, F_DUPFD, 0),
    KILLED(dup, FD_CONTROL),
    KILLED_AS("dup2-elsewhere", dup2, FD_CONTROL, 12),
    KILLED(sendfile, FD_CONTROL, FD_CONTROL, 0, 1),
    KILLED(splice, FD_CONTROL, 0, FD_CONTROL, 0, 1, 0),
    KILLED(tee, FD_CONTROL, FD_CONTROL, 1, 0),
    KILLED(vmsplice, FD_CONTROL, P(zeroes), 0, 0),
    KILLED(copy_file_range, FD_CONTROL, 0, FD_CONTROL, 0, 1, 0),
    KILLED(inotify_init1, 0),
    KILLED(fanotify_init, 0, 0),
    KILLED(name_to_handle_at, AT, P(path), P(zeroes), P(zeroes), 0),
    KILLED(open_by_handle_at, AT, P(zeroes), 0),
    KILLED(memfd_create, P(path), 0),
    KILLED(memfd_secret, 0),

    /* processes */
    KILLED(execve, P(shell), 0, 0),
    KILLED(execveat, AT, P(shell), 0, 0, 0),
    KILLED(fork),
    KILLED(vfork),
    KILLED_AS("clone-process", clone, SIGCHLD, 0, 0, 0, 0),
    KILLED_AS("clone-newuser", clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0),
    MAY(NET, ENOSYS, "clone3", clone3, P(zeroes), 64),
    KILLED(ptrace, PTRACE_ATTACH, 1, 0, 0),
    KILLED(process_vm_readv, 1, P(zeroes), 1, P(zeroes), 1, 0),
    KILLED(process_vm_writev, 1, P(zeroes), 1, P(zeroes), 1, 0),
    KILLED(process_madvise, FD_CONTROL, P(zeroes), 0, MADV_COLD, 0),
    KILLED(kill, 1, 0),
    KILLED(tkill, 1, 0),
    KILLED(tgkill, 1, 1, 0),
    KILLED(rt_sigqueueinfo, 1, 0, P(zeroes)),
    KILLED(pidfd_open, 1, 0),
    KILLED(pidfd_getfd, FD_CONTROL, 0, 0),
    KILLED(pidfd_send_signal, FD_CONTROL, 0, 0, 0),
    KILLED(kcmp, 1, 1, 0, 0, 0),
    KILLED(wait4, (uint64_t)-1, 0, WNOHANG, 0),
    MAY(NET, EPERM, "rt_sigaction-pipe", rt_sigaction, SIGPIPE, 0, 0, 8),
    KILLED_AS("rt_sigaction-segv", rt_sigaction, SIGSEGV, 0, 0, 8),
    KILLED(sigaltstack, 0, 0),
    KILLED(rt_sigreturn),

    /* privileges and namespaces */
    KILLED(setuid, 0),
    KILLED(setresuid, 0, 0, 0),
    KILLED(setresgid, 0, 0, 0),
    KILLED(setgroups, 0, 0),
    KILLED(capset, P(zeroes), P(zeroes)),
    KILLED_AS("prctl-dumpable", prctl, PR_SET_DUMPABLE, 1),
    KILLED_AS("prctl-name", prctl, PR_SET_NAME, P(path)),
    KILLED_AS("prctl-pdeathsig", prctl, PR_SET_PDEATHSIG, 0),
    MAY(EVERYONE, 0, "prctl-get-seccomp", prctl, PR_GET_SECCOMP),
    MAY(FRONT, 0, "seccomp-filter", seccomp, 1, 0, 0),
    KILLED_AS("seccomp-listener", seccomp, 1, 8, 0),
    KILLED_AS("seccomp-strict", seccomp, 0, 0, 0),
    KILLED(unshare, CLONE_NEWUSER),
    KILLED(setns, FD_CONTROL, 0),
    KILLED(chroot, P(path)),
    KILLED(pivot_root, P(path), P(path)),
    KILLED(mount, P(path), P(path), 0, 0, 0),
    KILLED(umount2, P(path), 0),
    KILLED(move_mount, AT, P(path), AT, P(path), 0),
    KILLED(fsopen, P(path), 0),
    KILLED(landlock_create_ruleset, P(zeroes), 8, 0),
    KILLED(setrlimit, 7, P(zeroes)),
    KILLED(prlimit64, 0, 7, 0, P(zeroes)),
    KILLED(personality, 0x0400000),
    KILLED(arch_prctl, 0x1003, P(zeroes)),
    KILLED(modify_ldt, 0, P(zeroes), 8),
    KILLED(ioperm, 0x80, 1, 1),
    KILLED(iopl, 3),

    /* memory */
    KILLED_AS("mmap-exec", mmap, 0, 4096, PROT_READ | PROT_EXEC, ANON, (uint64_t)-1, 0),
    KILLED_AS("mmap-rwx", mmap, 0, 4096, RW | PROT_EXEC, ANON, (uint64_t)-1, 0),
    KILLED_AS("mmap-dirty", mmap, 0, 4096, PROT_READ | DIRTY, ANON, (uint64_t)-1, 0),
    KILLED_AS("mmap-file", mmap, 0, 4096, PROT_READ, MAP_PRIVATE, FD_CONTROL, 0),
    KILLED_AS("mmap-shared", mmap, 0, 4096, RW, MAP_SHARED | MAP_ANONYMOUS, (uint64_t)-1, 0),
    MAY(EVERYONE, 0, "mmap-data", mmap, 0, 4096, RW, ANON, (uint64_t)-1, 0),
    KILLED_AS("mprotect-exec", mprotect, P(data_page), 4096, PROT_READ | PROT_EXEC),
    KILLED_AS("mprotect-rwx", mprotect, P(data_page), 4096, RW | PROT_EXEC),
    KILLED_AS("mprotect-dirty", mprotect, P(data_page), 4096, RW | DIRTY),
    MAY(LATE_SECRETS | NET, 0, "mprotect-data", mprotect, P(data_page), 4096, RW),
    KILLED(pkey_mprotect, P(data_page), 4096, PROT_READ | PROT_EXEC, (uint64_t)-1),
    MAY(EVERYONE, ENOMEM, "mremap", mremap, P(data_page), 4096, 8192, 1),
    KILLED(remap_file_pages, P(data_page), 4096, 0, 0, 0),
    KILLED_AS("mmap-droppable", mmap, 0, 4096, RW, 0x28, (uint64_t)-1),
    MAY(NET, EINVAL, "madvise-guard", madvise, P(data_page), 4096, ADVICE_GUARD_INSTALL),
    KILLED_AS("madvise-guard-remove", madvise, P(data_page), 4096, ADVICE_GUARD_INSTALL + 1),
    KILLED_AS("madvise-merge", madvise, P(data_page), 4096, MADV_MERGEABLE),
    KILLED(munlock, P(data_page), 4096),
    KILLED(munlockall),
    KILLED(shmget, 0, 4096, 0600 | 01000),
    KILLED(shmat, 0, 0, SHM_EXEC),
    KILLED(userfaultfd, 0),
    KILLED(mseal, P(data_page), 4096, 0),

    /* the terminal */
    KILLED_AS("ioctl-tiocsti", ioctl, TTY, TIOCSTI, P(zeroes)),
    KILLED_AS("ioctl-tiocsti-dirty", ioctl, TTY, TIOCSTI | DIRTY, P(zeroes)),
    KILLED_AS("ioctl-tioclinux", ioctl, TTY, TIOCLINUX, P(zeroes)),
    KILLED_AS("ioctl-tiocsctty", ioctl, TTY, TIOCSCTTY, 1),
    KILLED_AS("ioctl-tcgets-dirty", ioctl, TTY, TCGETS | DIRTY, P(zeroes)),
    KILLED_AS("ioctl-tcgets-elsewhere", ioctl, 0, TCGETS, P(zeroes)),
    MAY(ROLE_BIT(ROLE_CONSENT), 0, "ioctl-tcgets", ioctl, TTY, TCGETS, P(zeroes)),
    KILLED_AS("ioctl-tcgets2-elsewhere", ioctl, 0, TERMIOS2_GET, P(zeroes)),
    KILLED_AS("ioctl-tcsets2", ioctl, TTY, TERMIOS2_SET, P(zeroes)),
    MAY(ROLE_BIT(ROLE_CONSENT), 0, "ioctl-tcgets2", ioctl, TTY, TERMIOS2_GET, P(zeroes)),
    MAY(ROLE_BIT(ROLE_CONSENT), 0, "ioctl-tcsetsf2", ioctl, TTY, TERMIOS2_SET_FLUSH, P(zeroes)),

    /* random numbers */
    MAY(DRAWS, 0, "getrandom", getrandom, P(zeroes), 1, 0),
    MAY(DRAWS, 0, "getrandom-nonblock", getrandom, P(zeroes), 1, GRND_NONBLOCK),
    KILLED_AS("getrandom-pool", getrandom, P(zeroes), 1, GRND_RANDOM),

    /* the kernel */
    KILLED(io_uring_setup, 1, P(zeroes)),
    KILLED(io_uring_enter, FD_CONTROL, 0, 0, 0, 0, 0),
    KILLED(bpf, 0, P(zeroes), 8),
    KILLED(perf_event_open, P(zeroes), 0, 0, 0, 0),
    KILLED(keyctl, KEYCTL_GET_KEYRING_ID, 0, 0),
    KILLED(add_key, P(path), P(path), 0, 0, 0),
    KILLED(request_key, P(path), P(path), 0, 0),
    KILLED(init_module, P(zeroes), 0, P(zeroes)),
    KILLED(finit_module, FD_CONTROL, P(zeroes), 0),
    KILLED(delete_module, P(path), 0),
    KILLED(kexec_load, 0, 0, 0, 0),
    KILLED(reboot, 0, 0, 0, 0),
    KILLED(swapon, P(path), 0),
    KILLED(clock_settime, 0, P(zeroes)),
    KILLED(settimeofday, 0, 0),
    KILLED(sethostname, P(path), 1),
    KILLED(syslog, 2, P(zeroes), 1),
    KILLED(acct, 0),
    KILLED(quotactl, 0, 0, 0, 0),
    KILLED(msgget, 0, 01000),
    KILLED(semget, 0, 1, 01000),
    KILLED(mq_open, P(path), 0, 0, 0),
    KILLED(timer_create, 0, 0, P(zeroes)),
    KILLED(signalfd4, (uint64_t)-1, P(zeroes), 8, 0),
    KILLED(sched_setscheduler, 0, 0, P(zeroes)),
    KILLED(setpriority, 0, 0, 5),
    KILLED(setxattrat, AT, P(path), 0, P(path), P(zeroes), 16),
    {"no-such-call", 100000, {0}, MUST_NOT, 0, WAY_SYSCALL},

    /* other entries */
    {"x32-close", SYS_close, {99}, MUST_NOT, 0, WAY_X32},
    {"i386-close", 6, {99}, MUST_NOT, 0, WAY_INT80},
};

const unsigned CALLS_LEN = sizeof(CALLS) / sizeof(CALLS[0]);

#define X32_BIT 0x40000000

static long
call_int80(const struct call *call)
{
	long r = call->nr;

	__asm__ volatile("int $0x80"
			 : "+a"(r)
			 : "b"(call->args[0]), "c"(call->args[1]), "d"(call->args[2])
			 : "memory", "r8", "r9", "r10", "r11");
	return r;
}

long
call_make(const struct call *call)
{
	const uint64_t *a = call->args;
	long nr = call->way == WAY_X32 ? call->nr | X32_BIT : call->nr;
	long r;

	if (call->way == WAY_INT80)
		return call_int80(call);
	r = syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	return r < 0 ? -errno : r;
}
