//! What ten requests of each kind ask for, by whom and how they come.

/// The kinds of requesters.
pub(super) const KINDS: [&str; 4] = ["state-body", "prosecutor-body", "individual", "legal-entity"];
/// How many requests there are of each.
pub(super) const OF_EACH: usize = 10;
/// What is asked for as far as the system knows it.
pub(super) const INDICATOR: &str = "indicator=forms/1/indicators/crimes";

/// The channels of ten requests of a kind, by who brings them.
pub(super) fn channel(kind: &str, place: usize) -> (&'static str, &'static str) {
    let recorded = |channel| ("operator", channel);
    match (kind, place) {
        (_, 8) => recorded("messenger"),
        (_, 9) => recorded("oral"),
        ("state-body", 7) => recorded("paper"),
        ("state-body", _) => ("edms", "unified-edms"),
        ("prosecutor-body", 7) => recorded("email"),
        ("prosecutor-body", _) => ("kadagalau", "kadagalau"),
        (_, 5 | 6) => recorded("e-government"),
        (_, 7) => recorded("email"),
        _ => recorded("paper"),
    }
}

/// What a request asks for.
fn items(place: usize) -> Vec<String> {
    let one = |text: &str| vec![text.to_owned()];
    match place {
        0 => one(&format!(
            "unit=crime;period=2025-M01;{INDICATOR};territories=11,15;words=registered crimes by region"
        )),
        1 => one("unit=offence;period=2025-Q4;words=offences by minors"),
        2 => one(&format!("unit=crime;{INDICATOR};words=registered crimes")),
        3 => one("unit=criminal-case;period=2025-M01;until=2025-M03;form=1;words=criminal cases ended"),
        4 => vec![
            format!("unit=crime;period=2025-M01;{INDICATOR};words=registered crimes"),
            "unit=person;period=2024;words=population of the regions".to_owned(),
        ],
        5 => vec![
            format!("unit=crime;period=2025-M01;{INDICATOR};words=registered crimes"),
            "kind=accounting-document-copy;unit=crime;period=2025;words=copies of the cards".to_owned(),
        ],
        6 => one("unit=person;period=2025-S2;words=қылмыс жасаған адамдар"),
        8 | 9 => Vec::new(),
        _ => one(&format!(
            "unit=crime;period=2025-M01;{INDICATOR};words=registered crimes"
        )),
    }
}

/// The words of an essence that say what officials do besides.
fn essence(kind: &str, place: usize) -> String {
    let is_body = kind.ends_with("body");
    let besides = match place {
        1 => "edit",
        3 if is_body => "correct",
        3 => "extend",
        4 => "forward",
        6 => "ask",
        _ => "answer",
    };
    format!("{kind} {place}: {besides}")
}

/// A request in flags, as a clerk has it on the table.
pub(super) fn flags(kind: &str, place: usize) -> Vec<String> {
    let (_, channel) = channel(kind, place);
    let essence = essence(kind, place);
    let is_body = kind.ends_with("body");
    let is_document = !["oral", "messenger"].contains(&channel);
    let mut flags: Vec<String> = ["--kind", kind, "--channel", channel, "--essence", &essence]
        .map(str::to_owned)
        .to_vec();
    let mut add = |flag: &str, value: &str| flags.extend([flag.to_owned(), value.to_owned()]);
    add("--name", &format!("Requester {kind} {place}"));
    add("--language", if place == 6 { "kk" } else { "ru" });
    if !is_body && place != 1 {
        add("--address", "Astana, Mangilik El 8");
    }
    if kind == "legal-entity" {
        add("--bin", "160340014245");
    }
    if is_document {
        add("--signatory", "Who signed");
        add("--capacity", if is_body { "authorized-official" } else { "applicant" });
        if is_body {
            add("--external-number", &format!("12-3/{kind}/{place}"));
        }
        add("--external-date", "2026-02-02");
    }
    for item in items(place) {
        add("--item", &item);
    }
    flags
}
