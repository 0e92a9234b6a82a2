//! The source of each value: the setting, and the environment or `.env`.

use super::*;

#[test]
fn what_both_lines_of_the_cli_write_is_enough_for_the_samples_of_a_database() {
    let folder = Folder::new("cli");
    let zip = folder.0.join("scb.zip");
    std::fs::write(&zip, "zip").unwrap();
    for dotenv in [CLI_0, CLI_1] {
        let dotenv = &dotenv.replace("@ZIP@", zip.to_str().unwrap());

        let cql = load(&[], dotenv, Cql::read).unwrap();
        assert_eq!(
            (&*cql.username, cql.password.expose_secret()),
            ("token", TOKEN)
        );
        assert!(matches!(&cql.contact, Contact::Bundle(path) if *path == zip));
        assert_eq!(cql.keyspace, "ks1");

        let rest = load(&[], dotenv, Rest::read).unwrap();
        assert_eq!(rest.token.expose_secret(), TOKEN);
        assert_eq!(
            (rest.url, &*rest.keyspace),
            (format!("{BASE}/api/rest"), "ks1")
        );

        let document = load(&[], dotenv, Document::read).unwrap();
        assert_eq!(document.url, format!("{BASE}/api/rest"));

        let graphql = load(&[], dotenv, GraphqlCqlFirst::read).unwrap();
        assert_eq!(graphql.url, format!("{BASE}/api/graphql/ks1"));
        assert_eq!(graphql.schema_url, format!("{BASE}/api/graphql-schema"));

        let own = [("ASTRA_DB_GRAPHQL_FIRST_KEYSPACE", "ks2")];
        let graphql = load(&own, dotenv, GraphqlFirst::read).unwrap();
        assert_eq!(graphql.admin_url, format!("{BASE}/api/graphql-admin"));
        assert_eq!(graphql.url, format!("{BASE}/api/graphql/ks2"));
        assert_eq!(graphql.schema_url, format!("{BASE}/api/graphql-schema"));
        assert_eq!(graphql.keyspace, "ks2");

        assert_eq!(load(&[], dotenv, Grpc::read).unwrap().url, BASE);

        let devops = load(&[], dotenv, DevopsDatabase::read).unwrap();
        assert_eq!((&*devops.database_id, &*devops.region), (ID, "us-east-1"));
        assert_eq!(devops.url, "https://api.astra.datastax.com");
        assert_eq!(devops.bundle_path.as_ref(), Some(&zip));
        load(&[], dotenv, DevopsOrganization::read).unwrap();
        let streaming = load(&[], dotenv, DevopsStreaming::read).unwrap();
        assert_eq!(
            streaming.streaming_url,
            "https://api.streaming.datastax.com"
        );
    }
}

#[test]
fn what_the_cli_writes_for_a_tenant_is_enough_for_the_pulsar_samples() {
    let client = load(&[], CLI_0_STREAMING, PulsarClient::read).unwrap();
    assert_eq!(
        (&*client.tenant, client.token.expose_secret()),
        ("mytenant", "eyJ.fake.fake")
    );
    assert_eq!(
        client.broker_url,
        "pulsar+ssl://pulsar-aws-useast2.streaming.datastax.com:6651"
    );
    assert_eq!(
        client.admin_url,
        "https://pulsar-aws-useast2.api.streaming.datastax.com"
    );
    let admin = load(&[], CLI_0_STREAMING, PulsarAdmin::read).unwrap();
    assert_eq!(admin.url, client.admin_url);
}

#[test]
fn the_urls_of_a_shared_cluster_follow_from_its_cloud_and_region() {
    let dotenv = "ASTRA_STREAMING_NAME=t\nASTRA_STREAMING_PULSAR_TOKEN=eyJ\nASTRA_STREAMING_CLOUD=aws\nASTRA_STREAMING_REGION=us-east-2";
    let client = load(&[], dotenv, PulsarClient::read).unwrap();
    assert_eq!(
        client.broker_url,
        "pulsar+ssl://pulsar-aws-useast2.streaming.datastax.com:6651"
    );
    assert_eq!(
        client.admin_url,
        "https://pulsar-aws-useast2.api.streaming.datastax.com"
    );
    let without = problems(load(
        &[("ASTRA_STREAMING_REGION", "")],
        dotenv,
        PulsarClient::read,
    ));
    assert_eq!(without.len(), 2);
    assert!(without[0].starts_with("ASTRA_STREAMING_BROKER_URL is missing"));
    assert!(without[1].starts_with("ASTRA_STREAMING_WEBSERVICE_URL is missing"));
}

