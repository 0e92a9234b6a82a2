//! Messages for users about missing or invalid settings.

use super::*;

#[test]
fn values_of_a_wrong_form_each_have_their_message() {
    let base = [
        ("ASTRA_ORG_TOKEN", "t"),
        ("ASTRA_DB_ID", ID),
        ("ASTRA_DB_REGION", "r"),
        ("ASTRA_DB_KEYSPACE", "k"),
    ];
    for (name, value, message) in [
        (
            "ASTRA_DB_ID",
            "demo",
            "is \"demo\", but must be a UUID like 01234567-89ab-cdef-0123-456789abcdef",
        ),
        (
            "ASTRA_DB_ID",
            "a6b5cb4c00004000-8000-000000000002",
            "must be a UUID",
        ),
        (
            "ASTRA_DB_ID",
            "a6b5cb4c-0000-4000-8000-00000000000g",
            "must be a UUID",
        ),
        (
            "ASTRA_DB_REGION",
            "us east",
            "is \"us east\", but can only have letters, digits, -, _ and .",
        ),
        ("ASTRA_DB_REGION", "x.com/", "can only have"),
        (
            "ASTRA_DB_KEYSPACE",
            "my-ks",
            "is \"my-ks\", but a keyspace can only have letters, digits and _",
        ),
        ("ASTRA_DB_KEYSPACE", "a/b?c", "a keyspace can only have"),
        (
            "ASTRA_DB_REST_URL",
            "db.apps.astra.datastax.com",
            "must begin with https:// or http://",
        ),
        (
            "ASTRA_DB_REST_URL",
            "https://",
            "is \"https://\", which has no host",
        ),
        ("ASTRA_DB_REST_URL", "https:///v2", "which has no host"),
        ("ASTRA_DB_REST_URL", "http://:80", "which has no host"),
        (
            "ASTRA_DB_REST_URL",
            "http://h ",
            "has a blank, a quote, ?, # or @ in it: write",
        ),
        (
            "ASTRA_DB_REST_URL",
            "http://me:secret@h",
            "has a blank, a quote, ?, # or @ in it: write",
        ),
        (
            "ASTRA_DB_REST_URL",
            "http://h?x",
            "has a blank, a quote, ?, # or @ in it: write",
        ),
        (
            "ASTRA_DB_API_ENDPOINT",
            "\"https://h\"",
            "must begin with https:// or http://",
        ),
        (
            "ASTRA_ORG_TOKEN",
            "'AstraCS:x'",
            "has quotes around it that are part of the value: remove them",
        ),
        ("ASTRA_ORG_TOKEN", "\"AstraCS:x\"", "has quotes around it"),
        (
            "ASTRA_ORG_TOKEN",
            " AstraCS:x",
            "has a blank in or around it: remove it",
        ),
        (
            "ASTRA_ORG_TOKEN",
            "AstraCS:x\n",
            "has a blank in or around it",
        ),
        (
            "ASTRA_ORG_TOKEN",
            "AstraCS:\u{201C}x",
            "has a character that no token has: copy it again",
        ),
    ] {
        let mut environment = vec![(name, value)];
        environment.extend(base);
        let found = problems(load(&environment, "", Rest::read));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with(&format!("{name}, from the environment, ")),
            "{found:?}"
        );
        assert!(found[0].contains(message), "{found:?}");
    }
}

#[test]
fn a_token_in_the_wrong_place_is_not_shown() {
    for name in [
        "ASTRA_DB_ID",
        "ASTRA_DB_REGION",
        "ASTRA_DB_KEYSPACE",
        "ASTRA_DB_REST_URL",
    ] {
        let mut environment = vec![(name, TOKEN), ("ASTRA_DB_TOKEN", " AstraCS:FAKEfake")];
        environment.extend([
            ("ASTRA_DB_ID", ID),
            ("ASTRA_DB_REGION", "r"),
            ("ASTRA_DB_KEYSPACE", "k"),
        ]);
        let text = load(&environment, "", Rest::read).unwrap_err();
        assert!(text.contains("is a token, "), "{text}");
        assert!(!text.contains("FAKE"), "{text}");
    }
    let bundle = [
        ("ASTRA_DB_SECURE_BUNDLE_PATH", TOKEN),
        ("ASTRA_DB_TOKEN", "t"),
        ("ASTRA_DB_KEYSPACE", "k"),
    ];
    let text = load(&bundle, "", Cql::read).unwrap_err();
    assert!(
        text.contains("is a token, but there is no such file") && !text.contains("FAKE"),
        "{text}"
    );
}

