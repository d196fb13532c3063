-- The due date of an edition that is not placed yet follows the calendar.

GRANT UPDATE (due_date, due_time, provisional, assumed, calendar_version) ON forms.edition TO forms_runtime;
