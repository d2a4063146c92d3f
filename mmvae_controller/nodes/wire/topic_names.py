"""Topics that others listen to, and what they carry; no ROS."""

# The two matrices, and the two pictures of a camera.
WITHOUT, ALONE = 'without', 'alone'
SEEN, IMAGINED = 'seen', 'imagined'
MATRIX = 'importance/matrix'
MATRIX_OF = {WITHOUT: MATRIX, ALONE: 'importance/matrix_alone'}
PICTURE_OF = {SEEN: 'diagnostics/seen/', IMAGINED: 'diagnostics/prediction/'}
TOLD = 'told'
