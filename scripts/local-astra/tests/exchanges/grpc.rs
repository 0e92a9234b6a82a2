//! The gRPC recordings: messages in protobuf's JSON form, status codes, binary trailers.
//!
//! The client only uses the descriptors of the messages, so that the bytes on the wire are compared with the recordings
//! and not with generated code.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use futures::StreamExt;
use prost_reflect::prost::Message;
use prost_reflect::prost::bytes::{Buf, BufMut};
use prost_reflect::prost_types::FileDescriptorSet;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;
use tonic::client::Grpc;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::KeyAndValueRef;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use super::compare::{Rules, at};
use super::{BAD_TOKEN, substitute};

/// Limit of a call, as during the recording.
const LIMIT: Duration = Duration::from_secs(30);

#[derive(Deserialize)]
struct Scenario {
    scenario: String,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    name: String,
    rpc: String,
    /// One message, or a list of them for the two stream calls.
    #[serde(alias = "requests")]
    request: Value,
    token: Option<String>,
    expect: Expected,
    #[serde(flatten)]
    rules: Rules,
    #[serde(default)]
    capture: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Expected {
    code: String,
    /// The recorded ones of `response`, `responses` and `trailers`.
    #[serde(flatten)]
    members: Map<String, Value>,
}

/// Outcome of a call: the code, and `response` or `responses` and `trailers` as in a recording.
#[derive(Debug)]
pub struct Answer {
    pub code: String,
    pub message: String,
    pub members: Value,
}

/// A client of `stargate.Stargate` that speaks protobuf's JSON form.
pub struct Stargate {
    endpoint: Endpoint,
    /// Created by the first call.
    channel: OnceCell<Channel>,
    pool: DescriptorPool,
    compression: Option<CompressionEncoding>,
}

impl Stargate {
    /// Creates a client of a server at an `http://` URL, with the messages at the time of the recordings: types did not
    /// contain `frozen` yet, nor the name of a user-defined type.
    pub fn recorded(url: &str) -> Stargate {
        let mut files = FileDescriptorSet::decode(grpc::proto::DESCRIPTORS).unwrap();
        for message in files
            .file
            .iter_mut()
            .flat_map(|file| &mut file.message_type)
        {
            if message.name() == "TypeSpec" {
                for nested in &mut message.nested_type {
                    let later = ["frozen", "name"];
                    nested.field.retain(|field| !later.contains(&field.name()));
                }
            }
        }
        Stargate::with(
            url,
            DescriptorPool::from_file_descriptor_set(files).unwrap(),
        )
    }

    /// Creates a client with the current messages.
    pub fn new(url: &str) -> Stargate {
        let pool = DescriptorPool::decode(grpc::proto::DESCRIPTORS).unwrap();
        Stargate::with(url, pool)
    }

    fn with(url: &str, pool: DescriptorPool) -> Stargate {
        Stargate {
            endpoint: Channel::from_shared(url.to_owned()).unwrap(),
            channel: OnceCell::new(),
            pool,
            compression: None,
        }
    }

    /// The same client, whose messages are compressed with gzip.
    pub fn compressing(self) -> Stargate {
        Stargate {
            compression: Some(CompressionEncoding::Gzip),
            ..self
        }
    }

