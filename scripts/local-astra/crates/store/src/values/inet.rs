//! Internet addresses as Java's `InetAddress` reads and writes them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc;
use std::time::Duration;

use tokio::runtime::{Handle, RuntimeFlavor};

const LOOKUP_LIMIT: Duration = Duration::from_secs(3);

/// Parses an address, or resolves a host name: Java resolves names, and therefore Stargate does.
pub fn read(text: &str) -> Option<IpAddr> {
    if text.is_empty() {
        return Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
    if let Some(v6) = read_v6(bare.unwrap_or(text)) {
        return Some(v6);
    }
    if text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return read_v4(text).map(IpAddr::V4);
    }
    if bare.is_some() || text.contains([':', '%']) || is_ambiguous(text) {
        return None;
    }
    look_up(text)
}

/// Parses an IPv6 address with an optional zone, which is dropped: a number, or an interface that the system knows, as in
/// Java. Java treats an IPv4-mapped address as IPv4, without a zone.
fn read_v6(text: &str) -> Option<IpAddr> {
    let (address, zone) = match text.split_once('%') {
        Some((address, zone)) => (address, Some(zone)),
        None => (text, None),
    };
    let address = address.parse::<Ipv6Addr>().ok()?.to_canonical();
    match zone {
        None => Some(address),
        Some("") => None,
        Some(_) if address.is_ipv4() => None,
        Some(zone) if zone.bytes().all(|b| b.is_ascii_digit()) => {
            zone.parse::<i32>().is_ok().then_some(address)
        }
        Some(_) => look_up(text).filter(|found| *found == address),
    }
}

/// Returns true for a text that C accepts as an address, for example with hexadecimal parts, and Java rejects.
fn is_ambiguous(text: &str) -> bool {
    let is_number = |part: &str| match part.strip_prefix("0x").or(part.strip_prefix("0X")) {
        Some(digits) => digits.bytes().all(|b| b.is_ascii_hexdigit()),
        None => !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()),
    };
    text.split('.').all(is_number)
}

/// Parses one to four numbers. The last one fills the remaining bytes, so `1.2` is `1.0.0.2`.
fn read_v4(text: &str) -> Option<Ipv4Addr> {
    let parts: Vec<u32> = text
        .split('.')
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    let (last, front) = parts.split_last()?;
    let free = 32_u32.checked_sub(8 * u32::try_from(front.len()).ok()?)?;
    if free == 0 || front.iter().any(|part| *part > 255) || u64::from(*last) >> free != 0 {
        return None;
    }
    let shifts = [24, 16, 8];
    let front = front
        .iter()
        .zip(shifts)
        .map(|(part, shift)| part << shift)
        .sum::<u32>();
    Some(Ipv4Addr::from(front | last))
}

/// Resolves a host name with the system's resolver, within [`LOOKUP_LIMIT`].
fn look_up(host: &str) -> Option<IpAddr> {
    let (sender, receiver) = mpsc::channel();
    let host = host.to_owned();
    std::thread::spawn(move || {
        let found = (host.as_str(), 0).to_socket_addrs();
        // As Java does: prefer IPv4 if the host has both.
        let first = found
            .ok()
            .and_then(|found| found.min_by_key(SocketAddr::is_ipv6));
        // Fails if the limit has passed and the receiver is gone.
        let _ = sender.send(first);
    });
    let wait = move || receiver.recv_timeout(LOOKUP_LIMIT).ok().flatten();
    let found = match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(wait),
        _ => wait(),
    };
    found.map(|address| address.ip().to_canonical())
}

/// Formats an address: dotted for IPv4, all eight groups for IPv6.
pub fn text(address: &IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let groups: Vec<String> = v6.segments().iter().map(|s| format!("{s:x}")).collect();
            groups.join(":")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_a_number_or_an_interface() {
        let loopback = if cfg!(target_os = "macos") {
            "lo0"
        } else {
            "lo"
        };
        let address = "fe80::1".parse::<IpAddr>().unwrap();
        for zone in ["0", "1", "2147483647", loopback] {
            assert_eq!(read(&format!("fe80::1%{zone}")), Some(address), "{zone}");
        }
        assert_eq!(read(&format!("[fe80::1%{loopback}]")), Some(address));
        for zone in ["", "2147483648", "-1", "1x", "no-such-interface"] {
            assert_eq!(read(&format!("fe80::1%{zone}")), None, "{zone}");
        }
        assert_eq!(read(&format!("::ffff:1.2.3.4%{loopback}")), None);
        assert_eq!(read(&format!("1.2.3.4%{loopback}")), None);
    }
}
