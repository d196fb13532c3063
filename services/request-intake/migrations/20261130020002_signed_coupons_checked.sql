-- The constraint on signed coupons holds for what was there before; checking it keeps nobody waiting.
ALTER TABLE requests.request VALIDATE CONSTRAINT request_coupon_signed;
