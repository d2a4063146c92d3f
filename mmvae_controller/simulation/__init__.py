"""A simulated arm with camera and touch, tasks for it, and an expert that solves them."""
