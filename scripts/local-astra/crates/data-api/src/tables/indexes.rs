//! `createIndex`, `createVectorIndex`, `listIndexes`, `dropIndex`.

use scylla::cluster::metadata::{ColumnType, NativeType};

use super::schema::{drop_named, if_not_exists, object};
use super::types::{ApiType, is_frozen, shown};
use super::{Table, changed};
use crate::caller::Caller;
use crate::codes::Code;
use crate::collections::{Metric, SOURCE_MODELS};
use crate::command::{Command, mismatch, missing};
use crate::error::ApiError;
use crate::indexes::wait_for_indexes;
use crate::json::{Json, Members};
use crate::keyspaces::valid_name_of;
use crate::response::Response;
use store::types::{literal, quote};
use store::{Column, Index};

/// Characters of an index's name.
const NAME_LENGTH: usize = 100;
/// Text options: their names in the API and in CQL, and their defaults.
const TEXT_OPTIONS: [(&str, &str, bool); 3] = [
    ("ascii", "ascii", false),
    ("caseSensitive", "case_sensitive", true),
    ("normalize", "normalize", false),
];

/// The indexed part of a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    Keys,
    Values,
    Entries,
    /// A whole frozen collection.
    Full,
}

impl Function {
    fn cql(self) -> &'static str {
        match self {
            Function::Keys => "keys",
            Function::Values => "values",
            Function::Entries => "entries",
            Function::Full => "full",
        }
    }
}

/// An index and its column.
#[derive(Clone, Debug)]
pub struct IndexTarget<'a> {
    pub index: &'a Index,
    pub column: String,
    pub function: Option<Function>,
}

impl IndexTarget<'_> {
    /// Reads the target of an index: a column, or `values(column)`; names may be quoted.
    pub fn of(index: &Index) -> Option<IndexTarget<'_>> {
        let target = index.options.get("target")?;
        let functions = [
            Function::Keys,
            Function::Values,
            Function::Entries,
            Function::Full,
        ];
        let inner = |function: &Function| {
            let rest = target.strip_prefix(function.cql())?;
            rest.strip_prefix('(')?.strip_suffix(')')
        };
        let function = functions.into_iter().find(|f| inner(f).is_some());
        let name = function.as_ref().and_then(inner).unwrap_or(target);
        let quoted = name
            .strip_prefix('"')
            .and_then(|name| name.strip_suffix('"'));
        let column = quoted.map_or_else(|| name.to_owned(), |name| name.replace("\"\"", "\""));
        Some(IndexTarget {
            index,
            column,
            function,
        })
    }

    /// Returns whether this is a storage-attached index.
    pub fn is_sai(&self) -> bool {
        let class = self.index.options.get("class_name");
        self.index.kind == "CUSTOM"
            && class.is_some_and(|c| c.ends_with("StorageAttachedIndex") || c == "sai")
    }

    /// Returns whether the index ignores the case of texts.
    pub fn ignores_case(&self) -> bool {
        self.option("case_sensitive") == Some("false")
    }

    /// The similarity function of a vector index.
    pub fn metric(&self) -> Metric {
        let named = self.option("similarity_function").and_then(Metric::read);
        named.unwrap_or(Metric::Cosine)
    }

    fn option(&self, name: &str) -> Option<&str> {
        self.index.options.get(name).map(String::as_str)
    }
}

/// `listIndexes`
pub fn list(table: &Table, explain: bool) -> Response {
    let indexes = table.meta.indexes.iter().map(|index| {
        if explain {
            explained(table, index)
        } else {
            Json::text(&index.name)
        }
    });
    Response::default().with_status("indexes", indexes.collect())
}

