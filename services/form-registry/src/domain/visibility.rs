//! What a caller may be served of an edition now. Every path that reads asks here: one edition and lists, the schedule, files
//! by name, revision, digest and range, placements, and whether something is available.

use jiff::Timestamp;

use super::{
    edition::{Edition, EditionFile, EditionState, Obstacle, Revision},
    embargo::Embargo,
};

/// What a caller is to the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// Who prepares editions: an operator or approver.
    Preparer,
    /// Another official: an administrator or auditor. An embargo holds for them too, who need none of it for their work.
    Official,
    /// Request intake, for the answer to a request: what a request asks for is what is not openly available (Instruction, para 7).
    Answering,
    /// Everyone else, other services of the system included: they ask for somebody.
    Other,
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// The name in the certificate.
    pub name: &'a str,
    pub rank: Rank,
}

/// How much of an edition is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// All of it.
    Everything,
    /// What is placed openly.
    Open,
    /// What is sealed and not restricted, for an answer to a request.
    Sealed,
    /// What is sealed, to a reader whom the embargo names; each reading goes into the journal.
    Early,
    /// Its period and due date only: the embargo holds. The attempt goes into the journal.
    Dates,
}

/// Decides how much of an edition under this embargo, if under any, is shown.
pub fn view(embargo: Option<&Embargo>, asker: &Asker<'_>, now: Timestamp) -> View {
    let embargo = embargo.filter(|embargo| embargo.holds(now));
    match (asker.rank, embargo) {
        (Rank::Preparer, _) | (Rank::Official, None) => View::Everything,
        (Rank::Answering, None) => View::Sealed,
        (Rank::Other, None) => View::Open,
        (_, Some(embargo)) if embargo.names(asker.name) => View::Early,
        (_, Some(_)) => View::Dates,
    }
}

/// The state that is shown: under an embargo an edition is expected, whatever it is.
pub fn state(state: EditionState, view: View) -> EditionState {
    match view {
        View::Dates => EditionState::Scheduled,
        View::Everything | View::Open | View::Sealed | View::Early => state,
    }
}

/// The edition as it is shown.
pub fn shown(mut edition: Edition, view: View) -> Edition {
    edition.state = state(edition.state, view);
    match view {
        View::Everything => return edition,
        View::Dates => {
            edition.met_at = None;
            edition.revisions.clear();
            edition.placements.clear();
        }
        View::Open | View::Sealed | View::Early => {
            let placed: Vec<i32> = edition.placements.iter().map(|placement| placement.revision).collect();
            let is_open = |revision: &Revision| placed.contains(&revision.number) || revision.is_nil();
            edition
                .revisions
                .retain(|revision| is_open(revision) || view != View::Open && is_early(revision));
        }
    }
    for revision in &mut edition.revisions {
        revision.prepared.by.clear();
        if let Some(seal) = &mut revision.seal {
            seal.sealed.by.clear();
        }
        if revision.withdrawal.is_some() {
            revision.files.clear();
        }
        revision.files.retain(|file| !file.restricted);
    }
    edition.placements = edition
        .placements
        .into_iter()
        .map(|placement| placement.shown(false))
        .collect();
    let numbers: Vec<i32> = edition.revisions.iter().map(|revision| revision.number).collect();
    edition.effective = edition.effective.filter(|number| numbers.contains(number));
    edition.embargo = None;
    edition
}

fn is_early(revision: &Revision) -> bool {
    revision.seal.as_ref().is_some_and(|seal| !seal.restricted)
}

/// Which file is wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub filename: Option<String>,
    pub revision: Option<i32>,
    pub sha256: Option<[u8; 32]>,
}

/// The file that is wanted, of an edition as [`shown`] in this view.
///
/// # Errors
/// What stands in the way; under an embargo the same whatever was asked for.
pub fn readable<'e>(edition: &'e Edition, view: View, wanted: &Wanted) -> Result<&'e EditionFile, Obstacle> {
    if view == View::Dates {
        return Err(Obstacle::Embargoed);
    }
    let revisions: Vec<&Revision> = match (wanted.revision, wanted.sha256) {
        (Some(number), _) => edition.revision(number).into_iter().collect(),
        (None, Some(_)) => edition.revisions.iter().rev().collect(),
        (None, None) => edition.shown_revision().into_iter().collect(),
    };
    if revisions.is_empty() {
        return Err(nothing(edition, view, wanted));
    }
    let is_wanted = |file: &&EditionFile| {
        let named = wanted.filename.as_ref();
        let digest = wanted.sha256.as_ref();
        named.is_none_or(|name| file.content.filename == *name)
            && digest.is_none_or(|sha256| file.content.sha256 == *sha256)
    };
    let files = revisions.iter().flat_map(|revision| &revision.files);
    let mut found = files.clone().filter(is_wanted);
    let is_named = wanted.filename.is_some() || wanted.sha256.is_some();
    match (found.next(), found.next()) {
        (Some(_), Some(_)) if !is_named => Err(Obstacle::SeveralFiles),
        (Some(file), _) => Ok(file),
        (None, _) if files.count() == 0 => Err(nothing(edition, view, wanted)),
        (None, _) => Err(Obstacle::NoSuchFile(wanted.filename.clone().unwrap_or_default())),
    }
}

/// Why nothing can be read where nothing is.
fn nothing(edition: &Edition, view: View, wanted: &Wanted) -> Obstacle {
    match (view, edition.state, wanted.revision) {
        (View::Open | View::Sealed | View::Early, EditionState::Withdrawn, _) => Obstacle::Withdrawn,
        (_, EditionState::Nil, None) => Obstacle::Nil,
        (View::Everything, _, Some(number)) if edition.revision(number).is_none() => Obstacle::NoSuchRevision(number),
        (View::Everything, _, _) => Obstacle::ContentMissing,
        (_, EditionState::Placed, Some(number)) => Obstacle::NoSuchRevision(number),
        _ => Obstacle::NotPlaced,
    }
}

#[cfg(test)]
#[path = "visibility_tests.rs"]
mod tests;