    /// Calls a method with one message, or for the stream calls with a list of them.
    pub async fn call(&self, rpc: &str, request: &Value, token: Option<&str>) -> Answer {
        let service = self.pool.get_service_by_name("stargate.Stargate").unwrap();
        let method = service.methods().find(|method| method.name() == rpc);
        let method = method.unwrap();
        let codec = Json {
            input: method.input(),
            output: method.output(),
        };
        let path = format!("/stargate.Stargate/{rpc}").parse().unwrap();
        let encode = |value: &Value| DynamicMessage::deserialize(method.input(), value).unwrap();
        let connected = self.channel.get_or_try_init(|| self.endpoint.connect());
        let mut client = Grpc::new(connected.await.unwrap().clone());
        if let Some(compression) = self.compression {
            client = client.send_compressed(compression);
        }
        client.ready().await.unwrap();
        let mut members = Map::new();
        let result = if method.is_client_streaming() {
            let messages: Vec<_> = request.as_array().unwrap().iter().map(encode).collect();
            let request = with_token(futures::stream::iter(messages), token);
            let mut answers = Vec::new();
            let mut result = client.streaming(request, path, codec).await;
            if let Ok(stream) = &mut result {
                let mut ended = Ok(());
                while let Some(answer) = stream.get_mut().next().await {
                    match answer {
                        Ok(answer) => answers.push(json_of(&answer)),
                        Err(status) => ended = Err(status),
                    }
                }
                if let Err(status) = ended {
                    result = Err(status);
                }
            }
            members.insert("responses".into(), answers.into());
            result.map(|_| ())
        } else {
            let request = with_token(encode(request), token);
            client.unary(request, path, codec).await.map(|answer| {
                members.insert("response".into(), json_of(answer.get_ref()));
            })
        };
        let status = result.err().unwrap_or_else(|| Status::ok(""));
        let trailers = self.trailers(&status);
        if !trailers.is_empty() {
            members.insert("trailers".into(), trailers.into());
        }
        Answer {
            code: code_name(status.code()),
            message: status.message().to_owned(),
            members: members.into(),
        }
    }

    /// Returns the details of an error. A trailer's key is the message's full name in lower case with `-bin`.
    fn trailers(&self, status: &Status) -> Map<String, Value> {
        let mut found = Map::new();
        for entry in status.metadata().iter() {
            let KeyAndValueRef::Binary(key, value) = entry else {
                continue;
            };
            let known = self.pool.all_messages().find(|message| {
                format!("{}-bin", message.full_name().to_ascii_lowercase()) == key.as_str()
            });
            if let Some(message) = known {
                let name = message.name().to_owned();
                let value = DynamicMessage::decode(message, value.to_bytes().unwrap()).unwrap();
                let detail = json!({"message": name, "value": json_of(&value)});
                found.insert(key.as_str().to_owned(), detail);
            }
        }
        found
    }
}

fn json_of(message: &DynamicMessage) -> Value {
    serde_json::to_value(message).unwrap()
}

fn with_token<T>(message: T, token: Option<&str>) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(LIMIT);
    if let Some(token) = token {
        let token = token.parse().unwrap();
        request.metadata_mut().insert("x-cassandra-token", token);
    }
    request
}

