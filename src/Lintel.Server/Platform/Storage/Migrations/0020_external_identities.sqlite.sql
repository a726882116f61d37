-- Who somebody is to another provider. One identity is one account's, and an account has one of each provider.
CREATE TABLE external_identity (
    provider         TEXT    NOT NULL,
    subject          TEXT    NOT NULL,
    account_id       BIGINT  NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    email            TEXT,
    linked_at        BIGINT  NOT NULL,
    last_used_at     BIGINT,
    PRIMARY KEY (provider, subject)
);

CREATE UNIQUE INDEX external_identity_by_account ON external_identity (account_id, provider);

-- What a provider just said of somebody, for the client that has the other half of the challenge to fetch; by the SHA-256 of its code, for half a minute.
CREATE TABLE external_code (
    hash             BLOB    NOT NULL PRIMARY KEY,
    challenge        TEXT    NOT NULL,
    provider         TEXT    NOT NULL,
    subject          TEXT    NOT NULL,
    email            TEXT,
    email_verified   BOOLEAN NOT NULL,
    name             TEXT,
    expires_at       BIGINT  NOT NULL
);

CREATE INDEX external_code_expiry ON external_code (expires_at);
