// SPDX-License-Identifier: Apache-2.0
// What is asked of the server through any version of the official client library.
import assert from "node:assert/strict";

// What the table of tools lists for a client, in its order: run.py reads it.
const TOOLS = process.env.SGW_TOOLS.split(" ");
export const ADD = { security_group_id: "sg-0123456789abcdef0", ip: "198.51.100.7", port: 443, reason: "progress" };

// SGW_MCP_COMMAND is plain words: no quoting, no blanks in paths.
export function command() {
	const [program, ...args] = process.env.SGW_MCP_COMMAND.split(" ");
	return { command: program, args, stderr: "ignore", env: { ...process.env } };
}

// The libraries check structuredContent against outputSchema by themselves once tools were listed.
export async function common(client, callTool) {
	const { tools } = await client.listTools();
	assert.deepEqual(tools.map((t) => t.name), TOOLS);
	for (const tool of tools)
		for (const hint of ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"])
			assert.equal(typeof tool.annotations[hint], "boolean");

	const capabilities = await callTool({ name: "capabilities", arguments: {} });
	assert.equal(capabilities.structuredContent.status, "ok");
	assert.deepEqual(JSON.parse(capabilities.content[0].text), capabilities.structuredContent);
	assert.ok(capabilities.structuredContent.data.protocol_versions.includes("2026-07-28"));

	const health = await callTool({ name: "health", arguments: {} });
	assert.ok(health.structuredContent.data.components.length > 0);

	const bad = await callTool({ name: "list_rules", arguments: { security_group_id: "nonsense" } });
	assert.equal(bad.isError, true);
	assert.equal(bad.structuredContent.error.field, "security_group_id");

	await assert.rejects(callTool({ name: "no_such_tool", arguments: {} }), (e) => e.code === -32602);
}

// What only the stand-in for the planner answers without a person.
export async function canned(callTool) {
	const seen = [];
	const added = await callTool({ name: "whitelist_add", arguments: ADD }, { onprogress: (p) => seen.push(p) });
	assert.equal(added.structuredContent.status, "ok");
	assert.equal(seen.length, 4);
	assert.match(seen[1].message, /read and type the word/);

	const denied = await callTool({ name: "whitelist_add", arguments: { ...ADD, reason: "deny" } });
	assert.equal(denied.isError, true);
	assert.equal(denied.structuredContent.status, "denied");

	const abort = new AbortController();
	const never = callTool({ name: "whitelist_add", arguments: { ...ADD, reason: "never" } }, { signal: abort.signal });
	setTimeout(() => abort.abort(), 50);
	await assert.rejects(never);
}
