//! Calls at a number in flight, for a while.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use futures::future::{BoxFuture, try_join_all};

/// A call, with a number that no other call of its side has.
type Call = dyn Fn(u64) -> BoxFuture<'static, Result<()>> + Send + Sync;

/// An operation, by local Astra and by the driver.
pub struct Row {
    pub name: String,
    /// The statement of the driver, in words.
    pub against: String,
    pub ours: Side,
    pub driver: Side,
    pub levels: Vec<Level>,
}

/// Calls in flight, which may differ where one call does the work of many.
#[derive(Clone, Copy)]
pub struct Level {
    pub ours: usize,
    pub driver: usize,
    /// The largest ratio that is acceptable, or another aim in words.
    pub aim: &'static str,
}

/// 1 and 32 in flight, with the aim of each.
pub fn one_and_many(one: &'static str, many: &'static str) -> Vec<Level> {
    let level = |in_flight, aim| Level {
        ours: in_flight,
        driver: in_flight,
        aim,
    };
    vec![level(1, one), level(32, many)]
}

/// One side of a row.
pub struct Side {
    call: Arc<Call>,
    /// The number of operations per call: the documents of an `insertMany`.
    worth: f64,
    /// Undoes a call, outside of the measured time. Such a call is made once per round.
    undo: Option<Arc<Call>>,
    next: Arc<AtomicU64>,
}

impl Side {
    pub fn new<F>(call: impl Fn(u64) -> F + Send + Sync + 'static) -> Side
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        Side {
            call: Arc::new(move |number| Box::pin(call(number))),
            worth: 1.0,
            undo: None,
            next: Arc::default(),
        }
    }

    pub fn worth(mut self, worth: f64) -> Side {
        self.worth = worth;
        self
    }

    pub fn undone_by<F>(mut self, undo: impl Fn(u64) -> F + Send + Sync + 'static) -> Side
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        self.undo = Some(Arc::new(move |number| Box::pin(undo(number))));
        self
    }

    /// Calls per second, each weighed by what it is worth.
    ///
    /// # Errors
    /// The first error of a call.
    pub async fn rate(&self, in_flight: usize, time: Duration) -> Result<f64> {
        if let Some(undo) = &self.undo {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let began = Instant::now();
            (self.call)(number).await?;
            let rate = self.worth / began.elapsed().as_secs_f64();
            undo(number).await?;
            return Ok(rate);
        }
        let began = Instant::now();
        let callers = (0..in_flight).map(|_| {
            let (call, next) = (Arc::clone(&self.call), Arc::clone(&self.next));
            let caller = tokio::spawn(async move {
                let mut calls = 0_u32;
                while began.elapsed() < time {
                    call(next.fetch_add(1, Ordering::Relaxed)).await?;
                    calls += 1;
                }
                anyhow::Ok(calls)
            });
            async { caller.await? }
        });
        let calls: u32 = try_join_all(callers).await?.into_iter().sum();
        Ok(f64::from(calls) * self.worth / began.elapsed().as_secs_f64())
    }
}
