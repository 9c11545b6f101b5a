//! What the domain name system says of where a domain's calendars are (RFC 6764 §3 and §4): at which host, at which port,
//! under which path. It says so unsigned, so what may follow from it is decided elsewhere.

use std::time::Duration;

use async_trait::async_trait;
use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::{RData, RecordType};
use url::Url;

/// A computer that cannot ask names does without.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks for a domain's calendars.
#[async_trait]
pub trait Names: Send + Sync {
    /// Where they are said to be, the first choice first; nothing where nobody says.
    async fn calendars_of(&self, domain: &str) -> Vec<Url>;
}

/// Nobody to ask.
pub struct NoNames;

#[async_trait]
impl Names for NoNames {
    async fn calendars_of(&self, _: &str) -> Vec<Url> {
        Vec::new()
    }
}

/// The name servers that this computer asks.
pub struct SystemNames;

#[async_trait]
impl Names for SystemNames {
    async fn calendars_of(&self, domain: &str) -> Vec<Url> {
        match TokioResolver::builder_tokio().and_then(|builder| builder.build()) {
            Ok(resolver) => Resolved(resolver).calendars_of(domain).await,
            Err(_) => Vec::new(),
        }
    }
}

/// These name servers.
pub struct Resolved(pub TokioResolver);

#[async_trait]
impl Names for Resolved {
    async fn calendars_of(&self, domain: &str) -> Vec<Url> {
        tokio::time::timeout(PATIENCE, self.told(domain)).await.unwrap_or_default()
    }
}

/// The service over TLS; the one without is asked for by nobody who cares for her password.
const SERVICE: &str = "_caldavs._tcp";
/// More places than a domain has.
const MANY: usize = 8;

impl Resolved {
    async fn told(&self, domain: &str) -> Vec<Url> {
        // With the dot at its end it is whole, and no search list of the computer's is tried.
        let name = format!("{SERVICE}.{}.", domain.trim_end_matches('.'));
        let Ok(found) = self.0.lookup(name.as_str(), RecordType::SRV).await else { return Vec::new() };
        let mut places = Vec::new();
        for record in found.answers() {
            if let RData::SRV(place) = &record.data {
                places.push(Place {
                    priority: place.priority,
                    weight: place.weight,
                    host: place.target.to_ascii(),
                    port: place.port,
                });
            }
        }
        if places.is_empty() {
            return Vec::new();
        }
        let mut path = None;
        if let Ok(found) = self.0.lookup(name.as_str(), RecordType::TXT).await {
            for record in found.answers() {
                if let RData::TXT(text) = &record.data {
                    path = path.or_else(|| self::path(text.txt_data.iter().map(AsRef::as_ref)));
                }
            }
        }
        urls(places, path.as_deref())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    priority: u16,
    weight: u16,
    host: String,
    port: u16,
}

/// The lowest priority first. Among equals the heaviest: dice would spread the load, and one account is none.
fn urls(mut places: Vec<Place>, path: Option<&str>) -> Vec<Url> {
    places.sort_by(|a, b| (a.priority, b.weight, &a.host).cmp(&(b.priority, a.weight, &b.host)));
    let url = |place: Place| {
        // A dot alone says that there is no such service here (RFC 2782).
        let host = place.host.strip_suffix('.').unwrap_or(&place.host).to_owned();
        let mut url = Url::parse(&format!("https://{host}")).ok().filter(|_| !host.is_empty())?;
        url.set_port(Some(place.port)).ok()?;
        url.set_path(path.unwrap_or("/.well-known/caldav"));
        Some(url)
    };
    places.into_iter().take(MANY).filter_map(url).collect()
}

/// RFC 6764 §4: `path=/…`.
fn path<'a>(strings: impl Iterator<Item = &'a [u8]>) -> Option<String> {
    let mut strings = strings.filter_map(|text| std::str::from_utf8(text).ok());
    strings
        .find_map(|text| text.strip_prefix("path="))
        .filter(|path| path.starts_with('/'))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(priority: u16, weight: u16, host: &str, port: u16) -> Place {
        Place { priority, weight, host: host.to_owned(), port }
    }

    #[test]
    fn the_first_choice_of_a_domain_comes_first_and_a_dot_is_no_choice() {
        let told = |places: &[Place], path| {
            urls(places.to_vec(), path).iter().map(Url::to_string).collect::<Vec<_>>()
        };
        let places = [
            place(20, 0, "c.example.", 443),
            place(10, 1, "b.example.", 443),
            place(10, 9, "a.example.", 8443),
        ];
        assert_eq!(
            told(&places, Some("/dav/")),
            ["https://a.example:8443/dav/", "https://b.example/dav/", "https://c.example/dav/"]
        );
        assert_eq!(told(&places[2..], None), ["https://a.example:8443/.well-known/caldav"]);
        assert!(told(&[place(0, 0, ".", 0)], None).is_empty());
    }

    #[test]
    fn a_path_is_taken_from_where_it_is_said_and_nothing_else_is_one() {
        let said = |texts: &[&str]| path(texts.iter().map(|text| text.as_bytes()));
        assert_eq!(said(&["txtvers=1", "path=/remote.php/dav"]).as_deref(), Some("/remote.php/dav"));
        for nothing in [&["path=elsewhere"][..], &["paths=/x"], &[], &["path=//"][..0]] {
            assert_eq!(said(nothing), None);
        }
        assert_eq!(path([&[0xff_u8, 0xfe][..]].into_iter()), None);
    }
}
