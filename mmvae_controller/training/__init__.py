"""Training: muting strategies and the trainer."""
