//! The operations in the folder `graphql`. The compiler checks them against the schemas there, and makes a module of
//! types for each: `InsertBooks` has its variables and its answer in `insert_books`.

use anyhow::Result;
use graphql_client::GraphQLQuery;
use reqwest::Client;

use crate::request::fetch;

/// GraphQL is one POST: operation and variables in, `data` or `errors` out, with status 200 for either.
pub async fn ask<Q: GraphQLQuery>(
    http: &Client,
    url: &str,
    variables: Q::Variables,
) -> Result<Q::ResponseData> {
    let body = Q::build_query(variables);
    fetch(body.operation_name, http.post(url).json(&body)).await
}

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "graphql/admin.json",
    query_path = "graphql/admin.graphql",
    response_derives = "Debug",
    skip_serializing_none
)]
pub struct LastSchema;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "graphql/admin.json",
    query_path = "graphql/admin.graphql",
    response_derives = "Debug",
    skip_serializing_none
)]
pub struct Deploy;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "graphql/admin.json",
    query_path = "graphql/admin.graphql",
    response_derives = "Debug",
    skip_serializing_none
)]
pub struct Undeploy;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "graphql/tables.json",
    query_path = "graphql/tables.graphql",
    response_derives = "Debug",
    skip_serializing_none
)]
pub struct Tables;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "graphql/tables.json",
    query_path = "graphql/tables.graphql",
    response_derives = "Debug",
    skip_serializing_none
)]
pub struct DropTable;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "graphql/books.json",
    query_path = "graphql/books.graphql",
    response_derives = "Debug",
    skip_serializing_none
)]
pub struct InsertBooks;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "graphql/books.json",
    query_path = "graphql/books.graphql",
    response_derives = "Debug",
    skip_serializing_none
)]
pub struct ReadBook;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "graphql/books.json",
    query_path = "graphql/books.graphql",
    response_derives = "Debug",
    skip_serializing_none
)]
pub struct ChangeYear;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "graphql/books.json",
    query_path = "graphql/books.graphql",
    response_derives = "Debug",
    skip_serializing_none
)]
pub struct DeleteBook;
