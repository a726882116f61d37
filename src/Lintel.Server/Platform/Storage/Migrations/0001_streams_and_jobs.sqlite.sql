-- Streams: append-only logs of numbered, immutable events.
CREATE TABLE stream (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT    NOT NULL UNIQUE,
    epoch      BIGINT  NOT NULL,
    next_seq   BIGINT  NOT NULL DEFAULT 1,
    floor_seq  BIGINT  NOT NULL DEFAULT 1,
    closed     BOOLEAN NOT NULL DEFAULT FALSE,
    fence      BIGINT  NOT NULL DEFAULT 0,
    fence_seq  BIGINT  NOT NULL DEFAULT 1 -- where the stream stood when its present writer began: whether that one has written anything
);

CREATE TABLE event (
    stream_id  BIGINT  NOT NULL, -- without a foreign key: checking it would cost more than the insert
    seq        BIGINT  NOT NULL,
    kind       TEXT    NOT NULL,
    at         BIGINT  NOT NULL,
    data       BLOB    NOT NULL,
    PRIMARY KEY (stream_id, seq)
); -- with a rowid: in order of arrival the events of many streams share pages, where each stream would dirty one of its own

-- Nodes: the servers that share this database, and when each was last heard of by the database's clock.
CREATE TABLE node (
    id         UUID    NOT NULL PRIMARY KEY,
    started_at BIGINT  NOT NULL,
    beat_at    BIGINT  NOT NULL
);

CREATE TABLE job (
    id                   UUID    NOT NULL PRIMARY KEY,
    kind                 TEXT    NOT NULL,
    owner_id             BIGINT  NOT NULL,
    state                TEXT    NOT NULL,
    stream_id            BIGINT  NOT NULL REFERENCES stream (id),
    completed            BIGINT  NOT NULL DEFAULT 0,
    total                BIGINT  NOT NULL DEFAULT 0,
    failed               BIGINT  NOT NULL DEFAULT 0,
    error                TEXT,
    error_count          INTEGER NOT NULL DEFAULT 0,
    attempt              INTEGER NOT NULL DEFAULT 0,
    max_attempts         INTEGER NOT NULL,
    run_at               BIGINT  NOT NULL,
    created_at           BIGINT  NOT NULL,
    started_at           BIGINT,
    completed_at         BIGINT,
    lease_owner          UUID,
    lease_epoch          BIGINT  NOT NULL DEFAULT 0,
    cancel_requested_at  BIGINT,
    cancel_on_disconnect BOOLEAN NOT NULL DEFAULT FALSE,
    abandon_at           BIGINT,
    idempotency_key      TEXT,
    request_hash         TEXT,
    input_bytes          BIGINT  NOT NULL DEFAULT 0
);

CREATE UNIQUE INDEX job_idempotency ON job (owner_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX job_by_owner ON job (owner_id, id);
CREATE INDEX job_live ON job (state, kind, run_at) WHERE state IN ('queued', 'running');
CREATE INDEX job_done ON job (completed_at) WHERE completed_at IS NOT NULL;
CREATE INDEX job_stream ON job (stream_id);
CREATE INDEX job_abandoned ON job (abandon_at) WHERE abandon_at IS NOT NULL;
CREATE INDEX job_unfinished_inputs ON job (owner_id, input_bytes) WHERE state IN ('queued', 'running');

-- Apart from the job, so that lists and claims never read it.
CREATE TABLE job_input (
    job_id     UUID    NOT NULL PRIMARY KEY REFERENCES job (id) ON DELETE CASCADE,
    data       BLOB    NOT NULL
);

-- Who watches a job that ends with its last viewer, and on which node.
CREATE TABLE job_viewer (
    id         UUID    NOT NULL PRIMARY KEY,
    job_id     UUID    NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    node_id    UUID    NOT NULL
);

CREATE INDEX job_viewer_by_job ON job_viewer (job_id);
