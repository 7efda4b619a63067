/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of sgwardend, and where its files are by default. */
#include "supervisor.h"

#include <fcntl.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char USAGE[] =
    "usage: sgwardend --user | --system [options]\n"
    "  --config DIR    where config.json is\n"
    "  --state DIR     where config.bin, the keys and the ledger are\n"
    "  --runtime DIR   where the sockets are made\n"
    "  --aws DIR       where the files credentials and config are (~/.aws)\n"
    "  --libexec DIR   where the processes' executables are\n"
    "  --net SOCKET    where the unit of the network process listens; without it\n"
    "                  that process is a child like the others\n"
#if SGW_SOFTKEY
    "  --softkey-fd N  a software security key's socket, as often as there are\n"
    "                  keys (this is a test build)\n"
#endif
#if SGW_TESTCLOCK
    "  --clock-fd N    the clock's offset (this is a test build)\n"
#endif
    "  --version, --help\n";

enum {
	OPT_USER = 256,
	OPT_SYSTEM,
	OPT_CONFIG,
	OPT_STATE,
	OPT_RUNTIME,
	OPT_AWS,
	OPT_LIBEXEC,
	OPT_NET,
#if SGW_SOFTKEY
	OPT_SOFTKEY,
#endif
#if SGW_TESTCLOCK
	OPT_CLOCK,
#endif
	OPT_VERSION,
	OPT_HELP,
};

static const struct option LONG[] = {
    {"user", no_argument, NULL, OPT_USER},
    {"system", no_argument, NULL, OPT_SYSTEM},
    {"config", required_argument, NULL, OPT_CONFIG},
    {"state", required_argument, NULL, OPT_STATE},
    {"runtime", required_argument, NULL, OPT_RUNTIME},
    {"aws", required_argument, NULL, OPT_AWS},
    {"libexec", required_argument, NULL, OPT_LIBEXEC},
    {"net", required_argument, NULL, OPT_NET},
#if SGW_SOFTKEY
    {"softkey-fd", required_argument, NULL, OPT_SOFTKEY},
#endif
#if SGW_TESTCLOCK
    {"clock-fd", required_argument, NULL, OPT_CLOCK},
#endif
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

/* Joins base and rest; an empty result where it does not fit (refused later as no absolute path). */
static void
path_join(char *ret_path, size_t size, const char *base, const char *rest)
{
	int n = snprintf(ret_path, size, "%s%s", base ? base : "", rest);

	if (n < 0 || (size_t)n >= size)
		ret_path[0] = 0;
}

static void
xdg_path(char *ret_path, size_t size, const char *variable, const char *home, const char *fallback,
    const char *rest)
{
	const char *base = getenv(variable);
	char below_home[200];

	if (base && base[0] == '/') {
		path_join(ret_path, size, base, rest);
		return;
	}
	path_join(below_home, sizeof(below_home), home, fallback);
	path_join(ret_path, size, below_home, rest);
}

static void
defaults(struct options *opt)
{
	const struct passwd *pw = getpwuid(getuid());
	const char *home = getenv("HOME");

	if (!home || home[0] != '/')
		home = pw ? pw->pw_dir : "/";
	if (opt->mode == MODE_SYSTEM) {
		path_join(opt->config_dir, sizeof(opt->config_dir), "/etc", "/sgwarden");
		path_join(opt->state_dir, sizeof(opt->state_dir), "/var/lib", "/sgwarden");
		path_join(opt->runtime_dir, sizeof(opt->runtime_dir), "/run", "/sgwarden");
		path_join(opt->aws_dir, sizeof(opt->aws_dir), "/etc/sgwarden", "/aws");
		path_join(
		    opt->unit_dir, sizeof(opt->unit_dir), getenv("CREDENTIALS_DIRECTORY"), "");
	} else {
		char run[64];

		(void)snprintf(run, sizeof(run), "/run/user/%u", (unsigned)getuid());
		xdg_path(opt->config_dir, sizeof(opt->config_dir), "XDG_CONFIG_HOME", home,
		    "/.config", "/sgwarden");
		xdg_path(opt->state_dir, sizeof(opt->state_dir), "XDG_STATE_HOME", home,
		    "/.local/state", "/sgwarden");
		xdg_path(opt->runtime_dir, sizeof(opt->runtime_dir), "XDG_RUNTIME_DIR", run, "",
		    "/sgwarden");
		path_join(opt->aws_dir, sizeof(opt->aws_dir), home, "/.aws");
	}
	path_join(opt->libexec, sizeof(opt->libexec), SGW_LIBEXEC, "");
}

#if SGW_SOFTKEY || SGW_TESTCLOCK
static int
fd_number(const char *text, int *ret_fd)
{
	char *end = NULL;
	long v = strtol(text, &end, 10);

	if (!end || *end || end == text || v < 3 || v > 1023) {
		(void)fprintf(stderr, "sgwardend: '%s' is no descriptor number (3-1023)\n", text);
		return -1;
	}
	if (fcntl((int)v, F_SETFD, FD_CLOEXEC) < 0) {
		(void)fprintf(stderr, "sgwardend: descriptor %s is not open\n", text);
		return -1;
	}
	*ret_fd = (int)v;
	return 0;
}
#endif

static int
mode_of(int argc, char **argv, struct options *opt)
{
	int c, modes = 0;

	optind = 1;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "", LONG, NULL)) != -1)
		if (c == OPT_USER || c == OPT_SYSTEM) {
			opt->mode = c == OPT_SYSTEM ? MODE_SYSTEM : MODE_USER;
			modes++;
		}
	return modes;
}

