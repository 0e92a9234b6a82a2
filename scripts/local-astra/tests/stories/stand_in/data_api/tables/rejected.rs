//! Invalid commands and their error codes, which are those of the open-source server.

use serde_json::{Value, json};

use super::super::DataApi;
use crate::astra::block_on;

fn create_table(columns: Value, key: Value) -> Value {
    json!({"createTable": {"name": "new", "definition": {"columns": columns, "primaryKey": key}}})
}

fn create_index(column: Value, options: Value) -> Value {
    json!({"createIndex": {"name": "i", "definition": {"column": column, "options": options}}})
}

fn update(filter: Value, update: Value) -> Value {
    json!({"updateOne": {"filter": filter, "update": update}})
}

fn find(filter: Value, sort: Value) -> Value {
    json!({"find": {"filter": filter, "sort": sort}})
}

/// Creates a table with a compound key, and a type that it uses.
async fn scene(api: &DataApi) {
    let typ = json!({"createType": {"name": "addr", "definition": {"fields": {"no": "int"}}}});
    api.done("", typ).await;
    let columns = json!({"a": "int", "b": "int", "t": "text", "dur": "duration",
        "l": {"type": "list", "valueType": "int"}, "m": {"type": "map", "keyType": "int", "valueType": "text"},
        "v": {"type": "vector", "dimension": 2}, "w": {"type": "vector", "dimension": 2},
        "u": {"type": "userDefined", "udtName": "addr"}});
    let key = json!({"partitionBy": ["a"], "partitionSort": {"b": 1}});
    api.create_table("t", columns, key).await;
    api.create_index("t", "t_t", json!("t")).await;
    let index = json!({"createVectorIndex": {"name": "t_v", "definition": {"column": "v"}}});
    api.done("t", index).await;
}

async fn check(api: &DataApi, table: &str, cases: Vec<(Value, &str)>) {
    for (command, code) in cases {
        assert_eq!(api.code(table, command.clone()).await, code, "{command}");
    }
}

