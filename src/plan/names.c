/* SPDX-License-Identifier: Apache-2.0 */
/* Forms of ids, regions and partitions, ports and enumerations in words.  Nothing here hashes: net links it too. */
#include <sgwarden/plan.h>
#include <sgwarden/record.h>

#include <stdio.h>
#include <string.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

void
receipt_id(const uint8_t digest[HASH_LEN], char ret_id[SGW_RECEIPT_LEN + 1])
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

	memcpy(ret_id, "sgw-", 4);
	for (size_t i = 0; i < 20; i++) {
		unsigned v = 0;

		for (size_t bit = 5 * i; bit < 5 * i + 5; bit++)
			v = v << 1 | ((unsigned)digest[bit / 8] >> (7 - bit % 8) & 1u);
		ret_id[4 + i] = alphabet[v];
	}
	ret_id[SGW_RECEIPT_LEN] = 0;
}

bool
receipt_id_ok(const char *id)
{
	return strlen(id) == SGW_RECEIPT_LEN && strncmp(id, "sgw-", 4) == 0 &&
	       strspn(id + 4, "abcdefghijklmnopqrstuvwxyz234567") == SGW_RECEIPT_LEN - 4;
}

static bool
id_ok(const char *id, const char *prefix, size_t digits_a, size_t digits_b)
{
	size_t n = strlen(prefix), digits;

	if (strncmp(id, prefix, n) != 0)
		return false;
	digits = strspn(id + n, "0123456789abcdef");
	return id[n + digits] == 0 && (digits == digits_a || digits == digits_b);
}

bool
group_id_ok(const char *id)
{
	return id_ok(id, "sg-", 8, 17);
}

bool
vpc_id_ok(const char *id)
{
	return id_ok(id, "vpc-", 8, 17);
}

bool
rule_id_ok(const char *id)
{
	return id_ok(id, "sgr-", 17, 17);
}

bool
account_ok(const char *id)
{
	return strlen(id) == SGW_ACCOUNT_MAX && strspn(id, "0123456789") == SGW_ACCOUNT_MAX;
}

/* "west-1": a word of letters or digits, a dash, a number, the end. */
static bool
region_tail_ok(const char *tail)
{
	size_t word = strspn(tail, LOWER DIGITS), number;

	if (word == 0 || tail[word] != '-')
		return false;
	number = strspn(tail + word + 1, DIGITS);
	return number > 0 && tail[word + 1 + number] == 0;
}

bool
region_ok(const char *name)
{
	size_t first = strspn(name, LOWER), second;

	if (first < 2 || name[first] != '-')
		return false;
	if (region_tail_ok(name + first + 1))
		return true;
	/* "us-gov-west-1" */
	second = strspn(name + first + 1, LOWER);
	return second > 0 && name[first + 1 + second] == '-' &&
	       region_tail_ok(name + first + 1 + second + 1);
}

struct partition_row {
	const char *prefix; /* of the region; "word-number" follows */
	const char *partition;
	const char *suffix; /* of the services' host names */
};

/* AWS's endpoint rules, "partitions". */
static const struct partition_row PARTITIONS[] = {
    {"us-", "aws", "amazonaws.com"},
    {"eu-", "aws", "amazonaws.com"},
    {"ap-", "aws", "amazonaws.com"},
    {"sa-", "aws", "amazonaws.com"},
    {"ca-", "aws", "amazonaws.com"},
    {"me-", "aws", "amazonaws.com"},
    {"af-", "aws", "amazonaws.com"},
    {"il-", "aws", "amazonaws.com"},
    {"mx-", "aws", "amazonaws.com"},
    {"cn-", "aws-cn", "amazonaws.com.cn"},
    {"us-gov-", "aws-us-gov", "amazonaws.com"},
    {"us-iso-", "aws-iso", "c2s.ic.gov"},
    {"us-isob-", "aws-iso-b", "sc2s.sgov.gov"},
    {"eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"},
    {"us-isof-", "aws-iso-f", "csp.hci.ic.gov"},
    {"eusc-de-", "aws-eusc", "amazonaws.eu"},
};

/* The prefixes cannot be mistaken for one another: what follows one holds a single dash. */
static const struct partition_row *
partition_row(const char *region)
{
	for (size_t i = 0; i < sizeof(PARTITIONS) / sizeof(PARTITIONS[0]); i++) {
		size_t n = strlen(PARTITIONS[i].prefix);

		if (strncmp(region, PARTITIONS[i].prefix, n) == 0 && region_tail_ok(region + n))
			return &PARTITIONS[i];
	}
	return NULL;
}

const char *
region_partition(const char *region)
{
	const struct partition_row *row = partition_row(region);

	return row != NULL ? row->partition : NULL;
}

const char *
region_suffix(const char *region)
{
	const struct partition_row *row = partition_row(region);

	return row != NULL ? row->suffix : NULL;
}

static void
icmp_text(const char *name, int32_t type, int32_t code, char *ret_text, size_t size)
{
	if (type < 0)
		snprintf(ret_text, size, "%s all types", name);
	else if (code < 0)
		snprintf(ret_text, size, "%s type %d", name, (int)type);
	else
		snprintf(ret_text, size, "%s type %d code %d", name, (int)type, (int)code);
}

