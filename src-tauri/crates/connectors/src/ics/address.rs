//! Which addresses a calendar link may lead to. Whoever publishes a calendar, or answers in the publisher's place, must
//! not be able to turn this computer on the network around it: an address in there is asked only when the vendor typed
//! that very host herself. Pure; who a name belongs to is looked up elsewhere and judged by [`reach`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use url::{Host, Url};

/// No link that a publisher hands out is longer.
const LONGEST: usize = 4096;

/// A calendar link as she typed it. [`std::fmt::Debug`] shows the host alone.
#[derive(Clone, PartialEq, Eq)]
pub struct FeedAddress {
    url: Url,
    /// She typed a host of her own network, so that host may be asked, and no other there.
    private: bool,
}

/// Why a link is not used. No text here holds more of a link than its host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("this is no calendar link; one begins with https:// or webcal://")]
    NotALink,
    #[error("this link is longer than any calendar link is")]
    TooLong,
    #[error("a user name or password stands in the link; a calendar link works without")]
    SignInInside,
    #[error("{0} would be asked over plain http, where anybody on the way can read and change the calendar")]
    PlainHttp(String),
    #[error("{0} is no address that a calendar can be read from")]
    Nowhere(String),
    /// Where a redirect leads.
    #[error("it points to {0}, inside a private network, where no calendar link may lead")]
    Private(String),
    #[error("it points from a secure address to an insecure one")]
    Downgrade,
    #[error("it points to something that is no web address")]
    OtherScheme,
}

/// Where an IP address lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    Public,
    /// This computer, or the network around it.
    Private,
    /// Nothing that a calendar could be read from: many hosts at once, none, or a form that hides another address.
    Nowhere,
}

/// Where `address` lies (the registries of RFC 6890).
#[must_use]
pub fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(address) => reach_v4(address),
        IpAddr::V6(address) => reach_v6(address),
    }
}

fn reach_v4(address: Ipv4Addr) -> Reach {
    match address.octets() {
        [10 | 127, ..]
        | [169, 254, ..]
        | [172, 16..=31, ..]
        | [192, 168, ..]
        // Shared between a provider and its customers (RFC 6598).
        | [100, 64..=127, ..] => Reach::Private,
        [0, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18 | 19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        | [224..=255, ..] => Reach::Nowhere,
        _ => Reach::Public,
    }
}

fn reach_v6(address: Ipv6Addr) -> Reach {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] | [0xfc00..=0xfdff, ..] | [0xfe80..=0xfebf, ..] => Reach::Private,
        // NAT64: on a network without IPv4, names of IPv4 hosts resolve to this.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            match reach_v4(Ipv4Addr::new(a, b, c, d)) {
                Reach::Public => Reach::Public,
                Reach::Private | Reach::Nowhere => Reach::Nowhere,
            }
        }
        // Teredo and its neighbours, documentation, and 6to4, which wraps an IPv4 address.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => {
            Reach::Nowhere
        }
        [0x2000..=0x3fff, ..] => Reach::Public,
        _ => Reach::Nowhere,
    }
}

