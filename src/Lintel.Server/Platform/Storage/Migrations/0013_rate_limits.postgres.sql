-- The windows of the rate limits that nodes share. They need not outlive a crash of the database, so they are not in its log.
CREATE UNLOGGED TABLE rate_limit (
    partition        TEXT    NOT NULL PRIMARY KEY, -- the policy and whose requests are counted
    ends_at          BIGINT  NOT NULL,
    taken            BIGINT  NOT NULL, -- what all nodes together were granted of it
    granted          BIGINT  NOT NULL  -- what the last to ask was granted
);

CREATE INDEX rate_limit_end ON rate_limit (ends_at);
