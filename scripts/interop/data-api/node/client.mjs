// DataStax's astra-db-ts against local Astra's Data API, in its default environment: it gets an endpoint, a token and a
// keyspace. With the argument h2 it uses fetch-h2, as its README describes, else the fetch of Node (HTTP/1.1).
//
// The first part is the quickstart of its README with the similarities that the README promises, without its faults:
// the collection has no dimension there, the search sorts by `vector` (that is for tables), and the documents and the
// updated id are not those that the similarities belong to. Each check prints a line; the first that fails ends the
// program with exit code 1.
import assert from "node:assert/strict";
import {
  CollectionInsertManyError, DataAPIHttpError, DataAPIResponseError, ObjectId, TooManyDocumentsToCountError, UUID, oid,
  vector,
} from "@datastax/astra-db-ts";
import { client, close, code, database, endpoint, failure, h2, numbers, range, requireHttp2, run, say, token } from "./common.mjs";

const ids = (documents) => documents.map((document) => document._id);

async function quickstart(db) {
  const name = `interop_dreams_ts_${run}`;
  const dreams = await db.createCollection(name, { defaultId: { type: "objectId" }, vector: { dimension: 3 } });
  try {
    const inserted = await dreams.insertMany([
      { summary: "Friendly aliens in town", $vector: vector([-0.3, 0, 0.8]) },
      { _id: oid("674f0f5c1c162131319fa09e"), summary: "Riding the waves", $vector: vector([0, 0.2, 1]), tags: ["sport"] },
      { summary: "Meeting Beethoven at the dentist", $vector: vector([0.2, 0.6, 0]) },
    ]);
    assert.ok(inserted.insertedIds.every((id) => id instanceof ObjectId));
    await dreams.updateOne({ _id: oid("674f0f5c1c162131319fa09e") }, { $set: { summary: "Surfers' paradise" } });
    const cursor = dreams.find({}).sort({ $vector: vector([0, 0.2, 0.4]) }).includeSimilarity(true).limit(2);
    const promised = [["Surfers' paradise", 0.98238194], ["Friendly aliens in town", 0.91873914]];
    for await (const dream of cursor) {
      const [summary, similarity] = promised.shift();
      assert.equal(dream.summary, summary);
      close(dream.$similarity, similarity, summary);
      say(`quickstart: ${summary}: ${dream.$similarity}`);
    }
    assert.equal(promised.length, 0);
  } finally {
    await dreams.drop();
  }
  assert.ok(!(await db.listCollections({ nameOnly: true })).includes(name));
}

async function createTwice(db, name) {
  const notes = await db.createCollection(name);
  await db.createCollection(name);
  assert.equal((await db.listCollections()).filter((collection) => collection.name === name).length, 1);
  const other = () => db.createCollection(name, { defaultId: { type: "uuid" } });
  assert.equal(await code(other), "EXISTING_COLLECTION_DIFFERENT_SETTINGS");
  say("createCollection twice: the same settings are fine, others are an error");
  return notes;
}

async function idsOfAllKinds(notes) {
  const date = new Date("2024-02-29T12:30:15.123Z");
  const kinds = ["text", "5", 5, 2.5, -7, true, false, null, UUID.v4(), UUID.v7(), new ObjectId(), date];
  const inserted = await notes.insertMany(kinds.map((_id, n) => ({ _id, kind: "ids", n })));
  assert.deepEqual(inserted.insertedIds.map(String), kinds.map(String));
  for (const [n, _id] of kinds.entries()) {
    const found = await notes.findOne({ _id });
    assert.deepEqual([found._id, found.n], [_id, n]);
  }
  const { insertedId } = await notes.insertOne({ kind: "generated" });
  assert.equal((await notes.findOne({ _id: insertedId })).kind, "generated");
  const { deletedCount } = await notes.deleteMany({ kind: { $in: ["ids", "generated"] } });
  assert.equal(deletedCount, kinds.length + 1);
  say(`${kinds.length} ids of all kinds, and a generated one`);
}

async function dates(notes) {
  const day = new Date("1969-07-20T20:17:40.001Z");
  await notes.insertOne({ _id: "moon", landed: day, steps: [day, { at: day }] });
  assert.deepEqual(await notes.findOne({ landed: day }), { _id: "moon", landed: day, steps: [day, { at: day }] });
  const later = new Date(day.getTime() + 1);
  assert.equal((await notes.findOne({ landed: { $lt: later } }))._id, "moon");
  assert.equal(await notes.findOne({ landed: { $gte: later } }), null);
  await notes.updateOne({ _id: "moon" }, { $currentDate: { read: true } });
  assert.ok(Math.abs(Date.now() - (await notes.findOne({ _id: "moon" })).read) < 60_000);
  await notes.deleteOne({ _id: "moon" });
  say("dates in members, lists and filters; $currentDate");
}

