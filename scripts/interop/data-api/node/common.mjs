// Settings and checks that the clients in this folder share.
import assert from "node:assert/strict";
import * as fetchH2 from "fetch-h2";
import { DataAPIClient, DataAPIResponseError } from "@datastax/astra-db-ts";

export const endpoint = process.env.ASTRA_DB_API_ENDPOINT;
export const token = process.env.ASTRA_DB_APPLICATION_TOKEN;
export const keyspace = process.env.ASTRA_DB_KEYSPACE;
export const h2 = process.argv[2] === "h2";
export const run = `${Date.now()}_${process.pid}`;

export const client = new DataAPIClient(h2 ? { httpOptions: { client: "fetch-h2", fetchH2 } } : {});
export const database = (settings = {}) => client.db(endpoint, { token, keyspace, ...settings });
export const say = (what) => console.log(`ok  ${what}`);
export const close = (found, wanted, what) => assert.ok(Math.abs(found - wanted) < 1e-6, `${what}: ${found}, not ${wanted}`);
export const numbers = (values) => values.sort((a, b) => a - b);
export const range = (from, to) => Array.from({ length: to - from }, (_, n) => from + n);

// The error that a call ends with.
export async function failure(call, kind) {
  try {
    await call();
  } catch (error) {
    assert.ok(error instanceof kind, `${kind.name} was expected, not ${error.stack}`);
    return error;
  }
  throw new Error(`${kind.name} was expected`);
}

// The code of the error that the API responds with.
export const code = async (call) => (await failure(call, DataAPIResponseError)).errorDescriptors[0].errorCode;

// Fails if the port does not speak HTTP/2 with fetch-h2.
export async function requireHttp2() {
  const response = await fetchH2.fetch(`${endpoint}/api/json/v1`);
  await fetchH2.disconnectAll();
  assert.equal(response.httpVersion, 2);
  say("the port speaks HTTP/2 with fetch-h2");
}

// Runs the checks on a table, and drops it at the end, also after a failure.
export async function withTable(db, name, columns, primaryKey, checks) {
  try {
    await checks(await db.createTable(name, { definition: { columns, primaryKey } }));
  } finally {
    await db.dropTable(name, { ifExists: true });
  }
  assert.ok(!(await db.listTables({ nameOnly: true })).includes(name), `${name} in the list after its drop`);
}
