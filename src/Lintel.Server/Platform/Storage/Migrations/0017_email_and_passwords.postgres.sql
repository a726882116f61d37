-- What people want to be mailed. It is written for everybody alike; whether there is an account is looked up after the answer.
CREATE TABLE email_request (
    id               UUID    NOT NULL PRIMARY KEY,
    purpose          TEXT    NOT NULL,
    email            TEXT    NOT NULL,
    -- Who asks, where only somebody who is signed in may.
    account_id       BIGINT  REFERENCES account (id) ON DELETE CASCADE,
    user_agent       TEXT,
    address          TEXT
);

-- How much each address is sent in an hour, by a keyed hash of what is counted.
CREATE TABLE email_budget (
    subject          BYTEA   NOT NULL PRIMARY KEY,
    hour             BIGINT  NOT NULL, -- hours since 1970
    used             BIGINT  NOT NULL
);

CREATE INDEX email_budget_age ON email_budget (hour);

-- A change of address that is not confirmed yet.
CREATE TABLE email_change (
    id               UUID    NOT NULL PRIMARY KEY,
    account_id       BIGINT  NOT NULL UNIQUE REFERENCES account (id) ON DELETE CASCADE,
    old_normalized   TEXT    NOT NULL,
    new_email        TEXT    NOT NULL,
    new_normalized   TEXT    NOT NULL,
    old_confirmed    BOOLEAN NOT NULL,
    new_confirmed    BOOLEAN NOT NULL,
    expires_at       BIGINT  NOT NULL
);

CREATE INDEX email_change_expiry ON email_change (expires_at);

-- Links that were mailed, by a keyed hash: neither the link nor the key is here. One is good while the account is as it was.
CREATE TABLE email_link (
    hash             BYTEA   NOT NULL PRIMARY KEY,
    purpose          TEXT    NOT NULL,
    account_id       BIGINT  NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    email_normalized TEXT    NOT NULL,
    -- Null where a new password does not matter.
    password_version BIGINT,
    change_id        UUID    REFERENCES email_change (id) ON DELETE CASCADE,
    expires_at       BIGINT  NOT NULL
);

CREATE INDEX email_link_by_account ON email_link (account_id);
CREATE INDEX email_link_by_change ON email_link (change_id);
CREATE INDEX email_link_expiry ON email_link (expires_at);

-- Sign-in codes that were mailed: one for an address, the newest. There is a row for addresses of nobody too.
CREATE TABLE email_code (
    address          BYTEA   NOT NULL PRIMARY KEY, -- a keyed hash
    code             BYTEA   NOT NULL,             -- a keyed hash
    account_id       BIGINT  REFERENCES account (id) ON DELETE CASCADE,
    password_version BIGINT,
    attempts         BIGINT  NOT NULL,
    expires_at       BIGINT  NOT NULL
);

CREATE INDEX email_code_by_account ON email_code (account_id);
CREATE INDEX email_code_expiry ON email_code (expires_at);
