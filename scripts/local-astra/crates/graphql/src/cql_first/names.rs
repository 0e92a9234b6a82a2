//! CQL names as GraphQL names, by the rules of Stargate 2.0.51: case is preserved, and characters that are invalid in
//! GraphQL are replaced by `x`, the hexadecimal code point, and `_`.

/// Names reserved by types or fields of the schema, which tables cannot have.
const BUILT_IN: [&str; 28] = [
    "Query",
    "Mutation",
    "QueryConsistency",
    "MutationConsistency",
    "SerialConsistency",
    "QueryOptions",
    "MutationOptions",
    "Boolean",
    "Float",
    "Int",
    "String",
    "Ascii",
    "BigInt",
    "Blob",
    "Counter",
    "Date",
    "Decimal",
    "Duration",
    "Inet",
    "SmallInt",
    "Time",
    "Timestamp",
    "TimeUuid",
    "TinyInt",
    "Uuid",
    "Varint",
    "conversionWarnings",
    // Not in Stargate's list, but a type that every GraphQL schema has.
    "ID",
];
const ENDS: [&str; 4] = ["Input", "Result", "Order", "Udt"];
const BEGINNINGS: [&str; 2] = ["Entry", "Tuple"];

/// Returns the field of a column, or of a field of a user-defined type.
pub fn column(cql: &str) -> String {
    escaped(cql, &[])
}

/// Returns the type of a table, which is also the name of its query.
pub fn table(cql: &str) -> String {
    let mut marked = Vec::new();
    let last = cql.chars().count().saturating_sub(1);
    if BUILT_IN.contains(&cql) || ENDS.iter().any(|end| cql.ends_with(end)) {
        marked.push(last);
    }
    marked.extend(beginning(cql));
    escaped(cql, &marked)
}

/// Returns the GraphQL type of a user-defined type.
pub fn user_type(cql: &str) -> String {
    let marked: Vec<usize> = beginning(cql).into_iter().collect();
    escaped(cql, &marked) + "Udt"
}

/// Returns the position to escape in a name that begins like the types of maps and tuples.
fn beginning(cql: &str) -> Option<usize> {
    let found = BEGINNINGS.iter().find(|word| cql.starts_with(**word))?;
    Some(found.len() - 1)
}

fn escaped(cql: &str, marked: &[usize]) -> String {
    let chars: Vec<char> = cql.chars().collect();
    let mut out = String::with_capacity(cql.len());
    let mut after_escape = 0;
    for (at, c) in chars.iter().enumerate() {
        let stray = !c.is_ascii_alphanumeric() && *c != '_';
        let first = at == 0 && (c.is_ascii_digit() || cql.starts_with("__"));
        // Only escapes that do not overlap are looked for.
        let looks_escaped = if at >= after_escape {
            escape_at(&chars[at..])
        } else {
            None
        };
        if let Some(length) = looks_escaped {
            after_escape = at + length;
        }
        if stray || first || looks_escaped.is_some() || marked.contains(&at) {
            out.push_str(&format!("x{:x}_", u32::from(*c)));
        } else {
            out.push(*c);
        }
    }
    out
}

/// Returns the length of a text that already looks like an escape, if it begins here.
fn escape_at(chars: &[char]) -> Option<usize> {
    let (first, rest) = chars.split_first()?;
    let is_digit = |c: &&char| matches!(c, '0'..='9' | 'a'..='f');
    let digits = rest.iter().take_while(is_digit).count();
    (*first == 'x' && digits > 0 && rest.get(digits) == Some(&'_')).then_some(digits + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_escaped_by_character() {
        for (cql, wanted) in [
            ("title", "title"),
            ("userId", "userId"),
            ("_x", "_x"),
            ("1st", "x31_st"),
            ("favorite color", "favoritex20_color"),
            ("x1f_", "x78_1f_"),
            ("ax1f_b", "ax78_1f_b"),
            ("xx1f_", "xx78_1f_"),
            ("x_", "x_"),
            ("__a", "x5f__a"),
            ("é\u{1f600}", "xe9_x1f600_"),
            ("Query", "Query"),
            ("userInput", "userInput"),
        ] {
            assert_eq!(column(cql), wanted, "{cql}");
        }
    }

    #[test]
    fn tables_keep_clear_of_the_schemas_own_names() {
        for (cql, wanted) in [
            ("books", "books"),
            ("Query", "Querx79_"),
            ("userInput", "userInpux74_"),
            ("purchaseOrder", "purchaseOrdex72_"),
            ("order", "order"),
            ("EntryPoint", "Entrx79_Point"),
            ("TupleResult", "Tuplx65_Resulx74_"),
            ("Float32", "Float32"),
            ("ID", "Ix44_"),
        ] {
            assert_eq!(table(cql), wanted, "{cql}");
        }
        assert_eq!(user_type("addr"), "addrUdt");
        assert_eq!(user_type("Query"), "QueryUdt");
        assert_eq!(user_type("Entry"), "Entrx79_Udt");
    }
}
