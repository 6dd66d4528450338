"""How many questions does a difference need?"""

Z_POWER = 0.8416212335729143
"""The 80 % point of the standard normal distribution."""
