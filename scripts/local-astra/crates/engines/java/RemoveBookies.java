import org.apache.pulsar.metadata.api.MetadataStoreConfig;
import org.apache.pulsar.metadata.api.extended.MetadataStoreExtended;

/** Removes the registrations of bookies that run no more, in the folder of a Pulsar that does not run. */
class RemoveBookies {
    private static final String BOOKIES = "/ledgers/available";

    public static void main(String[] arguments) throws Exception {
        var config = MetadataStoreConfig.builder().build();
        try (var store = MetadataStoreExtended.create("rocksdb://" + arguments[0], config)) {
            for (var bookie : store.getChildren(BOOKIES).get()) {
                // To read one of an earlier process removes it.
                store.get(BOOKIES + "/" + bookie).get();
            }
        }
    }
}
