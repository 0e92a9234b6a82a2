"""DataStax's own Python driver through the secure connect bundle of local Astra.

Each check prints a line; the first that fails ends the program with a traceback and exit code 1.
The bundle's authority is read from the folder `certificates` beside the bundle: with its key this
program makes certificates that are right, expired, or another database's.
"""

import datetime
import json
import os
import shutil
import socket
import ssl
import tempfile
import time
import uuid
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cassandra import AuthenticationFailed, ConsistencyLevel, DriverException, Unauthorized
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, NoHostAvailable
from cassandra.query import SimpleStatement
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

BUNDLE = Path(os.environ["ASTRA_DB_SECURE_BUNDLE_PATH"])
TOKEN = os.environ["ASTRA_DB_APPLICATION_TOKEN"]
CLIENT_ID = os.environ["ASTRA_DB_CLIENT_ID"]
SECRET = os.environ["ASTRA_DB_CLIENT_SECRET"]
KEYSPACE = os.environ["ASTRA_DB_KEYSPACE"]
WORK = Path(tempfile.mkdtemp())


class Session:
    """A cluster with its session; both are shut down at the end."""

    def __init__(self, user, password, bundle=BUNDLE):
        self.cluster = Cluster(
            cloud={"secure_connect_bundle": str(bundle)},
            auth_provider=PlainTextAuthProvider(user, password),
        )

    def __enter__(self):
        try:
            self.session = self.cluster.connect(KEYSPACE)
        except BaseException:
            self.cluster.shutdown()
            raise
        return self.session

    def __exit__(self, *_):
        self.cluster.shutdown()


def say(what):
    print(f"ok  {what}", flush=True)


def equal(found, wanted, what):
    assert found == wanted, f"{what}: {found!r}, not {wanted!r}"


def cluster_name(user, password, bundle=BUNDLE):
    with Session(user, password, bundle) as session:
        return session.execute("SELECT cluster_name FROM system.local").one().cluster_name


def logins():
    name = cluster_name("token", TOKEN)
    equal(name, "cndb", "cluster name")
    print(name)
    say("user `token` with the token")
    equal(cluster_name(CLIENT_ID, SECRET), "cndb", "cluster name")
    say("client id with its secret")
    with ThreadPoolExecutor() as pool:
        names = pool.map(lambda login: cluster_name(*login), [("token", TOKEN), (CLIENT_ID, SECRET)])
        equal(list(names), ["cndb", "cndb"], "cluster names")
    say("two connections at once")


def wrong_logins():
    other = "0" if TOKEN[-1] != "0" else "1"
    # The right token is in use meanwhile.
    with Session("token", TOKEN):
        for user, password in [
            ("token", TOKEN[:-1] + other),
            ("token", "AstraCS:wrong:token"),
            ("token", ""),
            (CLIENT_ID, SECRET[:-1]),
            (CLIENT_ID, TOKEN.split(":")[2]),
            ("cassandra", "cassandra"),
        ]:
            try:
                cluster_name(user, password)
            except NoHostAvailable as error:
                reasons = list(error.errors.values())
                assert reasons, "refused for no reason"
                for reason in reasons:
                    assert isinstance(reason, AuthenticationFailed), repr(reason)
                    assert "incorrect" in str(reason), str(reason)
            else:
                raise AssertionError(f"a wrong login as {user} was let in")
    say("wrong tokens and wrong secrets are refused as Cassandra refuses a password")


def as_astra(session):
    cluster = session.cluster
    equal(cluster.protocol_version, 4, "protocol version")
    profile = cluster.profile_manager.profiles[EXEC_PROFILE_DEFAULT]
    equal(profile.consistency_level, ConsistencyLevel.LOCAL_QUORUM, "default consistency")
    local = session.execute("SELECT host_id, data_center FROM system.local").one()
    hosts = {host.host_id for host in cluster.metadata.all_hosts()}
    assert local.host_id in hosts, f"{local.host_id} is not among {hosts}"
    equal({str(host) for host in hosts}, set(metadata(bundle_tls(BUNDLE))["contact_points"]), "host ids")
    say(f"protocol v4, LOCAL_QUORUM by the product type, {len(hosts)} host ids as the metadata says")
    try:
        session.execute("CREATE KEYSPACE rust_sample_none WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
    except Unauthorized:
        say("CREATE KEYSPACE is refused")
    else:
        raise AssertionError("the application token made a keyspace")


def statements(session):
    table = f"rust_sample_interop_{time.time_ns() // 1000}"
    session.execute(f"CREATE TABLE {table} (k int, n int, t text, PRIMARY KEY (k, n))")
    try:
        insert = session.prepare(f"INSERT INTO {table} (k, n, t) VALUES (?, ?, ?)")
        large = "x" * 100_000
        rows = [(1, n, "Grüße" if n else large) for n in range(95)]
        for future in [session.execute_async(insert, row) for row in rows]:
            future.result()
        select = session.prepare(f"SELECT k, n, t FROM {table} WHERE k = ?")
        equal([tuple(row) for row in session.execute(select, [1])], rows, "rows")
        say("prepared statements, 95 at once")

        paged = SimpleStatement(f"SELECT n FROM {table} WHERE k = 1", fetch_size=10)
        result = session.execute(paged)
        pages = [len(result.current_rows)]
        while result.has_more_pages:
            result.fetch_next_page()
            pages.append(len(result.current_rows))
        equal(pages, [10] * 9 + [5], "pages")
        say("95 rows on 10 pages")
    finally:
        session.execute(f"DROP TABLE {table}")


# ---- certificates


def unpacked(bundle):
    folder = WORK / uuid.uuid4().hex
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(folder)
    return folder


def bundle_tls(bundle, certificate=True):
    """What a driver makes of a bundle: its config, its TLS context."""
    folder = unpacked(bundle)
    tls = ssl.create_default_context(cafile=folder / "ca.crt")
    if certificate:
        tls.load_cert_chain(folder / "cert", folder / "key")
    return json.loads((folder / "config.json").read_text()), tls


def get(config_and_tls, port, request, server_name=None):
    """The bytes that come back; raises when there are none to come."""
    config, tls = config_and_tls
    tls.check_hostname = server_name is None
    with socket.create_connection((config["host"], port), timeout=10) as tcp:
        with tls.wrap_socket(tcp, server_hostname=server_name or config["host"]) as stream:
            stream.sendall(request)
            answer = b""
            while more := stream.recv(65536):
                answer += more
                if server_name:
                    break
            return answer


def metadata_answer(config_and_tls):
    port = config_and_tls[0]["port"]
    request = b"GET /metadata HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    head, _, body = get(config_and_tls, port, request).partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def metadata(config_and_tls):
    status, answer = metadata_answer(config_and_tls)
    equal(status, 200, "status of the metadata service")
    return answer["contact_info"]


def named(name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def authority(subject):
    key = rsa.generate_private_key(65537, 2048)
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(1))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return builder.sign(key, hashes.SHA256()), key


def local_authority():
    folder = BUNDLE.parent / "certificates"
    key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
    return x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes()), key


