"""Apache Pulsar's own Python client against local Astra, alone and together with pulsar-client-sample.

Each check prints a line; the first that fails ends the program with a traceback and exit code 1.
The sample makes its topic over the web service and deletes it at the end. So it gets this program as its web service,
which passes both requests on, and uses the topic itself in between.
"""

import json
import logging
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pulsar

SAMPLE = sys.argv[1]
TENANT = os.environ["ASTRA_STREAMING_NAME"]
TOKEN = os.environ["ASTRA_STREAMING_PULSAR_TOKEN"]
BROKER = os.environ["ASTRA_STREAMING_BROKER_URL"]
WEB = os.environ["ASTRA_STREAMING_WEBSERVICE_URL"]
RUN = time.time_ns() // 1000
LIMIT_MS = 10_000

# What this program sends in the place of the sample's messages: a text, and the sample's JSON.
OURS = [b"Hello from Python", b'{"sensor":"attic","celsius":-3.5}']
THEIRS = [b"Hello World", b'{"sensor":"kitchen","celsius":21.5}']


def say(what):
    print(f"ok  {what}", flush=True)


def equal(found, wanted, what):
    assert found == wanted, f"{what}: {found!r}, not {wanted!r}"


def connect(token=TOKEN, url=BROKER):
    quiet = logging.getLogger("pulsar")
    quiet.setLevel(logging.CRITICAL)
    login = pulsar.AuthenticationToken(token)
    return pulsar.Client(url, authentication=login, operation_timeout_seconds=10, logger=quiet)


def ask(method, path, body=None, token=TOKEN):
    """Status and body of a request to the admin API."""
    request = urllib.request.Request(f"{WEB}{path}", data=body, method=method)
    request.add_header("Authorization", f"Bearer {token}")
    if body is not None:
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


class Topic:
    """A topic of this program's own."""

    def __init__(self, name):
        self.name = f"persistent://{TENANT}/default/{name}"
        self.path = f"/admin/v2/persistent/{TENANT}/default/{name}"

    def __enter__(self):
        equal(ask("PUT", self.path)[0], 204, "making a topic")
        return self

    def __exit__(self, *_):
        equal(ask("DELETE", f"{self.path}?force=true")[0], 204, "deleting a topic")


class WebService(BaseHTTPRequestHandler):
    """The sample's web service. A failure here fails the sample's request, and with it the check."""

    consumer = None
    received = []

    def do_PUT(self):
        status, body = ask("PUT", self.path)
        topic = self.path.removeprefix("/admin/v2/persistent/")
        cls = type(self)
        cls.client = connect()
        cls.consumer = cls.client.subscribe(
            f"persistent://{topic}", "python", initial_position=pulsar.InitialPosition.Earliest
        )
        producer = cls.client.create_producer(f"persistent://{topic}")
        for message in OURS:
            producer.send(message)
        producer.close()
        self.answer(status, body)

    def do_DELETE(self):
        cls = type(self)
        for _ in OURS + THEIRS:
            message = cls.consumer.receive(timeout_millis=LIMIT_MS)
            cls.received.append(message.data())
            cls.consumer.acknowledge(message)
        cls.consumer.unsubscribe()
        cls.client.close()
        self.answer(*ask("DELETE", self.path))

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def with_the_sample():
    server = ThreadingHTTPServer(("127.0.0.1", 0), WebService)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = os.environ | {"ASTRA_STREAMING_WEBSERVICE_URL": f"http://127.0.0.1:{server.server_port}"}
    ran = subprocess.run([SAMPLE], env=settings, capture_output=True, text=True, timeout=120)
    server.shutdown()
    equal((ran.returncode, ran.stderr), (0, ""), f"the sample {ran.stdout}")
    assert "6. Received and acknowledged: Hello from Python\n" in ran.stdout, ran.stdout
    assert '7. Received and acknowledged: Reading { sensor: "attic", celsius: -3.5 }\n' in ran.stdout, ran.stdout
    say("the sample reads what Python wrote, text and JSON")
    equal(WebService.received, OURS + THEIRS, "what Python read")
    equal(json.loads(WebService.received[3]), {"sensor": "kitchen", "celsius": 21.5}, "JSON")
    say("Python reads what the sample wrote, in order")


def alone():
    client = connect()
    with Topic(f"python_{RUN}") as topic:
        producer = client.create_producer(topic.name)
        sent = [f"{number}".encode() for number in range(100)]
        for message in sent:
            producer.send(message)
        consumer = client.subscribe(topic.name, "all", initial_position=pulsar.InitialPosition.Earliest)
        received = [consumer.receive(timeout_millis=LIMIT_MS) for _ in sent]
        equal([message.data() for message in received], sent, "100 messages")
        consumer.acknowledge_cumulative(received[-1])
        say("100 messages there and back, in order")

        path = f"{topic.path}/subscription"
        earliest = json.dumps({"ledgerId": -1, "entryId": -1}).encode()
        equal(ask("PUT", f"{path}/earliest", earliest)[0], 204, "a subscription at the earliest message")
        equal(ask("PUT", f"{path}/latest")[0], 204, "a subscription without a position")
        stats = json.loads(ask("GET", f"{topic.path}/stats")[1])
        backlog = {name: stats["subscriptions"][name]["msgBacklog"] for name in ("earliest", "latest")}
        equal(backlog, {"earliest": 100, "latest": 0}, "backlog")
        equal(stats["msgInCounter"], 100, "messages that came in")
        say("a subscription at ledger -1, entry -1 has every message before it, one without a body has none")
        consumer.close()
        producer.close()
    refused(client, f"persistent://{TENANT}/default/missing_{RUN}", pulsar.TopicNotFound)
    say("no topic makes itself")
    refused(client, "persistent://public/default/any", pulsar.AuthorizationError)
    say("another tenant is refused")
    client.close()


def refused(client, topic, error):
    try:
        client.create_producer(topic)
    except error:
        return
    raise AssertionError(f"{topic}: a producer was made")


def wrong_token():
    head, _ = TOKEN.rsplit(".", 1)
    wrong = f"{head}.{'A' * 43}"
    client = connect(wrong)
    try:
        # This client tells a refused token as a connection that fails, or as a timeout.
        refused(client, f"persistent://{TENANT}/default/any", pulsar.PulsarException)
    finally:
        client.close()
    equal(ask("GET", f"/admin/v2/namespaces/{TENANT}", token=wrong)[0], 401, "a wrong token")
    say("a token with another signature is refused, by the broker and by the web service")


if __name__ == "__main__":
    with_the_sample()
    alone()
    wrong_token()
