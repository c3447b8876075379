"""One machine: SQLite and files."""
