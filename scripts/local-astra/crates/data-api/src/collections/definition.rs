//! The settings of a collection: as `createCollection` gives them, and as the table's comment keeps them.

use super::indexing::Indexing;
use super::layout;
use crate::codes::Code;
use crate::command::{invalid_value, mismatch};
use crate::error::ApiError;
use crate::json::{Decimal, Json, Members, reader};
use crate::keyspaces::{reranking_is_off, vectorize_is_off};
use store::Table;

/// The version of the comment that is written.
const VERSION: i64 = 2;
const MAX_DIMENSION: i64 = 4096;
/// The models that vectors may come from.
pub const SOURCE_MODELS: [&str; 8] = [
    "ada002",
    "bert",
    "cohere-v3",
    "gecko",
    "nv-qa-4",
    "openai-v3-large",
    "openai-v3-small",
    "other",
];
const ID_TYPES: [&str; 4] = ["objectId", "uuid", "uuidv6", "uuidv7"];

/// The similarity function of vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    Cosine,
    DotProduct,
    Euclidean,
}

impl Metric {
    /// Reads the name of a metric, in any case.
    pub fn read(text: &str) -> Option<Metric> {
        match text.to_ascii_lowercase().as_str() {
            "cosine" => Some(Metric::Cosine),
            "dot_product" => Some(Metric::DotProduct),
            "euclidean" => Some(Metric::Euclidean),
            _ => None,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Metric::Cosine => "cosine",
            Metric::DotProduct => "dot_product",
            Metric::Euclidean => "euclidean",
        }
    }

    /// The function that computes similarities in CQL.
    pub fn function(self) -> &'static str {
        match self {
            Metric::Cosine => "similarity_cosine",
            Metric::DotProduct => "similarity_dot_product",
            Metric::Euclidean => "similarity_euclidean",
        }
    }
}

/// The vectors of a collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VectorSettings {
    pub dimension: u16,
    pub metric: Metric,
    /// The API's name of the model.
    source_model: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    pub vector: Option<VectorSettings>,
    /// One of [`ID_TYPES`].
    pub id_type: Option<String>,
    pub indexing: Option<Indexing>,
}

impl Definition {
    /// Reads the options of `createCollection`.
    ///
    /// # Errors
    /// For options and values that it does not take.
    pub fn read(options: &Members) -> Result<Definition, ApiError> {
        let known = ["defaultId", "indexing", "lexical", "rerank", "vector"];
        require_known(options, "createCollection.options", &known)?;
        let vector = object(options, "vector")?.map(read_vector).transpose()?;
        let id_type = object(options, "defaultId")?
            .map(read_id_type)
            .transpose()?;
        let indexing = object(options, "indexing")?
            .map(Indexing::read)
            .transpose()?;
        require_off(options, "lexical", &["enabled", "analyzer"], || {
            let text = "Local Astra has no lexical search: it is available on Astra only.";
            ApiError::new(Code::LexicalFeatureNotEnabled, text)
        })?;
        require_off(options, "rerank", &["enabled", "service"], reranking_is_off)?;
        Ok(Definition {
            vector,
            id_type: id_type.flatten(),
            indexing,
        })
    }

    /// The settings of a table; `None` if it is no collection.
    ///
    /// # Errors
    /// [`Code::CorruptedCollectionSchema`] for a comment that cannot be read.
    pub fn of(table: &Table) -> Result<Option<Definition>, ApiError> {
        if !layout::is_collection(table) {
            return Ok(None);
        }
        let corrupted = || {
            let name = &table.name;
            let text = format!("The comment of the table of the collection {name} cannot be read.");
            ApiError::new(Code::CorruptedCollectionSchema, text)
        };
        let comment = table.comment.trim();
        let comment = match comment {
            "" => Json::Object(Members::new()),
            comment => reader::read_stored(comment).map_err(|_| corrupted())?,
        };
        let definition = match comment.get("collection") {
            Some(collection) => {
                let options = collection.get("options").ok_or_else(corrupted)?;
                Definition::of_comment(options).ok_or_else(corrupted)?
            }
            // Version 0 kept only the indexing; the vector's column and index tell the rest.
            None => Definition {
                vector: vector_of_table(table),
                id_type: None,
                indexing: comment.get("indexing").and_then(Indexing::of_comment),
            },
        };
        Ok(Some(definition))
    }

