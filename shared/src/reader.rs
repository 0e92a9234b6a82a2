//! Looks settings up, and collects what is missing or wrong.

use std::ffi::OsString;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use crate::DATABASE_TOKEN;
use crate::check::{Check, http_url, identifier, login, token, uuid, word};
use crate::dotenv::Dotenv;
use crate::names::*;

/// Everything that is missing or wrong, as a text for the terminal.
#[derive(Debug)]
pub struct Problems(String);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Problems {}

/// A sample, whose settings are known from reading them once.
pub struct Sample {
    pub name: &'static str,
    pub(crate) constructor: fn(&mut Reader),
}

impl Sample {
    /// Returns the settings that the sample reads, in the order of [`ALL`].
    pub fn settings(&self) -> Vec<Setting> {
        let mut reader = Reader::new(&|_| None, Dotenv::absent(String::new()));
        (self.constructor)(&mut reader);
        let mut settings = ALL.to_vec();
        settings.retain(|setting| reader.asked.contains(setting));
        settings
    }
}

/// Reads the settings of a sample with its constructor.
pub(crate) fn read<T>(sample: &str, constructor: fn(&mut Reader) -> T) -> Result<T, Problems> {
    let folder = std::env::current_dir().unwrap_or_default();
    let environment = |name: &str| std::env::var_os(name);
    let mut reader = Reader::new(&environment, Dotenv::find(&folder));
    let settings = constructor(&mut reader);
    reader.finish(sample, settings)
}

