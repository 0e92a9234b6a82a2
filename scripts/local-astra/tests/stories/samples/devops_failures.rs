//! Failures in the middle of a DevOps sample that runs with a flag. The sample reports one clear error in time, and
//! removes what it created, or names it with the command that removes it.

use std::thread;

use reqwest::Method;
use serde_json::Value;
use sysinfo::Signal;

use super::devops_samples::{after, database, id_of, sample, terminate};
use super::failures::{Settings, refused, through};
use crate::astra::{Ended, block_on, local_astra};
use crate::http::{self, Then};
use crate::stand_in::devops::Api;

const DATABASE: &str = "devops-database-sample";
const ORGANIZATION: &str = "devops-organization-sample";

/// The number of requests that succeed, and the failure of the next one.
type Case = (usize, Then);

/// Returns true if the failure also prevents every cleanup.
fn is_final((_, then): Case) -> bool {
    matches!(then, Then::CutAll | Then::FailAll | Then::StallAll)
}

/// Runs a sample with a flag and this failure.
fn broken(name: &str, flag: &str, (whole, then): Case, settings: &Settings) -> Ended {
    let astra = local_astra();
    let port = http::failing(astra.layout.ports.plain, whole, then).port;
    let settings = through(astra, settings, port);
    let ended = sample(name).start_with(&[flag], &settings).end();
    let said = refused(sample(name), &settings, &ended);
    let named = said.contains(" may be left behind; ");
    assert_eq!(named, is_final((whole, then)), "{whole} {then:?}: {said}");
    ended
}

/// Runs all cases concurrently, because some wait half a minute for a response. Each case has a separate client, whose
/// connections belong to the runtime of its thread.
fn at_once(cases: &[Case], run: impl Fn(&Api, Case) + Sync) {
    let astra = local_astra();
    thread::scope(|scope| {
        for case in cases {
            scope.spawn(|| run(&Api::of(astra, &astra.application()), *case));
        }
    });
}

/// Number of requests before the changes: the databases, the one, the regions, the bundle's link.
const BEFORE: usize = 4;
const MAKING_OR_WAITING: &[Case] = &[
    (BEFORE, Then::Cut),
    (BEFORE, Then::Fail),
    (BEFORE + 1, Then::Cut),
    (BEFORE + 1, Then::CutAll),
    (BEFORE + 1, Then::FailAll),
    (BEFORE + 1, Then::StallAll),
];

#[test]
fn a_keyspace_is_gone_or_named() {
    let astra = local_astra();
    at_once(MAKING_OR_WAITING, |api, case| {
        let (whole, then) = case;
        // Of its own: the changes of another's keyspaces would refuse ours.
        let id = database(astra, &format!("broken_{whole}_{then:?}").to_lowercase());
        let mut settings = astra.settings("samples");
        settings.insert("ASTRA_DB_ID".into(), id.clone());
        let ended = broken(DATABASE, "--create-keyspace", case, &settings);
        let keyspaces = block_on(async {
            api.wait(&id, "ACTIVE").await;
            let shown = api.get(&format!("/v2/databases/{id}")).await;
            shown.body["info"]["keyspaces"].to_string()
        });
        assert_eq!(
            keyspaces.contains("rust_sample_"),
            is_final(case),
            "{case:?}"
        );
        if is_final(case) {
            let name = after(&ended.out, "5. Created keyspace ");
            let told = format!("keyspace {name} may be left behind; DELETE http://");
            assert!(ended.err.contains(&told), "{ended:#?}");
            let how = format!("/{id}/keyspaces/{name} removes it");
            assert!(ended.err.contains(&how), "{ended:#?}");
        }
        terminate(astra, &id);
    });
}

#[test]
fn a_database_is_gone_or_named() {
    let astra = local_astra();
    at_once(MAKING_OR_WAITING, |api, case| {
        let ended = broken(DATABASE, "--create-db", case, &astra.settings("samples"));
        if case.0 == BEFORE {
            // Astra was never asked for one.
            assert!(!ended.out.contains("8. Created"), "{ended:#?}");
            return;
        }
        let name = after(&ended.out, "8. Created database ");
        let id = id_of(api, name).unwrap();
        if is_final(case) {
            let told = format!("database {name} may be left behind; POST http://");
            assert!(ended.err.contains(&told), "{ended:#?}");
            assert!(ended.err.contains("/terminate removes it"), "{ended:#?}");
            block_on(api.wait(&id, "ACTIVE"));
            terminate(astra, &id);
        } else {
            block_on(api.wait(&id, "TERMINATED"));
        }
    });
}

