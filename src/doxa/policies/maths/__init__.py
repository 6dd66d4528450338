"""What the policies share: bounds and p-values, families of tests, thresholds."""
