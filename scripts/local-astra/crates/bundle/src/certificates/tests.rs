use secrecy::ExposeSecret;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;

const DATABASE: Uuid = Uuid::from_u128(0x10ca1a57_7a00_4000_8000_000000000001);

fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let files = fs::read_dir(folder).unwrap();
    let mut all: Vec<_> = files
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    all.sort();
    all
}

#[test]
fn everything_is_made_once_and_private() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("made/here");
    let first = Authority::open(&data).unwrap();
    first.server().unwrap();
    first.client(DATABASE).unwrap();
    let made = contents(&data);
    assert_eq!(made.len(), 6);
    #[cfg(unix)]
    for (path, _) in &made {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }

    let second = Authority::open(&data).unwrap();
    assert_eq!(second.pem(), first.pem());
    second.server().unwrap();
    second.client(DATABASE).unwrap();
    assert!(contents(&data) == made, "something was made anew");
}

#[test]
fn what_expires_soon_or_is_not_valid_yet_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::open(folder.path()).unwrap();
    let now = OffsetDateTime::now_utc();
    let params = || {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        let name = DATABASE.to_string();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params
    };
    let name = format!("client-{DATABASE}");
    for (made_at, kept) in [
        (now - (LEAF_LIFE - RENEWAL - Duration::days(1)), true),
        (now - (LEAF_LIFE - RENEWAL + Duration::days(1)), false),
        (now - (LEAF_LIFE + Duration::days(1)), false),
        (now + BACK + Duration::days(1), false),
    ] {
        let old = authority.sign(&name, params(), made_at).unwrap();
        let new = authority.client(DATABASE).unwrap();
        assert_eq!(new.chain == old.chain, kept, "made at {made_at}");
    }
}

#[test]
fn a_new_authority_signs_everything_anew() {
    let folder = tempfile::tempdir().unwrap();
    let long_ago = OffsetDateTime::now_utc() - AUTHORITY_LIFE + LEAF_LIFE - Duration::days(1);
    let (_, old_pem) = {
        make_private_folder(folder.path()).unwrap();
        Authority::make(folder.path(), long_ago).unwrap()
    };
    let authority = Authority::open(folder.path()).unwrap();
    assert_ne!(authority.pem(), old_pem);
    let server = authority.server().unwrap();

    fs::remove_file(folder.path().join("ca.key")).unwrap();
    let next = Authority::open(folder.path()).unwrap();
    assert_ne!(next.pem(), authority.pem());
    assert_ne!(next.server().unwrap().chain, server.chain);
}

#[test]
fn a_damaged_certificate_is_made_anew_and_a_damaged_authority_named() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::open(folder.path()).unwrap();
    let server = authority.server().unwrap();
    for text in [
        "",
        "-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----\n",
    ] {
        fs::write(&server.certificate_file, text).unwrap();
        assert_eq!(authority.server().unwrap().chain.len(), 2);
    }
    // Another key: it no longer fits the certificate.
    fs::write(&server.key_file, rsa_key().unwrap().serialize_pem()).unwrap();
    authority.server().unwrap();

    let secret = authority.issuer.key().serialize_pem();
    for file in ["ca.pem", "ca.key"] {
        let path = folder.path().join(file);
        let kept = fs::read(&path).unwrap();
        fs::write(&path, &secret[..200]).unwrap();
        let error = Authority::open(folder.path()).err().unwrap().to_string();
        assert!(
            error.contains(file) && error.contains("delete it"),
            "{error}"
        );
        assert!(!error.contains(&secret[40..100]), "shows the key");
        fs::write(&path, kept).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Authority::open(&file.join("below")).err().unwrap();
    assert!(error.to_string().contains("below"), "{error}");
}

async fn handshake(server: Arc<ServerConfig>, client: ClientConfig) -> Option<Option<Uuid>> {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let name = ServerName::try_from("localhost").unwrap();
    let client = TlsConnector::from(Arc::new(client));
    let (accepted, _connected) = tokio::join!(
        TlsAcceptor::from(server).accept(far),
        client.connect(name, near)
    );
    let stream = accepted.ok()?;
    let chain = stream.get_ref().1.peer_certificates()?;
    Some(chain.first().and_then(database_of))
}

#[tokio::test]
async fn only_a_certificate_of_this_authority_opens_mutual_tls() {
    let folder = tempfile::tempdir().unwrap();
    let [ours, foreign] =
        ["a", "b"].map(|name| Authority::open(&folder.path().join(name)).unwrap());
    let server = ours.mutual_tls().unwrap();
    let trusting = || ClientConfig::builder().with_root_certificates(ours.roots.clone());
    let with = |identity: Identity| {
        trusting()
            .with_client_auth_cert(identity.chain, identity.key)
            .unwrap()
    };

    let client = with(ours.client(DATABASE).unwrap());
    assert_eq!(
        handshake(server.clone(), client).await,
        Some(Some(DATABASE))
    );

    let foreign_client = with(foreign.client(DATABASE).unwrap());
    let as_server = with(ours.server().unwrap());
    let expired = {
        let now = OffsetDateTime::now_utc() - LEAF_LIFE - Duration::days(1);
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        with(ours.sign("expired", params, now).unwrap())
    };
    for client in [
        trusting().with_no_client_auth(),
        foreign_client,
        as_server,
        expired,
    ] {
        assert_eq!(handshake(server.clone(), client).await, None);
    }
}

#[test]
fn keys_do_not_show() {
    let folder = tempfile::tempdir().unwrap();
    let client = Authority::open(folder.path())
        .unwrap()
        .client(DATABASE)
        .unwrap();
    assert!(
        client
            .key_pem
            .expose_secret()
            .starts_with("-----BEGIN PRIVATE KEY-----")
    );
    assert!(!format!("{:?}", client.key_pem).contains("BEGIN"));
}
