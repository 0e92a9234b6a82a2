//! Starts and stops Cassandra's nodes, and creates the initial keyspaces and roles.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::Result;
use scylla::statement::{Consistency, Statement};
use secrecy::SecretString;

use super::READY_LIMIT;
use access::TokenRecord;
use access::built_in::ORGANIZATION_ADMINISTRATOR;
use bundle::certificates::Authority;
use engines::cassandra::{Cassandra, DATACENTER, FIRST_PASSWORD, OLD_DATACENTER, Ports, SUPERUSER};
use engines::java;
use engines::java::Search;
use engines::process::{Engine, Stopped, wait_until};
use engines::{EngineError, jars};
use settings::layout::Layout;
use settings::secrets::Secrets;
use settings::{Folders, GRAPHQL_FIRST_KEYSPACE, KEYSPACE};
use store::{Code, Session, StoreError, limits, records, schema};

/// Returns the Cassandra of a data folder.
pub fn of(folders: &Folders, layout: &Layout) -> Cassandra {
    Cassandra {
        folder: folders.cassandra(),
        archives: folders.cache.join("archives"),
        ports: Ports {
            storage: layout.ports.storage,
            cql: layout.ports.cql,
        },
        nodes: layout.nodes,
        node_key: folders.node_certificates().join("node-with-key.pem"),
        node_authority: folders.node_certificates().join("ca.pem"),
    }
}

/// Stops all running nodes of Cassandra. Returns true if any was running.
pub async fn stop(folders: &Folders) -> Result<bool, EngineError> {
    let Ok(layout) = Layout::of(&folders.data, None) else {
        return Ok(false);
    };
    let cassandra = of(folders, &layout);
    let mut any = false;
    let mut failed = None;
    // The first node last, because it is the seed of the others.
    for node in (1..=layout.nodes).rev() {
        match cassandra.stop(node).await {
            Ok(stopped) => any |= stopped != Stopped::Before,
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(any), Err)
}

/// Cassandra's nodes, started or adopted.
pub struct Started {
    pub engines: Vec<Engine>,
    /// A superuser's session.
    pub admin: Session,
    /// Repairs that were necessary, as sentences for `up`.
    pub notes: Vec<String>,
}

/// Starts Cassandra's nodes. Drops indexes that prevent them from starting.
pub async fn start(folders: &Folders, layout: &Layout, password: &SecretString) -> Result<Started> {
    let cassandra = of(folders, layout);
    let jdk = java::find(&Search::here()).await?;
    let jars = jars::fetch(jars::CASSANDRA, &folders.cache, &jdk).await?;
    Authority::open(&folders.node_certificates())?.node(&cassandra.node_key)?;
    let mut notes = Vec::new();
    let engines = match cassandra.start_all(&jdk, &jars, READY_LIMIT).await {
        Err(error) if cassandra.has_unusable_index(limits::INDEX_NAME) => {
            eprintln!("{error}");
            stop(folders).await?;
            let dropped = cassandra
                .drop_unusable_indexes(limits::INDEX_NAME, &jdk, &jars)
                .await?;
            notes.extend(dropped.iter().map(|index| limits::dropped(index)));
            cassandra.start_all(&jdk, &jars, READY_LIMIT).await?
        }
        started => started?,
    };
    let nodes = layout.cassandra();
    for engine in &engines {
        wait_until(engine, READY_LIMIT, || login(&nodes, password)).await?;
    }
    let admin = store::connect(&nodes, SUPERUSER, password, None).await?;
    Ok(Started {
        engines,
        admin,
        notes,
    })
}

/// Logs in as the superuser. At the first start the password is still the default one.
async fn login(nodes: &[SocketAddr], password: &SecretString) -> Result<(), StoreError> {
    match store::connect(nodes, SUPERUSER, password, None).await {
        Err(error) if error.code == Code::Unauthenticated => {
            let known = SecretString::from(FIRST_PASSWORD);
            let first = store::connect(nodes, SUPERUSER, &known, None).await?;
            access::set_password(&first, SUPERUSER, password).await?;
            access::clear_caches(&first).await?;
            store::connect(nodes, SUPERUSER, password, None)
                .await
                .map(drop)
        }
        session => session.map(drop),
    }
}

/// Creates what a first start needs, if it does not exist: keyspaces, and the roles of the two tokens.
pub async fn prepare(
    admin: &Session,
    layout: &Layout,
    secrets: &Secrets,
) -> Result<(), StoreError> {
    rename_datacenter(admin).await?;
    if layout.nodes > 1 {
        spread_roles(admin, layout.nodes).await?;
    }
    for keyspace in [KEYSPACE, GRAPHQL_FIRST_KEYSPACE] {
        let cql = format!(
            "CREATE KEYSPACE IF NOT EXISTS {} WITH replication = \
             {{'class': 'SimpleStrategy', 'replication_factor': {}}}",
            store::types::quote(keyspace),
            layout.nodes
        );
        admin.query_unpaged(cql, ()).await?;
    }
    records::prepare(admin, layout.nodes).await?;
    access::create_role(admin, &secrets.operator.token, true).await?;
    let application = &secrets.application;
    access::create_role(admin, &application.token, false).await?;
    // Its roles are stored with it, as for every other token.
    let client_id = &application.client_id;
    if records::get::<TokenRecord>(admin, client_id)
        .await?
        .is_some()
    {
        return Ok(());
    }
    let token = TokenRecord {
        client_id: client_id.clone(),
        roles: vec![ORGANIZATION_ADMINISTRATOR],
        generated_on: devops::now(),
        description: "Local Astra's own, of cargo local env".to_owned(),
    };
    records::put(admin, &token).await
}

/// Renames the data center in the keyspaces of an older data folder.
async fn rename_datacenter(admin: &Session) -> Result<(), StoreError> {
    let cql = "SELECT keyspace_name, replication FROM system_schema.keyspaces";
    let keyspaces = schema::rows::<(String, BTreeMap<String, String>)>(admin, cql).await?;
    for (name, mut replication) in keyspaces {
        let Some(replicas) = replication.remove(OLD_DATACENTER) else {
            continue;
        };
        replication.insert(DATACENTER.to_owned(), replicas);
        let options: Vec<String> = replication
            .iter()
            .map(|(option, value)| format!("'{option}': '{value}'"))
            .collect();
        let cql = format!(
            "ALTER KEYSPACE {} WITH replication = {{{}}}",
            store::types::quote(&name),
            options.join(", ")
        );
        admin.query_unpaged(cql, ()).await?;
    }
    Ok(())
}

/// Replicates the roles to every node, so that logins succeed while one node is down.
async fn spread_roles(admin: &Session, nodes: u8) -> Result<(), StoreError> {
    let known = admin
        .query_unpaged(
            "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = 'system_auth'",
            (),
        )
        .await?
        .into_rows_result()
        .ok()
        .and_then(|rows| rows.single_row::<(BTreeMap<String, String>,)>().ok());
    let factor = known.and_then(|(known,)| known.get("replication_factor").cloned());
    if factor == Some(nodes.to_string()) {
        return Ok(());
    }
    let replication = format!("{{'class': 'SimpleStrategy', 'replication_factor': {nodes}}}");
    let cql = format!("ALTER KEYSPACE system_auth WITH replication = {replication}");
    admin.query_unpaged(cql, ()).await?;
    // Existing rows still have one replica: a read from all nodes repairs the others.
    for table in ["roles", "role_members", "role_permissions"] {
        let mut read = Statement::new(format!("SELECT * FROM system_auth.{table}"));
        read.set_consistency(Consistency::All);
        admin.query_unpaged(read, ()).await?;
    }
    Ok(())
}
