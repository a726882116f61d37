-- Requests for mail beyond what an address is sent at once are done later: one for each address and purpose, which stands for all that come meanwhile.
ALTER TABLE email_request ADD COLUMN due_at BIGINT NOT NULL DEFAULT 0; -- 0 where it is due at once
ALTER TABLE email_request ADD COLUMN delayed BLOB;                   -- a keyed hash of what it is counted under; null where it is due at once

CREATE UNIQUE INDEX email_request_delayed ON email_request (delayed);
CREATE INDEX email_request_due ON email_request (due_at);
