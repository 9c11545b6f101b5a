//! Where an account may be looked for, and to which addresses its password may go. A server's word alone sends it
//! nowhere: neither over plain http nor to a host that has nothing to do with the one she named. Pure.

use url::{Host, Url};

/// No address that a person types is longer.
const LONGEST: usize = 2048;

/// Providers that spread their accounts over many hosts of one domain.
const FAMILIES: [&str; 2] = ["icloud.com", "fastmail.com"];

/// Services whose address nobody need know.
const PRESETS: [(&str, &str); 2] =
    [("icloud", "https://caldav.icloud.com/"), ("fastmail", "https://caldav.fastmail.com/")];

/// The address that she named, and what it allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    url: Url,
    plain_http: bool,
    /// She gave a mail address, which says a domain and no server.
    of_mail: bool,
}

/// Why an address is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("this is no address of a calendar server; one begins with https://")]
    NotAnAddress,
    #[error("a user name or password stands in the address; they are given apart from it")]
    SignInInside,
    #[error("{0} would be sent the password over plain http, where anybody on the way can read it")]
    PlainHttp(String),
    #[error("it points to {0}, where the password does not go")]
    Elsewhere(String),
}

impl Entry {
    /// Reads what she typed: an address, a host alone, her mail address, or the name of a service.
    ///
    /// # Errors
    /// When it is no address, or plain http that `plain_http` does not allow. This computer is no exception: other
    /// people's programs listen there too.
    pub fn parse(text: &str, plain_http: bool) -> Result<Self, AddressError> {
        let text = text.trim();
        if text.is_empty() || text.len() > LONGEST {
            return Err(AddressError::NotAnAddress);
        }
        let known = PRESETS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        let domain = domain_of_mail(text);
        let typed = match (known, domain, text.contains("://")) {
            (Some((_, url)), _, _) => (*url).to_owned(),
            (None, Some(domain), _) => format!("https://{domain}"),
            (None, None, true) => text.to_owned(),
            (None, None, false) => format!("https://{text}"),
        };
        let mut url = Url::parse(&typed).map_err(|_| AddressError::NotAnAddress)?;
        url.set_fragment(None);
        url.set_query(None);
        let host = shown(&url);
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressError::SignInInside);
        }
        match (url.scheme(), url.host().is_some()) {
            ("https", true) => {}
            ("http", true) if plain_http => {}
            ("http", true) => return Err(AddressError::PlainHttp(host)),
            _ => return Err(AddressError::NotAnAddress),
        }
        Ok(Self { url, plain_http, of_mail: domain.is_some() })
    }

    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The same choice, at an address that was found to be admitted.
    pub(super) fn at(&self, url: Url) -> Self {
        Self { url, ..self.clone() }
    }

    /// The domain to ask names about, where no server is named by what she typed (RFC 6764 §6).
    pub(super) fn domain(&self) -> Option<&str> {
        let bare = self.url.scheme() == "https" && self.url.port().is_none() && self.url.path() == "/";
        match self.url.host() {
            Some(Host::Domain(name)) if bare && name.contains('.') => Some(name),
            Some(Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_)) | None => None,
        }
    }

    /// Whether names are to be asked before anything is sent to the domain itself: nobody said that it has a server.
    pub(super) fn is_of_mail(&self) -> bool {
        self.of_mail
    }

    /// What may be shown of it: the host, with its port if that is an unusual one.
    #[must_use]
    pub fn host(&self) -> String {
        shown(&self.url)
    }

    /// Whether her password may go to `url`: to the host that she named, a host under it, or another of the same
    /// provider; and never over a worse way than `from` came by.
    ///
    /// # Errors
    /// [`AddressError`] with the reason, otherwise.
    pub fn admits(&self, url: &Url, from: &Url) -> Result<(), AddressError> {
        match (url.scheme(), from.scheme()) {
            ("https", _) => {}
            ("http", "http") if self.plain_http => {}
            ("http", _) => return Err(AddressError::PlainHttp(shown(url))),
            _ => return Err(AddressError::Elsewhere(shown(url))),
        }
        if !url.username().is_empty() || url.password().is_some() || !self.is_akin(url) {
            return Err(AddressError::Elsewhere(shown(url)));
        }
        Ok(())
    }

    fn is_akin(&self, url: &Url) -> bool {
        match (self.url.host(), url.host()) {
            (Some(Host::Domain(hers)), Some(Host::Domain(other))) => {
                let family = |name: &str| FAMILIES.iter().find(|family| is_under(name, family));
                let bare = hers.strip_prefix("www.").unwrap_or(hers);
                is_under(other, bare) || (family(hers).is_some() && family(hers) == family(other))
            }
            (hers, other) => hers == other,
        }
    }
}

