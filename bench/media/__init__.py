"""What a recorded call costs the media node, beside Janus and plain aiortc: see bench/README.md."""