static int
option_apply(int c, struct options *opt)
{
	switch (c) {
	case OPT_USER:
	case OPT_SYSTEM:
		return 0;
	case OPT_CONFIG:
		path_join(opt->config_dir, sizeof(opt->config_dir), optarg, "");
		return 0;
	case OPT_STATE:
		path_join(opt->state_dir, sizeof(opt->state_dir), optarg, "");
		return 0;
	case OPT_RUNTIME:
		path_join(opt->runtime_dir, sizeof(opt->runtime_dir), optarg, "");
		return 0;
	case OPT_AWS:
		path_join(opt->aws_dir, sizeof(opt->aws_dir), optarg, "");
		opt->unit_dir[0] = 0;
		return 0;
	case OPT_LIBEXEC:
		path_join(opt->libexec, sizeof(opt->libexec), optarg, "");
		return 0;
	case OPT_NET:
		path_join(opt->net_socket, sizeof(opt->net_socket), optarg, "");
		if (opt->net_socket[0] == '/')
			return 0;
		(void)fputs("sgwardend: --net takes an absolute path below 108 bytes\n", stderr);
		return -1;
#if SGW_SOFTKEY
	case OPT_SOFTKEY:
		return opt->n_softkeys < KEY_DEVICES_MAX
			   ? fd_number(optarg, &opt->softkey_fd[opt->n_softkeys++])
			   : -1;
#endif
#if SGW_TESTCLOCK
	case OPT_CLOCK:
		return fd_number(optarg, &opt->clock_fd);
#endif
	case OPT_VERSION:
		(void)puts("sgwardend " SGW_VERSION);
		return 1;
	case OPT_HELP:
		(void)fputs(USAGE, stdout);
		return 1;
	default:
		(void)fputs(USAGE, stderr);
		return -1;
	}
}

static bool
paths_absolute(const struct options *opt)
{
	const char *paths[] = {
	    opt->config_dir, opt->state_dir, opt->runtime_dir, opt->aws_dir, opt->libexec};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (paths[i][0] != '/') {
			(void)fputs(
			    "sgwardend: directories are given as absolute paths below 240 bytes\n",
			    stderr);
			return false;
		}
	return true;
}

int
options_parse(int argc, char **argv, struct options *ret_opt)
{
	int c, r, modes;

	*ret_opt = (struct options){0};
#if SGW_TESTCLOCK
	ret_opt->clock_fd = -1;
#endif
	modes = mode_of(argc, argv, ret_opt);
	defaults(ret_opt);
	optind = 1;
	opterr = 1;
	while ((c = getopt_long(argc, argv, "", LONG, NULL)) != -1) {
		r = option_apply(c, ret_opt);
		if (r != 0)
			return r;
	}
	if (modes != 1 || optind != argc) {
		(void)fputs(USAGE, stderr);
		return -1;
	}
	return paths_absolute(ret_opt) ? 0 : -1;
}
