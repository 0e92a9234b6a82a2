//! The GraphQL samples, whose table has a fixed name. They remove what a killed run left, and do not touch any other
//! table.

use super::failures::{refused, through};
use crate::astra::{LocalAstra, Sample, block_on, local_astra, samples};
use crate::http::{self, Then};
use crate::samples::{story, told};

const COLUMNS: &str = "title text PRIMARY KEY, author text, year int";

fn graphql_samples() -> impl Iterator<Item = &'static Sample> {
    samples()
        .iter()
        .filter(|sample| sample.name.starts_with("graphql"))
}

/// Runs statements as the operator; `BOOKS` stands for the samples' table.
fn cql(astra: &LocalAstra, keyspace: &str, statements: &[&str]) {
    block_on(async {
        let session = astra.cql().await;
        for statement in statements {
            let cql = statement.replace("BOOKS", &format!("{keyspace}.rust_sample_books"));
            session.query_unpaged(cql, ()).await.unwrap();
        }
    });
}

/// Creates the table with these columns, and a row per text.
fn create(astra: &LocalAstra, keyspace: &str, columns: &str, rows: &[&str]) {
    cql(
        astra,
        keyspace,
        &[&format!(
            "CREATE TABLE {keyspace}.rust_sample_books ({columns})"
        )],
    );
    for row in rows {
        cql(
            astra,
            keyspace,
            &[&format!(
                "INSERT INTO BOOKS (title, author, year) VALUES ({row})"
            )],
        );
    }
}

/// Checks that the next run reports the removal of leftovers, and leaves nothing.
fn gets_over(astra: &LocalAstra, sample: &Sample, keyspace: &str) {
    let ended = sample.run(&sample.settings_in(astra, keyspace));
    told(&ended, story(&sample.name));
    assert!(ended.out.contains("a killed run left"), "{ended:#?}");
    assert_eq!(astra.left_in(keyspace), [""; 0], "{ended:#?}");
}

#[test]
fn whenever_a_run_is_killed_the_next_one_gets_over_it() {
    let astra = local_astra();
    for sample in graphql_samples() {
        for whole in 2..=9 {
            let keyspace = astra.keyspace();
            let proxy = http::failing(astra.layout.ports.plain, whole, Then::Stall);
            let settings = through(astra, &sample.settings_in(astra, &keyspace), proxy.port);
            let running = proxy.wait_past(whole, sample.start(&settings));
            assert_eq!(astra.left_in(&keyspace), ["rust_sample_books"]);
            running.kill();
            gets_over(astra, sample, &keyspace);
        }
    }
}

#[test]
fn a_table_with_none_but_the_samples_rows_is_a_leftover() {
    let astra = local_astra();
    for sample in graphql_samples() {
        for rows in [
            &[][..],
            &["'Emma', 'Jane Austen', 1815"],
            &[
                "'Emma', 'Jane Austen', 1815",
                "'Persuasion', 'Jane Austen', 1818",
            ],
            &["'Persuasion', 'Jane Austen', 1817"],
        ] {
            let keyspace = astra.keyspace();
            create(astra, &keyspace, COLUMNS, rows);
            gets_over(astra, sample, &keyspace);
        }
    }
}

#[test]
fn a_deployment_that_was_cut_off_is_forced() {
    let astra = local_astra();
    for sample in graphql_samples().filter(|sample| sample.name == "graphql-first-sample") {
        let (used, fresh) = (astra.keyspace(), astra.keyspace());
        told(
            &sample.run(&sample.settings_in(astra, &used)),
            story(&sample.name),
        );
        for keyspace in [&used, &fresh] {
            create(astra, keyspace, COLUMNS, &[]);
            let lock = format!(
                "UPDATE stargate_graphql.schema_source SET deployment_in_progress = true \
                 WHERE keyspace_name = '{keyspace}'"
            );
            cql(astra, keyspace, &[&lock]);
            gets_over(astra, sample, keyspace);
        }
    }
}

#[test]
fn any_other_table_is_left_alone() {
    let astra = local_astra();
    let others: [(&str, &[&str]); 10] = [
        ("title text PRIMARY KEY, author text", &[]),
        ("title text PRIMARY KEY, author text, year bigint", &[]),
        (
            "title text PRIMARY KEY, author text, year int, isbn text",
            &[],
        ),
        (
            "title text, author text, year int, PRIMARY KEY (title, author)",
            &[],
        ),
        (
            "title text, author text, year int, PRIMARY KEY ((title, author))",
            &[],
        ),
        ("title text PRIMARY KEY, author list<text>, year int", &[]),
        (COLUMNS, &["'Emma', 'Jane Austen', 1816"]),
        (COLUMNS, &["'Emma', 'Alexander McCall Smith', 1815"]),
        (COLUMNS, &["'Emma', 'Jane Austen', null"]),
        (
            COLUMNS,
            &[
                "'Emma', 'Jane Austen', 1815",
                "'Persuasion', 'Jane Austen', 1818",
                "'War and Peace', 'Leo Tolstoy', 1869",
            ],
        ),
    ];
    for sample in graphql_samples() {
        for (columns, rows) in others {
            let keyspace = astra.keyspace();
            create(astra, &keyspace, columns, rows);
            let settings = sample.settings_in(astra, &keyspace);
            let ended = sample.run(&settings);
            let said = refused(sample, &settings, &ended);
            assert!(said.contains("rust_sample_books"), "{said}");
            assert!(said.contains("_KEYSPACE"), "the setting to look at: {said}");
            assert_eq!(astra.left_in(&keyspace), ["rust_sample_books"], "{columns}");
            let count = block_on(async {
                let session = astra.cql().await;
                let cql = format!("SELECT title FROM {keyspace}.rust_sample_books");
                let found = session.query_unpaged(cql, ()).await.unwrap();
                found.into_rows_result().unwrap().rows_num()
            });
            assert_eq!(count, rows.len(), "{columns} {rows:?}");
        }
    }
}
