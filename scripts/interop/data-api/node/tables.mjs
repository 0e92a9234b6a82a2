// DataStax's astra-db-ts on tables of local Astra's Data API, in its default environment. With the argument h2 it uses
// fetch-h2, as its README describes, else the fetch of Node (HTTP/1.1).
//
// The first part is the quickstart of its README on tables, with the similarities that the README promises. The README
// has one fault: its first row is "A dinner on the Moon", but the second similarity belongs to "Friendly aliens in town".
// Each check prints a line; the first that fails ends the program with exit code 1. Every table, type and index is
// dropped at the end, also after a failure.
import assert from "node:assert/strict";
import { DataAPIDate, DataAPIHttpError, Table, TableInsertManyError, date, vector } from "@datastax/astra-db-ts";
import {
  client, close, code, database, endpoint, failure, h2, keyspace, numbers, range, requireHttp2, run, say, token, withTable,
} from "./common.mjs";
import { checkValues } from "./table-values.mjs";

async function quickstart(db) {
  const name = `interop_dreams_table_ts_${run}`;
  const definition = Table.schema({
    columns: {
      id: "int",
      summary: "text",
      tags: { type: "set", valueType: "text" },
      vector: { type: "vector", dimension: 3 },
    },
    primaryKey: "id",
  });
  try {
    let table;
    // As the README does, both can run twice.
    for (const _ of range(0, 2)) {
      table = await db.createTable(name, { definition, ifNotExists: true });
      const options = { metric: "cosine" };
      await table.createVectorIndex(`${name}_idx`, "vector", { options, ifNotExists: true });
    }
    await table.insertMany([
      { id: 102, summary: "Friendly aliens in town", vector: vector([-0.3, 0, 0.8]) },
      { id: 103, summary: "Riding the waves", vector: vector([0, 0.2, 1]), tags: new Set(["sport"]) },
      { id: 37, summary: "Meeting Beethoven at the dentist", vector: vector([0.2, 0.6, 0]) },
    ]);
    await table.updateOne({ id: 103 }, { $set: { summary: "Surfers' paradise" } });
    const cursor = table.find({}).sort({ vector: vector([0, 0.2, 0.4]) }).includeSimilarity(true).limit(2);
    const promised = [["Surfers' paradise", 0.98238194], ["Friendly aliens in town", 0.91873914]];
    for await (const dream of cursor) {
      const [summary, similarity] = promised.shift();
      assert.equal(dream.summary, summary);
      close(dream.$similarity, similarity, summary);
      say(`quickstart: ${summary}: ${dream.$similarity}`);
    }
    assert.equal(promised.length, 0);
  } finally {
    await db.dropTable(name, { ifExists: true });
  }
  assert.ok(!(await db.listTables({ nameOnly: true })).includes(name));
}

const columns = { host: "text", day: "date", at: "timestamp", n: "int", line: "text", level: "text" };
const primaryKey = { partitionBy: ["host", "day"], partitionSort: { at: -1, n: 1 } };
const day = date("2024-05-01");
const moment = (second) => new Date(Date.UTC(2024, 4, 1, 0, 0, second));
const keyOf = (n, host = "a") => ({ host, day, at: moment(Math.floor(n / 2)), n });
const line = (n, host) => ({ ...keyOf(n, host), line: `line ${n}`, level: ["info", "warn", "error"][n % 3] });
const ns = (rows) => rows.map((row) => row.n);

async function insertions(log) {
  const rows = [...range(0, 120).map((n) => line(n)), ...range(0, 30).map((n) => line(n, "b"))];
  const { insertedCount, insertedIds } = await log.insertMany(rows);
  assert.equal(insertedCount, 150);
  assert.deepEqual(numbers(ns(insertedIds.filter((id) => id.host === "a"))), range(0, 120));
  const { insertedId } = await log.insertOne(line(0));
  assert.ok(insertedId.day instanceof DataAPIDate && insertedId.day.equals(day));
  assert.deepEqual([insertedId.host, insertedId.at, insertedId.n], ["a", moment(0), 0]);
  const bad = [line(200), { host: "a" }, { ...line(201), n: "x" }, { ...line(202), nope: 1 }, line(203)];
  let error = await failure(() => log.insertMany(bad), TableInsertManyError);
  assert.deepEqual(numbers(ns(error.insertedIds())), [200, 203]);
  const codes = error.errors().flatMap((one) => one.errorDescriptors.map((descriptor) => descriptor.errorCode));
  assert.deepEqual(codes.sort(), ["INVALID_COLUMN_VALUES", "MISSING_PRIMARY_KEY_COLUMNS", "UNKNOWN_TABLE_COLUMNS"]);
  error = await failure(() => log.insertMany(bad, { ordered: true }), TableInsertManyError);
  assert.deepEqual(ns(error.insertedIds()), [200]);
  for (const n of [200, 203]) await log.deleteOne(keyOf(n));
  say("insertMany of 150 rows, and with bad rows between good ones, unordered and ordered");
}

