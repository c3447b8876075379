"""The Python client: parallel, resumable uploads."""
