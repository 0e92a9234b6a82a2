"""The story of data-api-sample with astrapy."""

import json
import os
import time
from pathlib import Path

from astrapy import DataAPIClient
from astrapy.exceptions import DataAPIResponseException
from astrapy.info import CollectionDefinition

SAMPLE = Path(__file__).parents[4] / "samples/data-api/src/books.json"
name = f"python_story_books_{time.time_ns()}"
database = DataAPIClient().get_database(
    os.environ["ASTRA_DB_API_ENDPOINT"],
    token=os.environ["ASTRA_DB_APPLICATION_TOKEN"],
    keyspace=os.environ["ASTRA_DB_KEYSPACE"],
)
print("1. The keyspace has", len(database.list_collection_names()), "collections")
definition = CollectionDefinition.builder().with_vector_dimension(3).with_vector_metric("cosine").build()
books = database.create_collection(name, definition=definition)
print(f"2. Created collection {name}")


def nearest(filter, vector):
    found = books.find(filter, sort={"$vector": vector}, limit=3, include_similarity=True)
    return ", ".join(f"{book['title']} {book['$similarity']:.3f}" for book in found)


try:
    new = json.loads(SAMPLE.read_text())
    books.insert_many(new)
    print("3. Inserted", len(new), "books")
    try:
        books.insert_one(new[0])
        raise SystemExit("a book was inserted twice")
    except DataAPIResponseException as error:
        print("4. Inserted Emma again:", error.error_descriptors[0].error_code)
    horror = books.find({"genres": "horror", "year": {"$gte": 1880}}, projection={"title": True})
    print("5. Horror since 1880:", ", ".join(book["title"] for book in horror))
    print("6. Nearest to scary:", nearest({}, [0.0, 0.0, 1.0]))
    print("7. Nearest to an adventure:", nearest({"year": {"$gte": 1850}}, [1.0, 0.2, 0.0]))
    update = {"$push": {"genres": "comedy"}, "$inc": {"readers": 1}}
    emma = books.find_one_and_update({"_id": "emma"}, update, return_document="after")
    print("8. Updated Emma:", emma["genres"], emma["readers"])
    books.delete_many({"year": {"$lt": 1860}})
    print("9. Left:", books.count_documents({}, upper_bound=1000))
finally:
    database.drop_collection(name)
    print(f"10. Deleted collection {name}")
