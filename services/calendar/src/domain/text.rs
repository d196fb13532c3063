//! The wording of explanations in Kazakh, Russian and English.

use jiff::civil::{Date, Weekday};
use legalstat_kit::law::LocalizedText;

use super::registration::RegistrationCause;

/// A text followed by another one as the next clause.
pub(super) fn joined(first: &LocalizedText, next: &LocalizedText) -> LocalizedText {
    let join = |first: &str, next: &str| format!("{first}; {next}");
    LocalizedText::new(
        join(&first.kk, &next.kk),
        join(&first.ru, &next.ru),
        join(&first.en, &next.en),
    )
}

const MONTHS: [(&str, &str, &str); 12] = [
    ("қаңтар", "января", "January"),
    ("ақпан", "февраля", "February"),
    ("наурыз", "марта", "March"),
    ("сәуір", "апреля", "April"),
    ("мамыр", "мая", "May"),
    ("маусым", "июня", "June"),
    ("шілде", "июля", "July"),
    ("тамыз", "августа", "August"),
    ("қыркүйек", "сентября", "September"),
    ("қазан", "октября", "October"),
    ("қараша", "ноября", "November"),
    ("желтоқсан", "декабря", "December"),
];

/// A date in words: `2024 жылғы 4 мамыр`, `4 мая 2024 года`, `4 May 2024`.
pub(super) fn day_in_words(day: Date) -> LocalizedText {
    let (year, number) = (day.year(), day.day());
    let month = usize::try_from(day.month() - 1).expect("a month is 1 to 12");
    let (kk, ru, en) = MONTHS[month];
    LocalizedText::new(
        format!("{year} жылғы {number} {kk}"),
        format!("{number} {ru} {year} года"),
        format!("{number} {en} {year}"),
    )
}

pub(super) fn working_day() -> LocalizedText {
    LocalizedText::new(
        "бес күндік жұмыс аптасының жұмыс күні",
        "рабочий день пятидневной рабочей недели",
        "a working day of the five-day week",
    )
}

/// Why a Saturday or Sunday is off.
pub(super) fn weekend(weekday: Weekday) -> LocalizedText {
    let (kk, ru, en) = if weekday == Weekday::Saturday {
        ("сенбі", "суббота", "Saturday")
    } else {
        ("жексенбі", "воскресенье", "Sunday")
    };
    LocalizedText::new(
        format!("{kk}, бес күндік жұмыс аптасының демалыс күні"),
        format!("{ru}, выходной день пятидневной рабочей недели"),
        format!("{en}, a day off of the five-day week"),
    )
}

pub(super) fn holiday(name: &LocalizedText) -> LocalizedText {
    LocalizedText::new(
        format!("мереке күні: {}", name.kk),
        format!("праздничный день: {}", name.ru),
        format!("holiday: {}", name.en),
    )
}

pub(super) fn day_off(name: &LocalizedText, expected: bool) -> LocalizedText {
    let (kk, ru, en) = if expected {
        (" (болжамды күн)", " (ожидаемая дата)", " (expected date)")
    } else {
        ("", "", "")
    };
    LocalizedText::new(
        format!("демалыс күні: {}{kk}", name.kk),
        format!("выходной день: {}{ru}", name.ru),
        format!("day off: {}{en}", name.en),
    )
}

/// Why the working day after a holiday is off.
pub(super) fn rolled(name: &LocalizedText, holiday: Date) -> LocalizedText {
    let date = day_in_words(holiday);
    LocalizedText::new(
        format!(
            "демалыс күні: «{}» мерекесі ({}) демалыс күніне тура келіп, осы күнге ауысты",
            name.kk, date.kk
        ),
        format!(
            "выходной день: праздник «{}» ({}) совпал с выходным днём и перешёл на этот день",
            name.ru, date.ru
        ),
        format!("day off: {} ({}) fell on a day off and moved here", name.en, date.en),
    )
}

pub(super) fn transferred_day_off(instead_of: Date) -> LocalizedText {
    let date = day_in_words(instead_of);
    LocalizedText::new(
        format!("демалыс күні: оның орнына {} жұмыс күні болды", date.kk),
        format!("выходной день: вместо него рабочим стало {}", date.ru),
        format!("day off: {} is worked in its place", date.en),
    )
}

pub(super) fn transferred_working_day(moved_to: Date) -> LocalizedText {
    let date = day_in_words(moved_to);
    LocalizedText::new(
        format!("жұмыс күні: оның орнына {} демалыс күні болды", date.kk),
        format!("рабочий день: вместо него выходным стало {}", date.ru),
        format!("working day: its day off was moved to {}", date.en),
    )
}

