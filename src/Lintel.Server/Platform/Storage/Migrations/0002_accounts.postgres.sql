CREATE TABLE account (
    id               BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email            TEXT    NOT NULL,
    email_normalized TEXT    NOT NULL UNIQUE,
    name             TEXT,
    password_hash    TEXT    NOT NULL,
    -- Counts password changes, so that a sign-in which checked the old password cannot finish after one.
    password_version BIGINT  NOT NULL DEFAULT 0,
    is_active        BOOLEAN NOT NULL DEFAULT TRUE,
    created_at       BIGINT  NOT NULL
);

-- A sign-in: the unit of listing, revoking, refreshing and audit. Its generation counts the refreshes.
CREATE TABLE session (
    id               UUID    NOT NULL PRIMARY KEY,
    account_id       BIGINT  NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    generation       BIGINT  NOT NULL,
    created_at       BIGINT  NOT NULL,
    last_used_at     BIGINT  NOT NULL,
    rotated_at       BIGINT,
    expires_at       BIGINT  NOT NULL,
    revoked_at       BIGINT,
    revoke_reason    TEXT,
    user_agent       TEXT,
    address          TEXT
);

CREATE INDEX session_by_account ON session (account_id, id);
CREATE INDEX session_revoked ON session (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX session_expiry ON session (expires_at);

-- The facts that a refresh token is signed over; the token itself and the key are not kept.
CREATE TABLE refresh_tokens (
    session_id       UUID    NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    generation       BIGINT  NOT NULL,
    jti              UUID    NOT NULL,
    issued_at        BIGINT  NOT NULL,
    expires_at       BIGINT  NOT NULL,
    revoked_at       BIGINT,
    PRIMARY KEY (session_id, generation)
);

-- Single-use tickets with which browsers open sockets and event streams, by the SHA-256 of the ticket.
CREATE TABLE ws_ticket (
    hash             BYTEA   NOT NULL PRIMARY KEY,
    path             TEXT    NOT NULL,
    owner_id         BIGINT  NOT NULL,
    session_id       UUID,
    email            TEXT,
    scopes           INTEGER NOT NULL,
    rate_limit_key   TEXT    NOT NULL,
    caller_expires_at BIGINT NOT NULL,
    expires_at       BIGINT  NOT NULL
);

CREATE INDEX ws_ticket_expiry ON ws_ticket (expires_at);
