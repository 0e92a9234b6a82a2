//! Configuration shared by all nodes.

/// Small, and safe against `kill -9`: only `batch` (or `group`) acknowledges a write after it is on the disk. The
/// timeouts exceed the usual 2 and 5 s, which suit servers but not laptops that compile at the same time.
pub(super) const YAML: &str = "\
# Written by local-astra at each start.
cluster_name: cndb
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
endpoint_snitch: GossipingPropertyFileSnitch
authenticator: PasswordAuthenticator
authorizer: CassandraAuthorizer
role_manager: CassandraRoleManager
storage_compatibility_mode: NONE
commitlog_sync: batch
commitlog_segment_size: 16MiB
commitlog_total_space: 128MiB
memtable_heap_space: 64MiB
memtable_offheap_space: 64MiB
key_cache_size: 8MiB
counter_cache_size: 4MiB
auto_snapshot: false
hinted_handoff_enabled: false
default_secondary_index: legacy_local_table
materialized_views_enabled: true
user_defined_functions_enabled: false
write_consistency_levels_disallowed: [ANY, ONE, LOCAL_ONE]
read_request_timeout: 10s
range_request_timeout: 20s
write_request_timeout: 10s
counter_write_request_timeout: 10s
cas_contention_timeout: 10s
request_timeout: 20s
concurrent_reads: 8
concurrent_writes: 8
concurrent_counter_writes: 8
native_transport_max_threads: 16";

pub(super) const LOGBACK: &str = "\
<configuration>
  <appender name=\"OUT\" class=\"ch.qos.logback.core.ConsoleAppender\">
    <encoder><pattern>%-5level %date %logger{0} - %msg%n</pattern></encoder>
  </appender>
  <root level=\"INFO\"><appender-ref ref=\"OUT\"/></root>
</configuration>
";

/// A small heap and the quick compiler, for a start within seconds. Not suitable for a production server. No JMX
/// property, so JMX is off.
pub(super) const OPTIONS: &[&str] = &[
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xms96m",
    "-Xmn64m",
    "-Xmx512m",
    // The main thread reads the schema at the start, including types of any depth that other threads accepted.
    "-Xss64m",
    "-XX:ThreadStackSize=512",
    // A vector index in memory accepts as many concurrent writers as there are processors, plus one; a further write
    // fails (CASSANDRA-21644). Twice `concurrent_writes` is enough.
    "-XX:ActiveProcessorCount=16",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djdk.attach.allowAttachSelf=true",
    "-Dio.netty.tryReflectionSetAccessible=true",
    "-Dcassandra-foreground=yes",
    // The superuser exists when the port opens, not 10 s later.
    "-Dcassandra.superuser_setup_delay_ms=0",
    // Cassandra would measure this for 2 s at each start.
    "-Dcassandra.memtable.row_overhead_size=180",
    // Logins take 3 ms. Only acceptable on a single machine.
    "-Dcassandra.auth_bcrypt_gensalt_log2_rounds=4",
    "-Dcassandra.shutdown_announce_in_ms=0",
    // An older data folder contains another data center.
    "-Dcassandra.ignore_dc=true",
    "-Dcassandra.test.messagingService.nonGracefulShutdown=true",
];

/// Internal packages of the JDK that Cassandra requires.
pub(super) const EXPORTS: &str = "java.base/jdk.internal.misc java.management.rmi/com.sun.jmx.remote.internal.rmi \
    java.rmi/sun.rmi.registry java.rmi/sun.rmi.server java.sql/java.sql java.base/java.lang.ref jdk.unsupported/sun.misc \
    jdk.compiler/com.sun.tools.javac.file jdk.attach/sun.tools.attach";
pub(super) const OPENS: &str = "java.base/java.lang.module java.base/jdk.internal.loader java.base/jdk.internal.ref \
    java.base/jdk.internal.reflect java.base/jdk.internal.math java.base/jdk.internal.module \
    java.base/jdk.internal.util.jar jdk.management/com.sun.management.internal java.base/sun.nio.ch java.base/java.io \
    java.base/java.nio java.base/java.lang.reflect jdk.compiler/com.sun.tools.javac java.base/java.lang java.base/java.util";
