"""What every program of ours tells its user alike: how it ended, and where to read on."""
