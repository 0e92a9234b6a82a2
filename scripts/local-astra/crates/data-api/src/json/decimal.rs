//! Decimal numbers with the texts that Java's `BigDecimal` and Jackson give them.

use std::cmp::Ordering;
use std::fmt;

use num_bigint::{BigInt, Sign};
use scylla::value::CqlDecimal;

/// Exponents beyond this would make plain texts of more than this many digits.
const MAX_EXPONENT: i64 = 100_000;

/// A number: `unscaled * 10^-scale`.
#[derive(Clone, Debug)]
pub struct Decimal {
    unscaled: BigInt,
    scale: i64,
    /// Written without a period or an exponent. An integer and a decimal of one value are different nodes to
    /// Jackson: an update from one to the other is a modification.
    integer: bool,
}

impl Decimal {
    /// Reads a JSON number. A fraction or an exponent makes a decimal, whose trailing zeros are dropped.
    /// `None` for an exponent that no text could show.
    pub fn parse(text: &str) -> Option<Decimal> {
        // Most numbers are small integers: these need no arithmetic with big numbers.
        if let Ok(number) = text.parse::<i64>() {
            return Some(Decimal::integer(number));
        }
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let unscaled = big(&format!("{whole}{fraction}"))?;
        let scale = i64::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        if text.contains(['.', 'e', 'E']) {
            let decimal = Decimal::of(unscaled, scale);
            let ends_with_zero = mantissa.ends_with('0') || decimal.is_zero();
            let stripped = if ends_with_zero {
                decimal.stripped()
            } else {
                decimal
            };
            (stripped.scale.abs() <= MAX_EXPONENT).then_some(stripped)
        } else {
            Some(Decimal::whole(unscaled))
        }
    }

    /// An integer.
    pub fn integer(number: i64) -> Decimal {
        Decimal {
            unscaled: BigInt::from(number),
            scale: 0,
            integer: true,
        }
    }

    /// An integer of any size.
    pub fn whole(number: BigInt) -> Decimal {
        Decimal {
            unscaled: number,
            scale: 0,
            integer: true,
        }
    }

    fn of(unscaled: BigInt, scale: i64) -> Decimal {
        Decimal {
            unscaled,
            scale,
            integer: false,
        }
    }

    /// The text of a float, which keeps the zero of `1.0`.
    pub fn of_float_text(text: &str) -> Decimal {
        let (mantissa, exponent) = text.split_once('E').unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let unscaled = big(&format!("{whole}{fraction}")).unwrap_or(BigInt::ZERO);
        let scale = i64::try_from(fraction.len()).unwrap_or(0) - exponent.parse().unwrap_or(0);
        Decimal::of(unscaled, scale)
    }

    /// The same value without zeros at the end, as a decimal.
    pub fn stripped(&self) -> Decimal {
        let digits = self.unscaled.to_string();
        let kept = digits.trim_end_matches('0');
        match kept.parse::<BigInt>() {
            Ok(unscaled) if unscaled.sign() != Sign::NoSign => {
                let zeros = digits.len() - kept.len();
                let zeros = i64::try_from(zeros).unwrap_or(i64::MAX);
                Decimal::of(unscaled, self.scale.saturating_sub(zeros))
            }
            _ => Decimal::of(BigInt::ZERO, 0),
        }
    }

    /// Returns true if the number was written without a period or an exponent.
    pub fn is_integer(&self) -> bool {
        self.integer
    }

    /// The value of an integer that fits.
    pub fn as_i64(&self) -> Option<i64> {
        self.integer
            .then(|| i64::try_from(&self.unscaled).ok())
            .flatten()
    }

    /// The whole part, also of a decimal, if it fits.
    pub fn to_i64(&self) -> Option<i64> {
        let text = self.plain();
        let whole = text.split('.').next().unwrap_or_default();
        if whole == "-" || whole.is_empty() {
            return Some(0);
        }
        whole.parse().ok()
    }

