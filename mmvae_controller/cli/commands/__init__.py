"""What the command line declares, a file for each panel of `mmvae --help`."""
