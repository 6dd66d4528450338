"""What engines share: the task, the recipe that other processes make it from, and how its questions are told."""
