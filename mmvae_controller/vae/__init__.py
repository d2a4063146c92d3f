"""The models: encoders, decoders, objectives, KL schedules, checkpoints and their export."""
