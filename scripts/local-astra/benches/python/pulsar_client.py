"""The story of pulsar-client-sample with Pulsar's Python client."""

import json
import os
import time
import urllib.request

import pulsar

TOKEN = os.environ["ASTRA_STREAMING_PULSAR_TOKEN"]
name = f"{os.environ['ASTRA_STREAMING_NAME']}/default/python_story_{time.time_ns()}"
topic = f"persistent://{name}"
url = f"{os.environ['ASTRA_STREAMING_WEBSERVICE_URL']}/admin/v2/persistent/{name}"


def admin(method, url):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    request = urllib.request.Request(url, method=method, headers=headers)
    urllib.request.urlopen(request, timeout=30).close()


admin("PUT", url)
print(f"1. Created topic {topic}")
broker = os.environ["ASTRA_STREAMING_BROKER_URL"]
client = pulsar.Client(
    broker, authentication=pulsar.AuthenticationToken(TOKEN), logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error)
)
try:
    print(f"2. Connected to {broker}")
    producer = client.create_producer(topic)
    reading = json.dumps({"sensor": "kitchen", "celsius": 21.5})
    for step, text in [(3, "Hello World"), (4, reading)]:
        print(f"{step}. Sent {text} as message", producer.send(text.encode()))
    consumer = client.subscribe(topic, "python_story", initial_position=pulsar.InitialPosition.Earliest)
    print("5. Subscribed at the earliest message")
    for step in 6, 7:
        message = consumer.receive(timeout_millis=10_000)
        consumer.acknowledge(message)
        print(f"{step}. Received and acknowledged: {message.data().decode()}")
    consumer.unsubscribe()
    consumer.close()
    print("8. Unsubscribed and closed")
finally:
    client.close()
    admin("DELETE", f"{url}?force=true")
    print(f"9. Deleted topic {topic}")