def database_id():
    certificate = x509.load_pem_x509_certificate((unpacked(BUNDLE) / "cert").read_bytes())
    return certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value


def forged(signer, name, days):
    """The bundle with another client certificate, which ends in so many days."""
    certificate, signing_key = signer
    key = rsa.generate_private_key(65537, 2048)
    end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days)
    builder = x509.CertificateBuilder().issuer_name(certificate.subject).public_key(key.public_key())
    builder = builder.subject_name(named(name))
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(end - datetime.timedelta(9)).not_valid_after(end)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    signed = builder.add_extension(usage, critical=False).sign(signing_key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    files = {"cert": signed.public_bytes(pem), "key": private}
    path = WORK / f"{uuid.uuid4().hex}.zip"
    with zipfile.ZipFile(BUNDLE) as old, zipfile.ZipFile(path, "w") as new:
        for entry in old.namelist():
            new.writestr(entry, files.get(entry) or old.read(entry))
    return path


OPTIONS = bytes([4, 0, 0, 0, 5, 0, 0, 0, 0])


def options(config_and_tls, node):
    return get(config_and_tls, config_and_tls[0]["cql_port"], OPTIONS, server_name=node)


def refused_driver(bundle, what):
    try:
        cluster_name("token", TOKEN, bundle)
    except DriverException as error:
        assert "metadata service" in str(error), str(error)
    else:
        raise AssertionError(f"{what} was let in")


def certificates():
    ours, foreign, id = local_authority(), authority(named("Somebody else")), database_id()
    node = metadata(bundle_tls(BUNDLE))["contact_points"][0]
    # The forger is good enough: only what is wrong with the others keeps them out.
    good = forged(ours, id, 8)
    equal(cluster_name("token", TOKEN, good), "cndb", "cluster name")
    supported = options(bundle_tls(good), node)
    assert supported[4] == 6 and b"DATASTAX_APOLLO" in supported, supported
    say("a certificate of the authority opens both doors")

    for what, tls in [
        ("no certificate", bundle_tls(BUNDLE, certificate=False)),
        ("a foreign certificate", bundle_tls(forged(foreign, id, 8))),
        ("one of a namesake", bundle_tls(forged(authority(ours[0].subject), id, 8))),
        ("an expired certificate", bundle_tls(forged(ours, id, -1))),
    ]:
        for door in [lambda: metadata_answer(tls), lambda: options(tls, node)]:
            try:
                answer = door()
            except (ssl.SSLError, ConnectionError):
                pass
            else:
                raise AssertionError(f"{what} was answered: {answer!r}")
        say(f"{what}: no door answers")
    refused_driver(forged(foreign, id, 8), "a foreign certificate")
    refused_driver(forged(ours, id, -1), "an expired certificate")
    say("the driver says so of the foreign and the expired one")

    stranger = forged(ours, str(uuid.uuid4()), 8)
    equal(metadata_answer(bundle_tls(stranger))[0], 401, "status for another database")
    refused_driver(stranger, "a database that is not there")
    for name in [node, str(uuid.uuid4())]:
        database = stranger if name == node else good
        try:
            answer = options(bundle_tls(database), name)
        except (ssl.SSLError, ConnectionError):
            answer = b""
        equal(answer, b"", "answer for a database or node that is not there")
    say("a database that is not there is answered 401, and no node of it is reached")


def main():
    logins()
    wrong_logins()
    with Session("token", TOKEN) as session:
        as_astra(session)
        statements(session)
    certificates()
    print("== passed")


if __name__ == "__main__":
    try:
        main()
    finally:
        shutil.rmtree(WORK)
