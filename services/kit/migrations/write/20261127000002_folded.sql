-- A number or a code as it is looked up: without case, spaces, dashes and what shows nothing, and with one letter for those
-- that look alike in Latin and Cyrillic. It depends on no locale, so that an index can hold it; the stored spelling stays.

CREATE FUNCTION folded(code text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN translate(
    normalize(code, NFKC),
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
    -- Cyrillic letters that look like Latin ones.
    || 'АаВвЕеЁёКкМмНнҺһОоРрСсТтУуҮүХхІіЈјЅѕ'
    || 'БГҒДЖЗИЙЛПФЦЧШЩЪЫЬЭЮЯӘҚҢӨҰ'
    -- Left out: spaces, dashes (U+2010 to U+2015, U+2043, U+2212), and what has no width.
    || E' \t-\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\u00ad\u200b\u200c\u200d\u2060\ufeff',
    'abcdefghijklmnopqrstuvwxyz'
    || 'aabbeeeekkmmhhhhooppccttyyyyxxiijjss'
    || 'бгғджзийлпфцчшщъыьэюяәқңөұ'
);
