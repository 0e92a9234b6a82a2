"""Sends messages to a new topic, then receives and acknowledges all of them. Prints the seconds of both.

Arguments: the number of messages, their size in bytes, how many wait for their receipt at the most.
"""

import os
import sys
import threading
import time
import urllib.request

import pulsar

MESSAGES, SIZE, PENDING = map(int, sys.argv[1:])
TOKEN = os.environ["ASTRA_STREAMING_PULSAR_TOKEN"]
name = f"{os.environ['ASTRA_STREAMING_NAME']}/default/bench_python_{time.time_ns()}"
topic = f"persistent://{name}"
url = f"{os.environ['ASTRA_STREAMING_WEBSERVICE_URL']}/admin/v2/persistent/{name}"


def admin(method, url):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    request = urllib.request.Request(url, method=method, headers=headers)
    urllib.request.urlopen(request, timeout=60).close()


def send():
    failures = []
    received = 0
    done = threading.Event()

    def receipt(result, _):
        nonlocal received
        received += 1
        if result != pulsar.Result.Ok:
            failures.append(result)
        if received == MESSAGES:
            done.set()

    producer = client.create_producer(
        topic, max_pending_messages=PENDING, block_if_queue_full=True, batching_enabled=False
    )
    message = b"x" * SIZE
    for _ in range(MESSAGES):
        producer.send_async(message, receipt)
    assert done.wait(60) and not failures, failures


def receive():
    consumer = client.subscribe(topic, "bench", initial_position=pulsar.InitialPosition.Earliest)
    for _ in range(MESSAGES):
        message = consumer.receive(timeout_millis=60_000)
        consumer.acknowledge(message)
        assert len(message.data()) == SIZE


admin("PUT", url)
client = pulsar.Client(
    os.environ["ASTRA_STREAMING_BROKER_URL"],
    authentication=pulsar.AuthenticationToken(TOKEN),
    logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error),
)
try:
    for work in send, receive:
        began = time.monotonic()
        work()
        print(time.monotonic() - began)
finally:
    client.close()
    admin("DELETE", f"{url}?force=true")
