//! What the `Prefer` header asks for. A word that is not known is passed over, as PostgREST does unless told to be strict.

use crate::wire::Call;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prefer {
    /// The rows that were written come back.
    pub representation: bool,
    pub count: bool,
    pub resolution: Option<Resolution>,
}

/// What becomes of a row whose key is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    Ignore,
    Merge,
}

impl Prefer {
    #[must_use]
    pub fn of(call: &Call) -> Self {
        let mut prefer = Self::default();
        let lines = call.headers.get_all("prefer").into_iter().filter_map(|line| line.to_str().ok());
        for word in lines.flat_map(|line| line.split(',')) {
            match word.trim() {
                "return=representation" => prefer.representation = true,
                "return=minimal" => prefer.representation = false,
                "count=exact" => prefer.count = true,
                "resolution=ignore-duplicates" => prefer.resolution = Some(Resolution::Ignore),
                "resolution=merge-duplicates" => prefer.resolution = Some(Resolution::Merge),
                _ => {}
            }
        }
        prefer
    }
}
