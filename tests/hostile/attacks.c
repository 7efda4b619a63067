/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worst that a process of ours can do to the others, to their files, to the screen, the key and the machine. Each
 * tries every target that it has, and has managed as soon as one of them gave way. What is of the attacker's own account
 * is spared: the hostile part that waits for the result runs under it where its unit gave it that account.
 */
#include "attacks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define FORKS 128
#define MUCH (UINT64_C(1) << 30) /* bytes: above every limit_as of the topology */
#define DESCRIPTORS 16

#define STATE "/var/lib/sgwarden"
#define CREDENTIALS "/run/credentials/sgwarden.service"

uint32_t attack_target;
pid_t attack_pids = 6000; /* story_attacks.py looks that nobody of ours is above */
struct attacker attacker;

static bool
is_other(pid_t pid)
{
	return pid != attacker.pid && pid != attacker.parent;
}

/* ---- other processes ---- */

static int
readable(const char *name, pid_t pid)
{
	char path[64], byte;
	int fd, saved = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	if (read(fd, &byte, 1) != 1)
		saved = errno ? errno : ENODATA;
	close(fd);
	return saved;
}

static int
links(pid_t pid)
{
	char path[64], to[256];

	(void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	return readlink(path, to, sizeof(to)) > 0 ? 0 : errno;
}

static int
read_processes(void)
{
	int last = ESRCH;

	for (pid_t pid = 1; pid < attack_pids; pid++) {
		int r;

		if (!is_other(pid))
			continue;
		if (readable("maps", pid) == 0 || readable("auxv", pid) == 0 ||
		    readable("environ", pid) == 0)
			return 0;
		r = links(pid);
		if (r == 0)
			return 0;
		if (r != ENOENT)
			last = r;
	}
	return last;
}

static int
read_memory(void)
{
	char bytes[16];
	struct iovec here = {bytes, sizeof(bytes)}, there = {(void *)&bytes, sizeof(bytes)};
	int last = ESRCH;

	for (pid_t pid = 1; pid < attack_pids; pid++) {
		if (!is_other(pid))
			continue;
		errno = 0; /* a wrong address is found after the right was granted */
		if (process_vm_readv(pid, &here, 1, &there, 1, 0) >= 0 || errno == EFAULT)
			return 0;
		if (errno != ESRCH)
			last = errno;
	}
	return last;
}

static int
trace(void)
{
	int last = ESRCH;

	for (pid_t pid = 1; pid < attack_pids; pid++) {
		if (!is_other(pid))
			continue;
		if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0)
			return 0;
		if (errno != ESRCH)
			last = errno;
	}
	return last;
}

static int
take_descriptors(void)
{
	int last = ESRCH;

	for (pid_t pid = 1; pid < attack_pids; pid++) {
		int process = is_other(pid) ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;

		if (process < 0)
			continue;
		for (int fd = 0; fd < DESCRIPTORS; fd++) {
			if (syscall(SYS_pidfd_getfd, process, fd, 0) >= 0)
				return 0;
			if (errno != EBADF)
				last = errno;
		}
		close(process);
	}
	return last;
}

static int
end_others(void)
{
	/* root whom nothing holds only asks whether it could, which SELinux takes for another question */
	int sign = attacker.uid == 0 && !(BOARD_HELD & 1u << HELD_ROOT) ? 0 : SIGKILL;
	int last = ESRCH;

	for (pid_t pid = 1; pid < attack_pids; pid++) {
		if (!is_other(pid))
			continue;
		if (kill(pid, sign) == 0)
			return 0;
		if (errno != ESRCH)
			last = errno;
	}
	return last;
}

/* ---- files ---- */

