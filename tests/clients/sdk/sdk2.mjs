// SPDX-License-Identifier: Apache-2.0
// @modelcontextprotocol/client 2.x: both eras.
import assert from "node:assert/strict";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { canned, command, common } from "./checks.mjs";

for (const [mode, version] of [["auto", "2026-07-28"], ["legacy", "2025-11-25"]]) {
	const client = new Client({ name: "sdk2", version: "2" }, { capabilities: {}, versionNegotiation: { mode } });
	await client.connect(new StdioClientTransport(command()));
	assert.equal(client.getNegotiatedProtocolVersion(), version);
	const callTool = (params, options) => client.callTool(params, options);
	await common(client, callTool);
	if (process.env.SGW_MCP_CANNED)
		await canned(callTool);
	const start = Date.now();
	await client.close();
	assert.ok(Date.now() - start < 1000, "the server ends when its input does");
	console.log(`client 2.x, ${mode}: connected (${version}), listed, called`);
}
