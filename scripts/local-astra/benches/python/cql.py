"""The story of cql-sample with DataStax's Python driver."""

import os
import time

from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile

AUTHOR = "Jane Austen"
table = f"python_story_books_{time.time_ns()}"
cluster = Cluster(
    cloud={"secure_connect_bundle": os.environ["ASTRA_DB_SECURE_BUNDLE_PATH"]},
    auth_provider=PlainTextAuthProvider("token", os.environ["ASTRA_DB_APPLICATION_TOKEN"]),
    execution_profiles={EXEC_PROFILE_DEFAULT: ExecutionProfile(request_timeout=30)},
)
db = cluster.connect(os.environ["ASTRA_DB_KEYSPACE"])


def books(page_size):
    select = db.prepare(f"SELECT title, year FROM {table} WHERE author = ?")
    select.fetch_size = page_size
    return ", ".join(f"{row.title} ({row.year})" for row in db.execute(select, [AUTHOR]))


row = db.execute("SELECT cluster_name, release_version FROM system.local").one()
print(f"1. Connected to cluster {row.cluster_name}, release {row.release_version}")
db.execute(f"CREATE TABLE {table} (author text, title text, year int, PRIMARY KEY (author, title))")
print(f"2. Created table {table}")
try:
    insert = db.prepare(f"INSERT INTO {table} (author, title, year) VALUES (?, ?, ?)")
    for title, year in [("Emma", 1815), ("Persuasion", 1818)]:
        db.execute(insert, [AUTHOR, title, year])
    print("3. Inserted Emma and Persuasion")
    print("4. Read:", books(100))
    print("5. Read page by page:", books(1))
    update = f"UPDATE {table} SET year = %s WHERE author = %s AND title = %s"
    db.execute(update, [1817, AUTHOR, "Persuasion"])
    print("6. Updated:", books(100))
    db.execute(f"DELETE FROM {table} WHERE author = %s AND title = %s", [AUTHOR, "Emma"])
    print("7. Deleted, left:", books(100))
finally:
    db.execute(f"DROP TABLE IF EXISTS {table}")
    print(f"8. Dropped table {table}")
cluster.shutdown()
