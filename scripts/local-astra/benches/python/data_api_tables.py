"""The story of data-api-tables-sample with astrapy."""

import os
import time

from astrapy import DataAPIClient
from astrapy.constants import SortMode
from astrapy.exceptions import DataAPIResponseException
from astrapy.info import ColumnType, CreateTableDefinition

name = f"python_story_loans_{time.time_ns()}"
database = DataAPIClient().get_database(
    os.environ["ASTRA_DB_API_ENDPOINT"],
    token=os.environ["ASTRA_DB_APPLICATION_TOKEN"],
    keyspace=os.environ["ASTRA_DB_KEYSPACE"],
)
definition = (
    CreateTableDefinition.builder()
    .add_column("book", ColumnType.TEXT)
    .add_column("date", ColumnType.DATE)
    .add_column("days", ColumnType.INT)
    .add_set_column("tags", ColumnType.TEXT)
    .add_partition_by(["book"])
    .add_partition_sort({"date": SortMode.DESCENDING})
    .build()
)
loans = database.create_table(name, definition=definition)
print(f"1. Created table {name}")


def dates(book):
    return ", ".join(str(loan["date"]) for loan in loans.find({"book": book}))


try:
    loans.create_index(f"{name}_days", column="days")
    print("2. Created an index on days")
    rows = [
        {"book": "Emma", "date": "2026-01-12", "days": 14, "tags": ["student"]},
        {"book": "Emma", "date": "2026-03-02", "days": 28, "tags": ["renewed", "student"]},
        {"book": "Dracula", "date": "2026-02-20", "days": 21, "tags": []},
        {"book": "Dracula", "date": "2026-03-16", "days": 7, "tags": ["weekend"]},
    ]
    loans.insert_many(rows)
    print("3. Inserted", len(rows), "loans")
    print("4. Loans of Emma:", dates("Emma"))
    long = sorted(loans.find({"days": {"$gt": 20}}), key=lambda loan: str(loan["date"]))
    print("5. Over 20 days:", ", ".join(f"{loan['book']} {loan['days']}" for loan in long))
    key = {"book": "Dracula", "date": "2026-03-16"}
    loans.update_one(key, {"$set": {"days": 10}})
    print("6. Updated:", loans.find_one(key))
    try:
        loans.insert_one({"book": "Emma", "date": "2026-04-01", "days": "two weeks"})
        raise SystemExit("a text was inserted as a number")
    except DataAPIResponseException as error:
        print("7. Inserted a text as days:", error.error_descriptors[0].error_code)
    loans.delete_one(key)
    print("8. Left:", dates("Dracula"))
finally:
    database.drop_table(name)
    print(f"9. Dropped table {name}")
