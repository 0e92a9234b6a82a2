import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Scanner;

/**
 * Prints the key stores of a secure connect bundle in PKCS#12: identity, trust store, and identity with another password.
 * Reads their three passwords, and then in DER the authority's certificate, the client's key, and its certificate chain.
 */
class KeyStores {
    public static void main(String[] arguments) throws Exception {
        var input = new Scanner(System.in);
        var passwords = new String[] {input.next(), input.next(), input.next()};
        var authority = certificate(input);
        var key = KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(decode(input)));
        var chain = new ArrayList<Certificate>();
        while (input.hasNext()) {
            chain.add(certificate(input));
        }
        var certificates = chain.toArray(new Certificate[0]);
        print(passwords[0], (store, password) -> store.setKeyEntry("cert", key, password, certificates));
        print(passwords[1], (store, password) -> store.setCertificateEntry("ca", authority));
        print(passwords[2], (store, password) -> store.setKeyEntry("cert", key, password, certificates));
    }

    private interface Filling {
        void fill(KeyStore store, char[] password) throws Exception;
    }

    private static void print(String password, Filling filling) throws Exception {
        var store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        filling.fill(store, password.toCharArray());
        var bytes = new ByteArrayOutputStream();
        store.store(bytes, password.toCharArray());
        System.out.println(Base64.getEncoder().encodeToString(bytes.toByteArray()));
    }

    private static Certificate certificate(Scanner input) throws Exception {
        return CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(decode(input)));
    }

    private static byte[] decode(Scanner input) {
        return Base64.getDecoder().decode(input.next());
    }
}
