"""Smart Media Uploader: what an embedder imports."""
