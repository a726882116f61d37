-- Tasks. What is searched is their title and description in lower case, since the databases do not agree on letters.
CREATE TABLE task (
    id               UUID    NOT NULL PRIMARY KEY,
    user_id          BIGINT  NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    title            TEXT    NOT NULL,
    description      TEXT,
    searched         TEXT    NOT NULL,
    status           TEXT    NOT NULL,
    due_at           BIGINT,
    remind_at        BIGINT, -- when the reminder is due; null where there is none, or it was given
    created_at       BIGINT  NOT NULL,
    updated_at       BIGINT  NOT NULL,
    version          BIGINT  NOT NULL DEFAULT 1
) WITHOUT ROWID;

CREATE INDEX task_by_user ON task (user_id, id);
CREATE INDEX task_reminder ON task (remind_at) WHERE remind_at IS NOT NULL;
