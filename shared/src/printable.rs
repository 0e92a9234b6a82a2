//! Text of a server, prepared for a terminal.

/// Returns the printable part of a server's text: the first line that is not blank, or of an HTML page the title or
/// the first text; at most 300 characters, without control and invisible formatting characters.
pub fn printable(text: &str) -> String {
    let title = text
        .split_once("<title>")
        .and_then(|(_, rest)| rest.split_once("</title>"))
        .map(|(title, _)| title.to_owned());
    let text = match title {
        Some(title) => title,
        None if text.trim_start().starts_with('<') => {
            let texts = text.split('<').filter_map(|tag| tag.split_once('>'));
            texts.map(|(_, text)| text).collect::<Vec<_>>().join("\n")
        }
        None => text.to_owned(),
    };
    let mut characters = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or("(nothing)")
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !c.is_control() && !is_invisible(*c));
    let mut short: String = characters.by_ref().take(300).collect();
    if characters.next().is_some() {
        short.push_str("...");
    }
    short
}

/// Characters that reorder or hide the text around them.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn one_short_line_without_escape_sequences_is_left() {
        assert_eq!(
            printable("\n  Bad\trequest\u{1b}[31m \u{202e}x\r\nmore"),
            "Bad request[31m x"
        );
        assert_eq!(printable("<html>\n<title> 502 </title>"), "502");
        assert_eq!(printable("<html><body> <h1>Bad <b>Gateway"), "Bad");
        assert_eq!(printable("<title>\nBad\n</title>\ngateway"), "Bad");
        assert_eq!(printable(" \n"), "(nothing)");
        let long = printable(&"é".repeat(301));
        assert_eq!(long, format!("{}...", "é".repeat(300)));
        assert_eq!(printable(&"é".repeat(300)), "é".repeat(300));
    }
}
