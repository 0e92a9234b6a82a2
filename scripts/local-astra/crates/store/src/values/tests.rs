//! Conversion of every type from and to JSON and text, with all errors.

use super::*;
use crate::types::{TypeName, UserTypes};
use scylla::cluster::metadata::ColumnType;
use scylla::value::CqlValue;
use serde_json::{Value, json};

fn typ(cql: &str) -> ColumnType<'static> {
    let field = |name: &str, typ: &str| (name.to_owned(), TypeName::parse(typ).unwrap());
    let types = UserTypes {
        keyspace: "ks",
        fields: [(
            "addr".to_owned(),
            vec![
                field("street", "text"),
                field("zip", "int"),
                field("tags", "list<text>"),
            ],
        )]
        .into(),
    };
    TypeName::parse(cql).unwrap().resolve(&types).unwrap()
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Converts from JSON to JSON.
fn through(cql: &str, json: &str) -> Result<String, String> {
    let typ = typ(cql);
    let read = from_json(&value(json), &typ, Maps::Compact).map_err(|error| error.to_string())?;
    Ok(to_json(read.as_ref(), &typ, Maps::Compact).to_string())
}

/// Converts from text to JSON.
pub(super) fn from(cql: &str, text: &str) -> Result<String, String> {
    let typ = typ(cql);
    let read = from_text(text, &typ, Maps::Compact).map_err(|error| error.to_string())?;
    Ok(to_json(Some(&read), &typ, Maps::Compact).to_string())
}

fn text_refusal(text: &str, wanted: &str) -> String {
    format!(
        "Invalid String value ('{text}'): not valid representation/value for target protobuf type: TypeSpec.Basic.{wanted}"
    )
}

