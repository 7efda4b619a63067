/* SPDX-License-Identifier: Apache-2.0 */
/* See load_world.h. */
#include "load_world.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "record_fixture.h"

struct load_ledger L;
struct load_heard H;

void
put(const char *key, const char *value)
{
	L.e.fields[L.e.n_fields++] = (struct ledger_field){key, value, strlen(value)};
}

void
entry(enum ledger_kind kind)
{
	L.e = (struct ledger_entry){.kind = kind, .time = NOW + L.later + (int64_t)L.chain.number};
}

void
append(void)
{
	ledger_next(&L.chain, &L.e);
	assert_true(ledger_encode(&L.e, &L.b));
	assert_int_equal(ledger_follow(&L.chain, &L.e), LEDGER_OK);
}

void
put_start(const char *policy)
{
	entry(LEDGER_START);
	put("version", "0.1.0");
	put("appliance", "abcdefghijklmn27");
	put("boot", "01234567-89ab-cdef-0123-456789abcdef");
	put("mode", "user");
	put("policy", policy);
	put("degraded", "none");
	append();
}

/* A touched record with this many openings, from port 8000 on. */
static void
put_record(struct record r, const char *counter)
{
	struct buf b = buf_over(L.record, SGW_RECORD_MAX);

	r.nonce[0] = (uint8_t)L.chain.number;
	r.created += L.later;
	r.expires += L.later;
	r.closes += r.closes ? L.later : 0;
	assert_true(record_encode(&r, &b));
	L.record[b.len] = 0;
	snprintf(L.ops, sizeof(L.ops), "%u", (unsigned)r.plan.n_ops);
	record_receipt(b.data, b.len, L.receipt);
	put_consent_as(L.receipt, counter);
}

void
put_foreign(unsigned ops, const char *counter)
{
	put_record(fixture_close(ops), counter);
}

void
put_consent(unsigned ops, const char *counter)
{
	struct record r = fixture_record();

	r.plan.n_ops = (uint16_t)ops;
	for (unsigned i = 0; i < ops; i++)
		r.plan.ops[i] = fixture_op(ACTION_OPEN, PROTO_TCP, (int32_t)(8000 + i),
		    (int32_t)(8000 + i), "203.0.113.7");
	put_record(r, counter);
}

void
put_consent_as(const char *receipt, const char *counter)
{
	entry(LEDGER_CONSENT);
	put("receipt", receipt);
	put("plan", "sgw-bbbbbbbbbbbbbbbbbbbb");
	put("class", "open");
	put("display", "trusted");
	put("credential", CRED);
	put("counter", counter);
	put("authdata", "0a0b");
	put("signature", "0c0d");
	put("text", L.record);
	append();
}

void
put_intent(const char *receipt, const char *action)
{
	entry(LEDGER_INTENT);
	put("receipt", receipt);
	put("action", action);
	put("op", "0");
	put("ops", L.ops);
	put("host", "ec2.eu-west-1.amazonaws.com");
	put("date", "20261121T163000Z");
	put("body", "00");
	append();
}

void
put_outcome(const char *status)
{
	put_outcome_of("open", status);
}

void
put_outcome_of(const char *action, const char *status)
{
	entry(LEDGER_OUTCOME);
	put("receipt", L.receipt);
	put("action", action);
	put("op", "0");
	put("ops", L.ops);
	put("status", status);
	put("error", "none");
	append();
}

void
put_reconcile(const char *op, const char *found)
{
	put_reconcile_of("open", op, found);
}

void
put_reconcile_of(const char *action, const char *op, const char *found)
{
	entry(LEDGER_RECONCILE);
	put("receipt", L.receipt);
	put("action", action);
	put("op", op);
	put("found", found);
	append();
}

void
put_close(const char *op, const char *status)
{
	entry(LEDGER_CLOSE);
	put("receipt", L.receipt);
	put("op", op);
	put("why", "expiry");
	put("status", status);
	append();
}

void
put_enroll(void)
{
	char authdata[2 * 77 + 1];

	memset(authdata, '0', sizeof(authdata) - 1);
	authdata[sizeof(authdata) - 1] = 0;
	memcpy(authdata + 2 * 33, "00000105", 8); /* the counter: 261 */
	entry(LEDGER_ENROLL);
	put("receipt", "sgw-aaaaaaaaaaaaaaaaaaaa");
	put("uid", "0");
	put("name", "blue");
	put("credential", CRED);
	put("key", "00");
	put("aaguid", "00");
	put("zero", "no");
	put("format", "none");
	put("authdata", authdata);
	put("keys", DIGEST_B);
	put("text", "a record\n");
	append();
}

void
put_segment(void)
{
	char number[16], last[24], head[2 * HASH_LEN + 1];
	struct buf b = buf_over(head, sizeof(head));

	L.at[L.n_at++] = L.b.len;
	snprintf(number, sizeof(number), "%u", L.n_at + 1);
	snprintf(last, sizeof(last), "%llu", (unsigned long long)L.chain.number);
	assert_true(buf_put_hex(&b, L.chain.head, HASH_LEN) && buf_put_c(&b));
	entry(LEDGER_SEGMENT);
	put("segment", number);
	put("last", last);
	put("head", head);
	append();
}

/* ---- the process ---- */

