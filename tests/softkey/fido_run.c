/* SPDX-License-Identifier: Apache-2.0 */
/* Runs sgw-fido and plays its peers: see fido_run.h. */
#include "fido_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define RP "sgwarden:testappliance234"
#define RECORD "sgwarden record 1\nnonce 00\n"

/* Puts from[i] at 3 + i, whatever numbers they have now. */
static void
child_exec(struct run *r, const int from[4])
{
	char parent[32], mode[] = "--mode=user", name[] = "sgw-fido";
	char *argv[] = {name, mode, parent, NULL};
	int high[4];

	snprintf(parent, sizeof parent, "--parent=%d", (int)getppid());
	for (int i = 0; i < 4; i++)
		high[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 100);
	for (int i = 0; i < 4; i++)
		dup2(high[i], 3 + i);
	dup2(open("/dev/null", O_RDWR), 0);
	dup2(0, 1);
	execv(r->fido_exe, argv);
	_exit(127);
}

bool
run_next(struct run *r, struct chan *ch, int ms)
{
	struct pollfd pfd = {.fd = ch->fd, .events = POLLIN};

	return poll(&pfd, 1, ms) == 1 && chan_recv(ch, r->scratch, &r->m, NULL) == CHAN_GOT;
}

void
fido_start(struct run *r)
{
	int ends[3][2], theirs[4];

	for (int i = 0; i < 3; i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends[i]), 0);
		theirs[i] = ends[i][1];
	}
	theirs[3] = r->p.fd;
	r->pid = fork();
	assert_true(r->pid >= 0);
	if (r->pid == 0)
		child_exec(r, theirs);
	for (int i = 0; i < 3; i++)
		close(ends[i][1]);
	r->control = chan_open(ends[0][0], ROLE_SUPERVISOR, ROLE_FIDO);
	r->control.state = CHAN_STARTING;
	r->broker = chan_open(ends[1][0], ROLE_BROKER, ROLE_FIDO);
	r->broker.state = CHAN_TOUCH;
	r->consent = chan_open(ends[2][0], ROLE_CONSENT, ROLE_FIDO);
	assert_true(run_next(r, &r->control, 60000));
	assert_int_equal(r->m.id, MSG_READY);
}