static int
any_opens(const char *const *paths, int flags)
{
	int last = ENOENT;

	for (attack_target = 1; *paths; paths++, attack_target++) {
		int fd = open(*paths, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

		if (fd >= 0) {
			close(fd);
			return 0;
		}
		if (errno != ENOENT)
			last = errno;
	}
	return last;
}

static int
read_ours(void)
{
	static const char *const PATHS[] = {STATE, STATE "/config.bin", STATE "/keys",
	    STATE "/sealed", STATE "/policy.bin", STATE "/appliance", STATE "/ledger",
	    STATE "/ledger/00000001.log", CREDENTIALS, CREDENTIALS "/credentials",
	    CREDENTIALS "/config", "/etc/credstore.encrypted/sgwarden-credentials",
	    "/var/lib/systemd/credential.secret", "/etc/shadow", "/srv/person/.aws/credentials",
	    NULL};

	return any_opens(PATHS, O_RDONLY);
}

static int
write_ours(void)
{
	static const char *const PATHS[] = {STATE "/config.bin", STATE "/keys", STATE "/sealed",
	    STATE "/ledger/00000001.log", "/etc/sgwarden/config.json",
	    "/usr/local/libexec/sgwarden/sgw-load", "/usr/libexec/sgwarden/sgw-load",
	    "/proc/sys/kernel/core_pattern", NULL};

	if (mkdir(STATE "/hostile", 0700) == 0)
		return rmdir(STATE "/hostile") < 0 ? errno : 0;
	return any_opens(PATHS, O_WRONLY);
}

/* ---- the screen and the key ---- */

static int
read_screen(void)
{
	const char *const paths[] = {board->terminal, NULL};

	return any_opens(paths, O_RDONLY);
}

/* By its path, and pushed into whatever terminal is among the descriptors that it was started with. */
static int
type_on_screen(void)
{
	const char *const paths[] = {board->terminal, NULL};
	int r = any_opens(paths, O_WRONLY);

	if (r == 0)
		return 0;
	(void)setsid();
	for (int fd = 0; fd < DESCRIPTORS; fd++) {
		char letter = 'y';

		if (!isatty(fd))
			continue;
		(void)ioctl(fd, TIOCSCTTY, 1);
		if (ioctl(fd, TIOCSTI, &letter) == 0)
			return 0;
		r = errno;
	}
	return r;
}

/* The devices, and where the test hands out the software key's descriptor to root. */
static int
open_key(void)
{
	static const char *const PATHS[] = {"/dev/hidraw0", "/dev/hidraw1", "/dev/hidraw2", NULL};
	int r = any_opens(PATHS, O_RDWR);

	return r == 0 ? 0 : connects_path("/run/sgw-test.sock", SOCK_STREAM);
}

/* ---- the machine ---- */

static int
run_shell(void)
{
	execl("/bin/sh", "sh", "-c", "exit 7", (char *)NULL);
	return errno;
}

/*
 * Without end, but for the test's sake. One that has ended counts until it is waited for; where none of us may send
 * another a signal, none that lived could be ended.
 */
static int
fork_on(void)
{
	pid_t pids[FORKS];
	int n = 0, saved = 0;

	while (n < FORKS && saved == 0) {
		pids[n] = fork();
		if (pids[n] == 0)
			_exit(0);
		if (pids[n] < 0)
			saved = errno;
		else
			n++;
	}
	for (int i = 0; i < n; i++)
		(void)waitpid(pids[i], NULL, 0);
	return saved;
}

static int
fill_memory(void)
{
	void *p = mmap(
	    NULL, MUCH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? errno : 0;
}

static int
become_another(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {
	    {0xffffffff, 0xffffffff, 0}, {0xff, 0xff, 0}};
	gid_t group = 0;

	if (setgroups(1, &group) == 0)
		return 0;
	for (uid_t uid = 0; uid < 1000; uid++)
		if (setresuid(uid, uid, uid) == 0 && uid != attacker.uid)
			return 0;
	return syscall(SYS_capset, &head, sets) == 0 ? 0 : errno;
}

static void
put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)!write(fd, text, strlen(text));
	close(fd);
}

/* Root of a user namespace, with every capability in it: what does that open outside? */
static int
root_of_a_namespace(void)
{
	int (*const again[])(void) = {read_processes, read_memory, trace, take_descriptors,
	    end_others, read_ours, write_ours, read_screen, open_key, reach_our_sockets,
	    reach_network};
	char line[64];
	int r = 0;

	(void)snprintf(line, sizeof(line), "0 %u 1\n", (unsigned)attacker.uid);
	if (attacker.uid != 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC) < 0)
			return errno;
		put("/proc/self/setgroups", "deny");
		put("/proc/self/uid_map", line);
	}
	for (size_t i = 0; i < sizeof(again) / sizeof(again[0]); i++) {
		r = again[i]();
		if (r == 0)
			return 0;
	}
	return r;
}

const struct attack ATTACKS[] = {
    {"read-processes", read_processes},
    {"read-memory", read_memory},
    {"trace", trace},
    {"take-descriptors", take_descriptors},
    {"end-others", end_others},
    {"read-ours", read_ours},
    {"write-ours", write_ours},
    {"read-screen", read_screen},
    {"type-on-screen", type_on_screen},
    {"open-key", open_key},
    {"reach-our-sockets", reach_our_sockets},
    {"reach-network", reach_network},
    {"reach-another-port", reach_another_port},
    {"reach-abstract", reach_abstract},
    {"run-shell", run_shell},
    {"fork", fork_on},
    {"fill-memory", fill_memory},
    {"become-another", become_another},
    {"root-of-a-namespace", root_of_a_namespace},
    {NULL, NULL},
};
