"""DataStax's astrapy against local Astra's DevOps API: its admin classes make, wait for and drop a database.

What astrapy says is checked from outside: over CQL with the Python driver and the bundle, and by plain requests.
Each check prints a line; the first that fails ends the program with a traceback and exit code 1.
"""

import json
import logging
import os
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import astrapy.admin.admin
from astrapy import DataAPIClient
from astrapy.api_options import APIOptions, DevOpsAPIURLOptions
from astrapy.exceptions import DevOpsAPIHttpException
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import Cluster

# Its logger has each failed request, and some are meant to fail.
logging.getLogger("astrapy").setLevel(logging.CRITICAL)
# Between two looks at a status, in seconds: a database of Astra takes minutes, one here seconds.
astrapy.admin.admin.DEV_OPS_DATABASE_POLL_INTERVAL_S = 1

URL = os.environ["ASTRA_API_URL"]
TOKEN = os.environ["ASTRA_DB_APPLICATION_TOKEN"]
FIRST = os.environ["ASTRA_DB_ID"]
RUN = time.time_ns() // 1_000_000
NAME = f"interop_{RUN}"
KEYSPACES = [f"interop_{RUN}_a", f"interop_{RUN}_b"]
LIMIT_MS = 60_000


def say(what):
    print(f"ok  {what}", flush=True)


def equal(found, wanted, what):
    assert found == wanted, f"{what}: {found!r}, not {wanted!r}"


def admin(token=TOKEN):
    options = APIOptions(dev_ops_api_url_options=DevOpsAPIURLOptions(dev_ops_url=URL))
    return DataAPIClient(token, api_options=options).get_admin()


def ask(method, path, body=None):
    """Status and JSON of a request without astrapy."""
    request = urllib.request.Request(f"{URL}{path}", method=method)
    request.add_header("Authorization", f"Bearer {TOKEN}")
    if body is not None:
        request.add_header("Content-Type", "application/json")
        request.data = json.dumps(body).encode()
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read() or "null")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or "null")


def refused(call, status, number=None):
    """The error that a call ends with, which has to be of that status and, if given, have Astra's number."""
    try:
        call()
    except DevOpsAPIHttpException as error:
        equal(error.response.status_code, status, "status")
        if number is not None:
            equal([e.id for e in error.error_descriptors], [number], "error number")
        return error
    raise AssertionError("a request was answered that had to be refused")


def before():
    regions = admin().find_available_regions()
    equal(("AWS", "us-east-2") in {(r.cloud_provider, r.name) for r in regions}, True, "regions")
    say(f"lists {len(regions)} regions")
    databases = {database.id for database in admin().list_databases()}
    equal(FIRST in databases, True, "the first database in the list")
    say("lists the databases")
    unknown = "00000000-0000-4000-8000-000000000000"
    refused(lambda: admin().database_info(unknown), 404)
    say("a database that is not there is 404")
    wrong = f"{TOKEN[:-1]}{'0' if TOKEN[-1] != '0' else '1'}"
    error = refused(lambda: admin(wrong).list_databases(), 401, 340018)
    equal(TOKEN[-64:-1] in str(error), False, "the token in the error")
    refused(lambda: admin("AstraCS:nonsense").list_databases(), 401, 340012)
    say("a wrong token is 401 with Astra's number, by which astrapy knows it")


def pages():
    everything = [d.id for d in admin().list_databases(include="ALL")]
    equal([d.id for d in admin().list_databases(include="ALL", page_size=1)], everything, "pages of one")
    say(f"{len(everything)} databases in pages of one are the same")


def over_cql(bundle):
    """The keyspaces of this run that Cassandra has, by the way that the bundle opens."""
    cluster = Cluster(
        cloud={"secure_connect_bundle": str(bundle)},
        auth_provider=PlainTextAuthProvider("token", TOKEN),
    )
    try:
        session = cluster.connect()
        rows = session.execute("SELECT keyspace_name FROM system_schema.keyspaces")
        return sorted(row.keyspace_name for row in rows if str(RUN) in row.keyspace_name)
    finally:
        cluster.shutdown()


def fetch_bundle(database, folder):
    status, link = ask("POST", f"/v2/databases/{database.id}/secureBundleURL")
    equal((status, link["region"]), (200, "us-east-2"), "bundle link")
    bundle = folder / "bundle.zip"
    # As clients do it: without a token.
    with urllib.request.urlopen(link["downloadURL"], timeout=30) as answer:
        bundle.write_bytes(answer.read())
    return bundle


def keyspaces(database, bundle):
    equal(database.list_keyspaces(), KEYSPACES[:1], "keyspaces")
    database.create_keyspace(KEYSPACES[1], keyspace_admin_timeout_ms=LIMIT_MS)
    equal(database.list_keyspaces(), KEYSPACES, "keyspaces")
    equal(over_cql(bundle), KEYSPACES, "keyspaces over CQL")
    say("makes a keyspace, waits for the database and lists it; Cassandra has it")
    database.drop_keyspace(KEYSPACES[1], keyspace_admin_timeout_ms=LIMIT_MS)
    equal(database.list_keyspaces(), KEYSPACES[:1], "keyspaces")
    equal(over_cql(bundle), KEYSPACES[:1], "keyspaces over CQL")
    say("drops it again; Cassandra has it no more")
    refused(lambda: database.create_keyspace("no-name"), 422)
    say("a name that no keyspace can have is 422")


def life():
    began = time.monotonic()
    database = admin().create_database(
        NAME,
        cloud_provider="aws",
        region="us-east-2",
        keyspace=KEYSPACES[0],
        database_admin_timeout_ms=LIMIT_MS,
    )
    try:
        say(f"makes a database and waits until it is ACTIVE: {time.monotonic() - began:.0f} s")
        info = database.info()
        equal((info.name, info.status, info.keyspaces), (NAME, "ACTIVE", KEYSPACES[:1]), "database")
        equal((info.cloud_provider, info.regions[0].name), ("AWS", "us-east-2"), "where it is")
        equal(info.raw["info"]["dbType"], "vector", "kind of database")
        equal(ask("GET", f"/v2/databases/{database.id}")[1]["info"]["name"], NAME, "by a plain request")
        say("reads it")
        pages()
        with tempfile.TemporaryDirectory() as folder:
            bundle = fetch_bundle(database, Path(folder))
            equal(over_cql(bundle), KEYSPACES[:1], "keyspaces over CQL")
            say("its bundle link leads to a bundle that cassandra-driver connects with")
            keyspaces(database, bundle)
    finally:
        admin().drop_database(database.id, database_admin_timeout_ms=LIMIT_MS)
    equal(database.id in {d.id for d in admin().list_databases()}, False, "the dropped database in the list")
    equal(ask("GET", f"/v2/databases/{database.id}")[1]["status"], "TERMINATED", "its status")
    equal(ask("POST", f"/v2/databases/{database.id}/secureBundleURL")[0], 409, "its bundle link")
    say("drops the database and waits until it is gone: TERMINATED, and no bundle any more")


before()
life()
