"""Indexes, columns and types of tables, and a table that was created over CQL."""

import datetime
import os
import uuid

from astrapy.constants import VectorMetric
from astrapy.data_types import DataAPIVector
from astrapy.exceptions import DataAPIHttpException
from astrapy.info import (
    AlterTableAddColumns,
    AlterTableDropColumns,
    ColumnType,
    TableIndexOptions,
    TableVectorIndexOptions,
)
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import Cluster

from common import KEYSPACE, RUN, TOKEN, close, code, created_table, equal, failure, say

BUNDLE = os.environ["ASTRA_DB_SECURE_BUNDLE_PATH"]


def indexes(db, name):
    columns = {"id": "int", "name": "text", "note": "text", "vec": {"type": "vector", "dimension": 2}}
    with created_table(db, name, columns, "id") as table:
        text = TableIndexOptions(case_sensitive=False, normalize=True, ascii=False)
        table.create_index(f"{name}_n", "name", options=text)
        again = lambda: table.create_index(f"{name}_n", "name")
        equal(code(again), "CANNOT_ADD_EXISTING_INDEX", "the same name")
        table.create_index(f"{name}_n", "name", if_not_exists=True)
        euclidean = TableVectorIndexOptions(metric=VectorMetric.EUCLIDEAN)
        table.create_vector_index(f"{name}_v", "vec", options=euclidean)
        equal(code(lambda: table.create_vector_index(f"{name}_w", "name")), "UNSUPPORTED_VECTOR_INDEX_FOR_DATA_TYPES", "of a text")
        equal(code(lambda: table.create_index(f"{name}_w", "nope")), "UNKNOWN_INDEX_COLUMN", "of an unknown column")
        error = failure(lambda: table.create_text_index(f"{name}_t", "note"), DataAPIHttpException)
        equal(error.response.status_code, 501, "create_text_index")
        listed = {index.name: index for index in table.list_indexes()}
        equal(sorted(listed), [f"{name}_n", f"{name}_v"], "indexes")
        definition = listed[f"{name}_n"].definition
        equal((definition.column, definition.options.case_sensitive, definition.options.normalize), ("name", False, True), "options")
        definition = listed[f"{name}_v"].definition
        equal((definition.column, definition.options.metric), ("vec", "euclidean"), "metric")
        say("createIndex, createVectorIndex, listIndexes")

        rows = [{"id": n, "name": ["Ann", "Bob"][n % 2], "vec": DataAPIVector([n, 0])} for n in range(6)]
        table.insert_many(rows)
        equal(sorted(row["id"] for row in table.find({"name": "ANN"})), [0, 2, 4], "whatever the case")
        by_vector = {"sort": {"vec": DataAPIVector([1, 0])}, "include_similarity": True}
        cursor = table.find({"name": "ann"}, limit=2, include_sort_vector=True, **by_vector)
        equal(list(cursor.get_sort_vector()), [1.0, 0.0], "sort vector")
        found = cursor.to_list()
        equal(sorted(row["id"] for row in found), [0, 2], "the nearest with a filter")
        close(found[0]["$similarity"], 0.5, "similarity")
        equal(table.find_one({}, **by_vector)["id"], 1, "the nearest")
        say("an index that ignores case, a vector search with a filter")

        columns = {"city": "text", "stars": {"type": "map", "keyType": "text", "valueType": "int"}}
        table.alter(AlterTableAddColumns(columns=columns))
        equal(code(lambda: table.alter(AlterTableAddColumns(columns={"city": "text"}))), "CANNOT_ADD_EXISTING_COLUMNS", "again")
        table.update_one({"id": 1}, {"$set": {"city": "Oslo", "stars": {"food": 3}}})
        found = table.find_one({"id": 1}, projection={"city": True, "stars": True})
        equal((found["city"], dict(found["stars"])), ("Oslo", {"food": 3}), "new columns")
        drop = lambda *columns: table.alter(AlterTableDropColumns(columns=list(columns)))
        equal(code(lambda: drop("name")), "CANNOT_DROP_INDEXED_COLUMNS", "an indexed column")
        equal(code(lambda: drop("id")), "CANNOT_DROP_PRIMARY_KEY_COLUMNS", "the key")
        db.drop_table_index(f"{name}_n")
        equal(code(lambda: db.drop_table_index(f"{name}_n")), "CANNOT_DROP_UNKNOWN_INDEX", "again")
        db.drop_table_index(f"{name}_n", if_exists=True)
        equal(table.list_index_names(), [f"{name}_v"], "indexes that are left")
        drop("name", "city")
        equal(sorted(table.definition().columns), ["id", "note", "stars", "vec"], "columns that are left")
        equal(code(lambda: table.find_one({"name": "Ann"})), "UNKNOWN_TABLE_COLUMNS", "a dropped column")
    say("alterTable adds and drops columns, dropIndex")


