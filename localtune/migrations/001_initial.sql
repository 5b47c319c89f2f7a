CREATE TABLE projects (
    id TEXT PRIMARY KEY,
    organisation TEXT NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE TABLE keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project TEXT NOT NULL REFERENCES projects (id),
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    sha256 TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
);
CREATE INDEX keys_by_prefix ON keys (prefix);

-- A deleted file keeps its row, so that a client that deletes while it pages keeps a valid cursor.
CREATE TABLE files (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    project TEXT NOT NULL REFERENCES projects (id),
    filename TEXT NOT NULL,
    purpose TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    deleted_at INTEGER
);
CREATE INDEX files_by_project ON files (project, seq);
CREATE INDEX files_by_blob ON files (sha256);

CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    project TEXT NOT NULL REFERENCES projects (id),
    key_id INTEGER NOT NULL REFERENCES keys (id),
    created_at INTEGER NOT NULL,
    finished_at INTEGER,
    estimated_finish INTEGER,
    status TEXT NOT NULL CHECK (
        status IN ('validating_files', 'queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled')
    ),
    model TEXT NOT NULL,
    training_file TEXT NOT NULL,
    training_blob TEXT NOT NULL,
    validation_file TEXT,
    validation_blob TEXT,
    suffix TEXT,
    seed INTEGER NOT NULL,
    hyperparameters TEXT NOT NULL,
    metadata TEXT,
    n_examples INTEGER,
    error TEXT,
    fine_tuned_model TEXT,
    result_file TEXT,
    trained_tokens INTEGER,
    attempt INTEGER NOT NULL DEFAULT 0,
    crashes INTEGER NOT NULL DEFAULT 0,
    turn INTEGER
);
CREATE INDEX jobs_by_project ON jobs (project, seq);
CREATE INDEX jobs_by_status ON jobs (status);

CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    project TEXT NOT NULL,
    job_id TEXT NOT NULL REFERENCES jobs (id),
    created_at INTEGER NOT NULL,
    level TEXT NOT NULL,
    type TEXT NOT NULL,
    message TEXT NOT NULL,
    data TEXT NOT NULL,
    step INTEGER,
    UNIQUE (job_id, step)
);
CREATE INDEX events_by_job ON events (job_id, seq);

CREATE TABLE checkpoints (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    project TEXT NOT NULL,
    job_id TEXT NOT NULL REFERENCES jobs (id),
    created_at INTEGER NOT NULL,
    model TEXT NOT NULL,
    step INTEGER NOT NULL,
    metrics TEXT NOT NULL
);
CREATE INDEX checkpoints_by_job ON checkpoints (job_id, seq);

CREATE TABLE models (
    name TEXT PRIMARY KEY,
    project TEXT NOT NULL REFERENCES projects (id),
    job_id TEXT NOT NULL REFERENCES jobs (id),
    folder TEXT NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE INDEX models_by_project ON models (project);
