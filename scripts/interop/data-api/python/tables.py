"""DataStax's astrapy on tables of local Astra's Data API, in its default environment.

The first part is the quickstart of its README on tables, with the similarities that the README promises. Each check
prints a line; the first that fails ends the program with a traceback and exit code 1. Every table, type and index is
dropped at the end, also after a failure.
"""

import datetime

from astrapy.constants import VectorMetric
from astrapy.data_types import DataAPIDate, DataAPITimestamp, DataAPIVector
from astrapy.exceptions import TableInsertManyException
from astrapy.info import ColumnType, CreateTableDefinition, TableVectorIndexOptions

import table_schema
import table_values
from common import RUN, close, code, created_table, database, equal, failure, say


def quickstart(db):
    name = f"interop_dreams_table_{RUN}"
    definition = (
        CreateTableDefinition.builder()
        .add_column("dream_id", ColumnType.INT)
        .add_column("summary", ColumnType.TEXT)
        .add_set_column("tags", ColumnType.TEXT)
        .add_vector_column("dream_vector", dimension=3)
        .add_partition_by(["dream_id"])
        .build()
    )
    options = TableVectorIndexOptions(metric=VectorMetric.COSINE)
    try:
        # As the README does, both can run twice.
        for _ in range(2):
            dreams = db.create_table(name, definition=definition, if_not_exists=True)
            dreams.create_vector_index(f"{name}_idx", column="dream_vector", options=options, if_not_exists=True)
        dreams.insert_many(
            [
                {
                    "dream_id": 103,
                    "summary": "Riding the waves",
                    "tags": ["sport"],
                    "dream_vector": DataAPIVector([0, 0.2, 1]),
                },
                {
                    "dream_id": 119,
                    "summary": "Friendly aliens in town",
                    "tags": ["scifi"],
                    "dream_vector": DataAPIVector([-0.3, 0, 0.8]),
                },
                {
                    "dream_id": 37,
                    "summary": "Meeting Beethoven at the dentist",
                    "dream_vector": DataAPIVector([0.2, 0.6, 0]),
                },
            ],
        )
        dreams.update_one({"dream_id": 103}, {"$set": {"summary": "Surfers' paradise"}})
        sort = {"dream_vector": DataAPIVector([0, 0.2, 0.4])}
        found = dreams.find({}, sort=sort, limit=2, include_similarity=True).to_list()
        promised = [("Surfers' paradise", 0.98238194), ("Friendly aliens in town", 0.91873914)]
        equal([dream["summary"] for dream in found], [summary for summary, _ in promised], "order")
        for dream, (summary, wanted) in zip(found, promised):
            close(dream["$similarity"], wanted, summary)
            say(f"quickstart: {summary}: {dream['$similarity']}")
    finally:
        db.drop_table(name, if_exists=True)
    equal(name in db.list_table_names(), False, "the dropped table in the list")


COLUMNS = {"host": "text", "day": "date", "at": "timestamp", "n": "int", "line": "text", "level": "text"}
KEY = {"partitionBy": ["host", "day"], "partitionSort": {"at": -1, "n": 1}}
DAY = datetime.date(2024, 5, 1)


