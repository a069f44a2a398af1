//! Addresses that a receiver's url may not lead to, unless it is allowed: those of this machine and of networks that are not
//! public. A url that somebody else chose, or a name that somebody else answers for, must not reach what is only inside.
//!
//! The address itself is judged, after the name was looked up and before anything is sent to it; redirects are never
//! followed. Where the environment names a proxy, it looks names up, and only addresses written in the url are judged.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Looks names up and keeps those of the receiver from private addresses.
#[derive(Debug)]
pub(crate) struct PublicOnly {
    /// The host of the receiver's url; any other name that is asked for is a proxy's.
    pub(crate) host: String,
}

/// A name that leads inside.
#[derive(Debug)]
struct IsPrivate {
    host: String,
    address: IpAddr,
}

impl fmt::Display for IsPrivate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, address } = self;
        write!(
            f,
            "{host} is {address}, a private address; if it is meant to be, set allow_private = true"
        )
    }
}

impl std::error::Error for IsPrivate {}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let guarded = name.as_str().eq_ignore_ascii_case(&self.host);
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Vec<SocketAddr> = found.collect();
            // One that is private makes the answer suspect as a whole.
            if guarded && let Some(private) = found.iter().find(|found| is_private(found.ip())) {
                let (host, address) = (name.as_str().to_owned(), private.ip());
                return Err(IsPrivate { host, address }.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// What is wrong with an address that stands in the url itself, for which no name is looked up.
pub(crate) fn trouble_with(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse().ok().filter(|found| is_private(*found))?;
    let host = host.to_owned();
    Some(IsPrivate { host, address }.to_string())
}

/// Whether it is of this machine, of a private network, or of none that a packet finds its way to.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => is_private_v6(address),
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || a == 0
        || a >= 240
        // Carriers' own (RFC 6598), protocol assignments (RFC 6890), benchmarks (RFC 2544).
        || (a == 100 && (64..128).contains(&b))
        || (a, b, c) == (192, 0, 0)
        || (a == 198 && (18..20).contains(&b))
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    let [first, second, third, fourth, fifth, sixth, high, low] = address.segments();
    let inner = || {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_private_v4(Ipv4Addr::new(a, b, c, d))
    };
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_private_v4(mapped);
    }
    let leading_zeros = [first, second, third, fourth, fifth, sixth] == [0; 6];
    let is_translated = [first, second, third, fourth, fifth, sixth] == [0x64, 0xff9b, 0, 0, 0, 0];
    leading_zeros
        || (is_translated && inner())
        || address.is_multicast()
        // Unique local (fc00::/7), link local (fe80::/10), site local (fec0::/10).
        || first & 0xfe00 == 0xfc00
        || first & 0xff80 == 0xfe80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inside_is_known() {
        for (address, expected) in [
            ("127.0.0.1", true),
            ("127.255.0.1", true),
            ("10.1.2.3", true),
            ("172.16.0.1", true),
            ("172.32.0.1", false),
            ("192.168.1.1", true),
            ("169.254.169.254", true),
            ("100.64.0.1", true),
            ("100.128.0.1", false),
            ("0.0.0.0", true),
            ("198.18.0.1", true),
            ("224.0.0.1", true),
            ("255.255.255.255", true),
            ("8.8.8.8", false),
            ("::1", true),
            ("::", true),
            ("fd00::1", true),
            ("fe80::1", true),
            ("fec0::1", true),
            ("ff02::1", true),
            ("::ffff:10.0.0.1", true),
            ("::ffff:8.8.8.8", false),
            ("64:ff9b::10.0.0.1", true),
            ("64:ff9b::8.8.8.8", false),
            ("2606:4700::1", false),
        ] {
            assert_eq!(is_private(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn an_address_in_the_url_is_judged_without_a_look_up() {
        for (url, inside) in [
            ("http://127.0.0.1:80/x", Some("127.0.0.1 is 127.0.0.1")),
            ("http://[fd00::1]/", Some("[fd00::1] is fd00::1")),
            // The URL standard reads this as 127.0.0.1.
            ("http://0x7f000001/", Some("127.0.0.1 is 127.0.0.1")),
            // A name is judged once it is looked up.
            ("http://localhost/", None),
            ("https://hooks.example.com/", None),
            ("https://8.8.8.8/", None),
        ] {
            let expected = inside.map(|inside| {
                format!(
                    "{inside}, a private address; if it is meant to be, set allow_private = true"
                )
            });
            assert_eq!(trouble_with(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }
}
