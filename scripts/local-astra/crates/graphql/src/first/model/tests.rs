//! Messages of a real Stargate for schemas that cannot be mapped, recorded or from its source.

use super::*;

fn mapped(text: &str) -> (Model, Problems) {
    let sdl = Sdl::parse(text).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
    let mut problems = Problems::new(&sdl.document.sources);
    let model = build(&sdl, &mut problems);
    (model, problems)
}

fn errors(text: &str) -> Vec<String> {
    let (_, problems) = mapped(text);
    problems
        .errors
        .into_iter()
        .map(|error| error.message)
        .collect()
}

const BOOK: &str = "type Book @cql_input { id: ID! title: String @cql_index tags: [String] @cql_index n: Int } \
     type Query { book(id: ID!): Book }";

#[test]
fn a_schema_that_cannot_be_mapped_says_why() {
    for (text, wanted) in [
        (
            "type Book { title: String! } type Query { book(title: String!): Book }",
            vec![
                "Book must have at least one partition key field (use scalar type ID, Uuid or TimeUuid for the first \
                 field, or annotate your fields with @cql_column(partitionKey: true))",
                "Query book: unsupported return type Book",
            ],
        ),
        (
            "type Book { id: ID! x: Nope } type Query { book(id: ID!): Book }",
            vec!["Book.x: can't map type 'TypeName{name='Nope'}' to CQL"],
        ),
        (
            "type Book { id: ID! author: String } type Query { books(author: String!): [Book] }",
            vec![
                "Operation books: non-primary key argument author must be indexed in order to use it in a condition",
            ],
        ),
        (
            "type Book @cql_input { id: ID! } type Mutation { insertBook(book: BookInput!): Book }",
            vec!["A schema MUST have a 'query' operation defined"],
        ),
        (
            "type A { id: ID! b: B } type B { id: ID! } type Query { a(id: ID!): A }",
            vec![
                "A.b: can't map type 'B' to CQL -- if a field references an object type, then that object should map \
                 to a UDT",
            ],
        ),
        (
            "type A @cql_input { id: ID! b: B } type B @cql_entity(target: UDT) { c: Int } \
             type Query { a(id: ID!): A }",
            vec!["A.b: type 'B' must also be annotated with @cql_input"],
        ),
        (
            "type A { id: ID! b: Int @cql_column(partitionKey: true, clusteringOrder: ASC) } \
             type Query { a(id: ID!): A }",
            vec!["A.b: can't be both a partition key and a clustering key."],
        ),
        (
            "type A { id: ID! @cql_column(partitionKey: true) @cql_index } type Query { a(id: ID!): Boolean }",
            vec![
                "A.id: partition or clustering columns can't have an index",
                "A must have at least one partition key field (use scalar type ID, Uuid or TimeUuid for the first \
                 field, or annotate your fields with @cql_column(partitionKey: true))",
                "Query a: return type must reference an entity that maps to a table",
            ],
        ),
        (
            "type A { id: ID! l: [Int] @cql_column(typeHint: \"map<int, int>\") } type Query { a(id: ID!): A }",
            vec![
                "A.l: invalid type hint 'map<int, int>'-- the inferred type was 'list<int>', you can only change \
                 frozenness or use sets instead of lists",
            ],
        ),
        (
            "type A { id: ID! } type P @cql_payload { a: A b: [A] c: Int } type Query { a(id: ID!): P }",
            vec![
                "P: both a and b reference a mapped entity. There can only be one such field.",
                "P: couldn't map field c. It doesn't match any of the predefined technical fields, nor does it \
                 reference a mapped entity.",
            ],
        ),
        (
            "type A { id: ID! } type Query { a(id: ID!): A } type Subscription { a: A }",
            vec!["This GraphQL implementation does not support subscriptions"],
        ),
        (
            "type A @key(fields: \"id\") { id: ID! } type Query { a(id: ID!): Boolean }",
            vec![
                "A: local Astra does not serve federation, remove @key",
                "Query a: return type must reference an entity that maps to a table",
            ],
        ),
        (
            "type A @cql_entity(target: VIEW) { id: ID! } type Query { a(id: ID!): A }",
            vec!["cql_entity.target: invalid value 'VIEW', must be an enum constant"],
        ),
    ] {
        assert_eq!(errors(text), wanted, "{text}");
    }
}

