/* SPDX-License-Identifier: Apache-2.0 */
/* JSON with comments into a tree that knows its lines and columns; strings are decoded by jtree_text.c. */
#include "jtree.h"
#include "jtree_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const TYPE_NAMES[] = {
    [JT_NULL] = "null",
    [JT_BOOL] = "true or false",
    [JT_NUMBER] = "a number",
    [JT_STRING] = "a string",
    [JT_ARRAY] = "a list [...]",
    [JT_OBJECT] = "an object {...}",
};

const char *
jt_type_name(enum jt_type type)
{
	return TYPE_NAMES[type];
}

struct jt_node *
jt_member(const struct jt_node *object, const char *key)
{
	for (struct jt_node *m = object->first; m; m = m->next)
		if (strcmp(m->key, key) == 0)
			return m;
	return NULL;
}

static bool value_parse(
    struct jt_text *t, struct jtree *tree, unsigned depth, struct jt_node **ret_node);

static struct jt_node *
node_new(struct jt_text *t, struct jtree *tree, enum jt_type type)
{
	struct jt_node *node;

	if (tree->n == JTREE_NODES_MAX) {
		jt_fail(t, "more than %d values", JTREE_NODES_MAX);
		return NULL;
	}
	node = &tree->node[tree->n++];
	*node = (struct jt_node){.type = type, .at = t->at};
	return node;
}

/* Behind a value: a comma and more (true), or the closing bracket (false, *ret_end set), or an error. */
static bool
list_goes_on(struct jt_text *t, char close, bool *ret_end)
{
	*ret_end = false;
	if (!jt_space(t))
		return false;
	if (jt_peek(t) == close) {
		jt_skip(t);
		*ret_end = true;
		return false;
	}
	if (jt_peek(t) != ',')
		return jt_fail(t, "expected ',' or '%c' here, found %s", close, jt_found(t));
	jt_skip(t);
	if (!jt_space(t))
		return false;
	if (jt_peek(t) == close)
		return jt_fail(t, "a comma stands before '%c': remove it", close);
	return true;
}

static bool
member_parse(struct jt_text *t, struct jtree *tree, unsigned depth, struct jt_node *object,
    struct jt_node **ret_member)
{
	struct jt_place key_at = t->at;
	struct jt_node *member, *same;
	char *key;

	if (jt_peek(t) != '"')
		return jt_fail(t, "expected a key in double quotes here, found %s", jt_found(t));
	if (!jt_string(t, &key))
		return false;
	same = jt_member(object, key);
	if (same) {
		t->at = key_at;
		return jt_fail(
		    t, "this key stands here twice; it was first on line %u", same->key_at.line);
	}
	if (!jt_space(t))
		return false;
	if (jt_peek(t) != ':')
		return jt_fail(t, "expected ':' behind the key, found %s", jt_found(t));
	jt_skip(t);
	if (!jt_space(t) || !value_parse(t, tree, depth, &member))
		return false;
	member->key = key;
	member->key_at = key_at;
	*ret_member = member;
	return true;
}

static bool
list_parse(struct jt_text *t, struct jtree *tree, unsigned depth, struct jt_node *list)
{
	char close = list->type == JT_OBJECT ? '}' : ']';
	struct jt_node **tail = &list->first;
	bool end = false;

	if (depth == JTREE_DEPTH_MAX)
		return jt_fail(t, "nested more than %d deep", JTREE_DEPTH_MAX);
	jt_skip(t);
	if (!jt_space(t))
		return false;
	if (jt_peek(t) == close) {
		jt_skip(t);
		return true;
	}
	do {
		struct jt_node *node;

		if (list->type == JT_OBJECT ? !member_parse(t, tree, depth + 1, list, &node)
					    : !value_parse(t, tree, depth + 1, &node))
			return false;
		*tail = node;
		tail = &node->next;
	} while (list_goes_on(t, close, &end));
	return end;
}

/* true, false, null and numbers: whatever stands up to the next delimiter is one word. */
static bool
word_parse(struct jt_text *t, struct jtree *tree, struct jt_node **ret_node)
{
	static const struct {
		const char *word;
		enum jt_type type;
		bool truth;
	} WORDS[] = {{"true", JT_BOOL, true}, {"false", JT_BOOL, false}, {"null", JT_NULL, false}};
	const char *word = t->text + t->pos;
	size_t len = strcspn(word, " \t\r\n,:[]{}\"/");
	struct jt_node *node = node_new(t, tree, JT_NUMBER);

	if (!node)
		return false;
	*ret_node = node;
	for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++)
		if (strlen(WORDS[i].word) == len && memcmp(WORDS[i].word, word, len) == 0) {
			node->type = WORDS[i].type;
			node->truth = WORDS[i].truth;
			jt_skip_n(t, len);
			return true;
		}
	if (!jt_number(word, len, &node->whole, &node->number))
		return jt_fail(t, "expected a value here, found %s", jt_found(t));
	jt_skip_n(t, len);
	return true;
}

static bool
value_parse(struct jt_text *t, struct jtree *tree, unsigned depth, struct jt_node **ret_node)
{
	struct jt_node *node;
	char c = jt_peek(t), *text;

	if (c != '{' && c != '[' && c != '"')
		return word_parse(t, tree, ret_node);
	node = node_new(t, tree, c == '{' ? JT_OBJECT : c == '[' ? JT_ARRAY : JT_STRING);
	if (!node)
		return false;
	*ret_node = node;
	if (c != '"')
		return list_parse(t, tree, depth, node);
	if (!jt_string(t, &text))
		return false;
	node->text = text;
	return true;
}

struct jt_node *
jtree_parse(struct jtree *tree, char *text, size_t len)
{
	struct jt_text t = {.text = text,
	    .len = len,
	    .at = {1, 1},
	    .error = tree->error,
	    .error_at = &tree->error_at};
	struct jt_node *root = NULL;

	tree->n = 0;
	if (!jt_check(&t) || !jt_space(&t) || !value_parse(&t, tree, 0, &root) || !jt_space(&t))
		return NULL;
	if (t.pos != len) {
		jt_fail(&t, "expected the end of the file here, found %s", jt_found(&t));
		return NULL;
	}
	return root;
}
