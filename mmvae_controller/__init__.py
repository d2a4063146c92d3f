"""A multimodal VAE that sees, feels and moves: a ROS 2 robot controller."""

__version__ = '0.1.0'
