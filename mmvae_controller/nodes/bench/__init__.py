"""The programs of the control benchmark: a robot, its camera, and a node that only echoes."""

# Of all of them: no robot has its topics there, so none obeys what is measured.
NAMESPACE = 'mmvae_bench'
