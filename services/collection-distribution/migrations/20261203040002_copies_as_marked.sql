-- Holds the copies of earlier releases to the content and the marking of their revisions; nothing waits while they are read.

ALTER TABLE collections.copy VALIDATE CONSTRAINT copy_content;
