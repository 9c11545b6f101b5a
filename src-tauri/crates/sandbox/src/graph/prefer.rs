//! The `Prefer` header, which may come once with several wishes or several times with one.

use axum::http::HeaderMap;

use super::moment::GraphZone;
use super::refusal::Refusal;

/// What the caller would rather have.
#[derive(Clone, Debug)]
pub struct Prefer {
    pub immutable_ids: bool,
    pub zone: GraphZone,
    pub page_size: Option<usize>,
    pub text_bodies: bool,
    /// The wishes that are granted, as they were spelled.
    pub applied: Vec<String>,
}

impl Prefer {
    /// # Errors
    /// When the zone is not one that Graph knows.
    pub fn read(headers: &HeaderMap) -> Result<Self, Refusal> {
        let mut prefer = Self {
            immutable_ids: false,
            zone: GraphZone::utc(),
            page_size: None,
            text_bodies: false,
            applied: Vec::new(),
        };
        let wishes = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok()).flat_map(split);
        for wish in wishes {
            let (name, value) = wish.split_once('=').unwrap_or((&wish, ""));
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "idtype" if value == "ImmutableId" => prefer.immutable_ids = true,
                "outlook.timezone" => {
                    prefer.zone = GraphZone::named(value).ok_or_else(|| {
                        Refusal::new(400, "TimeZoneNotSupportedException", "A valid TimeZone value must be specified. The following TimeZone value is not supported: ".to_owned() + value)
                    })?;
                }
                "odata.maxpagesize" => match value.parse() {
                    Ok(size) if size > 0 => prefer.page_size = Some(size),
                    Ok(_) | Err(_) => continue,
                },
                "outlook.body-content-type" if value.eq_ignore_ascii_case("text") => {
                    prefer.text_bodies = true
                }
                _ => continue,
            }
            prefer.applied.push(wish.clone());
        }
        Ok(prefer)
    }
}

/// At commas outside quotes.
fn split(header: &str) -> Vec<String> {
    let (mut wishes, mut quoted) = (vec![String::new()], false);
    for letter in header.chars() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => {
                wishes.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(wish) = wishes.last_mut() {
            wish.push(letter);
        }
    }
    wishes.into_iter().map(|wish| wish.trim().to_owned()).filter(|wish| !wish.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_may_come_together_or_apart_and_in_any_case() {
        let mut headers = HeaderMap::new();
        headers.append(
            "prefer",
            "odata.maxpagesize=7, outlook.timezone=\"Eastern Standard Time\"".parse().unwrap(),
        );
        headers.append("prefer", "IdType=\"ImmutableId\"".parse().unwrap());
        headers.append("prefer", "odata.track-changes".parse().unwrap());
        let prefer = Prefer::read(&headers).unwrap();
        assert_eq!((prefer.page_size, prefer.immutable_ids), (Some(7), true));
        assert_eq!(prefer.zone.name(), "Eastern Standard Time");
        assert_eq!(prefer.applied.len(), 3);
        headers.append("prefer", "outlook.timezone=\"America/Toronto\"".parse().unwrap());
        assert!(Prefer::read(&headers).is_err(), "not among the names that Graph documents");
    }
}