#[test]
fn json_goes_in_and_comes_out() {
    for (cql, json, wanted) in [
        ("text", r#""abc""#, r#""abc""#),
        ("text", "5", r#""5""#),
        ("text", "1e3", r#""1000.0""#),
        ("text", "true", r#""true""#),
        ("ascii", "[1,\"a\",null]", r#""[1, a, null]""#),
        ("text", r#"{"a":1.50}"#, r#""{a=1.5}""#),
        ("text", r#""'it''s'""#, r#""it's""#),
        ("text", r#""'""#, r#""'""#),
        ("boolean", "false", "false"),
        ("boolean", r#""TRUE""#, "true"),
        ("int", "-42", "-42"),
        ("int", "1.5", "1"),
        ("int", "-1.5", "-1"),
        ("int", "3000000000", "-1294967296"),
        ("int", "1e99", "2147483647"),
        ("int", "123456789012345678901234567890", "1312754386"),
        ("smallint", "32768", "-32768"),
        ("smallint", "40000.5", "-25536"),
        ("tinyint", "200", "-56"),
        ("bigint", "9007199254740993", "9007199254740993"),
        ("bigint", "9223372036854775808", "-9223372036854775808"),
        ("counter", "10", r#""10""#),
        (
            "varint",
            "123456789012345678901234567890",
            "123456789012345678901234567890",
        ),
        ("decimal", "12.3450", "12.345"),
        ("decimal", r#""12.3450""#, "12.3450"),
        ("decimal", r#""1e3""#, "1E+3"),
        ("decimal", r#""-0.00000001""#, "-1E-8"),
        ("decimal", r#""0.000001""#, "0.000001"),
        ("decimal", "7", "7"),
        ("double", "5", "5.0"),
        ("double", "0.1", "0.1"),
        ("double", "12345678.9", "1.23456789E7"),
        ("double", "0.0001", "1.0E-4"),
        ("double", "-0.0", "-0.0"),
        ("double", "5e-324", "4.9E-324"),
        ("double", "2e-3", "0.002"),
        ("double", "1e23", "1.0E23"),
        ("double", "20", "20.0"),
        ("float", "1e-45", "1.4E-45"),
        ("float", "-0.0", "-0.0"),
        ("double", r#""NaN""#, r#""NaN""#),
        ("double", r#""-Infinity""#, r#""-Infinity""#),
        ("float", "1.25", "1.25"),
        ("float", "0.1", "0.1"),
        ("float", "16777217", "1.6777216E7"),
        (
            "uuid",
            r#""5049F233-2819-41b5-99af-663405b9f182""#,
            r#""5049f233-2819-41b5-99af-663405b9f182""#,
        ),
        (
            "uuid",
            r#""1-2-3-4-5""#,
            r#""00000001-0002-0003-0004-000000000005""#,
        ),
        (
            "timeuuid",
            r#""30821634-13ad-11eb-adc1-0242ac120002""#,
            r#""30821634-13ad-11eb-adc1-0242ac120002""#,
        ),
        (
            "timestamp",
            "1767323045678",
            r#""2026-01-02T03:04:05.678Z""#,
        ),
        (
            "timestamp",
            r#""2026-01-02T03:04:05Z""#,
            r#""2026-01-02T03:04:05Z""#,
        ),
        ("date", r#""2026-01-02""#, r#""2026-01-02""#),
        ("time", r#""03:04:05.678901234""#, r#""03:04:05.678901234""#),
        ("duration", r#""1h4m48s20ms""#, r#""1h4m48s20ms""#),
        ("inet", r#""192.168.0.1""#, r#""192.168.0.1""#),
        ("inet", r#""::1""#, r#""0:0:0:0:0:0:0:1""#),
        ("blob", r#""aGVsbG8=""#, r#""aGVsbG8=""#),
        ("list<int>", "[3,1,2]", "[3,1,2]"),
        ("list<int>", r#""[1, 2]""#, "[1,2]"),
        ("set<text>", r#""{'p','q'}""#, r#"["p","q"]"#),
        ("map<text, int>", r#"{"x":1,"a":2}"#, r#"{"x":1,"a":2}"#),
        (
            "map<int, text>",
            r#""{1: 'a', 2: 'b'}""#,
            r#"{"1":"a","2":"b"}"#,
        ),
        (
            "map<uuid, boolean>",
            r#"{"1-1-1-1-1":true}"#,
            r#"{"00000001-0001-0001-0001-000000000001":true}"#,
        ),
        (
            "map<decimal, int>",
            r#""{1.50: 1, 1e3: 2}""#,
            r#"{"1.50":1,"1E+3":2}"#,
        ),
        ("map<inet, int>", r#"{"10.0.0.1":1}"#, r#"{"/10.0.0.1":1}"#),
        ("tuple<text, int>", r#"["one",1]"#, r#"["one",1]"#),
        ("tuple<text, int>", r#""(one, 1)""#, r#"["one",1]"#),
        (
            "frozen<addr>",
            r#"{"zip":5}"#,
            r#"{"street":null,"zip":5,"tags":[]}"#,
        ),
        (
            "frozen<addr>",
            r#""{street: 'x', zip: 5}""#,
            r#"{"street":"x","zip":5,"tags":[]}"#,
        ),
        ("list<frozen<list<int>>>", "[[1,2],[3]]", "[[1,2],[3]]"),
        (
            "map<text, frozen<map<text, frozen<tuple<int, addr>>>>>",
            r#"{"a":{"b":[1,{"street":"x","zip":2,"tags":["t"]}]}}"#,
            r#"{"a":{"b":[1,{"street":"x","zip":2,"tags":["t"]}]}}"#,
        ),
        ("vector<float, 3>", "[1,2.5,-0.5]", "[1.0,2.5,-0.5]"),
        ("vector<float, 2>", r#""[1, 2]""#, "[1.0,2.0]"),
        ("list<text>", "[null,5]", r#"["null","5"]"#),
    ] {
        assert_eq!(through(cql, json).as_deref(), Ok(wanted), "{json} as {cql}");
    }
}

#[test]
fn null_comes_out_by_its_type() {
    for (cql, wanted) in [
        ("int", "null"),
        ("text", "null"),
        ("list<int>", "[]"),
        ("set<int>", "[]"),
        ("map<text, int>", "{}"),
        ("tuple<int, int>", "null"),
        ("vector<float, 3>", "null"),
        ("addr", "{}"),
    ] {
        assert_eq!(through(cql, "null").as_deref(), Ok(wanted), "{cql}");
    }
    assert_eq!(
        to_json(None, &typ("map<text, int>"), Maps::Entries),
        json!([])
    );
}

#[test]
fn a_map_may_be_a_list_of_entries() {
    let map = typ("map<text, int>");
    let sent = value(r#"[{"key":"a","value":1},{"value":2,"key":"b"}]"#);
    let read = from_json(&sent, &map, Maps::Entries).unwrap();
    let wanted = json!([{"key": "a", "value": 1}, {"key": "b", "value": 2}]);
    assert_eq!(to_json(read.as_ref(), &map, Maps::Entries), wanted);
    assert_eq!(
        to_json(read.as_ref(), &map, Maps::Compact),
        json!({"a": 1, "b": 2})
    );
    let text = "[{'key': 'a', 'value': 1}, {'key': 'b', 'value' : 2}]";
    assert_eq!(from_text(text, &map, Maps::Entries).ok(), read);
    assert_eq!(
        from_text("[]", &map, Maps::Entries),
        Ok(CqlValue::Map(Vec::new()))
    );
    let refused = |json: &str| {
        from_json(&value(json), &map, Maps::Entries)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused(r#"[{"key":"a"}]"#),
        "Map entry must have exactly 2 elements"
    );
    assert_eq!(
        refused(r#"[{"key":"a","value":1,"x":2}]"#),
        "Map entry must have exactly 2 elements"
    );
    assert_eq!(refused(r#"[{"k":"a","value":1}]"#), "Map entry missing key");
    assert_eq!(refused(r#"[{"key":"a","v":1}]"#), "Map entry missing value");
    assert_eq!(
        refused(r#"{"a":1}"#),
        "Cannot coerce Java value of type java.util.LinkedHashMap into expected protobuf type: TypeSpec.Map"
    );
}

#[test]
fn texts_stand_for_values() {
    for (cql, text, wanted) in [
        ("text", "abc", r#""abc""#),
        ("text", "'abc'", r#""abc""#),
        ("text", "''''", r#""'""#),
        ("text", "", r#""""#),
        ("int", "+5", "5"),
        ("counter", "-2", r#""-2""#),
        ("varint", "+12", "12"),
        ("decimal", ".5", "0.5"),
        ("decimal", "5.", "5"),
        ("float", "1.5f", "1.5"),
        ("double", " 1e2 ", "100.0"),
        ("inet", "10", r#""0.0.0.10""#),
        ("inet", "1.2.3", r#""1.2.0.3""#),
        ("inet", "[2001:db8::1]", r#""2001:db8:0:0:0:0:0:1""#),
        ("inet", "::ffff:1.2.3.4", r#""1.2.3.4""#),
        ("inet", "fe80::1%1", r#""fe80:0:0:0:0:0:0:1""#),
        ("inet", "[::1%0]", r#""0:0:0:0:0:0:0:1""#),
        ("inet", "localhost", r#""127.0.0.1""#),
        ("blob", "aGVsbG8", r#""aGVsbG8=""#),
        (
            "list<text>",
            "['it''s', b,'c, d']",
            r#"["it's","b","c, d"]"#,
        ),
        ("list<text>", " [ ] ", "[]"),
        ("list<text>", "[,a]", r#"["","a"]"#),
        ("set<frozen<list<int>>>", "{[1,2],[3]}", "[[1,2],[3]]"),
        ("map<text, int>", "{'z': 5, 'y': 6}", r#"{"z":5,"y":6}"#),
        ("tuple<text, int>", "(a)", r#"["a",null]"#),
        (
            "tuple<text, frozen<tuple<int, int>>>",
            "('x', (1, 2))",
            r#"["x",[1,2]]"#,
        ),
        ("addr", "{}", r#"{"street":null,"zip":null,"tags":[]}"#),
        (
            "addr",
            "{'street': 'a}b', tags: ['x','y']}",
            r#"{"street":"a}b","zip":null,"tags":["x","y"]}"#,
        ),
    ] {
        assert_eq!(from(cql, text).as_deref(), Ok(wanted), "{text} as {cql}");
    }
}

#[test]
fn texts_that_stand_for_nothing_are_refused() {
    for (cql, text, name) in [
        ("int", "x", "INT"),
        ("int", "1.5", "INT"),
        ("int", "3000000000", "INT"),
        ("int", "", "INT"),
        ("int", " 1", "INT"),
        ("smallint", "32768", "SMALLINT"),
        ("tinyint", "128", "TINYINT"),
        ("bigint", "x", "LONG"),
        ("counter", "x", "COUNTER"),
        ("varint", "1_0", "VARINT"),
        ("varint", "+-1", "VARINT"),
        ("decimal", "abc", "DECIMAL"),
        ("decimal", "1.-5", "DECIMAL"),
        ("decimal", "-", "DECIMAL"),
        ("decimal", ".", "DECIMAL"),
        ("decimal", "1e99999999999", "DECIMAL"),
        ("double", "inf", "DOUBLE"),
        ("double", "x", "DOUBLE"),
        ("float", "", "FLOAT"),
        ("boolean", "maybe", "BOOLEAN"),
        ("uuid", "not-a-uuid", "UUID"),
        ("uuid", "1-2-3-4", "UUID"),
        ("uuid", "1-2-3-4-5-6", "UUID"),
        ("timeuuid", "not-a-uuid", "TIMEUUID"),
        ("inet", "999.1.1.1", "INET"),
        ("inet", "1.2.3.4.5", "INET"),
        ("inet", "::x", "INET"),
        ("duration", "1x", "DURATION"),
        ("duration", "", "DURATION"),
        ("duration", "1m1h", "DURATION"),
        ("duration", "99999999999y", "DURATION"),
    ] {
        assert_eq!(
            from(cql, text),
            Err(text_refusal(text, name)),
            "{text} as {cql}"
        );
    }
    for (cql, text, wanted) in [
        ("blob", "***", "Illegal base64 character 2a"),
        ("blob", "a*b", "Illegal base64 character 2a"),
        ("blob", "a€", "Illegal base64 character 3f"),
        ("blob", "a", "Input byte array has wrong 4-byte ending unit"),
        (
            "list<int>",
            "5",
            "Invalid List value '5': at character 0 expecting '[' but got '5'",
        ),
        (
            "list<int>",
            "[1",
            "Invalid List value '[1': at character 2 expecting ',' but got EOF",
        ),
        (
            "set<int>",
            "[1]",
            "Invalid Set value '[1]': at character 0 expecting '{' but got '['",
        ),
        (
            "list<text>",
            "['a",
            "Invalid List value '['a': invalid CQL value at character 1",
        ),
        (
            "list<text>",
            "['é' x]",
            "Invalid List value '['é' x]': at character 6 expecting ',' but got 'x'",
        ),
        (
            "map<text, int>",
            "{a 1}",
            "Invalid Map value '{a 1}': at character 3 expecting ':' but got '1'",
        ),
        (
            "tuple<int, int>",
            "(1, 2, 3)",
            "Tuple expected 2 values, got 3",
        ),
        (
            "tuple<int, int>",
            "(1, 2) x",
            "Invalid Tuple value '(1, 2) x': at character 7 expecting EOF or blank but got 'x'",
        ),
        ("addr", "{x: 1}", "UDT 'addr' does not have field 'x'"),
        (
            "vector<float, 3>",
            "[1]",
            "Expected vector of size 3, got 1",
        ),
    ] {
        assert_eq!(from(cql, text).unwrap_err(), wanted, "{text} as {cql}");
    }
}

#[test]
fn json_of_the_wrong_kind_is_refused() {
    for (cql, json, wanted) in [
        (
            "int",
            "true",
            "Cannot coerce Boolean value (true) into expected protobuf type: TypeSpec.Basic.INT",
        ),
        (
            "boolean",
            "1",
            "Cannot coerce Number 1 into expected protobuf type: TypeSpec.Basic.BOOLEAN",
        ),
        (
            "uuid",
            "5",
            "Cannot coerce Number 5 into expected protobuf type: TypeSpec.Basic.UUID",
        ),
        (
            "timestamp",
            "1.5",
            "Cannot coerce Number 1.5 into expected protobuf type: TypeSpec.Basic.TIMESTAMP",
        ),
        (
            "blob",
            "[]",
            "Cannot coerce Java value of type java.util.ArrayList into expected protobuf type: TypeSpec.Basic.BLOB",
        ),
        ("varint", "1.5", "For input string: \"1.5\""),
        (
            "list<int>",
            "5",
            "Cannot coerce Number 5 into expected protobuf type: TypeSpec.List",
        ),
        (
            "list<int>",
            r#"["7"]"#,
            "Cannot coerce String value '7' into expected protobuf type: TypeSpec.Basic.INT",
        ),
        (
            "list<int>",
            "[null]",
            "Cannot coerce 'null' into expected protobuf type: TypeSpec.Basic.INT",
        ),
        (
            "set<int>",
            "{}",
            "Cannot coerce Java value of type java.util.LinkedHashMap into expected protobuf type: TypeSpec.Set",
        ),
        (
            "map<text, int>",
            "[1]",
            "Cannot coerce Java value of type java.util.ArrayList into expected protobuf type: TypeSpec.Map",
        ),
        (
            "map<int, int>",
            r#"{"1":1}"#,
            "Cannot coerce String value '1' into expected protobuf type: TypeSpec.Basic.INT",
        ),
        (
            "tuple<text, int>",
            r#"["a",1,2]"#,
            "Tuple expected 2 values, got 3",
        ),
        (
            "tuple<text, int>",
            "5",
            "Cannot coerce Number 5 into expected protobuf type: TypeSpec.Tuple",
        ),
        (
            "addr",
            r#"{"nofield":1}"#,
            "UDT 'addr' does not have field 'nofield'",
        ),
        (
            "addr",
            "5",
            "Cannot coerce Number 5 into expected protobuf type: TypeSpec.UDT.addr",
        ),
        (
            "addr",
            r#"{"zip":null}"#,
            "Cannot coerce 'null' into expected protobuf type: TypeSpec.Basic.INT",
        ),
        (
            "vector<float, 3>",
            "[0,1,2,3]",
            "Expected vector of size 3, got 4",
        ),
        (
            "vector<float, 1>",
            r#"["a"]"#,
            "Cannot coerce String value 'a' into expected protobuf type: TypeSpec.Basic.FLOAT",
        ),
        (
            "vector<float, 1>",
            "5",
            "Cannot coerce Number 5 into expected protobuf type: TypeSpec.Vector",
        ),
    ] {
        assert_eq!(through(cql, json).unwrap_err(), wanted, "{json} as {cql}");
    }
}

#[test]
fn inside_a_collection_texts_stand_for_what_has_no_json() {
    for (cql, json) in [
        ("list<uuid>", r#"["00000001-0002-0003-0004-000000000005"]"#),
        ("list<timestamp>", r#"["2026-01-02T03:04:05Z"]"#),
        ("list<date>", r#"["2026-01-02"]"#),
        ("list<time>", r#"["03:04:00"]"#),
        ("list<duration>", r#"["1d"]"#),
        ("list<inet>", r#"["10.0.0.1"]"#),
        ("list<blob>", r#"["AAE="]"#),
        ("list<text>", r#"["'quoted'"]"#),
    ] {
        assert_eq!(through(cql, json).as_deref(), Ok(json), "{cql}");
    }
}
