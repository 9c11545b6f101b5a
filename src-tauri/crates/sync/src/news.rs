//! What one reading tells the mirror. Only a reading of everything can speak of absence, and only inside its coverage: the
//! others have no words for it.

use crate::ids::Cursor;
use crate::ports::Coverage;

/// Rows for the mirror, with the cursor that is committed together with them.
///
/// Half a reading cannot say that something is gone:
///
/// ```
/// use sync::news::News;
/// let half: News<'_, u8, u8> = News::Half { items: &[1] };
/// assert!(half.cursor().is_none());
/// ```
///
/// ```compile_fail
/// use sync::news::News;
/// let half: News<'_, u8, u8> = News::Half { items: &[1], removed: &[2] };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News<'a, Item, Key> {
    /// All there is inside `coverage`: rows inside it that are not among `items` are gone.
    Whole { items: &'a [Item], coverage: Coverage, cursor: Option<&'a Cursor> },
    /// What changed since the last cursor; `removed` are explicit tombstones.
    Changes { changed: &'a [Item], removed: &'a [Key], cursor: &'a Cursor },
    /// Some of it. The cursor stays where it was.
    Half { items: &'a [Item] },
    /// What a single item was found to be: standing so, or deleted. The cursor stays where it was.
    Found { standing: &'a [Item], deleted: &'a [Key] },
}

impl<'a, Item, Key> News<'a, Item, Key> {
    /// What is there, as it is now.
    #[must_use]
    pub fn items(&self) -> &'a [Item] {
        match self {
            Self::Whole { items, .. } | Self::Half { items } => items,
            Self::Changes { changed, .. } => changed,
            Self::Found { standing, .. } => standing,
        }
    }

    /// What was said to be gone, by name.
    #[must_use]
    pub fn removed(&self) -> &'a [Key] {
        match self {
            Self::Whole { .. } | Self::Half { .. } => &[],
            Self::Changes { removed, .. } => removed,
            Self::Found { deleted, .. } => deleted,
        }
    }

    /// How far it is whole; nothing if it is not.
    #[must_use]
    pub fn coverage(&self) -> Option<Coverage> {
        match self {
            Self::Whole { coverage, .. } => Some(*coverage),
            Self::Changes { .. } | Self::Half { .. } | Self::Found { .. } => None,
        }
    }

    #[must_use]
    pub fn cursor(&self) -> Option<&'a Cursor> {
        match self {
            Self::Whole { cursor, .. } => *cursor,
            Self::Changes { cursor, .. } => Some(cursor),
            Self::Half { .. } | Self::Found { .. } => None,
        }
    }
}
