//! `createType`, `alterType`, `listTypes`, `dropType`.

use scylla::cluster::metadata::{ColumnType, UserDefinedType};
use std::borrow::Cow;
use std::sync::Arc;

use super::changed;
use super::definition::{Place, columns_in_cql, read_columns};
use super::schema::{drop_named, if_not_exists, object};
use super::types::{Usage, describe};
use crate::caller::Caller;
use crate::codes::Code;
use crate::command::{Command, mismatch, missing};
use crate::error::ApiError;
use crate::json::{Json, Members};
use crate::keyspaces::{given_name, valid_name};
use crate::response::Response;
use store::types::{quote, quote_in};
use store::{StoreError, UserType};

/// `createType`
pub async fn create(
    caller: &Caller<'_>,
    keyspace: &str,
    command: &Command,
) -> Result<Response, ApiError> {
    let definition = command.field("definition").and_then(Json::as_object);
    let definition = definition.ok_or_else(|| missing("command.definition"))?;
    let fields =
        read_columns(object(definition, &["fields"], "fields")?.unwrap_or(&Members::new()))?;
    let name = valid_name("Type", Some(given_name(command)?))?;
    if fields.is_empty() {
        let text = "A type needs at least one field.";
        return Err(ApiError::new(Code::MissingFieldsForTypeCreation, text));
    }
    let fields = columns_in_cql(&fields, Place::Field, Code::UnsupportedTypeFields)?;
    let unless = if_not_exists(command);
    let create = format!(
        "CREATE TYPE {unless}{} ({})",
        quote_in(keyspace, name),
        fields.join(", ")
    );
    let created = caller.session.change_schema(&create).await;
    Ok(changed(created, |error| {
        let exists =
            error.code == store::Code::AlreadyExists || error.message.contains("already exists");
        exists.then(|| {
            let text = format!("The keyspace {keyspace} already has a type {name}.");
            ApiError::new(Code::CannotAddExistingType, text)
        })
    }))
}

/// `alterType`
pub async fn alter(
    caller: &Caller<'_>,
    keyspace: &str,
    command: &Command,
) -> Result<Response, ApiError> {
    let part = |name: &str| match command.field(name).and_then(Json::as_object) {
        Some(members) => object(members, &["fields"], "fields"),
        None => Ok(None),
    };
    let renames = part("rename")?.into_iter().flatten().map(|(old, new)| {
        let new = new.as_text();
        let new = new.ok_or_else(|| mismatch(format!("the new name of '{old}' must be a text")))?;
        Ok(format!("RENAME {} TO {}", quote(old), quote(new)))
    });
    let mut changes = renames.collect::<Result<Vec<String>, ApiError>>()?;
    let added = part("add")?
        .map(read_columns)
        .transpose()?
        .unwrap_or_default();
    let name = given_name(command)?;
    if !added.is_empty() {
        valid_name("Type", Some(name))?;
    }
    let added = columns_in_cql(&added, Place::Field, Code::UnsupportedTypeFields)?;
    changes.extend(added.iter().map(|field| format!("ADD {field}")));
    if changes.is_empty() {
        let text = "alterType needs fields to rename or to add.";
        return Err(ApiError::new(Code::MissingAlterTypeOperations, text));
    }
    let typ = quote_in(keyspace, name);
    for change in changes {
        let alter = format!("ALTER TYPE {typ} {change}");
        if let Err(error) = caller.session.change_schema(&alter).await {
            return Ok(changed::<()>(Err(error), alter_error));
        }
    }
    Ok(Response::ok())
}

fn alter_error(error: &StoreError) -> Option<ApiError> {
    let message = &error.message;
    let (code, problem) = if message.contains("Unkown field") || message.contains("Unknown field") {
        let code = Code::CannotRenameUnknownTypeField;
        (code, "The type has no such field")
    } else if message.contains("a field with name") || message.contains("Duplicate field name") {
        (
            Code::CannotAddExistingField,
            "The type already has the field",
        )
    } else {
        return None;
    };
    Some(ApiError::new(code, format!("{problem}: {message}")))
}

/// `listTypes`
pub async fn list(
    caller: &Caller<'_>,
    keyspace: &str,
    explain: bool,
) -> Result<Response, ApiError> {
    caller.api.logins.refresh().await?;
    let keyspace = caller.visible_keyspace(keyspace).await?;
    let types = keyspace.types.values().map(|typ| {
        if explain {
            describe(&column_type(typ), Usage::Rows)
        } else {
            Json::text(&typ.name)
        }
    });
    Ok(Response::default().with_status("types", types.collect()))
}

fn column_type(typ: &UserType) -> ColumnType<'static> {
    let fields = typ.fields.iter();
    let field_types = fields.map(|(name, typ)| (Cow::Owned(name.clone()), typ.clone()));
    ColumnType::UserDefinedType {
        frozen: false,
        definition: Arc::new(UserDefinedType {
            name: Cow::Owned(typ.name.clone()),
            keyspace: Cow::Owned(typ.keyspace.clone()),
            field_types: field_types.collect(),
        }),
    }
}

/// `dropType`
pub async fn drop_type(
    caller: &Caller<'_>,
    keyspace: &str,
    command: &Command,
) -> Result<Response, ApiError> {
    drop_named(caller, "TYPE", keyspace, command, |name, error| {
        let message = &error.message;
        let (code, problem) = if message.contains("doesn't exist") {
            (Code::CannotDropUnknownType, "does not exist")
        } else if message.contains("is still used by tables") {
            (Code::CannotDropTypeUsedByTable, "is used by tables")
        } else {
            return None;
        };
        let text = format!("The type {name} of the keyspace {keyspace} {problem}: {message}");
        Some(ApiError::new(code, text))
    })
    .await
}
