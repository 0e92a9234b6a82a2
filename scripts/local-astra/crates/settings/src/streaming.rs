//! Streaming tokens: JWTs signed with RS256, with the claims of the token in
//! <https://awesome-astra.github.io/docs/pages/astra/astra-cli/>. The keys are files in the data folder, so Pulsar
//! works without Cassandra.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use rcgen::{KeyPair, PKCS_RSA_SHA256, PublicKeyData, RsaKeySize};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// Role of the token that local Astra itself uses for Pulsar.
pub const SUPERUSER: &str = "local-astra";

const ISSUER: &str = "datastax";

/// Failure to create keys or tokens. The message never contains one.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("cannot {doing} {}: {source}", path.display())]
    File {
        doing: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("{} is damaged; `cargo local reset` creates a new one and deletes all data", .0.display())]
    Damaged(PathBuf),
    #[error("cannot make a key: {0}")]
    Make(#[from] rcgen::Error),
    #[error("cannot sign a token: {0}")]
    Sign(String),
}

/// The claims of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Time of issue in seconds since the epoch.
    #[serde(default)]
    pub iat: u64,
    #[serde(default)]
    pub iss: String,
    /// The role: `client;<organization>;<base64 of the tenant>;<token id>`.
    pub sub: String,
    #[serde(default)]
    pub tokenid: String,
    /// Expiry in seconds since the epoch; `None` means never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp: Option<u64>,
}

impl Claims {
    /// Creates the claims of a new token for a tenant. Each token has its own id, and therefore its own role.
    pub fn new(organization: &str, tenant: &str, exp: Option<u64>) -> Result<Claims, KeyError> {
        let mut id = [0; 5];
        rand::fill(&mut id).map_err(|_| KeyError::Sign("no random bytes".to_owned()))?;
        let tokenid: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let tenant = STANDARD.encode(tenant);
        Ok(Claims {
            iat: now(),
            iss: ISSUER.to_owned(),
            sub: format!("client;{organization};{tenant};{tokenid}"),
            tokenid,
            exp,
        })
    }

    /// Returns the tenant in the role; `None` for the superuser.
    pub fn tenant(&self) -> Option<String> {
        let mut parts = self.sub.split(';');
        let (client, _organization, tenant) = (parts.next()?, parts.next()?, parts.next()?);
        let tenant = STANDARD.decode(tenant).ok()?;
        let tenant = String::from_utf8(tenant).ok()?;
        (client == "client" && !tenant.is_empty()).then_some(tenant)
    }
}

/// The keys of one data folder, which sign and verify tokens.
pub struct StreamingKeys {
    folder: PathBuf,
    sign: EncodingKey,
    check: DecodingKey,
}

