"""What a modality is: its specification, the two-step observation, masks, normaliser."""
