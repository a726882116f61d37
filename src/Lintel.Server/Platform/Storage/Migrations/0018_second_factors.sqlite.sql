-- Counts changes of an account's second factors: what was made for the former ones (challenges, remembered devices) holds no more.
ALTER TABLE account ADD COLUMN factor_version BIGINT NOT NULL DEFAULT 0;

-- An app that shows codes. It counts once its first code was entered; the secret is encrypted with a key that is not in the database.
CREATE TABLE totp (
    account_id        BIGINT  NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    secret            BLOB    NOT NULL,
    created_at        BIGINT  NOT NULL,
    confirmed_at      BIGINT,
    -- The half minute of the last code that was taken: it and all before it are used up.
    last_step         BIGINT  NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- Codes for whoever lost the other factors, by keyed hash. One that is used is gone.
CREATE TABLE recovery_code (
    account_id        BIGINT  NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    hash              BLOB    NOT NULL,
    PRIMARY KEY (account_id, hash)
) WITHOUT ROWID;

CREATE TABLE passkey (
    id                UUID    NOT NULL PRIMARY KEY,
    account_id        BIGINT  NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    credential_id     BLOB    NOT NULL UNIQUE,
    public_key        BLOB    NOT NULL,
    name              TEXT    NOT NULL,
    sign_count        BIGINT  NOT NULL,
    transports        TEXT    NOT NULL,
    is_user_verified  BOOLEAN NOT NULL,
    is_backup_eligible BOOLEAN NOT NULL,
    is_backed_up      BOOLEAN NOT NULL,
    created_at        BIGINT  NOT NULL,
    last_used_at      BIGINT
) WITHOUT ROWID;

CREATE INDEX passkey_by_account ON passkey (account_id, id);

-- What somebody who wants to sign in, or to prove once more who they are, has still to answer. By the keyed hash of the challenge.
CREATE TABLE factor_challenge (
    id                UUID    NOT NULL PRIMARY KEY,
    hash              BLOB    NOT NULL UNIQUE,
    kind              TEXT    NOT NULL,
    account_id        BIGINT  REFERENCES account (id) ON DELETE CASCADE,
    session_id        UUID    REFERENCES session (id) ON DELETE CASCADE,
    -- What was proved already, as it will stand in the session.
    auth_methods      TEXT    NOT NULL,
    password_version  BIGINT  NOT NULL,
    factor_version    BIGINT  NOT NULL,
    passkey_state     TEXT,
    tries             INTEGER NOT NULL DEFAULT 0,
    expires_at        BIGINT  NOT NULL
) WITHOUT ROWID;

CREATE INDEX factor_challenge_by_account ON factor_challenge (account_id, kind, id);
CREATE INDEX factor_challenge_by_session ON factor_challenge (session_id);
CREATE INDEX factor_challenge_expiry ON factor_challenge (expires_at);

-- Devices that need no second factor for a while, by the keyed hash of the token that they keep.
CREATE TABLE remembered_device (
    id                UUID    NOT NULL PRIMARY KEY,
    account_id        BIGINT  NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    hash              BLOB    NOT NULL UNIQUE,
    password_version  BIGINT  NOT NULL,
    factor_version    BIGINT  NOT NULL,
    -- The last session that was opened on it.
    session_id        UUID    NOT NULL,
    user_agent        TEXT,
    address           TEXT,
    created_at        BIGINT  NOT NULL,
    last_used_at      BIGINT  NOT NULL,
    expires_at        BIGINT  NOT NULL
) WITHOUT ROWID;

CREATE INDEX remembered_device_by_account ON remembered_device (account_id, id);
CREATE INDEX remembered_device_expiry ON remembered_device (expires_at);
