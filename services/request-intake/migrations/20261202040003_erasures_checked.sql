-- Approvals and erasures of before are checked by themselves, while requests go on being answered.

ALTER TABLE requests.answer_approval VALIDATE CONSTRAINT answer_approval_signature;
ALTER TABLE requests.erasure VALIDATE CONSTRAINT erasure_ordered_by_another;
