//! The day on which a request counts as registered.

use std::{ops::Range, sync::Arc};

use jiff::{
    Timestamp,
    civil::{Date, Time, time},
};
use legalstat_kit::{law::LegalBasis, zone};

use super::{bounds::FIRST_DAY, calendar::Calendar, error::CalendarError, term::TermOrigin};

/// The working hours of a working day, in Asia/Almaty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkingHours {
    /// When work begins. What arrives earlier on a working day is registered on it.
    pub opens: Time,
    /// When work ends: what arrives at this time or later is registered on the next working day.
    pub closes: Time,
    /// Whether no source was found for the hours.
    pub assumed: bool,
}

impl Default for WorkingHours {
    /// 09:00 to 18:30, assumed: the Code says "working hours" and no act was found that sets them.
    fn default() -> Self {
        Self {
            opens: time(9, 0, 0, 0),
            closes: time(18, 30, 0, 0),
            assumed: true,
        }
    }
}

/// Why a request is registered on the day it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistrationCause {
    /// It is registered on the day of receipt.
    Receipt,
    /// It was received on a day off.
    DayOff,
    /// It was received after working hours.
    AfterHours,
    /// It is settled that it was registered later, though what is known now gives no cause for it.
    Settled,
}

/// When a request counts as registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The day of receipt in Asia/Almaty.
    pub received_on: Date,
    /// The day of registration: that of receipt or a later one.
    pub registered_on: Date,
    /// Why.
    pub cause: RegistrationCause,
    /// The law behind it: Code 350-VI, art. 64(3), from 2021-07-01.
    pub legal_basis: Arc<LegalBasis>,
    /// Whether it rests on a rule or on hours for which no source was found.
    pub assumed: bool,
    /// The instants of receipt to which all of this applies, the end not included: the day, or one side of the end of
    /// working hours.
    pub received_within: Range<Timestamp>,
}

impl Registration {
    /// The day after which a term counts.
    pub fn origin(&self, origin: TermOrigin) -> Date {
        match origin {
            TermOrigin::Receipt => self.received_on,
            TermOrigin::Registration => self.registered_on,
        }
    }
}

/// The rule that registers on the next working day what arrives after working hours or on a day off.
const IN_WORKING_HOURS: &str = "registration-in-working-hours";
/// The rule that registers on the day of receipt.
const ON_RECEIPT: &str = "registration-on-receipt";

/// The day on which a request received at an instant counts as registered: the day that is settled, else what the calendar
/// says.
///
/// Refuses with [`CalendarError::InstantBefore2016`], [`CalendarError::RegisteredBeforeReceipt`] or
/// [`CalendarError::YearOutOfRange`].
pub fn register(
    calendar: &Calendar,
    received_at: Timestamp,
    settled: Option<Date>,
    hours: WorkingHours,
) -> Result<Registration, CalendarError> {
    let received = received_at.to_zoned(zone::astana());
    let received_on = received.date();
    if received_on < FIRST_DAY {
        return Err(CalendarError::InstantBefore2016 { instant: received_at });
    }
    let day = calendar.day(received_on)?;
    let in_working_hours = calendar.provision(IN_WORKING_HOURS, received_on).ok();
    let late = match settled {
        Some(settled) => settled > received_on,
        None => in_working_hours.is_some() && (!day.is_working() || received.time() >= hours.closes),
    };
    let cause = match late {
        false => RegistrationCause::Receipt,
        true if !day.is_working() => RegistrationCause::DayOff,
        true if received.time() >= hours.closes => RegistrationCause::AfterHours,
        true => RegistrationCause::Settled,
    };
    let registered_on = match settled {
        Some(settled) => settled_day(calendar, settled, received_on)?,
        None if late => calendar.next_working_day(received_on)?,
        None => received_on,
    };
    let legal_basis = match in_working_hours {
        Some(rule) => Arc::clone(&rule.source.legal_basis),
        None => on_receipt(calendar, received_on, late)?,
    };
    let by_time = day.is_working() && (late || (settled.is_none() && in_working_hours.is_some()));
    let received_within = if by_time {
        one_side_of(received_on, hours.closes, received.time() < hours.closes)?
    } else {
        zone::beginning(received_on)..zone::end(received_on)
    };
    let by_hours = cause == RegistrationCause::AfterHours && hours.assumed;
    let assumed = legal_basis.assumed || by_hours || (cause == RegistrationCause::DayOff && day.assumed);
    Ok(Registration {
        received_on,
        registered_on,
        cause,
        legal_basis,
        assumed,
        received_within,
    })
}

/// The part of a day before the end of working hours, or the part after it.
fn one_side_of(day: Date, closes: Time, before: bool) -> Result<Range<Timestamp>, CalendarError> {
    let closing = day.to_datetime(closes).to_zoned(zone::astana());
    let closing = closing
        .map_err(|_| CalendarError::YearOutOfRange { year: day.year() })?
        .timestamp();
    Ok(if before {
        zone::beginning(day)..closing
    } else {
        closing..zone::end(day)
    })
}

fn settled_day(calendar: &Calendar, settled: Date, received_on: Date) -> Result<Date, CalendarError> {
    if settled < received_on {
        return Err(CalendarError::RegisteredBeforeReceipt {
            registered_on: settled,
            received_on,
        });
    }
    calendar.day(settled).map(|day| day.date)
}

/// The law of the time when requests were registered on receipt. It knows no later day: one that is settled is assumed.
fn on_receipt(calendar: &Calendar, received_on: Date, late: bool) -> Result<Arc<LegalBasis>, CalendarError> {
    let basis = &calendar.provision(ON_RECEIPT, received_on)?.source.legal_basis;
    Ok(if late {
        Arc::new(LegalBasis::clone(basis).assumed())
    } else {
        Arc::clone(basis)
    })
}