def moment(second):
    return datetime.datetime(2024, 5, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(seconds=second)


def line(n, host="a"):
    level = ["info", "warn", "error"][n % 3]
    return {"host": host, "day": DAY, "at": moment(n // 2), "n": n, "line": f"line {n}", "level": level}


def numbers(rows):
    return [row["n"] for row in rows]


def insertions(log):
    rows = [line(n) for n in range(120)] + [line(n, "b") for n in range(30)]
    result = log.insert_many(rows)
    equal(sorted(id["n"] for id in result.inserted_ids if id["host"] == "a"), list(range(120)), "inserted")
    first = log.insert_one(line(0)).inserted_id
    equal(first, {"host": "a", "day": DataAPIDate.from_date(DAY), "at": DataAPITimestamp.from_datetime(moment(0)), "n": 0}, "the key")
    bad = [line(200), {"host": "a"}, {**line(201), "n": "x"}, {**line(202), "nope": 1}, line(203)]
    error = failure(lambda: log.insert_many(bad), TableInsertManyException)
    equal(sorted(id["n"] for id in error.inserted_ids), [200, 203], "unordered")
    codes = sorted(e.error_code for x in error.exceptions for e in x.error_descriptors)
    equal(codes, ["INVALID_COLUMN_VALUES", "MISSING_PRIMARY_KEY_COLUMNS", "UNKNOWN_TABLE_COLUMNS"], "codes")
    error = failure(lambda: log.insert_many(bad, ordered=True), TableInsertManyException)
    equal([id["n"] for id in error.inserted_ids], [200], "ordered")
    for n in [200, 203]:
        log.delete_one({key: value for key, value in line(n).items() if key in ["host", "day", "at", "n"]})
    say("insert_many of 150 rows, and with bad rows between good ones, unordered and ordered")


def pages(log):
    sizes, found, state = [], [], None
    while not sizes or state is not None:
        cursor = log.find({"host": "a", "day": DAY})
        page = (cursor if state is None else cursor.initial_page_state(state)).fetch_next_page()
        sizes.append(len(page.results))
        found += page.results
        state = page.next_page_state
    assert len(sizes) >= 3, sizes
    in_order = sorted(range(120), key=lambda n: (-(n // 2), n))
    equal(numbers(found), in_order, "rows of all pages, in the order of the clustering columns")
    equal(found[0]["line"], "line 118", "a row of the first page")
    equal(numbers(log.find({"host": "a", "day": DAY}, limit=70)), in_order[:70], "a limit beyond a page")
    equal(len(log.find({}).to_list()), 150, "rows of all partitions")
    equal(sorted(log.distinct("level", filter={"host": "b", "day": DAY})), ["error", "info", "warn"], "distinct")
    equal(log.find_one({"host": "c", "day": DAY}), None, "of an unknown partition")
    row = log.find_one({"host": "b", "day": DAY, "n": 7}, projection={"n": True, "line": True})
    equal(row, {"n": 7, "line": "line 7"}, "a projection")
    say(f"find over pages of {sizes}")


def sorts(log):
    partition = {"host": "a", "day": DAY}
    rows = log.find({**partition, "at": {"$gte": moment(10), "$lt": moment(12)}}, sort={"at": 1, "n": -1})
    equal(numbers(rows), [21, 20, 23, 22], "a range in the other order")
    equal(numbers(log.find(partition, sort={"at": 1}, limit=3)), [1, 0, 3], "the reversed partition")
    some = {**partition, "level": {"$in": ["warn", "error"]}}
    rows = log.find(some, sort={"level": 1, "n": -1}, limit=3, skip=1, projection={"n": True})
    equal(rows.to_list(), [{"n": 116}, {"n": 113}, {"n": 110}], "sorted in memory, skipped")
    equal(log.find_one({"host": "a"}, sort={"n": -1})["n"], 119, "the last by a column that is no index")
    response = log.command({"find": {"filter": {"host": "a"}, "sort": {"line": 1}, "options": {"limit": 1}}})
    warnings = {warning["errorCode"] for warning in response["status"]["warnings"]}
    wanted = {"IN_MEMORY_SORTING_DUE_TO_NON_PARTITION_SORTING", "INCOMPLETE_PRIMARY_KEY_FILTER"}
    equal((warnings, response["status"]["sortedRowCount"]), (wanted, 120), "warnings, and sorted rows")
    equal(code(lambda: log.find_one({}, sort={"nope": 1})), "CANNOT_SORT_UNKNOWN_COLUMNS", "by an unknown column")
    say("sorts by clustering columns and in memory")


def changes(log):
    key = {"host": "b", "day": DAY, "at": moment(0), "n": 0}
    log.update_one(key, {"$set": {"line": "changed"}, "$unset": {"level": ""}})
    found = log.find_one(key, projection={"line": True, "level": True})
    equal(found, {"line": "changed", "level": None}, "updated")
    log.update_one({**key, "n": 99}, {"$set": {"line": "new"}})
    equal(log.find_one({**key, "n": 99})["line"], "new", "a row that update_one creates")
    partial = {"host": "b", "day": DAY}
    for wanted, call in [
        ("MISSING_FULL_PRIMARY_KEY_FOR_UPDATE_DELETE", lambda: log.update_one(partial, {"$set": {"line": "x"}})),
        ("UNSUPPORTED_UPDATE_FOR_PRIMARY_KEY_COLUMNS", lambda: log.update_one(key, {"$set": {"n": 1}})),
        ("UNSUPPORTED_UPDATE_OPERATIONS_FOR_TABLE", lambda: log.update_one(key, {"$inc": {"n": 1}})),
        ("UNKNOWN_TABLE_COLUMNS", lambda: log.update_one(key, {"$set": {"nope": 1}})),
        ("MISSING_FULL_PRIMARY_KEY_FOR_UPDATE_DELETE", lambda: log.delete_one(partial)),
        ("UNSUPPORTED_NON_PRIMARY_KEY_FILTER_FOR_UPDATE_DELETE", lambda: log.delete_many({"level": "info"})),
    ]:
        equal(code(call), wanted, "code")
    log.delete_one(key)
    equal(log.find_one(key), None, "a deleted row")
    log.delete_many({**partial, "at": {"$lt": moment(10)}})
    equal(sorted(numbers(log.find(partial))), list(range(20, 30)), "after delete_many of a range")
    log.delete_many(partial)
    equal(log.find(partial).to_list(), [], "after delete_many of a partition")
    equal(len(log.find({"host": "a", "day": DAY}).to_list()), 120, "the other partition")
    log.delete_many({})
    equal(log.find({}).to_list(), [], "after delete_many of all")
    say("update_one, delete_one, delete_many by key, range, partition and of all")


def errors(db, log):
    unknown = db.get_table(f"interop_unknown_{RUN}")
    equal(code(lambda: unknown.find_one({})), "UNKNOWN_COLLECTION_OR_TABLE", "an unknown table")
    equal(code(unknown.drop), "CANNOT_DROP_UNKNOWN_TABLE", "drop of an unknown table")
    unknown.drop(if_exists=True)
    again = lambda: db.create_table(log.name, definition={"columns": {"id": "int"}, "primaryKey": "id"})
    equal(code(again), "CANNOT_ADD_EXISTING_TABLE", "created twice")
    equal(code(lambda: log.find_one({"nope": 1})), "UNKNOWN_TABLE_COLUMNS", "filter on an unknown column")
    equal(code(lambda: log.find_one({"host": 5})), "INVALID_FILTER_COLUMN_VALUES", "filter of another type")
    equal(code(lambda: log.find_one({}, projection=["nope"])), "UNKNOWN_TABLE_COLUMNS", "unknown column in a projection")
    equal(code(lambda: log.count_documents({}, upper_bound=10)), "UNSUPPORTED_TABLE_COMMAND", "count_documents")
    for kind in ["counter", "timeuuid"]:
        create = lambda: db.create_table(f"interop_bad_{RUN}", definition={"columns": {"id": "int", "c": kind}, "primaryKey": "id"})
        equal(code(create), "UNSUPPORTED_DATA_TYPE_TABLE_CREATION", kind)
    say("an unknown table, unknown columns, and commands that tables do not have")


db = database()
quickstart(db)
with created_table(db, f"interop_log_{RUN}", COLUMNS, KEY) as log:
    for part in [insertions, pages, sorts, changes]:
        part(log)
    errors(db, log)
table_schema.run(db)
table_values.run(db)
