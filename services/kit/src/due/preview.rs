//! What a change of the calendar would do to the open due dates of a service.

use legalstat_proto::{
    calendar::v1::{DueDateMove, PreviewRecomputeRequest, PreviewRecomputeResponse},
    common::v1 as common,
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::{
    Context, Error, FieldReason, Refusal, Violations,
    door::{violations, wire},
    due::{
        calendar::{Calendar, Hypothesis},
        compare::{Comparison, DueDates, Pages, Recomputed},
    },
    repeated,
};

/// How many moves a preview lists.
const LISTED: usize = 100;

/// What a change of the calendar would do to the open due dates of a service. Changes nothing.
///
/// # Errors
/// The calendar's refusal of the change, UNAVAILABLE while it is away, and what the database says.
pub async fn preview(
    context: &Context,
    calendar: &Calendar,
    due_dates: &dyn DueDates,
    request: &PreviewRecomputeRequest,
) -> Result<PreviewRecomputeResponse, Status> {
    let mut violations = Violations::new();
    match &request.change {
        None => violations.add("change", FieldReason::Required, "give a calendar_act or a withdrawal"),
        Some(Hypothesis::Withdrawal(name)) if name.is_empty() => {
            violations.add("withdrawal", FieldReason::Required, "required")
        }
        Some(_) => {}
    }
    let change = violations.sound(request.change.as_ref())?;
    let refused = |status| passed_on(change, status);
    let mut supposed = Comparison::supposing(calendar, change).await.map_err(refused)?;
    let mut now = Comparison::now(calendar);
    let mut pages = Pages::new(due_dates, context.now());
    let mut response = PreviewRecomputeResponse::default();
    loop {
        let mut connection = context.db.connection().await.map_err(Error::from)?;
        let Some(page) = pages.next(&mut connection).await.map_err(Error::from)? else {
            break;
        };
        drop(connection);
        // What an earlier change moves is not this one's doing, even while its recompute still runs.
        let page = now.brought_up_to_date(page).await.map_err(refused)?;
        response.open_count += i64::try_from(page.len()).unwrap_or(i64::MAX);
        for item in supposed.differing(page).await.map_err(refused)?.items {
            if item.moves() {
                response.moved_count += 1;
                response.moves.push(moved(item));
            } else {
                response.restated_count += 1;
            }
        }
        keep_first(&mut response.moves);
    }
    response.calendar_version = supposed.version().to_owned();
    Ok(response)
}

fn moved(item: Recomputed) -> DueDateMove {
    DueDateMove {
        name: item.name,
        old_due_date: Some(wire::to_date(item.old.date)),
        new_due_date: Some(wire::to_date(item.new.date)),
    }
}

fn keep_first(moves: &mut Vec<DueDateMove>) {
    let day = |date: &Option<common::Date>| date.as_ref().map(|date| (date.year, date.month, date.day));
    moves.sort_by(|one, other| (day(&one.old_due_date), &one.name).cmp(&(day(&other.old_due_date), &other.name)));
    moves.truncate(LISTED);
}

/// The calendar's refusal as this service's own: the field that holds the change has another name there. Every other failure
/// means that the calendar cannot be asked.
fn passed_on(change: &Hypothesis, status: Status) -> Status {
    use Code::{AlreadyExists, FailedPrecondition, InvalidArgument, NotFound, OutOfRange};
    if ![AlreadyExists, FailedPrecondition, InvalidArgument, NotFound, OutOfRange].contains(&status.code()) {
        let (code, message) = (status.code(), status.message());
        if let Some(unlogged) = repeated::to_log(&format!("a change is not previewed: {code:?}, {message}")) {
            tracing::warn!(?code, message, unlogged, "the calendar cannot be asked");
        }
        return Refusal::unavailable("the calendar cannot be asked; try again").into();
    }
    let (there, here) = match change {
        Hypothesis::CalendarAct(_) => ("hypothetical_act", "calendar_act"),
        Hypothesis::Withdrawal(_) => ("hypothetical_withdrawal", "withdrawal"),
    };
    let mut details = status.get_error_details();
    let Some(request) = details.bad_request().cloned() else {
        return status;
    };
    let mut violations = request.field_violations;
    for violation in &mut violations {
        if let Some(rest) = violation.field.strip_prefix(there) {
            violation.field = format!("{here}{rest}");
        }
    }
    let fields = violations.iter().map(|violation| violation.field.as_str());
    let fields: Vec<&str> = fields.filter(|field| !field.is_empty()).collect();
    let message = violations::summary(&fields);
    details.set_bad_request(violations);
    Status::with_error_details(status.code(), message, details)
}

#[cfg(test)]
mod tests {
    use legalstat_proto::calendar::v1::CalendarAct;

    use super::*;

    #[test]
    fn a_preview_tells_the_first_hundred_by_due_date_and_name() {
        let day = |day: i32| {
            Some(common::Date {
                year: 2027,
                month: 1,
                day,
            })
        };
        let mut moves: Vec<DueDateMove> = (0..200)
            .map(|number| DueDateMove {
                name: format!("requests/{number:03}"),
                old_due_date: day(if number < 150 { 20 } else { 10 }),
                new_due_date: day(21),
            })
            .collect();
        keep_first(&mut moves);
        assert_eq!((moves.len(), moves[0].name.as_str()), (100, "requests/150"));
        assert_eq!(moves[99].name, "requests/049");
    }

    #[test]
    fn a_refusal_of_the_act_names_the_field_of_this_service() {
        let mut violations = Violations::new();
        violations.add(
            "hypothetical_act.transfers[0].working_day",
            FieldReason::Contradiction,
            "it is worked",
        );
        let refused = Status::from(violations.refuse().expect_err("there is a violation"));
        let change = Hypothesis::CalendarAct(CalendarAct::default());
        let told = passed_on(&change, refused);
        assert_eq!(
            told.message(),
            "one field of the request is wrong: calendar_act.transfers[0].working_day"
        );
        let details = told.get_error_details();
        let violations = &details.bad_request().expect("it has violations").field_violations;
        assert_eq!(violations[0].field, "calendar_act.transfers[0].working_day");
        let unknown = passed_on(&change, Status::internal("secret"));
        assert_eq!(unknown.code(), Code::Unavailable);
    }
}
