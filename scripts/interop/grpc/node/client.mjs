// The story of a client that uses Stargate's own Node package, with the protos of its time.
// Reads ASTRA_DB_GRPC_URL, ASTRA_DB_APPLICATION_TOKEN, ASTRA_DB_KEYSPACE, and SSL_CERT_FILE for https.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const grpc = require("@grpc/grpc-js");
const stargate = require("@stargate-oss/stargate-grpc-node-client");
const { BytesValue, Int32Value } = require("google-protobuf/google/protobuf/wrappers_pb.js");

const url = new URL(process.env.ASTRA_DB_GRPC_URL);
const keyspace = process.env.ASTRA_DB_KEYSPACE;
const bearer = new stargate.StargateBearerToken(process.env.ASTRA_DB_APPLICATION_TOKEN);
const table = `"${keyspace}".interop_grpc_${Date.now()}_${process.pid}`;

function connect() {
  const secure = url.protocol === "https:";
  const target = `${url.hostname}:${url.port || (secure ? 443 : 80)}`;
  if (!secure) return new stargate.StargateClient(target, grpc.credentials.createInsecure());
  const roots = process.env.SSL_CERT_FILE ? readFileSync(process.env.SSL_CERT_FILE) : null;
  const credentials = grpc.credentials.combineChannelCredentials(grpc.credentials.createSsl(roots), bearer);
  return new stargate.StargateClient(target, credentials);
}

const client = connect();
const calls = stargate.promisifyStargateClient(client);
// Over a plain connection the package attaches no credentials by itself.
const metadata = () =>
  url.protocol === "https:" ? new grpc.Metadata() : bearer.generateMetadata({ service_url: "" });

function value(set, content) {
  const made = new stargate.Value();
  made[set](content);
  return made;
}

function statement(kind, cql, values) {
  const made = new kind();
  made.setCql(cql);
  const list = new stargate.Values();
  list.setValuesList(values);
  made.setValues(list);
  return made;
}

async function query(cql, values = [], parameters = undefined) {
  const made = statement(stargate.Query, cql, values);
  made.setParameters(parameters);
  return calls.executeQuery(made, await metadata());
}

async function refused(answer, code) {
  await assert.rejects(answer, (error) => {
    assert.equal(error.code, code, error.message);
    return true;
  });
}

async function story() {
  const insert = `INSERT INTO ${table} (k, t, n) VALUES (?, ?, ?)`;
  const batch = new stargate.Batch();
  const rows = [1, 2, 3, 4, 5];
  batch.setQueriesList(
    rows.map((k) =>
      statement(stargate.BatchQuery, insert, [
        value("setInt", k),
        value("setString", `text ${k}`),
        value("setInt", 2 ** 40 + k),
      ]),
    ),
  );
  const written = await calls.executeBatch(batch, await metadata());
  assert.equal(written.getResultSet(), undefined);

  const seen = [];
  let state;
  let pages = 0;
  do {
    const parameters = new stargate.QueryParameters();
    const size = new Int32Value();
    size.setValue(2);
    parameters.setPageSize(size);
    if (state) {
      const bytes = new BytesValue();
      bytes.setValue(state);
      parameters.setPagingState(bytes);
    }
    const answer = await query(`SELECT k, t, n FROM ${table}`, [], parameters);
    const set = answer.getResultSet();
    assert.deepEqual(set.getColumnsList().map((column) => column.getName()), ["k", "t", "n"]);
    for (const row of set.getRowsList()) {
      const [k, t, n] = row.getValuesList();
      assert.equal(t.getString(), `text ${k.getInt()}`);
      assert.equal(n.getInt(), 2 ** 40 + k.getInt());
      seen.push(k.getInt());
    }
    state = set.getPagingState()?.getValue_asU8();
    pages += 1;
  } while (state && pages < 10);
  assert.deepEqual(seen.sort(), rows);
  assert.equal(pages, 3);
  console.log(`a batch of ${rows.length}, read in ${pages} pages`);

  await query(`DELETE FROM ${table} WHERE k = ?`, [value("setInt", 1)]);
  const gone = await query(`SELECT t FROM ${table} WHERE k = ?`, [value("setInt", 1)]);
  assert.equal(gone.getResultSet().getRowsList().length, 0);

  await refused(query(`SELECT nope FROM ${table}`), grpc.status.INVALID_ARGUMENT);
  await refused(query(`CREATE TABLE ${table} (k int PRIMARY KEY)`), grpc.status.ALREADY_EXISTS);
  console.log("a row deleted, two statements refused");
}

try {
  const local = await query("SELECT data_center FROM system.local");
  const [row] = local.getResultSet().getRowsList();
  console.log("data center", row.getValuesList()[0].getString());
  await query(`CREATE TABLE ${table} (k int PRIMARY KEY, t text, n bigint)`);
  try {
    await story();
  } finally {
    await query(`DROP TABLE ${table}`);
  }
} finally {
  client.close();
}
