-- Who signed is compared with who asks where the certificate tells an IIN or a BIN. Personal data, as the name is.

ALTER TABLE requests.attachment_signer
    ADD COLUMN iin text CONSTRAINT attachment_signer_iin CHECK (iin ~ '^[0-9]{12}$'),
    ADD COLUMN bin text CONSTRAINT attachment_signer_bin CHECK (bin ~ '^[0-9]{12}$');