#[test]
fn a_query_that_would_filter_says_why() {
    let types = "type R { a: Int! @cql_column(partitionKey: true) b: Int! @cql_column(partitionKey: true) \
         c: Int @cql_column(clusteringOrder: ASC) d: Int @cql_column(clusteringOrder: DESC) \
         e: Int @cql_index f: [Int] @cql_index }";
    for (query, wanted) in [
        ("q(a: Int, b: Int): [R]", None),
        (
            "q(a: Int): [R]",
            Some("every partition key field of type R must be present (expected: a, b)."),
        ),
        (
            "q(a: Int, b: Int, c: Int @cql_where(predicate: GT), d: Int): [R]",
            Some(
                "clustering field c is not restricted by EQ or IN, so no other clustering field after it can be \
                 restricted (offending: d).",
            ),
        ),
        (
            "q(a: Int, b: Int, d: Int): [R]",
            Some(
                "clustering field c is not restricted by EQ or IN, so no other clustering field after it can be \
                 restricted (offending: d).",
            ),
        ),
        ("q(e: Int): [R]", None),
        ("q(f: Int @cql_where(predicate: CONTAINS)): [R]", None),
        (
            "q(e: Int, a: Int): [R]",
            Some(
                "when an indexed field is present, either none or all of the partition key fields must be present \
                 (expected a, b).",
            ),
        ),
        (
            "q(e: Int, c: Int): [R]",
            Some("when an indexed field is present, no clustering field can be used"),
        ),
        (
            "q(e: Int, f: [Int]): [R]",
            Some("cannot use more than one indexed field per operation"),
        ),
        (
            "q(a: Int @cql_where(predicate: GT), b: Int): [R]",
            Some("predicate GT is not supported for partition key field a (expected EQ or IN)"),
        ),
        (
            "q(a: Int, b: Int, c: Int @cql_where(predicate: CONTAINS)): [R]",
            Some(
                "predicate CONTAINS is not supported for clustering field c (expected EQ, LT, GT, LTE, GTE or IN)",
            ),
        ),
        (
            "q(e: Int @cql_where(predicate: LT)): [R]",
            Some("predicate LT is not supported for indexed field e (expected EQ, IN or CONTAINS)"),
        ),
        (
            "q(a: [Int!] @cql_where(predicate: IN), b: Int): [R]",
            Some("expected argument a to have type [Int] to match R.a"),
        ),
        (
            "q(a: String, b: Int): [R]",
            Some("expected argument a to have type Int to match R.a"),
        ),
        (
            "q(a: Int, b: Int, x: Int): [R]",
            Some("could not find field x in type R"),
        ),
        (
            "q(a: Int, b: Int, e: Int @cql_if): [R]",
            Some("@cql_if is not allowed on SELECT arguments (e)"),
        ),
        (
            "q(a: Int, b: Int, s: String @cql_pagingState @cql_where): [R]",
            Some("argument s can only use one of @cql_pagingState,@cql_where"),
        ),
    ] {
        let wanted = wanted.map(|wanted| format!("Operation q: {wanted}"));
        let found = errors(&format!("{types} type Query {{ {query} }}"));
        assert_eq!(found.first(), wanted.as_ref(), "{query}");
    }
}

