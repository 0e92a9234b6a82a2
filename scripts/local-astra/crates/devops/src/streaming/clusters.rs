//! Providers, regions and clusters by Astra's names. All of them stand for the one Pulsar on this machine.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::super::DevOps;
use super::super::request::{Caller, Parameters};
use super::error::StreamingError;
use super::{admitted, own_organization};

/// The Pulsar instance and the zone of every cluster.
pub const INSTANCE: &str = "prod0";
pub const ZONE: &str = "na";

/// A cloud and its regions. In this API region names have no dashes.
struct Provider {
    cloud: &'static str,
    regions: &'static [&'static str],
}

const PROVIDERS: &[Provider] = &[
    Provider {
        cloud: "aws",
        regions: &["useast1", "uswest2", "useast2"],
    },
    Provider {
        cloud: "azure",
        regions: &["westus2", "eastus", "australiaeast"],
    },
    Provider {
        cloud: "gcp",
        regions: &[
            "useast1",
            "uscentral1",
            "australiase1",
            "europewest1",
            "useast4",
        ],
    },
];

/// URLs of the cluster for a caller.
pub struct Urls {
    pub web_service: String,
    pub broker: String,
}

impl Urls {
    /// Returns URLs with the scheme, TLS or plain, that the caller used.
    pub fn of(devops: &DevOps, base: &str) -> Urls {
        let tls = base.starts_with("https:");
        Urls {
            web_service: base.to_owned(),
            broker: devops.inner.pulsar.ports.broker_url(tls),
        }
    }
}

/// Returns the name of a cloud's cluster in a region.
pub fn name(cloud: &str, region: &str) -> String {
    format!("pulsar-{cloud}-{region}")
}

/// Finds a cloud and its region by their case-insensitive names: the Astra CLI sends `AWS`, older clients `aws`.
pub fn of(cloud: &str, region: &str) -> Option<(&'static str, &'static str)> {
    all().find(|(c, r)| c.eq_ignore_ascii_case(cloud) && r.eq_ignore_ascii_case(region))
}

/// Returns cloud and region of a cluster.
pub fn find(cluster: &str) -> Option<(&'static str, &'static str)> {
    all().find(|(cloud, region)| name(cloud, region) == cluster)
}

fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    let one = |provider: &'static Provider| {
        let regions = provider.regions.iter();
        regions.map(|&region| (provider.cloud, region))
    };
    PROVIDERS.iter().flat_map(one)
}

/// `GET /streaming/providers`
pub async fn providers(
    State(devops): State<DevOps>,
    caller: Caller,
) -> Result<Json<Value>, StreamingError> {
    admitted(&devops, &caller)?;
    let all = PROVIDERS
        .iter()
        .map(|one| (one.cloud.to_owned(), json!(one.regions)));
    Ok(Json(Value::Object(all.collect())))
}

/// `GET /streaming/clusters?provider&region`
pub async fn list(
    State(devops): State<DevOps>,
    caller: Caller,
    parameters: Parameters,
) -> Result<Json<Value>, StreamingError> {
    admitted(&devops, &caller)?;
    let fits = |name: &str, value: &str| {
        parameters
            .text(name)
            .is_none_or(|text| text.eq_ignore_ascii_case(value))
    };
    let urls = Urls::of(&devops, &caller.base);
    let clusters = all()
        .filter(|(cloud, region)| fits("provider", cloud) && fits("region", region))
        .filter(|_| fits("type", "cloud"))
        .map(|(cloud, region)| {
            json!({
                "clusterName": name(cloud, region),
                "cloudProvider": cloud,
                "cloudRegion": region,
                "clusterType": "cloud",
                "webServiceUrl": urls.web_service,
                "brokerServiceUrl": urls.broker,
                "websocketUrl": "",
                "pulsarInstance": INSTANCE,
                "regionZone": ZONE,
            })
        });
    Ok(Json(clusters.collect()))
}

/// `GET /streaming/clusters/orgs/{organization}`: always empty, because no organization has dedicated clusters here.
pub async fn dedicated(
    State(devops): State<DevOps>,
    caller: Caller,
    Path(organization): Path<String>,
) -> Result<Json<Value>, StreamingError> {
    admitted(&devops, &caller)?;
    own_organization(&organization)?;
    Ok(Json(json!([])))
}

/// `GET /streaming/serverless-regions`, in the form of a GraphQL response.
pub async fn regions(
    State(devops): State<DevOps>,
    caller: Caller,
) -> Result<Json<Value>, StreamingError> {
    admitted(&devops, &caller)?;
    let regions: Vec<Value> = all()
        .map(|(cloud, region)| {
            json!({
                "name": region,
                "cloudProvider": cloud,
                "displayName": name(cloud, region),
                "zone": ZONE,
                "classification": "standard",
                "enabled": true,
            })
        })
        .collect();
    let regions = json!({"availableServerlessRegions": regions});
    Ok(Json(json!({"data": {"organization": regions}})))
}
