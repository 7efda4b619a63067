// SPDX-License-Identifier: Apache-2.0
// @modelcontextprotocol/sdk 1.x: the legacy era.
import assert from "node:assert/strict";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { canned, command, common } from "./checks.mjs";

const client = new Client({ name: "sdk1", version: "1" }, { capabilities: { elicitation: { form: {} } } });
await client.connect(new StdioClientTransport(command()));
assert.equal(client.getServerVersion().name, "sgwarden");
await client.ping();
const callTool = (params, options) => client.callTool(params, undefined, options);
await common(client, callTool);
if (process.env.SGW_MCP_CANNED)
	await canned(callTool);
await client.ping();
const start = Date.now();
await client.close();
assert.ok(Date.now() - start < 1000, "the server ends when its input does");
console.log("sdk 1.x: connected, listed, called");
