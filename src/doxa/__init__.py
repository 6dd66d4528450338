"""doxa: find out whether a language model knows what it knows."""

__version__ = "0.1.0"