impl FeedAddress {
    /// Reads what she typed or pasted.
    ///
    /// `webcal` is https by another name. To a host of her own network that she names by its address, or to this
    /// computer, plain http is allowed, since nobody else is on the way.
    ///
    /// # Errors
    /// When it is no link, or one that must not be followed.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        if text.len() > LONGEST {
            return Err(AddressError::TooLong);
        }
        let (scheme, rest) = text.split_once("://").ok_or(AddressError::NotALink)?;
        let scheme = scheme.to_ascii_lowercase();
        let asked = match scheme.as_str() {
            "https" | "webcal" | "webcals" => "https",
            "http" => "http",
            _ => return Err(AddressError::NotALink),
        };
        let mut url = Url::parse(&format!("{asked}://{rest}")).map_err(|_| AddressError::NotALink)?;
        url.set_fragment(None);
        let host = url.host().ok_or(AddressError::NotALink)?.to_owned();
        if has_sign_in(&url) {
            return Err(AddressError::SignInInside);
        }
        let private = is_private(&host)?;
        let nobody_between = private && is_near(&host);
        if scheme == "webcal" && nobody_between {
            // The same as https would be refused by everything that serves calendars on a kitchen table.
            url = Url::parse(&format!("http://{rest}")).map_err(|_| AddressError::NotALink)?;
            url.set_fragment(None);
        }
        if url.scheme() == "http" && !nobody_between {
            return Err(AddressError::PlainHttp(host.to_string()));
        }
        Ok(Self { url, private })
    }

    /// What may be shown of it: the host, with its port if that is an unusual one.
    #[must_use]
    pub fn host(&self) -> String {
        shown(&self.url)
    }

    /// The link itself. It is a secret.
    #[must_use]
    pub fn secret(&self) -> &str {
        self.url.as_str()
    }

    /// The same link has the same digest however it was typed.
    #[must_use]
    pub fn digest(&self) -> String {
        digest(&self.url)
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// Whether a request to `url` stays with the private host that she typed.
    pub(super) fn is_hers(&self, url: &Url) -> bool {
        self.private && self.url.host() == url.host()
    }

    /// Where a redirect from `from` leads, if it may be followed.
    pub(super) fn follow(&self, from: &Url, location: &str) -> Result<Url, AddressError> {
        let mut url = from.join(location).map_err(|_| AddressError::OtherScheme)?;
        url.set_fragment(None);
        match (url.scheme(), from.scheme()) {
            ("https", _) => {}
            ("http", "https") => return Err(AddressError::Downgrade),
            ("http", _) if self.is_hers(&url) => {}
            ("http", _) => return Err(AddressError::PlainHttp(shown(&url))),
            _ => return Err(AddressError::OtherScheme),
        }
        if has_sign_in(&url) {
            return Err(AddressError::SignInInside);
        }
        let host = url.host().ok_or(AddressError::OtherScheme)?.to_owned();
        match is_private(&host) {
            Ok(false) => Ok(url),
            Ok(true) if self.is_hers(&url) => Ok(url),
            Ok(true) | Err(_) => Err(AddressError::Private(shown(&url))),
        }
    }
}

impl std::fmt::Debug for FeedAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FeedAddress({})", self.host())
    }
}

