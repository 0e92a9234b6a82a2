//! The GraphQL-first API: a schema that a user deploys, mapped to tables.
//!
//! Deployment, at `/api/graphql-admin`:
//! - [`admin`]: the fields of that address; [`deploy`]: from the text of a schema to a new version
//! - [`sdl`]: the text, parsed within limits; [`directives`]: `@cql_…`; [`problems`]: its errors
//! - [`model`]: types as tables, operations as statements
//! - [`migration`]: the changes of the keyspace; [`sources`]: the versions, stored in Cassandra
//!
//! Requests, at `/api/graphql/{keyspace}`:
//! - [`deployed`]: the schema of a keyspace; [`runtime`]: its form for apollo-compiler
//! - [`data`]: its queries and mutations; [`run`]: their execution as statements with values
//!
//! Not served: files (`/graphql-files`, `deploySchemaFile`) and federation (`@key`).

pub mod admin;
pub mod data;
pub mod deploy;
pub mod deployed;
pub mod directives;
pub mod migration;
pub mod model;
pub mod problems;
pub mod run;
pub mod runtime;
pub mod sdl;
pub mod sources;
