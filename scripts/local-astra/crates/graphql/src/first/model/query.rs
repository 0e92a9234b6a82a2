//! A field of the query type as a SELECT.

use std::sync::Arc;

use apollo_compiler::Node;
use apollo_compiler::ast::FieldDefinition;
use scylla::statement::Consistency;

use super::Known;
use super::arguments::{self, Statement, Technical};
use super::conditions::{self, Condition};
use super::entity::Entity;
use super::returns::{self, Returns};
use super::target::Target;
use crate::first::directives;
use crate::first::problems::{Problems, Skip};

#[derive(Debug)]
pub struct Query {
    pub entity: Arc<Entity>,
    pub conditions: Vec<Condition>,
    /// The argument with the paging state.
    pub paging_state: Option<Technical>,
    pub limit: Option<i32>,
    pub page_size: Option<i32>,
    pub consistency: Option<Consistency>,
    pub returns: Returns,
}

/// Maps a field of the query type.
///
/// # Errors
/// [`Skip`] if it cannot be one SELECT without filtering.
pub fn build(
    field: &Node<FieldDefinition>,
    known: Known<'_>,
    problems: &mut Problems,
) -> Result<Query, Skip> {
    let label = format!("Query {}", field.name);
    let directive = directives::find(&field.directives, "cql_select");
    let limit = directive.number("limit", problems);
    let page_size = directive.number("pageSize", problems);
    let consistency = directive.constant("consistencyLevel", read_consistency, problems);
    let returns = returns::build(field, &label, known, problems)?;
    let entity = returns
        .entity()
        .filter(|entity| entity.target == Target::Table);
    let Some(entity) = entity.map(Arc::clone) else {
        let message = format!("{label}: return type must reference an entity that maps to a table");
        return Err(problems.invalid(field.location(), message));
    };
    let paging_state = arguments::technical(field, "cql_pagingState", &["String"], problems)?;
    let read = arguments::build(field, Statement::Select, &entity, known, problems)?;
    let all: Vec<&Condition> = read.conditions.iter().collect();
    conditions::check_no_filtering(&entity, &all).map_err(|message| {
        let message = format!("Operation {}: {message}", field.name);
        problems.invalid(field.location(), message)
    })?;
    Ok(Query {
        entity,
        conditions: read.conditions,
        paging_state,
        limit,
        page_size,
        consistency,
        returns,
    })
}

/// Parses a consistency level by its name in the enums of the directives.
pub fn read_consistency(name: &str) -> Option<Consistency> {
    Some(match name {
        "LOCAL_ONE" => Consistency::LocalOne,
        "LOCAL_QUORUM" => Consistency::LocalQuorum,
        "ALL" => Consistency::All,
        "SERIAL" => Consistency::Serial,
        "LOCAL_SERIAL" => Consistency::LocalSerial,
        _ => return None,
    })
}
