-- Lists find and order requests by more than their number: each page is a few entries of one of these indexes. What an ordinary
-- request does not have is in none of them.

CREATE INDEX request_bin ON requests.request (requester_bin, number) WHERE requester_bin IS NOT NULL;
CREATE INDEX request_iin ON requests.request (requester_iin, number) WHERE requester_iin IS NOT NULL;
-- Also what a year of statistics is read by.
CREATE INDEX request_received_at ON requests.request (received_at, number);
