//! CQL durations: `1y2mo3w4d5h6m7s8ms9us10ns` and the ISO forms, as Cassandra's drivers parse and format them.

use scylla::value::CqlDuration;

const MICROSECOND: i64 = 1_000;
const MILLISECOND: i64 = 1_000 * MICROSECOND;
const SECOND: i64 = 1_000 * MILLISECOND;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// The units from longest to shortest. A duration contains each at most once, in this order.
const UNITS: [&str; 10] = ["y", "mo", "w", "d", "h", "m", "s", "ms", "us", "ns"];

/// Parses a duration in any of its forms.
pub fn read(text: &str) -> Option<CqlDuration> {
    let (negative, source) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let parts = match source.strip_prefix('P') {
        None => standard(source)?,
        Some(iso) if iso.contains('-') => alternative(iso)?,
        Some(iso) => designators(iso)?,
    };
    sum(&parts, negative)
}

/// Parses `1h4m48s20ms`, case-insensitively.
fn standard(source: &str) -> Option<Vec<(usize, i64)>> {
    let mut rest = source;
    let mut parts: Vec<(usize, i64)> = Vec::new();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        let unit = rest[..letters].to_lowercase().replace('µ', "u");
        rest = &rest[letters..];
        let unit = UNITS.iter().position(|known| *known == unit)?;
        if parts.last().is_some_and(|(before, _)| *before >= unit) {
            return None;
        }
        parts.push((unit, number));
    }
    (!parts.is_empty()).then_some(parts)
}

/// Parses ISO 8601 after the `P`: `1Y2M3DT4H5M6S` or `3W`.
fn designators(source: &str) -> Option<Vec<(usize, i64)>> {
    let (date, time) = source.split_once('T').unwrap_or((source, ""));
    let standard_units = |text: &str, month: bool| -> Option<String> {
        let mut out = String::new();
        for c in text.chars() {
            match c {
                'M' if month => out.push_str("mo"),
                'Y' | 'D' | 'W' if month => out.push(c),
                'H' | 'M' | 'S' if !month => out.push(c),
                '0'..='9' => out.push(c),
                _ => return None,
            }
        }
        Some(out)
    };
    if date.contains('W') && (date.len() != date.find('W')? + 1 || source.contains('T')) {
        return None;
    }
    let all = standard_units(date, true)? + &standard_units(time, false)?;
    // `P` alone is an empty duration.
    if all.is_empty() {
        Some(Vec::new())
    } else {
        standard(&all)
    }
}

/// Parses `0001-02-03T04:05:06`.
fn alternative(source: &str) -> Option<Vec<(usize, i64)>> {
    let shape: String = source
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    if shape != "0000-00-00T00:00:00" {
        return None;
    }
    let numbers = source.split(['-', 'T', ':']);
    let units = [0, 1, 3, 4, 5, 6];
    units
        .into_iter()
        .zip(numbers)
        .map(|(unit, number)| Some((unit, number.parse().ok()?)))
        .collect()
}

fn sum(parts: &[(usize, i64)], negative: bool) -> Option<CqlDuration> {
    let (mut months, mut days, mut nanoseconds) = (0_i64, 0_i64, 0_i64);
    for (unit, number) in parts {
        let (field, size) = match UNITS[*unit] {
            "y" => (&mut months, 12),
            "mo" => (&mut months, 1),
            "w" => (&mut days, 7),
            "d" => (&mut days, 1),
            "h" => (&mut nanoseconds, HOUR),
            "m" => (&mut nanoseconds, MINUTE),
            "s" => (&mut nanoseconds, SECOND),
            "ms" => (&mut nanoseconds, MILLISECOND),
            "us" => (&mut nanoseconds, MICROSECOND),
            _ => (&mut nanoseconds, 1),
        };
        *field = field.checked_add(number.checked_mul(size)?)?;
    }
    let sign = if negative { -1 } else { 1 };
    let months = i32::try_from(months).ok()?;
    let days = i32::try_from(days).ok()?;
    Some(CqlDuration {
        months: sign * months,
        days: sign * days,
        nanoseconds: i64::from(sign) * nanoseconds,
    })
}

/// Formats as `1h4m48s20ms`: only the units that are not zero, without weeks.
pub fn text(duration: &CqlDuration) -> String {
    let negative = duration.months < 0 || duration.days < 0 || duration.nanoseconds < 0;
    let mut out = String::from(if negative { "-" } else { "" });
    let mut units = |mut rest: u64, sizes: &[(u64, &str)]| {
        for (size, unit) in sizes {
            if rest >= *size {
                out.push_str(&format!("{}{unit}", rest / size));
                rest %= size;
            }
        }
    };
    units(
        duration.months.unsigned_abs().into(),
        &[(12, "y"), (1, "mo")],
    );
    units(duration.days.unsigned_abs().into(), &[(1, "d")]);
    units(
        duration.nanoseconds.unsigned_abs(),
        &[
            (HOUR as u64, "h"),
            (MINUTE as u64, "m"),
            (SECOND as u64, "s"),
            (MILLISECOND as u64, "ms"),
            (MICROSECOND as u64, "us"),
            (1, "ns"),
        ],
    );
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::from;

    #[test]
    fn durations_have_many_forms() {
        for (text, wanted) in [
            ("1y2mo3w4d5h6m7s8ms9us10ns", "1y2mo25d5h6m7s8ms9us10ns"),
            ("1H30M", "1h30m"),
            ("5µs", "5us"),
            ("-2d", "-2d"),
            ("14mo", "1y2mo"),
            ("90m", "1h30m"),
            ("P1Y2M3DT4H5M6S", "1y2mo3d4h5m6s"),
            ("-P3W", "-21d"),
            ("P0001-02-03T04:05:06", "1y2mo3d4h5m6s"),
            ("0s", ""),
        ] {
            assert_eq!(
                from("duration", text),
                Ok(format!("\"{wanted}\"")),
                "{text}"
            );
        }
        for text in ["P1W2D", "P1H", "1-2", "P1", "h", "5", "1h1h"] {
            assert!(from("duration", text).is_err(), "{text}");
        }
    }
}
