/* SPDX-License-Identifier: Apache-2.0 */
/* `sgwarden doctor [--prove]`: the sections, and how they are shown. */
#include "doctor.h"

#include <stdarg.h>
#include <string.h>
#include <sys/utsname.h>

#include "mcp_client.h"
#include "table.h"

void
doctor_say(
    cJSON *findings, const char *state, const char *name, int evidence, const char *format, ...)
{
	cJSON *finding = cJSON_CreateObject();
	char detail[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	cJSON_AddStringToObject(finding, "state", state);
	cJSON_AddStringToObject(finding, "name", name);
	cJSON_AddStringToObject(finding, "detail", detail);
	cJSON_AddNumberToObject(finding, "evidence", evidence);
	cJSON_AddItemToArray(findings, finding);
}

/* The daemon's own account of itself, in health's words. */
static int
daemon_look(const struct args *args, cJSON *findings)
{
	struct timespec since;
	const cJSON *component;
	cJSON *envelope;
	int status = 0;

	if (!args->socket && daemon_listens(&since) == LISTENER_NONE) {
		doctor_say(findings, "missing", "daemon", 0,
		    "none listens: `systemctl --user start sgwarden.service`, or as root "
		    "`systemctl start sgwarden.socket`; without systemd `/usr/sbin/sgwardend "
		    "--user`");
		return 0;
	}
	envelope = mcp_once(args, "mcp", "health", NULL, &status);
	if (!envelope)
		return status;
	cJSON_ArrayForEach(
	    component, cJSON_GetObjectItemCaseSensitive(
			   cJSON_GetObjectItemCaseSensitive(envelope, "data"), "components"))
	{
		const char *state = json_text(component, "state");

		doctor_say(findings,
		    strcmp(state, "ok") == 0     ? "held"
		    : strcmp(state, "down") == 0 ? "down"
						 : "missing",
		    json_text(component, "name"), 1, "%s", json_text(component, "detail"));
	}
	if (cJSON_GetArraySize(findings) == 0)
		status = mcp_refused(args, envelope);
	cJSON_Delete(envelope);
	return status;
}

static bool
any_is(const cJSON *findings, const char *state)
{
	const cJSON *f;

	cJSON_ArrayForEach(f, findings) if (strcmp(json_text(f, "state"), state) == 0) return true;
	return false;
}

static void
section_print(const char *title, const cJSON *findings)
{
	const cJSON *f;

	if (cJSON_GetArraySize(findings) == 0)
		return;
	printf("%s\n", title);
	cJSON_ArrayForEach(f, findings)
	{
		char text[1200];
		int evidence = (int)json_number(f, "evidence");

		snprintf(
		    text, sizeof(text), "%s: %s", json_text(f, "name"), json_text(f, "detail"));
		if (evidence > 1)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), " (%d seen)",
			    evidence);
		printf("  %-8s", json_text(f, "state"));
		out_words(stdout, 10, text);
	}
}

static const struct {
	const char *key, *title;
} SECTIONS[] = {
    {"machine", "This machine"},
    {"layers", "What a process of ours cannot do, tried here"},
    {"mac", "AppArmor and SELinux"},
    {"daemon", "The daemon"},
};
#define SECTIONS_LEN (sizeof(SECTIONS) / sizeof(SECTIONS[0]))

static const char *
overall(const cJSON *report)
{
	static const char *const GRAVEST_FIRST[] = {"failed", "down", "missing"};

	for (size_t k = 0; k < sizeof(GRAVEST_FIRST) / sizeof(GRAVEST_FIRST[0]); k++)
		for (size_t i = 0; i < SECTIONS_LEN; i++)
			if (any_is(cJSON_GetObjectItemCaseSensitive(report, SECTIONS[i].key),
				GRAVEST_FIRST[k]))
				return GRAVEST_FIRST[k];
	return "held";
}

static int
look(const struct args *args, cJSON *const sections[SECTIONS_LEN])
{
	struct utsname name;
	int status;

	if (uname(&name) == 0)
		doctor_say(sections[0], "held", "kernel", 1, "%s %s, sgwarden %s", name.release,
		    name.machine, SGW_VERSION);
	if (args->prove && !args->json)
		fputs("Trying in every sandbox what must not work there: some seconds.\n", stderr);
	status = doctor_prove(args, args->prove, sections[0], sections[1]);
	if (status != 0)
		return status;
	doctor_mac(sections[2]);
	return daemon_look(args, sections[3]);
}

static void
tell(const struct args *args, cJSON *report)
{
	const char *word = overall(report);

	if (args->json) {
		cJSON_AddStringToObject(report, "overall", word);
		out_json(cJSON_Duplicate(report, true));
		return;
	}
	for (size_t i = 0; i < SECTIONS_LEN; i++)
		section_print(
		    SECTIONS[i].title, cJSON_GetObjectItemCaseSensitive(report, SECTIONS[i].key));
	if (strcmp(word, "failed") == 0)
		out_wrapped(stdout, 0,
		    "Something does not hold. Do not use sgwarden here until you know why.");
	else if (strcmp(word, "down") == 0)
		out_wrapped(stdout, 0,
		    "What confines the processes holds. What is down opens nothing by that; its "
		    "line "
		    "says what to do.");
	else if (strcmp(word, "missing") == 0)
		out_wrapped(stdout, 0,
		    "What is here holds; what is missing weakens it. sgwarden-config(5), "
		    "allow_degraded, "
		    "and sgwardend(8) say by how much.");
	else
		out_wrapped(stdout, 0, "Everything holds.");
	if (!args->prove)
		out_wrapped(
		    stdout, 0, "`sgwarden doctor --prove` tries every forbidden call as well.");
}

int
doctor_run(const struct args *args)
{
	cJSON *report = cJSON_CreateObject(), *sections[SECTIONS_LEN];
	int status;

	for (size_t i = 0; i < SECTIONS_LEN; i++)
		sections[i] = cJSON_AddArrayToObject(report, SECTIONS[i].key);
	status = look(args, sections);
	if (status == 0) {
		status =
		    strcmp(overall(report), "failed") == 0 || strcmp(overall(report), "down") == 0;
		tell(args, report);
	}
	cJSON_Delete(report);
	return status;
}
