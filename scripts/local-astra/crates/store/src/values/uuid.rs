//! UUIDs as Java's `UUID.fromString` parses them.

use uuid::Uuid;

/// Parses five groups of hexadecimal digits. Leading zeros can be omitted; extra leading digits are dropped.
pub fn read(text: &str) -> Option<Uuid> {
    if text.len() > 36 {
        return None;
    }
    let mut groups = text.split('-');
    let mut whole: u128 = 0;
    for bits in [32, 16, 16, 16, 48] {
        let group = groups.next()?;
        if group.is_empty() || !group.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let value = u64::from_str_radix(group, 16).ok()?;
        whole = whole << bits | u128::from(value) & ((1 << bits) - 1);
    }
    groups.next().is_none().then_some(Uuid::from_u128(whole))
}
