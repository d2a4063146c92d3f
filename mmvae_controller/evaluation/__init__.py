"""How good a trained model is: errors, calibration, baselines, prediction over several steps."""
