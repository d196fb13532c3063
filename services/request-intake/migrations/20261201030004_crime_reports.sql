-- Whether a request reports a crime or a threat: an anonymous one that does is forwarded at once, and not terminated. Null where it does
-- not, as in the requests of before.

ALTER TABLE requests.request ADD reports_crime_or_threat boolean
    CONSTRAINT request_reports_crime_or_threat CHECK (reports_crime_or_threat);

GRANT INSERT (reports_crime_or_threat), UPDATE (reports_crime_or_threat) ON requests.request TO requests_runtime;
