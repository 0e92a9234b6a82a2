"""A stock gRPC client: knows nothing of Stargate but what the server tells about itself by reflection.

Reads ASTRA_DB_GRPC_URL, ASTRA_DB_APPLICATION_TOKEN, ASTRA_DB_KEYSPACE, and SSL_CERT_FILE for https.
"""
import os
import time
from urllib.parse import urlsplit

import grpc
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

LIMIT = 10  # seconds for a call


def channel():
    url = urlsplit(os.environ["ASTRA_DB_GRPC_URL"])
    if url.scheme == "http":
        return grpc.insecure_channel(url.netloc)
    roots = os.environ.get("SSL_CERT_FILE")
    trusted = open(roots, "rb").read() if roots else None
    target = url.netloc if url.port else url.netloc + ":443"
    return grpc.secure_channel(target, grpc.ssl_channel_credentials(trusted))


class Stargate:
    """The methods of stargate.Stargate, with messages as dicts in protobuf's JSON form."""

    def __init__(self, link):
        self.link = link
        described = ProtoReflectionDescriptorDatabase(link)
        assert "stargate.Stargate" in described.get_services(), "reflection does not list the service"
        self.pool = DescriptorPool(described)
        self.service = self.pool.FindServiceByName("stargate.Stargate")

    def call(self, method, requests, token=None):
        method = self.service.methods_by_name[method]
        types = [message_factory.GetMessageClass(t) for t in (method.input_type, method.output_type)]
        encode = [json_format.ParseDict(r, types[0](), descriptor_pool=self.pool) for r in requests]
        path = f"/{self.service.full_name}/{method.name}"
        stream = method.client_streaming
        maker = self.link.stream_stream if stream else self.link.unary_unary
        stub = maker(path, request_serializer=types[0].SerializeToString, response_deserializer=types[1].FromString)
        token = token or os.environ["ASTRA_DB_APPLICATION_TOKEN"]
        options = {"metadata": [("x-cassandra-token", token)], "timeout": LIMIT}
        answers = stub(iter(encode), **options) if stream else [stub(encode[0], **options)]
        return [json_format.MessageToDict(a, descriptor_pool=self.pool) for a in answers]

    def query(self, cql, *values, **parameters):
        request = {"cql": cql, "values": {"values": list(values)}, "parameters": parameters}
        return self.call("ExecuteQuery", [request])[0]


def refused(call, code):
    try:
        call()
    except grpc.RpcError as error:
        assert error.code() == code, f"{error.code()} is not {code}: {error.details()}"
        return error
    raise AssertionError(f"not refused with {code}")


def main():
    keyspace = os.environ["ASTRA_DB_KEYSPACE"]
    table = f'"{keyspace}".interop_grpc_{time.time_ns()}'
    with channel() as link:
        stargate = Stargate(link)
        print("reflection lists", stargate.service.full_name)
        change = stargate.query(f"CREATE TABLE {table} (k int PRIMARY KEY, t text, l frozen<list<int>>)")
        assert change["schemaChange"]["target"] == "TABLE", change
        try:
            story(stargate, table)
        finally:
            dropped = stargate.query(f"DROP TABLE {table}")
        assert dropped["schemaChange"]["changeType"] == "DROPPED", dropped
        health = link.unary_unary("/grpc.health.v1.Health/Check")
        refused(lambda: health(b"", timeout=LIMIT), grpc.StatusCode.UNIMPLEMENTED)
        unknown = link.unary_unary("/stargate.Stargate/Nope")
        refused(lambda: unknown(b"", timeout=LIMIT), grpc.StatusCode.UNIMPLEMENTED)
    print("the unknown service and method are UNIMPLEMENTED")


def story(stargate, table):
    insert = f"INSERT INTO {table} (k, t, l) VALUES (?, ?, ?)"
    numbers = {"collection": {"elements": [{"int": "1"}, {"int": "-2"}]}}

    def values(k):
        return {"values": [{"int": str(k)}, {"string": f"text {k}"}, numbers]}

    queries = [{"cql": insert, "values": values(k)} for k in range(5)]
    assert stargate.call("ExecuteBatch", [{"queries": queries}]) == [{}]
    seen, state, pages = set(), None, 0
    while True:
        parameters = {"pageSize": 2, **({"pagingState": state} if state else {})}
        result = stargate.query(f"SELECT k, t, l FROM {table}", **parameters)["resultSet"]
        pages += 1
        for row in result.get("rows", []):
            k, t, l = row["values"]
            assert t == {"string": f"text {k['int']}"} and l == numbers, row
            seen.add(k["int"])
        state = result.get("pagingState")
        if not state:
            break
    assert seen == {"0", "1", "2", "3", "4"} and pages == 3, (seen, pages)
    spec = result["columns"][2]["type"]["list"]
    assert spec == {"element": {"basic": "INT"}, "frozen": True}, spec
    print(f"a batch of 5, read in {pages} pages")

    requests = [{"cql": f"SELECT t FROM {table} WHERE k = {k}"} for k in (1, 2)] + [{"cql": "SELEKT"}]
    answers = stargate.call("ExecuteQueryStream", requests)
    statuses = [a["status"] for a in answers if "status" in a]
    assert len(answers) == 3 and len(statuses) == 1, answers
    assert statuses[0]["code"] == 3 and statuses[0]["details"][0]["reason"], statuses
    print("a stream of 3, one refused inside it:", statuses[0]["message"])

    again = f"CREATE TABLE {table} (k int PRIMARY KEY)"
    error = refused(lambda: stargate.query(again), grpc.StatusCode.ALREADY_EXISTS)
    trailers = dict(error.trailing_metadata())
    detail = message_factory.GetMessageClass(stargate.pool.FindMessageTypeByName("stargate.AlreadyExists"))
    detail = detail.FromString(trailers["stargate.alreadyexists-bin"])
    assert table.endswith(detail.table), detail
    token = "AstraCS:nobody:" + "0" * 64
    ask = lambda: stargate.call("ExecuteQuery", [{"cql": "SELECT key FROM system.local"}], token)
    refused(ask, grpc.StatusCode.UNAUTHENTICATED)
    print("the second table is ALREADY_EXISTS, with its trailer; a wrong token UNAUTHENTICATED")


main()