void
op_ports_text(int16_t protocol, int32_t from, int32_t to, char *ret_text, size_t size)
{
	const char *name = protocol == PROTO_TCP ? "tcp" : "udp";

	if (protocol == PROTO_ALL)
		snprintf(ret_text, size, "all protocols");
	else if (protocol == PROTO_ICMP)
		icmp_text("icmp", from, to, ret_text, size);
	else if (protocol == PROTO_ICMPV6)
		icmp_text("icmpv6", from, to, ret_text, size);
	else if (protocol != PROTO_TCP && protocol != PROTO_UDP)
		snprintf(ret_text, size, "protocol %d", protocol);
	else if (from == to)
		snprintf(ret_text, size, "%s/%d", name, (int)from);
	else
		snprintf(ret_text, size, "%s/%d-%d", name, (int)from, (int)to);
}

struct service_row {
	int32_t port;
	const char *tcp;
	const char *udp;
};

static const struct service_row SERVICES[] = {
    {20, "ftp-data", NULL},
    {21, "ftp", NULL},
    {22, "ssh", NULL},
    {23, "telnet", NULL},
    {25, "smtp", NULL},
    {53, "dns", "dns"},
    {80, "http", NULL},
    {123, NULL, "ntp"},
    {135, "msrpc", NULL},
    {139, "netbios", NULL},
    {443, "https", "quic"},
    {445, "smb", NULL},
    {465, "smtps", NULL},
    {587, "submission", NULL},
    {636, "ldaps", NULL},
    {993, "imaps", NULL},
    {1194, "openvpn", "openvpn"},
    {1433, "mssql", NULL},
    {1521, "oracle", NULL},
    {2049, "nfs", "nfs"},
    {2375, "docker, no TLS", NULL},
    {2376, "docker", NULL},
    {2379, "etcd", NULL},
    {3306, "mysql", NULL},
    {3389, "rdp", "rdp"},
    {5432, "postgresql", NULL},
    {5601, "kibana", NULL},
    {5900, "vnc", NULL},
    {5985, "winrm", NULL},
    {5986, "winrm, TLS", NULL},
    {6379, "redis", NULL},
    {6443, "kubernetes", NULL},
    {8080, "http", NULL},
    {8443, "https", NULL},
    {9042, "cassandra", NULL},
    {9092, "kafka", NULL},
    {9200, "elasticsearch", NULL},
    {10250, "kubelet", NULL},
    {11211, "memcached", "memcached"},
    {27017, "mongodb", NULL},
    {51820, NULL, "wireguard"},
};

const char *
port_service(int16_t protocol, int32_t from, int32_t to)
{
	if (from != to || (protocol != PROTO_TCP && protocol != PROTO_UDP))
		return NULL;
	for (size_t i = 0; i < sizeof(SERVICES) / sizeof(SERVICES[0]); i++)
		if (SERVICES[i].port == from)
			return protocol == PROTO_TCP ? SERVICES[i].tcp : SERVICES[i].udp;
	return NULL;
}

const char *
class_name(enum effect_class c)
{
	static const char *const names[CLASS_MAX] = {
	    [CLASS_READ] = "read",
	    [CLASS_CLOSE_OWN] = "close-own",
	    [CLASS_CLOSE_FOREIGN] = "close-foreign",
	    [CLASS_OPEN] = "open",
	    [CLASS_OPEN_SENSITIVE] = "open-sensitive",
	    [CLASS_OPEN_WIDE] = "open-wide",
	    [CLASS_FORBIDDEN] = "forbidden",
	};

	return c < CLASS_MAX ? names[c] : "?";
}

const char *
stage_name(enum stage s)
{
	static const char *const names[STAGE_MAX] = {
	    [STAGE_PLANNING] = "planning",
	    [STAGE_QUEUED] = "queued",
	    [STAGE_WAITING_FOR_SCREEN] = "waiting_for_screen",
	    [STAGE_ON_SCREEN] = "on_screen",
	    [STAGE_WAITING_FOR_KEY] = "waiting_for_key",
	    [STAGE_PIN] = "pin",
	    [STAGE_TOUCH] = "touch",
	    [STAGE_EXECUTING] = "executing",
	    [STAGE_DONE] = "done",
	};

	return s < STAGE_MAX ? names[s] : "?";
}

const char *
status_name(enum status s)
{
	static const char *const names[STATUS_MAX] = {
	    [STATUS_OK] = "ok",
	    [STATUS_PLANNED] = "planned",
	    [STATUS_PENDING_CONSENT] = "pending_consent",
	    [STATUS_DENIED] = "denied",
	    [STATUS_REFUSED] = "refused",
	    [STATUS_EXPIRED] = "expired",
	    [STATUS_FAILED] = "failed",
	    [STATUS_AMBIGUOUS] = "ambiguous",
	};

	return s < STATUS_MAX ? names[s] : "?";
}

const char *const RECORD_ACTS[ACT_MAX] = {
    [ACT_REMOVE_KEY] = "remove-key",
    [ACT_TEST_KEY] = "test-key",
    [ACT_POLICY] = "load-policy",
    [ACT_SEAL] = "seal-credential",
    [ACT_ROTATE] = "rotate-seals",
    [ACT_TEST_OPENER] = "test-opener",
    [ACT_ENABLE] = "enable-openings",
    [ACT_PHRASE] = "choose-phrase",
    [ACT_MAKE_CODE] = "make-recovery-code",
    [ACT_DROP_CODE] = "drop-recovery-code",
};
