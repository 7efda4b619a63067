/* SPDX-License-Identifier: Apache-2.0 */
/* `sgwarden config check` and `config load`. */
#include "cli.h"
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include <sgwarden/buf.h>
#include <sgwarden/hash.h>
#include <sgwarden/ports.h>
#include <sgwarden/sandbox.h>
#include <sgwarden/vis.h>

int
config_refuse(const struct args *args, const char *path, const struct config_error *e)
{
	const struct error_row *row = error_row(SGW_ERR_BAD_CONFIG);
	char text[JTREE_ERROR_MAX + 160];

	if (args->json) {
		cJSON *tree = cJSON_CreateObject(),
		      *error = out_error_json(SGW_ERR_BAD_CONFIG, e->field, e->text);

		cJSON_AddStringToObject(error, "file", path);
		cJSON_AddNumberToObject(error, "line", e->at.line);
		cJSON_AddNumberToObject(error, "column", e->at.column);
		cJSON_AddStringToObject(tree, "status", "failed");
		cJSON_AddItemToObject(tree, "error", error);
		out_json(tree);
		return row->exit_status;
	}
	out_vis(stderr, path, strlen(path), 1000);
	fprintf(stderr, ":%u:%u:\n    ", e->at.line, e->at.column);
	snprintf(text, sizeof(text), "%s%s%s", e->field, e->field[0] ? ": " : "", e->text);
	out_wrapped(stderr, 4, text);
	fprintf(stderr, "next: %s\n", row->next_step);
	return row->exit_status;
}

int
config_compile(const struct args *args, struct config_source *source, struct rec_config *ret_config)
{
	uint8_t digest[HASH_LEN];
	struct config_error error;
	int r = config_read(args, "config.json", source);

	if (r != 0)
		return r;
	hash_sha256(source->text, source->len, digest);
	if (!config_parse(source->text, source->len, ret_config, &error))
		return config_refuse(args, source->path, &error);
	if (access(ret_config->ca_bundle, R_OK) < 0)
		return out_error(args, SGW_ERR_BAD_CONFIG, "ca_bundle", "%s: %s",
		    ret_config->ca_bundle, strerror(errno));
	memcpy(ret_config->source_digest, digest, sizeof(digest));
	if (!text_is_utf8(source->path, strlen(source->path)) ||
	    !FIELD_SET(ret_config->source_name, source->path))
		return out_error(args, SGW_ERR_BAD_CONFIG, NULL,
		    "the path of the file is longer than 240 bytes or no UTF-8: move it");
	return 0;
}

/* ---- what it says, for people ---- */

struct relaxed_row {
	const char *what;
	size_t offset; /* of a bool in struct rec_config */
	bool value;    /* that relaxes */
};

static const struct relaxed_row RELAXED[] = {
    {"documentation ranges may be opened", offsetof(struct rec_config, policy.allow_documentation),
	true},
    {"private ranges may be opened", offsetof(struct rec_config, policy.allow_private), true},
    {"a shared display may approve", offsetof(struct rec_config, policy.allow_shared_display),
	true},
    {"groups need no sgwarden:managed=true", offsetof(struct rec_config, policy.require_opt_in),
	false},
    {"http:// to loopback", offsetof(struct rec_config, http_loopback), true},
};

static bool
is_relaxed(const struct rec_config *config, const struct relaxed_row *row)
{
	return *((const bool *)((const char *)config + row->offset)) == row->value;
}

/* Which sections of the AWS files its credentials stand in, where that is not its own name. */
static const struct {
	const char *name;
	size_t offset;
} SECTIONS[] = {
    {"reader", offsetof(struct rec_profile_conf, reader)},
    {"opener", offsetof(struct rec_profile_conf, opener)},
    {"opener_sensitive", offsetof(struct rec_profile_conf, opener_sensitive)},
};

static const char *
section_of(const struct rec_profile_conf *p, size_t i)
{
	return (const char *)p + SECTIONS[i].offset;
}

static void
show_sections(const struct rec_profile_conf *p)
{
	for (size_t i = 0; i < sizeof(SECTIONS) / sizeof(SECTIONS[0]); i++)
		if (section_of(p, i)[0])
			printf("         %s: %s\n", SECTIONS[i].name, section_of(p, i));
}

/* What net connects to; in system mode its unit must say the same. */
static void
show_ports(const struct rec_config *config)
{
	struct ports ports;
	char text[PORTS_TEXT_MAX];

	ports_of_config(config, &ports);
	ports_print(&ports, text);
	for (char *comma = text; (comma = strchr(comma, ',')) != NULL;)
		*comma = ' ';
	fputs("ports    ", stdout);
	out_wrapped(stdout, 9, text);
}

