-- A request's words are looked up where they are a title, and an index finds it at once.
CREATE INDEX indicator_version_titled_kk ON forms.indicator_version USING hash (lower(title_kk)) WHERE title_kk <> '';
CREATE INDEX indicator_version_titled_ru ON forms.indicator_version USING hash (lower(title_ru)) WHERE title_ru <> '';
CREATE INDEX indicator_version_titled_en ON forms.indicator_version USING hash (lower(title_en)) WHERE title_en <> '';
