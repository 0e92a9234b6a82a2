//! Hostile input for the property tests of all readers of client input.

use std::thread;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

/// The stack of a thread that serves requests.
const STACK: usize = 2 << 20;

/// Texts of these pieces: in random order, and nested or repeated up to thousands of times.
pub fn texts(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    let some = |most| {
        let pieces = prop::collection::vec(select(pieces), 0..most);
        pieces.prop_map(|pieces| pieces.concat())
    };
    let nested =
        (some(4), 0..6_000_usize, some(4), some(4)).prop_map(|(open, times, middle, close)| {
            format!("{}{middle}{}", open.repeat(times), close.repeat(times))
        });
    prop_oneof![
        4 => some(40),
        2 => nested,
        1 => any::<String>(),
    ]
}

/// JSON texts with these names and values, some of them deep, wide or cut off.
pub fn json(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let leaf = prop_oneof![
        select(
            &[
                "null",
                "true",
                "-1",
                "1.5e300",
                "1e999999999",
                "\"\\ud800\"",
                "\"\"",
                "{}",
                "[]"
            ][..]
        )
        .prop_map(str::to_owned),
        select(pieces).prop_map(quoted),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<String>().prop_map(move |text| quoted(&text)),
    ];
    let tree = leaf.prop_recursive(6, 40, 5, move |below| {
        let name = prop_oneof![
            4 => select(pieces).prop_map(str::to_owned),
            1 => any::<String>(),
        ];
        let member = (name, below.clone())
            .prop_map(move |(name, value)| format!("{}:{value}", quoted(&name)));
        prop_oneof![
            prop::collection::vec(below, 0..5).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(member, 0..5).prop_map(|all| format!("{{{}}}", all.join(","))),
        ]
    });
    let deep = (select(pieces), 1..6_000_usize, any::<bool>(), any::<bool>()).prop_map(
        move |(name, times, is_list, is_closed)| {
            let (open, close) = if is_list {
                ("[".to_owned(), "]")
            } else {
                (format!("{{{}:", quoted(name)), "}")
            };
            let end = if is_closed {
                close.repeat(times)
            } else {
                String::new()
            };
            format!("{}1{end}", open.repeat(times))
        },
    );
    let wide = (tree.clone(), 1..3_000_usize)
        .prop_map(|(item, times)| format!("[{}null]", format!("{item},").repeat(times)));
    let cut = (tree.clone(), any::<prop::sample::Index>()).prop_map(|(text, at)| {
        let at = at.index(text.len() + 1);
        text.chars().take(at).collect()
    });
    prop_oneof![8 => tree, 2 => deep, 1 => wide, 2 => cut]
}

/// Checks that reading such inputs neither panics nor overflows the stack of a thread that serves requests.
pub fn survives<S: Strategy>(
    inputs: impl FnOnce() -> S + Send + 'static,
    read: impl Fn(S::Value) + Send + 'static,
) {
    let all = move || {
        let config = Config {
            cases: 64,
            failure_persistence: None,
            ..Config::default()
        };
        let outcome = TestRunner::new(config).run(&inputs(), |input| {
            read(input);
            Ok(())
        });
        outcome.map_err(|error| error.to_string())
    };
    let thread = thread::Builder::new().stack_size(STACK).spawn(all).unwrap();
    thread.join().unwrap().unwrap();
}
