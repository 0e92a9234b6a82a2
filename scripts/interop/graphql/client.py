"""The Python client `gql` against local Astra's CQL-first API.

It makes a schema of its own from what introspection answers, writes a query from that schema, and checks every
request against it before it is sent. Each check prints a line; the first that fails ends the program.
"""

import os

from gql import Client, gql
from gql.dsl import DSLMutation, DSLQuery, DSLSchema, dsl_gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.requests import RequestsHTTPTransport
from graphql import GraphQLError, validate_schema

KEYSPACE = os.environ["ASTRA_DB_KEYSPACE"]
TABLE = "interop_graphql"


def client(variable):
    transport = RequestsHTTPTransport(
        url=os.environ[variable],
        headers={"X-Cassandra-Token": os.environ["ASTRA_DB_APPLICATION_TOKEN"]},
        verify=os.environ.get("SSL_CERT_FILE", True),
        timeout=30,
    )
    return Client(transport=transport, fetch_schema_from_transport=True)


def say(what):
    print(f"ok  {what}", flush=True)


def change(session, field, **arguments):
    schema = DSLSchema(session.client.schema)
    mutation = getattr(schema.Mutation, field)(keyspaceName=KEYSPACE, tableName=TABLE, **arguments)
    answer = session.execute(dsl_gql(DSLMutation(mutation)))
    assert answer == {field: True}, answer


def rows():
    with client("ASTRA_DB_GRAPHQL_URL") as session:
        own = session.client.schema
        assert validate_schema(own) == []
        say(f"the schema of keyspace {KEYSPACE} is valid to graphql-core: {len(own.type_map)} types")
        schema = DSLSchema(own)
        value = {"id": 1, "name": "Emma", "tags": ["b", "a"], "marks": [{"key": "x", "value": 2}]}
        insert = getattr(schema.Mutation, f"insert{TABLE}")(value=value)
        insert.select(getattr(schema, f"{TABLE}MutationResult").applied)
        answer = session.execute(dsl_gql(DSLMutation(insert)))
        assert answer == {f"insert{TABLE}": {"applied": True}}, answer
        say("inserts a row by a mutation made from the schema")

        table = getattr(schema, TABLE)
        entry = schema.EntryStringKeyIntValue
        query = getattr(schema.Query, TABLE)(filter={"id": {"eq": 1}})
        query.select(
            getattr(schema, f"{TABLE}Result").values.select(
                table.id, table.name, table.tags, table.marks.select(entry.key, entry.value)
            )
        )
        answer = session.execute(dsl_gql(DSLQuery(query)))
        wanted = {**value, "tags": ["a", "b"]}
        assert answer == {TABLE: {"values": [wanted]}}, answer
        say("reads it by a query made from the schema")

        text = f"query Q($id: Int) {{ {TABLE}(value: {{id: $id}}) {{ values {{ name }} }} }}"
        request = gql(text)
        request.variable_values = {"id": 1}
        answer = session.execute(request)
        assert answer == {TABLE: {"values": [{"name": "Emma"}]}}, answer
        say("takes variables")

        try:
            session.execute(gql(f"{{ {TABLE} {{ values {{ nope }} }} }}"))
        except GraphQLError as error:
            say(f"the client itself refuses what the schema lacks: {error.message}")
        else:
            raise AssertionError("a field that does not exist was accepted")

        try:
            session.execute(gql(f'{{ {TABLE}(value: {{name: "Emma"}}) {{ values {{ id }} }} }}'))
        except TransportQueryError as error:
            assert error.errors[0]["extensions"]["classification"] == "DataFetchingException"
            say("an error of Cassandra comes as an error")
        else:
            raise AssertionError("a query that needs ALLOW FILTERING was answered")


def main():
    with client("ASTRA_DB_GRAPHQL_URL_SCHEMA") as session:
        assert validate_schema(session.client.schema) == []
        change(session, "dropTable", ifExists=True)
        info = {"subTypes": [{"basic": "TEXT"}]}
        entries = {"subTypes": [{"basic": "TEXT"}, {"basic": "INT"}]}
        change(
            session,
            "createTable",
            partitionKeys=[{"name": "id", "type": {"basic": "INT"}}],
            values=[
                {"name": "name", "type": {"basic": "TEXT"}},
                {"name": "tags", "type": {"basic": "SET", "info": info}},
                {"name": "marks", "type": {"basic": "MAP", "info": entries}},
            ],
        )
        say("graphql-schema makes a table")
        try:
            rows()
        finally:
            change(session, "dropTable", ifExists=True)
    say("and drops it")


main()
