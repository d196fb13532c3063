//! What messages are made of: sound words by the name of the field that takes them, and text that tries what reads it.

use uuid::Uuid;

use crate::dice::Dice;

/// Names of resources, of which most exist.
const NAMES: [&str; 32] = [
    "forms/1",
    "forms/26",
    "forms/27",
    "forms/-",
    "forms/1/editions/2025-M12",
    "forms/4/editions/2025-M01",
    "forms/2/editions/2025-Q4",
    "forms/1/editions/2019-Q1",
    "collections/crime",
    "collections/courts",
    "collections/-",
    "collections/crime/editions/2025-Q4",
    "collections/crime/editions/2025-Q3",
    "collections/courts/editions/2025-Q2",
    "collections/drugs/editions/2025-S1",
    "collections/crime/distributionList",
    "collections/crime/editions/2025-Q4/copies/1",
    "collections/crime/editions/2025-Q4/copies/33",
    "collections/crime/editions/2025-Q4/copies/-",
    "recipients/supreme-court",
    "terms/application-2026",
    "terms/state-body",
    "terms/none",
    "calendarActs/fuzz",
    "calendarActs/-",
    "days/2026-11-26",
    "days/2026-02-30",
    "requests/00000000-0000-0000-0000-000000000000",
    "bodies/justice",
    "bodies/-",
    "entries/1",
    "//",
];

const PERIODS: [&str; 14] = [
    "2025-M12", "2025-Q4", "2025-S1", "2025", "2019-M01", "2019-A1", "2019-03", "2036-M01", "2019-M13", "2019-Q5",
    "0000-M01", "9999-M12", "2025-m1", "-1-M01",
];

/// Text in three scripts, text that shows nothing, and text that harms who prints or stores it unread.
const TEXTS: [&str; 27] = [
    "Registered crimes",
    "Зарегистрированные преступления",
    "Тіркелген қылмыстар",
    "犯罪統計",
    "й",
    "и\u{306}",
    "1-М",
    "A",
    "0",
    "-1",
    "",
    " ",
    "\u{200b}",
    "\u{200b}\u{200b} \u{2060}",
    "\u{202e}txt.exe",
    "\u{0}",
    "a\u{0}b",
    "line\nbreak\r\n",
    "\u{1b}[2J\u{1b}]0;title\u{7}",
    "\u{feff}mark",
    "\u{fffd}\u{ffff}",
    "👩‍👩‍👧‍👦",
    "'; DROP TABLE requests.request; --",
    "%00%0a{}$(reboot)",
    "../../../etc/passwd",
    "{\"a\":1}",
    "NaN",
];

/// One of these.
pub fn one_of<T: Copy>(all: &[T], dice: &mut Dice) -> T {
    let place = dice.up_to(all.len() as u64) - 1;
    all[usize::try_from(place).expect("it is less than the length")]
}

/// Whether it happens that happens so often in a hundred times.
pub fn happens(percent: u64, dice: &mut Dice) -> bool {
    dice.up_to(100) <= percent
}

/// An id that is nobody else's.
pub fn id(dice: &mut Dice) -> Uuid {
    Uuid::from_u64_pair(dice.up_to(u64::MAX), dice.up_to(u64::MAX))
}

/// Any text.
fn text(dice: &mut Dice) -> String {
    match dice.up_to(1000) {
        1 => "ж".repeat(200_000),
        2..=20 => one_of(&TEXTS, dice).repeat(2000),
        21..=100 => format!("{}{}", one_of(&TEXTS, dice), one_of(&TEXTS, dice)),
        _ => one_of(&TEXTS, dice).to_owned(),
    }
}

/// A word for a field of this name: most are what it takes.
pub fn word(field: &str, dice: &mut Dice) -> String {
    if field == "request_id" && happens(92, dice) {
        let id = id(dice).to_string();
        return if happens(10, dice) { id.to_uppercase() } else { id };
    }
    if happens(30, dice) {
        return text(dice);
    }
    match field {
        "page_token" | "resume_token" if happens(70, dice) => String::new(),
        "sha256" => hex::encode([dice.up_to(255) as u8; 32]),
        "filename" => "form.csv".into(),
        "content_type" => "text/csv".into(),
        "iin" => one_of(&["160340014245", "160940004325"], dice).into(),
        "bin" => one_of(&["911003342906", "050840002757"], dice).into(),
        "uri" => "https://adilet.zan.kz/rus/docs/V1900018554".into(),
        field if field.contains("period") => one_of(&PERIODS, dice).into(),
        "name" | "parent" | "form" | "collection" | "recipient" | "resource" | "editions" | "term" => {
            one_of(&NAMES, dice).into()
        }
        field if field.contains("withdrawal") => one_of(&NAMES, dice).into(),
        _ => text(dice),
    }
}

/// A number for a field of this name: most are what it takes.
pub fn number(field: &str, dice: &mut Dice) -> i64 {
    const ODD: [i64; 10] = [
        0,
        -1,
        i64::MIN,
        i64::MAX,
        i32::MIN as i64,
        i32::MAX as i64,
        u32::MAX as i64,
        10_000,
        65_536,
        1_000_001,
    ];
    let up_to = |most: u64, dice: &mut Dice| i64::try_from(dice.up_to(most)).unwrap_or(i64::MAX);
    if happens(12, dice) {
        return one_of(&ODD, dice);
    }
    match field {
        field if field.contains("year") => 2018 + up_to(20, dice),
        "month" => up_to(12, dice),
        field if field.contains("day") => up_to(31, dice),
        // From 1970 to some years from now.
        "seconds" => up_to(2_100_000_000, dice),
        "nanos" => up_to(999_999, dice) * 1000,
        _ => up_to(200, dice) - 1,
    }
}
