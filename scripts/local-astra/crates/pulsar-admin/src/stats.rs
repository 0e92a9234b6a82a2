//! `/admin/v2/stats`, which does not exist in Pulsar itself: sums of the statistics of its topics, in the format of
//! <https://docs.datastax.com/en/astra-streaming/apis/api-operations.html>.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::macros::format_description;

use super::call::Of;
use super::error::PulsarAdminError;
use engines::pulsar::Admin;

/// Number of topics requested from Pulsar concurrently.
const AT_ONCE: usize = 8;

/// Statistics of a topic, or sums for a namespace.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    name: String,
    total_messages_in: u64,
    total_messages_out: u64,
    total_bytes_in: u64,
    total_bytes_out: u64,
    /// Messages per second.
    msg_rate_in: f64,
    msg_rate_out: f64,
    /// Bytes per second.
    throughput_in: f64,
    throughput_out: f64,
    subscription_count: usize,
    producer_count: usize,
    consumer_count: usize,
    subscription_delayed: u64,
    storage_size: u64,
    backlog_storage_byte_size: u64,
    msg_backlog_number: u64,
    /// RFC 3339 with nine digits of a second.
    updated_at: String,
}

/// Statistics of a topic that are included in sums.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Topic {
    msg_in_counter: u64,
    msg_out_counter: u64,
    bytes_in_counter: u64,
    bytes_out_counter: u64,
    msg_rate_in: f64,
    msg_rate_out: f64,
    msg_throughput_in: f64,
    msg_throughput_out: f64,
    storage_size: u64,
    backlog_size: u64,
    publishers: Vec<serde::de::IgnoredAny>,
    subscriptions: BTreeMap<String, Subscription>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Subscription {
    consumers: Vec<serde::de::IgnoredAny>,
    msg_backlog: u64,
    msg_delayed: u64,
}

/// Returns the statistics of a tenant's topics, or of its namespaces, by name, optionally of a single namespace. Pulsar
/// checks that `as_whom` can read them.
///
/// # Errors
/// 401 for a token without the permission; 404 for a missing namespace; Pulsar's own.
pub async fn read(
    pulsar: &Admin,
    of: Of,
    tenant: &str,
    namespace: Option<&str>,
    as_whom: Option<SecretString>,
) -> Result<BTreeMap<String, Usage>, PulsarAdminError> {
    let pulsar = match as_whom {
        Some(token) => pulsar.with_token(token),
        None => pulsar.clone(),
    };
    let known = pulsar.namespaces(tenant).await;
    let known = known.map_err(|error| match error.status() {
        Some(401 | 403 | 404) => PulsarAdminError::Unauthorized,
        _ => error.into(),
    })?;
    let names: Vec<&str> = known
        .iter()
        .filter_map(|name| name.split_once('/'))
        .map(|(_, namespace)| namespace)
        .collect();
    if let Some(missing) = namespace.filter(|namespace| !names.contains(namespace)) {
        return Err(PulsarAdminError::NotFound(format!(
            "Namespace {missing} not found"
        )));
    }
    let updated_at = now();
    let mut usages = BTreeMap::new();
    for &name in names
        .iter()
        .filter(|name| namespace.is_none_or(|one| one == **name))
    {
        let mut sum = Usage::named(format!("{tenant}/{name}"), &updated_at);
        let topics = futures::stream::iter(pulsar.topics(tenant, name).await?);
        let responses = topics.map(async |topic| {
            let stats = pulsar.topic_stats::<Topic>(&topic).await?;
            Ok::<_, PulsarAdminError>(stats.map(|stats| (topic, stats)))
        });
        let responses: Vec<_> = responses.buffered(AT_ONCE).try_collect().await?;
        // A topic may be deleted between the list and this request.
        for (topic, stats) in responses.into_iter().flatten() {
            match of {
                Of::Topics => {
                    let mut usage = Usage::named(topic.clone(), &updated_at);
                    usage.add(&stats);
                    usages.insert(topic, usage);
                }
                Of::Namespaces => sum.add(&stats),
            }
        }
        if of == Of::Namespaces {
            usages.insert(sum.name.clone(), sum);
        }
    }
    Ok(usages)
}

impl Usage {
    fn named(name: String, updated_at: &str) -> Usage {
        Usage {
            name,
            updated_at: updated_at.to_owned(),
            ..Usage::default()
        }
    }

    fn add(&mut self, topic: &Topic) {
        self.total_messages_in += topic.msg_in_counter;
        self.total_messages_out += topic.msg_out_counter;
        self.total_bytes_in += topic.bytes_in_counter;
        self.total_bytes_out += topic.bytes_out_counter;
        self.msg_rate_in += topic.msg_rate_in;
        self.msg_rate_out += topic.msg_rate_out;
        self.throughput_in += topic.msg_throughput_in;
        self.throughput_out += topic.msg_throughput_out;
        self.subscription_count += topic.subscriptions.len();
        self.producer_count += topic.publishers.len();
        self.storage_size += topic.storage_size;
        self.backlog_storage_byte_size += topic.backlog_size;
        for subscription in topic.subscriptions.values() {
            self.consumer_count += subscription.consumers.len();
            self.subscription_delayed += subscription.msg_delayed;
            self.msg_backlog_number += subscription.msg_backlog;
        }
    }
}

fn now() -> String {
    let format =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:9]Z");
    // The format has every date of the next 7973 years.
    OffsetDateTime::now_utc()
        .format(&format)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pulsar_says_is_summed_up_and_new_fields_are_no_matter() {
        let topic: Topic = serde_json::from_str(
            r#"{"msgInCounter": 3, "bytesInCounter": 30, "msgRateIn": 1.5, "new": {}, "publishers": [{}],
                "subscriptions": {"a": {"msgBacklog": 2, "consumers": [{}, {}]}, "b": {"msgBacklog": 1}}}"#,
        )
        .unwrap();
        let mut usage = Usage::named("t/n".into(), "now");
        usage.add(&topic);
        usage.add(&topic);
        let shown = serde_json::to_value(&usage).unwrap();
        for (key, value) in [
            ("totalMessagesIn", 6.0),
            ("totalBytesIn", 60.0),
            ("msgRateIn", 3.0),
            ("subscriptionCount", 4.0),
            ("producerCount", 2.0),
            ("consumerCount", 4.0),
            ("msgBacklogNumber", 6.0),
        ] {
            assert_eq!(shown[key].as_f64(), Some(value), "{key}");
        }
        assert_eq!(shown["updatedAt"], "now");
        let now = now();
        assert_eq!((now.len(), now.ends_with('Z')), (30, true), "{now}");
    }
}
