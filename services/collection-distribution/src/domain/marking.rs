//! The marking "for official use" of a revision.

use jiff::civil::Date;

/// How a revision is marked; one that is open has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfficialUse {
    /// How many copies there are in all.
    pub copies: i32,
    pub reason: String,
    /// The last day on which it holds; `None` while no end is known.
    pub expires_on: Option<Date>,
}

impl OfficialUse {
    /// Whether it holds on a day.
    pub fn holds_on(&self, day: Date) -> bool {
        self.expires_on.is_none_or(|last| day <= last)
    }
}
