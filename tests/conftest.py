"""What all tests share."""

from hypothesis import settings

settings.register_profile("doxa", deadline=None, derandomize=True)
settings.load_profile("doxa")
