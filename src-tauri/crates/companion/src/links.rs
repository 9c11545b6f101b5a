//! Links that add an event to a calendar on the web. Each service has an address of its own making; none of them is
//! asked anything here.

use jiff::Timestamp;

/// What such a link says.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    pub title: &'a str,
    pub details: &'a str,
    pub start: Timestamp,
    pub end: Timestamp,
}

impl Entry<'_> {
    #[must_use]
    pub fn google(&self) -> String {
        let utc = |at: Timestamp| at.strftime("%Y%m%dT%H%M%SZ").to_string();
        let dates = format!("{}/{}", utc(self.start), utc(self.end));
        link(
            "https://calendar.google.com/calendar/render",
            &[("action", "TEMPLATE"), ("text", self.title), ("dates", &dates), ("details", self.details)],
        )
    }

    #[must_use]
    pub fn outlook(&self) -> String {
        let utc = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        link(
            "https://outlook.live.com/calendar/0/deeplink/compose",
            &[
                ("path", "/calendar/action/compose"),
                ("rru", "addevent"),
                ("subject", self.title),
                ("startdt", &utc(self.start)),
                ("enddt", &utc(self.end)),
                ("body", self.details),
            ],
        )
    }
}

fn link(base: &str, query: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    format!("{base}?{}", pairs.join("&"))
}

/// Everything but RFC 3986's unreserved characters. A space is `%20`: Outlook shows a `+` as one.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use url::Url;

    fn read(link: &str) -> (String, BTreeMap<String, String>) {
        let url = Url::parse(link).unwrap();
        assert!(!link.contains(['+', ' ', '\n']), "{link}");
        (format!("{}{}", url.host_str().unwrap(), url.path()), url.query_pairs().into_owned().collect())
    }

    #[test]
    fn what_a_link_says_reads_back_as_it_was() {
        let entry = Entry {
            title: "Couleur & mèches + brushing, 50% #1?",
            details: "Booking ID: b=1\nMerci \u{1f33b}",
            start: "2026-03-29T00:30:00Z".parse().unwrap(),
            end: "2026-03-29T02:00:00Z".parse().unwrap(),
        };
        let (place, google) = read(&entry.google());
        assert_eq!(place, "calendar.google.com/calendar/render");
        assert_eq!(google["action"], "TEMPLATE");
        assert_eq!(google["text"], entry.title);
        assert_eq!(google["details"], entry.details);
        assert_eq!(google["dates"], "20260329T003000Z/20260329T020000Z");

        let (place, outlook) = read(&entry.outlook());
        assert_eq!(place, "outlook.live.com/calendar/0/deeplink/compose");
        assert_eq!(outlook["path"], "/calendar/action/compose");
        assert_eq!(outlook["rru"], "addevent");
        assert_eq!(outlook["subject"], entry.title);
        assert_eq!(outlook["body"], entry.details);
        assert_eq!(outlook["startdt"], "2026-03-29T00:30:00Z");
        assert_eq!(outlook["enddt"], "2026-03-29T02:00:00Z");
    }
}
