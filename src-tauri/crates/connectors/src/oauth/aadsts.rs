//! Microsoft's sign-in codes, which stand at the beginning of its words for people: `AADSTS90094: …`. Decides what the few
//! that matter mean for the caller; of the others, the protocol's own words decide.

/// What a code says that the protocol's word does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Only an administrator of her organisation can allow the app.
    NeedsAdministrator,
    /// Nobody has allowed the app. Her browser would have asked her, if it were for her to say.
    NoConsent,
    /// She must sign in again: a password was changed, a permission taken back, another proof is wanted of her.
    SignInAgain,
    /// Trouble on their side.
    MayPass,
}

/// The first code that is known decides.
pub(super) fn meaning(description: &str) -> Option<Meaning> {
    description.match_indices("AADSTS").find_map(|(at, prefix)| {
        let digits: String =
            description[at + prefix.len()..].chars().take_while(char::is_ascii_digit).collect();
        known(digits.parse().ok()?)
    })
}

fn known(code: u32) -> Option<Meaning> {
    match code {
        // Consent is for administrators; the app is blocked for users; sign-in to unassigned apps is off.
        90094 | 90095 | 90093 | 90092 | 650_052 | 650_056 | 650_057 | 50105 => {
            Some(Meaning::NeedsAdministrator)
        }
        65001 => Some(Meaning::NoConsent),
        // The grant: revoked, expired, unused for long, or gone with a password; more proof, another device or another
        // place wanted; an account that is disabled or locked.
        50173
        | 50078
        | 50089
        | 70000
        | 70008
        | 70043
        | 700_082
        | 700_084
        | 50076
        | 50079
        | 50074
        | 50158
        | 53000..=53004
        | 50055
        | 50057
        | 50053
        | 50132
        | 50133
        | 50034 => Some(Meaning::SignInAgain),
        90033 | 90006 => Some(Meaning::MayPass),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(description: &str, expected: Option<Meaning>) {
        assert_eq!(meaning(description), expected, "{description}");
    }

    #[test]
    fn a_code_is_read_wherever_it_stands_and_an_unknown_one_decides_nothing() {
        check("AADSTS90094: The grant requires admin permission.", Some(Meaning::NeedsAdministrator));
        check("Error validating. AADSTS700082: expired. Trace ID: 1", Some(Meaning::SignInAgain));
        check("AADSTS65001: no consent", Some(Meaning::NoConsent));
        check("AADSTS90033: try later", Some(Meaning::MayPass));
        check("AADSTS65004: User declined to consent", None);
        check("AADSTS: nothing, AADSTS99999999999999999999: more", None);
        check("Token has been expired or revoked.", None);
    }
}
