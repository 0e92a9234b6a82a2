"""DataStax's astrapy against local Astra's Data API, in its default environment: it gets an endpoint, a token and a
keyspace, nothing else.

The first part is the quickstart of its README with the similarities that the README promises. Each check prints a
line; the first that fails ends the program with a traceback and exit code 1.
"""

import datetime
import time
import uuid

from astrapy import DataAPIClient
from astrapy.constants import VectorMetric
from astrapy.data_types import DataAPITimestamp, DataAPIVector
from astrapy.exceptions import CollectionInsertManyException, DataAPIHttpException, TooManyDocumentsToCountException
from astrapy.ids import UUID, ObjectId, uuid6, uuid7
from astrapy.info import CollectionDefinition

from common import ENDPOINT, KEYSPACE, RUN, TOKEN, close, code, database, equal, failure, say

VECTORS = CollectionDefinition.builder().with_vector_dimension(1536).with_vector_metric(VectorMetric.DOT_PRODUCT).build()


def quickstart(db):
    name = f"interop_dreams_{RUN}"
    dreams = db.create_collection(
        name,
        definition=(
            CollectionDefinition.builder().with_vector_dimension(3).with_vector_metric(VectorMetric.COSINE).build()
        ),
    )
    try:
        dreams.insert_many(
            [
                {
                    "_id": UUID("018e65c9-e33d-749b-9386-e848739582f0"),
                    "summary": "Riding the waves",
                    "tags": ["sport"],
                    "$vector": [0, 0.2, 1],
                },
                {"summary": "Friendly aliens in town", "tags": ["scifi"], "$vector": [-0.3, 0, 0.8]},
                {"summary": "Meeting Beethoven at the dentist", "$vector": [0.2, 0.6, 0]},
            ],
        )
        dreams.update_one({"tags": "sport"}, {"$set": {"summary": "Surfers' paradise"}})
        cursor = dreams.find({}, sort={"$vector": [0, 0.2, 0.4]}, limit=2, include_similarity=True)
        found = [(dream["summary"], dream["$similarity"]) for dream in cursor]
        promised = [("Surfers' paradise", 0.98238194), ("Friendly aliens in town", 0.91873914)]
        equal([summary for summary, _ in found], [summary for summary, _ in promised], "order")
        for (summary, similarity), (_, wanted) in zip(found, promised):
            close(similarity, wanted, summary)
            say(f"quickstart: {summary}: {similarity}")
    finally:
        dreams.drop()
    equal(name in db.list_collection_names(), False, "the dropped collection in the list")


def create_twice(db, name):
    notes = db.create_collection(name)
    db.create_collection(name)
    equal(db.list_collection_names().count(name), 1, "collections of the name")
    other = CollectionDefinition.builder().with_default_id("uuid").build()
    equal(
        code(lambda: db.create_collection(name, definition=other)),
        "EXISTING_COLLECTION_DIFFERENT_SETTINGS",
        "with other settings",
    )
    say("create_collection twice: the same settings are fine, others are an error")
    return notes


def ids(notes):
    now = datetime.datetime(2024, 2, 29, 12, 30, 15, 123000, tzinfo=datetime.timezone.utc)
    everything = ["text", "5", 5, 2.5, -7, 2**53 + 1, True, False, None, uuid.uuid4(), uuid6(), uuid7(), ObjectId(), now]
    result = notes.insert_many([{"_id": id, "kind": "ids", "n": n} for n, id in enumerate(everything)])
    date = DataAPITimestamp.from_datetime(now)
    wanted = [date if id is now else id for id in everything]
    equal(result.inserted_ids, wanted, "ids")
    for n, id in enumerate(everything):
        found = notes.find_one({"_id": id})
        equal((found["_id"], found["n"]), (wanted[n], n), f"document of {id!r}")
    generated = notes.insert_one({"kind": "generated"}).inserted_id
    equal(notes.find_one({"_id": generated})["kind"], "generated", "document of a generated id")
    equal(notes.delete_many({"kind": {"$in": ["ids", "generated"]}}).deleted_count, len(everything) + 1, "deleted")
    say(f"{len(everything)} ids of all kinds, and a generated one")


def dates(notes):
    day = datetime.datetime(1969, 7, 20, 20, 17, 40, 1000, tzinfo=datetime.timezone.utc)
    notes.insert_one({"_id": "moon", "landed": day, "steps": [day, {"at": day}]})
    stored = DataAPITimestamp.from_datetime(day)
    found = notes.find_one({"landed": day})
    equal(found, {"_id": "moon", "landed": stored, "steps": [stored, {"at": stored}]}, "dates")
    later = day + datetime.timedelta(milliseconds=1)
    equal(notes.find_one({"landed": {"$lt": later}})["_id"], "moon", "before a date")
    equal(notes.find_one({"landed": {"$gte": later}}), None, "after a date")
    notes.update_one({"_id": "moon"}, {"$currentDate": {"read": True}})
    age = time.time() - notes.find_one({"_id": "moon"})["read"].to_datetime(tz=datetime.timezone.utc).timestamp()
    assert abs(age) < 60, age
    notes.delete_one({"_id": "moon"})
    say("dates in members, lists and filters; $currentDate")


