//! Regions by Astra's names. All of them stand for this machine.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::super::DevOps;
use super::super::error::{DevOpsError, json_answer};
use super::super::request::{Caller, Parameters};
use super::record::DatabaseRecord;
use access::Target;
use store::records;

/// A region of a cloud.
pub struct Region {
    pub cloud: &'static str,
    pub name: &'static str,
    display: &'static str,
    /// na, emea, apac or sa.
    pub zone: &'static str,
}

const fn region(
    cloud: &'static str,
    name: &'static str,
    display: &'static str,
    zone: &'static str,
) -> Region {
    Region {
        cloud,
        name,
        display,
        zone,
    }
}

/// The available regions.
pub const REGIONS: &[Region] = &[
    region("AWS", "us-east-1", "US East (N. Virginia)", "na"),
    region("AWS", "us-east-2", "US East (Ohio)", "na"),
    region("AWS", "us-west-2", "US West (Oregon)", "na"),
    region("AWS", "eu-west-1", "Europe (Ireland)", "emea"),
    region("AWS", "eu-central-1", "Europe (Frankfurt)", "emea"),
    region("AWS", "ap-south-1", "Asia Pacific (Mumbai)", "apac"),
    region("AWS", "ap-southeast-1", "Asia Pacific (Singapore)", "apac"),
    region("AWS", "ap-southeast-2", "Asia Pacific (Sydney)", "apac"),
    region("AWS", "sa-east-1", "South America (São Paulo)", "sa"),
    region("GCP", "us-east1", "Moncks Corner, South Carolina", "na"),
    region("GCP", "us-east4", "Ashburn, Virginia", "na"),
    region("GCP", "us-central1", "Council Bluffs, Iowa", "na"),
    region("GCP", "us-west1", "The Dalles, Oregon", "na"),
    region("GCP", "northamerica-northeast1", "Montréal, Québec", "na"),
    region("GCP", "europe-west1", "Saint Ghislain, Belgium", "emea"),
    region("GCP", "europe-west2", "London, England", "emea"),
    region("GCP", "asia-south1", "Mumbai, India", "apac"),
    region("GCP", "australia-southeast1", "Sydney, Australia", "apac"),
    region("AZURE", "eastus", "Washington, Virginia", "na"),
    region("AZURE", "eastus2", "Boydton, Virginia", "na"),
    region("AZURE", "southcentralus", "San Antonio, Texas", "na"),
    region("AZURE", "westus2", "Quincy, Washington", "na"),
    region("AZURE", "northeurope", "Dublin, Ireland", "emea"),
    region("AZURE", "westeurope", "Amsterdam, Netherlands", "emea"),
    region("AZURE", "australiaeast", "Sydney, Australia", "apac"),
];

/// Finds a region by name in a cloud.
pub fn find(cloud: &str, name: &str) -> Option<&'static Region> {
    REGIONS.iter().find(|r| r.cloud == cloud && r.name == name)
}

/// `GET /regions/serverless?region-type&filter-by-org`: every region once per requested kind of database.
/// `filter-by-org` hides none, because this organization can use all of them.
pub async fn serverless(caller: Caller, parameters: Parameters) -> Result<Response, DevOpsError> {
    caller.require("org-db-create", Target::Organization)?;
    let kinds: &[&str] = match parameters.text("region-type") {
        Some("vector") => &["vector"],
        Some("all") => &["serverless", "vector"],
        _ => &["serverless"],
    };
    let shown = |kind: &&str, region: &Region| {
        json!({
            "classification": "standard",
            "cloudProvider": region.cloud,
            "displayName": region.display,
            "enabled": true,
            "name": region.name,
            "region_type": kind,
            "reservedForQualifiedUsers": false,
            "zone": region.zone,
        })
    };
    let all: Vec<Value> = kinds
        .iter()
        .flat_map(|kind| REGIONS.iter().map(move |region| shown(kind, region)))
        .collect();
    Ok(json_answer(StatusCode::OK, Value::Array(all)))
}

/// `GET /availableRegions`: the older form, with usage.
pub async fn available(
    State(devops): State<DevOps>,
    caller: Caller,
) -> Result<Response, DevOpsError> {
    caller.require("org-db-create", Target::Organization)?;
    let databases = records::all::<DatabaseRecord>(devops.inner.logins.admin()).await?;
    let shown = |region: &Region| {
        let used = databases
            .iter()
            .filter(|d| d.status.is_alive() && d.cloud == region.cloud && d.region == region.name)
            .count();
        json!({
            "tier": "serverless",
            "description": "",
            "cloudProvider": region.cloud,
            "region": region.name,
            "regionDisplay": region.display,
            "regionContinent": region.zone.to_uppercase(),
            "cost": costs(),
            "databaseCountUsed": used,
            "databaseCountLimit": super::LIMIT,
            "capacityUnitsUsed": used,
            "capacityUnitsLimit": super::LIMIT,
            "defaultStoragePerCapacityUnitGb": 10,
        })
    };
    let all = REGIONS.iter().map(shown).collect();
    Ok(json_answer(StatusCode::OK, Value::Array(all)))
}

/// Returns costs of zero.
pub fn costs() -> Value {
    let names = [
        "costPerMinCents",
        "costPerHourCents",
        "costPerDayCents",
        "costPerMonthCents",
        "costPerMinMRCents",
        "costPerHourMRCents",
        "costPerDayMRCents",
        "costPerMonthMRCents",
        "costPerMinParkedCents",
        "costPerHourParkedCents",
        "costPerDayParkedCents",
        "costPerMonthParkedCents",
        "costPerNetworkGbCents",
        "costPerReadGbCents",
        "costPerWrittenGbCents",
    ];
    names
        .iter()
        .map(|name| ((*name).to_owned(), json!(0)))
        .collect()
}
