use super::super::tests::from;
use super::*;

#[test]
fn dates_and_times_are_javas() {
    for (cql, text, wanted) in [
        ("date", "0000-02-29", "0000-02-29"),
        ("date", "-0001-12-31", "-0001-12-31"),
        ("date", "+10000-01-01", "+10000-01-01"),
        ("date", "1969-12-31", "1969-12-31"),
        ("time", "23:59:59.5", "23:59:59.5"),
        ("time", "23:59:59.", "23:59:59"),
        ("time", "00:00", "00:00:00"),
        ("time", "01:02:00.000001", "01:02:00.000001"),
        ("time", "01:02:00.123456789", "01:02:00.123456789"),
        (
            "timestamp",
            "2026-01-02T03:04:05+01:00",
            "2026-01-02T02:04:05Z",
        ),
        (
            "timestamp",
            "2026-01-02T03:04:05-0130",
            "2026-01-02T04:34:05Z",
        ),
        (
            "timestamp",
            "2026-01-02T03:04:05.6+01",
            "2026-01-02T02:04:05.600Z",
        ),
        (
            "timestamp",
            "2026-01-02T03:04:05.678901Z",
            "2026-01-02T03:04:05.678Z",
        ),
        (
            "timestamp",
            "1969-12-31T23:59:59.999Z",
            "1969-12-31T23:59:59.999Z",
        ),
        ("timestamp", "2026-02-30T00:00:00Z", "2026-02-28T00:00:00Z"),
        ("timestamp", "2026-12-31T24:00:00Z", "2027-01-01T00:00:00Z"),
    ] {
        assert_eq!(from(cql, text), Ok(format!("\"{wanted}\"")), "{text}");
    }
    for (cql, text, problem) in [
        ("timestamp", "yesterday", " at index 0"),
        ("timestamp", "2026-01-02", " at index 10"),
        ("timestamp", "2026-01-02T03:04Z", " at index 16"),
        (
            "timestamp",
            "2026-01-02T03:04:05.1234567Z",
            ", unparsed text found at index 26",
        ),
        (
            "timestamp",
            "2026-01-02T03:04:05",
            ": Unable to obtain Instant from TemporalAccessor: {},ISO resolved to 2026-01-02T03:04:05 of type \
             java.time.format.Parsed",
        ),
        (
            "timestamp",
            "2026-01-02T25:04:05Z",
            ": Invalid value for HourOfDay (valid values 0 - 23): 25",
        ),
        (
            "date",
            "2026-13-45",
            ": Invalid value for MonthOfYear (valid values 1 - 12): 13",
        ),
        (
            "date",
            "2026-01-32",
            ": Invalid value for DayOfMonth (valid values 1 - 28/31): 32",
        ),
        ("date", "2026-02-30", ": Invalid date 'FEBRUARY 30'"),
        (
            "date",
            "2026-02-29",
            ": Invalid date 'February 29' as '2026' is not a leap year",
        ),
        ("date", "2026-1-02", " at index 5"),
        ("date", "10000-01-01", " at index 0"),
        ("date", "2026-01-02x", ", unparsed text found at index 10"),
        ("date", "é", " at index 0"),
        ("time", "3:04", " at index 0"),
        (
            "time",
            "03:60",
            ": Invalid value for MinuteOfHour (valid values 0 - 59): 60",
        ),
    ] {
        let wanted = format!("Text '{text}' could not be parsed{problem}");
        assert_eq!(from(cql, text).unwrap_err(), wanted);
    }
}

#[test]
fn the_ends_of_what_cassandra_stores_are_written() {
    for timestamp in [i64::MIN, i64::MAX, 0] {
        timestamp_text(CqlTimestamp(timestamp));
    }
    assert_eq!(date_text(CqlDate(0)), "-5877641-06-23");
    assert_eq!(date_text(CqlDate(u32::MAX)), "+5881580-07-11");
    assert_eq!(read_date("+5881580-07-11").unwrap().0, u32::MAX);
}
