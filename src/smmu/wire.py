"""Every HTTP message, once, for the API and the client."""