fn explained(table: &Table, index: &Index) -> Json {
    let (definition, typ) = definition(table, index).unwrap_or_else(|| {
        let option = |name: &str| index.options.get(name).map_or("", String::as_str);
        let (target, class) = (option("target"), option("class_name"));
        let (custom, using) = match index.kind.as_str() {
            "CUSTOM" => ("CUSTOM ", format!(" USING {}", literal(class))),
            _ => ("", String::new()),
        };
        let (name, table) = (shown(&index.name), table.shown());
        let cql = format!("CREATE {custom}INDEX {name} ON {table} ({target}){using};");
        let support = Json::object([
            ("createIndex", Json::Bool(false)),
            ("filter", Json::Bool(false)),
            ("cqlDefinition", Json::Text(cql)),
        ]);
        let unknown = Json::object([("column", Json::text("UNKNOWN")), ("apiSupport", support)]);
        (unknown, "UNKNOWN")
    });
    Json::object([
        ("name", Json::text(&index.name)),
        ("definition", definition),
        ("indexType", Json::text(typ)),
    ])
}

/// The definition and the type of an index; `None` for one that the API could not create.
fn definition(table: &Table, index: &Index) -> Option<(Json, &'static str)> {
    let target = IndexTarget::of(index).filter(IndexTarget::is_sai)?;
    let column = table.column(&target.column)?;
    let name = Json::text(&target.column);
    let typ = ApiType::of(&column.typ);
    let column = match (target.function, typ) {
        (None, ApiType::Vector(_)) => {
            let options = Json::object([
                ("metric", Json::text(target.metric().name())),
                ("sourceModel", Json::text("other")),
            ]);
            let definition = Json::object([("column", name), ("options", options)]);
            return Some((definition, "vector"));
        }
        (None, ApiType::Primitive(_)) => name,
        (Some(Function::Entries), ApiType::Map(..)) => name,
        (Some(Function::Keys), typ) if typ.is_collection() => {
            Json::object([(target.column.as_str(), Json::text("$keys"))])
        }
        (Some(Function::Values), typ) if typ.is_collection() => {
            Json::object([(target.column.as_str(), Json::text("$values"))])
        }
        _ => return None,
    };
    let mut options = Members::new();
    for (api, cql, _) in TEXT_OPTIONS {
        if let Some(value) = target.option(cql) {
            options.insert(api.to_owned(), Json::Bool(value == "true"));
        }
    }
    let definition = Json::object([("column", column), ("options", Json::Object(options))]);
    Some((definition, "regular"))
}

/// `createIndex`
pub async fn create(
    caller: &Caller<'_>,
    table: &Table,
    command: &Command,
) -> Result<Response, ApiError> {
    let definition = read_definition(command)?;
    let options = object(definition, &["column", "options"], "options")?
        .map(read_text_options)
        .transpose()?;
    let (name, part) = read_target(definition.get("column"))?;
    let index = valid_name_of("Index", command.text("name"), NAME_LENGTH)?;
    check_type(command, "regular")?;
    let column = indexed_column(table, name)?;
    let typ = ApiType::of(&column.typ);
    let function = match typ {
        ApiType::Primitive(_) if part.is_some() => return Err(bad_target()),
        ApiType::Primitive(_) => None,
        typ if typ.is_collection() && is_frozen(&column.typ) => {
            let text = format!("The column {name} is frozen: it cannot have an index.");
            return Err(ApiError::new(
                Code::UnsupportedIndexingForFrozenColumn,
                text,
            ));
        }
        ApiType::Map(..) => Some(part.unwrap_or(Function::Entries)),
        typ if typ.is_collection() => Some(Function::Values),
        _ => {
            let code = Code::UnsupportedIndexingForDataTypes;
            return Err(unsupported(table, column, code, "an index"));
        }
    };
    let options = text_options(table, column, function, options)?;
    let target = function.map_or_else(
        || quote(name),
        |function| format!("{}({})", function.cql(), quote(name)),
    );
    create_index(caller, table, command, index, &target, &options).await
}

