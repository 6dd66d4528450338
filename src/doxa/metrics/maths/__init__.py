"""What the metrics share: pure functions of arrays."""