    /// Returns true if the number has no fraction, however it was written.
    pub fn is_whole(&self) -> bool {
        self.stripped().scale <= 0
    }

    pub fn is_zero(&self) -> bool {
        self.unscaled.sign() == Sign::NoSign
    }

    pub fn is_negative(&self) -> bool {
        self.unscaled.sign() == Sign::Minus
    }

    /// The bytes of a whole number for a `varint` column; `None` for one with a fraction.
    pub fn to_integer_bytes(&self) -> Option<Vec<u8>> {
        let stripped = self.stripped();
        let zeros = u32::try_from(-stripped.scale).ok()?;
        let whole = stripped.unscaled * BigInt::from(10).pow(zeros);
        Some(whole.to_signed_bytes_be())
    }

    pub fn to_f64(&self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    pub fn to_f32(&self) -> f32 {
        self.to_string().parse().unwrap_or(f32::NAN)
    }

    /// Returns true if both are the same node to Jackson: both integers or both decimals, with equal values.
    pub fn is_same(&self, other: &Decimal) -> bool {
        self.integer == other.integer && self.cmp_value(other) == Ordering::Equal
    }

    /// Returns true if both are the same to Java's `equals`: with equal values and scales.
    pub fn is_identical(&self, other: &Decimal) -> bool {
        self.scale == other.scale && self.unscaled == other.unscaled
    }

    /// The sum. Two integers give an integer; the scale is the larger one.
    pub fn add(&self, other: &Decimal) -> Decimal {
        let scale = self.scale.max(other.scale);
        Decimal {
            unscaled: self.at_scale(scale) + other.at_scale(scale),
            scale,
            integer: self.integer && other.integer,
        }
    }

    /// The product, always a decimal; the scale is the sum of both. `None` if its exponent is out of range.
    pub fn multiply(&self, other: &Decimal) -> Option<Decimal> {
        let scale = self.scale + other.scale;
        (scale.abs() <= MAX_EXPONENT).then(|| Decimal::of(&self.unscaled * &other.unscaled, scale))
    }

    /// A decimal zero.
    pub fn zero() -> Decimal {
        Decimal::of(BigInt::ZERO, 0)
    }

    fn at_scale(&self, scale: i64) -> BigInt {
        let power = u32::try_from(scale - self.scale).unwrap_or(0);
        &self.unscaled * BigInt::from(10).pow(power)
    }

    /// Compares by value.
    pub fn cmp_value(&self, other: &Decimal) -> Ordering {
        let (sign, other_sign) = (self.unscaled.sign(), other.unscaled.sign());
        if sign != other_sign || sign == Sign::NoSign {
            return sign.cmp(&other_sign);
        }
        let (digits, other_digits) = (self.digits(), other.digits());
        let magnitude = |number: &Decimal, digits: &str| {
            i64::try_from(digits.len()).unwrap_or(i64::MAX) - number.scale
        };
        let ordering = magnitude(self, &digits)
            .cmp(&magnitude(other, &other_digits))
            .then_with(|| {
                let trim = |digits: &str| digits.trim_end_matches('0').to_owned();
                trim(&digits).cmp(&trim(&other_digits))
            });
        if sign == Sign::Minus {
            ordering.reverse()
        } else {
            ordering
        }
    }

    fn digits(&self) -> String {
        self.unscaled.magnitude().to_string()
    }

    /// The text without an exponent, as Java's `toPlainString` has it.
    pub fn plain(&self) -> String {
        let sign = if self.is_negative() { "-" } else { "" };
        let digits = self.digits();
        let Ok(scale) = usize::try_from(self.scale) else {
            if self.is_zero() {
                return "0".to_owned();
            }
            let zeros = usize::try_from(-self.scale).unwrap_or(0);
            return format!("{sign}{digits}{}", "0".repeat(zeros));
        };
        if scale == 0 {
            return format!("{sign}{digits}");
        }
        let digits = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        format!("{sign}{whole}.{fraction}")
    }

    /// The value for a `decimal` column; `None` if its scale is out of range.
    pub fn to_cql(&self) -> Option<CqlDecimal> {
        let scale = i32::try_from(self.scale).ok()?;
        let bytes = self.unscaled.to_signed_bytes_be();
        Some(CqlDecimal::from_signed_be_bytes_and_exponent(bytes, scale))
    }

    /// The value of a `decimal` column.
    pub fn from_cql(decimal: &CqlDecimal) -> Decimal {
        let (bytes, scale) = decimal.as_signed_be_bytes_slice_and_exponent();
        Decimal::of(BigInt::from_signed_bytes_be(bytes), scale.into())
    }
}

/// Reads digits with a sign, faster if they fit 64 bits.
fn big(digits: &str) -> Option<BigInt> {
    match digits.parse::<i64>() {
        Ok(number) => Some(BigInt::from(number)),
        Err(_) => digits.parse().ok(),
    }
}

impl fmt::Display for Decimal {
    /// Java's `BigDecimal.toString`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits();
        let length = i64::try_from(digits.len()).unwrap_or(i64::MAX);
        let adjusted = length - 1 - self.scale;
        if self.scale == 0 || (self.scale > 0 && adjusted >= -6) {
            return f.write_str(&self.plain());
        }
        let sign = if self.is_negative() { "-" } else { "" };
        let (first, rest) = digits.split_at(1);
        let period = if rest.is_empty() { "" } else { "." };
        write!(f, "{sign}{first}{period}{rest}")?;
        if adjusted == 0 {
            return Ok(());
        }
        write!(f, "E{adjusted:+}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn numbers_print_as_java_prints_them() {
        for (text, printed, plain) in [
            ("1", "1", "1"),
            ("1.0", "1", "1"),
            ("0.10", "0.1", "0.1"),
            ("1e3", "1E+3", "1000"),
            ("100.0", "1E+2", "100"),
            ("-0", "0", "0"),
            ("-0.0", "0", "0"),
            ("9007199254740993", "9007199254740993", "9007199254740993"),
            ("0.000001", "0.000001", "0.000001"),
            ("0.0000001", "1E-7", "0.0000001"),
            ("-1.25e-9", "-1.25E-9", "-0.00000000125"),
            ("1.5E2", "1.5E+2", "150"),
            ("-12.5", "-12.5", "-12.5"),
        ] {
            let number = read(text);
            assert_eq!(
                (number.to_string(), number.plain()),
                (printed.to_owned(), plain.to_owned()),
                "{text}"
            );
        }
        assert!(Decimal::parse("1e1000000").is_none());
        assert!(Decimal::parse("1e99999999999999999999").is_none());
    }

    #[test]
    fn values_compare_whatever_their_form() {
        for (less, more) in [
            ("-2", "-1.5"),
            ("-1", "0"),
            ("9", "1e1"),
            ("0.99", "1"),
            ("1e-9", "1e-8"),
        ] {
            assert_eq!(
                read(less).cmp_value(&read(more)),
                Ordering::Less,
                "{less} {more}"
            );
            assert_eq!(
                read(more).cmp_value(&read(less)),
                Ordering::Greater,
                "{less} {more}"
            );
        }
        assert_eq!(read("1000").cmp_value(&read("1e3")), Ordering::Equal);
        assert!(!read("5").is_same(&read("5.0")) && read("5.0").is_same(&read("5.00")));
    }

    #[test]
    fn sums_and_products_keep_their_scale() {
        assert_eq!(read("0.5").add(&read("0.5")).to_string(), "1.0");
        assert_eq!(read("1").add(&read("2")).to_string(), "3");
        assert_eq!(
            read("9.25").multiply(&read("2")).unwrap().to_string(),
            "18.50"
        );
    }
}
