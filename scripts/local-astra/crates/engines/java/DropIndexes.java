import java.nio.charset.StandardCharsets;
import org.apache.cassandra.config.DatabaseDescriptor;
import org.apache.cassandra.cql3.QueryProcessor;
import org.apache.cassandra.db.ColumnFamilyStore.FlushReason;
import org.apache.cassandra.db.Keyspace;
import org.apache.cassandra.db.commitlog.CommitLog;

/** Drops the indexes whose names are too long for a folder, in the data of a Cassandra that does not run, and names them. */
class DropIndexes {
    private static final String INDEXES = "SELECT keyspace_name, table_name, index_name FROM system_schema.indexes";
    private static final String DROP =
        "DELETE FROM system_schema.indexes WHERE keyspace_name = ? AND table_name = ? AND index_name = ?";

    public static void main(String[] arguments) {
        var longest = Integer.parseInt(arguments[0]);
        DatabaseDescriptor.daemonInitialization();
        CommitLog.instance.start();
        var schema = Keyspace.open("system_schema");
        for (var index : QueryProcessor.executeOnceInternal(INDEXES)) {
            var name = index.getString("index_name");
            if (name.getBytes(StandardCharsets.UTF_8).length <= longest) {
                continue;
            }
            var keyspace = index.getString("keyspace_name");
            var table = index.getString("table_name");
            QueryProcessor.executeOnceInternal(DROP, keyspace, table, name);
            System.out.println("DROPPED " + keyspace + "." + table + " " + name);
        }
        // The next start reads the schema before the commit log.
        schema.getColumnFamilyStore("indexes").forceBlockingFlush(FlushReason.USER_FORCED);
        System.exit(0);
    }
}