def duplicates(notes):
    documents = [{"_id": f"d{n}", "kind": "dup"} for n in range(60)]
    notes.insert_one({"_id": "d30", "kind": "first"})
    error = failure(lambda: notes.insert_many(documents), CollectionInsertManyException)
    equal(sorted(error.inserted_ids), sorted(d["_id"] for d in documents if d["_id"] != "d30"), "unordered")
    codes = [e.error_code for x in error.exceptions for e in x.error_descriptors]
    equal(codes, ["DOCUMENT_ALREADY_EXISTS"], "codes")
    equal(notes.find_one({"_id": "d30"})["kind"], "first", "the document that was there")
    notes.delete_many({"kind": "dup"})
    error = failure(lambda: notes.insert_many(documents, ordered=True), CollectionInsertManyException)
    equal(error.inserted_ids, [f"d{n}" for n in range(30)], "ordered")
    equal(notes.delete_many({"kind": {"$in": ["dup", "first"]}}).deleted_count, 31, "deleted")
    say("insert_many with a duplicate in the middle, unordered and ordered")


def pages(notes):
    documents = [{"_id": n, "kind": "page", "n": n, "color": ["red", "blue"][n % 2], "list": [n % 3]} for n in range(120)]
    equal(len(notes.insert_many(documents).inserted_ids), 120, "inserted")
    cursor, sizes, found = notes.find({"kind": "page"}), [], []
    state = None
    while True:
        page = cursor.fetch_next_page() if state is None else notes.find({"kind": "page"}, initial_page_state=state).fetch_next_page()
        sizes.append(len(page.results))
        found += [document["_id"] for document in page.results]
        state = page.next_page_state
        if state is None:
            break
    equal(sorted(found), list(range(120)), "documents of all pages")
    assert len(sizes) >= 3, sizes
    equal(sorted(d["n"] for d in notes.find({"n": {"$gte": 10, "$lt": 115}})), list(range(10, 115)), "a range")
    equal(len(notes.find({"kind": "page"}, limit=70).to_list()), 70, "a limit beyond a page")
    first = notes.find({"kind": "page"}, sort={"n": -1}, limit=3, skip=1, projection={"n": True, "_id": False})
    equal(first.to_list(), [{"n": 118}, {"n": 117}, {"n": 116}], "sorted, skipped, projected")
    say(f"find over pages of {sizes}")
    equal(sorted(notes.distinct("color", filter={"kind": "page"})), ["blue", "red"], "distinct")
    equal(sorted(notes.distinct("list", filter={"kind": "page"})), [0, 1, 2], "distinct of a list")
    equal(sorted(notes.distinct("list.0", filter={"n": {"$ne": 4}})), [0, 1, 2], "distinct of an element")
    say("distinct, of lists too")


def many(notes):
    result = notes.update_many({"color": "red"}, {"$inc": {"n": 1000}, "$push": {"list": "x"}})
    equal((result.update_info["n"], result.update_info["nModified"]), (60, 60), "updated")
    assert len(result.raw_results) >= 2, result.raw_results
    equal(notes.count_documents({"list": {"$all": [0, "x"]}}, upper_bound=1000), 20, "documents with both")
    say(f"update_many in {len(result.raw_results)} requests")
    result = notes.delete_many({"color": "red"})
    equal(result.deleted_count, 60, "deleted")
    assert len(result.raw_results) >= 3, result.raw_results
    equal(notes.count_documents({"kind": "page"}, upper_bound=1000), 60, "documents that are left")
    say(f"delete_many in {len(result.raw_results)} requests")


def single(notes):
    result = notes.update_one({"_id": "up"}, {"$set": {"a.b": 1}, "$setOnInsert": {"new": True}}, upsert=True)
    equal(result.update_info["upserted"], "up", "upserted")
    equal(notes.find_one({"a.b": 1}), {"_id": "up", "a": {"b": 1}, "new": True}, "the upserted document")
    result = notes.update_many({"kind": "nowhere"}, {"$set": {"x": 1}}, upsert=True)
    equal(notes.find_one({"kind": "nowhere"})["_id"], result.update_info["upserted"], "upserted by update_many")
    result = notes.replace_one({"_id": "up"}, {"color": "green"})
    equal(result.update_info["nModified"], 1, "replaced")
    equal(notes.find_one({"color": "green"}), {"_id": "up", "color": "green"}, "the replacement")
    equal(notes.replace_one({"_id": "up2"}, {"color": "grey"}, upsert=True).update_info["upserted"], "up2", "upserted")
    say("upsert and replace")
    before = notes.find_one_and_update({"_id": "up"}, {"$set": {"n": 1}})
    equal(before, {"_id": "up", "color": "green"}, "before")
    after = notes.find_one_and_update({"_id": "up"}, {"$inc": {"n": 1}}, return_document="after", projection=["n"])
    equal(after, {"_id": "up", "n": 2}, "after")
    equal(notes.find_one_and_update({"_id": "none"}, {"$set": {"n": 1}}), None, "of no document")
    after = notes.find_one_and_replace({"n": {"$gt": 1}}, {"x": []}, return_document="after", sort={"n": -1})
    equal(after["x"], [], "replaced")
    equal(notes.find_one_and_replace({"_id": "up3"}, {"y": {}}, upsert=True, return_document="after"), {"_id": "up3", "y": {}}, "upserted")
    equal(notes.find_one_and_delete({"_id": "up3"}, projection={"_id": False}), {"y": {}}, "deleted")
    equal(notes.find_one_and_delete({"_id": "up3"}), None, "deleted twice")
    equal(notes.delete_one({"_id": "up2"}).deleted_count, 1, "delete_one")
    say("find_one_and_update, _replace, _delete")


