//! A field of an object type as a column or a field of a user-defined type.

use apollo_compiler::Node;
use apollo_compiler::ast::{FieldDefinition, Type};
use apollo_compiler::parser::SourceSpan;

use super::index::{self, Index};
use super::target::{self, Target};
use crate::first::directives;
use crate::first::directives::Use;
use crate::first::problems::{Kind, Problems, Skip};
use crate::first::sdl;
use crate::first::sdl::Sdl;
use crate::scalars;
use store::types::TypeName;

/// The role of a column in its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    PartitionKey,
    Clustering { descending: bool },
    Regular,
}

impl Role {
    /// Sort order of the columns: the key first.
    pub fn rank(self) -> u8 {
        match self {
            Role::PartitionKey => 0,
            Role::Clustering { .. } => 1,
            Role::Regular => 2,
        }
    }
}

#[derive(Debug)]
pub struct Field {
    pub name: String,
    pub typ: Type,
    pub cql_name: String,
    pub cql_type: TypeName,
    pub role: Role,
    pub index: Option<Index>,
}

impl Field {
    pub fn is_key(&self) -> bool {
        self.role != Role::Regular
    }
}

/// The object type that a field belongs to.
#[derive(Clone, Copy)]
pub struct Owner<'a> {
    pub name: &'a str,
    pub cql_name: &'a str,
    pub is_user_type: bool,
    /// True if an input type is generated for it.
    pub has_input: bool,
}

/// Maps a field.
///
/// # Errors
/// [`Skip`] if it has no CQL type, or contradictory directives.
pub fn build(
    definition: &Node<FieldDefinition>,
    owner: Owner<'_>,
    sdl: &Sdl,
    problems: &mut Problems,
) -> Result<Field, Skip> {
    let at = definition.location();
    let label = format!("{}.{}", owner.name, definition.name);
    let directive = directives::find(&definition.directives, "cql_column");
    let cql_name = directive
        .text("name", problems)
        .unwrap_or_else(|| definition.name.to_string());
    let role = role(directive, owner, at, &label, problems)?;
    let is_key = role != Role::Regular;
    let mut reader = Reader {
        at,
        label: &label,
        owner,
        sdl,
        problems,
    };
    let mut cql_type = reader.infer(&definition.ty, true)?;
    if is_key || (owner.is_user_type && cql_type.is_user_defined()) {
        cql_type = frozen(cql_type);
    }
    if let Some(hint) = directive.text("typeHint", reader.problems) {
        cql_type = reader.hinted(cql_type, &hint, is_key)?;
    }
    let index = directives::find(&definition.directives, "cql_index");
    let index = if !index.is_there() {
        None
    } else if is_key {
        let message = format!("{label}: partition or clustering columns can't have an index");
        return Err(problems.invalid(at, message));
    } else if owner.is_user_type {
        let message = format!("{label}: UDT fields can't have an index");
        return Err(problems.invalid(at, message));
    } else {
        let default = format!("{}_{cql_name}_idx", owner.cql_name);
        let built = index::build(index, &default, &cql_type, at, &label, problems)?;
        Some(built)
    };
    Ok(Field {
        name: definition.name.to_string(),
        typ: definition.ty.clone(),
        cql_name,
        cql_type,
        role,
        index,
    })
}

fn role(
    directive: Use<'_>,
    owner: Owner<'_>,
    at: Option<SourceSpan>,
    label: &str,
    problems: &mut Problems,
) -> Result<Role, Skip> {
    let mut partition_key = directive.flag("partitionKey", problems);
    let read = |name: &str| match name {
        "ASC" => Some(false),
        "DESC" => Some(true),
        _ => None,
    };
    let mut descending = directive.constant("clusteringOrder", read, problems);
    if owner.is_user_type {
        let mut ignore = |kind: &str| {
            let message = format!(
                "{label}: UDT fields should not be marked as {kind} (this will be ignored)"
            );
            problems.warn(at, message);
        };
        if partition_key.take().is_some() {
            ignore("partition keys");
        }
        if descending.take().is_some() {
            ignore("clustering keys");
        }
    }
    match (partition_key.unwrap_or(false), descending) {
        (true, Some(_)) => {
            let message = format!("{label}: can't be both a partition key and a clustering key.");
            Err(problems.invalid(at, message))
        }
        (true, None) => Ok(Role::PartitionKey),
        (false, Some(descending)) => Ok(Role::Clustering { descending }),
        (false, None) => Ok(Role::Regular),
    }
}