def over_cql(db, name):
    """A table with columns that the Data API cannot create, read and written by both."""
    login = PlainTextAuthProvider("token", TOKEN)
    cluster = Cluster(cloud={"secure_connect_bundle": BUNDLE}, auth_provider=login)
    try:
        session = cluster.connect(KEYSPACE)
        session.execute(
            f'CREATE TABLE {name} (k text, c timeuuid, "Mixed Case" int, s text static, pair frozen<tuple<int, text>>,'
            " days frozen<set<date>>, marks map<timestamp, decimal>, PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c DESC)"
        )
        session.execute(f"CREATE INDEX ON {name} (values(marks)) USING 'sai'")
        first, second = uuid.UUID("50554d6e-29bb-11e5-b345-feff819cdc9f"), uuid.UUID("60554d6e-29bb-11e5-b345-feff819cdc9f")
        insert = f'INSERT INTO {name} (k, c, "Mixed Case", s, pair, days, marks) VALUES (%s, {first}, 7, %s, (1, %s),'
        session.execute(insert + " {'2024-02-29'}, {'2024-01-01T00:00:00Z': 1.50})", ["k", "shared", "x"])
        table = db.get_table(name)
        columns = table.definition().columns
        equal((columns["pair"].column_type.value, columns["pair"].api_support.read), ("UNSUPPORTED", False), "a tuple")
        equal((columns["c"].column_type, columns["c"].api_support.create_table), (ColumnType.TIMEUUID, False), "a timeuuid")
        equal(code(lambda: table.find_one({"k": "k"})), "UNSUPPORTED_COLUMN_TYPES", "a column that cannot be read")
        readable = {column: True for column in columns if column != "pair"}
        row = table.find_one({"k": "k"}, projection=readable)
        equal((row["c"], row["Mixed Case"], row["s"]), (first, 7, "shared"), "a row of CQL")
        equal([str(day) for day in row["days"]], ["2024-02-29"], "a frozen set")
        equal([(str(key), str(value)) for key, value in row["marks"].items()], [("2024-01-01T00:00:00.000Z", "1.5")], "a map")
        table.insert_one({"k": "k", "c": second, "Mixed Case": 8, "days": [datetime.date(2024, 5, 1)]})
        found = table.find({"k": "k"}, projection=["Mixed Case", "s"], sort={"c": 1}).to_list()
        equal(found, [{"Mixed Case": 7, "s": "shared"}, {"Mixed Case": 8, "s": "shared"}], "rows")
        read = session.execute(f"SELECT c, \"Mixed Case\", days FROM {name} WHERE k = 'k' LIMIT 1").one()
        equal((read[0], read[1], [str(day) for day in read[2]]), (second, 8, ["2024-05-01"]), "a row of the API over CQL")
        session.execute(f"ALTER TABLE {name} ADD late inet")
        equal(table.definition().columns["late"].column_type, ColumnType.INET, "a column that CQL adds")
    finally:
        try:
            db.drop_table(name, if_exists=True)
        finally:
            cluster.shutdown()
    say("a table that was created over CQL")


def run(db):
    indexes(db, f"interop_index_{RUN}")
    over_cql(db, f"interop_cql_{RUN}")