#[test]
fn invalid_definitions_are_rejected() {
    let api = DataApi::new();
    block_on(async {
        scene(&api).await;
        let of = |typ: Value| create_table(json!({"a": "int", "x": typ}), json!("a"));
        check(&api, "", vec![
            (of(json!("nope")), "UNKNOWN_PRIMITIVE_DATA_TYPE"),
            (of(json!({"type": "nope"})), "UNKNOWN_DATA_TYPE"),
            (of(json!({"type": "int", "x": 1})), "COMMAND_FIELD_UNKNOWN"),
            (of(json!({})), "REQUEST_STRUCTURE_MISMATCH"),
            (of(json!(null)), "REQUEST_STRUCTURE_MISMATCH"),
            (of(json!("timeuuid")), "UNSUPPORTED_DATA_TYPE_TABLE_CREATION"),
            (of(json!("list")), "UNSUPPORTED_LIST_DEFINITION"),
            (of(json!({"type": "list", "valueType": {"type": "list", "valueType": "int"}})), "UNSUPPORTED_LIST_DEFINITION"),
            (of(json!({"type": "set", "valueType": "counter"})), "UNSUPPORTED_SET_DEFINITION"),
            (of(json!({"type": "map", "keyType": "duration", "valueType": "int"})), "UNSUPPORTED_MAP_DEFINITION"),
            (of(json!("vector")), "MISSING_DIMENSION_IN_VECTOR_COLUMN"),
            (of(json!({"type": "vector", "dimension": 0})), "UNSUPPORTED_VECTOR_DIMENSION"),
            (of(json!({"type": "vector", "dimension": 2, "service": {}})), "VECTORIZE_FEATURE_NOT_AVAILABLE"),
            (of(json!("userDefined")), "INVALID_USER_DEFINED_TYPE_NAME"),
            (of(json!({"type": "userDefined", "udtName": "nope"})), "UNKNOWN_USER_DEFINED_TYPE"),
            (create_table(json!({"a": "int"}), json!({"partitionBy": []})), "MISSING_PARTITION_COLUMNS"),
            (create_table(json!({"a": "int"}), json!({"partitionBy": "a"})), "REQUEST_STRUCTURE_MISMATCH"),
            (create_table(json!({"a": "int"}), json!({"partitionBy": ["a"], "partitionSort": {"x": 1}})), "UNKNOWN_PARTITION_SORT_COLUMNS"),
            (create_table(json!({"a": "int"}), json!(["a"])), "REQUEST_STRUCTURE_MISMATCH"),
            (create_table(json!({"a": "int"}), json!({"partitionBy": ["a", "a"]})), "INVALID_DATABASE_QUERY"),
            (json!({"createTable": {"name": "new"}}), "COMMAND_FIELD_VALUE_INVALID"),
            (json!({"dropTable": {"name": ""}}), "COMMAND_FIELD_VALUE_INVALID"),
            (json!({"createType": {"name": "n", "definition": {"fields": {}}}}), "MISSING_FIELDS_FOR_TYPE_CREATION"),
            (json!({"createType": {"name": "n", "definition": {"fields": {"l": "list"}}}}), "UNSUPPORTED_TYPE_FIELDS"),
            (json!({"createType": {"name": "addr", "definition": {"fields": {"no": "int"}}}}), "CANNOT_ADD_EXISTING_TYPE"),
            (json!({"alterType": {"name": "addr"}}), "MISSING_ALTER_TYPE_OPERATIONS"),
            (json!({"alterType": {"name": "addr", "rename": {"fields": {"x": "y"}}}}), "CANNOT_RENAME_UNKNOWN_TYPE_FIELD"),
            (json!({"alterType": {"name": "addr", "add": {"fields": {"no": "int"}}}}), "CANNOT_ADD_EXISTING_FIELD"),
            (json!({"dropType": {"name": "nope"}}), "CANNOT_DROP_UNKNOWN_TYPE"),
            (json!({"dropType": {"name": "addr"}}), "CANNOT_DROP_TYPE_USED_BY_TABLE"),
        ]).await;
        let alter = |operation: Value| json!({"alterTable": {"operation": operation}});
        check(&api, "t", vec![
            (alter(json!({})), "REQUEST_STRUCTURE_MISMATCH"),
            (alter(json!({"add": {"columns": {}}})), "MISSING_ALTER_TABLE_OPERATIONS"),
            (alter(json!({"add": {"columns": {"n": "counter"}}})), "CANNOT_ADD_UNSUPPORTED_DATA_TYPE_COLUMNS"),
            (alter(json!({"drop": {"columns": ["nope"]}})), "CANNOT_DROP_UNKNOWN_COLUMNS"),
            (alter(json!({"drop": {"columns": ["t"]}})), "CANNOT_DROP_INDEXED_COLUMNS"),
            (alter(json!({"addVectorize": {"columns": {"v": {}}}})), "VECTORIZE_FEATURE_NOT_AVAILABLE"),
            (alter(json!({"addVectorize": {"columns": {"t": {}}}})), "CANNOT_VECTORIZE_NON_VECTOR_COLUMNS"),
            (create_index(json!({"t": "$keys"}), json!({})), "INVALID_FORMAT_FOR_INDEX_CREATION_COLUMN"),
            (create_index(json!(["t"]), json!({})), "INVALID_FORMAT_FOR_INDEX_CREATION_COLUMN"),
            (create_index(json!("m"), json!({"ascii": true})), "CANNOT_ANALYZE_ENTRIES_ON_MAP_COLUMNS"),
            (create_index(json!({"m": "$keys"}), json!({"ascii": true})), "UNSUPPORTED_TEXT_ANALYSIS_FOR_DATA_TYPES"),
            (create_index(json!("u"), json!({})), "UNSUPPORTED_INDEXING_FOR_DATA_TYPES"),
            (create_index(json!("a"), json!({})), "INVALID_DATABASE_QUERY"),
            (json!({"createIndex": {"name": "i-i", "definition": {"column": "t"}}}), "UNSUPPORTED_SCHEMA_NAME"),
            (json!({"createIndex": {"name": "i", "definition": {"column": "t"}, "indexType": "nope"}}), "UNKNOWN_INDEX_TYPE"),
            (json!({"createIndex": {"name": "i", "definition": {"column": "t"}, "indexType": "vector"}}), "UNSUPPORTED_INDEX_TYPE"),
            (json!({"createVectorIndex": {"name": "i", "definition": {"column": "w", "options": {"metric": "nope"}}}}), "UNKNOWN_VECTOR_METRIC"),
            (json!({"createVectorIndex": {"name": "i", "definition": {"column": "w", "options": {"sourceModel": "nope"}}}}), "UNKNOWN_VECTOR_SOURCE_MODEL"),
        ]).await;
        let text = json!({"createTextIndex": {"name": "i", "definition": {"column": "t"}}});
        let path = format!("/{}/t", api.keyspace);
        let (status, body) = api.send(&path, text.to_string()).await;
        assert_eq!(status, 501);
        assert!(
            body["description"]
                .as_str()
                .unwrap()
                .contains("createTextIndex"),
            "{body}"
        );
    });
}

