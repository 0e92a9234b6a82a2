//! Dates, times and timestamps as `java.time` parses and formats them.
//!
//! Cassandra's date spans eleven million years and its timestamp half a billion, which exceeds the date libraries in
//! use here, so this module implements the calendar.

use scylla::value::{CqlDate, CqlTime, CqlTimestamp};

use super::ValueError;

const DAY_MILLIS: i64 = 86_400_000;
/// Offset of Cassandra's day count.
const DATE_EPOCH: i64 = 1 << 31;
const MONTHS: [&str; 12] = [
    "JANUARY",
    "FEBRUARY",
    "MARCH",
    "APRIL",
    "MAY",
    "JUNE",
    "JULY",
    "AUGUST",
    "SEPTEMBER",
    "OCTOBER",
    "NOVEMBER",
    "DECEMBER",
];

/// Parses `YYYY-MM-DD`.
///
/// # Errors
/// [`ValueError::Time`] with Java's message.
pub fn read_date(text: &str) -> Result<CqlDate, ValueError> {
    let mut scanner = Scanner { text, at: 0 };
    let date = scanner.date()?;
    scanner.end()?;
    let days = date.days(text, false)?;
    Ok(CqlDate((days + DATE_EPOCH) as u32))
}

/// Parses `HH:mm[:ss[.fraction]]`.
///
/// # Errors
/// [`ValueError::Time`] with Java's message.
pub fn read_time(text: &str) -> Result<CqlTime, ValueError> {
    let mut scanner = Scanner { text, at: 0 };
    let mut clock = Clock {
        hour: scanner.number(2, 2)?,
        ..Clock::default()
    };
    scanner.literal(b':')?;
    clock.minute = scanner.number(2, 2)?;
    if scanner.next_is(b':') {
        clock.second = scanner.number(2, 2)?;
        clock.nanos = scanner.fraction(9);
    }
    scanner.end()?;
    clock.check(text)?;
    Ok(CqlTime(clock.seconds() * 1_000_000_000 + clock.nanos))
}

/// Parses `YYYY-MM-DDTHH:mm:ss[.fraction]` with an offset: `Z`, `+01`, `+0100` or `+01:00`. Truncates to milliseconds.
///
/// # Errors
/// [`ValueError::Time`] with Java's message.
pub fn read_timestamp(text: &str) -> Result<CqlTimestamp, ValueError> {
    let mut scanner = Scanner { text, at: 0 };
    let date = scanner.date()?;
    scanner.literal(b'T')?;
    let mut clock = Clock {
        hour: scanner.number(2, 2)?,
        ..Clock::default()
    };
    scanner.literal(b':')?;
    clock.minute = scanner.number(2, 2)?;
    scanner.literal(b':')?;
    clock.second = scanner.number(2, 2)?;
    clock.nanos = scanner.fraction(6);
    let offset = scanner.offset();
    scanner.end()?;
    let days = date.days(text, true)?;
    // Midnight may also be the end of a day.
    if (clock.hour, clock.minute, clock.second, clock.nanos) != (24, 0, 0, 0) {
        clock.check(text)?;
    }
    let Some(offset) = offset else {
        return Err(problem(
            text,
            format!(
                ": Unable to obtain Instant from TemporalAccessor: {{}},ISO resolved to {} of type java.time.format.Parsed",
                text
            ),
        ));
    };
    let millis = days * DAY_MILLIS + (clock.seconds() - offset) * 1_000 + clock.nanos / 1_000_000;
    Ok(CqlTimestamp(millis))
}

/// Formats as `2026-01-02`.
pub fn date_text(date: CqlDate) -> String {
    day_text(i64::from(date.0) - DATE_EPOCH)
}

/// Formats as `03:04:05` with all digits of the fraction: Java's `ISO_LOCAL_TIME`, which Jackson uses.
pub fn time_text(time: CqlTime) -> String {
    let (seconds, nanos) = (
        time.0.div_euclid(1_000_000_000),
        time.0.rem_euclid(1_000_000_000),
    );
    let whole = format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    );
    match nanos {
        0 => whole,
        _ => {
            let digits = format!("{nanos:09}");
            format!("{whole}.{}", digits.trim_end_matches('0'))
        }
    }
}

/// Formats as `03:04`, `03:04:05` or with a fraction of 3, 6 or 9 digits, whichever is the shortest exact form: Java's
/// `toString`, used for member names.
pub fn time_name(time: CqlTime) -> String {
    let (seconds, nanos) = (
        time.0.div_euclid(1_000_000_000),
        time.0.rem_euclid(1_000_000_000),
    );
    let mut out = format!("{:02}:{:02}", seconds / 3600, seconds / 60 % 60);
    if seconds % 60 != 0 || nanos != 0 {
        out.push_str(&format!(":{:02}", seconds % 60));
    }
    if nanos != 0 {
        let digits = format!("{nanos:09}");
        let short = digits.trim_end_matches('0').len().div_ceil(3) * 3;
        out.push_str(&format!(".{}", &digits[..short]));
    }
    out
}

