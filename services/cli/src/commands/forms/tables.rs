//! The columns of what is listed.

use crate::output::View;

pub(super) const FORMS: View = View::Rows(
    "forms",
    &[
        ("form", "name"),
        ("code", "code"),
        ("title", "title"),
        ("periodicity", "periodicity"),
        ("due day", "dueDay"),
        ("legal basis", "legalBasis"),
        ("languages missing", "missingLanguages"),
    ],
);
pub(super) const SCHEDULE: View = View::Rows(
    "items",
    &[
        ("form", "form"),
        ("period", "period"),
        ("due", "dueDate"),
        ("state", "state"),
        ("punctuality", "punctuality"),
        ("provisional", "provisional"),
        ("assumed", "assumed"),
    ],
);
pub(super) const EDITIONS: View = View::Rows(
    "editions",
    &[
        ("edition", "name"),
        ("state", "state"),
        ("due", "dueDate"),
        ("punctuality", "punctuality"),
        ("revision", "revision"),
        ("file", "file.filename"),
    ],
);
pub(super) const PUNCTUALITY: View = View::Rows(
    "lines",
    &[
        ("form", "form"),
        ("period", "period"),
        ("expected", "counts.expected"),
        ("placed", "counts.placed"),
        ("on time", "counts.onTime"),
        ("late", "counts.late"),
        ("days late", "counts.daysLate"),
        ("overdue", "counts.overdue"),
        ("not due", "counts.notDue"),
        ("nil", "counts.nil"),
        ("not kept", "counts.notKept"),
    ],
);
pub(super) const AVAILABILITY: View = View::Rows(
    "items",
    &[
        ("availability", "availability"),
        ("finding", "text"),
        ("editions", "editions"),
        ("address", "openEditions.each.address"),
        ("SHA-256", "openEditions.each.contentSha256"),
        ("figures", "holdings.each.observations.count"),
        ("matched", "matched"),
        ("near", "indicators"),
        ("legal basis", "legalBasis"),
    ],
);
