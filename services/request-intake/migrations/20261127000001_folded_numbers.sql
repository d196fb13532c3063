-- Requests are found by the sender's number and by the coupon's, however it is spelled.

CREATE INDEX request_external_number_folded ON requests.request (requests.folded(external_number), number)
    WHERE external_number IS NOT NULL;
CREATE INDEX request_coupon_number_folded ON requests.request (requests.folded(coupon_number));