    fn of_comment(options: &Json) -> Option<Definition> {
        let vector = match options.get("vector") {
            None | Some(Json::Null) => None,
            Some(vector) => {
                let text = |name: &str| vector.get(name).and_then(Json::as_text);
                let dimension = vector.get("dimension").or_else(|| vector.get("size"))?;
                let metric = text("metric")
                    .or_else(|| text("function"))
                    .unwrap_or("cosine");
                let model = text("sourceModel").unwrap_or("other");
                Some(VectorSettings {
                    dimension: u16::try_from(dimension.as_number()?.as_i64()?).ok()?,
                    metric: Metric::read(metric)?,
                    source_model: model.to_ascii_lowercase().replace('_', "-"),
                })
            }
        };
        let id_type = options
            .get("defaultId")
            .and_then(|id| id.get("type")?.as_text());
        Some(Definition {
            vector,
            id_type: id_type.filter(|typ| !typ.is_empty()).map(str::to_owned),
            indexing: options.get("indexing").and_then(Indexing::of_comment),
        })
    }

    /// The comment of the collection's table.
    pub fn comment(&self, name: &str) -> String {
        let mut options = Members::new();
        if let Some(indexing) = &self.indexing {
            options.insert("indexing".to_owned(), indexing.to_json());
        }
        if let Some(vector) = &self.vector {
            let model = vector.source_model.to_ascii_uppercase().replace('-', "_");
            options.insert("vector".to_owned(), vector.to_json(&model));
        }
        let id_type = Json::text(self.id_type.as_deref().unwrap_or(""));
        options.insert("defaultId".to_owned(), Json::object([("type", id_type)]));
        let off = Json::object([("enabled", Json::Bool(false))]);
        options.insert("lexical".to_owned(), off.clone());
        options.insert("rerank".to_owned(), off);
        let collection = Json::object([
            ("name", Json::text(name)),
            ("schema_version", Json::integer(VERSION)),
            ("options", Json::Object(options)),
        ]);
        Json::object([("collection", collection)]).to_string()
    }

    /// The settings as `findCollections` shows them.
    pub fn explained(&self) -> Json {
        let mut options = Members::new();
        if let Some(id_type) = &self.id_type {
            let id = Json::object([("type", Json::text(id_type))]);
            options.insert("defaultId".to_owned(), id);
        }
        if let Some(vector) = &self.vector {
            options.insert("vector".to_owned(), vector.to_json(&vector.source_model));
        }
        if let Some(indexing) = &self.indexing {
            options.insert("indexing".to_owned(), indexing.to_json());
        }
        let off = Json::object([("enabled", Json::Bool(false))]);
        options.insert("lexical".to_owned(), off.clone());
        options.insert("rerank".to_owned(), off);
        Json::Object(options)
    }
}

impl VectorSettings {
    fn to_json(&self, model: &str) -> Json {
        Json::object([
            ("dimension", Json::integer(self.dimension)),
            ("metric", Json::text(self.metric.name())),
            ("sourceModel", Json::text(model)),
        ])
    }
}

fn vector_of_table(table: &Table) -> Option<VectorSettings> {
    let dimension = layout::vector_dimension(table)?;
    let mut options = table
        .indexes
        .iter()
        .filter_map(|index| index.options.get("similarity_function"));
    Some(VectorSettings {
        dimension,
        metric: options
            .next()
            .and_then(|name| Metric::read(name))
            .unwrap_or(Metric::Cosine),
        source_model: "other".to_owned(),
    })
}

