//! The list of databases; with `--create-db`, one that comes and goes.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use reqwest::{Client, header::LOCATION};
use serde_json::json;
use tokio::{select, signal::ctrl_c};

use crate::request::{Refused, fetch, send};
use crate::wait::{Now, until};
use crate::{Database, Info, cleanup};

/// A new database takes some minutes on Astra.
const PAUSE: Duration = Duration::from_secs(5);
const LIMIT: Duration = Duration::from_secs(900);
/// Cleaning up after Ctrl-C has a limit of its own, a little longer.
const TERMINATE_PAUSE: Duration = Duration::from_secs(2);
const TERMINATE_LIMIT: Duration = Duration::from_secs(50);

/// All databases, page by page: the next page begins after the last database of this one.
pub async fn all(http: &Client, databases: &str) -> Result<Vec<Database>> {
    const PAGE: usize = 100;
    let mut all: Vec<Database> = Vec::new();
    for pages in 1.. {
        ensure!(pages < 100, "the pages of databases have no end");
        let mut query = vec![("limit", PAGE.to_string())];
        if let Some(last) = all.last() {
            query.push(("starting_after", last.id.clone()));
        }
        let page: Vec<Database> = fetch(http.get(databases).query(&query)).await?;
        let full = page.len() >= PAGE;
        all.extend(page);
        if !full {
            break;
        }
    }
    Ok(all)
}

/// Steps 8 to 11, in the cloud and region of the database that `like` is of.
pub async fn create_and_terminate(
    http: &Client,
    databases: &str,
    name: &str,
    like: &Info,
) -> Result<()> {
    let make = create(http, databases, name, like);
    let story = async {
        let start = Instant::now();
        until("the database comes", PAUSE, LIMIT, async || {
            let Some(now) = find(http, databases, name).await? else {
                return Ok(Now::NotYet("not listed".into()));
            };
            match now.status.as_str() {
                "ACTIVE" => Ok(Now::Done(())),
                "ERROR" | "TERMINATING" | "TERMINATED" => bail!("the database is {}", now.status),
                _ => Ok(Now::NotYet(now.status)),
            }
        })
        .await?;
        println!("9. ACTIVE after {} s", start.elapsed().as_secs());
        Ok(())
    };
    let undo = terminate(http, databases, name);
    let thing = format!("database {name}, which POST {databases}/<its id>/terminate removes");
    cleanup::around(make, story, undo, &thing).await?;
    let start = Instant::now();
    let gone = until("the database goes", PAUSE, LIMIT, async || {
        Ok(match find(http, databases, name).await? {
            None => Now::Done(()),
            Some(now) if now.status == "TERMINATED" => Now::Done(()),
            Some(now) => Now::NotYet(now.status),
        })
    });
    select! {
        gone = gone => gone?,
        Ok(()) = ctrl_c() => bail!("Stopped by Ctrl-C. Database {name} goes by itself."),
    }
    println!("11. Gone after {} s", start.elapsed().as_secs());
    Ok(())
}

/// The answer has no body: the new id is all that the header `location` has.
async fn create(http: &Client, databases: &str, name: &str, like: &Info) -> Result<()> {
    let body = json!({
        "name": name,
        "keyspace": name,
        "cloudProvider": like.cloud_provider,
        "region": like.region,
        "tier": "serverless",
        "capacityUnits": 1,
    });
    let answer = send(http.post(databases).json(&body)).await?;
    let id = answer.headers.get(LOCATION).map(|id| id.to_str());
    let id = id.transpose()?.unwrap_or("not told");
    println!("8. Created database {name}: the id is {id}");
    Ok(())
}

/// By its name, which no other has: the answer that told its id may be lost.
async fn find(http: &Client, databases: &str, name: &str) -> Result<Option<Database>> {
    let all = all(http, databases).await?;
    Ok(all.into_iter().find(|database| database.info.name == name))
}

/// Refused with 409 in some states: tried until it is not. From then on it goes by itself.
async fn terminate(http: &Client, databases: &str, name: &str) -> Result<()> {
    let what = "terminating the database";
    let done = until(what, TERMINATE_PAUSE, TERMINATE_LIMIT, async || {
        let Some(database) = find(http, databases, name).await? else {
            return Ok(Now::Done(None)); // It was never made.
        };
        let id = database.id;
        let Err(error) = send(http.post(format!("{databases}/{id}/terminate"))).await else {
            return Ok(Now::Done(Some(id)));
        };
        let refused: Refused = error.downcast()?;
        match refused.status.as_u16() {
            409 => Ok(Now::NotYet(refused.said)),
            _ => Err(refused.into()),
        }
    });
    if let Some(id) = done.await? {
        println!("10. Terminated database {id}");
    }
    Ok(())
}
