use std::collections::BTreeMap;

use super::*;
use crate::first::model;
use crate::first::problems::Problems;
use crate::first::sdl::Sdl;
use store::types::built_in;
use store::{Column, ColumnKind, Index, Table, UserType};

const QUERY: &str = "type Query { a(id: ID!): A }";

fn mapped(text: &str) -> Model {
    let sdl = Sdl::parse(text).unwrap_or_else(|errors| panic!("{errors:?}"));
    let mut problems = Problems::new(&sdl.document.sources);
    let model = model::build(&sdl, &mut problems);
    assert_eq!(problems.errors, [], "{text}");
    model
}

fn empty() -> Keyspace {
    Keyspace {
        name: "ks".to_owned(),
        replication: BTreeMap::new(),
        tables: BTreeMap::new(),
        types: BTreeMap::new(),
    }
}

/// `A (id uuid, n int, tags set<text>, PRIMARY KEY (id))` with an index on `tags`.
fn with_a() -> Keyspace {
    let column = |name: &str, typ: &str, kind| Column {
        name: name.to_owned(),
        kind,
        typ: built_in(typ).unwrap(),
        descending: false,
    };
    let table = Table {
        keyspace: "ks".to_owned(),
        name: "A".to_owned(),
        columns: vec![
            column("id", "uuid", ColumnKind::PartitionKey),
            column("n", "int", ColumnKind::Regular),
            column("tags", "set<text>", ColumnKind::Regular),
        ],
        default_time_to_live: 0,
        comment: String::new(),
        indexes: vec![Index {
            name: "A_tags_idx".to_owned(),
            kind: "COMPOSITES".to_owned(),
            options: BTreeMap::from([("target".to_owned(), "values(tags)".to_owned())]),
        }],
        is_view: false,
    };
    let user_type = UserType {
        keyspace: "ks".to_owned(),
        name: "U".to_owned(),
        fields: vec![("x".to_owned(), column("x", "int", ColumnKind::Regular).typ)],
    };
    let mut keyspace = empty();
    keyspace.tables.insert("A".to_owned(), Arc::new(table));
    keyspace.types.insert("U".to_owned(), Arc::new(user_type));
    keyspace
}

fn changes(text: &str, strategy: Strategy, keyspace: &Keyspace) -> Result<Vec<String>, Misfit> {
    let changes = plan(&mapped(text), strategy, keyspace)?;
    Ok(changes.iter().map(Change::description).collect())
}

#[test]
fn types_come_before_tables_and_tables_before_indexes() {
    let text = format!(
        "type A @cql_entity(name: \"as\") {{ id: ID! v: V s: String @cql_index }} \
         type V @cql_entity(target: UDT) {{ u: [U] }} type U @cql_entity(target: UDT) {{ x: Int }} {QUERY}"
    );
    let created = [
        "Create UDT U",
        "Create UDT V",
        "Create table as",
        "Create index as_s_idx on as.s",
    ];
    let strategy = Strategy::AddMissingTablesAndColumns;
    assert_eq!(changes(&text, strategy, &empty()).unwrap(), created);
    let dropped = ["Drop table as", "Drop UDT V", "Drop UDT U"];
    assert_eq!(
        changes(&text, Strategy::DropAndRecreateAll, &empty()).unwrap(),
        [&dropped[..], &created[..]].concat()
    );
}

#[test]
fn types_in_a_circle_are_refused() {
    let udt = "@cql_entity(target: UDT)";
    let circle = format!(
        "type A {{ id: ID! u: U }} type U {udt} {{ v: V }} type V {udt} {{ u: U }} {QUERY}"
    );
    let itself = format!("type A {{ id: ID! }} type U {udt} {{ u: [U] }} {QUERY}");
    for text in [circle, itself] {
        for strategy in [Strategy::AddMissingTables, Strategy::DropAndRecreateAll] {
            assert_eq!(
                changes(&text, strategy, &empty()),
                Err(Misfit::Cycle),
                "{text}"
            );
        }
    }
}

#[test]
fn a_thousand_tables_are_sorted() {
    let mut text = QUERY.to_owned();
    for n in 0..1000 {
        text.push_str(&format!(
            " type T{n} {{ id: ID! u: U{n} s: String @cql_index }} type U{n} @cql_entity(target: UDT) {{ x: U{} }}",
            n + 1
        ));
    }
    text.push_str(" type U1000 @cql_entity(target: UDT) { x: Int } type A { id: ID! }");
    let changes = changes(&text, Strategy::AddMissingTables, &empty()).unwrap();
    assert_eq!(
        (changes.len(), changes[0].as_str()),
        (3002, "Create UDT U1000")
    );
}

