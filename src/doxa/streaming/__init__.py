"""Measuring logs that are larger than memory: batches are added up, and what is added up is small.

Metrics that are functions of sums over answers are exact. Areas of a ranking come from 2^16 bins of the confidences,
with a bound on what the bins may hide. Intervals are by formula: they need the bins alone, and where there are clusters
a second reading, in which each answer's share in each metric is added up by groups of clusters.
"""
