//! Lists of names in messages.

use super::Table;
use super::types::api_name;
use store::Column;

/// `a(int), b(text)`
pub fn columns<'a>(columns: impl IntoIterator<Item = &'a Column>) -> String {
    let columns = columns.into_iter();
    list(columns.map(|column| format!("{}({})", column.name, api_name(&column.typ))))
}

/// The names, or `[None]`.
pub fn list<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    let names: Vec<T> = names.into_iter().collect();
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    if names.is_empty() {
        return "[None]".to_owned();
    }
    names.join(", ")
}

impl Table {
    /// A sentence with all columns of the table.
    pub fn defined_columns(&self) -> String {
        let all = columns(&self.meta.columns);
        format!("The table {} defines the columns: {all}.", self.shown())
    }

    /// A sentence with the columns of the primary key.
    pub fn defined_keys(&self) -> String {
        let keys = columns(self.key());
        format!("The table {} has the primary key: {keys}.", self.shown())
    }
}
