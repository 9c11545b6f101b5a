//! Why something that she gave or asked for cannot be used, where its code alone names nothing. A closed list: the window
//! has words for each.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum Unusable {
    /// Something is missing, or is no line of text.
    Missing,
    /// An address over which anybody on the way could read along.
    PlainHttp,
    /// A user name or password stands in the address.
    SignInInAddress,
    NoLink,
    NoServer,
    /// The server sends on to another one.
    OtherServer,
    NoUserName,
    /// The question was answered elsewhere, or is another one by now.
    Answered,
    /// The first sync has not been started.
    NotStarted,
    /// Files that are not offered any more.
    NotOffered,
    /// Of the sample everything is invented.
    Sample,
    /// Somebody else than the vendor of this profile has signed in.
    OtherVendor,
}
