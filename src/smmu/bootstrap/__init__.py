"""Who is wired to what: settings and the container."""
