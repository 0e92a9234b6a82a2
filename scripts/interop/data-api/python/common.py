"""Settings and checks that the clients in this folder share."""

import logging
import os
import time
from contextlib import contextmanager

from astrapy import DataAPIClient
from astrapy.exceptions import DataAPIResponseException

# It logs a warning for an endpoint outside of Astra's domain, and each request that is meant to fail.
logging.getLogger("astrapy").setLevel(logging.CRITICAL)

ENDPOINT = os.environ["ASTRA_DB_API_ENDPOINT"]
TOKEN = os.environ["ASTRA_DB_APPLICATION_TOKEN"]
KEYSPACE = os.environ["ASTRA_DB_KEYSPACE"]
RUN = f"{time.time_ns() // 1_000_000}_{os.getpid()}"


def say(what):
    print(f"ok  {what}", flush=True)


def equal(found, wanted, what):
    assert found == wanted, f"{what}: {found!r}, not {wanted!r}"


def close(found, wanted, what):
    assert abs(found - wanted) < 1e-6, f"{what}: {found!r}, not {wanted!r}"


def database(token=TOKEN):
    return DataAPIClient().get_database(ENDPOINT, token=token, keyspace=KEYSPACE)


def failure(call, kind):
    """The error that a call ends with."""
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was expected")


def code(call):
    """The code of the error that the API responds with."""
    return failure(call, DataAPIResponseException).error_descriptors[0].error_code


@contextmanager
def created_table(db, name, columns, key, **options):
    """A table, dropped at the end, also after a failure."""
    try:
        definition = {"columns": columns, "primaryKey": key}
        yield db.create_table(name, definition=definition, **options)
    finally:
        db.drop_table(name, if_exists=True)
    equal(name in db.list_table_names(), False, f"{name} in the list after its drop")
