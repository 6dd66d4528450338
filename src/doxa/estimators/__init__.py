"""One inquiry to one confidence: every file here is one method."""
