"""Messages become samples: whoever received or recorded them, by the same code, without ROS."""
