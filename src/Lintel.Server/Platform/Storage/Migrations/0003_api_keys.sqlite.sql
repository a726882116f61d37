-- Keys that people make for programs, by the SHA-256 of the key. The key itself is not kept.
CREATE TABLE api_key (
    id               UUID    NOT NULL PRIMARY KEY,
    account_id       BIGINT  NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    name             TEXT    NOT NULL,
    prefix           TEXT    NOT NULL,
    hash             BLOB    NOT NULL UNIQUE,
    scopes           INTEGER NOT NULL,
    rate_limit       INTEGER,
    created_at       BIGINT  NOT NULL,
    expires_at       BIGINT,
    last_used_at     BIGINT,
    revoked_at       BIGINT
) WITHOUT ROWID;

CREATE INDEX api_key_by_account ON api_key (account_id, id);
CREATE INDEX api_key_revoked ON api_key (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX api_key_expiry ON api_key (expires_at) WHERE expires_at IS NOT NULL;

-- A ticket that a key asked for ends with the key and is limited like it.
ALTER TABLE ws_ticket ADD COLUMN key_id UUID;
ALTER TABLE ws_ticket ADD COLUMN rate_limit INTEGER;
