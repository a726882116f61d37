-- The node that is to run a waiting job, because something it needs is there: the socket that types into it.
ALTER TABLE job ADD COLUMN node_id UUID;

-- Single-use tokens with which a browser runs one job without holding a key, by the SHA-256 of the token.
CREATE TABLE job_token (
    hash             BYTEA   NOT NULL PRIMARY KEY,
    job_id           UUID    NOT NULL,
    owner_id         BIGINT  NOT NULL,
    session_id       UUID,
    key_id           UUID,
    email            TEXT,
    rate_limit_key   TEXT    NOT NULL,
    caller_expires_at BIGINT NOT NULL,
    expires_at       BIGINT  NOT NULL
);

CREATE INDEX job_token_expiry ON job_token (expires_at);
