//! The sentences of every explanation, in Kazakh, Russian and English, and the law that needs no rule of its own.

use jiff::civil::Date;
use legalstat_kit::law::{LegalBasis, LocalizedText};

use super::term::{Span, TermUnit};

const LABOUR_CODE_URI: &str = "https://adilet.zan.kz/rus/docs/K1500000414";

pub(super) fn labour_code(provision: &str) -> LegalBasis {
    LegalBasis {
        act: "Labour Code".into(),
        provision: provision.into(),
        uri: LABOUR_CODE_URI.into(),
        assumed: false,
    }
}

/// The rule that a holiday falling on a day off moves to the next working day.
pub(super) fn rolling_basis() -> LegalBasis {
    LegalBasis {
        act: "Law No. 267-II \"On holidays\"".into(),
        provision: "art. 5".into(),
        uri: "https://adilet.zan.kz/rus/docs/Z010000267_".into(),
        assumed: false,
    }
}

/// The rule that registers on the next working day what arrives after hours.
pub(super) fn after_hours_basis() -> LegalBasis {
    LegalBasis::parse("Code 350-VI, art. 64(3)")
}

/// The Instruction's rule that a term ending on a day off ends on the next working day.
pub(super) fn roll_forward_basis() -> LegalBasis {
    LegalBasis::instruction("para 13")
}

pub(super) fn working_day() -> LocalizedText {
    LocalizedText::new("Жұмыс күні", "Рабочий день", "A working day")
}

pub(super) fn weekend(is_sunday: bool) -> LocalizedText {
    if is_sunday {
        LocalizedText::new(
            "Жексенбі, демалыс күні",
            "Воскресенье, выходной день",
            "A Sunday, a day off",
        )
    } else {
        LocalizedText::new("Сенбі, демалыс күні", "Суббота, выходной день", "A Saturday, a day off")
    }
}

pub(super) fn rolled(name: &LocalizedText, from: Date) -> LocalizedText {
    LocalizedText::new(
        format!(
            "Демалыс күнге сәйкес келген «{}» мерекесінен ({from}) ауысқан демалыс күні",
            name.kk
        ),
        format!(
            "Выходной день, перенесённый с праздника «{}» ({from}), совпавшего с выходным",
            name.ru
        ),
        format!("Off because {} ({from}) fell on a day off and moved here", name.en),
    )
}

pub(super) fn transferred_working(off: Date) -> LocalizedText {
    LocalizedText::new(
        format!("Жұмыс күні: демалыс {off} күніне ауыстырылды"),
        format!("Рабочий день: выходной перенесён на {off}"),
        format!("A working day: its day off was moved to {off}"),
    )
}

pub(super) fn transferred_off(working: Date) -> LocalizedText {
    LocalizedText::new(
        format!("{working} күнінен ауыстырылған демалыс күні"),
        format!("Выходной день, перенесённый с {working}"),
        format!("A day off moved here from {working}"),
    )
}

pub(super) fn period_end(period: &str) -> LocalizedText {
    LocalizedText::new(
        format!("{period} есепті кезеңінің соңғы күні"),
        format!("Последний день отчётного периода {period}"),
        format!("The last day of the reporting period {period}"),
    )
}

pub(super) fn due_day(day: i8) -> LocalizedText {
    LocalizedText::new(
        format!("Есепті кезеңнен кейінгі айдың {day}-күні: мерзімнің соңғы күні"),
        format!("{day}-е число месяца, следующего за отчётным периодом: последний день срока"),
        format!("Day {day} of the month following the period: the last day of the term"),
    )
}

pub(super) fn due_day_stands(day: i8) -> LocalizedText {
    LocalizedText::new(
        format!("Келесі айдың {day}-күні демалыс күні, бірақ бұл мерзім ауыстырылмайды"),
        format!("{day}-е число следующего месяца приходится на выходной, но этот срок не переносится"),
        format!("Day {day} of the following month is a day off, but this term does not move"),
    )
}

pub(super) fn moves_on(why: &LocalizedText) -> LocalizedText {
    LocalizedText::new(
        format!("{}: мерзім келесі жұмыс күніне ауысады", why.kk),
        format!("{}: срок переносится на следующий рабочий день", why.ru),
        format!("{}: the term moves to the next working day", why.en),
    )
}

pub(super) fn first_working_day() -> LocalizedText {
    LocalizedText::new(
        "Мерзімнің соңғы күнінен кейінгі бірінші жұмыс күні: мерзімнің аяқталуы",
        "Первый рабочий день после последнего дня срока: окончание срока",
        "The first working day after the last day of the term: the deadline",
    )
}

pub(super) fn received_after_hours() -> LocalizedText {
    LocalizedText::new(
        "Сұрау салу жұмыс уақытынан тыс түсті: келесі жұмыс күні тіркеледі",
        "Запрос поступил вне рабочего времени: регистрируется следующим рабочим днём",
        "The request arrived outside working hours: it is registered on the next working day",
    )
}

pub(super) fn term_starts(registered: bool) -> LocalizedText {
    if registered {
        LocalizedText::new(
            "Тіркелген күн: мерзім келесі күннен бастап есептеледі",
            "День регистрации: срок исчисляется со следующего дня",
            "The day of registration: the term counts from the next day",
        )
    } else {
        LocalizedText::new(
            "Түскен күн: мерзім келесі күннен бастап есептеледі",
            "День поступления: срок исчисляется со следующего дня",
            "The day of receipt: the term counts from the next day",
        )
    }
}

pub(super) fn counted(number: i32, of: i32) -> LocalizedText {
    LocalizedText::new(
        format!("{of} жұмыс күнінің {number}-күні"),
        format!("Рабочий день {number} из {of}"),
        format!("Working day {number} of {of}"),
    )
}

pub(super) fn last_day(span: &Span) -> LocalizedText {
    let length = span.length;
    let (kk, ru, en) = match span.unit {
        TermUnit::CalendarDay => ("күнтізбелік күн", "календарных дней", "calendar days"),
        TermUnit::WorkingDay => ("жұмыс күні", "рабочих дней", "working days"),
        TermUnit::Month => ("ай", "мес.", if length == 1 { "month" } else { "months" }),
    };
    LocalizedText::new(
        format!("Мерзімнің соңғы күні: {length} {kk}"),
        format!("Последний день срока: {length} {ru}"),
        format!("The last day of the term of {length} {en}"),
    )
}
