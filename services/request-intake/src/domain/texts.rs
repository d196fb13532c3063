//! What a check says when nothing is broken. What it says of a broken rule stands in the rule's ground.

use jiff::civil::Date;
use legalstat_kit::{law::LocalizedText, period::ReportingPeriod};

use super::{
    evidence::{Matched, OpenEdition},
    examination::{Check, CheckRule},
    request::State,
    signature_texts,
};

/// How many editions a text names before it only says that there are more.
const EDITIONS: usize = 12;

/// That a rule is kept.
pub(super) fn passed(rule: CheckRule) -> LocalizedText {
    let (kk, ru, en) = match rule {
        CheckRule::Written => ("Сұрау салу жазбаша.", "Запрос письменный.", "The request is written."),
        CheckRule::Channel => (
            "Сұрау салу белгіленген арна арқылы келіп түсті.",
            "Запрос поступил по установленному каналу.",
            "The request came through a channel open to its requester.",
        ),
        CheckRule::Signatory => (
            "Сұрау салуға қол қоюға құқылы адам қол қойған.",
            "Запрос подписан лицом, имеющим право подписи.",
            "The request is signed by one who may sign it.",
        ),
        CheckRule::Identity => (
            "Өтініш иесі көрсетілген.",
            "Заявитель назван.",
            "The applicant is named.",
        ),
        CheckRule::Address => (
            "Пошталық мекенжай көрсетілген.",
            "Почтовый адрес указан.",
            "A postal address is given.",
        ),
        CheckRule::Signed => (
            "Өтінішке қол қойылған.",
            "Обращение подписано.",
            "The application is signed.",
        ),
        CheckRule::Dated => (
            "Өтініштің күні белгілі.",
            "Дата обращения известна.",
            "The application is dated.",
        ),
        CheckRule::Essence => (
            "Өтініштің мәні баяндалған.",
            "Суть обращения изложена.",
            "The application says what it is about.",
        ),
        CheckRule::Considerable => (
            "Өтініш жасырын емес және оның мәні бар.",
            "Обращение не анонимно, и суть его есть.",
            "The application is not anonymous and has an essence.",
        ),
        CheckRule::Signature => return signature_texts::valid(),
        CheckRule::NoDocumentCopies => (
            "Есепке алу құжаттарының көшірмелері сұралмаған.",
            "Копии учётных документов не запрошены.",
            "No copies of accounting documents are asked for.",
        ),
        CheckRule::NoPrimaryAccounting => (
            "Бастапқы есепке алу құжаттары мен нысандары сұралмаған.",
            "Документы и формы первичного учёта не запрошены.",
            "No documents or forms of primary accounting are asked for.",
        ),
        CheckRule::Unit => (
            "Ақпараттың бірлігі көрсетілген.",
            "Единица информации указана.",
            "The unit of the information is named.",
        ),
        CheckRule::Period => ("Кезең көрсетілген.", "Период указан.", "The period is named."),
        CheckRule::PeriodOver => (
            "Сұралған кезеңдер түскен күнге дейін аяқталған.",
            "Запрошенные периоды истекли до дня поступления.",
            "Every period asked for was over on the day of receipt.",
        ),
        CheckRule::LikelyDuplicate => (
            "Мұндай нөмірі мен күні бар құжат осы сұрау салушыдан бұрын түспеген.",
            "Документ с такими номером и датой от этого запрашивающего ранее не поступал.",
            "No document with this number and date came from this requester before.",
        ),
        CheckRule::Repeated => (
            "Осы сұрау салушы бұл ақпаратты бұрын сұрамаған.",
            "Этот запрашивающий ранее того же не запрашивал.",
            "This requester has not asked for the same before.",
        ),
        CheckRule::WithinIndicators => (
            "Ақпарат тіркелген нысанда бар.",
            "Информация содержится в зарегистрированной форме.",
            "A registered form holds the information.",
        ),
        CheckRule::NotOpenlyAvailable => (
            "Сұралған кезеңдердің барлығы бірдей ашық орналастырылмаған.",
            "Не все запрошенные периоды размещены открыто.",
            "Not every period asked for is placed openly.",
        ),
        CheckRule::DueDate => (
            "Жауап беру мерзімі есептелді.",
            "Срок ответа вычислен.",
            "The due date is computed.",
        ),
    };
    LocalizedText::new(kk, ru, en)
}

