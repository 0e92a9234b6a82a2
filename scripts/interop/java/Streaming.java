import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.apache.pulsar.client.admin.PulsarAdmin;
import org.apache.pulsar.client.api.AuthenticationFactory;
import org.apache.pulsar.client.api.PulsarClient;
import org.apache.pulsar.client.api.Schema;
import org.apache.pulsar.client.api.SubscriptionInitialPosition;

/** Pulsar's Java client and its admin client: a topic, its lookup, messages up to the limit, and chunked ones. */
class Streaming {
  static final int LIMIT = 5 << 20;

  public static void main(String[] args) throws Exception {
    var environment = System.getenv();
    var token = AuthenticationFactory.token(environment.get("ASTRA_STREAMING_PULSAR_TOKEN"));
    var namespace = environment.get("ASTRA_STREAMING_NAME") + "/default";
    var topic = "persistent://" + namespace + "/rust_sample_interop_java_" + System.nanoTime();
    try (var admin = PulsarAdmin.builder()
            .serviceHttpUrl(environment.get("ASTRA_STREAMING_WEBSERVICE_URL")).authentication(token).build();
        var client = PulsarClient.builder()
            .serviceUrl(environment.get("ASTRA_STREAMING_BROKER_URL")).authentication(token)
            .operationTimeout(20, TimeUnit.SECONDS).build()) {
      admin.topics().createNonPartitionedTopic(topic);
      try {
        check(admin.topics().getList(namespace).contains(topic), "a topic made and listed");
        check(admin.lookups().lookupTopic(topic).startsWith("pulsar"), "its lookup");
        send(client, topic);
        var stats = admin.topics().getStats(topic);
        check(stats.getSubscriptions().get("java").getMsgBacklog() == 0, "nothing left in the backlog");
      } finally {
        admin.topics().delete(topic, true);
      }
    }
  }

  static void send(PulsarClient client, String topic) throws Exception {
    try (var consumer = client.newConsumer(Schema.BYTES).topic(topic).subscriptionName("java")
            .subscriptionInitialPosition(SubscriptionInitialPosition.Earliest).subscribe();
        var whole = client.newProducer(Schema.BYTES).topic(topic).enableBatching(false)
            .sendTimeout(20, TimeUnit.SECONDS).create();
        var chunked = client.newProducer(Schema.BYTES).topic(topic).enableBatching(false).enableChunking(true)
            .sendTimeout(20, TimeUnit.SECONDS).create()) {
      // The metadata of a message counts for its size, too.
      for (int size : List.of(1, 1 << 20, LIMIT - 20_000, LIMIT - 500, LIMIT - 200, LIMIT + 1, 3 * LIMIT)) {
        var message = new byte[size];
        new Random(size).nextBytes(message);
        (size < LIMIT ? whole : chunked).send(message);
        var received = consumer.receive(20, TimeUnit.SECONDS);
        check(received != null && Arrays.equals(received.getData(), message), null);
        consumer.acknowledge(received);
      }
      System.out.println("ok  messages up to the limit of 5 MiB, and chunked ones of up to 15 MiB");
    }
  }

  static void check(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
    if (what != null) {
      System.out.println("ok  " + what);
    }
  }
}
