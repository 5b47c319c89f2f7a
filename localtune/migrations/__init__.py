"""Numbered SQL scripts; `localtune.store.database` runs those a state folder has not seen yet."""