/// That an item is within what is registered, though no form holds it: it is a detail of an information accounting document
/// (Instruction, para 5).
pub(super) fn is_registered_detail() -> LocalizedText {
    LocalizedText::new(
        "Ақпарат – ақпараттық есепке алу құжатының тіркелген деректемесі.",
        "Информация является зарегистрированным реквизитом информационного учётного документа.",
        "The information is a registered detail of an information accounting document.",
    )
}

/// By when the answer is due.
pub(super) fn due(day: Date) -> LocalizedText {
    LocalizedText::new(
        format!("Жауап беру мерзімінің соңғы күні: {day}."),
        format!("Последний день срока ответа: {day}."),
        format!("The last day for the answer is {day}."),
    )
}

/// That no rule was in force on the day of receipt.
pub(super) fn no_rule() -> LocalizedText {
    LocalizedText::new(
        "Түскен күні мұндай қағида қолданылмаған.",
        "В день поступления такого правила не было.",
        "No such rule was in force on the day of receipt.",
    )
}

/// That a rule rests on a source that was not read, so that it is not decided by itself.
pub(super) fn was_not_read() -> LocalizedText {
    LocalizedText::new(
        "Қағиданың мәтіні оқылмаған дереккөзге негізделген: лауазымды адам шешеді.",
        "Правило основано на источнике, текст которого не прочитан: решает должностное лицо.",
        "The rule rests on a source whose text was not read: an official decides.",
    )
}

/// That there is nobody to ask for what is missing.
pub(super) fn nobody_to_ask() -> LocalizedText {
    LocalizedText::new(
        "Өтініш жасырын, сұрайтын адам жоқ: лауазымды адам шешеді.",
        "Обращение анонимно, спросить некого: решает должностное лицо.",
        "The application is anonymous, so there is nobody to ask: an official decides.",
    )
}

/// That a document without number or date cannot be told from others.
pub(super) fn no_number() -> LocalizedText {
    LocalizedText::new(
        "Жіберушінің нөмірі мен күні жоқ: салыстыруға болмайды.",
        "Нет номера и даты отправителя: сравнить не с чем.",
        "It has no number and date of its sender to compare.",
    )
}

/// That nothing is asked for by anybody known.
pub(super) fn nothing_to_compare() -> LocalizedText {
    LocalizedText::new(
        "Кім және не сұрағаны белгісіз: салыстыруға болмайды.",
        "Неизвестно, кто и что запрашивает: сравнить не с чем.",
        "Who asks for what is not known, so there is nothing to compare.",
    )
}

/// When a period that goes on on the day of receipt ends.
pub(super) fn ends(period: ReportingPeriod) -> LocalizedText {
    let day = period.last_day();
    LocalizedText::new(
        format!("{period} кезеңінің соңғы күні: {day}."),
        format!("Последний день периода {period}: {day}."),
        format!("The last day of {period} is {day}."),
    )
}

/// When a period begins that lies in the future.
pub(super) fn begins(period: ReportingPeriod) -> LocalizedText {
    let day = period.first_day();
    LocalizedText::new(
        format!("{period} кезеңі әлі басталмаған, оның бірінші күні: {day}."),
        format!("Период {period} ещё не начался, его первый день: {day}."),
        format!("{period} has not begun; its first day is {day}."),
    )
}

/// That what came is no document, so that the rule has nothing to look at.
pub(super) fn no_document() -> LocalizedText {
    LocalizedText::new(
        "Қағида құжатқа қатысты, ал құжат келіп түскен жоқ.",
        "Правило касается документа, а документ не поступал.",
        "The rule concerns a document, and none came.",
    )
}

/// That no statistics are asked for.
pub(super) fn no_statistics() -> LocalizedText {
    LocalizedText::new(
        "Статистикалық деректер сұралмаған.",
        "Статистические данные не запрошены.",
        "No statistics are asked for.",
    )
}

