//! A row of our table, and how its values come from the API's and go there.

use anyhow::{Error, Result, anyhow, bail};

use crate::api::value::Inner;
use crate::api::{Row, Value};

#[derive(Debug)]
pub struct Book {
    pub title: String,
    #[expect(dead_code, reason = "only printed")]
    pub author: String,
    #[expect(dead_code, reason = "only printed")]
    pub pages: i64,
}

impl TryFrom<Row> for Book {
    type Error = Error;

    /// The columns in the order of the SELECT.
    fn try_from(row: Row) -> Result<Book> {
        let [title, author, pages] = row
            .values
            .try_into()
            .map_err(|values| anyhow!("these are not three columns: {values:?}"))?;
        Ok(Book {
            title: title.try_into()?,
            author: author.try_into()?,
            pages: pages.try_into()?,
        })
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        let inner = Some(Inner::String(text.to_owned()));
        Value { inner }
    }
}

/// For all whole numbers of CQL, and for timestamps.
impl From<i64> for Value {
    fn from(number: i64) -> Value {
        let inner = Some(Inner::Int(number));
        Value { inner }
    }
}

impl TryFrom<Value> for String {
    type Error = Error;

    fn try_from(value: Value) -> Result<String> {
        match value.inner {
            Some(Inner::String(text)) => Ok(text),
            other => bail!("this is no text: {other:?}"),
        }
    }
}

impl TryFrom<Value> for i64 {
    type Error = Error;

    fn try_from(value: Value) -> Result<i64> {
        match value.inner {
            Some(Inner::Int(number)) => Ok(number),
            other => bail!("this is no whole number: {other:?}"),
        }
    }
}
