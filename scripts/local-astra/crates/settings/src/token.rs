//! Astra's tokens: `AstraCS:<client id>:<hex(sha256(client secret))>` (Astra DevOps API 2.3.0).

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use secrecy::{ExposeSecret, SecretString};

const PREFIX: &str = "AstraCS";
const CLIENT_ID_LENGTH: usize = 24;
const SECRET_LENGTH: usize = 128;

/// A well-formed token. Its third part is the password of the role named by its client id.
#[derive(Clone)]
pub struct Token {
    client_id: String,
    password: SecretString,
}

impl Token {
    /// Parses a token; `None` if the text is not in the form of a token.
    pub fn parse(text: &str) -> Option<Token> {
        let mut parts = text.split(':');
        let (prefix, client_id, password) = (parts.next()?, parts.next()?, parts.next()?);
        let word = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric());
        let well_formed = prefix == PREFIX
            && parts.next().is_none()
            && client_id.len() <= 64
            && word(client_id)
            && password.len() == 64
            && password.bytes().all(|b| b.is_ascii_hexdigit());
        well_formed.then(|| Token {
            client_id: client_id.to_owned(),
            password: SecretString::from(password),
        })
    }

    /// Returns the token of a client id and its secret. Both are the same login, as on Astra.
    pub fn of(client_id: &str, secret: &SecretString) -> Option<Token> {
        let password = hex(digest(&SHA256, secret.expose_secret().as_bytes()).as_ref());
        Token::parse(&format!("{PREFIX}:{client_id}:{password}"))
    }

    /// Returns the name of the Cassandra role.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Returns the password of the Cassandra role.
    pub fn password(&self) -> &SecretString {
        &self.password
    }

    /// Returns the whole token, for its owner.
    pub fn text(&self) -> SecretString {
        let password = self.password.expose_secret();
        SecretString::from(format!("{PREFIX}:{}:{password}", self.client_id))
    }

    /// Returns the SHA-256 of the whole token, a lookup key that does not reveal the token.
    pub fn digest(&self) -> Vec<u8> {
        digest(&SHA256, self.text().expose_secret().as_bytes())
            .as_ref()
            .to_vec()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({PREFIX}:{}:[REDACTED])", self.client_id)
    }
}

/// A new client id with its secret, in Astra's format.
pub struct Credentials {
    pub client_id: String,
    pub secret: SecretString,
}

impl Credentials {
    /// Generates random credentials.
    pub fn generate() -> anyhow::Result<Credentials> {
        Ok(Credentials {
            client_id: random_word(CLIENT_ID_LENGTH)?,
            secret: SecretString::from(random_word(SECRET_LENGTH)?),
        })
    }
}

fn random_word(length: usize) -> anyhow::Result<String> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut word = String::with_capacity(length);
    while word.len() < length {
        let mut bytes = [0; 64];
        rand::fill(&mut bytes).map_err(|_| anyhow::anyhow!("no random bytes from the system"))?;
        // 248 = 4 * 62: larger values would favor the first letters.
        let letters = bytes.iter().filter(|b| **b < 248);
        let letters = letters.map(|b| LETTERS[usize::from(*b) % LETTERS.len()]);
        word.extend(letters.take(length - word.len()).map(char::from));
    }
    Ok(word)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_id_with_its_secret_is_the_token() {
        let credentials = Credentials::generate().unwrap();
        let token = Token::of(&credentials.client_id, &credentials.secret).unwrap();
        let again = Token::parse(token.text().expose_secret()).unwrap();
        assert_eq!(again.client_id(), credentials.client_id);
        assert_eq!(again.digest(), token.digest());
        // sha256("abc"), a published test vector
        let abc = Token::of("id", &SecretString::from("abc")).unwrap();
        assert_eq!(
            abc.password().expose_secret(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn other_texts_are_no_tokens() {
        let hash = "0".repeat(64);
        for text in [
            String::new(),
            "00000000-dead-beef-0000-000000000000".to_owned(),
            format!("AstraCS:id:{hash}:more"),
            format!("AstraCS::{hash}"),
            format!("astracs:id:{hash}"),
            format!("AstraCS:id:{}", &hash[1..]),
            format!("AstraCS:a\"b:{hash}"),
            format!(" AstraCS:id:{hash}"),
        ] {
            assert!(Token::parse(&text).is_none(), "{text}");
        }
    }

    #[test]
    fn debug_does_not_show_the_password() {
        let token = Token::parse(&format!("AstraCS:id:{}", "ab".repeat(32))).unwrap();
        assert!(!format!("{token:?}").contains("abab"));
    }
}
