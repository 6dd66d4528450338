"""Banks: questions made from facts; and readers of question files."""
