-- How many tasks each account has, and how much mail about what it does was queued for it in an hour: what decides whether there is room for one more.
CREATE TABLE task_usage (
    user_id          BIGINT  NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    tasks            BIGINT  NOT NULL
);

INSERT INTO task_usage (user_id, tasks) SELECT user_id, count(*) FROM task GROUP BY user_id;

CREATE TABLE mail_usage (
    owner_id         BIGINT  NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    hour             BIGINT  NOT NULL, -- hours since 1970
    queued           BIGINT  NOT NULL
);
