-- Files. A row is written before the first byte of its file and removed after the last one, so that nothing is stored of which no row knows.
CREATE TABLE file (
    number           INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- the order in which files were begun
    id               UUID    NOT NULL UNIQUE,
    user_id          BIGINT  REFERENCES account (id) ON DELETE SET NULL, -- of a file without an owner the bytes are removed, and then the row
    state            TEXT    NOT NULL, -- uploading, ready, deleted
    filename         TEXT    NOT NULL,
    content_type     TEXT    NOT NULL,
    size             BIGINT  NOT NULL, -- -1 while nobody knows it
    received         BIGINT  NOT NULL DEFAULT 0,
    reserved         BIGINT  NOT NULL, -- what it takes of its owner's quota
    sha256           TEXT,
    metadata         TEXT,   -- of a resumable upload, as its client sent it
    draft            TEXT,   -- what the storage needs to know to go on with an upload
    lease            UUID,   -- who writes to it
    lease_until      BIGINT,
    created_at       BIGINT  NOT NULL,
    expires_at       BIGINT  -- when what is stored is removed; null for a file that is ready
);

CREATE INDEX file_by_user ON file (user_id, number);
CREATE INDEX file_expiry ON file (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX file_without_owner ON file (number) WHERE user_id IS NULL;

-- What each person's files take together.
CREATE TABLE file_usage (
    user_id          BIGINT  NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    bytes            BIGINT  NOT NULL,
    files            BIGINT  NOT NULL
);
