/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile part: the genuine program's own objects, so that it serves on, with a stranger between them and the
 * sandbox and the wire (the linker's --wrap). The program enters its sandbox itself: whoever replaces the file is in
 * command before that, with the supervisor's capabilities to become another uid, and is root's problem (and AppArmor's or
 * SELinux's, which hold it as root too). So what is tried here is the process with its account alone, with every step but
 * the filter, and with all of it; then all of it is entered for good and the stranger is a fault that was used: it sees
 * each message and says what it likes.
 */
#include "inplace.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../sandbox/internal.h"

int __real_sandbox_enter(enum role role, const struct sandbox_args *args, uint32_t *ret_degraded);
int __real_chan_send(struct chan *ch, void *scratch, const struct msg *m, int fd, bool secret);
enum chan_result __real_chan_recv(
    struct chan *ch, void *scratch, struct msg *ret_m, struct chan_fds *ret_fds);
int __wrap_sandbox_enter(enum role role, const struct sandbox_args *args, uint32_t *ret_degraded);
int __wrap_chan_send(struct chan *ch, void *scratch, const struct msg *m, int fd, bool secret);
enum chan_result __wrap_chan_recv(
    struct chan *ch, void *scratch, struct msg *ret_m, struct chan_fds *ret_fds);

static struct {
	enum role role;
	struct sandbox_args args;
	uint8_t scratch[SGW_DATAGRAM_MAX];
	struct msg changed, foreign;
} part;

/* ---- attacks ---- */

static bool
is_bare(const char *step)
{
	return strcmp(step, "identity") == 0 || strcmp(step, "capabilities") == 0;
}

static void
lock_down(enum held held)
{
	struct lockdown l = {.row = &TOPOLOGY[part.role], .args = &part.args};
	uint32_t degraded;

	part.args.parent = getppid();
	if (held == HELD_ROOT) {
		if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
			_exit(LOCKDOWN_EXIT);
		return;
	}
	if (held == HELD_WHOLLY) {
		(void)__real_sandbox_enter(part.role, &part.args, &degraded);
		return;
	}
	for (const struct lockdown_step *step = LOCKDOWN; step->name; step++) {
		if (held == HELD_ACCOUNT ? !is_bare(step->name)
					 : strcmp(step->name, "seccomp") == 0)
			continue;
		if (step->run(&l) < 0)
			_exit(LOCKDOWN_EXIT);
	}
}

/* In a unit of its own there is nobody's capability to become root with. */
static bool
is_held(enum held held)
{
	return (BOARD_HELD & 1u << held) && (held != HELD_ROOT || part.args.mode == MODE_SYSTEM);
}

int
__wrap_sandbox_enter(enum role role, const struct sandbox_args *args, uint32_t *ret_degraded)
{
	uid_t uid = args->mode == MODE_SYSTEM ? args->uid : getuid();

	part.role = role;
	part.args = *args;
	board_map();
	if (board && (board->attack & ROLE_BIT(role))) {
		for (enum held held = 0; held < HELD_MAX; held++)
			if (is_held(held))
				battery(role, held, held == HELD_ROOT ? 0 : uid, lock_down);
		board_attacked(role);
	}
	return __real_sandbox_enter(role, args, ret_degraded);
}

/* ---- lies ---- */

static void
hostile_bytes(const struct chan *ch, const void *data, size_t len)
{
	struct iovec iov = {.iov_len = len};
	struct msghdr hdr = {.msg_iov = &iov, .msg_iovlen = 1};

	memcpy(&iov.iov_base, &data, sizeof(data));
	(void)sendmsg(ch->fd, &hdr, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void
hostile_say(struct chan *ch, const struct msg *m)
{
	(void)__real_chan_send(ch, part.scratch, m, -1, false);
}

uint32_t
hostile_lie(void)
{
	return board ? board->lie[part.role] : 0;
}

void
hostile_told(void)
{
	board_lied(part.role);
}

/* Words of another process: whoever hears them must end this one. Said once, as garbage is. */
void
hostile_foreign(struct chan *ch, enum msg_id id)
{
	memset(&part.foreign, 0, sizeof(part.foreign));
	part.foreign.id = id;
	hostile_told(); /* before it is ended for it */
	board->lie[part.role] = LIE_NONE;
	hostile_say(ch, &part.foreign);
}

void
hostile_garbage(struct chan *ch)
{
	static const uint8_t BYTES[] = "SG\xff\xff what no decoder knows, and a byte too many";

	hostile_told();
	board->lie[part.role] = LIE_NONE;
	hostile_bytes(ch, BYTES, sizeof(BYTES));
}

int
__wrap_chan_send(struct chan *ch, void *scratch, const struct msg *m, int fd, bool secret)
{
	if (!board)
		return __real_chan_send(ch, scratch, m, fd, secret);
	part.changed = *m;
	switch (hostile_send(ch, &part.changed)) {
	case SAY_NOTHING:
		return 0;
	case SAY_TWICE:
		hostile_say(ch, &part.changed);
		break;
	case SAY_IT:
		break;
	}
	return __real_chan_send(ch, scratch, &part.changed, fd, secret);
}

enum chan_result
__wrap_chan_recv(struct chan *ch, void *scratch, struct msg *ret_m, struct chan_fds *ret_fds)
{
	enum chan_result r = __real_chan_recv(ch, scratch, ret_m, ret_fds);

	if (r == CHAN_GOT && board)
		hostile_heard(ch, ret_m);
	return r;
}
