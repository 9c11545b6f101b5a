//! The page that the browser shows when it comes back. Static: nothing of the request is in it.

/// What a request to the listener was worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Thanks,
    Refused,
    /// The true answer, once more.
    Already,
    /// The right place, but not an answer to this sign-in.
    Stranger,
    Elsewhere,
}

impl Outcome {
    fn status(self) -> &'static str {
        match self {
            Self::Thanks | Self::Refused | Self::Already => "200 OK",
            Self::Stranger => "400 Bad Request",
            Self::Elsewhere => "404 Not Found",
        }
    }

    fn words(self, language: Language) -> (&'static str, &'static str) {
        match (self, language) {
            (Self::Thanks, Language::English) => {
                ("Thank you", "Bookiji Companion takes it from here. You can close this page.")
            }
            (Self::Thanks, Language::French) => {
                ("Merci", "Bookiji Companion prend la suite. Vous pouvez fermer cette page.")
            }
            (Self::Refused, Language::English) => {
                ("Nothing was connected", "You can close this page and try again in Bookiji Companion.")
            }
            (Self::Refused, Language::French) => (
                "Rien n’a été connecté",
                "Vous pouvez fermer cette page et réessayer dans Bookiji Companion.",
            ),
            (Self::Already, Language::English) => (
                "This sign-in was answered already",
                "Nothing has changed. You can close this page and go back to Bookiji Companion.",
            ),
            (Self::Already, Language::French) => (
                "Cette connexion a déjà reçu sa réponse",
                "Rien n’a changé. Vous pouvez fermer cette page et revenir à Bookiji Companion.",
            ),
            (Self::Stranger, Language::English) => (
                "This is not the sign-in we wait for",
                "Go back to Bookiji Companion and start again from there.",
            ),
            (Self::Stranger, Language::French) => (
                "Ce n’est pas la connexion attendue",
                "Revenez à Bookiji Companion et recommencez depuis l’application.",
            ),
            (Self::Elsewhere, Language::English) => ("Nothing here", "You can close this page."),
            (Self::Elsewhere, Language::French) => ("Rien ici", "Vous pouvez fermer cette page."),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    English,
    French,
}

impl Language {
    fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
        }
    }

    /// The one of ours that the browser likes best.
    fn preferred(accept_language: &str) -> Self {
        let mut best = (Self::English, 0.0);
        for range in accept_language.split(',') {
            let (tag, weight) = range.split_once(';').unwrap_or((range, "q=1"));
            let weight = weight.trim().strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()).unwrap_or(0.0);
            let language =
                match tag.trim().split('-').next().unwrap_or_default().to_ascii_lowercase().as_str() {
                    "en" => Self::English,
                    "fr" => Self::French,
                    _ => continue,
                };
            if weight > best.1 {
                best = (language, weight);
            }
        }
        best.0
    }
}

/// The whole HTTP response.
pub(super) fn response(outcome: Outcome, accept_language: &str) -> String {
    let language = Language::preferred(accept_language);
    let (title, text) = outcome.words(language);
    let body = format!(
        r#"<!doctype html>
<html lang="{}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Bookiji Companion</title>
<style>
:root {{ color-scheme: light dark }}
body {{ margin: 0; min-height: 100vh; display: grid; place-content: center; padding: 2rem; box-sizing: border-box;
  font: 1.125rem/1.6 system-ui, sans-serif; text-align: center }}
h1 {{ font-size: 1.75rem; font-weight: 600; margin: 0 0 .5rem }}
p {{ margin: 0; opacity: .75 }}
</style>
<main><h1>{title}</h1><p>{text}</p></main>
</html>
"#,
        language.tag()
    );
    format!(
        "HTTP/1.1 {}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\nReferrer-Policy: no-referrer\r\n\
         X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n{body}",
        outcome.status(),
        body.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(accept_language: &str, expected: Language) {
        assert_eq!(Language::preferred(accept_language), expected, "{accept_language}");
    }

    #[test]
    fn the_page_speaks_the_language_the_browser_likes_best_of_ours() {
        check("", Language::English);
        check("fr-CA,fr;q=0.9,en;q=0.8", Language::French);
        check("de-DE,en;q=0.7,fr;q=0.8", Language::French);
        check("de", Language::English);
        check("en,fr", Language::English);
        check("fr;q=x", Language::English);
    }

    #[test]
    fn the_page_is_never_kept_and_never_larger_than_it_says() {
        for outcome in
            [Outcome::Thanks, Outcome::Refused, Outcome::Already, Outcome::Stranger, Outcome::Elsewhere]
        {
            let response = response(outcome, "fr");
            let (head, body) = response.split_once("\r\n\r\n").unwrap();
            assert!(head.contains("Cache-Control: no-store"));
            assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())));
        }
    }
}
