-- Keys that sign access tokens where ALGORITHM is ES256. The private key is encrypted under SECRET_KEY, which also proves that a row is the server's own.
CREATE TABLE signing_key (
    kid              TEXT    NOT NULL PRIMARY KEY,
    state            TEXT    NOT NULL,
    sealed_key       BYTEA   NOT NULL,
    created_at       BIGINT  NOT NULL,
    activated_at     BIGINT,
    retired_at       BIGINT
);

-- One signs and one waits to: of nodes that make or rotate keys at once, one does.
CREATE UNIQUE INDEX signing_key_active ON signing_key (state) WHERE state = 'active';
CREATE UNIQUE INDEX signing_key_next ON signing_key (state) WHERE state = 'next';