async function pages(log) {
  const sizes = [];
  const found = [];
  for (let state; state !== null; ) {
    const page = await log.find({ host: "a", day }, { initialPageState: state }).fetchNextPage();
    sizes.push(page.result.length);
    found.push(...page.result);
    state = page.nextPageState;
  }
  assert.ok(sizes.length >= 3, sizes);
  const inOrder = range(0, 60).reverse().flatMap((second) => [2 * second, 2 * second + 1]);
  assert.deepEqual(ns(found), inOrder);
  assert.equal(found[0].line, "line 118");
  assert.deepEqual(ns(await log.find({ host: "a", day }).limit(70).toArray()), inOrder.slice(0, 70));
  assert.equal((await log.find({}).toArray()).length, 150);
  assert.equal(await log.findOne({ host: "c", day }), null);
  const projection = { n: 1, line: 1 };
  assert.deepEqual(await log.findOne({ host: "b", day, n: 7 }, { projection }), { n: 7, line: "line 7" });
  say(`find over pages of ${sizes.join(", ")}`);
}

async function sorts(log) {
  const range = { host: "a", day, at: { $gte: moment(10), $lt: moment(12) } };
  assert.deepEqual(ns(await log.find(range).sort({ at: 1, n: -1 }).toArray()), [21, 20, 23, 22]);
  assert.deepEqual(ns(await log.find({ host: "a", day }).sort({ at: 1 }).limit(3).toArray()), [1, 0, 3]);
  const some = { host: "a", day, level: { $in: ["warn", "error"] } };
  const sorted = log.find(some, { sort: { level: 1, n: -1 }, limit: 3, skip: 1, projection: { n: 1 } });
  assert.deepEqual(await sorted.toArray(), [{ n: 116 }, { n: 113 }, { n: 110 }]);
  assert.equal((await log.findOne({ host: "a" }, { sort: { n: -1 } })).n, 119);
  assert.equal(await code(() => log.findOne({}, { sort: { nope: 1 } })), "CANNOT_SORT_UNKNOWN_COLUMNS");
  say("sorts by clustering columns and in memory");
}

async function changes(log) {
  const key = keyOf(0, "b");
  await log.updateOne(key, { $set: { line: "changed" }, $unset: { level: "" } });
  assert.deepEqual(await log.findOne(key, { projection: { line: 1, level: 1 } }), { line: "changed", level: null });
  await log.updateOne({ ...key, n: 99 }, { $set: { line: "new" } });
  assert.equal((await log.findOne({ ...key, n: 99 })).line, "new");
  const partition = { host: "b", day };
  for (const [wanted, call] of [
    ["MISSING_FULL_PRIMARY_KEY_FOR_UPDATE_DELETE", () => log.updateOne(partition, { $set: { line: "x" } })],
    ["UNSUPPORTED_UPDATE_FOR_PRIMARY_KEY_COLUMNS", () => log.updateOne(key, { $set: { n: 1 } })],
    ["UNSUPPORTED_UPDATE_OPERATIONS_FOR_TABLE", () => log.updateOne(key, { $inc: { n: 1 } })],
    ["UNKNOWN_TABLE_COLUMNS", () => log.updateOne(key, { $set: { nope: 1 } })],
    ["MISSING_FULL_PRIMARY_KEY_FOR_UPDATE_DELETE", () => log.deleteOne(partition)],
    ["UNSUPPORTED_NON_PRIMARY_KEY_FILTER_FOR_UPDATE_DELETE", () => log.deleteMany({ level: "info" })],
  ]) {
    assert.equal(await code(call), wanted);
  }
  await log.deleteOne(key);
  assert.equal(await log.findOne(key), null);
  await log.deleteMany({ ...partition, at: { $lt: moment(10) } });
  assert.deepEqual(numbers(ns(await log.find(partition).toArray())), range(20, 30));
  await log.deleteMany(partition);
  assert.deepEqual(await log.find(partition).toArray(), []);
  assert.equal((await log.find({ host: "a", day }).toArray()).length, 120);
  await log.deleteMany({});
  assert.deepEqual(await log.find({}).toArray(), []);
  say("updateOne, deleteOne, deleteMany by key, range, partition and of all");
}