int
file_of(const void *data, size_t len)
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	assert_true(fd >= 0 && write(fd, data, len) == (ssize_t)len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void
become_loader(const int ends[5], pid_t parent)
{
	static const int places[5] = {FD_CONTROL, FD_LOADER_BROKER, FD_LOADER_CREDENTIALS,
	    FD_LOADER_CONFIG, FD_LOADER_LEDGER};
	char path[] = LOAD_EXE, mode[] = "--mode=user", parent_arg[32];
	char *const argv[] = {path, mode, parent_arg, NULL};
	int high[5], null = open("/dev/null", O_RDWR);

	for (size_t i = 0; i < 5; i++)
		high[i] = fcntl(ends[i], F_DUPFD_CLOEXEC, 100);
	for (size_t i = 0; i < 5; i++)
		if (high[i] < 0 || dup2(high[i], places[i]) < 0)
			_exit(71);
	if (dup2(null, 0) < 0 || dup2(null, 1) < 0)
		_exit(71);
	snprintf(parent_arg, sizeof(parent_arg), "--parent=%d", (int)parent);
	execv(path, argv);
	_exit(72);
}

static void
hear(void)
{
	switch (H.m.id) {
	case MSG_LOADED_HEAD:
		H.head = H.m.loaded_head;
		break;
	case MSG_LOADED_GRANT:
		H.latest[H.n_grants] = H.m.loaded_grant.latest;
		H.grants[H.n_grants++] = H.m.loaded_grant.grant;
		break;
	case MSG_LOADED_LOCKDOWN:
		H.lockdowns[H.n_lockdowns++] = H.m.loaded_lockdown.lockdown;
		break;
	case MSG_LOADED_COUNTER:
		H.counters[H.n_counters++] = H.m.loaded_counter;
		break;
	case MSG_LOADED_RECEIPT:
		assert_int_equal(H.m.loaded_receipt.head.n_ops, H.m.loaded_receipt.n_ops);
		receipts_add(&H.receipts, &H.m.loaded_receipt.head, H.m.loaded_receipt.ops);
		break;
	case MSG_LOADED_LIMIT:
		assert_true(H.n_limits < sizeof(H.limits) / sizeof(H.limits[0]));
		H.limits[H.n_limits++] = H.m.loaded_limit;
		break;
	case MSG_LOADED_PROFILE:
		H.profiles[H.n_profiles++] = H.m.loaded_profile;
		break;
	case MSG_LOADED_PROBLEM:
		H.n_problems++;
		H.problem = H.m.loaded_problem;
		assert_null(strstr(H.problem.detail, SECRET));
		break;
	default:
		assert_int_equal(H.m.id, MSG_LOADED);
		H.whole = true;
		H.records = H.m.loaded.records;
		H.n_receipts = H.m.loaded.receipts;
		break;
	}
}

/* The segment of this number, from the borders that the test has set. */
static int
segment_file(uint32_t number)
{
	size_t from = number == 1 ? 0 : L.at[number - 2],
	       to = number > L.n_at ? L.b.len : L.at[number - 1];

	return file_of(L.bytes + from, to - from);
}

/* The supervisor's part: READY is heard, and a segment that is asked for is handed over. */
static void
hear_control(struct chan *control)
{
	uint32_t number;
	int fd;

	if (chan_recv(control, H.scratch, &H.m, NULL) != CHAN_GOT || H.m.id != MSG_NEXT_SEGMENT)
		return;
	number = H.m.next_segment.number;
	fd = number <= L.n_at + 1 ? segment_file(number) : -1;
	H.m.id = MSG_SEGMENT;
	H.m.segment.number = number;
	assert_int_equal(chan_send(control, H.scratch, &H.m, fd, false), 0);
	if (fd >= 0)
		close(fd);
}

void
load_files(int credentials, int config)
{
	int control[2], broker[2], ledger = segment_file(1);
	struct chan supervisor;
	bool ready = false;
	enum chan_result r = CHAN_AGAIN;
	pid_t parent = getpid(), child;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, broker), 0);
	child = fork();
	if (child == 0)
		become_loader((int[5]){control[1], broker[1], credentials, config, ledger}, parent);
	close(control[1]);
	close(broker[1]);
	close(ledger);
	H.broker = chan_open(broker[0], ROLE_BROKER, ROLE_LOADER);
	supervisor = chan_open(control[0], ROLE_SUPERVISOR, ROLE_LOADER);
	do {
		struct pollfd p[2] = {
		    {.fd = broker[0], .events = POLLIN}, {.fd = control[0], .events = POLLIN}};

		assert_in_range(poll(p, 2, 60000), 1, 2);
		if (p[1].revents & POLLIN) {
			supervisor.state = ready ? CHAN_OPEN : CHAN_STARTING;
			hear_control(&supervisor);
			ready = true;
		}
		if (!p[0].revents)
			continue;
		r = chan_recv(&H.broker, H.scratch, &H.m, NULL);
		if (r == CHAN_GOT)
			hear();
	} while (r != CHAN_EOF && r != CHAN_VIOLATION);
	assert_int_equal(r, CHAN_EOF);
	waitpid(child, &H.status, 0);
	chan_close(&H.broker);
	close(control[0]);
}

void
load(void)
{
	int null = open("/dev/null", O_RDONLY);

	load_files(null, null);
	close(null);
}

void
heard_nothing(void)
{
	memset(&H, 0, sizeof(H));
}

int
load_begin(void **state)
{
	memset(&L, 0, sizeof(L));
	L.b = buf_over(L.bytes, sizeof(L.bytes));
	heard_nothing();
	return 0;
}