/// Number of requests before the role is created: the organization, the users, the roles.
const BEFORE_ROLE: usize = 3;
/// Number of requests about the role and the token: the role created, changed, read; the token created and used twice.
const ROLE_STORY: usize = 6;
/// The request that creates the token.
const TOKEN: usize = BEFORE_ROLE + 3;

/// Returns the role of that name, and the client ids of its tokens.
async fn left(api: &Api, name: &str) -> Option<(String, Vec<String>)> {
    let list = |body: &Value| body.as_array().unwrap().clone();
    let roles = list(&api.get("/v2/organizations/roles").await.body);
    let role = roles.iter().find(|role| role["Name"] == name)?["ID"].clone();
    let tokens = list(&api.get("/v2/clientIdSecrets").await.body["clients"]);
    let has_role = |token: &&Value| token["roles"].as_array().unwrap().contains(&role);
    let tokens = tokens.iter().filter(has_role);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Some((
        text(&role),
        tokens.map(|token| text(&token["clientId"])).collect(),
    ))
}

#[test]
fn a_role_and_its_token_are_gone_or_named() {
    let astra = local_astra();
    let settings = astra.settings("samples");
    let mut cases = vec![(BEFORE_ROLE + 2, Then::StallAll)];
    for whole in BEFORE_ROLE..BEFORE_ROLE + ROLE_STORY {
        cases.push((whole, Then::Cut));
        cases.push((whole, Then::FailAll));
    }
    at_once(&cases, |api, case| {
        let ended = broken(ORGANIZATION, "--create-role", case, &settings);
        if case.0 == BEFORE_ROLE {
            assert!(!ended.out.contains("4. Created"), "{ended:#?}");
            return;
        }
        let name = after(&ended.out, "4. Created role ");
        let left = block_on(left(api, name));
        assert_eq!(left.is_some(), is_final(case), "{case:?}: {ended:#?}");
        let Some((id, tokens)) = left else { return };
        assert!(ended.err.contains(&format!(
            "role {name} and its token may be left behind; DELETE http://"
        )));
        let had_token = usize::from(ended.out.contains("6. Created a token"));
        assert_eq!(tokens.len(), had_token, "{ended:#?}");
        let tokens = tokens.iter().map(|id| format!("clientIdSecrets/{id}"));
        block_on(async {
            for path in tokens.chain([format!("organizations/roles/{id}")]) {
                let path = format!("/v2/{path}");
                assert_eq!(api.ask(Method::DELETE, &path, None).await.status, 204);
            }
        });
    });
}

#[test]
fn after_a_signal_no_role_and_no_token_is_left() {
    let astra = local_astra();
    let cases: Vec<Case> = (BEFORE_ROLE + 1..BEFORE_ROLE + ROLE_STORY)
        .map(|whole| (whole, Then::Stall))
        .collect();
    let stopped = |signal: Signal, by: &str| {
        at_once(&cases, |api, (whole, then)| {
            let proxy = http::failing(astra.layout.ports.plain, whole, then);
            let settings = through(astra, &astra.settings("samples"), proxy.port);
            let running = sample(ORGANIZATION).start_with(&["--create-role"], &settings);
            let running = proxy.wait_past(whole, running);
            running.signal(signal);
            let ended = running.end();
            let said = refused(sample(ORGANIZATION), &settings, &ended);
            // The signal waits for the response to a create; here none comes in time.
            let expected = match whole {
                TOKEN => "cannot create a token; revoke it if it is listed".to_owned(),
                _ => format!("stopped by {by}"),
            };
            assert!(said.contains(&expected), "{said}");
            assert!(!said.contains("left behind"), "{said}");
            let name = after(&ended.out, "4. Created role ");
            assert_eq!(block_on(left(api, name)), None, "{ended:#?}");
            assert!(ended.out.contains("8. Revoked tokens: "), "{ended:#?}");
        });
    };
    thread::scope(|scope| {
        scope.spawn(|| stopped(Signal::Interrupt, "Ctrl-C"));
        scope.spawn(|| stopped(Signal::Term, "SIGTERM"));
    });
}
