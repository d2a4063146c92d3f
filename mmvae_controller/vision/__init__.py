"""Finding things in pictures, with OpenCV."""