#[test]
fn invalid_commands_on_rows_are_rejected() {
    let api = DataApi::new();
    block_on(async {
        scene(&api).await;
        let row = json!({"a": 1, "b": 1});
        check(&api, "t", vec![
            (json!({"insertOne": {"document": 5}}), "SHRED_BAD_DOCUMENT_TYPE"),
            (json!({"insertOne": {"document": null}}), "COMMAND_FIELD_VALUE_INVALID"),
            (json!({"insertMany": {"documents": []}}), "COMMAND_FIELD_VALUE_INVALID"),
            (json!({"insertOne": {"document": {"a": 1, "b": null}}}), "MISSING_PRIMARY_KEY_COLUMNS"),
            (json!({"insertOne": {"document": {"a": 1, "b": 1, "v": "text"}}}), "UNSUPPORTED_VECTORIZE_WHEN_MISSING_VECTORIZE_DEFINITION"),
            (json!({"insertOne": {"document": {"a": 1, "b": 1, "u": {"x": 1}}}}), "INVALID_COLUMN_VALUES"),
            (find(json!("x"), json!({})), "FILTER_UNSUPPORTED_DATA_TYPE"),
            (find(json!({"t": {"$foo": 1}}), json!({})), "FILTER_UNSUPPORTED_OPERATOR"),
            (find(json!({"t": {"x": 1}}), json!({})), "FILTER_UNSUPPORTED_DATA_TYPE"),
            (find(json!({"t": [1]}), json!({})), "FILTER_INVALID_EXPRESSION"),
            (find(json!({"t": {"$in": 1}}), json!({})), "FILTER_INVALID_EXPRESSION"),
            (find(json!({"t": {"$gt": null}}), json!({})), "FILTER_INVALID_EXPRESSION"),
            (find(json!({"t": {"$all": ["x"]}}), json!({})), "INTERNAL_SERVER_ERROR"),
            (find(json!({"t": {"$match": "x"}}), json!({})), "CANNOT_LEXICAL_FILTER_NON_INDEXED_COLUMNS"),
            (find(json!({"dur": {"$gt": "1h"}}), json!({})), "UNSUPPORTED_COMPARISON_FILTER_AGAINST_DURATION"),
            (find(json!({"l": {"$gt": 1}}), json!({})), "INVALID_MAP_SET_LIST_FILTER"),
            (find(json!({"l": 1}), json!({})), "INVALID_FILTER_COLUMN_VALUES"),
            (find(json!({"m": {"$in": [1]}}), json!({})), "INVALID_MAP_SET_LIST_FILTER"),
            (find(json!({"m": {"$keys": [1]}}), json!({})), "INVALID_MAP_SET_LIST_FILTER"),
            (find(json!({"a": {"$gt": 1}}), json!({})), "INVALID_DATABASE_QUERY"),
            (find(json!({}), json!([1])), "SORT_CLAUSE_INVALID"),
            (find(json!({}), json!({"a": 2})), "INVALID_REGULAR_SORT_EXPRESSION"),
            (find(json!({}), json!({"a": [1]})), "CANNOT_VECTOR_SORT_NON_VECTOR_COLUMNS"),
            (find(json!({}), json!({"t": "x"})), "CANNOT_LEXICAL_SORT_NON_INDEXED_COLUMNS"),
            (find(json!({}), json!({"v": [1, 0], "a": 1})), "CANNOT_SORT_ON_SPECIAL_WITH_OTHERS"),
            (find(json!({}), json!({"v": [1]})), "CANNOT_VECTOR_SORT_ON_MISMATCHED_VECTOR_DIMENSIONS"),
            (find(json!({}), json!({"w": [1, 0]})), "CANNOT_VECTOR_SORT_NON_INDEXED_VECTOR_COLUMNS"),
            (find(json!({}), json!({"v": "x"})), "CANNOT_VECTORIZE_SORT_WHEN_MISSING_VECTORIZE_DEFINITION"),
            (find(json!({}), json!({"v": 1})), "INVALID_VECTOR_SORT_EXPRESSION"),
            (json!({"find": {"options": {"skip": 1}}}), "COMMAND_FIELD_VALUE_INVALID"),
            (json!({"find": {"options": {"limit": 0}}}), "COMMAND_FIELD_VALUE_INVALID"),
            (json!({"find": {"options": {"pageState": "x"}}}), "UNEXPECTED_DRIVER_ERROR"),
            (json!({"find": {"sort": {"t": 1}, "options": {"pageState": "x"}}}), "UNSUPPORTED_PAGINATION_WITH_IN_MEMORY_SORTING"),
            (json!({"find": {"sort": {"v": [1, 0]}, "options": {"skip": 1}}}), "CANNOT_VECTOR_SORT_WITH_SKIP_OPTION"),
            (json!({"find": {"sort": {"v": [1, 0]}, "options": {"limit": 1001}}}), "CANNOT_VECTOR_SORT_WITH_LIMIT_EXCEEDS_MAX"),
            (json!({"find": {"projection": {"a": 1, "b": 0}}}), "UNSUPPORTED_PROJECTION_PARAM"),
            (json!({"find": {"projection": [1]}}), "UNSUPPORTED_PROJECTION_DEFINITION"),
            (json!({"find": {"projection": {"*": 0}}}), "UNKNOWN_TABLE_COLUMNS"),
            (update(row.clone(), json!({})), "MISSING_UPDATE_OPERATIONS"),
            (update(row.clone(), json!({"$set": {"nope": 1}})), "UNKNOWN_TABLE_COLUMNS"),
            (update(row.clone(), json!({"$set": {"t": 1}})), "INVALID_UPDATE_COLUMN_VALUES"),
            (update(row.clone(), json!({"$set": {"t": "x"}, "$unset": {"t": ""}})), "UNSUPPORTED_OVERLAPPING_UPDATE_OPERATIONS"),
            (update(row.clone(), json!({"$foo": {"t": 1}})), "UNSUPPORTED_UPDATE_OPERATION"),
            (update(row.clone(), json!({"$set": 5})), "UNSUPPORTED_UPDATE_DATA_TYPE"),
            (update(row.clone(), json!({"$push": {"t": "x"}})), "UNSUPPORTED_UPDATE_OPERATOR"),
            (update(row.clone(), json!({"$push": {"l": [1]}})), "INVALID_PUSH_OPERATOR_USAGE"),
            (update(row.clone(), json!({"$push": {"l": {"$each": 1}}})), "INVALID_PUSH_OPERATOR_USAGE"),
            (update(row.clone(), json!({"$push": {"m": 1}})), "INVALID_PUSH_OPERATOR_USAGE"),
            (update(row.clone(), json!({"$pullAll": {"l": 1}})), "INVALID_UPDATE_COLUMN_VALUES"),
            (update(json!({}), json!({"$set": {"t": "x"}})), "MISSING_FILTER_FOR_UPDATE_DELETE"),
            (update(json!({"a": 1, "b": {"$in": [1]}}), json!({"$set": {"t": "x"}})), "UNSUPPORTED_FILTER_FOR_UPDATE_ONE_DELETE_ONE"),
            (json!({"updateOne": {"filter": row, "update": {"$set": {"t": "x"}}, "sort": {"a": 1}}}), "UNSUPPORTED_SORT_FOR_TABLE_UPDATE_COMMAND"),
            (json!({"deleteOne": {"filter": row, "sort": {"a": 1}}}), "UNSUPPORTED_SORT_FOR_TABLE_DELETE_COMMAND"),
            (json!({"deleteOne": {"filter": {}}}), "MISSING_FILTER_FOR_UPDATE_DELETE"),
            (json!({"deleteMany": {"filter": {"b": 1}}}), "INVALID_PRIMARY_KEY_FILTER"),
            (json!({"deleteMany": {"filter": {"$or": [{"a": 1}, {"a": 2}]}}}), "UNSUPPORTED_DATABASE_QUERY"),
            (json!({"estimatedDocumentCount": {}}), "UNSUPPORTED_TABLE_COMMAND"),
            (json!({"findOneAndDelete": {"filter": row}}), "UNSUPPORTED_TABLE_COMMAND"),
        ]).await;
        let body = api.run("t", json!({"find": {}})).await;
        assert_eq!(body["data"]["documents"], json!([]), "{body}");
    });
}
