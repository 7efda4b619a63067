/* SPDX-License-Identifier: Apache-2.0 */
/* What setup writes: a first config.json, and the person's choice in one that is there. */
#include "config.h"

#include "setup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cjson/cJSON.h>

/* The whole text into a new file of that mode beside `path`, then in its place.  0, or -1 and errno. */
static int
file_replace(const char *path, const char *text, bool over, mode_t mode)
{
	char fresh[CLI_PATH_MAX];
	int fd, error, n = snprintf(fresh, sizeof(fresh), "%s.new", path);
	bool ok;

	if (n < 0 || n >= CLI_PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (!over && access(path, F_OK) == 0) {
		errno = EEXIST;
		return -1;
	}
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -1;
	ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text) && fchmod(fd, mode) == 0 &&
	     fsync(fd) == 0;
	error = errno;
	ok = close(fd) == 0 && ok;
	if (ok && rename(fresh, path) == 0)
		return 0;
	error = ok ? errno : error;
	(void)unlink(fresh);
	errno = error;
	return -1;
}

/* The configuration's directory is made where it is missing, closed to others; of its parents what is missing too. */
static int
dir_make(const char *dir)
{
	char path[CLI_PATH_MAX];

	for (size_t i = 1; dir[i - 1]; i++) {
		if (dir[i] != '/' && dir[i] != 0)
			continue;
		memcpy(path, dir, i);
		path[i] = 0;
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return -1;
	}
	return 0;
}

static int
write_beside(const struct args *args, const char *name, const char *text, bool over)
{
	char dir[CLI_PATH_MAX], path[CLI_PATH_MAX];
	/* No secret is in them: who asks the machine's sgwarden may see what it is for. */
	mode_t mode = setup_is_system(args) ? 0644 : 0600;

	if (!path_config_dir(args, dir) || !path_join(path, dir, name))
		return out_error(args, SGW_ERR_BAD_ARGUMENT, "--config", "no such path");
	if (dir_make(dir) < 0 || file_replace(path, text, over, mode) < 0)
		return out_error(
		    args, SGW_ERR_BAD_CONFIG, NULL, "cannot write %s: %s", path, strerror(errno));
	if (!args->json) {
		fputs("written  ", stdout);
		out_vis(stdout, path, strlen(path), 1000);
		putchar('\n');
	}
	return 0;
}

/* The answers are typed: as JSON strings they cannot become anything else. */
static char *
config_text(const struct setup_answers *a)
{
	static const char
	    HEAD[] =
		"{\n"
		"  // written by `sgwarden setup`; sgwarden-config(5) says what else there is\n"
		"  \"profiles\": ",
	    USER[] = "  // one screen and one client under the same user: see TRUST.md\n"
		     "  \"policy\": { \"allow_shared_display\": true }\n",
	    SYSTEM[] =
		"  // what this machine lacks: sgwardend(8) says by how much that weakens it\n"
		"  \"allow_degraded\": ";
	char *degraded = a->degraded ? cJSON_PrintUnformatted(a->degraded) : NULL;
	cJSON *profiles = cJSON_CreateObject(), *profile = cJSON_CreateObject(),
	      *regions = cJSON_CreateArray();
	char *json, *text;
	size_t size;

	cJSON_AddItemToArray(regions, cJSON_CreateString(a->region));
	cJSON_AddItemToObject(profile, "regions", regions);
	cJSON_AddBoolToObject(profile, "default", true);
	cJSON_AddStringToObject(profile, "reader", a->reader);
	cJSON_AddStringToObject(profile, "opener", a->opener);
	cJSON_AddItemToObject(profiles, a->profile, profile);
	json = cJSON_PrintUnformatted(profiles);
	cJSON_Delete(profiles);
	if (!json)
		abort(); /* no memory: nothing half-written */
	size = sizeof(HEAD) + strlen(json) + sizeof(USER) + sizeof(SYSTEM) + 16 +
	       (degraded ? strlen(degraded) : 0);
	text = malloc(size);
	if (!text || (a->degraded && !degraded))
		abort();
	snprintf(text, size, "%s%s,\n%s%s%s}\n", HEAD, json, degraded ? SYSTEM : USER,
	    degraded ? degraded : "", degraded ? "\n" : "");
	cJSON_free(json);
	cJSON_free(degraded);
	return text;
}

