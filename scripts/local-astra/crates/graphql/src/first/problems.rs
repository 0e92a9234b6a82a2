//! Findings of the mapping of a user's schema: errors, which end the deployment, and logs, which do not.

use apollo_compiler::parser::{LineColumn, SourceMap, SourceSpan};
use serde_json::{Value, json};

/// Marks a part of the schema that cannot be mapped. The reason is already in the [`Problems`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skip;

/// The source of an error: the mapping, or the text of a directive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Mapping,
    Syntax,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub kind: Kind,
    pub message: String,
    pub location: Option<LineColumn>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    Info,
    Warning,
}

impl Category {
    /// Returns the value of the enum `LogCategory`.
    pub fn name(self) -> &'static str {
        match self {
            Category::Info => "INFO",
            Category::Warning => "WARNING",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    pub category: Category,
    pub message: String,
    pub location: Option<LineColumn>,
}

/// Collects errors and logs, so that one deployment reports all of them.
#[derive(Debug, Default)]
pub struct Problems {
    sources: SourceMap,
    pub errors: Vec<Error>,
    pub logs: Vec<Log>,
}

impl Problems {
    /// Creates an empty collection for a document with these sources, which the locations refer to.
    pub fn new(sources: &SourceMap) -> Problems {
        Problems {
            sources: sources.clone(),
            ..Problems::default()
        }
    }

    /// Records a mapping error, and returns the mark.
    pub fn invalid(&mut self, at: Option<SourceSpan>, message: impl Into<String>) -> Skip {
        self.error(Kind::Mapping, at, message)
    }

    /// Records an error of any kind, and returns the mark.
    pub fn error(
        &mut self,
        kind: Kind,
        at: Option<SourceSpan>,
        message: impl Into<String>,
    ) -> Skip {
        let location = self.locate(at);
        self.errors.push(Error {
            kind,
            message: message.into(),
            location,
        });
        Skip
    }

    pub fn info(&mut self, at: Option<SourceSpan>, message: impl Into<String>) {
        self.log(Category::Info, at, message);
    }

    pub fn warn(&mut self, at: Option<SourceSpan>, message: impl Into<String>) {
        self.log(Category::Warning, at, message);
    }

    fn log(&mut self, category: Category, at: Option<SourceSpan>, message: impl Into<String>) {
        let location = self.locate(at);
        self.logs.push(Log {
            category,
            message: message.into(),
            location,
        });
    }

    fn locate(&self, at: Option<SourceSpan>) -> Option<LineColumn> {
        at?.line_column(&self.sources)
    }
}

impl Error {
    /// Returns an item of `extensions.mappingErrors`.
    pub fn to_json(&self) -> Value {
        let error_type = match self.kind {
            Kind::Mapping => "InvalidMapping",
            Kind::Syntax => "InvalidSyntax",
        };
        let location =
            |at: LineColumn| json!({"line": at.line, "column": at.column, "sourceName": null});
        let locations: Vec<Value> = self.location.into_iter().map(location).collect();
        json!({
            "errorType": error_type, "message": self.message, "locations": locations,
            "path": null, "extensions": null,
        })
    }
}
