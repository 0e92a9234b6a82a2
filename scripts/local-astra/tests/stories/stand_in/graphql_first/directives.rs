//! Combinations of directives and forms of responses that the recordings do not cover.

use serde_json::json;

use super::{BOOKS, First, message};
use crate::astra::block_on;

#[test]
fn the_directives_work_together() {
    let first = First::new();
    let schema = "type Note @cql_input(name: \"NewNote\") { owner: String! @cql_column(partitionKey: true) \
           at: Int! @cql_column(clusteringOrder: DESC) text: String @cql_column(name: \"body\") n: Int \
           tags: [String] @cql_column(typeHint: \"set<text>\") place: Place places: [Place] } \
         type Place @cql_entity(target: UDT) @cql_input { city: String zip: BigInt @cql_column(name: \"code\") } \
         type Done @cql_payload { applied: Boolean! note: Note } \
         type Query { notes(owner: String!, at: Int @cql_where(predicate: LT)): [Note!] \
           some(owner: String!, at: [Int] @cql_where(predicate: IN)): [Note] \
           none: [Note] @cql_select(limit: 1) } \
         type Mutation { \
           insertNote(note: NewNote!): Note \
           insertAt(note: NewNote!, at: String @cql_timestamp): Boolean @cql_insert \
           createNotesIfNotExists(notes: [NewNote!]!): [Boolean] \
           edit(owner: String!, at: [Int] @cql_where(predicate: IN), text: String): Boolean \
             @cql_update(targetEntity: \"Note\", consistencyLevel: LOCAL_QUORUM) \
           editIf(owner: String!, at: Int!, text: String, was: [Int] @cql_if(field: \"n\", predicate: IN)): Done \
             @cql_update(targetEntity: \"Note\", ttl: \"PT1H\") \
           deleteFrom(owner: String!, at: Int @cql_where(predicate: GTE)): Boolean @cql_delete(targetEntity: \"Note\") }";
    let without = schema.replace("none: [Note] @cql_select(limit: 1)", "");
    block_on(async {
        let refused = first.deploy(schema, json!({})).await.unwrap_err();
        let said = &refused["extensions"]["mappingErrors"][0]["message"];
        let wanted = "Operation none: every partition key field of type Note must be present (expected: owner).";
        assert_eq!(*said, wanted);
        first.deploy(&without, json!({})).await.unwrap();

        let note = "{ owner: \"o\", at: 1, text: \"one\", n: 7, tags: [\"b\", \"a\"], \
             place: { city: \"Ulm\", zip: 5 }, places: [{ zip: \"6\" }] }";
        let all = "owner at text n tags place { city zip } places { city zip }";
        let query = format!("mutation {{ insertNote(note: {note}) {{ {all} }} }}");
        let said = first.data(&query).await["insertNote"].clone();
        assert_eq!(said["tags"], json!(["b", "a"]), "as it was sent");
        let found = first
            .data(&format!("{{ notes(owner: \"o\") {{ {all} }} }}"))
            .await;
        let wanted = json!([{"owner": "o", "at": 1, "text": "one", "n": 7, "tags": ["a", "b"],
            "place": {"city": "Ulm", "zip": "5"}, "places": [{"city": null, "zip": "6"}]}]);
        assert_eq!(found["notes"], wanted);

        let query = "mutation { createNotesIfNotExists(notes: [{ owner: \"o\", at: 1 }, { owner: \"o\", at: 2 }]) }";
        assert_eq!(
            first.data(query).await["createNotesIfNotExists"],
            json!([false, true])
        );
        // Older than what is there, by a time in another zone.
        let query = "mutation { insertAt(note: { owner: \"o\", at: 1, text: \"old\" }, at: \"2001-02-03T04:05:06+01:00\") }";
        assert_eq!(first.data(query).await["insertAt"], true);
        let query = "mutation { edit(owner: \"o\", at: [1, 2], text: \"both\") }";
        assert_eq!(first.data(query).await["edit"], true);
        let query = "{ some(owner: \"o\", at: [1, 2]) { at text } }";
        let wanted = json!([{"at": 2, "text": "both"}, {"at": 1, "text": "both"}]);
        assert_eq!(first.data(query).await["some"], wanted);

        let edit = |was: &str| {
            format!(
                "mutation {{ editIf(owner: \"o\", at: 1, text: \"if\", was: {was}) {{ applied note {{ n text }} }} }}"
            )
        };
        let refused = json!({"applied": false, "note": {"n": 7, "text": null}});
        assert_eq!(first.data(&edit("[1, 2]")).await["editIf"], refused);
        let done = json!({"applied": true, "note": {"n": null, "text": null}});
        assert_eq!(first.data(&edit("[7, 8]")).await["editIf"], done);
        let query = "mutation { deleteFrom(owner: \"o\", at: 2) }";
        assert_eq!(first.data(query).await["deleteFrom"], true);
        let found = first
            .data("{ notes(owner: \"o\", at: 9) { at text } }")
            .await;
        assert_eq!(found["notes"], json!([{"at": 1, "text": "if"}]));
    });
}