#[test]
fn the_environment_wins_over_the_file_and_an_empty_name_in_it_hides_the_file() {
    let environment = [
        ("ASTRA_DB_KEYSPACE", "mine"),
        ("ASTRA_DB_REST_URL", "http://127.0.0.1:8082/"),
    ];
    let rest = load(&environment, CLI_0, Rest::read).unwrap();
    assert_eq!(
        (&*rest.url, &*rest.keyspace),
        ("http://127.0.0.1:8082", "mine")
    );

    let hidden = problems(load(&[("ASTRA_DB_KEYSPACE", "")], CLI_0, Rest::read));
    assert_eq!(hidden.len(), 1);
    assert!(
        hidden[0].starts_with("ASTRA_DB_KEYSPACE is missing"),
        "{hidden:?}"
    );

    // As `cargo local run` does: every name is set, so nothing of a hostile file gets through.
    let environment: Vec<(&str, &str)> = ALL
        .iter()
        .map(|setting| match setting.name {
            "ASTRA_DB_TOKEN" => (setting.name, "AstraCS:local"),
            "ASTRA_DB_API_ENDPOINT" => (setting.name, "https://localhost:1234"),
            "ASTRA_DB_KEYSPACE" => (setting.name, "samples"),
            name => (name, ""),
        })
        .collect();
    let hostile = format!("{CLI_0}\nASTRA_DB_DOCUMENT_URL=https://cloud");
    let document = load(&environment, &hostile, Document::read).unwrap();
    assert_eq!(document.token.expose_secret(), "AstraCS:local");
    assert_eq!(document.url, "https://localhost:1234/api/rest");
}

#[test]
fn the_first_token_that_is_set_counts() {
    let tokens = |names: &[&str]| -> String {
        names
            .iter()
            .map(|name| format!("{name}=AstraCS:{name}\n"))
            .collect()
    };
    let (app, db, org) = (
        "ASTRA_DB_APPLICATION_TOKEN",
        "ASTRA_DB_TOKEN",
        "ASTRA_ORG_TOKEN",
    );
    let cases = [
        (vec![app, db, org], app, org),
        (vec![db, org], db, org),
        (vec![app, db], app, app),
        (vec![db], db, db),
        (vec![org], org, org),
    ];
    for (set, database, devops) in cases {
        let dotenv = format!(
            "{}ASTRA_DB_API_ENDPOINT=https://h\nASTRA_DB_KEYSPACE=k",
            tokens(&set)
        );
        let rest = load(&[], &dotenv, Rest::read).unwrap();
        assert_eq!(rest.token.expose_secret(), format!("AstraCS:{database}"));
        let organization = load(&[], &dotenv, DevopsOrganization::read).unwrap();
        assert_eq!(
            organization.token.expose_secret(),
            format!("AstraCS:{devops}")
        );
    }
}

#[test]
fn urls_follow_from_the_next_best_setting() {
    let base = "ASTRA_DB_TOKEN=t\nASTRA_DB_KEYSPACE=k\n";
    let url = |more: &str| {
        load(&[], &format!("{base}{more}"), Document::read)
            .unwrap()
            .url
    };
    assert_eq!(
        url("ASTRA_DB_DOCUMENT_URL=http://d/\nASTRA_DB_REST_URL=http://r"),
        "http://d"
    );
    assert_eq!(
        url("ASTRA_DB_REST_URL=http://r//\nASTRA_DB_API_ENDPOINT=http://e"),
        "http://r"
    );
    assert_eq!(
        url("ASTRA_DB_API_ENDPOINT=http://e/\nASTRA_DB_ID=bad"),
        "http://e/api/rest"
    );
    let id = format!(
        "ASTRA_DB_ID={ID}\nASTRA_DB_REGION=us-east-1\nASTRA_DB_REST_URL=\nASTRA_DB_API_ENDPOINT="
    );
    assert_eq!(url(&id), format!("{BASE}/api/rest"));
}

#[test]
fn a_wrong_url_does_not_ask_for_the_id_as_well() {
    let dotenv = "ASTRA_DB_TOKEN=t\nASTRA_DB_KEYSPACE=k\nASTRA_DB_REST_URL=localhost:8082";
    assert_eq!(
        problems(load(&[], dotenv, Rest::read)),
        [
            "ASTRA_DB_REST_URL, line 3 of /w/.env, is \"localhost:8082\", but must begin with https:// or http://"
        ]
    );
}

