"""Images, video and audio, by PyAV and libvips."""
