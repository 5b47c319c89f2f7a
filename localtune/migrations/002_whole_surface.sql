-- An upload that is pending and past `expires_at` has expired: nothing has to be written for that.
CREATE TABLE uploads (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    project TEXT NOT NULL REFERENCES projects (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'completed', 'cancelled')),
    filename TEXT NOT NULL,
    purpose TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    mime_type TEXT NOT NULL,
    file_expires_after INTEGER,
    file TEXT
);
CREATE INDEX uploads_by_status ON uploads (status, expires_at);

CREATE TABLE upload_parts (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    project TEXT NOT NULL REFERENCES projects (id),
    upload_id TEXT NOT NULL REFERENCES uploads (id),
    created_at INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL
);
CREATE INDEX upload_parts_by_upload ON upload_parts (upload_id, seq);

-- A key that shares the checkpoints of its project and can do nothing else.
CREATE TABLE admin_keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project TEXT NOT NULL REFERENCES projects (id),
    prefix TEXT NOT NULL,
    sha256 TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
);
CREATE INDEX admin_keys_by_prefix ON admin_keys (prefix);

-- `project` owns the model, `granted_project` may ask it.
CREATE TABLE checkpoint_permissions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    project TEXT NOT NULL REFERENCES projects (id),
    model TEXT NOT NULL REFERENCES models (name) ON DELETE CASCADE,
    granted_project TEXT NOT NULL REFERENCES projects (id),
    created_at INTEGER NOT NULL,
    UNIQUE (model, granted_project)
);

ALTER TABLE jobs ADD COLUMN integrations TEXT;
