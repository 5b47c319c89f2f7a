"""The real service on a folder of bases: `tiny_service.py STATE BASES`."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
    from localtune.config import Settings
    from localtune.serve import serve

    state, bases = map(Path, sys.argv[1:])
    sys.exit(serve(Settings(state=state, bases=bases, port=0, threads=1)))