/// `createVectorIndex`
pub async fn create_vector(
    caller: &Caller<'_>,
    table: &Table,
    command: &Command,
) -> Result<Response, ApiError> {
    let definition = read_definition(command)?;
    let options = object(definition, &["column", "options"], "options")?;
    let empty = Members::new();
    let options = options.unwrap_or(&empty);
    let known = ["metric", "sourceModel"];
    object(options, &known, "")?;
    let text = |name: &str| match options.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Text(text)) => Ok(Some(text.as_str()).filter(|text| !text.trim().is_empty())),
        Some(_) => Err(mismatch(format!("'{name}' must be a text"))),
    };
    let (metric, model) = (text("metric")?, text("sourceModel")?);
    let name = definition.get("column").and_then(Json::as_text);
    let index = valid_name_of("Index", command.text("name"), NAME_LENGTH)?;
    check_type(command, "vector")?;
    let name = name.ok_or_else(|| missing("command.definition.column"))?;
    let column = indexed_column(table, name)?;
    if !matches!(ApiType::of(&column.typ), ApiType::Vector(_)) {
        let code = Code::UnsupportedVectorIndexForDataTypes;
        return Err(unsupported(table, column, code, "a vector index"));
    }
    let model = model.unwrap_or("other");
    if !SOURCE_MODELS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(model))
    {
        let text = format!(
            "The source model '{model}' is unknown.\n\nUse one of: {}.",
            SOURCE_MODELS.join(", ")
        );
        return Err(ApiError::new(Code::UnknownVectorSourceModel, text));
    }
    let metric = match metric {
        Some(metric) => Metric::read(metric).ok_or_else(|| {
            let text = format!(
                "The metric '{metric}' is unknown.\n\nUse cosine, dot_product or euclidean."
            );
            ApiError::new(Code::UnknownVectorMetric, text)
        })?,
        None if model.eq_ignore_ascii_case("other") => Metric::Cosine,
        None => Metric::DotProduct,
    };
    let options = [("similarity_function", metric.name().to_owned())];
    create_index(caller, table, command, index, &quote(name), &options).await
}

async fn create_index(
    caller: &Caller<'_>,
    table: &Table,
    command: &Command,
    index: &str,
    target: &str,
    options: &[(&str, String)],
) -> Result<Response, ApiError> {
    let unless = if_not_exists(command);
    let options: Vec<String> = options
        .iter()
        .map(|(name, value)| format!("'{name}': {}", literal(value)))
        .collect();
    let options = if options.is_empty() {
        String::new()
    } else {
        format!(" WITH OPTIONS = {{{}}}", options.join(", "))
    };
    let create = format!(
        "CREATE CUSTOM INDEX {unless}{} ON {} ({target}) USING 'StorageAttachedIndex'{options}",
        quote(index),
        table.quoted(),
    );
    let created = caller.session.change_schema(&create).await;
    if created.is_ok() {
        wait_for_indexes(caller, &table.meta.keyspace, &table.meta.name).await?;
    }
    Ok(changed(created, |error| {
        let exists =
            error.code == store::Code::AlreadyExists || error.message.contains("already exists");
        exists.then(|| {
            let text = format!(
                "The keyspace {} already has an index {index}.",
                table.meta.keyspace
            );
            ApiError::new(Code::CannotAddExistingIndex, text)
        })
    }))
}

fn read_definition(command: &Command) -> Result<&Members, ApiError> {
    let definition = command.field("definition").and_then(Json::as_object);
    definition.ok_or_else(|| missing("command.definition"))
}

/// Checks `indexType`, which may be left out.
fn check_type(command: &Command, wanted: &str) -> Result<(), ApiError> {
    let typ = command.text("indexType").unwrap_or(wanted);
    if typ.eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    let known = ["regular", "text", "vector"];
    let code = if known.iter().any(|known| typ.eq_ignore_ascii_case(known)) {
        Code::UnsupportedIndexType
    } else {
        Code::UnknownIndexType
    };
    let text = format!(
        "{} creates indexes of type {wanted}, not '{typ}'.",
        command.name
    );
    Err(ApiError::new(code, text))
}