async function duplicates(notes) {
  const documents = range(0, 60).map((n) => ({ _id: `d${n}`, kind: "dup" }));
  await notes.insertOne({ _id: "d30", kind: "first" });
  let error = await failure(() => notes.insertMany(documents), CollectionInsertManyError);
  assert.deepEqual(error.insertedIds().sort(), ids(documents).filter((id) => id !== "d30").sort());
  const codes = error.errors().flatMap((one) => one.errorDescriptors.map((descriptor) => descriptor.errorCode));
  assert.deepEqual(codes, ["DOCUMENT_ALREADY_EXISTS"]);
  assert.equal((await notes.findOne({ _id: "d30" })).kind, "first");
  await notes.deleteMany({ kind: "dup" });
  error = await failure(() => notes.insertMany(documents, { ordered: true }), CollectionInsertManyError);
  assert.deepEqual(error.insertedIds(), range(0, 30).map((n) => `d${n}`));
  assert.equal((await notes.deleteMany({ kind: { $in: ["dup", "first"] } })).deletedCount, 31);
  say("insertMany with a duplicate in the middle, unordered and ordered");
}

async function pages(notes) {
  const document = (n) => ({ _id: n, kind: "page", n, color: ["red", "blue"][n % 2], list: [n % 3] });
  assert.equal((await notes.insertMany(range(0, 120).map(document))).insertedCount, 120);
  const sizes = [];
  const found = [];
  for (let state; state !== null; ) {
    const page = await notes.find({ kind: "page" }, { initialPageState: state }).fetchNextPage();
    sizes.push(page.result.length);
    found.push(...ids(page.result));
    state = page.nextPageState;
  }
  assert.deepEqual(numbers(found), range(0, 120));
  assert.ok(sizes.length >= 3, sizes);
  const some = await notes.find({ n: { $gte: 10, $lt: 115 } }).toArray();
  assert.deepEqual(numbers(ids(some)), range(10, 115));
  assert.equal((await notes.find({ kind: "page" }).limit(70).toArray()).length, 70);
  const sorted = notes.find({ kind: "page" }, { sort: { n: -1 }, limit: 3, skip: 1, projection: { n: true, _id: false } });
  assert.deepEqual(await sorted.toArray(), [{ n: 118 }, { n: 117 }, { n: 116 }]);
  say(`find over pages of ${sizes.join(", ")}`);
  assert.deepEqual((await notes.distinct("color", { kind: "page" })).sort(), ["blue", "red"]);
  assert.deepEqual(numbers(await notes.distinct("list", { kind: "page" })), [0, 1, 2]);
  assert.deepEqual(numbers(await notes.distinct("list.0", { n: { $ne: 4 } })), [0, 1, 2]);
  say("distinct, of lists too");
}

async function many(notes) {
  const updated = await notes.updateMany({ color: "red" }, { $inc: { n: 1000 }, $push: { list: "x" } });
  assert.deepEqual([updated.matchedCount, updated.modifiedCount], [60, 60]);
  assert.equal(await notes.countDocuments({ list: { $all: [0, "x"] } }, 1000), 20);
  assert.equal((await notes.deleteMany({ color: "red" })).deletedCount, 60);
  assert.equal(await notes.countDocuments({ kind: "page" }, 1000), 60);
  say("updateMany and deleteMany over pages");
}

async function single(notes) {
  const update = { $set: { "a.b": 1 }, $setOnInsert: { new: true } };
  assert.equal((await notes.updateOne({ _id: "up" }, update, { upsert: true })).upsertedId, "up");
  assert.deepEqual(await notes.findOne({ "a.b": 1 }), { _id: "up", a: { b: 1 }, new: true });
  const { upsertedId } = await notes.updateMany({ kind: "nowhere" }, { $set: { x: 1 } }, { upsert: true });
  assert.equal((await notes.findOne({ kind: "nowhere" }))._id, upsertedId);
  assert.equal((await notes.replaceOne({ _id: "up" }, { color: "green" })).modifiedCount, 1);
  assert.deepEqual(await notes.findOne({ color: "green" }), { _id: "up", color: "green" });
  assert.equal((await notes.replaceOne({ _id: "up2" }, { color: "grey" }, { upsert: true })).upsertedId, "up2");
  say("upsert and replace");
  const before = await notes.findOneAndUpdate({ _id: "up" }, { $set: { n: 1 } }, { returnDocument: "before" });
  assert.deepEqual(before, { _id: "up", color: "green" });
  const projected = { returnDocument: "after", projection: { n: 1 } };
  assert.deepEqual(await notes.findOneAndUpdate({ _id: "up" }, { $inc: { n: 1 } }, projected), { _id: "up", n: 2 });
  assert.equal(await notes.findOneAndUpdate({ _id: "none" }, { $set: { n: 1 } }), null);
  const after = { returnDocument: "after", sort: { n: -1 } };
  assert.deepEqual((await notes.findOneAndReplace({ n: { $gt: 1 } }, { x: [] }, after)).x, []);
  const upserted = { returnDocument: "after", upsert: true };
  assert.deepEqual(await notes.findOneAndReplace({ _id: "up3" }, { y: {} }, upserted), { _id: "up3", y: {} });
  assert.deepEqual(await notes.findOneAndDelete({ _id: "up3" }, { projection: { _id: 0 } }), { y: {} });
  assert.equal(await notes.findOneAndDelete({ _id: "up3" }), null);
  assert.equal((await notes.deleteOne({ _id: "up2" })).deletedCount, 1);
  say("findOneAndUpdate, -Replace, -Delete");
}

