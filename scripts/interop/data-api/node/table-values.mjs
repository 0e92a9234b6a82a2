// Values of every type in tables: scalars, sets, lists, maps and user-defined types.
import assert from "node:assert/strict";
import { BigNumber } from "bignumber.js";
import {
  DataAPIBlob, UUID, blob, date, duration, inet, time, uuid, vector,
} from "@datastax/astra-db-ts";
import { code, numbers, run, say, withTable } from "./common.mjs";

// Ordinary values, and those at the ends of their types.
const rows = [
  {
    ascii: "plain", bigint: 2n ** 53n + 1n, blob: blob(Buffer.from([0, 1, 254, 255])), boolean: false,
    date: date("2024-02-29"), decimal: BigNumber("12345678901234567890.123456789012345678901"), double: 0.1,
    duration: duration("1y2mo3d4h5m6s7ns"), float: 1.25, inet: inet("192.168.0.1"), int: -5, smallint: 0,
    text: "Grüße, 'quoted' \"text\" \u{1f600}\n", time: time("12:34:56.789000001"),
    timestamp: new Date("2024-02-29T12:34:56.789Z"), tinyint: 7, uuid: UUID.v7(), varint: 10n ** 60n + 7n,
  },
  {
    ascii: "", bigint: -(2n ** 63n), blob: blob(Buffer.alloc(0)), boolean: true, date: date("-0044-03-15"),
    decimal: BigNumber("-1e-9"), double: -Infinity, duration: duration("-1mo2d3ms"), float: Infinity,
    inet: inet("2001:db8:0:0:0:0:0:1"), int: 2 ** 31 - 1, smallint: -(2 ** 15), text: "", time: time("00:00:00"),
    timestamp: new Date("1969-12-31T23:59:59.999Z"), tinyint: -128, uuid: uuid("00000000-0000-0000-0000-000000000000"),
    varint: -(2n ** 63n) - 1n,
  },
];
const kinds = Object.keys(rows[0]);
const wrong = {
  ascii: "ü", bigint: 2n ** 63n, blob: "AQID", boolean: "true", date: "2024-02-30", decimal: "1.5", double: "1.5",
  duration: "soon", float: "x", inet: "300.0.0.1", int: 1.5, smallint: 2 ** 15, text: 5, time: "25:00",
  timestamp: "yesterday", tinyint: 128, uuid: "x", varint: 0.5,
};

// A value as a text that no other value of its type has.
function textOf(value) {
  if (value instanceof DataAPIBlob) return value.asBase64();
  if (value instanceof Date) return value.toISOString();
  return BigNumber.isBigNumber(value) ? value.toFixed() : String(value);
}

async function scalars(table) {
  const row = (n) => ({ id: n, ...Object.fromEntries(kinds.map((kind) => [`the_${kind}`, rows[n][kind]])) });
  await table.insertMany(rows.map((_, n) => row(n)));
  for (const n of rows.keys()) {
    const found = await table.findOne({ id: n });
    for (const [column, wanted] of Object.entries(row(n))) {
      assert.equal(found[column]?.constructor, wanted.constructor, column);
      assert.equal(textOf(found[column]), textOf(wanted), column);
    }
  }
  say(`values of ${kinds.length} types come back as they were sent, those at the ends too`);
  for (const kind of kinds) {
    for (const n of rows.keys()) {
      const found = await table.find({ [`the_${kind}`]: rows[n][kind] }).toArray();
      assert.deepEqual(found.map((row) => row.id), [n], kind);
    }
  }
  say("a filter on each type finds the row");
  await table.insertOne({ id: 5, the_double: NaN, the_float: NaN });
  const found = await table.findOne({ id: 5 });
  assert.deepEqual([found.the_double, found.the_float, found.the_int, found.the_blob], [NaN, NaN, null, null]);
  for (const kind of kinds) {
    const row = { id: 6, [`the_${kind}`]: wrong[kind] };
    assert.equal(await code(() => table.insertOne(row)), "INVALID_COLUMN_VALUES", kind);
  }
  assert.equal(await table.findOne({ id: 6 }), null);
  say("NaN, and a wrong value for each type");
}

