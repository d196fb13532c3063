//! Who sees which requests. GetRequest, LookupRequest, ListRequests and WatchRequests all ask here.

use jiff::civil::Date;

use super::body::Bodies;

/// What a caller sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// Officials see all.
    Official,
    /// Others see what they brought, and a body what anybody brought with its BIN.
    Other {
        /// The name in its certificate.
        name: String,
        /// The BIN of the body in force that its certificate names.
        bin: Option<String>,
    },
}

impl Viewer {
    /// What a caller sees on a day.
    pub fn of(name: &str, is_official: bool, bodies: &Bodies, today: Date) -> Self {
        if is_official {
            return Self::Official;
        }
        let body = bodies.of_certificate(name, today);
        Self::Other {
            name: name.to_owned(),
            bin: body.and_then(|body| body.facts.bin.clone()),
        }
    }

    /// Whether it sees a request that this caller brought, of a requester with this BIN.
    pub fn sees(&self, accepted_by: &str, requester_bin: Option<&str>) -> bool {
        match self {
            Self::Official => true,
            Self::Other { name, bin } => name == accepted_by || (bin.is_some() && bin.as_deref() == requester_bin),
        }
    }

    /// Whether it hangs on the BIN of the requester if it sees a request that this caller brought.
    pub fn asks_for_bin(&self, accepted_by: &str) -> bool {
        match self {
            Self::Official => false,
            Self::Other { name, bin } => name != accepted_by && bin.is_some(),
        }
    }

    /// Text by which a page token is bound to what its caller sees.
    pub fn key(&self) -> String {
        match self {
            Self::Official => String::new(),
            Self::Other { name, bin } => format!("{name} {}", bin.as_deref().unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, civil::date};
    use legalstat_kit::law::{LegalBasis, LocalizedText};

    use super::*;
    use crate::domain::body::{Body, BodyKind, Facts};

    const BIN: &str = "160340014245";

    fn bodies(bin: Option<&str>) -> Bodies {
        Bodies(vec![Body {
            number: 1,
            id: "justice".into(),
            valid_from: date(2024, 1, 1),
            facts: Facts {
                title: LocalizedText::new("", "", "Ministry of Justice"),
                certificate_name: Some("justice".into()),
                bin: bin.map(str::to_owned),
                kind: BodyKind::StateBody,
                territory: None,
                legal_basis: LegalBasis::parse("Order 1"),
                valid_to: Some(date(2026, 12, 31)),
            },
            recorded_at: Timestamp::UNIX_EPOCH,
        }])
    }

    #[test]
    fn each_caller_sees_its_own_and_a_body_in_force_what_has_its_bin() {
        let (bodies, day) = (bodies(Some(BIN)), date(2026, 3, 2));
        let sees =
            |caller: &str, official, day, by: &str, bin| Viewer::of(caller, official, &bodies, day).sees(by, bin);
        for (caller, official, by, bin, seen) in [
            ("operator", true, "edms", None, true),
            ("edms", false, "edms", Some(BIN), true),
            ("edms", false, "kadagalau", Some(BIN), false),
            ("justice", false, "edms", Some(BIN), true),
            ("justice", false, "edms", Some("050140004567"), false),
            ("justice", false, "edms", None, false),
            ("justice", false, "justice", None, true),
            ("another", false, "edms", Some(BIN), false),
            ("another", false, "edms", None, false),
        ] {
            assert_eq!(sees(caller, official, day, by, bin), seen, "{caller} {by} {bin:?}");
            let viewer = Viewer::of(caller, official, &bodies, day);
            let same = |bin| viewer.sees(by, bin) == seen;
            assert!(
                viewer.asks_for_bin(by) || same(None) && same(Some(BIN)),
                "{caller} {by}"
            );
        }
        assert!(
            !sees("justice", false, date(2027, 1, 1), "edms", Some(BIN)),
            "it is not in force"
        );
    }

    #[test]
    fn a_body_without_a_bin_does_not_see_what_came_without_one() {
        let viewer = Viewer::of("justice", false, &bodies(None), date(2026, 3, 2));
        assert!(!viewer.sees("edms", None));
    }

    #[test]
    fn a_token_belongs_to_what_its_caller_sees() {
        let key = |bin| Viewer::of("justice", false, &bodies(bin), date(2026, 3, 2)).key();
        assert_ne!(key(Some(BIN)), key(None));
        assert_ne!(key(None), Viewer::Official.key());
    }
}
