"""What a deployment decides by code of its own: a policy (a Python callable, or a URL), a classifier (a callable)."""