/// Why a rule was not applied any more.
pub(super) fn not_examined(state: State) -> LocalizedText {
    match state {
        State::AwaitingClarification => LocalizedText::new(
            "Сұрау салу нақтыланғаннан кейін тексеріледі.",
            "Проверяется после уточнения запроса.",
            "Examined once the requester has supplied what is missing.",
        ),
        _ => LocalizedText::new(
            "Тексерілмеді: ресми негіз бойынша шешілді.",
            "Не проверялось: решено по формальному основанию.",
            "Not examined: a formal ground decided already.",
        ),
    }
}

/// That a service is away.
pub(super) fn pending() -> LocalizedText {
    LocalizedText::new(
        "Тексеруге қажет қызмет уақытша қолжетімсіз; ол қайта іске қосылғанда тексеріледі.",
        "Служба, нужная для проверки, временно недоступна; проверка будет сделана, когда она вернётся.",
        "A service that the check needs is away; the check is made when it is back.",
    )
}

/// That the form registry could not say anything.
pub(super) fn registry_refused(reason: &str) -> LocalizedText {
    let text = LocalizedText::new(
        "Нысандар тізілімі жауап бере алмады: лауазымды адам шешеді.",
        "Реестр форм не смог ответить: решает должностное лицо.",
        "The form registry could not answer: an official decides.",
    );
    with_reason(text, reason)
}

/// A text with the reason that a service gave; services give reasons in English only.
pub(super) fn with_reason(mut text: LocalizedText, reason: &str) -> LocalizedText {
    text.en = format!("{} ({reason})", text.en);
    text
}

/// One text after another.
pub(super) fn joined(text: LocalizedText, more: &LocalizedText) -> LocalizedText {
    let both = |text: String, more: &str| format!("{text} {more}").trim_end().to_owned();
    LocalizedText {
        kk: both(text.kk, &more.kk),
        ru: both(text.ru, &more.ru),
        en: both(text.en, &more.en),
    }
}

/// That what is asked for is of restricted access.
pub(super) fn restricted() -> LocalizedText {
    LocalizedText::new(
        "Сұралған ақпаратқа қолжетімділік шектеулі (Нұсқаулықтың 2-тармағының 10) тармақшасы): лауазымды адам шешеді.",
        "Запрошена информация с ограниченным доступом (подпункт 10) пункта 2 Инструкции): решает должностное лицо.",
        "Information of restricted access is asked for (Instruction, para 2(10)): an official decides.",
    )
}

/// A text with the indicator or detail that it is about, or those that are near to the words.
pub(super) fn with_matched(text: LocalizedText, matched: &Matched) -> LocalizedText {
    let more = match matched {
        Matched::Nothing => return text,
        Matched::One(name) => LocalizedText::new(
            format!("Сәйкестігі: {name}."),
            format!("Соответствует: {name}."),
            format!("Matched: {name}."),
        ),
        Matched::Near(names) => {
            let names = names.join(", ");
            LocalizedText::new(
                format!("Жақын: {names}."),
                format!("Близкие: {names}."),
                format!("Near: {names}."),
            )
        }
    };
    joined(text, &more)
}

/// A text with the editions that show it, each with its address and the hash of its content.
pub(super) fn with_editions(text: LocalizedText, editions: &[OpenEdition]) -> LocalizedText {
    if editions.is_empty() {
        return text;
    }
    let told = |edition: &OpenEdition| {
        let mut told = edition.name.clone();
        for (before, part) in [(" ", &edition.address), (" SHA-256 ", &edition.sha256)] {
            if !part.is_empty() {
                told = told + before + part;
            }
        }
        told
    };
    let more = if editions.len() > EDITIONS { ", …" } else { "" };
    let named: Vec<String> = editions.iter().take(EDITIONS).map(told).collect();
    let named = named.join(", ");
    let with = |text: String| format!("{text} [{named}{more}]");
    LocalizedText {
        kk: with(text.kk),
        ru: with(text.ru),
        en: with(text.en),
    }
}

