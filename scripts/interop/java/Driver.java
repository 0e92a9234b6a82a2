import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.DefaultConsistencyLevel;
import com.datastax.oss.driver.api.core.config.DefaultDriverOption;
import com.datastax.oss.driver.api.core.config.DriverConfigLoader;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import com.datastax.oss.driver.api.core.servererrors.InvalidQueryException;
import java.nio.file.Path;
import java.time.Duration;

/** Apache Cassandra's Java driver through the secure connect bundle, with the key stores that are in it. */
class Driver {
  public static void main(String[] args) {
    var environment = System.getenv();
    // CREATE and DROP take longer than the usual 2 s on a busy machine.
    var patient = DriverConfigLoader.programmaticBuilder()
        .withDuration(DefaultDriverOption.REQUEST_TIMEOUT, Duration.ofSeconds(20)).build();
    var session = CqlSession.builder().withConfigLoader(patient)
        .withCloudSecureConnectBundle(Path.of(environment.get("ASTRA_DB_SECURE_BUNDLE_PATH")))
        .withAuthCredentials("token", environment.get("ASTRA_DB_APPLICATION_TOKEN"))
        .withKeyspace(environment.get("ASTRA_DB_KEYSPACE"));
    try (var cql = session.build()) {
      var local = cql.execute("SELECT cluster_name FROM system.local").one();
      check("cndb".equals(local.getString(0)), "cluster cndb");
      check(cql.getContext().getProtocolVersion().getCode() == 4, "protocol version 4, stepped down from 5");
      var table = "rust_sample_interop_java_" + System.nanoTime();
      cql.execute("CREATE TABLE " + table + " (k int, n int, v text, PRIMARY KEY (k, n))");
      try {
        var insert = cql.prepare("INSERT INTO " + table + " (k, n, v) VALUES (1, ?, ?)");
        for (int n = 0; n < 25; n++) {
          cql.execute(insert.bind(n, "row " + n));
        }
        var rows = cql.execute(SimpleStatement.newInstance("SELECT n FROM " + table + " WHERE k = 1").setPageSize(10));
        int next = 0;
        for (var row : rows) {
          check(row.getInt(0) == next++, null);
        }
        check(next == 25, "25 rows by a prepared statement, read in pages of 10");
        var weak = SimpleStatement.newInstance("INSERT INTO " + table + " (k, n) VALUES (2, 2)")
            .setConsistencyLevel(DefaultConsistencyLevel.LOCAL_ONE);
        try {
          cql.execute(weak);
          check(false, "a write at LOCAL_ONE was accepted");
        } catch (InvalidQueryException refused) {
          check(refused.getMessage().contains("LOCAL_ONE"), "a write at LOCAL_ONE is refused");
        }
      } finally {
        cql.execute("DROP TABLE " + table);
      }
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