#[test]
fn a_mutation_that_is_no_statement_says_why() {
    for (mutation, wanted) in [
        ("insertBook(book: BookInput!): Book", None),
        (
            "doBook(book: BookInput!): Book",
            Some(
                "could not infer mutation kind. Either use one of the mutation directives (cql_insert, cql_update, \
                 cql_delete), or name your operation with a recognized prefix.",
            ),
        ),
        (
            "insertBook(id: ID!): Book",
            Some(
                "unexpected argument type, inserts expect an input object that maps to a CQL entity",
            ),
        ),
        (
            "insertBook: Book",
            Some("inserts must take the entity input type as the first argument"),
        ),
        (
            "bulkBooks(books: [BookInput!]): Book",
            Some("invalid return type. For bulk inserts, expected list of Book. "),
        ),
        (
            "insertBook(book: BookInput, at: BigInt): Book",
            Some(
                "if you provided two arguments, the second one must be annotated with cql_timestamp directive.",
            ),
        ),
        (
            "updateBook(book: BookInput!): Book",
            Some("invalid return type. Expected Boolean or a response payload"),
        ),
        (
            "updateBook: Boolean",
            Some("updates must take either the entity input type or a list of primary key fields"),
        ),
        (
            "updateBook(book: BookInput!, n: Int): Boolean",
            Some("if an update takes an entity input type, it must be the only argument"),
        ),
        (
            "deleteBook(book: BookInput!, n: Int): Boolean",
            Some("if a delete takes an entity input type, it must be the only argument"),
        ),
        (
            "updateBook(id: ID!, n: Int): Boolean",
            Some(
                "if a update doesn't take an entity input type, it must indicate the entity name in \
                 '@cql_update.targetEntity'",
            ),
        ),
        (
            "updateBook(id: ID!): Boolean @cql_update(targetEntity: \"Nope\")",
            Some("unknown entity Nope (from '@cql_update.targetEntity')"),
        ),
        (
            "insertBook(book: BookInput!): Book @cql_insert(ttl: \"soon\")",
            Some("can't parse TTL 'soon' (expected an integer or ISO-8601 duration string)"),
        ),
        (
            "insertBook(book: BookInput!): Book @cql_insert(ttl: \"-1\")",
            Some("TTL must between 0 and 2^31 - 1 seconds"),
        ),
    ] {
        let wanted = wanted.map(|wanted| {
            let name = mutation.split(['(', ':']).next().unwrap();
            format!("Mutation {name}: {wanted}")
        });
        let found = errors(&format!("{BOOK} type Mutation {{ {mutation} }}"));
        assert_eq!(found.first(), wanted.as_ref(), "{mutation}");
    }
    for (mutation, wanted) in [
        (
            "m(n: Int): Boolean @cql_update(targetEntity: \"Book\")",
            "all of the primary key fields must be restricted by EQ or IN predicates (expected id).",
        ),
        (
            "m(id: [ID] @cql_where(predicate: IN), n: Int @cql_if): Boolean @cql_update(targetEntity: \"Book\")",
            "IN predicates on primary key fields are not allowed if there are @cql_if conditions (id)",
        ),
        (
            "m(id: ID, n: Int @cql_if): Boolean @cql_delete(targetEntity: \"Book\", ifExists: true)",
            "can't use @cql_if and ifExists at the same time",
        ),
        (
            "m(id: ID, n: Int @cql_increment): Boolean @cql_update(targetEntity: \"Book\")",
            "@cql_increment can only be applied to counter or collection fields",
        ),
        (
            "m(id: ID, tags: [Int] @cql_increment): Boolean @cql_update(targetEntity: \"Book\")",
            "expected argument tags to have type: [String] to match Book.tags",
        ),
    ] {
        let wanted = format!("Operation m: {wanted}");
        let found = errors(&format!("{BOOK} type Mutation {{ {mutation} }}"));
        assert_eq!(found, [wanted], "{mutation}");
    }
}

#[test]
fn fields_become_columns() {
    let (model, problems) = mapped(
        "type A @cql_entity(name: \"as\") @cql_input(name: \"Given\") { id: TimeUuid! at: Date @cql_column(clusteringOrder: DESC, name: \"day\") \
         n: [Int!]! m: [[Int]] s: [String] @cql_column(typeHint: \"set<varchar>\") k: Kind u: [U] v: U w: Float32 } \
         type U @cql_entity(target: UDT) @cql_input { w: U2 l: [Int] } \
         type U2 @cql_entity(target: UDT) @cql_input { x: Int @cql_column(partitionKey: true) } \
         enum Kind { NOVEL } type Query { a(id: TimeUuid!): A }",
    );
    assert_eq!(problems.errors, []);
    let columns: Vec<(&str, String)> = model
        .entities
        .iter()
        .flat_map(|entity| &entity.fields)
        .map(|field| (field.cql_name.as_str(), field.cql_type.to_cql()))
        .collect();
    let wanted = [
        ("id", "timeuuid"),
        ("day", "date"),
        ("n", "list<int>"),
        ("m", "list<frozen<list<int>>>"),
        ("s", "set<text>"),
        ("k", "text"),
        ("u", "list<frozen<\"U\">>"),
        ("v", "\"U\""),
        ("w", "float"),
        ("w", "frozen<\"U2\">"),
        ("l", "list<int>"),
        ("x", "int"),
    ];
    assert_eq!(columns, wanted.map(|(name, typ)| (name, typ.to_owned())));
    let a = model.entities.of_input("Given").unwrap();
    assert_eq!((a.cql_name.as_str(), a.partition_key().len()), ("as", 1));
    let logs: Vec<&str> = problems
        .logs
        .iter()
        .map(|log| log.message.as_str())
        .collect();
    assert_eq!(
        logs,
        [
            "A: using id as the partition key, because it has type TimeUuid and no other fields are annotated",
            "U: using 'UInput' as the input type name since @cql_input doesn't have an argument",
            "U2: using 'U2Input' as the input type name since @cql_input doesn't have an argument",
            "U2.x: UDT fields should not be marked as partition keys (this will be ignored)",
        ]
    );
}