struct Reader<'a> {
    at: Option<SourceSpan>,
    label: &'a str,
    owner: Owner<'a>,
    sdl: &'a Sdl,
    problems: &'a mut Problems,
}

impl Reader<'_> {
    /// Returns the CQL type of a GraphQL type. Types inside a list are frozen.
    fn infer(&mut self, typ: &Type, outermost: bool) -> Result<TypeName, Skip> {
        let name = match typ {
            Type::List(item) | Type::NonNullList(item) => {
                let list = TypeName::List(Box::new(self.infer(item, false)?));
                return Ok(if outermost { list } else { frozen(list) });
            }
            Type::Named(name) | Type::NonNullNamed(name) => name.as_str(),
        };
        if let Some(native) = sdl::built_in_scalar(name) {
            return Ok(TypeName::Native(native));
        }
        if self.sdl.is_enum(name) {
            return Ok(TypeName::Native(
                scylla::cluster::metadata::NativeType::Text,
            ));
        }
        if let Some(object) = self.sdl.object(name).cloned() {
            // Anything wrong with the directive is reported where that type is mapped.
            let target = target::of(&object, &mut Problems::default());
            if target != Target::UserType {
                let message = format!(
                    "{}: can't map type '{name}' to CQL -- if a field references an object type, then that object \
                     should map to a UDT",
                    self.label
                );
                return Err(self.problems.invalid(self.at, message));
            }
            if self.owner.has_input && !object.directives.has("cql_input") {
                let message = format!(
                    "{}: type '{name}' must also be annotated with @cql_input",
                    self.label
                );
                return Err(self.problems.invalid(self.at, message));
            }
            // By the name of the type, not that of its `@cql_entity`: so does Stargate.
            let user_type = TypeName::UserDefined(name.to_owned());
            return Ok(if outermost {
                user_type
            } else {
                frozen(user_type)
            });
        }
        match scalars::by_name(name).filter(|_| !self.sdl.is_other_type(name)) {
            Some(native) => Ok(TypeName::Native(native)),
            None => {
                let message = format!(
                    "{}: can't map type 'TypeName{{name='{name}'}}' to CQL",
                    self.label
                );
                Err(self.problems.invalid(self.at, message))
            }
        }
    }

    /// Returns the type of a hint, which can only differ in `frozen`, or in sets instead of lists.
    fn hinted(&mut self, inferred: TypeName, hint: &str, is_key: bool) -> Result<TypeName, Skip> {
        let label = self.label;
        let hinted = TypeName::parse(hint).map_err(|error| {
            let message = format!("{label}: could not parse CQL type '{hint}': {error}");
            self.problems.error(Kind::Syntax, self.at, message)
        })?;
        let can_freeze = hinted.is_collection() || hinted.is_user_defined();
        if is_key && can_freeze && !hinted.is_frozen() {
            let message = format!(
                "{label}: invalid type hint '{hint}' -- partition or clustering columns must be frozen"
            );
            return Err(self.problems.invalid(self.at, message));
        }
        if self.owner.is_user_type && hinted.is_user_defined() && !hinted.is_frozen() {
            let message =
                format!("{label}: invalid type hint '{hint}' -- nested UDTs must be frozen");
            return Err(self.problems.invalid(self.at, message));
        }
        if !is_compatible(&hinted, &inferred) {
            let message = format!(
                "{label}: invalid type hint '{}'-- the inferred type was '{}', you can only change frozenness or \
                 use sets instead of lists",
                hinted.to_cql(),
                inferred.to_cql()
            );
            return Err(self.problems.invalid(self.at, message));
        }
        Ok(hinted)
    }
}

fn frozen(typ: TypeName) -> TypeName {
    match typ {
        TypeName::Native(_) | TypeName::Frozen(_) => typ,
        other => TypeName::Frozen(Box::new(other)),
    }
}

fn is_compatible(a: &TypeName, b: &TypeName) -> bool {
    match (a.thawed(), b.thawed()) {
        (TypeName::List(a) | TypeName::Set(a), TypeName::List(b) | TypeName::Set(b)) => {
            is_compatible(a, b)
        }
        // A real Stargate compares no further, whatever its message says.
        (TypeName::Native(_), TypeName::Native(_)) => true,
        (a, b) => a == b,
    }
}
