"""The local engine: what keeps a model on this machine busy and its answers independent of the batch."""