fn read_vector(vector: &Members) -> Result<VectorSettings, ApiError> {
    let known = [
        "dimension",
        "metric",
        "sourceModel",
        "service",
        "size",
        "function",
    ];
    require_known(vector, "createCollection.options.vector", &known)?;
    let either = |new: &str, old: &str| {
        let given = vector.get(new).or_else(|| vector.get(old));
        given.filter(|value| !value.is_null())
    };
    let dimension = either("dimension", "size")
        .map(read_dimension)
        .transpose()?;
    let given_metric = either("metric", "function");
    let metric = given_metric
        .map(|metric| {
            let known = metric
                .as_text()
                .filter(|name| **name == name.to_ascii_lowercase());
            known.and_then(Metric::read).ok_or_else(|| {
                let reason = "must be 'dot_product', 'cosine' or 'euclidean'";
                invalid_value("command.options.vector.metric", metric, reason)
            })
        })
        .transpose()?;
    let model = either("sourceModel", "sourceModel")
        .map(|model| {
            let known = model.as_text().filter(|name| SOURCE_MODELS.contains(name));
            known.ok_or_else(|| {
                let reason = format!("must be one of {}", SOURCE_MODELS.join(", "));
                invalid_value("command.options.vector.sourceModel", model, &reason)
            })
        })
        .transpose()?;
    if either("service", "service").is_some() {
        return Err(vectorize_is_off());
    }
    let Some(dimension) = dimension else {
        let text = "'dimension' must be given unless 'service' is.";
        return Err(ApiError::new(Code::InvalidCreateCollectionOptions, text));
    };
    let dimension = u16::try_from(dimension)
        .ok()
        .filter(|d| i64::from(*d) <= MAX_DIMENSION);
    let Some(dimension) = dimension else {
        let text = format!("The dimension of '$vector' is larger than {MAX_DIMENSION}.");
        return Err(ApiError::new(Code::VectorSearchTooBigValue, text));
    };
    // The models of embeddings give vectors of length 1, for which the dot product is enough.
    let default = match model {
        None | Some("other") => Metric::Cosine,
        Some(_) => Metric::DotProduct,
    };
    Ok(VectorSettings {
        dimension,
        metric: metric.unwrap_or(default),
        source_model: model.unwrap_or("other").to_owned(),
    })
}

fn read_dimension(dimension: &Json) -> Result<i64, ApiError> {
    let whole = dimension.as_number().and_then(Decimal::to_i64);
    let whole = whole.and_then(|whole| i32::try_from(whole).ok());
    let Some(whole) = whole else {
        return Err(mismatch(format!(
            "'dimension' must be an integer, not {dimension}"
        )));
    };
    if whole < 1 {
        let reason = "must be greater than 0";
        return Err(invalid_value(
            "command.options.vector.dimension",
            whole,
            reason,
        ));
    }
    Ok(whole.into())
}

fn read_id_type(id: &Members) -> Result<Option<String>, ApiError> {
    require_known(id, "createCollection.options.defaultId", &["type"])?;
    match id.get("type") {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Text(typ)) if ID_TYPES.contains(&typ.as_str()) => Ok(Some(typ.clone())),
        Some(other) => {
            let reason = format!("must be one of {}", ID_TYPES.join(", "));
            Err(invalid_value(
                "command.options.defaultId.type",
                other,
                &reason,
            ))
        }
    }
}

/// A member that has to be an object, if it is given.
fn object<'a>(options: &'a Members, name: &str) -> Result<Option<&'a Members>, ApiError> {
    match options.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Object(members)) => Ok(Some(members)),
        Some(other) => {
            let found = other.type_name();
            Err(mismatch(format!("'{name}' must be an object, not {found}")))
        }
    }
}

fn require_known(members: &Members, of: &str, known: &[&str]) -> Result<(), ApiError> {
    match members.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(unknown) => {
            let known = known.join(", ");
            let text = format!("`{of}` has no option \"{unknown}\" (valid options: {known}).");
            Err(ApiError::new(Code::InvalidCreateCollectionField, text))
        }
    }
}

/// Accepts a feature that local Astra does not have only if it is turned off.
fn require_off(
    options: &Members,
    name: &str,
    known: &[&str],
    off: impl Fn() -> ApiError,
) -> Result<(), ApiError> {
    let Some(feature) = object(options, name)? else {
        return Ok(());
    };
    require_known(feature, &format!("createCollection.options.{name}"), known)?;
    match feature.get("enabled") {
        Some(Json::Bool(false)) => Ok(()),
        Some(Json::Bool(true)) => Err(off()),
        None | Some(Json::Null) => {
            let text = format!("'enabled' is required for the option '{name}'.");
            Err(ApiError::new(Code::InvalidCreateCollectionOptions, text))
        }
        Some(other) => Err(mismatch(format!(
            "'enabled' must be a boolean, not {other}"
        ))),
    }
}
