-- A person's notifications are a stream; what was read is told by a number in it.
CREATE TABLE inbox (
    user_id          BIGINT  NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    stream_id        BIGINT  NOT NULL UNIQUE REFERENCES stream (id),
    read_seq         BIGINT  NOT NULL DEFAULT 0
);
