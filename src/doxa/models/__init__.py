"""How a model is asked: one file, one kind of model."""
