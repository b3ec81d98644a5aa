//! Which addresses a guest's request may go to.
//!
//! Only what lies in the open internet: whatever leads to this machine, its networks or its provider's metadata is
//! refused, in every spelling that carries an IPv4 address inside an IPv6 one. The operator can make exceptions.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use url::{Host, Url};

/// Networks of IPv4 that are not the open internet, with the word for them.
const V4: &[(Ipv4Net, &str)] = &[
    (v4(0, 0, 0, 0, 8), "unspecified"),
    (v4(10, 0, 0, 0, 8), "private"),
    (v4(100, 64, 0, 0, 10), "shared with a provider's other customers"),
    (v4(127, 0, 0, 0, 8), "loopback"),
    (v4(169, 254, 0, 0, 16), "link-local"),
    (v4(172, 16, 0, 0, 12), "private"),
    (v4(192, 0, 0, 0, 24), "reserved"),
    (v4(192, 0, 2, 0, 24), "for documentation"),
    (v4(192, 88, 99, 0, 24), "reserved"),
    (v4(192, 168, 0, 0, 16), "private"),
    (v4(198, 18, 0, 0, 15), "for benchmarks"),
    (v4(198, 51, 100, 0, 24), "for documentation"),
    (v4(203, 0, 113, 0, 24), "for documentation"),
    (v4(224, 0, 0, 0, 4), "multicast"),
    (v4(240, 0, 0, 0, 4), "reserved"),
];

/// The same of IPv6. What is not within 2000::/3 is refused in any case; these have a word of their own.
const V6: &[(Ipv6Net, &str)] = &[
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 128), "unspecified"),
    (v6([0, 0, 0, 0, 0, 0, 0, 1], 128), "loopback"),
    // A network's own translation prefix may lead to its private addresses, whatever the last 32 bits say.
    (v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48), "translated within a network"),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), "reserved"),
    (v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), "for documentation"),
    (v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), "for documentation"),
    (v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), "private"),
    (v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), "link-local"),
    (v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10), "site-local"),
    (v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), "multicast"),
];

/// Where providers answer their own machines with credentials. Some lie in networks that are open otherwise.
const METADATA: &[IpAddr] = &[
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
];

const METADATA_WORD: &str = "where a provider keeps its machines' credentials";

const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

const fn v6(s: [u16; 8], bits: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]), bits)
}

/// Why an address may not be connected to: what it is, as it goes on after "the address … is".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prohibited(pub &'static str);

/// Addresses that the operator lets handlers connect to although they lie within.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exception {
    net: IpNet,
    /// One port; none is every port.
    port: Option<u16>,
}

/// An exception that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no address: expected an address or a network, and a port where only that one is meant: \
     \"127.0.0.1:9000\", \"10.1.0.0/16\", \"[::1]:9000\" or \"fd00:1::/64\""
)]
pub struct ExceptionError(String);

impl FromStr for Exception {
    type Err = ExceptionError;

    fn from_str(text: &str) -> Result<Self, ExceptionError> {
        let wrong = || ExceptionError(text.to_owned());
        if let Ok(net) = text.parse::<IpNet>() {
            return Ok(Self { net: net.trunc(), port: None });
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self { net: address.into(), port: None });
        }
        let (net, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse::<u16>().ok().filter(|port| *port != 0).ok_or_else(wrong)?;
        let (net, bracketed) = match net.strip_prefix('[').and_then(|net| net.strip_suffix(']')) {
            Some(inner) => (inner, true),
            None => (net, false),
        };
        let net: IpNet =
            net.parse().or_else(|_| net.parse::<IpAddr>().map(IpNet::from)).map_err(|_| wrong())?;
        // Without brackets the last group of an IPv6 address would be taken for a port.
        if bracketed != matches!(net, IpNet::V6(_)) {
            return Err(wrong());
        }
        Ok(Self { net: net.trunc(), port: Some(port) })
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.port, self.net) {
            (None, net) => net.fmt(f),
            (Some(port), IpNet::V4(net)) => write!(f, "{net}:{port}"),
            (Some(port), IpNet::V6(net)) => write!(f, "[{net}]:{port}"),
        }
    }
}

impl Exception {
    fn covers(&self, address: SocketAddr) -> bool {
        let one = self.net.prefix_len() == self.net.max_prefix_len();
        self.net.contains(&address.ip())
            && self.port.is_none_or(|port| port == address.port())
            // A network that is allowed does not hand out the machine's credentials; that has to be meant.
            && (one || !METADATA.contains(&address.ip()))
    }
}

/// Whether a guest may be connected to `address`.
///
/// # Errors
/// [`Prohibited`], with the word for where it leads.
pub fn check(address: SocketAddr, exceptions: &[Exception]) -> Result<(), Prohibited> {
    match found(address.ip()) {
        Some(_) if exceptions.iter().any(|exception| exception.covers(plain(address))) => Ok(()),
        Some(word) => Err(Prohibited(word)),
        None => Ok(()),
    }
}

/// Whether everybody reaches what has this scheme and authority (`http://host:port`): its host is an address of the open
/// internet, or a name other than this machine's own.
#[must_use]
pub fn is_in_the_open(origin: &str) -> bool {
    match Url::parse(origin).ok().as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name != "localhost" && !name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => found(address.into()).is_none(),
        Some(Host::Ipv6(address)) => found(address.into()).is_none(),
        None => false,
    }
}

/// Whether the operator named `address`.
#[must_use]
pub fn is_excepted(address: SocketAddr, exceptions: &[Exception]) -> bool {
    exceptions.iter().any(|exception| exception.covers(plain(address)))
}

/// An IPv4 address in IPv6's clothes as itself: the kernel connects to the same.
fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// What an address is, if it is not of the open internet.
fn found(address: IpAddr) -> Option<&'static str> {
    if METADATA.contains(&address) {
        return Some(METADATA_WORD);
    }
    match address {
        IpAddr::V4(address) => V4.iter().find(|(net, _)| net.contains(&address)).map(|(_, word)| *word),
        IpAddr::V6(address) => found_v6(address),
    }
}

fn found_v6(address: Ipv6Addr) -> Option<&'static str> {
    if let Some((_, word)) = V6.iter().find(|(net, _)| net.contains(&address)) {
        return Some(word);
    }
    let s = address.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match s {
        // Mapped, and through the well-known translator: as open as the address inside.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => found(v4(high, low)),
        // 6to4 has it in front.
        [0x2002, high, low, ..] => found(v4(high, low)),
        // Spellings of old that lead nowhere today.
        [0, 0, 0, 0, 0, 0, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] => {
            Some(found(v4(high, low)).unwrap_or("reserved"))
        }
        // A tunnel within a site, in whatever network.
        [.., 0 | 0x200, 0x5efe, high, low] if found(v4(high, low)).is_some() => found(v4(high, low)),
        [first, ..] if first & 0xe000 == 0x2000 => None,
        _ => Some("reserved"),
    }
}
