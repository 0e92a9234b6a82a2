//! `.env.example` is generated from the settings of the samples. `scripts/copy-sample` leaves this file behind, because
//! a copy has only the part of its sample.

#[allow(dead_code)]
#[path = "../examples/env-example.rs"]
mod env_example;

use shared::SAMPLES;

#[test]
fn it_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../.env.example");
    let example = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    assert!(
        example == env_example::text(SAMPLES),
        ".env.example is stale. Generate it in the top folder of the repository:\n\
         cargo run --package shared --example env-example > .env.example"
    );
}

#[test]
fn a_sample_alone_has_its_own_settings_and_no_list_of_samples() {
    for (index, sample) in SAMPLES.iter().enumerate() {
        let text = env_example::text(&SAMPLES[index..=index]);
        let names: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_suffix('='))
            .collect();
        let expected: Vec<&str> = sample.settings().iter().map(|s| s.name).collect();
        assert_eq!(names, expected, "{}", sample.name);
        assert!(!text.contains("#   for: "), "{text}");
    }
}