async function indexes(db, table) {
  const { name } = table;
  const options = { caseSensitive: false, normalize: true, ascii: false };
  await table.createIndex(`${name}_n`, "name", { options });
  assert.equal(await code(() => table.createIndex(`${name}_n`, "name")), "CANNOT_ADD_EXISTING_INDEX");
  await table.createIndex(`${name}_n`, "name", { ifNotExists: true });
  await table.createVectorIndex(`${name}_v`, "vec", { options: { metric: "euclidean" } });
  assert.equal(await code(() => table.createIndex(`${name}_w`, "nope")), "UNKNOWN_INDEX_COLUMN");
  assert.equal(await code(() => table.createVectorIndex(`${name}_w`, "name")), "UNSUPPORTED_VECTOR_INDEX_FOR_DATA_TYPES");
  const error = await failure(() => table.createTextIndex(`${name}_t`, "note"), DataAPIHttpError);
  assert.equal(error.status, 501);
  const listed = (await table.listIndexes()).sort((a, b) => a.name.localeCompare(b.name));
  assert.deepEqual(listed.map((index) => [index.name, index.indexType]), [[`${name}_n`, "regular"], [`${name}_v`, "vector"]]);
  assert.deepEqual(listed[0].definition, { column: "name", options });
  assert.equal(listed[1].definition.options.metric, "euclidean");
  say("createIndex, createVectorIndex, listIndexes");

  await table.insertMany(range(0, 6).map((id) => ({ id, name: ["Ann", "Bob"][id % 2], vec: vector([id, 0]) })));
  assert.deepEqual(numbers((await table.find({ name: "ANN" }).toArray()).map((row) => row.id)), [0, 2, 4]);
  const cursor = table.find({ name: "ann" }).sort({ vec: vector([1, 0]) }).limit(2).includeSimilarity().includeSortVector();
  assert.deepEqual((await cursor.getSortVector()).asArray(), [1, 0]);
  const near = await cursor.toArray();
  assert.deepEqual(numbers(near.map((row) => row.id)), [0, 2]);
  close(near[0].$similarity, 0.5, "similarity");
  assert.equal((await table.findOne({}, { sort: { vec: [1, 0] } })).id, 1);
  say("an index that ignores case, a vector search with a filter");

  const alter = (operation) => table.alter({ operation });
  const added = { city: "text", stars: { type: "map", keyType: "text", valueType: "int" } };
  await alter({ add: { columns: added } });
  assert.equal(await code(() => alter({ add: { columns: { city: "text" } } })), "CANNOT_ADD_EXISTING_COLUMNS");
  await table.updateOne({ id: 1 }, { $set: { city: "Oslo", stars: new Map([["food", 3]]) } });
  const projection = { city: 1, stars: 1 };
  assert.deepEqual(await table.findOne({ id: 1 }, { projection }), { city: "Oslo", stars: new Map([["food", 3]]) });
  assert.equal(await code(() => alter({ drop: { columns: ["name"] } })), "CANNOT_DROP_INDEXED_COLUMNS");
  assert.equal(await code(() => alter({ drop: { columns: ["id"] } })), "CANNOT_DROP_PRIMARY_KEY_COLUMNS");
  await db.dropTableIndex(`${name}_n`);
  assert.equal(await code(() => db.dropTableIndex(`${name}_n`)), "CANNOT_DROP_UNKNOWN_INDEX");
  await db.dropTableIndex(`${name}_n`, { ifExists: true });
  assert.deepEqual(await table.listIndexes({ nameOnly: true }), [`${name}_v`]);
  await alter({ drop: { columns: ["name", "city"] } });
  assert.deepEqual(Object.keys((await table.definition()).columns).sort(), ["id", "note", "stars", "vec"]);
  assert.equal(await code(() => table.findOne({ name: "Ann" })), "UNKNOWN_TABLE_COLUMNS");
  say("alterTable adds and drops columns, dropIndex");
}