/// Converts `InvalidArgument` to `INVALID_ARGUMENT`.
fn code_name(code: tonic::Code) -> String {
    let mut name = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

/// Runs a scenario against a server at an `http://` URL, and returns the differences from the recording, one sentence
/// each. The keyspace must exist.
///
/// # Panics
/// The file cannot be read.
pub async fn replay(url: &str, token: &str, keyspace: &str, file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let scenario: Scenario = serde_json::from_str(&text).unwrap();
    let stargate = Stargate::recorded(url);
    let run = format!("r{}", &uuid::Uuid::new_v4().simple().to_string()[..8]);
    let mut variables = BTreeMap::from([
        ("keyspace".to_owned(), keyspace.to_owned()),
        ("run".to_owned(), run),
    ]);
    let mut failures = Vec::new();
    for (number, step) in scenario.steps.iter().enumerate() {
        let request = substitute(&step.request, &variables);
        let token = match step.token.as_deref() {
            Some("none") => None,
            Some("bad") => Some(BAD_TOKEN),
            _ => Some(token),
        };
        let answer = stargate.call(&step.rpc, &request, token).await;
        for problem in check(step, &answer, &mut variables) {
            let (scenario, number, name) = (&scenario.scenario, number + 1, &step.name);
            let said = &answer.message;
            failures.push(format!("{scenario} #{number} {name}: {problem} ({said})"));
        }
    }
    failures
}

fn check(step: &Step, answer: &Answer, variables: &mut BTreeMap<String, String>) -> Vec<String> {
    let mut problems = Vec::new();
    if answer.code != step.expect.code {
        let (wanted, got) = (&step.expect.code, &answer.code);
        problems.push(format!("code: expected {wanted}, got {got}"));
    } else {
        for (part, expected) in &step.expect.members {
            let mut actual = Map::new();
            if let Some(value) = answer.members.get(part) {
                actual.insert(part.clone(), value.clone());
            }
            let expected = json!({part: substitute(expected, variables)});
            problems.extend(step.rules.compare(&expected, &actual.into()));
        }
    }
    for (name, pointer) in &step.capture {
        match at(&answer.members, pointer) {
            None => problems.push(format!("capture: nothing at {pointer}")),
            Some(Value::String(text)) => {
                variables.insert(name.clone(), text.clone());
            }
            Some(value) => {
                variables.insert(name.clone(), value.to_string());
            }
        }
    }
    problems
}

/// Messages by their descriptors.
struct Json {
    input: MessageDescriptor,
    output: MessageDescriptor,
}

impl Codec for Json {
    type Encode = DynamicMessage;
    type Decode = DynamicMessage;
    type Encoder = Coder;
    type Decoder = Coder;

    fn encoder(&mut self) -> Coder {
        Coder(self.input.clone())
    }

    fn decoder(&mut self) -> Coder {
        Coder(self.output.clone())
    }
}

struct Coder(MessageDescriptor);

impl Encoder for Coder {
    type Item = DynamicMessage;
    type Error = Status;

    fn encode(&mut self, message: DynamicMessage, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put_slice(&message.encode_to_vec());
        Ok(())
    }
}

impl Decoder for Coder {
    type Item = DynamicMessage;
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<DynamicMessage>, Status> {
        let bytes = bytes.copy_to_bytes(bytes.remaining());
        let message = DynamicMessage::decode(self.0.clone(), bytes);
        message
            .map(Some)
            .map_err(|error| Status::internal(error.to_string()))
    }
}

mod tests {
    use super::*;

    fn step(json: &str) -> Step {
        serde_json::from_str(json).unwrap()
    }

    fn answer(code: &str, members: Value) -> Answer {
        Answer {
            code: code.to_owned(),
            message: String::new(),
            members,
        }
    }

    #[test]
    fn a_wrong_answer_fails() {
        let step = step(
            r#"{"name":"n","rpc":"ExecuteQuery","request":{"cql":""},"capture":{"state":"/response/s"},
                "ignore":["/response/s"],"expect":{"code":"OK","response":{"s":"x","t":"{k}"}}}"#,
        );
        let mut variables = BTreeMap::from([("k".to_owned(), "ks".to_owned())]);
        let mut told = |answer: Answer| check(&step, &answer, &mut variables);
        let right = json!({"response": {"s": "state", "t": "ks"}});
        assert_eq!(told(answer("OK", right.clone())), [""; 0]);
        for (code, members, wanted) in [
            ("INTERNAL", right, "code: expected OK, got INTERNAL"),
            (
                "OK",
                json!({"response": {"s": "state"}}),
                "/response/t: missing",
            ),
            (
                "OK",
                json!({"response": {"s": 1, "t": "ks"}}),
                "/response/s: expected a string",
            ),
            (
                "OK",
                json!({"response": {"s": "", "t": "k"}}),
                "/response/t: expected",
            ),
            ("OK", json!({}), "/response: missing"),
        ] {
            let told = told(answer(code, members));
            assert!(told[0].starts_with(wanted), "{told:?}");
        }
        assert_eq!(variables["state"], "");
    }

    #[test]
    fn codes_have_the_names_of_the_recordings() {
        assert_eq!(code_name(tonic::Code::InvalidArgument), "INVALID_ARGUMENT");
        assert_eq!(code_name(tonic::Code::Ok), "OK");
    }
}
