//! `companion login` and `companion logout`: the Bookiji session, by password or by browser. The password comes from stdin and never from the
//! command line, which other users of the computer can read.

use std::io::{IsTerminal, Read};

use secrecy::SecretString;
use serde_json::json;
use sync::error::Code;

use super::args::LoginArgs;
use super::browser;
use super::output::Outcome;
use crate::problem::Problem;
use crate::profile::Profile;
use crate::sign_in;
use crate::wiring::Wiring;

/// Longer than any password that Bookiji takes.
const MAX_BYTES: u64 = 4096;

pub async fn login(profile: &Profile, args: &LoginArgs) -> Result<Outcome, Problem> {
    let wiring = Wiring::open(profile).await?;
    let vendor = match args.email.as_deref() {
        Some(email) => {
            let password = password("Bookiji password: ").await?;
            sign_in::login(&wiring, email, &password).await?
        }
        None => {
            let browsing = sign_in::begin_login(&wiring, &args.provider).await?;
            browser::send_to(browsing.url(), args.no_browser, browsing.pasted_link());
            sign_in::finish_login(&wiring, browsing).await?
        }
    };
    Ok(Outcome::done(
        json!({ "vendor": {
            "id": vendor.id,
            "name": vendor.name,
            "email": vendor.email,
            "time_zone": vendor.time_zone,
        }}),
        format!("Signed in to Bookiji as {} ({}).", vendor.name, vendor.email),
    ))
}

pub async fn logout(profile: &Profile) -> Result<Outcome, Problem> {
    sign_in::logout(&Wiring::open(profile).await?).await?;
    Ok(Outcome::done(
        json!({ "signed_out": true }),
        "Signed out of Bookiji. What was synced stays where it is.",
    ))
}

/// What is typed without being shown, or what is piped in; one trailing line end is not part of it.
pub async fn password(prompt: &'static str) -> Result<SecretString, Problem> {
    tokio::task::spawn_blocking(move || typed(prompt))
        .await
        .map_err(|_| Problem::new(Code::Internal, "The password could not be read."))?
}

fn typed(prompt: &str) -> Result<SecretString, Problem> {
    let unreadable = |reason: String| {
        Problem::new(Code::InvalidInput, format!("The password could not be read: {reason}."))
    };
    let text = if std::io::stdin().is_terminal() {
        rpassword::prompt_password(prompt).map_err(|error| unreadable(error.to_string()))?
    } else {
        let mut text = String::new();
        std::io::stdin()
            .take(MAX_BYTES)
            .read_to_string(&mut text)
            .map_err(|error| unreadable(error.to_string()))?;
        text
    };
    let password =
        text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    if password.is_empty() {
        return Err(Problem::new(Code::InvalidInput, "No password came in.")
            .then("Type it when asked, or pipe it in from a file: `companion … < FILE`."));
    }
    Ok(SecretString::from(password))
}
