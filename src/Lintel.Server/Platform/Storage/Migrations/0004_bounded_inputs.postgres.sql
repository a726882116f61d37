-- What an owner's unfinished jobs hold, for its bound. Jobs from before count nothing.
ALTER TABLE job ADD COLUMN input_bytes BIGINT NOT NULL DEFAULT 0;
CREATE INDEX job_unfinished_inputs ON job (owner_id, input_bytes) WHERE state IN ('queued', 'running');
