//! The kinds of events: the contract names what the services emit, and they emit what it names.

use std::collections::BTreeSet;

use crate::sources::{self, Source};

/// What emits, right before the kind or before the brackets that it stands in.
const EMITTING: [&str; 7] = [
    "Change::of",
    "Change::repeated",
    "Outcome::of",
    "Outcome::repeated",
    "Changed::To",
    "Changed::Not",
    "events:",
];
/// The names of which a holder of due dates makes its kinds, and where that happens.
const NOUN: &str = "fn noun(&self) -> &'static str {";
const FOLLOWING: &str = "kit/src/due/follow.rs";

#[test]
fn the_contract_names_every_kind_of_event_that_a_service_emits_and_no_other() {
    let emitted = emitted();
    let named: BTreeSet<String> = include_str!("../../proto/legalstat/common/v1/change_event.proto")
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect();
    let unnamed: Vec<_> = emitted.difference(&named).collect();
    let silent: Vec<_> = named.difference(&emitted).filter(|kind| is_kind(kind)).collect();
    assert!(
        unnamed.is_empty(),
        "emitted, and not named in change_event.proto: {unnamed:?}"
    );
    assert!(
        silent.is_empty(),
        "named in change_event.proto, and never emitted: {silent:?}"
    );
}

#[test]
fn the_form_registry_decides_to_whom_it_tells_kinds_that_there_are() {
    let (all, emitted) = (sources::all(), emitted());
    let telling = all
        .iter()
        .find(|source| source.path == "form-registry/src/domain/telling.rs");
    let decided = kinds(telling.expect("it decides"));
    assert!(decided.len() > 20, "{decided:?}");
    let unknown: Vec<_> = decided
        .iter()
        .map(|(_, kind)| kind)
        .filter(|kind| !emitted.contains(*kind))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

fn emitted() -> BTreeSet<String> {
    let sources: Vec<Source> = sources::all().into_iter().filter(|source| !source.is_test()).collect();
    let mut emitted = BTreeSet::new();
    for source in sources.iter().filter(|source| !source.path.starts_with("cli/")) {
        let code = source.code();
        let found = kinds(source).into_iter().filter(|(at, _)| is_emitted(&code[..*at]));
        emitted.extend(found.map(|(_, kind)| kind));
    }
    let following = sources
        .iter()
        .find(|source| source.path == FOLLOWING)
        .expect("it follows");
    let events = literals(following.code())
        .into_iter()
        .filter(|(_, event)| event.starts_with("due_date_"));
    let events: Vec<String> = events.map(|(_, event)| event).collect();
    assert_eq!(events.len(), 2, "moved and restated");
    for source in &sources {
        for (at, _) in source.code().match_indices(NOUN) {
            let (_, noun) = &literals(&source.code()[at..])[0];
            emitted.extend(events.iter().map(|event| format!("{noun}.{event}")));
        }
    }
    assert!(emitted.len() > 40, "{emitted:?}");
    emitted
}

/// The texts of a source that are written as kinds are, each with where it begins.
fn kinds(source: &Source) -> Vec<(usize, String)> {
    let all = literals(source.code()).into_iter();
    all.filter(|(_, text)| is_kind(text)).collect()
}

/// The literals of one line.
fn literals(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices('"') {
        let text = code[at + 1..].split(['"', '\n']).next().unwrap_or_default();
        found.push((at, text.to_owned()));
    }
    found
}

/// Whether a text is a noun and what became of it: `edition.placed`.
fn is_kind(text: &str) -> bool {
    let all = |part: &str, joint: char| {
        let mut words = part.split(joint);
        words.all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
    };
    text.split_once('.')
        .is_some_and(|(noun, event)| all(noun, '-') && all(event, '_'))
}

/// Whether what stands before a text emits it: a call that does, or an arm or a field that says what one emits.
fn is_emitted(before: &str) -> bool {
    let before = before.trim_end();
    if before.ends_with("=>") || before.ends_with("kind:") {
        return true;
    }
    let mut depth = 0;
    for (at, c) in before.char_indices().rev() {
        match c {
            ')' | ']' | '}' => depth += 1,
            '(' | '[' | '{' if depth > 0 => depth -= 1,
            '(' | '[' => {
                let opened = before[..at].trim_end();
                return opened.ends_with("=>") || EMITTING.iter().any(|emitting| opened.ends_with(emitting));
            }
            '{' => return false,
            _ => {}
        }
    }
    false
}
