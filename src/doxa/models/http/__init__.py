"""What models behind HTTP share: one client with retries and adaptive concurrency, and pure readers of bodies."""
