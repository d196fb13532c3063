-- The requests of which something of the kind may be owed. Submissions and decisions wait while the table is read once, some seconds for
-- a million requests; readers wait for nothing. Built concurrently, it would wait for whoever else waits to run the migrations, who waits
-- for it.

CREATE INDEX request_owing ON requests.request (id)
    WHERE state = 'AWAITING_CLARIFICATION'
       OR reports_crime_or_threat AND state IN ('RECEIVED', 'REGISTERED', 'IN_PREPARATION');
