//! Words with which sign-in pages refuse, Google's among them, that the protocol does not know (provider notes A1): what they
//! mean to a person.

/// Her organisation's administrator has closed the service to this app.
pub(super) fn is_the_administrators(word: &str) -> bool {
    word == "admin_policy_enforced"
}

/// What it comes to, where the word alone says nothing to whoever reads it.
pub(super) fn in_plain(word: &str) -> Option<&'static str> {
    match word {
        "org_internal" => Some("the app is registered for the members of one organisation alone"),
        "disallowed_useragent" => Some("it does not open its page in this browser"),
        "redirect_uri_mismatch"
        | "deleted_client"
        | "disabled_client"
        | "invalid_client"
        | "unauthorized_client" => Some("it does not know the app, or not this version of it"),
        _ => None,
    }
}
