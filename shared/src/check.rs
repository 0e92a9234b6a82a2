//! The form that a value must have. The text of an error follows the name of the setting.

use std::path::PathBuf;

use secrecy::SecretString;

/// Converts the text of a setting to its value.
pub(crate) type Check<T> = fn(&str) -> Result<T, String>;

/// A value for a message, unless it is a token in the wrong place.
fn shown(text: &str) -> String {
    if text.contains("AstraCS") || text.contains("eyJ") {
        "a token".into()
    } else {
        format!("{text:?}")
    }
}

/// A token that is sent in an HTTP header.
pub(crate) fn token(text: &str) -> Result<SecretString, String> {
    if text.starts_with(['"', '\'']) || text.ends_with(['"', '\'']) {
        return Err("has quotes around it that are part of the value: remove them".into());
    }
    match text.chars().find(|c| !c.is_ascii_graphic()) {
        None => Ok(text.into()),
        Some(c) if c.is_whitespace() => Err("has a blank in or around it: remove it".into()),
        Some(_) => Err("has a character that no token has: copy it again".into()),
    }
}

/// A user name or password, which may have any characters.
pub(crate) fn login(text: &str) -> Result<SecretString, String> {
    Ok(text.into())
}

pub(crate) fn uuid(text: &str) -> Result<String, String> {
    let lengths = text.split('-').map(str::len);
    let hex = text.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    if hex && lengths.eq([8, 4, 4, 4, 12]) {
        Ok(text.into())
    } else {
        let value = shown(text);
        Err(format!(
            "is {value}, but must be a UUID like 01234567-89ab-cdef-0123-456789abcdef"
        ))
    }
}

/// A part of a host name or path.
pub(crate) fn word(text: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if text.chars().all(allowed) {
        Ok(text.into())
    } else {
        let value = shown(text);
        Err(format!(
            "is {value}, but can only have letters, digits, -, _ and ."
        ))
    }
}

/// The name of a keyspace, which needs no encoding in a URL.
pub(crate) fn identifier(text: &str) -> Result<String, String> {
    if text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        Ok(text.into())
    } else {
        let value = shown(text);
        Err(format!(
            "is {value}, but a keyspace can only have letters, digits and _"
        ))
    }
}

pub(crate) fn http_url(text: &str) -> Result<String, String> {
    url(text, "https://", "http://")
}

pub(crate) fn pulsar_url(text: &str) -> Result<String, String> {
    url(text, "pulsar+ssl://", "pulsar://")
}

/// A URL with a host and without query, fragment and user, so that a path can be appended.
fn url(text: &str, tls: &str, plain: &str) -> Result<String, String> {
    let Some(rest) = text.strip_prefix(tls).or(text.strip_prefix(plain)) else {
        let value = shown(text);
        return Err(format!("is {value}, but must begin with {tls} or {plain}"));
    };
    if rest.contains(|c: char| !c.is_ascii_graphic() || "?#@\"'".contains(c)) {
        return Err(
            "has a blank, a quote, ?, # or @ in it: write only scheme, host, port and path".into(),
        );
    }
    if rest.is_empty() || rest.starts_with(['/', ':']) {
        return Err(format!("is {}, which has no host", shown(text)));
    }
    Ok(text.trim_end_matches('/').into())
}

pub(crate) fn path(text: &str) -> Result<PathBuf, String> {
    Ok(text.into())
}

/// The path of an existing file.
pub(crate) fn file(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.is_file() {
        Ok(path)
    } else {
        let value = shown(text);
        Err(format!(
            "is {value}, but there is no such file (~ and $NAME are not expanded)"
        ))
    }
}

/// `host:port,host:port`
pub(crate) fn list(text: &str) -> Result<Vec<String>, String> {
    let parts = text.split([',', ' ']).filter(|part| !part.is_empty());
    Ok(parts.map(str::to_owned).collect())
}
