-- What a node found out about something outside: until when it is left alone, or that it works again (null). Each change raises the version.
CREATE TABLE breaker (
    name             TEXT    NOT NULL PRIMARY KEY,
    open_until       BIGINT,
    reason           TEXT,
    changed_at       BIGINT  NOT NULL,
    version          BIGINT  NOT NULL DEFAULT 1
);
