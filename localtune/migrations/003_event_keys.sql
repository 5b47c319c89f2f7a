-- An event that a restarted attempt reports again is told apart by its key.
ALTER TABLE events ADD COLUMN key TEXT;
CREATE UNIQUE INDEX events_by_key ON events (job_id, key);
