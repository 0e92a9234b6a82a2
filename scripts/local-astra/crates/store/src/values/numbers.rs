//! Numbers as Java parses and formats them, because Stargate's JSON does.

use num_bigint::BigInt;
use scylla::value::CqlDecimal;
use serde_json::{Number, Value};

/// A JSON number. Java reads it as an integer, or as a double if it has a fraction or an exponent.
#[derive(Clone, Debug, PartialEq)]
pub enum JsonNumber {
    Long(i64),
    Big(BigInt),
    Double(f64),
}

impl JsonNumber {
    pub fn read(number: &Number) -> JsonNumber {
        let text = number.as_str();
        if let Ok(long) = text.parse() {
            JsonNumber::Long(long)
        } else if let Some(big) = read_integer(text) {
            JsonNumber::Big(big)
        } else {
            JsonNumber::Double(text.parse().unwrap_or(f64::NAN))
        }
    }

    /// Returns the lowest 64 bits of an integer. A double is truncated and saturates at the ends of the range.
    pub fn to_i64(&self) -> i64 {
        match self {
            JsonNumber::Long(long) => *long,
            JsonNumber::Big(big) => {
                let mut low = [0; 8];
                for (to, from) in low.iter_mut().zip(big.to_signed_bytes_le()) {
                    *to = from;
                }
                i64::from_le_bytes(low)
            }
            JsonNumber::Double(double) => *double as i64,
        }
    }

    /// Returns 32 bits; see [`JsonNumber::to_i64`].
    pub fn to_i32(&self) -> i32 {
        match self {
            JsonNumber::Double(double) => *double as i32,
            integer => integer.to_i64() as i32,
        }
    }

    pub fn to_f64(&self) -> f64 {
        match self {
            JsonNumber::Long(long) => *long as f64,
            JsonNumber::Big(big) => big.to_string().parse().unwrap_or(f64::NAN),
            JsonNumber::Double(double) => *double,
        }
    }

    pub fn to_f32(&self) -> f32 {
        match self {
            JsonNumber::Long(long) => *long as f32,
            JsonNumber::Big(big) => big.to_string().parse().unwrap_or(f32::NAN),
            JsonNumber::Double(double) => *double as f32,
        }
    }

    /// Returns the integer; `None` for a double, even an integral one.
    pub fn to_big(&self) -> Option<BigInt> {
        match self {
            JsonNumber::Long(long) => Some(BigInt::from(*long)),
            JsonNumber::Big(big) => Some(big.clone()),
            JsonNumber::Double(_) => None,
        }
    }

    /// Formats the number as Java does: `5`, `1.5`, `1000.0`, `1.0E10`.
    pub fn text(&self) -> String {
        match self {
            JsonNumber::Long(long) => long.to_string(),
            JsonNumber::Big(big) => big.to_string(),
            JsonNumber::Double(double) => double_text(*double),
        }
    }
}

/// Formats as Java's `Double.toString`.
pub fn double_text(value: f64) -> String {
    let plain = (1e-3..1e7).contains(&value.abs());
    let shortest = format!("{value:e}");
    // Java searches for the nearest decimal with at least two digits: 4.9E-324, not 5.0E-324.
    let scientific = if shortest.contains('.') {
        shortest
    } else {
        format!("{value:.1e}")
    };
    float_text(&scientific, plain, value.is_finite())
}

/// Formats as Java's `Float.toString`.
pub fn single_text(value: f32) -> String {
    let plain = (1e-3..1e7).contains(&value.abs());
    let shortest = format!("{value:e}");
    let scientific = if shortest.contains('.') {
        shortest
    } else {
        format!("{value:.1e}")
    };
    float_text(&scientific, plain, value.is_finite())
}