pub(super) fn shown(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

pub(super) fn digest(url: &Url) -> String {
    HEXLOWER.encode(&Sha256::digest(url.as_str()))
}

fn has_sign_in(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// Whether the host is one of a private network, by its address or by a name that no public server has.
fn is_private(host: &Host) -> Result<bool, AddressError> {
    let address = match host {
        Host::Ipv4(address) => IpAddr::V4(*address),
        Host::Ipv6(address) => IpAddr::V6(*address),
        Host::Domain(name) => return Ok(is_home_name(name)),
    };
    match reach(address) {
        Reach::Public => Ok(false),
        Reach::Private => Ok(true),
        Reach::Nowhere => Err(AddressError::Nowhere(host.to_string())),
    }
}

fn is_home_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let ends = [".localhost", ".local", ".lan", ".home.arpa", ".internal"];
    !name.contains('.') || ends.iter().any(|end| name.ends_with(end))
}

/// A host that a request reaches without a name that somebody else could answer for.
fn is_near(host: &Host) -> bool {
    match host {
        Host::Ipv4(_) | Host::Ipv6(_) => true,
        Host::Domain(name) => name == "localhost",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> FeedAddress {
        FeedAddress::parse(text).unwrap()
    }

    #[test]
    fn a_link_is_taken_as_publishers_write_it_and_its_forms_are_one() {
        for (text, expected) in [
            ("https://school.example/a.ics?key=1#top", "https://school.example/a.ics?key=1"),
            (" webcal://School.Example/a.ics?key=1\n", "https://school.example/a.ics?key=1"),
            ("WEBCALS://school.example:443/a.ics?key=1", "https://school.example/a.ics?key=1"),
            ("http://127.0.0.1:4000/a.ics", "http://127.0.0.1:4000/a.ics"),
            ("webcal://127.0.0.1:4000/a.ics", "http://127.0.0.1:4000/a.ics"),
            ("webcals://127.0.0.1:4000/a.ics", "https://127.0.0.1:4000/a.ics"),
            ("http://192.168.1.5/a.ics", "http://192.168.1.5/a.ics"),
            ("http://[fd00::5]/a.ics", "http://[fd00::5]/a.ics"),
            ("http://localhost/a.ics", "http://localhost/a.ics"),
            ("webcal://nas.local/a.ics", "https://nas.local/a.ics"),
        ] {
            assert_eq!(typed(text).secret(), expected, "{text}");
        }
        assert_eq!(typed("webcal://a.example/x").digest(), typed("https://A.example/x#y").digest());
        assert_ne!(typed("https://a.example/x").digest(), typed("https://a.example/y").digest());
    }

    #[test]
    fn what_is_no_link_or_a_dangerous_one_is_refused_without_repeating_it() {
        for text in [
            "",
            "calendar.ics",
            "school.example/secret",
            "file:///secret",
            "ftp://school.example/secret",
            "data:text/calendar,secret",
            "https:///",
            "https://",
            "http://school.example/secret",
            "http://8.8.8.8/secret",
            "http://nas.local/secret",
            "https://me:secret@school.example/",
            "https://secret@school.example/",
            "https://0.0.0.0/secret",
            "https://224.0.0.1/secret",
            "https://255.255.255.255/secret",
            "https://[::]/secret",
            "https://[ff02::1]/secret",
            "https://[::ffff:127.0.0.1]/secret",
            "https://[64:ff9b::7f00:1]/secret",
        ] {
            let error = FeedAddress::parse(text).expect_err(text);
            assert!(!error.to_string().contains("secret"), "{text}: {error}");
        }
        let long = format!("https://a.example/{}", "x".repeat(LONGEST));
        assert_eq!(FeedAddress::parse(&long), Err(AddressError::TooLong));
        assert_eq!(format!("{:?}", typed("https://a.example/secret")), "FeedAddress(a.example)");
    }

    #[test]
    fn every_private_or_special_range_is_told_from_the_public_ones() {
        let of = |text: &str| reach(text.parse().unwrap());
        for private in [
            "10.0.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "::1",
            "fc00::1",
            "fdff::1",
            "fe80::1",
            "febf::1",
        ] {
            assert_eq!(of(private), Reach::Private, "{private}");
        }
        for nowhere in [
            "0.0.0.0",
            "0.1.2.3",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "5f00::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert_eq!(of(nowhere), Reach::Nowhere, "{nowhere}");
        }
        for public in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "126.1.1.1",
            "128.0.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.167.1.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "64:ff9b::8.8.8.8",
        ] {
            assert_eq!(of(public), Reach::Public, "{public}");
        }
    }

    #[track_caller]
    fn follows(typed_link: &str, location: &str, expected: Option<&str>) {
        let address = typed(typed_link);
        let led = address.follow(address.url(), location);
        assert_eq!(led.as_ref().ok().map(Url::as_str), expected, "{typed_link} -> {location}: {led:?}");
    }

    #[test]
    fn a_redirect_goes_to_public_https_and_nowhere_else() {
        let school = "https://school.example/a.ics";
        follows(school, "/b.ics#x", Some("https://school.example/b.ics"));
        follows(school, "//cdn.example/b", Some("https://cdn.example/b"));
        follows(school, "https://8.8.8.8/b", Some("https://8.8.8.8/b"));
        for refused in [
            "http://school.example/a.ics",
            "http://cdn.example/",
            "file:///etc/passwd",
            "webcal://school.example/a.ics",
            "data:text/calendar,x",
            "javascript:1",
            "ftp://school.example/",
            "https://me:pw@cdn.example/",
            "https://169.254.169.254/latest",
            "https://127.0.0.1/",
            "https://0x7f.1/",
            "https://2130706433/",
            "https://017700000001/",
            "https://127.0.0.1./",
            "https://10.1.2.3/",
            "https://192.168.0.1/",
            "https://100.64.0.1/",
            "https://0.0.0.0/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:8.8.8.8]/",
            "https://[64:ff9b::a00:1]/",
            "https://[fd00::1]/",
            "https://[fe80::1]/",
            "https://[ff02::1]/",
            "https://localhost/",
            "https://localhost./",
            "https://a.localhost/",
            "https://router/",
            "https://nas.local/",
            "https://nas.local./",
            "https://nas.lan/",
            "https://nas.home.arpa/",
            "https://metadata.google.internal/",
        ] {
            follows(school, refused, None);
        }
    }

    #[test]
    fn a_private_host_that_she_typed_may_be_asked_and_no_other() {
        let nas = "http://192.168.1.5/a.ics";
        follows(nas, "/b.ics", Some("http://192.168.1.5/b.ics"));
        follows(nas, "https://192.168.1.5/b.ics", Some("https://192.168.1.5/b.ics"));
        follows(nas, "https://school.example/", Some("https://school.example/"));
        for refused in
            ["http://192.168.1.1/", "https://192.168.1.1/", "http://127.0.0.1/", "http://school.example/"]
        {
            follows(nas, refused, None);
        }
        follows("https://192.168.1.5/a.ics", "http://192.168.1.5/a.ics", None);
        follows("https://nas.local/a.ics", "https://nas.local/b.ics", Some("https://nas.local/b.ics"));
        follows("https://nas.local/a.ics", "https://other.local/", None);
    }
}