/// A column, or `{column: "$keys"}`.
fn read_target(target: Option<&Json>) -> Result<(&str, Option<Function>), ApiError> {
    match target {
        None | Some(Json::Null) => Err(missing("command.definition.column")),
        Some(Json::Text(name)) => Ok((name, None)),
        Some(Json::Object(members)) if members.len() == 1 => {
            let (name, part) = members.first().ok_or_else(bad_target)?;
            let part = part.as_text().map(str::to_ascii_lowercase);
            match part.as_deref() {
                Some("$keys") => Ok((name, Some(Function::Keys))),
                Some("$values") => Ok((name, Some(Function::Values))),
                _ => Err(bad_target()),
            }
        }
        Some(_) => Err(bad_target()),
    }
}

fn bad_target() -> ApiError {
    let text = "The column of an index must be a name, or for a map {name: \"$keys\"} or {name: \"$values\"}.";
    ApiError::new(Code::InvalidFormatForIndexCreationColumn, text)
}

fn read_text_options(options: &Members) -> Result<[Option<bool>; 3], ApiError> {
    object(options, &TEXT_OPTIONS.map(|(api, ..)| api), "")?;
    let mut read = [None; 3];
    for (value, (name, ..)) in read.iter_mut().zip(TEXT_OPTIONS) {
        *value = match options.get(name) {
            None | Some(Json::Null) => None,
            Some(Json::Bool(value)) => Some(*value),
            Some(_) => return Err(mismatch(format!("'{name}' must be a boolean"))),
        };
    }
    Ok(read)
}

/// The options of an index in CQL. Only indexes of texts have some.
fn text_options(
    table: &Table,
    column: &Column,
    function: Option<Function>,
    given: Option<[Option<bool>; 3]>,
) -> Result<Vec<(&'static str, String)>, ApiError> {
    let is_text = |typ: &ColumnType<'_>| {
        matches!(
            typ,
            ColumnType::Native(NativeType::Text | NativeType::Ascii)
        )
    };
    let any = given.is_some_and(|options| options.iter().any(Option::is_some));
    let of_texts = match (ApiType::of(&column.typ), function) {
        (ApiType::Map(..), Some(Function::Entries)) if any => {
            let text = format!(
                "Options of texts cannot be used on the entries of the map {}.",
                column.name
            );
            return Err(ApiError::new(Code::CannotAnalyzeEntriesOnMapColumns, text));
        }
        (ApiType::Map(key, _), Some(Function::Keys)) => is_text(key),
        (ApiType::Map(_, value), Some(Function::Values)) => is_text(value),
        (ApiType::List(element) | ApiType::Set(element), _) => is_text(element),
        (ApiType::Primitive(_), _) => is_text(&column.typ),
        _ => false,
    };
    if any && !of_texts {
        let code = Code::UnsupportedTextAnalysisForDataTypes;
        return Err(unsupported(table, column, code, "options of texts"));
    }
    // A collection without options is not analyzed at all.
    let analyzed = of_texts && (given.is_some() || ApiType::of(&column.typ).is_primitive());
    if !analyzed {
        return Ok(Vec::new());
    }
    let given = given.unwrap_or_default().into_iter().zip(TEXT_OPTIONS);
    let options =
        given.map(|(value, (_, cql, default))| (cql, value.unwrap_or(default).to_string()));
    Ok(options.collect())
}

fn indexed_column<'a>(table: &'a Table, name: &str) -> Result<&'a Column, ApiError> {
    table.column(name).ok_or_else(|| {
        let text = format!(
            "An index cannot be created on the unknown column {name}.\n\n{}",
            table.defined_columns()
        );
        ApiError::new(Code::UnknownIndexColumn, text)
    })
}

fn unsupported(table: &Table, column: &Column, code: Code, what: &str) -> ApiError {
    let text = format!(
        "The type of the column {} does not support {what}.\n\n{}",
        column.name,
        table.defined_columns()
    );
    ApiError::new(code, text)
}

/// `dropIndex`
pub async fn drop_index(
    caller: &Caller<'_>,
    keyspace: &str,
    command: &Command,
) -> Result<Response, ApiError> {
    drop_named(caller, "INDEX", keyspace, command, |name, error| {
        error.message.contains("doesn't exist").then(|| {
            let text = format!("The keyspace {keyspace} has no index {name}.");
            ApiError::new(Code::CannotDropUnknownIndex, text)
        })
    })
    .await
}