const map = (keyType, valueType) => ({ type: "map", keyType, valueType });
const collectionColumns = {
  id: "int",
  texts: { type: "set", valueType: "text" },
  days: { type: "set", valueType: "date" },
  numbers: { type: "list", valueType: "double" },
  ids: { type: "list", valueType: "uuid" },
  plain: map("text", "int"),
  by_int: map("int", "text"),
  by_time: map("timestamp", "blob"),
  by_inet: map("inet", "duration"),
  by_decimal: map("decimal", "boolean"),
};

// The elements and entries of a set, list or map as texts. Sets and maps have no order of their own.
function textsOf(value) {
  if (Array.isArray(value)) return value.map(textOf);
  const entries = [...value].map((entry) => (Array.isArray(entry) ? entry.map(textOf).join(": ") : textOf(entry)));
  return [value.constructor.name, ...entries.sort()];
}

async function collections(table) {
  const { name } = table;
  for (const [suffix, column] of [["t", "texts"], ["n", "numbers"], ["p", "plain"], ["k", { by_int: "$keys" }], ["v", { plain: "$values" }]]) {
    await table.createIndex(`${name}_${suffix}`, column);
  }
  const ids = [UUID.v4(), UUID.v4()];
  const one = {
    texts: new Set(["b", "a"]),
    days: new Set([date("2024-02-29"), date("1969-07-20")]),
    numbers: [2.5, -1, 2.5],
    ids,
    plain: new Map([["x", 1], ["y", 2]]),
    by_int: new Map([[-1, "minus"], [10, "ten"]]),
    by_time: new Map([[new Date("2024-02-29T00:00:00.000Z"), blob(Buffer.from([0, 255]))]]),
    by_inet: new Map([[inet("10.0.0.1"), duration("90m")]]),
    by_decimal: new Map([[BigNumber("-0.5"), true]]),
  };
  const two = { id: 2, texts: new Set(["b", "c"]), numbers: [1], plain: { x: 2 }, by_int: new Map([[10, "zehn"]]) };
  await table.insertMany([{ id: 1, ...one }, two, { id: 3, by_time: new Map() }]);
  const found = await table.findOne({ id: 1 });
  for (const [column, wanted] of Object.entries(one)) assert.deepEqual(textsOf(found[column]), textsOf(wanted), column);
  const empty = await table.findOne({ id: 3 });
  assert.deepEqual([empty.texts, empty.numbers, empty.by_time], [new Set(), [], new Map()]);
  say("sets, lists, and maps whose keys are no texts as lists of pairs");

  for (const [filter, wanted] of [
    [{ texts: { $in: ["a", "c"] } }, [1, 2]],
    [{ texts: { $all: ["a", "b"] } }, [1]],
    [{ texts: { $nin: ["a"] } }, [2, 3]],
    [{ days: { $in: [date("1969-07-20")] } }, [1]],
    [{ numbers: { $in: [2.5] } }, [1]],
    [{ ids: { $all: ids } }, [1]],
    [{ plain: { $keys: { $in: ["y"] } } }, [1]],
    [{ plain: { $values: { $in: [2] } } }, [1, 2]],
    [{ plain: { $in: [["x", 2]] } }, [2]],
    [{ by_int: { $keys: { $all: [10, -1] } } }, [1]],
    [{ by_int: { $in: [[10, "ten"], [10, "zehn"]] } }, [1, 2]],
    [{ by_int: { $nin: [[10, "ten"]] } }, [2, 3]],
    [{ by_decimal: { $keys: { $in: [BigNumber("-0.5")] } } }, [1]],
    [{ $or: [{ texts: { $in: ["c"] } }, { by_int: { $values: { $in: ["minus"] } } }] }, [1, 2]],
    [{ $and: [{ texts: { $in: ["b"] } }, { $not: { plain: { $keys: { $in: ["y"] } } } }] }, [2]],
  ]) {
    const rows = await table.find(filter).toArray();
    assert.deepEqual(numbers(rows.map((row) => row.id)), wanted, JSON.stringify(filter));
  }
  assert.equal(await code(() => table.findOne({ texts: { $gt: "a" } })), "INVALID_MAP_SET_LIST_FILTER");
  say("filters on sets, lists, and keys, values and entries of maps");

  const each = { $each: [7, 8] };
  await table.updateOne({ id: 1 }, { $push: { texts: "d", numbers: each, plain: { z: 3 }, by_int: [11, "eleven"] } });
  await table.updateOne({ id: 1 }, { $pullAll: { texts: ["a"], numbers: [2.5], plain: ["x"], by_int: [-1] } });
  await table.updateOne({ id: 1 }, { $set: { by_time: new Map() }, $unset: { by_inet: "" } });
  const changed = await table.findOne({ id: 1 });
  assert.deepEqual([changed.texts, changed.numbers], [new Set(["b", "d"]), [-1, 7, 8]]);
  assert.deepEqual([changed.plain, changed.by_int], [new Map([["y", 2], ["z", 3]]), new Map([[10, "ten"], [11, "eleven"]])]);
  assert.deepEqual([changed.by_time, changed.by_inet], [new Map(), new Map()]);
  const bad = { texts: [5], numbers: ["x"], by_int: { 10: "ten" }, by_time: [["x"]], by_inet: [], plain: { x: null } };
  for (const [column, value] of Object.entries(bad)) {
    assert.equal(await code(() => table.insertOne({ id: 4, [column]: value })), "INVALID_COLUMN_VALUES", column);
  }
  say("$push and $pullAll of elements and entries, and wrong elements");
}

