//! The JSON form of a database.

use serde_json::{Value, json};

use super::super::Inner;
use super::links;
use super::record::{DatabaseRecord, Status};
use super::regions;
use settings::ORGANIZATION_ID;

/// Go's zero time, for times that are not set.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// The available actions that local Astra supports.
const ACTIONS: &[&str] = &["getCreds", "terminate", "addKeyspace", "removeKeyspace"];

/// Returns a database as JSON. `base` is the caller's URL of this gateway; `keyspaces` are the database's, the first
/// one first.
pub fn database(inner: &Inner, base: &str, record: &DatabaseRecord, keyspaces: &[String]) -> Value {
    let mut info = json!({
        "name": record.name,
        "keyspaces": keyspaces,
        "cloudProvider": record.cloud,
        "tier": "serverless",
        "capacityUnits": record.capacity_units,
        "region": record.region,
        "datacenters": [datacenter(inner, base, record)],
    });
    if let [first, others @ ..] = keyspaces {
        info["keyspace"] = json!(first);
        if !others.is_empty() {
            info["additionalKeyspaces"] = json!(others);
        }
    }
    if let Some(db_type) = &record.db_type {
        info["dbType"] = json!(db_type);
    }
    let mut shown = json!({
        "id": record.id,
        "orgId": ORGANIZATION_ID,
        "ownerId": record.owner,
        "info": info,
        "creationTime": record.created,
        "lastUsageTime": record.created,
        "terminationTime": record.terminated.as_deref().unwrap_or(NEVER),
        "status": record.status.text(),
        "observedStatus": record.status.text(),
        "storage": {
            "nodeCount": inner.replicas,
            "replicationFactor": inner.replicas,
            "totalStorage": 5,
            "displayStorage": 10,
        },
        "cost": regions::costs(),
        "cqlshUrl": format!("{base}/cqlsh"),
        "graphqlUrl": format!("{base}/api/graphql"),
        "dataEndpointUrl": format!("{base}/api/rest"),
        "grafanaUrl": format!("{base}/grafana"),
    });
    if record.status == Status::Active {
        shown["availableActions"] = json!(ACTIONS);
    }
    shown
}

/// Returns the only data center of the database.
pub fn datacenter(inner: &Inner, base: &str, record: &DatabaseRecord) -> Value {
    let link = if record.status.is_open() {
        links::make(inner, base, record, links::now())
    } else {
        "pending".to_owned()
    };
    let zone = regions::find(&record.cloud, &record.region).map_or("", |region| region.zone);
    json!({
        "id": record.datacenter_id(),
        "name": "dc-1",
        "tier": "serverless",
        "cloudProvider": record.cloud,
        "region": record.region,
        "regionZone": zone,
        "regionClassification": "standard",
        "capacityUnits": record.capacity_units,
        "isPrimary": true,
        "requestedNodeCount": inner.replicas,
        "dateCreated": record.created,
        "status": "",
        "streamingTenant": {"streamingClusterName": "", "streamingTenantName": ""},
        "secureBundleUrl": link,
        "secureBundleInternalUrl": link,
    })
}
