//! The day on which a request counts as registered.

use std::sync::Arc;

use jiff::{
    Timestamp,
    civil::{Date, Time, time},
};
use legalstat_kit::{law::LegalBasis, zone};

use super::{
    calendar::{Calendar, FIRST_DAY},
    error::CalendarError,
};

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
}

/// The rule that registers on the next working day what arrives after working hours or on a day off.
const IN_WORKING_HOURS: &str = "registration-in-working-hours";
/// The rule that registers on the day of receipt.
const ON_RECEIPT: &str = "registration-on-receipt";

/// The day on which a request received at an instant counts as registered.
///
/// Refuses with [`CalendarError::InstantBefore2016`] or [`CalendarError::YearOutOfRange`].
pub fn register(
    calendar: &Calendar,
    received_at: Timestamp,
    hours: WorkingHours,
) -> Result<Registration, CalendarError> {
    let received = received_at.to_zoned(zone::astana());
    let received_on = received.date();
    if received_on < FIRST_DAY {
        return Err(CalendarError::InstantBefore2016 { instant: received_at });
    }
    let day = calendar.day(received_on)?;
    let (rule, cause) = match calendar.provision(IN_WORKING_HOURS, received_on) {
        Ok(rule) if !day.is_working() => (rule, RegistrationCause::DayOff),
        Ok(rule) if received.time() >= hours.closes => (rule, RegistrationCause::AfterHours),
        Ok(rule) => (rule, RegistrationCause::Receipt),
        Err(_) => (calendar.provision(ON_RECEIPT, received_on)?, RegistrationCause::Receipt),
    };
    let registered_on = match cause {
        RegistrationCause::Receipt => received_on,
        RegistrationCause::DayOff | RegistrationCause::AfterHours => calendar.next_working_day(received_on)?,
    };
    let legal_basis = Arc::clone(&rule.source.legal_basis);
    let by_hours = cause == RegistrationCause::AfterHours && hours.assumed;
    let assumed = legal_basis.assumed || by_hours || (cause == RegistrationCause::DayOff && day.assumed);
    Ok(Registration {
        received_on,
        registered_on,
        cause,
        legal_basis,
        assumed,
    })
}
