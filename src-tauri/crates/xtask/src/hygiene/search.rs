//! Finds secrets in bytes: those that were told, and what looks like one whoever made it. Pure; never repeats what it
//! found.

use std::collections::BTreeSet;

/// As much of a token as a sandbox tells.
const TELLING: usize = 22;
/// What follows these words is a secret in any log.
const WORDS: [&str; 4] = ["Bearer ", "bearer ", "Basic ", "eyJhbGciOi"];

/// What may be found nowhere.
#[derive(Default)]
pub struct Secrets {
    tokens: BTreeSet<[u8; TELLING]>,
    passwords: BTreeSet<Vec<u8>>,
}

impl Secrets {
    pub fn add(&mut self, told: &str) {
        match <[u8; TELLING]>::try_from(told.as_bytes()) {
            Ok(token) if token.iter().copied().all(is_token) => drop(self.tokens.insert(token)),
            // A few letters are everywhere.
            _ if told.len() >= 8 => drop(self.passwords.insert(told.as_bytes().to_vec())),
            _ => {}
        }
    }

    pub fn len(&self) -> usize {
        self.tokens.len() + self.passwords.len()
    }

    /// The kinds of secrets that are in there.
    pub fn in_bytes(&self, bytes: &[u8]) -> impl Iterator<Item = &'static str> + use<> {
        let token = bytes
            .split(|byte| !is_token(*byte))
            .any(|run| run.windows(TELLING).any(|window| self.tokens.contains(window)));
        let password = self.passwords.iter().any(|password| holds(bytes, password).next().is_some());
        let header = WORDS.iter().any(|word| {
            let follows =
                |at: usize| bytes[at + word.len()..].iter().take_while(|byte| is_token(**byte)).count();
            holds(bytes, word.as_bytes()).any(|at| follows(at) >= 16)
        });
        [(token, "a token"), (password, "a password"), (header, "what looks like a credential")]
            .into_iter()
            .filter_map(|(found, kind)| found.then_some(kind))
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_".contains(&byte)
}

fn holds<'a>(bytes: &'a [u8], text: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let first = text[0];
    let starts = bytes.iter().enumerate().filter(move |(_, byte)| **byte == first);
    starts.map(|(at, _)| at).filter(move |&at| bytes[at..].starts_with(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: &[&str]) {
        let mut secrets = Secrets::default();
        ["AbCdEfGhIjKlMnOpQrStUv", "her-password", "short"].iter().for_each(|told| secrets.add(told));
        assert_eq!(secrets.len(), 2);
        assert_eq!(
            secrets.in_bytes(bytes).collect::<Vec<_>>(),
            expected,
            "{}",
            String::from_utf8_lossy(bytes)
        );
    }

    #[test]
    fn a_told_secret_is_found_shortened_lengthened_and_among_any_bytes() {
        check(b"", &[]);
        check(b"AbCdEfGhIjKlMnOpQrStU", &[]);
        check(b"short", &[]);
        check(b"AbCdEfGhIjKlMnOpQrStUv", &["a token"]);
        check(b"\0\xff1//0AbCdEfGhIjKlMnOpQrStUvWxYz\xfe", &["a token"]);
        check(b"ya29.xAbCdEfGhIjKlMnOpQrStUvWx&scope=", &["a token"]);
        check(b"{\"password\":\"her-password\"}", &["a password"]);
    }

    #[test]
    fn a_credential_is_known_by_what_stands_before_it_and_prose_is_none() {
        check(b"Authorization: Bearer 0123456789abcdef", &["what looks like a credential"]);
        check(b"authorization: Basic dXNlcjpwYXNzd29yZA", &["what looks like a credential"]);
        check(b"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30", &["what looks like a credential"]);
        check(b"Bearer tokens are never written down. Basic rules.", &[]);
    }
}
