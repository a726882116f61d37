-- Tries to guess a password or a code, by whom they are aimed at and where they come from. The keys are keyed hashes: nobody reads an address out of them.
-- They need not outlive a crash of the database, so they are not in its log.
CREATE UNLOGGED TABLE guess (
    counter          BYTEA   NOT NULL PRIMARY KEY,
    tries            BIGINT  NOT NULL,
    wait             BIGINT  NOT NULL, -- how long the next one has to, in microseconds after the last
    tried_at         BIGINT  NOT NULL,
    expires_at       BIGINT  NOT NULL
);

CREATE INDEX guess_expiry ON guess (expires_at);

-- Where right answers came from lately: what strangers do elsewhere does not make these wait.
CREATE TABLE guess_place (
    subject          BYTEA   NOT NULL,
    place            BYTEA   NOT NULL,
    expires_at       BIGINT  NOT NULL,
    PRIMARY KEY (subject, place)
);

CREATE INDEX guess_place_expiry ON guess_place (expires_at);

-- What an account was signed in with lately, so that its owner hears of what is new.
CREATE TABLE account_device (
    account_id       BIGINT  NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    device           BYTEA   NOT NULL, -- a keyed hash of the network and the kind of program
    expires_at       BIGINT  NOT NULL,
    PRIMARY KEY (account_id, device)
);

CREATE INDEX account_device_expiry ON account_device (expires_at);

CREATE INDEX session_live ON session (account_id) WHERE revoked_at IS NULL;

-- Work that one node of many does at a time.
CREATE TABLE lease (
    name             TEXT    NOT NULL PRIMARY KEY,
    holder           UUID    NOT NULL,
    until            BIGINT  NOT NULL  -- by the database's clock
);
