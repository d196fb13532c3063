-- A coupon is signed over what was received, and its holder has a secret by which he reads where the request stands. Of the
-- secret a digest is kept. The release before, while it still runs, gives coupons without them.

-- Null for requests of the release before. The digest of the secret is the first 16 bytes of a SHA-256: it has 100 bits.
ALTER TABLE requests.request
    ADD coupon_content_sha256 bytea,
    ADD coupon_key            text,
    ADD coupon_signature      bytea,
    ADD coupon_secret_digest  bytea,
    ADD CONSTRAINT request_coupon_signed CHECK (
        num_nonnulls(coupon_content_sha256, coupon_key, coupon_signature, coupon_secret_digest) IN (0, 4)
        AND octet_length(coupon_content_sha256) = 32 AND octet_length(coupon_signature) = 64
        AND octet_length(coupon_secret_digest) = 16) NOT VALID;
GRANT INSERT (coupon_content_sha256, coupon_key, coupon_signature, coupon_secret_digest) ON requests.request
TO requests_runtime;

-- How often the secret of a coupon was tried wrongly since the first try of its time. Only a coupon that there is has a row.
CREATE TABLE requests.coupon_try (
    request uuid        NOT NULL CONSTRAINT coupon_try_key PRIMARY KEY CONSTRAINT coupon_try_request REFERENCES requests.request,
    wrong   integer     NOT NULL CONSTRAINT coupon_try_wrong CHECK (wrong > 0),
    since   timestamptz NOT NULL
);
GRANT SELECT, INSERT ON requests.coupon_try TO requests_runtime;
GRANT UPDATE (wrong, since) ON requests.coupon_try TO requests_runtime;