#[test]
fn what_differs_is_added_or_told() {
    let fields = "id: ID! n: Int tags: [String] @cql_column(typeHint: \"frozen<set<text>>\")";
    let same = format!("type A {{ {fields} }} {QUERY}");
    let more = format!(
        "type A {{ {fields} t: String @cql_index }} type U @cql_entity(target: UDT) {{ x: Int y: Int }} {QUERY}"
    );
    let missing = [
        "[MISSING_COLUMN] A.t",
        "[MISSING_INDEX] A.t",
        "[MISSING_COLUMN] U.y",
    ];
    let differences = |text: &str, strategy| match changes(text, strategy, &with_a()) {
        Err(Misfit::Differences(errors)) => errors,
        other => panic!("{other:?}"),
    };
    for strategy in [Strategy::UseExisting, Strategy::AddMissingTables] {
        assert_eq!(changes(&same, strategy, &with_a()).unwrap(), [""; 0]);
        assert_eq!(differences(&more, strategy), missing);
    }
    let add = Strategy::AddMissingTablesAndColumns;
    assert_eq!(
        changes(&more, add, &with_a()).unwrap(),
        [
            "Add column t to table A",
            "Create index A_t_idx on A.t",
            "Add field y to UDT U"
        ]
    );
    assert_eq!(
        changes(&more, Strategy::DropAndRecreateIfMismatch, &with_a()).unwrap(),
        [
            "Drop table A",
            "Drop UDT U",
            "Create table A",
            "Create UDT U",
            "Create index A_t_idx on A.t"
        ]
    );
    for (fields, wanted) in [
        (
            "id: ID! n: String",
            "[WRONG_TYPE] A.n: expected text, found int",
        ),
        (
            "id: ID! @cql_column(partitionKey: true) n: Int @cql_column(clusteringOrder: ASC)",
            "[WRONG_KIND] A.n: expected CLUSTERING, found REGULAR",
        ),
        (
            "id: ID! @cql_column(partitionKey: true) k: Int @cql_column(partitionKey: true)",
            "[MISSING_COLUMN] A.k: it can't be added because it is marked as a partition key",
        ),
        (
            "id: ID! tags: [String] @cql_column(typeHint: \"set<text>\") @cql_index(name: \"mine\")",
            "[WRONG_INDEX] A.tags: expected name mine, found A_tags_idx",
        ),
    ] {
        let text = format!("type A {{ {fields} }} type Query {{ a(x: ID): Boolean }}").replace(
            "type Query { a(x: ID): Boolean }",
            "type Query { a: B } type B { id: ID! }",
        );
        let sdl = Sdl::parse(&text).unwrap_or_else(|errors| panic!("{errors:?}"));
        // The query is not what is looked at here.
        let model = model::build(&sdl, &mut Problems::default());
        let Err(Misfit::Differences(errors)) = plan(&model, add, &with_a()) else {
            panic!("{fields} was accepted");
        };
        assert_eq!(errors, [wanted], "{fields}");
    }
}

#[test]
fn statements_quote_every_name() {
    let model = mapped(&format!(
        "type A @cql_entity(name: \"a\\\"; DROP\") {{ id: ID! d: Date @cql_column(clusteringOrder: DESC) \
         l: [Int] @cql_index(name: \"i\\\"j\", class: \"it's\", options: \"'a': 'b'\") }} {QUERY}"
    ));
    let changes = plan(&model, Strategy::DropAndRecreateAll, &empty()).unwrap();
    let cql: Vec<String> = changes.iter().map(|change| change.cql("k\"s")).collect();
    assert_eq!(
        cql,
        [
            r#"DROP TABLE IF EXISTS "k""s"."a""; DROP""#,
            r#"CREATE TABLE "k""s"."a""; DROP" ("id" uuid, "d" date, "l" list<int>, PRIMARY KEY (("id"), "d")) WITH CLUSTERING ORDER BY ("d" DESC)"#,
            r#"CREATE CUSTOM INDEX "i""j" ON "k""s"."a""; DROP" (VALUES("l")) USING 'it''s' WITH OPTIONS = {'a': 'b'}"#,
        ]
    );
}
