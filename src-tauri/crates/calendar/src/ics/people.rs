//! Who a file is from and for: the organizer and the attendee of RFC 5546. They are written and never read back, so no
//! address of a customer can end up in an event.

use super::Method;

/// The people of every event in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People {
    pub organizer: Option<Person>,
    pub attendee: Option<Person>,
}

/// Somebody with an address that mail can go to.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    name: String,
    address: String,
}

/// The longest address there is (RFC 5321 §4.5.3.1).
const MAX_ADDRESS: usize = 254;

impl Person {
    /// Nothing where `address` is none: what is not plainly an address would make the whole file unreadable.
    #[must_use]
    pub fn new(name: &str, address: &str) -> Option<Self> {
        let address = address.trim();
        let (local, host) = address.rsplit_once('@')?;
        let odd = |c: char| c.is_whitespace() || c.is_control() || "<>()[]\\,;:\"@".contains(c);
        let fits = address.len() <= MAX_ADDRESS && !local.is_empty() && !host.is_empty();
        (fits && !address.replacen('@', "", 1).contains(odd)).then(|| Self {
            name: name.split_whitespace().collect::<Vec<_>>().join(" "),
            address: address.to_owned(),
        })
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// `;CN=…` in quotes where it needs them; a quote itself cannot stand in a parameter (RFC 5545 §3.2).
    fn common_name(&self) -> String {
        let name: String =
            self.name.chars().filter(|c| !c.is_control()).collect::<String>().replace('"', "'");
        match name.as_str() {
            "" => String::new(),
            name if name.contains([':', ';', ',']) => format!(";CN=\"{name}\""),
            name => format!(";CN={name}"),
        }
    }

    /// A mailto URI: what a URI gives a meaning of its own is encoded (RFC 6068 §2).
    fn mailto(&self) -> String {
        let encoded: String = self
            .address
            .chars()
            .map(|c| match c {
                '%' | '?' | '#' | '/' | '&' | '`' | '{' | '}' | '|' | '^' => format!("%{:02X}", u32::from(c)),
                c => c.to_string(),
            })
            .collect();
        format!("mailto:{encoded}")
    }
}

/// An address is nothing for a log.
impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Person")
    }
}

impl People {
    /// The content lines, unfolded. Only a request asks for an answer.
    pub(super) fn lines(&self, method: Option<Method>) -> Vec<String> {
        let organizer = self
            .organizer
            .as_ref()
            .map(|person| format!("ORGANIZER{}:{}", person.common_name(), person.mailto()));
        let asks = if method == Some(Method::Request) { ";PARTSTAT=NEEDS-ACTION;RSVP=TRUE" } else { "" };
        let attendee = self.attendee.as_ref().map(|person| {
            let (name, mailto) = (person.common_name(), person.mailto());
            format!("ATTENDEE{name};CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT{asks}:{mailto}")
        });
        organizer.into_iter().chain(attendee).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_makes_no_person() {
        for address in
            ["", "nobody", "@x.example", "a@", "a b@x.example", "a@x.example\r\nX:1", "a@b@c", "<a@b>"]
        {
            assert_eq!(Person::new("A", address), None, "{address:?}");
        }
        assert_eq!(Person::new("A", " a@x.example ").unwrap().address(), "a@x.example");
    }

    #[test]
    fn a_name_cannot_break_its_line() {
        let lines = |name: &str, method| {
            let person = Person::new(name, "a+b?c@x.example");
            People { organizer: person.clone(), attendee: person }.lines(method)
        };
        assert_eq!(
            lines("Roy, \"Zoé\"\r\nX-A:1", Some(Method::Request)),
            [
                "ORGANIZER;CN=\"Roy, 'Zoé' X-A:1\":mailto:a+b%3Fc@x.example",
                "ATTENDEE;CN=\"Roy, 'Zoé' X-A:1\";CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;\
                 RSVP=TRUE:mailto:a+b%3Fc@x.example",
            ]
        );
        assert_eq!(
            lines("", Some(Method::Cancel))[1],
            "ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT:mailto:a+b%3Fc@x.example"
        );
    }

    #[test]
    fn an_address_is_not_told_by_debug() {
        let person = Person::new("Zoé", "zoe@x.example");
        assert!(!format!("{person:?}").contains("zoe"));
    }
}
