"""Answers asked for together with a confidence: how they are read, drawn several times, and put into one number."""
