-- When a new release brought more of its own registers to a calendar that was in use: what it knows changed then.

CREATE TABLE calendar.register_load (
    loaded_at timestamptz NOT NULL CONSTRAINT register_load_key PRIMARY KEY
);

GRANT SELECT, INSERT ON calendar.register_load TO calendar_runtime;