#[test]
fn an_atomic_mutation_is_one_batch() {
    let first = First::new();
    let schema = BOOKS.replace(
        "type Mutation {",
        "type Done @cql_payload { applied: Boolean book: Book } type Mutation { \
         insertNewBook(book: BookInput!): Done @cql_insert(ifNotExists: true) \
         insertWeakly(book: BookInput!): Boolean @cql_insert(consistencyLevel: LOCAL_ONE) ",
    );
    block_on(async {
        first.deploy(&schema, json!({})).await.unwrap();
        let book = |name: &str| format!("book: {{ title: \"{name}\", author: \"{name}\" }}");
        let query = format!(
            "mutation @atomic {{ a: insertBook({}) {{ title }} b: insertBook({}) {{ author }} }}",
            book("a"),
            book("b")
        );
        let wanted = json!({"a": {"title": "a"}, "b": {"author": "b"}});
        assert_eq!(first.data(&query).await, wanted);

        // One that is refused refuses all, and each tells the row that it met.
        let query = "mutation @atomic { a: insertNewBook(book: { title: \"a\", author: \"x\" }) { \
             applied book { author } } b: deleteBook(book: { title: \"a\" }) }";
        let found = first.data(query).await;
        assert_eq!(
            found["a"],
            json!({"applied": false, "book": {"author": "a"}})
        );
        assert_eq!(found["b"], false);

        let query = format!(
            "mutation @atomic {{ a: insertBook({}) {{ title }} b: insertWeakly({}) }}",
            book("c"),
            book("d")
        );
        let refused = first.ask(&query).await;
        let said: Vec<&str> = refused["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(message)
            .collect();
        assert!(
            said.iter()
                .any(|said| said.contains("same consistency levels")),
            "{said:?}"
        );
        assert!(said.iter().any(|said| said.contains("aborted")), "{said:?}");
        let query = "{ c: book(title: \"c\") { title } d: book(title: \"d\") { title } }";
        assert_eq!(first.data(query).await, json!({"c": null, "d": null}));
    });
}

#[test]
fn answers_and_errors_have_the_shapes_of_graphql_java() {
    let first = First::new();
    block_on(async {
        let unfinished = first.deploy("type Broken {", json!({})).await.unwrap_err();
        let wanted = "not valid GraphQL";
        assert!(message(&unfinished).contains(wanted), "{unfinished}");
        let query = "query($keyspace: String!) { schema(keyspace: $keyspace) { version } }";
        let variables = json!({"keyspace": first.keyspace});
        let (_, body) = first.post("graphql-admin", query, variables).await;
        let said = body["errors"][0].clone();
        assert!(message(&said).contains("received NULL"), "{body}");

        let schema = BOOKS
            .replace("author: String", "author: String!")
            .replace("type Mutation {", "type Mutation { insertBooks(books: [BookInput!]): [Book] \
                 edit(title: String!, author: String): Boolean @cql_update(targetEntity: \"Book\") ");
        first.deploy(&schema, json!({})).await.unwrap();
        // A number where a text is declared.
        let path = format!("graphql/{}", first.keyspace);
        let query = "mutation($t: String!) { edit(title: $t, author: null) }";
        let (_, body) = first.post(&path, query, json!({"t": 1984})).await;
        assert_eq!(body, json!({"data": {"edit": true}}));
        // There is no author, so there is no row either: all of it is gone.
        let body = first.ask("{ book(title: \"1984\") { title } }").await;
        assert_eq!(body, json!({"data": {"book": null}}));
        first
            .data("mutation { insertBook(book: { title: \"a\", author: \"b\" }) { title } }")
            .await;
        let (_, body) = first.post(&path, query, json!({"t": "a"})).await;
        assert_eq!(body, json!({"data": {"edit": true}}));
        let body = first.ask("{ book(title: \"a\") { author } }").await;
        assert_eq!(body["data"], json!({"book": null}));
        let error = &body["errors"][0];
        assert_eq!(error["path"], json!(["book", "author"]));
        assert_eq!(
            error["extensions"]["classification"],
            "NullValueInNonNullableField"
        );
        assert!(message(error).contains("/book/author"), "{body}");
        // The second is refused by Cassandra, which takes no empty key.
        let query = "mutation { insertBooks(books: [{ title: \"x\", author: \"x\" }, { title: \"\", author: \"\" }]) { title } }";
        let body = first.ask(query).await;
        assert_eq!(body["data"]["insertBooks"], json!([{"title": "x"}, null]));
        assert_eq!(body["errors"][0]["path"], json!(["insertBooks"]));
    });
}
