"""What the service remembers: one SQLite database, one class per kind of thing."""

from __future__ import annotations

from pathlib import Path

from localtune.config import Settings
from localtune.store.database import Database
from localtune.store.files import Files
from localtune.store.jobs import Jobs
from localtune.store.keys import Keys
from localtune.store.models import Models
from localtune.store.permissions import Permissions
from localtune.store.queue import Queue
from localtune.store.records import Records
from localtune.store.uploads import Uploads


class Store:
    """Opens (and on first use creates) the database of a state folder."""

    def __init__(self, folder: Path, busy_seconds: float = Settings.busy_seconds) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.database = Database(folder / "localtune.sqlite", busy_seconds)
        self.keys = Keys(self.database)
        self.files = Files(self.database)
        self.uploads = Uploads(self.database)
        self.jobs = Jobs(self.database)
        self.queue = Queue(self.database)
        self.records = Records(self.database)
        self.models = Models(self.database)
        self.permissions = Permissions(self.database)

    def close(self) -> None:
        self.database.close()