fn float_text(scientific: &str, plain: bool, finite: bool) -> String {
    if !finite {
        return scientific.replace("inf", "Infinity");
    }
    let (sign, rest) = match scientific.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", scientific),
    };
    let (mantissa, exponent) = rest.split_once('e').unwrap_or((rest, "0"));
    let digits = mantissa.replace('.', "");
    let exponent: i32 = exponent.parse().unwrap_or(0);
    // The second digit may only exist because Java requires two.
    let digits = match digits.strip_suffix('0') {
        Some(first) if first.len() == 1 => first,
        _ => digits.as_str(),
    };
    if digits == "0" {
        return format!("{sign}0.0");
    }
    let or_zero = |digits: &str| if digits.is_empty() { "0" } else { digits }.to_owned();
    match usize::try_from(exponent) {
        Ok(exponent) if plain => {
            let whole: String = digits
                .chars()
                .chain("0000000".chars())
                .take(exponent + 1)
                .collect();
            let fraction = or_zero(digits.get(exponent + 1..).unwrap_or(""));
            format!("{sign}{whole}.{fraction}")
        }
        Err(_) if plain => {
            let zeros = "0".repeat(exponent.unsigned_abs() as usize - 1);
            format!("{sign}0.{zeros}{digits}")
        }
        _ => {
            let (first, fraction) = digits.split_at(1);
            format!("{sign}{first}.{}E{exponent}", or_zero(fraction))
        }
    }
}

/// Formats as Java's `BigDecimal.toString`, with the same scale and exponent.
pub fn decimal_text(decimal: &CqlDecimal) -> String {
    let (bytes, scale) = decimal.as_signed_be_bytes_slice_and_exponent();
    let unscaled = BigInt::from_signed_bytes_be(bytes).to_string();
    let (sign, digits) = match unscaled.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", unscaled.as_str()),
    };
    let scale = i64::from(scale);
    let exponent = digits.len() as i64 - 1 - scale;
    if scale == 0 {
        return unscaled;
    }
    if scale > 0 && exponent >= -6 {
        let scale = scale as usize;
        let padded = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = padded.split_at(padded.len() - scale);
        return format!("{sign}{whole}.{fraction}");
    }
    let (first, fraction) = digits.split_at(1);
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{first}{point}{fraction}E{exponent:+}")
}

/// Parses as Java's `new BigDecimal(text)`: digits with an optional point and exponent.
pub fn read_decimal(text: &str) -> Option<CqlDecimal> {
    let (number, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], read_integer(&text[at + 1..])?),
        None => (text, BigInt::ZERO),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let sign = if whole.starts_with(['+', '-']) { 1 } else { 0 };
    let digits = format!("{whole}{fraction}");
    let unscaled = read_integer(&digits)
        .filter(|_| !fraction.starts_with(['+', '-']) && digits.len() > sign)?;
    let scale = BigInt::from(fraction.len()) - exponent;
    Some(CqlDecimal::from_signed_be_bytes_and_exponent(
        unscaled.to_signed_bytes_be(),
        i32::try_from(scale).ok()?,
    ))
}

/// Parses as Java's `new BigInteger(text)`: digits with an optional sign.
pub fn read_integer(text: &str) -> Option<BigInt> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let only_digits = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    only_digits.then(|| text.parse().ok()).flatten()
}

/// Converts a float accepted by Java's `Double.valueOf` and `Float.valueOf` to a text for Rust's parser.
pub(super) fn float_to_parse(text: &str) -> Option<&str> {
    let text = text.trim();
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, "NaN" | "Infinity") {
        return Some(text);
    }
    let numeric = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    numeric.then(|| text.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(text))
}

/// Converts the text of a number to JSON unchanged. The conversion of serde_json would replace `E` by `e`.
pub fn number(text: &str) -> Value {
    match serde_json::from_str::<Number>(text) {
        Ok(_) => Value::Number(Number::from_string_unchecked(text.to_owned())),
        // NaN and Infinity are not JSON numbers: Jackson writes them as texts.
        Err(_) => Value::String(text.to_owned()),
    }
}
