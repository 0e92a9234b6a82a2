//! `profile=true`: the statements that ran for a request.

use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use bridge::Parameters;

/// Records statements, if the client requested it.
#[derive(Debug, Default)]
pub struct Profile {
    wanted: bool,
    steps: Mutex<Vec<Step>>,
}

#[derive(Debug)]
struct Step {
    description: String,
    cql: String,
    executions: usize,
    rows: usize,
}

impl Profile {
    /// Creates a profile, which records the statements if the client requests it.
    pub fn new(parameters: &Parameters) -> Profile {
        Profile {
            wanted: parameters.flag("profile"),
            steps: Mutex::default(),
        }
    }

    /// Records a statement, its purpose, and the number of rows it read or wrote.
    pub fn note(&self, description: &str, cql: &str, rows: usize) {
        if !self.wanted {
            return;
        }
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |step: &&mut Step| step.description == description && step.cql == cql;
        match steps.iter_mut().find(same) {
            Some(step) => {
                step.executions += 1;
                step.rows += rows;
            }
            None => steps.push(Step {
                description: description.to_owned(),
                cql: cql.to_owned(),
                executions: 1,
                rows,
            }),
        }
    }

    /// Returns the recorded steps, one entry per description; `None` if profiling is off.
    pub fn json(&self) -> Option<Value> {
        let steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        let mut nested: Vec<(&str, Vec<Value>)> = Vec::new();
        for step in steps.iter() {
            let query = json!({
                "cql": step.cql, "executionCount": step.executions, "rowCount": step.rows,
            });
            match nested
                .iter_mut()
                .find(|(description, _)| *description == step.description)
            {
                Some((_, queries)) => queries.push(query),
                None => nested.push((&step.description, vec![query])),
            }
        }
        let nested: Vec<Value> = nested
            .into_iter()
            .map(|(description, queries)| {
                json!({"description": description, "queries": queries, "nested": []})
            })
            .collect();
        self.wanted
            .then(|| json!({"description": "root", "queries": [], "nested": nested}))
    }
}
