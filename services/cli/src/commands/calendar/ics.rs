//! Writes a calendar in iCalendar (RFC 5545). The library writes the properties and events: escaping, line ends.
//! It folds too, but a last line can come out an octet too long, so the finished text is folded anew. It knows no VTIMEZONE, and gives every component that it does not know a UID and a DTSTAMP, which RFC 5545 does not
//! allow there; so the lines around the properties of the zone are written here.

use icalendar::{Component, Event, EventStatus, Property};
use jiff::{
    Timestamp,
    civil::{Date, date},
    tz::{Offset, TimeZone},
};
use legalstat_kit::zone;

const ZONE: &str = "Asia/Almaty";

/// The first and the last year of the calendar; the zone is described for all of them, so that every export has the same.
const YEARS: (i16, i16) = (2016, 2036);

/// How many octets a line has at most, its end not counted.
const LONGEST_LINE: usize = 75;

/// When something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum When {
    /// A day as such, wherever its reader is: a day off.
    Day(Date),
    /// A day in Astana from its beginning to its end: the last day for something.
    DayInAstana(Date),
}

/// How certain an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Confirmed,
    /// Its date can still change.
    Tentative,
    /// It was told before and is no more.
    Cancelled,
}

impl Status {
    /// That of a date which is provisional or not.
    pub(super) fn of(provisional: bool) -> Self {
        if provisional { Self::Tentative } else { Self::Confirmed }
    }
}

/// An event of a calendar.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Names it for ever, whatever becomes of its date.
    pub(super) uid: String,
    /// How many times its date moved, or it went or came back.
    pub(super) sequence: i64,
    /// When it is.
    pub(super) when: When,
    /// What it is, in a line.
    pub(super) summary: String,
    /// More about it; lines are separated by `\n`.
    pub(super) description: String,
    pub(super) status: Status,
}

/// The calendar with these entries. `stamp` is when what they say was last revised.
pub(super) fn calendar(entries: &[Entry], stamp: Timestamp) -> anyhow::Result<String> {
    let mut lines = String::from("BEGIN:VCALENDAR\r\n");
    for (name, value) in [
        ("VERSION", "2.0"),
        ("PRODID", "-//legalstat//legalstat//EN"),
        ("CALSCALE", "GREGORIAN"),
        ("X-WR-CALNAME", "legalstat"),
    ] {
        lines += &line(Property::new(name, value))?;
    }
    lines += &time_zone(&zone::astana())?;
    for entry in entries {
        lines += &event(entry, stamp).try_into_string()?;
    }
    lines += "END:VCALENDAR\r\n";
    Ok(folded(&lines))
}

/// The text with no line longer than it should be (RFC 5545, 3.1), whoever folded it before.
fn folded(text: &str) -> String {
    text.replace("\r\n ", "")
        .split_terminator("\r\n")
        .map(folded_line)
        .collect()
}

/// A line, folded where the next character would not fit; a continuation begins with a blank.
fn folded_line(line: &str) -> String {
    let (mut folded, mut octets) = (String::with_capacity(line.len() + line.len() / 24 + 2), 0);
    for character in line.chars() {
        if octets + character.len_utf8() > LONGEST_LINE {
            folded += "\r\n ";
            octets = 1;
        }
        folded.push(character);
        octets += character.len_utf8();
    }
    folded + "\r\n"
}

fn line(property: Property) -> anyhow::Result<String> {
    Ok(property.try_into()?)
}

fn event(entry: &Entry, stamp: Timestamp) -> Event {
    let mut event = Event::with_uid(&entry.uid);
    event
        .add_property("DTSTAMP", stamp.strftime("%Y%m%dT%H%M%SZ").to_string())
        .add_property("SEQUENCE", entry.sequence.to_string())
        // Nobody is busy because something is due, or because a day is off.
        .add_property("TRANSP", "TRANSPARENT")
        .summary(&entry.summary)
        .description(&entry.description);
    event.status(match entry.status {
        Status::Confirmed => EventStatus::Confirmed,
        Status::Tentative => EventStatus::Tentative,
        Status::Cancelled => EventStatus::Cancelled,
    });
    match entry.when {
        When::Day(day) => {
            let start = Property::new("DTSTART", day.strftime("%Y%m%d").to_string());
            event.append_property(start.clone().add_parameter("VALUE", "DATE").done());
        }
        When::DayInAstana(day) => {
            event.append_property(midnight("DTSTART", day));
            event.append_property(midnight("DTEND", day.tomorrow().unwrap_or(day)));
        }
    }
    event.done()
}

/// The beginning of a day in Astana.
fn midnight(name: &str, day: Date) -> Property {
    let mut property = Property::new(name, day.strftime("%Y%m%dT000000").to_string());
    property.add_parameter("TZID", ZONE).done()
}

