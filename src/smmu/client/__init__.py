"""The Python client: parallel, resumable uploads; jobs as they go on; renditions. It begins at `client.Client`."""
