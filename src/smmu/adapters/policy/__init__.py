"""A deployment's own policy: a Python callable, or a URL."""
