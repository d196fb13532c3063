-- The due date of an edition that is not released yet follows the calendar.

GRANT UPDATE (due_date, due_time, provisional, assumed, calendar_version) ON collections.edition TO collections_runtime;
