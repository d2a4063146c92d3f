"""The programs of the control benchmark: a robot, its camera, and a node that only echoes."""
