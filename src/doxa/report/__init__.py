"""Draws measurements: a page (`html`), a terminal summary (`terminal`), Markdown (`markdown`).

Input is always what a run left behind, `run.json` and `metrics.json`; nothing is measured here.
"""
