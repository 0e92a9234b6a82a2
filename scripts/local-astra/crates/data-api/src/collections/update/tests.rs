use super::*;
use crate::json::reader;

fn json(text: &str) -> Json {
    reader::read(text).unwrap().unwrap()
}

fn apply(path: &str, operation: Operation, document: &str) -> Result<(String, bool), &'static str> {
    let action = Action {
        path: path.to_owned(),
        operation,
    };
    let mut document = json(document);
    let modified = action
        .apply(&mut document, false)
        .map_err(|error| error.code.name())?;
    Ok((document.to_string(), modified))
}

#[test]
fn operators_change_documents() {
    let number = |text: &str| Decimal::parse(text).unwrap();
    let push = |values: &str, position| Operation::Push {
        values: json(values).as_array().unwrap().to_vec(),
        position,
    };
    for (path, operation, before, after, modified) in [
        (
            "a.b",
            Operation::Set(json("1")),
            "{}",
            r#"{"a":{"b":1}}"#,
            true,
        ),
        (
            "a.2",
            Operation::Set(json("1")),
            r#"{"a":[0]}"#,
            r#"{"a":[0,null,1]}"#,
            true,
        ),
        (
            "a.1.b",
            Operation::Set(json("1")),
            r#"{"a":[0]}"#,
            r#"{"a":[0,{"b":1}]}"#,
            true,
        ),
        (
            "a",
            Operation::Set(json("5.0")),
            r#"{"a":5}"#,
            r#"{"a":5}"#,
            true,
        ),
        (
            "a",
            Operation::Set(json("5")),
            r#"{"a":5}"#,
            r#"{"a":5}"#,
            false,
        ),
        (
            "a.0",
            Operation::Unset,
            r#"{"a":[1,2]}"#,
            r#"{"a":[null,2]}"#,
            true,
        ),
        ("x.y", Operation::Unset, r#"{"a":1}"#, r#"{"a":1}"#, false),
        (
            "a",
            Operation::Inc(number("0.5")),
            r#"{"a":0.5}"#,
            r#"{"a":1.0}"#,
            true,
        ),
        ("a", Operation::Inc(number("2")), "{}", r#"{"a":2}"#, true),
        (
            "a",
            Operation::Mul(number("2")),
            r#"{"a":9.25}"#,
            r#"{"a":18.50}"#,
            true,
        ),
        ("a", Operation::Mul(number("2")), "{}", r#"{"a":0}"#, true),
        (
            "a",
            Operation::Mul(number("1")),
            r#"{"a":7}"#,
            r#"{"a":7}"#,
            false,
        ),
        (
            "a",
            Operation::Max(json("\"x\"")),
            r#"{"a":7}"#,
            r#"{"a":"x"}"#,
            true,
        ),
        (
            "a",
            Operation::Min(json("\"x\"")),
            r#"{"a":7}"#,
            r#"{"a":7}"#,
            false,
        ),
        (
            "a",
            push("[1,2]", Some(-1)),
            r#"{"a":[0,9]}"#,
            r#"{"a":[0,1,2,9]}"#,
            true,
        ),
        (
            "a",
            push("[1]", Some(9)),
            r#"{"a":[0]}"#,
            r#"{"a":[0,1]}"#,
            true,
        ),
        (
            "a",
            Operation::AddToSet(vec![json("1"), json("2")]),
            r#"{"a":[1]}"#,
            r#"{"a":[1,2]}"#,
            true,
        ),
        (
            "a",
            Operation::Pop { first: true },
            r#"{"a":[1,2]}"#,
            r#"{"a":[2]}"#,
            true,
        ),
        (
            "a.b",
            Operation::Rename("c".to_owned()),
            r#"{"a":{"b":1}}"#,
            r#"{"a":{},"c":1}"#,
            true,
        ),
    ] {
        let shown = format!("{path} {operation:?} {before}");
        assert_eq!(
            apply(path, operation, before),
            Ok((after.to_owned(), modified)),
            "{shown}"
        );
    }
}

#[test]
fn values_in_the_way_are_errors() {
    let one = || json("1");
    for (path, operation, document, code) in [
        (
            "a.b",
            Operation::Set(one()),
            r#"{"a":1}"#,
            "UNSUPPORTED_UPDATE_OPERATION_PATH",
        ),
        (
            "a.b",
            Operation::Set(one()),
            r#"{"a":[]}"#,
            "UNSUPPORTED_UPDATE_OPERATION_PATH",
        ),
        (
            "a.01",
            Operation::Set(one()),
            r#"{"a":[]}"#,
            "UNSUPPORTED_UPDATE_OPERATION_PATH",
        ),
        (
            "a.9999999",
            Operation::Set(one()),
            r#"{"a":[]}"#,
            "SHRED_DOC_LIMIT_VIOLATION",
        ),
        (
            "a.99999999999999999999",
            Operation::Set(one()),
            r#"{"a":[]}"#,
            "SHRED_DOC_LIMIT_VIOLATION",
        ),
        (
            "a",
            Operation::Inc(Decimal::integer(1)),
            r#"{"a":"x"}"#,
            "UNSUPPORTED_UPDATE_OPERATION_TARGET",
        ),
        (
            "a",
            Operation::AddToSet(vec![one()]),
            r#"{"a":{}}"#,
            "UNSUPPORTED_UPDATE_OPERATION_TARGET",
        ),
        (
            "a",
            Operation::Pop { first: true },
            r#"{"a":1}"#,
            "UNSUPPORTED_UPDATE_OPERATION_TARGET",
        ),
        (
            "a.0",
            Operation::Rename("b".to_owned()),
            r#"{"a":[1]}"#,
            "UNSUPPORTED_UPDATE_OPERATION_PATH",
        ),
    ] {
        let shown = format!("{path} {operation:?} {document}");
        assert_eq!(apply(path, operation, document), Err(code), "{shown}");
    }
}