// A table that was created over REST, with columns that the Data API cannot create. The client for Python uses CQL.
async function overRest(db, name) {
  const headers = { "X-Cassandra-Token": token, "Content-Type": "application/json" };
  const rest = async (method, path, body) => {
    const address = `${endpoint}/api/rest/v2/${path}`;
    const response = await fetch(address, { method, headers, body: JSON.stringify(body), signal: AbortSignal.timeout(60_000) });
    assert.ok(response.ok, `${method} ${path}: ${response.status}`);
    return response.json();
  };
  const types = { k: "text", c: "timeuuid", s: "text", pair: "frozen<tuple<int, text>>", mixed: "map<int, text>" };
  const columnDefinitions = Object.entries(types).map(([name, typeDefinition]) => ({ name, typeDefinition, static: name === "s" }));
  const first = "50554d6e-29bb-11e5-b345-feff819cdc9f";
  const second = "60554d6e-29bb-11e5-b345-feff819cdc9f";
  try {
    const keys = { partitionKey: ["k"], clusteringKey: ["c"] };
    await rest("POST", `schemas/keyspaces/${keyspace}/tables`, { name, columnDefinitions, primaryKey: keys });
    await rest("POST", `keyspaces/${keyspace}/${name}`, { k: "k", c: first, s: "shared", pair: [1, "x"] });
    const table = db.table(name);
    const { columns } = await table.definition();
    assert.deepEqual([columns.pair.type, columns.pair.apiSupport.read], ["UNSUPPORTED", false]);
    assert.deepEqual([columns.c.type, columns.c.apiSupport.createTable], ["timeuuid", false]);
    assert.equal(await code(() => table.findOne({ k: "k" })), "UNSUPPORTED_COLUMN_TYPES");
    await table.insertOne({ k: "k", c: second, mixed: new Map([[5, "five"]]) });
    const rows = await table.find({ k: "k" }, { projection: { pair: 0 }, sort: { c: -1 } }).toArray();
    assert.deepEqual(rows.map((row) => [row.c.toString(), row.s]), [[second, "shared"], [first, "shared"]]);
    assert.deepEqual(rows.map((row) => row.mixed), [new Map([[5, "five"]]), new Map()]);
    const { data } = await rest("GET", `keyspaces/${keyspace}/${name}/k/${second}`);
    assert.deepEqual([data[0].s, data[0].mixed], ["shared", { 5: "five" }]);
  } finally {
    await db.dropTable(name, { ifExists: true });
  }
  say("a table that was created over REST");
}

async function errors(db, log) {
  const unknown = db.table(`interop_unknown_${run}`);
  assert.equal(await code(() => unknown.findOne({})), "UNKNOWN_COLLECTION_OR_TABLE");
  assert.equal(await code(() => unknown.drop()), "CANNOT_DROP_UNKNOWN_TABLE");
  await unknown.drop({ ifExists: true });
  const create = (name, columns) => () => db.createTable(name, { definition: { columns, primaryKey: "id" } });
  assert.equal(await code(create(log.name, { id: "int" })), "CANNOT_ADD_EXISTING_TABLE");
  assert.equal(await code(create(`interop_bad_${run}`, { id: "int", c: "counter" })), "UNSUPPORTED_DATA_TYPE_TABLE_CREATION");
  assert.equal(await code(() => log.findOne({ nope: 1 })), "UNKNOWN_TABLE_COLUMNS");
  assert.equal(await code(() => log.findOne({ host: 5 })), "INVALID_FILTER_COLUMN_VALUES");
  assert.equal(await code(() => log.findOne({}, { projection: { nope: 1 } })), "UNKNOWN_TABLE_COLUMNS");
  assert.equal(await code(() => db.collection(log.name).countDocuments({}, 10)), "UNSUPPORTED_TABLE_COMMAND");
  say("an unknown table, unknown columns, and a command that tables do not have");
}

try {
  if (h2) await requireHttp2();
  const db = database();
  await quickstart(db);
  await withTable(db, `interop_log_ts_${run}`, columns, primaryKey, async (log) => {
    for (const part of [insertions, pages, sorts, changes]) await part(log);
    await errors(db, log);
  });
  const indexed = { id: "int", name: "text", note: "text", vec: { type: "vector", dimension: 2 } };
  await withTable(db, `interop_index_ts_${run}`, indexed, "id", (table) => indexes(db, table));
  await overRest(db, `interop_rest_ts_${run}`);
  await checkValues(db);
} finally {
  await client.close();
}
