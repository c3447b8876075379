"""Nothing outside the process: for tests and for embedding."""