/// The rules of the zone, from the database built in: the offset that held when the calendar's years begin, and every
/// change until they end.
fn time_zone(zone: &TimeZone) -> anyhow::Result<String> {
    let begin = date(YEARS.0, 1, 1).to_zoned(zone.clone())?.timestamp();
    let end = date(YEARS.1, 12, 31).to_zoned(zone.clone())?.timestamp();
    let held = zone.preceding(begin).next();
    let changes = zone.following(begin).take_while(|change| change.timestamp() <= end);
    let mut lines = format!("BEGIN:VTIMEZONE\r\n{}", line(Property::new("TZID", ZONE))?);
    for change in held.into_iter().chain(changes) {
        let before = zone.to_offset(change.timestamp() - jiff::SignedDuration::from_secs(1));
        let kind = if change.dst().is_dst() { "DAYLIGHT" } else { "STANDARD" };
        lines += &format!("BEGIN:{kind}\r\n");
        for property in [
            // A change is told in the time that was shown until then.
            Property::new(
                "DTSTART",
                before
                    .to_datetime(change.timestamp())
                    .strftime("%Y%m%dT%H%M%S")
                    .to_string(),
            ),
            Property::new("TZOFFSETFROM", written(before)),
            Property::new("TZOFFSETTO", written(change.offset())),
            Property::new("TZNAME", change.abbreviation()),
        ] {
            lines += &line(property)?;
        }
        lines += &format!("END:{kind}\r\n");
    }
    Ok(lines + "END:VTIMEZONE\r\n")
}

/// An offset as RFC 5545 writes it: `+0500`.
fn written(offset: Offset) -> String {
    let minutes = offset.seconds().abs() / 60;
    let sign = if offset.seconds() < 0 { '-' } else { '+' };
    format!("{sign}{:02}{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(uid: &str, when: When) -> Entry {
        Entry {
            uid: uid.into(),
            sequence: 2,
            when,
            summary: "Форма 1; за 2026-M01, срок".into(),
            description: format!("{}\nInstruction, para 14", "Очень длинное описание, ".repeat(10)),
            status: Status::Tentative,
        }
    }

    fn written_and_read(entries: &[Entry]) -> (String, icalendar::Calendar) {
        let stamp = "2026-01-05T06:07:08Z".parse().expect("an instant");
        let text = calendar(entries, stamp).expect("it is written");
        let read = text.parse().expect("the library reads it");
        (text, read)
    }

    #[test]
    fn what_is_written_is_read_back() {
        let due = entry("forms-1-2026-M01@legalstat", When::DayInAstana(date(2026, 2, 5)));
        let (_, read) = written_and_read(&[due]);
        assert_eq!(read.property_value("PRODID"), Some("-//legalstat//legalstat//EN"));
        assert_eq!(read.property_value("VERSION"), Some("2.0"));
        let event = read.events().next().expect("one event");
        assert_eq!(event.get_uid(), Some("forms-1-2026-M01@legalstat"));
        assert_eq!(event.get_summary(), Some("Форма 1; за 2026-M01, срок"));
        assert!(
            event
                .get_description()
                .is_some_and(|text| text.ends_with(", \nInstruction, para 14"))
        );
        assert_eq!(event.get_status(), Some(EventStatus::Tentative));
        assert_eq!(event.get_sequence(), Some(2));
        for (name, value) in [("DTSTART", "20260205T000000"), ("DTEND", "20260206T000000")] {
            let property = &event.properties()[name];
            assert_eq!((property.value(), property.params()["TZID"].value()), (value, ZONE));
        }
        assert_eq!(event.property_value("DTSTAMP"), Some("20260105T060708Z"));
        assert_eq!(event.property_value("TRANSP"), Some("TRANSPARENT"));
    }

    #[test]
    fn a_day_off_is_a_date_in_every_zone() {
        let (text, _) = written_and_read(&[entry("a@legalstat", When::Day(date(2026, 5, 27)))]);
        assert!(
            text.contains("DTSTART;VALUE=DATE:20260527\r\n") && !text.contains("DTEND"),
            "{text}"
        );
    }

    #[test]
    fn lines_end_as_the_format_wants_and_are_folded() {
        let (text, _) = written_and_read(&[entry("a@legalstat", When::Day(date(2026, 5, 27)))]);
        assert!(text.split_inclusive('\n').all(|line| line.ends_with("\r\n")), "{text}");
        assert!(text.lines().all(|line| line.len() <= 75), "{text}");
    }

    #[test]
    fn a_line_is_as_long_as_it_may_be_and_never_cut_within_a_character() {
        for (fits, begin) in [("a".repeat(75), "a"), ("я".repeat(37), "я"), ("한".repeat(25), "한")] {
            assert_eq!(folded_line(&fits), format!("{fits}\r\n"));
            let longer = format!("{fits}{begin}");
            assert_eq!(folded_line(&longer), format!("{fits}\r\n {begin}\r\n"));
        }
        // Every length around the second fold, where the library is an octet too long.
        for length in 140..160 {
            let mut due = entry("a@legalstat", When::DayInAstana(date(2026, 2, 5)));
            due.description = "я".repeat(length / 2) + &"a".repeat(length % 2);
            let (text, read) = written_and_read(&[due]);
            assert!(text.lines().all(|line| line.len() <= 75), "{length}: {text}");
            let read = read
                .events()
                .next()
                .and_then(|event| event.get_description().map(str::to_owned));
            assert_eq!(read.map(|text| text.len()), Some(length), "nothing is lost");
        }
    }

    #[test]
    fn the_zone_tells_the_change_of_2024_and_what_held_before() {
        let (text, _) = written_and_read(&[]);
        let zone = text.split("BEGIN:VTIMEZONE\r\n").nth(1).expect("a zone");
        let change =
            "BEGIN:STANDARD\r\nDTSTART:20240301T000000\r\nTZOFFSETFROM:+0600\r\nTZOFFSETTO:+0500\r\nTZNAME:+05\r\n";
        assert!(zone.contains(change), "{text}");
        assert!(zone.contains("TZOFFSETTO:+0600\r\n"), "what held in 2016: {text}");
        assert!(!zone.contains("UID") && !zone.contains("DTSTAMP"), "{text}");
    }
}