impl StreamingKeys {
    /// Opens the keys in `folder`, or creates them together with the superuser's token. Reads and writes files, and
    /// generates an RSA key (some 100 ms), so call it from blocking code.
    ///
    /// # Errors
    /// A file cannot be read or written, or is damaged.
    pub fn open(folder: &Path) -> Result<StreamingKeys, KeyError> {
        let pem_file = folder.join("signing.key");
        let pem = match fs::read_to_string(&pem_file) {
            Ok(pem) => pem,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                private_folder(folder).map_err(file("make", folder))?;
                let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
                write(&pem_file, key.serialize_pem().as_bytes())?;
                key.serialize_pem()
            }
            Err(error) => return Err(file("read", &pem_file)(error)),
        };
        let damaged = || KeyError::Damaged(pem_file.clone());
        let public = KeyPair::from_pem(&pem).map_err(|_| damaged())?;
        let keys = StreamingKeys {
            folder: folder.to_owned(),
            sign: EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(|_| damaged())?,
            check: DecodingKey::from_rsa_der(public.der_bytes()),
        };
        // Pulsar's key file is derived from the key, and written if it is missing.
        let public_key = Self::public_key_file(folder);
        if !public_key.exists() {
            write(&public_key, &public.subject_public_key_info())?;
        }
        let superuser = Self::superuser_file(folder);
        if !superuser.exists() {
            let token = keys.superuser()?;
            write(&superuser, token.expose_secret().as_bytes())?;
        }
        Ok(keys)
    }

    /// Returns the path of the public key in the folder of the keys. Pulsar reads it as SubjectPublicKeyInfo in DER.
    pub fn public_key_file(folder: &Path) -> PathBuf {
        folder.join("public.der")
    }

    /// Returns the path of the superuser's token in the folder of the keys. Only its owner can read it.
    pub fn superuser_file(folder: &Path) -> PathBuf {
        folder.join("superuser.jwt")
    }

    /// Returns the superuser's token, for the gateway only.
    pub fn superuser(&self) -> Result<SecretString, KeyError> {
        self.issue(&Claims {
            iat: now(),
            iss: ISSUER.to_owned(),
            sub: SUPERUSER.to_owned(),
            tokenid: String::new(),
            exp: None,
        })
    }

    /// Signs a token with these claims. Equal claims result in equal tokens.
    pub fn issue(&self, claims: &Claims) -> Result<SecretString, KeyError> {
        jsonwebtoken::encode(&Header::new(Algorithm::RS256), claims, &self.sign)
            .map(SecretString::from)
            .map_err(|error| KeyError::Sign(error.to_string()))
    }

    /// Returns the claims of an unexpired token signed with these keys. Pulsar checks the permissions of its role: a
    /// revoked role is no longer in the list of its tenant.
    pub fn verify(&self, token: &str) -> Option<Claims> {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.required_spec_claims.clear();
        validation.required_spec_claims.insert("sub".to_owned());
        validation.leeway = 0;
        jsonwebtoken::decode(token, &self.check, &validation)
            .ok()
            .map(|checked| checked.claims)
    }

    /// Returns the claims of the first tenant's token, which is created at the first start and kept.
    ///
    /// # Errors
    /// The file cannot be read or written, or is damaged.
    pub fn first(&self, organization: &str, tenant: &str) -> Result<Claims, KeyError> {
        let path = self.folder.join("first.json");
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|_| KeyError::Damaged(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let claims = Claims::new(organization, tenant, None)?;
                let text = serde_json::to_vec_pretty(&claims)
                    .map_err(|error| KeyError::Sign(error.to_string()))?;
                write(&path, &text)?;
                Ok(claims)
            }
            Err(error) => Err(file("read", &path)(error)),
        }
    }
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |passed| passed.as_secs())
}

fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeyError {
    let path = path.to_owned();
    move |source| KeyError::File {
        doing,
        path,
        source,
    }
}

fn private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

/// Writes a file atomically, readable by its owner only.
fn write(path: &Path, content: &[u8]) -> Result<(), KeyError> {
    use std::os::unix::fs::OpenOptionsExt;
    let new = path.with_extension("new");
    let written = || {
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut out = options.open(&new)?;
        out.write_all(content)?;
        out.sync_all()?;
        fs::rename(&new, path)
    };
    written().map_err(file("write", path))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn tokens_name_their_tenant_and_only_these_keys_sign_them() {
        let (ours, others) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let keys = StreamingKeys::open(ours.path()).unwrap();
        let claims = Claims::new("org", "my-tenant", None).unwrap();
        let token = keys.issue(&claims).unwrap();
        let again = StreamingKeys::open(ours.path()).unwrap();
        assert_eq!(again.verify(token.expose_secret()), Some(claims.clone()));
        assert_eq!(claims.tenant().as_deref(), Some("my-tenant"));
        let others = StreamingKeys::open(others.path()).unwrap();
        assert_eq!(others.verify(token.expose_secret()), None);

        let superuser = keys.superuser().unwrap();
        let superuser = keys.verify(superuser.expose_secret()).unwrap();
        assert_eq!(superuser.tenant(), None);

        let past = Claims::new("org", "my-tenant", Some(now() - 1)).unwrap();
        let past = keys.issue(&past).unwrap();
        assert_eq!(keys.verify(past.expose_secret()), None);
        let future = Claims::new("org", "my-tenant", Some(now() + 60)).unwrap();
        let future = keys.issue(&future).unwrap();
        assert!(keys.verify(future.expose_secret()).is_some());
    }

    #[test]
    fn files_are_closed_to_others_and_the_first_token_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let keys = StreamingKeys::open(folder.path()).unwrap();
        let first = keys.first("org", "t").unwrap();
        assert_eq!(keys.first("org", "t").unwrap(), first);
        for entry in fs::read_dir(folder.path()).unwrap() {
            let mode = entry.unwrap().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0);
        }
    }
}