/// Formats as `2026-01-02T03:04:05.678Z`, always UTC, without a fraction of zero.
pub fn timestamp_text(timestamp: CqlTimestamp) -> String {
    let days = timestamp.0.div_euclid(DAY_MILLIS);
    let rest = timestamp.0.rem_euclid(DAY_MILLIS);
    let (seconds, millis) = (rest / 1000, rest % 1000);
    let fraction = match millis {
        0 => String::new(),
        _ => format!(".{millis:03}"),
    };
    format!(
        "{}T{:02}:{:02}:{:02}{fraction}Z",
        day_text(days),
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

fn day_text(days: i64) -> String {
    let (year, month, day) = civil(days);
    let sign = match year {
        ..0 => "-",
        10_000.. => "+",
        _ => "",
    };
    format!("{sign}{:04}-{month:02}-{day:02}", year.unsigned_abs())
}

fn problem(text: &str, problem: String) -> ValueError {
    ValueError::Time {
        text: text.to_owned(),
        problem,
    }
}

fn out_of_range(text: &str, field: &str, range: &str, value: i64) -> ValueError {
    problem(
        text,
        format!(": Invalid value for {field} (valid values {range}): {value}"),
    )
}

struct Date {
    year: i64,
    month: i64,
    day: i64,
}

impl Date {
    /// Returns the days since 1970. With `clip`, a day that does not exist in its month becomes the last one: Java does
    /// this for timestamps, not for dates.
    fn days(&self, text: &str, clip: bool) -> Result<i64, ValueError> {
        let Date { year, month, day } = *self;
        let name = usize::try_from(month - 1).ok().and_then(|m| MONTHS.get(m));
        let Some(name) = name else {
            return Err(out_of_range(text, "MonthOfYear", "1 - 12", month));
        };
        if !(1..=31).contains(&day) {
            return Err(out_of_range(text, "DayOfMonth", "1 - 28/31", day));
        }
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = match month {
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => 31,
        };
        if day <= length || clip {
            return Ok(days(year, month, day.min(length)));
        }
        Err(problem(
            text,
            if month == 2 && day == 29 {
                format!(": Invalid date 'February 29' as '{year}' is not a leap year")
            } else {
                format!(": Invalid date '{name} {day}'")
            },
        ))
    }
}

#[derive(Default)]
struct Clock {
    hour: i64,
    minute: i64,
    second: i64,
    nanos: i64,
}

impl Clock {
    fn check(&self, text: &str) -> Result<(), ValueError> {
        for (field, value, last) in [
            ("HourOfDay", self.hour, 23),
            ("MinuteOfHour", self.minute, 59),
            ("SecondOfMinute", self.second, 59),
        ] {
            if value > last {
                return Err(out_of_range(text, field, &format!("0 - {last}"), value));
            }
        }
        Ok(())
    }

    fn seconds(&self) -> i64 {
        self.hour * 3600 + self.minute * 60 + self.second
    }
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl Scanner<'_> {
    fn fail(&self, at: usize) -> ValueError {
        problem(self.text, format!(" at index {at}"))
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next_is(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn literal(&mut self, wanted: u8) -> Result<(), ValueError> {
        if self.next_is(wanted) {
            Ok(())
        } else {
            Err(self.fail(self.at))
        }
    }

    /// Reads at most 10 digits.
    fn digits(&mut self, most: usize) -> &str {
        let start = self.at;
        while self.at - start < most && self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        &self.text[start..self.at]
    }

    fn number(&mut self, least: usize, most: usize) -> Result<i64, ValueError> {
        let start = self.at;
        let digits = self.digits(most);
        let number = if digits.len() < least {
            None
        } else {
            digits.parse().ok()
        };
        number.ok_or_else(|| self.fail(start))
    }

    fn date(&mut self) -> Result<Date, ValueError> {
        let start = self.at;
        let (plus, minus) = (self.next_is(b'+'), self.next_is(b'-'));
        let first = self.at;
        let year = self.number(4, 10).map_err(|_| self.fail(start))?;
        let long = self.at - first > 4;
        // More than four digits need a sign, and a plus sign needs more than four digits.
        if (plus && (minus || !long)) || (long && !plus && !minus) || year > 999_999_999 {
            return Err(self.fail(start));
        }
        self.literal(b'-')?;
        let month = self.number(2, 2)?;
        self.literal(b'-')?;
        let day = self.number(2, 2)?;
        Ok(Date {
            year: if minus { -year } else { year },
            month,
            day,
        })
    }

    /// Reads a fraction of at most `most` digits in nanoseconds; zero if there is none.
    fn fraction(&mut self, most: usize) -> i64 {
        if !self.next_is(b'.') {
            return 0;
        }
        let digits = self.digits(most);
        format!("{digits:0<9}").parse().unwrap_or(0)
    }

    /// Reads an offset in seconds east of Greenwich; `None` if there is none.
    fn offset(&mut self) -> Option<i64> {
        if self.next_is(b'Z') {
            return Some(0);
        }
        let start = self.at;
        let sign = if self.next_is(b'+') {
            1
        } else if self.next_is(b'-') {
            -1
        } else {
            return None;
        };
        let Some(hours) = self.number(2, 2).ok().filter(|hours| *hours <= 18) else {
            self.at = start;
            return None;
        };
        let before_minutes = self.at;
        self.next_is(b':');
        let minutes = match self.number(2, 2) {
            Ok(minutes) if minutes <= 59 => minutes,
            _ => {
                self.at = before_minutes;
                0
            }
        };
        Some(sign * (hours * 3600 + minutes * 60))
    }

    fn end(&self) -> Result<(), ValueError> {
        if self.at == self.text.len() {
            return Ok(());
        }
        Err(problem(
            self.text,
            format!(", unparsed text found at index {}", self.at),
        ))
    }
}

/// Returns the days since 1970 of a Gregorian date. Years are counted from March, so that the leap day is the last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Returns year, month and day, the inverse of [`days`].
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests;
