//! Deploys our schema, and undeploys it.

use anyhow::{Context, Result};
use reqwest::Client;

use crate::api::last_schema::{LastSchemaSchema, Variables};
use crate::api::{Deploy, LastSchema, Undeploy, ask, deploy as deploying, undeploy as undeploying};
use crate::request::Refused;

const SCHEMA: &str = include_str!("schema.graphql");

/// The schema that was deployed last. Stargate tells it even if it has been undeployed since.
pub async fn last_schema(
    http: &Client,
    url: &str,
    keyspace: &str,
) -> Result<Option<LastSchemaSchema>> {
    let keyspace = keyspace.into();
    let answer = ask::<LastSchema>(http, url, Variables { keyspace }).await?;
    Ok(answer.schema)
}

/// Names no version to replace: so it is refused where a schema is deployed, for that would be somebody else's.
pub async fn deploy(http: &Client, url: &str, keyspace: &str) -> Result<()> {
    let (keyspace, schema) = (keyspace.into(), SCHEMA.into());
    let answer = ask::<Deploy>(http, url, deploying::Variables { keyspace, schema }).await?;
    let deployed = answer.deploy_schema.context("nothing is deployed")?;
    let version = deployed.version.context("the schema has no version")?;
    let changes: Vec<_> = deployed.cql_changes.into_iter().flatten().collect();
    let changes: Vec<String> = changes.into_iter().flatten().collect();
    let changes = changes.join(", ");
    println!("2. Deployed src/schema.graphql as version {version}: {changes}");
    Ok(())
}

/// The version that is undeployed now, if there was one of ours. Asks for it: we do not have it if the answer to `deploy`
/// got lost.
pub async fn undeploy(http: &Client, url: &str, keyspace: &str) -> Result<Option<String>> {
    let last = last_schema(http, url, keyspace).await?;
    let ours = last.filter(|last| last.contents.as_deref() == Some(SCHEMA));
    let Some(version) = ours.and_then(|ours| ours.version) else {
        return Ok(None);
    };
    let variables = undeploying::Variables {
        keyspace: keyspace.into(),
        version: version.clone(),
    };
    match ask::<Undeploy>(http, url, variables).await {
        Ok(_) => Ok(Some(version)),
        Err(error) => match error.downcast::<Refused>() {
            // Stargate's words for a schema that is undeployed already.
            Ok(refused) if refused.said.contains("received NULL") => Ok(None),
            Ok(refused) => Err(refused.into()),
            Err(error) => Err(error),
        },
    }
}