/// What the requester is asked for by a check that found it missing.
pub(super) fn clarification(check: &Check) -> LocalizedText {
    let item = check.field.strip_prefix("items[").and_then(|rest| rest.split_once(']'));
    let Some(index) = item.and_then(|(index, _)| index.parse::<usize>().ok()) else {
        return check.text.clone();
    };
    let number = index + 1;
    LocalizedText::new(
        format!("{number}-тармақша. {}", check.text.kk),
        format!("Позиция {number}. {}", check.text.ru),
        format!("Item {number}. {}", check.text.en),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::examination::Outcome;
    use jiff::civil::date;
    use legalstat_kit::{door::word::Word, law::LegalBasis};

    fn text() -> LocalizedText {
        LocalizedText::new("мәтін", "текст", "text")
    }

    fn named(count: usize) -> LocalizedText {
        let open = |number| OpenEdition {
            name: format!("e{number}"),
            address: String::new(),
            sha256: String::new(),
            figures: 0,
        };
        let editions: Vec<_> = (1..=count).map(open).collect();
        with_editions(text(), &editions)
    }

    #[test]
    fn an_edition_is_told_with_its_address_and_hash_and_a_match_by_its_name() {
        let edition = OpenEdition {
            name: "e1".into(),
            address: "https://example.kz".into(),
            sha256: "ab".into(),
            figures: 1,
        };
        let told = with_editions(text(), &[edition]);
        assert_eq!(told.ru, "текст [e1 https://example.kz SHA-256 ab]");
        let matched = |matched| with_matched(text(), &matched).en;
        assert_eq!(matched(Matched::Nothing), "text");
        assert_eq!(matched(Matched::One("a".into())), "text Matched: a.");
        assert_eq!(matched(Matched::Near(vec!["a".into(), "b".into()])), "text Near: a, b.");
        assert!(restricted().kk.contains("2-тармағының") && restricted().ru.contains("пункта 2"));
    }

    #[test]
    fn twelve_editions_are_named_and_of_more_it_is_said_that_there_are_more() {
        assert_eq!(named(0), text());
        let two = LocalizedText::new("мәтін [e1, e2]", "текст [e1, e2]", "text [e1, e2]");
        assert_eq!(named(2), two);
        assert!(named(12).en.ends_with(", e11, e12]"), "{}", named(12).en);
        assert!(named(13).en.ends_with(", e11, e12, …]"), "{}", named(13).en);
    }

    #[test]
    fn each_rule_that_is_kept_says_so_in_its_own_words() {
        let texts: Vec<_> = CheckRule::ALL.iter().map(|rule| passed(*rule)).collect();
        for (position, text) in texts.iter().enumerate() {
            assert!(!text.kk.is_empty() && !text.ru.is_empty() && !text.en.is_empty());
            let same = texts
                .iter()
                .position(|other| other.en == text.en || other.kk == text.kk || other.ru == text.ru);
            assert_eq!(same, Some(position), "{}", text.en);
        }
    }

    #[test]
    fn a_rule_not_applied_says_whether_the_requester_can_still_bring_it_about() {
        let asked = "Examined once the requester has supplied what is missing.";
        for &state in State::ALL {
            let text = not_examined(state);
            assert_eq!(text.en == asked, state == State::AwaitingClarification, "{state:?}");
            assert!(!text.kk.is_empty() && !text.ru.is_empty() && !text.en.is_empty());
        }
    }

    #[test]
    fn a_reason_and_a_due_date_stand_in_the_text() {
        assert_eq!(with_reason(text(), "away").en, "text (away)");
        let refused = registry_refused("no such form").en;
        assert_eq!(
            refused,
            "The form registry could not answer: an official decides. (no such form)"
        );
        let due = due(date(2026, 3, 2));
        assert!(
            [&due.kk, &due.ru, &due.en]
                .iter()
                .all(|text| text.contains("2026-03-02"))
        );
    }

    #[test]
    fn a_clarification_counts_items_from_one_and_names_none_where_the_whole_request_is_meant() {
        let asked = |field: &str| {
            clarification(&Check {
                rule: CheckRule::Unit,
                outcome: Outcome::Failed,
                field: field.into(),
                text: text(),
                legal_basis: LegalBasis::default(),
                open: Vec::new(),
            })
        };
        let first = LocalizedText::new("1-тармақша. мәтін", "Позиция 1. текст", "Item 1. text");
        assert_eq!(asked("items[0].unit"), first);
        assert_eq!(asked("items[9].period").en, "Item 10. text");
        assert_eq!(asked("channel"), text());
        assert_eq!(asked(""), text());
    }
}