int
setup_write_config(const struct args *args, const struct setup_answers *a)
{
	char *text = config_text(a), *copy = strdup(text);
	static struct rec_config config;
	struct config_error error;
	int r = 0;

	if (!copy)
		abort();
	if (!config_parse(copy, strlen(copy), &config, &error))
		r = out_error(args, SGW_ERR_BAD_ARGUMENT, error.field, "%s", error.text);
	free(copy);
	if (r == 0)
		r = write_beside(args, "config.json", text, false);
	free(text);
	return r;
}

/* A line behind the first brace that opens the object: comments may stand before it. */
static const char *
object_start(const char *text)
{
	while (*text && *text != '{') {
		if (strncmp(text, "//", 2) == 0)
			text += strcspn(text, "\n");
		else if (strncmp(text, "/*", 2) == 0)
			text = strstr(text + 2, "*/") ? strstr(text + 2, "*/") + 2
						      : text + strlen(text);
		else
			text++;
	}
	return *text ? text + 1 : NULL;
}

int
setup_write_use(const struct args *args, const char *use)
{
	static struct config_source source;
	const char *at;
	char *text;
	int r = config_read(args, "config.json", &source);

	if (r != 0)
		return r;
	at = object_start(source.text);
	text = malloc(source.len + 64);
	if (!at || !text)
		abort(); /* it was compiled a moment ago: it is an object */
	snprintf(text, source.len + 64, "%.*s\n  \"use\": \"%s\",%s", (int)(at - source.text),
	    source.text, use, at);
	free(source.text);
	r = write_beside(args, "config.json", text, true);
	free(text);
	return r;
}

/* ---- the policies for AWS ---- */

/* China and GovCloud have names of their own in every ARN. */
static const char *
partition_of(const struct rec_config *config)
{
	const char *region = config->profiles[0].regions[0].name;

	return strncmp(region, "cn-", 3) == 0       ? "aws-cn"
	       : strncmp(region, "us-gov-", 7) == 0 ? "aws-us-gov"
						    : "aws";
}

/*
 * Source: the IAM User Guide's example for groups with a tag (Condition aws:ResourceTag on security-group ARNs) and the
 * EC2 User Guide on tagging at creation (ec2:CreateAction).
 */
static const char READER[] =
    "{\n"
    "  \"Version\": \"2012-10-17\",\n"
    "  \"Statement\": [\n"
    "    { \"Sid\": \"Read\", \"Effect\": \"Allow\", \"Resource\": \"*\",\n"
    "      \"Action\": [\"ec2:DescribeSecurityGroups\", \"ec2:DescribeSecurityGroupRules\"] },\n"
    "    { \"Sid\": \"Close\", \"Effect\": \"Allow\",\n"
    "      \"Action\": \"ec2:RevokeSecurityGroupIngress\",\n"
    "      \"Resource\": \"arn:%s:ec2:*:*:security-group/*\",\n"
    "      \"Condition\": { \"StringEquals\":\n"
    "        { \"aws:ResourceTag/sgwarden:managed\": \"true\" } } }\n"
    "  ]\n"
    "}\n";
static const char OPENER[] =
    "{\n"
    "  \"Version\": \"2012-10-17\",\n"
    "  \"Statement\": [\n"
    "    { \"Sid\": \"Open\", \"Effect\": \"Allow\",\n"
    "      \"Action\": \"ec2:AuthorizeSecurityGroupIngress\",\n"
    "      \"Resource\": \"arn:%s:ec2:*:*:security-group/*\",\n"
    "      \"Condition\": { \"StringEquals\":\n"
    "        { \"aws:ResourceTag/sgwarden:managed\": \"true\" } } },\n"
    "    { \"Sid\": \"Rule\", \"Effect\": \"Allow\",\n"
    "      \"Action\": \"ec2:AuthorizeSecurityGroupIngress\",\n"
    "      \"Resource\": \"arn:%s:ec2:*:*:security-group-rule/*\" },\n"
    "    { \"Sid\": \"Tag\", \"Effect\": \"Allow\", \"Action\": \"ec2:CreateTags\",\n"
    "      \"Resource\": \"arn:%s:ec2:*:*:security-group-rule/*\",\n"
    "      \"Condition\": { \"StringEquals\":\n"
    "        { \"ec2:CreateAction\": \"AuthorizeSecurityGroupIngress\" } } }\n"
    "  ]\n"
    "}\n";

int
setup_write_iam(const struct args *args, const struct rec_config *config)
{
	const char *partition = partition_of(config);
	char text[2048];
	int r;

	snprintf(text, sizeof(text), READER, partition);
	r = write_beside(args, IAM_READER, text, true);
	if (r != 0)
		return r;
	snprintf(text, sizeof(text), OPENER, partition, partition, partition);
	return write_beside(args, IAM_OPENER, text, true);
}
