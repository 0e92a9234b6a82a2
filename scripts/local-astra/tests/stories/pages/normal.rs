//! Normalization of output, so that a run can be compared with the output on a page.

/// Replaces values that differ between runs, such as the time in a name, by a word.
pub fn normal(text: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(line).collect();
    // How often a sample looks while it waits, and at what it then finds, is a matter of time.
    lines.dedup_by(|next, line| next == line && line.starts_with("Waiting for "));
    lines.join("\n")
}

fn line(line: &str) -> String {
    if let Some((what, _seconds)) = line.rsplit_once(", ")
        && line.starts_with("Waiting for ")
    {
        return what.replace_words();
    }
    let digit = |c: char| c.is_ascii_digit();
    let mut line = line.replace_words();
    // Ledger and entry of a message, ports, seconds, the size of a bundle, the id of a token.
    line = hidden(
        &line,
        " as message ",
        |c| digit(c) || c == ':',
        "LEDGER:ENTRY",
    );
    line = hidden(&line, "localhost:", digit, "PORT");
    line = hidden(&line, " after ", digit, "N");
    line = hidden(&line, ".zip: ", digit, "N");
    line = hidden(
        &line,
        "5. Ids of its tokens: ",
        |c| c.is_ascii_hexdigit(),
        "ID",
    );
    hidden(&line, " client id ", |c| c.is_ascii_alphanumeric(), "ID")
}

/// Replaces the characters accepted by `of` after each `before` by a word.
fn hidden(line: &str, before: &str, of: impl Fn(char) -> bool, by: &str) -> String {
    let mut parts = line.split(before);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(before);
        let kept = part.trim_start_matches(&of);
        if kept.len() < part.len() {
            out.push_str(by);
        }
        out.push_str(kept);
    }
    out
}

trait Words {
    fn replace_words(&self) -> String;
}

impl Words for str {
    /// Replaces UUIDs, times in microseconds, and a process id after one in a name.
    fn replace_words(&self) -> String {
        let in_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let mut out = String::new();
        let mut rest = self;
        while let Some(first) = rest.chars().next() {
            let end = if in_word(first) {
                rest.find(|c| !in_word(c)).unwrap_or(rest.len())
            } else {
                first.len_utf8()
            };
            let (word, after) = rest.split_at(end);
            let hex = |c: char| c.is_ascii_hexdigit() || c == '-';
            let is_uuid =
                word.len() == 36 && word.chars().all(hex) && word.matches('-').count() == 4;
            // Local Astra's own ids are the same everywhere, and tell it from Astra.
            if is_uuid && !word.starts_with("10ca1a57-") {
                out.push_str("UUID");
            } else {
                out.push_str(&without_time(word));
            }
            rest = after;
        }
        let digit = |c: char| c.is_ascii_digit();
        out = hidden(&out, "TIME_", digit, "PROCESS");
        hidden(&out, "TIME-", digit, "PROCESS")
    }
}

/// Replaces the number of 16 digits in a word, if any.
fn without_time(word: &str) -> String {
    let digit = |c: char| c.is_ascii_digit();
    let mut digits = word.split(|c| !digit(c));
    match digits.find(|digits| digits.len() == 16) {
        Some(time) => word.replace(time, "TIME"),
        None => word.to_owned(),
    }
}

/// Returns the output as if no other test used this local Astra: with its own keyspaces, and only the items of lists
/// that the page contains. While the pages are rewritten no other tests run, but the keyspaces of these tests exist.
pub fn as_alone(output: &str, page: &str, refreshing: bool) -> String {
    let theirs = |item: &str| {
        if refreshing {
            item.starts_with("test_")
        } else {
            !page.contains(item)
        }
    };
    let mut out = String::new();
    for line in output.lines() {
        out.push_str(&without(line, theirs));
        out.push('\n');
    }
    out
}

