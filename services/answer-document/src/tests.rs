//! Documents as they are made and read again.

use proptest::prelude::*;

use crate::{
    Format, Outcome, Point, RenderError, SignatureChecked,
    answer::{
        Answer, AnsweredItem, Approval, Breakdown, Capacity, Document, Figure, Language, Law, Named, Provision, Reason,
        RequestAnswered, Requester, SCHEMA, Source, TotalOf, Words,
    },
    canonical, digest, pdf, render, shown, verify,
};

pub fn words(kk: &str, ru: &str, en: &str) -> Words {
    Words {
        kk: kk.into(),
        ru: ru.into(),
        en: en.into(),
    }
}

fn law(act: &str, provision: &str) -> Law {
    Law {
        act: act.into(),
        provision: provision.into(),
        uri: String::new(),
        assumed: false,
    }
}

pub fn figure(territory: &str, period: &str, value: &str) -> Figure {
    Figure {
        indicator: Named {
            code: "forms/1/indicators/1.1".into(),
            title: words(
                "Тіркелген қылмыстар",
                "Зарегистрировано преступлений",
                "Registered crimes",
            ),
        },
        territory: Named {
            code: territory.into(),
            title: words("Ақмола облысы", "Акмолинская область", "Akmola region"),
        },
        period: period.into(),
        breakdown: vec![],
        value: value.into(),
        status: "A".into(),
        note: Words::default(),
        total_of: None,
        edition: "forms/1/editions/2026-M01".into(),
        by_hand: false,
    }
}

/// An answer with a bit of everything.
pub fn answer() -> Answer {
    let total = Figure {
        total_of: Some(TotalOf { parts: 2, missing: 0 }),
        ..figure("", "2026-M01", "2469")
    };
    let broken = Figure {
        breakdown: vec![Breakdown {
            dimension: "SEX".into(),
            code: Named {
                code: "F".into(),
                title: words("әйелдер", "женщины", "women"),
            },
        }],
        status: "P".into(),
        by_hand: true,
        edition: String::new(),
        ..figure("11", "2026-M01", "1234.5")
    };
    Answer {
        schema: SCHEMA.into(),
        request: RequestAnswered {
            name: "requests/0193f0c4-0000-7000-8000-000000000001".into(),
            coupon_number: "20260314-0AB1C2D3E4".into(),
            registration_number: "2026-17".into(),
            registered_on: "2026-03-14".into(),
            received_on: "2026-03-13".into(),
            external_number: "12-34/56".into(),
            external_date: "2026-03-12".into(),
        },
        requester: Requester {
            kind: "STATE_BODY".into(),
            full_name: "Қазақстан Республикасының Ішкі істер министрлігі".into(),
            bin: "160340014245".into(),
            postal_address: "Астана қ., Тәуелсіздік даңғылы, 1".into(),
        },
        body: String::new(),
        language: Language::Ru,
        version: 2,
        drafted_on: "2026-03-20".into(),
        drafted_by: "operator".into(),
        edited_by: vec!["operator-2".into()],
        opening: "На Ваш запрос сообщаем следующее.".into(),
        items: vec![
            AnsweredItem {
                description: "Число зарегистрированных преступлений".into(),
                unit: "CRIME".into(),
                period: "2026-M01".into(),
                until_period: String::new(),
                provision: Provision::Provided,
                figures: vec![
                    figure("11", "2026-M01", "1234"),
                    figure("15", "2026-M01", "1235"),
                    total,
                    broken,
                ],
                not_provided: vec![],
                remark: String::new(),
            },
            AnsweredItem {
                description: "Сведения ограниченного доступа".into(),
                unit: "PERSON".into(),
                period: "2026-M01".into(),
                until_period: "2026-M03".into(),
                provision: Provision::NotProvided,
                figures: vec![],
                not_provided: vec![Reason {
                    word: "RESTRICTED".into(),
                    text: words(
                        "Қолжетімділігі шектеулі.",
                        "Информация ограниченного доступа.",
                        "It is of restricted access.",
                    ),
                    legal_basis: law("Code 350-VI", "art. 45(4)"),
                }],
                remark: String::new(),
            },
        ],
        sources: vec![Source {
            edition: "forms/1/editions/2026-M01".into(),
            title: words("1-нысан", "Форма 1", "Form 1"),
            revision: 1,
            sha256: "ab".repeat(32),
            address: "https://qamqor.gov.kz/crimestat/1".into(),
        }],
        appeal: vec![Reason {
            word: "HIGHER_OFFICIAL".into(),
            text: words(
                "Жоғары тұрған органға шағымдануға болады.",
                "Ответ можно обжаловать.",
                "It can be appealed.",
            ),
            legal_basis: law("Code 350-VI", "art. 91"),
        }],
    }
}

