"""The mind of the mock model: planted beliefs, and personas that speak and act on them."""
