//! Looks settings up, and collects what is missing or wrong.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use crate::DATABASE_TOKEN;
use crate::check::{Check, http_url, identifier, token, uuid, word};
use crate::dotenv::Dotenv;
use crate::names::ALL;

/// Everything that is missing or wrong, as a text for the terminal.
#[derive(Debug)]
pub struct Problems(String);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Problems {}

/// Reads the settings of `sample` by its constructor.
pub(crate) fn read<T>(sample: &str, constructor: fn(&mut Reader) -> T) -> Result<T, Problems> {
    let environment = |name: &str| Some(std::env::var_os(name)?.to_string_lossy().into_owned());
    let folder = std::env::current_dir().unwrap_or_default();
    let mut reader = Reader::new(&environment, Dotenv::find(&folder));
    let settings = constructor(&mut reader);
    reader.finish(sample, settings)
}

/// A look-up that fails is noted and answered with an empty value; `finish` then holds the settings back.
pub(crate) struct Reader<'a> {
    environment: &'a dyn Fn(&str) -> Option<String>,
    dotenv: Dotenv,
    missing: Vec<&'static str>,
    wrong: Vec<(&'static str, String)>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(environment: &'a dyn Fn(&str) -> Option<String>, dotenv: Dotenv) -> Self {
        Self {
            environment,
            dotenv,
            missing: Vec::new(),
            wrong: Vec::new(),
        }
    }

    /// The first of `names` that is set and not empty.
    pub(crate) fn find<T: Default>(
        &mut self,
        names: &[&'static str],
        check: Check<T>,
    ) -> Option<T> {
        for name in names {
            let text = match ((self.environment)(name), self.dotenv.lines.get(*name)) {
                (Some(text), _) => Ok(text),
                (None, Some((_, Some(text)))) => Ok(text.clone()),
                (None, Some((_, None))) => Err(format!("cannot be read: write {name}=value")),
                (None, None) => continue,
            };
            if text.as_deref() != Ok("") {
                return Some(
                    text.and_then(|text| check(&text))
                        .unwrap_or_else(|problem| {
                            self.wrong(name, problem);
                            T::default()
                        }),
                );
            }
        }
        None
    }

    /// As `find`; if none is set, the first of `names` is missing.
    pub(crate) fn need<T: Default>(&mut self, names: &[&'static str], check: Check<T>) -> T {
        self.find(names, check).unwrap_or_else(|| {
            if !self.missing.contains(&names[0]) {
                self.missing.push(names[0]);
            }
            T::default()
        })
    }

    /// The first URL that is set, else `path` at the endpoint of the database.
    pub(crate) fn database_url(&mut self, names: &[&'static str], path: &str) -> String {
        if let Some(url) = self.find(names, http_url) {
            // Version 1 of the Astra CLI forgets this slash.
            return url.replace("/apigraphql-", "/api/graphql-");
        }
        let endpoint = self
            .find(&["ASTRA_DB_API_ENDPOINT"], http_url)
            .unwrap_or_else(|| {
                let id = self.need(&["ASTRA_DB_ID"], uuid);
                let region = self.need(&["ASTRA_DB_REGION"], word);
                format!("https://{id}-{region}.apps.astra.datastax.com")
            });
        endpoint + path
    }

    pub(crate) fn graphql_url(&mut self) -> String {
        let keyspace = self.need(&["ASTRA_DB_KEYSPACE"], identifier);
        let path = format!("/graphql/{keyspace}");
        let url = self.database_url(&["ASTRA_DB_GRAPHQL_URL"], &format!("/api{path}"));
        if !keyspace.is_empty() && !url.ends_with(&path) {
            self.wrong(
                "ASTRA_DB_GRAPHQL_URL",
                format!("is {url:?}, but must end in {path}"),
            );
        }
        url
    }

    /// The admin URL, but for the keyspace.
    pub(crate) fn graphql_first_url(&mut self) -> String {
        const NAME: &str = "ASTRA_DB_GRAPHQL_URL_ADMIN";
        let admin = self.database_url(&[NAME], "/api/graphql-admin");
        let Some(base) = admin.strip_suffix("graphql-admin") else {
            self.wrong(NAME, format!("is {admin:?}, but must end in graphql-admin"));
            return admin;
        };
        format!("{base}graphql/{}", self.graphql_first_keyspace())
    }

    pub(crate) fn graphql_first_keyspace(&mut self) -> String {
        const NAME: &str = "ASTRA_DB_GRAPHQL_FIRST_KEYSPACE";
        let keyspace = self.need(&[NAME], identifier);
        let other = self.find(&["ASTRA_DB_KEYSPACE"], identifier);
        if !keyspace.is_empty() && other.is_some_and(|other| other == keyspace) {
            let why = "a schema deployed there ends the CQL-first API of a keyspace for good";
            self.wrong(
                NAME,
                format!("must not be the keyspace of ASTRA_DB_KEYSPACE: {why}"),
            );
        }
        keyspace
    }

    /// User name and password.
    pub(crate) fn cql_login(&mut self) -> (String, SecretString) {
        const ID: &str = "ASTRA_DB_CLIENT_ID";
        const SECRET: &str = "ASTRA_DB_CLIENT_SECRET";
        match (self.find(&[ID], token), self.find(&[SECRET], token)) {
            (Some(id), Some(secret)) => return (id.expose_secret().into(), secret),
            (None, None) => return ("token".into(), self.need(DATABASE_TOKEN, token)),
            (Some(_), None) => self.wrong(
                SECRET,
                format!("is empty, {ID} is not: set both or neither"),
            ),
            (None, Some(_)) => self.wrong(
                ID,
                format!("is empty, {SECRET} is not: set both or neither"),
            ),
        }
        Default::default()
    }

    /// A URL of a streaming cluster, else the usual one for its cloud and region.
    pub(crate) fn cluster_url(
        &mut self,
        name: &'static str,
        check: Check<String>,
        scheme: &str,
        domain: &str,
    ) -> String {
        self.find(&[name], check).unwrap_or_else(|| {
            let cloud = self.find(&["ASTRA_STREAMING_CLOUD"], word);
            let region = self.find(&["ASTRA_STREAMING_REGION"], word);
            match (cloud, region) {
                (Some(cloud), Some(region)) => {
                    format!("{scheme}pulsar-{cloud}-{}{domain}", region.replace('-', ""))
                }
                _ => self.need(&[name], check),
            }
        })
    }

    /// Notes the first problem with `name`, and where it was set.
    fn wrong(&mut self, name: &'static str, problem: String) {
        if self.wrong.iter().any(|(noted, _)| *noted == name) {
            return;
        }
        let place = match (&self.dotenv.file, self.dotenv.lines.get(name)) {
            _ if (self.environment)(name).is_some() => ", from the environment,".into(),
            (Ok(file), Some((line, _))) => format!(", line {line} of {},", file.display()),
            _ => String::new(),
        };
        self.wrong.push((name, format!("{name}{place} {problem}")));
    }

    /// The settings, if nothing was missing or wrong.
    pub(crate) fn finish<T>(self, sample: &str, settings: T) -> Result<T, Problems> {
        let missing = ALL
            .iter()
            .filter(|setting| self.missing.contains(&setting.name));
        let missing = missing.map(|s| {
            format!(
                "\n  {} is missing: {}\n    from {}\n",
                s.name, s.what, s.get
            )
        });
        let wrong = self
            .wrong
            .into_iter()
            .map(|(_, problem)| format!("\n  {problem}\n"));
        let problems: Vec<String> = missing.chain(wrong).collect();
        if problems.is_empty() {
            return Ok(settings);
        }
        let count = match problems.len() {
            1 => "1 problem".into(),
            n => format!("{n} problems"),
        };
        let searched = match self.dotenv.file {
            Ok(file) => format!("Besides the environment, {} was read.", file.display()),
            Err(why) => why,
        };
        Err(Problems(format!(
            "{sample} cannot start, {count} with its settings.\n{}\n{searched}\n\
             With an Astra account (console: astra.datastax.com): fill in a .env, as .env.example tells.\n\
             With no account: `cargo local run {sample}` in a clone of the samples needs none of them.",
            problems.concat()
        )))
    }
}