static void
show(const struct rec_config *config)
{
	for (size_t i = 0; i < config->n_profiles; i++) {
		const struct rec_profile_conf *p = &config->profiles[i];

		printf("profile  %s%s:", p->name, p->is_default ? " (default)" : "");
		for (size_t r = 0; r < p->n_regions; r++)
			printf(" %s", p->regions[r].name);
		putchar('\n');
		show_sections(p);
	}
	for (size_t i = 0; i < config->n_address_sources; i++)
		printf("source   %s\n", config->address_sources[i].url);
	show_ports(config);
	for (size_t i = 0; i < sizeof(RELAXED) / sizeof(RELAXED[0]); i++)
		if (is_relaxed(config, &RELAXED[i]))
			printf("relaxed  %s\n", RELAXED[i].what);
#define X(bit, NAME, name, why)                                                                    \
	if (config->allow_degraded & DEGRADED_##NAME) {                                            \
		fputs("accepts  ", stdout);                                                        \
		out_wrapped(stdout, 9, name " (" why ")");                                         \
	}
	SGW_DEGRADATIONS(X)
#undef X
}

static void
show_json(const struct config_source *source, const struct rec_config *config, const char *written)
{
	cJSON *tree = cJSON_CreateObject(), *data = cJSON_CreateObject(),
	      *profiles = cJSON_CreateArray();
	cJSON *relaxed = cJSON_CreateArray(), *sources = cJSON_CreateArray(),
	      *tcp = cJSON_CreateArray();
	struct ports ports;

	for (size_t i = 0; i < config->n_profiles; i++) {
		const struct rec_profile_conf *p = &config->profiles[i];
		cJSON *profile = cJSON_CreateObject(), *regions = cJSON_CreateArray();

		for (size_t r = 0; r < p->n_regions; r++)
			cJSON_AddItemToArray(regions, cJSON_CreateString(p->regions[r].name));
		cJSON_AddStringToObject(profile, "name", p->name);
		cJSON_AddBoolToObject(profile, "default", p->is_default);
		cJSON_AddItemToObject(profile, "regions", regions);
		for (size_t k = 0; k < sizeof(SECTIONS) / sizeof(SECTIONS[0]); k++)
			if (section_of(p, k)[0])
				cJSON_AddStringToObject(
				    profile, SECTIONS[k].name, section_of(p, k));
		cJSON_AddItemToArray(profiles, profile);
	}
	for (size_t i = 0; i < sizeof(RELAXED) / sizeof(RELAXED[0]); i++)
		if (is_relaxed(config, &RELAXED[i]))
			cJSON_AddItemToArray(relaxed, cJSON_CreateString(RELAXED[i].what));
	for (size_t i = 0; i < config->n_address_sources; i++)
		cJSON_AddItemToArray(sources, cJSON_CreateString(config->address_sources[i].url));
	ports_of_config(config, &ports);
	for (unsigned i = 0; i < ports.n; i++)
		cJSON_AddItemToArray(tcp, cJSON_CreateNumber(ports.port[i]));
	cJSON_AddStringToObject(tree, "status", "ok");
	cJSON_AddItemToObject(tree, "data", data);
	cJSON_AddStringToObject(data, "file", source->path);
	if (written)
		cJSON_AddStringToObject(data, "written", written);
	cJSON_AddItemToObject(data, "profiles", profiles);
	cJSON_AddItemToObject(data, "address_sources", sources);
	cJSON_AddItemToObject(data, "tcp_ports", tcp);
	cJSON_AddItemToObject(data, "relaxed", relaxed);
	out_json(tree);
}

/* ---- verbs ---- */

int
config_check_run(const struct args *args)
{
	static struct rec_config config;
	static struct config_source source;
	int r = config_compile(args, &source, &config);

	free(source.text);
	if (r != 0)
		return r;
	if (args->json) {
		show_json(&source, &config, NULL);
		return 0;
	}
	out_vis(stdout, source.path, strlen(source.path), 1000);
	puts(" is acceptable");
	show(&config);
	return 0;
}

int
config_load_run(const struct args *args)
{
	static struct rec_config config;
	static struct config_source source;
	static uint8_t bytes[SGW_DATAGRAM_MAX];
	struct buf b = buf_over(bytes, sizeof(bytes));
	char path[CLI_PATH_MAX];
	int r = config_compile(args, &source, &config);

	free(source.text);
	if (r != 0)
		return r;
	if (!rec_config_encode(&b, &config))
		return out_error(
		    args, SGW_ERR_INTERNAL, NULL, "the configuration has no compiled form");
	r = config_write(args, bytes, b.len, path);
	if (r != 0)
		return r;
	if (args->json) {
		show_json(&source, &config, path);
		return 0;
	}
	fputs("written  ", stdout);
	out_vis(stdout, path, strlen(path), 1000);
	putchar('\n');
	show(&config);
	puts("next     restart sgwardend if it is running: it reads this when it starts");
	return 0;
}
