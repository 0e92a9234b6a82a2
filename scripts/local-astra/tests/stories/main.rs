//! All stories: local Astra and the samples as their users run them. They are one test program, so that the binaries
//! are built once and all share one local Astra.

mod astra;
mod attacks;
mod copying;
mod cql;
mod data_api;
mod devops;
mod devops_failures;
mod devops_samples;
mod devops_streaming;
mod document;
mod exchanges;
mod failures;
mod faults;
mod graphql;
mod graphql_first;
mod graphql_values;
mod grpc;
mod http;
mod leftovers;
mod lifecycle;
mod nodes;
mod pages;
mod projects;
mod pulsar;
#[path = "../exchanges/mod.rs"]
mod recorded;
mod rest;
mod roles;
mod samples;
mod schemas;
mod setup_project;
mod streaming;
mod tokens;
mod wire;
