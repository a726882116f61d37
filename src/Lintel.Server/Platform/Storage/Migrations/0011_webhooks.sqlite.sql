-- Webhooks: addresses that people want to be told at. What signs is derived from the salt and the server's key, and never stored.
CREATE TABLE webhook (
    id               UUID    NOT NULL PRIMARY KEY,
    owner_id         BIGINT  NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    url              TEXT    NOT NULL,
    events           TEXT    NOT NULL, -- ',job.failed,task.due,': with commas on both ends
    description      TEXT,
    enabled          BOOLEAN NOT NULL DEFAULT TRUE,
    disabled_reason  TEXT, -- null where its owner did it
    salt             BLOB    NOT NULL,
    previous_salt    BLOB,
    previous_until   BIGINT,
    last_seq         BIGINT  NOT NULL DEFAULT 0,
    missed           BIGINT  NOT NULL DEFAULT 0,
    failing_since    BIGINT,
    job_id           UUID, -- the job that sends what is pending; whoever adds something sees to it that there is one
    created_at       BIGINT  NOT NULL,
    updated_at       BIGINT  NOT NULL
) WITHOUT ROWID;

CREATE INDEX webhook_by_owner ON webhook (owner_id, id);

-- What was sent or is to be, in the order of seq; id is the Webhook-Id.
CREATE TABLE webhook_delivery (
    id               UUID    NOT NULL PRIMARY KEY,
    webhook_id       UUID    NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
    seq              BIGINT  NOT NULL,
    type             TEXT    NOT NULL,
    data             TEXT    NOT NULL,
    state            TEXT    NOT NULL,
    attempts         INTEGER NOT NULL DEFAULT 0,
    status_code      INTEGER,
    error            TEXT,
    duration_ms      BIGINT,
    created_at       BIGINT  NOT NULL,
    queued_at        BIGINT  NOT NULL,
    attempted_at     BIGINT
) WITHOUT ROWID;

CREATE UNIQUE INDEX webhook_delivery_order ON webhook_delivery (webhook_id, seq);
CREATE INDEX webhook_delivery_pending ON webhook_delivery (webhook_id, seq) WHERE state = 'pending';
