/* SPDX-License-Identifier: Apache-2.0 */
/* THE table of verbs: the order is that of `sgwarden help`. */
#include "cli.h"

const struct verb VERBS[] = {
    {"mcp", NULL, "[--socket PATH]", "serve MCP on stdin and stdout, for an MCP client",
	"An MCP client starts this. It hands its stdin and stdout, which must be pipes or sockets, "
	"to the "
	"running daemon and waits until the daemon is done with them; no byte passes through it. "
	"It never "
	"starts a daemon.",
	"s", 0, 0, mcp_run},
    {"consent", NULL, "[--socket PATH]", "make this terminal the consent screen",
	"Hands this terminal to the daemon, which shows each request on it. What is typed goes to "
	"the trusted "
	"consent process, not to this program. Ctrl-C ends it; then nothing can be approved.",
	"s", 0, 0, consent_run},
    {"setup", NULL, "[--config DIR] [--state DIR] [--json]",
	"go through what a first use needs, step by step",
	"Root, where the package is installed, sets up the machine's sgwarden: setup encrypts the "
	"AWS keys for the daemon and starts the units, asking before each. Else it is your own: it "
	"asks what it must know, writes config.json and the policies for AWS, waits for the daemon "
	"and the consent screen, which you start, enrols security keys and has the opener sealed. "
	"It goes on where it stopped when it is run again. It ends when nothing of this user that "
	"stands in plaintext can open a port, or when you chose a demo or read-only use. With "
	"--json, or where stdin is no terminal, it lists the steps and asks nothing; exits 1 while "
	"one is left.",
	"jct", 0, 0, setup_run},
    {"config", "check", "[FILE] [--config DIR] [--json]", "say whether config.json is acceptable",
	"FILE is config.json in $XDG_CONFIG_HOME/sgwarden or /etc/sgwarden where none is given. "
	"Nothing is "
	"written.",
	"jc", 0, 1, config_check_run},
    {"config", "load", "[FILE] [--config DIR] [--state DIR] [--json]",
	"compile config.json for the daemon",
	"Writes config.bin in the state directory, whole or not at all. A running daemon goes on "
	"with what it "
	"read when it started: restart it.",
	"jct", 0, 1, config_load_run},
    {"policy", "check", "[FILE] [--config DIR] [--json]", "say whether policy.json is acceptable",
	"FILE is policy.json in $XDG_CONFIG_HOME/sgwarden or /etc/sgwarden where none is given. "
	"The "
	"cases that it holds are run. Nothing is written and nobody is asked.",
	"jc", 0, 1, policy_check_run},
    {"policy", "test", "[FILE] [--config DIR] [--json]", "run the cases of policy.json",
	"Prints each case and what the policy says to it. Exits 1 where one does not hold.", "jc",
	0, 1, policy_test_run},
    {"policy", "show", "[FILE] [--socket PATH] [--json]", "print a policy in full",
	"The policy that is in force, as a policy file would say it, and where it comes from. With "
	"FILE what that file would put in its place.",
	"js", 0, 1, policy_show_run},
    {"policy", "diff", "[FILE] [--config DIR] [--socket PATH] [--json]",
	"say what policy.json would change",
	"One line for each change to the policy in force, what widens it first: the lines that the "
	"consent screen shows when it is loaded.",
	"jcs", 0, 1, policy_diff_run},
    {"policy", "load", "[FILE] [--config DIR] [--socket PATH] [--json]",
	"ask for policy.json to come into force",
	"The cases in it must hold. The consent screen shows what it changes and asks for the "
	"word, "
	"the PIN and the touch of an enrolled key.",
	"jcs", 0, 1, policy_load_run},
    {"policy", "explain",
	"SG|PLAN [PORT] [--from CIDR] [--for TIME] [--why TEXT] [--profile NAME] [--region NAME] "
	"[--socket PATH] [--json]",
	"say what the policy says to a change, line by line",
	"SG, PORT and --from are those of an opening, PLAN is the id of a plan. The group is "
	"looked "
	"at as it is; nobody is asked. Exits 0 where a person may be asked or nobody need be, 3 "
	"where the policy forbids it.",
	"jspefyw", 1, 2, policy_explain_run},
    {"key", "enroll", "NAME [--socket PATH] [--json]", "enrol a security key",
	"NAME is yours to choose: letters, digits, '.', '_' and '-', at most 32. The consent "
	"screen asks for the "
	"word and for the touch. Compare the fingerprint printed here with the one on the screen. "
	"Every key "
	"after the first needs the touch of one that is enrolled.",
	"js", 1, 1, key_enroll_run},
    {"key", "list", "[--socket PATH] [--json]", "list the enrolled security keys", NULL, "js", 0, 0,
	key_list_run},
    {"key", "remove", "NAME [--socket PATH] [--json]", "take an enrolled security key away",
	"The consent screen names the key and asks for the word and the touch of an enrolled one. "
	"The last key cannot be removed: enrol another first.",
	"js", 1, 1, key_remove_run},
    {"key", "phrase", "[--socket PATH] [--json]", "choose the phrase that the screen shows",
	"On a trusted screen alone. The phrase is typed there, never here: it is shown above each "
	"request, and a picture of the screen that does not have it is not ours. The consent "
	"screen "
	"asks for the word and the touch of an enrolled key.",
	"js", 0, 0, key_phrase_run},
    {"key", "test", "[NAME] [--socket PATH] [--json]", "try an enrolled security key",
	"The consent screen asks for the word and the touch. Nothing is changed; the ledger "
	"records "
	"that the key answered.",
	"js", 0, 1, key_test_run},
    {"recovery", "make", "[--socket PATH] [--json]",
	"make a recovery code, for when all keys are lost",
	"The consent screen asks for the word and the touch of an enrolled key, shows the code, "
	"once, and has it typed back from paper. Whoever has the paper can enrol one security key "
	"without any other, so keep it as you keep a key. As long as there is a code, health, "
	"doctor, key list and the consent screen say so.",
	"js", 0, 0, recovery_make_run},
    {"recovery", "drop", "[--socket PATH] [--json]", "take the recovery code away",
	"The consent screen asks for the word and the touch of an enrolled key.", "js", 0, 0,
	recovery_drop_run},
    {"recovery", "use", "NAME [--socket PATH] [--json]",
	"enrol a security key by the recovery code",
	"For when all keys are lost. The consent screen asks for the word, for the code and for "
	"the touch of the new key. The code is used up by it. It opens nothing and unseals "
	"nothing: remove the lost keys, and seal the opener anew with `cred seal`.",
	"js", 1, 1, recovery_use_run},
    {"cred", "status", "[--socket PATH] [--json]", "say where the AWS credentials are",
	"For each profile and tier: sealed or in plaintext, which security keys open it, and "
	"whether "
	"somebody who can read the AWS files could open ports without a touch. Never a secret.",
	"js", 0, 0, cred_status_run},
    {"cred", "seal", "PROFILE [TIER] [--socket PATH] [--json]",
	"seal an opener to the security keys",
	"TIER is opener, which is what is sealed where none is given, or opener-sensitive, for "
	"what "
	"needs the PIN too. What is sealed is what the AWS files held when the daemon started. The "
	"consent screen asks for the word and a touch, then for one touch of each enrolled key. "
	"Afterwards take the secret key out of the AWS files.",
	"js", 1, 2, cred_seal_run},
    {"cred", "rotate", "PROFILE [TIER] [--socket PATH] [--json]",
	"seal an opener anew for the keys enrolled now",
	"For a key that was enrolled after the sealing, and after one was removed: the data key is "
	"a "
	"new one, and what was sealed before opens no more. A touch to agree, one of each enrolled "
	"key.",
	"js", 1, 2, cred_rotate_run},
    {"cred", "test", "[PROFILE] [TIER --group SG] [--region NAME] [--socket PATH] [--json]",
	"try what a profile's credentials may do",
	"Without TIER the reader: each kind of read once, past the cache. With TIER, opener or "
	"opener-sensitive, the opener: the consent screen asks for the word and the touch that the "
	"tier needs, then AWS is asked for a trial run of opening a port in the group. Nothing is "
	"opened. Exits 0 where all that was tried works.",
	"jseg", 0, 2, cred_test_run},
    {"doctor", NULL, "[--prove] [--socket PATH] [--libexec DIR] [--json]",
	"say what protects the authority on this machine, with evidence",
	"Confines itself as each process of the daemon does and says what this kernel gives and "
	"what it lacks; names the AppArmor or SELinux label of each process of ours that runs; "
	"and asks the daemon. With --prove it also tries, in each sandbox, every call that must "
	"not work there (the kernel logs those kills), each layer with the others off, and what "
	"must work. It changes nothing. Exits 0 where nothing failed, also where this machine "
	"lacks a layer; 1 where one does not hold.",
	"jsLP", 0, 0, doctor_run},
    {"health", NULL, "[--socket PATH] [--json]", "say how the parts of the daemon are",
	"Exits 0 when every part is ok or degraded. When one is down, with the status of the first "
	"error that such a part names, such as 7 where AWS credentials have expired or are "
	"missing; "
	"with 1 where none names one.",
	"js", 0, 0, health_run},
    {"profile", "list", "[--socket PATH] [--json]", "list the configured AWS profiles", NULL, "js",
	0, 0, profile_list_run},
    {"ip", NULL, "[--family ipv4|ipv6|both] [--socket PATH] [--json]",
	"say from which address this machine is seen",
	"Has the configured sources asked and shows what each says. An address is known where at "
	"least two say the same. Exits 1 where it is known over neither family. What is open to it "
	"through sgwarden is listed.",
	"jsi", 0, 0, ip_run},
    {"open", NULL,
	"SG PORT [--from current|CIDR] [--for TIME] [--permanent] --why TEXT [--profile NAME] "
	"[--region NAME] [--plan] [--socket PATH] [--json]",
	"ask for a port to be opened for a while",
	"PORT is a port such as 443, a range such as 8000-8010, either with /udp behind it, icmp, "
	"icmpv6, or a service such as ssh. Without --from it is current: this machine's own "
	"address, as at least two configured sources see it. TIME is 90m, 8h or 7d; --permanent, "
	"in its "
	"place, only where the policy allows it. Waits for the "
	"person and says "
	"what it waits for; Ctrl-C withdraws the request. Prints the receipt, the rule and when it "
	"closes. Nothing is opened without the person and the security key. With --plan it only "
	"says what would be asked for and shows the text that the person would read.\n"
	"Established connections are not cut by closing.",
	"jspefywNA", 2, 2, open_run},
    {"close", NULL,
	"[RULE...] [--group SG] [--why TEXT] [--profile NAME] [--region NAME] [--plan] [--socket "
	"PATH] "
	"[--json]",
	"close rules",
	"RULE is a rule's id, or a receipt: the rules that were opened with it. Without RULE all "
	"that was opened in --group through sgwarden. Rules that others made are named together "
	"with their --group, and need the person and the security key.\n"
	"Established connections are not cut by closing.",
	"jspegwA", 0, CLI_REST_MAX, close_run},
    {"bulk", NULL,
	"--file FILE --why TEXT [--for TIME] [--best-effort] [--profile NAME] [--region NAME] "
	"[--plan] [--socket PATH] [--json]",
	"ask for several openings and closings at once",
	"FILE (also -f FILE) has one entry a line: action,group,ip,port,rule, such as "
	"add,sg-0123456789abcdef0,203.0.113.7,443 or "
	"remove,sg-0123456789abcdef0,,,sgr-0123456789abcdef0; or it is JSON, a list of "
	"entries as the tool whitelist_bulk takes them. At most 50 entries in 10 groups. The "
	"person reads all of them "
	"and agrees once. They are made in their order. Where one fails, what was opened is "
	"closed again and what was closed stays closed; with --best-effort the others are made "
	"all the same.\n"
	"Established connections are not cut by closing.",
	"jspeywFbA", 0, 0, bulk_run},
    {"extend", NULL, "RECEIPT --for TIME [--why TEXT] [--plan] [--socket PATH] [--json]",
	"ask that what was opened with a receipt closes later",
	"TIME counts from now. Staying open longer needs the person and the security key. Nothing "
	"changes in AWS: the rule's tag and description keep the first time. Established "
	"connections are not cut by closing.",
	"jsywA", 1, 1, extend_run},
    {"refresh", NULL,
	"RECEIPT|SG PORT [--from CIDR] [--for TIME] [--why TEXT] [--plan] [--socket PATH] [--json]",
	"ask for an opening's address to be replaced",
	"Opens the same for the address given with --from (default: current), then closes the old "
	"rule. It closes when the old one would have, unless --for says otherwise. Established "
	"connections are not cut by closing.",
	"jsfywA", 1, 2, refresh_run},
    {"undo", NULL, "RECEIPT [--for TIME] [--why TEXT] [--socket PATH] [--json]",
	"ask for the opposite of what a receipt says",
	"What RECEIPT opened and is open still is closed, without asking anybody. What it closed "
	"is "
	"opened again, which needs the person and the security key: what sgwarden had opened for "
	"the "
	"time that it had left, but at least 20 minutes; a rule that others made for "
	"good, as it was, where the policy has allow_permanent, else for --for or the policy's "
	"time. The receipt of a closing, as `close` printed "
	"it, "
	"stands for that closing. Established connections are not cut by closing.",
	"jsyw", 1, 1, undo_run},
    {"lockdown", NULL, "[--profile NAME|--group SG] [--socket PATH] [--json]",
	"close what was opened, and open nothing more",
	"Takes effect at once, without a screen or a security key: what was opened through "
	"sgwarden "
	"is closed, requests that wait are turned away, and every opening is refused until "
	"`sgwarden unlock`; over restarts too. With --profile or --group there alone. Waits up to "
	"a minute for the closings and exits 1 where some are left, which the daemon goes on "
	"trying. Rules that others made stay. Established connections are not cut by closing.",
	"jspg", 0, 0, lockdown_run},
    {"unlock", NULL, "[--profile NAME|--group SG] [--socket PATH] [--json]",
	"ask for openings again after a lockdown",
	"The consent screen says which lockdowns are lifted and asks for the word and the touch of "
	"an enrolled key. Without --profile and --group all of them. What was closed stays closed.",
	"jspg", 0, 0, unlock_run},
    {"rules", NULL, "SG [--profile NAME] [--region NAME] [--socket PATH] [--csv] [--json]",
	"list a group's ingress rules", NULL, "jspeV", 1, 1, rules_run},
    {"groups", NULL, "[QUERY] [--profile NAME] [--region NAME] [--socket PATH] [--json]",
	"list security groups, or find some",
	"QUERY is a part of a group's id, of its name or of a tag.", "jspe", 0, 1, groups_run},
    {"check", NULL, "SG IP [PORT] [--profile NAME] [--region NAME] [--socket PATH] [--json]",
	"say whether a group's rules let an address in",
	"PORT is a port such as 443 or 53/udp, icmp or icmpv6; without it any TCP port. Exits 0 "
	"where it is let in, 1 where it is not.",
	"jspe", 2, 3, check_run},
    {"grants", NULL, "[SG] [--state STATE] [--socket PATH] [--csv] [--json]",
	"list what is open through sgwarden",
	"STATE is open, closing, ambiguous (AWS never answered), overdue, or closed (lately, and "
	"looked at once more); without it all that is open or may be. At most 200 are listed, the "
	"next to close first; where there are more, how many is said below them.",
	"jsTV", 0, 1, grants_run},
    {"receipts", NULL,
	"[RECEIPT] [--since TIME] [--group SG] [--state STATE] [--socket PATH] [--csv] "
	"[--json]",
	"list the last receipts, or show one",
	"What was agreed to and touched for lately, the newest first, and what came of it, as the "
	"running daemon has it: the last 256 that your user asked for. TIME is "
	"2026-11-21T16:30:00Z or 2026-11-21; STATE is void, executed, partly, failed, ambiguous, "
	"compensated or under_way. With RECEIPT each of its operations and what has become of it "
	"since. Older ones, and proofs of all: `receipt show`, `ledger show`.",
	"jsSgTV", 0, 1, receipts_run},
    {"drift", NULL, "[SG] [--profile NAME] [--region NAME] [--socket PATH] [--json]",
	"compare what is open through sgwarden with AWS",
	"Reads each group anew in which something is open or may be opened, or SG alone, and says "
	"where AWS differs from the ledger: removed or changed by others, overdue, or a rule that "
	"carries sgwarden's tag without being its. Nothing is changed. Exits 0 where nothing "
	"differs, 1 where something does.",
	"jspe", 0, 1, drift_run},
    {"reconcile", NULL, "[RECEIPT|PLAN] [--socket PATH] [--json]",
	"settle what AWS never answered, by reading",
	"Without an argument all that your user asked for and that is not settled. Nothing can be "
	"known before AWS can no longer accept the request, 16 minutes after it was sent: then it "
	"says when. It would be read by itself too. Nothing is changed in AWS. Exits 6 while "
	"something is not settled.",
	"js", 0, 1, reconcile_run},
    {"ledger", "show",
	"[PATH] [--since TIME] [--kind KIND] [--receipt RECEIPT] [--state DIR] [--json]",
	"list the ledger's records",
	"PATH is the directory that holds the ledger's files, or one of these files alone; without "
	"it the directory ledger in the state directory. TIME is 2026-11-21T16:30:00Z or "
	"2026-11-21. With --json one object a line.",
	"jtSKR", 0, 1, ledger_show_run},
    {"ledger", "export",
	"[PATH] [--since TIME] [--kind KIND] [--receipt RECEIPT] [--state DIR] [--json]",
	"print the ledger's records in full",
	"PATH and the options as with `ledger show`. Prints the records as they stand there, or "
	"with --json one object a line.",
	"jtSKR", 0, 1, ledger_export_run},
    {"ledger", "head", "[PATH] [--state DIR] [--json]", "print the last record's number and hash",
	"What `ledger verify --head` takes; the journal holds it too.", "jt", 0, 1,
	ledger_head_run},
    {"ledger", "verify", "[PATH] [--keys FILE] [--head HASH] [--state DIR] [--json]",
	"check the ledger from its first byte to its last",
	"Checks grammar, numbers and hashes of all records; of every consent the shown text, the "
	"touch and its "
	"signature; of every intent that it does what was touched for and no more. Names the first "
	"record that "
	"does not hold and exits 8.\n"
	"The keys are those that the ledger itself enrols, unless --keys gives a key list from "
	"elsewhere. Only "
	"--head, the last hash as you know it from outside (the journal prints each), shows that "
	"nothing was "
	"cut off the end; without it the answer says `anchored: no`.",
	"jtkh", 0, 1, ledger_verify_run},
    {"receipt", "show", "RECEIPT [--keys FILE] [--state DIR] [--json]",
	"show what was agreed to and what came of it",
	"RECEIPT is what `open` printed, also in the rule's tag and description, or a closing's "
	"own. Read from the ledger's files, without the daemon; checked as `receipt verify` does.",
	"jtk", 1, 1, receipt_show_run},
    {"receipt", "export", "RECEIPT [FILE] [--state DIR]", "write a receipt that stands alone",
	"To FILE, which must not be there yet, or to standard output.", "t", 1, 2,
	receipt_export_run},
    {"receipt", "verify", "FILE [--keys FILE] [--json]", "check a receipt, offline",
	"Renders anew what was shown, checks the touch and its signature over exactly that, and "
	"that the request to AWS is what was shown. Exits 8 and says what does not hold. The key "
	"is the one that the receipt names, unless --keys gives a key list from elsewhere; without "
	"it the answer says `anchored: no`.",
	"jk", 1, 1, receipt_verify_run},
    {"completion", "bash", "", "print the completion of these words for bash",
	"The package installs it. By hand: `sgwarden completion bash` into a file that bash reads, "
	"such as ~/.local/share/bash-completion/completions/sgwarden.",
	"", 0, 0, completion_run},
    {"completion", "zsh", "", "print it for zsh", "Into a file _sgwarden in a directory of $fpath.",
	"", 0, 0, completion_run},
    {"completion", "fish", "", "print it for fish",
	"Into ~/.config/fish/completions/sgwarden.fish.", "", 0, 0, completion_run},
    {"version", NULL, "", "print the version", NULL, "", 0, 0, version_run},
    {"help", NULL, "[VERB]", "this list, or one verb", NULL, "", 0, 2, help_run},
};
const size_t VERBS_LEN = sizeof(VERBS) / sizeof(VERBS[0]);
