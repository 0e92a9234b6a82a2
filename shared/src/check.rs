//! What a value must look like. The text of an error follows the name of the setting.

use std::path::PathBuf;

use secrecy::SecretString;

/// Turns the text of a setting into its value.
pub(crate) type Check<T> = fn(&str) -> Result<T, String>;

/// A value in a message; not if somebody put a token where it does not belong.
fn shown(text: &str) -> String {
    match text.contains("AstraCS") || text.contains("eyJ") {
        true => "a token".into(),
        false => format!("{text:?}"),
    }
}

/// A token, a client id or secret: it has to fit into a header.
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

pub(crate) fn uuid(text: &str) -> Result<String, String> {
    let groups: Vec<&str> = text.split('-').collect();
    let hex = text.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    match hex && groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) {
        true => Ok(text.into()),
        false => Err(format!(
            "is {}, no UUID like 01234567-89ab-cdef-0123-456789abcdef",
            shown(text)
        )),
    }
}

/// Part of a host name or path.
pub(crate) fn word(text: &str) -> Result<String, String> {
    match text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    {
        true => Ok(text.into()),
        false => Err(format!(
            "is {}, but can only have letters, digits, -, _ and .",
            shown(text)
        )),
    }
}

/// What Cassandra takes as the name of a keyspace; needs no encoding in a URL.
pub(crate) fn identifier(text: &str) -> Result<String, String> {
    match text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        true => Ok(text.into()),
        false => Err(format!(
            "is {}, but a keyspace only has letters, digits and _",
            shown(text)
        )),
    }
}

pub(crate) fn http_url(text: &str) -> Result<String, String> {
    url(text, "https://", "http://")
}

pub(crate) fn pulsar_url(text: &str) -> Result<String, String> {
    url(text, "pulsar+ssl://", "pulsar://")
}

/// A URL with a host, and nothing in it that would stand in the way of a longer path.
fn url(text: &str, tls: &str, plain: &str) -> Result<String, String> {
    let Some(rest) = text.strip_prefix(tls).or(text.strip_prefix(plain)) else {
        return Err(format!(
            "is {}, but must begin with {tls} or {plain}",
            shown(text)
        ));
    };
    if rest.contains(|c: char| !c.is_ascii_graphic() || "?#@\"'".contains(c)) {
        return Err(
            "has a blank, a quote, ?, # or @ in it: only scheme, host, port and path".into(),
        );
    }
    match rest.starts_with(['/', ':']) || rest.is_empty() {
        true => Err(format!("is {}, which has no host", shown(text))),
        false => Ok(text.trim_end_matches('/').into()),
    }
}

pub(crate) fn path(text: &str) -> Result<PathBuf, String> {
    Ok(text.into())
}

pub(crate) fn bundle(text: &str) -> Result<PathBuf, String> {
    match PathBuf::from(text) {
        path if path.is_file() => Ok(path),
        _ => Err(format!(
            "is {}, but there is no such file (~ and $NAME stay as they are)",
            shown(text)
        )),
    }
}

/// `host:port,host:port`
pub(crate) fn list(text: &str) -> Result<Vec<String>, String> {
    Ok(text
        .split([',', ' '])
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect())
}
