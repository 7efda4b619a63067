/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a hostile part and the test that put it in place have in common: a page of memory, there before the sandbox is on.
 * Where it is shared (shared.c) the test arms attacks and lies in it and reads what came of them; no call is needed to
 * write there. Under AppArmor or SELinux nothing can be shared: what it is to do is compiled in (ordered.c), and what
 * came of it goes to its log.
 */
#ifndef HOSTILE_BOARD_H
#define HOSTILE_BOARD_H

#include <stdint.h>
#include <sys/types.h>

#include <sgwarden/wire.h>

#define BOARD_PATH "/dev/shm/sgw-hostile"
#define BOARD_ATTACKS 32

/* Who attacks: a role of the topology, or a program that the test itself starts. */
enum {
	WHO_AGENT = ROLE_MAX, /* any client's uid */
	WHO_ROOT,             /* root, confined by nothing: the twin that manages everything */
	WHO_MAX,
};

/* How much of the lockdown is on when it attacks. */
enum held {
	HELD_ACCOUNT, /* by its account, without capabilities: by nothing else that the process does for itself */
	HELD_LAYERS, /* by the product's own table of steps but the last one: no filter */
	HELD_WHOLLY, /* by all of it: what a fault in the genuine process gives */
	HELD_ROOT, /* by nothing at all of it: as root, which the supervisor's capabilities let it become */
	HELD_MAX,
};

enum outcome {
	OUTCOME_NONE,
	OUTCOME_REFUSED, /* detail: errno */
	OUTCOME_MANAGED, /* detail: which target, where they have numbers */
	OUTCOME_KILLED,  /* detail: the signal */
	OUTCOME_FAILED,  /* the lockdown did not come about; detail: the status */
};

struct result {
	uint32_t outcome, detail;
};

struct board {
	uint32_t attack;        /* bits of those who attack when they start */
	uint32_t port;          /* where AWS is played */
	uint32_t other_port;    /* where somebody else listens */
	uint32_t lie[WHO_MAX];  /* what each says from now on: 0 is the truth */
	uint32_t told[WHO_MAX]; /* how often it lied */
	uint32_t
	    filters[WHO_MAX]; /* seccomp filters that were on before the process put on its own */
	struct result results[WHO_MAX][HELD_MAX][BOARD_ATTACKS];
	char terminal[64]; /* the screen's */
	uint32_t kept;     /* an assertion of an earlier ceremony is there */
	struct msg_assertion assertion;
};

/* What a role may be told to say: LIE(ROLE, NAME, "in words"). FOREIGN and GARBAGE are said once and end the edge. */
#define LIES(LIE)                                                                                  \
	LIE(PLANNER, WIDE, "another source: 0.0.0.0/0")                                            \
	LIE(PLANNER, PORT, "another port: 22")                                                     \
	LIE(PLANNER, GROUP, "another group")                                                       \
	LIE(PLANNER, LONGER, "twice the lifetime")                                                 \
	LIE(PLANNER, CLIENT, "another client")                                                     \
	LIE(PLANNER, SECOND, "another plan right behind the first")                                \
	LIE(NET, HIDDEN, "no group has a rule")                                                    \
	LIE(NET, OURS, "every rule carries the tag of what was opened here")                       \
	LIE(NET, ACCOUNT, "the credential is another account's")                                   \
	LIE(NET, REFUSED, "AWS refused")                                                           \
	LIE(NET, SILENT, "nothing")                                                                \
	LIE(NET, TWICE, "every answer twice")                                                      \
	LIE(CONSENT, UNSEEN, "the word was typed, before anything was drawn")                      \
	LIE(CONSENT, OTHER, "to the key another record than the one that was shown")               \
	LIE(FIDO, FLIPPED, "one bit of the signature")                                             \
	LIE(FIDO, UNTOUCHED, "authenticator data without the touch")                               \
	LIE(FIDO, REPLAYED, "the assertion of an earlier ceremony")                                \
	LIE(FIDO, EARLY, "the same, before the key was asked")                                     \
	LIE(LOADER, FALSE_GRANT, "another's rule was opened here and is due")                      \
	LIE(LOADER, HEAD, "the ledger ends in another hash")                                       \
	LIE(LOADER, KEYS, "another key list was recorded")                                         \
	LIE(LOADER, SECRET, "another secret access key")                                           \
	LIE(FRONT, WIDE, "the client asked for 0.0.0.0/0")                                         \
	LIE(FRONT, ADMIN, "an administrator's question")

enum lie {
	LIE_NONE,
	LIE_FOREIGN, /* another process's words */
	LIE_GARBAGE, /* no message at all */
#define LIE(role, name, words) LIE_##role##_##name,
	LIES(LIE)
#undef LIE
};

extern struct board *board; /* NULL: nobody has put one there */

extern const uint32_t BOARD_HELD; /* bits of how it attacks */

void board_map(void);

void board_attacked(unsigned who); /* the results are there */
void board_lied(unsigned who);

struct attack {
	const char *name;
	int (*run)(void); /* 0: managed; else the errno of the last refusal */
};

extern const struct attack ATTACKS[]; /* a NULL name ends it */

extern uint32_t attack_target;
extern pid_t attack_pids; /* those below are attacked */

/* Asked for before the sandbox is on, so that it is the attack itself that is answered. */
struct attacker {
	pid_t pid, parent;
	uid_t uid; /* it attacks as */
};

extern struct attacker attacker;

/* Each attack in a child of its own, as `uid` after `prepare` (NULL: nothing), and the results on the board. */
void battery(unsigned who, enum held held, uid_t uid, void (*prepare)(enum held));

#endif
