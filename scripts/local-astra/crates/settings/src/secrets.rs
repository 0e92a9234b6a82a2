//! Tokens and passwords of a data folder, generated at its first start.

use std::path::Path;

use anyhow::{Context, Result};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::streaming::StreamingKeys;
use super::token::{Credentials, Token};
use super::{ORGANIZATION_ID, TENANT, read_json, write_first_json};

/// The secrets of a data folder. `Debug` shows none of them.
pub struct Secrets {
    /// The password of Cassandra's superuser.
    pub admin: SecretString,
    /// Token under Astra's rules.
    pub application: Login,
    /// Token with the rights of a self-hosted Stargate.
    pub operator: Login,
    /// The first streaming tenant's token, a JWT.
    pub tenant: SecretString,
    /// The role in that token. It administers the tenant.
    pub tenant_role: String,
}

/// A token with its client id and secret.
pub struct Login {
    pub client_id: String,
    pub secret: SecretString,
    pub token: Token,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    admin: String,
    application: StoredLogin,
    operator: StoredLogin,
}

#[derive(Serialize, Deserialize)]
struct StoredLogin {
    client_id: String,
    secret: String,
}

impl Secrets {
    /// Reads the secrets of a data folder, or generates new ones.
    ///
    /// # Errors
    /// The file cannot be read or written, or is invalid.
    pub fn of(data: &Path) -> Result<Secrets> {
        let file = data.join("secrets.json");
        let stored = match read_json::<Stored>(&file)? {
            Some(stored) => stored,
            None => {
                let stored = Stored {
                    admin: Credentials::generate()?.secret.expose_secret().to_owned(),
                    application: StoredLogin::generate()?,
                    operator: StoredLogin::generate()?,
                };
                if !write_first_json(&file, &stored)? {
                    // If two processes generate them at once, the first ones are kept.
                    return Secrets::of(data);
                }
                stored
            }
        };
        let keys = StreamingKeys::open(&data.join("streaming"))?;
        let tenant = keys.first(ORGANIZATION_ID, TENANT)?;
        Ok(Secrets {
            tenant: keys.issue(&tenant)?,
            tenant_role: tenant.sub,
            admin: stored.admin.into(),
            application: stored.application.login().with_context(|| damaged(&file))?,
            operator: stored.operator.login().with_context(|| damaged(&file))?,
        })
    }
}

fn damaged(file: &Path) -> String {
    format!("{} holds a client id that is none", file.display())
}

impl StoredLogin {
    fn generate() -> Result<StoredLogin> {
        let credentials = Credentials::generate()?;
        Ok(StoredLogin {
            client_id: credentials.client_id,
            secret: credentials.secret.expose_secret().to_owned(),
        })
    }

    fn login(self) -> Option<Login> {
        let secret = SecretString::from(self.secret);
        Some(Login {
            token: Token::of(&self.client_id, &secret)?,
            client_id: self.client_id,
            secret,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_kept_and_closed_to_others() {
        let data = tempfile::tempdir().unwrap();
        let first = Secrets::of(data.path()).unwrap();
        let again = Secrets::of(data.path()).unwrap();
        assert_eq!(again.operator.client_id, first.operator.client_id);
        assert_eq!(
            again.application.token.text().expose_secret(),
            first.application.token.text().expose_secret()
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let file = data.path().join("secrets.json");
            let mode = std::fs::metadata(file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
