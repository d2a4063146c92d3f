"""Two-step windows to train on, from simulation and recordings."""