/// Records the requested settings. A failed look-up returns an empty value, and `finish` then returns the error.
pub(crate) struct Reader<'a> {
    environment: &'a dyn Fn(&str) -> Option<OsString>,
    dotenv: Dotenv,
    asked: Vec<Setting>,
    missing: Vec<Setting>,
    wrong: Vec<(Setting, String)>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(environment: &'a dyn Fn(&str) -> Option<OsString>, dotenv: Dotenv) -> Self {
        Self {
            environment,
            dotenv,
            asked: Vec::new(),
            missing: Vec::new(),
            wrong: Vec::new(),
        }
    }

    /// Returns the first of the settings that is set and not empty.
    pub(crate) fn find<T: Default>(&mut self, settings: &[Setting], check: Check<T>) -> Option<T> {
        self.asked.extend(settings);
        let (setting, text) = settings
            .iter()
            .filter_map(|setting| Some((*setting, self.text(setting.name)?)))
            .find(|(_, text)| text.as_deref() != Ok(""))?;
        let value = text.and_then(|text| check(&text));
        Some(value.unwrap_or_else(|problem| {
            self.wrong(setting, problem);
            T::default()
        }))
    }

    /// The text of a name in the environment, else in `.env`.
    fn text(&self, name: &str) -> Option<Result<String, String>> {
        if let Some(text) = (self.environment)(name) {
            return Some(text.into_string().map_err(|_| "is not UTF-8".into()));
        }
        let (_, text) = self.dotenv.lines.get(name)?;
        Some(text.clone())
    }

    /// As `find`. If none is set, the first one is missing.
    pub(crate) fn need<T: Default>(&mut self, settings: &[Setting], check: Check<T>) -> T {
        self.find(settings, check).unwrap_or_else(|| {
            self.missing.push(settings[0]);
            T::default()
        })
    }

    /// Returns the first URL that is set, else `path` at the endpoint of the database.
    pub(crate) fn database_url(&mut self, settings: &[Setting], path: &str) -> String {
        if let Some(url) = self.find(settings, http_url) {
            // Version 1 of the Astra CLI omits this slash.
            return url.replace("/apigraphql-", "/api/graphql-");
        }
        let endpoint = self
            .find(&[ASTRA_DB_API_ENDPOINT], http_url)
            .unwrap_or_else(|| {
                let id = self.need(&[ASTRA_DB_ID], uuid);
                let region = self.need(&[ASTRA_DB_REGION], word);
                format!("https://{id}-{region}.apps.astra.datastax.com")
            });
        endpoint + path
    }

    pub(crate) fn graphql_url(&mut self) -> String {
        let keyspace = self.need(&[ASTRA_DB_KEYSPACE], identifier);
        let path = format!("/graphql/{keyspace}");
        let url = self.database_url(&[ASTRA_DB_GRAPHQL_URL], &format!("/api{path}"));
        if !keyspace.is_empty() && !url.ends_with(&path) {
            let problem = format!("is {url:?}, but must end in {path}");
            self.wrong(ASTRA_DB_GRAPHQL_URL, problem);
        }
        url
    }

    /// Returns the admin URL with `graphql/{keyspace}` instead of its last part.
    pub(crate) fn graphql_first_url(&mut self) -> String {
        let admin = self.database_url(&[ASTRA_DB_GRAPHQL_URL_ADMIN], "/api/graphql-admin");
        let Some(base) = admin.strip_suffix("graphql-admin") else {
            let problem = format!("is {admin:?}, but must end in graphql-admin");
            self.wrong(ASTRA_DB_GRAPHQL_URL_ADMIN, problem);
            return admin;
        };
        format!("{base}graphql/{}", self.graphql_first_keyspace())
    }

    pub(crate) fn graphql_first_keyspace(&mut self) -> String {
        let keyspace = self.need(&[ASTRA_DB_GRAPHQL_FIRST_KEYSPACE], identifier);
        let other = self.find(&[ASTRA_DB_KEYSPACE], identifier);
        if !keyspace.is_empty() && other.as_ref() == Some(&keyspace) {
            self.wrong(
                ASTRA_DB_GRAPHQL_FIRST_KEYSPACE,
                "must differ from ASTRA_DB_KEYSPACE: once a schema is deployed to a keyspace, \
                 Stargate no longer serves the CQL-first API for it"
                    .into(),
            );
        }
        keyspace
    }

    /// Returns user name and password.
    pub(crate) fn cql_login(&mut self) -> (String, SecretString) {
        let id = self.find(&[ASTRA_DB_CLIENT_ID], login);
        let secret = self.find(&[ASTRA_DB_CLIENT_SECRET], login);
        match (id, secret) {
            (Some(id), Some(secret)) => return (id.expose_secret().into(), secret),
            (None, None) => return ("token".into(), self.need(DATABASE_TOKEN, token)),
            (Some(_), None) => self.lone(ASTRA_DB_CLIENT_SECRET, ASTRA_DB_CLIENT_ID),
            (None, Some(_)) => self.lone(ASTRA_DB_CLIENT_ID, ASTRA_DB_CLIENT_SECRET),
        }
        Default::default()
    }

    fn lone(&mut self, empty: Setting, set: Setting) {
        let problem = format!("is empty, but {} is set: set both or neither", set.name);
        self.wrong(empty, problem);
    }

    /// Returns a URL of a streaming cluster, else the usual one for its cloud and region.
    pub(crate) fn cluster_url(
        &mut self,
        setting: Setting,
        check: Check<String>,
        scheme: &str,
        domain: &str,
    ) -> String {
        self.find(&[setting], check).unwrap_or_else(|| {
            let cloud = self.find(&[ASTRA_STREAMING_CLOUD], word);
            let region = self.find(&[ASTRA_STREAMING_REGION], word);
            match (cloud, region) {
                (Some(cloud), Some(region)) => {
                    format!("{scheme}pulsar-{cloud}-{}{domain}", region.replace('-', ""))
                }
                _ => self.need(&[setting], check),
            }
        })
    }

    /// Notes the first problem with a setting, and where it was set.
    fn wrong(&mut self, setting: Setting, problem: String) {
        if self.wrong.iter().any(|(noted, _)| *noted == setting) {
            return;
        }
        let name = setting.name;
        let place = match (&self.dotenv.file, self.dotenv.lines.get(name)) {
            _ if (self.environment)(name).is_some() => ", from the environment,".into(),
            (Ok(file), Some((line, _))) => format!(", line {line} of {},", file.display()),
            _ => String::new(),
        };
        self.wrong
            .push((setting, format!("{name}{place} {problem}")));
    }

    /// Returns the settings if nothing was missing or wrong.
    pub(crate) fn finish<T>(self, sample: &str, settings: T) -> Result<T, Problems> {
        let missing = ALL.iter().filter(|setting| self.missing.contains(setting));
        let missing = missing.map(
            |Setting {
                 name, what, from, ..
             }| { format!("\n  {name} is missing: {what}\n    from {from}\n") },
        );
        let wrong = self.wrong.iter();
        let wrong = wrong.map(|(_, problem)| format!("\n  {problem}\n"));
        let problems: Vec<String> = missing.chain(wrong).collect();
        let count = match problems.len() {
            0 => return Ok(settings),
            1 => "1 problem".into(),
            n => format!("{n} problems"),
        };
        let source = match self.dotenv.file {
            Ok(file) => format!(
                "The settings come from the environment and {}.",
                file.display()
            ),
            Err(why) => why,
        };
        Err(Problems(format!(
            "{sample} cannot start: {count} with its settings.\n{}\n{source}\n\
             With an Astra account (astra.datastax.com): copy .env.example to .env and fill it in.\n\
             Without one: run `cargo local run {sample}` in a clone of the samples.",
            problems.concat()
        )))
    }
}
