/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs of the command line share: their arguments, their errors, their files and sockets. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <sgwarden/errors.h>

#define CLI_WIDTH 80
#define CLI_PATH_MAX 4096
#define CLI_REST_MAX 50

struct verb;

/* The command line, split: NULL where an option was not given. */
struct args {
	const struct verb *verb;
	bool json;
	const char *config;  /* --config DIR */
	const char *state;   /* --state DIR */
	const char *socket;  /* --socket PATH */
	const char *keys;    /* --keys FILE */
	const char *head;    /* --head HASH */
	const char *since;   /* --since TIME */
	const char *kind;    /* --kind KIND */
	const char *receipt; /* --receipt RECEIPT */
	const char *profile; /* --profile NAME */
	const char *region;  /* --region NAME */
	const char *from;    /* --from current|CIDR */
	const char *family;  /* --family ipv4|ipv6|both */
	const char *lasts;   /* --for TIME */
	const char *why;     /* --why TEXT */
	const char *stands; /* --state STATE, of grants and receipts; elsewhere it is a directory */
	const char *group;  /* --group SG */
	const char *file;   /* --file FILE */
	const char *libexec; /* --libexec DIR */
	bool best_effort;    /* --best-effort */
	bool csv;            /* --csv */
	bool prove;          /* --prove */
	bool permanent;      /* --permanent */
	bool plan;           /* --plan */
	uint16_t *held;      /* errors go there, unsaid; NULL: they are said */
	const char *rest[CLI_REST_MAX];
	size_t n_rest;
};

/* A verb's work; returns the exit status, having said on stderr what went wrong. */
typedef int verb_run(const struct args *args);

struct verb {
	const char *name;
	const char *sub;     /* the second word, or NULL */
	const char *usage;   /* behind the name */
	const char *summary; /* one line of `sgwarden help` */
	const char *more;    /* what `sgwarden help NAME` adds: paragraphs, wrapped when printed */
	const char *options; /* letters of main.c's option table */
	size_t rest_min, rest_max;
	verb_run *run;
};

extern const struct verb VERBS[];
extern const size_t VERBS_LEN;

enum option_value {
	OPTION_FLAG, /* takes none */
	OPTION_WORD,
	OPTION_PATH, /* a word that names a file or directory */
};

struct option_row {
	char letter;
	const char *name;
	enum option_value value;
	size_t offset; /* in struct args: of a bool where it is a flag, else of a const char * */
};

extern const struct option_row OPTIONS[]; /* main.c */
extern const size_t OPTIONS_LEN;

verb_run mcp_run;
verb_run consent_run;
verb_run config_check_run;
verb_run config_load_run;
verb_run key_enroll_run;
verb_run key_list_run;
verb_run key_remove_run;
verb_run key_phrase_run;
verb_run recovery_drop_run;
verb_run recovery_make_run;
verb_run recovery_use_run;
verb_run key_test_run;
verb_run cred_status_run;
verb_run cred_seal_run;
verb_run cred_rotate_run;
verb_run cred_test_run;
verb_run health_run;
verb_run doctor_run;
verb_run ip_run;
verb_run open_run;
verb_run close_run;
verb_run bulk_run;
verb_run extend_run;
verb_run refresh_run;
verb_run undo_run;
verb_run rules_run;
verb_run groups_run;
verb_run check_run;
verb_run grants_run;
verb_run receipts_run;
verb_run lockdown_run;
verb_run unlock_run;
verb_run reconcile_run;
verb_run drift_run;
verb_run ledger_show_run;
verb_run ledger_verify_run;
verb_run ledger_export_run;
verb_run ledger_head_run;
verb_run receipt_show_run;
verb_run receipt_export_run;
verb_run receipt_verify_run;
verb_run completion_run;
verb_run version_run;
verb_run help_run;
verb_run profile_list_run;
verb_run setup_run;
verb_run policy_check_run;
verb_run policy_test_run;
verb_run policy_show_run, policy_diff_run, policy_load_run, policy_explain_run;

/* ---- out.c ---- */

struct cJSON;

/* Wraps at CLI_WIDTH; `text` is printable ASCII and line feeds, lines after the first start with `indent` spaces. */
void out_wrapped(FILE *out, size_t indent, const char *text);
/* Likewise, where the first line begins at the left edge. */
void out_hanging(FILE *out, size_t indent, const char *text);
/* As it is where it is printable ASCII, as the daemon's escapes are, else escaped here; false: it was cut. */
bool out_printable(char *ret_text, size_t size, const char *text, size_t len);
/* The same of words that others made: printable first. */
void out_words(FILE *out, size_t indent, const char *text);
/* A name in nine columns and one value that others made, on stdout; nothing where that is empty. */
void out_line(const char *name, const char *text);
/* One value that others made: printable, cut at `most` characters with "..". */
void out_vis(FILE *out, const char *text, size_t len, size_t most);
/* A key's fingerprint in groups of four, as the consent screen shows it too: for eyes.  The second line is indented. */
void out_fingerprint(size_t indent, const char *hex);
/* The tree as JSON, ASCII only, and a line feed, on stdout; frees the tree. */
void out_json(struct cJSON *tree);
/*
 * An error as everywhere in sgwarden: what happened, detail, what to do next; on stderr, or on stdout as an object
 * with --json.  field and detail may be NULL.  Returns the exit status that errors.def has for it.
 */
int out_error(const struct args *args, enum sgw_error error, const char *field, const char *detail,
    ...) __attribute__((format(printf, 4, 5)));
/* The same as an object, for verbs that add members to it. */
struct cJSON *out_error_json(enum sgw_error error, const char *field, const char *detail);

/* ---- paths.c ---- */

/* The directory that holds config.json, or the state; false (said why) where none is known. */
bool path_config_dir(const struct args *args, char ret_path[CLI_PATH_MAX]);
bool path_state_dir(const struct args *args, char ret_path[CLI_PATH_MAX]);
/* Is this the configuration of system mode? */
bool path_is_system(const char *config_dir);
bool path_join(char ret_path[CLI_PATH_MAX], const char *dir, const char *name);

/* ---- connect.c ---- */

/*
 * Connects to NAME.sock: --socket, else the user's daemon, else the system's.  Returns the socket, or -1 having said
 * what to do; ret_status is then the exit status.
 */
int daemon_connect(const struct args *args, const char *name, int *ret_status);
/* Likewise, for what a person asks for: admin.sock where it lets us in, else mcp.sock. */
int daemon_connect_person(const struct args *args, int *ret_status);
/* Who listens on mcp.sock. */
enum listener {
	LISTENER_NONE,
	LISTENER_DAEMON, /* the daemon itself */
	LISTENER_USER,   /* the user's systemd for it, or */
	LISTENER_SYSTEM, /* the machine's */
};
/* ret_since: when its socket was made.  Says nothing. */
enum listener daemon_listens(struct timespec *ret_since);
/* One datagram: `byte` with `n` descriptors (1 or 2).  0, or -1. */
int daemon_hand_over(int connection, char byte, const int *fds, size_t n);

#endif