#[test]
fn cql_takes_a_bundle_or_contact_points_and_either_login() {
    let base = [
        ("ASTRA_DB_KEYSPACE", "k"),
        ("CASSANDRA_CONTACT_POINTS", "a:9042, b:9043,"),
    ];
    let with = |more: &[(&str, &str)]| load(&[&base, more].concat(), "", Cql::read);

    let by_token = with(&[("ASTRA_DB_TOKEN", "t")]).unwrap();
    assert!(
        matches!(&by_token.contact, Contact::Points(points) if points == &["a:9042", "b:9043"])
    );
    assert_eq!(
        (&*by_token.username, by_token.password.expose_secret()),
        ("token", "t")
    );

    let (id, secret) = (
        ("ASTRA_DB_CLIENT_ID", "me"),
        ("ASTRA_DB_CLIENT_SECRET", "pw"),
    );
    let by_id = with(&[id, secret, ("ASTRA_DB_TOKEN", "t")]).unwrap();
    assert_eq!(
        (&*by_id.username, by_id.password.expose_secret()),
        ("me", "pw")
    );

    assert_eq!(
        problems(with(&[id, ("ASTRA_DB_TOKEN", "t")])),
        ["ASTRA_DB_CLIENT_SECRET is empty, but ASTRA_DB_CLIENT_ID is set: set both or neither"]
    );
    assert_eq!(
        problems(with(&[secret])),
        ["ASTRA_DB_CLIENT_ID is empty, but ASTRA_DB_CLIENT_SECRET is set: set both or neither"]
    );

    let nowhere = [
        ("ASTRA_DB_KEYSPACE", "k"),
        ("ASTRA_DB_TOKEN", "t"),
        ("ASTRA_DB_SECURE_BUNDLE_PATH", "/no/x.zip"),
    ];
    assert_eq!(
        problems(load(&nowhere, "", Cql::read)),
        [
            "ASTRA_DB_SECURE_BUNDLE_PATH, from the environment, is \"/no/x.zip\", but there is no such file \
          (~ and $NAME are not expanded)"
        ]
    );
    // The sample that writes the bundle does not mind.
    let devops = [
        &nowhere[..],
        &[("ASTRA_DB_ID", ID), ("ASTRA_DB_REGION", "r")],
    ]
    .concat();
    let devops = load(&devops, "", DevopsDatabase::read).unwrap();
    assert_eq!(devops.bundle_path.as_deref(), Some(Path::new("/no/x.zip")));
}

#[test]
fn a_cassandra_of_your_own_takes_any_user_and_password() {
    for text in [
        "correct horse battery",
        " padded ",
        "Müller99",
        "it's 'quoted'",
        "\"quoted\"",
        "'quoted'",
        "a\tb",
        "パスワード",
        "$HOME `x` \\ #1",
    ] {
        let environment = [
            ("CASSANDRA_CONTACT_POINTS", "127.0.0.1:9042"),
            ("ASTRA_DB_KEYSPACE", "k"),
            ("ASTRA_DB_CLIENT_ID", text),
            ("ASTRA_DB_CLIENT_SECRET", text),
        ];
        let cql = load(&environment, "", Cql::read).unwrap();
        assert_eq!((&*cql.username, cql.password.expose_secret()), (text, text));
    }
}

#[test]
fn graphql_urls_must_fit_their_keyspaces() {
    let other = problems(load(
        &[("ASTRA_DB_KEYSPACE", "ks2")],
        CLI_0,
        GraphqlCqlFirst::read,
    ));
    assert_eq!(
        other,
        [format!(
            "ASTRA_DB_GRAPHQL_URL, line 3 of /w/.env, is \"{BASE}/api/graphql/ks1\", but must end in /graphql/ks2"
        )]
    );
    let same = problems(load(
        &[("ASTRA_DB_GRAPHQL_FIRST_KEYSPACE", "ks1")],
        CLI_0,
        GraphqlFirst::read,
    ));
    assert_eq!(
        same,
        [
            "ASTRA_DB_GRAPHQL_FIRST_KEYSPACE, from the environment, must differ from ASTRA_DB_KEYSPACE: \
          once a schema is deployed to a keyspace, Stargate no longer serves the CQL-first API for it"
        ]
    );
    let own = [
        ("ASTRA_DB_GRAPHQL_FIRST_KEYSPACE", "ks2"),
        ("ASTRA_DB_GRAPHQL_URL_ADMIN", "http://h/admin"),
    ];
    let admin = problems(load(&own, CLI_0, GraphqlFirst::read));
    assert_eq!(
        admin,
        [
            "ASTRA_DB_GRAPHQL_URL_ADMIN, from the environment, is \"http://h/admin\", but must end in graphql-admin"
        ]
    );
    // Missing keyspaces are just missing.
    assert_eq!(
        problems(load(
            &[("ASTRA_DB_KEYSPACE", "")],
            CLI_0,
            GraphqlCqlFirst::read
        ))
        .len(),
        1
    );
    assert_eq!(
        problems(load(
            &[("ASTRA_DB_KEYSPACE", "")],
            CLI_0,
            GraphqlFirst::read
        ))
        .len(),
        1
    );
    let wrong = [
        ("ASTRA_DB_KEYSPACE", "-"),
        ("ASTRA_DB_GRAPHQL_FIRST_KEYSPACE", "+"),
    ];
    assert_eq!(problems(load(&wrong, CLI_0, GraphqlFirst::read)).len(), 2);
}