/// Removes the items of other tests from a line with a list.
fn without(line: &str, theirs: impl Fn(&str) -> bool) -> String {
    const COUNTED: [(&str, &str); 4] = [
        ("1. Found ", "database"),
        ("2. Found ", "tenant"),
        ("2. Found ", "user"),
        ("3. Found ", "role"),
    ];
    const KEYSPACES: &str = "2. Database local: keyspaces ";
    const NAMESPACES: &str = "1. Namespaces: ";
    if let Some((list, rest)) = line
        .strip_prefix(KEYSPACES)
        .and_then(|l| l.split_once("; "))
    {
        return format!("{KEYSPACES}{}; {rest}", kept(list, theirs).join(", "));
    }
    if let Some(list) = line.strip_prefix(NAMESPACES) {
        return format!("{NAMESPACES}{}", kept(list, theirs).join(", "));
    }
    for (step, noun) in COUNTED {
        let Some((head, list)) = line.split_once(": ") else {
            continue;
        };
        let counted = head
            .strip_prefix(step)
            .and_then(|rest| rest.split_once(' '));
        if counted.is_some_and(|(_, what)| what.trim_end_matches('s') == noun) {
            let kept = kept(list, theirs);
            let s = if kept.len() == 1 { "" } else { "s" };
            return format!("{step}{} {noun}{s}: {}", kept.len(), kept.join(", "));
        }
    }
    line.to_owned()
}

/// Returns the items of a list that do not belong to others. A comma in brackets is part of an item.
fn kept(list: &str, theirs: impl Fn(&str) -> bool) -> Vec<&str> {
    let mut depth = 0;
    let items = list.split(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    });
    items.map(str::trim).filter(|item| !theirs(item)).collect()
}

#[test]
fn what_is_a_run_s_own_is_left_out_and_nothing_else() {
    for (one, other) in [
        (
            "3. Created table rust_sample_users_1795517143324898_40213",
            "3. Created table rust_sample_users_1795517143324899_7",
        ),
        (
            "the id is aa8372ca-2ba9-4096-b75e-34b8cb94ee03.",
            "the id is aa8372ca-2ba9-4096-b75e-34b8cb94ee04.",
        ),
        (
            "3. Sent Hello World as message 10:0",
            "3. Sent Hello World as message 9:12",
        ),
        (
            "Waiting for x, 0 s of 9\nWaiting for x, 2 s of 9",
            "Waiting for x, 0 s of 9",
        ),
        (
            "Waiting for keyspace rust_sample_1795517143324898_40213, 0 s of 9",
            "Waiting for keyspace rust_sample_1795517143324899_7, 2 s of 9",
        ),
        ("9. ACTIVE after 5 s", "9. ACTIVE after 17 s"),
        (
            "3. Created tenant rust-sample-1795659315490604-40213 on pulsar",
            "3. Created tenant rust-sample-1795659315490605-7 on pulsar",
        ),
        (
            "broker localhost:1, web localhost:2",
            "broker localhost:11, web localhost:22",
        ),
    ] {
        assert_eq!(normal(one), normal(other));
    }
    for (one, other) in [
        (
            "3. Created table rust_sample_users_1795517143324898_40213",
            "3. Created table rust_sample_books_1795517143324898_40213",
        ),
        ("10. x", "11. x"),
        ("count 0", "count 1"),
        (
            "10ca1a57-7a00-4000-8000-000000000001",
            "10ca1a57-7a00-4000-8000-000000000002",
        ),
        ("9. ACTIVE after 5 s", "9. ACTIVE after a while"),
        ("Read\nRead", "Read"),
    ] {
        assert_ne!(normal(one), normal(other));
    }
}

#[test]
fn of_a_list_what_others_made_is_left_out() {
    let told = "1. Found 2 databases: local (1, us-east1, ACTIVE), made (2, us-east1, PENDING)\n";
    let page = "1. Found 1 database: local (1, us-east1, ACTIVE)\n";
    assert_eq!(as_alone(told, page, false), page);
    let told = "1. Namespaces: a/default, a/made\n";
    assert_eq!(
        as_alone(told, "1. Namespaces: a/default\n", false),
        "1. Namespaces: a/default\n"
    );
    let told = "2. Database local: keyspaces samples, test_1; regions us-east1\n";
    for refreshing in [false, true] {
        let page = "2. Database local: keyspaces samples; regions us-east1\n";
        assert_eq!(as_alone(told, page, refreshing), page);
    }
    assert_ne!(as_alone("1. Found 0 databases: \n", page, false), page);
}
