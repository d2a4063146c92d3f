"""Recordings: rosbag2 files read as the robot would have sensed them, and written."""
