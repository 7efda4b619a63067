/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sgwarden setup`: looks how far things are, does the first step that is left, and looks again.  Nothing is remembered
 * between: what is done stands in files and with the daemon.  It takes no credential; in user mode it starts no daemon.
 */
#include "setup_flow.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "setup_ask.h"
#include "setup_unit.h"

#define LOOK_EVERY_NS 300000000L

int
input_ended(void)
{
	puts("\nNothing more was typed. `sgwarden setup` goes on here.");
	return 1;
}

int
once_more(const char *question)
{
	return setup_offer(question, "again") == OFFER_ENDED ? input_ended() : 0;
}

void
step_say(const struct flow *f, enum setup_step step, const char *text)
{
	char numbered[1024];

	snprintf(numbered, sizeof(numbered), "%u. %s", setup_step_number(&f->now, step), text);
	setup_say(numbered);
}

/* ---- the configuration ---- */

static const char *
section_with(const struct aws_section *list, size_t n, const char *word, const char *otherwise)
{
	for (size_t i = 0; i < n; i++)
		if (strstr(list[i].name, word))
			return list[i].name;
	return otherwise;
}

static void
tell_sections(const struct aws_section *list, size_t n)
{
	if (n == 0) {
		setup_say("~/.aws names no profile yet. Choose names now; the keys come later.");
		return;
	}
	setup_say("Profiles in ~/.aws (names alone are read, no keys):");
	for (size_t i = 0; i < n; i++) {
		fputs("  ", stdout);
		out_vis(stdout, list[i].name, strlen(list[i].name), 64);
		putchar('\n');
	}
}

static int
do_config(struct flow *f)
{
	static struct aws_section list[SECTIONS_MAX];
	size_t n = aws_sections(list);
	const char *first = n > 0 ? list[0].name : "prod";
	struct setup_answers a;
	int r;

	if (f->now.system)
		return system_config(f);
	step_say(f, STEP_CONFIG,
	    "Which AWS profile and region? sgwarden uses two AWS users: a reader, which "
	    "reads and closes, and an opener, which opens and will be sealed to your security "
	    "key. They may not be the same.");
	tell_sections(list, n);
	if (!setup_ask("A name for both together", "prod", a.profile) ||
	    !setup_ask("The reader's profile in ~/.aws", section_with(list, n, "reader", first),
		a.reader) ||
	    !setup_ask("The opener's profile in ~/.aws", section_with(list, n, "opener", first),
		a.opener) ||
	    !setup_ask("Region", "eu-west-1", a.region))
		return input_ended();
	if (strcmp(a.reader, a.opener) == 0)
		puts("One user for both cannot be sealed: you will be asked again further down.");
	r = setup_write_config(f->args, &a);
	if (r == 2) {
		puts("Once more.");
		return 0;
	}
	return r;
}

static int
do_load(struct flow *f)
{
	step_say(f, STEP_COMPILED, "Compiling config.json for the daemon.");
	return config_load_run(f->args);
}

static int
do_iam(struct flow *f)
{
	int r;

	step_say(f, STEP_IAM, "The least that the two users need in AWS:");
	r = setup_write_iam(f->args, &f->now.config);
	if (r == 0)
		out_wrapped(stdout, 0,
		    "Give each user its policy, and each group that may be changed the tag "
		    "sgwarden:managed=true.");
	return r;
}

/* ---- waiting for what the person starts ---- */

int
wait_for(struct flow *f, enum setup_step step, const char *what)
{
	const struct timespec pause = {.tv_nsec = LOOK_EVERY_NS};
	int r;

	fputs("Waiting: ", stdout);
	out_words(stdout, 9, what);
	out_wrapped(stdout, 9, "Ctrl-C ends; run again, setup goes on here.");
	fflush(stdout);
	do {
		(void)nanosleep(&pause, NULL);
		r = setup_look(f->args, &f->now);
	} while (r == 0 && !f->now.done[step]);
	return r;
}

/* One that is ending still takes connections: it is asked nothing more. */
static void
wait_restarted(void)
{
	const struct timespec pause = {.tv_nsec = LOOK_EVERY_NS};
	struct timespec before = {0}, now;

	(void)daemon_since(&before);
	puts("Waiting: the daemon is to be restarted. Ctrl-C ends; setup goes on here.");
	fflush(stdout);
	do
		(void)nanosleep(&pause, NULL);
	while (
	    !daemon_since(&now) || (now.tv_sec == before.tv_sec && now.tv_nsec == before.tv_nsec));
}

static int
do_daemon(struct flow *f)
{
	if (f->now.system)
		return system_daemon(f);
	step_say(f, STEP_DAEMON, "The daemon, in a terminal of its own or as a service of yours.");
	return wait_for(f, STEP_DAEMON, setup_step_text(&f->now, STEP_DAEMON));
}

static int
do_screen(struct flow *f)
{
	if (f->now.system)
		return system_screen(f);
	step_say(f, STEP_SCREEN, "The consent screen: the one place where anything is agreed to.");
	return wait_for(f, STEP_SCREEN, setup_step_text(&f->now, STEP_SCREEN));
}

/* ---- keys ---- */

/* A verb of the command line, with these words behind it; its exit status. */
static int
verb(struct flow *f, verb_run *run, const char *first, const char *second)
{
	struct args args = *f->args;

	args.rest[0] = first;
	args.rest[1] = second;
	args.n_rest = second ? 2 : 1;
	fflush(stdout);
	return run(&args);
}

static int
enroll(struct flow *f, const char *question, const char *name, bool may_wait)
{
	char answer[SETUP_ANSWER_MAX];

	if (!setup_ask(question, name, answer))
		return input_ended();
	if (may_wait && strcmp(answer, "later") == 0) {
		f->key_later = true;
		return 0;
	}
	if (verb(f, key_enroll_run, answer, NULL) == 0)
		return 0;
	return setup_ask("Enter tries again", "again", answer) ? 0 : input_ended();
}

static int
do_key(struct flow *f)
{
	char screen[80], text[512];

	if (f->now.system) {
		screen_hint(&f->now, screen);
		snprintf(text, sizeof(text),
		    "Your security key. Plug it in, answer here, then go to the screen (%s). It "
		    "asks "
		    "for your phrase first, which stands there ever after, and nowhere else. The "
		    "first key is trusted as it is: compare the fingerprint that is printed here "
		    "with the one on the screen.",
		    screen);
		step_say(f, STEP_KEY, text);
	} else
		step_say(f, STEP_KEY,
		    "Your security key. Plug it in. The first one is trusted as it is: compare the "
		    "fingerprint that is printed here with the one on the consent screen. A "
		    "trusted "
		    "screen asks for your phrase first: it stands there ever after, and nowhere "
		    "else.");
	return enroll(f, "A name for it", "blue", false);
}

static int
do_second_key(struct flow *f)
{
	step_say(f, STEP_SECOND_KEY,
	    "A second key, for the day when the first is lost. Leave the first one in and plug the "
	    "other in too: the first agrees, then the new one is touched.");
	return enroll(f, "A name for it, or `later`", "red", true);
}

/* ---- credentials ---- */

static int
choose_use(struct flow *f, const char *use)
{
	int r = setup_write_use(f->args, use);

	return r != 0 ? r : config_load_run(f->args);
}

static int
seal(struct flow *f)
{
	char answer[SETUP_ANSWER_MAX];
	bool with_pin = strcmp(f->now.tier, "opener-sensitive") == 0;

	if (with_pin) {
		setup_say("Ports such as ssh and databases want the key's PIN. Their opener is "
			  "sealed apart, if your keys have a PIN.");
		if (!setup_ask("`seal`, or `no`: these ports stay closed", "seal", answer))
			return input_ended();
	} else if (!setup_ask("`seal`, `demo` or `read-only`", "seal", answer))
		return input_ended();
	if (with_pin && strcmp(answer, "no") == 0) {
		f->without_pin = true;
		return 0;
	}
	if (!with_pin && (strcmp(answer, "demo") == 0 || strcmp(answer, "read-only") == 0))
		return choose_use(f, answer);
	if (strcmp(answer, "seal") != 0)
		return 0;
	if (verb(f, cred_seal_run, f->now.profile, f->now.tier) == 0)
		return 0;
	return setup_ask("Enter asks again", "again", answer) ? 0 : input_ended();
}

static int
do_credentials(struct flow *f)
{
	struct setup *s = &f->now;

	if (s->custody == CUSTODY_SEAL &&
	    !(f->without_pin && strcmp(s->tier, "opener-sensitive") == 0)) {
		if (strcmp(s->tier, "opener") == 0)
			step_say(f, STEP_CREDENTIALS,
			    s->system ? "The daemon has the opener's secret key in plaintext: "
					"whoever gets into it "
					"opens ports without you. `seal` locks it to your keys, on "
					"the screen; "
					"`demo` leaves it and health says so; `read-only` has "
					"sgwarden open "
					"nothing."
				      : "The opener's secret key stands in ~/.aws: any program of "
					"yours can "
					"open ports with it, without you. `seal` locks it to your "
					"keys; `demo` "
					"leaves it and health says so; `read-only` has sgwarden "
					"open nothing.");
		return seal(f);
	}
	if (s->system)
		return s->custody == CUSTODY_HOME ? system_home(f) : system_take_out(f);
	setup_say("What is sealed stands in ~/.aws too. Take the opener's aws_secret_access_key "
		  "out of ~/.aws, there and in any copy, then restart the daemon and run "
		  "`sgwarden consent` again.");
	wait_restarted();
	return 0;
}

/* ---- the end ---- */

static bool
is_reader(const struct rec_config *config, const char *section)
{
	for (size_t i = 0; i < config->n_profiles; i++) {
		const struct rec_profile_conf *p = &config->profiles[i];

		if (strcmp(p->reader[0] ? p->reader : p->name, section) == 0)
			return true;
	}
	return false;
}

/* sgwarden cannot know what another section's keys may do in AWS; the person can. */
static void
tell_others(const struct flow *f)
{
	static struct aws_section list[SECTIONS_MAX];
	size_t n = aws_sections(list);

	for (size_t i = 0; i < n; i++) {
		if (!list[i].has_secret || is_reader(&f->now.config, list[i].name))
			continue;
		fputs("note     ~/.aws also has keys of ", stdout);
		out_vis(stdout, list[i].name, strlen(list[i].name), 48);
		puts("\n         If they may open ports, any program of yours can.");
	}
}

static int
tell_done(const struct flow *f)
{
	setup_say("Done. Have your MCP client start `sgwarden mcp`:");
	puts("  { \"mcpServers\": { \"sgwarden\":\n"
	     "      { \"command\": \"sgwarden\", \"args\": [\"mcp\"] } } }");
	if (f->now.keys < 2)
		puts("Later: `sgwarden key enroll red`, a second key for when the first is lost.");
	if (f->now.config.use == USE_DEMO)
		puts("This is a demo: what opens stands in plaintext, and health says so.");
	if (f->now.config.use == USE_READ_ONLY)
		puts("This is read-only: sgwarden opens nothing.");
	tell_others(f);
	if (f->now.system) {
		machine_tell_people();
		puts("Neither root nor an account of the screen should run an assistant.");
	}
	return 0;
}

static step_do *const DO[STEP_MAX] = {
    [STEP_MACHINE] = system_machine,
    [STEP_CONFIG] = do_config,
    [STEP_COMPILED] = do_load,
    [STEP_IAM] = do_iam,
    [STEP_GIVEN] = system_given,
    [STEP_DAEMON] = do_daemon,
    [STEP_SCREEN] = do_screen,
    [STEP_KEY] = do_key,
    [STEP_SECOND_KEY] = do_second_key,
    [STEP_POLICY] = system_policy,
    [STEP_CREDENTIALS] = do_credentials,
};

/* Is the screen of use to nobody any more, or the second key put off? */
static bool
is_left(const struct flow *f, enum setup_step step)
{
	const struct setup *s = &f->now;

	if (step == STEP_SCREEN && s->done[STEP_CREDENTIALS] && s->done[STEP_KEY] &&
	    (s->done[STEP_SECOND_KEY] || f->key_later))
		return false;
	if ((step == STEP_SECOND_KEY && f->key_later) || (step == STEP_POLICY && f->policy_later))
		return false;
	return !s->done[step];
}

int
setup_run(const struct args *args)
{
	struct flow f = {.args = args};
	enum setup_step step;
	int r;

	if (setup_is_system(args) && geteuid() != 0)
		return out_error(args, SGW_ERR_BAD_ARGUMENT, "--config",
		    "this machine's sgwarden is root's to set up: `sudo sgwarden setup`; for one "
		    "of "
		    "your own name a directory of yours, such as ~/.config/sgwarden");
	r = setup_look(args, &f.now);
	if (r == 0 && (args->json || !isatty(STDIN_FILENO))) {
		setup_list(args, &f.now);
		return setup_complete(&f.now) ? 0 : 1;
	}
	while (r == 0) {
		for (step = 0; step < STEP_MAX && !is_left(&f, step);)
			step++;
		if (step == STEP_MAX)
			return tell_done(&f);
		r = DO[step](&f);
		if (r == 0)
			r = setup_look(args, &f.now);
	}
	return r;
}