int
fido_end(struct run *r)
{
	int status = 0;

	assert_int_equal(waitpid(r->pid, &status, 0), r->pid);
	chan_close(&r->control);
	chan_close(&r->broker);
	chan_close(&r->consent);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void
key_start(struct run *r, const char *a, const char *b)
{
	const char *args[] = {a, b, NULL};

	platform_start(&r->p, r->softkey_exe, args);
}

void
sign(struct run *r, const char *pin)
{
	r->out = (struct msg){.id = MSG_SIGN};
	assert_true(FIELD_SET(r->out.sign.record, RECORD));
	r->out.sign.pin_len = (uint16_t)strlen(pin);
	memcpy(r->out.sign.pin, pin, strlen(pin));
	assert_int_equal(chan_send(&r->consent, r->scratch, &r->out, -1, true), 0);
}

void
ask_credential(struct run *r)
{
	r->out = (struct msg){.id = MSG_ASK_CREDENTIAL};
	assert_true(FIELD_SET(r->out.ask_credential.rp_id, RP));
	assert_true(FIELD_SET(r->out.ask_credential.user_name, "blue"));
	r->out.ask_credential.user_id[0] = 1;
	assert_int_equal(chan_send(&r->broker, r->scratch, &r->out, -1, false), 0);
}

static void
ask_prepare(struct run *r, const struct credential *cred, uint8_t salt, uint8_t next)
{
	struct msg_ask_assertion *ask = &r->out.ask_assertion;

	r->out = (struct msg){.id = MSG_ASK_ASSERTION};
	assert_true(FIELD_SET(ask->rp_id, RP));
	ask->n_creds = cred != NULL ? 2 : 1;
	ask->creds[0].id_len = 64;
	if (cred != NULL) {
		ask->creds[1].id_len = (uint16_t)cred->id_len;
		memcpy(ask->creds[1].id, cred->id, cred->id_len);
		ask->creds[1].salt[0] = salt;
	}
	ask->next_salt[0] = next;
}

void
ask_assertion(struct run *r, const struct credential *cred, bool uv, bool hmac)
{
	ask_prepare(r, cred, 7, hmac ? 8 : 0);
	r->out.ask_assertion.uv = uv;
	r->out.ask_assertion.hmac_secret = hmac;
	assert_int_equal(chan_send(&r->broker, r->scratch, &r->out, -1, false), 0);
}

void
ask_assertion_salted(struct run *r, const struct credential *cred, uint8_t salt, uint8_t next)
{
	ask_prepare(r, cred, salt, next);
	r->out.ask_assertion.hmac_secret = true;
	assert_int_equal(chan_send(&r->broker, r->scratch, &r->out, -1, false), 0);
}

void
consent_hears(struct run *r, enum key_state want)
{
	r->told = KEY_STATE_MAX;
	while (r->told != want) {
		assert_true(run_next(r, &r->consent, 60000));
		assert_int_equal(r->m.id, MSG_KEY_STATE);
		r->told = r->m.key_state.state;
		r->retries = r->m.key_state.retries;
	}
}

void
broker_hears(struct run *r, enum msg_id want)
{
	assert_true(run_next(r, &r->broker, 60000));
	assert_int_equal(r->m.id, want);
}

static void
rp_hash(uint8_t ret[32])
{
	assert_int_equal(EVP_Digest(RP, strlen(RP), ret, NULL, EVP_sha256(), NULL), 1);
}

struct credential
enroll(struct run *r, const char *pin)
{
	const struct msg_credential *m = &r->m.credential;
	struct credential cred;
	uint8_t rp[32], cdh[32];

	rp_hash(rp);
	assert_int_equal(EVP_Digest(RECORD, strlen(RECORD), cdh, NULL, EVP_sha256(), NULL), 1);
	fido_start(r);
	ask_credential(r);
	sign(r, pin);
	consent_hears(r, KEY_TOUCHED);
	broker_hears(r, MSG_CREDENTIAL);
	assert_string_equal(m->format, "packed");
	assert_int_equal(credential_parse(m->authdata, m->authdata_len, rp, &cred), 0);
	assert_true(cred.hmac_secret);
	assert_int_equal(es256_verify(cred.pubkey, m->authdata, m->authdata_len, cdh, m->signature,
			     m->signature_len),
	    0);
	assert_int_equal(fido_end(r), 0);
	return cred;
}

int
judge(struct run *r, struct credential *cred, bool uv, bool hmac)
{
	const struct msg_assertion *m = &r->m.assertion;
	uint8_t rp[32], cdh[32];
	struct verify_expect e = {.rp_id_hash = rp,
	    .client_data_hash = cdh,
	    .pubkey = cred->pubkey,
	    .want_uv = uv,
	    .hmac_secret_asked = hmac,
	    .last_counter = cred->counter};

	rp_hash(rp);
	assert_int_equal(EVP_Digest(RECORD, strlen(RECORD), cdh, NULL, EVP_sha256(), NULL), 1);
	assert_int_equal(m->cred_id_len, cred->id_len);
	assert_memory_equal(m->cred_id, cred->id, cred->id_len);
	assert_int_equal(m->hmac_secret_len, hmac ? 64 : 0);
	return assertion_verify(
	    &e, m->authdata, m->authdata_len, m->signature, m->signature_len, &cred->counter);
}

int
assertion(struct run *r, struct credential *cred, const char *pin, bool uv, bool hmac)
{
	fido_start(r);
	ask_assertion(r, cred, uv, hmac);
	sign(r, pin);
	consent_hears(r, KEY_TOUCHED);
	broker_hears(r, MSG_ASSERTION);
	assert_int_equal(fido_end(r), 0);
	return judge(r, cred, uv, hmac);
}

void
set_pin(struct run *r, const char *pin)
{
	fido_dev_t *dev = platform_open(&r->p, 20000);

	assert_int_equal(fido_dev_set_pin(dev, pin, NULL), FIDO_OK);
	platform_close(&dev);
}

void
expect_error(struct run *r, enum key_state want)
{
	consent_hears(r, want);
	broker_hears(r, MSG_KEY_ERROR);
	assert_int_equal(r->m.key_error.state, want);
	assert_int_equal(fido_end(r), 0);
}

int
fido_memory_has(struct run *r, const char *text)
{
	char path[32], line[256];
	static char page[4096 * 2];
	unsigned long from, to;
	size_t len = strlen(text);
	bool found = false;
	FILE *maps;
	int mem;

	snprintf(path, sizeof path, "/proc/%d/mem", (int)r->pid);
	mem = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof path, "/proc/%d/maps", (int)r->pid);
	maps = fopen(path, "re");
	while (mem >= 0 && maps != NULL && fgets(line, sizeof line, maps) != NULL) {
		assert_int_equal(sscanf(line, "%lx-%lx", &from, &to), 2);
		for (; from < to; from += 4096) /* two pages, so that nothing hides on an edge */
			for (ssize_t n = pread(mem, page, sizeof page, (off_t)from), at = 0;
			     at + (ssize_t)len <= n; at++)
				found |= memcmp(page + at, text, len) == 0;
	}
	if (maps != NULL)
		fclose(maps);
	if (mem >= 0)
		close(mem);
	return mem < 0 || maps == NULL ? -1 : found;
}