async function userTypes(db, name) {
  const type = `${name}_player`;
  const udt = { type: "userDefined", udtName: type };
  const columns = { id: "text", player: udt, vec: { type: "vector", dimension: 2 } };
  Object.assign(columns, { team: { type: "list", valueType: udt }, roles: map("int", udt) });
  const definition = { fields: { name: "text", age: "int" } };
  try {
    await db.createType(type, { definition });
    assert.equal(await code(() => db.createType(type, { definition })), "CANNOT_ADD_EXISTING_TYPE");
    await db.createType(type, { definition, ifNotExists: true });
    await withTable(db, name, columns, "id", async (table) => {
      const [anita, pedro] = [{ name: "Anita", age: 49 }, { name: "Pedro", age: 50 }];
      const row = { id: "x001", player: anita, team: [pedro, anita], roles: new Map([[7, pedro]]) };
      await table.insertOne({ ...row, vec: vector([0.5, -1]) });
      const { vec, ...found } = await table.findOne({ id: "x001" });
      assert.deepEqual(found, row);
      assert.deepEqual(vec.asArray(), [0.5, -1]);
      await table.insertOne({ id: "x002", player: { name: "Eve" } });
      assert.deepEqual((await table.findOne({ id: "x002" })).player, { name: "Eve", age: null });
      const unknown = { id: "x003", player: { nope: 1 } };
      assert.equal(await code(() => table.insertOne(unknown)), "INVALID_COLUMN_VALUES");
      say("a user-defined type as a column, and in a list and a map");

      await db.alterType(type, { operation: { add: { fields: { city: "text" } } } });
      await db.alterType(type, { operation: { rename: { fields: { age: "years" } } } });
      const [listed] = (await db.listTypes()).filter((listed) => listed.name === type);
      assert.deepEqual(Object.entries(listed.definition.fields), Object.entries({
        name: { type: "text" }, years: { type: "int" }, city: { type: "text" },
      }));
      const moved = { name: "Anita", years: 50, city: "Oslo" };
      await table.updateOne({ id: "x001" }, { $set: { player: moved } });
      const changed = await table.findOne({ id: "x001" });
      assert.deepEqual(changed.player, moved);
      assert.deepEqual(changed.team[0], { name: "Pedro", years: 50, city: null });
      assert.equal(await code(() => db.dropType(type)), "CANNOT_DROP_TYPE_USED_BY_TABLE");
    });
  } finally {
    await db.dropType(type, { ifExists: true });
  }
  assert.ok(!(await db.listTypes({ nameOnly: true })).includes(type));
  assert.equal(await code(() => db.dropType(type)), "CANNOT_DROP_UNKNOWN_TYPE");
  say("alterType adds and renames fields; dropType");
}

export async function checkValues(db) {
  const columns = { id: "int", ...Object.fromEntries(kinds.map((kind) => [`the_${kind}`, kind])) };
  await withTable(db, `interop_types_ts_${run}`, columns, "id", scalars);
  await withTable(db, `interop_sets_ts_${run}`, collectionColumns, "id", collections);
  await userTypes(db, `interop_udt_ts_${run}`);
}
