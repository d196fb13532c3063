-- Requests are found by the sender's number however it is spelled; a coupon's is turned into the one spelling it is stored in.
-- The release before this one, while it still runs, finds the sender's number by reading all requests.

CREATE INDEX request_external_number_folded ON requests.request (requests.folded(external_number), number)
    WHERE external_number IS NOT NULL;
DROP INDEX requests.request_external_number;
