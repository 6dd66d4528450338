"""What the calibrators share."""
