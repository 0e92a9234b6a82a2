//! A time to live as text: a number of seconds, or an ISO 8601 duration of days, hours, minutes and seconds.

/// Returns whole seconds, and true if a fraction was truncated.
///
/// Parses what Java's `Long.parseLong` and `Duration.parse` parse.
pub fn read(text: &str) -> Option<(i64, bool)> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Some((seconds, false));
    }
    let upper = text.to_ascii_uppercase();
    let (negative, rest) = match upper.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, upper.strip_prefix('+').unwrap_or(&upper)),
    };
    let rest = rest.strip_prefix('P')?;
    let (days, time) = match rest.split_once('T') {
        // Nothing after the T is no time.
        Some((_, "")) => return None,
        Some((days, time)) => (days, time),
        None => (rest, ""),
    };
    if days.is_empty() && time.is_empty() {
        return None;
    }
    let mut total: i64 = 0;
    let mut cut = false;
    if !days.is_empty() {
        let days: i64 = days.strip_suffix('D')?.parse().ok()?;
        total = days.checked_mul(86_400)?;
    }
    let mut rest = time;
    for (unit, seconds) in [('H', 3600), ('M', 60), ('S', 1)] {
        let Some((number, after)) = rest.split_once(unit) else {
            continue;
        };
        let (whole, fraction) = match number.split_once(['.', ',']) {
            Some(_) if unit != 'S' => return None,
            Some((whole, fraction)) => (whole, fraction),
            None => (number, ""),
        };
        let is_nanoseconds = fraction.len() <= 9 && fraction.bytes().all(|b| b.is_ascii_digit());
        if !is_nanoseconds {
            return None;
        }
        cut |= fraction.bytes().any(|b| b != b'0');
        let number: i64 = whole.parse().ok()?;
        total = total.checked_add(number.checked_mul(seconds)?)?;
        rest = after;
    }
    rest.is_empty()
        .then_some((if negative { -total } else { total }, cut))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_durations_are_read() {
        for (text, seconds) in [
            ("3600", Some((3600, false))),
            ("-5", Some((-5, false))),
            ("PT1H", Some((3600, false))),
            ("P1DT2H3M4.5S", Some((93_784, true))),
            ("pt0.000s", Some((0, false))),
            ("-PT1M", Some((-60, false))),
            ("P", None),
            ("PT", None),
            ("P1M", None),
            ("PT1S1H", None),
            ("PT1.5H", None),
            ("P99999999999999999999D", None),
            ("P9999999999999999D", None),
            ("one hour", None),
            ("", None),
        ] {
            assert_eq!(read(text), seconds, "{text}");
        }
    }
}