#[test]
fn everything_missing_comes_in_one_message_with_both_ways_out() {
    let text = load(&[], "ASTRA_DB_REGION=a/b", Rest::read).unwrap_err();
    let expected = "\
a-sample cannot start: 4 problems with its settings.

  ASTRA_DB_APPLICATION_TOKEN is missing: application token for a database, AstraCS:...
    from `astra db create-dotenv DB`, or Settings > Tokens in the console (role Database Administrator)

  ASTRA_DB_ID is missing: id of the database, a UUID
    from `astra db create-dotenv DB`, or the page of the database in the console

  ASTRA_DB_KEYSPACE is missing: keyspace in which the samples create their tables
    from `astra db create-keyspace DB -k NAME`, or the page of the database in the console

  ASTRA_DB_REGION, line 1 of /w/.env, is \"a/b\", but can only have letters, digits, -, _ and .

The settings come from the environment and /w/.env.
With an Astra account (astra.datastax.com): copy .env.example to .env and fill it in.
Without one: run `cargo local run a-sample` in a clone of the samples.";
    assert_eq!(text, expected);
}

#[test]
fn every_missing_setting_says_how_to_get_it() {
    for sample in SAMPLES {
        let text = load(&[], "", sample.constructor).unwrap_err();
        for line in text.lines().filter(|line| line.contains(" is missing: ")) {
            let name = line.trim().split(' ').next().unwrap();
            let setting = ALL.iter().find(|setting| setting.name == name).unwrap();
            assert_eq!(text.matches(setting.what).count(), 1, "{text}");
            assert!(
                setting.from.contains("`astra ") && setting.from.contains("console"),
                "{name}"
            );
        }
        assert!(text.contains("cargo local run a-sample"));
    }
}

#[test]
fn no_struct_shows_a_token_or_password() {
    let folder = Folder::new("debug");
    let zip = folder.0.join("scb.zip");
    std::fs::write(&zip, "zip").unwrap();
    let dotenv = CLI_0.replace("@ZIP@", zip.to_str().unwrap()) + CLI_0_STREAMING;
    let extra = [
        ("ASTRA_DB_GRAPHQL_FIRST_KEYSPACE", "ks2"),
        ("ASTRA_DB_CLIENT_ID", "id"),
        ("ASTRA_DB_CLIENT_SECRET", "eyJ-pass"),
    ];
    fn show<T: std::fmt::Debug>(settings: Result<T, String>) -> String {
        format!(
            "{:?} {:#?}",
            settings.as_ref().unwrap(),
            settings.as_ref().unwrap()
        )
    }
    for text in [
        show(load(&extra, &dotenv, Cql::read)),
        show(load(&[], &dotenv, Cql::read)),
        show(load(&[], &dotenv, Rest::read)),
        show(load(&[], &dotenv, Document::read)),
        show(load(&[], &dotenv, GraphqlCqlFirst::read)),
        show(load(&extra, &dotenv, GraphqlFirst::read)),
        show(load(&[], &dotenv, Grpc::read)),
        show(load(&[], &dotenv, PulsarClient::read)),
        show(load(&[], &dotenv, PulsarAdmin::read)),
        show(load(&[], &dotenv, DevopsDatabase::read)),
        show(load(&[], &dotenv, DevopsOrganization::read)),
        show(load(&[], &dotenv, DevopsStreaming::read)),
    ] {
        assert!(text.contains("REDACTED"), "{text}");
        assert!(!text.contains("AstraCS") && !text.contains("eyJ"), "{text}");
    }
}