/// What stands behind the `@` of a mail address.
fn domain_of_mail(text: &str) -> Option<&str> {
    let (name, domain) = text.split_once('@')?;
    let is_plain = |part: &str| !part.is_empty() && !part.contains(['/', ':', '@', '?', '#', ' ']);
    (is_plain(name) && is_plain(domain) && domain.contains('.')).then_some(domain)
}

/// Whether `name` is `domain` or lies under it.
fn is_under(name: &str, domain: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name == domain || name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

pub(super) fn shown(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &str) -> Entry {
        Entry::parse(text, text.starts_with("http://")).unwrap()
    }

    #[track_caller]
    fn admitted(entry: &Entry, url: &str, expected: bool) {
        let url = Url::parse(url).unwrap();
        assert_eq!(entry.admits(&url, entry.url()).is_ok(), expected, "{} from {}", url, entry.url());
    }

    #[test]
    fn an_address_is_typed_in_many_ways() {
        assert_eq!(entry("icloud").url().as_str(), "https://caldav.icloud.com/");
        assert_eq!(entry(" Fastmail ").url().as_str(), "https://caldav.fastmail.com/");
        assert_eq!(entry("cloud.example.org/dav").url().as_str(), "https://cloud.example.org/dav");
        assert_eq!(entry("https://example.org:8443/x?y#z").url().as_str(), "https://example.org:8443/x");
        assert_eq!(entry("https://example.org:8443/x").host(), "example.org:8443");
        assert_eq!(entry("anna@example.org").url().as_str(), "https://example.org/");
        for nonsense in ["", "  ", "ftp://example.org", "https://", "file:///etc/passwd"] {
            assert_eq!(Entry::parse(nonsense, true), Err(AddressError::NotAnAddress), "{nonsense}");
        }
        assert_eq!(Entry::parse("https://a:b@example.org", true), Err(AddressError::SignInInside));
    }

    #[test]
    fn names_are_asked_about_a_domain_and_about_no_server() {
        for (typed, domain, of_mail) in [
            ("example.org", Some("example.org"), false),
            ("https://example.org/", Some("example.org"), false),
            ("anna@example.org", Some("example.org"), true),
            ("https://example.org/dav", None, false),
            ("https://example.org:8443/", None, false),
            ("https://192.0.2.1/", None, false),
            ("http://example.org/", None, false),
            ("https://localhost/", None, false),
        ] {
            assert_eq!((entry(typed).domain(), entry(typed).is_of_mail()), (domain, of_mail), "{typed}");
        }
    }

    #[test]
    fn plain_http_is_refused_unless_she_allows_it_and_this_computer_is_no_exception() {
        for url in ["http://example.org/", "http://127.0.0.1:5232/", "http://localhost/"] {
            assert!(matches!(Entry::parse(url, false), Err(AddressError::PlainHttp(_))), "{url}");
            assert!(Entry::parse(url, true).is_ok(), "{url}");
        }
    }

    #[test]
    fn a_password_follows_to_the_same_host_to_hosts_under_it_and_to_the_provider_s_own() {
        let own = entry("https://www.example.org/");
        admitted(&own, "https://www.example.org/dav/", true);
        admitted(&own, "https://www.example.org:8443/dav/", true);
        admitted(&own, "https://caldav.example.org/", true);
        admitted(&own, "https://example.org/", true);
        admitted(&own, "https://badexample.org/", false);
        admitted(&own, "https://example.org.evil.net/", false);
        admitted(&own, "https://org/", false);
        admitted(&own, "https://a:b@example.org/", false);
        let apple = entry("icloud");
        admitted(&apple, "https://p07-caldav.icloud.com:443/1234/calendars/", true);
        admitted(&apple, "https://p07-caldav.icloud.com.evil.net/", false);
        admitted(&apple, "https://caldav.fastmail.com/", false);
        let sibling = entry("https://a.example.co.uk/");
        admitted(&sibling, "https://b.example.co.uk/", false);
        let number = entry("https://192.0.2.1/");
        admitted(&number, "https://192.0.2.1/x", true);
        admitted(&number, "https://192.0.2.2/x", false);
    }

    #[test]
    fn a_password_never_goes_from_https_to_http_whatever_is_allowed() {
        let secure = Entry::parse("https://example.org/", true).unwrap();
        admitted(&secure, "http://example.org/", false);
        let plain = entry("http://example.org/");
        admitted(&plain, "http://example.org/dav/", true);
        admitted(&plain, "https://example.org/dav/", true);
        admitted(&plain, "http://evil.net/dav/", false);
        admitted(&plain, "ftp://example.org/", false);
    }
}