def counts(notes):
    left = notes.count_documents({}, upper_bound=1000)
    error = failure(lambda: notes.count_documents({}, upper_bound=left - 1), TooManyDocumentsToCountException)
    equal(error.server_max_count_exceeded, False, "whose bound")
    notes.insert_many([{"many": n} for n in range(1001)])
    error = failure(lambda: notes.count_documents({}, upper_bound=5000), TooManyDocumentsToCountException)
    equal(error.server_max_count_exceeded, True, "whose bound")
    equal(notes.count_documents({"many": {"$lt": 700}}, upper_bound=1000), 700, "count")
    assert notes.estimated_document_count() >= 0
    notes.delete_many({})
    equal(notes.count_documents({}, upper_bound=1), 0, "documents after delete_many of all")
    say("counts, beyond the bounds of the caller and of the server too")


def vectors(db):
    name = f"interop_vectors_{RUN}"
    collection = db.create_collection(name, definition=VECTORS)
    try:
        unit = [1.0] + [0.0] * 1535
        points = [[c, (1 - c * c) ** 0.5] + [0.0] * 1534 for c in (n / 60 for n in range(60))]
        # These go out as $binary.
        collection.insert_many([{"_id": n, "n": n, "$vector": DataAPIVector(p)} for n, p in enumerate(points)])
        found = collection.find_one({"_id": 30}, projection={"*": True})["$vector"]
        equal(len(found), 1536, "dimension")
        close(found[0], 0.5, "component")
        cursor = collection.find(
            {"n": {"$gt": 9, "$lt": 40}}, sort={"$vector": unit}, limit=3, include_similarity=True, include_sort_vector=True
        )
        close(cursor.get_sort_vector()[0], 1.0, "sort vector")
        found = cursor.to_list()
        equal([document["_id"] for document in found], [39, 38, 37], "nearest in a range")
        close(found[0]["$similarity"], (1 + 39 / 60) / 2, "similarity")
        equal([d["_id"] for d in collection.find({}, sort={"$vector": DataAPIVector(unit)}, limit=2)], [59, 58], "nearest")
        equal(code(lambda: collection.insert_one({"$vector": [1.0, 2.0]})), "INVALID_VECTOR_LENGTH", "another length")
        settings = collection.options()
        equal((settings.vector.dimension, settings.vector.metric), (1536, "dot_product"), "settings")
    finally:
        collection.drop()
    say("vectors of 1536 components as $binary; the nearest within a range")


def errors(db, notes):
    unknown = db.get_collection(f"interop_unknown_{RUN}")
    equal(code(lambda: unknown.find_one({})), "UNKNOWN_COLLECTION_OR_TABLE", "an unknown collection")
    other = DataAPIClient().get_database(ENDPOINT, token=TOKEN, keyspace="interop_no_keyspace")
    equal(code(other.list_collection_names), "UNKNOWN_KEYSPACE", "an unknown keyspace")
    wrong = f"{TOKEN[:-1]}{'0' if TOKEN[-1] != '0' else '1'}"
    error = failure(database(wrong).list_collection_names, DataAPIHttpException)
    equal((error.response.status_code, error.error_descriptors[0].error_code), (401, "UNAUTHENTICATED_REQUEST"), "token")
    equal(TOKEN[-64:-1] in str(error), False, "the token in the error")
    equal(code(lambda: notes.find_one({"a": {"$regex": "x"}})), "FILTER_UNSUPPORTED_OPERATOR", "an unknown operator")
    equal(code(lambda: notes.find_one({}, sort={"$vector": [1.0]})), "VECTOR_SEARCH_NOT_SUPPORTED", "no vectors")
    say("an unknown collection, keyspace and operator, a wrong token, and a vector search without vectors")


db = database()
quickstart(db)
notes = create_twice(db, f"interop_notes_{RUN}")
try:
    parts = [ids, dates, duplicates, pages, many, single]
    # A thousand documents are needed for this, which one of the ports is enough for.
    parts += [counts] if ENDPOINT.startswith("http:") else []
    for part in parts:
        part(notes)
    vectors(db)
    errors(db, notes)
finally:
    notes.drop()