/// An approved document in a language.
pub fn document(language: Language) -> Document {
    Document {
        answer: answer(),
        approval: Some(Approval {
            approved_by: "approver".into(),
            capacity: Capacity::Deputy,
            approved_at: "2026-03-21T05:00:00Z".into(),
            approved_on: "2026-03-21".into(),
            signature: "3003020100".into(),
        }),
        language,
    }
}

/// Takes every signature for sound that stands for this content.
fn sound(content: &[u8], signature: &[u8]) -> SignatureChecked {
    let is_sound = content == canonical(&answer()) && signature == [0x30, 3, 2, 1, 0];
    let outcome = if is_sound { Outcome::Proved } else { Outcome::Refuted };
    SignatureChecked {
        outcome,
        text: "looked at".into(),
    }
}

const FORMATS: [Format; 3] = [Format::Pdf, Format::Xlsx, Format::Json];

#[test]
fn the_canonical_form_has_its_fields_in_order_and_a_digest() {
    let form = String::from_utf8(canonical(&answer())).expect("it is JSON");
    assert!(
        form.starts_with(r#"{"appeal":[{"legalBasis":{"act":"Code 350-VI","assumed":false,"#),
        "{form}"
    );
    assert!(!form.contains(": ") || form.contains("\":"), "no blanks between");
    assert_eq!(digest(form.as_bytes()).len(), 64);
    assert_eq!(crate::read(b"{}"), Err(crate::Unreadable::Schema(String::new())));
    let spelled = form.replacen('{', "{ ", 1);
    assert_eq!(crate::read(spelled.as_bytes()), Err(crate::Unreadable::NotCanonical));
    let more = form.replacen('{', r#"{"added":1,"#, 1);
    assert!(matches!(
        crate::read(more.as_bytes()),
        Err(crate::Unreadable::NotAnAnswer(_))
    ));
}

#[test]
fn every_format_in_every_language_gives_the_same_bytes_again_and_is_proved() {
    for language in Language::ALL {
        for format in FORMATS {
            let document = document(language);
            let bytes = render(&document, format).expect("it is an ordinary answer");
            assert_eq!(render(&document, format), Ok(bytes.clone()));
            let verified = verify(&bytes, &sound);
            assert!(verified.is_proved(), "{format:?} {language:?}: {:?}", verified.findings);
            assert_eq!(verified.document, Some(document));
            assert_eq!(verified.sha256, digest(&canonical(&answer())));
        }
    }
}

#[test]
fn a_draft_and_a_signature_over_something_else_are_not_proved() {
    for format in FORMATS {
        let draft = Document {
            approval: None,
            ..document(Language::Kk)
        };
        let bytes = render(&draft, format).expect("it is an ordinary draft");
        let verified = verify(&bytes, &sound);
        assert!(!verified.is_proved());
        assert_eq!(verified.outcome(Point::Approval), Some(Outcome::NotProved));
        let mut other = document(Language::Kk);
        other.answer.items[0].figures[0].value = "1".into();
        let bytes = render(&other, format).expect("it is an ordinary answer");
        let verified = verify(&bytes, &sound);
        assert_eq!(verified.outcome(Point::Signature), Some(Outcome::Refuted));
        assert!(!verified.is_proved());
    }
}

#[test]
fn who_approved_his_own_draft_approved_nothing() {
    for name in ["operator", "operator-2"] {
        let mut own = document(Language::Ru);
        own.approval.as_mut().expect("it is approved").approved_by = name.into();
        let bytes = render(&own, Format::Json).expect("it is rendered");
        let verified = verify(&bytes, &sound);
        assert_eq!(verified.outcome(Point::Approval), Some(Outcome::Refuted));
        assert!(!verified.is_proved(), "whoever signed it");
    }
}

#[test]
fn a_name_that_no_signature_covers_is_never_told_as_proved() {
    for format in FORMATS {
        let mut forged = document(Language::Ru);
        let approval = forged.approval.as_mut().expect("it is approved");
        (approval.approved_by, approval.approved_at) = ("head".into(), "2020-01-01T00:00:00Z".into());
        let bytes = render(&forged, format).expect("it is rendered");
        let verified = verify(&bytes, &sound);
        for point in [Point::Approval, Point::Capacity] {
            assert_eq!(
                verified.outcome(point),
                Some(Outcome::NotProved),
                "{format:?} {point:?}"
            );
        }
    }
}

#[test]
fn a_file_changed_anywhere_is_not_proved() {
    for format in FORMATS {
        let bytes = render(&document(Language::Ru), format).expect("it is an ordinary answer");
        let step = bytes.len() / 23 + 1;
        for at in (0..bytes.len()).step_by(step) {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(
                !verify(&changed, &sound).is_proved(),
                "{format:?}, byte {at} of {}",
                bytes.len()
            );
        }
        let more = [bytes.as_slice(), b"\n%"].concat();
        assert!(
            !verify(&more, &sound).is_proved(),
            "{format:?} with something after its end"
        );
    }
}

/// Texts that are something to a typesetter, a spreadsheet, a database or a terminal.
const TRICKS: [&str; 14] = [
    "#eval(\"1+1\") #read(\"/etc/passwd\") $x^2$ *bold* _it_ = heading",
    "#import \"@preview/x:0.1.0\": *",
    "=HYPERLINK(\"http://example.invalid\")",
    "+1+1 -2 @SUM(A1) \t=cmd|' /C calc'!A0",
    "'; DROP TABLE requests.answer; --",
    "{{7*7}} ${jndi:ldap://x} <script>alert(1)</script>",
    "\u{202e}4321\u{202c} \u{2066}a\u{2069}",
    "e\u{301}\u{302}\u{303} Z\u{351}\u{336}\u{348}",
    "שלום עולם مرحبا بالعالم",
    "漢字 😀 \u{10ffff} \u{0} \u{7} \u{feff} \u{ad}",
    "\\ \\u{41} \\n // comment /* */ `raw` ```x``` <label> @ref ~ --- ...",
    "первая\nвторая\r\nтретья",
    "_x0041_ &amp; & < > \"",
    "word",
];

#[test]
fn no_text_is_read_as_anything_but_text() {
    for trick in TRICKS {
        for format in FORMATS {
            let mut tricky = document(Language::Ru);
            let answer = &mut tricky.answer;
            answer.opening = trick.into();
            answer.requester.full_name = trick.into();
            answer.requester.postal_address = trick.into();
            answer.items[0].description = trick.into();
            answer.items[0].remark = trick.into();
            answer.items[0].figures[0].value = trick.into();
            answer.items[0].figures[0].note = words(trick, trick, trick);
            answer.items[0].figures[0].indicator.title = words(trick, trick, trick);
            answer.sources[0].address = trick.into();
            answer.body = trick.into();
            let bytes = render(&tricky, format).unwrap_or_else(|error| panic!("{format:?} {trick:?}: {error}"));
            let verified = verify(&bytes, &|_, _| SignatureChecked {
                outcome: Outcome::Proved,
                text: String::new(),
            });
            assert!(verified.is_proved(), "{format:?} {trick:?}: {:?}", verified.findings);
            assert_eq!(verified.document, Some(tricky));
        }
    }
}

/// An answer to a hundred items, each described by this.
fn of_a_hundred(description: &str) -> Document {
    let mut document = document(Language::Ru);
    let item = AnsweredItem {
        description: description.into(),
        figures: vec![],
        ..document.answer.items[0].clone()
    };
    document.answer.items = vec![item; 100];
    document
}

#[test]
fn a_text_of_line_breaks_is_refused_before_it_is_typeset_and_makes_no_verification_long() {
    for broken in ["\n", "\r\n", "\u{2028}"] {
        let many = of_a_hundred(&format!("a{}", broken.repeat(3_999 / broken.chars().count())));
        assert!(canonical(&many.answer).len() < crate::MOST_BYTES * 2);
        assert!(
            matches!(
                render(&many, Format::Pdf),
                Err(RenderError::TooManyLines(_, crate::MOST_LINES))
            ),
            "{broken:?}"
        );
        let workbook = render(&many, Format::Xlsx).expect("a cell holds it");
        assert!(!workbook.is_empty());
    }
    // The longest text without breaks that an answer may have is not refused for its length alone.
    let long = of_a_hundred(&"a ".repeat(5_000));
    assert!(canonical(&long.answer).len() > crate::MOST_BYTES * 9 / 10);
    let shown = serde_json::to_value(shown::sheet(&long, "")).expect("it is shown");
    assert!(pdf::lines(&shown) < crate::MOST_LINES);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_is_written_is_rendered_and_read_back(text in "\\PC{0,60}", wild in any::<String>()) {
        let mut written = document(Language::Kk);
        written.answer.opening = text.clone();
        written.answer.items[0].remark = wild.clone();
        written.answer.items[0].figures[0].territory.title.kk = text;
        written.answer.requester.full_name = wild;
        for format in FORMATS {
            let bytes = render(&written, format).expect("any text can be rendered");
            let verified = verify(&bytes, &|_, _| SignatureChecked { outcome: Outcome::Proved, text: String::new() });
            prop_assert!(verified.is_proved(), "{:?}", verified.findings);
            prop_assert_eq!(verified.document.as_ref(), Some(&written));
        }
    }
}

/// What the releases of rendering 1 made of `document`, by language and format.
const OF_RENDERING_1: [[&str; 3]; 3] = [
    [
        "43997e5d4449c50d08b549bb40b237f42c24662c7012b3392afea774c062c6fc",
        "957b9a41df45aa5e9c53935252e8558f03fc1c6837c044069272f63e49e379d6",
        "f2efa502e0a7cf218dba658636d1984944dca6004cf9aa92881711903045d8d4",
    ],
    [
        "6ba59754d6c837764b9d9f75d94726951756f3a1395de1fa604d756d3a76347b",
        "5334cf2b3a189191c3c660ba4a8e1dd187e732687ac712a63cf8fc3453828e87",
        "a7ce922a7dfb5eaab6b61f09d43559d9f69a80d4b0bc8e99095f55fc3c59d6b7",
    ],
    [
        "71c0d2e31db6963966afff44ced34f25a19159e206b0d96390d47af00cc9b0ab",
        "0acd840e874cf712583af03580ad654e68f57dc85487a1fc489b18ea2472b9c6",
        "209bdfc9e64704eead08a4681bf1443f9611e282400955065d8c860744ca8bdc",
    ],
];

#[test]
fn a_document_of_an_earlier_rendering_is_rendered_again_to_the_byte_and_is_proved() {
    for (language, digests) in [Language::Kk, Language::Ru, Language::En]
        .into_iter()
        .zip(OF_RENDERING_1)
    {
        for (format, made) in FORMATS.into_iter().zip(digests) {
            let bytes = crate::render_as(&document(language), format, 1).expect("it is an ordinary answer");
            assert_eq!(digest(&bytes), made, "{format:?} {language:?}");
            let verified = verify(&bytes, &sound);
            assert!(verified.is_proved(), "{format:?} {language:?}: {:?}", verified.findings);
        }
    }
}

#[test]
fn a_document_of_a_later_rendering_or_of_none_is_not_compared() {
    for rendering in [0, crate::RENDERING + 1] {
        let bytes = crate::render_as(&document(Language::Ru), Format::Json, rendering).expect("it is data alone");
        let verified = verify(&bytes, &sound);
        assert_eq!(verified.outcome(Point::Shown), Some(Outcome::NotProved), "{rendering}");
        assert_eq!(verified.outcome(Point::Data), Some(Outcome::Proved), "{rendering}");
    }
}