pub(super) fn period_ends(period: &str) -> LocalizedText {
    LocalizedText::new(
        format!("{period} есепті кезеңінің соңғы күні"),
        format!("последний день отчётного периода {period}"),
        format!("last day of the reporting period {period}"),
    )
}

/// The clause that a last day moves on, with the law that lets it.
pub(super) fn moves_on(citation: &str) -> LocalizedText {
    LocalizedText::new(
        format!("мерзім келесі жұмыс күніне ауысады ({citation})"),
        format!("срок переходит на следующий рабочий день ({citation})"),
        format!("the time limit moves on to the next working day ({citation})"),
    )
}

pub(super) fn does_not_count() -> LocalizedText {
    LocalizedText::new(
        "бұл күн есептелмейді",
        "этот день не считается",
        "the day does not count",
    )
}

pub(super) fn counts() -> LocalizedText {
    LocalizedText::new(
        "жұмыс күні мерзімге есептеледі",
        "рабочий день засчитывается в срок",
        "a working day that counts",
    )
}

pub(super) fn due() -> LocalizedText {
    LocalizedText::new(
        "мерзімнің соңғы күні",
        "последний день срока",
        "the last day of the time limit",
    )
}

/// The clause on a due day that is off and stays.
pub(super) fn stays() -> LocalizedText {
    LocalizedText::new(
        "бұл күн демалыс күні болса да, мерзім ауыспайды",
        "хотя этот день нерабочий, срок не переносится",
        "though the day is off, the time limit does not move",
    )
}

pub(super) fn received_and_registered() -> LocalizedText {
    LocalizedText::new(
        "сұрау салу осы күні алынды және тіркелді; мерзім келесі күннен бастап есептеледі",
        "запрос получен и зарегистрирован в этот день; срок считается со следующего дня",
        "the request was received and registered on this day; the time counts from the next one",
    )
}

/// Receipt with a later registration, why, and the law behind it.
pub(super) fn received_late(cause: RegistrationCause, registered_on: Date, citation: &str) -> LocalizedText {
    let date = day_in_words(registered_on);
    let (kk, ru, en) = match cause {
        RegistrationCause::DayOff => ("демалыс күні", "в нерабочий день", "on a day off"),
        RegistrationCause::AfterHours => (
            "жұмыс уақыты аяқталғаннан кейін",
            "после окончания рабочего времени",
            "after working hours",
        ),
        RegistrationCause::Receipt | RegistrationCause::Settled => ("осы күні", "в этот день", "on this day"),
    };
    LocalizedText::new(
        format!("сұрау салу {kk} алынды; тіркелген күні: {} ({citation})", date.kk),
        format!("запрос получен {ru}; день регистрации: {} ({citation})", date.ru),
        format!("the request was received {en}; registered on {} ({citation})", date.en),
    )
}

/// The day after which an extension, or the time for telling of one, counts.
pub(super) fn counted_from() -> LocalizedText {
    LocalizedText::new(
        "мерзім осы күннен кейінгі күннен бастап есептеледі",
        "срок считается со дня, следующего за этим",
        "the time counts from the day after this one",
    )
}

/// The clause on a last day that was chosen.
pub(super) fn chosen() -> LocalizedText {
    LocalizedText::new(
        "күнді лауазымды адам белгіледі",
        "день назначен должностным лицом",
        "the day was chosen by an official",
    )
}

pub(super) fn stands_still() -> LocalizedText {
    LocalizedText::new(
        "мерзімнің өтуі тоқтатыла тұрды, бұл күн есептелмейді",
        "течение срока приостановлено, этот день не считается",
        "the clock stands still, the day does not count",
    )
}

pub(super) fn awaits_registration() -> LocalizedText {
    LocalizedText::new(
        "сұрау салу әлі тіркелген жоқ, бұл күн есептелмейді",
        "запрос ещё не зарегистрирован, этот день не считается",
        "the request is not registered yet, the day does not count",
    )
}

pub(super) fn registration_day() -> LocalizedText {
    LocalizedText::new(
        "тіркелген күн; мерзім келесі күннен бастап есептеледі",
        "день регистрации; срок считается со следующего дня",
        "the day of registration; the time counts from the next one",
    )
}

/// The clause on a term that counts from receipt even though the request is registered later.
pub(super) fn counts_from_receipt() -> LocalizedText {
    LocalizedText::new(
        "мерзім алынған күннен кейінгі күннен бастап есептеледі",
        "срок считается со дня, следующего за днём получения",
        "the time counts from the day after receipt",
    )
}