async function counts(notes) {
  const left = await notes.countDocuments({}, 1000);
  let error = await failure(() => notes.countDocuments({}, left - 1), TooManyDocumentsToCountError);
  assert.equal(error.hitServerLimit, false);
  await notes.insertMany(range(0, 1001).map((many) => ({ many })));
  error = await failure(() => notes.countDocuments({}, 5000), TooManyDocumentsToCountError);
  assert.equal(error.hitServerLimit, true);
  assert.equal(await notes.countDocuments({ many: { $lt: 700 } }, 1000), 700);
  assert.ok((await notes.estimatedDocumentCount()) >= 0);
  await notes.deleteMany({});
  assert.equal(await notes.countDocuments({}, 1), 0);
  say("counts, beyond the bounds of the caller and of the server too");
}

async function vectors(db) {
  const name = `interop_vectors_ts_${run}`;
  const settings = { vector: { dimension: 1536, metric: "dot_product" } };
  const collection = await db.createCollection(name, settings);
  const point = (x) => vector([x, Math.sqrt(1 - x * x), ...Array(1534).fill(0)]);
  try {
    // These go out as $binary.
    await collection.insertMany(range(0, 60).map((n) => ({ _id: n, n, $vector: point(n / 60) })));
    const found = await collection.findOne({ _id: 30 }, { projection: { "*": 1 } });
    assert.equal(found.$vector.length, 1536);
    close(found.$vector.asArray()[0], 0.5, "component");
    const near = (filter, limit) => collection.find(filter).sort({ $vector: point(1) }).limit(limit);
    const cursor = near({ n: { $gt: 9, $lt: 40 } }, 3).includeSimilarity(true).includeSortVector(true);
    close((await cursor.getSortVector()).asArray()[0], 1, "sort vector");
    const nearest = await cursor.toArray();
    assert.deepEqual(ids(nearest), [39, 38, 37]);
    close(nearest[0].$similarity, (1 + 39 / 60) / 2, "similarity");
    assert.deepEqual(ids(await near({}, 2).toArray()), [59, 58]);
    assert.equal(await code(() => collection.insertOne({ $vector: [1, 2] })), "INVALID_VECTOR_LENGTH");
    const options = await collection.options();
    assert.deepEqual([options.vector.dimension, options.vector.metric], [1536, "dot_product"]);
  } finally {
    await collection.drop();
  }
  say("vectors of 1536 components as $binary; the nearest within a range");
}

async function errors(db, notes) {
  const unknown = db.collection(`interop_unknown_${run}`);
  assert.equal(await code(() => unknown.findOne({})), "UNKNOWN_COLLECTION_OR_TABLE");
  const other = database({ keyspace: "interop_no_keyspace" });
  assert.equal(await code(() => other.listCollections()), "UNKNOWN_KEYSPACE");
  const wrong = token.slice(0, -1) + (token.endsWith("0") ? "1" : "0");
  const error = await failure(() => database({ token: wrong }).listCollections(), Error);
  assert.ok(error instanceof DataAPIHttpError || error instanceof DataAPIResponseError, error.stack);
  assert.ok(String(error.body ?? JSON.stringify(error.errorDescriptors)).includes("UNAUTHENTICATED_REQUEST"), error.stack);
  assert.ok(!error.stack.includes(token.slice(-64, -1)));
  assert.equal(await code(() => notes.findOne({ a: { $regex: "x" } })), "FILTER_UNSUPPORTED_OPERATOR");
  assert.equal(await code(() => notes.findOne({}, { sort: { $vector: [1] } })), "VECTOR_SEARCH_NOT_SUPPORTED");
  say("an unknown collection, keyspace and operator, a wrong token, and a vector search without vectors");
}

try {
  if (h2) await requireHttp2();
  const db = database();
  await quickstart(db);
  const notes = await createTwice(db, `interop_notes_ts_${run}`);
  try {
    const parts = [idsOfAllKinds, dates, duplicates, pages, many, single];
    // A thousand documents are needed for this, which one of the ports is enough for.
    if (endpoint.startsWith("http:")) parts.push(counts);
    for (const part of parts) await part(notes);
    await vectors(db);
    await errors(db, notes);
  } finally {
    await notes.drop();
  }
} finally {
  await client.close();
}
